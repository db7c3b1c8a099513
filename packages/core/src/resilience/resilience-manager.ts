import { GatewayError } from "../errors/gateway-error.ts";
import type { ProviderFailure } from "../errors/provider-failure.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { Clock } from "../ports/clock.ts";
import type { Candidate } from "../providers/catalogue.ts";
import type { ProviderRegistry } from "../providers/provider-registry.ts";
import type { IXRProviderAdapter } from "../providers/xr-provider-adapter.ts";
import type { CellHealth, CellHealthBook } from "./cell-health.ts";
import type { DegradedMode } from "./degradation.ts";
import { degradedMode } from "./degradation.ts";
import type { FailureForecast, FailureWarning } from "./failure-forecast.ts";
import type { FailurePattern, LocatedFailure } from "./failure-patterns.ts";
import { patternOf } from "./failure-patterns.ts";
import type { PreventionKnobs, PreventiveMeasure } from "./prevention.ts";
import { Prevention } from "./prevention.ts";

/** Specification: FailureDetection. */
export interface FailureDetection {
  readonly providerId: string;
  readonly state: "healthy" | "degraded" | "failing" | "unknown";
  /** Monotonic time since when the state holds, where it is known. */
  readonly sinceMs?: number;
  /** Failures per call over the last 30 s, all cells. */
  readonly errorRate: number;
  readonly openCells: readonly string[];
  readonly pattern: FailurePattern;
  readonly checkedBy: "traffic" | "probe";
}

/** Specification: FailoverResult. */
export interface FailoverResult {
  readonly from: string;
  readonly to: string;
  readonly cellsIsolated: number;
  /** Models of `from` that `to` does not have: asked for by name, they have no cell now. */
  readonly modelsLost: readonly string[];
}

/** Specification: PredictionResult. */
export interface PredictionResult {
  readonly atMs: number;
  readonly warnings: readonly FailureWarning[];
}

/** Specification: PreventionResult. The effect is known later: `Prevention.measures` tells it. */
export interface PreventionResult {
  readonly applied: readonly PreventiveMeasure[];
  /** Warnings for which nothing was done, with the reason. */
  readonly declined: readonly { readonly cellName: string; readonly reason: string }[];
}

/** Specification section 7. */
export interface IProviderResilienceManager {
  detectProviderFailure(providerId: string): Promise<FailureDetection>;
  analyzeFailurePattern(failures: ProviderFailure[]): Promise<FailurePattern>;
  initiateFailover(providerId: string, fallbackProvider: IXRProviderAdapter): Promise<FailoverResult>;
  implementGracefulDegradation(context: XRContext): Promise<DegradedMode>;
  predictPotentialFailures(context: XRContext): Promise<PredictionResult>;
  implementPreventiveMeasures(predictions: PredictionResult[]): Promise<PreventionResult>;
}

export interface ResilienceParts {
  readonly clock: Clock;
  readonly registry: ProviderRegistry;
  readonly health: CellHealthBook;
  readonly forecast: FailureForecast;
  readonly knobs: PreventionKnobs;
  quality(candidate: Candidate): number;
}

/** What was seen longer ago says nothing about now. */
const RECENT_MS = 60_000;

export class ProviderResilienceManager implements IProviderResilienceManager {
  readonly prevention: Prevention;
  readonly #parts: ResilienceParts;

  constructor(parts: ResilienceParts) {
    this.#parts = parts;
    this.prevention = new Prevention(parts.clock, parts.forecast, parts.knobs);
  }

  /** From traffic where there is any; a probe is made only where nothing has been seen for a minute. */
  async detectProviderFailure(providerId: string): Promise<FailureDetection> {
    const adapter = this.#adapterOf(providerId);
    const nowMs = this.#parts.clock.monotonicMs();
    const cells = this.#parts.health.cellsOf(providerId);
    const hasEvidence = cells.some((cell) => isRecent(cell, nowMs));
    if (hasEvidence) return detectionOf(providerId, cells, nowMs);
    const probe = await adapter.healthCheck();
    const state = probe.state === "unhealthy" ? "failing" : probe.state;
    return {
      providerId,
      state,
      sinceMs: probe.sinceMs,
      errorRate: probe.errorRate,
      openCells: [],
      pattern: patternOf([]),
      checkedBy: "probe",
    };
  }

  async analyzeFailurePattern(failures: ProviderFailure[]): Promise<FailurePattern> {
    return patternOf(failures);
  }

