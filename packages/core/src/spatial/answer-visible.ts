// What is in view, what can be seen from where, and the room in words.
import type { SpatialQuery } from "../model/spatial.ts";
import type { Finding } from "./answer-parts.ts";
import {
  bearingTo,
  byViewerDistance,
  chooseAll,
  chooseOne,
  finding,
  problem,
  viewerDistance,
  wordsOf,
} from "./answer-parts.ts";
import { ambiguousAnchor, listed, originOf } from "./answer-lookup.ts";
import type { Scope } from "./scope.ts";
import { VIEWER_ID } from "./scope.ts";
import type { Solid } from "./solid.ts";
import { clockHour } from "./viewpoint.ts";
import { isInView, seenShare } from "./visibility.ts";

type Query<K extends SpatialQuery["kind"]> = Extract<SpatialQuery, { kind: K }>;

/** From this share of its points on, a thing counts as seen. */
const SEEN = 0.2;
/** Sight lines are traced for the nearest things only; the others count as seen when they are in the field of view. */
const TRACED_MAX = 60;

export function answerVisible(query: Query<"visible">, scope: Scope): Finding {
  const { room } = scope;
  const things =
    query.target === undefined
      ? room.things.filter((thing) => !thing.isStructure)
      : chooseAll(query.target, scope).map(({ solid }) => solid);
  if (things.length === 0) {
    return query.target === undefined
      ? problem("visible", "nothing-matches")
      : problem("visible", "class-unknown", wordsOf(query.target));
  }
  if (!scope.view.isKnown)
    return query.clock === undefined
      ? listed("visible", things, scope, { basis: "rule", confidence: 0.6 })
      : problem("visible", "no-viewer");
  if (query.clock !== undefined) return atHour(query.clock, things, scope);
  const near = things.filter((thing) => isInView(thing, scope)).toSorted(byViewerDistance(scope));
  const seen = near.filter((thing, i) => i >= TRACED_MAX || seenShare(scope.view.position, thing, room) >= SEEN);
  return listed("visible", seen, scope, seen.length === 0 ? { problem: "nothing-matches" } : {});
}

/** Things in the direction of an hour, seen or not: who asks for six o'clock means what is behind. */
function atHour(hour: number, things: readonly Solid[], scope: Scope): Finding {
  const there = things.filter((thing) => clockHour(bearingTo(thing, scope)) === hour).toSorted(byViewerDistance(scope));
  return listed("visible", there, scope, there.length === 0 ? { problem: "nothing-matches" } : {});
}

function bestSeen(candidates: readonly Solid[], scope: Scope): Solid {
  const shares = candidates.map(
    (solid) => (isInView(solid, scope) ? 1 : 0) + seenShare(scope.view.position, solid, scope.room),
  );
  return candidates[shares.indexOf(Math.max(...shares))] as Solid;
}

export function answerSight(query: Query<"line-of-sight">, scope: Scope): Finding {
  const to = chooseOne(query.to, scope);
  if (to.found === "none") return problem("line-of-sight", to.problem, to.words);
  // Yes or no does not ask which one: the one that is seen best.
  const target = to.found === "one" ? to.solid : bestSeen(to.candidates, scope);
  const from = originOf(query.from, scope);
  if ("problem" in from)
    return from.problem === "several"
      ? ambiguousAnchor("line-of-sight", from.candidates, scope)
      : problem("line-of-sight", from.problem, from.words);
  const isViewer = from.solid.entity.id === VIEWER_ID;
  const share = seenShare(from.solid.center, target, scope.room);
  const turned = isViewer && !isInView(target, scope);
  return finding("line-of-sight", {
    entityIds: [target.entity.id],
    values: [
      { name: "visible", value: share >= SEEN && !turned ? 1 : 0, unit: "truth" },
      { name: "clear", value: share >= SEEN ? 1 : 0, unit: "truth" },
      ...(isViewer ? listed("find", [target], scope).values : []),
    ],
    confidence: share === 0 || share === 1 ? 0.95 : 0.7,
  });
}

/** How much a thing says about a room: large, near and rare things first; exits always. */
export function importanceOf(solid: Solid, scope: Scope): number {
  const size = Math.cbrt(solid.volume);
  const nearness = scope.view.isKnown ? 1 / (1 + viewerDistance(solid, scope) / 3) : 0.5;
  const same = scope.room.byLabel.get(solid.label)?.length ?? 1;
  const exit = /\b(?:door|exit|stairs)\b/.test(solid.label) ? 1 : 0;
  const nameless = solid.label === "other" || solid.label === "object" || solid.label === "unknown" ? 0.3 : 1;
  return (0.4 + Math.min(1.5, size)) * (0.4 + nearness) * nameless * (1 / Math.sqrt(same)) + exit;
}

const DESCRIBED_MAX = 12;

export function answerDescribe(query: Query<"describe">, scope: Scope): Finding {
  if (query.about !== undefined) return describeOne(query.about, scope);
  const things = scope.room.things.filter((thing) => !thing.isStructure);
  if (things.length === 0) return problem("describe", "nothing-matches");
  const order = things
    .map((solid) => ({ solid, importance: importanceOf(solid, scope) }))
    .sort((a, b) => b.importance - a.importance || a.solid.index - b.solid.index)
    .slice(0, DESCRIBED_MAX)
    .map(({ solid }) => solid);
  const found = listed("describe", order, scope);
  return { ...found, values: [{ name: "count", value: things.length, unit: "count" }, ...found.values] };
}

function describeOne(about: NonNullable<Query<"describe">["about"]>, scope: Scope): Finding {
  const one = chooseOne(about, scope);
  if (one.found === "none") return problem("describe", one.problem, one.words);
  if (one.found === "several") return ambiguousAnchor("describe", one.candidates, scope);
  const found = listed("describe", [one.solid], scope, { confidence: one.confidence });
  const size = sizeValues(one.solid);
  return { ...found, values: [...found.values, ...size] };
}

function sizeValues(solid: Solid): Finding["values"] {
  const x = solid.max[0] - solid.min[0];
  const z = solid.max[2] - solid.min[2];
  return [
    { name: "width", value: Math.max(x, z), unit: "m" },
    { name: "height", value: solid.max[1] - solid.min[1], unit: "m" },
    { name: "depth", value: Math.min(x, z), unit: "m" },
  ];
}
