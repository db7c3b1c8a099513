// Rules VCA1..VCA9 of docs/spec/vision.md, against fakes of the browser's API.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { ImagePacket, MeshPacket, WireConsent } from "@fovea/protocol";
import { decodeDepthPacket, decodeImagePacket, decodeMeshPacket, packetKindOf } from "@fovea/protocol";
import type { CameraOptions } from "@fovea/client";
import { Fovea } from "@fovea/client";
import { settle } from "@fovea/core/testing";
import { cameraView, FakeGl, FakeTrack, FakeVideo, installFakes } from "./fake-camera.ts";
import { AT_EYE_HEIGHT, FakeSession, frameOf } from "./fake-xr.ts";
import type { FakeWorld } from "./fake-xr.ts";
import { FULL_CONSENT, ScriptedGateway } from "./scripted-gateway.ts";

/** About 90 by 67 degrees: fx = fy = 320 at 640 by 426. */
const PROJECTION = [1, 0, 0, 0, 0, 1.5, 0, 0, 0.1, -0.05, -1, -1, 0, 0, -0.2, 0];
const VIEWS = (size?: { width: number; height: number }) => [cameraView(AT_EYE_HEIGHT, PROJECTION, size)];

interface Setup {
  readonly features?: readonly string[];
  readonly imageHz?: number;
  readonly consent?: Partial<WireConsent>;
  readonly hasSession?: boolean;
}

class Stage {
  readonly gateway = new ScriptedGateway();
  readonly session = new FakeSession();
  readonly video = new FakeVideo();
  readonly track = new FakeTrack();
  readonly gl = new FakeGl();
  readonly world: FakeWorld & { views?: object[]; depth?: object } = {
    viewer: AT_EYE_HEIGHT,
    poses: new Map(),
    sources: [],
    views: VIEWS(),
  };
  xr!: Fovea;
  #timeMs = 1_000;

  static async open(t: TestContext, setup: Setup = {}, granted?: () => Promise<void>): Promise<Stage> {
    const { features = ["local-floor"], imageHz = 2, consent = {}, hasSession = true } = setup;
    const stage = new Stage();
    t.after(installFakes(stage.video, [stage.track], granted));
    const levels = { ...FULL_CONSENT, camera: true, ...consent };
    const connecting = Fovea.connect({
      url: "wss://g/xr",
      consent: levels,
      WebSocket: stage.gateway.WebSocket,
      clock: stage.gateway.clientClock,
    });
    await stage.gateway.welcome({ levels, ...(imageHz === 0 ? {} : { imageHz }) });
    stage.xr = await connecting;
    stage.session.enabledFeatures = [...features];
    if (hasSession) stage.xr.attachSession(stage.session as never, new EventTarget() as never);
    return stage;
  }

  async start(options: CameraOptions = {}): Promise<string> {
    return this.xr.camera.start({ gl: this.gl as never, ...options });
  }

