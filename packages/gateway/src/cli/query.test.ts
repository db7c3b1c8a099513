// Rules BQ1..BQ5 of docs/spec/spatial.md. `run` writes the scene to a scratch folder and prints exit code and lines.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runQuery } from "./query.ts";

const SCENE = {
  up: "z",
  entities: [
    { id: 1, label: "chair", center: [0, 0, 0.5], size: [0.5, 0.5, 1] },
    { id: 2, label: "chair", center: [3, 0, 0.5], size: [0.5, 0.5, 1] },
    { id: 3, label: "door", center: [4, 0, 1], size: [0.1, 1, 2] },
    { id: 4, label: "sofa", center: [0, 3, 0.4], size: [2, 0.9, 0.8], yaw: 0.2 },
  ],
};

async function* linesOf(lines: readonly unknown[]): AsyncIterable<string> {
  for (const line of lines) yield typeof line === "string" ? line : JSON.stringify(line);
}

async function run(
  scene: unknown,
  lines: readonly unknown[],
  viewer?: unknown,
): Promise<{ code: number; out: string[]; err: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "fovea-query-"));
  try {
    writeFileSync(join(folder, "scene.json"), JSON.stringify(scene));
    if (viewer !== undefined) writeFileSync(join(folder, "pose.json"), JSON.stringify(viewer));
    const out: string[] = [];
    const err: string[] = [];
    const args = ["--scene", "scene.json", ...(viewer === undefined ? [] : ["--viewer=pose.json"])];
    const code = await runQuery(args, {
      workingFolder: folder,
      lines: linesOf(lines),
      print: (line) => out.push(line),
      printError: (line) => err.push(line),
    });
    return { code, out, err };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("[BQ1] one answer a question, in order, the same every time", async () => {
  const questions = [
    { id: "a", question: "the chair closest to the door" },
    { id: 7, question: "How many chairs are there?" },
    { question: "how far is the sofa from the door in feet?" },
  ];
  const first = await run(SCENE, questions);
  assert.deepEqual(await run(SCENE, questions), first);
  assert.equal(first.code, 0);
  assert.deepEqual(
    first.out
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .map(({ id, entityIds, value, unit }) => [id, entityIds, value, unit]),
    [
      ["a", ["2"], "2", undefined],
      [7, ["1", "2"], 2, "count"],
      [null, ["4", "3"], 12.00734, "ft"],
    ],
  );
});

test("[BQ2] a bad line is answered with an error that names the field", async () => {
  const { code, out } = await run(SCENE, [
    "{",
    { id: 1 },
    { id: 2, question: "how many doors?" },
    { id: 3, question: "x", viewer: { position: [1, 2] } },
  ]);
  assert.equal(code, 1);
  assert.equal(out.length, 4);
  assert.match(out[0] ?? "", /not valid JSON/);
  assert.match(out[1] ?? "", /question/);
  assert.match(out[2] ?? "", /"value":1/);
  assert.match(out[3] ?? "", /viewer\.position/);
});

test("[BQ3] an unreadable scene or command line ends with code 2", async () => {
  assert.equal((await run({ entities: [{ id: 1 }] }, [])).code, 2);
  assert.match(
    (await run({ entities: [{ id: 1, label: "a", center: [0, 0, null], size: [1, 1, 1] }] }, [])).err[0] ?? "",
    /entities\.0\.center/,
  );
  const twice = { entities: [SCENE.entities[0], SCENE.entities[0]] };
  assert.match((await run(twice, [])).err[0] ?? "", /'1' is there twice/);
  const errors: string[] = [];
  const io = {
    workingFolder: "/",
    lines: linesOf([]),
    print: () => {},
    printError: (line: string) => errors.push(line),
  };
  assert.equal(await runQuery(["--scene"], io), 2);
  assert.equal(await runQuery(["--scene", "/nowhere/scene.json"], io), 2);
  assert.match(errors.at(-1) ?? "", /cannot read/);
});

test("[BQ4] the question's viewer goes first; the up axis changes nothing", async () => {
  const question = { id: 1, question: "how far is the door?", viewer: { position: [-1, 0, 1], yaw: 0 } };
  const answers = await run(SCENE, [question, { id: 2, question: "how far is the door?" }], {
    position: [3, 0, 1],
    yaw: Math.PI,
  });
  const [own, common] = answers.out.map((line) => (JSON.parse(line) as { answer: string }).answer);
  assert.equal(own, "The door is 5 m away, straight ahead.");
  assert.equal(common, "The door is 95 cm away, behind you.");
  const upright = {
    up: "y",
    entities: SCENE.entities.map(({ center: [x, y, z], size: [a, b, c], ...rest }) => ({
      ...rest,
      center: [x, z, -(y ?? 0)],
      size: [a, c, b],
    })),
  };
  const same = await run(upright, [{ ...question, viewer: { position: [-1, 1, 0], direction: [1, 0, 0] } }]);
  assert.equal((JSON.parse(same.out[0] ?? "") as { answer: string }).answer, own);
});

test("[BQ5] candidates limit what is meant", async () => {
  const { out } = await run(SCENE, [
    { id: 1, question: "the chair", candidates: [1] },
    { id: 2, question: "the chair" },
  ]);
  const [limited, free] = out.map((line) => JSON.parse(line) as { entityIds: string[]; ambiguous: boolean });
  assert.deepEqual([limited?.entityIds, limited?.ambiguous], [["1"], false]);
  assert.deepEqual([free?.entityIds, free?.ambiguous], [["1", "2"], true]);
});
