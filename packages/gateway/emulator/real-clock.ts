import type { Clock } from "@fovea/core";

export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  unixMs: () => Date.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
