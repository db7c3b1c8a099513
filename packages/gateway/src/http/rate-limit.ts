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
  #perMinute: number | undefined;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(clock: Clock, perMinute: number | undefined) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  replace(perMinute: number | undefined): void {
    if (perMinute === this.#perMinute) return;
    this.#perMinute = perMinute;
    this.#buckets.clear();
  }

  /** Undefined where nothing limits. */
  take(keyId: string): RateDecision | undefined {
    const perMinute = this.#perMinute;
    if (perMinute === undefined) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(keyId) ?? { tokens: perMinute, atMs: nowMs };
    const refill = ((nowMs - bucket.atMs) / MINUTE_MS) * perMinute;
    bucket.tokens = Math.min(perMinute, bucket.tokens + refill);
    bucket.atMs = nowMs;
    this.#buckets.set(keyId, bucket);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return { isAllowed: true, ...toldOf(perMinute, bucket.tokens), retryAfterMs: 0 };
    }
    return {
      isAllowed: false,
      ...toldOf(perMinute, bucket.tokens),
      retryAfterMs: Math.ceil(((1 - bucket.tokens) / perMinute) * MINUTE_MS),
    };
  }
}

function toldOf(perMinute: number, tokens: number): Pick<RateDecision, "perMinute" | "remaining" | "resetsInMs"> {
  return { perMinute, remaining: Math.floor(tokens), resetsInMs: ((perMinute - tokens) / perMinute) * MINUTE_MS };
}
