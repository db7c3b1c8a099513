// Rules SB1, SG2 of docs/spec/spatial.md. The oracle is alternating projection between the two boxes, which finds the
// nearest points of convex bodies by another way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { normalizeQuat } from "../geometry/quat.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { plainEntity } from "../../testing/plain-room.ts";
import type { Solid } from "./solid.ts";
import { buildSolid } from "./solid.ts";
import { closestPointOf, closestSpan, solidDistance } from "./solid-distance.ts";

function randomSolid(random: SeededRandom, spreadM: number): Solid {
  const at = (): number => (random.next() - 0.5) * spreadM;
  const size = (): number => 0.05 + random.next() * 1.5;
  const turn = (): number => random.next() - 0.5;
  const orientation = random.next() < 0.3 ? ([0, 0, 0, 1] as const) : normalizeQuat([turn(), turn(), turn(), turn()]);
  return buildSolid(plainEntity({ id: "x", at: [at(), at(), at()], size: [size(), size(), size()], orientation }), 0);
}

function projectedDistance(a: Solid, b: Solid): number {
  let p: Vec3 = a.center;
  let q: Vec3 = closestPointOf(b, p);
  for (let round = 0; round < 4_000; round++) {
    p = closestPointOf(a, q);
    q = closestPointOf(b, p);
  }
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

test("[SB1] the distance of turned boxes is that of their nearest points", () => {
  const seed = 11;
  const random = new SeededRandom(seed);
  let apart = 0;
  for (let round = 0; round < 300; round++) {
    const a = randomSolid(random, 4);
    const b = randomSolid(random, 4);
    const expected = projectedDistance(a, b);
    const actual = solidDistance(a, b);
    assert.ok(Math.abs(actual - expected) < 2e-3, `seed ${seed} round ${round}: ${actual} against ${expected}`);
    assert.ok(Math.abs(solidDistance(b, a) - actual) < 1e-9, `seed ${seed} round ${round}: not symmetric`);
    if (expected > 0.01) apart++;
  }
  assert.ok(apart > 100, `only ${apart} pairs were apart`);
});

test("[SB2] the nearest points lie on both boxes and are that far apart", () => {
  const seed = 12;
  const random = new SeededRandom(seed);
  for (let round = 0; round < 200; round++) {
    const a = randomSolid(random, 6);
    const b = randomSolid(random, 6);
    if (solidDistance(a, b) === 0) continue;
    const { from, to, distanceM } = closestSpan(a, b);
    const onA = closestPointOf(a, from);
    const onB = closestPointOf(b, to);
    assert.ok(Math.hypot(onA[0] - from[0], onA[1] - from[1], onA[2] - from[2]) < 1e-9, `seed ${seed} round ${round}`);
    assert.ok(Math.hypot(onB[0] - to[0], onB[1] - to[1], onB[2] - to[2]) < 1e-9, `seed ${seed} round ${round}`);
    assert.ok(Math.abs(Math.hypot(from[0] - to[0], from[1] - to[1], from[2] - to[2]) - distanceM) < 1e-9);
  }
});
