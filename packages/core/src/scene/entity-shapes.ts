import { worldBounds } from "../geometry/bounds.ts";
import type { TriangleMesh } from "../geometry/triangle-mesh.ts";
import type { SceneEntity } from "../model/spatial.ts";

/** Planes are flat and trackers jitter: bounds are widened by this before a ray meets them. */
export const WIDENING_M = 0.01;

/** Poses, widened bounds, outlines and room boxes of entities by slot, in flat arrays, with the exact tests on them. */
export class EntityShapes {
  readonly #outlines: (Float64Array | undefined)[] = [];
  readonly #surfaces: (TriangleMesh | undefined)[] = [];
  #poses = new Float64Array(7 * 16);
  #bounds = new Float64Array(6 * 16);
  /** Box in the room of each slot: min x, y, z, max x, y, z. An empty slot's box lies at infinity. */
  boxes: Float64Array<ArrayBuffer> = new Float64Array(6 * 16).fill(Infinity);
  readonly #local = new Float64Array(6);
  #slots = 16;

  write(slot: number, entity: SceneEntity): void {
    while (slot >= this.#slots) this.#grow();
    const { pose, bounds } = entity;
    this.#poses.set(pose.position, slot * 7);
    this.#poses.set(pose.orientation, slot * 7 + 3);
    const widened = {
      min: [bounds.min[0] - WIDENING_M, bounds.min[1] - WIDENING_M, bounds.min[2] - WIDENING_M] as const,
      max: [bounds.max[0] + WIDENING_M, bounds.max[1] + WIDENING_M, bounds.max[2] + WIDENING_M] as const,
    };
    this.#bounds.set(widened.min, slot * 6);
    this.#bounds.set(widened.max, slot * 6 + 3);
    const box = worldBounds(pose, widened);
    this.boxes.set(box.min, slot * 6);
    this.boxes.set(box.max, slot * 6 + 3);
    const isOutlined = entity.kind === "plane" && entity.polygon !== undefined && entity.polygon.length >= 3;
    this.#surfaces[slot] = entity.surface;
    this.#outlines[slot] = isOutlined ? Float64Array.from(entity.polygon.flat()) : undefined;
  }

  erase(slot: number): void {
    this.#outlines[slot] = undefined;
    this.#surfaces[slot] = undefined;
    this.boxes.fill(Infinity, slot * 6, slot * 6 + 3);
    this.boxes.fill(-Infinity, slot * 6 + 3, slot * 6 + 6);
  }

  boxOf(slot: number): Float64Array {
    return this.boxes.subarray(slot * 6, slot * 6 + 6);
  }

  /** Distance along the ray (origin, unit direction) to the entity itself, or -1. */
  hit(slot: number, ray: Float64Array, limitM: number): number {
    this.#toLocalPoint(slot, ray);
    this.#toLocal(slot, 3, ray[3] as number, ray[4] as number, ray[5] as number);
    const surface = this.#surfaces[slot];
    if (surface !== undefined) return surface.raycast(this.#local, limitM);
    const outline = this.#outlines[slot];
    return outline === undefined
      ? slabHit(this.#local, this.#bounds, slot * 6, limitM)
      : outlineHit(this.#local, outline, limitM);
  }

  /** Metres from the point to the oriented, widened box; 0 inside. */
  distanceTo(slot: number, point: Float64Array): number {
    this.#toLocalPoint(slot, point);
    let sum = 0;
    for (let axis = 0; axis < 3; axis++) {
      const value = this.#local[axis] as number;
      const below = (this.#bounds[slot * 6 + axis] as number) - value;
      const above = value - (this.#bounds[slot * 6 + axis + 3] as number);
      const gap = below > 0 ? below : above > 0 ? above : 0;
      sum += gap * gap;
    }
    return Math.sqrt(sum);
  }

  /** Writes into `into` the point of the entity's box that is nearest to `point`, in room coordinates. */
  closestPoint(slot: number, point: Float64Array, into: Float64Array): void {
    this.#toLocalPoint(slot, point);
    for (let axis = 0; axis < 3; axis++) {
      const low = this.#bounds[slot * 6 + axis] as number;
      const high = this.#bounds[slot * 6 + axis + 3] as number;
      this.#local[axis] = Math.min(high, Math.max(low, this.#local[axis] as number));
    }
    this.#toRoom(slot, into);
  }

  /** Centre of the oriented box, in room coordinates. */
  center(slot: number, into: Float64Array): void {
    for (let axis = 0; axis < 3; axis++) {
      const at = slot * 6 + axis;
      this.#local[axis] = ((this.#bounds[at] as number) + (this.#bounds[at + 3] as number)) / 2;
    }
    this.#toRoom(slot, into);
  }

  /** Radius of the sphere around the oriented box. */
  radiusM(slot: number): number {
    const at = slot * 6;
    let sum = 0;
    for (let axis = 0; axis < 3; axis++) {
      const edge = (this.#bounds[at + axis + 3] as number) - (this.#bounds[at + axis] as number);
      sum += edge * edge;
    }
    return Math.sqrt(sum) / 2;
  }

  /** Largest face, square metres: how much of the view a thing can fill. Tells a picture from the wall behind it. */
  faceM2(slot: number): number {
    const at = slot * 6;
    const x = (this.#bounds[at + 3] as number) - (this.#bounds[at] as number);
    const y = (this.#bounds[at + 4] as number) - (this.#bounds[at + 1] as number);
    const z = (this.#bounds[at + 5] as number) - (this.#bounds[at + 2] as number);
    return Math.max(x * y, y * z, z * x);
  }

  #toLocalPoint(slot: number, point: Float64Array): void {
    const at = slot * 7;
    const x = (point[0] as number) - (this.#poses[at] as number);
    const y = (point[1] as number) - (this.#poses[at + 1] as number);
    const z = (point[2] as number) - (this.#poses[at + 2] as number);
    this.#toLocal(slot, 0, x, y, z);
  }

  /** Rotates by the inverse of the slot's orientation into the scratch numbers. */
  // oxlint-disable-next-line max-params -- Three numbers, so that no vector is made for every test of every ray.
  #toLocal(slot: number, into: number, x: number, y: number, z: number): void {
    const at = slot * 7;
    const qx = -(this.#poses[at + 3] as number);
    const qy = -(this.#poses[at + 4] as number);
    const qz = -(this.#poses[at + 5] as number);
    const qw = this.#poses[at + 6] as number;
    const tx = 2 * (qy * z - qz * y);
    const ty = 2 * (qz * x - qx * z);
    const tz = 2 * (qx * y - qy * x);
    this.#local[into] = x + qw * tx + qy * tz - qz * ty;
    this.#local[into + 1] = y + qw * ty + qz * tx - qx * tz;
    this.#local[into + 2] = z + qw * tz + qx * ty - qy * tx;
  }

  #toRoom(slot: number, into: Float64Array): void {
    const at = slot * 7;
    const x = this.#local[0] as number;
    const y = this.#local[1] as number;
    const z = this.#local[2] as number;
    const qx = this.#poses[at + 3] as number;
    const qy = this.#poses[at + 4] as number;
    const qz = this.#poses[at + 5] as number;
    const qw = this.#poses[at + 6] as number;
    const tx = 2 * (qy * z - qz * y);
    const ty = 2 * (qz * x - qx * z);
    const tz = 2 * (qx * y - qy * x);
    into[0] = (this.#poses[at] as number) + x + qw * tx + qy * tz - qz * ty;
    into[1] = (this.#poses[at + 1] as number) + y + qw * ty + qz * tx - qx * tz;
    into[2] = (this.#poses[at + 2] as number) + z + qw * tz + qx * ty - qy * tx;
  }

  #grow(): void {
    this.#slots *= 2;
    this.#poses = widened(this.#poses, this.#slots * 7);
    this.#bounds = widened(this.#bounds, this.#slots * 6);
    this.boxes = widened(this.boxes, this.#slots * 6);
  }
}

function widened(source: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const target = new Float64Array(length).fill(Infinity);
  target.set(source);
  return target;
}

function slabHit(ray: Float64Array, bounds: Float64Array, at: number, limitM: number): number {
  let near = 0;
  let far = limitM;
  for (let axis = 0; axis < 3; axis++) {
    const inverse = 1 / (ray[axis + 3] as number);
    const low = ((bounds[at + axis] as number) - (ray[axis] as number)) * inverse;
    const high = ((bounds[at + axis + 3] as number) - (ray[axis] as number)) * inverse;
    const entry = inverse < 0 ? high : low;
    const exit = inverse < 0 ? low : high;
    if (entry > near) near = entry;
    if (exit < far) far = exit;
    if (near > far) return -1;
  }
  return near;
}

/** A plane is hit where the ray crosses y = 0 of its own axes, inside its outline or within the widening of an edge. */
function outlineHit(ray: Float64Array, outline: Float64Array, limitM: number): number {
  const distanceM = -(ray[1] as number) / (ray[4] as number);
  if (!(distanceM >= 0) || distanceM > limitM) return -1;
  const x = (ray[0] as number) + (ray[3] as number) * distanceM;
  const z = (ray[2] as number) + (ray[5] as number) * distanceM;
  return isInOutline(outline, x, z) ? distanceM : -1;
}

function isInOutline(outline: Float64Array, x: number, z: number): boolean {
  let isInside = false;
  const corners = outline.length >>> 1;
  for (let corner = 0, last = corners - 1; corner < corners; last = corner++) {
    const ax = outline[corner * 2] as number;
    const az = outline[corner * 2 + 1] as number;
    const bx = outline[last * 2] as number;
    const bz = outline[last * 2 + 1] as number;
    if (az > z !== bz > z && x < ((bx - ax) * (z - az)) / (bz - az) + ax) isInside = !isInside;
    const lengthSquared = (bx - ax) ** 2 + (bz - az) ** 2;
    const along = lengthSquared === 0 ? 0 : ((x - ax) * (bx - ax) + (z - az) * (bz - az)) / lengthSquared;
    const share = Math.min(1, Math.max(0, along));
    const gap = (x - ax - share * (bx - ax)) ** 2 + (z - az - share * (bz - az)) ** 2;
    if (gap <= WIDENING_M * WIDENING_M) return true;
  }
  return isInside;
}
