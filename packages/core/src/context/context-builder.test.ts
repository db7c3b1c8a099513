// Rules CX1..CX10 of docs/spec/context.md. `packet` makes one pose packet's sample; parts that are not named are absent.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InputSourceDescription, PoseSample } from "@fovea/protocol";
import { createPoseSample } from "@fovea/protocol";
import { fillSample, loadQuest3, QUEST3_PATH, skipWithout } from "../../testing/recordings.ts";
import type { Consent } from "../model/privacy.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import type { EntityDescription } from "../scene/scene-graph.ts";
import { ContextBuilder } from "./context-builder.ts";

const ALL: Consent = { head: true, hands: "raw", room: "full", camera: true, audio: true, eyes: true };

function source(id: number, more: Partial<InputSourceDescription> = {}): InputSourceDescription {
  return {
    id,
    handedness: "right",
    targetRayMode: "tracked-pointer",
    profiles: [],
    hand: false,
    buttons: 2,
    axes: 0,
    haptics: { pulse: true, effects: [], actuators: 1 },
    ...more,
  };
}

function builder(consent = ALL, sources: readonly InputSourceDescription[] = [source(1)]): ContextBuilder {
  const made = new ContextBuilder({ ...NO_CONTEXT, sessionId: "s", userId: "u" });
  made.applyConsent(consent);
  for (const description of sources) made.addSource(description, 0);
  return made;
}

interface Told {
  readonly x?: number;
  readonly ray?: readonly number[];
  readonly sourceId?: number;
  readonly pressed?: number;
  readonly joints?: Float32Array;
  readonly velocity?: readonly [number, number, number];
}

function packet({ x = 0, ray, sourceId = 1, pressed = 0, joints, velocity }: Told): PoseSample {
  const sample = createPoseSample();
  sample.viewer.set([x, 1.6, 0, 0, 0, 0, 1]);
  sample.hasVelocities = velocity !== undefined;
  if (velocity !== undefined) sample.linearVelocity.set(velocity);
  const first = sample.sources[0]!;
  if (ray === undefined && joints === undefined) return sample;
  sample.sourceCount = 1;
  first.id = sourceId;
  first.hasTargetRay = ray !== undefined;
  first.targetRay.set(ray ?? [0, 0, 0, 0, 0, 0, 1]);
  first.hasHand = joints !== undefined;
  if (joints !== undefined) first.joints.set(joints);
  first.pressed = pressed;
  return sample;
}

function box(id: string, x: number, y: number, z: number): EntityDescription {
  return {
    id,
    kind: "box",
    semanticLabel: id,
    pose: { position: [x, y, z], orientation: [0, 0, 0, 1] },
    bounds: { min: [-0.3, -0.3, -0.3], max: [0.3, 0.3, 0.3] },
    confidence: 1,
    source: "app",
    affordances: [],
  };
}

const RAY = [0.2, 1.2, 0, 0, 0, 0, 1] as const;

/** A hand whose index finger runs along +X from the knuckle and whose other joints lie at the wrist. */
function pointingHand(): Float32Array {
  const joints = new Float32Array(75);
  for (let joint = 0; joint < 25; joint++) joints.set([0, 1.2, 0], joint * 3);
  for (const [joint, x] of [
    [6, 0.08],
    [7, 0.12],
    [8, 0.15],
    [9, 0.17],
  ] as const)
    joints.set([x, 1.2, 0], joint * 3);
  return joints;
}

test("[CX1] a frozen context never changes", () => {
  const made = builder();
  made.scene.apply({ add: [box("cup", 0, 1.6, -2)] }, 0);
  made.foldPose(packet({ ray: RAY, joints: pointingHand() }), 10, true);
  const frozen = made.freeze(20);
  const before = JSON.stringify(frozen);
  made.foldPose(packet({ x: 3, ray: [1, 1, 1, 0, 1, 0, 0], joints: new Float32Array(75), pressed: 1 }), 40, true);
  made.scene.apply({ remove: ["cup"] }, 50);
  made.applyConsent({ ...ALL, head: false, hands: "none", room: "none" });
  assert.equal(JSON.stringify(frozen), before);
  assert.equal(frozen.scene.byId.size, 1);
});

test("[CX2] poses, age and velocity are those of the newest packet", () => {
  const made = builder();
  for (let i = 0; i <= 4; i++) made.foldPose(packet({ x: i * 0.02 }), i * 20, true);
  const { viewer } = made.freeze(95);
  assert.deepEqual([viewer.isTracked, viewer.poseAgeMs], [true, 15]);
  assert.ok(Math.abs(viewer.pose.position[0] - 0.08) < 1e-6 && Math.abs(viewer.linearVelocity[0] - 1) < 1e-3);
  made.foldPose(packet({ velocity: [7, 0, 0] }), 100, true);
  assert.deepEqual(made.freeze(100).viewer.linearVelocity, [7, 0, 0]);
  assert.equal(made.freeze(100 + 10_001).viewer.isTracked, false);
  assert.equal(builder().freeze(5).viewer.isTracked, false);
});

