import type { ProviderFailure } from "../errors/provider-failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { CallOptions } from "../providers/provider-adapter.ts";
import type { CellHealthBook } from "../resilience/cell-health.ts";
import { classOf } from "../resilience/failure-classes.ts";
import { HedgeBudget, RetryBudget } from "../resilience/retry-budget.ts";
import type { LoadBalancer } from "../routing/load-balancer.ts";
import type { RoutedCell } from "../routing/routed-plan.ts";
import type { AttemptObserver } from "./attempt.ts";
import { CellQueue } from "./cell-queue.ts";
import { gatewayErrorOf } from "./failure-answer.ts";
import type { MeshCall, UnaryMeshCall } from "./mesh-call.ts";
import type { MeshPart } from "./mesh-part.ts";
import type { MeshRunParts } from "./mesh-run.ts";
import { MeshRun } from "./mesh-run.ts";
import { attemptOnce } from "./unary-attempt.ts";

export interface MeshParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: AttemptObserver;
  readonly health: CellHealthBook;
  readonly balancer: LoadBalancer;
  /** Switches that exist for the negative controls of the simulation; all are on in a gateway. */
  readonly canRescue?: boolean;
  readonly hedgeShare?: number;
  readonly hasDeadlines?: boolean;
  /** Called for every further attempt that the retry budget paid for. */
  readonly onRetry?: () => void;
}

const TENANTS_KEPT = 10_000;

/** Carries out plans. It never chooses: the plan holds the order, resilience says whether a cell may be called. */
export class PlanPerformer {
  readonly #parts: Omit<MeshRunParts, "retries">;
  readonly #canRescue: boolean;
  readonly #onRetry: (() => void) | undefined;
  readonly #retries = new Map<string, RetryBudget>();

  constructor(parts: MeshParts) {
    this.#parts = {
      ...parts,
      hasDeadlines: parts.hasDeadlines ?? true,
      hedges: new HedgeBudget(parts.hedgeShare ?? 0.1, parts.hedgeShare === 0 ? 0 : 10),
    };
    this.#canRescue = parts.canRescue ?? true;
    this.#onRetry = parts.onRetry;
  }

  /** Throws `GatewayError` where no cell gave a first part; afterwards a failure is the part `broken`. */
  async *perform(call: MeshCall, signal: AbortSignal): AsyncGenerator<readonly MeshPart[]> {
    const run = new MeshRun({ ...this.#parts, retries: this.#deposit(call.tenantId) }, call);
    const onAbort = (): void => run.cancel();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) run.cancel();
      let pulled = await run.open();
      for (;;) {
        const released = run.released(pulled);
        if (released.length > 0) yield released;
        if (run.isBroken(pulled)) {
          const rescued = this.#canRescue ? await run.rescue(pulled) : undefined;
          if (rescued === undefined) return yield run.broken(pulled);
          pulled = rescued;
          continue;
        }
        if (pulled.state === "finished") return;
        pulled = await run.pull();
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      run.cancel();
    }
  }

  /** Throws `GatewayError` where no cell gave a result. */
  async performUnary<T>(call: UnaryMeshCall<T>, signal: AbortSignal): Promise<{ cell: RoutedCell; value: T }> {
    const { clock, observer, health } = this.#parts;
    const { plan, deadlineMs } = call;
    const retries = this.#deposit(call.tenantId);
    const queue = new CellQueue(health, clock, plan.cells);
    let last: ProviderFailure | undefined;
    for (let cell = queue.take(true); cell !== undefined; cell = queue.take(false)) {
      if (last !== undefined && !retries.withdraw(clock.monotonicMs())) break;
      const taken = cell;
      const leftMs = Math.max(1, deadlineMs - clock.monotonicMs());
      const unary = {
        candidate: taken.candidate,
        limitMs: queue.isEmpty ? leftMs : leftMs * (plan.deadlineShares[plan.cells.indexOf(taken)] ?? 0.5),
        ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
        call: (options: CallOptions) => call.call(taken, options),
        usageOf: call.usageOf,
      };
      const result = await attemptOnce(clock, observer, unary, signal);
      if (result.state === "done") return { cell: taken, value: result.value };
      last = result.failure;
      if (classOf(last).next === "stop") break;
      if (classOf(last).next === "larger") queue.needLarger(taken);
    }
    throw last === undefined ? queue.refusal() : gatewayErrorOf(last);
  }

  #deposit(tenantId: string): RetryBudget {
    let budget = this.#retries.get(tenantId);
    if (budget === undefined) {
      if (this.#retries.size >= TENANTS_KEPT) this.#retries.clear();
      budget = new RetryBudget(undefined, undefined, undefined, this.#onRetry);
      this.#retries.set(tenantId, budget);
    }
    budget.deposit(this.#parts.clock.monotonicMs());
    this.#parts.hedges.deposit();
    return budget;
  }
}
