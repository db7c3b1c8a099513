// Rules MX2..MX4 of docs/spec/spatial.md, and MX1 for handmade shapes; MX1 against three-mesh-bvh stands in
// test/vision/mesh-distances.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlainThing } from "../../testing/plain-room.ts";
import { plainEntity } from "../../testing/plain-room.ts";
import { fromYaw } from "../geometry/quat.ts";
import { TriangleMesh } from "../geometry/triangle-mesh.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { SceneEntity, SpatialQuery } from "../model/spatial.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import type { XRContext } from "../model/xr-context.ts";
import { SpatialIndex } from "../scene/spatial-index.ts";
import { handleSpatialQueries } from "./spatial-query.ts";

/** Walls of boxes, each given by two corners, as triangles. */
function shapeOf(boxes: readonly (readonly [min: Vec3, max: Vec3])[]): TriangleMesh {
  const positions: number[] = [];
  const indices: number[] = [];
  const faces = [
    0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3,
  ];
  for (const [min, max] of boxes) {
    const first = positions.length / 3;
    for (let corner = 0; corner < 8; corner++)
      positions.push(corner & 1 ? max[0] : min[0], corner & 2 ? max[1] : min[1], corner & 4 ? max[2] : min[2]);
    indices.push(...faces.map((index) => first + index));
  }
  return new TriangleMesh(Float32Array.from(positions), Uint32Array.from(indices));
}

function meshed(thing: PlainThing, boxes: readonly (readonly [Vec3, Vec3])[]): SceneEntity {
  const surface = shapeOf(boxes);
  return { ...plainEntity({ ...thing, kind: "mesh" }), surface, bounds: surface.bounds };
}

/** A corner couch: two arms of 0.8 m depth round a hollow of 1.4 by 1.4 m, open to the front right. */
const COUCH = meshed({ id: "couch1", at: [0, 0, -3], size: [1, 1, 1] }, [
  [
    [-1.1, 0, -1.1],
    [1.1, 0.8, -0.3],
  ],
  [
    [-1.1, 0, -0.3],
    [-0.3, 0.8, 1.1],
  ],
]);
const FLOOR = plainEntity({ id: "floor1", at: [0, 0, -2], size: [6, 0.01, 6], kind: "plane" });

function room(...entities: readonly SceneEntity[]): XRContext {
  return {
    ...NO_CONTEXT,
    scene: { version: 1, entities, byId: new Map(entities.map((entity) => [entity.id, entity])), changes: [] },
    viewer: { ...NO_CONTEXT.viewer, isTracked: true, pose: { position: [0.4, 1.6, 0], orientation: fromYaw(0) } },
  };
}

function value(context: XRContext, query: SpatialQuery, name: string): number {
  const found = handleSpatialQueries(context, [query])[0]?.values.find((one) => one.name === name);
  return found?.value ?? Number.NaN;
}

test("[MX1] the distance is to the surface: in the hollow of a couch one is not in the couch", () => {
  const lamp = plainEntity({ id: "lamp1", at: [0.5, 0.4, -2.6], size: [0.2, 0.2, 0.2] });
  const context = room(COUCH, lamp, FLOOR);
  const distance = (from: string, to: string): number =>
    value(context, { kind: "distance", from: { ids: [from] }, to: { ids: [to] } }, "distance");
  // The back arm's front side is at z = -3.3, the lamp's back at -2.7; the side arm ends at x = -0.3, the lamp begins at 0.4.
  assert.ok(Math.abs(distance("lamp1", "couch1") - 0.6) < 1e-3, `${distance("lamp1", "couch1")}`);
  assert.ok(Math.abs(distance("couch1", "lamp1") - 0.6) < 1e-3);
  const boxed = room({ ...plainEntity({ id: "couch1", at: [0, 0, -3], size: [1, 1, 1] }), bounds: COUCH.bounds }, lamp);
  assert.equal(value(boxed, { kind: "distance", from: { ids: ["lamp1"] }, to: { ids: ["couch1"] } }, "distance"), 0);
  const other = meshed({ id: "shelf1", at: [1.5, 0, -2.5], size: [1, 1, 1] }, [
    [
      [-0.2, 0, -0.2],
      [0.2, 2, 0.2],
    ],
  ]);
  const two = value(
    room(COUCH, other),
    { kind: "distance", from: { ids: ["shelf1"] }, to: { ids: ["couch1"] } },
    "distance",
  );
  // From the corner (1.3, *, -2.7) to the back arm's corner (1.1, *, -3.3).
  assert.ok(Math.abs(two - Math.hypot(0.2, 0.6)) < 2e-3, `${two}`);
});

