// What an emulated voice sounds like and how an emulated server hears: enough for clients that look at levels and times.
import { SAMPLE_RATE_HZ } from "../media.ts";

/** Speech at an unhurried pace: about fifteen characters a second. */
const MS_PER_CHARACTER = 65;

/** How long a text takes to say. */
export function spokenMs(text: string): number {
  return Math.max(60, text.length * MS_PER_CHARACTER);
}

/**
 * Speech-like PCM16: a voiced buzz with falling harmonics under a four-hertz syllable envelope. It continues at
 * `startMs`, so that pieces joined have no clicks.
 */
export function voice(durationMs: number, startMs = 0, rateHz: number = SAMPLE_RATE_HZ): Uint8Array {
  const count = Math.round((durationMs / 1000) * rateHz);
  const first = Math.round((startMs / 1000) * rateHz);
  const samples = new Int16Array(count);
  for (let index = 0; index < count; index++) {
    const at = (first + index) / rateHz;
    const envelope = 0.25 + 0.75 * Math.abs(Math.sin(Math.PI * 4 * at));
    const turn = 2 * Math.PI * 130 * at;
    const buzz = Math.sin(turn) + Math.sin(2 * turn) / 2 + Math.sin(3 * turn) / 3 + Math.sin(7 * turn) / 5;
    samples[index] = Math.round(5_000 * envelope * buzz);
  }
  return new Uint8Array(samples.buffer);
}

const WINDOW_MS = 20;

/** What a window of sound changed. Times are on the session's audio clock. */
export type Heard =
  | { readonly type: "started"; readonly atMs: number }
  | { readonly type: "stopped"; readonly atMs: number };

/** Energy against a fixed threshold, as far as a server's voice detection can be told from outside. */
export class Ear {
  readonly #rateHz: number;
  #rest = new Uint8Array(0);
  #clockMs = 0;
  #loudMs = 0;
  #quietMs = 0;
  #isSpeech = false;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  get clockMs(): number {
    return this.#clockMs;
  }

  get isSpeech(): boolean {
    return this.#isSpeech;
  }

  push(pcm: Uint8Array, limits: { readonly prefixMs: number; readonly silenceMs: number }): readonly Heard[] {
    const bytes = Buffer.concat([this.#rest, pcm]);
    const size = (this.#rateHz / 1000) * WINDOW_MS * 2;
    const heard: Heard[] = [];
    let offset = 0;
    for (; offset + size <= bytes.length; offset += size) {
      this.#clockMs += WINDOW_MS;
      const event = this.#fold(levelOf(bytes.subarray(offset, offset + size)), limits);
      if (event !== undefined) heard.push(event);
    }
    this.#rest = new Uint8Array(bytes.subarray(offset));
    return heard;
  }

  #fold(level: number, limits: { readonly prefixMs: number; readonly silenceMs: number }): Heard | undefined {
    const isLoud = level > 300;
    this.#loudMs = isLoud ? this.#loudMs + WINDOW_MS : 0;
    this.#quietMs = isLoud ? 0 : this.#quietMs + WINDOW_MS;
    if (!this.#isSpeech && this.#loudMs >= 2 * WINDOW_MS) {
      this.#isSpeech = true;
      return { type: "started", atMs: Math.max(0, this.#clockMs - this.#loudMs - limits.prefixMs) };
    }
    if (this.#isSpeech && this.#quietMs >= limits.silenceMs) {
      this.#isSpeech = false;
      return { type: "stopped", atMs: this.#clockMs - this.#quietMs };
    }
    return undefined;
  }
}

/** Root mean square of PCM16. */
function levelOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sum = 0;
  for (let index = 0; index + 1 < bytes.length; index += 2) sum += view.getInt16(index, true) ** 2;
  return Math.sqrt(sum / Math.max(1, bytes.length / 2));
}
