// What the answers of a bridged session cost, and whether they may be given: the same budgets, prices and measures as for
// every other call. Sound is priced as sound.
import type { Budgets, Candidate, Cost, Meter, PriceBook, Principal, Usage } from "@fovea/core";

export interface AccountParts {
  readonly budgets: Pick<Budgets, "reserve">;
  readonly prices: Pick<PriceBook, "costOf">;
  readonly meter: Meter;
  readonly principal: Principal;
}

type Reservation = ReturnType<Budgets["reserve"]>;

/** One answer on the books. */
export interface BookedAnswer {
  /** Once, however it ended; undefined where the vendor told nothing. */
  end(
    candidate: Candidate | undefined,
    usage: Usage | undefined,
    outcome: "ok" | "cancelled" | "failed",
  ): Cost | undefined;
}

export class BridgeAccount {
  readonly #parts: AccountParts;

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  /** Throws `rate_limited` or `budget_exhausted`. What an answer will use is not known before: it is booked after it. */
  begin(): BookedAnswer {
    const { budgets, principal } = this.#parts;
    const reservation = budgets.reserve(principal, { tokens: 0, costMicroUsd: undefined });
    return { end: (candidate, usage, outcome) => this.#end(reservation, candidate, usage, outcome) };
  }

  #end(
    reservation: Reservation,
    candidate: Candidate | undefined,
    usage: Usage | undefined,
    outcome: string,
  ): Cost | undefined {
    const { meter, prices } = this.#parts;
    if (candidate === undefined) {
      reservation.settle(undefined, undefined, false);
      return undefined;
    }
    const { providerId, model } = candidate.cell;
    meter.count("fovea.attempts", { provider: providerId, outcome });
    const cost = usage === undefined ? undefined : prices.costOf(providerId, model, usage);
    reservation.settle(usage, cost, true);
    if (usage === undefined) return undefined;
    const labels = {
      "gen_ai.operation.name": "realtime",
      "gen_ai.provider.name": providerId,
      "gen_ai.request.model": model,
    };
    meter.record("gen_ai.client.token.usage", { ...labels, "gen_ai.token.type": "input" }, usage.input.total);
    meter.record("gen_ai.client.token.usage", { ...labels, "gen_ai.token.type": "output" }, usage.output.total);
    if (cost?.microUsd !== undefined) {
      const names = { "gen_ai.provider.name": providerId, "gen_ai.request.model": model, kind: "winner" };
      meter.count("xr.cost", names, cost.microUsd / 1e6);
    }
    return cost;
  }
}
