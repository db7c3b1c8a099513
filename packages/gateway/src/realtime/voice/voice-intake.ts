// From packets of a microphone to windows of clean 16 kHz audio with a verdict: resampled without aliases, placed in time,
// freed from the gateway's own voice, judged. All of it is synchronous and costs about 0.5 ms of CPU for a second of audio
// while nothing plays, so it stays on the thread of its session: handing a packet to a worker and back costs as much.
import { EchoGuard, Resampler, SampleRing, TimedAudio, VOICE_RATE_HZ, VOICE_WINDOW, VoiceActivity } from "@fovea/core";
import type { VoiceWindow } from "@fovea/core";

export interface IntakeOptions {
  readonly keptMs: number;
  readonly cancelsEcho: boolean;
  /** `endMs` is the end of the window on the clock of the packets. */
  readonly onWindow: (window: VoiceWindow, endMs: number) => void;
}

const WINDOW_MS = (VOICE_WINDOW * 1_000) / VOICE_RATE_HZ;
/** Later than this after its predecessor, a packet does not follow it. */
const GAP_MS = 40;
const RING_SAMPLES = 16_384;

export class VoiceIntake {
  readonly heard: TimedAudio;
  readonly #options: IntakeOptions;
  readonly #activity = new VoiceActivity();
  readonly #guard = new EchoGuard(VOICE_RATE_HZ);
  readonly #played: TimedAudio;
  readonly #ring = new SampleRing(RING_SAMPLES);
  readonly #window = new Int16Array(VOICE_WINDOW);
  #resampler: { readonly fromHz: number; readonly resampler: Resampler } | undefined;
  #nextMs: number | undefined;
  #firstMs: number | undefined;
  #noiseDb: number | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.heard = new TimedAudio(VOICE_RATE_HZ, options.keptMs);
    // What was played a moment ago, and what has been sent ahead.
    this.#played = new TimedAudio(VOICE_RATE_HZ, 8_000);
  }

  /** Of the first packet; undefined before it. */
  get firstMs(): number | undefined {
    return this.#firstMs;
  }

  /** End of what was judged; undefined before the first window. */
  get endMs(): number | undefined {
    return this.heard.isEmpty ? undefined : this.heard.endMs;
  }

  get noiseDb(): number | undefined {
    return this.#noiseDb;
  }

  get isEchoConverged(): boolean {
    return this.#guard.isConverged;
  }

  push(samples: Int16Array, rateHz: number, atMs: number): void {
    const at16 = rateHz === VOICE_RATE_HZ ? samples : this.#resamplerFor(rateHz).process(samples);
    const expectedMs =
      this.#nextMs === undefined ? undefined : this.#nextMs + (this.#ring.length * 1_000) / VOICE_RATE_HZ;
    if (expectedMs === undefined || atMs > expectedMs + GAP_MS) {
      this.#ring.clear();
      this.#nextMs = atMs;
      this.#firstMs ??= atMs;
    }
    for (let start = 0; start < at16.length; start += RING_SAMPLES / 2) {
      this.#ring.push(at16.subarray(start, start + RING_SAMPLES / 2));
      while (this.#ring.take(this.#window)) this.#judge();
    }
  }

  /** What the user will hear from `atMs` on, mono at 16 kHz. */
  played(samples: Int16Array, atMs: number): void {
    if (this.#options.cancelsEcho) this.#played.push(samples, atMs);
  }

  /** What was sent ahead of this instant was dropped before it sounded. */
  silenced(atMs: number): void {
    this.#played.cutAfter(atMs);
  }

  #judge(): void {
    const fromMs = this.#nextMs ?? 0;
    this.#nextMs = fromMs + WINDOW_MS;
    const clean = this.#options.cancelsEcho
      ? this.#guard.process(this.#played.slice(fromMs, fromMs + WINDOW_MS), this.#window)
      : this.#window;
    this.heard.push(clean, fromMs);
    const verdict = this.#activity.fold(clean);
    this.#noiseDb = verdict.noiseDb;
    // What the echo explains is nobody's speech.
    const isOurs = this.#options.cancelsEcho && this.#guard.isPlaying && !this.#guard.isNear;
    this.#options.onWindow(isOurs ? { ...verdict, isSpeech: false } : verdict, fromMs + WINDOW_MS);
  }

  #resamplerFor(fromHz: number): Resampler {
    if (this.#resampler?.fromHz !== fromHz) {
      this.#resampler = { fromHz, resampler: new Resampler({ fromHz, toHz: VOICE_RATE_HZ, tapsPerSide: 16 }) };
    }
    return this.#resampler.resampler;
  }
}