test("[CX3] a source not seen for 250 ms has no poses and no attention", () => {
  const made = builder();
  made.scene.apply({ add: [box("cup", 0.2, 1.2, -2)] }, 0);
  made.foldPose(packet({ ray: RAY }), 0, true);
  for (const atMs of [100, 200, 240]) made.foldPose(packet({}), atMs, true);
  const near = made.freeze(250);
  assert.deepEqual(
    [near.inputSources[0]?.targetRay !== undefined, near.attention.map((a) => a.source)],
    [true, ["pointing"]],
  );
  made.foldPose(packet({}), 260, true);
  const late = made.freeze(260);
  assert.deepEqual([late.inputSources[0]?.targetRay, late.attention], [undefined, []]);
});

test("[CX4] a pointing hand points along its index finger, another along its target ray", () => {
  const made = builder(ALL, [source(1, { hand: true })]);
  made.scene.apply({ add: [box("ahead", 0.2, 1.2, -2), box("aside", 2, 1.2, 0)] }, 0);
  made.foldPose(packet({ ray: RAY, joints: pointingHand() }), 0, true);
  assert.equal(made.freeze(0).attention.find((a) => a.source === "pointing")?.entityId, "ahead");
  made.foldGesture({ name: "point", phase: "start", confidence: 1, sinceMs: 0, tMs: 0, handedness: "right" });
  for (let atMs = 33; atMs < 300; atMs += 33) made.foldPose(packet({ ray: RAY, joints: pointingHand() }), atMs, true);
  assert.equal(made.freeze(300).attention.find((a) => a.source === "pointing")?.entityId, "aside");
});

test("[CX5] a gaze ray is eye gaze only with profile and consent", () => {
  const sources = (profiles: readonly string[], eyes: boolean): string => {
    const made = builder({ ...ALL, head: false, eyes }, [
      source(1, { targetRayMode: "gaze", handedness: "none", profiles }),
    ]);
    made.scene.apply({ add: [box("cup", 0.2, 1.2, -2)] }, 0);
    made.foldPose(packet({ ray: RAY }), 0, false);
    return made
      .freeze(0)
      .attention.map((a) => a.source)
      .join();
  };
  assert.deepEqual(
    [sources(["eye-gaze"], true), sources(["eye-gaze"], false), sources([], true)],
    ["eye-gaze", "", ""],
  );
});

test("[CX6] a lowered consent drops what it no longer covers", () => {
  const left = (consent: Consent): string => {
    const made = builder();
    made.scene.apply({ add: [box("cup", 0, 1.6, -2)] }, 0);
    for (let atMs = 0; atMs < 300; atMs += 33) made.foldPose(packet({ ray: RAY, joints: pointingHand() }), atMs, true);
    made.applyConsent(consent);
    const { viewer, inputSources, scene, attentionHistory } = made.freeze(300);
    const kept = [
      viewer.isTracked ? "head" : "",
      inputSources.some((s) => s.handJoints !== undefined || s.targetRay !== undefined) ? "hands" : "",
      made.window.find(1) === undefined ? "" : "rays",
      scene.entities.length > 0 ? "room" : "",
      attentionHistory.length > 0 ? "attention" : "",
    ];
    return kept.filter((name) => name !== "").join(" ");
  };
  assert.equal(left(ALL), "head hands rays room attention");
  assert.equal(left({ ...ALL, head: false }), "hands rays room");
  assert.equal(left({ ...ALL, hands: "gesture" }), "head room attention");
  assert.equal(left({ ...ALL, room: "labels" }), "head hands rays");
  assert.equal(left({ ...ALL, camera: false }), "head hands rays room attention");
});

test("[CX7] a reset of the reference space forgets poses and attention, not the room", () => {
  const made = builder();
  made.scene.apply({ add: [box("cup", 0, 1.6, -2)] }, 0);
  for (let atMs = 0; atMs < 300; atMs += 33) made.foldPose(packet({ ray: RAY }), atMs, true);
  made.resetSpace();
  const { viewer, attention, attentionHistory, scene } = made.freeze(300);
  assert.deepEqual([viewer.isTracked, attention, attentionHistory, scene.entities.length], [false, [], [], 1]);
});

