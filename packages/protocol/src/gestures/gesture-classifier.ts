import type { JointSequence } from "./gesture-channels.ts";
import { buildChannels, SEQUENCE_JOINTS } from "./gesture-channels.ts";
import type { GestureKernels } from "./gesture-kernels.ts";
import { buildKernels, KernelWorkspace, POOLS } from "./gesture-kernels.ts";
import type { GestureModel } from "./gesture-model.ts";

export interface GestureAnswer {
  readonly gesture: string;
  readonly variant?: string;
  /** 0 to 1, calibrated on left-out sequences of the training set. */
  readonly confidence: number;
  /** Scores by gesture, in the model's order, for callers that decide over time. */
  readonly scores: Float64Array;
}

/** How much pairs and variants count beside the gestures when the pair is chosen. */
const PAIR_WEIGHT = 0.5;
const VARIANT_WEIGHT = 0.5;

const FEATURE_MAX = 60;

export class GestureClassifier {
  readonly model: GestureModel;
  readonly #kernels: GestureKernels;
  readonly #workspace = new KernelWorkspace();
  readonly #features: Float32Array;

  constructor(model: GestureModel) {
    this.model = model;
    this.#kernels = buildKernels(model.seed, model.kernels);
    this.#features = new Float32Array(model.kernels * POOLS + 1);
  }

  /** Undefined when the sequence is too short or holds no hand. */
  classify(sequence: JointSequence): GestureAnswer | undefined {
    const channels = buildChannels(sequence);
    if (channels === undefined) return undefined;
    const { model } = this;
    this.#workspace.load(channels, model.channelMean, model.channelScale);
    this.#workspace.foldFeatures(this.#kernels, model.bias, this.#features);
    const seconds = sequence.joints.length / (SEQUENCE_JOINTS * 3) / sequence.fps;
    this.#features[this.#features.length - 1] = Math.log(seconds);
    for (let i = 0; i < this.#features.length; i++) {
      const value =
        ((this.#features[i] as number) - (model.featureMean[i] as number)) * (model.featureScale[i] as number);
      // A feature that never varied in training says nothing; one far outside says no more than one outside.
      this.#features[i] = Math.min(8, Math.max(-8, value));
    }
    return this.#choose(this.#outputs());
  }

  #outputs(): Float64Array {
    const { model } = this;
    const count = this.#features.length;
    const outputs = new Float64Array(model.outputScale.length);
    for (let output = 0; output < outputs.length; output++) {
      let sum = 0;
      const row = output * count;
      for (let i = 0; i < count; i++) sum += (this.#features[i] as number) * (model.weights[row + i] as number);
      outputs[output] = sum * (model.outputScale[output] as number) + (model.intercept[output] as number);
    }
    return outputs;
  }

  #choose(outputs: Float64Array): GestureAnswer {
    const { gestures, variants, temperature } = this.model;
    const scores = outputs.slice(0, gestures.length);
    let best = 0;
    for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
    let total = 0;
    for (const score of scores) total += Math.exp((score - (scores[best] as number)) / temperature);
    const answer = { gesture: gestures[best] as string, confidence: 1 / total, scores };
    if (variants.length === 0) return answer;
    return { ...answer, variant: variants[this.#pairOf(outputs) % variants.length] as string };
  }

  /** Index of the best pair: gesture times the number of variants plus variant. */
  #pairOf(outputs: Float64Array): number {
    const { gestures, variants } = this.model;
    const pairs = gestures.length * variants.length;
    let best = 0;
    let bestScore = -Infinity;
    for (let pair = 0; pair < pairs; pair++) {
      const score =
        (outputs[Math.floor(pair / variants.length)] as number) +
        PAIR_WEIGHT * (outputs[gestures.length + pair] as number) +
        VARIANT_WEIGHT * (outputs[gestures.length + pairs + (pair % variants.length)] as number);
      if (score > bestScore) {
        bestScore = score;
        best = pair;
      }
    }
    return best;
  }
}

/** In place. A feature far outside what training showed says no more than one outside: it must not decide alone. */
export function standardize(features: Float32Array, mean: Float32Array, scale: Float32Array): void {
  for (let i = 0; i < features.length; i++) {
    const value = ((features[i] as number) - (mean[i] as number)) * (scale[i] as number);
    features[i] = Math.min(FEATURE_MAX, Math.max(-FEATURE_MAX, value));
  }
}
