// One request on its way through a plan: failover before the first content, a hedge where it is late, rescue after a cut.
// Rules: docs/spec/mesh.md, docs/spec/rescue.md.
import { GatewayError } from "../errors/gateway-error.ts";
import type { ProviderFailure } from "../errors/provider-failure.ts";
import type { FinishReason, StreamPart, Warning } from "../model/chat.ts";
import type { LatencyClass } from "../model/xr-request.ts";
import type { Random } from "../ports/random.ts";
import type { Clock } from "../ports/clock.ts";
import type { CellHealthBook } from "../resilience/cell-health.ts";
import { classOf } from "../resilience/failure-classes.ts";
import type { HedgeBudget, RetryBudget } from "../resilience/retry-budget.ts";
import type { LoadBalancer } from "../routing/load-balancer.ts";
import type { RoutedCell } from "../routing/routed-plan.ts";
import type { AttemptObserver, Pulled } from "./attempt.ts";
import { Attempt } from "./attempt.ts";
import { limitsFor, withoutDeadlines } from "./attempt-limits.ts";
import { CellQueue } from "./cell-queue.ts";
import { Delivery } from "./delivery.ts";
import { gatewayErrorOf } from "./failure-answer.ts";
import type { MeshCall } from "./mesh-call.ts";
import type { MeshPart, SpentKind } from "./mesh-part.ts";
import { rescueRequest } from "./rescue-request.ts";

export interface MeshRunParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: AttemptObserver;
  readonly health: CellHealthBook;
  readonly balancer: LoadBalancer;
  readonly retries: RetryBudget;
  readonly hedges: HedgeBudget;
  /** False only in the negative control of the simulation: then nothing but the caller's own time ends an attempt. */
  readonly hasDeadlines: boolean;
}

const IDLE_TEXT_MS: Readonly<Record<LatencyClass, number>> = {
  interactive: 4_000,
  conversational: 15_000,
  background: 60_000,
};
/** Less than this is no time for another model to say anything. */
const RESCUE_MS_MIN = 100;
const SAME_CELL_WAIT_MS = 400;

/** What asking around led to: an attempt with content (or an end), or nobody left to ask and why the last one failed. */
type Opened =
  | { readonly isOpened: true; readonly pulled: Pulled }
  | { readonly isOpened: false; readonly failure: ProviderFailure };

interface Running {
  readonly attempt: Attempt;
  readonly cell: RoutedCell;
}

export class MeshRun {
  readonly #parts: MeshRunParts;
  readonly #call: MeshCall;
  readonly #queue: CellQueue;
  readonly #delivery: Delivery;
  #running: Running | undefined;
  #hedge: Running | undefined;
  #attempts = 0;
  #isCancelled = false;
  #isAnnounced = false;
  #isResuming = false;
  #hasRetriedSameCell = false;
  #wakeUp: (() => void) | undefined;
  readonly #spent: MeshPart[] = [];

  constructor(parts: MeshRunParts, call: MeshCall) {
    this.#parts = parts;
    this.#call = call;
    this.#queue = new CellQueue(parts.health, parts.clock, call.plan.cells);
    this.#delivery = new Delivery(call.commit);
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#running?.attempt.cancel();
    this.#hedge?.attempt.cancel();
    this.#wakeUp?.();
  }

  pull(): Promise<Pulled> {
    return this.#current.attempt.pull();
  }

