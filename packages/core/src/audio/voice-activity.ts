// Is somebody speaking? Two cues that need no model: how far a window stands above the noise of the room, and how periodic
// it is, because vowels are and noise, clicks and breath are not. The periodicity is looked for below 1 kHz, where a voice
// keeps its pitch in noise that drowns the rest. It is the floor for machines that have no trained detector; figures are in
// docs/spec/audio.md (AU12 to AU15).
import { levelDb, NoiseFloor, SILENCE_DB } from "./level.ts";

/** 20 ms at 16 kHz, the packets of the wire. */
export const VOICE_WINDOW = 320;
export const VOICE_RATE_HZ = 16_000;

const DECIMATION = 4;
/** 40 ms at 4 kHz: two periods of the deepest voice. */
const FRAME = 160;
/** Periods of 400 to 70 Hz at 4 kHz. */
const LAG_MIN = 10;
const LAG_MAX = 57;
const WINDOW_MS = (VOICE_WINDOW / VOICE_RATE_HZ) * 1_000;
/** A voice at arm's length is far above this; hiss and hum of a muted microphone are below. */
const LEVEL_MIN_DB = -58;
/** Consonants between vowels: a loud window within this of a voiced one is speech too. */
const VOICED_MS = 160;

export interface VoiceActivityOptions {
  /** Decibels above the noise of the room; 9 unless told. */
  readonly aboveNoiseDb?: number;
  /** 0 to 1, height of the periodicity; 0.5 unless told. */
  readonly periodicity?: number;
}

export interface VoiceWindow {
  readonly isSpeech: boolean;
  /** 0 to 1, for detectors and thresholds of others. */
  readonly probability: number;
  readonly levelDb: number;
  readonly noiseDb: number;
}

/** One microphone. `fold` takes windows of `VOICE_WINDOW` samples at 16 kHz in order. */
export class VoiceActivity {
  readonly #aboveNoiseDb: number;
  readonly #periodicity: number;
  readonly #floor = new NoiseFloor();
  /** Newest `FRAME` samples at 4 kHz, oldest first. */
  readonly #frame = new Float32Array(FRAME);
  #low1 = 0;
  #low2 = 0;
  #sinceVoicedMs = Infinity;

  constructor(options: VoiceActivityOptions = {}) {
    this.#aboveNoiseDb = options.aboveNoiseDb ?? 9;
    this.#periodicity = options.periodicity ?? 0.5;
  }

  fold(window: Int16Array): VoiceWindow {
    const level = levelDb(window);
    const low = this.#pushLow(window);
    const noise = this.#floor.fold(low, WINDOW_MS);
    const above = low - noise;
    const isLoud = level > LEVEL_MIN_DB && above > this.#aboveNoiseDb;
    const periodicity = isLoud ? this.#periodicityOf() : 0;
    const isVoiced = isLoud && periodicity > this.#periodicity;
    this.#sinceVoicedMs = isVoiced ? 0 : this.#sinceVoicedMs + WINDOW_MS;
    const isSpeech = isVoiced || (isLoud && this.#sinceVoicedMs <= VOICED_MS);
    const probability = isLoud ? Math.max(isSpeech ? 0.5 : 0, periodicity) : 0;
    return { isSpeech, probability, levelDb: level, noiseDb: noise };
  }

  /** Two one-pole low passes at about 900 Hz, then every fourth sample. Returns the level of what passed, dBFS. */
  #pushLow(window: Int16Array): number {
    const added = window.length / DECIMATION;
    this.#frame.copyWithin(0, added);
    let at = FRAME - added;
    let energy = 0;
    for (let i = 0; i < window.length; i++) {
      this.#low1 += 0.3 * ((window[i] as number) - this.#low1);
      this.#low2 += 0.3 * (this.#low1 - this.#low2);
      energy += this.#low2 * this.#low2;
      if (i % DECIMATION === DECIMATION - 1) this.#frame[at++] = this.#low2;
    }
    if (energy === 0) return SILENCE_DB;
    return Math.max(SILENCE_DB, 10 * Math.log10(energy / window.length) - 20 * Math.log10(32768));
  }

  /** Highest normalised autocorrelation over the periods of a voice, the mean removed. */
  #periodicityOf(): number {
    const frame = this.#frame;
    let mean = 0;
    for (let i = 0; i < FRAME; i++) mean += frame[i] as number;
    mean /= FRAME;
    let best = 0;
    for (let lag = LAG_MIN; lag <= LAG_MAX; lag++) {
      let product = 0;
      let energyA = 0;
      let energyB = 0;
      for (let i = lag; i < FRAME; i++) {
        const a = (frame[i] as number) - mean;
        const b = (frame[i - lag] as number) - mean;
        product += a * b;
        energyA += a * a;
        energyB += b * b;
      }
      const value = product / (Math.sqrt(energyA * energyB) + 1);
      if (value > best) best = value;
    }
    return best;
  }
}
