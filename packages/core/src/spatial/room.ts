import type { Vec3 } from "../geometry/vec3.ts";
import type { SceneVocabulary } from "../language/description-items.ts";
import { labelFit } from "../language/nouns.ts";
import type { SceneEntity, SceneSnapshot } from "../model/spatial.ts";
import type { Solid } from "./solid.ts";
import { buildSolid, isThing } from "./solid.ts";
import { planOverlap } from "./plan-view.ts";

/** A scene version prepared for questions. */
export interface Room {
  readonly solids: readonly Solid[];
  /** Without the planes that only repeat a box: a scanned table arrives as its top and as its body. */
  readonly things: readonly Solid[];
  readonly byId: ReadonlyMap<string, Solid>;
  /** From a repeated plane to the box that stands for it. */
  readonly twinOf: ReadonlyMap<string, string>;
  readonly min: Vec3;
  readonly max: Vec3;
  readonly center: Vec3;
  readonly floorY: number;
  readonly walls: readonly Solid[];
  /** The room's own triangles: nothing that can be asked about, but things stand behind it and bodies meet it. */
  readonly shells: readonly SceneEntity[];
  readonly byLabel: ReadonlyMap<string, readonly Solid[]>;
  readonly vocabulary: SceneVocabulary;
}

const prepared = new WeakMap<SceneSnapshot, Room>();

/** Prepares a snapshot once; snapshots never change, so the result is kept as long as they are. */
export function roomOf(snapshot: SceneSnapshot): Room {
  const known = prepared.get(snapshot);
  if (known !== undefined) return known;
  const room = prepareRoom(snapshot);
  prepared.set(snapshot, room);
  return room;
}

function prepareRoom(snapshot: SceneSnapshot): Room {
  const solids = snapshot.entities.filter(isThing).map((entity, index) => buildSolid(entity, index));
  const twinOf = findTwins(solids);
  const things = solids.filter((solid) => !twinOf.has(solid.entity.id));
  const byLabel = new Map<string, Solid[]>();
  for (const thing of things) {
    const list = byLabel.get(thing.label);
    if (list === undefined) byLabel.set(thing.label, [thing]);
    else list.push(thing);
  }
  const { min, max } = extentOf(solids);
  const floors = things.filter((thing) => thing.label === "floor");
  const floorY = floors.length > 0 ? Math.min(...floors.map((floor) => floor.center[1])) : min[1];
  return {
    solids,
    things,
    byId: new Map(solids.map((solid) => [solid.entity.id, solid])),
    twinOf,
    min,
    max,
    center: [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2],
    floorY,
    shells: snapshot.entities.filter((entity) => entity.surface !== undefined && !isThing(entity)),
    walls: things.filter((thing) => thing.label.endsWith("wall") || thing.label === "wall face"),
    byLabel,
    vocabulary: vocabularyOf(things),
  };
}

function extentOf(solids: readonly Solid[]): { readonly min: Vec3; readonly max: Vec3 } {
  if (solids.length === 0) return { min: [0, 0, 0], max: [0, 0, 0] };
  const min: [number, number, number] = [Infinity, Infinity, Infinity];
  const max: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  for (const solid of solids) {
    for (let axis = 0; axis < 3; axis++) {
      min[axis] = Math.min(min[axis] as number, solid.min[axis] as number);
      max[axis] = Math.max(max[axis] as number, solid.max[axis] as number);
    }
  }
  return { min, max };
}

const TWIN_SLACK_M = 0.1;

function findTwins(solids: readonly Solid[]): ReadonlyMap<string, string> {
  const boxes = solids.filter((solid) => solid.entity.kind !== "plane" && !solid.isStructure);
  const twins = new Map<string, string>();
  for (const plane of solids) {
    if (plane.entity.kind !== "plane" || plane.isStructure) continue;
    const box = boxes.find((candidate) => repeats(plane, candidate));
    if (box !== undefined) twins.set(plane.entity.id, box.entity.id);
  }
  return twins;
}

function repeats(plane: Solid, box: Solid): boolean {
  if (labelFit(plane.label, box.label) < 3) return false;
  for (let axis = 0; axis < 3; axis++) {
    const value = plane.center[axis] as number;
    if (value < (box.min[axis] as number) - TWIN_SLACK_M || value > (box.max[axis] as number) + TWIN_SLACK_M)
      return false;
  }
  return planOverlap(plane, box) > 0.5 * plane.outlineArea;
}

function vocabularyOf(things: readonly Solid[]): SceneVocabulary {
  const names = new Set<string>();
  let wordsMax = 0;
  for (const { label, name } of things) {
    for (const word of [label, name]) {
      if (word === "") continue;
      names.add(word);
      wordsMax = Math.max(wordsMax, word.split(" ").length);
    }
  }
  return { has: (word) => names.has(word), wordsMax };
}
