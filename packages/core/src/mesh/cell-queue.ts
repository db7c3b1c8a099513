import { GatewayError } from "../errors/gateway-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { CellHealthBook } from "../resilience/cell-health.ts";
import type { RoutedCell } from "../routing/routed-plan.ts";

/**
 * The cells of a plan that are still to be tried. A cell is asked for its permit when its turn comes: what the plan knew
 * may be old by then. Nobody waits behind a probe, and the last capable cell is never refused for its breaker alone.
 */
export class CellQueue {
  readonly #health: CellHealthBook;
  readonly #clock: Clock;
  readonly #waiting: RoutedCell[];
  readonly #resting: RoutedCell[] = [];
  readonly #stoodBack = new Set<RoutedCell>();
  #contextTokensAbove = 0;

  constructor(health: CellHealthBook, clock: Clock, cells: readonly RoutedCell[]) {
    this.#health = health;
    this.#clock = clock;
    this.#waiting = [...cells];
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  peek(): RoutedCell | undefined {
    const nowMs = this.#clock.monotonicMs();
    return this.#waiting.find((cell) => this.#health.look(cell.candidate, nowMs) === "closed");
  }

  /** The next cell that may be called, its permit taken. `isFirst`: nothing has been tried for this request yet. */
  take(isFirst: boolean): RoutedCell | undefined {
    for (let cell = this.#waiting.shift(); cell !== undefined; cell = this.#waiting.shift()) {
      if (!this.#isLargeEnough(cell) || this.#standsBack(cell)) continue;
      const admission = this.#health.admit(cell.candidate, this.#clock.monotonicMs());
      if (admission === "closed" || admission === "probe") return cell;
      this.#resting.push(cell);
    }
    if (!isFirst) return undefined;
    // Nothing would be called at all: a cell that rests after failures is still better than no answer.
    const nowMs = this.#clock.monotonicMs();
    return this.#resting.find((cell) => this.#health.look(cell.candidate, nowMs) === "open");
  }

  /** A cell that rejects most calls goes behind the others of its kind, never behind what is worth less. Once for a request. */
  #standsBack(cell: RoutedCell): boolean {
    const others = this.#waiting.filter((waiting) => waiting.degradation === undefined).length;
    if (others === 0 || this.#stoodBack.has(cell) || cell.degradation !== undefined) return false;
    if (!this.#health.holdsBack(cell.candidate, this.#clock.monotonicMs())) return false;
    this.#stoodBack.add(cell);
    const at = this.#waiting.findIndex((waiting) => waiting.degradation !== undefined);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, cell);
    return true;
  }

  putBack(cell: RoutedCell): void {
    this.#waiting.unshift(cell);
  }

  /** From now on only cells with more context than this one come up. */
  needLarger(cell: RoutedCell): void {
    const tokens = cell.candidate.model.contextTokens;
    this.#contextTokensAbove = Math.max(this.#contextTokensAbove, tokens ?? 0);
    // Where the limit is not known, only another model can be larger.
    if (tokens === undefined) {
      const { id } = cell.candidate.model;
      const others = this.#waiting.filter((waiting) => waiting.candidate.model.id !== id);
      this.#waiting.splice(0, this.#waiting.length, ...others);
    }
  }

  rests(cell: RoutedCell): boolean {
    return this.#health.look(cell.candidate, this.#clock.monotonicMs()) !== "closed";
  }

  soonestThrottled(): { readonly cell: RoutedCell; readonly waitMs: number } | undefined {
    const nowMs = this.#clock.monotonicMs();
    let soonest: { cell: RoutedCell; waitMs: number } | undefined;
    for (const cell of this.#resting) {
      if (this.#health.look(cell.candidate, nowMs) !== "throttled") continue;
      const waitMs = this.#health.of(cell.candidate).breaker.throttledUntilMs - nowMs;
      if (soonest === undefined || waitMs < soonest.waitMs) soonest = { cell, waitMs };
    }
    return soonest;
  }

  /** Why nothing could be called. */
  refusal(): GatewayError {
    const throttled = this.soonestThrottled();
    if (throttled !== undefined) {
      const { providerId } = throttled.cell.cell;
      const retryAfterMs = Math.ceil(throttled.waitMs);
      return new GatewayError("rate_limited", `${providerId} asks to wait`, { providerId, retryAfterMs });
    }
    const [first] = this.#resting;
    if (first === undefined)
      return new GatewayError("no_capable_provider", "no provider may be called for this request");
    const { providerId } = first.cell;
    return new GatewayError("provider_circuit_open", `${providerId} is out of service`, { providerId });
  }

  #isLargeEnough(cell: RoutedCell): boolean {
    return (cell.candidate.model.contextTokens ?? Infinity) > this.#contextTokensAbove;
  }
}
