// Which entity a ray means. Rooms are told in overlapping boxes (a screen in front of a table, a picture on a wall, books
// in the box around a shelf), and small things are hard to hit, so the nearest hit alone is often wrong:
//
//   1. Of things met within 5 cm of each other the one with the smallest face is meant: the picture, not the wall.
//   2. A thing whose middle lies inside the box met first, and that is much smaller, is meant: the book, not the shelf.
//   3. Where the ray meets nothing small, a small thing within the snap angle and in plain view is meant.
//
// How sure that is follows from the ray's own error: the same choice is made for rays spread about it as the error
// spreads them (a fixed sunflower of Gaussian quantiles), and confidence is the share of them that agree.
import type { SpatialIndex } from "../scene/spatial-index.ts";

/** Hits this close together are one surface as far as a tracker can tell. */
const LAYER_M = 0.05;
/** How deep inside the first box a smaller thing may be met. */
const INSIDE_M = 0.6;
const INSIDE_SHARE = 0.5;
/** Half the angle a thing fills: below this it is small and may be snapped to. */
const SMALL_RAD = (3.5 * Math.PI) / 180;
/** Half the angle from which on a thing is background, and a small neighbour may be meant instead. */
const LARGE_RAD = (8 * Math.PI) / 180;
const HITS_MAX = 24;
/** Rays about the one in question: for what is attended now, and for what was a while ago. */
const SPREAD_RAYS = 24;
export const PAST_SPREAD_RAYS = 8;
/** Walls, floors and ceilings fill most directions and are seldom what somebody means. */
const BACKGROUND_WEIGHT = 0.35;
const BACKGROUND = new Set(["wall", "floor", "ceiling"]);

export interface PickRule {
  /** Standard deviation of the ray's direction about what was meant. */
  readonly sigmaRad: number;
  readonly snapRad: number;
  readonly distanceMaxM: number;
}

/**
 * What a ray's last look for small things about it found, and when, as two numbers behind the ray's own. Looking costs more
 * than casting the ray. No slot is -1.
 */
export const SNAP_SLOT = 0;
export const SNAP_SEARCHED_MS = 1;
export const SNAP_NUMBERS = 2;

/** Between two looks only what the last one found is measured again. */
const SEARCH_MS = 95;

/** Result of the last `pick`; valid until the next. */
export interface Pick {
  slot: number;
  distanceM: number;
  /** 0 on a hit, else to the nearest point of the entity. */
  angleRad: number;
}

/** What is being worked out: one set for all sessions, since picking is synchronous. A picker of its own would be cold. */
const RESULT: Pick = { slot: -1, distanceM: Infinity, angleRad: 0 };
const HIT_SLOTS = new Int32Array(HITS_MAX);
const HIT_DISTANCES_M = new Float64Array(HITS_MAX);
const CANDIDATES = new Int32Array(HITS_MAX);
const CENTER = new Float64Array(3);
const NEAR = new Float64Array(3);
const PROBE = new Float64Array(6);
const SPREAD = new Float64Array(6);
const NO_RULE: PickRule = { sigmaRad: 0, snapRad: 0, distanceMaxM: 0 };
const ASKED: { hits: number; candidates: number; ray: Float64Array; rule: PickRule; keptSlot: number; target: number } =
  {
    hits: 0,
    candidates: 0,
    ray: PROBE,
    rule: NO_RULE,
    keptSlot: -1,
    target: -1,
  };
const SNAP = { target: -1, angleRad: Infinity, measuredM: 0 };

export class TargetPicker {
  readonly result = RESULT;
  readonly #index: SpatialIndex;
  readonly #collect = (slot: number, reach: Float64Array): void => this.#keepHit(slot, reach);
  readonly #consider = (slot: number): void => this.#considerSmall(slot);
  readonly #isNotAbove = (slot: number): boolean =>
    slot === ASKED.target || this.#index.shapes.distanceTo(slot, PROBE) === 0;

  constructor(index: SpatialIndex) {
    this.#index = index;
  }

