// Rules HH1..HH3 and FL1..FL4 of docs/spec/turn-taking.md.
import assert from "node:assert/strict";
import test from "node:test";
import type { FloorVerdict } from "./floor.ts";
import { Floor } from "./floor.ts";
import { estimateWords, HeardHistory } from "./heard-history.ts";

const TEXT = "The lamp is on the table. It is lit.";

test("[HH1] heard is what was played to its end", () => {
  const history = new HeardHistory();
  history.append("a", "The lamp ", [
    { text: "The", startMs: 0, endMs: 200 },
    { text: "lamp", startMs: 200, endMs: 600 },
  ]);
  history.append("a", "is on.", [
    { text: "is", startMs: 600, endMs: 700 },
    { text: "on.", startMs: 700, endMs: 900 },
  ]);
  const heard = [100, 600, 300, 750, Number.NaN, 900].map((playedMs) => {
    history.played("a", playedMs);
    return history.heardText("a");
  });
  assert.deepEqual(heard, ["", "The lamp", "The lamp", "The lamp is", "The lamp is", "The lamp is on."]);
  assert.equal(history.heardText("unknown"), "");
});

test("[HH2] estimates share the true length", () => {
  const words = estimateWords(TEXT, 3_000);
  assert.equal(Math.round(words.at(-1)?.endMs ?? 0), 3_000);
  const history = new HeardHistory();
  history.append("a", TEXT);
  history.setDuration("a", 3_000);
  history.played("a", 1_500);
  const count = history.heardText("a").split(" ").length;
  assert.ok(count >= 4 && count <= 5, history.heardText("a"));
});

test("[HH3] truncation is whole and within the audio", () => {
  const history = new HeardHistory();
  history.append("a", TEXT);
  history.setDuration("a", 2_000.7);
  history.played("a", 1_234.56);
  assert.equal(history.truncateMs("a"), 1_234);
  history.played("a", 9_999);
  assert.equal(history.truncateMs("a"), 2_000);
  for (let i = 0; i < 100; i++) history.append(`item ${i}`, "x");
  assert.equal(history.truncateMs("a"), 0, "the oldest items are forgotten");
});

const said = (speakerId: string, startMs: number, text: string, looksAtAgent = false, levelDb = -30) => ({
  speakerId,
  startMs,
  endMs: startMs + 1_000,
  text,
  looksAtAgent,
  levelDb,
});
const show = (verdict: FloorVerdict): string => {
  if (verdict.verdict === "answer") return `answer: ${verdict.because}`;
  if (verdict.verdict === "queued") return `queued ${verdict.position}`;
  return verdict.verdict === "echo" ? `echo of ${verdict.of}` : "overheard";
};

test("[FL1] who addresses the agent", () => {
  const floor = new Floor(["Fovea"]);
  assert.equal(show(floor.decide(said("ann", 0, "nice weather"))), "overheard");
  assert.equal(show(floor.decide(said("ann", 2_000, "what is that", true))), "answer: looked");
  floor.answered(5_000);
  assert.equal(show(floor.decide(said("ann", 7_000, "and behind it"))), "answer: holder");
  floor.answered(10_000);
  assert.equal(show(floor.decide(said("ann", 20_000, "let us go"))), "overheard");
  assert.equal(show(floor.decide(said("bob", 30_000, "hey Fovea, stop"))), "answer: named");
});

test("[FL2] others wait in order, one question each", () => {
  const floor = new Floor(["fovea"]);
  floor.decide(said("ann", 0, "one", true));
  assert.deepEqual(
    ["bob", "cid", "bob", "dan"].map((who, i) =>
      show(floor.decide(said(who, 2_000 + 1_500 * i, `question ${i}`, true))),
    ),
    ["queued 1", "queued 2", "queued 1", "queued 3"],
  );
  assert.deepEqual(
    [1, 2, 3, 4].map((i) => floor.answered(i * 10_000)?.text),
    ["question 2", "question 1", "question 3", undefined],
  );
});

test("[FL3] one voice through two microphones", () => {
  const floor = new Floor(["fovea"]);
  assert.equal(show(floor.decide(said("ann", 0, "what is that", true, -20))), "answer: looked");
  assert.equal(show(floor.decide(said("bob", 40, "what is that", true, -32))), "echo of ann");
});

test("[FL4] interrupting and leaving", () => {
  const floor = new Floor(["fovea"]);
  floor.decide(said("ann", 0, "one", true));
  assert.deepEqual(
    [
      floor.mayInterrupt("ann", false, 100),
      floor.mayInterrupt("bob", false, 100),
      floor.mayInterrupt("bob", true, 100),
    ],
    [true, false, true],
  );
  floor.decide(said("bob", 2_000, "two", true));
  floor.leave("bob");
  floor.leave("ann");
  assert.deepEqual([floor.answered(3_000), floor.holder], [undefined, undefined]);
});
