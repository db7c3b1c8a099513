// The utterance at hand without the noise of the room, made while it is spoken, so that it is ready at the pause.
import type { TimedAudio } from "@fovea/core";
import type { CleanStream, NoiseSuppressor } from "../../audio/noise-suppressor.ts";

/** Below this the room is quiet enough that cleaning would cost more than it gives. dBFS. */
const NOISE_MIN_DB = -62;

export class CleanSpeech {
  readonly #suppressor: NoiseSuppressor;
  readonly #heard: TimedAudio;
  #stream: CleanStream | undefined;
  #fromMs = 0;
  #pushedMs = 0;
  #isOn = false;

  constructor(suppressor: NoiseSuppressor, heard: TimedAudio) {
    this.#suppressor = suppressor;
    this.#heard = heard;
  }

  /** An utterance begins at `fromMs`. */
  begin(fromMs: number, noiseDb: number | undefined, isForced: boolean): void {
    this.end();
    this.#isOn = isForced || (noiseDb !== undefined && noiseDb > NOISE_MIN_DB);
    this.#fromMs = fromMs;
    if (this.#isOn) this.#open();
  }

  /** A window was heard. After a pause that was none the utterance is cleaned again from its start. */
  follow(isSpeech: boolean): void {
    if (!this.#isOn) return;
    if (this.#stream === undefined) {
      if (isSpeech) this.#open();
      return;
    }
    const endMs = this.#heard.endMs;
    this.#stream.push(this.#heard.slice(this.#pushedMs, endMs));
    this.#pushedMs = endMs;
  }

  /** The stretch from the utterance's start, clean; undefined where it is to be taken as it was heard. */
  async take(fromMs: number, untilMs: number): Promise<Int16Array | undefined> {
    const stream = this.#stream;
    if (stream === undefined || fromMs !== this.#fromMs) return undefined;
    this.#stream = undefined;
    try {
      const whole = await stream.finish();
      const count = Math.round(((untilMs - fromMs) * this.#heard.rateHz) / 1_000);
      return whole.subarray(0, count);
    } catch {
      return undefined;
    }
  }

  end(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#isOn = false;
  }

  #open(): void {
    const endMs = this.#heard.endMs;
    this.#stream = this.#suppressor.stream();
    this.#stream.push(this.#heard.slice(this.#fromMs, endMs));
    this.#pushedMs = endMs;
  }
}
