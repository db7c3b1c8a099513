// How far, in which direction, how large.
import type { SpatialQuery, SpatialValue } from "../model/spatial.ts";
import type { Finding } from "./answer-parts.ts";
import { bearingTo, chooseOne, finding, placeValues, problem, sizeOf, viewerDistance } from "./answer-parts.ts";
import { ambiguousAnchor, originOf } from "./answer-lookup.ts";
import { areaOf } from "./solid.ts";
import type { Solid } from "./solid.ts";
import { closestSpan, solidDistance } from "./solid-distance.ts";
import type { Scope } from "./scope.ts";
import { VIEWER_ID } from "./scope.ts";
import { bearingRad, clockHour, viewpoint } from "./viewpoint.ts";

type Query<K extends SpatialQuery["kind"]> = Extract<SpatialQuery, { kind: K }>;

export function answerDistance(query: Query<"distance">, scope: Scope): Finding {
  const to = chooseOne(query.to, scope);
  if (to.found === "none") return problem("distance", to.problem, to.words);
  if (to.found === "several") return ambiguousAnchor("distance", to.candidates, scope);
  const from = originOf(query.from, scope);
  if ("problem" in from)
    return from.problem === "several"
      ? ambiguousAnchor("distance", from.candidates, scope)
      : problem("distance", from.problem, from.words);
  const { solid } = to;
  if (from.solid.entity.id === VIEWER_ID) {
    return finding("distance", {
      entityIds: [solid.entity.id],
      values: [
        { name: "distance", value: viewerDistance(solid, scope), unit: "m" },
        ...placeValues(solid, scope).filter((value) => value.name !== "distance"),
      ],
      confidence: to.confidence,
    });
  }
  const span = closestSpan(from.solid, solid);
  // Boxes that overlap have a span, and no distance; with triangles the span is the distance.
  const hasTriangles = from.solid.entity.surface !== undefined || solid.entity.surface !== undefined;
  const distanceM = hasTriangles ? span.distanceM : solidDistance(from.solid, solid);
  return finding("distance", {
    entityIds: [solid.entity.id, from.solid.entity.id],
    values: [{ name: "distance", value: distanceM, unit: "m" }],
    confidence: to.confidence,
    points: [span.from, span.to],
  });
}

export function answerDirection(query: Query<"direction">, scope: Scope): Finding {
  const to = chooseOne(query.to, scope);
  if (to.found === "none") return problem("direction", to.problem, to.words);
  if (to.found === "several") return ambiguousAnchor("direction", to.candidates, scope);
  if (query.standingAt !== undefined || query.facing !== undefined) return fromStandpoint(query, to.solid, scope);
  if (!scope.view.isKnown) return problem("direction", "no-viewer");
  if (query.frame === "room") return roomDirection(to.solid, scope);
  return finding("direction", {
    entityIds: [to.solid.entity.id],
    values: placeValues(to.solid, scope),
    confidence: to.confidence,
  });
}

/** "standing by the bed and facing the door": from the middle of one thing, turned to the middle of the other. */
function fromStandpoint(query: Query<"direction">, solid: Solid, scope: Scope): Finding {
  const at = query.standingAt === undefined ? undefined : chooseOne(query.standingAt, scope);
  const facing = query.facing === undefined ? undefined : chooseOne(query.facing, scope);
  for (const other of [at, facing]) {
    if (other?.found === "none") return problem("direction", "anchor-unknown", other.words);
    if (other?.found === "several") return ambiguousAnchor("direction", other.candidates, scope);
  }
  const origin = at?.found === "one" ? at.solid.center : scope.view.position;
  const target = facing?.found === "one" ? facing.solid.center : scope.room.center;
  const view = viewpoint(origin, [target[0] - origin[0], 0, target[2] - origin[2]], true);
  const bearing = bearingRad(view, solid.center);
  return finding("direction", { entityIds: [solid.entity.id], values: bearingValues(solid, bearing) });
}

function bearingValues(solid: Solid, bearing: number): readonly SpatialValue[] {
  const entityId = solid.entity.id;
  return [
    { name: "standpoint-bearing", value: (bearing * 180) / Math.PI, unit: "deg", entityId },
    { name: "clock", value: clockHour(bearing), unit: "clock", entityId },
  ];
}

/** In the room's axes: degrees clockwise from -Z, as on a map with -Z at the top. */
function roomDirection(solid: Solid, scope: Scope): Finding {
  const view = viewpoint(scope.view.position, [0, 0, -1], true);
  const bearing = bearingRad(view, solid.center);
  return finding("direction", {
    entityIds: [solid.entity.id],
    values: [
      { name: "heading", value: ((bearing * 180) / Math.PI + 360) % 360, unit: "deg" },
      ...placeValues(solid, scope),
    ],
  });
}

export function answerSize(query: Query<"size">, scope: Scope): Finding {
  const one = chooseOne(query.target, scope);
  if (one.found === "none") return problem("size", one.problem, one.words);
  if (one.found === "several") return ambiguousAnchor("size", one.candidates, scope);
  const { solid } = one;
  const { width, height, depth } = sizeOf(solid);
  return finding("size", {
    entityIds: [solid.entity.id],
    values: [
      { name: "width", value: width, unit: "m" },
      { name: "height", value: height, unit: "m" },
      { name: "depth", value: depth, unit: "m" },
      { name: "elevation", value: solid.center[1] - scope.room.floorY, unit: "m" },
      { name: "longest", value: Math.max(...solid.half) * 2, unit: "m" },
    ],
    confidence: one.confidence,
  });
}

/** Floor area: of the floor's polygon where the scene has one; the extent of the room otherwise, which is said. */
export function answerRoomSize(_query: Query<"room-size">, scope: Scope): Finding {
  const { room } = scope;
  if (room.solids.length === 0) return problem("room-size", "needs-floor");
  const floors = room.things.filter((thing) => thing.label === "floor");
  const area = floors.reduce((sum, floor) => sum + floorArea(floor), 0);
  const ceiling = room.things.find((thing) => thing.label === "ceiling");
  const [single] = floors;
  const extent =
    floors.length === 1 && single !== undefined
      ? sizeOf(single)
      : { width: room.max[0] - room.min[0], depth: room.max[2] - room.min[2] };
  const values: SpatialValue[] = [
    { name: "length", value: Math.max(extent.width, extent.depth), unit: "m" },
    { name: "width", value: Math.min(extent.width, extent.depth), unit: "m" },
    { name: "area", value: area > 0 ? area : extent.width * extent.depth, unit: "m2" },
  ];
  if (ceiling !== undefined) values.push({ name: "height", value: ceiling.center[1] - room.floorY, unit: "m" });
  return finding("room-size", {
    entityIds: floors.map((floor) => floor.entity.id),
    values,
    basis: area > 0 ? "measured" : "rule",
    confidence: area > 0 ? 1 : 0.5,
  });
}

function floorArea(floor: Solid): number {
  const { polygon } = floor.entity;
  return polygon === undefined || polygon.length < 3 ? floor.outlineArea : areaOf(polygon);
}

/** Angle from straight ahead in degrees, for callers that only need that. */
export function bearingDeg(solid: Solid, scope: Scope): number {
  return (bearingTo(solid, scope) * 180) / Math.PI;
}
