// What a hand does over time, as channels of equal length: where the joints are relative to the palm, in the room's axes
// and in the hand's own, how far the tips are from one another, where the palm goes and looks, and how fast all that changes.
// Lengths are in hand sizes, so that people differ less than gestures; the palm's way stays in units of 10 cm.

/** Joints per sample in the order of the SHREC'17 track: wrist, palm, thumb 4, index 4, middle 4, ring 4, little finger 4. */
export const SEQUENCE_JOINTS = 22;

/** Every sequence is resampled to this many steps: the median gesture of the training people has 57 samples. */
export const CHANNEL_STEPS = 48;

const TIPS = [5, 9, 13, 17, 21] as const;
const POSITIONS = 63;
const TRAJECTORY = 3;
const LOCAL = 15;
const DISTANCES = 12;
const DIRECTIONS = 6;
const VELOCITIES = TRAJECTORY + 15 + LOCAL + DISTANCES + DIRECTIONS;

export const CHANNELS = POSITIONS + TRAJECTORY + LOCAL + DISTANCES + DIRECTIONS + VELOCITIES;

/** One performed gesture: `samples` x 22 joints x (x y z), metres, evenly spaced in time. */
export interface JointSequence {
  readonly joints: Float32Array;
  readonly fps: number;
}

/** From the 25 joints of a WebXR hand: metacarpals of the fingers are left out, the palm is put between wrist and knuckle. */
export function fromWebXRJoints(joints: ArrayLike<number>, out: Float32Array, offset: number): void {
  for (let axis = 0; axis < 3; axis++) {
    out[offset + axis] = joints[axis] as number;
    out[offset + 3 + axis] = ((joints[axis] as number) + (joints[33 + axis] as number)) / 2;
    for (let bone = 0; bone < 4; bone++) {
      out[offset + (2 + bone) * 3 + axis] = joints[(1 + bone) * 3 + axis] as number;
      for (let finger = 0; finger < 4; finger++) {
        out[offset + (6 + finger * 4 + bone) * 3 + axis] = joints[(6 + finger * 5 + bone) * 3 + axis] as number;
      }
    }
  }
}

/** Channel after channel, `CHANNEL_STEPS` values each. Undefined for less than two samples or a hand without size. */
export function buildChannels(sequence: JointSequence): Float32Array | undefined {
  const samples = Math.floor(sequence.joints.length / (SEQUENCE_JOINTS * 3));
  if (samples < 2) return undefined;
  const smooth = smoothSequence(sequence.joints, samples);
  const size = medianHandSize(smooth, samples);
  if (!(size > 0)) return undefined;
  const out = new Float32Array(CHANNELS * CHANNEL_STEPS);
  const joints = new Float64Array(SEQUENCE_JOINTS * 3);
  const hand = new HandAxes();
  for (let step = 0; step < CHANNEL_STEPS; step++) {
    const at = (step * (samples - 1)) / (CHANNEL_STEPS - 1);
    const before = Math.min(Math.floor(at), samples - 2);
    const share = at - before;
    for (let i = 0; i < joints.length; i++) {
      const a = smooth[before * 66 + i] as number;
      joints[i] = a + ((smooth[before * 66 + 66 + i] as number) - a) * share;
    }
    foldStep(joints, hand, size, step, out);
  }
  centreTrajectory(out);
  foldVelocities(out);
  return out;
}

function smoothSequence(joints: Float32Array, samples: number): Float64Array {
  const out = Float64Array.from(joints.subarray(0, samples * 66));
  for (let i = 66; i < (samples - 1) * 66; i++) {
    out[i] = ((joints[i - 66] as number) + 2 * (joints[i] as number) + (joints[i + 66] as number)) / 4;
  }
  return out;
}

function medianHandSize(joints: Float64Array, samples: number): number {
  const sizes = new Float64Array(samples);
  for (let sample = 0; sample < samples; sample++) sizes[sample] = between(joints, sample * 66, 10, 0);
  sizes.sort();
  const middle = samples >> 1;
  return samples % 2 === 1
    ? (sizes[middle] as number)
    : ((sizes[middle - 1] as number) + (sizes[middle] as number)) / 2;
}