  async run(forMs: number): Promise<void> {
    for (let elapsed = 0; elapsed < forMs; elapsed += 20) {
      this.#timeMs += 20;
      const { views } = this.world;
      const frame = frameOf(this.world) as { getViewerPose: () => object | null };
      const viewerPose = frame.getViewerPose();
      const whole = {
        ...frame,
        session: this.session,
        getViewerPose: () => (viewerPose === null ? null : { ...viewerPose, views }),
        ...(this.world.depth === undefined ? {} : { getDepthInformation: () => this.world.depth }),
      };
      this.session.runFrame(this.#timeMs, whole);
      this.gateway.clock.advance(20);
      await settle();
    }
  }

  images(): (ImagePacket & { readonly name: string })[] {
    return this.gateway.socket.packets
      .filter((packet) => packetKindOf(packet) === "image")
      .map((packet) => {
        const decoded = decodeImagePacket(packet);
        if (decoded.outcome !== "packet") assert.fail(JSON.stringify(decoded.error));
        return { ...decoded.packet, name: new TextDecoder().decode(decoded.packet.payload.subarray(2)) };
      });
  }
}

test("[VCA1] raw camera access: upright pixels with the view's pose and lens, WebGL left as it was", async (t) => {
  const stage = await Stage.open(t, { features: ["camera-access"] });
  stage.world.views = VIEWS({ width: 640, height: 426 });
  const before = stage.gl.bound;
  assert.equal(await stage.start(), "raw-camera-access");
  await stage.run(600);
  const [image] = stage.images();
  assert.ok(image !== undefined);
  // The top row of the image is the last one of the texture.
  assert.equal(image.name, "top 170");
  assert.deepEqual(
    [image.width, image.height, image.isIntrinsicsEstimated, image.isPoseUnknown],
    [640, 426, false, false],
  );
  const [fx, fy, cx, cy] = image.intrinsics;
  assert.deepEqual([fx, fy].map(Math.round as (v: number | undefined) => number), [320, 320]);
  assert.ok(Math.abs((cx ?? 0) - 288) < 0.1 && Math.abs((cy ?? 0) - 202.35) < 0.1);
  assert.ok(Math.abs((image.cameraPose[1] ?? 0) - 1.6) < 1e-6);
  assert.equal(stage.gl.bound, before);
  stage.xr.camera.stop();
  assert.equal(stage.gl.deleted.length, 1);
});

test("[VCA2] elsewhere a video camera, with an estimated mount and lens; without a session no pose", async (t) => {
  const stage = await Stage.open(t);
  assert.equal(await stage.start(), "video");
  await stage.run(100);
  const [image] = stage.images();
  assert.ok(image !== undefined);
  assert.deepEqual([image.name, image.isIntrinsicsEstimated, image.isPoseUnknown], ["video", true, false]);
  assert.deepEqual([image.width, image.height, image.intrinsics[0]], [1_024, 576, 640]);
  // Two centimetres above the eyes, looking down by 0.26 rad.
  assert.ok(Math.abs((image.cameraPose[1] ?? 0) - 1.62) < 1e-3);
  assert.ok(Math.abs((image.cameraPose[3] ?? 0) - Math.sin(-0.13)) < 1e-3);
  const desk = await Stage.open(t, { hasSession: false });
  await desk.start();
  await desk.run(300);
  assert.equal(desk.images()[0]?.isPoseUnknown, true);
});

test("[VCA3] the lower of two rates; none without consent, while hidden, or where none are wanted", async (t) => {
  const count = async (setup: Setup, options: CameraOptions, change?: (stage: Stage) => void): Promise<number> => {
    const stage = await Stage.open(t, setup);
    await stage.start(options);
    change?.(stage);
    await stage.run(4_000);
    return stage.images().length;
  };
  assert.equal(await count({ imageHz: 2 }, { fps: 5 }), 8);
  assert.equal(await count({ imageHz: 2 }, { fps: 0.5 }), 2);
  assert.equal(await count({ imageHz: 0 }, { fps: 5 }), 0);
  assert.equal(await count({ consent: { camera: false } }, {}), 0);
  assert.equal(await count({}, {}, (stage) => void (stage.session.visibilityState = "hidden")), 0);
  const stage = await Stage.open(t, { imageHz: 0 });
  await stage.start({ fps: 10 });
  stage.gateway.socket.reply({ type: "rates", poseHz: 30, imageHz: 5 });
  await stage.run(1_000);
  assert.equal(stage.images().length, 5);
  stage.xr.consent.set({ camera: false });
  await stage.run(1_000);
  assert.equal(stage.images().length, 5);
});

test("[VCA4] a blurred picture waits for a sharper one, one interval at most", async (t) => {
  const stage = await Stage.open(t, { imageHz: 1 });
  await stage.start();
  await stage.run(200);
  stage.video.drawn = { name: "blurred", contrast: 20 };
  await stage.run(1_000);
  assert.deepEqual(
    stage.images().map(({ name }) => name),
    ["video"],
  );
  stage.video.drawn = { name: "sharp", contrast: 200 };
  await stage.run(100);
  assert.deepEqual(
    stage.images().map(({ name }) => name),
    ["video", "sharp"],
  );
  stage.video.drawn = { name: "fog", contrast: 20 };
  await stage.run(2_100);
  assert.equal(stage.images().at(-1)?.name, "fog");
});

test("[VCA5] depth goes before its image, where the whole room is shared", async (t) => {
  const stage = await Stage.open(t);
  Object.assign(stage.session, { depthUsage: "cpu-optimized", depthDataFormat: "float32" });
  stage.world.depth = {
    width: 2,
    height: 1,
    data: Float32Array.of(1.5, 0).buffer,
    rawValueToMeters: 1,
    normDepthBufferFromNormView: { matrix: Float32Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? 1 : 0)) },
  };
  await stage.start();
  await stage.run(60);
  const packet = stage.gateway.socket.packets.find((bytes) => packetKindOf(bytes) === "depth");
  const decoded = decodeDepthPacket(packet ?? new Uint8Array());
  assert.ok(decoded.outcome === "packet");
  const cells = new DataView(decoded.packet.payload.buffer, decoded.packet.payload.byteOffset);
  assert.deepEqual([cells.getUint16(0, true), cells.getUint16(2, true)], [1_500, 0]);
  assert.deepEqual(
    [...decoded.packet.projection].map((value) => Math.round(value * 100) / 100),
    [1, 1.5, 0.1, -0.05],
  );
  assert.equal(stage.images()[0]?.depthRef, decoded.packet.depthId);
  const shy = await Stage.open(t, { consent: { room: "lod" } });
  Object.assign(shy.session, { depthUsage: "cpu-optimized", depthDataFormat: "float32" });
  shy.world.depth = stage.world.depth;
  await shy.start();
  await shy.run(60);
  assert.equal(shy.images()[0]?.depthRef, 0);
});

