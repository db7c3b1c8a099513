// Random convolution kernels over a few channels each (the idea of ROCKET, Dempster, Petitjean and Webb 2020): a kernel
// answers "did this small movement happen, and how strongly", a linear model on thousands of such answers decides. Kernels
// come from a seed, so a model stores none of them, and they need no training, so a few examples are enough for a new gesture.

import { CHANNEL_STEPS, CHANNELS } from "./gesture-channels.ts";

const TAPS = 7;
const DILATIONS = [1, 2, 4, 6] as const;
const REACH = (TAPS - 1) * 6;
const CHANNELS_MAX_LOG2 = Math.log2(9);

/** Whole, first half, second half: order in time. Of each: how often the kernel fired, and how strongly. */
export const POOLS = 6;

export interface GestureKernels {
  readonly count: number;
  /** Per kernel: dilation. */
  readonly dilation: Uint8Array;
  /** Per kernel: the first of its channels in `channel`; the one after the last kernel's end closes the list. */
  readonly first: Uint32Array;
  readonly channel: Uint8Array;
  /** 7 weights for each entry of `channel`. */
  readonly weights: Float32Array;
  /** Per kernel: the share of its answers that a bias should cut off; the trainer turns it into a bias. */
  readonly quantile: Float32Array;
}

export function buildKernels(seed: number, count: number): GestureKernels {
  const random = mulberry32(seed);
  const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const dilation = new Uint8Array(count);
  const first = new Uint32Array(count + 1);
  const quantile = new Float32Array(count);
  const channels: number[] = [];
  const weights: number[] = [];
  for (let kernel = 0; kernel < count; kernel++) {
    dilation[kernel] = DILATIONS[kernel % DILATIONS.length] as number;
    first[kernel] = channels.length;
    quantile[kernel] = 0.05 + 0.9 * random();
    const wanted = Math.floor(2 ** (random() * CHANNELS_MAX_LOG2));
    const chosen = new Set<number>();
    while (chosen.size < wanted) chosen.add(Math.floor(random() * CHANNELS));
    for (const channel of chosen) {
      channels.push(channel);
      const drawn = Array.from({ length: TAPS }, gaussian);
      const mean = drawn.reduce((sum, value) => sum + value, 0) / TAPS;
      for (const value of drawn) weights.push(value - mean);
    }
  }
  first[count] = channels.length;
  return { count, dilation, first, channel: Uint8Array.from(channels), weights: Float32Array.from(weights), quantile };
}

/** Room for one sequence with silence around it, and for one kernel's answers. Made once, used for every sequence. */
export class KernelWorkspace {
  readonly padded = new Float32Array(CHANNELS * (CHANNEL_STEPS + REACH));
  readonly answers = new Float32Array(CHANNEL_STEPS);

  /** Takes the channels over, shifted and scaled to zero mean and unit deviation. */
  load(channels: Float32Array, mean: Float32Array, scale: Float32Array): void {
    for (let channel = 0; channel < CHANNELS; channel++) {
      const to = channel * (CHANNEL_STEPS + REACH) + REACH / 2;
      for (let step = 0; step < CHANNEL_STEPS; step++) {
        this.padded[to + step] =
          ((channels[channel * CHANNEL_STEPS + step] as number) - (mean[channel] as number)) *
          (scale[channel] as number);
      }
    }
  }

  /** One kernel's answers without bias, in `answers`. */
  foldKernel(kernels: GestureKernels, kernel: number): void {
    const { padded, answers } = this;
    const { weights } = kernels;
    answers.fill(0);
    const dilation = kernels.dilation[kernel] as number;
    const start = REACH / 2 - ((TAPS - 1) / 2) * dilation;
    const end = kernels.first[kernel + 1] as number;
    for (let entry = kernels.first[kernel] as number; entry < end; entry++) {
      const row = (kernels.channel[entry] as number) * (CHANNEL_STEPS + REACH) + start;
      const w = entry * TAPS;
      // Seven taps at once: the answers are read and written once for each channel and not once for each tap.
      const w0 = weights[w] as number;
      const w1 = weights[w + 1] as number;
      const w2 = weights[w + 2] as number;
      const w3 = weights[w + 3] as number;
      const w4 = weights[w + 4] as number;
      const w5 = weights[w + 5] as number;
      const w6 = weights[w + 6] as number;
      for (let step = 0; step < CHANNEL_STEPS; step++) {
        const from = row + step;
        answers[step] =
          (answers[step] as number) +
          w0 * (padded[from] as number) +
          w1 * (padded[from + dilation] as number) +
          w2 * (padded[from + 2 * dilation] as number) +
          w3 * (padded[from + 3 * dilation] as number) +
          w4 * (padded[from + 4 * dilation] as number) +
          w5 * (padded[from + 5 * dilation] as number) +
          w6 * (padded[from + 6 * dilation] as number);
      }
    }
  }

  /** Features of one sequence, `POOLS` for each kernel. */
  foldFeatures(kernels: GestureKernels, bias: Float32Array, out: Float32Array): void {
    const half = CHANNEL_STEPS / 2;
    for (let kernel = 0; kernel < kernels.count; kernel++) {
      this.foldKernel(kernels, kernel);
      const limit = bias[kernel] as number;
      let early = 0;
      let earlySum = 0;
      let late = 0;
      let lateSum = 0;
      for (let step = 0; step < half; step++) {
        const above = (this.answers[step] as number) - limit;
        if (above > 0) {
          early += 1;
          earlySum += above;
        }
      }
      for (let step = half; step < CHANNEL_STEPS; step++) {
        const above = (this.answers[step] as number) - limit;
        if (above > 0) {
          late += 1;
          lateSum += above;
        }
      }
      const to = kernel * POOLS;
      out[to] = (early + late) / CHANNEL_STEPS;
      out[to + 1] = Math.sqrt((earlySum + lateSum) / CHANNEL_STEPS);
      out[to + 2] = early / half;
      out[to + 3] = Math.sqrt(earlySum / half);
      out[to + 4] = late / half;
      out[to + 5] = Math.sqrt(lateSum / half);
    }
  }
}

/** The kernels of a stored model must be the same for ever, so the generator is written out here and not a port. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
