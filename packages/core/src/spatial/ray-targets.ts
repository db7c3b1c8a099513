import { rayBox } from "../geometry/bounds.ts";
import type { Ray } from "../geometry/ray.ts";
import { angleBetween, subtract } from "../geometry/vec3.ts";
import { hitTriangles } from "../scene/entity-hit.ts";
import type { Room } from "./room.ts";
import type { Solid } from "./solid.ts";
import { closestPointOf } from "./solid-distance.ts";

export interface RayTarget {
  readonly solid: Solid;
  readonly distanceM: number;
  /** 0 on a hit. */
  readonly angleRad: number;
  readonly confidence: number;
}

const REACH_M = 1_000;
/** Planes have no thickness; a ray along them must still meet them. */
const SLACK_M = 0.01;
/** A near miss still counts, less with every degree. */
const MISS_MAX_RAD = (10 * Math.PI) / 180;

/** Things along a ray, best first: hits by distance, structure behind things, then near misses by angle. */
export function rayTargets(ray: Ray, room: Room): readonly RayTarget[] {
  const targets: RayTarget[] = [];
  for (const solid of room.solids) {
    const { pose, bounds } = solid.entity;
    if (isFarAside(ray, solid)) continue;
    const hit =
      solid.entity.surface === undefined
        ? rayBox(ray, pose, { min: offset(bounds.min, -SLACK_M), max: offset(bounds.max, SLACK_M) })
        : hitTriangles(ray, solid.entity, REACH_M)?.distanceM;
    const primary = room.byId.get(room.twinOf.get(solid.entity.id) ?? "") ?? solid;
    if (hit !== undefined) {
      // Inside a box (a room-sized shelf, the bed one sits on) everything else in sight is the better answer.
      targets.push({
        solid: primary,
        distanceM: hit,
        angleRad: 0,
        confidence: solid.isStructure ? 0.7 : hit === 0 ? 0.3 : 0.9,
      });
      continue;
    }
    const angleRad = angleBetween(ray.direction, subtract(closestPointOf(solid, solid.center), ray.origin));
    if (angleRad > MISS_MAX_RAD || solid.isStructure) continue;
    targets.push({
      solid: primary,
      distanceM: Math.hypot(...subtract(solid.center, ray.origin)),
      angleRad,
      confidence: 0.5 * (1 - angleRad / MISS_MAX_RAD),
    });
  }
  return targets.sort((a, b) => rank(a) - rank(b));
}

/** A cheap test before the exact ones: the sphere around the thing lies outside the cone of near misses. */
function isFarAside(ray: Ray, solid: Solid): boolean {
  const x = solid.center[0] - ray.origin[0];
  const y = solid.center[1] - ray.origin[1];
  const z = solid.center[2] - ray.origin[2];
  const radius = Math.hypot(solid.half[0], solid.half[1], solid.half[2]) + SLACK_M;
  const along = x * ray.direction[0] + y * ray.direction[1] + z * ray.direction[2];
  if (along < -radius) return true;
  const aside = Math.sqrt(Math.max(0, x * x + y * y + z * z - along * along));
  return aside - radius > Math.max(0, along) * MISS_TANGENT;
}

const MISS_TANGENT = Math.tan(MISS_MAX_RAD);

function rank(target: RayTarget): number {
  if (target.angleRad > 0) return 1000 + target.angleRad;
  if (target.distanceM === 0) return 900;
  // A picture may lie a few centimetres inside the wall it hangs on.
  return target.distanceM + (target.solid.isStructure ? 0.15 : 0);
}

function offset(point: readonly [number, number, number], byM: number): [number, number, number] {
  return [point[0] + byM, point[1] + byM, point[2] + byM];
}
