// From which eye an image was taken. A model answers seconds later with pixels; they mean something only together with
// the pose, the lens and the depth of that very image, never with where the head is by then.
import { toLocalPoint } from "../geometry/pose.ts";
import { rotate } from "../geometry/quat.ts";
import type { Ray } from "../geometry/ray.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { normalize } from "../geometry/vec3.ts";
import type { ImageView } from "../model/sight.ts";

/** The line of sight through a pixel. */
export function pixelRay(view: ImageView, xPx: number, yPx: number): Ray {
  const inCamera: Vec3 = [(xPx - view.cx) / view.fx, -(yPx - view.cy) / view.fy, -1];
  return { origin: view.pose.position, direction: normalize(rotate(view.pose.orientation, inCamera)) };
}

/** Where a point of the room lies in the image, with its distance to the camera plane; undefined behind the camera. */
export function pixelOf(
  view: ImageView,
  point: Vec3,
): { readonly xPx: number; readonly yPx: number; readonly depthM: number } | undefined {
  const local = toLocalPoint(view.pose, point);
  const depthM = -local[2];
  if (depthM < 0.01) return undefined;
  return {
    xPx: view.cx + (view.fx * local[0]) / depthM,
    yPx: view.cy - (view.fy * local[1]) / depthM,
    depthM,
  };
}

export function isInImage(view: ImageView, { xPx, yPx }: { readonly xPx: number; readonly yPx: number }): boolean {
  return xPx >= 0 && yPx >= 0 && xPx < view.widthPx && yPx < view.heightPx;
}