test("[MX2] a ray through the hollow meets what stands behind it", () => {
  const vase = plainEntity({ id: "vase1", at: [-1.6, 0.5, -2.6], size: [0.3, 0.3, 0.3] });
  const lamp = plainEntity({ id: "lamp1", at: [0.5, 0.5, -2.6], size: [0.2, 0.2, 0.2] });
  const context = room(COUCH, vase, lamp, FLOOR);
  const pointed = (origin: Vec3, direction: Vec3): string | undefined =>
    handleSpatialQueries(context, [{ kind: "pointed-at", ray: { origin, direction } }])[0]?.entityIds[0];
  assert.equal(pointed([2, 0.5, -2.6], [-1, 0, 0]), "lamp1");
  assert.equal(pointed([0.2, 0.5, -2.6], [-1, 0, 0]), "couch1");
  const index = new SpatialIndex();
  for (const entity of [COUCH, vase, lamp]) index.set(entity);
  const met = (ray: readonly number[]): string | undefined =>
    index.entityAt(index.raycast(Float64Array.from(ray), 10))?.id;
  // Over the hollow, before the back arm: the box of the couch begins at z = -1.9.
  assert.equal(met([0.5, 0.5, 0, 0, 0, -1]), "lamp1");
  assert.equal(met([0.9, 0.5, 0, 0, 0, -1]), "couch1");
  assert.ok(Math.abs(index.hitDistanceM - 3.3) < 1e-6);
  assert.equal(met([0.9, 0.9, 0, 0, 0, -1]), undefined);
});

test("[MX3] triangles hide what lies behind them, also those that nobody labelled, and not through their openings", () => {
  // A wall of the room's own mesh at z = -2 with a window from x = 0 to 1, y = 1 to 2.
  const shell = meshed({ id: "shell", label: "global mesh", at: [0, 0, 0], size: [1, 1, 1] }, [
    [
      [-4, 0, -2.05],
      [0, 3, -2],
    ],
    [
      [1, 0, -2.05],
      [4, 3, -2],
    ],
    [
      [0, 0, -2.05],
      [1, 1, -2],
    ],
    [
      [0, 2, -2.05],
      [1, 3, -2],
    ],
  ]);
  const share = (at: Vec3, withShell = true): number => {
    const thing = plainEntity({ id: "lamp1", at, size: [0.2, 0.2, 0.2] });
    const [found] = handleSpatialQueries(room(thing, ...(withShell ? [shell] : [])), [
      { kind: "line-of-sight", to: { ids: ["lamp1"] } },
    ]);
    return found?.values.find((one) => one.unit === "truth")?.value ?? Number.NaN;
  };
  assert.equal(share([0.5, 1.5, -4]), 1, "through the window");
  assert.equal(share([-1.5, 1.5, -4]), 0, "behind the wall");
  assert.equal(share([-1.5, 1.5, -4], false), 1);
  // The couch is part of the room's mesh as well: it does not hide itself, and its arm hides what lies behind.
  const behind = plainEntity({ id: "lamp1", at: [-0.7, 0.3, -3.6], size: [0.1, 0.1, 0.1] });
  const sight = (to: string, ...entities: readonly SceneEntity[]): string =>
    handleSpatialQueries(room(...entities), [{ kind: "line-of-sight", to: { ids: [to] } }])[0]?.answer ?? "";
  const twin: SceneEntity = { ...COUCH, id: "shell", semanticLabel: "global mesh" };
  assert.match(
    sight("couch1", { ...COUCH, surface: COUCH.surface as TriangleMesh }, twin),
    /^(?:Yes|You can|There is a)/i,
  );
  assert.notEqual(sight("lamp1", behind), sight("lamp1", behind, COUCH));
});

test("[MX4] the hollow of a couch is free floor; what the room's mesh shows and nobody labelled is not", () => {
  const fits = (context: XRContext, size: Vec3): boolean =>
    handleSpatialQueries(context, [{ kind: "fits", size, where: { ids: ["couch1"] } }])[0]?.values.some(
      (one) => one.unit === "truth" && one.value === 1,
    ) === true;
  const small = plainEntity({ id: "floor1", at: [0, 0, -3], size: [2.2, 0.01, 2.2], kind: "plane" });
  assert.equal(fits(room(COUCH, small), [0.9, 0.4, 0.9]), true);
  const boxed = { ...plainEntity({ id: "couch1", at: [0, 0, -3], size: [1, 1, 1] }), bounds: COUCH.bounds };
  assert.equal(fits(room(boxed, small), [0.9, 0.4, 0.9]), false);
  const post = meshed({ id: "shell", label: "global mesh", at: [0, 0, 0], size: [1, 1, 1] }, [
    [
      [0.2, 0, -2.9],
      [0.6, 1, -2.5],
    ],
    [
      [-3, 0, -4.2],
      [3, 0.05, 0],
    ],
  ]);
  assert.equal(fits(room(COUCH, small, post), [0.9, 0.4, 0.9]), false);
});
