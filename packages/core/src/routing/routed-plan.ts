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
