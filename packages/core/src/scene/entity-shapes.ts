import { worldBounds } from "../geometry/bounds.ts";
import type { TriangleMesh } from "../geometry/triangle-mesh.ts";
import type { SceneEntity } from "../model/spatial.ts";

/** Planes are flat and trackers jitter: bounds are widened by this before a ray meets them. */
export const WIDENING_M = 0.01;

/** A shape is a row: pose (seven numbers), widened bounds (six), largest face, radius, and the kind of its exact test. */
const ROW = 16;
const BOUNDS = 7;
const FACE_M2 = 13;
const RADIUS_M = 14;
/** Which exact test the shape wants. */
const SHAPE = 15;
const BOX = 0;
const OUTLINE = 1;
const TRIANGLES = 2;

/** Position and direction in the axes of the shape being asked about: once for all rooms, since questions are synchronous. */
const LOCAL = new Float64Array(6);
const REACH = new Float64Array(2);

/** Poses, widened bounds, outlines and room boxes of entities by slot, in flat arrays, with the exact tests on them. */
export class EntityShapes {
  readonly #outlines: (Float64Array | undefined)[] = [];
  readonly #surfaces: (TriangleMesh | undefined)[] = [];
  #rows = new Float64Array(ROW * 16);
  /** Box in the room of each slot: min x, y, z, max x, y, z. An empty slot's box lies at infinity. */
  boxes: Float64Array<ArrayBuffer> = new Float64Array(6 * 16).fill(Infinity);
  #slots = 16;

