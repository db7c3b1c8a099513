// Rule GE28 of docs/spec/gestures.md: a page's WebXR frames through the SDK, and the packets it sends of them through the
// gateway's context, give the same gestures. Joints of the Quest 3 recording, and of a made performance with nods.
import assert from "node:assert/strict";
import test from "node:test";
import type { GestureModel } from "@fovea/core";
import { parseGestureModel, trainGestureModel, writeGestureModel } from "@fovea/core";
import type { HandPose } from "@fovea/core/testing";
import { handJoints, loadQuest3, QUEST3_PATH, skipWithout } from "@fovea/core/testing";
import type { WireConsent } from "@fovea/protocol";
import { createPoseSample, decodePosePacket, encodePosePacket, SourceTable } from "@fovea/protocol";
import type { GestureEvent } from "@fovea/protocol/gestures";
import { LocalGestures } from "../../packages/client/src/capture/local-gestures.ts";
import { PoseSampler } from "../../packages/client/src/capture/pose-sampler.ts";
import { readGestures } from "../../packages/client/src/gestures/index.ts";
import { ContextBuilder } from "../../packages/core/src/context/context-builder.ts";
import { NO_CONTEXT } from "../../packages/core/src/model/xr-context.ts";
import { frameOf, hand } from "../client/fake-xr.ts";

interface Moment {
  readonly tMs: number;
  readonly viewer: { readonly position: readonly number[]; readonly orientation: readonly number[] };
  /** Tracked hands. */
  readonly left?: Float32Array | undefined;
  readonly right?: Float32Array | undefined;
}

const CONSENT: WireConsent = { head: true, hands: "raw", room: "none", camera: false, audio: false, eyes: false };
const SIDES = ["left", "right"] as const;

function line({ tMs, name, phase, handedness, direction }: GestureEvent<string>): string {
  return [Math.round(tMs), handedness, name, direction, phase].filter((word) => word !== undefined).join(" ");
}

/** What the page tells, and what the gateway makes of the page's packets. */
function play(moments: readonly Moment[], model?: GestureModel): { page: string[]; gateway: string[] } {
  const page: string[] = [];
  const local = new LocalGestures((event) => page.push(line(event)));
  if (model !== undefined) local.use(readGestures(writeGestureModel(model)));
  const sampler = new PoseSampler();
  const context = new ContextBuilder({ ...NO_CONTEXT, sessionId: "s", userId: "u" }, undefined, model);
  const sources = { left: hand("left", new Float32Array(75)), right: hand("right", new Float32Array(75)) };
  const table = new SourceTable();
  SIDES.forEach((handedness, id) => {
    const description = {
      id,
      handedness,
      targetRayMode: "tracked-pointer" as const,
      profiles: [],
      hand: true,
      buttons: 0,
      axes: 0,
      haptics: { pulse: false, effects: [], actuators: 0 },
    };
    table.set(description);
    context.addSource(description, 0);
  });
  const packet = new Uint8Array(65_536);
  const gateway: string[] = [];
  moments.forEach(({ tMs, viewer, ...hands }, seq) => {
    const sample = createPoseSample();
    sample.t = tMs;
    sample.seq = seq & 0xffff;
    sample.viewer.set([...viewer.position, ...viewer.orientation]);
    SIDES.forEach((side, id) => {
      const joints = hands[side];
      sources[side].joints = joints as Float32Array;
      const into = sample.sources[id]!;
      into.id = id;
      into.hasHand = joints !== undefined;
      if (joints !== undefined) into.joints.set(joints);
      into.jointOrientations[3] = 1;
    });
    sample.sourceCount = 2;
    const frame = frameOf({
      viewer: { position: viewer.position as never, orientation: viewer.orientation as never },
      poses: new Map(),
      sources: [sources.left, sources.right],
    });
    const view = { timeMs: tMs, frame, space: {}, sources: [sources.left, sources.right], consent: CONSENT };
    local.look(view as never, sampler);
    const length = encodePosePacket(sample, table, packet);
    assert.equal(typeof length, "number");
    const decoded = createPoseSample();
    const outcome = decodePosePacket(packet.subarray(0, length as number), table, decoded);
    assert.ok(outcome === undefined, JSON.stringify(outcome));
    gateway.push(...context.foldPose(decoded, tMs, true).map(line));
  });
  return { page, gateway };
}

