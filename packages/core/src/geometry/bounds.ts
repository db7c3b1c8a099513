import type { Pose } from "./pose.ts";
import { toLocalPoint, transformPoint } from "./pose.ts";
import { rotateInverse } from "./quat.ts";
import type { Ray } from "./ray.ts";
import type { Vec3 } from "./vec3.ts";

/** Axis-aligned box. With a pose beside it, a box in the pose's own axes (an oriented box). */
export interface Bounds {
  readonly min: Vec3;
  readonly max: Vec3;
}

export function boundsCenter(b: Bounds): Vec3 {
  return [(b.min[0] + b.max[0]) / 2, (b.min[1] + b.max[1]) / 2, (b.min[2] + b.max[2]) / 2];
}

/** Edge lengths in metres. */
export function boundsSize(b: Bounds): Vec3 {
  return [b.max[0] - b.min[0], b.max[1] - b.min[1], b.max[2] - b.min[2]];
}

export function expand(b: Bounds, byM: number): Bounds {
  return {
    min: [b.min[0] - byM, b.min[1] - byM, b.min[2] - byM],
    max: [b.max[0] + byM, b.max[1] + byM, b.max[2] + byM],
  };
}

export function union(a: Bounds, b: Bounds): Bounds {
  return {
    min: [Math.min(a.min[0], b.min[0]), Math.min(a.min[1], b.min[1]), Math.min(a.min[2], b.min[2])],
    max: [Math.max(a.max[0], b.max[0]), Math.max(a.max[1], b.max[1]), Math.max(a.max[2], b.max[2])],
  };
}

export function contains(b: Bounds, p: Vec3): boolean {
  return (
    p[0] >= b.min[0] && p[0] <= b.max[0] && p[1] >= b.min[1] && p[1] <= b.max[1] && p[2] >= b.min[2] && p[2] <= b.max[2]
  );
}

export function boundsCorners(b: Bounds): readonly Vec3[] {
  const corners: Vec3[] = [];
  for (let i = 0; i < 8; i++) {
    corners.push([i & 1 ? b.max[0] : b.min[0], i & 2 ? b.max[1] : b.min[1], i & 4 ? b.max[2] : b.min[2]]);
  }
  return corners;
}

/** The axis-aligned box, in the outer space, around an oriented one. */
export function worldBounds(pose: Pose, b: Bounds): Bounds {
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (const corner of boundsCorners(b)) {
    const p = transformPoint(pose, corner);
    for (let axis = 0; axis < 3; axis++) {
      const value = p[axis] as number;
      if (value < (min[axis] as number)) min[axis] = value;
      if (value > (max[axis] as number)) max[axis] = value;
    }
  }
  return { min, max };
}

export function closestPoint(b: Bounds, p: Vec3): Vec3 {
  return [
    Math.min(b.max[0], Math.max(b.min[0], p[0])),
    Math.min(b.max[1], Math.max(b.min[1], p[1])),
    Math.min(b.max[2], Math.max(b.min[2], p[2])),
  ];
}

/** Gap between the surfaces; 0 when they touch or overlap. Both boxes axis-aligned in one space. */
export function boundsDistance(a: Bounds, b: Bounds): number {
  const gap = (axis: 0 | 1 | 2): number => Math.max(0, a.min[axis] - b.max[axis], b.min[axis] - a.max[axis]);
  return Math.hypot(gap(0), gap(1), gap(2));
}

/** Metres from a point in the outer space to the surface of an oriented box; 0 inside. */
export function distanceToBox(pose: Pose, b: Bounds, p: Vec3): number {
  // Written out, because attention and facts ask it of every entity: no array is made.
  const [qx, qy, qz, qw] = pose.orientation;
  const x = p[0] - pose.position[0];
  const y = p[1] - pose.position[1];
  const z = p[2] - pose.position[2];
  const tx = 2 * (qz * y - qy * z);
  const ty = 2 * (qx * z - qz * x);
  const tz = 2 * (qy * x - qx * y);
  const gapX = gapTo(x + qw * tx + qz * ty - qy * tz, b.min[0], b.max[0]);
  const gapY = gapTo(y + qw * ty + qx * tz - qz * tx, b.min[1], b.max[1]);
  const gapZ = gapTo(z + qw * tz + qy * tx - qx * ty, b.min[2], b.max[2]);
  return Math.sqrt(gapX * gapX + gapY * gapY + gapZ * gapZ);
}

function gapTo(value: number, min: number, max: number): number {
  return value < min ? min - value : value > max ? value - max : 0;
}

/** Slab test against an axis-aligned box: distance along the ray to the entry (0 from inside), or undefined. */
export function rayBounds(ray: Ray, b: Bounds, distanceMaxM = Infinity): number | undefined {
  let near = 0;
  let far = distanceMaxM;
  for (let axis = 0; axis < 3; axis++) {
    const origin = ray.origin[axis] as number;
    const inverse = 1 / (ray.direction[axis] as number);
    let t0 = ((b.min[axis] as number) - origin) * inverse;
    let t1 = ((b.max[axis] as number) - origin) * inverse;
    if (inverse < 0) [t0, t1] = [t1, t0];
    // A ray that runs inside a slab's plane gives 0 * Infinity = NaN; NaN fails both tests and bounds nothing.
    if (t0 > near) near = t0;
    if (t1 < far) far = t1;
    if (near > far) return undefined;
  }
  return near;
}

/** Ray in the outer space against an oriented box. */
export function rayBox(ray: Ray, pose: Pose, b: Bounds, distanceMaxM = Infinity): number | undefined {
  const local: Ray = {
    origin: toLocalPoint(pose, ray.origin),
    direction: rotateInverse(pose.orientation, ray.direction),
  };
  return rayBounds(local, b, distanceMaxM);
}
