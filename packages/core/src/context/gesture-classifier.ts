import { GatewayError } from "../errors/gateway-error.ts";
import type { JointSequence } from "./gesture-channels.ts";
import { buildChannels, CHANNELS, SEQUENCE_JOINTS } from "./gesture-channels.ts";
import type { GestureKernels } from "./gesture-kernels.ts";
import { buildKernels, KernelWorkspace, POOLS } from "./gesture-kernels.ts";

/**
 * A trained classifier of joint sequences. Labels may be "gesture" or "gesture/variant" (swipe-left/one-finger): the model
 * scores gestures, variants and their pairs, because what the hand does and how it does it are learned better apart.
 */
export interface GestureModel {
  readonly seed: number;
  readonly kernels: number;
  readonly gestures: readonly string[];
  /** Empty when the labels have no variants. */
  readonly variants: readonly string[];
  /** Mean and reciprocal deviation of each channel. */
  readonly channelMean: Float32Array;
  readonly channelScale: Float32Array;
  readonly bias: Float32Array;
  /** Mean and reciprocal deviation of each feature; the last feature is the logarithm of the duration in seconds. */
  readonly featureMean: Float32Array;
  readonly featureScale: Float32Array;
  /** Output after output (gestures, pairs, variants), one byte a feature; `outputScale` turns bytes into weights. */
  readonly weights: Int8Array;
  readonly outputScale: Float32Array;
  readonly intercept: Float32Array;
  /** Turns score leads into probabilities; fitted on sequences the model did not see. */
  readonly temperature: number;
}

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

/** Gesture models are JSON, so that a page can fetch one and a person can read what it knows; numbers are base64. */
export function writeGestureModel(model: GestureModel): string {
  const bytes = (array: Float32Array | Int8Array): string =>
    encodeBase64(new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength));
  return JSON.stringify({
    format: "fovea-gesture-model",
    version: 1,
    gestures: model.gestures,
    variants: model.variants,
    seed: model.seed,
    kernels: model.kernels,
    temperature: model.temperature,
    channelMean: bytes(model.channelMean),
    channelScale: bytes(model.channelScale),
    bias: bytes(model.bias),
    featureMean: bytes(model.featureMean),
    featureScale: bytes(model.featureScale),
    weights: bytes(model.weights),
    outputScale: bytes(model.outputScale),
    intercept: bytes(model.intercept),
  });
}

/** Throws `request_invalid` with the field's name. */
export function parseGestureModel(text: string): GestureModel {
  let given: Readonly<Record<string, unknown>>;
  try {
    given = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new GatewayError("request_invalid", "the gesture model is not JSON", { param: "" }, { cause });
  }
  const check = (condition: boolean, param: string): void => {
    if (!condition) throw new GatewayError("request_invalid", `gesture model: ${param} is not valid`, { param });
  };
  check(given?.["format"] === "fovea-gesture-model" && given["version"] === 1, "format");
  const names = (key: string): readonly string[] => {
    const value = given[key];
    check(Array.isArray(value) && value.length <= 1_000 && value.every((name) => typeof name === "string"), key);
    return value as readonly string[];
  };
  const number = (key: string, min: number, max: number): number => {
    const value = given[key];
    check(typeof value === "number" && value >= min && value <= max, key);
    return value as number;
  };
  const gestures = names("gestures");
  const variants = names("variants");
  check(gestures.length > 0, "gestures");
  const kernels = number("kernels", 1, 20_000);
  check(Number.isInteger(kernels), "kernels");
  const features = kernels * POOLS + 1;
  const outputs = gestures.length + (variants.length === 0 ? 0 : gestures.length * variants.length + variants.length);
  const bytes = (key: string, count: number): ArrayBuffer => {
    const value = given[key];
    check(typeof value === "string", key);
    const decoded = decodeBase64(value as string);
    check(decoded !== undefined && decoded.byteLength === count, key);
    return (decoded as Uint8Array<ArrayBuffer>).buffer;
  };
  const floats = (key: string, count: number): Float32Array => {
    const values = new Float32Array(bytes(key, count * 4));
    check(
      values.every((value) => Number.isFinite(value)),
      key,
    );
    return values;
  };
  return {
    gestures,
    variants,
    kernels,
    seed: number("seed", 0, 0xffffffff),
    temperature: number("temperature", 1e-6, 1e6),
    channelMean: floats("channelMean", CHANNELS),
    channelScale: floats("channelScale", CHANNELS),
    bias: floats("bias", kernels),
    featureMean: floats("featureMean", features),
    featureScale: floats("featureScale", features),
    weights: new Int8Array(bytes("weights", features * outputs)),
    outputScale: floats("outputScale", outputs),
    intercept: floats("intercept", outputs),
  };
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const value = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const last = bytes.length - i;
    parts.push(
      (DIGITS[value >> 18] as string) +
        (DIGITS[(value >> 12) & 63] as string) +
        (last > 1 ? (DIGITS[(value >> 6) & 63] as string) : "=") +
        (last > 2 ? (DIGITS[value & 63] as string) : "="),
    );
  }
  return parts.join("");
}

function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const out = new Uint8Array((text.length / 4) * 3 - padding);
  let slot = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length - padding; i++) {
    const digit = DIGITS.indexOf(text[i] as string);
    if (digit < 0) return undefined;
    held = ((held << 6) | digit) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[slot] = (held >> bits) & 255;
      slot += 1;
    }
  }
  return out;
}
