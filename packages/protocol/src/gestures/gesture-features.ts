/** Offsets into a `HandFeatures` array. All are free of units: angles as cosines, lengths in hand sizes. */
export const FEATURE = {
  /** Straightness of thumb, index, middle, ring, little finger: tip-to-base chord divided by the bones' length, 1 = straight. */
  straight: 0,
  /** Distance thumb tip to index tip. */
  pinch: 5,
  /** Distance thumb tip to middle tip. */
  pinchMiddle: 6,
  /** Distance thumb tip to the middle finger's second joint: small when the thumb lies across the fingers. */
  thumbAcross: 7,
  /** Distance of index tip and middle tip. */
  spread: 8,
  /** Height of the hand's pointing direction (wrist to middle knuckle), -1 down to 1 up. */
  fingersUp: 9,
  /** Height of the thumb's direction. */
  thumbUp: 10,
  /** Palm normal (out of the palm), three components in the room's axes. */
  normal: 11,
  /** Distance wrist to middle knuckle in metres, of this sample alone. */
  sizeM: 14,
  count: 15,
} as const;

/** Pairs of joints whose distance is a feature: `from`, `to`, the feature. */
const SPANS = Uint8Array.of(
  4,
  9,
  FEATURE.pinch,
  4,
  14,
  FEATURE.pinchMiddle,
  4,
  12,
  FEATURE.thumbAcross,
  9,
  14,
  FEATURE.spread,
);

/**
 * Features of one hand from 25 joints in WebXR order (x y z each, metres, Y up). `size` holds the calibrated hand size, or 0
 * to use this sample's own. Returns false, leaving `out` as it was, when a joint it needs is missing (NaN). Numbers come and
 * go in arrays: one that is passed or returned would be made anew on the heap for each sample.
 */
export function foldHandFeatures(
  joints: Float32Array,
  isLeft: boolean,
  size: Float64Array,
  out: Float64Array,
): boolean {
  const ownM = Math.sqrt(square(joints, 0, 33));
  // A real hand is 5 to 15 cm from wrist to knuckle; anything else is a tracker's placeholder.
  if (!(ownM > 0.03 && ownM < 0.2)) return false;
  const sizeM = size[0] as number;
  const scale = 1 / (sizeM > 0 ? sizeM : ownM);
  for (let finger = 0; finger < 5; finger++) {
    const base = finger * 15 + 3;
    let bonesM = 0;
    for (let bone = base; bone < base + 9; bone += 3) bonesM += Math.sqrt(square(joints, bone, bone + 3));
    const straight = Math.sqrt(square(joints, base, base + 9)) / bonesM;
    if (!(straight >= 0)) return false;
    out[FEATURE.straight + finger] = straight;
  }
  for (let span = 0; span < SPANS.length; span += 3) {
    const spanM = Math.sqrt(square(joints, (SPANS[span] as number) * 3, (SPANS[span + 1] as number) * 3));
    out[SPANS[span + 2] as number] = spanM * scale;
  }
  out[FEATURE.fingersUp] = (y(joints, 11) - y(joints, 0)) / ownM;
  out[FEATURE.thumbUp] = (y(joints, 4) - y(joints, 2)) / Math.sqrt(square(joints, 6, 12));
  foldNormal(joints, isLeft, out);
  out[FEATURE.sizeM] = ownM;
  return true;
}

/** Wrist to index knuckle crossed with wrist to little knuckle; mirrored for the left hand so that it leaves the palm. */
function foldNormal(joints: Float32Array, isLeft: boolean, out: Float64Array): void {
  const ax = x(joints, 6) - x(joints, 0);
  const ay = y(joints, 6) - y(joints, 0);
  const az = z(joints, 6) - z(joints, 0);
  const bx = x(joints, 21) - x(joints, 0);
  const by = y(joints, 21) - y(joints, 0);
  const bz = z(joints, 21) - z(joints, 0);
  let nx = ay * bz - az * by;
  let ny = az * bx - ax * bz;
  let nz = ax * by - ay * bx;
  const size = (isLeft ? -1 : 1) * (Math.sqrt(nx * nx + ny * ny + nz * nz) || 1);
  nx /= size;
  ny /= size;
  nz /= size;
  out[FEATURE.normal] = nx;
  out[FEATURE.normal + 1] = ny;
  out[FEATURE.normal + 2] = nz;
}

/** 0 at `from`, 1 at `to`, linear between; works in both directions. */
export function ramp(value: number, from: number, to: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}

function x(joints: Float32Array, joint: number): number {
  return joints[joint * 3] as number;
}

function y(joints: Float32Array, joint: number): number {
  return joints[joint * 3 + 1] as number;
}

function z(joints: Float32Array, joint: number): number {
  return joints[joint * 3 + 2] as number;
}

/** Squared distance of the joints whose numbers begin at `a` and `b`. */
function square(joints: Float32Array, a: number, b: number): number {
  const dx = (joints[a] as number) - (joints[b] as number);
  const dy = (joints[a + 1] as number) - (joints[b + 1] as number);
  const dz = (joints[a + 2] as number) - (joints[b + 2] as number);
  return dx * dx + dy * dy + dz * dz;
}
