import type { Operation } from "../model/provider-info.ts";
import type { RequestNeeds, XRRequest } from "../model/xr-request.ts";
import type { Candidate } from "../providers/catalogue.ts";
import type { ProviderRegistry } from "../providers/provider-registry.ts";
import { eligibleOf } from "./eligible-cells.ts";
import type { RoutedCell, RoutedPlan } from "./routed-plan.ts";

/** Who may serve a request, in order. */
export class XRRequestRouter {
  readonly #registry: ProviderRegistry;

  constructor(registry: ProviderRegistry) {
    this.#registry = registry;
  }

  planChat(request: XRRequest): RoutedPlan {
    return this.planOperation(request.model, "chat", request.needs);
  }

  planOperation(model: string, operation: Operation, needs: RequestNeeds): RoutedPlan {
    const resolution = this.#registry.resolve(model, operation);
    const { tiers, excluded } = eligibleOf(resolution, needs, operation);
    const cells: RoutedCell[] = [];
    tiers.forEach((tier, index) => {
      const ordered = [...tier].sort((a, b) => b.entry.weight - a.entry.weight);
      for (const candidate of ordered) cells.push(cellOf(candidate, `${resolution.kind}, choice ${index + 1}`));
    });
    const deadlineShares = cells.map((_, index) => (index === cells.length - 1 ? 1 : 0.5));
    return { cells, excluded, deadlineShares, reason: `${model}: ${cells[0]?.reason ?? "nothing"}` };
  }
}

function cellOf(candidate: Candidate, reason: string): RoutedCell {
  const { weight } = candidate.entry;
  return {
    candidate,
    cell: candidate.cell,
    score: weight,
    reason,
    terms: [{ name: "weight", value: weight, weight: 1 }],
  };
}
