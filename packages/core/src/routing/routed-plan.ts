import type { PlannedCell, RoutingPlan } from "../model/routing-plan.ts";
import type { Candidate } from "../providers/catalogue.ts";

/** A planned cell with the adapter that serves it: what the mesh carries out. */
export interface RoutedCell extends PlannedCell {
  readonly candidate: Candidate;
  /** Present on the rungs of the degradation ladder: what the user loses there. */
  readonly degradation?: string;
}

export interface RoutedPlan extends RoutingPlan {
  readonly cells: readonly RoutedCell[];
}

/** The plan as it may be shown: without the adapters. */
export function plainPlan(plan: RoutedPlan): RoutingPlan {
  const cells = plan.cells.map(({ cell, score, terms, reason }) => ({ cell, score, terms, reason }));
  return { ...plan, cells };
}
