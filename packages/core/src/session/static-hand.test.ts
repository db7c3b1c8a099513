// Rule CS3 of docs/spec/session.md. Hands are the seven labelled poses of handy-work, and random ones.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { dataFolder, skipWithout } from "../../testing/recordings.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { HandGestures } from "@fovea/protocol/gestures";
import { mapToStaticHand } from "./static-hand.ts";

const POSES = "xr/handposes/handy-work";

/** Distances that identify a hand: from each joint to the one before it in its finger. */
function bones(joints: Float32Array): string {
  const lengths: number[] = [];
  for (let joint = 1; joint < 25; joint++) {
    const parent = joint === 1 || joint % 5 === 0 ? 0 : joint - 1;
    const gap = [0, 1, 2].map((axis) => joints[joint * 3 + axis]! - joints[parent * 3 + axis]!);
    lengths.push(Math.hypot(...gap));
  }
  return lengths.map((length) => length.toFixed(4)).join(" ");
}

/** Names of the gestures a hand held for a second makes. */
function gestures(joints: Float32Array, side: "left" | "right"): string {
  const recogniser = new HandGestures();
  const names = new Set<string>();
  for (let tMs = 0; tMs < 1_000; tMs += 20) {
    for (const event of recogniser.fold(joints, tMs + 1, side)) if (event.phase === "start") names.add(event.name);
  }
  return [...names].sort().join(" ");
}

test("[CS3] every hand gets the same bones, and the wrist stays", () => {
  const random = new SeededRandom(3);
  const seen = new Set<string>();
  for (let hand = 0; hand < 20; hand++) {
    const joints = Float32Array.from({ length: 75 }, () => random.next() - 0.5);
    const wrist = [...joints.subarray(0, 3)];
    mapToStaticHand(joints);
    assert.deepEqual([...joints.subarray(0, 3)], wrist);
    seen.add(bones(joints));
  }
  assert.equal(seen.size, 1);
  const flat = new Float32Array(75);
  mapToStaticHand(flat);
  assert.ok(
    flat.every((value) => value === 0),
    "joints that all lie in one place stay there",
  );
});

test("[CS3] gestures are the same before and after", { skip: skipWithout(POSES) }, () => {
  let found = 0;
  for (const file of readdirSync(join(dataFolder(), POSES)).filter((name) => name.endsWith(".handpose"))) {
    const bytes = readFileSync(join(dataFolder(), POSES, file));
    const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    for (const [side, at] of [
      ["left", 1],
      ["right", 401],
    ] as const) {
      const joints = new Float32Array(75);
      for (let joint = 0; joint < 25; joint++) {
        for (let axis = 0; axis < 3; axis++) joints[joint * 3 + axis] = numbers[at + joint * 16 + 12 + axis]!;
      }
      const before = gestures(joints, side);
      mapToStaticHand(joints);
      assert.equal(gestures(joints, side), before, `${file} ${side}`);
      if (before !== "") found++;
    }
  }
  assert.ok(found >= 4, `only ${found} of 14 hands make a gesture at all`);
});
