/** Metres, right-handed, Y up, -Z forward. Immutable: hot paths use typed arrays and never build one of these. */
export type Vec3 = readonly [x: number, y: number, z: number];

export const ORIGIN: Vec3 = [0, 0, 0];
export const UP: Vec3 = [0, 1, 0];
export const FORWARD: Vec3 = [0, 0, -1];
export const RIGHT: Vec3 = [1, 0, 0];

export function add(a: Vec3, b: Vec3): Vec3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

export function scale(a: Vec3, factor: number): Vec3 {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function length(a: Vec3): number {
  // Not Math.hypot: it guards against overflow that metres never reach, at ten times the price.
  return Math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
}

export function distance(a: Vec3, b: Vec3): number {
  return Math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2);
}

/** The zero vector stays zero: a direction that does not exist must not become NaN. */
export function normalize(a: Vec3): Vec3 {
  const size = length(a);
  return size === 0 ? ORIGIN : scale(a, 1 / size);
}

export function lerp(a: Vec3, b: Vec3, share: number): Vec3 {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
}

/** 0 to pi. Zero vectors have no direction: the angle to one is pi/2, "neither toward nor away". */
export function angleBetween(a: Vec3, b: Vec3): number {
  const size = length(a) * length(b);
  return size === 0 ? Math.PI / 2 : Math.acos(Math.min(1, Math.max(-1, dot(a, b) / size)));
}

export function isFiniteVec3(a: Vec3): boolean {
  return Number.isFinite(a[0]) && Number.isFinite(a[1]) && Number.isFinite(a[2]);
}
