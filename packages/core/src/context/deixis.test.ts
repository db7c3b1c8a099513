// Rules DX1..DX13 of docs/spec/deixis.md. A room is a list of "label@x,y,z"; a look is a list of [until ms, x, y, z] points
// that the direction goes to and rests on. The viewer stands at the origin, eyes at 1.5 m.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import type { DeixisCandidate, DeixisRequest, DeixisSample } from "./deixis.ts";
import { PointingHistory, SpanHistory } from "./deixis-history.ts";
import { findDeicticWords } from "./deixis-words.ts";
import { resolveDeixis } from "./deixis.ts";

type Vec = readonly [number, number, number];
const EYE: Vec = [0, 1.5, 0];

function thing(id: string, center: Vec, size: Vec = [0.2, 0.2, 0.2]): DeixisCandidate {
  return { id, label: id.replace(/\d+$/, ""), center, size };
}

function unit(v: Vec): Vec {
  const size = Math.hypot(...v);
  return [v[0] / size, v[1] / size, v[2] / size];
}

function toward(p: Vec, from: Vec = EYE): Vec {
  return unit([p[0] - from[0], p[1] - from[1], p[2] - from[2]]);
}

/** Rests on each point until its time, moving there in the last 250 ms before. */
function look(points: readonly (readonly [untilMs: number, point: Vec])[], stepMs = 14): DeixisSample[] {
  const samples: DeixisSample[] = [];
  let index = 0;
  const endMs = points.at(-1)?.[0] ?? 0;
  for (let tMs = 0; tMs <= endMs; tMs += stepMs) {
    while (tMs > (points[index]?.[0] ?? Infinity)) index += 1;
    const [untilMs, point] = points[index] ?? [0, EYE];
    const next = points[index + 1]?.[1] ?? point;
    const share = Math.max(0, 1 - (untilMs - tMs) / 250);
    const a = toward(point);
    const b = toward(next);
    samples.push({ tMs, direction: unit([0, 1, 2].map((i) => a[i]! + (b[i]! - a[i]!) * share) as unknown as Vec) });
  }
  return samples;
}

function resolve(
  candidates: readonly DeixisCandidate[],
  samples: readonly DeixisSample[],
  more: Partial<DeixisRequest> = {},
): string {
  const answer = resolveDeixis({ candidates, origin: EYE, samples, ...more });
  return answer.isAmbiguous
    ? `${answer.id}?${answer.alternatives.map((other) => other.id).join("?")}`
    : String(answer.id);
}

const LAMP = thing("lamp1", [-1, 1, -2]);
const CUP = thing("cup1", [1, 1, -2]);
const VASE = thing("vase1", [0, 1.2, -2]);

test("[DX1] the direction before the word counts, not the one at the end", () => {
  const samples = look([
    [1_000, CUP.center],
    [2_100, LAMP.center],
    [3_000, CUP.center],
  ]);
  assert.equal(resolve([LAMP, CUP, VASE], samples, { wordMs: 2_000 }), "lamp1");
  const answer = resolveDeixis({ candidates: [LAMP, CUP], origin: EYE, samples, wordMs: 2_000 });
  assert.ok(answer.atMs > 1_200 && answer.atMs < 1_900, String(answer.atMs));
});

test("[DX2] a fixation wins against a sweep nearer to the word", () => {
  const samples: DeixisSample[] = look([[1_300, LAMP.center]]);
  // From 1.3 s on the head turns evenly across the vase and the cup.
  for (let tMs = 1_310; tMs < 2_300; tMs += 14) {
    const share = (tMs - 1_300) / 900;
    samples.push({ tMs, direction: toward([-1 + 3 * share, 1.1, -2]) });
  }
  assert.equal(resolve([LAMP, CUP, VASE], samples, { wordMs: 1_900 }), "lamp1");
});

test("[DX3] a class word decides between classes", () => {
  const near = thing("book1", [-0.95, 1, -2]);
  const samples = look([[2_000, near.center]]);
  assert.equal(resolve([LAMP, CUP, near], samples, { wordMs: 1_500, label: "lamp" }), "lamp1");
  assert.equal(resolve([LAMP, CUP, near], samples, { wordMs: 1_500, label: "sofa" }), "undefined?");
});

test("[DX4] a large box in front does not hide the small thing that is meant", () => {
  const table = thing("table1", [0.6, 0.4, -1.6], [1.8, 0.8, 0.9]);
  const cup = thing("cup1", [0, 0.85, -1.6], [0.1, 0.1, 0.1]);
  assert.equal(resolve([table, cup], look([[2_000, cup.center]]), { wordMs: 1_500 }), "cup1");
  assert.equal(resolve([table, cup], look([[2_000, table.center]]), { wordMs: 1_500 }), "table1");
});

test("[DX5] a tie is a question, and a prior settles it", () => {
  const left = thing("box1", [-0.06, 1.2, -2]);
  const right = thing("box2", [0.06, 1.2, -2]);
  const third = thing("box3", [0, 1.26, -2]);
  const samples = look([[2_000, [0, 1.2, -2]]]);
  assert.match(resolve([left, right, third], samples, { wordMs: 1_500 }), /^box\d\?box\d\?box\d$/);
  assert.equal(resolve([left, { ...right, prior: 6 }, third], samples, { wordMs: 1_500 }), "box2");
});

