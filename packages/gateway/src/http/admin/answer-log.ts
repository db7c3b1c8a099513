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
  /** Of the last fifty answers: whether each was good. */
  readonly recent: boolean[];
  readonly firstPartMs: number[];
  readonly totalMs: number[];
}

export class AnswerLog implements AnswerEngine {
  readonly #engine: AnswerEngine;
  readonly #clock: Clock;
  readonly #meter: Meter;
  /** A ring: what was shown is built only when somebody looks. */
  readonly #entries: Entry[] = [];
  #next = 0;
  readonly #providers = new Map<string, ProviderRecord>();
  readonly #totals = { good: 0, bad: 0, cancelled: 0, costMicroUsd: 0, unpriced: 0, inputTokens: 0, outputTokens: 0 };

  constructor(engine: AnswerEngine, clock: Clock, meter: Meter) {
    this.#engine = engine;
    this.#clock = clock;
    this.#meter = meter;
  }

  answer(request: XRRequest, signal: AbortSignal, tools?: ClientTools): AsyncIterable<AnswerPart> {
    const entry = new Entry(request.requestId, request.kind, request.model, this.#clock);
    return new WatchedAnswer(this.#engine.answer(request, signal, tools), entry, (over) => this.#keep(over));
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
    const inOrder = [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
    return inOrder.reverse().map((entry) => entry.decision());
  }

  get totals(): AnswerTotals {
    const { costMicroUsd, ...rest } = this.#totals;
    return { ...rest, costUsd: costMicroUsd / 1e6 };
  }

  recordOf(providerId: string): ProviderRecord | undefined {
    return this.#providers.get(providerId);
  }

  #keep(entry: Entry): void {
    entry.close();
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % DECISIONS_MAX;
    const { outcome, costMicroUsd = 0 } = entry;
    const isCancelled = outcome === "cancelled";
    const isGood = outcome === "complete" || outcome === "resumed";
    const totals = this.#totals;
    totals[isCancelled ? "cancelled" : isGood ? "good" : "bad"]++;
    totals.inputTokens += entry.inputTokens ?? 0;
    totals.outputTokens += entry.outputTokens ?? 0;
    totals.costMicroUsd += costMicroUsd;
    if (entry.isUnpriced) totals.unpriced++;
    // The caller who leaves says nothing about the service.
    if (!isCancelled) this.#meter.count("xr.answers", isGood ? GOOD : BAD);
    if (entry.provider !== "") this.#keepProvider(entry, isGood || isCancelled);
  }

  #keepProvider(entry: Entry, isFine: boolean): void {
    const { provider, costMicroUsd = 0 } = entry;
    let record = this.#providers.get(provider);
    if (record === undefined) this.#providers.set(provider, (record = newRecord()));
    record.answers++;
    record.costMicroUsd += costMicroUsd;
    if (!isFine) {
      record.failures++;
      record.lastFailure = entry.error ?? entry.outcome;
    }
    keepLast(record.recent, isFine, RECENT_MAX, record.answers);
    keepLast(record.totalMs, entry.totalMs, SAMPLES_MAX, record.answers);
    if (entry.firstPartMs !== undefined) keepLast(record.firstPartMs, entry.firstPartMs, SAMPLES_MAX, record.answers);
  }
}

const GOOD = { outcome: "good" };
const BAD = { outcome: "bad" };

/** Overwrites in turn: order does not matter to a median or a share. */
function keepLast<T>(samples: T[], value: T, max: number, turn: number): void {
  if (samples.length < max) samples.push(value);
  else samples[turn % max] = value;
}

/** The engine's parts as they are, seen on their way. By hand, because a generator would double the turns of the event loop. */
class WatchedAnswer implements AsyncIterableIterator<AnswerPart> {
  readonly #parts: AsyncIterator<AnswerPart>;
  readonly #entry: Entry;
  readonly #keep: (entry: Entry) => void;
  #isOver = false;

  constructor(parts: AsyncIterable<AnswerPart>, entry: Entry, keep: (entry: Entry) => void) {
    this.#parts = parts[Symbol.asyncIterator]();
    this.#entry = entry;
    this.#keep = keep;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<AnswerPart>> {
    return this.#parts.next().then(this.#seen, this.#failed);
  }

