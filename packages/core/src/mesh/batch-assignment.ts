import { GatewayError } from "../errors/gateway-error.ts";
import type { Cell } from "../model/routing-plan.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { Candidate } from "../providers/catalogue.ts";
import type { LoadBalancer } from "../routing/load-balancer.ts";
import type { XRRequestRouter } from "../routing/xr-request-router.ts";

/** Specification: LoadBalancingResult. */
export interface LoadBalancingResult {
  readonly assignments: readonly { readonly requestId: string; readonly cell: Cell; readonly expectedMs: number }[];
  /** What fits nowhere, with the reason: the caller waits, or asks for less. */
  readonly unassigned: readonly { readonly requestId: string; readonly reason: string }[];
  /** Requests by provider. */
  readonly byProvider: Readonly<Record<string, number>>;
}

export interface BatchParts {
  readonly router: XRRequestRouter;
  readonly balancer: LoadBalancer;
  readonly nowMs: number;
  costOf(candidate: Candidate, request: XRRequest): number | undefined;
}

/** Earliest deadline first; each request goes where it is answered soonest among what its plan, price and deadline allow. */
export function assignBatch(requests: readonly XRRequest[], parts: BatchParts): LoadBalancingResult {
  const assignments: { requestId: string; cell: Cell; expectedMs: number }[] = [];
  const unassigned: { requestId: string; reason: string }[] = [];
  const taken = new Map<string, number>();
  const byProvider: Record<string, number> = {};
  for (const request of requests.toSorted((a, b) => a.deadlineMs - b.deadlineMs)) {
    const choice = choose(request, parts, taken);
    if (typeof choice === "string") {
      unassigned.push({ requestId: request.requestId, reason: choice });
      continue;
    }
    const { candidate, expectedMs } = choice;
    taken.set(candidate.name, (taken.get(candidate.name) ?? 0) + 1);
    byProvider[candidate.cell.providerId] = (byProvider[candidate.cell.providerId] ?? 0) + 1;
    assignments.push({ requestId: request.requestId, cell: candidate.cell, expectedMs });
  }
  return { assignments, unassigned, byProvider };
}

interface Choice {
  readonly candidate: Candidate;
  readonly expectedMs: number;
}

function choose(request: XRRequest, parts: BatchParts, taken: ReadonlyMap<string, number>): Choice | string {
  const cells = plannedFor(request, parts.router);
  if (typeof cells === "string") return cells;
  const reasons = new Set<string>();
  let best: Choice | undefined;
  for (const candidate of cells) {
    const { inFlight, limit, ttftMs } = parts.balancer.view(candidate.name);
    const ahead = inFlight + (taken.get(candidate.name) ?? 0);
    const expectedMs = (ttftMs ?? 500) * (1 + ahead / limit);
    const cost = parts.costOf(candidate, request);
    const costMax = request.budget?.costMicroUsdMax;
    if (ahead >= limit) reasons.add("every cell is at its limit");
    else if (costMax !== undefined && cost !== undefined && cost > costMax) reasons.add("too dear");
    else if (parts.nowMs + expectedMs > request.deadlineMs) reasons.add("too late");
    else if (best === undefined || expectedMs < best.expectedMs) best = { candidate, expectedMs };
  }
  return best ?? [...reasons].join(", ");
}

/** A batch is told what is wrong with one of its requests; it does not fail with it. */
function plannedFor(request: XRRequest, router: XRRequestRouter): readonly Candidate[] | string {
  try {
    return router.decide(request).plan.cells.map((cell) => cell.candidate);
  } catch (error) {
    if (GatewayError.is(error)) return error.message;
    throw error;
  }
}
