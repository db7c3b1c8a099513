// Who may serve a request: its name, the operator's rules, what it needs. The selector then says who is best.
import { GatewayError } from "../errors/gateway-error.ts";
import type { Operation } from "../model/provider-info.ts";
import type { RequestNeeds, XRRequest } from "../model/xr-request.ts";
import type { Candidate, Resolution } from "../providers/catalogue.ts";
import type { ProviderRegistry } from "../providers/provider-registry.ts";
import type { CellStates } from "./cell-states.ts";
import type { Eligible } from "./eligible-cells.ts";
import { eligibleOf } from "./eligible-cells.ts";
import type { RequestCharacteristics } from "./request-profile.ts";
import { complexityOf, costSensitivityOf, latencyRequirementOf, reliabilityRequirementOf } from "./request-profile.ts";
import type { RoutedCell, RoutedPlan } from "./routed-plan.ts";
import type { RoutingRule } from "./routing-rules.ts";
import { armOf, RoutingRules } from "./routing-rules.ts";
import type { XRProviderSelector } from "./xr-provider-selector.ts";

/** Specification: RoutingDecision. */
export interface RoutingDecision {
  readonly plan: RoutedPlan;
  readonly characteristics: RequestCharacteristics;
  /** Name of the operator's rule that applied. */
  readonly rule?: string;
  /** Gets a copy of the request; its answer is thrown away. */
  readonly mirror?: RoutedPlan;
}

const CELLS_MAX = 6;
/** A unary operation says nothing of itself but its name. */
const PLAIN: RequestCharacteristics = {
  complexity: 0.3,
  latencyRequirement: 3_000,
  costSensitivity: 0.3,
  reliabilityRequirement: 0.8,
};
const LADDER_END = "answered from the room's geometry alone";

export class XRRequestRouter {
  readonly rules: RoutingRules;
  readonly #registry: ProviderRegistry;
  readonly #selector: XRProviderSelector;
  readonly #states: CellStates;
  /** What outcomes have taught, to be added to the complexity that the words suggest. */
  readonly #difficultyOf: (request: XRRequest) => number;

  constructor(
    registry: ProviderRegistry,
    selector: XRProviderSelector,
    states: CellStates,
    rules: RoutingRules = new RoutingRules(),
    difficultyOf: (request: XRRequest) => number = () => 0,
  ) {
    this.rules = rules;
    this.#difficultyOf = difficultyOf;
    this.#registry = registry;
    this.#selector = selector;
    this.#states = states;
  }

  /** Specification section 4. Throws `model_unknown`, `model_retired`, `request_unsupported` or `no_capable_provider`. */
  async routeRequest(request: XRRequest): Promise<RoutingDecision> {
    return this.decide(request);
  }

  /** The same without a promise: every request pays for this. */
  decide(request: XRRequest): RoutingDecision {
    const characteristics = this.analyzeRequest(request);
    const rule = this.getRoutingRules(request, characteristics);
    const matching = this.matchCapabilities(request, rule);
    return this.selectProvider(request, matching, characteristics, rule);
  }

