// Rule KR8 of docs/spec/client.md: hand poses that people made, and poses of the emulator, shown to the page.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { WireConsent } from "@fovea/protocol";
import { JOINT_NAMES } from "@fovea/protocol";
import { LocalGestures } from "./local-gestures.ts";
import type { PoseSampler } from "./pose-sampler.ts";

const POSES = join(
  process.env["FOVEA_DATA"] ?? join(import.meta.dirname, "../../../../../shared/data"),
  "xr/handposes",
);
const skip = existsSync(POSES) ? false : "FOVEA_DATA absent";
const CONSENT: WireConsent = { head: true, hands: "gesture", room: "none", camera: false, audio: false, eyes: false };

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

/** Shows a hand for 250 ms, then none; writes starts and ends. */
function told(joints: Float32Array, handedness: "left" | "right"): string {
  const words: string[] = [];
  const local = new LocalGestures(({ name, phase }) => {
    if (phase !== "update") words.push(`${name}${phase === "start" ? "+" : "-"}`);
  });
  const sampler = { jointsOf: () => joints } as unknown as PoseSampler;
  const frame = { getViewerPose: () => null } as unknown as XRFrame;
  const source = { handedness, hand: new Map() } as unknown as XRInputSource;
  const view = { frame, space: {} as XRReferenceSpace, consent: CONSENT };
  for (let timeMs = 0; timeMs <= 250; timeMs += 11) local.look({ ...view, timeMs, sources: [source] }, sampler);
  local.look({ ...view, timeMs: 300, sources: [] }, sampler);
  return words.join(" ");
}

test("[KR8] fists, pointing and pinching hands of people and of the emulator are told as they are", { skip }, () => {
  for (const hand of ["left", "right"] as const) {
    const words = (name: string): string[] => told(handyWork(name, hand), hand).split(" ").sort();
    assert.deepEqual(words("point"), ["point+", "point-"], hand);
    assert.ok(words("fist").includes("fist+") && words("fist").includes("fist-"), hand);
    for (const name of ["flat", "relax", "vulcan"]) {
      assert.doesNotMatch(words(name).join(" "), /pinch|point|fist|grab/, `${hand} ${name}`);
    }
  }
  assert.match(told(emulator("pinch"), "right"), /pinch\+.*pinch-/);
  assert.match(told(emulator("point"), "right"), /point\+.*point-/);
});
