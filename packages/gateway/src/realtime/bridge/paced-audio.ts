import type { Cancel, Clock } from "@fovea/core";

/** A stretch of one item's sound. */
export interface PacedPiece {
  readonly itemId: string;
  readonly turnId: string;
  readonly epoch: number;
  readonly pcm: Int16Array;
  readonly startMs: number;
}

/** Ten minutes; a vendor that sends more without pause is not answering anybody. */
const WAITING_MS_MAX = 600_000;
/** Pieces that leave at once are short, so that little is stale after an interruption. */
const PIECE_MS = 40;

/**
 * Lets sound go no further ahead of its playing than a lead. With an endless lead everything passes at once. The order is
 * kept; what is over the bound is refused.
 */
export class PacedAudio {
  readonly #clock: Clock;
  readonly #rateHz: number;
  readonly #send: (piece: PacedPiece) => void;
  readonly #waiting: (PacedPiece | (() => void))[] = [];
  #waitingMs = 0;
  /** When all that was sent will have been played. */
  #playedOutMs = -Infinity;
  #cancel: Cancel | undefined;
  leadMs: number;

  constructor(clock: Clock, rateHz: number, leadMs: number, send: (piece: PacedPiece) => void) {
    this.#clock = clock;
    this.#rateHz = rateHz;
    this.leadMs = leadMs;
    this.#send = send;
  }

  /** How much is still to be heard, sent or not. */
  get remainingMs(): number {
    return this.#waitingMs + Math.max(0, this.#playedOutMs - this.#clock.monotonicMs());
  }

  push(piece: PacedPiece): boolean {
    const lengthMs = this.#msOf(piece.pcm.length);
    if (this.#waitingMs + lengthMs > WAITING_MS_MAX) return false;
    const size = Number.isFinite(this.leadMs) ? Math.round((this.#rateHz * PIECE_MS) / 1000) : piece.pcm.length;
    for (let at = 0; at < piece.pcm.length; at += size) {
      const pcm = piece.pcm.subarray(at, at + size);
      this.#waiting.push({ ...piece, pcm, startMs: piece.startMs + this.#msOf(at) });
    }
    this.#waitingMs += lengthMs;
    this.#drain();
    return true;
  }

  /** Runs when everything before it has left. */
  after(task: () => void): void {
    this.#waiting.push(task);
    this.#drain();
  }

  /** Forgets what has not left. Tasks run: their owners wait for them. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waitingMs = 0;
    this.#playedOutMs = -Infinity;
    for (const entry of this.#waiting.splice(0)) if (typeof entry === "function") entry();
  }

  close(): void {
    this.#cancel?.();
    this.#waiting.length = 0;
  }

  #drain(): void {
    if (this.#cancel !== undefined) return;
    for (let entry = this.#waiting[0]; entry !== undefined; entry = this.#waiting[0]) {
      if (typeof entry === "function") {
        this.#waiting.shift();
        entry();
        continue;
      }
      const nowMs = this.#clock.monotonicMs();
      const aheadMs = this.#playedOutMs - nowMs;
      if (aheadMs > this.leadMs) {
        this.#cancel = this.#clock.schedule(aheadMs - this.leadMs, () => {
          this.#cancel = undefined;
          this.#drain();
        });
        return;
      }
      this.#waiting.shift();
      const lengthMs = this.#msOf(entry.pcm.length);
      this.#waitingMs -= lengthMs;
      this.#playedOutMs = Math.max(this.#playedOutMs, nowMs) + lengthMs;
      this.#send(entry);
    }
  }

  #msOf(samples: number): number {
    return (samples / this.#rateHz) * 1000;
  }
}
