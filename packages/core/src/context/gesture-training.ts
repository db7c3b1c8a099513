import type { GestureKernels, GestureModel, JointSequence, PoseTemplate } from "@fovea/protocol/gestures";
import {
  buildChannels,
  buildKernels,
  CHANNEL_STEPS,
  CHANNELS,
  GestureClassifier,
  KernelWorkspace,
  mulberry32,
  NO_GESTURE,
  POOLS,
  SEQUENCE_JOINTS,
  standardize,
} from "@fovea/protocol/gestures";
import { GatewayError } from "../errors/gateway-error.ts";
import type { GestureExample, PoseExample } from "./gesture-example.ts";
import { buildGram, solveRidge } from "./gesture-ridge.ts";
import { isRest, learnStreams } from "./stream-training.ts";
import { varySequence } from "./gesture-variation.ts";

export interface TrainingOptions {
  readonly seed?: number;
  readonly kernels?: number;
  /** Varied copies of every example: turned, scaled, cut and bent in time. More for few examples. */
  readonly copies?: number;
  readonly ridge?: number;
  /**
   * Whether the model shall also find its gestures in streams. Then examples labelled "none" are recordings of any length of
   * what the hand does when it performs nothing, and one gesture is enough.
   */
  readonly streams?: boolean;
  /** Poses to recognise beside the movements; with poses there may be no example of a movement. */
  readonly poses?: readonly PoseExample[];
  /** Takes over what was learned of hands in general, so that a few examples of new gestures suffice. */
  readonly base?: GestureModel;
}

/** See `leadMin` of the model. Chosen on people of the training set that were left out of the training. */
const LEAD_MIN = 0.12;

/** How much the duration counts against all the other features together. */
const DURATION_SHARE = 0.03;

/** Every so many-th performer (or example) is left out when the confidence is calibrated. */
const CALIBRATION_EVERY = 4;

/** A handful of examples that were all right does not make the next one certain. */
const TEMPERATURE_MIN = 0.12;

/** Confidence is one number: a model of some of the others is enough to find it. */
const CALIBRATION_MAX = 1_200;

/**
 * Trains in seconds for a handful of examples, in minutes for thousands; the same examples, options and order give the same
 * model. Throws `request_invalid` when there are fewer than two gestures or a sequence holds no hand.
 */
export function trainGestureModel(examples: readonly GestureExample[], options: TrainingOptions = {}): GestureModel {
  const poses = (options.poses ?? []).map(poseTemplate);
  if (examples.length === 0 && poses.length > 0) return { ...NO_MOVEMENTS, poses };
  if (options.streams !== true) return { ...trainClassifier(examples, options), poses };
  new Labels([...examples.map((example) => example.label), NO_GESTURE]);
  const { spot, spans } = learnStreams(examples, options.seed ?? 1);
  const single = examples.filter((example) => !isRest(example));
  return { ...trainClassifier([...single, ...spans], options, single.length), spot, poses };
}

/** Templates are right hands. */
function poseTemplate({ label, joints, handedness }: PoseExample, index: number): PoseTemplate {
  const mirrored = Float64Array.from(joints, (value, i) => (handedness === "left" && i % 3 === 0 ? -value : value));
  if (mirrored.length === 75 && mirrored.every((value) => Number.isFinite(value)))
    return { name: label, joints: mirrored };
  throw new GatewayError("request_invalid", "gesture training: a pose is 75 numbers", { param: `poses[${index}]` });
}

/** A model that knows no movement. */
const NO_MOVEMENTS: GestureModel = {
  seed: 1,
  kernels: 0,
  gestures: [],
  variants: [],
  channelMean: new Float32Array(CHANNELS),
  channelScale: new Float32Array(CHANNELS),
  bias: new Float32Array(0),
  featureMean: new Float32Array(1),
  featureScale: new Float32Array(1),
  weights: new Int8Array(0),
  outputScale: new Float32Array(0),
  intercept: new Float32Array(0),
  temperature: 0.25,
  leadMin: LEAD_MIN,
  poses: [],
};

/** Copies are made of the first `varied` examples. */
function trainClassifier(
  examples: readonly GestureExample[],
  options: TrainingOptions,
  varied = examples.length,
): GestureModel {
  const labels = new Labels(examples.map((example) => example.label));
  const model = fit(examples, labels, options, varied);
  const performers = [...new Set(examples.map((example, index) => example.performer ?? String(index)))];
  const isLeftOut = (example: GestureExample, index: number): boolean =>
    performers.indexOf(example.performer ?? String(index)) % CALIBRATION_EVERY === CALIBRATION_EVERY - 1;
  const leftOut = examples.filter(isLeftOut);
  const others = examples.filter((example, index) => !isLeftOut(example, index));
  const stride = Math.ceil(others.length / CALIBRATION_MAX);
  const rest = others.filter((_, index) => index % stride === 0);
  const isRestComplete =
    new Set(rest.map((example) => labels.gestureOf(example.label))).size === labels.gestures.length;
  if (leftOut.length < 4 || !isRestComplete) return model;
  const trial = fit(rest, labels, { ...options, copies: 0, base: options.base ?? model }, 0);
  return { ...model, temperature: fitTemperature(trial, leftOut, labels) };
}

