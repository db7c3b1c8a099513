// Geometry seen from above: overlap and gap of outlines.
import type { PlanPoint } from "./solid.ts";
import { areaOf } from "./solid.ts";
import type { Solid } from "./solid.ts";

/** Square metres that both outlines cover. */
export function planOverlap(a: Solid, b: Solid): number {
  if (a.min[0] >= b.max[0] || b.min[0] >= a.max[0] || a.min[2] >= b.max[2] || b.min[2] >= a.max[2]) return 0;
  if (a.isAligned && b.isAligned) {
    const x = Math.min(a.max[0], b.max[0]) - Math.max(a.min[0], b.min[0]);
    const z = Math.min(a.max[2], b.max[2]) - Math.max(a.min[2], b.min[2]);
    return x * z;
  }
  return areaOf(clip(a.outline, b.outline));
}

/** Sutherland and Hodgman: the part of `subject` inside the convex `window`. Both counter-clockwise. */
function clip(subject: readonly PlanPoint[], window: readonly PlanPoint[]): readonly PlanPoint[] {
  let output: readonly PlanPoint[] = subject;
  for (let i = 0; i < window.length && output.length > 0; i++) {
    output = clipEdge(output, window[i] as PlanPoint, window[(i + 1) % window.length] as PlanPoint);
  }
  return output;
}

function clipEdge(points: readonly PlanPoint[], from: PlanPoint, to: PlanPoint): readonly PlanPoint[] {
  const side = (p: PlanPoint): number => (to[0] - from[0]) * (p[1] - from[1]) - (to[1] - from[1]) * (p[0] - from[0]);
  const kept: PlanPoint[] = [];
  for (let i = 0; i < points.length; i++) {
    const current = points[i] as PlanPoint;
    const next = points[(i + 1) % points.length] as PlanPoint;
    const a = side(current);
    const b = side(next);
    if (a >= 0) kept.push(current);
    if (a >= 0 !== b >= 0) {
      const share = a / (a - b);
      kept.push([current[0] + (next[0] - current[0]) * share, current[1] + (next[1] - current[1]) * share]);
    }
  }
  return kept;
}

/** Metres between the outlines; 0 when they overlap. */
export function planGap(a: Solid, b: Solid): number {
  const dx = Math.max(0, a.min[0] - b.max[0], b.min[0] - a.max[0]);
  const dz = Math.max(0, a.min[2] - b.max[2], b.min[2] - a.max[2]);
  if (a.isAligned && b.isAligned) return Math.hypot(dx, dz);
  if (dx === 0 && dz === 0 && planOverlap(a, b) > 0) return 0;
  let best = Infinity;
  for (const point of a.outline) best = Math.min(best, outlineDistance(b.outline, point));
  for (const point of b.outline) best = Math.min(best, outlineDistance(a.outline, point));
  return best;
}

export function outlineDistance(outline: readonly PlanPoint[], point: PlanPoint): number {
  let best = Infinity;
  for (let i = 0; i < outline.length; i++) {
    best = Math.min(
      best,
      segmentDistance(outline[i] as PlanPoint, outline[(i + 1) % outline.length] as PlanPoint, point),
    );
  }
  return best;
}

export function segmentDistance(from: PlanPoint, to: PlanPoint, point: PlanPoint): number {
  const dx = to[0] - from[0];
  const dz = to[1] - from[1];
  const size = dx * dx + dz * dz;
  const share =
    size === 0 ? 0 : Math.min(1, Math.max(0, ((point[0] - from[0]) * dx + (point[1] - from[1]) * dz) / size));
  return Math.hypot(point[0] - from[0] - dx * share, point[1] - from[1] - dz * share);
}

/** Whether a point of the floor lies inside a convex outline. */
export function isInsideOutline(outline: readonly PlanPoint[], point: PlanPoint): boolean {
  for (let i = 0; i < outline.length; i++) {
    const from = outline[i] as PlanPoint;
    const to = outline[(i + 1) % outline.length] as PlanPoint;
    if ((to[0] - from[0]) * (point[1] - from[1]) - (to[1] - from[1]) * (point[0] - from[0]) < -1e-9) return false;
  }
  return true;
}