test("[VCA6] stopping gives the camera back, also while it is still starting", async (t) => {
  const stage = await Stage.open(t);
  await stage.start();
  assert.equal(stage.xr.camera.isRunning, true);
  stage.xr.camera.stop();
  assert.deepEqual([stage.xr.camera.isRunning, stage.track.isStopped], [false, true]);
  await stage.run(2_000);
  assert.equal(stage.images().length, 0);
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = await Stage.open(t, {}, () => promise);
  const starting = slow.start();
  await settle();
  slow.xr.camera.stop();
  resolve();
  await assert.rejects(starting, { name: "AbortError" });
  assert.equal(slow.track.isStopped, true);
});

test("[VCA8] the application's own pictures carry the pose and lens that it gives", async (t) => {
  const stage = await Stage.open(t, { hasSession: false });
  const drawn = { name: "canvas", contrast: 100 };
  const picture = () => ({
    image: { drawn } as never,
    width: 200,
    height: 100,
    projectionMatrix: PROJECTION,
    pose: [1, 2, 3, 0, 0, 0, 1],
  });
  assert.equal(await stage.start({ picture }), "application");
  await stage.run(400);
  const [image] = stage.images();
  assert.deepEqual([image?.name, image?.intrinsics[0], image?.isIntrinsicsEstimated], ["canvas", 100, false]);
  assert.deepEqual([...(image?.cameraPose ?? [])].slice(0, 3), [1, 2, 3]);
  stage.xr.ask("what do you see?");
  assert.deepEqual(stage.gateway.socket.take("ask")[0]?.include, ["gaze", "pointing", "scene", "image"]);
});

