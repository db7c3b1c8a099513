import type { Clock } from "@fovea/core";

/** What a caller hears of their limit; times in milliseconds. */
export interface RateDecision {
  readonly isAllowed: boolean;
  readonly perMinute: number;
  readonly remaining: number;
  /** Until the whole minute's worth is there again. */
  readonly resetsInMs: number;
  readonly retryAfterMs: number;
}

const MINUTE_MS = 60_000;

/**
 * Requests a minute for each key, as a bucket that refills evenly: after a pause a whole minute's worth may come at once,
 * and nobody gains by asking at a minute's turn. One entry for each configured key, so the map needs no limit.
 */
export class RateLimit {
  readonly #clock: Clock;
  readonly #perMinute: number;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  take(keyId: string): RateDecision {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(keyId) ?? { tokens: this.#perMinute, atMs: nowMs };
    const refill = ((nowMs - bucket.atMs) / MINUTE_MS) * this.#perMinute;
    bucket.tokens = Math.min(this.#perMinute, bucket.tokens + refill);
    bucket.atMs = nowMs;
    this.#buckets.set(keyId, bucket);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return { isAllowed: true, ...this.#told(bucket.tokens), retryAfterMs: 0 };
    }
    return {
      isAllowed: false,
      ...this.#told(bucket.tokens),
      retryAfterMs: Math.ceil(((1 - bucket.tokens) / this.#perMinute) * MINUTE_MS),
    };
  }
  #told(tokens: number): Pick<RateDecision, "perMinute" | "remaining" | "resetsInMs"> {
    const resetsInMs = ((this.#perMinute - tokens) / this.#perMinute) * MINUTE_MS;
    return { perMinute: this.#perMinute, remaining: Math.floor(tokens), resetsInMs };
  }
}
