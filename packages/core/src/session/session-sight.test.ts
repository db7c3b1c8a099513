// Rules VS10..VS12 of docs/spec/vision.md: what a session does with depth, meshes and what was seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DepthPacket, SceneNode } from "@fovea/protocol";
import { FULL_CONSENT, SessionDriver, sceneNode } from "../../testing/session-driver.ts";
import type { Consent } from "../model/privacy.ts";
import type { ImageView } from "../model/sight.ts";
import type { SessionLimits } from "./session-ports.ts";

function started(consent: Partial<Consent> = {}, limits: Partial<SessionLimits> = {}): SessionDriver {
  const driver = new SessionDriver({ limits });
  driver.hello({ consent: { ...FULL_CONSENT, ...consent } });
  driver.take();
  return driver;
}

const DEPTH: DepthPacket = {
  format: "uint16",
  depthId: 1,
  t: 0,
  sensorPose: Float32Array.of(0, 1.6, 0, 0, 0, 0, 1),
  normDepthBufferFromNormView: Float32Array.of(1, 0, 0, 1, 0, 0),
  projection: Float32Array.of(1, 1, 0, 0),
  rawValueToMeters: 0.001,
  width: 2,
  height: 2,
  payload: new Uint8Array(8),
};

/** A flight of steps of one centimetre: 4 cm levels take it away. */
function steps(count: number): { positions: Float32Array; indices: Uint32Array } {
  const positions: number[] = [];
  const indices: number[] = [];
  for (let step = 0; step < count; step++) {
    const [x, y] = [step * 0.01, step * 0.01];
    positions.push(x, y, 0, x + 0.01, y, 0, x, y, 0.01);
    indices.push(step * 3, step * 3 + 1, step * 3 + 2);
  }
  return { positions: Float32Array.from(positions), indices: Uint32Array.from(indices) };
}

const couch: SceneNode = sceneNode("couch", [0, 0.4, -2], { ref: 7, kind: "mesh" });
const meshOf = (driver: SessionDriver, count: number, more: { ref?: number; errorCm?: number } = {}): void =>
  void driver.feed({ type: "mesh", mesh: { ref: 7, level: 0, errorCm: 0, ...steps(count), ...more } });
const triangles = (driver: SessionDriver): number | undefined =>
  driver.session.context.scene.get("couch")?.surface?.triangleCount;

test("[VS10] depth needs the camera and the whole room, a mesh the room's shape", () => {
  const refused = (consent: Partial<Consent>): string => {
    const driver = started(consent);
    driver.room(couch);
    driver.feed({ type: "depth", packet: DEPTH });
    meshOf(driver, 4);
    return driver.take(/^error/).replaceAll("\n", "; ");
  };
  assert.equal(refused({}), "");
  assert.equal(refused({ room: "lod" }), "error depth consent_missing");
  assert.equal(refused({ camera: false }), "error depth consent_missing");
  assert.equal(refused({ room: "labels" }), "error depth consent_missing; error mesh consent_missing");
});

test("[VS10] at lod no detail below 4 cm is kept, whatever the page sent", () => {
  const full = started();
  full.room(couch);
  meshOf(full, 100);
  assert.equal(triangles(full), 100);
  const coarse = started({ room: "lod" });
  coarse.room(couch);
  meshOf(coarse, 100);
  assert.ok((triangles(coarse) ?? 100) < 60, `${triangles(coarse)}`);
  meshOf(coarse, 90, { errorCm: 4 });
  assert.equal(triangles(coarse), 90, "coarse enough already");
});

test("[VS11] triangles go to the node of their number, stay with it, and are bounded", () => {
  const driver = started({}, { trianglesMax: 120 });
  driver.room(couch, sceneNode("lamp", [1, 1, -2], { ref: 8 }));
  meshOf(driver, 100);
  driver.send({
    type: "scene.update",
    frame: "local-floor",
    add: [],
    update: [{ ...couch, name: "old couch", hash: "other" }],
    remove: [],
  });
  assert.equal(triangles(driver), 100);
  assert.equal(driver.session.context.scene.get("couch")?.name, "old couch");
  driver.send({
    type: "scene.update",
    frame: "local-floor",
    add: [],
    update: [{ id: "couch", pose: { position: [3, 0.4, -2], orientation: [0, 0, 0, 1] } }],
    remove: [],
  });
  assert.equal(triangles(driver), 100);
  assert.equal(driver.take(/^error/), "");
  meshOf(driver, 4, { ref: 99 });
  meshOf(driver, 21, { ref: 8 });
  meshOf(driver, 120);
  assert.equal(driver.take(/^error/), "error ref request_invalid\nerror indexCount request_too_large");
  assert.equal(triangles(driver), 120, "a new shape of the same node replaces the old one");
});

const VIEW: ImageView = {
  imageId: 1,
  atMs: 0,
  pose: { position: [0, 1.6, 0], orientation: [0, 0, 0, 1] },
  fx: 500,
  fy: 500,
  cx: 320,
  cy: 240,
  widthPx: 640,
  heightPx: 480,
  isEstimated: false,
};
const BOX = { label: "vase", score: 0.9, box: { x0: 0.45, y0: 0.45, x1: 0.55, y1: 0.55 } };

function withVase(consent: Partial<Consent> = {}): SessionDriver {
  const driver = started(consent);
  driver.room(sceneNode("cupboard", [0, 1.6, -3], { ref: 1 }, 1));
  driver.feed({ type: "seen", view: VIEW, boxes: [BOX] });
  return driver;
}

const seenIds = (driver: SessionDriver): readonly string[] =>
  driver.session.context.scene
    .snapshot()
    .entities.filter((entity) => entity.source === "vision")
    .map((entity) => entity.id);

test("[VS12] what was seen goes with the room, or with its origin, and the client is told", () => {
  const driver = withVase();
  assert.deepEqual([seenIds(driver), driver.take(/scene\.seen/)], [["seen-1"], "scene.seen"]);
  driver.send({
    type: "scene.update",
    frame: "local-floor",
    full: true,
    add: [sceneNode("cupboard", [1, 1.6, -3], { ref: 1 }, 1)],
    update: [],
    remove: [],
  });
  assert.deepEqual([seenIds(driver), driver.take(/scene\.seen/)], [[], "scene.seen"]);
  const shy = withVase();
  shy.take();
  shy.send({ type: "consent", consent: { ...FULL_CONSENT, room: "none" } });
  assert.deepEqual([seenIds(shy), shy.take(/scene\.seen/)], [[], "scene.seen"]);
  // An answer that comes after the camera was withdrawn is dropped.
  const late = started();
  late.room(sceneNode("cupboard", [0, 1.6, -3], { ref: 1 }, 1));
  late.send({ type: "consent", consent: { ...FULL_CONSENT, camera: false } });
  late.feed({ type: "seen", view: VIEW, boxes: [BOX] });
  assert.deepEqual(seenIds(late), []);
});
