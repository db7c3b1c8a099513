/** Cancels the task if it has not run. */
export type CancelTask = () => void;

/** The SDK's only source of time: the clock of WebXR frame times (`DOMHighResTimeStamp`), and its timers. */
export interface ClientClock {
  nowMs(): number;
  schedule(delayMs: number, task: () => void): CancelTask;
}

/** The page's own clock. This file is the only place of the SDK that reads it. */
export const BROWSER_CLOCK: ClientClock = {
  nowMs: () => performance.now(),
  schedule: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Uniform numbers in [0, 1), for jitter and ids. */
export type ClientRandom = () => number;

export const BROWSER_RANDOM: ClientRandom = () => Math.random();
