// How the clock of a session's client relates to the session's own: the estimate of `streams/clock-sync`, led to slowly so
// that samples which are in the window already do not jump against those that follow, and a guess until there is one.
import { ClockSync } from "../streams/clock-sync.ts";

const ROUND_TRIPS = 32;
/** The shown offset moves at most this share of the elapsed time, except to its first value. */
const SLEW_SHARE = 0.01;
const STEP_MS_MIN = 0.05;
/** Beyond this the client's clock was set or the page was reloaded: begin again. */
const JUMP_MS = 2_000;

export class SessionClock {
  #sync = new ClockSync();
  #roundTrips: number[] = [];
  #offsetMs: number | undefined;
  #movedMs = 0;

  /** Client time minus session time; undefined before anything was heard. */
  get offsetMs(): number | undefined {
    return this.#offsetMs;
  }

  /** The least of late. */
  get rttMs(): number | undefined {
    return this.#roundTrips.length === 0 ? undefined : Math.min(...this.#roundTrips);
  }

  /** 0 before the first. */
  get newestRttMs(): number {
    return this.#roundTrips.at(-1) ?? 0;
  }

  /** Mean deviation of the round trips from the least one. */
  get jitterMs(): number | undefined {
    const least = this.rttMs;
    if (least === undefined) return undefined;
    return this.#roundTrips.reduce((total, rttMs) => total + rttMs - least, 0) / this.#roundTrips.length;
  }

  get skewPpm(): number {
    return this.#sync.estimate?.driftPpm ?? 0;
  }

  /** The true offset is within this of the estimate in at least 95 of 100 cases. */
  get errorMs(): number | undefined {
    return this.#sync.estimate?.errorMs;
  }

  /** t0 and t3 on the session's clock, t1 and t2 on the client's. Impossible exchanges are ignored: returns false. */
  foldExchange(t0: number, t1: number, t2: number, t3: number): boolean {
    const rttMs = t3 - t0 - (t2 - t1);
    if (!(rttMs >= 0) || t2 < t1 || rttMs > 60_000) return false;
    const isFirst = this.#sync.estimate === undefined;
    const seenMs = (t1 - t0 + (t2 - t3)) / 2;
    const isSet = !isFirst && Math.abs(seenMs - (this.#offsetMs ?? seenMs)) > JUMP_MS + rttMs / 2;
    if (isSet) {
      this.#sync = new ClockSync();
      this.#roundTrips = [];
    }
    if (this.#sync.fold({ t0, t1, t2, t3 }) === undefined) return false;
    this.#roundTrips.push(rttMs);
    if (this.#roundTrips.length > ROUND_TRIPS) this.#roundTrips.shift();
    this.#moveTo(this.#sync.offsetAt(t3), t3, isFirst || isSet);
    return true;
  }

  /**
   * Session time of a client time that arrived now. Until an exchange has been measured the first arrival sets the
   * offset. Never later than now: nothing comes from the future.
   */
  toSessionMs(clientMs: number, nowMs: number): number {
    const seenMs = clientMs - nowMs;
    const isMeasured = this.#roundTrips.length > 0;
    if (this.#offsetMs === undefined || (!isMeasured && seenMs > this.#offsetMs)) this.#moveTo(seenMs, nowMs, true);
    const atMs = clientMs - (this.#offsetMs as number);
    if (this.#roundTrips.length < 2 && Math.abs(nowMs - atMs) > JUMP_MS + (this.#roundTrips[0] ?? 0)) {
      this.#moveTo(seenMs, nowMs, true);
      return nowMs;
    }
    return Math.min(atMs, nowMs);
  }

  #moveTo(targetMs: number, nowMs: number, isAtOnce: boolean): void {
    if (isAtOnce || this.#offsetMs === undefined) {
      this.#offsetMs = targetMs;
    } else {
      const step = Math.max(STEP_MS_MIN, (nowMs - this.#movedMs) * SLEW_SHARE);
      this.#offsetMs += Math.min(step, Math.max(-step, targetMs - this.#offsetMs));
    }
    this.#movedMs = nowMs;
  }
}
