// Gestures of two hands from WebXR joints. One sample in, events out, no allocation unless an event is reported.
//
// A pose (pinch, point, fist ...) is a score from lengths measured in the user's own hand size, held by hysteresis in level
// and in time. Nothing here depends on where the hand is or how large it is; open palm and thumbs also ask which way is up,
// because a hand at rest is as straight as an open palm and only its direction tells a sign from a rest.

import type { GestureEvent } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";
import { FEATURE, foldHandFeatures } from "./gesture-features.ts";
import { GestureMotion, MOTION_NUMBERS } from "./gesture-motion.ts";
import type { GestureMoment, PhaseRule } from "./gesture-phase.ts";
import { GesturePhase, isPhaseActive, PHASE_NUMBERS, restPhase } from "./gesture-phase.ts";
import type { PoseName } from "./gesture-scores.ts";
import { foldPoseScores, POSE_NAMES } from "./gesture-scores.ts";
import { TWO_HAND_NUMBERS, TwoHandGestures } from "./gesture-two-hands.ts";

/** A hand missing for longer ends its gestures: one dropped sample must not release what the user holds. */
const LOST_MS = 150;

/** At this score a pose may begin. */
const ON_LEVEL = 0.6;
const MANIPULATION: PhaseRule = { onLevel: ON_LEVEL, offLevel: 0.2, onMs: 25, offMs: 45, updateMs: 100 };
const SIGN: PhaseRule = { onLevel: ON_LEVEL, offLevel: 0.3, onMs: 180, offMs: 80, updateMs: 200 };
const RULES: Readonly<Record<PoseName, PhaseRule>> = {
  pinch: MANIPULATION,
  grab: { ...MANIPULATION, onMs: 50 },
  point: { ...MANIPULATION, onMs: 100 },
  "open-palm": SIGN,
  fist: SIGN,
  "thumbs-up": SIGN,
  "thumbs-down": SIGN,
  victory: SIGN,
};

/** What is learned of a user's hand. Store it and give it to the next session to start calibrated. */
export interface HandCalibration {
  /** Wrist to middle knuckle, metres. */
  readonly sizeM: number;
  /** Largest straightness of thumb to little finger seen, 0.85 to 1. */
  readonly reach: readonly number[];
}

const REACH = 0;
/** Middle of the palm: three numbers. */
const PALM = 5;
/** Wrist to middle knuckle, metres; 0 while unknown. */
const SIZE_M = 8;
const SEEN_MS = 9;
const LAST_MS = 10;
const IS_HOLDING = 11;
const PHASES = 12;
const MOTION = PHASES + POSE_NAMES.length * PHASE_NUMBERS;
const HAND_NUMBERS = MOTION + MOTION_NUMBERS;

const HEADING_COS = 0;
const HEADING_SIN = 1;
const TWO_HANDS = 2;
const LEFT = TWO_HANDS + TWO_HAND_NUMBERS;
const RIGHT = LEFT + HAND_NUMBERS;

/**
 * The instant being folded, and what is computed from its joints: one for all hands of all users, since folding is
 * synchronous. What is kept from sample to sample lies in one array a user, because with many users it is the memory that
 * has to be fetched which costs, and not the sums.
 */
const MOMENT: GestureMoment = { tMs: -Infinity, headingCos: 1, headingSin: 0 };
const FEATURES = new Float64Array(FEATURE.count);
const SCORES = new Float64Array(POSE_NAMES.length);
const OWN_REACH = new Float64Array(5);
const OWN_SIZE = new Float64Array(1);

export class HandGestures {
  readonly #numbers = new Float64Array(RIGHT + HAND_NUMBERS);
  readonly #left: Hand;
  readonly #right: Hand;
  readonly #twoHands: TwoHandGestures;

