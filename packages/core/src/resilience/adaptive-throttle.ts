// Client-side throttling (Google SRE book, "Handling Overload"): a cell that rejects most of what it is sent gets less, in
// proportion, before it has to reject it. Share that is held back: max(0, (requests - K * accepts) / (requests + 1)) over
// two minutes. What failed in another way than by a rejection was accepted. Rules: docs/spec/resilience.md ATH1..ATH3.

const K = 2;
const BUCKET_MS = 10_000;
const BUCKETS = 12;
/** Fewer say nothing. */
const REQUESTS_MIN = 20;

export class AdaptiveThrottle {
  readonly #requests = new Float64Array(BUCKETS);
  readonly #accepts = new Float64Array(BUCKETS);
  #bucket = 0;

  ended(nowMs: number, isAccepted: boolean): void {
    const at = this.#move(nowMs);
    this.#requests[at] = (this.#requests[at] ?? 0) + 1;
    if (isAccepted) this.#accepts[at] = (this.#accepts[at] ?? 0) + 1;
  }

  /** A request that was sent elsewhere counts as one the cell would have got: the share follows demand. */
  heldBack(nowMs: number): void {
    const at = this.#move(nowMs);
    this.#requests[at] = (this.#requests[at] ?? 0) + 1;
  }

  /** 0 to 1. */
  share(nowMs: number): number {
    this.#move(nowMs);
    const requests = sum(this.#requests);
    if (requests < REQUESTS_MIN) return 0;
    return Math.max(0, (requests - K * sum(this.#accepts)) / (requests + 1));
  }

  #move(nowMs: number): number {
    const bucket = Math.floor(nowMs / BUCKET_MS);
    const steps = Math.min(BUCKETS, bucket - this.#bucket);
    for (let step = 0; step < steps; step++) {
      const at = (bucket - step) % BUCKETS;
      this.#requests[at] = 0;
      this.#accepts[at] = 0;
    }
    if (bucket > this.#bucket) this.#bucket = bucket;
    return this.#bucket % BUCKETS;
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
