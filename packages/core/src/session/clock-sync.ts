// How a client's clock relates to the session's. Four-timestamp exchanges (as in NTP, RFC 5905): the one with the least
// round trip has the least error, because queueing only ever adds. The estimate is moved toward it slowly: samples that
// are already in the window must not jump against those that follow.
const EXCHANGES_MAX = 32;
/** Drift needs a long base: 100 ppm are 2 ms in 20 s. */
const SKEW_SPAN_MS = 20_000;
const SKEW_PPM_MAX = 500;
/** The estimate moves at most this share of the elapsed time, except to its first value. */
const SLEW_SHARE = 0.01;
/** Beyond this the client's clock was set or the page was reloaded: begin again. */
const JUMP_MS = 2_000;

interface Exchange {
  readonly atMs: number;
  readonly offsetMs: number;
  readonly rttMs: number;
}

export class ClockSync {
  #exchanges: Exchange[] = [];
  #offsetMs: number | undefined;
  #movedMs = 0;
  #skew = 0;
  #isMeasured = false;
  #leastMs = 0;

  /** Client time minus session time; undefined before anything was heard. */
  get offsetMs(): number | undefined {
    return this.#offsetMs;
  }

  get rttMs(): number | undefined {
    return this.#isMeasured ? this.#leastMs : undefined;
  }

  /** Mean deviation of the round trips from the least one. */
  get jitterMs(): number | undefined {
    const least = this.rttMs;
    if (least === undefined) return undefined;
    const sum = this.#exchanges.reduce((total, exchange) => total + exchange.rttMs - least, 0);
    return sum / this.#exchanges.length;
  }

  get skewPpm(): number {
    return this.#skew * 1e6;
  }

  /** t0 and t3 on the session's clock, t1 and t2 on the client's. Impossible exchanges are ignored: returns false. */
  foldExchange(t0: number, t1: number, t2: number, t3: number): boolean {
    const rttMs = t3 - t0 - (t2 - t1);
    if (!(rttMs >= 0) || t2 < t1 || rttMs > 60_000) return false;
    const offsetMs = (t1 - t0 + (t2 - t3)) / 2;
    if (this.#isMeasured && Math.abs(offsetMs - (this.#offsetMs ?? offsetMs)) > JUMP_MS + rttMs / 2)
      this.#exchanges = [];
    this.#exchanges.push({ atMs: t3, offsetMs, rttMs });
    if (this.#exchanges.length > EXCHANGES_MAX) this.#exchanges.shift();
    this.#skew = this.#fitSkew();
    const best = this.#best();
    this.#moveTo(best.offsetMs + this.#skew * (t3 - best.atMs), t3, !this.#isMeasured || this.#exchanges.length === 1);
    this.#isMeasured = true;
    this.#leastMs = best.rttMs;
    return true;
  }

  /**
   * Session time of a client time that arrived now. Until an exchange has been measured the first arrival sets the
   * offset. Never later than now: nothing comes from the future.
   */
  toSessionMs(clientMs: number, nowMs: number): number {
    if (this.#offsetMs === undefined || (!this.#isMeasured && clientMs - nowMs > this.#offsetMs)) {
      this.#offsetMs = clientMs - nowMs;
      this.#movedMs = nowMs;
    }
    let atMs = clientMs - this.#offsetMs;
    if (Math.abs(nowMs - atMs) > JUMP_MS + (this.rttMs ?? 0) && this.#exchanges.length < 2) {
      this.#offsetMs = clientMs - nowMs;
      atMs = nowMs;
    }
    return Math.min(atMs, nowMs);
  }

  #moveTo(targetMs: number, nowMs: number, isFirst: boolean): void {
    if (isFirst || this.#offsetMs === undefined) {
      this.#offsetMs = targetMs;
    } else {
      const step = Math.max(0.05, (nowMs - this.#movedMs) * SLEW_SHARE);
      this.#offsetMs += Math.min(step, Math.max(-step, targetMs - this.#offsetMs));
    }
    this.#movedMs = nowMs;
  }

  #best(): Exchange {
    return this.#exchanges.reduce((best, exchange) => (exchange.rttMs <= best.rttMs ? exchange : best));
  }

  /** Least squares through the offsets of the quick exchanges. */
  #fitSkew(): number {
    const quickMs = this.#best().rttMs * 1.5 + 1;
    let count = 0;
    let firstMs = Infinity;
    let lastMs = -Infinity;
    let sumX = 0;
    let sumY = 0;
    for (const { atMs, offsetMs, rttMs } of this.#exchanges) {
      if (rttMs > quickMs) continue;
      count++;
      if (atMs < firstMs) firstMs = atMs;
      if (atMs > lastMs) lastMs = atMs;
      sumX += atMs;
      sumY += offsetMs;
    }
    if (lastMs - firstMs < SKEW_SPAN_MS) return this.#skew;
    let xy = 0;
    let xx = 0;
    for (const { atMs, offsetMs, rttMs } of this.#exchanges) {
      if (rttMs > quickMs) continue;
      const x = atMs - sumX / count;
      xy += x * (offsetMs - sumY / count);
      xx += x * x;
    }
    const limit = SKEW_PPM_MAX / 1e6;
    return Math.min(limit, Math.max(-limit, xy / xx));
  }
}
