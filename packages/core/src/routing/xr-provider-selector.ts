// Who is best, in order: of the cells that may serve a request, by score, with every term kept for whoever asks why.
// Breaker and throttle remove a cell; the last capable one is kept as a last resort, because no answer is worse than a try.
import { GatewayError } from "../errors/gateway-error.ts";
import type { Modality } from "../model/modality.ts";
import type { Cell } from "../model/routing-plan.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Candidate } from "../providers/catalogue.ts";
import type { ProviderRegistry } from "../providers/provider-registry.ts";
import type { IXRProviderAdapter } from "../providers/xr-provider-adapter.ts";
import type { CellRates, CellStates } from "./cell-states.ts";
import type { LoadBalancer } from "./load-balancer.ts";
import type { RequestCharacteristics } from "./request-profile.ts";
import type { RoutedCell } from "./routed-plan.ts";
import { scoreOf } from "./scoring.ts";

/** Specification: XRRequirements, with what follows from them. */
export interface XRRequirements {
  readonly modalities: readonly Modality[];
  readonly realTime: boolean;
  readonly spatial: boolean;
  readonly multiUser: boolean;
  readonly haptic: boolean;
}

export interface SelectorParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly registry: ProviderRegistry;
  readonly balancer: LoadBalancer;
  readonly states: CellStates;
  readonly rates: CellRates;
  /** Binds facts, tools and deadline of a context to an adapter. */
  readonly configure?: (candidate: Candidate, context: XRContext) => IXRProviderAdapter;
  /** Quality of a model, 0 to 1, where the operator or past outcomes know better than its name. */
  readonly qualityOf?: (candidate: Candidate) => number | undefined;
}

export interface Ordered {
  readonly cells: readonly RoutedCell[];
  readonly excluded: readonly { readonly cell: Cell; readonly reason: string }[];
}

interface ScoredProvider extends RoutedCell {
  readonly state: ReturnType<CellStates["look"]>;
}

const OUTPUT_TOKENS_GUESS = 300;
const CONVERSATION: RequestCharacteristics = {
  complexity: 0.3,
  latencyRequirement: 1_000,
  costSensitivity: 0.2,
  reliabilityRequirement: 0.95,
};

export class XRProviderSelector {
  readonly #parts: SelectorParts;

  constructor(parts: SelectorParts) {
    this.#parts = parts;
  }

  /** Specification section 3: the best provider for what a context needs. Throws `no_capable_provider`. */
  async selectProvider(context: XRContext): Promise<IXRProviderAdapter> {
    const requirements = this.analyzeRequirements(context);
    const capableProviders = this.filterCapableProviders(requirements);
    const scoredProviders = await this.scoreProviders(capableProviders, context);
    const selectedProvider = this.selectOptimalProvider(scoredProviders);
    return this.configureXRProvider(selectedProvider, context);
  }

  /** Everyone who could serve a context, best first, with the terms of each score. */
  rank(context: XRContext): readonly RoutedCell[] {
    const capable = this.filterCapableProviders(this.analyzeRequirements(context));
    const scored = this.#scoreTier(capable, CONVERSATION, this.#parts.clock.monotonicMs());
    return scored
      .filter((item) => item.state !== "isolated" && item.state !== "open")
      .map((item) => withReason(item, "", 0, scored.length));
  }

