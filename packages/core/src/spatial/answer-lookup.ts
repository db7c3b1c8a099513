// Which things: attended, pointed at, found, nearest, related, counted, in a region.
import type { EntitySelector, SpatialQuery, SpatialValue } from "../model/spatial.ts";
import type { AttentionSource } from "../model/xr-context.ts";
import type { Finding, Single } from "./answer-parts.ts";
import {
  byViewerDistance,
  chooseAll,
  chooseOne,
  finding,
  HOLDS,
  placeValues,
  problem,
  wordsOf,
} from "./answer-parts.ts";
import { holding, holdingByDegree } from "./choice.ts";
import { chooseEntities } from "./choose-entities.ts";
import { rayTargets } from "./ray-targets.ts";
import { extremesByGap } from "./extremes.ts";
import type { Scope } from "./scope.ts";
import { VIEWER_ID } from "./scope.ts";
import type { Solid } from "./solid.ts";

type Query<K extends SpatialQuery["kind"]> = Extract<SpatialQuery, { kind: K }>;

const GAZE: readonly AttentionSource[] = ["eye-gaze", "head-gaze"];
const POINTING: readonly AttentionSource[] = ["touch", "pointing", "transient-pointer"];

export function answerAttended(query: Query<"attended">, scope: Scope): Finding {
  return answerTarget(query.kind, GAZE, scope);
}

export function answerPointedAt(query: Query<"pointed-at">, scope: Scope): Finding {
  if (query.ray !== undefined) return fromRay(query.kind, query.ray, scope);
  const found = answerTarget(query.kind, POINTING, scope);
  if (found.problem === undefined) return found;
  const source = scope.context.inputSources.find(
    (input) => input.targetRay !== undefined && input.targetRayMode !== "gaze",
  );
  return source?.targetRay === undefined ? found : fromRay(query.kind, source.targetRay, scope);
}

/** The live attention target of the session, which has dwell and hysteresis; a bare ray only where there is none. */
function answerTarget(kind: SpatialQuery["kind"], sources: readonly AttentionSource[], scope: Scope): Finding {
  for (const source of sources) {
    const targets = scope.attention.filter((target) => target.source === source && !target.isOccluded);
    const [first, second] = targets.toSorted((a, b) => b.confidence - a.confidence || a.angleRad - b.angleRad);
    if (first === undefined) continue;
    const solid = primary(first.entityId, scope);
    if (solid === undefined) continue;
    const isAmbiguous =
      second !== undefined && primary(second.entityId, scope) !== solid && second.confidence > first.confidence * 0.95;
    const others = isAmbiguous ? [primary(second.entityId, scope)].filter((other) => other !== undefined) : [];
    return listed(kind, [solid, ...others], scope, { confidence: first.confidence, isAmbiguous });
  }
  if (kind === "attended" && scope.context.viewer.isTracked) {
    return fromRay(kind, { origin: scope.view.position, direction: gazeDirection(scope) }, scope);
  }
  return problem(kind, scope.context.viewer.isTracked ? "no-target" : "no-viewer");
}

function gazeDirection(scope: Scope): readonly [number, number, number] {
  const [x, y, z, w] = scope.context.viewer.pose.orientation;
  return [-2 * (x * z + w * y), -2 * (y * z - w * x), -(1 - 2 * (x * x + y * y))];
}

function fromRay(kind: SpatialQuery["kind"], ray: Parameters<typeof rayTargets>[0], scope: Scope): Finding {
  const [first] = rayTargets(ray, scope.room);
  if (first === undefined) return problem(kind, "no-target");
  return listed(kind, [first.solid], scope, { confidence: first.confidence });
}

export function primary(id: string, scope: Scope): Solid | undefined {
  return scope.room.byId.get(scope.room.twinOf.get(id) ?? id);
}

/** The things with where each of them is. */
export function listed(
  kind: SpatialQuery["kind"],
  solids: readonly Solid[],
  scope: Scope,
  more: Partial<Finding> = {},
): Finding {
  return finding(kind, {
    entityIds: solids.map((solid) => solid.entity.id),
    values: solids.slice(0, PLACED_MAX).flatMap((solid) => placeValues(solid, scope)),
    ...more,
  });
}

const PLACED_MAX = 12;

