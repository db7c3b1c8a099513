import type { Clock } from "@fovea/core";

const SECONDS = 120;
/** Bounds grow by a fifth from 0.1 ms: 80 buckets reach 180 s, and a percentile is at most 20 % too high. */
const BUCKETS = 80;
const FIRST_MS = 0.1;
const GROWTH = 1.2;
const LOG_GROWTH = Math.log(GROWTH);

/** Requests of the last two minutes, by second. Recording costs two additions; nothing is allocated. */
export class TrafficWindow {
  readonly #clock: Clock;
  readonly #requests = new Uint32Array(SECONDS);
  readonly #errors = new Uint32Array(SECONDS);
  readonly #durations = new Uint32Array(SECONDS * BUCKETS);
  #second: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#second = Math.floor(clock.monotonicMs() / 1000);
  }

  record(durationMs: number, isError: boolean): void {
    const slot = this.#advance();
    const bucket = Math.ceil(Math.log(Math.max(durationMs, FIRST_MS) / FIRST_MS) / LOG_GROWTH);
    const index = slot * BUCKETS + Math.min(bucket, BUCKETS - 1);
    this.#requests[slot] = (this.#requests[slot] ?? 0) + 1;
    this.#durations[index] = (this.#durations[index] ?? 0) + 1;
    if (isError) this.#errors[slot] = (this.#errors[slot] ?? 0) + 1;
  }

  /** Oldest first. */
  requestsPerSecond(): number[] {
    return this.#inOrder(this.#requests);
  }

  errorsPerSecond(): number[] {
    return this.#inOrder(this.#errors);
  }

  /** Upper bounds of the buckets in which the shares lie; 0 without requests. */
  latencyMs(): { p50: number; p90: number; p99: number; count: number } {
    this.#advance();
    const sums = new Float64Array(BUCKETS);
    for (const [index, count] of this.#durations.entries())
      sums[index % BUCKETS] = (sums[index % BUCKETS] ?? 0) + count;
    const count = sums.reduce((total, part) => total + part, 0);
    const quantile = (share: number): number => {
      let left = share * count;
      for (const [bucket, part] of sums.entries()) {
        left -= part;
        if (part > 0 && left <= 0) return Number((FIRST_MS * GROWTH ** bucket).toPrecision(3));
      }
      return 0;
    };
    return { p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), count };
  }

  /** Empties the seconds that passed without a request. */
  #advance(): number {
    const now = Math.floor(this.#clock.monotonicMs() / 1000);
    for (let passed = 0; this.#second < now && passed < SECONDS; passed++) {
      this.#second++;
      const slot = this.#second % SECONDS;
      this.#requests[slot] = 0;
      this.#errors[slot] = 0;
      this.#durations.fill(0, slot * BUCKETS, (slot + 1) * BUCKETS);
    }
    this.#second = Math.max(this.#second, now);
    return this.#second % SECONDS;
  }

  #inOrder(values: Uint32Array): number[] {
    const newest = this.#advance();
    return Array.from({ length: SECONDS }, (_, age) => values[(newest + 1 + age) % SECONDS] ?? 0);
  }
}
