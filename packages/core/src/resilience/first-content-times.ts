/** Times to first content of the last 400 successes of a cell; percentiles are computed anew every 50. */
const KEPT = 400;
const REFRESH_EVERY = 50;
const SAMPLES_MIN = 20;

export class FirstContentTimes {
  readonly #times = new Float64Array(KEPT);
  #count = 0;
  #computedAt = 0;
  #p95: number | undefined;
  #p99: number | undefined;

  add(ms: number): void {
    this.#times[this.#count % KEPT] = ms;
    this.#count += 1;
    const isDue = this.#count - this.#computedAt >= REFRESH_EVERY || this.#count === SAMPLES_MIN;
    if (isDue && this.#count >= SAMPLES_MIN) this.#compute();
  }

  /** Undefined until there are twenty. */
  get p95Ms(): number | undefined {
    return this.#p95;
  }

  get p99Ms(): number | undefined {
    return this.#p99;
  }

  #compute(): void {
    const sorted = this.#times.slice(0, Math.min(this.#count, KEPT)).sort();
    this.#p95 = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))];
    this.#p99 = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))];
    this.#computedAt = this.#count;
  }
}
