import { GatewayError } from "../errors/gateway-error.ts";
import type { ProviderError } from "../errors/provider-failure.ts";
import type { Cell } from "../model/routing-plan.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { Clock } from "../ports/clock.ts";
import type { Candidate } from "../providers/catalogue.ts";
import type { IdentifiedAdapter } from "../providers/provider-adapter.ts";
import type { EntryOptions, ProviderRegistry } from "../providers/provider-registry.ts";
import type { IXRProviderAdapter } from "../providers/xr-provider-adapter.ts";
import type { CellHealthBook } from "../resilience/cell-health.ts";
import type { FailurePattern } from "../resilience/failure-patterns.ts";
import { patternOf } from "../resilience/failure-patterns.ts";
import { classOf } from "../resilience/failure-classes.ts";
import type { LoadBalancer } from "../routing/load-balancer.ts";
import type { RequestCharacteristics } from "../routing/request-profile.ts";
import type { RoutedPlan } from "../routing/routed-plan.ts";
import type { XRRequestRouter } from "../routing/xr-request-router.ts";
import type { AdapterUse } from "./adapter-use.ts";
import type { LoadBalancingResult } from "./batch-assignment.ts";
import { assignBatch } from "./batch-assignment.ts";
import type { HistoricalData, OptimizationResult } from "./routing-fit.ts";
import { fitRouting } from "./routing-fit.ts";

/** Specification: ProviderStatusMap. */
export type ProviderStatusMap = ReadonlyMap<string, ProviderStatus>;

export interface ProviderStatus {
  readonly state: "healthy" | "degraded" | "unavailable" | "draining";
  readonly cells: number;
  readonly openCells: number;
  readonly inFlight: number;
  /** Failures per call over the last 30 s. */
  readonly errorRate: number;
  readonly firstContentMsP95: number | undefined;
  readonly weight: number;
}

/** Specification: ProviderRoutingResult. */
export interface ProviderRoutingResult {
  readonly plan: RoutedPlan;
  readonly characteristics: RequestCharacteristics;
  readonly rule?: string;
  readonly why: string;
}

/** Specification: FallbackResult. */
export interface FallbackResult {
  /** Who takes over; undefined where nobody can. */
  readonly next: Cell | undefined;
  readonly pattern: FailurePattern;
  /** What the user is told; empty where another provider goes on unnoticed. */
  readonly userNotice: string;
}

/** Specification section 4. */
export interface IProviderMesh {
  addProvider(provider: IXRProviderAdapter): Promise<void>;
  removeProvider(providerId: string): Promise<void>;
  getProviderStatus(): ProviderStatusMap;
  routeRequest(request: XRRequest): Promise<ProviderRoutingResult>;
  handleProviderFailure(providerId: string, error: ProviderError): Promise<FallbackResult>;
  optimizeRouting(historicalData: HistoricalData): Promise<OptimizationResult>;
  balanceLoad(requests: XRRequest[]): Promise<LoadBalancingResult>;
}

export interface ProviderMeshParts {
  readonly clock: Clock;
  readonly registry: ProviderRegistry;
  readonly router: XRRequestRouter;
  readonly health: CellHealthBook;
  readonly balancer: LoadBalancer;
  readonly uses: AdapterUse;
  costOf(candidate: Candidate, request: XRRequest): number | undefined;
}

/** Longer than any answer's deadline that a gateway allows by default. */
const DRAIN_MS_MAX = 180_000;
const DRAIN_LOOK_MS = 50;

export class ProviderMesh implements IProviderMesh {
  readonly #parts: ProviderMeshParts;

  constructor(parts: ProviderMeshParts) {
    this.#parts = parts;
  }

  /** Its models are routable from now on. Throws `configuration_invalid` where the id is taken. */
  async addProvider(provider: IXRProviderAdapter): Promise<void> {
    this.#parts.registry.add(provider);
  }

  /** Resolves when no request on its way may call it any more, or after three minutes; the adapter is closed then. */
  async removeProvider(providerId: string): Promise<void> {
    const { registry, health } = this.#parts;
    if (registry.find(providerId) === undefined) throw unknownProvider(providerId);
    registry.drain(providerId);
    const adapters = registry.entries.filter((entry) => entry.adapter.id === providerId).map((entry) => entry.adapter);
    await this.#idle(adapters);
    // Whoever put another in its place meanwhile has that one taken out by another call.
    const isStill = registry.entries.some((entry) => adapters.includes(entry.adapter));
    if (isStill) registry.remove(providerId);
    if (isStill) health.forget(providerId);
    await Promise.all(adapters.map((adapter) => adapter.close()));
  }

  /**
   * Puts other adapters (other keys, another address, other models) in the place of a provider's, at once. What is on its
   * way ends with the old ones; resolves when they are closed. What was known of the old ones' health is forgotten.
   */
  async replaceProvider(
    providerId: string,
    entries: readonly { readonly adapter: IdentifiedAdapter; readonly options?: EntryOptions }[],
  ): Promise<void> {
    const { registry, health } = this.#parts;
    const gone = registry.replace(providerId, entries);
    health.forget(providerId);
    await this.#idle(gone);
    await Promise.all(gone.map((adapter) => adapter.close()));
  }

