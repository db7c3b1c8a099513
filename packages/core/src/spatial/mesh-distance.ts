// Distances to things whose triangles are known. A triangle and a box are convex: going back and forth between their
// closest points ends at the closest pair. Triangles are taken nearest first, so that few are measured.
import { toLocalPoint } from "../geometry/pose.ts";
import { rotate } from "../geometry/quat.ts";
import { closestOnTriangle } from "../geometry/triangle-mesh.ts";
import type { TriangleMesh } from "../geometry/triangle-mesh.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { add, distance } from "../geometry/vec3.ts";
import type { Solid } from "./solid.ts";

const ROUNDS_MAX = 24;
const SETTLED_M = 1e-5;
const TOUCH_M = 1e-4;
const NEAREST = new Float64Array(3);

export interface MeshSpan {
  readonly distanceM: number;
  readonly from: Vec3;
  readonly to: Vec3;
}

/** From the surface of `meshed` (which has triangles) to `other`: its triangles, or its box by `closestOnBox`. */
export function meshSpan(meshed: Solid, other: Solid, closestOnBox: (solid: Solid, point: Vec3) => Vec3): MeshSpan {
  const { surface, pose } = meshed.entity;
  let best: MeshSpan = { distanceM: Infinity, from: meshed.center, to: other.center };
  if (surface === undefined) return best;
  const onOther = (point: Vec3): Vec3 => closestOnSolid(other, point, closestOnBox);
  const start = onSurface(surface, meshed, onOther(meshed.center));
  best = { distanceM: distance(start, onOther(start)), from: start, to: onOther(start) };
  surface.descend(localBox(meshed, other), best.distanceM, (corners, at) => {
    if (best.distanceM <= TOUCH_M) return 0;
    let point = worldOf(meshed, middleOf(corners, at));
    let partner = onOther(point);
    let before = Infinity;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const [x, y, z] = toLocalPoint(pose, partner);
      closestOnTriangle(corners, at, x, y, z, NEAREST);
      point = worldOf(meshed, [NEAREST[0] as number, NEAREST[1] as number, NEAREST[2] as number]);
      partner = onOther(point);
      const apart = distance(point, partner);
      if (before - apart < SETTLED_M) break;
      before = apart;
    }
    const apart = distance(point, partner);
    if (apart < best.distanceM) best = { distanceM: apart, from: point, to: partner };
    return best.distanceM;
  });
  return best.distanceM <= TOUCH_M ? { ...best, distanceM: 0 } : best;
}

function closestOnSolid(solid: Solid, point: Vec3, closestOnBox: (solid: Solid, point: Vec3) => Vec3): Vec3 {
  const { surface } = solid.entity;
  return surface === undefined ? closestOnBox(solid, point) : onSurface(surface, solid, point);
}

function onSurface(surface: TriangleMesh, solid: Solid, point: Vec3): Vec3 {
  const [x, y, z] = toLocalPoint(solid.entity.pose, point);
  return surface.distanceTo(x, y, z) === Infinity ? solid.center : worldOf(solid, surface.closestPoint);
}

function worldOf(solid: Solid, local: Vec3): Vec3 {
  const { position, orientation } = solid.entity.pose;
  return add(position, rotate(orientation, local));
}

function middleOf(corners: Float32Array, at: number): Vec3 {
  const mean = (axis: number): number =>
    ((corners[at + axis] as number) + (corners[at + 3 + axis] as number) + (corners[at + 6 + axis] as number)) / 3;
  return [mean(0), mean(1), mean(2)];
}

/** The box around `other` in the axes of `meshed`. */
function localBox(meshed: Solid, other: Solid): Float64Array {
  const box = Float64Array.of(Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity);
  for (const corner of other.corners) {
    const local = toLocalPoint(meshed.entity.pose, corner);
    for (let axis = 0; axis < 3; axis++) {
      box[axis] = Math.min(box[axis] as number, local[axis] as number);
      box[axis + 3] = Math.max(box[axis + 3] as number, local[axis] as number);
    }
  }
  return box;
}
