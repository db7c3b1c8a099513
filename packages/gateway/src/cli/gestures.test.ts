// Rule GE24 of docs/spec/gestures.md. The command runs on files in a map; what it prints comes back.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "@fovea/core/testing";
import { MOVEMENTS, performMovement } from "../../../core/testing/hand-movements.ts";
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

test("[GE24] a wrong command line prints the usage", async () => {
  for (const args of [[], ["--models", "x"], ["train", "--model", "x"], ["--model"]]) {
    const { code, error } = await play(args, new Map());
    assert.equal(code, 2);
    assert.match(error.join(), /^usage: fovea gestures/);
  }
  const bad = await play(["train", "--examples", "e", "--model", "m"], new Map([["e", '{"samples":[]}']]));
  assert.deepEqual([bad.code, bad.error], [1, ["fovea gestures: example 1: label must be a text"]]);
});
