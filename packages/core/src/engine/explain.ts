// Why a request would go where it would go, told with everything that the decision rests on: for an operator at night.
import { GatewayError } from "../errors/gateway-error.ts";
import type { Cell, ScoreTerm } from "../model/routing-plan.ts";
import { cellName } from "../model/routing-plan.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { Clock } from "../ports/clock.ts";
import type { CellHealth, CellHealthBook } from "../resilience/cell-health.ts";
import type { LoadBalancer } from "../routing/load-balancer.ts";
import type { XRRequestRouter } from "../routing/xr-request-router.ts";
import type { BudgetRemainder, Budgets } from "./budgets.ts";

/** What is known of a cell at the moment of the question. Milliseconds. */
export interface CellView {
  readonly cell: string;
  readonly state: "closed" | "probe" | "open" | "throttled" | "isolated";
  /** In words: why the state is what it is, and until when. */
  readonly why: string;
  readonly inFlight: number;
  readonly limit: number;
  readonly firstContentMs?: number;
  readonly firstContentP95Ms?: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly slow: number;
  /** Share of its usual calls that a cell is held to, by slow start and preventive measures; 1 is all. */
  readonly share: number;
  /** Part of the calls that go elsewhere because it rejects most of them. */
  readonly heldBack: number;
  /** Codes of the last failures, newest last. */
  readonly lastFailures: readonly string[];
}

export interface ExplainedCell extends CellView {
  readonly score: number;
  readonly terms: readonly ScoreTerm[];
  readonly reason: string;
  readonly degradation?: string;
}

export interface Explanation {
  readonly asked: string;
  readonly kind: string;
  readonly latencyClass: string;
  readonly rule?: string;
  readonly characteristics?: Readonly<Record<string, number>>;
  /** In the order in which they would be tried. Empty where nobody can serve: then `refusal` says why. */
  readonly cells: readonly ExplainedCell[];
  readonly excluded: readonly (CellView & { readonly reason: string })[];
  readonly mirror?: readonly string[];
  /** Silence after which the second cell would be asked too. */
  readonly hedgeDelayMs?: number;
  readonly costMicroUsdMax?: number;
  readonly budgets: readonly Omit<BudgetRemainder, "limit">[];
  readonly refusal?: { readonly code: string; readonly message: string };
}

export interface ExplainParts {
  readonly clock: Clock;
  readonly router: XRRequestRouter;
  readonly health: CellHealthBook;
  readonly balancer: LoadBalancer;
  readonly budgets: Budgets;
}

/** Decides as for a request, and calls nobody. */
export function explain(request: XRRequest, parts: ExplainParts): Explanation {
  const { kind, latencyClass, model: asked, principal } = request;
  const budgets = parts.budgets.remaining(principal).map(({ limit: _limit, ...left }) => left);
  const question = { asked, kind, latencyClass, budgets };
  try {
    const { plan, characteristics, rule, mirror } = parts.router.decide(request);
    const { complexity, latencyRequirement, costSensitivity, reliabilityRequirement } = characteristics;
    return {
      ...question,
      ...(rule === undefined ? {} : { rule }),
      characteristics: { complexity, latencyRequirement, costSensitivity, reliabilityRequirement },
      cells: plan.cells.map(({ cell, score, terms, reason, degradation }) => ({
        ...viewOf(cell, parts),
        score,
        terms,
        reason,
        ...(degradation === undefined ? {} : { degradation }),
      })),
      excluded: plan.excluded.map(({ cell, reason }) => ({ ...viewOf(cell, parts), reason })),
      ...(mirror === undefined ? {} : { mirror: mirror.cells.map(({ cell }) => cellName(cell)) }),
      ...(plan.hedgeDelayMs === undefined ? {} : { hedgeDelayMs: plan.hedgeDelayMs }),
      ...(plan.costMicroUsdMax === undefined ? {} : { costMicroUsdMax: plan.costMicroUsdMax }),
    };
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    return { ...question, cells: [], excluded: [], refusal: { code: error.code, message: error.message } };
  }
}

export function viewOf(cell: Cell, parts: Pick<ExplainParts, "clock" | "health" | "balancer">): CellView {
  const name = cellName(cell);
  const nowMs = parts.clock.monotonicMs();
  const known = parts.health.cellsOf(cell.providerId).find((health) => health.name === name);
  const { inFlight, limit, ttftMs } = parts.balancer.view(name);
  const load = { inFlight, limit, ...(ttftMs === undefined ? {} : { firstContentMs: Math.round(ttftMs) }) };
  const share = parts.balancer.shareOf(name);
  if (known === undefined) {
    const none = { succeeded: 0, failed: 0, slow: 0, heldBack: 0, lastFailures: [] };
    return { cell: name, state: "closed", why: "not called yet", ...load, ...none, share };
  }
  const { breaker, firstContent, throttle } = known;
  const p95Ms = firstContent.p95Ms;
  return {
    cell: name,
    state: breaker.look(nowMs),
    why: whyOf(known, nowMs),
    ...load,
    ...(p95Ms === undefined ? {} : { firstContentP95Ms: Math.round(p95Ms) }),
    ...breaker.counts(nowMs),
    share: share * breaker.share(nowMs),
    heldBack: throttle.share(nowMs),
    lastFailures: known.failures
      .slice(-5)
      .map(({ atMs, failure }) => `${failure.code} ${secondsText(nowMs - atMs)} ago`),
  };
}

function whyOf({ breaker, failures, lastSuccessMs }: CellHealth, nowMs: number): string {
  const last = failures.at(-1);
  const after = last === undefined ? "" : `, last failure ${last.failure.code}`;
  switch (breaker.look(nowMs)) {
    case "isolated":
      return `taken out${after}: its key, model or right is refused, or an operator did it`;
    case "throttled":
      return `asked to wait ${secondsText(breaker.throttledUntilMs - nowMs)} more${after}`;
    case "open":
      return `out of service for ${secondsText(Math.max(0, breaker.opensAgainMs - nowMs))} more${after}`;
    case "probe":
      return `due for one trial call${after}`;
    default:
      return lastSuccessMs === undefined
        ? `in service, no success yet${after}`
        : `in service, last success ${secondsText(nowMs - lastSuccessMs)} ago`;
  }
}

function secondsText(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
