// How much may be called beyond one call per request. Both budgets are rates: they are earned by requests, not by time,
// so that a provider's bad day cannot multiply the traffic of everybody else.

/** Failovers and retries: 20 % of the requests of the last 10 s, and a small reserve, so that a quiet gateway may retry. */
export class RetryBudget {
  readonly #share: number;
  readonly #reserve: number;
  readonly #ttlMs: number;
  readonly #onSpent: () => void;
  /** Deposits and withdrawals of this period and of the one before, so that what is older than the ttl is forgotten. */
  #current = 0;
  #previous = 0;
  #period = 0;

  constructor(share = 0.2, reserve = 20, ttlMs = 10_000, onSpent: () => void = () => undefined) {
    this.#onSpent = onSpent;
    this.#share = share;
    this.#reserve = reserve;
    this.#ttlMs = ttlMs;
  }

  deposit(nowMs: number): void {
    this.#move(nowMs);
    this.#current += this.#share;
  }

  /** False where the budget is spent: then the failure at hand is the answer. */
  withdraw(nowMs: number): boolean {
    this.#move(nowMs);
    if (this.#current + this.#previous + this.#reserve < 1) return false;
    this.#current -= 1;
    this.#onSpent();
    return true;
  }

  #move(nowMs: number): void {
    const period = Math.floor(nowMs / this.#ttlMs);
    if (period === this.#period) return;
    this.#previous = period === this.#period + 1 ? this.#current : 0;
    this.#current = 0;
    this.#period = period;
  }
}

/** Hedges: 10 % of the requests, no reserve by time, so that extra load never exceeds its share. */
export class HedgeBudget {
  readonly #share: number;
  readonly #cap: number;
  #tokens: number;

  constructor(share = 0.1, start = 10, cap = 20) {
    this.#share = share;
    this.#cap = cap;
    this.#tokens = start;
  }

  deposit(): void {
    this.#tokens = Math.min(this.#cap, this.#tokens + this.#share);
  }

  withdraw(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
