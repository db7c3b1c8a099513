// Sample-rate conversion by a polyphase windowed-sinc filter (Kaiser window; Oppenheim & Schafer, "Discrete-Time Signal
// Processing", section 7.6). Linear interpolation, the usual shortcut, folds everything above the new band straight
// back into speech; this filter holds aliases near -100 dB. Only the taps that meet an input sample are evaluated, and
// the tail stays between calls, so that a stream in pieces equals the same stream in one piece.

/** Beta 8 gives about 80 dB of stop-band attenuation before the band edge margin. */
const KAISER_BETA = 8;
/** Band edge as a share of the lower Nyquist rate: room for the filter to fall before aliases begin. */
const CUTOFF_SHARE = 0.92;

export interface ResampleOptions {
  readonly fromHz: number;
  readonly toHz: number;
  /** Half length of the filter in samples of the lower rate; 32 unless told. */
  readonly tapsPerSide?: number;
}

/** Modified Bessel function of the first kind, order zero, by its power series. */
function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function buildFilter(up: number, down: number, tapsPerSide: number): Float32Array {
  const factor = Math.max(up, down);
  const half = tapsPerSide * factor;
  const cutoff = (CUTOFF_SHARE * 0.5) / factor;
  const taps = new Float32Array(2 * half + 1);
  for (let n = -half; n <= half; n++) {
    const x = 2 * Math.PI * cutoff * n;
    const sinc = n === 0 ? 2 * cutoff : Math.sin(x) / (Math.PI * n);
    const window = bessel0(KAISER_BETA * Math.sqrt(1 - (n / half) ** 2)) / bessel0(KAISER_BETA);
    taps[n + half] = sinc * window * up;
  }
  return taps;
}

/** Converts one mono stream. Output is delayed by `delaySamples` of the output rate, the filter's half length. */
export class Resampler {
  readonly delaySamples: number;
  readonly #up: number;
  readonly #down: number;
  readonly #taps: Float32Array;
  readonly #reach: number;
  #history: Float32Array;
  /** Position of the next output sample on the up-sampled grid, relative to the first sample of `#history`. */
  #phase: number;

  constructor({ fromHz, toHz, tapsPerSide = 32 }: ResampleOptions) {
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.#up = toHz / divisor;
    this.#down = fromHz / divisor;
    this.#taps = buildFilter(this.#up, this.#down, tapsPerSide);
    this.#reach = Math.ceil(this.#taps.length / this.#up);
    this.#history = new Float32Array(this.#reach);
    this.#phase = this.#reach * this.#up;
    this.delaySamples = (this.#taps.length - 1) / 2 / this.#down;
  }

  /** PCM16 in, PCM16 out; any length. The result is the caller's. */
  process(input: Int16Array): Int16Array {
    const joined = new Float32Array(this.#history.length + input.length);
    joined.set(this.#history);
    for (let i = 0; i < input.length; i++) joined[this.#history.length + i] = input[i] as number;
    const end = joined.length * this.#up;
    const output = new Int16Array(Math.max(0, Math.ceil((end - this.#phase) / this.#down)));
    for (let i = 0; i < output.length; i++) {
      output[i] = this.#at(joined, this.#phase);
      this.#phase += this.#down;
    }
    const kept = joined.length - this.#reach;
    this.#history = joined.slice(kept);
    this.#phase -= kept * this.#up;
    return output;
  }

  #at(samples: Float32Array, phase: number): number {
    let sum = 0;
    // Newest input at or before the phase; every step back in input is `up` taps further into the filter.
    let index = Math.floor(phase / this.#up);
    for (let tap = phase - index * this.#up; tap < this.#taps.length && index >= 0; tap += this.#up, index--) {
      sum += (samples[index] as number) * (this.#taps[tap] as number);
    }
    return Math.max(-32768, Math.min(32767, Math.round(sum)));
  }
}
