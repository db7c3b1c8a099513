// Remembers how the last answers came about, without their content. It stands in front of the engine as an engine, so
// that every door and every session is seen, and nothing in the engine knows of a dashboard.
import type {
  AnswerEngine,
  AnswerPart,
  ClientTools,
  Clock,
  Meter,
  ModelListing,
  OperationInput,
  OperationOutput,
  OperationRequest,
  Principal,
  Served,
  UnaryOperation,
  XRRequest,
} from "@fovea/core";
import { GatewayError } from "@fovea/core";
import type { AnswerTotals, Decision } from "./gateway-status.ts";

const DECISIONS_MAX = 100;
const SAMPLES_MAX = 256;
const RECENT_MAX = 50;

/** What one provider did since the start. Times are of the last 256 answers. */
export interface ProviderRecord {
  answers: number;
  failures: number;
  costMicroUsd: number;
  lastFailure: string | undefined;
  /** Of the last fifty answers, newest last: whether each was good. */
  readonly recent: boolean[];
  readonly firstPartMs: number[];
  readonly totalMs: number[];
}

export class AnswerLog implements AnswerEngine {
  readonly #engine: AnswerEngine;
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #decisions: Decision[] = [];
  readonly #providers = new Map<string, ProviderRecord>();
  readonly #totals = { good: 0, bad: 0, cancelled: 0, costMicroUsd: 0, unpriced: 0, inputTokens: 0, outputTokens: 0 };

  constructor(engine: AnswerEngine, clock: Clock, meter: Meter) {
    this.#engine = engine;
    this.#clock = clock;
    this.#meter = meter;
  }

  answer(request: XRRequest, signal: AbortSignal, tools?: ClientTools): AsyncIterable<AnswerPart> {
    const entry = new Entry(request.requestId, request.kind, request.model, this.#clock);
    return this.#watch(this.#engine.answer(request, signal, tools), entry);
  }

  async perform<O extends UnaryOperation>(
    request: OperationRequest<O>,
    signal: AbortSignal,
  ): Promise<Served<OperationOutput[O]>> {
    const model = (request.input as OperationInput[UnaryOperation]).model;
    const entry = new Entry(request.requestId, request.operation, model, this.#clock);
    try {
      const served = await this.#engine.perform(request, signal);
      entry.served(served);
      return served;
    } catch (error) {
      entry.failed(error);
      throw error;
    } finally {
      this.#keep(entry);
    }
  }

  listModels(principal: Principal): readonly ModelListing[] {
    return this.#engine.listModels(principal);
  }

  /** Newest first. */
  get decisions(): readonly Decision[] {
    return this.#decisions.toReversed();
  }

  get totals(): AnswerTotals {
    const { costMicroUsd, ...rest } = this.#totals;
    return { ...rest, costUsd: costMicroUsd / 1e6 };
  }

  recordOf(providerId: string): ProviderRecord | undefined {
    return this.#providers.get(providerId);
  }

  async *#watch(parts: AsyncIterable<AnswerPart>, entry: Entry): AsyncIterable<AnswerPart> {
    try {
      for await (const part of parts) {
        entry.see(part);
        yield part;
      }
    } catch (error) {
      entry.failed(error);
      throw error;
    } finally {
      this.#keep(entry);
    }
  }

  #keep(entry: Entry): void {
    const decision = entry.decision();
    if (this.#decisions.length >= DECISIONS_MAX) this.#decisions.shift();
    this.#decisions.push(decision);
    const isCancelled = decision.outcome === "cancelled";
    const isGood = decision.outcome === "complete" || decision.outcome === "resumed";
    this.#totals[isCancelled ? "cancelled" : isGood ? "good" : "bad"]++;
    this.#totals.inputTokens += decision.inputTokens ?? 0;
    this.#totals.outputTokens += decision.outputTokens ?? 0;
    if (entry.isUnpriced) this.#totals.unpriced++;
    this.#totals.costMicroUsd += (decision.costUsd ?? 0) * 1e6;
    // The caller who leaves says nothing about the service.
    if (!isCancelled) this.#meter.count("xr.answers", { outcome: isGood ? "good" : "bad" });
    if (decision.provider !== "") this.#keepProvider(decision, isGood || isCancelled);
  }

  #keepProvider(decision: Decision, isFine: boolean): void {
    const { provider, model, costUsd = 0 } = decision;
    const record = this.#providers.get(provider) ?? newRecord();
    this.#providers.set(provider, record);
    record.answers++;
    record.costMicroUsd += costUsd * 1e6;
    const labels = { "gen_ai.provider.name": provider, "gen_ai.request.model": model, kind: "winner" };
    if (costUsd > 0) this.#meter.count("xr.cost", labels, costUsd);
    if (!isFine) {
      record.failures++;
      record.lastFailure = decision.error ?? decision.outcome;
    }
    if (record.recent.length >= RECENT_MAX) record.recent.shift();
    record.recent.push(isFine);
    if (decision.firstPartMs !== undefined) pushSample(record.firstPartMs, decision.firstPartMs);
    pushSample(record.totalMs, decision.totalMs);
  }
}

