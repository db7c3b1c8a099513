// Gestures of two hands from WebXR joints. One sample in, events out, no allocation unless an event is reported.
//
// A pose (pinch, point, fist ...) is a score from lengths measured in the user's own hand size, held by hysteresis in level
// and in time. Nothing here depends on where the hand is or how large it is; open palm and thumbs also ask which way is up,
// because a hand at rest is as straight as an open palm and only its direction tells a sign from a rest.

import type { GestureEvent } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";
import { FEATURE, foldHandFeatures } from "./gesture-features.ts";
import { GestureMotion } from "./gesture-motion.ts";
import type { GestureMoment, PhaseRule } from "./gesture-phase.ts";
import { GesturePhase } from "./gesture-phase.ts";
import type { PoseName } from "./gesture-scores.ts";
import { foldPoseScores, POSE_NAMES } from "./gesture-scores.ts";
import { TwoHandGestures } from "./gesture-two-hands.ts";

/** A hand missing for longer ends its gestures: one dropped sample must not release what the user holds. */
const LOST_MS = 150;

const MANIPULATION: PhaseRule = { onLevel: 0.6, offLevel: 0.2, onMs: 25, offMs: 45, updateMs: 100 };
const SIGN: PhaseRule = { onLevel: 0.6, offLevel: 0.3, onMs: 180, offMs: 80, updateMs: 200 };
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

export class HandGestures {
  readonly #moment: GestureMoment = { tMs: -Infinity, headingCos: 1, headingSin: 0 };
  readonly #left: Hand;
  readonly #right: Hand;
  readonly #twoHands = new TwoHandGestures(this.#moment);

  constructor(calibration?: HandCalibration) {
    this.#left = new Hand(true, this.#moment, calibration);
    this.#right = new Hand(false, this.#moment, calibration);
  }

  /**
   * Folds one sample: 75 numbers, x y z of the 25 joints in metres in the reference space (Y up), NaN for a missing joint.
   * The view is read during the call and not kept. A sample older than the hand's newest is ignored. The returned list is
   * new when it is not empty.
   */
  fold(joints: Float32Array, tMs: number, handedness: "left" | "right"): readonly GestureEvent[] {
    const hand = handedness === "left" ? this.#left : this.#right;
    if (!(tMs > hand.lastMs) || joints.length < 75) return NO_GESTURES;
    this.#moment.tMs = tMs;
    const events = hand.fold(joints);
    const together = this.#twoHands.fold(this.#left, this.#right);
    if (together.length === 0) return events;
    return events.length === 0 ? together : [...events, ...together];
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
    this.#moment.headingCos = backZ / size;
    this.#moment.headingSin = backX / size;
  }

  /** The input source is gone (controllers were taken up, session hidden): ends what the hand was doing. */
  lost(handedness: "left" | "right", tMs: number): readonly GestureEvent[] {
    const hand = handedness === "left" ? this.#left : this.#right;
    this.#moment.tMs = tMs;
    const events = hand.end();
    const together = this.#twoHands.fold(this.#left, this.#right);
    return together.length === 0 ? events : [...events, ...together];
  }

  calibration(handedness: "left" | "right"): HandCalibration {
    const hand = handedness === "left" ? this.#left : this.#right;
    return { sizeM: hand.size[0] as number, reach: [...hand.reach] };
  }
}

/** One hand's state. Public to its own module and to two-hand gestures, which read `isHolding` and the palm. */
class Hand {
  readonly reach = new Float64Array(5);
  readonly palm = new Float64Array(3);
  /** Wrist to middle knuckle, metres; 0 while unknown. */
  readonly size = new Float64Array(1);
  lastMs = -Infinity;
  isHolding = false;
  readonly #isLeft: boolean;
  readonly #features = new Float64Array(FEATURE.count);
  readonly #scores = new Float64Array(POSE_NAMES.length);
  readonly #moment: GestureMoment;
  readonly #phases: readonly GesturePhase[];
  readonly #motion: GestureMotion;
  #seenMs = -Infinity;

  constructor(isLeft: boolean, moment: GestureMoment, calibration?: HandCalibration) {
    this.#isLeft = isLeft;
    this.#moment = moment;
    const side = isLeft ? "left" : "right";
    this.#phases = POSE_NAMES.map((name) => new GesturePhase(name, side, RULES[name], moment));
    this.#motion = new GestureMotion(side, moment);
    this.size[0] = calibration?.sizeM ?? 0;
    for (let finger = 0; finger < 5; finger++) this.reach[finger] = calibration?.reach[finger] ?? 0.97;
  }

  fold(joints: Float32Array): readonly GestureEvent[] {
    const { tMs } = this.#moment;
    this.lastMs = tMs;
    const missingMs = tMs - this.#seenMs;
    if (!foldHandFeatures(joints, this.#isLeft, this.size, this.#features)) {
      return missingMs > LOST_MS ? this.end() : NO_GESTURES;
    }
    let events: GestureEvent[] | undefined;
    if (missingMs > LOST_MS && missingMs < Infinity) events = append(events, this.end());
    this.#calibrate();
    this.#seenMs = tMs;
    for (let axis = 0; axis < 3; axis++) {
      this.palm[axis] = ((joints[axis] as number) + (joints[33 + axis] as number)) / 2;
    }
    foldPoseScores(this.#features, this.reach, this.#scores);
    this.isHolding = false;
    for (let pose = 0; pose < this.#phases.length; pose++) {
      const phase = this.#phases[pose] as GesturePhase;
      const event = phase.fold(this.#scores, pose);
      if (event !== undefined) (events ??= []).push(event);
      if (pose < 2 && phase.isActive) this.isHolding = true;
    }
    const moves = this.#motion.fold(joints, this.#features, this.isHolding);
    if (moves.length > 0) events = append(events, moves);
    return events ?? NO_GESTURES;
  }

  end(): readonly GestureEvent[] {
    let events: GestureEvent[] | undefined;
    this.isHolding = false;
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
  #calibrate(): void {
    const elapsedMs = Math.min(100, this.#moment.tMs - this.#seenMs);
    const ownM = this.#features[FEATURE.sizeM] as number;
    const sizeM = this.size[0] as number;
    this.size[0] = sizeM === 0 ? ownM : sizeM + (ownM - sizeM) * (1 - Math.exp(-elapsedMs / 2_000));
    const sink = elapsedMs * 1e-5;
    for (let finger = 0; finger < 5; finger++) {
      const seen = this.#features[FEATURE.straight + finger] as number;
      this.reach[finger] = Math.min(1, Math.max(0.9, seen, (this.reach[finger] as number) - sink));
    }
  }
}

function append(events: GestureEvent[] | undefined, more: readonly GestureEvent[]): GestureEvent[] {
  if (events === undefined) return [...more];
  events.push(...more);
  return events;
}
