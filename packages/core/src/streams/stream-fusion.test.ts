// Rules SF1..SF3 of docs/spec/streams.md.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { angleTo, fromYaw } from "../geometry/quat.ts";
import { StreamFusion } from "./stream-fusion.ts";
import type { FusedSample, MultiModalStream, TimedSample } from "./stream-types.ts";

function member(id: string, join: MultiModalStream["join"]): MultiModalStream {
  const config = { sessionId: "s", kind: "app", rateHz: 50 } as const;
  return { handle: { id, config, stats: () => assert.fail("not asked"), close: () => undefined }, join };
}

function pose(timeMs: number): TimedSample {
  return { timeMs, value: { pose: { position: [timeMs / 1_000, 0, 0], orientation: fromYaw(timeMs / 500) } } };
}

function numbers(timeMs: number): TimedSample {
  return { timeMs, value: { numbers: Float32Array.from([timeMs, -timeMs]) } };
}

const STREAMS = [
  member("head", "interpolate"),
  member("hand", "interpolate"),
  member("words", "window"),
  member("mode", "latest"),
];

interface Arrival {
  readonly streamId: string;
  readonly sample: TimedSample;
  readonly atMs: number;
}

function play(arrivals: readonly Arrival[], waitMs: number): FusedSample[] {
  const fusion = new StreamFusion(STREAMS, { rateHz: 50, waitMs, reorderMs: 450, gapMs: 100 });
  const fused: FusedSample[] = [];
  for (const { streamId, sample, atMs } of arrivals.toSorted((a, b) => a.atMs - b.atMs)) {
    fusion.fold(streamId, sample);
    fused.push(...fusion.advance(atMs));
  }
  return fused;
}

test("[SF1] any order of arrival within the wait gives the timeline of perfect arrival", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(seed);
    const samples: { streamId: string; sample: TimedSample }[] = [];
    for (let t = 0; t < 2_000; t += 11) samples.push({ streamId: "head", sample: pose(t) });
    for (let t = 3; t < 2_000; t += 17) samples.push({ streamId: "hand", sample: numbers(t) });
    for (let t = 5; t < 2_000; t += 90 + random.integer(200))
      samples.push({ streamId: "words", sample: { timeMs: t, value: { data: t } } });
    for (let t = 7; t < 2_000; t += 300) samples.push({ streamId: "mode", sample: { timeMs: t, value: { data: t } } });
    // Where a stream sleeps, the wait decides; both plays must have waited equally, so each ends with the same late tick.
    const end = { streamId: "mode", sample: { timeMs: 2_100, value: { data: 0 } }, atMs: 3_000 };
    const perfect = play([...samples.map((entry) => ({ ...entry, atMs: entry.sample.timeMs })), end], 500);
    const shuffled = play(
      [...samples.map((entry) => ({ ...entry, atMs: entry.sample.timeMs + random.next() * 450 })), end],
      500,
    );
    const comparable = (list: FusedSample[]): unknown =>
      list.filter(({ timeMs }) => timeMs < 1_400).map(({ timeMs, values }) => ({ timeMs, values }));
    assert.deepEqual(comparable(shuffled), comparable(perfect), `seed ${seed}`);
    assert.ok(perfect.length > 90);
  }
});

test("[SF2] interpolation, gaps, held values and windows", () => {
  const at = (value: unknown): FusedSample["values"] => (value as FusedSample).values;
  const fusion = new StreamFusion(STREAMS, { rateHz: 50, waitMs: 10_000, gapMs: 100 });
  for (const t of [0, 30, 60, 300, 330]) {
    fusion.fold("head", pose(t));
    fusion.fold("hand", numbers(t));
  }
  for (const t of [5, 25, 32, 400]) fusion.fold("words", { timeMs: t, value: { data: t } });
  for (const t of [10, 400]) fusion.fold("mode", { timeMs: t, value: { data: t } });
  const fused = new Map(fusion.advance(0).map((sample) => [sample.timeMs, sample]));
  const head = at(fused.get(40))["head"] as unknown as {
    pose: { position: number[]; orientation: readonly [number, number, number, number] };
  };
  assert.ok(Math.abs((head.pose.position[0] ?? 0) - 0.04) < 1e-9);
  assert.ok(angleTo(head.pose.orientation, fromYaw(40 / 500)) < 1e-6);
  assert.deepEqual(at(fused.get(20))["hand"], { numbers: Float32Array.from([20, -20]) });
  assert.equal(at(fused.get(200))["head"], undefined, "a gap of 240 ms");
  assert.deepEqual(
    (at(fused.get(40))["words"] as readonly TimedSample[]).map((word) => word.timeMs),
    [25, 32],
  );
  assert.equal(at(fused.get(60))["words"], undefined);
  assert.deepEqual(at(fused.get(300))["mode"], { data: 10 });
  assert.equal(at(fused.get(0))["mode"], undefined);
});

test("[SF3] a silent stream is waited for, then named, then refused", () => {
  const fusion = new StreamFusion([member("head", "interpolate"), member("hand", "interpolate")], {
    rateHz: 50,
    waitMs: 200,
    gapMs: 100,
  });
  for (let t = 0; t <= 400; t += 10) fusion.fold("head", pose(t));
  for (let t = 0; t <= 100; t += 10) fusion.fold("hand", numbers(t));
  assert.equal(fusion.advance(290).at(-1)?.timeMs, 100);
  const waited = fusion.advance(500);
  assert.deepEqual(
    waited.map(({ timeMs, missing }) => `${timeMs}${missing.join()}`),
    ["120hand", "140hand", "160hand", "180hand", "200hand", "220hand", "240hand", "260hand", "280hand", "300hand"],
  );
  assert.equal(fusion.fold("hand", numbers(290)), false);
  assert.equal(fusion.fold("hand", numbers(310)), true);
});
