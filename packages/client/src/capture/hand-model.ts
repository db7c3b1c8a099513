// Consent level `rounded`: the tracked hand is mapped to one static hand model. Bone lengths and the shape of the palm,
// which tell people apart, are the model's; the directions of the bones, which tell what the hand does, are the user's.
// WebXR Hand Input, privacy section: joints must not be rounded independently; the hand is mapped to a static model.

const PALM_Y = 0.001;
/** Metacarpal bases in the wrist's axes of a right hand, metres; x is mirrored for the left. Middle of adult tables. */
const PALM: readonly (readonly [joint: number, x: number, y: number, z: number])[] = [
  [1, -0.024, -0.014, -0.031],
  [5, -0.019, PALM_Y, -0.036],
  [10, -0.005, PALM_Y, -0.035],
  [15, 0.008, PALM_Y, -0.034],
  [20, 0.019, -0.004, -0.033],
];

/** Bones as [joint, length to it from the joint before], metres, from the metacarpal base outwards. */
const BONES: readonly (readonly [joint: number, length: number])[] = [
  [2, 0.033],
  [3, 0.034],
  [4, 0.025],
  [6, 0.061],
  [7, 0.038],
  [8, 0.024],
  [9, 0.022],
  [11, 0.061],
  [12, 0.043],
  [13, 0.027],
  [14, 0.023],
  [16, 0.055],
  [17, 0.039],
  [18, 0.027],
  [19, 0.023],
  [21, 0.051],
  [22, 0.031],
  [23, 0.02],
  [24, 0.021],
];

/** Overwrites 25 joint positions (x, y, z) with those of the static hand in the same pose. Joint 0, the wrist, stays. */
export function roundHand(joints: Float32Array, wristOrientation: ArrayLike<number>, handedness: string): void {
  const wx = joints[0] ?? 0;
  const wy = joints[1] ?? 0;
  const wz = joints[2] ?? 0;
  const side = handedness === "left" ? -1 : 1;
  directions.fill(0);
  for (const [joint] of BONES) readDirection(joints, joint);
  for (const [joint, x, y, z] of PALM) {
    rotateInto(joints, joint * 3, wristOrientation, x * side, y, z);
    joints[joint * 3] = (joints[joint * 3] ?? 0) + wx;
    joints[joint * 3 + 1] = (joints[joint * 3 + 1] ?? 0) + wy;
    joints[joint * 3 + 2] = (joints[joint * 3 + 2] ?? 0) + wz;
  }
  for (const [joint, length] of BONES) {
    for (let axis = 0; axis < 3; axis++) {
      const at = joint * 3 + axis;
      joints[at] = (joints[at - 3] ?? 0) + (directions[at] ?? 0) * length;
    }
  }
}

const directions = new Float32Array(75);

function readDirection(joints: Float32Array, joint: number): void {
  const at = joint * 3;
  const x = (joints[at] ?? 0) - (joints[at - 3] ?? 0);
  const y = (joints[at + 1] ?? 0) - (joints[at - 2] ?? 0);
  const z = (joints[at + 2] ?? 0) - (joints[at - 1] ?? 0);
  const length = Math.hypot(x, y, z);
  if (length === 0) return;
  directions[at] = x / length;
  directions[at + 1] = y / length;
  directions[at + 2] = z / length;
}

// oxlint-disable-next-line max-params -- A vector as an object would be made for every joint of every sample.
function rotateInto(into: Float32Array, at: number, q: ArrayLike<number>, x: number, y: number, z: number): void {
  const qx = q[0] ?? 0;
  const qy = q[1] ?? 0;
  const qz = q[2] ?? 0;
  const qw = q[3] ?? 1;
  const tx = 2 * (qy * z - qz * y);
  const ty = 2 * (qz * x - qx * z);
  const tz = 2 * (qx * y - qy * x);
  into[at] = x + qw * tx + qy * tz - qz * ty;
  into[at + 1] = y + qw * ty + qz * tx - qx * tz;
  into[at + 2] = z + qw * tz + qx * ty - qy * tx;
}
