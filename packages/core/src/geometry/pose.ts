import type { Quat } from "./quat.ts";
import { conjugate, IDENTITY, multiply, rotate, rotateInverse } from "./quat.ts";
import type { Vec3 } from "./vec3.ts";
import { add, FORWARD, ORIGIN, subtract } from "./vec3.ts";

/** A rigid transform: rotate by `orientation`, then move by `position`. WebXR's XRRigidTransform. */
export interface Pose {
  readonly position: Vec3;
  readonly orientation: Quat;
}

export const IDENTITY_POSE: Pose = { position: ORIGIN, orientation: IDENTITY };

/** From the pose's own axes to the space the pose is given in. */
export function transformPoint(pose: Pose, point: Vec3): Vec3 {
  return add(pose.position, rotate(pose.orientation, point));
}

/** From the space the pose is given in to the pose's own axes. */
export function toLocalPoint(pose: Pose, point: Vec3): Vec3 {
  return rotateInverse(pose.orientation, subtract(point, pose.position));
}

export function compose(outer: Pose, inner: Pose): Pose {
  return {
    position: transformPoint(outer, inner.position),
    orientation: multiply(outer.orientation, inner.orientation),
  };
}

export function invert(pose: Pose): Pose {
  const orientation = conjugate(pose.orientation);
  return { position: rotate(orientation, subtract(ORIGIN, pose.position)), orientation };
}

export function forwardOf(pose: Pose): Vec3 {
  return rotate(pose.orientation, FORWARD);
}
