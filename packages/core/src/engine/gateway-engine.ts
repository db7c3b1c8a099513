import type { AnswerPart } from "../model/answer-part.ts";
import type { Cell } from "../model/routing-plan.ts";
import type { Principal } from "../model/privacy.ts";
import type { XRRequest } from "../model/xr-request.ts";
import { AdapterUse } from "../mesh/adapter-use.ts";
import { attemptMeter, learningObserver, observersOf } from "../mesh/observers.ts";
import { CallHistory } from "../mesh/call-history.ts";
import { extraCallMeter } from "../mesh/extra-call-meter.ts";
import { PlanPerformer } from "../mesh/plan-performer.ts";
import { ProviderMesh } from "../mesh/provider-mesh.ts";
import type { PriceBook } from "../mesh/price-book.ts";
import type { AnswerEngine, ClientTools, ModelListing, OperationRequest, Served } from "../providers/answer-engine.ts";
import type { OperationOutput, UnaryOperation } from "../providers/capabilities.ts";
import type { Candidate } from "../providers/catalogue.ts";
import { Admission } from "../resilience/admission.ts";
import { CellHealthBook } from "../resilience/cell-health.ts";
import { FailureForecast } from "../resilience/failure-forecast.ts";
import type { PreventionKnobs } from "../resilience/prevention.ts";
import { ProviderResilienceManager } from "../resilience/resilience-manager.ts";
import type { CellRates, CellStates } from "../routing/cell-states.ts";
import { LoadBalancer } from "../routing/load-balancer.ts";
import { RoutingRules } from "../routing/routing-rules.ts";
import { qualityPrior } from "../routing/scoring.ts";
import { estimatedCost, XRProviderSelector } from "../routing/xr-provider-selector.ts";
import { XRRequestRouter } from "../routing/xr-request-router.ts";
import type { SpineParts } from "./answer.ts";
import { answer } from "./answer.ts";
import { Budgets } from "./budgets.ts";
import type { CellView, Explanation } from "./explain.ts";
import { explain, viewOf } from "./explain.ts";
import type { EngineParts } from "./engine-parts.ts";
import { OutcomeLearning } from "./outcome-learning.ts";
import { RecentPlans } from "./recent-plans.ts";
import { performOperation } from "./perform-operation.ts";

/** The engine with its managers, for those who show or steer them. */
export interface GatewayEngine extends AnswerEngine {
  readonly registry: EngineParts["registry"];
  readonly router: XRRequestRouter;
  readonly selector: XRProviderSelector;
  readonly balancer: LoadBalancer;
  readonly health: CellHealthBook;
  readonly mesh: ProviderMesh;
  readonly resilience: ProviderResilienceManager;
  readonly budgets: Budgets;
  readonly forecast: FailureForecast;
  readonly recent: RecentPlans;
  readonly history: CallHistory;
  /** Why a request would go where it would go; calls nobody. */
  explain(request: XRRequest): Explanation;
  viewOf(cell: Cell): CellView;
  /** How an answer turned out, 0 useless to 1 right. False where the request is not remembered, or another tenant's. */
  feedback(principal: Principal, requestId: string, score: number): boolean;
}

