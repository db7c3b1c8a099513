import type { Cancel, Clock } from "../src/ports/clock.ts";

interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that moves only when told. Tasks due at the same instant run in the order they were scheduled. */
export class FakeClock implements Clock {
  #nowMs: number;
  #order = 0;
  #tasks: Task[] = [];
  readonly #unixStartMs: number;

  constructor(startMs = 0, unixStartMs = 1_800_000_000_000) {
    this.#nowMs = startMs;
    this.#unixStartMs = unixStartMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return this.#unixStartMs + this.#nowMs;
  }

  schedule(delayMs: number, run: () => void): Cancel {
    const task: Task = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    let low = 0;
    let high = this.#tasks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#tasks[middle] as Task).atMs <= task.atMs) low = middle + 1;
      else high = middle;
    }
    this.#tasks.splice(low, 0, task);
    return () => {
      const index = this.#tasks.indexOf(task);
      if (index >= 0) this.#tasks.splice(index, 1);
    };
  }

  /** Runs everything due within the span, each task at its own instant. Synchronous: promises settle afterwards. */
  advance(byMs: number): void {
    const end = this.#nowMs + byMs;
    for (let next = this.#tasks[0]; next !== undefined && next.atMs <= end; next = this.#tasks[0]) {
      this.#tasks.shift();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = end;
  }

  /** Like `advance`, but lets pending promises run after every task, for code that awaits between timers. */
  async advanceAsync(byMs: number): Promise<void> {
    const end = this.#nowMs + byMs;
    await settle();
    for (let next = this.#tasks[0]; next !== undefined && next.atMs <= end; next = this.#tasks[0]) {
      this.#tasks.shift();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settle();
    }
    this.#nowMs = end;
    await settle();
  }

  /** How long until the next task is due; undefined where none waits. Tells a pause of 1 s from a time limit of 10. */
  get nextTaskInMs(): number | undefined {
    const next = this.#tasks[0];
    return next === undefined ? undefined : next.atMs - this.#nowMs;
  }

  get pendingTasks(): number {
    return this.#tasks.length;
  }
}

/** Lets every promise chain that can run, run. Ten rounds cover the deepest chain of generators in the engine. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve();
}