// oxlint-disable-next-line max-params -- One step of one computation.
function foldStep(joints: Float64Array, hand: HandAxes, size: number, step: number, out: Float32Array): void {
  let channel = 0;
  const put = (value: number): void => {
    out[channel * CHANNEL_STEPS + step] = value;
    channel += 1;
  };
  for (let joint = 0; joint < SEQUENCE_JOINTS; joint++) {
    if (joint === 1) continue;
    for (let axis = 0; axis < 3; axis++)
      put(((joints[joint * 3 + axis] as number) - (joints[3 + axis] as number)) / size);
  }
  for (let axis = 0; axis < 3; axis++) put((joints[3 + axis] as number) / 0.1);
  hand.fold(joints, 0);
  const axes = hand.rows;
  for (const tip of TIPS) {
    for (let row = 0; row < 3; row++) {
      let sum = 0;
      for (let axis = 0; axis < 3; axis++) {
        sum += (axes[row * 3 + axis] as number) * ((joints[tip * 3 + axis] as number) - (joints[3 + axis] as number));
      }
      put(sum / size);
    }
  }
  for (const tip of TIPS) put(between(joints, 0, tip, 0) / size);
  for (let finger = 1; finger < 5; finger++) put(between(joints, 0, TIPS[finger] as number, TIPS[0]) / size);
  for (let finger = 1; finger < 4; finger++) {
    put(between(joints, 0, TIPS[finger] as number, TIPS[finger + 1] as number) / size);
  }
  for (let axis = 0; axis < 3; axis++) put(axes[3 + axis] as number);
  for (let axis = 0; axis < 3; axis++) put(axes[axis] as number);
}

/** The hand's own axes. Made once, folded for each sample. */
export class HandAxes {
  /** Rows: direction (wrist to middle finger's base), palm normal, their cross product. */
  readonly rows = new Float64Array(9);
  /** Wrist to middle finger's base, metres. */
  size = 0;
  readonly #index = new Float64Array(3);
  readonly #little = new Float64Array(3);

  /** Folds the 22 joints that begin at `offset`. */
  fold(joints: ArrayLike<number>, offset: number): void {
    const { rows } = this;
    let square = 0;
    for (let axis = 0; axis < 3; axis++) {
      const wrist = joints[offset + axis] as number;
      const along = (joints[offset + 30 + axis] as number) - wrist;
      rows[axis] = along;
      square += along * along;
      this.#index[axis] = (joints[offset + 18 + axis] as number) - wrist;
      this.#little[axis] = (joints[offset + 54 + axis] as number) - wrist;
    }
    this.size = Math.sqrt(square);
    cross(this.#index, 0, this.#little, 0, rows, 3);
    toUnit(rows, 0);
    toUnit(rows, 3);
    cross(rows, 0, rows, 3, rows, 6);
  }
}

// oxlint-disable-next-line max-params -- Three vectors, each an array and where it begins.
function cross(a: Float64Array, atA: number, b: Float64Array, atB: number, out: Float64Array, to: number): void {
  for (let axis = 0; axis < 3; axis++) {
    const next = (axis + 1) % 3;
    const last = (axis + 2) % 3;
    out[to + axis] =
      (a[atA + next] as number) * (b[atB + last] as number) - (a[atA + last] as number) * (b[atB + next] as number);
  }
}

function toUnit(values: Float64Array, offset: number): void {
  const size = Math.hypot(values[offset] as number, values[offset + 1] as number, values[offset + 2] as number);
  for (let i = offset; i < offset + 3; i++) values[i] = (values[i] as number) / Math.max(size, 1e-6);
}

function centreTrajectory(out: Float32Array): void {
  for (let channel = POSITIONS; channel < POSITIONS + TRAJECTORY; channel++) {
    let sum = 0;
    for (let step = 0; step < CHANNEL_STEPS; step++) sum += out[channel * CHANNEL_STEPS + step] as number;
    for (let step = 0; step < CHANNEL_STEPS; step++) {
      const slot = channel * CHANNEL_STEPS + step;
      out[slot] = (out[slot] as number) - sum / CHANNEL_STEPS;
    }
  }
}

/** Change per step of everything but the joints that are not tips. */
function foldVelocities(out: Float32Array): void {
  const sources: number[] = [];
  for (let axis = 0; axis < 3; axis++) sources.push(POSITIONS + axis);
  // The palm has no relative position of its own, so joints behind it stand one place earlier.
  for (const tip of TIPS) for (let axis = 0; axis < 3; axis++) sources.push((tip - 1) * 3 + axis);
  for (let i = POSITIONS + TRAJECTORY; i < CHANNELS - VELOCITIES; i++) sources.push(i);
  sources.forEach((source, index) => {
    const from = source * CHANNEL_STEPS;
    const to = (CHANNELS - VELOCITIES + index) * CHANNEL_STEPS;
    for (let step = 0; step < CHANNEL_STEPS; step++) {
      const a = Math.max(0, step - 1);
      const b = Math.min(CHANNEL_STEPS - 1, step + 1);
      out[to + step] = ((out[from + b] as number) - (out[from + a] as number)) / (b - a);
    }
  });
}

function between(joints: Float64Array, offset: number, a: number, b: number): number {
  return Math.hypot(
    (joints[offset + a * 3] as number) - (joints[offset + b * 3] as number),
    (joints[offset + a * 3 + 1] as number) - (joints[offset + b * 3 + 1] as number),
    (joints[offset + a * 3 + 2] as number) - (joints[offset + b * 3 + 2] as number),
  );
}
