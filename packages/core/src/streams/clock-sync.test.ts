// Rules CK1..CK7 of docs/spec/streams.md. `exchange` makes the four stamps of one ping from the two ways' delays.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import type { ClockExchange } from "./clock-sync.ts";
import { ClockSync } from "./clock-sync.ts";

function exchange(t0: number, upMs: number, downMs: number, offsetMs: number): ClockExchange {
  return { t0, t1: t0 + upMs + offsetMs, t2: t0 + upMs + offsetMs + 1, t3: t0 + upMs + 1 + downMs };
}

test("[CK1] an undisturbed exchange is exact", () => {
  for (const [delayMs, offsetMs] of [
    [0, 0],
    [40, 1e9],
    [300, -5e8],
    [5, 0.25],
  ] as const) {
    const estimate = new ClockSync().fold(exchange(1_000, delayMs, delayMs, offsetMs));
    assert.ok(Math.abs((estimate?.offsetMs ?? Number.NaN) - offsetMs) < 1e-6);
    assert.equal(estimate?.rttMs, 2 * delayMs);
  }
});

/** A network with a base of 60 ms and one-sided queueing, lightly loaded half of the time. */
function drive(seed: number, asymmetry: number, driftPpm: number): { excess: number[]; held: number; count: number } {
  const random = new SeededRandom(seed);
  const sync = new ClockSync();
  const differenceMs = 60 * asymmetry;
  const excess: number[] = [];
  let held = 0;
  for (let i = 0; i < 150; i++) {
    const queueMs = -Math.log(1 - random.next()) * (random.next() < 0.5 ? 4 : 40);
    const up = random.next() < 0.5 ? 0.08 : 0.92;
    const isRerouted = i === 60;
    const offset = (t: number): number => 12_345 + t * driftPpm * 1e-6;
    const t0 = i * 1_000;
    const ways = exchange(
      t0,
      30 + differenceMs + queueMs * up + (isRerouted ? 40 : 0),
      30 - differenceMs + queueMs * (1 - up),
      offset(t0),
    );
    const estimate = sync.fold(ways);
    if (i < 19 || estimate === undefined) continue;
    const error = Math.abs(sync.offsetAt(ways.t3) - offset(ways.t3));
    excess.push(Math.max(0, error - Math.abs(differenceMs)));
    if (error <= estimate.errorMs) held += 1;
  }
  return { excess, held, count: excess.length };
}

test("[CK2] queueing, drift and a route change move the estimate by little", () => {
  const all: number[] = [];
  const random = new SeededRandom(2);
  for (let seed = 1; seed <= 30; seed++) all.push(...drive(seed, 0.05 * random.gaussian(), 50).excess);
  all.sort((a, b) => a - b);
  const p95 = all[Math.floor(all.length * 0.95)] ?? Infinity;
  assert.ok(p95 <= 2.5, `p95 ${p95.toFixed(2)} ms`);
});

test("[CK3] the bound holds", () => {
  const random = new SeededRandom(3);
  let held = 0;
  let count = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const run = drive(seed, 0.05 * random.gaussian(), 20);
    held += run.held;
    count += run.count;
  }
  assert.ok(held / count >= 0.95, `${((100 * held) / count).toFixed(1)} %`);
});

test("[CK4] drift is found and used between exchanges", () => {
  const sync = new ClockSync();
  for (let i = 0; i < 64; i++) sync.fold(exchange(i * 2_000, 20, 20, i * 2_000 * 1e-4));
  assert.ok(Math.abs((sync.estimate?.driftPpm ?? 0) - 100) < 5);
  assert.ok(Math.abs(sync.offsetAt(160_000) - 16) < 0.2);
  assert.ok(Math.abs(sync.toSessionMs(160_016) - 160_000) < 0.2);
});

test("[CK5] a set clock is followed after two exchanges, a stray exchange is not", () => {
  const sync = new ClockSync();
  for (let i = 0; i < 30; i++) sync.fold(exchange(i * 1_000, 20, 20, 100));
  sync.fold(exchange(30_000, 20, 20, 5_000));
  assert.ok(Math.abs((sync.estimate?.offsetMs ?? 0) - 100) < 1);
  sync.fold(exchange(31_000, 20, 20, 100));
  sync.fold(exchange(32_000, 20, 20, 5_000));
  sync.fold(exchange(33_000, 20, 20, 5_000));
  assert.ok(Math.abs((sync.estimate?.offsetMs ?? 0) - 5_000) < 1);
});

test("[CK6] impossible stamps are refused", () => {
  const sync = new ClockSync();
  sync.fold(exchange(0, 20, 20, 100));
  assert.equal(sync.fold({ t0: 1_000, t1: 1_120, t2: 1_110, t3: 1_040 }), undefined);
  assert.equal(sync.fold({ t0: 1_000, t1: 1_120, t2: 1_121, t3: 990 }), undefined);
  assert.equal(sync.fold({ t0: 1_000, t1: 1_120, t2: 1_190, t3: 1_040 }), undefined);
  assert.equal(sync.fold({ t0: 1_000, t1: Number.NaN, t2: 1_121, t3: 1_040 }), undefined);
  assert.equal(sync.estimate?.exchanges, 1);
});

test("[CK7] the shown clock never runs backwards and slews", () => {
  const seed = 77;
  const random = new SeededRandom(seed);
  const sync = new ClockSync();
  let shown = -Infinity;
  let client = 50_000;
  for (let i = 0; i < 5_000; i++) {
    if (i % 90 === 0) sync.fold(exchange(i * 11, 20 + random.next() * 200, 20 + random.next() * 30, 50_000));
    const step = random.next() * 22;
    client += step;
    const next = sync.advanceTo(client);
    assert.ok(next >= shown, `seed ${seed} step ${i}`);
    if (i > 0) assert.ok(Math.abs(next - shown - step) <= step * 0.02 + 1e-6, `seed ${seed} step ${i}`);
    shown = next;
  }
});
