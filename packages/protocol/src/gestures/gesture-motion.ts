import { CIRCLE_NUMBERS, CircleTracker } from "./gesture-circle.ts";
import type { GestureEvent, GestureSide } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";
import { FEATURE, ramp } from "./gesture-features.ts";
import type { GestureMoment } from "./gesture-phase.ts";

const SAMPLES = 32;

/**
 * A stroke is faster than this at its peak and slower than `REST_MPS` before and after. Of people's swipes to the side
 * (SHREC'17) half peak above 1 m/s and nine in ten above 0.6; reaching and carrying are mostly slower.
 */
const STROKE_MPS = 0.7;

/** Hands sink and drop to rest faster than they wander: only a strike counts as a swipe down. */
const STROKE_DOWN_MPS = 1.1;

const REST_MPS = 0.3;
const STROKE_MS_MIN = 80;
const STROKE_MS_MAX = 700;

/** In hand sizes: about 11 cm for a hand of 9.5 cm. */
const STROKE_SIZES_MIN = 1.2;

/** Index and middle finger are at least so straight: a hand that holds something is not swiping. */
const STRAIGHT_MIN = 0.7;

/** After a stroke the hand goes back; the way back is not a gesture. */
const RETURN_MS = 800;

/** Velocity is measured over at least this time, so that 3 mm of joint noise stay below 0.1 m/s. */
const VELOCITY_MS = 45;

const COUNT = 0;
const IS_STROKE = 1;
const WAS_HOLDING = 2;
const PEAK_MPS = 3;
const PATH_M = 4;
const QUIET_UNTIL_MS = 5;
const LAST_MS = 6;
/** Where the stroke began: t, x, y, z. */
const FROM = 7;
const STATE_NUMBERS = 11;
const RING = STATE_NUMBERS + CIRCLE_NUMBERS;

/** What it keeps in its owner's array: its state, that of the circle, and a ring of t, x, y, z. */
export const MOTION_NUMBERS = RING + SAMPLES * 4;

/** Movements of one hand: swipe, push, circle. Positions are of the middle knuckle and of the index tip. */
export class GestureMotion {
  readonly #side: GestureSide;
  readonly #moment: GestureMoment;
  readonly #circle: CircleTracker;
  readonly #numbers: Float64Array;
  readonly #at: number;

  /** Its state is `MOTION_NUMBERS` numbers from `at` on. */
  constructor(side: GestureSide, moment: GestureMoment, numbers: Float64Array, at: number) {
    this.#side = side;
    this.#moment = moment;
    this.#numbers = numbers;
    this.#at = at;
    numbers.fill(0, at, at + STATE_NUMBERS);
    numbers[at + QUIET_UNTIL_MS] = -Infinity;
    numbers[at + LAST_MS] = -Infinity;
    this.#circle = new CircleTracker(side, moment, numbers, at + STATE_NUMBERS);
  }

  fold(joints: Float32Array, features: Float64Array, isHolding: boolean): readonly GestureEvent[] {
    const numbers = this.#numbers;
    const at = this.#at;
    const { tMs } = this.#moment;
    // A gap is not a movement: the hand may have been anywhere meanwhile.
    if (tMs - (numbers[at + LAST_MS] as number) > 200) this.#restart();
    numbers[at + LAST_MS] = tMs;
    const count = numbers[at + COUNT] as number;
    const slot = at + RING + (count % SAMPLES) * 4;
    numbers[slot] = tMs;
    numbers[slot + 1] = joints[33] as number;
    numbers[slot + 2] = joints[34] as number;
    numbers[slot + 3] = joints[35] as number;
    numbers[at + COUNT] = count + 1;
    const stroke = this.#foldStroke(features, isHolding);
    const turning = this.#circle.fold(joints, isHolding);
    if (stroke === undefined) return turning === undefined ? NO_GESTURES : [turning];
    return turning === undefined
      ? [stroke, { ...stroke, phase: "end" }]
      : [stroke, { ...stroke, phase: "end" }, turning];
  }

  end(): readonly GestureEvent[] {
    this.#restart();
    const event = this.#circle.end();
    return event === undefined ? NO_GESTURES : [event];
  }

