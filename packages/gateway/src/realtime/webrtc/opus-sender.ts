import type { Cancel, Clock } from "@fovea/core";
import { Resampler } from "@fovea/core";

/** One Opus packet. */
const FRAME_MS = 20;
const RATE_HZ = 24_000;
const FRAME_SAMPLES = (RATE_HZ / 1000) * FRAME_MS;
/** RTP clocks Opus at 48 kHz whatever it holds. */
const TICKS = 960;
/** What is ahead of its playing; more waits. Two seconds cover what the conversation runs ahead. */
const WAITING_MS_MAX = 5_000;

export interface SoundMark {
  readonly responseId: string;
  readonly itemId: string;
  readonly epoch: number;
  /** Place of the first sample in the item's sound. */
  readonly startMs: number;
}

export interface OpusSenderHost {
  encode(pcm: Int16Array): Uint8Array;
  packet(packet: { readonly payload: Uint8Array; readonly timestamp: number; readonly marker: boolean }): void;
  /** The first packet of a response leaves. */
  started(responseId: string): void;
  /** All sound that was given has left. */
  stopped(responseId: string): void;
  played(mark: { readonly itemId: string; readonly epoch: number; readonly audioMs: number }): void;
}

interface Piece {
  readonly mark: SoundMark;
  readonly pcm: Int16Array;
}

/** Sends sound as Opus at the pace of its playing: a packet every 20 ms, none in silence. */
export class OpusSender {
  readonly #clock: Clock;
  readonly #host: OpusSenderHost;
  #pieces: Piece[] = [];
  #waitingMs = 0;
  #resampler: { readonly fromHz: number; readonly filter: Resampler } | undefined;
  #cancel: Cancel | undefined;
  #originMs: number;
  #sounding: string | undefined;
  #dueMs = 0;
  #isFinished = false;

  constructor(clock: Clock, host: OpusSenderHost) {
    this.#clock = clock;
    this.#host = host;
    this.#originMs = clock.monotonicMs();
  }

  /** False where too much waits: whoever gives it does not keep to the pace. */
  push(pcm: Int16Array, rateHz: number, mark: SoundMark): boolean {
    if (this.#waitingMs > WAITING_MS_MAX) return false;
    this.#isFinished = false;
    const samples = this.#converted(pcm, rateHz);
    this.#pieces.push({ mark, pcm: samples.slice() });
    this.#waitingMs += (samples.length / RATE_HZ) * 1000;
    if (this.#cancel === undefined) {
      this.#dueMs = this.#clock.monotonicMs();
      this.#tick();
    }
    return true;
  }

  /** Nothing more is given of what sounds now. */
  finish(): void {
    this.#isFinished = true;
    this.#stopIfOver();
  }

  /** Forgets what has not left. True where something was sounding. */
  clear(): boolean {
    const wasSounding = this.#sounding !== undefined;
    this.#pieces = [];
    this.#waitingMs = 0;
    this.#sounding = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
    return wasSounding;
  }

  close(): void {
    this.clear();
  }

  #converted(pcm: Int16Array, rateHz: number): Int16Array {
    if (rateHz === RATE_HZ) return pcm;
    if (this.#resampler?.fromHz !== rateHz) {
      this.#resampler = { fromHz: rateHz, filter: new Resampler({ fromHz: rateHz, toHz: RATE_HZ, tapsPerSide: 16 }) };
    }
    return this.#resampler.filter.process(pcm);
  }

  #tick(): void {
    this.#cancel = undefined;
    // A late timer sends what is due, so that the far end's buffer does not run dry.
    while (this.#pieces.length > 0 && this.#clock.monotonicMs() >= this.#dueMs) {
      this.#sendOne();
      this.#dueMs += FRAME_MS;
    }
    if (this.#pieces.length > 0) {
      this.#cancel = this.#clock.schedule(Math.max(0, this.#dueMs - this.#clock.monotonicMs()), () => this.#tick());
      return;
    }
    this.#stopIfOver();
  }

  /** Running dry is a pause; the end is told. */
  #stopIfOver(): void {
    const sounding = this.#sounding;
    if (!this.#isFinished || sounding === undefined || this.#pieces.length > 0) return;
    this.#sounding = undefined;
    this.#host.stopped(sounding);
  }

  #sendOne(): void {
    const frame = new Int16Array(FRAME_SAMPLES);
    let filled = 0;
    let last: Piece | undefined;
    while (filled < FRAME_SAMPLES) {
      const piece = this.#pieces[0];
      if (piece === undefined) break;
      last = piece;
      const taken = piece.pcm.subarray(0, FRAME_SAMPLES - filled);
      frame.set(taken, filled);
      filled += taken.length;
      const startMs = piece.mark.startMs + (taken.length / RATE_HZ) * 1000;
      last = { mark: { ...piece.mark, startMs }, pcm: piece.pcm.subarray(taken.length) };
      if (last.pcm.length === 0) this.#pieces.shift();
      else this.#pieces[0] = last;
    }
    if (last === undefined) return;
    this.#waitingMs -= (filled / RATE_HZ) * 1000;
    const { mark } = last;
    const isFirst = this.#sounding !== mark.responseId;
    if (isFirst) {
      this.#sounding = mark.responseId;
      this.#host.started(mark.responseId);
    }
    const timestamp = Math.round((this.#dueMs - this.#originMs) / FRAME_MS) * TICKS;
    this.#host.packet({ payload: this.#host.encode(frame), timestamp, marker: isFirst });
    this.#host.played({ itemId: mark.itemId, epoch: mark.epoch, audioMs: mark.startMs });
  }
}
