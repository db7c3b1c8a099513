import type { Cancel, Clock } from "@fovea/core";

/** Longest delay a Node timer takes; beyond it the timer would fire at once. */
const TIMER_MAX_MS = 2_147_483_647;

export class SystemClock implements Clock {
  monotonicMs(): number {
    return performance.now();
  }

  unixMs(): number {
    return Date.now();
  }

  schedule(delayMs: number, task: () => void): Cancel {
    let remainingMs = Math.max(0, delayMs);
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const stepMs = Math.min(remainingMs, TIMER_MAX_MS);
      remainingMs -= stepMs;
      timer = setTimeout(remainingMs > 0 ? arm : task, stepMs);
    };
    arm();
    return () => clearTimeout(timer);
  }
}
