const TAPS = 16;
const HALF = TAPS / 2;

/**
 * Raises the rate of one stream of speech to that of the page's sound, across the borders of packets: a source node for
 * each packet would interpolate every packet for itself, and its borders would click. Windowed sinc (Hann), 16 taps.
 */
export class Upsampler {
  readonly #step: number;
  #history = new Float32Array(TAPS);
  /** Of the next output sample, in input samples from the start of `#history`. */
  #position = HALF;

  constructor(fromHz: number, toHz: number) {
    this.#step = fromHz / toHz;
  }

  /** PCM16 in, samples from -1 to 1 out; the result is the caller's. Half the taps stay for the next call. */
  process(input: Int16Array): Float32Array {
    const samples = new Float32Array(this.#history.length + input.length);
    samples.set(this.#history);
    for (let i = 0; i < input.length; i++) samples[this.#history.length + i] = (input[i] as number) / 32_768;
    const end = samples.length - HALF;
    const count = Math.max(0, Math.ceil((end - this.#position) / this.#step));
    const output = new Float32Array(count);
    for (let i = 0; i < count; i++) output[i] = valueAt(samples, this.#position + i * this.#step);
    const position = this.#position + count * this.#step;
    const kept = Math.min(samples.length, Math.max(0, Math.floor(position) - HALF));
    this.#history = samples.slice(kept);
    this.#position = position - kept;
    return output;
  }
}

function valueAt(samples: Float32Array, position: number): number {
  const base = Math.floor(position);
  let sum = 0;
  let weights = 0;
  for (let index = base - HALF + 1; index <= base + HALF; index++) {
    const x = position - index;
    const sinc = Math.abs(x) < 1e-9 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    const weight = sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / HALF));
    sum += weight * (samples[index] ?? 0);
    weights += weight;
  }
  return sum / weights;
}
