/** A generated right or left hand in WebXR joint order, for tests without recorded data. Metres, Y up. */
export interface HandPose {
  /** Thumb to little finger, 0 straight to 1 rolled in. */
  readonly curl: readonly [number, number, number, number, number];
  /** Thumb tip this far from the index tip, instead of where its curl puts it. */
  readonly pinchM?: number;
  /** Thumb tip beside the middle finger's second joint, as in a fist. */
  readonly isThumbAcross?: boolean;
  /** Angle between neighbouring fingers. */
  readonly spreadRad?: number;
  readonly isLeft?: boolean;
  readonly scale?: number;
  readonly position?: readonly [number, number, number];
  /** Rotations about X, then Y, then Z, of a hand that points along -Z with its palm down. */
  readonly pitchRad?: number;
  readonly yawRad?: number;
  readonly rollRad?: number;
}

/** Where each finger leaves the palm (x to the thumb's side), and its three bones, in metres, for a hand of 9.5 cm. */
const FINGERS: readonly { readonly x: number; readonly z: number; readonly bones: readonly number[] }[] = [
  { x: -0.025, z: -0.095, bones: [0.038, 0.024, 0.022] },
  { x: -0.002, z: -0.0955, bones: [0.043, 0.028, 0.023] },
  { x: 0.016, z: -0.089, bones: [0.039, 0.027, 0.022] },
  { x: 0.035, z: -0.078, bones: [0.031, 0.021, 0.02] },
];

export function handJoints(pose: HandPose): Float32Array {
  const local = new Float64Array(75);
  for (let finger = 0; finger < 4; finger++) placeFinger(local, finger, pose);
  placeThumb(local, pose);
  const joints = new Float32Array(75);
  const scale = pose.scale ?? 1;
  for (let joint = 0; joint < 25; joint++) {
    let x = (local[joint * 3] as number) * scale * (pose.isLeft === true ? -1 : 1);
    let y = (local[joint * 3 + 1] as number) * scale;
    let z = (local[joint * 3 + 2] as number) * scale;
    [y, z] = turn(y, z, pose.pitchRad ?? 0);
    [z, x] = turn(z, x, pose.yawRad ?? 0);
    [x, y] = turn(x, y, pose.rollRad ?? 0);
    joints[joint * 3] = x + (pose.position?.[0] ?? 0);
    joints[joint * 3 + 1] = y + (pose.position?.[1] ?? 1.2);
    joints[joint * 3 + 2] = z + (pose.position?.[2] ?? -0.4);
  }
  return joints;
}

function placeFinger(out: Float64Array, finger: number, pose: HandPose): void {
  const { x, z, bones } = FINGERS[finger] as (typeof FINGERS)[number];
  const first = 5 + finger * 5;
  const bend = (pose.curl[finger + 1] as number) * 1.55;
  const side = (finger - 1) * (pose.spreadRad ?? 0.05);
  set(out, first, x * 0.4, 0, -0.03);
  set(out, first + 1, x, 0, z);
  let angle = 0;
  let px = x;
  let py = 0;
  let pz = z;
  for (let bone = 0; bone < 3; bone++) {
    angle += bend;
    const length = bones[bone] as number;
    px += Math.sin(side) * Math.cos(angle) * length;
    py -= Math.sin(angle) * length;
    pz -= Math.cos(side) * Math.cos(angle) * length;
    set(out, first + 2 + bone, px, py, pz);
  }
}

function placeThumb(out: Float64Array, pose: HandPose): void {
  const base = [-0.02, -0.01, -0.02] as const;
  let tip: readonly [number, number, number] = [-0.088, -0.005 - 0.03 * pose.curl[0], -0.075];
  if (pose.isThumbAcross === true) tip = [at(out, 12, 0) - 0.012, at(out, 12, 1) - 0.015, at(out, 12, 2)];
  if (pose.pinchM !== undefined) tip = [at(out, 9, 0) - pose.pinchM, at(out, 9, 1), at(out, 9, 2)];
  for (let bone = 0; bone < 4; bone++) {
    const share = [0, 0.4, 0.72, 1][bone] as number;
    // The chain bows outward where the tip is nearer than the thumb is long.
    const bow = share * (1 - share) * 0.06 * (pose.isThumbAcross === true ? 1 : 0.2);
    const [x, y, z] = [0, 1, 2].map(
      (axis) => (base[axis] as number) + ((tip[axis] as number) - (base[axis] as number)) * share,
    );
    set(out, 1 + bone, (x as number) - bow, y as number, z as number);
  }
}

function turn(a: number, b: number, angleRad: number): [number, number] {
  return [a * Math.cos(angleRad) - b * Math.sin(angleRad), a * Math.sin(angleRad) + b * Math.cos(angleRad)];
}

function set(out: Float64Array, joint: number, x: number, y: number, z: number): void {
  out.set([x, y, z], joint * 3);
}

function at(out: Float64Array, joint: number, axis: number): number {
  return out[joint * 3 + axis] as number;
}
