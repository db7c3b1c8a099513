// Free space, fitting and walking.
import type { SpatialQuery } from "../model/spatial.ts";
import type { Finding } from "./answer-parts.ts";
import { chooseOne, finding, placeValues, problem } from "./answer-parts.ts";
import { ambiguousAnchor, originOf } from "./answer-lookup.ts";
import { findPlace, largestFreeCircle } from "./free-space.ts";
import { findPath } from "./navigation.ts";
import type { Scope } from "./scope.ts";
import type { Solid } from "./solid.ts";
import { bearingRad, clockHour } from "./viewpoint.ts";

type Query<K extends SpatialQuery["kind"]> = Extract<SpatialQuery, { kind: K }>;

/** Without a floor in the scene the extent of its things is taken for it, which is a guess. */
const GUESSED_FLOOR = 0.5;

export function answerPath(query: Query<"path">, scope: Scope): Finding {
  const to = chooseOne(query.to, scope);
  if (to.found === "none") return problem("path", to.problem, to.words);
  if (to.found === "several") return ambiguousAnchor("path", to.candidates, scope);
  const from = originOf(query.from, scope);
  if ("problem" in from)
    return from.problem === "several"
      ? ambiguousAnchor("path", from.candidates, scope)
      : problem("path", from.problem, from.words);
  const path = findPath(scope.room, from.solid.center, to.solid, query.widthM);
  const entityIds = [to.solid.entity.id];
  if (path === undefined)
    return finding("path", {
      entityIds,
      values: [{ name: "reachable", value: 0, unit: "truth" }],
      confidence: floorTrust(scope),
    });
  return finding("path", {
    entityIds,
    values: [
      { name: "reachable", value: 1, unit: "truth" },
      { name: "length", value: path.lengthM, unit: "m" },
      ...firstTurn(path.points, scope),
      ...placeValues(to.solid, scope),
    ],
    points: path.points,
    confidence: floorTrust(scope),
  });
}

function firstTurn(points: Finding["points"], scope: Scope): Finding["values"] {
  const next = points?.[1];
  if (next === undefined || !scope.view.isKnown) return [];
  const bearing = bearingRad(scope.view, next);
  return [
    { name: "start-bearing", value: (bearing * 180) / Math.PI, unit: "deg" },
    { name: "start-clock", value: clockHour(bearing), unit: "clock" },
  ];
}

function floorTrust(scope: Scope): number {
  return scope.room.things.some((thing) => thing.label === "floor") ? 0.9 : GUESSED_FLOOR;
}

export function answerFits(query: Query<"fits">, scope: Scope): Finding {
  const near = nearOf(query.where, scope);
  if (near !== undefined && "kind" in near) return { ...near, kind: "fits" };
  const place = findPlace(scope.room, query.size, near?.solid);
  const ceiling = scope.room.things.find((thing) => thing.label === "ceiling");
  const isTooHigh = ceiling !== undefined && query.size[1] > ceiling.center[1] - scope.room.floorY;
  if (place === undefined || isTooHigh) {
    return finding("fits", {
      entityIds: near === undefined ? [] : [near.solid.entity.id],
      values: [{ name: "fits", value: 0, unit: "truth" }],
      confidence: floorTrust(scope),
    });
  }
  return finding("fits", {
    entityIds: near === undefined ? [] : [near.solid.entity.id],
    values: [
      { name: "fits", value: 1, unit: "truth" },
      { name: "spare", value: place.spareM, unit: "m" },
      ...pointValues(place.center, scope),
    ],
    points: [place.center],
    confidence: floorTrust(scope),
  });
}

function nearOf(selector: Query<"fits">["where"], scope: Scope): { readonly solid: Solid } | Finding | undefined {
  if (selector === undefined) return undefined;
  const one = chooseOne(selector, scope);
  if (one.found === "none") return problem("fits", one.problem, one.words);
  if (one.found === "several") return ambiguousAnchor("fits", one.candidates, scope);
  return { solid: one.solid };
}

function pointValues(point: readonly [number, number, number], scope: Scope): Finding["values"] {
  if (!scope.view.isKnown) return [];
  const { position } = scope.view;
  const bearing = bearingRad(scope.view, point);
  return [
    { name: "distance", value: Math.hypot(point[0] - position[0], point[2] - position[2]), unit: "m" },
    { name: "bearing", value: (bearing * 180) / Math.PI, unit: "deg" },
    { name: "clock", value: clockHour(bearing), unit: "clock" },
  ];
}

export function answerFreeSpace(query: Query<"free-space">, scope: Scope): Finding {
  const near = nearOf(query.near, scope);
  if (near !== undefined && "kind" in near) return { ...near, kind: "free-space" };
  if (scope.room.solids.length === 0) return problem("free-space", "needs-floor");
  const circle = largestFreeCircle(scope.room, near?.solid);
  if (circle === undefined) return problem("free-space", "nothing-matches");
  const wanted = query.areaM2 ?? 0;
  return finding("free-space", {
    values: [
      { name: "radius", value: circle.radiusM, unit: "m" },
      { name: "area", value: circle.freeM2, unit: "m2" },
      { name: "enough", value: Math.PI * circle.radiusM ** 2 >= wanted ? 1 : 0, unit: "truth" },
      ...pointValues(circle.center, scope),
    ],
    points: [circle.center],
    confidence: floorTrust(scope),
  });
}
