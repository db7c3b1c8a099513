// How well one thing stands in a relation to another, 0 to 1; at 0.5 a person would begin to say so. Kernels are smooth, so
// that boxes that overlap a little or miss by a centimetre still get an answer, and say how sure it is.
//
//   on, above, under     shared floor area (of the smaller), and the gap between the top of one and the bottom of the other
//   inside               share of the thing's box within the other
//   next-to, near        gap between the surfaces
//   against              gap between the surfaces, bodies beside one another
//   left, right, front…  angle on the floor to the direction named, in the viewer's or the object's frame
//   between              distance to the line between the two, in plan, and how far past its ends
import type { Vec3 } from "../geometry/vec3.ts";
import { planGap, planOverlap } from "./plan-view.ts";
import type { Room } from "./room.ts";
import type { Solid } from "./solid.ts";
import { boxGap, solidDistance } from "./solid-distance.ts";
import type { Viewpoint } from "./viewpoint.ts";

/** Share of the smaller outline that both cover. */
export function planShare(a: Solid, b: Solid): number {
  const overlap = planOverlap(a, b);
  return overlap === 0 ? 0 : overlap / Math.min(a.outlineArea, b.outlineArea);
}

/** Where the bottom of `a` is over the top of `b`; negative when it reaches into it. */
export function restingGap(a: Solid, b: Solid): number {
  return a.min[1] - b.max[1];
}

/** `a` rests on `b`. Soft furniture lets things sink in: a pillow's bottom may be below the top of the bed's box. */
export function onDegree(a: Solid, b: Solid): number {
  const share = planShare(a, b);
  if (share === 0 || a.center[1] <= b.center[1]) return 0;
  const gap = restingGap(a, b);
  const height = Math.max(0.05, b.max[1] - b.min[1]);
  // A gap upwards parts them within centimetres; sinking in is bad only relative to the height of the support.
  const rest = gap >= 0 ? Math.exp(-gap / 0.12) : Math.exp((gap / height) * 0.9);
  return Math.min(1, share * 1.1) * rest;
}

export function aboveDegree(a: Solid, b: Solid): number {
  const share = planShare(a, b);
  const rise = a.center[1] - b.center[1];
  if (rise <= 0) return 0;
  const gap = planGap(a, b);
  const aligned = share > 0 ? 0.5 + 0.5 * Math.min(1, share) : 0.5 * Math.exp(-gap / 0.25);
  const apart = restingGap(a, b);
  const clear = apart >= -0.05 ? 1 : Math.exp((apart / Math.max(0.1, b.max[1] - b.min[1])) * 1.5);
  return aligned * clear;
}

/** Share of `a` inside `b`, by volume of the boxes in the room's axes. */
export function insideDegree(a: Solid, b: Solid): number {
  let share = 1;
  for (let axis = 0; axis < 3; axis++) {
    const low = Math.max(a.min[axis] as number, b.min[axis] as number);
    const high = Math.min(a.max[axis] as number, b.max[axis] as number);
    const size = (a.max[axis] as number) - (a.min[axis] as number);
    share *= size < 1e-6 ? (high >= low ? 1 : 0) : Math.max(0, high - low) / size;
  }
  const isSmaller = a.volume < b.volume;
  return isSmaller ? share : share * 0.5;
}

/** 1 when they touch, 0.5 at a metre for `near`, at 60 cm for `next-to`. */
export function nearDegree(gapM: number): number {
  return Math.exp((-Math.LN2 * gapM) / 1);
}

export function nextToDegree(a: Solid, b: Solid, gapM: number): number {
  const beside = Math.exp((-Math.LN2 * gapM) / 0.6);
  // Things stacked on one another are not next to one another.
  const stacked = planShare(a, b);
  const sharesHeight = a.min[1] < b.max[1] + 0.3 && b.min[1] < a.max[1] + 0.3 ? 1 : 0.5;
  return beside * (1 - 0.7 * Math.min(1, stacked)) * sharesHeight;
}

export function againstDegree(a: Solid, b: Solid): number {
  const gap = planGap(a, b);
  const sharesHeight = a.min[1] < b.max[1] && b.min[1] < a.max[1];
  return sharesHeight ? Math.exp((-Math.LN2 * gap) / 0.25) : 0;
}

