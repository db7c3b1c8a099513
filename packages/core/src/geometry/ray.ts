import type { Pose } from "./pose.ts";
import { forwardOf } from "./pose.ts";
import type { Vec3 } from "./vec3.ts";

/** Direction is of unit length, so that distances along the ray are metres. */
export interface Ray {
  readonly origin: Vec3;
  readonly direction: Vec3;
}

export function rayOf(pose: Pose): Ray {
  return { origin: pose.position, direction: forwardOf(pose) };
}

export function pointAt(ray: Ray, distanceM: number): Vec3 {
  const { origin, direction } = ray;
  return [
    origin[0] + direction[0] * distanceM,
    origin[1] + direction[1] * distanceM,
    origin[2] + direction[2] * distanceM,
  ];
}