  write(slot: number, entity: SceneEntity): void {
    while (slot >= this.#slots) this.#grow();
    const { pose, bounds } = entity;
    const at = slot * ROW;
    this.#rows.set(pose.position, at);
    this.#rows.set(pose.orientation, at + 3);
    const widened = {
      min: [bounds.min[0] - WIDENING_M, bounds.min[1] - WIDENING_M, bounds.min[2] - WIDENING_M] as const,
      max: [bounds.max[0] + WIDENING_M, bounds.max[1] + WIDENING_M, bounds.max[2] + WIDENING_M] as const,
    };
    this.#rows.set(widened.min, at + BOUNDS);
    this.#rows.set(widened.max, at + BOUNDS + 3);
    const x = widened.max[0] - widened.min[0];
    const y = widened.max[1] - widened.min[1];
    const z = widened.max[2] - widened.min[2];
    this.#rows[at + FACE_M2] = Math.max(x * y, y * z, z * x);
    this.#rows[at + RADIUS_M] = Math.sqrt(x * x + y * y + z * z) / 2;
    const box = worldBounds(pose, widened);
    this.boxes.set(box.min, slot * 6);
    this.boxes.set(box.max, slot * 6 + 3);
    const isOutlined = entity.kind === "plane" && entity.polygon !== undefined && entity.polygon.length >= 3;
    this.#rows[at + SHAPE] = entity.surface !== undefined ? TRIANGLES : isOutlined ? OUTLINE : BOX;
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
    REACH[0] = limitM;
    return this.meets(slot, ray, REACH) ? (REACH[1] as number) : -1;
  }

  /** The same without a number passed: see `RayTest`. */
  meets(slot: number, ray: Float64Array, reach: Float64Array): boolean {
    this.#toLocalPoint(slot, ray);
    this.#toLocal(slot, 3, ray[3] as number, ray[4] as number, ray[5] as number);
    const shape = this.#rows[slot * ROW + SHAPE];
    const surface = shape === TRIANGLES ? this.#surfaces[slot] : undefined;
    const outline = shape === OUTLINE ? this.#outlines[slot] : undefined;
    if (surface === undefined && outline === undefined) return meetsSlab(this.#rows, slot * ROW + BOUNDS, reach);
    const limitM = reach[0] as number;
    const distanceM =
      surface === undefined ? outlineHit(LOCAL, outline as Float64Array, limitM) : surface.raycast(LOCAL, limitM);
    reach[1] = distanceM;
    return distanceM >= 0;
  }

  /** Metres from the point to the oriented, widened box; 0 inside. */
  distanceTo(slot: number, point: Float64Array): number {
    this.#toLocalPoint(slot, point);
    let sum = 0;
    for (let axis = 0; axis < 3; axis++) {
      const value = LOCAL[axis] as number;
      const below = (this.#rows[slot * ROW + BOUNDS + axis] as number) - value;
      const above = value - (this.#rows[slot * ROW + BOUNDS + axis + 3] as number);
      const gap = below > 0 ? below : above > 0 ? above : 0;
      sum += gap * gap;
    }
    return Math.sqrt(sum);
  }

  /** Writes into `into` the point of the entity's box that is nearest to `point`, in room coordinates. */
  closestPoint(slot: number, point: Float64Array, into: Float64Array): void {
    this.#toLocalPoint(slot, point);
    for (let axis = 0; axis < 3; axis++) {
      const low = this.#rows[slot * ROW + BOUNDS + axis] as number;
      const high = this.#rows[slot * ROW + BOUNDS + axis + 3] as number;
      LOCAL[axis] = Math.min(high, Math.max(low, LOCAL[axis] as number));
    }
    this.#toRoom(slot, into);
  }

  /** Centre of the oriented box, in room coordinates. */
  center(slot: number, into: Float64Array): void {
    for (let axis = 0; axis < 3; axis++) {
      const at = slot * ROW + BOUNDS + axis;
      LOCAL[axis] = ((this.#rows[at] as number) + (this.#rows[at + 3] as number)) / 2;
    }
    this.#toRoom(slot, into);
  }

  /** Radius of the sphere around the oriented box. */
  radiusM(slot: number): number {
    return this.#rows[slot * ROW + RADIUS_M] as number;
  }

  /** Largest face, square metres: how much of the view a thing can fill. Tells a picture from the wall behind it. */
  faceM2(slot: number): number {
    return this.#rows[slot * ROW + FACE_M2] as number;
  }

  #toLocalPoint(slot: number, point: Float64Array): void {
    const at = slot * ROW;
    const x = (point[0] as number) - (this.#rows[at] as number);
    const y = (point[1] as number) - (this.#rows[at + 1] as number);
    const z = (point[2] as number) - (this.#rows[at + 2] as number);
    this.#toLocal(slot, 0, x, y, z);
  }

  /** Rotates by the inverse of the slot's orientation into the scratch numbers. */
  // oxlint-disable-next-line max-params -- Three numbers, so that no vector is made for every test of every ray.
  #toLocal(slot: number, into: number, x: number, y: number, z: number): void {
    const at = slot * ROW;
    const qx = -(this.#rows[at + 3] as number);
    const qy = -(this.#rows[at + 4] as number);
    const qz = -(this.#rows[at + 5] as number);
    const qw = this.#rows[at + 6] as number;
    const tx = 2 * (qy * z - qz * y);
    const ty = 2 * (qz * x - qx * z);
    const tz = 2 * (qx * y - qy * x);
    LOCAL[into] = x + qw * tx + qy * tz - qz * ty;
    LOCAL[into + 1] = y + qw * ty + qz * tx - qx * tz;
    LOCAL[into + 2] = z + qw * tz + qx * ty - qy * tx;
  }

  #toRoom(slot: number, into: Float64Array): void {
    const at = slot * ROW;
    const x = LOCAL[0] as number;
    const y = LOCAL[1] as number;
    const z = LOCAL[2] as number;
    const qx = this.#rows[at + 3] as number;
    const qy = this.#rows[at + 4] as number;
    const qz = this.#rows[at + 5] as number;
    const qw = this.#rows[at + 6] as number;
    const tx = 2 * (qy * z - qz * y);
    const ty = 2 * (qz * x - qx * z);
    const tz = 2 * (qx * y - qy * x);
    into[0] = (this.#rows[at] as number) + x + qw * tx + qy * tz - qz * ty;
    into[1] = (this.#rows[at + 1] as number) + y + qw * ty + qz * tx - qx * tz;
    into[2] = (this.#rows[at + 2] as number) + z + qw * tz + qx * ty - qy * tx;
  }

  #grow(): void {
    this.#slots *= 2;
    this.#rows = widened(this.#rows, this.#slots * ROW);
    this.boxes = widened(this.boxes, this.#slots * 6);
  }
}

function widened(source: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const target = new Float64Array(length).fill(Infinity);
  target.set(source);
  return target;
}

/** The ray in `LOCAL`. */
function meetsSlab(bounds: Float64Array, at: number, reach: Float64Array): boolean {
  let near = 0;
  let far = reach[0] as number;
  for (let axis = 0; axis < 3; axis++) {
    const inverse = 1 / (LOCAL[axis + 3] as number);
    const low = ((bounds[at + axis] as number) - (LOCAL[axis] as number)) * inverse;
    const high = ((bounds[at + axis + 3] as number) - (LOCAL[axis] as number)) * inverse;
    const entry = inverse < 0 ? high : low;
    const exit = inverse < 0 ? low : high;
    if (entry > near) near = entry;
    if (exit < far) far = exit;
    if (near > far) return false;
  }
  reach[1] = near;
  return true;
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