  /** Takes all cells of a provider out until `release`. Requests go where their plans lead; `fallbackProvider` must be known. */
  async initiateFailover(providerId: string, fallbackProvider: IXRProviderAdapter): Promise<FailoverResult> {
    const from = this.#adapterOf(providerId);
    const to = this.#adapterOf(fallbackProvider.id);
    if (from === to) throw new GatewayError("request_invalid", `'${providerId}' cannot stand in for itself`);
    const nowMs = this.#parts.clock.monotonicMs();
    const { registry, health } = this.#parts;
    const cells = registry.entries
      .filter((entry) => entry.adapter.id === providerId)
      .flatMap((entry) => entry.adapter.models().map((model) => ({ entry, model })))
      .flatMap(({ entry, model }) =>
        OPERATIONS.filter((name) => model.features.includes(name)).map((name) =>
          registry.candidateOf(entry, model, name),
        ),
      );
    for (const cell of cells) health.of(cell).breaker.isolate("manual", nowMs);
    const known = new Set(to.models().map((model) => model.id));
    const modelsLost = from
      .models()
      .map((model) => model.id)
      .filter((id) => !known.has(id));
    return { from: providerId, to: to.id, cellsIsolated: cells.length, modelsLost };
  }

  /** Ends a failover. */
  release(providerId: string): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const cell of this.#parts.health.cellsOf(providerId)) cell.breaker.release(nowMs);
  }

  async implementGracefulDegradation(context: XRContext): Promise<DegradedMode> {
    const { registry, health, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    const embedded = registry.spatialCandidates();
    const all = registry.cellsFor("chat");
    return degradedMode(context, {
      vendors: all.filter((candidate) => !embedded.includes(candidate)),
      embedded,
      isUsable: (candidate) => ["closed", "probe"].includes(health.look(candidate, nowMs)),
      quality: (candidate) => this.#parts.quality(candidate),
    });
  }

  async predictPotentialFailures(_context: XRContext): Promise<PredictionResult> {
    const nowMs = this.#parts.clock.monotonicMs();
    const nextMs = this.#parts.forecast.warnings(nowMs);
    // What is open already is no prediction.
    const open = new Set(
      this.#parts.health.all.filter((cell) => cell.breaker.state !== "closed").map((cell) => cell.cell),
    );
    return { atMs: nowMs, warnings: nextMs.filter((warning) => !open.has(warning.cell)) };
  }

  async implementPreventiveMeasures(predictions: PredictionResult[]): Promise<PreventionResult> {
    const warnings = predictions.flatMap((prediction) => prediction.warnings);
    const applied: PreventiveMeasure[] = [];
    const declined: { cellName: string; reason: string }[] = [];
    for (const warning of warnings) {
      const hasOther = this.#hasOther(warning.cellName);
      const outcome = this.prevention.apply(warning, hasOther);
      if (typeof outcome === "string") declined.push({ cellName: warning.cellName, reason: outcome });
      else applied.push(outcome);
    }
    return { applied, declined };
  }

  /** True where another closed cell could take the share of this one. */
  #hasOther(cellName: string): boolean {
    const nowMs = this.#parts.clock.monotonicMs();
    return this.#parts.registry
      .cellsFor("chat")
      .some((cell) => cell.name !== cellName && this.#parts.health.look(cell, nowMs) === "closed");
  }

  #adapterOf(providerId: string): ReturnType<ProviderRegistry["find"]> & object {
    const adapter = this.#parts.registry.find(providerId);
    if (adapter !== undefined) return adapter;
    throw new GatewayError("request_invalid", `there is no provider '${providerId}'`, { providerId });
  }
}

const OPERATIONS = ["chat", "embed", "rerank", "transcribe", "speak", "image", "vision", "job", "realtime"] as const;

function isRecent(cell: CellHealth, nowMs: number): boolean {
  const last = Math.max(cell.lastSuccessMs ?? -Infinity, cell.failures.at(-1)?.atMs ?? -Infinity);
  return nowMs - last <= RECENT_MS || cell.breaker.state !== "closed";
}

function detectionOf(providerId: string, cells: readonly CellHealth[], nowMs: number): FailureDetection {
  const open = cells.filter((cell) => {
    const admission = cell.breaker.look(nowMs);
    return admission !== "closed";
  });
  let calls = 0;
  let failed = 0;
  for (const cell of cells) {
    const counts = cell.breaker.counts(nowMs);
    calls += counts.succeeded + counts.failed;
    failed += counts.failed;
  }
  const recent = cells.flatMap((cell) =>
    cell.failures
      .filter((item) => nowMs - item.atMs <= RECENT_MS)
      .map((item): LocatedFailure => ({
        ...item.failure,
        atMs: item.atMs,
        model: cell.cell.model,
        region: cell.cell.region,
      })),
  );
  const errorRate = calls === 0 ? 0 : failed / calls;
  const isFailing = open.length > 0 && open.length === cells.length;
  const state = isFailing ? "failing" : open.length > 0 || errorRate > 0.1 ? "degraded" : "healthy";
  const sinceMs = open.length === 0 ? undefined : Math.min(...open.map((cell) => cell.breaker.sinceMs));
  return {
    providerId,
    state,
    ...(sinceMs === undefined ? {} : { sinceMs }),
    errorRate,
    openCells: open.map(({ cell }) => `${cell.model}@${cell.region}#${cell.keyId}:${cell.operation}`),
    pattern: patternOf(recent),
    checkedBy: "traffic",
  };
}
