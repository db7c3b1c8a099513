// Balancing and hedging on recorded traffic and real endpoint latencies (algorithms.md section 7, goals G22 and G24). The
// policy is asked through the operations of the bench adapter, so what is scored is what a scorer outside would see.
//   node --conditions=@fovea/source bench/balancing-scores.ts          10 seeds; FOVEA_SEEDS=2 for fewer
// FOVEA_HELD_BACK=1 plays the part of the trace that nothing was tuned on, with other seeds.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { SeededRandom } from "@fovea/core/testing";
import type { AdapterOps } from "./adapter/adapter-ops.ts";
import { balancingOps } from "./adapter/balancing.ts";
import { p2cEwmaOps } from "./balancing/p2c-ewma.ts";
import type { Played, Scenario } from "./balancing/endpoint-simulation.ts";
import { play } from "./balancing/endpoint-simulation.ts";

const DATA = join(process.env["FOVEA_DATA"] ?? "../shared/data", "traffic");
const SEEDS = Number(process.env["FOVEA_SEEDS"] ?? 10);
const IS_HELD_BACK = process.env["FOVEA_HELD_BACK"] === "1";
const FIRST_SEED = IS_HELD_BACK ? 1_000 : 0;
const NAMES = ["anyscale", "bedrock", "fireworks", "groq", "lepton", "perplexity", "replicate", "together"];

interface Recorded {
  readonly ttft_s?: number | null;
  readonly inter_token_latency_s?: number;
}
const text = (name: string): string => gunzipSync(readFileSync(join(DATA, name))).toString();
const samples = new Map(
  NAMES.map((name) => [
    name,
    (JSON.parse(text(`llmperf_individual/${name}_70b.json.gz`)) as Recorded[]).flatMap((item) =>
      typeof item.ttft_s === "number" ? [{ ttftS: item.ttft_s, perTokenS: item.inter_token_latency_s ?? 0.03 }] : [],
    ),
  ]),
);
const samplesOf = (name: string): Scenario["endpoints"][number] => samples.get(name) ?? [];
const trace = text("AzureLLMInferenceTrace_conv.csv.gz").trim().split("\n").slice(1);
const azure = (IS_HELD_BACK ? trace.slice(-12_000) : trace.slice(0, 12_000)).map((line) => {
  const [stamp = "", , output = "0"] = line.split(",");
  return { at: Date.parse(`${stamp.slice(0, 23).replace(" ", "T")}Z`) / 1_000, output: Math.min(300, Number(output)) };
});
const startS = azure[0]?.at ?? 0;

/** 60 a second for about 1.5 s, then about 34 s of rest. */
function bursts(random: SeededRandom): { at: number; output: number }[] {
  const found: { at: number; output: number }[] = [];
  const exponential = (mean: number): number => -mean * Math.log(1 - random.next());
  for (let t = 0; found.length < 8_000; t += exponential(34)) {
    const end = t + exponential(1.5);
    for (t += exponential(1 / 60); t < end && found.length < 8_000; t += exponential(1 / 60))
      found.push({ at: t, output: Math.min(300, Math.max(1, Math.round(13 * Math.exp(random.gaussian())))) });
    t = Math.max(t, end);
  }
  return found;
}

const recorded = (): { at: number; output: number }[] => azure.map(({ at, output }) => ({ at: at - startS, output }));
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  hetero: { endpoints: NAMES.map(samplesOf), slots: 10, slow: 3, arrivals: recorded },
  equal: { endpoints: NAMES.map(() => samplesOf("fireworks")), slots: 6, slow: 4, arrivals: recorded },
  bursty: { endpoints: NAMES.map(samplesOf), slots: 10, slow: 3, arrivals: bursts },
};
const GOAL_P99_S: Readonly<Record<string, number>> = { hetero: 1.05, equal: 4 };

function mean(rows: readonly Played[], key: keyof Played): number {
  return rows.reduce((sum, row) => sum + row[key], 0) / rows.length;
}

function line(rows: readonly Played[]): string {
  const worst = Math.max(...rows.map((row) => row.p99));
  return (
    `p50 ${mean(rows, "p50").toFixed(2)} p95 ${mean(rows, "p95").toFixed(2)} p99 ${mean(rows, "p99").toFixed(2)} s ` +
    `(worst seed ${worst.toFixed(2)}), end to end p99 ${mean(rows, "endP99").toFixed(1)} s, ` +
    `extra ${(mean(rows, "extra") * 100).toFixed(1)} %, failed ${mean(rows, "failed")}, ` +
    `recovery ${mean(rows, "recovery").toFixed(2)}`
  );
}

function playSeeds(scenario: Scenario, gateways: number, ops: () => AdapterOps, variant = {}): Played[] {
  return Array.from({ length: SEEDS }, (_, seed) =>
    play(scenario, { seed: seed + FIRST_SEED, gateways, ops, hasHedges: true, ...variant }),
  );
}

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  const rows = playSeeds(scenario, 1, balancingOps);
  const goal = GOAL_P99_S[name];
  console.log(`${name}: ${line(rows)}${goal === undefined ? "" : `; goal p99 ≤ ${goal}`}`);
  console.log(`  no hedges: ${line(playSeeds(scenario, 1, balancingOps, { hasHedges: false }))}`);
  console.log(
    `  latencies with their queue: ${line(playSeeds(scenario, 1, balancingOps, { hasQueueInLatency: true }))}`,
  );
  if (name === "bursty") {
    const reference = playSeeds(scenario, 1, p2cEwmaOps);
    console.log(`  P2C-EWMA: ${line(reference)}`);
    console.log(`  p99 against it ${(mean(rows, "p99") / mean(reference, "p99")).toFixed(2)}; goal ≤ 0.35`);
    continue;
  }
  for (const countsEveryS of [0.25, Infinity]) {
    const four = playSeeds(scenario, 4, balancingOps, { countsEveryS });
    const ratio = mean(four, "p99") / mean(rows, "p99");
    console.log(`  four gateways, counts every ${countsEveryS} s: ${line(four)}, ${ratio.toFixed(2)}×; goal ≤ 1.3`);
  }
}
