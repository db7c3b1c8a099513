// What tells "something is being performed" from "the hand is on its way or at rest", a few numbers for each sample: how
// far, how straight, how unevenly and how shakily the hand and its fingers move, over short and long windows around a
// sample that lies a little in the past. Lengths are in hand sizes; nothing depends on where the hand is or where it faces,
// but for how high it points.

import { HandAxes, SEQUENCE_JOINTS } from "./gesture-channels.ts";

const VALUES = SEQUENCE_JOINTS * 3;
const KEPT = 64;

/** The sample that is judged lies so many samples behind the newest one. */
export const SPOT_LOOKAHEAD = 6;

/** Half widths of the windows around the judged sample. */
const HALVES = [2, 4, 6] as const;

/** The window of the past: from, to, in samples before the judged one. */
const PAST_FROM = 40;
const PAST_TO = 6;

/** Numbers of a window. */
const WINDOW = 9;
const PAST = 5;
const POSE = 14;

export const SPOT_FEATURES = HALVES.length * WINDOW + PAST + POSE;

const TIPS = [5, 9, 13, 17, 21] as const;
const EPSILON = 1e-4;

/** Follows one hand. 22 joints a sample, evenly spaced in time at 30 samples a second. */
export class SpotFeatures {
  readonly out = new Float32Array(SPOT_FEATURES);
  readonly #axes = new HandAxes();
  readonly #previous = new Float64Array(VALUES * 2);
  /** Rings over the samples: palm, the five tips in the hand's own axes, the hand's direction and normal. */
  readonly #palm = new Float64Array(KEPT * 3);
  readonly #tips = new Float64Array(KEPT * 15);
  readonly #facing = new Float64Array(KEPT * 6);
  readonly #pose = new Float64Array(KEPT * POSE);
  /** Rings: way of the palm, of the tips within the hand, turn, unevenness (second difference) of all joints, its like of the palm. */
  readonly #way = new Float64Array(KEPT);
  readonly #shape = new Float64Array(KEPT);
  readonly #turn = new Float64Array(KEPT);
  readonly #jolt = new Float64Array(KEPT);
  readonly #swerve = new Float64Array(KEPT);
  #size = 0;
  #count = 0;

  /** Folds the 66 numbers at `offset`. True when `out` describes sample `count - 1 - SPOT_LOOKAHEAD`. */
  fold(joints: ArrayLike<number>, offset: number): boolean {
    this.#foldSample(joints, offset);
    this.#count += 1;
    if (this.#count <= SPOT_LOOKAHEAD) return false;
    this.#describe(this.#count - 1 - SPOT_LOOKAHEAD);
    return true;
  }

  restart(): void {
    this.#count = 0;
    this.#size = 0;
  }

  #foldSample(joints: ArrayLike<number>, offset: number): void {
    const now = this.#count % KEPT;
    const before = (this.#count + KEPT - 1) % KEPT;
    const axes = this.#axes;
    axes.fold(joints, offset);
    // Slow enough that a bent finger or a bad sample does not resize the hand.
    this.#size = this.#count === 0 ? axes.size : this.#size + (axes.size - this.#size) * 0.03;
    const scale = 1 / Math.max(0.02, this.#size);
    for (let axis = 0; axis < 3; axis++) {
      this.#palm[now * 3 + axis] = (joints[offset + 3 + axis] as number) * scale;
    }
    for (let i = 0; i < 6; i++) this.#facing[now * 6 + i] = axes.rows[i] as number;
    for (let tip = 0; tip < 5; tip++) {
      const from = offset + (TIPS[tip] as number) * 3;
      for (let row = 0; row < 3; row++) {
        let sum = 0;
        for (let axis = 0; axis < 3; axis++) {
          sum +=
            (axes.rows[row * 3 + axis] as number) *
            ((joints[from + axis] as number) - (joints[offset + 3 + axis] as number));
        }
        this.#tips[now * 15 + tip * 3 + row] = sum * scale;
      }
    }
    this.#foldPose(now);
    const has = this.#count > 0;
    this.#way[now] = has ? distance(this.#palm, now, before, 3) : 0;
    this.#shape[now] = has ? distance(this.#tips, now, before, 15) : 0;
    this.#turn[now] = has ? distance(this.#facing, now, before, 6) : 0;
    this.#foldJolt(joints, offset, scale, now);
  }

  #foldJolt(joints: ArrayLike<number>, offset: number, scale: number, now: number): void {
    const previous = this.#previous;
    let sum = 0;
    let palm = 0;
    for (let i = 0; i < VALUES; i++) {
      const value = joints[offset + i] as number;
      const second = value - 2 * (previous[i] as number) + (previous[VALUES + i] as number);
      sum += second * second;
      if (i >= 3 && i < 6) palm += second * second;
      previous[VALUES + i] = previous[i] as number;
      previous[i] = value;
    }
    this.#jolt[now] = this.#count > 1 ? Math.sqrt(sum / SEQUENCE_JOINTS) * scale : 0;
    this.#swerve[now] = this.#count > 1 ? Math.sqrt(palm) * scale : 0;
  }

  /** How the hand is held: tips to wrist, to thumb, to each other, where palm and fingers look. */
  #foldPose(now: number): void {
    const tips = this.#tips;
    const at = now * 15;
    const to = now * POSE;
    for (let tip = 0; tip < 5; tip++) {
      const x = tips[at + tip * 3] as number;
      const y = tips[at + tip * 3 + 1] as number;
      const z = tips[at + tip * 3 + 2] as number;
      this.#pose[to + tip] = Math.sqrt(x * x + y * y + z * z);
    }
    for (let tip = 1; tip < 5; tip++) {
      this.#pose[to + 4 + tip] = tipDistance(tips, at, tip, 0);
      if (tip < 4) this.#pose[to + 8 + tip] = tipDistance(tips, at, tip, tip + 1);
    }
    this.#pose[to + 12] = this.#facing[now * 6 + 1] as number;
    this.#pose[to + 13] = this.#facing[now * 6 + 4] as number;
  }

