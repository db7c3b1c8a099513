import type { LimitState } from "./exchange.ts";
import type { Scenario } from "./scenario.ts";

interface Window {
  startedMs: number;
  requests: number;
  tokens: number;
}

/** One fixed window a key, counting down as the vendors' headers do. */
export class RateLimits {
  readonly #limits: NonNullable<Scenario["limits"]>;
  readonly #windows = new Map<string, Window>();

  constructor(limits: Scenario["limits"]) {
    this.#limits = limits ?? { requests: 10_000, tokens: 2_000_000, windowMs: 60_000 };
  }

  /** Books the call and says what is left, and whether it went over. A refused call is not booked. */
  take(
    key: string,
    tokens: number,
    nowMs: number,
    unixMs: number,
  ): { readonly isOver: boolean; readonly state: LimitState } {
    const limits = this.#limits;
    let window = this.#windows.get(key);
    if (window === undefined || nowMs - window.startedMs >= limits.windowMs) {
      window = { startedMs: nowMs, requests: 0, tokens: 0 };
      this.#windows.set(key, window);
    }
    const isOver = window.requests + 1 > limits.requests || window.tokens + tokens > limits.tokens;
    if (!isOver) {
      window.requests += 1;
      window.tokens += tokens;
    }
    const resetMs = Math.max(0, window.startedMs + limits.windowMs - nowMs);
    const state: LimitState = {
      requestsLimit: limits.requests,
      requestsRemaining: limits.requests - window.requests,
      requestsResetMs: resetMs,
      tokensLimit: limits.tokens,
      tokensRemaining: Math.max(0, limits.tokens - window.tokens),
      tokensResetMs: resetMs,
      unixMs,
    };
    return { isOver, state };
  }
}
