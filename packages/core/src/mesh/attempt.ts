// One call to one provider: the only place where a provider's failure is caught, timed and measured.
//
// Time is watched by one task that re-arms itself from what has happened, so that a token costs no timer. A deadline
// that passes fails the attempt at that moment, whatever the adapter does with the abort: a breaker that hears of a
// hanging provider only when the call returns is blind for the whole timeout.
import type { ProviderErrorCode, ProviderFailure } from "../errors/provider-failure.ts";
import { ProviderError } from "../errors/provider-failure.ts";
import type { ChatRequest, ChatResponse, StreamPart } from "../model/chat.ts";
import type { LimitSnapshot, Usage } from "../model/measure.ts";
import type { Cancel, Clock } from "../ports/clock.ts";
import type { Candidate } from "../providers/catalogue.ts";
import type { CallOptions } from "../providers/provider-adapter.ts";
import type { AttemptFacts } from "./classify-error.ts";
import { failureOfError, ownFailure } from "./classify-error.ts";

/** Durations in milliseconds, from the start of the attempt where nothing else is said. */
export interface AttemptLimits {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly firstContentMs: number;
  /** Between two parts. */
  readonly idleMs: number;
  readonly totalMs: number;
  /** Silence longer than this is the provider's fault even where the caller's own time ran out. */
  readonly lateAfterMs: number;
  /** A first content later than this counts as slow. */
  readonly slowAfterMs: number;
  /** Characters a second over five seconds once content flows; 0 switches the floor off. */
  readonly charactersPerSecondMin: number;
  /** Whether streaming thoughts keep an attempt alive before its first content; on a live turn they do not. */
  readonly reasoningCounts: boolean;
}

export interface AttemptRecord {
  readonly outcome: "ok" | "failed" | "cancelled";
  readonly failure?: ProviderFailure;
  readonly startedMs: number;
  readonly firstContentMs?: number;
  readonly endedMs: number;
  readonly usage?: Usage;
  readonly limits?: LimitSnapshot;
  /** True where another attempt of the same request was running beside it. */
  readonly isHedge: boolean;
  /** True where it was cancelled because its hedge answered while it was still silent. */
  readonly isOvertaken?: boolean;
  readonly operation: string;
  readonly isSlow: boolean;
  /** True where the answer came in one piece, so that its first content says nothing about a stream's. */
  readonly isWhole: boolean;
  /** The trace of the request, where it has one. */
  readonly traceparent?: string;
}

/** Called synchronously, in this order, once each (`firstContent` at most once). */
export interface AttemptObserver {
  /** `isWhole`: the answer will come in one piece, so that nothing shows before its end. */
  started(candidate: Candidate, nowMs: number, isWhole: boolean): void;
  firstContent(candidate: Candidate, elapsedMs: number): void;
  ended(candidate: Candidate, record: AttemptRecord): void;
}

export interface AttemptCall {
  readonly candidate: Candidate;
  readonly request: ChatRequest;
  readonly limits: AttemptLimits;
  readonly whole: boolean;
  readonly isHedge: boolean;
  readonly traceparent?: string;
}

/** `finished`: `parts` ends with the part `finish`. `failed`: what came before the failure is in `parts`. */
export type Pulled =
  | { readonly state: "parts"; readonly parts: readonly StreamPart[] }
  | { readonly state: "finished"; readonly parts: readonly StreamPart[] }
  | { readonly state: "failed"; readonly parts: readonly StreamPart[]; readonly failure: ProviderFailure };

const NO_PARTS: readonly StreamPart[] = [];
const THROUGHPUT_WINDOW_MS = 5_000;
const LOCAL_LAG_MS = 250;
/** Lifecycle and reasoning parts that are held back until content comes. */
const HELD_PARTS_MAX = 64;

export class Attempt {
  readonly candidate: Candidate;
  readonly isHedge: boolean;
  readonly #clock: Clock;
  readonly #observer: AttemptObserver;
  readonly #limits: AttemptLimits;
  readonly #controller = new AbortController();
  readonly #startedMs: number;
  #source: AsyncIterator<ChatResponse> | undefined;
  #reject: ((reason: ProviderError) => void) | undefined;
  #cancelWatch: Cancel | undefined;
  #firstContentMs: number | undefined;
  #lastPartMs: number;
  #pullingSinceMs: number | undefined;
  #characters = 0;
  #windowStartMs = 0;
  #windowCharacters = 0;
  #usage: Usage | undefined;
  #limitsSeen: LimitSnapshot | undefined;
  #isEnded = false;
  #failure: ProviderFailure | undefined;
  #isReasoning = false;
  readonly #call: AttemptCall;
  #isOpened = false;
  #isOvertaken = false;
  #wasLate = false;