test("[VCA9] what the gateway saw can be found and shown, and is never sent back", async (t) => {
  const stage = await Stage.open(t);
  const pose = { position: [1, 1, -2], orientation: [0, 0, 0, 1] };
  const bounds = { min: [-0.1, -0.1, -0.1], max: [0.1, 0.1, 0.1] };
  const told: string[] = [];
  stage.xr.on("error", ({ detail }) => assert.fail(detail.message));
  stage.xr.on("seen", ({ detail }) => told.push(...detail.add.map(({ id }) => id), ...detail.remove));
  const seen = (id: string) => ({ id, semanticLabel: "mug", pose, bounds, confidence: 0.8 });
  stage.gateway.socket.reply({ type: "scene.seen", add: [seen("seen-1"), seen("seen-2")], remove: [] });
  assert.equal(stage.xr.scene.find("seen-1")?.semanticLabel, "mug");
  stage.gateway.socket.reply({ type: "scene.seen", add: [], remove: ["seen-1"] });
  assert.deepEqual([stage.xr.scene.find("seen-1"), told], [undefined, ["seen-1", "seen-2", "seen-1"]]);
  await stage.run(1_200);
  assert.doesNotMatch(JSON.stringify(stage.gateway.socket.take("scene.update")), /seen-/);
  stage.gateway.socket.reply({ type: "scene.seen", full: true, add: [], remove: [] });
  assert.equal(stage.xr.scene.find("seen-2"), undefined);
});

test("[VCA10] with `shape` the triangles of meshes go along, as fine as the room may be known", async (t) => {
  const meshes = async (room: WireConsent["room"]): Promise<MeshPacket[]> => {
    const stage = await Stage.open(t, { consent: { room } });
    stage.xr.scene.observe({ meshes: "shape" });
    const meshSpace = {};
    stage.world.poses.set(meshSpace, AT_EYE_HEIGHT);
    // A cloth of 10 by 10 corners, one every centimetre.
    const vertices = Float32Array.from(
      { length: 300 },
      (_, at) => [Math.floor(at / 3) % 10, Math.floor(at / 30), 0][at % 3] ?? 0,
    ).map((value) => value / 100);
    const corners = Array.from({ length: 81 }, (_, cell) => Math.floor(cell / 9) * 10 + (cell % 9));
    const indices = Uint32Array.from(corners.flatMap((at) => [at, at + 1, at + 10, at + 1, at + 11, at + 10]));
    stage.world.meshes = [{ meshSpace, vertices, indices, semanticLabel: "couch" }];
    await stage.run(2_500);
    return stage.gateway.socket.packets
      .filter((packet) => packetKindOf(packet) === "mesh")
      .map((packet) => {
        const decoded = decodeMeshPacket(packet);
        if (decoded.outcome !== "packet") assert.fail(JSON.stringify(decoded.error));
        return decoded.packet;
      });
  };
  const [full, ...again] = await meshes("full");
  assert.deepEqual([full?.vertexCount, full?.indexCount, full?.isPlain, again.length], [100, 486, true, 0]);
  const [coarse] = await meshes("lod");
  assert.ok((coarse?.vertexCount ?? 100) < 60 && coarse?.errorCm === 4);
  assert.deepEqual(await meshes("labels"), []);
});

test("[SQU4] images are no larger than the gateway wants them, until it does not mind any more", async (t) => {
  const stage = await Stage.open(t, { imageHz: 5 });
  await stage.start({ fps: 5 });
  const newest = async (): Promise<readonly number[]> => {
    await stage.run(600);
    const image = stage.images().at(-1);
    return [image?.width ?? 0, image?.height ?? 0];
  };
  assert.deepEqual(await newest(), [1_024, 576]);
  stage.gateway.socket.reply({ type: "rates", poseHz: 30, imageHz: 5, imageWidth: 320, reason: "queue" });
  assert.deepEqual(await newest(), [320, 180]);
  stage.gateway.socket.reply({ type: "rates", poseHz: 30, imageHz: 5, reason: "calm" });
  assert.deepEqual(await newest(), [1_024, 576]);
});