class Labels {
  readonly gestures: readonly string[];
  readonly variants: readonly string[];

  constructor(labels: readonly string[]) {
    this.gestures = [...new Set(labels.map((label) => this.gestureOf(label)))];
    this.variants = [...new Set(labels.flatMap((label) => label.split("/").slice(1, 2)))];
    const isMixed = this.variants.length > 0 && labels.some((label) => !label.includes("/") && label !== NO_GESTURE);
    if (this.gestures.length < 2 || isMixed) {
      const problem = isMixed ? "labels with and without a variant" : "fewer than two gestures";
      throw new GatewayError("request_invalid", `gesture training: ${problem}`, { param: "label" });
    }
  }

  gestureOf(label: string): string {
    return label.split("/")[0] as string;
  }

  get outputs(): number {
    const pairs = this.gestures.length * this.variants.length;
    return this.gestures.length + pairs + this.variants.length;
  }

  /** 1 for the example's gesture, pair and variant, -1 for the others. */
  foldTargets(label: string, out: Float64Array, offset: number): void {
    out.fill(-1, offset, offset + this.outputs);
    const gesture = this.gestures.indexOf(this.gestureOf(label));
    out[offset + gesture] = 1;
    const variant = this.variants.indexOf(label.split("/")[1] ?? "");
    if (variant < 0) return;
    out[offset + this.gestures.length + gesture * this.variants.length + variant] = 1;
    out[offset + this.gestures.length * (1 + this.variants.length) + variant] = 1;
  }
}

function fit(
  examples: readonly GestureExample[],
  labels: Labels,
  options: TrainingOptions,
  varied: number,
): GestureModel {
  const { copies = 2, ridge = 0.3, base } = options;
  const seed = base?.seed ?? options.seed ?? 1;
  const kernels = buildKernels(seed, base?.kernels ?? options.kernels ?? 1_200);
  const originals = examples.map((example, index) => channelsOf(example.sequence, index));
  const mean = base?.channelMean ?? channelMean(originals);
  const scale = base?.channelScale ?? channelScale(originals, mean);
  const workspace = new KernelWorkspace();
  const bias = base?.bias ?? buildBias(kernels, originals, workspace, mean, scale, mulberry32(seed + 1));
  const random = mulberry32(seed + 2);
  const rows = examples.length + varied * copies;
  const exampleOf = (row: number): number => (row < examples.length ? row : (row - examples.length) % varied);
  const count = kernels.count * POOLS + 1;
  const features = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    const index = exampleOf(row);
    const { sequence } = examples[index] as GestureExample;
    const channels =
      row < examples.length
        ? (originals[index] as Float32Array)
        : channelsOf({ ...sequence, joints: varySequence(sequence.joints, random) }, index);
    workspace.load(channels, mean, scale);
    const out = features.subarray(row * count, row * count + count);
    workspace.foldFeatures(kernels, bias, out);
    out[count - 1] = Math.log(sequence.joints.length / (SEQUENCE_JOINTS * 3) / sequence.fps);
  }
  const featureMean = base?.featureMean ?? columnMean(features, examples.length, count);
  const featureScale = base?.featureScale ?? columnScale(features, examples.length, count, featureMean);
  for (let row = 0; row < rows; row++) {
    standardize(features.subarray(row * count, row * count + count), featureMean, featureScale);
  }
  const targets = new Float64Array(rows * labels.outputs);
  for (let row = 0; row < rows; row++) {
    labels.foldTargets((examples[exampleOf(row)] as GestureExample).label, targets, row * labels.outputs);
  }
  return {
    ...solveHead(features, rows, targets, ridge),
    seed,
    kernels: kernels.count,
    gestures: labels.gestures,
    variants: labels.variants,
    channelMean: mean,
    channelScale: scale,
    bias,
    featureMean,
    featureScale,
    temperature: 0.25,
    leadMin: LEAD_MIN,
    poses: [],
  };
}

function solveHead(
  features: Float32Array,
  rows: number,
  targets: Float64Array,
  ridge: number,
): Pick<GestureModel, "weights" | "outputScale" | "intercept"> {
  const count = features.length / rows;
  const outputs = targets.length / rows;
  const intercept = new Float32Array(outputs);
  for (let i = 0; i < targets.length; i++) {
    intercept[i % outputs] = (intercept[i % outputs] as number) + (targets[i] as number) / rows;
  }
  for (let i = 0; i < targets.length; i++) targets[i] = (targets[i] as number) - (intercept[i % outputs] as number);
  solveRidge(buildGram(features, rows), rows, ridge, targets);
  const weights = new Int8Array(outputs * count);
  const outputScale = new Float32Array(outputs);
  const row = new Float64Array(count);
  for (let output = 0; output < outputs; output++) {
    row.fill(0);
    for (let sample = 0; sample < rows; sample++) {
      const weight = (targets[sample * outputs + output] as number) / count;
      for (let i = 0; i < count; i++) row[i] = (row[i] as number) + weight * (features[sample * count + i] as number);
    }
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    outputScale[output] = largest / 127;
    for (let i = 0; i < count; i++) weights[output * count + i] = Math.round(((row[i] as number) * 127) / largest);
  }
  return { weights, outputScale, intercept };
}

