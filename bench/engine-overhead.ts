// CPU that the engine adds to one answer, streamed and whole, over 1 and 16 cells, against reading the provider's own stream.
// Run: node --conditions=@fovea/source bench/engine-overhead.ts
import { run, setup } from "./micro/engine/answer.bench.ts";

const ROUNDS = 7;
const ANSWERS = 4_000;

async function microseconds(size: number, delivery: "parts" | "whole"): Promise<number> {
  setup(size);
  for (let index = 0; index < 1_000; index++) await run(delivery);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let index = 0; index < ANSWERS; index++) await run(delivery);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / ANSWERS);
  }
  return Math.min(...times);
}

for (const delivery of ["whole", "parts"] as const) {
  for (const size of [1, 16, 64]) {
    console.log(
      `${delivery.padEnd(6)} ${String(size).padStart(2)} cells: ${(await microseconds(size, delivery)).toFixed(1)} µs CPU an answer`,
    );
  }
}
process.exit(0);
