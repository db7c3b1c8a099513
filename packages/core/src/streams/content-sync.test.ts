// Rule SY1 of docs/spec/streams.md. One movement is seen by two sources with their own rates, noise and clocks.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import type { SignalPoint } from "./content-sync.ts";
import { estimateContentOffset } from "./content-sync.ts";

/** Bumps at random times: claps, nods, words. */
function activity(random: SeededRandom): (timeMs: number) => number {
  const bumps = Array.from({ length: 14 }, () => ({ at: random.next() * 12_000, width: 60 + random.next() * 120 }));
  return (timeMs) => bumps.reduce((sum, { at, width }) => sum + Math.exp(-(((timeMs - at) / width) ** 2)), 0);
}

function watch(
  signal: (timeMs: number) => number,
  rateHz: number,
  offsetMs: number,
  random: SeededRandom,
): SignalPoint[] {
  return Array.from({ length: 12 * rateHz }, (_, i) => {
    const trueMs = (i * 1_000) / rateHz;
    return { timeMs: trueMs + offsetMs, value: 3 * signal(trueMs) + 0.2 * random.gaussian() };
  });
}

test("[SY1] the offset of two views of one movement is found within 15 ms, and unrelated signals are not believed", () => {
  let believed = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const signal = activity(random);
    const offsetMs = random.next() * 1_600 - 800;
    const found = estimateContentOffset(watch(signal, 72, 0, random), watch(signal, 50, -offsetMs, random));
    assert.ok(
      found !== undefined && Math.abs(found.offsetMs - offsetMs) <= 15,
      `seed ${seed}: ${found?.offsetMs} ${offsetMs}`,
    );
    assert.ok(found.confidence >= 0.5, `seed ${seed}: ${found.confidence}`);
    const other = estimateContentOffset(watch(signal, 72, 0, random), watch(activity(random), 50, 0, random));
    if ((other?.confidence ?? 0) >= 0.5) believed += 1;
  }
  assert.ok(believed <= 1, String(believed));
  assert.equal(estimateContentOffset([], []), undefined);
  const short = Array.from({ length: 20 }, (_, i) => ({ timeMs: i * 10, value: i % 3 }));
  assert.equal(estimateContentOffset(short, short), undefined);
});
