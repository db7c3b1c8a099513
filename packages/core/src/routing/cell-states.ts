import type { LatencyClass } from "../model/xr-request.ts";
import type { Candidate } from "../providers/catalogue.ts";

/** What routing asks about a cell's health. Told by resilience, which routing does not know. */
export interface CellStates {
  look(candidate: Candidate, nowMs: number): "closed" | "probe" | "open" | "throttled" | "isolated";
  /** 0 to 1: the part of its usual share that a cell may take. */
  share(candidate: Candidate, nowMs: number): number;
  /** Silence after which a second cell may be asked; undefined where a hedge makes no sense. */
  hedgeDelayMs(candidate: Candidate, latencyClass: LatencyClass): number | undefined;
}

/** Micro-dollars for a thousand input and output tokens; undefined where no price is known. */
export type CellRates = (candidate: Candidate) => { readonly input: number; readonly output: number } | undefined;

export const ALL_CLOSED: CellStates = { look: () => "closed", share: () => 1, hedgeDelayMs: () => undefined };
export const NO_RATES: CellRates = () => undefined;
