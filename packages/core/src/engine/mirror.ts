// The copy of a request that an operator's rule asks for: measured and paid for like any attempt, and thrown away.
import type { AdapterUse } from "../mesh/adapter-use.ts";
import type { MeshCall } from "../mesh/mesh-call.ts";
import type { PlanPerformer } from "../mesh/plan-performer.ts";
import { UsageSum } from "../mesh/price-book.ts";
import type { XRRequest } from "../model/xr-request.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { CellRates } from "../routing/cell-states.ts";
import { countCost } from "./answer-record.ts";
import { worstCaseOf } from "./budget-estimate.ts";
import type { Budgets } from "./budgets.ts";
import type { EngineParts } from "./engine-parts.ts";

interface MirrorParts extends Pick<EngineParts, "meter" | "prices"> {
  readonly performer: PlanPerformer;
  readonly budgets: Budgets;
  readonly rates: CellRates;
  readonly uses: AdapterUse;
}

/**
 * Never touches the answer and never throws. It costs the same budgets; where they have nothing left there is no copy. It
 * ends when the caller leaves. Retries come out of a budget of its own, so that a failing mirror takes none from users.
 */
export async function mirrorTo(
  parts: MirrorParts,
  request: XRRequest,
  call: MeshCall,
  signal: AbortSignal,
): Promise<void> {
  const { meter, performer, budgets } = parts;
  const sum = new UsageSum();
  const letGo = parts.uses.hold(call.plan);
  let hasBegun = false;
  let outcome = "complete";
  let reservation: ReturnType<Budgets["reserve"]> | undefined;
  try {
    reservation = budgets.reserve(request.principal, worstCaseOf(request, call.plan, parts.rates));
    const mirrored = { ...call, tenantId: `mirror of ${call.tenantId}` };
    for await (const batch of performer.perform(mirrored, signal)) {
      hasBegun = true;
      for (const part of batch) {
        if (part.type === "broken") outcome = "error";
        if (part.type !== "spent") continue;
        const { providerId, model } = part.cell.cell;
        const cost = parts.prices?.costOf(providerId, model, part.usage) ?? UNPRICED;
        sum.add(part.usage, cost);
        countCost(meter, providerId, model, cost, "mirror");
      }
    }
  } catch (error) {
    outcome = reservation === undefined ? "refused" : GatewayError.is(error) ? error.code : "internal";
  } finally {
    letGo();
    if (signal.aborted) outcome = "cancelled";
    reservation?.settle(sum.isEmpty ? undefined : sum.usage, sum.isEmpty ? undefined : sum.cost, hasBegun);
    meter.count("fovea.mirrors", { outcome });
  }
}

const UNPRICED = { microUsd: undefined, source: "unpriced" } as const;