  /** For the unary operations. */
  planOperation(model: string, operation: Operation, needs: RequestNeeds): RoutedPlan {
    const eligible = eligibleOf(this.#registry.resolve(model, operation), needs, operation);
    const { cells, excluded } = this.#selector.order(eligible.tiers, PLAIN);
    return planOf(cells.slice(0, CELLS_MAX), [...eligible.excluded, ...excluded]);
  }

  private analyzeRequest(request: XRRequest): RequestCharacteristics {
    const assess = (): number => this.assessComplexity(request);
    let complexity: number | undefined;
    return {
      /** Asked for only where a rule names it or models of several kinds compete: it reads the whole text. */
      get complexity() {
        return (complexity ??= assess());
      },
      latencyRequirement: this.getLatencyRequirement(request),
      costSensitivity: this.getCostSensitivity(request),
      reliabilityRequirement: this.getReliabilityRequirement(request),
    };
  }

  private assessComplexity(request: XRRequest): number {
    return Math.min(1, Math.max(0, complexityOf(request) + this.#difficultyOf(request)));
  }

  private getLatencyRequirement(request: XRRequest): number {
    return latencyRequirementOf(request);
  }

  private getCostSensitivity(request: XRRequest): number {
    return costSensitivityOf(request);
  }

  private getReliabilityRequirement(request: XRRequest): number {
    return reliabilityRequirementOf(request);
  }

  private getRoutingRules(request: XRRequest, characteristics: RequestCharacteristics): RoutingRule | undefined {
    return this.rules.match(request, () => characteristics.complexity);
  }

  /** Tiers of cells that can do what the request needs, the last rung of the ladder included. */
  private matchCapabilities(request: XRRequest, rule: RoutingRule | undefined): Eligible {
    const resolution = this.#resolve(request, rule);
    const region = rule?.then.region ?? request.needs.region;
    const needs = region === undefined ? request.needs : { ...request.needs, region };
    const avoid = rule?.then.avoid;
    const tiers = avoid === undefined ? resolution.tiers : withoutProviders(resolution.tiers, avoid);
    const embedded = this.#registry.spatialCandidates();
    const isPlain = !isRoomQuestion(request);
    if (embedded.length === 0 || (isPlain && resolution.kind !== "auto"))
      return eligibleOf(withTiers(resolution, tiers), needs, "chat");
    const upper = tiers.map((tier) => tier.filter((candidate) => !embedded.includes(candidate)));
    if (isPlain) {
      // Geometry is no answer to a plain chat: it gets one only from a caller who names the embedded provider.
      const isChosen = upper.some((tier) => tier.length > 0);
      return eligibleOf({ ...resolution, tiers: isChosen ? upper : tiers }, needs, "chat");
    }
    const named = tiers.flat().filter((candidate) => embedded.includes(candidate));
    const ladder = resolution.kind !== "auto" && named.length > 0 ? named : embedded;
    if (ladder.length === 0) return eligibleOf({ ...resolution, tiers }, needs, "chat");
    const able = eligibleOf({ ...resolution, tiers: upper }, needs, "chat", true);
    return {
      tiers: isGeometryFirst(request, tiers, ladder) ? [ladder, ...able.tiers] : [...able.tiers, ladder],
      excluded: able.excluded,
    };
  }

  private selectProvider(
    request: XRRequest,
    matching: Eligible,
    characteristics: RequestCharacteristics,
    rule: RoutingRule | undefined,
  ): RoutingDecision {
    const priced = withCostMax(request, rule);
    const { cells, excluded } = this.#selector.order(matching.tiers, characteristics, priced);
    if (cells.length === 0) throw nobodyLeft([...matching.excluded, ...excluded]);
    const kept = keepLadder(cells).map((cell, index) => (index === 0 ? cell : asRung(cell, cells[0])));
    const hedgeDelayMs = this.#hedgeDelay(request, kept);
    const plan = planOf(kept, [...matching.excluded, ...excluded], rule?.name);
    const costMax = priced.budget?.costMicroUsdMax;
    const mirror = this.#mirror(request, rule);
    return {
      plan: {
        ...plan,
        ...(hedgeDelayMs === undefined ? {} : { hedgeDelayMs }),
        ...(costMax === undefined ? {} : { costMicroUsdMax: costMax }),
      },
      characteristics,
      ...(rule === undefined ? {} : { rule: rule.name }),
      ...(mirror === undefined ? {} : { mirror }),
    };
  }

  /** Where its copy cannot be planned, a request goes without. What may not leave a region does not leave it as a copy. */
  #mirror(request: XRRequest, rule: RoutingRule | undefined): RoutedPlan | undefined {
    if (rule?.then.mirror === undefined) return undefined;
    const { mirror, region } = rule.then;
    try {
      return this.planOperation(mirror, "chat", region === undefined ? request.needs : { ...request.needs, region });
    } catch {
      return undefined;
    }
  }

  #resolve(request: XRRequest, rule: RoutingRule | undefined): Resolution {
    const { use, split, fallbacks } = rule?.then ?? {};
    const arm =
      split === undefined || rule === undefined ? undefined : armOf(split, rule.name, request.principal.userId);
    const names = arm !== undefined ? [arm] : (use ?? [request.model]);
    const resolutions = [...names, ...(fallbacks ?? [])].map((name) => this.#registry.resolve(name, "chat"));
    const [first] = resolutions;
    if (first !== undefined && resolutions.length === 1) return first;
    return { kind: "alias", name: request.model, tiers: resolutions.flatMap((resolution) => resolution.tiers) };
  }

  #hedgeDelay(request: XRRequest, cells: readonly RoutedCell[]): number | undefined {
    const [first, second] = cells;
    if (first === undefined || second === undefined || second.degradation !== undefined) return undefined;
    return this.#states.hedgeDelayMs(first.candidate, request.latencyClass);
  }
}

/** The lesser of what the caller and what the operator's rule allow one request to cost. */
function withCostMax(request: XRRequest, rule: RoutingRule | undefined): XRRequest {
  const ruled = rule?.then.costUsdMax;
  if (ruled === undefined) return request;
  const costMicroUsdMax = Math.min(ruled * 1e6, request.budget?.costMicroUsdMax ?? Infinity);
  return { ...request, budget: { ...request.budget, costMicroUsdMax } };
}

function nobodyLeft(excluded: RoutedPlan["excluded"]): GatewayError {
  const reasons = excluded.map(({ cell, reason }) => `${cell.providerId}/${cell.model} ${reason}`);
  const message = `no provider can serve this request: ${reasons.slice(0, 5).join("; ")}`;
  return new GatewayError("no_capable_provider", message, { param: "model" });
}

function withTiers(resolution: Resolution, tiers: Resolution["tiers"]): Resolution {
  return tiers === resolution.tiers ? resolution : { ...resolution, tiers };
}

function withoutProviders(tiers: Resolution["tiers"], avoid: readonly string[]): Resolution["tiers"] {
  return tiers.map((tier) => tier.filter((candidate) => !avoid.includes(candidate.cell.providerId)));
}

/** A turn in a room, for which the embedded provider is the last rung of the ladder. */
function isRoomQuestion(request: XRRequest): boolean {
  return (request.kind === "turn" || request.kind === "spatial-query") && request.context.sessionId !== "";
}

/** A spatial query has an exact answer; and whoever names the embedded provider first means it. */
function isGeometryFirst(request: XRRequest, tiers: Resolution["tiers"], ladder: readonly Candidate[]): boolean {
  if (request.kind === "spatial-query") return true;
  const first = tiers[0]?.[0];
  return request.model !== "auto" && first !== undefined && ladder.includes(first);
}

/** At most six, and the last rung always among them. */
function keepLadder(cells: readonly RoutedCell[]): readonly RoutedCell[] {
  if (cells.length <= CELLS_MAX) return cells;
  const last = cells.at(-1);
  return last === undefined ? cells : [...cells.slice(0, CELLS_MAX - 1), last];
}

/** The embedded provider behind another one is the end of the ladder: the answer is degraded, and says so. */
function asRung(cell: RoutedCell, first: RoutedCell | undefined): RoutedCell {
  const isEmbedded = cell.candidate.entry.adapter.type === "embedded";
  if (!isEmbedded || first === undefined || first.candidate.entry.adapter.type === "embedded") return cell;
  return { ...cell, degradation: LADDER_END };
}

function planOf(cells: readonly RoutedCell[], excluded: RoutedPlan["excluded"], rule?: string): RoutedPlan {
  const deadlineShares = cells.map((_, index) => (index === cells.length - 1 ? 1 : 0.5));
  const why = cells[0]?.reason ?? "nothing";
  return { cells, excluded, deadlineShares, reason: rule === undefined ? why : `rule '${rule}': ${why}` };
}
