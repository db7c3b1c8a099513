import type { Clock, LimitBucket, LimitSnapshot, ProviderErrorCode, ProviderHealth } from "@fovea/core";

const WINDOW = 50;
const DEGRADED_SHARE = 0.1;
const UNHEALTHY_SHARE = 0.5;
/** Fewer calls than this say nothing about a share. */
const CALLS_MIN = 5;

/** What the vendor answered is not the vendor's fault: the request was wrong, the key was, or the caller left. */
const NOT_THE_PROVIDER: ReadonlySet<ProviderErrorCode> = new Set([
  "invalid_request",
  "too_large",
  "content_filtered",
  "refused",
  "not_found",
  "aborted",
]);

/** Passive record of one provider: the last outcomes, the state they amount to, and what the vendor said of its limits. */
export class CallRecord {
  readonly #clock: Clock;
  readonly #outcomes: boolean[] = [];
  #lastFailure: ProviderErrorCode | undefined;
  #state: ProviderHealth["state"] = "unknown";
  #sinceMs: number;
  #limits: LimitSnapshot | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  succeeded(): void {
    this.#push(true);
  }

  failed(code: ProviderErrorCode): void {
    if (code === "aborted") return;
    this.#lastFailure = code;
    this.#push(NOT_THE_PROVIDER.has(code));
  }

  #push(isOk: boolean): void {
    this.#outcomes.push(isOk);
    if (this.#outcomes.length > WINDOW) this.#outcomes.shift();
  }

  get errorRate(): number {
    if (this.#outcomes.length === 0) return 0;
    return this.#outcomes.filter((isOk) => !isOk).length / this.#outcomes.length;
  }

  /** Folds the outcome of an active probe into the state. */
  probed(latencyMs: number, failure: ProviderErrorCode | undefined): ProviderHealth {
    const state = this.#stateAfter(failure);
    if (state !== this.#state) {
      this.#state = state;
      this.#sinceMs = this.#clock.monotonicMs();
    }
    return {
      state,
      latencyMs,
      errorRate: this.errorRate,
      sinceMs: this.#sinceMs,
      checkedBy: "probe",
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
    };
  }

  /** Health without a probe: unknown until there was traffic. */
  observed(): ProviderHealth {
    const state = this.#outcomes.length === 0 ? "unknown" : this.#stateAfter(undefined);
    if (state !== this.#state) {
      this.#state = state;
      this.#sinceMs = this.#clock.monotonicMs();
    }
    return {
      state,
      errorRate: this.errorRate,
      sinceMs: this.#sinceMs,
      checkedBy: "traffic",
      ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }),
    };
  }

  #stateAfter(failure: ProviderErrorCode | undefined): ProviderHealth["state"] {
    if (failure === "rate_limited") return "degraded";
    if (failure !== undefined) return "unhealthy";
    if (this.#outcomes.length < CALLS_MIN || this.errorRate <= DEGRADED_SHARE) return "healthy";
    return this.errorRate >= UNHEALTHY_SHARE ? "unhealthy" : "degraded";
  }

  limited(buckets: readonly LimitBucket[]): LimitSnapshot | undefined {
    if (buckets.length === 0) return undefined;
    this.#limits = { atMs: this.#clock.monotonicMs(), buckets };
    return this.#limits;
  }

  /** A refusal without headers still says that nothing is left until then. Keeps the limits that were known. */
  refused(retryAfterMs: number | undefined): void {
    const known = this.#limits?.buckets ?? [];
    const requests = known.find((bucket) => bucket.name === "requests");
    const rest = known.filter((bucket) => bucket !== requests);
    const spent = { ...requests, name: "requests", remaining: 0 };
    this.limited([retryAfterMs === undefined ? spent : { ...spent, resetMs: retryAfterMs }, ...rest]);
  }

  get limits(): LimitSnapshot | undefined {
    return this.#limits;
  }

  /** Infinity where nothing is known: an unknown limit must not keep a provider from being chosen. */
  perMinute(names: readonly string[]): number {
    for (const name of names) {
      const limit = this.#limits?.buckets.find((bucket) => bucket.name === name)?.limit;
      if (limit !== undefined) return limit;
    }
    return Number.POSITIVE_INFINITY;
  }
}
