// Exact distances between oriented boxes. The closest points of two convex boxes that do not overlap lie on a corner and a
// face, or on two edges: all pairs are tried, which is short for boxes. Overlap is decided by the separating-axis test.
import type { Vec3 } from "../geometry/vec3.ts";
import { cross, dot, subtract } from "../geometry/vec3.ts";
import { distanceToTriangles } from "../scene/entity-hit.ts";
import { meshSpan } from "./mesh-distance.ts";
import type { Solid } from "./solid.ts";

export interface Span {
  readonly distanceM: number;
  readonly from: Vec3;
  readonly to: Vec3;
}

/** Metres between the surfaces; 0 when they touch or overlap. With triangles, Infinity where it is more than the limit. */
export function solidDistance(a: Solid, b: Solid, limitM = Infinity): number {
  const isMeshed = a.entity.surface !== undefined;
  if (!isMeshed && b.entity.surface === undefined) return boxDistance(a, b);
  // A surface lies in its box: where the boxes are too far apart, nothing is looked at.
  if (limitM < Infinity && boxDistance(a, b) > limitM) return Infinity;
  return isMeshed ? meshSpan(a, b, limitM).distanceM : meshSpan(b, a, limitM).distanceM;
}

function boxDistance(a: Solid, b: Solid): number {
  if (a.isAligned && b.isAligned) return boxGap(a, b);
  if (boxGap(a, b) === 0 && overlaps(a, b)) return 0;
  return boxSpan(a, b).distanceM;
}

/** Never more than the true distance: between the boxes in the room's axes. */
export function boxGap(a: Solid, b: Solid): number {
  const dx = Math.max(0, a.min[0] - b.max[0], b.min[0] - a.max[0]);
  const dy = Math.max(0, a.min[1] - b.max[1], b.min[1] - a.max[1]);
  const dz = Math.max(0, a.min[2] - b.max[2], b.min[2] - a.max[2]);
  return Math.sqrt(dx * dx + dy * dy + dz * dz);
}

export function closestPointOf(solid: Solid, point: Vec3): Vec3 {
  const offset = subtract(point, solid.center);
  let [x, y, z] = solid.center;
  for (let i = 0; i < 3; i++) {
    const axis = solid.axes[i] as Vec3;
    const half = solid.half[i] as number;
    const along = Math.min(half, Math.max(-half, dot(offset, axis)));
    x += axis[0] * along;
    y += axis[1] * along;
    z += axis[2] * along;
  }
  return [x, y, z];
}

/** Metres from a point to the surface: of the triangles where they are known, else of the box, and 0 inside that. */
export function pointDistance(solid: Solid, point: Vec3): number {
  const toTriangles = distanceToTriangles(point, solid.entity);
  if (toTriangles !== undefined) return toTriangles;
  const nearest = closestPointOf(solid, point);
  return Math.hypot(nearest[0] - point[0], nearest[1] - point[1], nearest[2] - point[2]);
}

export function overlaps(a: Solid, b: Solid): boolean {
  const between = subtract(b.center, a.center);
  for (let i = 0; i < 3; i++) {
    if (separates(a.axes[i] as Vec3, a, b, between) || separates(b.axes[i] as Vec3, a, b, between)) return false;
  }
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      const axis = cross(a.axes[i] as Vec3, b.axes[j] as Vec3);
      if (dot(axis, axis) > 1e-12 && separates(axis, a, b, between)) return false;
    }
  }
  return true;
}

function separates(axis: Vec3, a: Solid, b: Solid, between: Vec3): boolean {
  return Math.abs(dot(between, axis)) > reachAlong(a, axis) + reachAlong(b, axis) + 1e-12;
}

function reachAlong(solid: Solid, axis: Vec3): number {
  const { half, axes } = solid;
  return (
    half[0] * Math.abs(dot(axes[0], axis)) +
    half[1] * Math.abs(dot(axes[1], axis)) +
    half[2] * Math.abs(dot(axes[2], axis))
  );
}

/** Corner indices of the twelve edges, in the order of `cornersOf`. */
const EDGES: readonly (readonly [number, number])[] = [
  [0, 1],
  [2, 3],
  [4, 5],
  [6, 7],
  [0, 2],
  [1, 3],
  [4, 6],
  [5, 7],
  [0, 4],
  [1, 5],
  [2, 6],
  [3, 7],
];

/** The two nearest surface points. Overlapping boxes give a span of zero length at a point inside both boxes' bounds. */
export function closestSpan(a: Solid, b: Solid): Span {
  if (a.entity.surface !== undefined) return meshSpan(a, b);
  if (b.entity.surface !== undefined) {
    const { distanceM, from, to } = meshSpan(b, a);
    return { distanceM, from: to, to: from };
  }
  return boxSpan(a, b);
}

function boxSpan(a: Solid, b: Solid): Span {
  let best: Span = cornerSpan(a, b, undefined);
  const flipped = cornerSpan(b, a, undefined);
  if (flipped.distanceM < best.distanceM) best = { distanceM: flipped.distanceM, from: flipped.to, to: flipped.from };
  if (best.distanceM === 0) return best;
  for (const [i, j] of EDGES) {
    for (const [k, l] of EDGES) {
      const span = segmentSpan(a.corners[i] as Vec3, a.corners[j] as Vec3, b.corners[k] as Vec3, b.corners[l] as Vec3);
      if (span.distanceM < best.distanceM) best = span;
    }
  }
  return best;
}

function cornerSpan(a: Solid, b: Solid, start: Span | undefined): Span {
  let best = start;
  for (const corner of a.corners) {
    const to = closestPointOf(b, corner);
    const distanceM = Math.hypot(to[0] - corner[0], to[1] - corner[1], to[2] - corner[2]);
    if (best === undefined || distanceM < best.distanceM) best = { distanceM, from: corner, to };
  }
  return best as Span;
}

/** Closest points of two segments (Ericson, Real-Time Collision Detection, section 5.1.9). */
function segmentSpan(p1: Vec3, q1: Vec3, p2: Vec3, q2: Vec3): Span {
  const d1 = subtract(q1, p1);
  const d2 = subtract(q2, p2);
  const r = subtract(p1, p2);
  const a = dot(d1, d1);
  const e = dot(d2, d2);
  const f = dot(d2, r);
  const c = dot(d1, r);
  const b = dot(d1, d2);
  const denominator = a * e - b * b;
  let s = denominator > 1e-12 ? clamp01((b * f - c * e) / denominator) : 0;
  let t = (b * s + f) / e;
  if (t < 0) {
    t = 0;
    s = clamp01(-c / a);
  } else if (t > 1) {
    t = 1;
    s = clamp01((b - c) / a);
  }
  const from: Vec3 = [p1[0] + d1[0] * s, p1[1] + d1[1] * s, p1[2] + d1[2] * s];
  const to: Vec3 = [p2[0] + d2[0] * t, p2[1] + d2[1] * t, p2[2] + d2[2] * t];
  return { distanceM: Math.hypot(from[0] - to[0], from[1] - to[1], from[2] - to[2]), from, to };
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value));
}
