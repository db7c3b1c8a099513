/** What a file under bench/micro exports. The result of `run` is consumed, so that nothing is optimised away. */
export interface MicroBench {
  setup(size: number): void | Promise<void>;
  run(): unknown;
}

export interface MicroResult {
  readonly medianMicros: number;
  readonly bestMicros: number;
  readonly worstMicros: number;
  /** Allocated by one run, where the process was started with `--expose-gc`; otherwise a rough figure. */
  readonly bytesPerRun: number;
}

const ROUNDS = 9;
const ROUND_MS = 60;

let consumed: unknown;

/** Doubles the repeats until a round takes long enough for the clock, then takes nine rounds. */
export async function measureMicro(bench: MicroBench, size: number): Promise<MicroResult> {
  await bench.setup(size);
  let repeats = 1;
  while ((await timeOf(bench, repeats)) < ROUND_MS) repeats *= 2;
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(((await timeOf(bench, repeats)) / repeats) * 1_000);
  rounds.sort((a, b) => a - b);
  (globalThis as { gc?: () => void }).gc?.();
  const before = process.memoryUsage().heapUsed;
  // Few enough that no collection falls between the two readings.
  const few = Math.max(1, Math.min(repeats, 200));
  for (let index = 0; index < few; index++) consumed = await bench.run();
  const bytesPerRun = Math.max(0, (process.memoryUsage().heapUsed - before) / few);
  return {
    medianMicros: rounds[ROUNDS >> 1] ?? 0,
    bestMicros: rounds[0] ?? 0,
    worstMicros: rounds.at(-1) ?? 0,
    bytesPerRun,
  };
}

async function timeOf(bench: MicroBench, repeats: number): Promise<number> {
  const started = performance.now();
  for (let index = 0; index < repeats; index++) {
    const result = bench.run();
    consumed = result instanceof Promise ? await result : result;
  }
  return performance.now() - started;
}

export function lastResult(): unknown {
  return consumed;
}
