// Rules GE16, GE17 of docs/spec/gestures.md. Poses are taught on the left hand and shown on the right.
import assert from "node:assert/strict";
import test from "node:test";
import type { HandPose } from "@fovea/core/testing";
import { handJoints, SeededRandom } from "@fovea/core/testing";
import { PoseTemplates } from "@fovea/protocol/gestures";

const POSES: Readonly<Record<string, HandPose>> = {
  flat: { curl: [0, 0, 0, 0, 0] },
  spread: { curl: [0, 0, 0, 0, 0], spreadRad: 0.3 },
  fist: { curl: [1, 1, 1, 1, 1], isThumbAcross: true },
  point: { curl: [0, 0, 1, 1, 1], isThumbAcross: true },
  horns: { curl: [0, 0, 1, 1, 0], isThumbAcross: true },
  pinch: { curl: [0, 0.45, 0.2, 0.2, 0.2], pinchM: 0.008 },
};

function taught(): PoseTemplates {
  const templates = new PoseTemplates();
  for (const [name, pose] of Object.entries(POSES)) templates.add(name, handJoints({ ...pose, isLeft: true }), "left");
  return templates;
}

test("[GE16] taught poses are recognised on the other hand, turned, scaled and noisy", () => {
  const templates = taught();
  const random = new SeededRandom(16);
  for (const [name, pose] of Object.entries(POSES)) {
    for (let round = 0; round < 50; round++) {
      const turned = { pitchRad: random.next() * 6, yawRad: random.next() * 6, rollRad: random.next() * 6 };
      const joints = handJoints({ ...pose, ...turned, scale: 0.85 + 0.3 * random.next() });
      const match = templates.match(
        joints.map((value) => value + random.gaussian() * 0.003),
        "right",
      );
      assert.equal(match?.name, name, `round ${round}`);
      assert.ok((match?.confidence ?? 0) > 0.9, `${name} ${match?.confidence}`);
    }
    assert.ok((templates.match(handJoints(pose), "right")?.misfit ?? 1) < 1e-3);
  }
});

test("[GE17] an unknown or incomplete hand is no pose, and a tie is a tie", () => {
  const templates = new PoseTemplates();
  templates.add("fist", handJoints(POSES["fist"] as HandPose), "right");
  assert.equal(templates.match(handJoints(POSES["spread"] as HandPose), "right"), undefined);
  assert.equal(templates.match(new Float32Array(75).fill(Number.NaN), "right"), undefined);
  assert.equal(new PoseTemplates().match(handJoints({ curl: [0, 0, 0, 0, 0] }), "right"), undefined);
  templates.add("rock", handJoints(POSES["fist"] as HandPose), "right");
  const tie = templates.match(handJoints(POSES["fist"] as HandPose), "right")?.confidence ?? 0;
  assert.ok(Math.abs(tie - 0.5) < 0.01);
});
