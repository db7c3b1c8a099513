/** Counts of the last 30 s in ten exact buckets: the verdict does not depend on the request rate, and it expires by itself. */
const BUCKETS = 10;

export interface OutcomeCounts {
  readonly succeeded: number;
  readonly failed: number;
  readonly slow: number;
}

export class OutcomeWindow {
  readonly #bucketMs: number;
  readonly #counts = new Int32Array(BUCKETS * 3);
  #current = 0;

  constructor(windowMs: number) {
    this.#bucketMs = windowMs / BUCKETS;
  }

  add(nowMs: number, outcome: "succeeded" | "failed", isSlow: boolean): void {
    this.#move(nowMs);
    const at = (this.#current % BUCKETS) * 3;
    const index = at + (outcome === "succeeded" ? 0 : 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    if (isSlow) this.#counts[at + 2] = (this.#counts[at + 2] ?? 0) + 1;
  }

  counts(nowMs: number): OutcomeCounts {
    this.#move(nowMs);
    let succeeded = 0;
    let failed = 0;
    let slow = 0;
    for (let at = 0; at < this.#counts.length; at += 3) {
      succeeded += this.#counts[at] ?? 0;
      failed += this.#counts[at + 1] ?? 0;
      slow += this.#counts[at + 2] ?? 0;
    }
    return { succeeded, failed, slow };
  }

  clear(): void {
    this.#counts.fill(0);
  }

  #move(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    const steps = Math.min(BUCKETS, bucket - this.#current);
    for (let step = 1; step <= steps; step++) {
      const at = ((bucket - steps + step) % BUCKETS) * 3;
      this.#counts.fill(0, at, at + 3);
    }
    if (bucket > this.#current) this.#current = bucket;
  }
}
