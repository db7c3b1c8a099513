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

type Expire = (code: ProviderErrorCode, message: string) => void;

/** Five of the six timers of a call; the sixth, minimum throughput, belongs to the mesh, which sees the text. */
export class CallTimers {
  readonly #clock: Clock;
  readonly #limits: CallTimeouts;
  readonly #isWhole: boolean;
  readonly #expire: Expire;
  #connect: Cancel | undefined;
  #headers: Cancel | undefined;
  #firstContent: Cancel | undefined;
  #idle: Cancel | undefined;
  #total: Cancel | undefined;
  #lastBytesMs = 0;
  #isStopped = false;

  constructor(clock: Clock, options: HttpCallOptions, expire: Expire) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.#isWhole = options.isWhole === true;
    this.#expire = expire;
  }

  dispatched(): void {
    this.#connect = this.#arm(this.#limits.connectMs, "timeout_connect", "no connection in time");
    this.#total = this.#arm(this.#limits.totalMs, "timeout_total", "not finished in time");
  }

  connected(): void {
    this.#connect?.();
    this.#connect = undefined;
  }

  sent(): void {
    if (this.#isWhole || this.#isStopped) return;
    this.#headers ??= this.#arm(this.#limits.headersMs, "timeout_headers", "no response headers in time");
    this.#firstContent ??= this.#arm(this.#limits.firstContentMs, "timeout_first_token", "no content in time");
  }

  headersArrived(): void {
    this.connected();
    this.#headers?.();
    this.#headers = undefined;
    if (this.#isWhole) this.contentArrived();
  }

  bytesArrived(): void {
    if (this.#idle !== undefined) this.#lastBytesMs = this.#clock.monotonicMs();
  }

  contentArrived(): void {
    if (this.#isStopped || this.#idle !== undefined) return;
    this.#firstContent?.();
    this.#firstContent = undefined;
    this.#lastBytesMs = this.#clock.monotonicMs();
    this.#watchIdle(this.#limits.idleMs);
  }

  /** The answer is complete; only the end of the body is missing. */
  ending(giveUp: () => void): void {
    this.stop();
    this.#total = this.#clock.schedule(BODY_END_MS, giveUp);
  }

  stop(): void {
    this.#isStopped = true;
    for (const cancel of [this.#connect, this.#headers, this.#firstContent, this.#idle, this.#total]) cancel?.();
  }

  /** One timer for the whole stream, moved only when it fires: rescheduling at every chunk would cost more than the chunk. */
  #watchIdle(delayMs: number): void {
    this.#idle = this.#clock.schedule(delayMs, () => {
      if (this.#isStopped) return;
      const leftMs = this.#lastBytesMs + this.#limits.idleMs - this.#clock.monotonicMs();
      if (leftMs > 0) this.#watchIdle(leftMs);
      else this.#expire("stalled", `nothing received for ${this.#limits.idleMs} ms`);
    });
  }

  #arm(delayMs: number, code: ProviderErrorCode, message: string): Cancel {
    return this.#clock.schedule(delayMs, () => {
      if (!this.#isStopped) this.#expire(code, `${message} (${delayMs} ms)`);
    });
  }
}
