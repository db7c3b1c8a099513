// Latency of typed spatial queries by kind and room size, and of the facts for a model.
//   node --conditions=@fovea/source bench/spatial-latency.ts
import { buildContextFacts } from "../packages/core/src/context/context-facts.ts";
import { handleSpatialQueries } from "../packages/core/src/spatial/spatial-query.ts";
import { meshedRoomOfSize, QUERIES, roomOfSize } from "./micro/spatial/spatial-query.bench.ts";

const ROUNDS = 400;

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** The least of three runs in a row: a busy machine interrupts one of them, the work itself is the same. */
function quietest(work: () => unknown): number {
  let least = Infinity;
  for (let run = 0; run < 3; run++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

const ROOMS: readonly (readonly [count: number, triangles: number])[] = [
  [10, 0],
  [100, 0],
  [1_000, 0],
  [10_000, 0],
  [1_000, 100_000],
];

const ONLY = process.env["FOVEA_ROOM"];

for (const [count, triangles] of ONLY === undefined ? ROOMS : ROOMS.slice(Number(ONLY))) {
  const context = triangles === 0 ? roomOfSize(count) : meshedRoomOfSize(count, triangles);
  for (let round = 0; round < 100; round++) handleSpatialQueries(context, QUERIES);
  const all: number[] = [];
  const kinds: string[] = [];
  for (const query of QUERIES) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      times.push(quietest(() => handleSpatialQueries(context, [query])));
    }
    times.sort((a, b) => a - b);
    all.push(...times);
    kinds.push(
      `${query.kind}${query.kind === "relation" ? `:${query.relation}` : ""} ${percentile(times, 0.5).toFixed(3)}/${percentile(times, 0.99).toFixed(3)}`,
    );
  }
  all.sort((a, b) => a - b);
  console.log(
    `${count} entities${triangles === 0 ? "" : `, ${triangles} triangles`}: p50 ${percentile(all, 0.5).toFixed(3)} ms, p99 ${percentile(all, 0.99).toFixed(3)} ms`,
  );
  if (process.env["FOVEA_SHOW"] !== undefined) console.log(`  ${kinds.join("\n  ")}`);
  const facts: number[] = [];
  for (let round = 0; round < 200; round++) {
    const question = "where is the lamp next to the window?";
    facts.push(quietest(() => buildContextFacts(context, { tokensMax: 1_200, question })));
  }
  facts.sort((a, b) => a - b);
  console.log(`  facts p50 ${percentile(facts, 0.5).toFixed(3)} ms, p99 ${percentile(facts, 0.99).toFixed(3)} ms`);
}
