// Gestures recognised in the page, for the consent level `gesture`: then the joints stay here and only names and phases
// leave. The rules are distances between joints relative to the size of the palm, so they hold for every hand.

import { JOINT_COUNT } from "@fovea/protocol";

/** Names follow xrblocks. */
export type LocalGesture = "pinch" | "fist" | "point" | "open-palm";

export interface GestureReading {
  readonly name: LocalGesture;
  readonly confidence: number;
}

const WRIST = 0;
const THUMB_TIP = 4;
const MIDDLE_METACARPAL = 10;
const MIDDLE_KNUCKLE = 11;
const TIPS = [9, 14, 19, 24] as const;
/** Thumb and index tips, metres: closer starts a pinch, farther ends it; the gap keeps it from flickering. */
const PINCH_STARTS_M = 0.018;
const PINCH_ENDS_M = 0.03;
/** Tip to wrist over middle knuckle to wrist. Of recorded hands, stretched fingers reach 1.6 to 2.0, curled ones 0.6 to 1.0. */
const STRETCHED = 1.5;
const CURLED = 1.1;

/** The gesture of a hand of 25 positions, given the one it made before (for hysteresis). Undefined for none. */
export function readHandGesture(joints: Float32Array, before: LocalGesture | undefined): GestureReading | undefined {
  if (joints.length < JOINT_COUNT * 3) return undefined;
  const palm = distance(joints, WRIST, MIDDLE_KNUCKLE);
  // A hand without size is a tracker that has not seen one.
  if (!(palm > 0.03) || distance(joints, WRIST, MIDDLE_METACARPAL) === 0) return undefined;
  const pinchM = distance(joints, THUMB_TIP, TIPS[0]);
  const reach = TIPS.map((tip) => distance(joints, WRIST, tip) / palm);
  const [index = 0, middle = 0, ring = 0, pinky = 0] = reach;
  const othersCurled = middle < CURLED && ring < CURLED && pinky < CURLED;
  // A fist brings thumb and index together as well; a pinch keeps the index finger out of the palm.
  if (pinchM < (before === "pinch" ? PINCH_ENDS_M : PINCH_STARTS_M) && index > CURLED)
    return { name: "pinch", confidence: Math.min(1, Math.max(0.6, 1 - pinchM / PINCH_ENDS_M)) };
  if (index > STRETCHED && othersCurled) return { name: "point", confidence: Math.min(1, 0.6 + (index - STRETCHED)) };
  if (index < CURLED && othersCurled) return { name: "fist", confidence: 0.8 };
  if (reach.every((value) => value > STRETCHED)) return { name: "open-palm", confidence: 0.8 };
  return undefined;
}

function distance(joints: Float32Array, a: number, b: number): number {
  return Math.hypot(
    (joints[a * 3] ?? 0) - (joints[b * 3] ?? 0),
    (joints[a * 3 + 1] ?? 0) - (joints[b * 3 + 1] ?? 0),
    (joints[a * 3 + 2] ?? 0) - (joints[b * 3 + 2] ?? 0),
  );
}
