// Distances to things whose triangles are known: to other triangles, or to a box, which is solid.
import { boundsCenter } from "../geometry/bounds.ts";
import { compose, invert, transformPoint } from "../geometry/pose.ts";
import { placeOf } from "../geometry/triangle-mesh.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { Solid } from "./solid.ts";

export interface MeshSpan {
  readonly distanceM: number;
  readonly from: Vec3;
  readonly to: Vec3;
}

/** Infinity where it is more than the limit. Between the surface of `meshed`, which has triangles, and `other`. */
export function meshSpan(meshed: Solid, other: Solid, limitM = Infinity): MeshSpan {
  const { surface, pose } = meshed.entity;
  if (surface === undefined || surface.triangleCount === 0)
    return { distanceM: Infinity, from: meshed.center, to: other.center };
  const partner = other.entity.surface;
  const apart = compose(invert(pose), other.entity.pose);
  const distanceM =
    partner === undefined
      ? surface.gapToBox(
          Float64Array.from(other.half),
          placeOf({
            position: transformPoint(apart, boundsCenter(other.entity.bounds)),
            orientation: apart.orientation,
          }),
          limitM,
        )
      : surface.gapTo(partner, placeOf(apart), limitM);
  const points = surface.gapPoints;
  const world = (at: number): Vec3 =>
    transformPoint(pose, [points[at] as number, points[at + 1] as number, points[at + 2] as number]);
  return { distanceM, from: world(0), to: world(3) };
}
