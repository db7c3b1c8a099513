import { SPOT_LOOKAHEAD, SpotFeatures } from "./spot-features.ts";
import type { SpotModel } from "./spot-network.ts";
import { SpotNetwork } from "./spot-network.ts";

/** The odds of so many samples before and after are averaged with a sample's own. */
const SMOOTH = 2;
const KEPT = 2 * SMOOTH + 1;

/** One sure sample must not outvote its neighbours. */
const ODDS_MAX = 4;

/** A gesture may hold still for so many samples in its middle. */
export const SPAN_GAP = 8;

/** Shorter spans are a twitch: the shortest recorded gestures have 11 samples. */
export const SPAN_MIN = 8;

/** Finds spans of samples in which something is performed. Sample numbers count from 0 since the last restart. */
export class SpanFinder {
  /** The newest span, after `fold` or `finish` answered true. */
  start = 0;
  end = 0;
  readonly #model: SpotModel;
  readonly #features = new SpotFeatures();
  readonly #network = new SpotNetwork();
  readonly #odds = new Float64Array(KEPT);
  #judged = 0;
  #first = -1;
  #last = -1;

  constructor(model: SpotModel) {
    this.#model = model;
  }

  /** Folds the 66 numbers at `offset`. True when a span is over. */
  fold(joints: ArrayLike<number>, offset: number): boolean {
    if (!this.#features.fold(joints, offset)) return false;
    this.#network.fold(this.#model, this.#features.out);
    return this.#foldOdds();
  }

  /** The stream is over: as if the hand stayed as it was last. True when that ends a span. */
  finish(joints: ArrayLike<number>): boolean {
    for (let i = 0; i < SPOT_LOOKAHEAD; i++) if (this.fold(joints, 0)) return true;
    // What is judged last has no later neighbours.
    this.#network.output[0] = 0;
    for (let i = 0; i < SMOOTH; i++) if (this.#foldOdds()) return true;
    return this.#first >= 0 && this.#close();
  }

  restart(): void {
    this.#features.restart();
    this.#odds.fill(0);
    this.#judged = 0;
    this.#first = -1;
    this.#last = -1;
  }

  /** Takes the newest odds and decides on the sample `SMOOTH` before. */
  #foldOdds(): boolean {
    const odds = this.#network.output[0] as number;
    this.#odds[this.#judged % KEPT] = Math.min(ODDS_MAX, Math.max(-ODDS_MAX, odds));
    this.#judged += 1;
    const sample = this.#judged - 1 - SMOOTH;
    if (sample < 0) return false;
    let sum = 0;
    for (let i = 0; i < KEPT; i++) sum += this.#odds[i] as number;
    if (sum > 0) {
      if (this.#first < 0) this.#first = sample;
      this.#last = sample;
      return false;
    }
    return this.#first >= 0 && sample - this.#last > SPAN_GAP && this.#close();
  }

  #close(): boolean {
    this.start = this.#first;
    this.end = this.#last;
    this.#first = -1;
    return this.end - this.start + 1 >= SPAN_MIN;
  }
}
