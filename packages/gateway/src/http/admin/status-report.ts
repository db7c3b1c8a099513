import type { CellHealth, CellHealthBook, Clock, IdentifiedAdapter, ProviderRegistry } from "@fovea/core";
import type { ProcessNumbers } from "../../telemetry/process-metrics.ts";
import type { PrometheusMeter } from "../../telemetry/prometheus-meter.ts";
import type { Gate } from "../server.ts";
import type { TrafficWatch } from "./admin-routes.ts";
import type { AnswerLog } from "./answer-log.ts";
import { median } from "./answer-log.ts";
import type {
  ConfigurationStatus,
  ForesightStatus,
  GatewayStatus,
  ProcessStatus,
  ProviderStatus,
  ReachedStatus,
} from "./gateway-status.ts";

export interface StatusParts {
  readonly version: string;
  readonly isOpen: boolean;
  readonly sessionsMax: number;
  readonly clock: Clock;
  readonly meter: PrometheusMeter;
  readonly probe: { readonly read: () => ProcessNumbers };
  readonly traffic: TrafficWatch;
  readonly answers: AnswerLog;
  readonly registry: ProviderRegistry;
  readonly health: Pick<CellHealthBook, "cellsOf">;
  readonly gate: Gate;
  readonly configuration?: () => ConfigurationStatus;
  readonly foresight?: () => ForesightStatus;
  /** What a probe found of a provider that nobody has called yet. */
  readonly reached?: (providerId: string) => ReachedStatus | undefined;
}

/** Share of failed answers above which a provider that still answers is shown as degraded, and as unhealthy. */
const DEGRADED_ABOVE = 0.05;
const UNHEALTHY_ABOVE = 0.5;

/** Puts together what `/admin/status` tells, from what the parts of the gateway know of themselves. */
export class StatusReport {
  readonly #parts: StatusParts;

  constructor(parts: StatusParts) {
    this.#parts = parts;
  }

  async read(): Promise<GatewayStatus> {
    const {
      version,
      isOpen,
      sessionsMax,
      clock,
      meter,
      probe,
      traffic,
      answers,
      registry,
      gate,
      configuration,
      foresight,
    } = this.#parts;
    const process = probe.read();
    return {
      version,
      nowUnixMs: clock.unixMs(),
      uptimeSeconds: process.uptimeSeconds,
      access: isOpen ? "open" : "keys",
      ...(configuration === undefined ? {} : { configuration: configuration() }),
      ...(foresight === undefined ? {} : { foresight: foresight() }),
      process: processStatus(process),
      // Without the request that asks.
      traffic: await traffic.status(gate.inWork - 1),
      providers: adaptersOf(registry).map((adapter) => this.#provider(adapter)),
      sessions: { open: meter.read("xr.sessions").series[0]?.value ?? 0, max: sessionsMax },
      answers: answers.totals,
      decisions: answers.decisions,
      errors: traffic.errors,
    };
  }

  #provider(adapter: IdentifiedAdapter): ProviderStatus {
    const { answers } = this.#parts;
    const record = answers.recordOf(adapter.id);
    const firstPart = median(record?.firstPartMs ?? []);
    const total = median(record?.totalMs ?? []);
    const recent = record?.recent ?? [];
    const reached = this.#parts.reached?.(adapter.id);
    const errorRate = recent.filter((isGood) => !isGood).length / Math.max(1, recent.length);
    return {
      id: adapter.id,
      type: adapter.type,
      region: adapter.region,
      models: adapter.models().map((model) => model.id),
      ...(reached === undefined ? {} : { reached }),
      state: record === undefined ? probedState(reached) : stateOf(errorRate, this.#parts.health.cellsOf(adapter.id)),
      errorRate,
      answers: record?.answers ?? 0,
      failures: record?.failures ?? 0,
      costUsd: (record?.costMicroUsd ?? 0) / 1e6,
      ...optionalFailure(record?.lastFailure ?? (record === undefined ? reached?.failure : undefined)),
      ...(firstPart === undefined ? {} : { firstPartP50Ms: firstPart }),
      ...(total === undefined ? {} : { totalP50Ms: total }),
    };
  }
}

function probedState(reached: ReachedStatus | undefined): ProviderStatus["state"] {
  if (reached === undefined) return "unknown";
  return reached.isReachable ? "healthy" : "unhealthy";
}

function optionalFailure(lastFailure: string | undefined): { readonly lastFailure?: string } {
  return lastFailure === undefined ? {} : { lastFailure };
}

/** Several keys of a provider are one provider. */
function adaptersOf(registry: ProviderRegistry): readonly IdentifiedAdapter[] {
  return [...new Map(registry.entries.map((entry) => [entry.adapter.id, entry.adapter])).values()];
}

/** What routing believes (the breakers) together with what callers got. */
function stateOf(errorRate: number, cells: readonly CellHealth[]): ProviderStatus["state"] {
  const notClosed = cells.filter((health) => health.breaker.state !== "closed").length;
  if (errorRate > UNHEALTHY_ABOVE || (cells.length > 0 && notClosed === cells.length)) return "unhealthy";
  return errorRate > DEGRADED_ABOVE || notClosed > 0 ? "degraded" : "healthy";
}

function processStatus(numbers: ProcessNumbers): ProcessStatus {
  return {
    residentBytes: numbers.residentBytes,
    heapUsedBytes: numbers.heapUsedBytes,
    heapTotalBytes: numbers.heapTotalBytes,
    cpuSeconds: numbers.cpuUserSeconds + numbers.cpuSystemSeconds,
    loopDelayP50Ms: numbers.loopDelayP50Ms,
    loopDelayP99Ms: numbers.loopDelayP99Ms,
  };
}
