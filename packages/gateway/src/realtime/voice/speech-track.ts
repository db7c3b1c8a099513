// The sound of one answer on its way to a speaker: sentences are spoken one after the other, the next one while the one
// before plays, and leave in packets that run ahead of their playing by no more than the lead. Bounded by construction: a
// voice is read only while less than `READY_MS` waits.
import type { Cancel, Clock, TimedText } from "@fovea/core";
import { estimateWords, WordAligner } from "@fovea/core";

export interface SpeechTrackPort {
  /** In order. The samples may be read during the call only. */
  audio(pcm: Int16Array, startMs: number): void;
  /** Of a sentence that begins at `fromMs`: estimated when its first sound comes, put right when its length is known. */
  words(sentence: string, fromMs: number, words: readonly TimedText[], isExact: boolean): void;
  /** First sound of the track. */
  started(): void;
  /** Everything was sent; `durationMs` in all. */
  sent(durationMs: number): void;
  failed(error: unknown): void;
}

export interface SpeechTrackOptions {
  readonly clock: Clock;
  readonly rateHz: number;
  readonly leadMs: number;
  readonly port: SpeechTrackPort;
  readonly speak: (text: string, signal: AbortSignal) => AsyncIterable<Int16Array>;
}

const PACKET_MS = 20;
/** Enough to bridge the start of the next sentence; more would only be thrown away by an interruption. */
const READY_MS = 3_000;
/** A connection that was lost took at most the lead and what was on its way: three seconds. */
const KEPT_PACKETS = 150;
/** Between two sentences of one breath. */
const GAP_MS = 60;

export class SpeechTrack {
  readonly #options: SpeechTrackOptions;
  readonly #abort = new AbortController();
  readonly #sentences: string[] = [];
  readonly #ready: Int16Array[] = [];
  readonly #packet: Int16Array;
  #readyMs = 0;
  #filled = 0;
  /** Of the track's audio, what was made and what was sent. */
  #madeMs = 0;
  #sentMs = 0;
  /** When the first sample is due to sound; later sentences follow it, or come later where they were late. */
  #zeroMs: number | undefined;
  #isSpeaking = false;
  #isComplete = false;
  #isPaused = false;
  /** The last packets that were sent, whole. */
  readonly #sentKept: Int16Array[] = [];
  #isDone = false;
  #cancelTimer: Cancel | undefined;
  #wake: (() => void) | undefined;

  constructor(options: SpeechTrackOptions) {
    this.#options = options;
    this.#packet = new Int16Array((options.rateHz * PACKET_MS) / 1_000);
  }

  /** Audio sent so far. */
  get sentMs(): number {
    return this.#sentMs;
  }

  /** When the last sample that was sent will have sounded, by the pace it was sent at. */
  get soundsUntilMs(): number | undefined {
    return this.#zeroMs === undefined ? undefined : this.#zeroMs + this.#sentMs;
  }

  get hasSounded(): boolean {
    return this.#zeroMs !== undefined;
  }

