/** So many at once and so many a second; one bucket for each class of messages. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs = -Infinity;

  constructor(perSecond: number, burst: number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
    this.#tokens = burst;
  }

  take(nowMs: number): boolean {
    if (nowMs > this.#atMs) {
      const gained = this.#atMs === -Infinity ? this.#burst : (nowMs - this.#atMs) * this.#perMs;
      this.#tokens = Math.min(this.#burst, this.#tokens + gained);
      this.#atMs = nowMs;
    }
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Until the next one is allowed. */
  waitMs(): number {
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs);
  }
}
