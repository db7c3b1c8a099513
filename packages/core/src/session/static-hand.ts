// Consent level `rounded`: a hand is shown as what it does, not as whose it is. WebXR Hand Input asks that joints are not
// rounded one by one but that the whole hand is mapped to a static model. So every bone keeps its direction and gets the
// length of the model's; the wrist stays. What a person's hand measures is gone, what it gestures is kept.
const JOINTS = 25;

/** Parent of each joint in WebXR order; the five metacarpals hang on the wrist. */
const PARENTS = Int8Array.of(-1, 0, 1, 2, 3, 0, 5, 6, 7, 8, 0, 10, 11, 12, 13, 0, 15, 16, 17, 18, 0, 20, 21, 22, 23);

/** Metres from parent to joint: middle of published adult means (Buryanov and Kotiuk 2010, phalanges and metacarpals). */
// oxfmt-ignore
const LENGTHS_M = Float32Array.of(
  0,
  0.035, 0.046, 0.032, 0.024,
  0.035, 0.068, 0.04, 0.022, 0.018,
  0.033, 0.065, 0.045, 0.026, 0.018,
  0.033, 0.058, 0.041, 0.026, 0.018,
  0.034, 0.054, 0.033, 0.018, 0.017,
);

const mapped = new Float32Array(JOINTS * 3);

/** Changes the 75 numbers in place. A joint that lies on its parent, or is missing, follows its parent's bone. */
export function mapToStaticHand(joints: Float32Array): void {
  for (let axis = 0; axis < 3; axis++) mapped[axis] = joints[axis] as number;
  for (let joint = 1; joint < JOINTS; joint++) {
    const parent = (PARENTS[joint] as number) * 3;
    const at = joint * 3;
    let x = (joints[at] as number) - (joints[parent] as number);
    let y = (joints[at + 1] as number) - (joints[parent + 1] as number);
    let z = (joints[at + 2] as number) - (joints[parent + 2] as number);
    const size = Math.sqrt(x * x + y * y + z * z);
    const scale = size > 1e-6 ? (LENGTHS_M[joint] as number) / size : 0;
    x *= scale;
    y *= scale;
    z *= scale;
    mapped[at] = (mapped[parent] as number) + x;
    mapped[at + 1] = (mapped[parent + 1] as number) + y;
    mapped[at + 2] = (mapped[parent + 2] as number) + z;
  }
  joints.set(mapped);
}
