// Rules VN2..VN8 of docs/spec/vision.md, in rooms written by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeDepthPacket, decodeDepthPacket } from "@fovea/protocol";
import { plainEntity, plainSnapshot } from "../../testing/plain-room.ts";
import { TriangleMesh } from "../geometry/triangle-mesh.ts";
import { fromYaw, rotate } from "../geometry/quat.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { distance } from "../geometry/vec3.ts";
import type { SceneEntity, SceneSnapshot } from "../model/spatial.ts";
import { DepthMap } from "./depth-map.ts";
import type { ImageView } from "../model/sight.ts";
import { pixelOf } from "./image-view.ts";
import { sightingOf } from "./sighting.ts";
import { placePixel } from "./un-project.ts";

const EYE: Vec3 = [0, 1.6, 0];

function view(more: Partial<ImageView> = {}): ImageView {
  return {
    imageId: 7,
    atMs: 1_000,
    pose: { position: EYE, orientation: fromYaw(0) },
    fx: 500,
    fy: 500,
    cx: 320,
    cy: 240,
    widthPx: 640,
    heightPx: 480,
    isEstimated: false,
    ...more,
  };
}

/** Boxes of the device, which a camera can have seen. */
function room(...entities: readonly SceneEntity[]): SceneSnapshot {
  const all = entities.map((entity): SceneEntity => ({
    ...entity,
    source: entity.id.startsWith("drawn") ? "app" : "device",
  }));
  return { ...plainSnapshot([]), entities: all, byId: new Map(all.map((entity) => [entity.id, entity])) };
}

/** The box around the corners of a body as the camera sees it. */
function boxOf(of: ImageView, points: readonly Vec3[]): { x0: number; y0: number; x1: number; y1: number } {
  const pixels = points.map((point) => pixelOf(of, point)).filter((pixel) => pixel !== undefined);
  return {
    x0: Math.min(...pixels.map(({ xPx }) => xPx)) / of.widthPx,
    y0: Math.min(...pixels.map(({ yPx }) => yPx)) / of.heightPx,
    x1: Math.max(...pixels.map(({ xPx }) => xPx)) / of.widthPx,
    y1: Math.max(...pixels.map(({ yPx }) => yPx)) / of.heightPx,
  };
}

function square(z: number, half = 2): SceneEntity {
  const corners = [-half, -half, 0, half, -half, 0, half, half, 0, -half, half, 0];
  const surface = new TriangleMesh(Float32Array.from(corners), Uint32Array.of(0, 1, 2, 0, 2, 3));
  return {
    ...plainEntity({ id: "mesh", label: "global mesh", at: [0, 1.6, z], size: [4, 4, 0.01], kind: "mesh" }),
    surface,
  };
}

function depthOf(
  metres: (column: number, row: number) => number,
  more: Partial<Parameters<typeof encodeDepthPacket>[0]> = {},
): DepthMap {
  const [width, height] = [64, 48];
  const payload = new Uint8Array(width * height * 2);
  const cells = new DataView(payload.buffer);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      cells.setUint16((row * width + column) * 2, Math.round(metres(column, row) * 1_000), true);
  const decoded = decodeDepthPacket(
    encodeDepthPacket({
      format: "uint16",
      depthId: 3,
      t: 0,
      sensorPose: Float32Array.of(...EYE, 0, 0, 0, 1),
      normDepthBufferFromNormView: Float32Array.of(1, 0, 0, 1, 0, 0),
      projection: Float32Array.of(500 / 320, 500 / 240, 0, 0),
      rawValueToMeters: 0.001,
      width,
      height,
      payload,
      ...more,
    }),
  );
  assert.ok(decoded.outcome === "packet");
  return new DepthMap(decoded.packet);
}

const near = (actual: Vec3, expected: Vec3, withinM: number): void =>
  assert.ok(
    distance(actual, expected) <= withinM,
    `${actual.map((v) => v.toFixed(3)).join(" ")} is not ${expected.join(" ")}`,
  );