  /** Moves on silently until a cell shows content. Throws what the last failure means to the client. */
  async open(): Promise<Pulled> {
    const opened = await this.#openNext(undefined);
    if (opened.isOpened) return opened.pulled;
    throw gatewayErrorOf(opened.failure, this.#attempts);
  }

  /** What may leave of a batch. The first one says who serves; a failed one holds what came before the failure. */
  released(pulled: Pulled): readonly MeshPart[] {
    const content = this.#delivery.fold(pulled.parts);
    if (pulled.state === "parts" && this.#isAnnounced && !this.#isResuming) return content;
    const parts: MeshPart[] = [];
    const rest = pulled.state === "finished" ? this.#delivery.finish() : [];
    if (!this.#isAnnounced) parts.push(this.#serving(pulled.parts));
    if (this.#isResuming && content.length + rest.length > 0) {
      this.#isResuming = false;
      parts.push({ type: "resumed", fromUnit: this.#resumedFrom, cell: this.#current.cell });
    }
    parts.push(...content, ...rest);
    if (pulled.state === "finished" && !this.#delivery.isUnjoinable)
      parts.push(...this.#finished(finishOf(pulled.parts)));
    return parts;
  }

  /** True where the answer at hand goes nowhere: it failed, or it cannot be joined to what was delivered. */
  isBroken(pulled: Pulled): boolean {
    return pulled.state === "failed" || this.#delivery.isUnjoinable;
  }

  /** The next cell's continuation, or undefined where nobody can give one. */
  async rescue(pulled: Pulled): Promise<Pulled | undefined> {
    const failure = pulled.state === "failed" ? pulled.failure : this.#unjoinable();
    this.#current.attempt.cancel();
    this.#book(this.#current, "broken");
    if (this.#isCancelled || classOf(failure).next === "stop" || this.#delivery.hasMedia) return undefined;
    if (this.#leftMs() < RESCUE_MS_MIN) return undefined;
    this.#prepareResume();
    const opened = await this.#openNext(failure);
    return opened.isOpened ? opened.pulled : undefined;
  }

  /** The closing part where nobody could go on: the answer was cut, whatever came before it. */
  broken(pulled: Pulled): readonly MeshPart[] {
    const failure = pulled.state === "failed" ? pulled.failure : this.#unjoinable();
    const error = this.#isCancelled
      ? new GatewayError("request_cancelled", "the caller left")
      : gatewayErrorOf(failure, this.#attempts);
    return [...this.#spent, { type: "broken", error }];
  }

  get #current(): Running {
    if (this.#running === undefined) throw new Error("no attempt is open");
    return this.#running;
  }

  #leftMs(): number {
    return this.#call.deadlineMs - this.#parts.clock.monotonicMs();
  }

  /** `before`: the failure that made this necessary. Every further attempt costs the retry budget one. */
  async #openNext(before: ProviderFailure | undefined): Promise<Opened> {
    let last = before;
    for (;;) {
      const cell = await this.#nextCell(last);
      if (cell === undefined) break;
      if (last !== undefined && !this.#parts.retries.withdraw(this.#parts.clock.monotonicMs())) break;
      this.#running = this.#begin(cell, false);
      const opened = await this.#openHedged();
      if (opened.state !== "failed" || this.#current.attempt.hasContent) return { isOpened: true, pulled: opened };
      last = opened.failure;
      this.#book(this.#current, "broken");
      if (this.#isCancelled || classOf(last).next === "stop") break;
      if (classOf(last).next === "larger") this.#queue.needLarger(this.#current.cell);
    }
    if (last !== undefined) return { isOpened: false, failure: last };
    throw this.#queue.refusal();
  }

  /** With one cell only, a broken try is repeated once after a random wait; with several, the next one is asked at once. */
  async #nextCell(last: ProviderFailure | undefined): Promise<RoutedCell | undefined> {
    if (this.#isCancelled && this.#attempts > 0) return undefined;
    const cell = this.#queue.take(last === undefined);
    if (cell !== undefined || last === undefined) return cell ?? this.#waitForThrottle();
    const only = this.#call.plan.cells.length === 1 ? this.#call.plan.cells[0] : undefined;
    if (only === undefined || this.#hasRetriedSameCell || classOf(last).sameCell === "no") return undefined;
    this.#hasRetriedSameCell = true;
    if (this.#queue.rests(only)) return undefined;
    await this.#wait(Math.min(this.#leftMs() / 4, SAME_CELL_WAIT_MS * this.#parts.random.next()));
    return this.#isCancelled ? undefined : only;
  }

  /** All cells said "not now": if the first comes back within half of the time left, waiting is better than an error. */
  async #waitForThrottle(): Promise<RoutedCell | undefined> {
    const waiting = this.#queue.soonestThrottled();
    if (waiting === undefined || waiting.waitMs > this.#leftMs() / 2 || waiting.waitMs > 5_000) return undefined;
    await this.#wait(waiting.waitMs);
    return this.#isCancelled ? undefined : waiting.cell;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.schedule(ms, () => this.#wakeUp?.());
      this.#wakeUp = () => {
        this.#wakeUp = undefined;
        cancel();
        resolve();
      };
    });
  }

  /** Opens the current attempt; where it stays silent, a second cell is asked and the first content wins. */
  #openHedged(): Promise<Pulled> {
    const first = this.#current;
    const delayMs = this.#hedgeDelayMs(first);
    if (delayMs === undefined) return first.attempt.open();
    return new Promise((resolve, reject) => {
      let failed: Pulled | undefined;
      let isDecided = false;
      const settle = (running: Running, pulled: Pulled): void => {
        if (isDecided) return;
        const other = running === first ? this.#hedge : first;
        const isUseless = pulled.state === "failed" && !running.attempt.hasContent;
        if (isUseless && failed === undefined && other !== undefined) {
          failed = pulled;
          this.#book(running, "broken");
          return;
        }
        isDecided = true;
        cancelTimer();
        this.#win(running, other, failed !== undefined);
        resolve(pulled);
      };
      const cancelTimer = this.#parts.clock.schedule(delayMs, () => {
        if (isDecided || this.#isCancelled) return;
        const cell = this.#takeHedge(first);
        if (cell === undefined) return;
        const hedge = this.#begin(cell, true);
        this.#hedge = hedge;
        hedge.attempt.open().then((pulled) => settle(hedge, pulled), reject);
      });
      first.attempt.open().then((pulled) => settle(first, pulled), reject);
    });
  }

  #win(winner: Running, loser: Running | undefined, hasLoserFailed: boolean): void {
    this.#running = winner;
    this.#hedge = undefined;
    if (loser === undefined || hasLoserFailed) return;
    loser.attempt.cancel(winner.attempt.isHedge && winner.attempt.hasContent ? "overtaken" : "left");
    this.#book(loser, "loser");
    // It lost a race and broke nothing: should the winner break, it is the first to ask.
    this.#queue.putBack(loser.cell);
  }

  #hedgeDelayMs(first: Running): number | undefined {
    const { hedgeDelayMs } = this.#call.plan;
    if (hedgeDelayMs === undefined || !this.#delivery.isEmpty || this.#queue.isEmpty) return undefined;
    const { name } = first.cell.candidate;
    if (!this.#call.whole)
      return this.#parts.balancer.hedgeDelayMs({ name, sentMs: first.attempt.startedMs }, hedgeDelayMs);
    return this.#parts.health.of(first.cell.candidate).wholeTimes.p95Ms ?? WHOLE_HEDGE_MS[this.#call.latencyClass];
  }

  #takeHedge(first: Running): RoutedCell | undefined {
    const { balancer, hedges } = this.#parts;
    const next = this.#queue.peek();
    if (next === undefined || next.degradation !== undefined) return undefined;
    const names = this.#call.plan.cells.map((cell) => cell.candidate.name);
    const call = { name: first.cell.candidate.name, sentMs: first.attempt.startedMs };
    if (!balancer.mayHedge(call, next.candidate.name, names) || !hedges.withdraw()) return undefined;
    const cell = this.#queue.take(false);
    return cell === undefined || cell.candidate === first.cell.candidate ? undefined : cell;
  }

  #begin(cell: RoutedCell, isHedge: boolean): Running {
    const { clock, observer, health } = this.#parts;
    const { plan, latencyClass, whole, isSpeech, traceparent } = this.#call;
    const { candidate } = cell;
    const planned = limitsFor({
      latencyClass,
      leftMs: Math.max(1, this.#leftMs()),
      share: plan.deadlineShares[plan.cells.indexOf(cell)] ?? 0.5,
      isLast: this.#queue.isEmpty,
      whole,
      isSpeech,
      idleMs: IDLE_TEXT_MS[latencyClass],
      firstContentMs: health.firstContentDeadlineMs(candidate, latencyClass),
    });
    const limits = this.#parts.hasDeadlines ? planned : withoutDeadlines(planned, this.#leftMs());
    const request = rescueRequest(this.#call.requestFor(cell), this.#delivery, this.#call.isStructured);
    const trace = traceparent === undefined ? {} : { traceparent };
    this.#attempts += 1;
    const attempt = new Attempt(clock, observer, { candidate, request, limits, whole, isHedge, ...trace });
    if (this.#isCancelled) attempt.cancel();
    return { attempt, cell };
  }

  #resumedFrom = 0;

  #prepareResume(): void {
    this.#resumedFrom = this.#delivery.sentenceCount + this.#delivery.calls.length;
    this.#delivery.resume(this.#call.isStructured ? "restart" : "text");
    this.#isResuming = this.#isAnnounced;
    this.#isAnnounced = false;
  }

  #finished(reason: FinishReason): readonly MeshPart[] {
    this.#book(this.#current, "winner");
    return [...this.#spent, { type: "finished", reason }];
  }

  #unjoinable(): ProviderFailure {
    return {
      code: "truncated",
      providerId: this.#current.cell.cell.providerId,
      message: "the answer broke, and what the next model said could not be joined to it",
      retryable: true,
      scope: "request",
      partialOutput: true,
      billed: "unknown",
    };
  }

  #book(running: Running, kind: SpentKind): void {
    const { usage } = running.attempt;
    if (usage !== undefined) this.#spent.push({ type: "spent", cell: running.cell, usage, kind });
  }

  #serving(parts: readonly StreamPart[]): MeshPart {
    this.#isAnnounced = true;
    return { type: "serving", cell: this.#current.cell, warnings: warningsOf(parts), attempts: this.#attempts };
  }
}

/** A whole answer shows nothing while it is made; this is how long one may take before a second one is asked for. */
const WHOLE_HEDGE_MS: Readonly<Record<LatencyClass, number>> = {
  interactive: 4_000,
  conversational: 10_000,
  background: 60_000,
};

const NO_WARNINGS: readonly Warning[] = [];

function warningsOf(parts: readonly StreamPart[]): readonly Warning[] {
  for (const part of parts) if (part.type === "start") return part.warnings ?? NO_WARNINGS;
  return NO_WARNINGS;
}

function finishOf(parts: readonly StreamPart[]): FinishReason {
  const last = parts.at(-1);
  return last?.type === "finish" ? last.reason : "other";
}
