// Rule SO1 of docs/spec/spatial.md: the five scanned rooms against brute force. The oracle here knows only poses and bounds
// as they were scanned: it samples surfaces densely and casts rays by marching, and shares no code with the engine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadScannedRoom, SCANNED_ROOMS } from "../../testing/scanned-rooms.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { fromYaw } from "../geometry/quat.ts";
import type { SceneEntity, SceneSnapshot } from "../model/spatial.ts";
import type { XRContext } from "../model/xr-context.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import { handleSpatialQueries } from "./spatial-query.ts";

type Point = [number, number, number];

function turn(q: readonly number[], v: Point): Point {
  const [x, y, z, w] = q as [number, number, number, number];
  const m = [
    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
  ];
  return m.map((row) => row[0]! * v[0] + row[1]! * v[1] + row[2]! * v[2]) as Point;
}

function toRoom(entity: SceneEntity, local: Point): Point {
  const turned = turn(entity.pose.orientation, local);
  return turned.map((value, i) => value + entity.pose.position[i]!) as Point;
}

function toOwn(entity: SceneEntity, point: Point): Point {
  const [x, y, z, w] = entity.pose.orientation;
  return turn([-x, -y, -z, w], point.map((value, i) => value - entity.pose.position[i]!) as Point);
}

/** Metres from a point to the nearest point of the scanned box. */
function reach(entity: SceneEntity, point: Point): number {
  const own = toOwn(entity, point);
  return Math.hypot(
    ...own.map((value, i) => value - Math.min(entity.bounds.max[i]!, Math.max(entity.bounds.min[i]!, value))),
  );
}

/** Nearest pair by a dense grid of points on one box, refined around the best: brute force, within a millimetre or two. */
function gap(a: SceneEntity, b: SceneEntity): number {
  let low = [...a.bounds.min] as Point;
  let high = [...a.bounds.max] as Point;
  let best = Infinity;
  for (let round = 0; round < 12; round++) {
    let at: Point = low;
    for (let i = 0; i <= 6; i++) {
      for (let j = 0; j <= 6; j++) {
        for (let k = 0; k <= 6; k++) {
          const local = [i, j, k].map((step, axis) => low[axis]! + ((high[axis]! - low[axis]!) * step) / 6) as Point;
          const metres = reach(b, toRoom(a, local));
          if (metres < best) {
            best = metres;
            at = local;
          }
        }
      }
    }
    // The distance to a convex body is convex over a box: the best cell's neighbourhood holds the minimum.
    const half = high.map((value, axis) => (value - low[axis]!) * 0.35) as Point;
    low = at.map((value, axis) => Math.max(a.bounds.min[axis]!, value - half[axis]!)) as Point;
    high = at.map((value, axis) => Math.min(a.bounds.max[axis]!, value + half[axis]!)) as Point;
  }
  return best;
}

/** The first entity along a ray, by marching in centimetres. */
function firstAlong(scene: SceneSnapshot, origin: Point, direction: Point): readonly string[] {
  for (let metres = 0; metres < 8; metres += 0.01) {
    const point = origin.map((value, i) => value + direction[i]! * metres) as Point;
    const met = scene.entities.filter((entity) => reach(entity, point) < 0.015);
    if (met.length > 0) return met.map((entity) => entity.id);
  }
  return [];
}

function contextOf(scene: SceneSnapshot, position: Point, yaw: number): XRContext {
  return {
    ...NO_CONTEXT,
    scene,
    viewer: { ...NO_CONTEXT.viewer, isTracked: true, pose: { position, orientation: fromYaw(yaw) } },
  };
}

const STRUCTURE = /^(?:wall|floor|ceiling)$/;

for (const [index, name] of SCANNED_ROOMS.entries()) {
  test(`[SO1] distances, nearest, counts, sides and first along the gaze in ${name}`, () => {
    const scene = loadScannedRoom(name);
    const seed = 100 + index;
    const random = new SeededRandom(seed);
    const things = scene.entities.filter(
      (entity) =>
        entity.kind === "box" ||
        (!STRUCTURE.test(entity.semanticLabel) &&
          !scene.entities.some((box) => box.kind === "box" && box.semanticLabel === entity.semanticLabel)),
    );
    assert.ok(things.length >= 3);
    const told = `seed ${seed}`;
    for (let round = 0; round < 12; round++) {
      const a = random.pick(things);
      const b = random.pick(things);
      if (a === b) continue;
      const [result] = handleSpatialQueries(contextOf(scene, [0, 1.6, 0], 0), [
        { kind: "distance", from: { ids: [a.id] }, to: { ids: [b.id] } },
      ]);
      const metres = result?.values[0]?.value ?? -1;
      assert.ok(
        Math.abs(metres - Math.min(gap(a, b), gap(b, a))) < 0.004,
        `${told}: ${a.id} to ${b.id}: ${metres} against ${gap(a, b)}`,
      );
    }
    let rays = 0;
    for (let round = 0; round < 25; round++) {
      const position: Point = [random.next() * 2 - 1, 1.2 + random.next() * 0.5, random.next() * 2 - 1];
      const yaw = random.next() * 2 * Math.PI;
      // Who stands inside a box of the scan sees what is beyond it.
      if (scene.entities.some((entity) => reach(entity, position) < 0.02)) continue;
      const context = contextOf(scene, position, yaw);
      const [attended, nearest] = handleSpatialQueries(context, [
        { kind: "attended" },
        { kind: "nearest", target: {} },
      ]);
      const met = firstAlong(scene, position, [-Math.sin(yaw), 0, -Math.cos(yaw)]);
      // A picture in its wall: either is met within the same centimetres; the thing is the better answer.
      const wanted = met.filter((id) => !STRUCTURE.test(scene.byId.get(id)?.semanticLabel ?? ""));
      const answer = attended?.entityIds[0] ?? "";
      const isSame =
        met.includes(answer) ||
        met.some((id) => scene.byId.get(id)?.semanticLabel === scene.byId.get(answer)?.semanticLabel) ||
        near(scene, answer, met);
      assert.ok(isSame, `${told} round ${round}: looks at ${met.join(" ")}, answered ${answer}`);
      if (wanted.length > 0) rays++;
      const least = Math.min(...things.map((entity) => reach(entity, position)));
      const given = nearest?.values[0]?.value ?? -1;
      assert.ok(Math.abs(given - least) < 0.01, `${told} round ${round}: nearest ${given} against ${least}`);
    }
    assert.ok(rays > 0, `${told}: no ray met a thing`);
    for (const label of new Set(things.map((entity) => entity.semanticLabel))) {
      const [count] = handleSpatialQueries(contextOf(scene, [0, 1.6, 0], 0), [{ kind: "count", target: { label } }]);
      assert.equal(
        count?.values[0]?.value,
        things.filter((entity) => entity.semanticLabel === label).length,
        `${told}: ${label}`,
      );
    }
  });
}

/** Within 15 cm of what the march met first: pictures and windows lie in or just behind their wall. */
function near(scene: SceneSnapshot, answer: string, met: readonly string[]): boolean {
  const entity = scene.byId.get(answer);
  return (
    entity !== undefined &&
    met.some(
      (id) =>
        gap(scene.byId.get(id) as SceneEntity, entity) < 0.15 &&
        STRUCTURE.test(scene.byId.get(id)?.semanticLabel ?? ""),
    )
  );
}
