// Offset and drift of a client's clock against the session clock, from exchanges of four time stamps (as in NTP, RFC 5905).
//
// The offset seen in one exchange is wrong by half the difference of the two ways. What is queueing in that difference is at
// most half of what the round trip took longer than the shortest one, so exchanges near the shortest say much and the others
// little. A line (offset and drift) is fitted to the window with every exchange weighted by that; exchanges whose
// queueing cannot explain their distance from the line are weighed down again (Huber). What remains, a constant difference
// between the two ways, no exchange can reveal: it is only allowed for in the error bound.

/** Times in milliseconds: `t0` sent and `t3` received on the session clock, `t1` received and `t2` sent on the client's. */
export interface ClockExchange {
  readonly t0: number;
  readonly t1: number;
  readonly t2: number;
  readonly t3: number;
}

export interface ClockEstimate {
  /** Client clock minus session clock at the newest exchange, milliseconds. */
  readonly offsetMs: number;
  /** How much faster the client's clock runs, parts per million. */
  readonly driftPpm: number;
  /** The true offset is within this of `offsetMs` in at least 95 of 100 cases. */
  readonly errorMs: number;
  readonly rttMs: number;
  /** Exchanges in use. Below 4 the estimate is a first guess. */
  readonly exchanges: number;
}

const WINDOW = 64;

/** Share of the queueing by which the offset is wrong, standard deviation: queueing is mostly on one of the two ways. */
const QUEUE_SHARE = 0.5;

/** Stamps themselves, milliseconds. */
const STAMP_MS = 0.3;

/** Difference of the two ways without queueing, as a share of the round trip, standard deviation. */
const ASYMMETRY = 0.05;

/** Drift of crystals before anything is known, parts per million. */
const DRIFT_PPM = 40;

/** A clock that leaves its line by more than the exchange can explain, this often in a row, was set or slept. */
const STEP_EXCHANGES = 2;
const STEP_MS = 60;

/** The session clock as the client's clock shows it may be led to the truth by at most this share of elapsed time. */
const SLEW = 0.02;

export class ClockSync {
  /** Ring of [time on the session clock, offset, round trip]. */
  readonly #times = new Float64Array(WINDOW);
  readonly #offsets = new Float64Array(WINDOW);
  readonly #rtts = new Float64Array(WINDOW);
  #count = 0;
  #estimate: ClockEstimate | undefined;
  #estimatedMs = 0;
  #strays = 0;
  #shownClientMs = -Infinity;
  #shownSessionMs = -Infinity;

  get estimate(): ClockEstimate | undefined {
    return this.#estimate;
  }

  /** Stamps that are not finite or run backwards are refused: the estimate stays, and undefined is returned. */
  fold(exchange: ClockExchange): ClockEstimate | undefined {
    const { t0, t1, t2, t3 } = exchange;
    const rttMs = t3 - t0 - (t2 - t1);
    if (!Number.isFinite(rttMs) || rttMs < 0 || t3 < t0 || t2 < t1) return undefined;
    const timeMs = (t0 + t3) / 2;
    const offsetMs = (t1 - t0 + (t2 - t3)) / 2;
    if (this.#isStray(timeMs, offsetMs, rttMs)) {
      this.#strays += 1;
      if (this.#strays < STEP_EXCHANGES) return this.#estimate;
      this.#count = 0;
    }
    this.#strays = 0;
    const slot = this.#count % WINDOW;
    this.#times[slot] = timeMs;
    this.#offsets[slot] = offsetMs;
    this.#rtts[slot] = rttMs;
    this.#count += 1;
    this.#estimate = this.#fit(timeMs, rttMs);
    this.#estimatedMs = timeMs;
    return this.#estimate;
  }

  /** Client clock minus session clock at a time of the session clock. 0 before the first exchange. */
  offsetAt(sessionMs: number): number {
    if (this.#estimate === undefined) return 0;
    return this.#estimate.offsetMs + (sessionMs - this.#estimatedMs) * this.#estimate.driftPpm * 1e-6;
  }

  /**
   * The session clock when the client's clock showed `clientMs`. Exact for any order of calls; see `advanceTo` for a clock
   * that never runs backwards.
   */
  toSessionMs(clientMs: number): number {
    const offset = this.offsetAt(clientMs - (this.#estimate?.offsetMs ?? 0));
    return clientMs - offset;
  }

  /**
   * As `toSessionMs`, for times that only grow: the result never runs backwards, and a better estimate is approached at 2 %
   * of elapsed time instead of in a step. A clock that was set is followed at once, forwards.
   */
  advanceTo(clientMs: number): number {
    const target = this.toSessionMs(clientMs);
    const elapsedMs = clientMs - this.#shownClientMs;
    if (!(elapsedMs >= 0) || elapsedMs === Infinity) {
      this.#shownSessionMs = Math.max(target, this.#shownSessionMs);
    } else {
      const expected = this.#shownSessionMs + elapsedMs;
      const correction = target - expected;
      const bound = elapsedMs * SLEW;
      const isStep = correction > STEP_MS * 2;
      this.#shownSessionMs = isStep ? target : expected + Math.min(bound, Math.max(-bound, correction));
    }
    this.#shownClientMs = clientMs;
    return this.#shownSessionMs;
  }

  #isStray(timeMs: number, offsetMs: number, rttMs: number): boolean {
    if (this.#estimate === undefined || this.#count < 4) return false;
    const explainedMs = rttMs / 2 + this.#estimate.errorMs + STEP_MS + (timeMs - this.#estimatedMs) * 2e-4;
    return Math.abs(offsetMs - this.offsetAt(timeMs)) > explainedMs;
  }

  #fit(nowMs: number, rttMs: number): ClockEstimate {
    const used = Math.min(this.#count, WINDOW);
    let shortest = Infinity;
    for (let i = 0; i < used; i++) shortest = Math.min(shortest, this.#rtts[i] as number);
    let offset = this.#offsets[(this.#count - 1) % WINDOW] as number;
    let drift = 0;
    let deviation = 0;
    // Three rounds: the first with the queueing weights alone, then twice with misfits weighed down.
    for (let round = 0; round < 3; round++) {
      let sw = 0;
      let swx = 0;
      let swxx = 1 / (DRIFT_PPM * DRIFT_PPM * 1e-6);
      let swy = 0;
      let swxy = 0;
      for (let i = 0; i < used; i++) {
        const seconds = ((this.#times[i] as number) - nowMs) / 1_000;
        const queueMs = (this.#rtts[i] as number) - shortest;
        const sigma = Math.hypot(QUEUE_SHARE * queueMs, STAMP_MS);
        let weight = 1 / (sigma * sigma);
        if (round > 0) {
          const misfit = Math.abs((this.#offsets[i] as number) - offset - drift * seconds) / sigma;
          if (misfit > 1.5) weight *= 1.5 / misfit;
        }
        sw += weight;
        swx += weight * seconds;
        swxx += weight * seconds * seconds;
        swy += weight * (this.#offsets[i] as number);
        swxy += weight * seconds * (this.#offsets[i] as number);
      }
      const determinant = sw * swxx - swx * swx;
      offset = (swxx * swy - swx * swxy) / determinant;
      drift = (sw * swxy - swx * swy) / determinant;
      deviation = Math.sqrt(swxx / determinant);
    }
    const errorMs = 2 * Math.hypot(deviation, ASYMMETRY * shortest) + (used < 4 ? shortest / 4 : 0);
    return { offsetMs: offset, driftPpm: drift * 1_000, errorMs, rttMs, exchanges: used };
  }
}
