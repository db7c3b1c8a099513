// What a session's room holds. A delta is checked whole and then applied whole, so that a refused one changes nothing.
// Entities are values: a snapshot shares them, and shares the index by id as well until the next change, which copies
// it first. Taking a snapshot of an unchanged room therefore costs nothing.
import { GatewayError } from "../errors/gateway-error.ts";
import type { Pose } from "../geometry/pose.ts";
import { angleTo } from "../geometry/quat.ts";
import { distance } from "../geometry/vec3.ts";
import type { SceneChange, SceneEntity, SceneSnapshot } from "../model/spatial.ts";
import { contentHashOf } from "./content-hash.ts";
import type { EntityDescription } from "./entity-description.ts";
import { SpatialIndex } from "./spatial-index.ts";

export type { EntityDescription } from "./entity-description.ts";

/** Applied in the order remove, add, update. `add` of a known id updates it: a client may tell its room again. */
export interface SceneDelta {
  /** Forget everything first. */
  readonly isFull?: boolean;
  readonly add?: readonly EntityDescription[];
  readonly update?: readonly (EntityDescription | EntityMove)[];
  readonly remove?: readonly string[];
}

/** An entity that only moved. */
export interface EntityMove {
  readonly id: string;
  readonly pose: Pose;
}

export interface SceneLimits {
  readonly entitiesMax: number;
  readonly changesMax: number;
}

export const SCENE_LIMITS: SceneLimits = { entitiesMax: 10_000, changesMax: 64 };

/** Trackers refine poses all the time: less than this is the same place (xr reference, section 5). */
const MOVE_M = 0.01;
const MOVE_RAD = Math.PI / 180;

/** Told of every change; without an entry where the room itself did not change. */
type Tell = (entry: SceneChange | undefined) => void;

/** Vision is less exact than a tracker: nearer than this a thing that was only seen has not moved. */
const SEEN_MOVE_M = 0.5;

export class SceneGraph {
  readonly index = new SpatialIndex();
  readonly #limits: SceneLimits;
  #entities = new Map<string, SceneEntity>();
  /** Oldest first. */
  #changes: SceneChange[] = [];
  #version = 0;
  #snapshot: SceneSnapshot | undefined;