  /**
   * `ray` is origin and unit direction, and from `snapAt` on what the picker remembers of it. `keptSlot`, or -1, is the target so far: it may lie half as far again outside the
   * snap angle before it is lost. Returns the slot, or -1; details are in `result`.
   */
  // oxlint-disable-next-line max-params -- Called for every ray of every sample.
  pick(ray: Float64Array, rule: PickRule, keptSlot: number, snapAt: number, atMs: number): number {
    this.#pickHit(ray, rule);
    const { result } = this;
    if (result.slot < 0 || this.#halfAngle(result.slot, result.distanceM) > LARGE_RAD) {
      ASKED.ray = ray;
      ASKED.rule = rule;
      ASKED.keptSlot = keptSlot;
      SNAP.target = -1;
      SNAP.angleRad = Infinity;
      const snapSlot = ray[snapAt + SNAP_SLOT] as number;
      if (atMs - (ray[snapAt + SNAP_SEARCHED_MS] as number) >= SEARCH_MS) {
        ray[snapAt + SNAP_SEARCHED_MS] = atMs;
        this.#index.searchCone(ray, rule.snapRad * 1.5, rule.distanceMaxM, this.#consider);
      } else if (this.#index.idAt(snapSlot) !== undefined) {
        this.#considerSmall(snapSlot);
      }
      this.#takeSnap();
      ray[snapAt + SNAP_SLOT] = SNAP.target;
    }
    return result.slot;
  }

  /** 0 to 1: how likely the entity is what was meant by whoever sent this ray. */
  confidence(ray: Float64Array, rule: PickRule, slot: number, rays = SPREAD_RAYS): number {
    let agreeing = 0;
    let total = 0;
    for (let sample = 0; sample < rays; sample++) {
      spreadRay(ray, rule.sigmaRad * Math.sqrt(-2 * Math.log(1 - (sample + 0.5) / rays)), sample, SPREAD);
      const picked = this.#pickHit(SPREAD, rule);
      if (picked < 0) continue;
      const weight = BACKGROUND.has(this.#index.entityAt(picked)?.semanticLabel ?? "") ? BACKGROUND_WEIGHT : 1;
      total += weight;
      if (picked === slot) agreeing += weight;
    }
    return total === 0 ? 0 : agreeing / total;
  }

  /** Whether something else stands between the ray's origin and the nearest point of the entity. */
  isOccluded(ray: Float64Array, slot: number): boolean {
    this.#index.shapes.center(slot, CENTER);
    const distanceM = this.#aim(ray, CENTER);
    if (distanceM === 0) return false;
    ASKED.target = slot;
    const blocker = this.#index.raycast(PROBE, distanceM, this.#isNotAbove);
    if (blocker < 0) return false;
    const blockedM = this.#index.hitDistanceM;
    const entryM = this.#index.shapes.hit(slot, PROBE, distanceM + 1);
    return (entryM < 0 ? distanceM : entryM) - blockedM > LAYER_M;
  }

  #pickHit(ray: Float64Array, rule: PickRule): number {
    ASKED.hits = 0;
    this.#index.raycastLayers(ray, rule.distanceMaxM, INSIDE_M, this.#collect);
    const { result } = this;
    result.slot = -1;
    result.distanceM = Infinity;
    result.angleRad = 0;
    let first = -1;
    let firstM = Infinity;
    for (let hit = 0; hit < ASKED.hits; hit++) {
      const distanceM = HIT_DISTANCES_M[hit] as number;
      if (distanceM >= firstM) continue;
      firstM = distanceM;
      first = HIT_SLOTS[hit] as number;
    }
    if (first < 0) return -1;
    const firstFace = this.#index.shapes.faceM2(first);
    let face = Infinity;
    for (let hit = 0; hit < ASKED.hits; hit++) {
      const slot = HIT_SLOTS[hit] as number;
      const distanceM = HIT_DISTANCES_M[hit] as number;
      const own = this.#index.shapes.faceM2(slot);
      if (own >= face) continue;
      if (distanceM > firstM + LAYER_M && !(own < firstFace * INSIDE_SHARE && this.#isInside(slot, first))) continue;
      face = own;
      result.slot = slot;
      result.distanceM = distanceM;
    }
    return result.slot;
  }

  #keepHit(slot: number, reach: Float64Array): void {
    const distanceM = reach[1] as number;
    if (ASKED.hits < HITS_MAX) {
      HIT_SLOTS[ASKED.hits] = slot;
      HIT_DISTANCES_M[ASKED.hits++] = distanceM;
      return;
    }
    // Full: the farthest makes room, since the nearest ones decide.
    let farthest = 0;
    for (let hit = 1; hit < HITS_MAX; hit++) {
      if ((HIT_DISTANCES_M[hit] as number) > (HIT_DISTANCES_M[farthest] as number)) farthest = hit;
    }
    if (distanceM >= (HIT_DISTANCES_M[farthest] as number)) return;
    HIT_SLOTS[farthest] = slot;
    HIT_DISTANCES_M[farthest] = distanceM;
  }

  #isInside(slot: number, around: number): boolean {
    this.#index.shapes.center(slot, CENTER);
    return this.#index.shapes.distanceTo(around, CENTER) === 0;
  }