test("[CX8] gestures stand in the context for 2 s after their end", () => {
  const made = builder();
  const told = { name: "pinch", confidence: 0.9, sinceMs: 100, handedness: "right" } as const;
  made.foldGesture({ ...told, phase: "start", tMs: 100 });
  const gestures = (atMs: number): string =>
    made
      .freeze(atMs)
      .inputSources.flatMap((s) => s.gestures)
      .map((g) => `${g.name} ${g.phase} ${g.confidence}`)
      .join();
  assert.equal(gestures(60_000), "pinch start 0.9");
  made.foldGesture({ ...told, phase: "end", tMs: 60_000 });
  assert.deepEqual([gestures(62_000), gestures(62_001)], ["pinch end 0.9", ""]);
});

test("[CX9] folding two hands allocates next to nothing", { skip: skipWithout(QUEST3_PATH) }, () => {
  const { samples, descriptions } = loadQuest3();
  const hands = samples.filter((s) => s.sources.filter((one) => one.joints !== undefined).length === 2).slice(0, 400);
  const made = builder(ALL, descriptions);
  for (let i = 0; i < 60; i++) made.scene.apply({ add: [box(`b${i}`, (i % 8) - 4, (i % 3) * 0.6, -1 - (i % 5))] }, i);
  const packets = hands.map((recorded, index) => {
    const sample = createPoseSample();
    fillSample(recorded, sample, 0, index);
    return sample;
  });
  let atMs = 1;
  const fold = (count: number): void => {
    for (let i = 0; i < count; i++) made.foldPose(packets[i % packets.length]!, (atMs += 11), true);
  };
  fold(6_000);
  let least = Infinity;
  // Code that is not compiled yet boxes every number, and a busy machine compiles late: it must settle, not start there.
  for (let round = 0; round < 80 && !(least < 1_500); round++) {
    const before = process.memoryUsage().heapUsed;
    fold(400);
    const grown = process.memoryUsage().heapUsed - before;
    if (grown > 0) least = Math.min(least, grown / 400);
  }
  assert.ok(least < 1_500, `${least.toFixed(0)} bytes a packet`);
});

test("[CX10] a recorded session is understood", { skip: skipWithout(QUEST3_PATH) }, () => {
  const { samples, descriptions } = loadQuest3();
  assert.equal(samples.length, 1_796);
  const made = builder(ALL, descriptions);
  const sample = createPoseSample();
  const seen = new Set<string>();
  let presses = 0;
  let pressed = 0;
  let names: readonly string[] = [];
  for (const [index, recorded] of samples.entries()) {
    fillSample(recorded, sample, recorded.tMs, index);
    const events = made.foldPose(sample, recorded.tMs + 1, true);
    names = [...names, ...events.map((event) => `${event.name} ${event.phase}`)];
    const now = recorded.sources.reduce(
      (mask, s) => mask + (s.description.hand ? 0 : s.pressed.toString(2).split("1").length - 1),
      0,
    );
    if (now > pressed) presses += now - pressed;
    pressed = now;
    if (index % 100 !== 0) continue;
    const { viewer, inputSources } = made.freeze(recorded.tMs + 1);
    for (let axis = 0; axis < 3; axis++) {
      assert.ok(Math.abs(viewer.pose.position[axis]! - recorded.viewer.position[axis]!) < 1e-5);
    }
    for (const s of inputSources) if (s.handJoints !== undefined) seen.add(`${s.handedness} hand`);
    for (const s of inputSources)
      if (s.grip !== undefined && s.handJoints === undefined) seen.add(`${s.handedness} held`);
  }
  assert.deepEqual([...seen].sort(), ["left hand", "left held", "right hand", "right held"]);
  assert.equal(presses, 11);
  const starts = names.filter((name) => name.endsWith("start")).length;
  assert.equal(starts, names.filter((name) => name.endsWith("end")).length, names.join(", "));
  assert.ok(starts > 0, "the hands do something in seven seconds");
});

test("[CX11] attention is looked at every 30 ms at most, the newest pose and buttons are kept from every packet", () => {
  const made = builder();
  made.scene.apply({ add: [box("left", -2, 1.6, -3), box("right", 2, 1.6, -3)] }, 0);
  const seen: string[] = [];
  for (let i = 0; i < 90; i++) {
    const atMs = 11 * (i + 1);
    made.foldPose(packet({ x: i < 45 ? -2 : 2, ray: RAY, pressed: i % 2 }), atMs, true);
    const context = made.freeze(atMs);
    assert.equal(context.viewer.pose.position[0], i < 45 ? -2 : 2);
    assert.equal(context.inputSources[0]?.pressedButtons, i % 2);
    const dwellMs = context.attention.find((target) => target.source === "head-gaze")?.dwellMs;
    seen.push(dwellMs === undefined ? "none" : String(dwellMs));
  }
  const head = made.freeze(1_000).attention.find((target) => target.source === "head-gaze");
  assert.equal(head?.entityId, "right");
  assert.ok(made.window.ray(1) !== undefined && made.window.ray(1)!.count <= 34, "33 looks in a second, not 90");
  assert.ok(new Set(seen).size > 10);
});