/** Constructed means usable. The engine owns no timers of its own and closes nothing: adapters belong to their maker. */
export function createEngine(parts: EngineParts): GatewayEngine {
  const { clock, random, registry } = parts;
  const health = new CellHealthBook(random, parts.breakerPolicy);
  const balancer = new LoadBalancer();
  const forecast = new FailureForecast();
  const states = statesOf(health);
  const rates = parts.prices === undefined ? NO_RATES : ratesOf(parts.prices);
  const learning = new OutcomeLearning();
  const qualityOf = (candidate: Candidate): number | undefined => learning.qualityOf(candidate);
  const selector = new XRProviderSelector({ clock, random, registry, balancer, states, rates, qualityOf });
  const rules = parts.rules ?? new RoutingRules();
  const router = new XRRequestRouter(registry, selector, states, rules, (request) => learning.difficultyOf(request));
  const history = new CallHistory(parts.prices);
  const observer = observersOf([
    learningObserver(clock, health, balancer, forecast),
    attemptMeter(parts.meter),
    extraCallMeter(parts.meter),
    history.observer,
    ...(parts.observers ?? []),
  ]);
  const onRetry = (): void => parts.meter.count("xr.retry.spent", { reason: "failover" });
  const performer = new PlanPerformer({ clock, random, observer, health, balancer, onRetry, ...parts.controls });
  health.onChange(({ name, from, to, reason }) => {
    parts.log.write(to === "closed" ? "info" : "warn", "breaker changed", { cell: name, from, to, reason });
    if (to === "closed") balancer.recovered(name);
    parts.meter.count("fovea.breaker.changes", { cell: name, to, reason });
  });
  const quality = (candidate: Candidate): number => learning.qualityOf(candidate) ?? qualityPrior(candidate.model.id);
  const knobs: PreventionKnobs = {
    shareOf: (name) => balancer.shareOf(name),
    setShare: (name, share) => balancer.setShare(name, share),
    limitOf: (name) => balancer.view(name).limit,
    setLimit: (name, limit) => balancer.setLimit(name, limit),
  };
  const resilience = new ProviderResilienceManager({ clock, registry, health, forecast, knobs, quality });
  const costOf = (candidate: Candidate, request: XRRequest): number | undefined =>
    estimatedCost(rates(candidate), request);
  const uses = new AdapterUse();
  const recent = new RecentPlans();
  const mesh = new ProviderMesh({ clock, registry, router, health, balancer, uses, costOf });
  const budgets = parts.budgets ?? new Budgets(clock, [], parts.meter);
  const admission = new Admission(parts.inFlightMax ?? IN_FLIGHT_MAX, (latencyClass) =>
    parts.meter.count("xr.shed", { reason: latencyClass }),
  );
  const spine: SpineParts = {
    ...parts,
    router,
    performer,
    balancer,
    budgets,
    admission,
    rates,
    uses,
    recent,
    learning,
  };
  return {
    registry,
    router,
    selector,
    balancer,
    health,
    mesh,
    resilience,
    budgets,
    forecast,
    recent,
    history,
    explain: (request) => explain(request, { clock, router, health, balancer, budgets }),
    feedback: (principal, requestId, score) => noteFeedback(spine, principal, requestId, score),
    viewOf: (cell) => viewOf(cell, { clock, health, balancer }),
    answer: (request: XRRequest, signal: AbortSignal, tools?: ClientTools): AsyncIterable<AnswerPart> =>
      answer(spine, request, signal, tools),
    perform: <O extends UnaryOperation>(
      request: OperationRequest<O>,
      signal: AbortSignal,
    ): Promise<Served<OperationOutput[O]>> => performOperation(spine, request, signal),
    listModels: (_principal: Principal): readonly ModelListing[] => registry.list(),
  };
}

function noteFeedback(spine: SpineParts, principal: Principal, requestId: string, score: number): boolean {
  const { learning, meter, audit, clock } = spine;
  const noted = learning.feedback(requestId, principal.tenantId, score);
  if (noted === undefined) return false;
  const { providerId, model } = noted;
  const rating = score >= 0.5 ? "good" : "bad";
  meter.count("fovea.feedback", { provider: providerId, model, rating });
  audit.append({
    atUnixMs: clock.unixMs(),
    action: "feedback",
    tenantId: principal.tenantId,
    userId: principal.userId,
    ...(principal.keyId === undefined ? {} : { keyId: principal.keyId }),
    outcome: rating,
    details: { requestId, provider: providerId, model, score },
  });
  return true;
}

const IN_FLIGHT_MAX = 1_000;
const NO_RATES: CellRates = () => undefined;
/** Silence after which a second cell is asked, until the first one's own p95 is known. */
const HEDGE_MS = { interactive: 1_000, conversational: 2_500, background: 15_000 } as const;

function statesOf(health: CellHealthBook): CellStates {
  return {
    look: (candidate, nowMs) => health.look(candidate, nowMs),
    share: (candidate, nowMs) => health.of(candidate).breaker.share(nowMs),
    hedgeDelayMs(candidate, latencyClass) {
      const p95Ms = health.of(candidate).firstContent.p95Ms;
      return p95Ms === undefined ? HEDGE_MS[latencyClass] : Math.max(50, Math.min(p95Ms, HEDGE_MS[latencyClass] * 4));
    },
  };
}

function ratesOf(prices: PriceBook): CellRates {
  return (candidate) => prices.ratesOf(candidate.cell.providerId, candidate.cell.model);
}
