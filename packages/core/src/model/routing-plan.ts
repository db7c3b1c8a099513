import type { Operation } from "./provider-info.ts";

/** The smallest thing that can fail on its own. */
export interface Cell {
  readonly providerId: string;
  readonly model: string;
  readonly region: string;
  readonly keyId: string;
  readonly operation: Operation;
}

export function cellName(cell: Cell): string {
  return `${cell.providerId}/${cell.model}@${cell.region}#${cell.keyId}:${cell.operation}`;
}

/** One term of a score: weight times value, so that a decision can be recomputed by hand. */
export interface ScoreTerm {
  readonly name: string;
  readonly value: number;
  readonly weight: number;
  readonly note?: string;
}

export interface PlannedCell {
  readonly cell: Cell;
  readonly score: number;
  readonly terms: readonly ScoreTerm[];
  readonly reason: string;
}

/** Ordered: the first is tried first, the rest are its fallbacks. The mesh carries it out and never chooses again. */
export interface RoutingPlan {
  readonly cells: readonly PlannedCell[];
  /** Cells that were considered and left out, with the reason, for whoever asks why. */
  readonly excluded: readonly { readonly cell: Cell; readonly reason: string }[];
  readonly hedgeDelayMs?: number;
  /** Share of the time left that each attempt may spend, same order as `cells`. */
  readonly deadlineShares: readonly number[];
  readonly costMicroUsdMax?: number;
  readonly reason: string;
}