export function answerFind(query: Query<"find">, scope: Scope): Finding {
  const { target } = query;
  const one = chooseOne(target, scope);
  if (one.found === "none") return problem("find", one.problem, one.words);
  if (target.anyOf !== undefined) return compared(target.anyOf, one, scope);
  const isPlain =
    target.relations === undefined &&
    target.ordinal === undefined &&
    target.attributes === undefined &&
    target.ids === undefined;
  if (isPlain && (target.isPlural === true || one.found === "several")) {
    const all = chooseAll(target, scope)
      .map(({ solid }) => solid)
      .toSorted(byViewerDistance(scope));
    return listed("find", all, scope, {
      isAmbiguous: target.isPlural !== true,
      confidence: target.isPlural === true ? 1 : 1 / all.length,
    });
  }
  if (one.found === "several") {
    const isGroup = target.isPlural === true || target.ids !== undefined;
    return listed("find", one.candidates.toSorted(byViewerDistance(scope)), scope, {
      isAmbiguous: !isGroup,
      confidence: one.confidence,
    });
  }
  const alternatives = target.isPlural === true ? chooseAll(target, scope).map(({ solid }) => solid) : [one.solid];
  return listed("find", alternatives.length === 0 ? [one.solid] : alternatives, scope, { confidence: one.confidence });
}

/** "which is bigger, the sofa or the lamp": the one that came out, and which was named first. */
function compared(named: readonly EntitySelector[], one: Exclude<Single, { found: "none" }>, scope: Scope): Finding {
  const first = named[0] === undefined ? undefined : chooseOne(named[0], scope);
  if (one.found === "several") return ambiguousAnchor("find", one.candidates, scope);
  return listed("find", [one.solid], scope, {
    confidence: one.confidence,
    ...(first?.found === "one" ? { firstNamed: first.solid.entity.id } : {}),
  });
}

export function answerExtreme(query: Query<"nearest"> | Query<"farthest">, scope: Scope): Finding {
  const origin = originOf(query.to, scope);
  if ("problem" in origin)
    return origin.problem === "several"
      ? ambiguousAnchor(query.kind, origin.candidates, scope)
      : problem(query.kind, origin.problem, origin.words);
  const best = holding(chooseEntities(query.target, scope), HOLDS).filter(
    (solid) => solid.entity.id !== origin.solid.entity.id,
  );
  if (best.length === 0) return problem(query.kind, "class-unknown", wordsOf(query.target));
  const count = query.count ?? 1;
  const sorted = extremesByGap(best, origin.solid, query.kind, count + 1);
  const chosen = sorted.slice(0, count);
  const [first, second] = sorted;
  const lead = first === undefined || second === undefined ? 1 : Math.abs(second.gapM - first.gapM);
  return finding(query.kind, {
    entityIds: chosen.map(({ solid }) => solid.entity.id),
    values: chosen.flatMap(({ solid, gapM }): readonly SpatialValue[] => [
      {
        name: origin.solid.entity.id === VIEWER_ID ? "distance" : "gap",
        value: gapM,
        unit: "m",
        entityId: solid.entity.id,
      },
      ...placeValues(solid, scope).filter((value) => value.name !== "distance" || origin.solid.entity.id !== VIEWER_ID),
    ]),
    confidence: count > 1 ? 0.95 : 1 - 0.5 * Math.exp(-lead / 0.05),
    // Nearer than a centimetre no scan tells apart.
    isAmbiguous: false,
  });
}

type Origin =
  | { readonly solid: Solid }
  | { readonly problem: "several"; readonly candidates: readonly Solid[]; readonly words: string }
  | { readonly problem: NonNullable<Finding["problem"]>; readonly words: string };

/** Where a distance starts: the viewer when nothing is said. */
export function originOf(selector: EntitySelector | undefined, scope: Scope): Origin {
  if (selector === undefined || selector.reference === "viewer") {
    return scope.view.isKnown ? { solid: scope.viewer } : { problem: "no-viewer", words: "" };
  }
  const one = chooseOne(selector, scope);
  if (one.found === "none") return { problem: one.problem, words: one.words };
  if (one.found === "several") return { problem: "several", candidates: one.candidates, words: wordsOf(selector) };
  return { solid: one.solid };
}

