// What a proxied, non-streaming chat costs: Fovea with its whole pipeline (key, routing, plan, attempt, metrics, audit,
// log) beside two floors, all in one interleaved run. performance.md sections 1 and 6.
//
//   npm run bench -- gateway [--rounds 7] [--requests 2000] [--busy]
//
// CPU is that of the target's process, from the scheduler. The order of targets turns with each round, and ratios are
// made within a round, so that whatever else the machine does hits all of them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Child } from "./child.ts";
import { quantile, sendLoad } from "./load.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    requests: { type: "string", default: "2000" },
    busy: { type: "boolean", default: false },
  },
});
const rounds = Number(values.rounds);
const requests = Number(values.requests);
const ROOT = join(import.meta.dirname, "../..");
// V8 is still compiling after 15,000 requests, and a larger program has more to compile: what an operator pays is the
// steady state.
const WARM_UP = 20_000;
const CONNECTIONS = 32;
const REFERENCE = "fastify-proxy";

interface Round {
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly singleP50Ms: number;
}

if (loadavg()[0]! > cpus().length && !values.busy) {
  console.log(
    `the machine is busy (load ${loadavg()[0]!.toFixed(1)} on ${cpus().length} cores): nothing is reported. --busy measures all the same`,
  );
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "fovea-bench-"));
const upstream = await Child.start("upstream", [join(import.meta.dirname, "upstream.ts")]);
writeFileSync(
  join(folder, "fovea.yaml"),
  `server: {port: 0}
auth: {keys: [{id: load, key: bench-key-of-the-load}]}
store: {type: memory}
telemetry: {logFormat: json}
providersFromEnvironment: false
providers:
  - {id: bench, type: openai, apiKey: bench-upstream, baseUrl: "${upstream.url}/v1", models: [bench-model], price: {inputPerMillion: 1, outputPerMillion: 2}}
`,
);
const targets = [
  await Child.start("node-gateway", [join(import.meta.dirname, "node-gateway.ts"), upstream.url]),
  await Child.start(REFERENCE, [join(import.meta.dirname, "fastify-proxy.ts"), upstream.url]),
  await Child.start("fovea", [
    join(ROOT, "packages/gateway/src/main.ts"),
    "start",
    "--config",
    join(folder, "fovea.yaml"),
  ]),
];
const results = new Map<string, Round[]>(targets.map((target) => [target.name, []]));
const direct: number[] = [];

for (const target of targets) await sendLoad(target.url, WARM_UP, CONNECTIONS);
// One round more than is reported: the first still pays for compilation.
for (let round = 0; round <= rounds; round++) {
  const order = targets.map((_, index) => targets[(index + round) % targets.length]!);
  if (round > 0) direct.push(quantile(await sendLoad(upstream.url, 400, 1), 0.5));
  for (const target of order) {
    const measured = await measure(target);
    if (round > 0) results.get(target.name)!.push(measured);
  }
}

async function measure(target: Child): Promise<Round> {
  const before = target.cpuMicros();
  const loaded = await sendLoad(target.url, requests, CONNECTIONS);
  const cpuMicros = (target.cpuMicros() - before) / requests;
  const single = await sendLoad(target.url, 400, 1);
  return { cpuMicros, p50Ms: quantile(loaded, 0.5), p99Ms: quantile(loaded, 0.99), singleP50Ms: quantile(single, 0.5) };
}

const median = (numbers: readonly number[]): number =>
  quantile(
    numbers.toSorted((a, b) => a - b),
    0.5,
  );
const column = (name: string, pick: (round: Round) => number): number[] => results.get(name)!.map(pick);
const directP50 = median(direct);
const report = targets.map(({ name }, index) => {
  const cpu = column(name, (round) => round.cpuMicros);
  const reference = column(REFERENCE, (round) => round.cpuMicros);
  const ratios = cpu.map((value, round) => value / reference[round]!);
  const added = column(name, (round) => round.singleP50Ms).map((value, round) => value - direct[round]!);
  const referenceAdded = column(REFERENCE, (round) => round.singleP50Ms).map((value, round) => value - direct[round]!);
  return {
    name,
    cpuMicros: median(cpu),
    cpuSpread: [Math.min(...cpu), Math.max(...cpu)] as const,
    cpuRatio: median(ratios),
    cpuRatioSpread: [Math.min(...ratios), Math.max(...ratios)] as const,
    addedP50Ms: median(added),
    addedRatio: median(added.map((value, round) => value / referenceAdded[round]!)),
    p50Ms: median(column(name, (round) => round.p50Ms)),
    p99Ms: median(column(name, (round) => round.p99Ms)),
    residentMegabytes: targets[index]!.residentMegabytes(),
  };
});

for (const target of targets) await target.stop();
await upstream.stop();
rmSync(folder, { recursive: true });

console.log(
  `proxied non-streaming chat, ${rounds} interleaved rounds of ${requests} requests at ${CONNECTIONS} connections and 400 at one; node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}`,
);
console.log(`direct to the upstream: p50 ${directP50.toFixed(3)} ms at one connection\n`);
console.log(
  "target          CPU µs/request (spread)   ratio (spread)         added p50 ms (ratio)   p50/p99 ms at 32   RSS MB",
);
for (const row of report) {
  const spread = (pair: readonly [number, number], digits: number): string =>
    `(${pair[0].toFixed(digits)}–${pair[1].toFixed(digits)})`;
  console.log(
    [
      row.name.padEnd(14),
      `${row.cpuMicros.toFixed(1).padStart(7)} ${spread(row.cpuSpread, 0)}`.padEnd(24),
      `${row.cpuRatio.toFixed(2)} ${spread(row.cpuRatioSpread, 2)}`.padEnd(21),
      `${row.addedP50Ms.toFixed(3)} (${row.addedRatio.toFixed(2)})`.padEnd(21),
      `${row.p50Ms.toFixed(2)} / ${row.p99Ms.toFixed(2)}`.padEnd(17),
      String(row.residentMegabytes),
    ].join("  "),
  );
}
const fovea = report.find((row) => row.name === "fovea")!;
console.log(
  `\ngoals: CPU at most 1.6 times the bare Fastify + undici proxy: ${verdict(fovea.cpuRatio, 1.6)}; added p50 at most 1.5 times: ${verdict(fovea.addedRatio, 1.5)}`,
);
mkdirSync(join(ROOT, "bench/results"), { recursive: true });
writeFileSync(
  join(ROOT, "bench/results/gateway.json"),
  JSON.stringify({ rounds, requests, node: process.version, directP50, report }, null, 2),
);

function verdict(ratio: number, goal: number): string {
  return `${ratio.toFixed(2)}, ${ratio <= goal ? "met" : "MISSED"}`;
}
