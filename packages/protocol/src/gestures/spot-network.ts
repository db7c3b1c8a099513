import { SPOT_FEATURES } from "./spot-features.ts";

/** How likely a sample belongs to a gesture: a network of two hidden layers over `SpotFeatures`. */
export interface SpotModel {
  /** Mean and reciprocal deviation of each feature. */
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  /** Row after row, a row a unit: `SPOT_UNITS` x features, `SPOT_UNITS_2` x units, 1 x units of the second layer. */
  readonly weights: readonly [Float32Array, Float32Array, Float32Array];
  readonly biases: readonly [Float32Array, Float32Array, Float32Array];
}

export const SPOT_UNITS = 32;
export const SPOT_UNITS_2 = 16;

/** What is far outside training says no more than what is outside. */
const INPUT_MAX = 5;

export class SpotNetwork {
  readonly input = new Float64Array(SPOT_FEATURES);
  readonly first = new Float64Array(SPOT_UNITS);
  readonly second = new Float64Array(SPOT_UNITS_2);
  /** The answer as log odds. */
  readonly output = new Float64Array(1);

  fold(model: SpotModel, features: Float32Array, offset = 0): void {
    for (let i = 0; i < SPOT_FEATURES; i++) {
      const value = ((features[offset + i] as number) - (model.mean[i] as number)) * (model.scale[i] as number);
      this.input[i] = Math.min(INPUT_MAX, Math.max(-INPUT_MAX, value));
    }
    foldLayer(this.input, model.weights[0], model.biases[0], this.first, true);
    foldLayer(this.first, model.weights[1], model.biases[1], this.second, true);
    foldLayer(this.second, model.weights[2], model.biases[2], this.output, false);
  }
}

// oxlint-disable-next-line max-params -- One layer: input, its weights, output, and whether it is rectified.
function foldLayer(
  input: Float64Array,
  weights: Float32Array,
  biases: Float32Array,
  out: Float64Array,
  isRectified: boolean,
): void {
  const count = input.length;
  for (let unit = 0; unit < out.length; unit++) {
    let sum = biases[unit] as number;
    const row = unit * count;
    for (let i = 0; i < count; i++) sum += (weights[row + i] as number) * (input[i] as number);
    out[unit] = isRectified && sum < 0 ? 0 : sum;
  }
}
