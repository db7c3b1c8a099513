import type { ProtocolError } from "../protocol-error.ts";
import { protocolError } from "../protocol-error.ts";
import { CHANNELS } from "./gesture-channels.ts";
import { POOLS } from "./gesture-kernels.ts";
import { SPOT_FEATURES } from "./spot-features.ts";
import type { PoseTemplate } from "./pose-templates.ts";
import type { SpotModel } from "./spot-network.ts";
import { SPOT_UNITS, SPOT_UNITS_2 } from "./spot-network.ts";

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
  /** Poses that were taught beside the movements; several of one name are several ways to hold it. */
  readonly poses: readonly PoseTemplate[];
  /** Finds gestures in streams. Absent in a model that only names single sequences. */
  readonly spot?: SpotModel;
  /** Smallest lead that makes a span of a stream a gesture. */
  readonly leadMin: number;
}

/** Gesture models are JSON, so that a page can fetch one and a person can read what it knows; numbers are base64. */
export function writeGestureModel(model: GestureModel): string {
  const bytes = (array: Float32Array | Int8Array): string =>
    encodeBase64(new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength));
  const { spot } = model;
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
    leadMin: model.leadMin,
    poses: model.poses.map(({ name, joints }) => ({ name, joints: bytes(Float32Array.from(joints)) })),
    ...(spot === undefined
      ? {}
      : {
          spotMean: bytes(spot.mean),
          spotScale: bytes(spot.scale),
          spotWeights: spot.weights.map(bytes),
          spotBiases: spot.biases.map(bytes),
        }),
  });
}

/** Outcome of reading a model: a refusal names the field. */
export type ReadGestureModel =
  | { readonly outcome: "model"; readonly model: GestureModel }
  | { readonly outcome: "error"; readonly error: ProtocolError };

/** Reads what `writeGestureModel` wrote. Any text is safe to give. */
export function readGestureModel(text: string): ReadGestureModel {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return { outcome: "error", error: protocolError("json_malformed", "", "the gesture model is not JSON") };
  }
  const fields = new ModelFields(given);
  const model = fields.read();
  if (fields.wrongField === undefined) return { outcome: "model", model };
  const { wrongField } = fields;
  return {
    outcome: "error",
    error: protocolError("not_allowed", wrongField, `gesture model: ${wrongField} is not valid`),
  };
}

/** Reads field after field and remembers the first that is wrong; what is read after it is not used. */
class ModelFields {
  wrongField: string | undefined;
  readonly #given: Readonly<Record<string, unknown>>;

  constructor(given: unknown) {
    const isObject = typeof given === "object" && given !== null;
    this.#given = isObject ? (given as Readonly<Record<string, unknown>>) : {};
  }

  read(): GestureModel {
    this.#check(this.#given["format"] === "fovea-gesture-model" && this.#given["version"] === 1, "format");
    const gestures = this.#names("gestures");
    const variants = this.#names("variants");
    // A model of poses alone has no movements.
    this.#check(
      gestures.length > 0 || (Array.isArray(this.#given["poses"]) && this.#given["poses"].length > 0),
      "gestures",
    );
    const kernels = this.#number("kernels", 0, 20_000);
    this.#check(Number.isInteger(kernels), "kernels");
    const features = kernels * POOLS + 1;
    const pairs = variants.length === 0 ? 0 : gestures.length * variants.length + variants.length;
    const outputs = gestures.length + pairs;
    return {
      gestures,
      variants,
      kernels,
      seed: this.#number("seed", 0, 0xffffffff),
      temperature: this.#number("temperature", 1e-6, 1e6),
      channelMean: this.#floats("channelMean", CHANNELS),
      channelScale: this.#floats("channelScale", CHANNELS),
      bias: this.#floats("bias", kernels),
      featureMean: this.#floats("featureMean", features),
      featureScale: this.#floats("featureScale", features),
      weights: new Int8Array(this.#bytes(this.#given["weights"], "weights", features * outputs)),
      outputScale: this.#floats("outputScale", outputs),
      intercept: this.#floats("intercept", outputs),
      leadMin: this.#number("leadMin", -4, 4),
      poses: this.#poses(),
      ...(this.#given["spotMean"] === undefined ? {} : { spot: this.#spot() }),
    };
  }

  #poses(): readonly PoseTemplate[] {
    return this.#list("poses").map((value) => {
      const given = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
      const { name } = given;
      this.#check(typeof name === "string", "poses");
      return { name: String(name), joints: Float64Array.from(this.#floatsOf(given["joints"], "poses", 75)) };
    });
  }

  #spot(): SpotModel {
    const weights = this.#list("spotWeights");
    const biases = this.#list("spotBiases");
    return {
      mean: this.#floatsOf(this.#given["spotMean"], "spotMean", SPOT_FEATURES),
      scale: this.#floatsOf(this.#given["spotScale"], "spotScale", SPOT_FEATURES),
      weights: [
        this.#floatsOf(weights[0], "spotWeights", SPOT_FEATURES * SPOT_UNITS),
        this.#floatsOf(weights[1], "spotWeights", SPOT_UNITS * SPOT_UNITS_2),
        this.#floatsOf(weights[2], "spotWeights", SPOT_UNITS_2),
      ],
      biases: [
        this.#floatsOf(biases[0], "spotBiases", SPOT_UNITS),
        this.#floatsOf(biases[1], "spotBiases", SPOT_UNITS_2),
        this.#floatsOf(biases[2], "spotBiases", 1),
      ],
    };
  }

  #list(field: string): readonly unknown[] {
    const value = this.#given[field];
    this.#check(Array.isArray(value) && value.length <= 1_000, field);
    return Array.isArray(value) ? (value as readonly unknown[]) : [];
  }

  #check(condition: boolean, field: string): void {
    if (!condition) this.wrongField ??= field;
  }

  #names(field: string): readonly string[] {
    const value = this.#given[field];
    const isList = Array.isArray(value) && value.length <= 1_000 && value.every((name) => typeof name === "string");
    this.#check(isList, field);
    return isList ? (value as readonly string[]) : [];
  }

  #number(field: string, min: number, max: number): number {
    const value = this.#given[field];
    const isNumber = typeof value === "number" && value >= min && value <= max;
    this.#check(isNumber, field);
    return isNumber ? value : min;
  }

  #bytes(value: unknown, field: string, count: number): ArrayBuffer {
    const decoded = typeof value === "string" && this.wrongField === undefined ? decodeBase64(value) : undefined;
    this.#check(decoded !== undefined && decoded.byteLength === count, field);
    return this.wrongField === undefined ? (decoded as Uint8Array<ArrayBuffer>).buffer : new ArrayBuffer(0);
  }

  #floats(field: string, count: number): Float32Array {
    return this.#floatsOf(this.#given[field], field, count);
  }

  #floatsOf(value: unknown, field: string, count: number): Float32Array {
    const values = new Float32Array(this.#bytes(value, field, count * 4));
    this.#check(
      values.every((one) => Number.isFinite(one)),
      field,
    );
    return values;
  }
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
