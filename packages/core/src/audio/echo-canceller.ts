// Takes the gateway's own voice out of the microphone. Clients cannot do it: browsers do not cancel what Web Audio
// renders, and spatialised speech is rendered by Web Audio. The gateway knows exactly what it sent, so it filters that
// through an adaptive model of the room (normalised least mean squares; Haykin, "Adaptive Filter Theory", chapter 6)
// and subtracts.
//
// While the user speaks over the answer a single filter would learn from the user's voice and fall apart. So there are
// two (Ochiai, Araseki and Ogihara, IEEE Trans. Communications 1977): one learns all the time, the other is used for
// the output and takes over the learnt weights only after they have cancelled clearly better for 100 ms; when the
// learner has gone astray it is set back. No threshold on loudness is needed, so a quiet user is protected as well.

export interface EchoCancellerOptions {
  readonly sampleRateHz: number;
  /** From the delay estimator; the filter starts 20 ms before it. */
  readonly delayMs: number;
  /** Length of the room's echo that is modelled; 64 ms unless told. */
  readonly tailMs?: number;
  readonly step?: number;
}

const LEAD_MS = 20;
const REGULARIZATION = 1_000;
/** The verdict on the two filters is taken every 10 ms. */
const BLOCK_MS = 10;
/** Ten better blocks in a row: shorter than a syllable, longer than a lucky stretch. */
const BLOCKS_TO_TRUST = 10;
/** "Clearly better": 10 % less energy left than with the weights in use, and 6 dB less than the microphone heard. The
 * second half is what double talk cannot meet: the user's voice stays in what is left. */
const BETTER_SHARE = 0.9;
const HEARD_SHARE = 0.25;
/** Astray: leaves twice the energy of the alternative. */
const ASTRAY_RATIO = 2;

/** Blocks below this level hold rounding and hiss, not evidence. */
const FLOOR_RMS = 20;

export class EchoCanceller {
  readonly #used: Float32Array;
  readonly #learning: Float32Array;
  readonly #reference: Float32Array;
  readonly #delayLine: Float32Array;
  readonly #step: number;
  readonly #blockSamples: number;
  #written = 0;
  #power = 0;
  #energyHeard = 0;
  #energyUsed = 0;
  #energyLearning = 0;
  #betterBlocks = 0;
  #worseBlocks = 0;

  constructor({ sampleRateHz, delayMs, tailMs = 64, step = 0.35 }: EchoCancellerOptions) {
    const taps = Math.round((tailMs * sampleRateHz) / 1_000);
    this.#used = new Float32Array(taps);
    this.#learning = new Float32Array(taps);
    // Twice the taps: the newest `taps` samples always lie in one piece, so the inner loops need no wrap.
    this.#reference = new Float32Array(taps * 2);
    this.#delayLine = new Float32Array(Math.max(0, Math.round(((delayMs - LEAD_MS) * sampleRateHz) / 1_000)) + 1);
    this.#step = step;
    this.#blockSamples = (BLOCK_MS * sampleRateHz) / 1_000;
  }

  /** `reference` is what was played during the time of `microphone`; same length. Returns the microphone without it. */
  process(reference: Int16Array, microphone: Int16Array): Int16Array {
    const output = new Int16Array(microphone.length);
    for (let i = 0; i < microphone.length; i++) {
      const heard = microphone[i] as number;
      const start = this.#shift(reference[i] as number);
      const left = heard - this.#estimate(this.#used, start);
      const error = heard - this.#estimate(this.#learning, start);
      if (this.#power > REGULARIZATION) this.#adapt(start, error);
      this.#energyHeard += heard * heard;
      this.#energyUsed += left * left;
      this.#energyLearning += error * error;
      if (this.#written % this.#blockSamples === 0) this.#judge();
      output[i] = Math.max(-32768, Math.min(32767, Math.round(left)));
    }
    return output;
  }

  /** Puts one sample through the bulk delay into the filter's window and returns where the window starts. */
  #shift(sample: number): number {
    const size = this.#delayLine.length;
    this.#delayLine[this.#written % size] = sample;
    const delayed = this.#delayLine[(this.#written + 1) % size] as number;
    const taps = this.#used.length;
    const slot = taps - 1 - (this.#written % taps);
    const leaving = this.#reference[slot] as number;
    this.#reference[slot] = delayed;
    this.#reference[slot + taps] = delayed;
    this.#power = Math.max(0, this.#power + delayed * delayed - leaving * leaving);
    this.#written++;
    return slot;
  }

  #estimate(weights: Float32Array, start: number): number {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += (weights[k] as number) * (this.#reference[start + k] as number);
    return sum;
  }

  #adapt(start: number, error: number): void {
    const gain = (this.#step * error) / (this.#power + REGULARIZATION);
    const weights = this.#learning;
    for (let k = 0; k < weights.length; k++) {
      weights[k] = (weights[k] as number) + gain * (this.#reference[start + k] as number);
    }
  }

  #judge(): void {
    const floor = this.#blockSamples * FLOOR_RMS ** 2;
    const heard = this.#energyHeard + floor;
    const used = this.#energyUsed + floor;
    const learning = this.#energyLearning + floor;
    const isBetter = learning < BETTER_SHARE * used && learning < HEARD_SHARE * heard;
    // A quiet block says nothing: it neither confirms nor interrupts a run of better ones.
    if (heard > 4 * floor) this.#betterBlocks = isBetter ? this.#betterBlocks + 1 : 0;
    this.#worseBlocks = used > ASTRAY_RATIO * heard ? this.#worseBlocks + 1 : 0;
    // Worse than no filter at all for as long: the room or the delay has changed, start again.
    if (this.#worseBlocks >= BLOCKS_TO_TRUST) this.#used.fill(0);
    if (this.#betterBlocks >= BLOCKS_TO_TRUST) {
      this.#used.set(this.#learning);
      this.#betterBlocks = 0;
    } else if (learning > ASTRAY_RATIO * used) {
      this.#learning.set(this.#used);
    }
    this.#energyHeard = 0;
    this.#energyUsed = 0;
    this.#energyLearning = 0;
  }
}
