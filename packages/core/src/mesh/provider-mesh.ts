import { GatewayError } from "../errors/gateway-error.ts";
import type { ProviderFailure } from "../errors/provider-failure.ts";
import type { ChatRequest, StreamPart, Warning } from "../model/chat.ts";
import type { Usage } from "../model/measure.ts";
import type { LatencyClass } from "../model/xr-request.ts";
import type { Clock } from "../ports/clock.ts";
import type { CallOptions } from "../providers/provider-adapter.ts";
import { classOf } from "../resilience/failure-classes.ts";
import type { RoutedCell, RoutedPlan } from "../routing/routed-plan.ts";
import type { AttemptObserver, Pulled } from "./attempt.ts";
import { Attempt } from "./attempt.ts";
import { limitsFor } from "./attempt-limits.ts";
import type { CommitUnit } from "./delivery.ts";
import { Delivery } from "./delivery.ts";
import { gatewayErrorOf } from "./failure-answer.ts";
import type { MeshPart } from "./mesh-part.ts";
import { attemptOnce } from "./unary-attempt.ts";

/** One chat on its way through a plan. `requestFor` makes the call for a cell: what may leave depends on who gets it. */
export interface MeshCall {
  readonly plan: RoutedPlan;
  readonly deadlineMs: number;
  readonly latencyClass: LatencyClass;
  readonly commit: CommitUnit;
  readonly whole: boolean;
  readonly isSpeech: boolean;
  readonly traceparent?: string;
  requestFor(cell: RoutedCell): ChatRequest;
}

export interface MeshParts {
  readonly clock: Clock;
  readonly observer: AttemptObserver;
}

/** Carries out plans. It never chooses: the plan holds the order, resilience says whether a cell may be called. */
export class ProviderMesh {
  readonly #parts: MeshParts;

  constructor(parts: MeshParts) {
    this.#parts = parts;
  }

  /** Throws `GatewayError` where no cell gave a first part; afterwards a failure is the part `broken`. */
  async *perform(call: MeshCall, signal: AbortSignal): AsyncGenerator<readonly MeshPart[]> {
    const run = new MeshRun(this.#parts, call);
    const onAbort = (): void => run.cancel();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) run.cancel();
      let pulled = await run.open();
      for (;;) {
        yield run.released(pulled);
        if (pulled.state !== "parts") return;
        pulled = await run.attempt.pull();
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      run.cancel();
    }
  }

  /** Throws `GatewayError` where no cell gave a result. */
  async performUnary<T>(call: UnaryMeshCall<T>, signal: AbortSignal): Promise<{ cell: RoutedCell; value: T }> {
    const { clock, observer } = this.#parts;
    const { plan, deadlineMs } = call;
    let last: ProviderFailure | undefined;
    for (const [index, cell] of plan.cells.entries()) {
      const leftMs = Math.max(1, deadlineMs - clock.monotonicMs());
      const unary = {
        candidate: cell.candidate,
        limitMs: index === plan.cells.length - 1 ? leftMs : leftMs * (plan.deadlineShares[index] ?? 0.5),
        call: (options: CallOptions) => call.call(cell, options),
        usageOf: call.usageOf,
      };
      const result = await attemptOnce(clock, observer, unary, signal);
      if (result.state === "done") return { cell, value: result.value };
      last = result.failure;
      if (classOf(last).next === "stop") break;
    }
    if (last !== undefined) throw gatewayErrorOf(last);
    throw new GatewayError("no_capable_provider", "no provider may be called for this request now");
  }
}

/** One result from the first cell that gives one. */
export interface UnaryMeshCall<T> {
  readonly plan: RoutedPlan;
  readonly deadlineMs: number;
  call(cell: RoutedCell, options: CallOptions): Promise<T>;
  usageOf(value: T): Usage | undefined;
}

const IDLE_TEXT_MS: Readonly<Record<LatencyClass, number>> = {
  interactive: 4_000,
  conversational: 15_000,
  background: 60_000,
};

/** The state of one call: which cell is next, what was delivered, what was spent. */
class MeshRun {
  readonly #parts: MeshParts;
  readonly #call: MeshCall;
  readonly #delivery: Delivery;
  #attempt: Attempt | undefined;
  #cell: RoutedCell | undefined;
  #next = 0;
  #attempts = 0;
  #isCancelled = false;
  #isAnnounced = false;
  #spent: MeshPart[] = [];

