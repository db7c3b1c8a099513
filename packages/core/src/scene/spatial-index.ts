// Where the entities of one session are, for questions by ray, cone, point and volume. A tree over the room boxes
// narrows a question down and `EntityShapes` gives the exact answer. New entities wait in a short list beside the tree,
// moved ones only refit it, and the next question after too much of either builds it anew, so that a stream of small
// changes stays cheap. Questions are synchronous and must not be asked from within a visitor.
import { Bvh } from "../geometry/bvh.ts";
import type { SceneEntity } from "../model/spatial.ts";
import { EntityShapes } from "./entity-shapes.ts";

/** The room's own mesh surrounds everything; it is never what somebody means. */
const ROOM_LABEL = "global mesh";
const UNBUILT_MAX = 24;
/** Never reached by a position on the wire; keeps erased boxes, which lie at infinity, out of every answer. */
const FAR_M = 1e6;

/** The numbers of the question in progress: one set for all rooms, since questions are synchronous. */
const ASKED_RAY = new Float64Array(6);
/** Ray, cosine and sine of the angle, reach. */
const CONE = new Float64Array(9);
const REACH = new Float64Array(2);
const QUESTION = Float64Array.of(0, Infinity);
const MARGIN_M = 0;
const HIT_DISTANCE_M = 1;

/** reach[1] holds the distance: see `RayTest`. */
export type HitVisitor = (slot: number, reach: Float64Array) => void;

export class SpatialIndex {
  /** Exact shapes by slot. */
  readonly shapes = new EntityShapes();
  readonly #slotOf = new Map<string, number>();
  readonly #entities: (SceneEntity | undefined)[] = [];
  /** Their ids, so that naming what a ray met does not fetch the entity. */
  readonly #ids: (string | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #unbuilt: number[] = [];
  #tree = new Bvh(new Float64Array(0), 0);
  #builtTotal = 0;
  /** -1 where the slot is not in the tree. */
  readonly #itemOfSlot: number[] = [];
  #refits = 0;
  #builtSurfaceM2 = 0;
  // The question in progress, in fields, so that the test functions below are made once and not for every ray.
  #visitHit: HitVisitor = ignoreHit;
  #isIgnored: ((slot: number) => boolean) | undefined;
  /** Entities that hold the ray's origin are not met. */
  #skipsAround = false;
  #visitSlot: (slot: number) => void = ignoreHit;
  readonly #visitItem = (slot: number): void => {
    if (this.#entities[slot] !== undefined) this.#visitSlot(slot);
  };
  readonly #testItem = (slot: number, reach: Float64Array): boolean => this.#test(slot, reach);
  readonly #measureItem = (slot: number): number => this.shapes.distanceTo(slot, ASKED_RAY);

  get size(): number {
    return this.#slotOf.size;
  }

  /** Metres to what the last `raycast` returned, Infinity when it met nothing. */
  get hitDistanceM(): number {
    return QUESTION[HIT_DISTANCE_M] as number;
  }

  entityAt(slot: number): SceneEntity | undefined {
    return this.#entities[slot];
  }

  /** Undefined for an empty slot, and for -1. */
  idAt(slot: number): string | undefined {
    return slot < 0 ? undefined : this.#ids[slot];
  }

  slotOf(entityId: string): number | undefined {
    return this.#slotOf.get(entityId);
  }

  set(entity: SceneEntity): void {
    if (entity.semanticLabel === ROOM_LABEL) {
      this.delete(entity.id);
      return;
    }
    const slot = this.#slotOf.get(entity.id) ?? this.#takeSlot(entity.id);
    this.#entities[slot] = entity;
    this.#ids[slot] = entity.id;
    this.shapes.write(slot, entity);
    this.#refit(slot);
  }