  /** The same for a request on its way: tier by tier, best first. Synchronous, because every request pays for it. */
  order(
    tiers: readonly (readonly Candidate[])[],
    characteristics: RequestCharacteristics,
    request?: XRRequest,
  ): Ordered {
    const nowMs = this.#parts.clock.monotonicMs();
    const cells: RoutedCell[] = [];
    const resting: ScoredProvider[] = [];
    const excluded: { cell: Cell; reason: string }[] = [];
    for (const [index, tier] of tiers.entries()) {
      const affordable = this.#affordable(tier, request, excluded);
      const scored = this.#scoreTier(affordable, characteristics, nowMs, request);
      const place = tiers.length > 1 ? `choice ${index + 1}, ` : "";
      for (const [rank, item] of scored.entries()) {
        if (item.state === "closed" || item.state === "probe") cells.push(withReason(item, place, rank, scored.length));
        else if (item.state === "isolated") excluded.push({ cell: item.cell, reason: "isolated" });
        else resting.push(item);
      }
    }
    if (cells.length === 0) {
      // What opens soonest is worth a try; what is throttled would only say no again, so it comes last.
      resting.sort((a, b) => Number(a.state === "throttled") - Number(b.state === "throttled"));
      for (const item of resting) cells.push({ ...item, reason: `last resort, ${item.state}` });
    } else {
      for (const item of resting) excluded.push({ cell: item.cell, reason: item.state });
    }
    return { cells, excluded };
  }

  private analyzeRequirements(context: XRContext): XRRequirements {
    return {
      modalities: this.extractModalities(context),
      realTime: this.requiresRealTime(context),
      spatial: this.requiresSpatialReasoning(context),
      multiUser: this.requiresMultiUserSupport(context),
      haptic: this.requiresHapticSupport(context),
    };
  }

  private extractModalities(context: XRContext): readonly Modality[] {
    const modalities: Modality[] = ["text"];
    if (context.audio.speaking || context.consent.audio) modalities.push("audio");
    if (context.consent.camera) modalities.push("image");
    if (this.requiresSpatialReasoning(context)) modalities.push("action");
    if (this.requiresHapticSupport(context)) modalities.push("haptic");
    return modalities;
  }

  /** Somebody is immersed, or speaking: they wait for the first sound, not for the last word. */
  private requiresRealTime(context: XRContext): boolean {
    return context.device.mode.startsWith("immersive") || context.audio.speaking;
  }

  private requiresSpatialReasoning(context: XRContext): boolean {
    return context.scene.entities.length > 0;
  }

  private requiresMultiUserSupport(context: XRContext): boolean {
    return context.roomId !== undefined && context.scene.entities.some((entity) => entity.kind === "person");
  }

  private requiresHapticSupport(context: XRContext): boolean {
    return context.inputSources.some((source) => source.haptics.pulse || source.haptics.effects.length > 0);
  }

  /** Geometry and haptics are the gateway's own, so a plain chat model with tools is capable of a spatial, haptic turn. */
  private filterCapableProviders(requirements: XRRequirements): readonly Candidate[] {
    const tier = this.#parts.registry.cellsFor("chat");
    const needsTools = requirements.spatial || requirements.haptic;
    return tier.filter(({ model }) => {
      if (requirements.realTime && !model.features.includes("streaming")) return false;
      return !needsTools || model.features.includes("tools") || model.features.includes("spatial-actions");
    });
  }

  private async scoreProviders(
    providers: readonly Candidate[],
    context: XRContext,
  ): Promise<readonly ScoredProvider[]> {
    const nowMs = this.#parts.clock.monotonicMs();
    const isImmersive = this.requiresRealTime(context);
    const characteristics = isImmersive ? CONVERSATION : { ...CONVERSATION, latencyRequirement: 3_000 };
    return this.#scoreTier(providers, characteristics, nowMs);
  }

  private selectOptimalProvider(scored: readonly ScoredProvider[]): ScoredProvider {
    const usable = scored.filter((item) => item.state === "closed");
    const best = usable[0] ?? scored.find((item) => item.state !== "isolated");
    if (best !== undefined) return best;
    throw new GatewayError("no_capable_provider", "no provider can serve what this context needs");
  }

  private configureXRProvider(selected: ScoredProvider, context: XRContext): IXRProviderAdapter {
    const { configure } = this.#parts;
    if (configure !== undefined) return configure(selected.candidate, context);
    throw new GatewayError("request_unsupported", "this selector was made without a way to lift providers into XR");
  }