/** 1 straight in the direction, 0.5 at 45 degrees to it (the border to the next direction), near 0 opposite. */
export function towardDegree(x: number, z: number, direction: Vec3): number {
  // Math.hypot guards against overflow, which metres never reach, and costs ten times as much.
  const size = Math.sqrt(x * x + z * z);
  if (size < 1e-6) return 0;
  const cosine = (x * direction[0] + z * direction[2]) / size;
  return 1 / (1 + Math.exp(-6 * (cosine - Math.SQRT1_2)));
}

export function offsetBetween(from: Solid, to: Solid): Vec3 {
  return [to.center[0] - from.center[0], to.center[1] - from.center[1], to.center[2] - from.center[2]];
}

export type Side = "left-of" | "right-of" | "in-front-of" | "behind";

/** "In front" is towards the viewer, as with things that have no front. */
export function sideDirection(side: Side, view: Viewpoint): Vec3 {
  const { forward, right } = view;
  if (side === "right-of") return right;
  if (side === "left-of") return [-right[0], 0, -right[2]];
  return side === "behind" ? forward : [-forward[0], 0, -forward[2]];
}

/** Whether a thing stands between two others: near the line between them, in plan, and not at one of its ends. */
export function betweenDegree(a: Solid, one: Solid, other: Solid): number {
  const dx = other.center[0] - one.center[0];
  const dz = other.center[2] - one.center[2];
  const size = Math.hypot(dx, dz);
  if (size < 1e-6) return 0;
  const x = a.center[0] - one.center[0];
  const z = a.center[2] - one.center[2];
  const along = (x * dx + z * dz) / (size * size);
  const aside = Math.abs(x * dz - z * dx) / size;
  const inner = Math.min(1, Math.max(0, Math.min(along, 1 - along) / 0.12));
  const stacked = Math.max(planShare(a, one), planShare(a, other));
  return Math.exp(-aside / Math.max(0.4, 0.3 * size)) * inner * (1 - 0.8 * stacked);
}

/** 0 on the line; grows with the distance from it relative to its length, and with going past its ends. */
export function betweenCost(a: Solid, one: Solid, other: Solid): number {
  const dx = other.center[0] - one.center[0];
  const dz = other.center[2] - one.center[2];
  const size = Math.hypot(dx, dz);
  if (size < 1e-6) return 10;
  const x = a.center[0] - one.center[0];
  const z = a.center[2] - one.center[2];
  const along = (x * dx + z * dz) / (size * size);
  const aside = Math.abs(x * dz - z * dx) / size;
  const past = Math.max(0, -along, along - 1);
  return (aside + 2 * size * past) / Math.max(0.3, 0.5 * size);
}

/** `a` is turned towards `b`: its front points there. Without a known front there is no evidence either way. */
export function facingDegree(a: Solid, b: Solid): number {
  if (a.facing === undefined) return 0.4;
  return towardDegree(b.center[0] - a.center[0], b.center[2] - a.center[2], a.facing);
}

/** Beyond this no kernel tells gaps apart, and the gap of the bounds is near enough. */
const EXACT_GAP_M = 1.5;

/** For kernels only; a distance that is told comes from `solidDistance`. */
export function surfaceGap(a: Solid, b: Solid): number {
  const lower = boxGap(a, b);
  if (lower > EXACT_GAP_M) return lower;
  const gapM = solidDistance(a, b, EXACT_GAP_M * 2);
  return gapM === Infinity ? EXACT_GAP_M * 2 : gapM;
}

export function centerDistance(a: Solid, b: Solid): number {
  const x = a.center[0] - b.center[0];
  const y = a.center[1] - b.center[1];
  const z = a.center[2] - b.center[2];
  return Math.sqrt(x * x + y * y + z * z);
}

/** Distance on the floor from the nearest corner of the room, metres. */
export function cornerDistance(a: Solid, room: Room): number {
  let best = Infinity;
  for (const x of [room.min[0], room.max[0]]) {
    for (const z of [room.min[2], room.max[2]]) best = Math.min(best, Math.hypot(a.center[0] - x, a.center[2] - z));
  }
  return best;
}

export function wallDistance(a: Solid, room: Room): number {
  let best = Infinity;
  for (const wall of room.walls) if (wall !== a) best = Math.min(best, planGap(a, wall));
  if (best < Infinity) return best;
  return Math.max(
    0,
    Math.min(a.min[0] - room.min[0], room.max[0] - a.max[0], a.min[2] - room.min[2], room.max[2] - a.max[2]),
  );
}