  #describe(centre: number): void {
    const oldest = Math.max(0, this.#count - KEPT);
    let to = 0;
    for (const half of HALVES) {
      this.#describeWindow(Math.max(oldest, centre - half), centre + half, centre, to);
      to += WINDOW;
    }
    const from = Math.max(oldest, centre - PAST_FROM);
    const end = Math.max(from, centre - PAST_TO);
    this.out[to] = logOf(this.#mean(this.#way, from, end));
    this.out[to + 1] = logOf(this.#mean(this.#shape, from, end));
    this.out[to + 2] = logOf(this.#mean(this.#turn, from, end));
    this.out[to + 3] = logOf(this.#mean(this.#jolt, from, end));
    this.out[to + 4] = logOf(distance(this.#palm, centre % KEPT, from % KEPT, 3));
    to += PAST;
    const pose = (centre % KEPT) * POSE;
    for (let i = 0; i < POSE; i++) this.out[to + i] = this.#pose[pose + i] as number;
  }

  // oxlint-disable-next-line max-params -- A window of a ring: first, last, middle, and where its numbers go.
  #describeWindow(from: number, end: number, centre: number, to: number): void {
    const samples = Math.max(1, end - from);
    const way = this.#mean(this.#way, from, end);
    const shape = this.#mean(this.#shape, from, end);
    const straight = distance(this.#palm, end % KEPT, from % KEPT, 3) / (way * samples + EPSILON);
    const formed = distance(this.#tips, end % KEPT, from % KEPT, 15) / (shape * samples + EPSILON);
    const jolt = this.#mean(this.#jolt, from, end);
    this.out[to] = logOf(way);
    this.out[to + 1] = logOf(shape);
    this.out[to + 2] = logOf(this.#mean(this.#turn, from, end));
    this.out[to + 3] = logOf(jolt);
    this.out[to + 4] = straight;
    this.out[to + 5] = formed;
    this.out[to + 6] = logOf(this.#mean(this.#swerve, from, end));
    // Onsets and ends: more movement and more unevenness after than before.
    this.out[to + 7] = logOf(this.#mean(this.#way, centre, end)) - logOf(this.#mean(this.#way, from, centre));
    this.out[to + 8] = logOf(this.#mean(this.#jolt, centre, end)) - logOf(this.#mean(this.#jolt, from, centre));
  }

  /** Of the samples after `from` up to `end`. */
  #mean(ring: Float64Array, from: number, end: number): number {
    let sum = 0;
    for (let sample = from + 1; sample <= end; sample++) sum += ring[sample % KEPT] as number;
    return sum / Math.max(1, end - from);
  }
}

function logOf(value: number): number {
  return Math.log(EPSILON + value);
}

function distance(ring: Float64Array, a: number, b: number, width: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) {
    const difference = (ring[a * width + i] as number) - (ring[b * width + i] as number);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

function tipDistance(tips: Float64Array, at: number, a: number, b: number): number {
  let sum = 0;
  for (let axis = 0; axis < 3; axis++) {
    const difference = (tips[at + a * 3 + axis] as number) - (tips[at + b * 3 + axis] as number);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}
