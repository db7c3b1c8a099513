import type { Cancel, Clock } from "@fovea/core";

interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** Time that jumps to whatever is due next, once every promise chain has come to rest. A binary heap by (time, order). */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #heap: Task[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return 1_800_000_000_000 + this.#nowMs;
  }

  schedule(delayMs: number, run: () => void): Cancel {
    const task: Task = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run, isCancelled: false };
    this.#push(task);
    return () => void (task.isCancelled = true);
  }

  /** Until nothing is due any more. */
  async run(): Promise<void> {
    await rest();
    for (let task = this.#pop(); task !== undefined; task = this.#pop()) {
      if (task.isCancelled) continue;
      this.#nowMs = task.atMs;
      task.run();
      await rest();
    }
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let index = heap.push(task) - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (!isBefore(task, heap[parent] as Task)) break;
      heap[index] = heap[parent] as Task;
      index = parent;
    }
    heap[index] = task;
  }

  #pop(): Task | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Task, heap[child] as Task)) child += 1;
      if (!isBefore(heap[child] as Task, last)) break;
      heap[index] = heap[child] as Task;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A macrotask runs only when all microtasks have: nothing is left to run at this instant. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
