import { GatewayError } from "../errors/gateway-error.ts";
import type { Operation } from "../model/provider-info.ts";
import type { Cell } from "../model/routing-plan.ts";
import type { RequestNeeds } from "../model/xr-request.ts";
import type { Candidate, Resolution } from "../providers/catalogue.ts";
import type { Obstacle } from "./request-needs.ts";
import { obstacleOf } from "./request-needs.ts";

export interface Eligible {
  readonly tiers: readonly (readonly Candidate[])[];
  readonly excluded: readonly { readonly cell: Cell; readonly reason: string }[];
}

/** Filters a resolution by what the request needs. Throws `no_capable_provider` with the reasons when nothing is left. */
export function eligibleOf(
  resolution: Resolution,
  needs: RequestNeeds,
  operation: Operation,
  mayBeEmpty = false,
): Eligible {
  const excluded: { cell: Cell; reason: string }[] = [];
  const reluctant: Candidate[] = [];
  const tiers: Candidate[][] = [];
  for (const tier of resolution.tiers) {
    const able: Candidate[] = [];
    for (const candidate of tier) {
      const obstacle = obstacleOf(candidate, needs);
      if (obstacle === undefined) able.push(candidate);
      else if (mayTry(obstacle, resolution)) reluctant.push(candidate);
      else excluded.push({ cell: candidate.cell, reason: obstacle.reason });
    }
    if (able.length > 0) tiers.push(able);
  }
  if (reluctant.length > 0) tiers.push(reluctant);
  if (tiers.length > 0 || mayBeEmpty) return { tiers, excluded };
  const reasons = excluded.map(({ cell, reason }) => `${cell.providerId}/${cell.model} ${reason}`);
  const message = `no provider can serve this ${operation} request: ${reasons.slice(0, 5).join("; ")}`;
  throw new GatewayError("no_capable_provider", message, { param: "model" });
}

/** Who named a model gets it: the vendor's word on what it can do counts more than our list. */
function mayTry(obstacle: Obstacle, resolution: Resolution): boolean {
  return obstacle.kind === "soft" && resolution.kind !== "auto";
}
