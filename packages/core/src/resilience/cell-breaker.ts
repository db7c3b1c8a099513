// The state machine of one cell. CLOSED opens after three hard failures in a row, or a success rate under 0.8, or more
// than half slow answers (both with ten samples in 30 s), or four calls in a row that a hedge overtook. OPEN rests 2 s, doubling to 60 s, with equal jitter. Then exactly
// one probe is let through; everyone else is rejected at once, so that they go elsewhere instead of waiting behind it.
// A throttle (429) and an isolation (dead key, operator) are separate from the state. Rules: docs/spec/resilience.md CB*.
import type { Random } from "../ports/random.ts";
import { OutcomeWindow } from "./outcome-window.ts";

export interface BreakerPolicy {
  readonly consecutiveFailuresMax: number;
  /** Calls in a row that were silent until a hedge answered: four, because one call in twenty is hedged on a healthy cell. */
  readonly overtakenMax: number;
  readonly successRateMin: number;
  readonly slowShareMax: number;
  readonly samplesMin: number;
  readonly windowMs: number;
  readonly backoffMs: number;
  readonly backoffMsMax: number;
  /** Time in which a recovered cell's share grows to its full size. */
  readonly slowStartMs: number;
}

export const BREAKER_POLICY: BreakerPolicy = {
  consecutiveFailuresMax: 3,
  overtakenMax: 4,
  successRateMin: 0.8,
  slowShareMax: 0.5,
  samplesMin: 10,
  windowMs: 30_000,
  backoffMs: 2_000,
  backoffMsMax: 60_000,
  slowStartMs: 10_000,
};

export type BreakerState = "closed" | "open" | "probe";
export type BreakerReason =
  | "consecutive"
  | "success_rate"
  | "slow_share"
  | "overtaken"
  | "probe_failed"
  | "probe_succeeded"
  | "backoff_elapsed"
  | "manual"
  | "key_dead";

export interface BreakerChange {
  readonly atMs: number;
  readonly from: BreakerState | "isolated";
  readonly to: BreakerState | "isolated";
  readonly reason: BreakerReason;
  readonly consecutive: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly slow: number;
}

/** What a cell says to somebody who wants to call it. `probe`: the call is the one probe. */
export type Admission = "closed" | "probe" | "open" | "throttled" | "isolated";

export class CellBreaker {
  readonly #policy: BreakerPolicy;
  readonly #random: Random;
  readonly #onChange: (change: BreakerChange) => void;
  readonly #window: OutcomeWindow;
  #state: BreakerState = "closed";
  #sinceMs = -Infinity;
  #consecutive = 0;
  #overtaken = 0;
  #opened = 0;
  #untilMs = 0;
  #throttledUntilMs = -Infinity;
  #throttles = 0;
  #isIsolated = false;
  #isolatedUntilMs = Infinity;
  #probeStartedMs: number | undefined;
  #recoveredMs: number | undefined;

