import { transformed, quaternionOf, rotatedBack } from "./matrix.ts";
import type { Point } from "./matrix.ts";
import type { Object3DLike } from "../platform/object-3d.ts";

export interface ObjectPlacement {
  readonly pose: { readonly position: Point; readonly orientation: [number, number, number, number] };
  readonly bounds: { readonly min: Point; readonly max: Point };
}

/** Half a side of the box of an object without geometry: enough to be looked at and pointed to. */
const EMPTY_HALF_M = 0.05;

/** Where an object stands and which box, on its own axes and in metres, holds it and all below it. */
export function placeObject(object: Object3DLike): ObjectPlacement {
  object.updateWorldMatrix?.(true, true);
  const { elements } = object.matrixWorld;
  const orientation: [number, number, number, number] = [0, 0, 0, 1];
  quaternionOf(elements, 0, orientation, 0);
  const position = transformed(elements, 0, 0, 0);
  const min: Point = [Infinity, Infinity, Infinity];
  const max: Point = [-Infinity, -Infinity, -Infinity];
  extend(object, { position, orientation, min, max }, 0);
  if (min[0] > max[0]) {
    min.fill(-EMPTY_HALF_M);
    max.fill(EMPTY_HALF_M);
  }
  return { pose: { position, orientation }, bounds: { min, max } };
}

interface Box {
  readonly position: Point;
  readonly orientation: readonly number[];
  readonly min: Point;
  readonly max: Point;
}

/** Depth of the deepest object that counts; a scene graph with a cycle would otherwise never end. */
const DEPTH_MAX = 32;

function extend(object: Object3DLike, box: Box, depth: number): void {
  const geometry = object.geometry;
  if (geometry !== undefined) {
    if (!geometry.boundingBox) geometry.computeBoundingBox?.();
    const bounds = geometry.boundingBox;
    if (bounds) {
      for (let corner = 0; corner < 8; corner++) {
        const x = corner & 1 ? bounds.max.x : bounds.min.x;
        const y = corner & 2 ? bounds.max.y : bounds.min.y;
        const z = corner & 4 ? bounds.max.z : bounds.min.z;
        const world = transformed(object.matrixWorld.elements, x, y, z);
        const local = rotatedBack(box.orientation, [
          world[0] - box.position[0],
          world[1] - box.position[1],
          world[2] - box.position[2],
        ]);
        if (!local.every(Number.isFinite)) continue;
        for (let axis = 0; axis < 3; axis++) {
          box.min[axis] = Math.min(box.min[axis] ?? 0, local[axis] ?? 0);
          box.max[axis] = Math.max(box.max[axis] ?? 0, local[axis] ?? 0);
        }
      }
    }
  }
  if (depth < DEPTH_MAX) for (const child of object.children ?? []) extend(child, box, depth + 1);
}

/** Whether the object hangs below a scene: outside of one it cannot be seen. */
export function isInScene(object: Object3DLike): boolean {
  let top: Object3DLike = object;
  for (let depth = 0; depth < 256 && top.parent; depth++) top = top.parent;
  return top.isScene === true;
}
