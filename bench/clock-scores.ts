// G19 of the algorithms reference: clock offset over the 13 ping series with more than 60 rows, seeds 0 to 9, one exchange a
// second. Round trip ~ N(avg, sd) within [min, max]; base = 5th percentile of the minima, split in two with 5 % deviation;
// queueing split by Beta(0.7, 0.7). Errors are counted from the 20th exchange on. Simulated on measured delays.
// Run: node --conditions=@fovea/source bench/clock-scores.ts
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { ClockSync } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";

const DATA = process.env["FOVEA_DATA"] ?? "../shared/data";

interface Ping {
  readonly avg: number;
  readonly min: number;
  readonly max: number;
  readonly sd: number;
}

function readSeries(): Ping[][] {
  const lines = gunzipSync(readFileSync(`${DATA}/network/ucc_5g_ping.csv.gz`))
    .toString("utf8")
    .trim()
    .split("\n");
  const header = lines[0]!.split(",");
  const column = (name: string): number => header.indexOf(name);
  const byFile = new Map<string, Ping[]>();
  for (const line of lines.slice(1)) {
    const cells = line.split(",");
    const number = (name: string): number => Number.parseFloat(cells[column(name)] ?? "");
    const ping = { avg: number("PINGAVG"), min: number("PINGMIN"), max: number("PINGMAX"), sd: number("PINGSTDEV") };
    if (!Object.values(ping).every(Number.isFinite)) continue;
    const file = cells[column("file")]!;
    const series = byFile.get(file) ?? [];
    series.push(ping);
    byFile.set(file, series);
  }
  return [...byFile.values()].filter((series) => series.length > 60);
}

/** Marsaglia and Tsang 2000, boosted for shapes below 1. */
function gamma(shape: number, random: SeededRandom): number {
  if (shape < 1) return gamma(shape + 1, random) * random.next() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.gaussian();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

function beta(shape: number, random: SeededRandom): number {
  const a = gamma(shape, random);
  return a / (a + gamma(shape, random));
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

function play(driftPpm: number, hasRouteChange: boolean): string {
  const errors: number[] = [];
  const floor: number[] = [];
  let held = 0;
  for (const series of readSeries()) {
    const base = quantile(
      series.map((ping) => ping.min),
      0.05,
    );
    for (let seed = 0; seed < 10; seed++) {
      const random = new SeededRandom(seed * 1_000 + series.length);
      const upShare = 0.5 + 0.05 * random.gaussian();
      const trueAtStart = (random.next() - 0.5) * 1e6;
      const changeAt = 20 + random.integer(Math.max(1, series.length - 30));
      const sync = new ClockSync();
      series.forEach((ping, i) => {
        const drawn = Math.min(ping.max, Math.max(ping.min, ping.avg + ping.sd * random.gaussian()));
        const queue = Math.max(0, drawn - base);
        const split = beta(0.7, random);
        const isChanged = hasRouteChange && i === changeAt;
        const upMs = base * upShare + queue * split + (isChanged ? 40 : 0);
        const downMs = base * (1 - upShare) + queue * (1 - split);
        const t0 = i * 1_000;
        const offset = (t: number): number => trueAtStart + t * driftPpm * 1e-6;
        const t1 = t0 + upMs + offset(t0 + upMs);
        const t3 = t0 + upMs + 0.2 + downMs;
        const estimate = sync.fold({ t0, t1, t2: t1 + 0.2, t3 });
        if (i < 19 || estimate === undefined) return;
        const error = Math.abs(sync.offsetAt(t3) - offset(t3));
        errors.push(error);
        floor.push(Math.abs(base * (upShare - 0.5)));
        if (error <= estimate.errorMs) held += 1;
      });
    }
  }
  const text = (values: number[]): string => [0.5, 0.95, 0.99].map((q) => quantile(values, q).toFixed(2)).join(" / ");
  return `p50 / p95 / p99 ${text(errors)} ms, bound holds in ${((100 * held) / errors.length).toFixed(1)} %, floor ${text(floor)}`;
}

console.log(`20 ppm:                     ${play(20, false)}`);
console.log(`50 ppm and 1 s route change: ${play(50, true)}`);
