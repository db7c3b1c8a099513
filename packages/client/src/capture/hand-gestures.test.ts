// Rule KR8 of docs/spec/client.md: hand poses that people made, and poses of the emulator, as 25 positions.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { JOINT_NAMES } from "@fovea/protocol";
import { readHandGesture } from "./hand-gestures.ts";
import { roundHand } from "./hand-model.ts";

const POSES = join(
  process.env["FOVEA_DATA"] ?? join(import.meta.dirname, "../../../../../shared/data"),
  "xr/handposes",
);
const skip = existsSync(POSES) ? false : "FOVEA_DATA absent";

/** handy-work: 25 matrices of the left hand, then 25 of the right, relative to the wrist. */
function handyWork(name: string, hand: "left" | "right"): Float32Array {
  const file = readFileSync(join(POSES, `handy-work/${name}.handpose`));
  const floats = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
  return positionsOf((joint) => floats.subarray(1 + (hand === "left" ? 0 : 400) + joint * 16));
}

function emulator(name: string): Float32Array {
  const { jointTransforms } = JSON.parse(readFileSync(join(POSES, `iwer/${name}.json`), "utf8")) as {
    jointTransforms: Record<string, { offsetMatrix: Record<string, number> | number[] }>;
  };
  return positionsOf((joint) => {
    const { offsetMatrix } = jointTransforms[JOINT_NAMES[joint] as string] ?? { offsetMatrix: [] };
    return Float32Array.from({ length: 16 }, (_, cell) => (offsetMatrix as number[])[cell] ?? 0);
  });
}

function positionsOf(matrixOf: (joint: number) => Float32Array): Float32Array {
  const joints = new Float32Array(75);
  for (let joint = 0; joint < 25; joint++) joints.set(matrixOf(joint).subarray(12, 15), joint * 3);
  return joints;
}

function named(joints: Float32Array): string {
  return readHandGesture(joints, undefined)?.name ?? "none";
}

test(
  "[KR8] fists, flat hands, pointing and pinching hands of people and of the emulator are named as they are",
  { skip },
  () => {
    for (const hand of ["left", "right"] as const) {
      const names = ["fist", "flat", "point", "vulcan", "horns", "shaka"].map(
        (name) => `${name}: ${named(handyWork(name, hand))}`,
      );
      assert.deepEqual(names, [
        "fist: fist",
        "flat: open-palm",
        "point: point",
        "vulcan: open-palm",
        "horns: none",
        "shaka: none",
      ]);
    }
    assert.deepEqual([named(emulator("pinch")), named(emulator("point"))], ["pinch", "point"]);
  },
);

test("[KR8] they are named the same after the hand was mapped to the static model", { skip }, () => {
  for (const [name, gesture] of [
    ["fist", "fist"],
    ["flat", "open-palm"],
    ["point", "point"],
  ] as const) {
    const joints = handyWork(name, "right");
    roundHand(joints, [0, 0, 0, 1], "right");
    assert.equal(named(joints), gesture, name);
  }
});