  constructor(random: Random, onChange: (change: BreakerChange) => void = () => undefined, policy = BREAKER_POLICY) {
    this.#random = random;
    this.#onChange = onChange;
    this.#policy = policy;
    this.#window = new OutcomeWindow(policy.windowMs);
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** What `admit` would say, without taking the permit. */
  look(nowMs: number): Admission {
    if (this.#isIsolated && nowMs < this.#isolatedUntilMs) return "isolated";
    if (nowMs < this.#throttledUntilMs) return "throttled";
    if (this.#state === "closed") return "closed";
    if (this.#state === "probe" && this.#probeStartedMs !== undefined) return "open";
    return nowMs >= this.#untilMs ? "probe" : "open";
  }

  /** Takes the permit where the answer is `probe`. Whoever gets `closed` or `probe` must call and report the end. */
  admit(nowMs: number): Admission {
    const admission = this.look(nowMs);
    if (this.#isIsolated && nowMs >= this.#isolatedUntilMs) this.release(nowMs);
    if (admission !== "probe") return admission;
    if (this.#state === "open") this.#change("probe", "backoff_elapsed", nowMs);
    this.#probeStartedMs = nowMs;
    return admission;
  }

  /** A first content came. */
  answered(startedMs: number): void {
    if (!this.#isStale(startedMs)) this.#overtaken = 0;
  }

  /**
   * A call was still silent when its hedge at another cell answered: no failure, but four in a row are no chance. Without
   * this a dark cell would never be charged, because hedges take its calls away before their deadline.
   */
  overtaken(startedMs: number, nowMs: number): void {
    if (this.#isStale(startedMs)) return;
    if (this.#state === "probe") return this.#open("probe_failed", nowMs);
    this.#overtaken += 1;
    if (this.#overtaken >= this.#policy.overtakenMax) this.#open("overtaken", nowMs);
  }

  succeeded(startedMs: number, nowMs: number, isSlow: boolean): void {
    if (this.#isStale(startedMs)) return;
    if (this.#state === "probe") return this.#close(nowMs);
    this.#consecutive = 0;
    this.#throttles = 0;
    this.#window.add(nowMs, "succeeded", isSlow);
    this.#judge(nowMs);
  }

  /** A `soft` failure (throttling, platform capacity) counts for the rate and never for the row. */
  failed(startedMs: number, nowMs: number, weight: "hard" | "soft"): void {
    if (this.#isStale(startedMs)) return;
    if (this.#state === "probe") return this.#open("probe_failed", nowMs);
    if (weight === "hard") this.#consecutive += 1;
    this.#window.add(nowMs, "failed", false);
    this.#judge(nowMs);
  }

  /**
   * Neither success nor failure. A probe that was cancelled (its caller left) said nothing; the next
   * one comes after the shortest rest, so that not every caller in a row waits for a provider that may still be dark.
   */
  cancelled(startedMs: number, nowMs: number = startedMs): void {
    if (this.#state !== "probe" || this.#probeStartedMs !== startedMs) return;
    this.#probeStartedMs = undefined;
    this.#untilMs = nowMs + this.#policy.backoffMs * (0.5 + this.#random.next() / 2);
  }

  /** Until the hint, or where there was none, two seconds doubling with each throttle in a row. */
  throttle(nowMs: number, retryAfterMs: number | undefined): void {
    const backoffMs = Math.min(this.#policy.backoffMsMax, this.#policy.backoffMs * 2 ** this.#throttles);
    this.#throttles = Math.min(this.#throttles + 1, 10);
    const untilMs = nowMs + (retryAfterMs ?? backoffMs * (0.5 + this.#random.next() / 2));
    this.#throttledUntilMs = Math.max(this.#throttledUntilMs, untilMs);
  }

  get throttledUntilMs(): number {
    return this.#throttledUntilMs;
  }

  isolate(reason: "manual" | "key_dead", nowMs: number, untilMs = Infinity): void {
    if (!this.#isIsolated) this.#tell(this.#state, "isolated", reason, nowMs);
    this.#isIsolated = true;
    this.#isolatedUntilMs = untilMs;
  }

  /** Ends an isolation; the state below it is as it was. */
  release(nowMs: number): void {
    if (!this.#isIsolated) return;
    this.#isIsolated = false;
    this.#tell("isolated", this.#state, "manual", nowMs);
  }

  /** 0 to 1: what a recovered cell may take of its usual share. */
  share(nowMs: number): number {
    if (this.#recoveredMs === undefined) return 1;
    const grown = (nowMs - this.#recoveredMs) / this.#policy.slowStartMs;
    if (grown >= 1) this.#recoveredMs = undefined;
    return Math.min(1, Math.max(0.1, grown));
  }

  get sinceMs(): number {
    return Math.max(0, this.#sinceMs);
  }

  get opensAgainMs(): number {
    return this.#untilMs;
  }

  counts(nowMs: number): ReturnType<OutcomeWindow["counts"]> {
    return this.#window.counts(nowMs);
  }

  /** What was started before the last change says nothing about the provider now. */
  #isStale(startedMs: number): boolean {
    return this.#state === "open" || startedMs < this.#sinceMs;
  }

  #judge(nowMs: number): void {
    const policy = this.#policy;
    if (this.#consecutive >= policy.consecutiveFailuresMax) return this.#open("consecutive", nowMs);
    const { succeeded, failed, slow } = this.#window.counts(nowMs);
    const total = succeeded + failed;
    if (total < policy.samplesMin) return;
    if (succeeded / total < policy.successRateMin) this.#open("success_rate", nowMs);
    else if (slow / total > policy.slowShareMax) this.#open("slow_share", nowMs);
  }

  #open(reason: BreakerReason, nowMs: number): void {
    const policy = this.#policy;
    const backoffMs = Math.min(policy.backoffMsMax, policy.backoffMs * 2 ** this.#opened);
    this.#opened = Math.min(this.#opened + 1, 10);
    this.#untilMs = nowMs + backoffMs * (0.5 + this.#random.next() / 2);
    this.#probeStartedMs = undefined;
    this.#overtaken = 0;
    this.#change("open", reason, nowMs);
  }

  #close(nowMs: number): void {
    this.#opened = 0;
    this.#recoveredMs = nowMs;
    this.#probeStartedMs = undefined;
    this.#change("closed", "probe_succeeded", nowMs);
    this.#consecutive = 0;
    this.#throttles = 0;
    this.#window.clear();
  }

  #change(to: BreakerState, reason: BreakerReason, nowMs: number): void {
    const from = this.#state;
    this.#state = to;
    this.#sinceMs = nowMs;
    this.#tell(from, to, reason, nowMs);
  }

  #tell(from: BreakerChange["from"], to: BreakerChange["to"], reason: BreakerReason, nowMs: number): void {
    const counts = this.#window.counts(nowMs);
    this.#onChange({ atMs: nowMs, from, to, reason, consecutive: this.#consecutive, ...counts });
  }
}