  constructor(calibration?: HandCalibration) {
    this.#numbers[HEADING_COS] = 1;
    this.#left = new Hand(true, this.#numbers, LEFT, calibration);
    this.#right = new Hand(false, this.#numbers, RIGHT, calibration);
    this.#twoHands = new TwoHandGestures(MOMENT, this.#numbers, TWO_HANDS);
  }

  /**
   * Folds one sample: 75 numbers, x y z of the 25 joints in metres in the reference space (Y up), NaN for a missing joint.
   * The view is read during the call and not kept. A sample older than the hand's newest is ignored. The returned list is
   * new when it is not empty.
   */
  fold(joints: Float32Array, tMs: number, handedness: "left" | "right"): readonly GestureEvent[] {
    const at = handedness === "left" ? LEFT : RIGHT;
    if (!(tMs > (this.#numbers[at + LAST_MS] as number)) || joints.length < 75) return NO_GESTURES;
    this.#recall(tMs);
    const events = (handedness === "left" ? this.#left : this.#right).fold(joints);
    return this.#withTogether(events);
  }

  /** The viewer's pose, x y z and quaternion x y z w: where it looks is what "left" and "forward" mean to swipes. */
  foldViewer(pose: ArrayLike<number>): void {
    const qx = pose[3] as number;
    const qy = pose[4] as number;
    const qz = pose[5] as number;
    const qw = pose[6] as number;
    // Direction of -Z turned by the quaternion, laid on the floor. Looking straight down or up keeps the heading of before.
    const backX = 2 * (qx * qz + qw * qy);
    const backZ = 1 - 2 * (qx * qx + qy * qy);
    const size = Math.sqrt(backX * backX + backZ * backZ);
    if (!(size > 1e-3)) return;
    this.#numbers[HEADING_COS] = backZ / size;
    this.#numbers[HEADING_SIN] = backX / size;
  }

  /** The input source is gone (controllers were taken up, session hidden): ends what the hand was doing. */
  lost(handedness: "left" | "right", tMs: number): readonly GestureEvent[] {
    this.#recall(tMs);
    return this.#withTogether((handedness === "left" ? this.#left : this.#right).end());
  }

  calibration(handedness: "left" | "right"): HandCalibration {
    const at = handedness === "left" ? LEFT : RIGHT;
    return { sizeM: this.#numbers[at + SIZE_M] as number, reach: [...this.#numbers.subarray(at + REACH, at + PALM)] };
  }

  #recall(tMs: number): void {
    MOMENT.tMs = tMs;
    MOMENT.headingCos = this.#numbers[HEADING_COS] as number;
    MOMENT.headingSin = this.#numbers[HEADING_SIN] as number;
  }

  #withTogether(events: readonly GestureEvent[]): readonly GestureEvent[] {
    const numbers = this.#numbers;
    const isHeld = numbers[LEFT + IS_HOLDING] === 1 && numbers[RIGHT + IS_HOLDING] === 1;
    const together = this.#twoHands.fold(isHeld, LEFT + PALM, RIGHT + PALM);
    if (together.length === 0) return events;
    return events.length === 0 ? together : [...events, ...together];
  }
}

/** One hand: what it does with its `HAND_NUMBERS` numbers from `at` on. */
class Hand {
  readonly #isLeft: boolean;
  readonly #numbers: Float64Array;
  readonly #at: number;
  readonly #phases: readonly GesturePhase[];
  readonly #motion: GestureMotion;

  constructor(isLeft: boolean, numbers: Float64Array, at: number, calibration?: HandCalibration) {
    this.#isLeft = isLeft;
    this.#numbers = numbers;
    this.#at = at;
    const side = isLeft ? "left" : "right";
    this.#phases = POSE_NAMES.map(
      (name, pose) => new GesturePhase(name, side, RULES[name], MOMENT, numbers, at + PHASES + pose * PHASE_NUMBERS),
    );
    this.#motion = new GestureMotion(side, MOMENT, numbers, at + MOTION);
    numbers[at + SIZE_M] = calibration?.sizeM ?? 0;
    numbers[at + SEEN_MS] = -Infinity;
    numbers[at + LAST_MS] = -Infinity;
    for (let finger = 0; finger < 5; finger++) numbers[at + REACH + finger] = calibration?.reach[finger] ?? 0.97;
  }

  fold(joints: Float32Array): readonly GestureEvent[] {
    const numbers = this.#numbers;
    const at = this.#at;
    const { tMs } = MOMENT;
    numbers[at + LAST_MS] = tMs;
    const missingMs = tMs - (numbers[at + SEEN_MS] as number);
    OWN_SIZE[0] = numbers[at + SIZE_M] as number;
    if (!foldHandFeatures(joints, this.#isLeft, OWN_SIZE, FEATURES)) {
      return missingMs > LOST_MS ? this.end() : NO_GESTURES;
    }
    let events: GestureEvent[] | undefined;
    if (missingMs > LOST_MS && missingMs < Infinity) events = append(events, this.end());
    this.#calibrate(missingMs);
    numbers[at + SEEN_MS] = tMs;
    for (let axis = 0; axis < 3; axis++) {
      numbers[at + PALM + axis] = ((joints[axis] as number) + (joints[33 + axis] as number)) / 2;
    }
    foldPoseScores(FEATURES, OWN_REACH, SCORES);
    let isHolding = false;
    for (let pose = 0; pose < POSE_NAMES.length; pose++) {
      const phaseAt = at + PHASES + pose * PHASE_NUMBERS;
      // Most poses are neither held nor begun, and then the phase itself need not be fetched.
      if ((SCORES[pose] as number) < ON_LEVEL && !isPhaseActive(numbers, phaseAt)) {
        restPhase(numbers, phaseAt);
        continue;
      }
      const event = (this.#phases[pose] as GesturePhase).fold(SCORES, pose);
      if (event !== undefined) (events ??= []).push(event);
      if (pose < 2 && isPhaseActive(numbers, phaseAt)) isHolding = true;
    }
    numbers[at + IS_HOLDING] = isHolding ? 1 : 0;
    const moves = this.#motion.fold(joints, FEATURES, isHolding);
    if (moves.length > 0) events = append(events, moves);
    return events ?? NO_GESTURES;
  }

  end(): readonly GestureEvent[] {
    let events: GestureEvent[] | undefined;
    this.#numbers[this.#at + IS_HOLDING] = 0;
    for (const phase of this.#phases) {
      const event = phase.end();
      if (event !== undefined) (events ??= []).push(event);
    }
    const moves = this.#motion.end();
    if (moves.length > 0) events = append(events, moves);
    return events ?? NO_GESTURES;
  }

  /**
   * Size follows the samples within seconds, so that a wrong first sample is forgotten and a rounded hand model counts as
   * a hand of its own size. Reach rises at once to what the user shows and sinks by 1 % a second.
   */
  #calibrate(missingMs: number): void {
    const numbers = this.#numbers;
    const at = this.#at;
    const elapsedMs = Math.min(100, missingMs);
    const ownM = FEATURES[FEATURE.sizeM] as number;
    const sizeM = numbers[at + SIZE_M] as number;
    numbers[at + SIZE_M] = sizeM === 0 ? ownM : sizeM + (ownM - sizeM) * (1 - Math.exp(-elapsedMs / 2_000));
    const sink = elapsedMs * 1e-5;
    for (let finger = 0; finger < 5; finger++) {
      const seen = FEATURES[FEATURE.straight + finger] as number;
      const reach = Math.min(1, Math.max(0.9, seen, (numbers[at + REACH + finger] as number) - sink));
      numbers[at + REACH + finger] = reach;
      OWN_REACH[finger] = reach;
    }
  }
}

function append(events: GestureEvent[] | undefined, more: readonly GestureEvent[]): GestureEvent[] {
  if (events === undefined) return [...more];
  events.push(...more);
  return events;
}
