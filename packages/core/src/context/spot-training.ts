// Trains the network that says where in a stream something is performed: logistic loss, Adam, samples in random order from
// a seed. Some ten thousand samples and a few thousand weights: seconds.
import type { SpotModel } from "@fovea/protocol/gestures";
import { mulberry32, SPOT_FEATURES, SPOT_UNITS, SPOT_UNITS_2, SpotNetwork } from "@fovea/protocol/gestures";

const BATCH = 32;
const RATE = 2e-3;

/** `features` holds a row of `SPOT_FEATURES` a sample, `targets` 1 within a gesture and 0 outside. */
export function trainSpotModel(features: Float32Array, targets: Float32Array, seed: number, epochs = 8): SpotModel {
  const rows = targets.length;
  const random = mulberry32(seed);
  const { mean, scale } = statistics(features, rows);
  const layers = [
    new Layer(SPOT_FEATURES, SPOT_UNITS, random),
    new Layer(SPOT_UNITS, SPOT_UNITS_2, random),
    new Layer(SPOT_UNITS_2, 1, random),
  ] as const;
  const [a, b, c] = layers;
  const model: SpotModel = {
    mean,
    scale,
    weights: [a.weights, b.weights, c.weights],
    biases: [a.biases, b.biases, c.biases],
  };
  const network = new SpotNetwork();
  const errors = [new Float64Array(SPOT_UNITS), new Float64Array(SPOT_UNITS_2), new Float64Array(1)] as const;
  const steps = Math.floor((rows * epochs) / BATCH);
  for (let step = 1; step <= steps; step++) {
    for (let i = 0; i < BATCH; i++) {
      const row = Math.floor(random() * rows);
      network.fold(model, features, row * SPOT_FEATURES);
      errors[2][0] = 1 / (1 + Math.exp(-(network.output[0] as number))) - (targets[row] as number);
      c.foldBack(network.second, errors[2], errors[1]);
      b.foldBack(network.first, errors[1], errors[0]);
      a.foldBack(network.input, errors[0]);
    }
    // Linear to nothing: the last steps settle.
    for (const layer of layers) layer.step(step, RATE * (1 - step / (steps + 1)));
  }
  return model;
}

/** Weights with their gradients and Adam's moments. */
class Layer {
  readonly weights: Float32Array;
  readonly biases: Float32Array;
  readonly #inputs: number;
  readonly #units: number;
  readonly #slopes: Float64Array;
  readonly #first: Float64Array;
  readonly #second: Float64Array;

  constructor(inputs: number, units: number, random: () => number) {
    this.#inputs = inputs;
    this.#units = units;
    const count = inputs * units + units;
    const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    this.weights = Float32Array.from({ length: inputs * units }, () => gaussian() * Math.sqrt(2 / inputs));
    this.biases = new Float32Array(units);
    this.#slopes = new Float64Array(count);
    this.#first = new Float64Array(count);
    this.#second = new Float64Array(count);
  }

  /** Adds one sample's gradient; `back` becomes the error of the layer below, whose output `input` is. */
  foldBack(input: Float64Array, errors: Float64Array, back?: Float64Array): void {
    const inputs = this.#inputs;
    back?.fill(0);
    for (let unit = 0; unit < this.#units; unit++) {
      const error = errors[unit] as number;
      if (error === 0) continue;
      const row = unit * inputs;
      for (let i = 0; i < inputs; i++) {
        this.#slopes[row + i] = (this.#slopes[row + i] as number) + error * (input[i] as number);
      }
      this.#slopes[this.weights.length + unit] = (this.#slopes[this.weights.length + unit] as number) + error;
      if (back === undefined) continue;
      for (let i = 0; i < inputs; i++) {
        // A unit that gave nothing passes nothing on.
        if ((input[i] as number) > 0) back[i] = (back[i] as number) + error * (this.weights[row + i] as number);
      }
    }
  }

  step(number: number, rate: number): void {
    const correction = Math.sqrt(1 - 0.999 ** number) / (1 - 0.9 ** number);
    for (let i = 0; i < this.#slopes.length; i++) {
      const slope = (this.#slopes[i] as number) / BATCH;
      const first = 0.9 * (this.#first[i] as number) + 0.1 * slope;
      const second = 0.999 * (this.#second[i] as number) + 0.001 * slope * slope;
      this.#first[i] = first;
      this.#second[i] = second;
      this.#slopes[i] = 0;
      const change = (rate * correction * first) / (Math.sqrt(second) + 1e-8);
      if (i < this.weights.length) this.weights[i] = (this.weights[i] as number) * (1 - rate * 1e-3) - change;
      else this.biases[i - this.weights.length] = (this.biases[i - this.weights.length] as number) - change;
    }
  }
}

function statistics(features: Float32Array, rows: number): { mean: Float32Array; scale: Float32Array } {
  const sums = new Float64Array(SPOT_FEATURES);
  const squares = new Float64Array(SPOT_FEATURES);
  for (let i = 0; i < rows * SPOT_FEATURES; i++) {
    const value = features[i] as number;
    sums[i % SPOT_FEATURES] = (sums[i % SPOT_FEATURES] as number) + value;
    squares[i % SPOT_FEATURES] = (squares[i % SPOT_FEATURES] as number) + value * value;
  }
  const mean = Float32Array.from(sums, (sum) => sum / rows);
  const scale = Float32Array.from(squares, (square, i) => {
    const variance = square / rows - (mean[i] as number) ** 2;
    return 1 / (Math.sqrt(Math.max(0, variance)) + 1e-3);
  });
  return { mean, scale };
}