  constructor(limits: SceneLimits = SCENE_LIMITS) {
    this.#limits = limits;
  }

  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#entities.size;
  }

  get(entityId: string): SceneEntity | undefined {
    return this.#entities.get(entityId);
  }

  /**
   * Returns whether anything changed; then the version is one higher. Throws `request_invalid` for an id that occurs
   * twice in one delta or an update of an unknown one, `request_too_large` beyond the entity limit.
   */
  apply(delta: SceneDelta, atMs: number): boolean {
    this.#check(delta);
    const pending: SceneChange[] = [];
    let isChanged = false;
    const change = (entry: SceneChange | undefined): void => {
      isChanged = true;
      if (entry !== undefined) pending.push(entry);
    };
    if (delta.isFull === true) this.#keepOnly(new Set(delta.add?.map((entity) => entity.id)), atMs, change);
    for (const id of delta.remove ?? []) this.#remove(id, atMs, change);
    for (const entity of delta.add ?? []) this.#put(entity, atMs, change);
    for (const entity of delta.update ?? []) this.#put(entity, atMs, change);
    if (!isChanged) return false;
    this.#version++;
    this.#snapshot = undefined;
    this.#changes = [...this.#changes, ...pending].slice(-this.#limits.changesMax);
    return true;
  }

  /** Drops every entity and the memory of changes: what a lowered consent demands. */
  purge(): void {
    if (this.#entities.size === 0 && this.#changes.length === 0) return;
    this.#entities = new Map();
    this.#changes = [];
    this.#version++;
    this.#snapshot = undefined;
    this.index.clear();
  }

  snapshot(): SceneSnapshot {
    this.#snapshot ??= {
      version: this.#version,
      entities: [...this.#entities.values()],
      byId: this.#entities,
      changes: this.#changes,
    };
    return this.#snapshot;
  }

  // oxlint-disable-next-line complexity -- Every way a delta can be refused, in the order in which it is applied.
  #check(delta: SceneDelta): void {
    const seen = new Set<string>();
    let size = delta.isFull === true ? 0 : this.#entities.size;
    for (const id of delta.remove ?? []) {
      if (seen.has(id)) continue;
      seen.add(id);
      if (delta.isFull !== true && this.#entities.has(id)) size--;
    }
    const named = new Set<string>();
    for (const [position, entity] of (delta.add ?? []).entries()) {
      if (named.has(entity.id)) throw repeated(`add[${position}].id`, entity.id);
      named.add(entity.id);
      if (delta.isFull === true || seen.has(entity.id) || !this.#entities.has(entity.id)) size++;
    }
    for (const [position, entity] of (delta.update ?? []).entries()) {
      const field = `update[${position}].id`;
      if (named.has(entity.id)) throw repeated(field, entity.id);
      const isKnown = delta.isFull !== true && !seen.has(entity.id) && this.#entities.has(entity.id);
      if (!isKnown) {
        throw new GatewayError("request_invalid", `there is no entity of the id in ${field}`, { param: field });
      }
      named.add(entity.id);
    }
    if (size <= this.#limits.entitiesMax) return;
    throw new GatewayError("request_too_large", `a room holds at most ${this.#limits.entitiesMax} entities`, {
      param: "add",
      entities: size,
    });
  }

  #keepOnly(ids: ReadonlySet<string>, atMs: number, change: Tell): void {
    for (const id of this.#entities.keys()) if (!ids.has(id)) this.#remove(id, atMs, change);
  }

  #remove(id: string, atMs: number, change: Tell): void {
    const entity = this.#entities.get(id);
    if (entity === undefined) return;
    this.#own().delete(id);
    this.index.delete(id);
    const gone = {
      atMs,
      change: "removed",
      entityId: id,
      label: entity.semanticLabel,
      from: entity.pose.position,
    } as const;
    // What was only seen was forgotten, which is not the same as taken away.
    change(entity.source === "vision" ? undefined : gone);
  }

  #put(told: EntityDescription | EntityMove, atMs: number, change: Tell): void {
    const known = this.#entities.get(told.id);
    const isDescribed = "kind" in told;
    const base = isDescribed ? told : known;
    if (base === undefined) return;
    const contentHash = isDescribed ? contentHashOf(told) : (known?.contentHash ?? "");
    const isSame = contentHash === known?.contentHash;
    const isStill = known !== undefined && isSame && isSamePlace(known.pose, told.pose);
    if (isStill) {
      if (isDescribed && told.source === "vision") this.#seeAgain(known, told.confidence, atMs);
      return;
    }
    const entity: SceneEntity = {
      ...base,
      pose: told.pose,
      contentHash,
      firstSeenMs: known?.firstSeenMs ?? atMs,
      lastSeenMs: atMs,
    };
    this.#own().set(entity.id, entity);
    this.index.set(entity);
    const what = { atMs, entityId: entity.id, label: entity.semanticLabel, to: entity.pose.position };
    if (entity.source === "vision") {
      // That somebody looked at it for the first time does not change the room.
      const hasMoved = known !== undefined && distance(known.pose.position, told.pose.position) > SEEN_MOVE_M;
      change(hasMoved ? { ...what, change: "moved", from: known.pose.position } : undefined);
      return;
    }
    if (known === undefined) change({ ...what, change: "added" });
    else change({ ...what, change: isSame ? "moved" : "updated", from: known.pose.position });
  }

  /** The same thing in the same place: surer, or less sure, than before. No answer depends on it. */
  #seeAgain(known: SceneEntity, confidence: number, atMs: number): void {
    this.#own().set(known.id, { ...known, confidence, lastSeenMs: atMs });
    this.#snapshot = undefined;
  }

  /** The map to write to: a copy while a snapshot holds the current one. */
  #own(): Map<string, SceneEntity> {
    if (this.#snapshot?.byId === this.#entities) {
      this.#entities = new Map(this.#entities);
      this.#snapshot = undefined;
    }
    return this.#entities;
  }
}

function isSamePlace(a: Pose, b: Pose): boolean {
  return distance(a.position, b.position) < MOVE_M && angleTo(a.orientation, b.orientation) < MOVE_RAD;
}

function repeated(field: string, id: string): GatewayError {
  return new GatewayError("request_invalid", `the id in ${field} occurs twice in one update`, {
    param: field,
    idLength: id.length,
  });
}