  constructor(parts: MeshParts, call: MeshCall) {
    this.#parts = parts;
    this.#call = call;
    this.#delivery = new Delivery(call.commit);
  }

  get attempt(): Attempt {
    if (this.#attempt === undefined) throw new Error("no attempt is open");
    return this.#attempt;
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#attempt?.cancel();
  }

  /** Moves on silently until a cell shows content. Throws what the last failure means to the client. */
  async open(): Promise<Pulled> {
    let last: ProviderFailure | undefined;
    let tooLargeFor = 0;
    for (let cell = this.#take(tooLargeFor); cell !== undefined; cell = this.#take(tooLargeFor)) {
      this.#begin(cell);
      const pulled = await this.attempt.open();
      if (pulled.state !== "failed" || this.attempt.hasContent) return pulled;
      last = pulled.failure;
      this.#book();
      const { next } = classOf(last);
      if (next === "stop" || this.#isCancelled) break;
      if (next === "larger") tooLargeFor = Math.max(tooLargeFor, cell.candidate.model.contextTokens ?? 1);
    }
    if (last !== undefined) throw gatewayErrorOf(last, this.#attempts);
    throw new GatewayError("no_capable_provider", "no provider may be called for this request now");
  }

  /** What may leave of a batch; the first one says who serves, the last one how it ended and what it cost. */
  released(pulled: Pulled): readonly MeshPart[] {
    const content = this.#delivery.fold(pulled.parts);
    if (pulled.state === "parts" && this.#isAnnounced) return content;
    const parts: MeshPart[] = [];
    if (!this.#isAnnounced) parts.push(this.#serving(pulled.parts));
    parts.push(...content);
    if (pulled.state === "finished") {
      parts.push(...this.#delivery.finish());
      this.#book();
      parts.push(...this.#spent, { type: "finished", reason: finishOf(pulled.parts) });
    } else if (pulled.state === "failed") {
      this.#book();
      parts.push(...this.#spent, { type: "broken", error: gatewayErrorOf(pulled.failure, this.#attempts) });
    }
    return parts;
  }

  #take(contextTokensAbove: number): RoutedCell | undefined {
    if (this.#isCancelled && this.#attempts > 0) return undefined;
    const { cells } = this.#call.plan;
    while (this.#next < cells.length) {
      const cell = cells[this.#next++];
      if (cell === undefined) return undefined;
      const room = cell.candidate.model.contextTokens ?? Infinity;
      if (room > contextTokensAbove) return cell;
    }
    return undefined;
  }

  #begin(cell: RoutedCell): void {
    const { clock, observer } = this.#parts;
    const { plan, deadlineMs, latencyClass, whole, isSpeech, traceparent } = this.#call;
    const limits = limitsFor({
      latencyClass,
      leftMs: Math.max(1, deadlineMs - clock.monotonicMs()),
      share: plan.deadlineShares[this.#next - 1] ?? 0.5,
      isLast: this.#next >= plan.cells.length,
      whole,
      isSpeech,
      idleMs: IDLE_TEXT_MS[latencyClass],
      firstContentMs: undefined,
    });
    const trace = traceparent === undefined ? {} : { traceparent };
    const request = this.#call.requestFor(cell);
    const { candidate } = cell;
    this.#cell = cell;
    this.#attempts += 1;
    this.#isAnnounced = false;
    this.#attempt = new Attempt(clock, observer, { candidate, request, limits, whole, isHedge: false, ...trace });
    if (this.#isCancelled) this.#attempt.cancel();
  }

  #book(): void {
    const usage = this.#attempt?.usage;
    if (usage !== undefined && this.#cell !== undefined) this.#spent.push({ type: "spent", cell: this.#cell, usage });
  }

  #serving(parts: readonly StreamPart[]): MeshPart {
    this.#isAnnounced = true;
    if (this.#cell === undefined) throw new Error("no cell serves");
    return { type: "serving", cell: this.#cell, warnings: warningsOf(parts), attempts: this.#attempts };
  }
}

function warningsOf(parts: readonly StreamPart[]): readonly Warning[] {
  for (const part of parts) if (part.type === "start") return part.warnings ?? NO_WARNINGS;
  return NO_WARNINGS;
}

const NO_WARNINGS: readonly Warning[] = [];

function finishOf(parts: readonly StreamPart[]): Extract<StreamPart, { type: "finish" }>["reason"] {
  const last = parts.at(-1);
  return last?.type === "finish" ? last.reason : "other";
}