  #restart(): void {
    this.#numbers[this.#at + COUNT] = 0;
    this.#numbers[this.#at + IS_STROKE] = 0;
    this.#numbers[this.#at + PEAK_MPS] = 0;
    this.#numbers[this.#at + PATH_M] = 0;
  }

  #foldStroke(features: Float64Array, isHolding: boolean): GestureEvent | undefined {
    const numbers = this.#numbers;
    const at = this.#at;
    const { tMs } = this.#moment;
    const count = numbers[at + COUNT] as number;
    const now = at + RING + ((count - 1) % SAMPLES) * 4;
    const before = this.#slotBefore(VELOCITY_MS);
    if (before < 0) return undefined;
    const mps = (this.#distance(now, before) / (tMs - (numbers[before] as number))) * 1_000;
    if (isHolding) numbers[at + WAS_HOLDING] = 1;
    if (mps < REST_MPS) {
      const isSwipe = numbers[at + IS_STROKE] === 1 && numbers[at + WAS_HOLDING] === 0;
      const event = isSwipe ? this.#strokeEvent(now, features) : undefined;
      numbers[at + IS_STROKE] = 0;
      numbers[at + WAS_HOLDING] = isHolding ? 1 : 0;
      numbers[at + PEAK_MPS] = 0;
      numbers[at + PATH_M] = 0;
      for (let i = 0; i < 4; i++) numbers[at + FROM + i] = numbers[before + i] as number;
      return event;
    }
    const previous = at + RING + ((count - 2 + SAMPLES) % SAMPLES) * 4;
    numbers[at + PATH_M] = (numbers[at + PATH_M] as number) + this.#distance(now, previous);
    if (mps > (numbers[at + PEAK_MPS] as number)) numbers[at + PEAK_MPS] = mps;
    if (mps >= STROKE_MPS) numbers[at + IS_STROKE] = 1;
    return undefined;
  }

  /** The whole stroke as seen by the viewer, if it was one straight movement along one of the viewer's axes. */
  #strokeEvent(now: number, features: Float64Array): GestureEvent | undefined {
    const numbers = this.#numbers;
    const at = this.#at;
    const { tMs, headingCos, headingSin } = this.#moment;
    const fromMs = numbers[at + FROM] as number;
    const durationMs = tMs - fromMs;
    const isQuiet = tMs < (numbers[at + QUIET_UNTIL_MS] as number);
    if (isQuiet || durationMs < STROKE_MS_MIN || durationMs > STROKE_MS_MAX + VELOCITY_MS) return undefined;
    const dx = (numbers[now + 1] as number) - (numbers[at + FROM + 1] as number);
    const up = (numbers[now + 2] as number) - (numbers[at + FROM + 2] as number);
    const dz = (numbers[now + 3] as number) - (numbers[at + FROM + 3] as number);
    const lengthM = Math.sqrt(dx * dx + up * up + dz * dz);
    const sizes = lengthM / (features[FEATURE.sizeM] as number);
    if (sizes < STROKE_SIZES_MIN || lengthM < (numbers[at + PATH_M] as number) * 0.8) return undefined;
    const right = dx * headingCos - dz * headingSin;
    const forward = -dx * headingSin - dz * headingCos;
    const main = Math.max(Math.abs(right), Math.abs(up), Math.abs(forward));
    const peakMps = numbers[at + PEAK_MPS] as number;
    const confidence = Math.min(
      ramp(main / lengthM, 0.7, 0.9),
      0.5 + ramp(sizes, STROKE_SIZES_MIN, 3) / 2,
      0.6 + ramp(peakMps, STROKE_MPS, 1.8) * 0.4,
    );
    if (confidence < 0.4 || Math.min(open(features, 1), open(features, 2)) < STRAIGHT_MIN) return undefined;
    const isForward = Math.abs(forward) === main;
    // A push goes where the palm looks; a reach forward goes where the fingers look.
    if (isForward && (forward < 0 || this.#palmAlong(features, dx, up, dz) < 0.6 * lengthM)) return undefined;
    const isUpDown = !isForward && Math.abs(up) === main;
    if (isUpDown && up < 0 && peakMps < STROKE_DOWN_MPS) return undefined;
    numbers[at + QUIET_UNTIL_MS] = tMs + RETURN_MS;
    return {
      name: isForward ? "push" : "swipe",
      phase: "start",
      confidence,
      tMs,
      sinceMs: fromMs,
      handedness: this.#side,
      direction: isForward ? "forward" : isUpDown ? (up > 0 ? "up" : "down") : right > 0 ? "right" : "left",
      value: lengthM,
    };
  }

  #palmAlong(features: Float64Array, dx: number, dy: number, dz: number): number {
    const normal = FEATURE.normal;
    return (
      (features[normal] as number) * dx + (features[normal + 1] as number) * dy + (features[normal + 2] as number) * dz
    );
  }

  /** The newest sample that is at least so old, or -1. */
  #slotBefore(ageMs: number): number {
    const tMs = this.#moment.tMs - ageMs;
    const count = this.#numbers[this.#at + COUNT] as number;
    const oldest = Math.max(0, count - SAMPLES);
    for (let i = count - 2; i >= oldest; i--) {
      const slot = this.#at + RING + (i % SAMPLES) * 4;
      if ((this.#numbers[slot] as number) <= tMs) return slot;
    }
    return -1;
  }

  #distance(a: number, b: number): number {
    const dx = (this.#numbers[a + 1] as number) - (this.#numbers[b + 1] as number);
    const dy = (this.#numbers[a + 2] as number) - (this.#numbers[b + 2] as number);
    const dz = (this.#numbers[a + 3] as number) - (this.#numbers[b + 3] as number);
    return Math.sqrt(dx * dx + dy * dy + dz * dz);
  }
}

function open(features: Float64Array, finger: number): number {
  return features[FEATURE.straight + finger] as number;
}
