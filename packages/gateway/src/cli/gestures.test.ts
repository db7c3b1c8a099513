// Rule GE24 of docs/spec/gestures.md. The command runs on files in a map; what it prints comes back.
import assert from "node:assert/strict";
import test from "node:test";
import type { HandPose } from "@fovea/core/testing";
import { handJoints, MOVEMENTS, performMovement, SeededRandom } from "@fovea/core/testing";
import { runGestures } from "./gestures.ts";

async function play(
  args: readonly string[],
  files: Map<string, string>,
): Promise<{ code: number; out: string[]; error: string[] }> {
  const out: string[] = [];
  const error: string[] = [];
  const code = await runGestures(args, {
    print: (line) => out.push(line),
    printError: (line) => error.push(line),
    readText: async (path) => files.get(path) ?? assert.fail(path),
    writeText: async (path, text) => void files.set(path, text),
    lines: async function* lines(path) {
      yield* (files.get(path ?? "stdin") ?? "").split("\n");
    },
  });
  return { code, out, error };
}

function samplesOf(joints: Float32Array): number[][] {
  return Array.from({ length: joints.length / 66 }, (_, i) => [...joints.subarray(i * 66, i * 66 + 66)]);
}

test("[GE24] train, classify, and say what is wrong with a line", async () => {
  const random = new SeededRandom(24);
  const sequence = (name: string): object => ({
    fps: 30,
    samples: samplesOf(performMovement(MOVEMENTS[name]!, random)),
  });
  const names = ["circle", "grab"];
  const examples = names.flatMap((name) =>
    Array.from({ length: 4 }, () => JSON.stringify({ ...sequence(name), label: name })),
  );
  const files = new Map([["e.jsonl", examples.join("\n")]]);
  const trained = await play(["train", "--examples", "e.jsonl", "--model", "m.json", "--copies", "1"], files);
  assert.deepEqual(trained, { code: 0, out: ["m.json: 2 gestures from 8 examples"], error: [] });
  const lines = [
    JSON.stringify({ id: 1, ...sequence("grab") }),
    "",
    "nonsense",
    JSON.stringify({ id: 2, samples: [[1, 2]] }),
    JSON.stringify({ id: "x", ...sequence("circle") }),
  ];
  files.set("stdin", lines.join("\n"));
  const { code, out } = await play(["--model", "m.json"], files);
  const answers = out.map((line) => JSON.parse(line) as { id: unknown; gesture?: string; error?: string });
  assert.equal(code, 1);
  assert.deepEqual(
    answers.map(({ id, gesture, error }) => [id, gesture ?? error]),
    [
      [1, "grab"],
      [null, "the line is not JSON"],
      [2, "samples[0] must be 75 or 66 numbers"],
      ["x", "circle"],
    ],
  );
});

test("[GE24] poses are taught and named, and gestures are found in a recording", async () => {
  const random = new SeededRandom(25);
  const rest = performMovement(() => ({ curl: [0.1, 0.05, 0.05, 0.05, 0.05] }), random, 120);
  const examples: object[] = [{ label: "none", samples: samplesOf(rest) }];
  for (let i = 0; i < 4; i++) {
    examples.push({ label: "shake", samples: samplesOf(performMovement(MOVEMENTS["shake"]!, random, 45)) });
  }
  const pose = (curl: HandPose["curl"], isLeft: boolean): number[] => [...handJoints({ curl, isLeft, yawRad: 1 })];
  examples.push({ label: "horns", pose: pose([0, 0, 1, 1, 0], false) });
  examples.push({ label: "fist", pose: pose([1, 1, 1, 1, 1], true), handedness: "left" });
  const files = new Map([["e.jsonl", examples.map((example) => JSON.stringify(example)).join("\n")]]);
  const trained = await play(["train", "--examples", "e.jsonl", "--model", "m.json"], files);
  assert.deepEqual(trained, { code: 0, out: ["m.json: 3 gestures from 7 examples"], error: [] });
  const lines = [
    { id: 1, pose: pose([0, 0, 1, 1, 0], true), handedness: "left" },
    { id: 2, pose: pose([1, 1, 1, 1, 1], false) },
    { id: 3, pose: [1, 2, 3] },
  ];
  files.set("stdin", lines.map((line) => JSON.stringify(line)).join("\n"));
  const named = await play(["--model", "m.json"], files);
  const answers = named.out.map((line) => JSON.parse(line) as { gesture?: string; error?: string });
  assert.deepEqual(
    answers.map(({ gesture, error }) => gesture ?? error),
    ["horns", "fist", "pose must be 75 numbers"],
  );
  const shake = performMovement(MOVEMENTS["shake"]!, random, 45);
  const still = performMovement(() => MOVEMENTS["shake"]!(0), random, 60);
  // The same place before, during and after.
  const samples = [still, shake, still].flatMap((joints) => samplesOf(placedAs(joints, shake)));
  files.set("stdin", JSON.stringify({ id: "r", samples }));
  const found = await play(["--model", "m.json", "--find"], files);
  const { events } = JSON.parse(found.out[0] as string) as {
    events: { gesture: string; startMs: number; endMs: number }[];
  };
  assert.deepEqual(
    events.map(({ gesture }) => gesture),
    ["shake"],
  );
  const { startMs, endMs } = events[0]!;
  assert.ok(startMs > 1_500 && startMs < 2_700 && endMs > 2_900 && endMs < 4_000, `${startMs} to ${endMs}`);
});

/** Moved so that the palm begins where the other begins. */
function placedAs(joints: Float32Array, other: Float32Array): Float32Array {
  return joints.map((value, i) => value + other[3 + (i % 3)]! - joints[3 + (i % 3)]!);
}

test("[GE24] a wrong command line prints the usage", async () => {
  for (const args of [[], ["--models", "x"], ["train", "--model", "x"], ["--model"]]) {
    const { code, error } = await play(args, new Map());
    assert.equal(code, 2);
    assert.match(error.join(), /^usage: fovea gestures/);
  }
  const bad = await play(["train", "--examples", "e", "--model", "m"], new Map([["e", '{"samples":[]}']]));
  assert.deepEqual([bad.code, bad.error], [1, ["fovea gestures: example 1: label must be a text"]]);
});
