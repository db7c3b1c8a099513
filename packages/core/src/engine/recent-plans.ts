import type { RoutingPlan } from "../model/routing-plan.ts";
import type { XRRequest } from "../model/xr-request.ts";
import { plainPlan } from "../routing/routed-plan.ts";
import type { RoutingDecision } from "../routing/xr-request-router.ts";

/** What was decided for a request, without anything of its content. */
export interface PlannedRequest {
  readonly requestId: string;
  readonly asked: string;
  readonly kind: string;
  readonly latencyClass: string;
  readonly rule?: string;
  readonly characteristics: Readonly<Record<string, number>>;
  readonly plan: RoutingPlan;
}

const KEPT = 500;

/** The plans of the last five hundred requests, so that what was asked in the evening can be explained at night. */
export class RecentPlans {
  readonly #plans = new Map<string, { readonly request: Noted; readonly decision: RoutingDecision }>();

  /** Keeps references only: words are made when somebody asks. */
  note({ requestId, model, kind, latencyClass }: XRRequest, decision: RoutingDecision): void {
    this.#plans.delete(requestId);
    this.#plans.set(requestId, { request: { requestId, asked: model, kind, latencyClass }, decision });
    if (this.#plans.size <= KEPT) return;
    for (const oldest of this.#plans.keys()) {
      this.#plans.delete(oldest);
      return;
    }
  }

  find(requestId: string): PlannedRequest | undefined {
    const found = this.#plans.get(requestId);
    if (found === undefined) return undefined;
    const { plan, rule, characteristics } = found.decision;
    const { complexity, latencyRequirement, costSensitivity, reliabilityRequirement } = characteristics;
    return {
      ...found.request,
      ...(rule === undefined ? {} : { rule }),
      characteristics: { complexity, latencyRequirement, costSensitivity, reliabilityRequirement },
      plan: plainPlan(plan),
    };
  }
}

type Noted = Pick<PlannedRequest, "requestId" | "asked" | "kind" | "latencyClass">;