test("[VN2] depth, then triangles, then labelled boxes, then a direction", () => {
  const box = plainEntity({ id: "shelf", at: [0, 1.6, -3], size: [1, 1, 0.2] });
  const said = (scene: SceneSnapshot, of = view()): string => {
    const { by, distanceM, entityId } = placePixel(of, scene, 320, 240);
    return `${by} ${distanceM.toFixed(2)} ${entityId ?? "-"}`;
  };
  assert.equal(said(room()), "direction 2.00 -");
  assert.equal(said(room(box)), "entity 2.90 shelf");
  assert.equal(said(room(box, square(-2.5))), "mesh 2.50 -");
  assert.equal(said(room(box, square(-2.5)), view({ depth: depthOf(() => 2.2) })), "depth 2.20 -");
});

test("[VN3] neither what is drawn nor what was only seen is met", () => {
  const drawn = plainEntity({ id: "drawn-ghost", at: [0, 1.6, -1], size: [1, 1, 0.2] });
  const wall = plainEntity({ id: "wall", at: [0, 1.6, -4], size: [4, 3, 0.1] });
  const scene = room(drawn, wall);
  const seen: SceneEntity = { ...drawn, id: "seen-1", source: "vision" };
  const all = [...scene.entities, seen];
  assert.equal(placePixel(view(), { ...scene, entities: all }, 320, 240).entityId, "wall");
});

test("[VN4] depth is distance to the plane, through the sensor's own pose, projection and turn", () => {
  // To the plane, not along the ray: a corner pixel of a wall at 2 m is 2 m away from the plane of the camera.
  const corner = placePixel(view({ depth: depthOf(() => 2) }), room(), 600, 440);
  near(corner.position, [1.12, 0.8, -2], 0.01);
  // A sensor half a metre to the right that sees the same wall.
  const aside = depthOf(() => 2, { sensorPose: Float32Array.of(0.5, 1.6, 0, 0, 0, 0, 1) });
  near(placePixel(view({ depth: aside }), room(), 320, 240).position, [0, 1.6, -2], 0.01);
  // A buffer turned by half a turn: the near half lies at the other end.
  const turned = depthOf((column) => (column < 32 ? 1 : 3), {
    normDepthBufferFromNormView: Float32Array.of(-1, 0, 0, -1, 1, 1),
  });
  near(placePixel(view({ depth: turned }), room(), 520, 240).position, [0.4, 1.6, -1], 0.02);
  // Nothing known there, and half floats: 0x4000 is 2.
  assert.equal(placePixel(view({ depth: depthOf(() => 0) }), room(), 320, 240).by, "direction");
  const halves = depthOf(() => 16.384, { format: "float16", rawValueToMeters: 1 });
  near(placePixel(view({ depth: halves }), room(), 320, 240).position, [0, 1.6, -2], 0.01);
});

test("[VN4] behind an edge that only the camera sees past, the triangles decide", () => {
  // The sensor to the left sees a post at 1 m where the camera sees past it to the wall at 3 m.
  const depth = depthOf((column) => (column > 33 && column < 43 ? 1 : 3), {
    sensorPose: Float32Array.of(-0.3, 1.6, 0, 0, 0, 0, 1),
  });
  const placed = placePixel(view({ depth }), room(square(-3)), 320, 240);
  assert.equal(placed.by, "mesh");
  near(placed.position, [0, 1.6, -3], 0.01);
});

