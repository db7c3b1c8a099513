// What can be seen: inside the field of view, and not behind something. Several points of a thing are tried, because the
// middle of a chair may hide behind a table while its back stands out.
import { expand, rayBox } from "../geometry/bounds.ts";
import { rotateInverse } from "../geometry/quat.ts";
import type { Ray } from "../geometry/ray.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { distance, normalize, subtract } from "../geometry/vec3.ts";
import type { SceneEntity, SceneSnapshot } from "../model/spatial.ts";
import { hitTriangles } from "../scene/entity-hit.ts";
import type { Room } from "./room.ts";
import { roomOf } from "./room.ts";
import type { Scope } from "./scope.ts";
import type { Solid } from "./solid.ts";
import { boxGap } from "./solid-distance.ts";

/** Quest 3 shows about 110 by 96 degrees; used when the device does not say. */
const DEFAULT_FOV: readonly [number, number] = [1.92, 1.68];
/** A surface this near to the point looked at is that thing's own neighbour (a picture in its wall), not in the way. */
const TOUCH_M = 0.12;

/** Share of the tried points of `target` that the eye sees, 0 to 1. */
export function seenShare(eye: Vec3, target: Solid, room: Room): number {
  const points = samplePoints(target);
  const blockers = room.solids.filter((solid) => blocks(solid, target, eye, room));
  let seen = 0;
  for (const point of points) if (isClear(eye, point, blockers, room.shells, target)) seen++;
  return seen / points.length;
}

function blocks(solid: Solid, target: Solid, eye: Vec3, room: Room): boolean {
  if (solid === target || room.twinOf.get(solid.entity.id) === target.entity.id) return false;
  if (solid.label === "floor" || solid.label === "ceiling") return false;
  const inside = eye.every(
    (value, axis) => value >= (solid.min[axis] as number) && value <= (solid.max[axis] as number),
  );
  if (inside) return false;
  // Nothing outside the box around eye and target is in the way.
  return (
    [0, 1, 2].every((axis) => {
      const e = eye[axis] as number;
      const low = Math.min(e, target.min[axis] as number);
      const high = Math.max(e, target.max[axis] as number);
      return (solid.max[axis] as number) >= low && (solid.min[axis] as number) <= high;
    }) && !(boxGap(solid, target) === 0 && solid.isStructure && target.isStructure)
  );
}

/** What is met within the target itself, or a hand before it, is the target: its own surface, its frame, its cushion. */
function isClear(
  eye: Vec3,
  point: Vec3,
  blockers: readonly Solid[],
  shells: readonly SceneEntity[],
  target: Solid,
): boolean {
  const offset = subtract(point, eye);
  const reach = distance(point, eye) - TOUCH_M;
  const ray = { origin: eye, direction: normalize(offset) };
  const { pose, bounds } = target.entity;
  if (blockers.some((solid) => isMet(ray, solid.entity, reach))) return false;
  if (shells.length === 0) return true;
  const entry = rayBox(ray, pose, expand(bounds, TOUCH_M)) ?? reach;
  if (shells.some((shell) => hitTriangles(ray, shell, Math.min(entry, reach)) !== undefined)) return false;
  return true;
}

function isMet(ray: Ray, entity: SceneEntity, reach: number): boolean {
  if (entity.surface !== undefined) return hitTriangles(ray, entity, reach) !== undefined;
  return rayBox(ray, entity.pose, entity.bounds, reach) !== undefined;
}

/** The middle and eight points towards the corners. */
function samplePoints(solid: Solid): readonly Vec3[] {
  const { center } = solid;
  const points: Vec3[] = [center];
  for (const corner of solid.corners) {
    points.push([
      center[0] + (corner[0] - center[0]) * 0.8,
      center[1] + (corner[1] - center[1]) * 0.8,
      center[2] + (corner[2] - center[2]) * 0.8,
    ]);
  }
  return points;
}

/** Whether any tried point lies within the device's field of view. */
export function isInView(solid: Solid, scope: Scope): boolean {
  const { pose } = scope.context.viewer;
  const [horizontal, vertical] = scope.context.device.fov ?? DEFAULT_FOV;
  return samplePoints(solid).some((point) => {
    const local = rotateInverse(pose.orientation, subtract(point, pose.position));
    const ahead = -local[2];
    return (
      ahead > 0 &&
      Math.abs(Math.atan2(local[0], ahead)) <= horizontal / 2 &&
      Math.abs(Math.atan2(local[1], ahead)) <= vertical / 2
    );
  });
}

/** Share of an entity that the eye sees, 0 to 1; 1 for what is not in the scene. */
export function seenShareOf(scene: SceneSnapshot, eye: Vec3, entityId: string): number {
  const room = roomOf(scene);
  const solid = room.byId.get(entityId);
  return solid === undefined ? 1 : seenShare(eye, solid, room);
}