export function ambiguousAnchor(kind: SpatialQuery["kind"], candidates: readonly Solid[], scope: Scope): Finding {
  const order = candidates.toSorted(byViewerDistance(scope));
  return listed(kind, order, scope, { isAmbiguous: true, confidence: 1 / candidates.length });
}

export function answerCount(query: Query<"count">, scope: Scope): Finding {
  const { target } = query;
  const all = chooseAll({ ...target, isPlural: true }, scope);
  const choice = chooseEntities({ ...target, relations: [] }, scope);
  const solids = all.map(({ solid }) => solid).toSorted(byViewerDistance(scope));
  const isClassUnknown = choice.solids.length === 0;
  // A loosely related class is no count of what was asked for.
  const counted = choice.fit >= 2 || target.label === undefined ? solids : [];
  return finding("count", {
    entityIds: (choice.fit >= 2 || target.label === undefined ? counted : solids).map((solid) => solid.entity.id),
    values: [
      { name: "count", value: counted.length, unit: "count" },
      ...versusValue(query, scope),
      ...solids.slice(0, PLACED_MAX).flatMap((solid) => placeValues(solid, scope)),
    ],
    confidence: isClassUnknown ? 0.9 : choice.fit === 4 ? 1 : choice.fit === 3 ? 0.9 : 0.7,
    ...(counted.length === 0
      ? {
          problem: isClassUnknown ? ("class-unknown" as const) : ("nothing-matches" as const),
          problemWords: wordsOf(target),
        }
      : {}),
  });
}

/** "more chairs than tables": the other count beside the first. */
function versusValue(query: Query<"count">, scope: Scope): readonly SpatialValue[] {
  if (query.versus === undefined) return [];
  return [{ name: "versus", value: chooseAll({ ...query.versus, isPlural: true }, scope).length, unit: "count" }];
}

export function answerRelation(query: Query<"relation">, scope: Scope): Finding {
  for (const anchor of query.anchors) {
    const one = chooseOne(anchor, scope);
    if (one.found === "none")
      return problem("relation", one.problem === "class-unknown" ? "anchor-unknown" : one.problem, one.words);
    const isPair = query.relation === "between" && query.anchors.length === 1;
    if (anchor.isAny === true || (one.found === "several" && one.candidates.every((solid) => solid.isStructure)))
      continue;
    if (one.found === "several" && !isPair && anchor.isPlural !== true)
      return ambiguousAnchor("relation", one.candidates, scope);
  }
  const relation = {
    relation: query.relation,
    anchors: query.anchors,
    ...(query.frame === undefined ? {} : { frame: query.frame }),
  };
  const target = query.target ?? {};
  const choice = chooseEntities({ ...target, relations: [...(target.relations ?? []), relation] }, scope);
  if (choice.solids.length === 0) return problem("relation", "class-unknown", wordsOf(target));
  const order = holdingByDegree(choice, HOLDS);
  const [first] = order;
  if (first === undefined) {
    const most = choice.degree.reduce((best, degree) => Math.max(best, degree), 0);
    return finding("relation", { problem: "relation-empty", problemWords: wordsOf(target), confidence: 1 - most });
  }
  return listed(
    "relation",
    order.map(({ solid }) => solid),
    scope,
    { confidence: first.degree },
  );
}

export function answerRegion(query: Query<"region-contents">, scope: Scope): Finding {
  const solids = scope.room.things.filter((solid) => {
    const { min, max } = query.region;
    return [0, 1, 2].every(
      (axis) =>
        (solid.max[axis] as number) >= (min[axis] as number) && (solid.min[axis] as number) <= (max[axis] as number),
    );
  });
  return listed("region-contents", solids.toSorted(byViewerDistance(scope)), scope);
}

export function answerChanges(query: Query<"changed-since">, scope: Scope): Finding {
  const sinceMs = query.sinceMs < 0 ? scope.context.atMs + query.sinceMs : query.sinceMs;
  const changes = scope.context.scene.changes.filter((change) => change.atMs >= sinceMs);
  const ids = [...new Set(changes.map((change) => change.entityId))];
  return finding("changed-since", {
    entityIds: ids,
    values: changes.map((change) => ({
      name: change.change,
      value: change.atMs,
      unit: "ms",
      entityId: change.entityId,
    })),
  });
}
