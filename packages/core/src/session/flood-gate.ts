// How much of each class of input a connection may send. Poses beyond the rate are dropped (the next one says more);
// control messages beyond it are refused with an error, and a connection that goes on regardless is ended.
import type { SessionLimits } from "./session-ports.ts";
import { TokenBucket } from "./token-bucket.ts";

export type InputClass = "pose" | "control" | "ask" | "image" | "media";

const IMAGES_PER_SECOND = 5;
/** Microphone, 50 packets a second, with room for a burst after a stall. */
const MEDIA_PER_SECOND = 120;
const REFUSAL_WINDOW_MS = 10_000;
/** One told refusal a second is enough for a client that floods. */
const TELL_MS = 1_000;

export class FloodGate {
  readonly #buckets: Readonly<Record<InputClass, TokenBucket>>;
  readonly #refusalsMax: number;
  #refusals = 0;
  #windowMs = -Infinity;
  #toldMs = -Infinity;

  constructor(limits: SessionLimits) {
    // Half as much again as agreed: clocks differ and packets bunch.
    this.#buckets = {
      pose: new TokenBucket(Math.max(limits.poseHz * 1.5, 135), 90),
      control: new TokenBucket(limits.controlMessagesPerSecondMax, limits.controlMessagesPerSecondMax * 2),
      ask: new TokenBucket(limits.asksPerSecondMax, limits.asksPerSecondMax),
      image: new TokenBucket(IMAGES_PER_SECOND, IMAGES_PER_SECOND * 2),
      media: new TokenBucket(MEDIA_PER_SECOND, MEDIA_PER_SECOND * 2),
    };
    this.#refusalsMax = limits.refusalsMax;
  }

  admits(input: InputClass, nowMs: number): boolean {
    return this.#buckets[input].take(nowMs);
  }

  waitMs(input: InputClass): number {
    return this.#buckets[input].waitMs();
  }

  /** Counts something refused; true when there were too many of them within the window. */
  noteRefusal(nowMs: number): boolean {
    if (nowMs - this.#windowMs > REFUSAL_WINDOW_MS) {
      this.#windowMs = nowMs;
      this.#refusals = 0;
    }
    this.#refusals++;
    return this.#refusals > this.#refusalsMax;
  }

  /** Whether the client is to be told of a flood now. */
  shallTell(nowMs: number): boolean {
    if (nowMs - this.#toldMs < TELL_MS) return false;
    this.#toldMs = nowMs;
    return true;
  }
}