function newRecord(): ProviderRecord {
  return { answers: 0, failures: 0, costMicroUsd: 0, lastFailure: undefined, recent: [], firstPartMs: [], totalMs: [] };
}

/** One answer while it runs. */
class Entry {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #requestId: string;
  readonly #kind: string;
  readonly #asked: string;
  readonly #changes: string[] = [];
  #provider = "";
  #model = "";
  #reason = "";
  #isCached = false;
  /** What it stays when the reader goes away before the end. */
  #outcome = "cancelled";
  #steps: Decision["steps"] = [];
  #firstPartMs: number | undefined;
  #costMicroUsd: number | undefined;
  #inputTokens: number | undefined;
  #outputTokens: number | undefined;
  #error: string | undefined;
  isUnpriced = false;

  constructor(requestId: string, kind: string, asked: string, clock: Clock) {
    this.#requestId = requestId;
    this.#kind = kind;
    this.#asked = asked;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  see(part: AnswerPart): void {
    switch (part.type) {
      case "start":
        this.#provider = part.provider;
        this.#model = part.model;
        return;
      case "usage":
        this.#inputTokens = part.usage.input.total;
        this.#outputTokens = part.usage.output.total;
        this.#costMicroUsd = part.cost.microUsd;
        this.isUnpriced = part.cost.microUsd === undefined;
        return;
      case "degraded":
        this.#changes.push(`${part.from} -> ${part.to}: ${part.reason}`);
        return;
      case "resumed":
        this.#changes.push(`${this.#provider}/${this.#model} -> ${part.provider}/${part.model}: resumed`);
        return;
      case "error":
        this.#error = part.code;
        return;
      case "end":
        this.#outcome = part.outcome;
        this.#provider = part.trace.provider;
        this.#model = part.trace.model;
        this.#reason = part.trace.reason;
        this.#isCached = part.trace.isCached;
        this.#steps = part.trace.steps;
        return;
      default:
        this.#firstPartMs ??= this.#clock.monotonicMs() - this.#startedMs;
    }
  }

  served(served: Served<unknown>): void {
    this.#outcome = "complete";
    this.#provider = served.providerId;
    this.#model = served.model;
    this.#reason = served.plan.reason;
    this.#costMicroUsd = served.cost.microUsd;
    this.isUnpriced = served.cost.microUsd === undefined;
  }

  failed(error: unknown): void {
    this.#error = GatewayError.is(error) ? error.code : "internal";
    this.#outcome = this.#error === "request_cancelled" ? "cancelled" : "error";
    if (GatewayError.is(error) && error.details.providerId !== undefined) this.#provider = error.details.providerId;
  }

  decision(): Decision {
    const optional = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
      value === undefined ? {} : ({ [key]: value } as Record<K, V>);
    return {
      atUnixMs: this.#clock.unixMs(),
      requestId: this.#requestId,
      kind: this.#kind,
      asked: this.#asked.slice(0, 120),
      provider: this.#provider,
      model: this.#model,
      reason: this.#reason,
      isCached: this.#isCached,
      outcome: this.#outcome,
      steps: this.#steps,
      totalMs: this.#clock.monotonicMs() - this.#startedMs,
      changes: this.#changes,
      ...optional("firstPartMs", this.#firstPartMs),
      ...optional("costUsd", this.#costMicroUsd === undefined ? undefined : this.#costMicroUsd / 1e6),
      ...optional("inputTokens", this.#inputTokens),
      ...optional("outputTokens", this.#outputTokens),
      ...optional("error", this.#error),
    };
  }
}

function pushSample(samples: number[], value: number): void {
  if (samples.length >= SAMPLES_MAX) samples.shift();
  samples.push(value);
}

/** Undefined without samples. */
export function median(samples: readonly number[]): number | undefined {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
