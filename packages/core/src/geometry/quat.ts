import type { Vec3 } from "./vec3.ts";

/** Unit quaternion, components in the order x, y, z, w as in WebXR's XRRigidTransform. */
export type Quat = readonly [x: number, y: number, z: number, w: number];

export const IDENTITY: Quat = [0, 0, 0, 1];

export function multiply(a: Quat, b: Quat): Quat {
  return [
    a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1],
    a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
    a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3],
    a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2],
  ];
}

export function conjugate(a: Quat): Quat {
  return [-a[0], -a[1], -a[2], a[3]];
}

/** The zero quaternion, which trackers send for "unknown", becomes the identity. */
export function normalizeQuat(a: Quat): Quat {
  const size = Math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2] + a[3] * a[3]);
  return size === 0 ? IDENTITY : [a[0] / size, a[1] / size, a[2] / size, a[3] / size];
}

export function rotate(q: Quat, v: Vec3): Vec3 {
  const [x, y, z, w] = q;
  const tx = 2 * (y * v[2] - z * v[1]);
  const ty = 2 * (z * v[0] - x * v[2]);
  const tz = 2 * (x * v[1] - y * v[0]);
  return [v[0] + w * tx + y * tz - z * ty, v[1] + w * ty + z * tx - x * tz, v[2] + w * tz + x * ty - y * tx];
}

export function rotateInverse(q: Quat, v: Vec3): Vec3 {
  return rotate(conjugate(q), v);
}

export function fromAxisAngle(axis: Vec3, angleRad: number): Quat {
  const half = Math.sin(angleRad / 2);
  return [axis[0] * half, axis[1] * half, axis[2] * half, Math.cos(angleRad / 2)];
}

/** Rotation about Y. Positive turns to the left (counter-clockwise seen from above), as right-handed axes demand. */
export function fromYaw(angleRad: number): Quat {
  return [0, Math.sin(angleRad / 2), 0, Math.cos(angleRad / 2)];
}

/** Heading of the -Z axis on the floor: 0 looks along -Z, positive is to the left. */
export function yawOf(q: Quat): number {
  const forward = rotate(q, [0, 0, -1]);
  return Math.atan2(-forward[0], -forward[2]);
}

/** Angle of the rotation that leads from a to b, 0 to pi. */
export function angleTo(a: Quat, b: Quat): number {
  const product = Math.abs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]);
  return 2 * Math.acos(Math.min(1, product));
}

/** Shorter arc; falls back to normalised lerp where the two are nearly the same. */
export function slerp(a: Quat, b: Quat, share: number): Quat {
  let cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
  const sign = cosine < 0 ? -1 : 1;
  cosine *= sign;
  let wa = 1 - share;
  let wb = share;
  if (cosine < 0.9995) {
    const angle = Math.acos(cosine);
    const sine = Math.sin(angle);
    wa = Math.sin((1 - share) * angle) / sine;
    wb = Math.sin(share * angle) / sine;
  }
  wb *= sign;
  return normalizeQuat([a[0] * wa + b[0] * wb, a[1] * wa + b[1] * wb, a[2] * wa + b[2] * wb, a[3] * wa + b[3] * wb]);
}
