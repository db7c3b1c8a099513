// Rules SD1..SD8 of docs/spec/resilience.md. FOVEA_SEEDS sets how many seeds are played (1,000 when nothing is said).
import assert from "node:assert/strict";
import test from "node:test";
import type { Day, DayOptions } from "./simulated-day.ts";
import { playDay, randomFaults, STORY } from "./simulated-day.ts";

const SEEDS = Number(process.env["FOVEA_SEEDS"] ?? 1_000);
const OUTCOMES = ["complete", "resumed", "degraded", "error"];
const TURNS = 8;

function dayOf(seed: number, more: Partial<DayOptions> = {}): DayOptions {
  const turnEveryMs = 700 + (seed % 7) * 300;
  return {
    seed,
    providers: 3,
    turns: TURNS,
    turnEveryMs,
    faults: randomFaults(seed, 3, TURNS * turnEveryMs + 10_000),
    commit: seed % 2 === 0 ? "sentence" : "token",
    ...more,
  };
}

function complaintsOf(day: Day, options: DayOptions): string[] {
  const complaints = [...day.violations];
  if (day.turns.length !== options.turns) complaints.push(`${day.turns.length} turns of ${options.turns}`);
  for (const [index, turn] of day.turns.entries()) {
    const about = `turn ${index} (${turn.outcome})`;
    if (turn.ends !== 1 || !OUTCOMES.includes(turn.outcome)) complaints.push(`${about} ended ${turn.ends} times`);
    if (turn.endMs - turn.startMs > (options.deadlineMs ?? 20_000) + 1)
      complaints.push(`${about} took ${turn.endMs - turn.startMs} ms`);
    if (turn.outcome === "error") {
      if (!STORY.startsWith(turn.text)) complaints.push(`${about} delivered no beginning: ${turn.text}`);
    } else if (turn.text !== STORY) complaints.push(`${about} delivered: ${turn.text}`);
  }
  const extra = day.calls.length - options.turns;
  const allowed = 10 + 0.1 * options.turns + 20 * 3 + 0.2 * options.turns;
  if (extra > allowed) complaints.push(`${extra} extra calls, allowed ${allowed}`);
  return complaints;
}

test("[SD1] [SD2] [SD3] [SD4] [SD6] every turn of a thousand bad days ends well, or says so", async () => {
  const counts: Record<string, number> = {};
  let turns = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const options = dayOf(seed);
    const day = await playDay(options);
    assert.deepEqual(complaintsOf(day, options), [], `seed ${seed}`);
    for (const turn of day.turns) counts[turn.outcome] = (counts[turn.outcome] ?? 0) + 1;
    turns += day.turns.length;
  }
  assert.ok((counts["resumed"] ?? 0) > turns / 300, `the simulation broke streams: ${JSON.stringify(counts)}`);
  assert.ok((counts["error"] ?? 0) <= turns / 200, JSON.stringify(counts));
});

test("[SD5] the same seed gives the same trace", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const [first, again, other] = [
      await playDay(dayOf(seed)),
      await playDay(dayOf(seed)),
      await playDay(dayOf(seed + 100)),
    ];
    assert.equal(first.hash, again.hash, `seed ${seed}`);
    assert.notEqual(first.hash, other.hash);
  }
});

/** Turns that end in an error over twenty days on which the first provider does nothing but break answers. */
async function errorsUnder(kind: "cut" | "stall", controls: Partial<DayOptions>): Promise<number> {
  let errors = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const day = await playDay(dayOf(seed, { faults: [{ provider: 0, kind, fromMs: 0, toMs: 60_000 }], ...controls }));
    errors += day.turns.filter((turn) => turn.outcome === "error").length;
  }
  return errors;
}

test("[SD6] negative control: without rescue an answer that is cut ends in an error", async () => {
  assert.equal(await errorsUnder("cut", {}), 0);
  const without = await errorsUnder("cut", { canRescue: false });
  assert.ok(without >= 20, `${without} without`);
});

test("[SD8] negative control: without deadlines an answer that stalls is waited for in vain", async () => {
  assert.equal(await errorsUnder("stall", {}), 0);
  const without = await errorsUnder("stall", { hasDeadlines: false });
  assert.ok(without >= 20, `${without} without`);
});

const TURNS_LONG = 3_600;
const dark = (fault: boolean, more: Partial<DayOptions> = {}): DayOptions => ({
  seed: 1,
  providers: 3,
  turns: TURNS_LONG,
  turnEveryMs: 50,
  commit: "token",
  faults: fault ? [{ provider: 0, kind: "dark", fromMs: 60_000, toMs: 100_000 }] : [],
  ...more,
});

function firstContents(day: Day, fromMs = 60_000, toMs = 100_000): number[] {
  const times = day.turns
    .filter((turn) => turn.startMs >= fromMs && turn.startMs < toMs && turn.firstContentMs !== undefined)
    .map((turn) => (turn.firstContentMs ?? 0) - turn.startMs);
  return times.sort((a, b) => a - b);
}
const percentile = (times: readonly number[], share: number): number => times[Math.floor(times.length * share)] ?? NaN;

test("[SD7] one dark provider of three is hardly felt", async (t) => {
  const healthy = await playDay(dark(false));
  const faulty = await playDay(dark(true));
  const bare = await playDay(dark(true, { hedgeShare: 0 }));
  const reference = firstContents(healthy);
  const inside = firstContents(faulty);
  const p95 = percentile(inside, 0.95) / percentile(reference, 0.95);
  const p99 = percentile(inside, 0.99) / percentile(reference, 0.99);
  const extra = faulty.calls.length / TURNS_LONG - 1;
  const share = (day: Day, fromMs: number, toMs: number): number => {
    const calls = day.calls.filter((call) => call.atMs >= fromMs && call.atMs < toMs);
    return calls.filter((call) => call.provider === 0).length / calls.length;
  };
  const dead = share(faulty, 60_000 + 12_000, 100_000);
  const before = share(faulty, 0, 60_000);
  const back = share(faulty, 160_000, 180_000) / before;
  t.diagnostic(
    `p95 ${p95.toFixed(2)}×, p99 ${p99.toFixed(2)}×, extra ${(extra * 100).toFixed(1)} %, dead ${(dead * 100).toFixed(2)} %, back ${back.toFixed(2)}`,
  );
  t.diagnostic(
    `without hedging p99 ${(percentile(firstContents(bare), 0.99) / percentile(reference, 0.99)).toFixed(2)}×`,
  );
  assert.ok(p95 <= 1.15, `p95 ${p95}`);
  assert.ok(p99 <= 1.5, `p99 ${p99}`);
  assert.ok(extra <= 0.1, `extra ${extra}`);
  assert.ok(dead < 0.02, `dead ${dead}`);
  assert.ok(back >= 0.8, `back ${back}`);
  assert.equal(faulty.turns.filter((turn) => turn.outcome === "error").length, 0);
  assert.ok(percentile(firstContents(bare), 0.99) > percentile(inside, 0.99) * 1.2, "hedging earns its place");
});
