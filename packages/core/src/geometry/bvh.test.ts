// Rules BV1..BV8 of docs/spec/scene.md. `check` builds a random layout from a printed seed and compares every walk with
// brute force; it returns the seeds' mismatches as text, which must be empty.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import type { Bounds } from "./bounds.ts";
import { boundsDistance, rayBounds } from "./bounds.ts";
import { Bvh } from "./bvh.ts";
import { frustumMeetsBounds, frustumPlanes } from "./frustum.ts";
import { fromAxisAngle, multiply } from "./quat.ts";
import type { Vec3 } from "./vec3.ts";
import { normalize, subtract } from "./vec3.ts";

type Question = "first" | "all" | "nearest" | "box" | "frustum";

interface Layout {
  readonly random: SeededRandom;
  readonly boxes: Float64Array;
  readonly count: number;
}

function point(random: SeededRandom, extentM: number): Vec3 {
  const next = (): number => (random.next() - 0.5) * extentM;
  return [next(), next(), next()];
}

function layout(seed: number, count: number): Layout {
  const random = new SeededRandom(seed);
  const boxes = new Float64Array(count * 6);
  for (let item = 0; item < count; item++) writeBox(boxes, item, random);
  return { random, boxes, count };
}

function writeBox(boxes: Float64Array, item: number, random: SeededRandom): void {
  const low = point(random, 20);
  for (let axis = 0; axis < 3; axis++) {
    // Every fifth box is flat on one axis, as planes are.
    const size = random.integer(5) === 0 ? 0 : random.next() * 2;
    boxes[item * 6 + axis] = low[axis]!;
    boxes[item * 6 + axis + 3] = low[axis]! + size;
  }
}

function boundsOf(boxes: Float64Array, item: number): Bounds {
  const at = item * 6;
  return { min: [boxes[at]!, boxes[at + 1]!, boxes[at + 2]!], max: [boxes[at + 3]!, boxes[at + 4]!, boxes[at + 5]!] };
}

const numbers = (items: readonly number[]): string => [...items].sort((a, b) => a - b).join(",");
const all = (count: number): number[] => Array.from({ length: count }, (_, item) => item);

function ask(bvh: Bvh, { random, boxes, count }: Layout, question: Question): [answer: string, expected: string] {
  const origin = point(random, 24);
  const direction = normalize(subtract(point(random, 12), origin));
  const ray = Float64Array.of(...origin, ...direction);
  const limitM = 4 + random.next() * 30;
  if (question === "first") {
    bvh.raycast(ray, limitM);
    const entries = all(count).map((item) => rayBounds({ origin, direction }, boundsOf(boxes, item), limitM));
    return [String(bvh.hitDistanceM), String(Math.min(...entries.map((entry) => entry ?? Infinity)))];
  }
  if (question === "all") {
    const found: number[] = [];
    bvh.raycastAll(ray, limitM, (item) => found.push(item));
    const hit = (item: number): boolean =>
      rayBounds({ origin, direction }, boundsOf(boxes, item), limitM) !== undefined;
    return [numbers(found), numbers(all(count).filter(hit))];
  }
  if (question === "nearest") {
    const items = new Int32Array(8);
    const distances = new Float64Array(8);
    const found = bvh.nearest(Float64Array.of(...origin), items, distances, { distanceMaxM: limitM });
    const expected = all(count)
      .map((item) => boundsDistance({ min: origin, max: origin }, boundsOf(boxes, item)))
      .filter((distanceM) => distanceM <= limitM)
      .sort((a, b) => a - b)
      .slice(0, 8);
    const round = (values: readonly number[]): string => values.map((value) => value.toFixed(9)).join(" ");
    return [round([...distances.subarray(0, found)]), round(expected)];
  }
  const found: number[] = [];
  if (question === "box") {
    const size = random.next() * 5;
    const b: Bounds = { min: origin, max: [origin[0] + size, origin[1] + size, origin[2] + size] };
    bvh.searchBox(Float64Array.of(...b.min, ...b.max), (item) => found.push(item));
    return [numbers(found), numbers(all(count).filter((item) => boundsDistance(b, boundsOf(boxes, item)) === 0))];
  }
  const turn = multiply(fromAxisAngle([0, 1, 0], random.next() * 6), fromAxisAngle([1, 0, 0], random.next() - 0.5));
  const pose = { position: origin, orientation: turn };
  const planes = frustumPlanes({ pose, horizontalRad: 1.5, verticalRad: 1.2, nearM: 0.1, farM: 8 });
  bvh.searchFrustum(planes, (item) => found.push(item));
  return [numbers(found), numbers(all(count).filter((item) => frustumMeetsBounds(planes, boundsOf(boxes, item))))];
}

/** Mismatches over several sizes; `moves` boxes are refitted before asking. Also counts answers that found something. */
function check(question: Question, moves = 0): string {
  const mismatches: string[] = [];
  let nonEmpty = 0;
  for (const [seed, count] of [
    [11, 0],
    [12, 1],
    [13, 5],
    [14, 100],
    [15, 1_000],
  ] as const) {
    const data = layout(seed, count);
    const bvh = new Bvh(data.boxes, count);
    for (let move = 0; move < Math.min(moves, count * 3); move++) {
      const item = data.random.integer(count);
      writeBox(data.boxes, item, data.random);
      bvh.refit(item, data.boxes.subarray(item * 6, item * 6 + 6));
    }
    for (let round = 0; round < 60; round++) {
      const [answer, expected] = ask(bvh, data, question);
      if (answer !== expected) mismatches.push(`seed ${seed} round ${round}: ${answer} instead of ${expected}`);
      if (answer !== "" && answer !== "Infinity") nonEmpty++;
    }
  }
  return nonEmpty < 40 ? `only ${nonEmpty} questions had an answer` : mismatches.slice(0, 3).join("\n");
}

test("[BV1] the first box a ray meets is the one brute force finds", () => assert.equal(check("first"), ""));
test("[BV2] a ray's full list of boxes is that of brute force", () => assert.equal(check("all"), ""));
test("[BV3] the nearest boxes come in order, within the limit", () => assert.equal(check("nearest"), ""));
test("[BV4] a box search finds exactly the boxes that touch", () => assert.equal(check("box"), ""));
test("[BV5] a view volume finds exactly what the plane test finds", () => assert.equal(check("frustum"), ""));
test("[BV6] answers stay exact after boxes have moved", () => {
  for (const question of ["first", "all", "nearest", "box", "frustum"] as const) assert.equal(check(question, 500), "");
});

test("[BV7] a thousand boxes in one place still give a tree and an answer", () => {
  const boxes = new Float64Array(6_000);
  for (let item = 0; item < 1_000; item++) boxes.set([1, 1, 1, 2, 2, 2], item * 6);
  const bvh = new Bvh(boxes, 1_000);
  const found: number[] = [];
  bvh.searchBox(Float64Array.of(0, 0, 0, 1, 1, 1), (item) => found.push(item));
  assert.equal(found.length, 1_000);
});

test("[BV8] an exact test decides over the boxes, and a farther box may win", () => {
  const boxes = Float64Array.of(-1, -1, -2, 1, 1, -1, -1, -1, -5, 1, 1, -4);
  const bvh = new Bvh(boxes, 2);
  const ray = Float64Array.of(0, 0, 0, 0, 0, -1);
  assert.equal(
    bvh.raycast(ray, 10, (item, reach) => {
      reach[1] = 4.5;
      return item !== 0;
    }),
    1,
  );
  assert.equal(bvh.hitDistanceM, 4.5);
  assert.equal(
    bvh.raycast(ray, 10, () => false),
    -1,
  );
});