  #halfAngle(slot: number, distanceM: number): number {
    const radiusM = this.#index.shapes.radiusM(slot);
    return Math.atan2(radiusM, Math.max(0.01, distanceM));
  }

  /** Notes a small thing near the ray. Occlusion is asked later: an index must not be asked from within its own walk. */
  #considerSmall(slot: number): void {
    if (ASKED.candidates < HITS_MAX) CANDIDATES[ASKED.candidates++] = slot;
  }

  #takeSnap(): void {
    const { result } = this;
    let distanceM = 0;
    for (let candidate = 0; candidate < ASKED.candidates; candidate++) {
      const slot = CANDIDATES[candidate] as number;
      const angle = this.#measure(slot);
      const limit = slot === ASKED.keptSlot ? ASKED.rule.snapRad * 1.5 : ASKED.rule.snapRad;
      if (angle > limit || angle >= SNAP.angleRad) continue;
      if (this.#halfAngle(slot, SNAP.measuredM) > SMALL_RAD) continue;
      if (SNAP.measuredM > ASKED.rule.distanceMaxM || this.isOccluded(ASKED.ray, slot)) continue;
      SNAP.angleRad = angle;
      SNAP.target = slot;
      distanceM = SNAP.measuredM;
    }
    ASKED.candidates = 0;
    if (SNAP.target < 0) return;
    result.slot = SNAP.target;
    result.angleRad = SNAP.angleRad;
    result.distanceM = distanceM;
  }

  /** Angle between the ray and the nearest point of the entity as seen from the origin; its distance in `#measuredM`. */
  #measure(slot: number): number {
    const ray = ASKED.ray;
    const { shapes } = this.#index;
    shapes.center(slot, NEAR);
    // Two rounds of "nearest point of the box to the nearest point of the ray" are within a tenth of a degree here.
    for (let round = 0; round < 2; round++) {
      let along = 0;
      for (let axis = 0; axis < 3; axis++) {
        along += ((NEAR[axis] as number) - (ray[axis] as number)) * (ray[axis + 3] as number);
      }
      for (let axis = 0; axis < 3; axis++) {
        NEAR[axis] = (ray[axis] as number) + (ray[axis + 3] as number) * Math.max(0, along);
      }
      shapes.closestPoint(slot, NEAR, NEAR);
    }
    let along = 0;
    let squared = 0;
    for (let axis = 0; axis < 3; axis++) {
      const offset = (NEAR[axis] as number) - (ray[axis] as number);
      along += offset * (ray[axis + 3] as number);
      squared += offset * offset;
    }
    SNAP.measuredM = Math.sqrt(squared);
    return Math.atan2(Math.sqrt(Math.max(0, squared - along * along)), along);
  }

  /** Points the probe from the ray's origin at the point; returns the distance. */
  #aim(ray: Float64Array, point: Float64Array): number {
    let squared = 0;
    for (let axis = 0; axis < 3; axis++) {
      const offset = (point[axis] as number) - (ray[axis] as number);
      PROBE[axis] = ray[axis] as number;
      PROBE[axis + 3] = offset;
      squared += offset * offset;
    }
    const distanceM = Math.sqrt(squared);
    if (distanceM === 0) return 0;
    for (let axis = 3; axis < 6; axis++) PROBE[axis] = (PROBE[axis] as number) / distanceM;
    return distanceM;
  }
}

const GOLDEN_RAD = Math.PI * (3 - Math.sqrt(5));

/** Ray `sample` of the sunflower, `offset` radians off: callers give quantiles of the Rayleigh distribution. */
// oxlint-disable-next-line max-params -- A leaf called for every spread ray.
function spreadRay(ray: Float64Array, offset: number, sample: number, into: Float64Array): void {
  const turn = sample * GOLDEN_RAD;
  const dx = ray[3] as number;
  const dy = ray[4] as number;
  const dz = ray[5] as number;
  // Two axes across the ray: first across the axis it is least along.
  const isUpright = Math.abs(dy) < 0.9;
  let ux = isUpright ? dz : 0;
  let uy = isUpright ? 0 : -dz;
  let uz = isUpright ? -dx : dy;
  const scale = 1 / Math.sqrt(ux * ux + uy * uy + uz * uz);
  ux *= scale;
  uy *= scale;
  uz *= scale;
  const vx = dy * uz - dz * uy;
  const vy = dz * ux - dx * uz;
  const vz = dx * uy - dy * ux;
  const a = Math.sin(offset) * Math.cos(turn);
  const b = Math.sin(offset) * Math.sin(turn);
  const c = Math.cos(offset);
  into[0] = ray[0] as number;
  into[1] = ray[1] as number;
  into[2] = ray[2] as number;
  into[3] = dx * c + ux * a + vx * b;
  into[4] = dy * c + uy * a + vy * b;
  into[5] = dz * c + uz * a + vz * b;
}
