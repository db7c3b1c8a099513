// How the fingers stand, as angles in the hand's own frame. Positions say most when the same hand makes the same pose again;
// angles carry a pose over to a hand that is posed a little differently, because bending one joint moves all joints after it
// but changes one angle. Every angle is divided by how far that joint goes in people, so that fingers spread by ten degrees
// count as much as fingers bent by fifty.

/** Four numbers a finger: thumb last. */
export const HAND_ANGLES = 20;

/** Ranges in radians: sideways, at the knuckle, at the two joints beyond. */
const SIDE_RAD = 0.25;
const KNUCKLE_RAD = 1.2;
const BEND_RAD = 1.5;

/** Of the thumb: its base in two directions, its joints. */
const THUMB_BASE_RAD = 0.4;
const THUMB_BEND_RAD = 1;

/** Joints before the first phalanx of index to little finger. */
const KNUCKLES = [6, 11, 16, 21] as const;

/** From the 25 WebXR joints of a right hand, or of a left one with `isLeft`. Missing joints give NaN. */
export function foldHandAngles(joints: ArrayLike<number>, isLeft: boolean, out: Float64Array): void {
  const along = bone(joints, 0, 11);
  const normal = unit(cross(bone(joints, 0, 6), bone(joints, 0, 21)));
  if (isLeft) negate(normal);
  const side = cross(along, normal);
  if (isLeft) negate(side);
  KNUCKLES.forEach((knuckle, finger) => {
    const first = bone(joints, knuckle, knuckle + 1);
    const second = bone(joints, knuckle + 1, knuckle + 2);
    const third = bone(joints, knuckle + 2, knuckle + 3);
    out[finger * 4] = Math.asin(limit(dot(first, side))) / SIDE_RAD;
    out[finger * 4 + 1] = Math.asin(limit(dot(first, normal))) / KNUCKLE_RAD;
    out[finger * 4 + 2] = Math.acos(limit(dot(first, second))) / BEND_RAD;
    out[finger * 4 + 3] = Math.acos(limit(dot(second, third))) / BEND_RAD;
  });
  const base = bone(joints, 1, 2);
  const middle = bone(joints, 2, 3);
  out[16] = Math.asin(limit(dot(base, normal))) / THUMB_BASE_RAD;
  out[17] = Math.asin(limit(dot(base, side))) / THUMB_BASE_RAD;
  out[18] = Math.acos(limit(dot(base, middle))) / THUMB_BEND_RAD;
  out[19] = Math.acos(limit(dot(middle, bone(joints, 3, 4)))) / THUMB_BEND_RAD;
}

/** Root mean square of the differences: 0 for the same pose, about 0.6 for any two. */
export function angleDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < HAND_ANGLES; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return Math.sqrt(sum / HAND_ANGLES);
}

type Vector = [number, number, number];

/** Direction from one joint to another, of unit length. */
function bone(joints: ArrayLike<number>, from: number, to: number): Vector {
  return unit([
    (joints[to * 3] as number) - (joints[from * 3] as number),
    (joints[to * 3 + 1] as number) - (joints[from * 3 + 1] as number),
    (joints[to * 3 + 2] as number) - (joints[from * 3 + 2] as number),
  ]);
}

function unit(vector: Vector): Vector {
  const size = Math.sqrt(dot(vector, vector));
  return [vector[0] / size, vector[1] / size, vector[2] / size];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function negate(vector: Vector): void {
  for (let axis = 0; axis < 3; axis++) vector[axis] = -(vector[axis] as number);
}

function limit(value: number): number {
  return Math.min(1, Math.max(-1, value));
}
