// One dark provider of three (resilience.md, goal R3): how much of it a user feels, over several seeds of virtual time. 20
// turns a second, times to first content lognormal (median 0.45 s, sigma 0.65); provider 0 hangs from second 60 to 100.
// Run: node --conditions=@fovea/source bench/outage-scores.ts     FOVEA_SEEDS=20 for more
import type { Day, DayOptions } from "../test/resilience/simulated-day.ts";
import { playDay } from "../test/resilience/simulated-day.ts";

const SEEDS = Number(process.env["FOVEA_SEEDS"] ?? 6);
const TURNS = 3_600;
const OUTAGE = { fromMs: 60_000, toMs: 100_000 };
/** Three deadlines of at most four seconds. */
const SETTLED_MS = 12_000;

function day(seed: number, kind: "dark" | "brown-out" | undefined, more: Partial<DayOptions> = {}): Promise<Day> {
  const faults = kind === undefined ? [] : [{ provider: 0, kind, ...OUTAGE }];
  return playDay({ seed, providers: 3, turns: TURNS, turnEveryMs: 50, commit: "token", faults, ...more });
}

function firstContents({ turns }: Day): readonly number[] {
  return turns
    .filter(({ startMs }) => startMs >= OUTAGE.fromMs && startMs < OUTAGE.toMs)
    .flatMap(({ startMs, firstContentMs }) => (firstContentMs === undefined ? [] : [firstContentMs - startMs]))
    .sort((a, b) => a - b);
}

function ratioAt(share: number, of: Day, to: Day): number {
  const at = (values: readonly number[]): number => values[Math.floor(values.length * share)] ?? NaN;
  return at(firstContents(of)) / at(firstContents(to));
}

function shareOfFirst({ calls }: Day, fromMs: number, toMs: number): number {
  const within = calls.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  return within.filter(({ provider }) => provider === 0).length / within.length;
}

const rows: Record<string, number>[] = [];
for (let seed = 1; seed <= SEEDS; seed++) {
  const healthy = await day(seed, undefined);
  const dark = await day(seed, "dark");
  const brown = await day(seed, "brown-out");
  const bare = await day(seed, "dark", { hedgeShare: 0 });
  rows.push({
    "p95 against healthy (goal 1.15)": ratioAt(0.95, dark, healthy),
    "p99 against healthy (goal 1.5)": ratioAt(0.99, dark, healthy),
    "brown-out p95": ratioAt(0.95, brown, healthy),
    "brown-out p99": ratioAt(0.99, brown, healthy),
    "p99 without hedges": ratioAt(0.99, bare, healthy),
    "extra calls, % (goal 10)": (dark.calls.length / TURNS - 1) * 100,
    "extra calls without a fault, %": (healthy.calls.length / TURNS - 1) * 100,
    "dead cell after three deadlines, % (goal 2)": shareOfFirst(dark, OUTAGE.fromMs + SETTLED_MS, OUTAGE.toMs) * 100,
    "share within a minute after repair, of an equal one (goal 0.8)":
      shareOfFirst(dark, OUTAGE.toMs + 30_000, OUTAGE.toMs + 80_000) * 3,
    "turns that ended in an error": dark.turns.filter(({ outcome }) => outcome === "error").length,
  });
}
for (const name of Object.keys(rows[0] ?? {})) {
  const values = rows.map((row) => row[name] ?? NaN);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  console.log(`${name}: ${mean.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`);
}
