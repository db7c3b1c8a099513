import type { Cancel, Clock } from "@fovea/core";

/** Bursts of this many seconds pass: clients send what they recorded while connecting in one go. */
const BURST_S = 8;

/** Reads a socket no faster than so many bytes and messages a second, by pausing it: TCP holds the sender back. */
export class ReadingPace {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  readonly #messagesPerMs: number;
  readonly #socket: { pause(): void; resume(): void };
  #bytes: number;
  #messages: number;
  #atMs: number;
  #cancel: Cancel | undefined;

  constructor(
    clock: Clock,
    limits: { readonly bytesPerSecond: number; readonly messagesPerSecond: number },
    socket: { pause(): void; resume(): void },
  ) {
    this.#clock = clock;
    this.#socket = socket;
    this.#bytesPerMs = limits.bytesPerSecond / 1000;
    this.#messagesPerMs = limits.messagesPerSecond / 1000;
    this.#bytes = limits.bytesPerSecond * BURST_S;
    this.#messages = limits.messagesPerSecond * BURST_S;
    this.#atMs = clock.monotonicMs();
  }

  took(bytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    const passedMs = nowMs - this.#atMs;
    this.#atMs = nowMs;
    this.#bytes = Math.min(this.#bytesPerMs * 1000 * BURST_S, this.#bytes + passedMs * this.#bytesPerMs) - bytes;
    this.#messages =
      Math.min(this.#messagesPerMs * 1000 * BURST_S, this.#messages + passedMs * this.#messagesPerMs) - 1;
    const waitMs = Math.max(-this.#bytes / this.#bytesPerMs, -this.#messages / this.#messagesPerMs);
    if (waitMs <= 0 || this.#cancel !== undefined) return;
    this.#socket.pause();
    this.#cancel = this.#clock.schedule(Math.min(waitMs, 10_000), () => {
      this.#cancel = undefined;
      this.#socket.resume();
    });
  }

  close(): void {
    this.#cancel?.();
  }
}
