import { rayBox } from "../geometry/bounds.ts";
import { toLocalPoint } from "../geometry/pose.ts";
import { rotate, rotateInverse } from "../geometry/quat.ts";
import type { Ray } from "../geometry/ray.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { SceneEntity } from "../model/spatial.ts";

const LOCAL = new Float64Array(6);

export interface SurfaceHit {
  readonly distanceM: number;
  /** Unit, on the side the ray came from; absent for a body whose faces are not known. */
  readonly normal?: Vec3;
}

/** The ray in the entity's own axes: its triangles where it has any. */
export function hitTriangles(ray: Ray, entity: SceneEntity, distanceMaxM: number): SurfaceHit | undefined {
  const { surface, pose } = entity;
  if (surface === undefined) return undefined;
  LOCAL.set(toLocalPoint(pose, ray.origin));
  LOCAL.set(rotateInverse(pose.orientation, ray.direction), 3);
  const distanceM = surface.raycast(LOCAL, distanceMaxM);
  return distanceM < 0 ? undefined : { distanceM, normal: rotate(pose.orientation, surface.hitNormal) };
}

/** Triangles, else the outline of a plane, else the box. */
export function hitEntity(ray: Ray, entity: SceneEntity, distanceMaxM = Infinity): SurfaceHit | undefined {
  if (entity.surface !== undefined) return hitTriangles(ray, entity, distanceMaxM);
  if (entity.kind === "plane") return hitPlane(ray, entity, distanceMaxM);
  const distanceM = rayBox(ray, entity.pose, entity.bounds, distanceMaxM);
  return distanceM === undefined ? undefined : { distanceM };
}

/** Metres from the point to the entity's surface: its triangles where it has any, undefined otherwise. */
export function distanceToTriangles(point: Vec3, entity: SceneEntity, limitM = Infinity): number | undefined {
  const { surface, pose } = entity;
  if (surface === undefined) return undefined;
  const [x, y, z] = toLocalPoint(pose, point);
  return surface.distanceTo(x, y, z, limitM);
}

function hitPlane(ray: Ray, { pose, polygon, bounds }: SceneEntity, distanceMaxM: number): SurfaceHit | undefined {
  const origin = toLocalPoint(pose, ray.origin);
  const direction = rotateInverse(pose.orientation, ray.direction);
  const distanceM = -origin[1] / direction[1];
  if (!(distanceM >= 0) || distanceM > distanceMaxM) return undefined;
  const x = origin[0] + direction[0] * distanceM;
  const z = origin[2] + direction[2] * distanceM;
  const isInside =
    polygon !== undefined && polygon.length >= 3
      ? isInOutline(polygon, x, z)
      : x >= bounds.min[0] && x <= bounds.max[0] && z >= bounds.min[2] && z <= bounds.max[2];
  if (!isInside) return undefined;
  return { distanceM, normal: rotate(pose.orientation, [0, direction[1] > 0 ? -1 : 1, 0]) };
}

function isInOutline(outline: readonly (readonly [x: number, z: number])[], x: number, z: number): boolean {
  let isInside = false;
  for (let corner = 0, last = outline.length - 1; corner < outline.length; last = corner++) {
    const [ax, az] = outline[corner] as readonly [number, number];
    const [bx, bz] = outline[last] as readonly [number, number];
    if (az > z !== bz > z && x < ((bx - ax) * (z - az)) / (bz - az) + ax) isInside = !isInside;
  }
  return isInside;
}
