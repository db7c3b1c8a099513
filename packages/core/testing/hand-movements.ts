import type { Random } from "../src/ports/random.ts";
import { fromWebXRJoints } from "@fovea/protocol/gestures";
import type { HandPose } from "./hand-model.ts";
import { handJoints } from "./hand-model.ts";

/** How a movement goes: the pose at a share (0 to 1) of its time. */
export type Movement = (share: number) => HandPose;

const open: HandPose = { curl: [0.1, 0.05, 0.05, 0.05, 0.05] };

function at(pose: HandPose, x: number, y: number, z = 0): HandPose {
  return { ...pose, position: [x, 1.2 + y, -0.4 + z] };
}

/** Generated movements that differ as the gestures of the public sets do: by way, by shape, by both. */
export const MOVEMENTS: Readonly<Record<string, Movement>> = {
  "swipe-right": (share) => at(open, -0.15 + 0.3 * ease(share), 0),
  "swipe-left": (share) => at(open, 0.15 - 0.3 * ease(share), 0),
  circle: (share) => at(open, 0.1 * Math.cos(2 * Math.PI * share), 0.1 * Math.sin(2 * Math.PI * share)),
  grab: (share) => at({ curl: [0.3, ease(share), ease(share), ease(share), ease(share)] }, 0, 0),
  shake: (share) => at(open, 0.05 * Math.sin(6 * Math.PI * share), 0),
};

/** A performance: 22 joints a sample, with this person's size, place, turn, tempo and 1.5 mm of joint noise. */
export function performMovement(movement: Movement, random: Random, samples?: number): Float32Array {
  const between = (low: number, high: number): number => low + (high - low) * random.next();
  const count = samples ?? Math.round(between(25, 70));
  const person = { scale: between(0.85, 1.15), yawRad: between(-0.2, 0.2), pitchRad: between(-0.2, 0.2) };
  const shift = [between(-0.3, 0.3), between(-0.2, 0.2), between(-0.2, 0.2)] as const;
  const out = new Float32Array(count * 66);
  for (let i = 0; i < count; i++) {
    const pose = movement(i / (count - 1));
    const [x, y, z] = pose.position ?? [0, 1.2, -0.4];
    const joints = handJoints({ ...pose, ...person, position: [x + shift[0], y + shift[1], z + shift[2]] });
    for (let k = 0; k < 75; k++) joints[k] = (joints[k] as number) + (random.next() - 0.5) * 0.005;
    fromWebXRJoints(joints, out, i * 66);
  }
  return out;
}

function ease(share: number): number {
  return share * share * (3 - 2 * share);
}
