/** Cancels the task if it has not run. Calling it again, or after the task ran, does nothing. */
export type Cancel = () => void;

/** The engine's only source of time. Durations and deadlines use `monotonicMs`; `unixMs` is for audit records and dates. */
export interface Clock {
  monotonicMs(): number;
  unixMs(): number;
  schedule(delayMs: number, task: () => void): Cancel;
}