  constructor(clock: Clock, observer: AttemptObserver, call: AttemptCall) {
    this.#call = call;
    this.candidate = call.candidate;
    this.isHedge = call.isHedge;
    this.#clock = clock;
    this.#observer = observer;
    this.#limits = call.limits;
    this.#startedMs = clock.monotonicMs();
    this.#lastPartMs = this.#startedMs;
    observer.started(call.candidate, this.#startedMs, call.whole);
    this.#watch();
  }

  get startedMs(): number {
    return this.#startedMs;
  }

  get usage(): Usage | undefined {
    return this.#usage;
  }

  get hasContent(): boolean {
    return this.#firstContentMs !== undefined;
  }

  /** Reads until the first content, holding back what comes before it. A finish without content is an answer too. */
  async open(): Promise<Pulled> {
    let held: StreamPart[] | undefined;
    for (;;) {
      const pulled = await this.pull();
      if (held !== undefined) held.push(...pulled.parts);
      const parts = held ?? pulled.parts;
      if (pulled.state !== "parts") return held === undefined ? pulled : { ...pulled, parts };
      if (this.hasContent || parts.length >= HELD_PARTS_MAX) return { state: "parts", parts };
      held ??= [...pulled.parts];
    }
  }

  /** The next batch. After `finished` or `failed` it must not be called again. */
  async pull(): Promise<Pulled> {
    if (this.#isEnded) return this.#failed(this.#failure ?? this.#newFailure("aborted"), NO_PARTS);
    this.#pullingSinceMs = this.#clock.monotonicMs();
    try {
      const batch = await this.#nextBatch();
      this.#pullingSinceMs = undefined;
      this.#lastPartMs = this.#clock.monotonicMs();
      if (batch === undefined) return this.#failed(this.#newFailure("truncated"), NO_PARTS);
      return this.#take(batch);
    } catch (error) {
      this.#pullingSinceMs = undefined;
      return this.#failed(failureOfError(error, this.#facts), NO_PARTS);
    }
  }

  /** The client left, or another attempt won: neither a success nor a failure of the cell. */
  cancel(why: "left" | "overtaken" = "left"): void {
    if (this.#isEnded) return;
    this.#isOvertaken = why === "overtaken" && !this.hasContent;
    this.#end("cancelled");
    this.#fail(this.#newFailure("aborted"));
  }

  #open(call: AttemptCall): AsyncIterator<ChatResponse> {
    const { adapter } = call.candidate.entry;
    const { connectMs, headersMs, firstContentMs, idleMs, totalMs } = call.limits;
    const options: CallOptions = {
      signal: this.#controller.signal,
      timeouts: { connectMs, headersMs: call.whole ? totalMs : headersMs, firstContentMs, idleMs, totalMs },
      ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
    };
    if (!call.whole) return adapter.chatStream(call.request, options)[Symbol.asyncIterator]();
    return onceOf(() => adapter.chat(call.request, options));
  }

  /** Rejects when the source does, or when a deadline passes first. */
  #nextBatch(): Promise<ChatResponse | undefined> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (!this.#isOpened) {
        this.#isOpened = true;
        this.#source = this.#open(this.#call);
      }
      if (this.#source === undefined) return resolve(undefined);
      this.#source.next().then((result) => resolve(result.done === true ? undefined : result.value), reject);
    });
  }

  #take(batch: ChatResponse): Pulled {
    const { parts } = batch;
    for (const part of parts) {
      if (part.type === "usage") this.#usage = part.usage;
      else if (part.type === "limits") this.#limitsSeen = part.limits;
      else if (part.type === "text-delta") this.#characters += part.text.length;
      else if (part.type === "reasoning-delta") this.#isReasoning = true;
      if (this.#firstContentMs === undefined && isContent(part)) this.#contentStarted();
    }
    const last = parts.at(-1);
    if (last?.type === "error") {
      return this.#failed({ ...last.failure, partialOutput: this.hasContent }, parts.slice(0, -1));
    }
    if (last?.type !== "finish") return { state: "parts", parts };
    this.#end("ok");
    return { state: "finished", parts };
  }

  #contentStarted(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#firstContentMs = nowMs;
    this.#windowStartMs = nowMs;
    this.#observer.firstContent(this.candidate, nowMs - this.#startedMs);
  }

  #failed(failure: ProviderFailure, parts: readonly StreamPart[]): Pulled {
    this.#end(failure.code === "aborted" ? "cancelled" : "failed", failure);
    return { state: "failed", parts, failure };
  }

  get #facts(): AttemptFacts {
    return {
      providerId: this.candidate.cell.providerId,
      elapsedMs: this.#clock.monotonicMs() - this.#startedMs,
      partialOutput: this.hasContent,
      hasUsage: this.#usage !== undefined,
      isAborted: this.#controller.signal.aborted,
    };
  }

  #newFailure(code: ProviderErrorCode): ProviderFailure {
    return ownFailure(code, this.#facts);
  }

  #watch(): void {
    const nowMs = this.#clock.monotonicMs();
    const delayMs = Math.max(1, this.#nextDueMs(nowMs) - nowMs);
    this.#cancelWatch = this.#clock.schedule(delayMs, () => this.#check(nowMs + delayMs));
  }

  #check(dueMs: number): void {
    if (this.#isEnded) return;
    const nowMs = this.#clock.monotonicMs();
    // The watch itself came late: this process was busy, and the provider's words may wait in a socket unread.
    if (nowMs - dueMs > LOCAL_LAG_MS && !this.#wasLate) {
      this.#wasLate = true;
      this.#cancelWatch = this.#clock.schedule(LOCAL_LAG_MS, () => this.#check(nowMs + LOCAL_LAG_MS));
      return;
    }
    const code = this.#overdue(nowMs);
    if (code === undefined) return this.#watch();
    const failure = this.#newFailure(code);
    // Charged now: nobody may be pulling, and the adapter may take its time to notice.
    this.#end("failed", failure);
    this.#fail(failure);
  }

  #nextDueMs(nowMs: number): number {
    const limits = this.#limits;
    const totalDueMs = this.#startedMs + limits.totalMs;
    if (this.#awaitsContent) return Math.min(totalDueMs, this.#startedMs + limits.firstContentMs);
    const isFloored = limits.charactersPerSecondMin > 0 && this.hasContent;
    const floorDueMs = isFloored ? this.#windowStartMs + THROUGHPUT_WINDOW_MS : Infinity;
    return Math.max(nowMs + 1, Math.min(totalDueMs, floorDueMs, this.#idleSinceMs(nowMs) + limits.idleMs));
  }

  get #awaitsContent(): boolean {
    return this.#firstContentMs === undefined && !(this.#isReasoning && this.#limits.reasoningCounts);
  }

  /** Nobody waits for a provider while nobody pulls: a slow reader is not a stalled provider. */
  #idleSinceMs(nowMs: number): number {
    return this.#pullingSinceMs === undefined ? nowMs : Math.max(this.#lastPartMs, this.#pullingSinceMs);
  }

  #overdue(nowMs: number): ProviderErrorCode | undefined {
    const limits = this.#limits;
    if (nowMs >= this.#startedMs + limits.totalMs) {
      const isLate = this.#awaitsContent && nowMs >= this.#startedMs + limits.lateAfterMs;
      return isLate ? "timeout_first_token" : "timeout_total";
    }
    if (this.#awaitsContent) {
      return nowMs >= this.#startedMs + limits.firstContentMs ? "timeout_first_token" : undefined;
    }
    if (nowMs >= this.#idleSinceMs(nowMs) + limits.idleMs) return "stalled";
    return this.#isBelowFloor(nowMs) ? "stalled" : undefined;
  }

  #isBelowFloor(nowMs: number): boolean {
    const floor = this.#limits.charactersPerSecondMin;
    const elapsedMs = nowMs - this.#windowStartMs;
    if (floor <= 0 || !this.hasContent || elapsedMs < THROUGHPUT_WINDOW_MS) return false;
    const rate = ((this.#characters - this.#windowCharacters) * 1_000) / elapsedMs;
    this.#windowStartMs = nowMs;
    this.#windowCharacters = this.#characters;
    return rate < floor && this.#pullingSinceMs !== undefined;
  }

  #fail(failure: ProviderFailure): void {
    this.#controller.abort(new ProviderError(failure));
    this.#reject?.(new ProviderError(failure));
    this.#reject = undefined;
    // A generator that is suspended in a yield learns of the end only this way; what it throws then is of no interest.
    void this.#source?.return?.().then(undefined, () => undefined);
    this.#source = undefined;
  }

  #end(outcome: AttemptRecord["outcome"], failure?: ProviderFailure): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = failure;
    this.#cancelWatch?.();
    this.#observer.ended(this.candidate, {
      outcome,
      startedMs: this.#startedMs,
      endedMs: this.#clock.monotonicMs(),
      isHedge: this.isHedge,
      isOvertaken: this.#isOvertaken,
      operation: this.candidate.cell.operation,
      isWhole: this.#call.whole,
      isSlow: (this.#firstContentMs ?? this.#startedMs) - this.#startedMs > this.#limits.slowAfterMs,
      ...(failure === undefined ? {} : { failure }),
      ...(this.#firstContentMs === undefined ? {} : { firstContentMs: this.#firstContentMs }),
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      ...(this.#limitsSeen === undefined ? {} : { limits: this.#limitsSeen }),
      ...(this.#call.traceparent === undefined ? {} : { traceparent: this.#call.traceparent }),
    });
  }
}

/** Role chunks, pings, reasoning and empty deltas are not content: a provider that sends only those has not answered. */
export function isContent(part: StreamPart): boolean {
  switch (part.type) {
    case "text-delta":
    case "refusal-delta":
      return part.text !== "";
    case "tool-start":
    case "audio-delta":
    case "media":
      return true;
    default:
      return false;
  }
}

function onceOf(call: () => Promise<ChatResponse>): AsyncIterator<ChatResponse> {
  let isDone = false;
  return {
    next() {
      if (isDone) return Promise.resolve({ done: true, value: undefined });
      isDone = true;
      return call().then((value) => ({ done: false, value }));
    },
  };
}
