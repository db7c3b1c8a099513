// What the answers of all kinds are built from.
import type { Vec3 } from "../geometry/vec3.ts";
import type { EntitySelector, SpatialQuery, SpatialQueryResult, SpatialValue } from "../model/spatial.ts";
import type { Ranked } from "./choice.ts";
import { ranked } from "./choice.ts";
import { chooseEntities } from "./choose-entities.ts";
import { AMBIGUITY_SHARE } from "./referring.ts";
import type { Scope } from "./scope.ts";
import { VIEWER_ID } from "./scope.ts";
import type { Solid } from "./solid.ts";
import { pointDistance } from "./solid-distance.ts";
import { bearingRad, clockHour } from "./viewpoint.ts";

/** An answer before it is put into words. */
export type Finding = Omit<SpatialQueryResult, "answer">;

export function finding(kind: SpatialQuery["kind"], more: Partial<Finding>): Finding {
  return { kind, entityIds: [], values: [], confidence: 1, isAmbiguous: false, basis: "measured", ...more };
}

export function problem(
  kind: SpatialQuery["kind"],
  what: NonNullable<SpatialQueryResult["problem"]>,
  words?: string,
): Finding {
  return finding(kind, { problem: what, ...(words === undefined ? {} : { problemWords: words }) });
}

/** Degree from which a relation is said to hold. */
export const HOLDS = 0.5;
/** Below this a described thing is not the one described, whatever the alternatives. */
const HOLDS_LOOSELY = 0.2;

export type Single =
  | { readonly found: "one"; readonly solid: Solid; readonly confidence: number; readonly others: readonly Ranked[] }
  | { readonly found: "several"; readonly candidates: readonly Solid[]; readonly confidence: number }
  | { readonly found: "none"; readonly problem: NonNullable<SpatialQueryResult["problem"]>; readonly words: string };

const CANDIDATES_NAMED_MAX = 4;

/** The one thing a selector means, or the candidates that cannot be told apart. */
export function chooseOne(selector: EntitySelector, scope: Scope): Single {
  if (selector.reference === "viewer" && !scope.view.isKnown) return { found: "none", problem: "no-viewer", words: "" };
  if (selector.reference !== undefined && selector.reference !== "viewer" && selector.ids === undefined) {
    return { found: "none", problem: "no-target", words: selector.reference };
  }
  const order = ranked(chooseEntities(selector, scope));
  const [first, second] = order;
  if (first === undefined) return { found: "none", problem: "class-unknown", words: wordsOf(selector) };
  if (first.degree < HOLDS_LOOSELY) return { found: "none", problem: "relation-empty", words: wordsOf(selector) };
  if (second === undefined || second.share <= first.share * (1 - AMBIGUITY_SHARE)) {
    return { found: "one", solid: first.solid, confidence: first.share, others: order.slice(1) };
  }
  const tied = order.filter(({ share }) => share > first.share * (1 - AMBIGUITY_SHARE)).map(({ solid }) => solid);
  const attended = attendedAmong(tied, scope);
  if (attended !== undefined)
    return { found: "one", solid: attended, confidence: ATTENDED_CONFIDENCE, others: order.slice(1) };
  return { found: "several", candidates: tied.slice(0, CANDIDATES_NAMED_MAX), confidence: first.share };
}

/** Of equal candidates the one that is looked at or pointed at is meant; people rarely say so. */
const ATTENDED_CONFIDENCE = 0.8;

function attendedAmong(solids: readonly Solid[], scope: Scope): Solid | undefined {
  for (const target of scope.attention) {
    if (target.isOccluded || target.angleRad > 0.1) continue;
    const id = scope.room.twinOf.get(target.entityId) ?? target.entityId;
    const solid = solids.find((candidate) => candidate.entity.id === id);
    if (solid !== undefined) return solid;
  }
  return undefined;
}

/** All things a selector means: those of the best-fitting class for which everything holds. */
export function chooseAll(selector: EntitySelector, scope: Scope): readonly Ranked[] {
  const superlative =
    selector.attributes?.some((attribute) => attribute.isSuperlative) === true || selector.ordinal !== undefined;
  const order = ranked(chooseEntities(selector, scope), HOLDS);
  return superlative && selector.isPlural !== true ? order.slice(0, 1) : order;
}

export function wordsOf(selector: EntitySelector): string {
  return (
    selector.label ?? selector.description ?? selector.anyOf?.map(wordsOf).join(" or ") ?? selector.reference ?? ""
  );
}

/** Metres from the eyes to the surface. */
export function viewerDistance(solid: Solid, scope: Scope): number {
  return pointDistance(solid, scope.view.position);
}

export function bearingTo(solid: Solid, scope: Scope): number {
  return bearingRad(scope.view, solid.center);
}

/** Distance, bearing and clock hour of a thing as seen by the viewer; nothing without a viewer. */
export function placeValues(solid: Solid, scope: Scope): readonly SpatialValue[] {
  if (!scope.view.isKnown || solid.entity.id === VIEWER_ID) return [];
  const entityId = solid.entity.id;
  const bearing = bearingTo(solid, scope);
  return [
    { name: "distance", value: viewerDistance(solid, scope), unit: "m", entityId },
    { name: "bearing", value: (bearing * 180) / Math.PI, unit: "deg", entityId },
    { name: "clock", value: clockHour(bearing), unit: "clock", entityId },
    { name: "rise", value: riseOf(solid, scope), unit: "m", entityId },
  ];
}

/** How far above (positive) or below the eyes the thing lies; 0 when the eyes' height is within it. */
function riseOf(solid: Solid, scope: Scope): number {
  const eye = scope.view.position[1];
  if (solid.min[1] > eye) return solid.min[1] - eye;
  return solid.max[1] < eye ? solid.max[1] - eye : 0;
}

/** For sorting once: measures every thing only once. */
export function byViewerDistance(scope: Scope): (a: Solid, b: Solid) => number {
  const measured = new Map<Solid, number>();
  const distanceOf = (solid: Solid): number => {
    let metres = measured.get(solid);
    if (metres === undefined) {
      metres = viewerDistance(solid, scope);
      measured.set(solid, metres);
    }
    return metres;
  };
  return (a, b) => distanceOf(a) - distanceOf(b) || (a.entity.id < b.entity.id ? -1 : 1);
}

/** Edge lengths as people say them: width and depth lie on the floor, height is upright. Tilted boxes use their upright extent. */
export function sizeOf(solid: Solid): { readonly width: number; readonly height: number; readonly depth: number } {
  let upright = 0;
  for (let i = 1; i < 3; i++) {
    if (Math.abs((solid.axes[i] as Vec3)[1]) > Math.abs((solid.axes[upright] as Vec3)[1])) upright = i;
  }
  const flat = [0, 1, 2].filter((i) => i !== upright).map((i) => 2 * (solid.half[i] as number));
  const isUpright = Math.abs((solid.axes[upright] as Vec3)[1]) > 0.99;
  const height = isUpright ? 2 * (solid.half[upright] as number) : solid.max[1] - solid.min[1];
  return { width: Math.max(...flat), height, depth: Math.min(...flat) };
}
