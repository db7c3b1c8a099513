import type { Candidate } from "../providers/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { Meter } from "../ports/meter.ts";
import type { CellHealthBook } from "../resilience/cell-health.ts";
import type { FailureForecast } from "../resilience/failure-forecast.ts";
import { classOf } from "../resilience/failure-classes.ts";
import type { LoadBalancer } from "../routing/load-balancer.ts";
import type { AttemptObserver, AttemptRecord } from "./attempt.ts";

/** Tells several in order. */
export function observersOf(observers: readonly AttemptObserver[]): AttemptObserver {
  return {
    started(candidate, nowMs, isWhole) {
      for (const observer of observers) observer.started(candidate, nowMs, isWhole);
    },
    firstContent(candidate, elapsedMs) {
      for (const observer of observers) observer.firstContent(candidate, elapsedMs);
    },
    ended(candidate, record) {
      for (const observer of observers) observer.ended(candidate, record);
    },
  };
}

/** Feeds what routing and resilience learn from: once, here, for every attempt of every operation. */
export function learningObserver(
  clock: Clock,
  health: CellHealthBook,
  balancer: LoadBalancer,
  forecast: FailureForecast,
): AttemptObserver {
  return {
    started(candidate, nowMs, isWhole) {
      // The book knows the cell from its first call on, so that look-ups by candidates find it.
      health.of(candidate);
      balancer.started(candidate.name, nowMs, isWhole);
    },
    firstContent(candidate, elapsedMs) {
      const nowMs = clock.monotonicMs();
      balancer.firstContent(candidate.name, nowMs, nowMs - elapsedMs);
      health.answered(candidate, nowMs - elapsedMs);
    },
    ended(candidate, record) {
      const nowMs = clock.monotonicMs();
      const { startedMs, firstContentMs, failure, isSlow, isWhole } = record;
      if (record.limits !== undefined) forecast.limits(candidate.name, candidate.cell, record.limits, nowMs);
      const waitedMs = firstContentMs === undefined ? nowMs - startedMs : firstContentMs - startedMs;
      if (record.outcome === "ok") {
        balancer.succeeded(candidate.name, nowMs, startedMs);
        forecast.record(candidate.name, candidate.cell, { firstContentMs: waitedMs, isFailure: false });
        const known = firstContentMs === undefined && !isWhole ? undefined : waitedMs;
        return health.succeeded(candidate, nowMs, { startedMs, firstContentMs: known, isSlow, isWhole });
      }
      if (record.outcome === "cancelled" || failure === undefined) {
        balancer.cancelled(candidate.name, nowMs, startedMs);
        if (record.isOvertaken === true) return health.overtaken(candidate, startedMs, nowMs);
        return health.cancelled(candidate, startedMs, nowMs);
      }
      const { breaker, key } = classOf(failure);
      const isTimeout = failure.code.startsWith("timeout_");
      if (breaker === "none") balancer.cancelled(candidate.name, nowMs, startedMs);
      else {
        balancer.failed(candidate.name, nowMs, startedMs, { isThrottle: key === "rest", isSilent: isTimeout });
      }
      if (breaker !== "none") forecast.record(candidate.name, candidate.cell, { isFailure: true });
      health.failed(candidate, startedMs, nowMs, failure);
    },
  };
}

const OPERATION_NAMES: Readonly<Record<string, string>> = { embed: "embeddings" };

/** One measure per attempt under the names of OpenTelemetry's GenAI conventions (v1.41). Everyone else reads summaries. */
export function attemptMeter(meter: Meter): AttemptObserver {
  const inFlight = new Map<string, number>();
  const gauge = (candidate: Candidate, by: number): void => {
    const count = (inFlight.get(candidate.name) ?? 0) + by;
    inFlight.set(candidate.name, count);
    meter.gauge("fovea.provider.in_flight", baseLabels(candidate), count);
  };
  return {
    started: (candidate) => gauge(candidate, 1),
    firstContent(candidate, elapsedMs) {
      meter.record("gen_ai.client.operation.time_to_first_chunk", baseLabels(candidate), elapsedMs / 1_000);
    },
    ended(candidate, record) {
      gauge(candidate, -1);
      measureEnd(meter, candidate, record);
    },
  };
}

function measureEnd(meter: Meter, candidate: Candidate, record: AttemptRecord): void {
  const base = baseLabels(candidate);
  const { failure } = record;
  const seconds = (record.endedMs - record.startedMs) / 1_000;
  const outcome = { provider: candidate.cell.providerId, outcome: record.outcome };
  if (failure === undefined) {
    meter.record("gen_ai.client.operation.duration", base, seconds);
    meter.count("fovea.attempts", outcome);
  } else {
    const error = { "error.type": failure.code };
    meter.record("gen_ai.client.operation.duration", { ...base, ...error }, seconds);
    meter.count("fovea.attempts", { ...outcome, ...error });
  }
  if (record.usage === undefined) return;
  const { input, output } = record.usage;
  const tokens = tokenLabels(candidate, base);
  meter.record("gen_ai.client.token.usage", tokens.input, input.total);
  meter.record("gen_ai.client.token.usage", tokens.output, output.total);
}

type Labels = Readonly<Record<string, string>>;
const tokenLabelsByCandidate = new WeakMap<Candidate, { readonly input: Labels; readonly output: Labels }>();

function tokenLabels(candidate: Candidate, base: Labels): { readonly input: Labels; readonly output: Labels } {
  let labels = tokenLabelsByCandidate.get(candidate);
  if (labels === undefined) {
    labels = {
      input: { ...base, "gen_ai.token.type": "input" },
      output: { ...base, "gen_ai.token.type": "output" },
    };
    tokenLabelsByCandidate.set(candidate, labels);
  }
  return labels;
}

const labelsByCandidate = new WeakMap<Candidate, Readonly<Record<string, string>>>();

function baseLabels(candidate: Candidate): Readonly<Record<string, string>> {
  let labels = labelsByCandidate.get(candidate);
  if (labels === undefined) {
    const { operation, providerId, model } = candidate.cell;
    labels = {
      "gen_ai.operation.name": OPERATION_NAMES[operation] ?? operation,
      "gen_ai.provider.name": providerId,
      "gen_ai.request.model": model,
    };
    labelsByCandidate.set(candidate, labels);
  }
  return labels;
}
