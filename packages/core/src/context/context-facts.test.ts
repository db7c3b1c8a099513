// Rules CF1..CF6 of docs/spec/spatial.md. `facts` prints the facts of a small room.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlainView } from "../../testing/plain-room.ts";
import { plainContext } from "../../testing/plain-room.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import { buildContextFacts, contextFacts } from "./context-facts.ts";

const ROOM = [
  { id: "t1", label: "table", at: [0, 0.375, -2], size: [1.2, 0.75, 0.8] },
  { id: "l1", label: "lamp", at: [0.2, 0.95, -2], size: [0.2, 0.4, 0.2], name: "Anglepoise" },
  { id: "s1", label: "couch", at: [3, 0.4, 0], size: [1, 0.8, 2], yaw: 0.6 },
  { id: "c1", label: "chair", at: [-1, 0.45, 1], size: [0.5, 0.9, 0.5] },
  { id: "c2", label: "chair", at: [-2, 0.45, 3], size: [0.5, 0.9, 0.5] },
] as const;

function facts(view: PlainView = {}, tokensMax = 400, question?: string): readonly string[] {
  return (
    buildContextFacts(plainContext(ROOM, view), { tokensMax, ...(question === undefined ? {} : { question }) }) ?? ""
  ).split("\n");
}

test("[CF1] kinds first, then the things in detail, near ones first", () => {
  const lines = facts();
  assert.equal(lines[1], "Kinds: 2 chair, couch, lamp, table");
  assert.deepEqual(
    lines.slice(3).map((line) => line.split(":")[0]),
    ["- c1", "- t1", "- l1", "- s1", "- c2"],
  );
});

test("[CF1] a large room is told in order of distance, as far as the budget goes", () => {
  const random = new SeededRandom(11);
  const place = (): number => random.next() * 20 - 10;
  const things = Array.from({ length: 500 }, (_, i) => ({
    id: `e${i}`,
    label: ["cup", "book", "wall"][i % 3] as string,
    at: [place(), place() / 10, place()] as const,
    size: [0.2, 0.3, 0.4] as const,
    yaw: place(),
  }));
  const context = plainContext(things);
  const told = (buildContextFacts(context, { tokensMax: 20_000 }) ?? "").split("\n").slice(3);
  const distances = told.map((line) => Number.parseFloat(line.split(", ")[1] ?? ""));
  const isWall = told.map((line) => line.includes(": wall,"));
  assert.equal(told.length, 500);
  assert.ok(isWall.lastIndexOf(false) < isWall.indexOf(true), "walls last");
  for (const walls of [false, true]) {
    const own = distances.filter((_, i) => isWall[i] === walls);
    assert.deepEqual(
      own,
      own.toSorted((a, b) => a - b),
    );
  }
  const few = (buildContextFacts(context, { tokensMax: 500 }) ?? "").split("\n").slice(3);
  assert.deepEqual(few, told.slice(0, few.length));
});

test("[CF2] every number has its unit; directions are those of the user", () => {
  assert.ok(facts().includes('- l1: lamp "Anglepoise", 1.96 m, 12 o\'clock, 0.20 x 0.40 x 0.20 m'));
  const turned = facts({ yaw: Math.PI / 2 }).find((line) => line.startsWith("- t1")) ?? "";
  assert.match(turned, /3 o'clock, 1\.20 x 0\.75 x 0\.80 m$/);
  assert.match(facts().find((line) => line.startsWith("- s1")) ?? "", /3 o'clock, 1\.00 x 0\.80 x 2\.00 m$/);
});

test("[CF3] the budget holds, whole lines only", () => {
  for (const tokensMax of [10, 60, 100, 200]) {
    const text = facts({}, tokensMax).join("\n");
    assert.ok(text.length <= tokensMax * 3, `${tokensMax}: ${text.length}`);
    for (const line of text.split("\n").filter((each) => each.startsWith("- "))) assert.match(line, / m$/);
  }
});

test("[CF4] what is attended or named in the question comes first", () => {
  const lines = facts({ attention: [{ entityId: "s1", distanceM: 2.5, dwellMs: 1_200 }] });
  assert.ok(lines.includes("The user faces s1 (couch), 2.50 m away, for 1.2 s."));
  assert.match(lines.find((line) => line.startsWith("- ")) ?? "", /^- s1/);
  assert.match(facts({}, 400, "how old is the sofa?").find((line) => line.startsWith("- ")) ?? "", /^- s1/);
  // The form in which a gateway asks.
  assert.match(contextFacts(plainContext(ROOM), 400, "how old is the sofa?") ?? "", /\n- s1.*\n- c1/);
});

test("[CF5] changes since the last turn are told, older ones are not", () => {
  const changes = [
    { atMs: 1_000, change: "added", entityId: "c1", label: "chair" },
    { atMs: 99_000, change: "moved", entityId: "l1", label: "lamp", from: [0, 0, 0], to: [0, 0, 0.5] },
  ] as const;
  const lines = facts({ changes, atMs: 100_000 });
  assert.ok(lines.includes("Changed since the last turn: l1 (lamp) moved by 0.50 m 1.0 s ago."));
});

test("[CF6] no room and no viewer give no facts", () => {
  assert.equal(buildContextFacts(NO_CONTEXT, { tokensMax: 100 }), undefined);
});