function starts(lines: readonly string[]): string[] {
  return [
    ...new Set(lines.filter((text) => text.endsWith(" start")).map((text) => text.split(" ").slice(1, -1).join(" "))),
  ];
}

test(
  "[GE28] recorded hands of a Quest 3 give the same gestures in the page and in the gateway",
  { skip: skipWithout(QUEST3_PATH) },
  () => {
    const recording = loadQuest3();
    const handOf = (sample: (typeof recording.samples)[number], side: string): Float32Array | undefined =>
      sample.sources.find((source) => source.description.handedness === side && source.joints !== undefined)?.joints;
    // The SDK sends 30 packets a second, of the frames it looks at.
    let sentMs = -Infinity;
    const sent = recording.samples.filter(({ tMs }) => tMs >= sentMs + 30 && ((sentMs = tMs), true));
    const moments = sent.map((sample) => ({
      tMs: sample.tMs,
      viewer: sample.viewer,
      left: handOf(sample, "left"),
      right: handOf(sample, "right"),
    }));
    const { page, gateway } = play(moments);
    assert.deepEqual(page, gateway);
    assert.ok(starts(page).includes("right point"), page.join("\n"));
  },
);

const REST: HandPose = { curl: [0.1, 0.12, 0.13, 0.14, 0.15] };
const PINCH: HandPose = { curl: [0.2, 0.45, 0.3, 0.25, 0.2], pinchM: 0.01 };
const FIST: HandPose = { curl: [1, 1, 1, 1, 1], isThumbAcross: true };
const HORNS: HandPose = { curl: [0, 0, 1, 1, 0], isThumbAcross: true };

/** Pinch and spread with both hands, a fist, a swipe, horns (taught) and a nod. */
function performance(): Moment[] {
  const ease = (from: number, to: number, at: number): number => {
    const share = Math.min(1, Math.max(0, (at - from) / (to - from)));
    return share * share * (3 - 2 * share);
  };
  return Array.from({ length: 600 }, (_, i) => {
    const tMs = 1_000 + i * 13.9;
    const s = i * 0.0139;
    const pitch = s > 6.5 && s < 7.6 ? 0.15 * Math.sin((s - 6.5) * 12) : 0;
    const shape = s > 0.5 && s < 2 ? PINCH : s > 2.6 && s < 3.3 ? FIST : s > 5.2 && s < 6 ? HORNS : REST;
    const spread = 0.15 * ease(0.8, 1.6, s) - 0.15 * ease(2.1, 2.5, s);
    const swipe = 0.35 * ease(4, 4.3, s) - 0.35 * ease(4.6, 5.1, s);
    const left = handJoints({
      ...(shape === PINCH ? PINCH : REST),
      isLeft: true,
      position: [-0.15 - spread, 1.2, -0.4],
    });
    const right = handJoints({ ...shape, position: [0.15 + spread + swipe, 1.2, -0.4] });
    const viewer = { position: [0, 1.6, 0], orientation: [Math.sin(pitch / 2), 0, 0, Math.cos(pitch / 2)] };
    return { tMs, viewer, left, right: s > 8 ? undefined : right };
  });
}

test("[GE28] a made performance with both hands, head and a taught pose is told the same", () => {
  const model = trainGestureModel([], { poses: [{ label: "horns", joints: handJoints(HORNS), handedness: "right" }] });
  const { page, gateway } = play(performance(), parseGestureModel(writeGestureModel(model)));
  assert.deepEqual(page, gateway);
  const wanted = [
    "left pinch",
    "right pinch",
    "both two-hand-scale",
    "right fist",
    "right swipe right",
    "right horns",
    "none nod",
  ];
  assert.deepEqual(
    wanted.filter((name) => !starts(page).includes(name)),
    [],
    starts(page).join(", "),
  );
});

test("[GE28] a page refuses a model that it cannot use", () => {
  const code = (text: string): string => {
    try {
      readGestures(text);
      return "ok";
    } catch (error) {
      return String((error as { code?: unknown }).code);
    }
  };
  assert.equal(code("{}"), "gesture_model_invalid");
  assert.equal(code("nonsense"), "gesture_model_invalid");
});
