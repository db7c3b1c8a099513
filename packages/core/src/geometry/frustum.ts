import type { Bounds } from "./bounds.ts";
import type { Pose } from "./pose.ts";
import { rotate } from "./quat.ts";
import type { Vec3 } from "./vec3.ts";
import { dot } from "./vec3.ts";

/** What a viewer can have in view. Full angles in radians, below pi. */
export interface ViewVolume {
  readonly pose: Pose;
  readonly horizontalRad: number;
  readonly verticalRad: number;
  readonly nearM: number;
  readonly farM: number;
}

/** Six planes x, y, z, d in the outer space; a point is inside where x*px + y*py + z*pz + d is not negative for all. */
export function frustumPlanes({ pose, horizontalRad, verticalRad, nearM, farM }: ViewVolume): Float64Array {
  const h = horizontalRad / 2;
  const v = verticalRad / 2;
  const planes = new Float64Array(24);
  const eye = pose.position;
  const forward = rotate(pose.orientation, [0, 0, -1]);
  write(planes, 0, rotate(pose.orientation, [Math.cos(h), 0, -Math.sin(h)]), eye);
  write(planes, 1, rotate(pose.orientation, [-Math.cos(h), 0, -Math.sin(h)]), eye);
  write(planes, 2, rotate(pose.orientation, [0, Math.cos(v), -Math.sin(v)]), eye);
  write(planes, 3, rotate(pose.orientation, [0, -Math.cos(v), -Math.sin(v)]), eye);
  write(planes, 4, forward, [eye[0] + forward[0] * nearM, eye[1] + forward[1] * nearM, eye[2] + forward[2] * nearM]);
  const back: Vec3 = [-forward[0], -forward[1], -forward[2]];
  write(planes, 5, back, [eye[0] + forward[0] * farM, eye[1] + forward[1] * farM, eye[2] + forward[2] * farM]);
  return planes;
}

function write(planes: Float64Array, index: number, normal: Vec3, through: Vec3): void {
  planes[index * 4] = normal[0];
  planes[index * 4 + 1] = normal[1];
  planes[index * 4 + 2] = normal[2];
  planes[index * 4 + 3] = -dot(normal, through);
}

/** Conservative: a box that only its own corner region brings near the volume's edge may be called visible. */
export function frustumMeetsBounds(planes: Float64Array, b: Bounds): boolean {
  for (let plane = 0; plane < planes.length; plane += 4) {
    let reach = planes[plane + 3] as number;
    for (let axis = 0; axis < 3; axis++) {
      const normal = planes[plane + axis] as number;
      reach += normal * ((normal > 0 ? b.max[axis] : b.min[axis]) as number);
    }
    if (reach < 0) return false;
  }
  return true;
}

export function frustumHoldsPoint(planes: Float64Array, point: Vec3): boolean {
  for (let plane = 0; plane < planes.length; plane += 4) {
    const side =
      (planes[plane] as number) * point[0] +
      (planes[plane + 1] as number) * point[1] +
      (planes[plane + 2] as number) * point[2];
    if (side + (planes[plane + 3] as number) < 0) return false;
  }
  return true;
}
