// Rules GE26 and GE27 of docs/spec/gestures.md: what an application taught, in sessions of the gateway.
import assert from "node:assert/strict";
import test from "node:test";
import type { GestureExample, GestureModel } from "@fovea/core";
import { NO_GESTURE, parseGestureModel, trainGestureModel, writeGestureModel } from "@fovea/core";
import type { HandPose } from "@fovea/core/testing";
import { handJoints, SeededRandom, SessionDriver, sourceDescription } from "@fovea/core/testing";
import { fromWebXRJoints } from "@fovea/protocol/gestures";

const STEP_MS = 1_000 / 60;
const REST: HandPose = { curl: [0.1, 0.12, 0.13, 0.14, 0.15] };
const HORNS: HandPose = { curl: [0, 0, 1, 1, 0], isThumbAcross: true };

type Script = readonly (readonly [durationMs: number, pose: (share: number) => HandPose])[];

/** Three strokes to and fro with the hand's edge, 12 cm wide. */
function saw(share: number): HandPose {
  const x = 0.06 * Math.sin(6 * Math.PI * share);
  return { ...REST, rollRad: 1.2, position: [x, 1.2, -0.4 - 0.05 * Math.sin(3 * Math.PI * share)] };
}

function toRest(pose: HandPose): (share: number) => HandPose {
  return (share) => ({ ...REST, rollRad: (pose.rollRad ?? 0) * (1 - share), position: [0.02 * share, 1.2, -0.4] });
}

function jointsOf(script: Script, random: SeededRandom): { readonly tMs: number; readonly joints: Float32Array }[] {
  const samples: { tMs: number; joints: Float32Array }[] = [];
  let startMs = 0;
  for (const [durationMs, pose] of script) {
    for (let atMs = 0; atMs < durationMs; atMs += STEP_MS) {
      const joints = handJoints(pose(atMs / durationMs));
      for (let i = 0; i < 75; i++) joints[i] = joints[i]! + 0.0007 * random.gaussian();
      samples.push({ tMs: startMs + atMs, joints });
    }
    startMs += durationMs;
  }
  return samples;
}

function example(label: string, script: Script, random: SeededRandom): GestureExample {
  const samples = jointsOf(script, random);
  const joints = new Float32Array(samples.length * 66);
  samples.forEach((sample, i) => fromWebXRJoints(sample.joints, joints, i * 66));
  return { label, sequence: { joints, fps: 60 } };
}

function teach(): GestureModel {
  const random = new SeededRandom(4);
  const examples = [1_000, 1_150, 1_300, 1_500].map((ms) => example("saw", [[ms, saw]], random));
  const wander = (share: number): HandPose => ({ ...REST, position: [0.1 * share, 1.2 + 0.05 * share, -0.4] });
  examples.push(
    example(
      NO_GESTURE,
      [
        [4_000, wander],
        [3_000, toRest(saw(1))],
      ],
      random,
    ),
  );
  const poses = [{ label: "horns", joints: handJoints(HORNS), handedness: "right" as const }];
  const model = trainGestureModel(examples, { streams: true, copies: 10, poses, kernels: 400 });
  return parseGestureModel(writeGestureModel(model));
}

const MODEL = teach();

/** Names and phases that a session tells of one hand, those of `names` only. */
function play(script: Script, handedness: "left" | "right", names: readonly string[]): string {
  const driver = new SessionDriver({ gestures: MODEL });
  const source = sourceDescription(1, { handedness, hand: true });
  driver.hello({ inputSources: [source] });
  const said: string[] = [];
  let lastMs = 0;
  for (const { tMs, joints } of jointsOf(script, new SeededRandom(7))) {
    driver.advance(tMs - lastMs);
    lastMs = tMs;
    driver.pose((sample) => {
      sample.sourceCount = 1;
      const hand = sample.sources[0]!;
      hand.id = 1;
      hand.hasHand = true;
      hand.joints.set(joints);
      if (handedness === "left") for (let i = 0; i < 75; i += 3) hand.joints[i] = -joints[i]!;
    });
  }
  for (const output of driver.outputs) {
    if (output.type !== "event" || output.event.name !== "gesture" || !names.includes(output.event.gesture)) continue;
    said.push(`${output.event.gesture}${output.event.phase === "start" ? "+" : "-"}`);
  }
  return said.join(" ");
}

test("[GE26] a session tells movements and poses that were taught by a few examples, and none at rest", () => {
  const script: Script = [
    [1_500, () => REST],
    [1_250, saw],
    [1_000, toRest(saw(1))],
    [1_500, () => REST],
    [900, () => HORNS],
    [1_000, () => REST],
  ];
  assert.equal(play(script, "right", ["saw", "horns"]), "saw+ saw- horns+ horns-");
  assert.equal(
    play(
      [
        [900, () => HORNS],
        [600, () => REST],
      ],
      "left",
      ["saw", "horns"],
    ),
    "horns+ horns-",
  );
  const idle = (share: number): HandPose => ({ ...REST, position: [0.15 * Math.sin(9 * share), 1.2, -0.4] });
  assert.equal(play([[10_000, idle]], "right", ["saw", "horns", "none"]), "");
});

test("[GE26] built-in gestures are told beside the taught ones", () => {
  const fist: HandPose = { curl: [1, 1, 1, 1, 1], isThumbAcross: true };
  assert.equal(
    play(
      [
        [600, () => fist],
        [600, () => REST],
      ],
      "right",
      ["fist", "saw"],
    ),
    "fist+ fist-",
  );
});

test("[GE27] a model of poses alone needs no movement", () => {
  const model = trainGestureModel([], {
    poses: [{ label: "horns", joints: handJoints(HORNS), handedness: "right" }],
  });
  const read = parseGestureModel(writeGestureModel(model));
  assert.deepEqual([read.gestures, read.poses.map(({ name }) => name), read.spot], [[], ["horns"], undefined]);
  assert.throws(() => trainGestureModel([], { poses: [{ label: "x", joints: [1], handedness: "left" }] }));
});