  async #idle(adapters: readonly IdentifiedAdapter[]): Promise<void> {
    const { clock, uses } = this.#parts;
    const untilMs = clock.monotonicMs() + DRAIN_MS_MAX;
    while (adapters.some((adapter) => uses.isHeld(adapter)) && clock.monotonicMs() < untilMs) {
      await new Promise<void>((resolve) => void clock.schedule(DRAIN_LOOK_MS, resolve));
    }
  }

  getProviderStatus(): ProviderStatusMap {
    const statuses = new Map<string, ProviderStatus>();
    for (const entry of this.#parts.registry.entries) {
      const { id } = entry.adapter;
      if (!statuses.has(id)) statuses.set(id, this.#statusOf(id, entry.isDraining, entry.weight));
    }
    return statuses;
  }

  async routeRequest(request: XRRequest): Promise<ProviderRoutingResult> {
    const { plan, characteristics, rule } = this.#parts.router.decide(request);
    return { plan, characteristics, why: plan.reason, ...(rule === undefined ? {} : { rule }) };
  }

  /** For failures that were seen outside the mesh (a realtime session, a job): counted like its own. */
  async handleProviderFailure(providerId: string, error: ProviderError): Promise<FallbackResult> {
    const { registry, health, clock } = this.#parts;
    const { failure } = error;
    const nowMs = clock.monotonicMs();
    const cells = this.#chatCells().filter((candidate) => candidate.cell.providerId === providerId);
    if (registry.find(providerId) === undefined) throw unknownProvider(providerId);
    for (const cell of failure.scope === "model" ? cells.slice(0, 1) : cells)
      health.failed(cell, nowMs, nowMs, failure);
    const pattern = patternOf(
      cells.flatMap((cell) => health.of(cell).failures.map((item) => ({ ...item.failure, atMs: item.atMs }))),
    );
    if (classOf(failure).next === "stop") return { next: undefined, pattern, userNotice: failure.message };
    const others = this.#chatCells().filter((candidate) => candidate.cell.providerId !== providerId);
    const next = others
      .filter((candidate) => health.look(candidate, nowMs) === "closed")
      .toSorted((a, b) => this.#parts.balancer.score(a.name, nowMs) - this.#parts.balancer.score(b.name, nowMs))[0];
    const userNotice = next === undefined ? "I cannot answer at the moment. Please try again in a minute." : "";
    return { next: next?.cell, pattern, userNotice };
  }

  /** Moves the weights of the providers only where the part of the history that was held back agrees. */
  async optimizeRouting(historicalData: HistoricalData): Promise<OptimizationResult> {
    const result = fitRouting(historicalData);
    if (!result.isApplied) return result;
    for (const { providerId, to } of result.weights) this.#parts.registry.setWeight(providerId, to);
    return result;
  }

  async balanceLoad(requests: XRRequest[]): Promise<LoadBalancingResult> {
    const { router, balancer, clock, costOf } = this.#parts;
    return assignBatch(requests, { router, balancer, nowMs: clock.monotonicMs(), costOf });
  }

  #chatCells(): readonly Candidate[] {
    return this.#parts.registry.cellsFor("chat");
  }

  #inFlight(providerId: string): number {
    const { health, balancer } = this.#parts;
    return health.cellsOf(providerId).reduce((sum, cell) => sum + balancer.view(cell.name).inFlight, 0);
  }

  #statusOf(providerId: string, isDraining: boolean, weight: number): ProviderStatus {
    const nowMs = this.#parts.clock.monotonicMs();
    const cells = this.#parts.health.cellsOf(providerId);
    let calls = 0;
    let failed = 0;
    for (const cell of cells) {
      const counts = cell.breaker.counts(nowMs);
      calls += counts.succeeded + counts.failed;
      failed += counts.failed;
    }
    const openCells = cells.filter((cell) => cell.breaker.look(nowMs) !== "closed").length;
    const errorRate = calls === 0 ? 0 : failed / calls;
    const isDown = openCells > 0 && openCells === cells.length;
    const p95s = cells.flatMap((cell) => cell.firstContent.p95Ms ?? []);
    return {
      state: isDraining
        ? "draining"
        : isDown
          ? "unavailable"
          : openCells > 0 || errorRate > 0.1
            ? "degraded"
            : "healthy",
      cells: cells.length,
      openCells,
      inFlight: this.#inFlight(providerId),
      errorRate,
      firstContentMsP95: p95s.length === 0 ? undefined : Math.max(...p95s),
      weight,
    };
  }
}

function unknownProvider(providerId: string): GatewayError {
  return new GatewayError("request_invalid", `there is no provider '${providerId}'`, { providerId });
}