test("[DX6] what is said with confidence is right", () => {
  const seed = 6;
  const random = new SeededRandom(seed);
  let sure = 0;
  let right = 0;
  for (let round = 0; round < 600; round++) {
    const candidates = Array.from({ length: 12 }, (_, i) =>
      thing(`box${i}`, [random.next() * 4 - 2, random.next() * 1.6, -1 - random.next() * 2.5]),
    );
    const target = random.pick(candidates);
    const aim = toward(target.center);
    const direction = unit(aim.map((value) => value + random.gaussian() * 0.07) as unknown as Vec);
    const samples = Array.from({ length: 60 }, (_, i) => ({ tMs: i * 20, direction }));
    const answer = resolveDeixis({ candidates, origin: EYE, samples, wordMs: 1_000 });
    const rest = answer.alternatives.reduce((sum, other) => sum + other.confidence, answer.confidence);
    assert.ok(rest <= 1 + 1e-9 && answer.confidence > 0, `seed ${seed} round ${round}`);
    if (answer.confidence <= 0.9) continue;
    sure += 1;
    if (answer.id === target.id) right += 1;
  }
  assert.ok(sure > 60 && right / sure > 0.9, `${right} of ${sure}`);
});

test("[DX7] oriented boxes and samples' own origins", () => {
  const turned: DeixisCandidate = {
    ...thing("shelf1", [0, 1.5, -3], [4, 0.2, 0.2]),
    orientation: [0, Math.SQRT1_2, 0, Math.SQRT1_2],
  };
  const lamp = thing("lamp1", [1.5, 1.5, -3]);
  // The shelf's long side runs away from the viewer, so a ray 27 degrees to the right meets the lamp.
  assert.equal(resolve([turned, lamp], look([[2_000, [1.4, 1.5, -3]]]), { wordMs: 1_500 }), "lamp1");
  const { orientation: _, ...across } = turned;
  const answer = (candidates: DeixisCandidate[]): number =>
    resolveDeixis({ candidates, origin: EYE, samples: look([[2_000, [1.4, 1.5, -3]]]), wordMs: 1_500 }).confidence;
  assert.ok(answer([across, lamp]) < answer([turned, lamp]));
  const hand: Vec = [2, 1, 0];
  const samples = look([[2_000, CUP.center]]).map(({ tMs }) => ({
    tMs,
    origin: hand,
    direction: toward(CUP.center, hand),
  }));
  assert.equal(resolve([LAMP, CUP, VASE], samples, { wordMs: 1_500 }), "cup1");
});

test("[DX8] nothing to choose from, and words outside the history", () => {
  assert.equal(resolve([], look([[1_000, CUP.center]]), { wordMs: 500 }), "undefined?");
  assert.equal(resolve([CUP], [], { wordMs: 500 }), "undefined?");
  assert.equal(
    resolve(
      [LAMP, CUP],
      look([
        [800, LAMP.center],
        [1_600, CUP.center],
      ]),
      { wordMs: 9_000 },
    ),
    "cup1",
  );
});

test("[DX9] the history keeps ten seconds in order", () => {
  const history = new PointingHistory();
  for (let i = 0; i < 3_000; i++) history.fold((i * 1_000) / 90, 0, 1.5, 0, 0, 0, -1);
  history.fold(5, 0, 0, 0, 1, 0, 0);
  history.fold(1e6, Number.NaN, 0, 0, 1, 0, 0);
  const endMs = (2_999 * 1_000) / 90;
  const all = history.between(0, Infinity);
  assert.ok(endMs - (all[0]?.tMs ?? Infinity) >= 10_000);
  assert.ok(all.every((sample, i) => i === 0 || sample.tMs > (all[i - 1]?.tMs ?? 0)));
  assert.equal(history.between(endMs - 100, endMs).length, 10);
  assert.deepEqual(all.at(-1), { tMs: endMs, origin: [0, 1.5, 0], direction: [0, 0, -1] });
  history.clear();
  assert.equal(history.between(0, Infinity).length, 0);
});

test("[DX10] the span of the hands around the word", () => {
  const spans = new SpanHistory();
  for (let tMs = 0; tMs < 5_000; tMs += 11) spans.fold(tMs, tMs > 1_900 && tMs < 2_700 ? 0.42 : 0.1);
  assert.equal(spans.at(2_200), 0.42);
  assert.equal(spans.at(4_000), 0.1);
  assert.equal(spans.at(20_000), undefined);
});

function find(text: string, labels: readonly string[] = ["lamp", "table", "wall art", "shelf", "chair"]): string {
  const words = text.split(" ").map((word) => ({ text: word }));
  return findDeicticWords(words, { startMs: 0, endMs: 1_000 }, new Set(labels))
    .map(
      (word) =>
        `${word.text}:${word.kind}${word.label === undefined ? "" : `=${word.label}`}${word.isPlural ? "*" : ""}`,
    )
    .join(" ");
}

test("[DX11] pointing words with their class words", () => {
  assert.equal(find("Put that lamp over there."), "that:thing=lamp there:place");
  assert.equal(find("make it this big"), "it:thing this:size");
  assert.equal(find("move those three small chairs here"), "those:thing=chair* here:place");
  assert.equal(find("what is this wall art?"), "this:thing=wall art");
  assert.equal(find("remove these shelves"), "these:thing=shelf*");
});

test("[DX12] words that only look like pointing", () => {
  assert.equal(find("I think that the lamp is on"), "");
  assert.equal(find("there is a lamp"), "");
  assert.equal(find("put that on the table"), "that:thing");
});

test("[DX13] times without stamps", () => {
  const words = [{ text: "put" }, { text: "that" }, { text: "there", startMs: 700 }];
  const found = findDeicticWords(words, { startMs: 100, endMs: 1_600 }, new Set());
  assert.deepEqual(
    found.map((word) => [word.text, Math.round(word.wordMs), word.isEstimated]),
    [
      ["that", 500, true],
      ["there", 700, false],
    ],
  );
});