function channelsOf(sequence: JointSequence, index: number): Float32Array {
  const channels = buildChannels(sequence);
  if (channels !== undefined) return channels;
  throw new GatewayError("request_invalid", "gesture training: a sequence holds no hand", {
    param: `examples[${index}]`,
  });
}

function channelMean(all: readonly Float32Array[]): Float32Array {
  const sums = new Float64Array(CHANNELS);
  for (const channels of all) {
    for (let i = 0; i < channels.length; i++) {
      const channel = Math.floor(i / CHANNEL_STEPS);
      sums[channel] = (sums[channel] as number) + (channels[i] as number);
    }
  }
  return Float32Array.from(sums, (sum) => sum / (all.length * CHANNEL_STEPS));
}

function channelScale(all: readonly Float32Array[], mean: Float32Array): Float32Array {
  const squares = new Float64Array(CHANNELS);
  for (const channels of all) {
    for (let i = 0; i < channels.length; i++) {
      const channel = Math.floor(i / CHANNEL_STEPS);
      squares[channel] = (squares[channel] as number) + ((channels[i] as number) - (mean[channel] as number)) ** 2;
    }
  }
  return Float32Array.from(squares, (sum) => 1 / (Math.sqrt(sum / (all.length * CHANNEL_STEPS)) + 1e-6));
}

/** Each kernel's bias is a quantile of its own answers, so that every kernel fires sometimes and none always. */
// oxlint-disable-next-line max-params -- Internal step of one computation; an object would only rename its inputs.
function buildBias(
  kernels: GestureKernels,
  all: readonly Float32Array[],
  workspace: KernelWorkspace,
  mean: Float32Array,
  scale: Float32Array,
  random: () => number,
): Float32Array {
  const chosen = Array.from({ length: Math.min(60, all.length) }, () => all[Math.floor(random() * all.length)]);
  const answers = Array.from({ length: kernels.count }, () => new Float32Array(chosen.length * CHANNEL_STEPS));
  chosen.forEach((channels, index) => {
    workspace.load(channels as Float32Array, mean, scale);
    for (let kernel = 0; kernel < kernels.count; kernel++) {
      workspace.foldKernel(kernels, kernel);
      (answers[kernel] as Float32Array).set(workspace.answers, index * CHANNEL_STEPS);
    }
  });
  return Float32Array.from(answers, (values, kernel) => {
    values.sort();
    return values[Math.floor((kernels.quantile[kernel] as number) * (values.length - 1))] as number;
  });
}

function columnMean(features: Float32Array, rows: number, count: number): Float32Array {
  const sums = new Float64Array(count);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < count; i++) sums[i] = (sums[i] as number) + (features[row * count + i] as number);
  }
  return Float32Array.from(sums, (sum) => sum / rows);
}

function columnScale(features: Float32Array, rows: number, count: number, mean: Float32Array): Float32Array {
  const squares = new Float64Array(count);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < count; i++) {
      squares[i] = (squares[i] as number) + ((features[row * count + i] as number) - (mean[i] as number)) ** 2;
    }
  }
  return Float32Array.from(squares, (sum, i) => {
    const weight = i === count - 1 ? Math.sqrt(DURATION_SHARE * count) : 1;
    return weight / (Math.sqrt(sum / rows) + (i === count - 1 ? 0.1 : 1e-3));
  });
}

/** The temperature under which the left-out examples are most likely. */
function fitTemperature(model: GestureModel, leftOut: readonly GestureExample[], labels: Labels): number {
  const classifier = new GestureClassifier(model);
  const rows = leftOut.flatMap((example) => {
    const answer = classifier.classify(example.sequence);
    return answer === undefined
      ? []
      : [{ scores: answer.scores, truth: labels.gestures.indexOf(labels.gestureOf(example.label)) }];
  });
  let best = 0.25;
  let bestLoss = Infinity;
  for (let temperature = TEMPERATURE_MIN; temperature < 2; temperature *= 1.08) {
    let loss = 0;
    for (const { scores, truth } of rows) {
      const most = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp((score - most) / temperature), 0);
      loss += Math.log(total) - ((scores[truth] as number) - most) / temperature;
    }
    if (loss < bestLoss) {
      bestLoss = loss;
      best = temperature;
    }
  }
  return best;
}