  delete(entityId: string): void {
    const slot = this.#slotOf.get(entityId);
    if (slot === undefined) return;
    this.#slotOf.delete(entityId);
    this.#entities[slot] = undefined;
    this.#ids[slot] = undefined;
    this.shapes.erase(slot);
    if ((this.#itemOfSlot[slot] as number) < 0) {
      this.#unbuilt.splice(this.#unbuilt.indexOf(slot), 1);
      this.#free.push(slot);
      return;
    }
    // The tree still names the slot: it is free again only when the tree has been built anew.
    this.#refit(slot);
  }

  clear(): void {
    for (const id of this.#slotOf.keys()) this.delete(id);
    this.#build();
  }

  /** Slot of the entity the ray (origin, unit direction) meets first, or -1. `isIgnored` leaves entities out. */
  raycast(ray: Float64Array, distanceMaxM: number, isIgnored?: (slot: number) => boolean): number {
    let found = -1;
    this.#ask(ray, 0, isIgnored);
    this.#visitHit = ignoreHit;
    const limit = Math.min(distanceMaxM, FAR_M);
    const item = this.#tree.raycast(ray, limit, this.#testItem);
    if (item >= 0) found = item;
    QUESTION[HIT_DISTANCE_M] = this.#tree.hitDistanceM;
    for (const slot of this.#unbuilt) {
      REACH[0] = Math.min(limit, this.hitDistanceM);
      if (!this.#test(slot, REACH)) continue;
      const distanceM = REACH[1] as number;
      if (distanceM >= this.hitDistanceM) continue;
      QUESTION[HIT_DISTANCE_M] = distanceM;
      found = slot;
    }
    return found;
  }

  /**
   * Every entity the ray meets no farther than `marginM` behind the first one; some behind that may be visited too.
   * Entities around the ray's origin are left out: who stands inside a thing does not look at it.
   */
  raycastLayers(ray: Float64Array, distanceMaxM: number, marginM: number, visit: HitVisitor): void {
    this.#ask(ray, marginM, undefined);
    this.#skipsAround = true;
    this.#visitHit = visit;
    let limit = Math.min(distanceMaxM, FAR_M);
    this.#tree.raycast(ray, limit, this.#testItem);
    limit = Math.min(limit, this.#tree.hitDistanceM);
    for (const slot of this.#unbuilt) {
      REACH[0] = limit;
      if (this.#test(slot, REACH)) limit = Math.min(limit, REACH[1] as number);
    }
  }

  /** Entities whose surrounding sphere comes within the angle of the ray: a superset, to be measured exactly. */
  searchCone(ray: Float64Array, angleRad: number, distanceMaxM: number, visit: (slot: number) => void): void {
    this.#prepare();
    for (let index = 0; index < 6; index++) CONE[index] = ray[index] as number;
    CONE[6] = Math.cos(angleRad);
    CONE[7] = Math.sin(angleRad);
    CONE[8] = distanceMaxM;
    this.#visitSlot = visit;
    this.#tree.descend(isInCone, this.#visitItem);
    for (const slot of this.#unbuilt) if (isInCone(this.shapes.boxes, slot * 6)) visit(slot);
  }

  /** Entities whose room box touches the box. */
  searchBox(box: Float64Array, visit: (slot: number) => void): void {
    this.#prepare();
    this.#visitSlot = visit;
    this.#tree.searchBox(box, this.#visitItem);
    for (const slot of this.#unbuilt) if (isTouching(this.shapes.boxes, slot * 6, box)) visit(slot);
  }

  /** `planes` as from `frustumPlanes`. Conservative at the edges of the volume. */
  searchFrustum(planes: Float64Array, visit: (slot: number) => void): void {
    this.#prepare();
    this.#visitSlot = visit;
    this.#tree.searchFrustum(planes, this.#visitItem);
    for (const slot of this.#unbuilt) visit(slot);
  }

  /** Up to `count` entities, nearest surface first. For occasional questions: it allocates. */
  nearest(
    point: Float64Array,
    count: number,
    distanceMaxM = FAR_M,
  ): readonly { readonly entity: SceneEntity; readonly distanceM: number }[] {
    this.#prepare();
    ASKED_RAY.set(point.subarray(0, 3));
    const items = new Int32Array(count);
    const distances = new Float64Array(count);
    const options = { distanceMaxM: Math.min(distanceMaxM, FAR_M), measure: this.#measureItem };
    const found = this.#tree.nearest(point, items, distances, options);
    const slots = [...items.subarray(0, found)];
    return [...slots, ...this.#unbuilt]
      .map((slot) => ({
        entity: this.#entities[slot] as SceneEntity,
        distanceM: this.shapes.distanceTo(slot, point),
      }))
      .filter((candidate) => candidate.distanceM <= distanceMaxM)
      .sort((a, b) => a.distanceM - b.distanceM)
      .slice(0, count);
  }

  #ask(ray: Float64Array, marginM: number, isIgnored: ((slot: number) => boolean) | undefined): void {
    this.#prepare();
    for (let index = 0; index < 6; index++) ASKED_RAY[index] = ray[index] as number;
    QUESTION[MARGIN_M] = marginM;
    this.#skipsAround = false;
    this.#isIgnored = isIgnored;
  }

  #test(slot: number, reach: Float64Array): boolean {
    // What was erased lies at infinity and is not met, so that entities need not be looked up here.
    if (this.#isIgnored?.(slot) === true) return false;
    if (!this.shapes.meets(slot, ASKED_RAY, reach)) return false;
    if (reach[1] === 0 && this.#skipsAround) return false;
    this.#visitHit(slot, reach);
    reach[1] = (reach[1] as number) + (QUESTION[MARGIN_M] as number);
    return true;
  }

  #refit(slot: number): void {
    const item = this.#itemOfSlot[slot] as number;
    if (item < 0) return;
    this.#tree.refit(item, this.shapes.boxOf(slot));
    this.#refits++;
  }

  #prepare(): void {
    const total = this.#builtTotal;
    if (this.#unbuilt.length > UNBUILT_MAX + (total >>> 3)) this.#build();
    if (this.#refits <= 64 + total * 2) return;
    this.#refits = 0;
    // Refitting keeps answers exact but not quick: a tree whose nodes have doubled is built anew.
    if (!(this.#tree.surfaceM2() < 2 * this.#builtSurfaceM2)) this.#build();
  }

  #build(): void {
    const live: number[] = [];
    this.#free.length = 0;
    for (let slot = 0; slot < this.#entities.length; slot++) {
      this.#itemOfSlot[slot] = -1;
      if (this.#entities[slot] === undefined) this.#free.push(slot);
      else live.push(slot);
    }
    const boxes = new Float64Array(live.length * 6);
    live.forEach((slot, item) => {
      this.#itemOfSlot[slot] = item;
      boxes.set(this.shapes.boxOf(slot), item * 6);
    });
    this.#builtTotal = live.length;
    this.#tree = new Bvh(boxes, live.length, live);
    this.#builtSurfaceM2 = this.#tree.surfaceM2();
    this.#unbuilt.length = 0;
    this.#refits = 0;
  }

  #takeSlot(entityId: string): number {
    const slot = this.#free.pop() ?? this.#entities.length;
    this.#itemOfSlot[slot] = -1;
    this.#slotOf.set(entityId, slot);
    this.#unbuilt.push(slot);
    return slot;
  }
}

/** Whether the sphere around the box comes within the cone; NaN from an erased box fails every test. */
function meetsCone(boxes: Float64Array, at: number, cone: Float64Array): boolean {
  let along = 0;
  let squared = 0;
  let radius = 0;
  for (let axis = 0; axis < 3; axis++) {
    const min = boxes[at + axis] as number;
    const max = boxes[at + axis + 3] as number;
    const offset = (min + max) / 2 - (cone[axis] as number);
    along += offset * (cone[axis + 3] as number);
    squared += offset * offset;
    radius += (max - min) * (max - min);
  }
  radius = Math.sqrt(radius) / 2;
  if (squared <= radius * radius) return true;
  const reach = (cone[8] as number) + radius;
  if (!(squared <= reach * reach)) return false;
  const aside = Math.sqrt(Math.max(0, squared - along * along));
  // Signed distance of the centre from the cone's surface.
  return aside * (cone[6] as number) - along * (cone[7] as number) <= radius;
}

function ignoreHit(): void {}

function isInCone(boxes: Float64Array, at: number): boolean {
  return meetsCone(boxes, at, CONE);
}

function isTouching(boxes: Float64Array, at: number, box: Float64Array): boolean {
  for (let axis = 0; axis < 3; axis++) {
    if ((boxes[at + axis] as number) > (box[axis + 3] as number)) return false;
    if ((boxes[at + axis + 3] as number) < (box[axis] as number)) return false;
  }
  return true;
}