  say(sentence: string): void {
    if (this.#isDone || sentence.trim() === "") return;
    this.#sentences.push(sentence);
    if (!this.#isSpeaking) void this.#speakAll();
  }

  /** Nobody is there to hear it: what has not left stays. */
  pause(): void {
    this.#isPaused = true;
    this.#cancelTimer?.();
  }

  /** Goes on; from `fromMs` of the item where what was sent after it got lost, as far back as it is kept. */
  resume(fromMs = this.#sentMs): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const lostMs = Math.min(this.#sentMs - fromMs, this.#sentKept.length * PACKET_MS);
    const lost = lostMs <= 0 ? [] : this.#sentKept.slice(-Math.ceil(lostMs / PACKET_MS));
    const ms = lost.reduce((sum, piece) => sum + (piece.length * 1_000) / this.#options.rateHz, 0);
    // A packet that was being filled stands after what was lost.
    const partial = this.#packet.slice(0, this.#filled);
    this.#filled = 0;
    this.#ready.unshift(...lost, ...(partial.length === 0 ? [] : [partial]));
    this.#readyMs += ms + (partial.length * 1_000) / this.#options.rateHz;
    this.#sentMs -= ms;
    this.#sentKept.length = 0;
    this.#pump();
  }

  /** No sentence will follow. */
  complete(): void {
    this.#isComplete = true;
    this.#pump();
  }

  /** Sentences that have not begun to sound. */
  get unsaid(): string {
    return this.#sentences.join("");
  }

  /** Nothing of it leaves any more. */
  stop(): void {
    this.#isDone = true;
    this.#abort.abort();
    this.#cancelTimer?.();
    this.#ready.length = 0;
    this.#wake?.();
  }

  async #speakAll(): Promise<void> {
    this.#isSpeaking = true;
    try {
      for (let text = this.#sentences.shift(); text !== undefined && !this.#isDone; text = this.#sentences.shift()) {
        await this.#speakOne(text);
      }
    } catch (error) {
      if (this.#isDone) return;
      this.#sentences.length = 0;
      this.#options.port.failed(error);
    } finally {
      this.#isSpeaking = false;
      this.#pump();
    }
  }

  async #speakOne(text: string): Promise<void> {
    const { rateHz, port, speak } = this.#options;
    if (this.#madeMs > 0) this.#put(new Int16Array((rateHz * GAP_MS) / 1_000));
    const fromMs = this.#madeMs;
    const aligner = new WordAligner(rateHz);
    for await (const piece of speak(text, this.#abort.signal)) {
      if (this.#isDone) return;
      if (this.#madeMs === fromMs) port.words(text, fromMs, estimated(text, fromMs), false);
      aligner.push(piece);
      this.#put(piece);
      await this.#hasRoom();
    }
    if (this.#isDone || this.#madeMs === fromMs) return;
    port.words(text, fromMs, shifted(aligner.align(text), fromMs), true);
  }

  #put(piece: Int16Array): void {
    if (piece.length === 0) return;
    const ms = (piece.length * 1_000) / this.#options.rateHz;
    this.#ready.push(piece);
    this.#readyMs += ms;
    this.#madeMs += ms;
    this.#pump();
  }

  async #hasRoom(): Promise<void> {
    while (this.#readyMs > READY_MS && !this.#isDone) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Sends what may leave now, and sets the timer for the rest. */
  #pump(): void {
    if (this.#isDone || this.#isPaused) return;
    const { clock, leadMs, port } = this.#options;
    const nowMs = clock.monotonicMs();
    while (!this.#isDone && this.#fill()) {
      if (this.#zeroMs === undefined) {
        this.#zeroMs = nowMs;
        port.started();
      }
      // A voice that was late moves what follows: silence was heard meanwhile.
      if (this.#zeroMs + this.#sentMs < nowMs) this.#zeroMs = nowMs - this.#sentMs;
      const waitMs = this.#zeroMs + this.#sentMs - leadMs - nowMs;
      if (waitMs > 0) return this.#arm(waitMs);
      const samples = this.#packet.subarray(0, this.#filled);
      const startMs = this.#sentMs;
      this.#filled = 0;
      this.#sentMs += (samples.length * 1_000) / this.#options.rateHz;
      this.#sentKept.push(samples.slice());
      if (this.#sentKept.length > KEPT_PACKETS) this.#sentKept.shift();
      port.audio(samples, startMs);
    }
    if (this.#isComplete && !this.#isSpeaking && !this.#isDone && this.#ready.length === 0 && this.#filled === 0) {
      this.#isDone = true;
      port.sent(this.#sentMs);
    }
  }

  /** One packet, or the rest of the track. */
  #fill(): boolean {
    while (this.#filled < this.#packet.length) {
      const piece = this.#ready[0];
      if (piece === undefined) break;
      const count = Math.min(piece.length, this.#packet.length - this.#filled);
      this.#packet.set(piece.subarray(0, count), this.#filled);
      this.#filled += count;
      this.#readyMs -= (count * 1_000) / this.#options.rateHz;
      if (count === piece.length) this.#ready.shift();
      else this.#ready[0] = piece.subarray(count);
    }
    if (this.#readyMs <= READY_MS) this.#wake?.();
    if (this.#filled === this.#packet.length) return true;
    return this.#filled > 0 && this.#isComplete && !this.#isSpeaking && this.#sentences.length === 0;
  }

  #arm(waitMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.schedule(Math.max(waitMs, PACKET_MS / 2), () => this.#pump());
  }
}

function estimated(text: string, fromMs: number): readonly TimedText[] {
  return shifted(estimateWords(text, undefined), fromMs);
}

function shifted(words: readonly TimedText[], byMs: number): readonly TimedText[] {
  return words.map(({ text, startMs, endMs }) => ({ text, startMs: startMs + byMs, endMs: endMs + byMs }));
}
