import type { CallOptions, CallTimeouts, Cancel, Clock, ProviderErrorCode } from "@fovea/core";

export interface HttpCallOptions extends CallOptions {
  /** The answer comes in one piece, so headers and first content are limited by the total alone. */
  readonly isWhole?: boolean;
}

/** For callers that set none: generous, because the mesh sets tight ones for each attempt. */
export const DEFAULT_TIMEOUTS: CallTimeouts = {
  connectMs: 5_000,
  headersMs: 30_000,
  firstContentMs: 60_000,
  idleMs: 30_000,
  totalMs: 600_000,
};

/** A well-behaved server ends the body within a round trip of its last event. */
const BODY_END_MS = 1_000;

/** Timers ring on whole milliseconds, so up to one early: what is due within it is due now. */
const CLOCK_GRAIN_MS = 1;
/** An alarm that rings this much too late says more about this process than about the provider. */
const LOCAL_LAG_MS = 250;

type Expire = (code: ProviderErrorCode, message: string) => void;

/** Five of the six timers of a call, on one alarm; the sixth, minimum throughput, belongs to the mesh, which sees the text. */
export class CallTimers {
  readonly #clock: Clock;
  readonly #limits: CallTimeouts;
  readonly #isWhole: boolean;
  readonly #expire: Expire;
  /** When each of them runs out; Infinity while it does not run. */
  #connectDueMs = Infinity;
  #headersDueMs = Infinity;
  #firstContentDueMs = Infinity;
  #totalDueMs = Infinity;
  #isWatchingIdle = false;
  #lastBytesMs = 0;
  #isStopped = false;
  #cancelAlarm: Cancel | undefined;
  #alarmMs = Infinity;
  #hasForgiven = false;

  constructor(clock: Clock, options: HttpCallOptions, expire: Expire) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.#isWhole = options.isWhole === true;
    this.#expire = expire;
  }

  dispatched(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#connectDueMs = nowMs + this.#limits.connectMs;
    this.#totalDueMs = nowMs + this.#limits.totalMs;
    this.#wakeBy(Math.min(this.#connectDueMs, this.#totalDueMs), nowMs);
  }

  connected(): void {
    this.#connectDueMs = Infinity;
  }

  sent(): void {
    if (this.#isWhole || this.#isStopped || this.#isWatchingIdle) return;
    const nowMs = this.#clock.monotonicMs();
    if (this.#headersDueMs === Infinity) this.#headersDueMs = nowMs + this.#limits.headersMs;
    if (this.#firstContentDueMs === Infinity) this.#firstContentDueMs = nowMs + this.#limits.firstContentMs;
    this.#wakeBy(Math.min(this.#headersDueMs, this.#firstContentDueMs), nowMs);
  }

  headersArrived(): void {
    this.connected();
    this.#headersDueMs = Infinity;
    if (this.#isWhole) this.contentArrived();
  }

  bytesArrived(): void {
    if (this.#isWatchingIdle) this.#lastBytesMs = this.#clock.monotonicMs();
  }

  contentArrived(): void {
    if (this.#isStopped || this.#isWatchingIdle) return;
    this.#firstContentDueMs = Infinity;
    this.#isWatchingIdle = true;
    this.#lastBytesMs = this.#clock.monotonicMs();
    this.#wakeBy(this.#lastBytesMs + this.#limits.idleMs, this.#lastBytesMs);
  }

  /** The answer is complete; only the end of the body is missing. */
  ending(giveUp: () => void): void {
    this.stop();
    this.#cancelAlarm = this.#clock.schedule(BODY_END_MS, giveUp);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
  }

  /** An alarm that rings sooner stays: it looks what is due next, and costs less than being moved at every step. */
  #wakeBy(dueMs: number, nowMs: number): void {
    if (this.#alarmMs <= dueMs) return;
    this.#cancelAlarm?.();
    this.#alarmMs = dueMs;
    this.#cancelAlarm = this.#clock.schedule(dueMs - nowMs, this.#ring);
  }

  readonly #ring = (): void => {
    if (this.#isStopped) return;
    const nowMs = this.#clock.monotonicMs();
    // The alarm itself came late: this process was busy, and what the provider sent may wait in the socket unread.
    if (nowMs - this.#alarmMs > LOCAL_LAG_MS && !this.#hasForgiven) {
      this.#hasForgiven = true;
      this.#alarmMs = nowMs + LOCAL_LAG_MS;
      this.#cancelAlarm = this.#clock.schedule(LOCAL_LAG_MS, this.#ring);
      return;
    }
    this.#alarmMs = Infinity;
    const limits = this.#limits;
    const idleDueMs = this.#isWatchingIdle ? this.#lastBytesMs + limits.idleMs : Infinity;
    const isDue = (dueMs: number): boolean => dueMs - nowMs < CLOCK_GRAIN_MS;
    if (isDue(this.#connectDueMs)) this.#late("timeout_connect", "no connection in time", limits.connectMs);
    else if (isDue(this.#headersDueMs)) this.#late("timeout_headers", "no response headers in time", limits.headersMs);
    else if (isDue(this.#firstContentDueMs))
      this.#late("timeout_first_token", "no content in time", limits.firstContentMs);
    else if (isDue(idleDueMs)) this.#expire("stalled", `nothing received for ${limits.idleMs} ms`);
    else if (isDue(this.#totalDueMs)) this.#late("timeout_total", "not finished in time", limits.totalMs);
    else {
      const waiting = Math.min(this.#connectDueMs, this.#headersDueMs, this.#firstContentDueMs);
      this.#wakeBy(Math.min(waiting, idleDueMs, this.#totalDueMs), nowMs);
    }
  };

  #late(code: ProviderErrorCode, message: string, delayMs: number): void {
    this.#expire(code, `${message} (${delayMs} ms)`);
  }
}