  /** A cell whose price nobody knows stays: it is not known to be too dear. */
  #affordable(
    tier: readonly Candidate[],
    request: XRRequest | undefined,
    excluded: { cell: Cell; reason: string }[],
  ): readonly Candidate[] {
    const max = request?.budget?.costMicroUsdMax;
    if (max === undefined) return tier;
    return tier.filter((candidate) => {
      const cost = estimatedCost(this.#parts.rates(candidate), request);
      if (cost === undefined || cost <= max) return true;
      const reason = `too dear: about ${Math.round(cost)} micro-dollars, the request may cost ${Math.round(max)}`;
      excluded.push({ cell: candidate.cell, reason });
      return false;
    });
  }

  #scoreTier(
    tier: readonly Candidate[],
    characteristics: RequestCharacteristics,
    nowMs: number,
    request?: XRRequest,
  ): readonly ScoredProvider[] {
    const { balancer, random } = this.#parts;
    const first = tier[0];
    if (first === undefined) return [];
    const isSameModel = tier.every((candidate) => candidate.model.id === first.model.id);
    const affine = request === undefined ? undefined : this.#affinity(request);
    const sampled = balancer.sample(tier, () => random.next());
    const scored = sampled.map((candidate) =>
      this.#score(candidate, characteristics, nowMs, isSameModel, affine, request),
    );
    // A probe goes first where another cell stands behind it: the trickle of traffic by which a cell comes back.
    const hasClosed = scored.some((item) => item.state === "closed");
    return scored.sort((a, b) => probeRank(b, hasClosed) - probeRank(a, hasClosed) || b.score - a.score);
  }

  #score(
    candidate: Candidate,
    characteristics: RequestCharacteristics,
    nowMs: number,
    isSameModel: boolean,
    affine: string | undefined,
    request: XRRequest | undefined,
  ): ScoredProvider {
    const { balancer, states, rates, qualityOf } = this.#parts;
    const { score, terms } = scoreOf({
      candidate,
      characteristics,
      loadS: balancer.score(candidate.name, nowMs),
      costMicroUsd: estimatedCost(rates(candidate), request),
      share: states.share(candidate, nowMs),
      isAffine: affine === candidate.name,
      isSameModel,
      quality: qualityOf?.(candidate),
    });
    return { candidate, cell: candidate.cell, score, terms, reason: "", state: states.look(candidate, nowMs) };
  }

  #affinity(request: XRRequest): string | undefined {
    const key = affinityKeyOf(request);
    return key === undefined ? undefined : this.#parts.balancer.affinityOf(key);
  }
}

/** Sessions and prompts with a cache key come back to the cell that knows them. */
export function affinityKeyOf(request: XRRequest): string | undefined {
  const { sessionId } = request.context;
  if (sessionId !== "") return `session ${sessionId}`;
  const key = request.chat.cacheHints?.key;
  return key === undefined ? undefined : `cache ${request.principal.tenantId} ${key}`;
}

function probeRank(item: ScoredProvider, hasClosed: boolean): number {
  if (item.state === "probe") return hasClosed ? 1 : -1;
  return 0;
}

/** A sentence for people; the figures behind it are in `terms`. */
function withReason(item: ScoredProvider, place: string, rank: number, among: number): RoutedCell {
  if (item.state === "probe") return { ...item, reason: `${place}tried again after it failed` };
  if (among === 1) return { ...item, reason: `${place}the only one that can` };
  const waitMs = Math.round((item.terms.find((term) => term.name === "latency")?.value ?? 0) * 1_000);
  return {
    ...item,
    reason: `${place}${rank === 0 ? "best" : `number ${rank + 1}`} of ${among}, first words expected after ${waitMs} ms`,
  };
}

/** Micro-dollars from what is known before the call: the size of the request and a guess at the answer's. */
export function estimatedCost(rates: ReturnType<CellRates>, request: XRRequest | undefined): number | undefined {
  if (rates === undefined || request === undefined) return undefined;
  const inputTokens = Math.max(request.needs.contextTokensMin, 100);
  const outputTokens = request.chat.maxOutputTokens ?? OUTPUT_TOKENS_GUESS;
  return (rates.input * inputTokens + rates.output * Math.min(outputTokens, 2_000)) / 1_000;
}