test("[VN5] a sign on a wall is a thin box on the wall, facing the room", () => {
  const wall = plainEntity({ id: "wall", at: [0, 1.5, -3], size: [4, 3, 0.01] });
  const flat: SceneEntity = {
    ...wall,
    kind: "plane",
    pose: { position: [0, 1.5, -3], orientation: [Math.SQRT1_2, 0, 0, Math.SQRT1_2] },
    bounds: { min: [-2, 0, -1.5], max: [2, 0, 1.5] },
  };
  const of = view({ pose: { position: [-1.5, 1.6, -1], orientation: fromYaw(-0.6) } });
  const corners: Vec3[] = [
    [-0.4, 1.7, -3],
    [0.4, 1.7, -3],
    [-0.4, 1.3, -3],
    [0.4, 1.3, -3],
  ];
  const found = sightingOf({ label: "Sign", score: 0.9, box: boxOf(of, corners), text: "EXIT" }, of, room(flat));
  assert.ok(found !== undefined);
  assert.deepEqual([found.label, found.text, found.placedBy, found.onEntityId], ["sign", "EXIT", "entity", "wall"]);
  near(found.position, [0, 1.5, -3], 0.06);
  const [wide, high, thick] = found.bounds.max.map((value) => value * 2) as [number, number, number];
  assert.ok(Math.abs(wide - 0.8) < 0.1 && Math.abs(high - 0.4) < 0.06 && thick < 0.05, `${wide} ${high} ${thick}`);
  near(rotate(found.pose.orientation, [0, 0, 1]), [0, 0, 1], 0.02);
});

test("[VN6] a mug on a table that no mesh shows stands where its lower edge meets the table", () => {
  const table = plainEntity({ id: "table", at: [0, 0.72, -1.5], size: [1.6, 0.04, 0.9] });
  const top: SceneEntity = {
    ...table,
    kind: "plane",
    pose: { position: [0, 0.74, -1.5], orientation: [0, 0, 0, 1] },
    bounds: { min: [-0.8, 0, -0.45], max: [0.8, 0, 0.45] },
  };
  const of = view({ pose: { position: EYE, orientation: [-0.25, 0, 0, Math.sqrt(1 - 0.0625)] } });
  const [x, y, z] = [0.2, 0.74, -1.5];
  const corners: Vec3[] = [-0.04, 0.04].flatMap((dx) =>
    [0, 0.1].flatMap((dy) => [-0.04, 0.04].map((dz): Vec3 => [x + dx, y + dy, z + dz])),
  );
  const found = sightingOf({ label: "mug", score: 0.8, box: boxOf(of, corners) }, of, room(top));
  assert.ok(found !== undefined);
  near(found.pose.position, [0.2, 0.79, -1.5], 0.06);
  const height = found.bounds.max[1] * 2;
  assert.ok(height > 0.08 && height < 0.18, `${height}`);
});

test("[VN7] the wall seen past a thin thing does not pull it back", () => {
  const depth = depthOf((column, row) => (column > 26 && column < 37 && row > 14 && row < 34 ? 1.5 : 4));
  const of = view({ depth });
  const found = sightingOf({ label: "lamp", score: 1, box: { x0: 0.36, y0: 0.2, x1: 0.64, y1: 0.8 } }, of, room());
  assert.ok(found !== undefined);
  assert.ok(Math.abs(found.distanceM - 1.5) < 0.05, `${found.distanceM}`);
});

test("[VN8] no area, no sighting; a guessed lens is less exact; a bare direction is a weak one", () => {
  const box = { x0: 0.4, y0: 0.4, x1: 0.6, y1: 0.6 };
  assert.equal(sightingOf({ label: "cup", score: 1, box: { ...box, x1: 0.4 } }, view(), room()), undefined);
  const known = sightingOf({ label: "cup", score: 1, box }, view(), room(square(-2)));
  const guessed = sightingOf({ label: "cup", score: 1, box }, view({ isEstimated: true }), room(square(-2)));
  assert.ok((guessed?.errorM ?? 0) > 1.5 * (known?.errorM ?? Infinity));
  const bare = sightingOf({ label: "cup", score: 1, box }, view(), room());
  assert.deepEqual([bare?.placedBy, (bare?.confidence ?? 1) < 0.4], ["direction", true]);
});