  async return(): Promise<IteratorResult<AnswerPart>> {
    this.#end();
    return (await this.#parts.return?.()) ?? { done: true, value: undefined };
  }

  readonly #seen = (result: IteratorResult<AnswerPart>): IteratorResult<AnswerPart> => {
    if (result.done === true) this.#end();
    else {
      this.#entry.see(result.value);
      // Not every reader asks once more after the end.
      if (result.value.type === "end") this.#end();
    }
    return result;
  };

  readonly #failed = (error: unknown): never => {
    this.#entry.failed(error);
    this.#end();
    throw error;
  };

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#keep(this.#entry);
  }
}

function newRecord(): ProviderRecord {
  return { answers: 0, failures: 0, costMicroUsd: 0, lastFailure: undefined, recent: [], firstPartMs: [], totalMs: [] };
}

/** One answer while it runs, and afterwards what is kept of it. */
class Entry {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #requestId: string;
  readonly #kind: string;
  readonly #asked: string;
  readonly #changes: string[] = [];
  #atUnixMs = 0;
  #reason = "";
  #isCached = false;
  #steps: Decision["steps"] = [];
  provider = "";
  model = "";
  /** What it stays when the reader goes away before the end. */
  outcome = "cancelled";
  totalMs = 0;
  firstPartMs: number | undefined;
  costMicroUsd: number | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  error: string | undefined;
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
        this.provider = part.provider;
        this.model = part.model;
        return;
      case "usage":
        this.inputTokens = part.usage.input.total;
        this.outputTokens = part.usage.output.total;
        this.costMicroUsd = part.cost.microUsd;
        this.isUnpriced = part.cost.microUsd === undefined;
        return;
      case "degraded":
        this.#changes.push(`${part.from} -> ${part.to}: ${part.reason}`);
        return;
      case "resumed":
        this.#changes.push(`${this.provider}/${this.model} -> ${part.provider}/${part.model}: resumed`);
        return;
      case "error":
        this.error = part.code;
        return;
      case "end":
        this.outcome = part.outcome;
        this.provider = part.trace.provider;
        this.model = part.trace.model;
        this.#reason = part.trace.reason;
        this.#isCached = part.trace.isCached;
        this.#steps = part.trace.steps;
        return;
      default:
        this.firstPartMs ??= this.#clock.monotonicMs() - this.#startedMs;
    }
  }

  served(served: Served<unknown>): void {
    this.outcome = "complete";
    this.provider = served.providerId;
    this.model = served.model;
    this.#reason = served.plan.reason;
    this.costMicroUsd = served.cost.microUsd;
    this.isUnpriced = served.cost.microUsd === undefined;
  }

  failed(error: unknown): void {
    this.error = GatewayError.is(error) ? error.code : "internal";
    this.outcome = this.error === "request_cancelled" ? "cancelled" : "error";
    if (GatewayError.is(error) && error.details.providerId !== undefined) this.provider = error.details.providerId;
  }

  close(): void {
    this.#atUnixMs = this.#clock.unixMs();
    this.totalMs = this.#clock.monotonicMs() - this.#startedMs;
  }

  decision(): Decision {
    const optional = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
      value === undefined ? {} : ({ [key]: value } as Record<K, V>);
    return {
      atUnixMs: this.#atUnixMs,
      requestId: this.#requestId,
      kind: this.#kind,
      asked: this.#asked.slice(0, 120),
      provider: this.provider,
      model: this.model,
      reason: this.#reason,
      isCached: this.#isCached,
      outcome: this.outcome,
      steps: this.#steps,
      totalMs: this.totalMs,
      changes: this.#changes,
      ...optional("firstPartMs", this.firstPartMs),
      ...optional("costUsd", this.costMicroUsd === undefined ? undefined : this.costMicroUsd / 1e6),
      ...optional("inputTokens", this.inputTokens),
      ...optional("outputTokens", this.outputTokens),
      ...optional("error", this.error),
    };
  }
}

/** Undefined without samples. */
export function median(samples: readonly number[]): number | undefined {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
