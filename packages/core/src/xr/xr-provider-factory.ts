import { GatewayError } from "../errors/gateway-error.ts";
import type { IAIProvider, ProviderConfig, ProviderType } from "../model/provider-info.ts";
import type { ScoreTerm } from "../model/routing-plan.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { IdentifiedAdapter, IProviderAdapter, IProviderFactory } from "../providers/provider-adapter.ts";
import type { ProviderRegistry } from "../providers/provider-registry.ts";
import type { IXRProviderAdapter } from "../providers/xr-provider-adapter.ts";
import type { CellHealthBook } from "../resilience/cell-health.ts";
import type { LoadBalancer } from "../routing/load-balancer.ts";
import type { XRProviderSelector } from "../routing/xr-provider-selector.ts";
import type { LiftParts } from "./lifted-adapter.ts";
import { LiftedAdapter } from "./lifted-adapter.ts";
import type { MultiProviderAdapter, MultiProviderRole } from "./multi-provider-adapter.ts";
import { RoleAdapter } from "./multi-provider-adapter.ts";

/** Specification: XRProviderType. Every provider can be lifted, so the types are the same. */
export type XRProviderType = ProviderType;
/** Specification: XRProviderConfig. */
export type XRProviderConfig = ProviderConfig;

/** Specification: IXRProvider. A provider as the factory's caller knows it. */
export interface IXRProvider extends IAIProvider {
  /** Requests it takes at the same time, where that is known. */
  readonly concurrency?: number;
}

/** Specification: MultiProviderConfig. The language role is needed; the others fall back to it where it can do them. */
export interface MultiProviderConfig {
  readonly id: string;
  readonly roles: Readonly<
    Partial<Record<MultiProviderRole, { readonly config: XRProviderConfig; readonly provider: IXRProvider }>>
  >;
}

/** Specification: ProviderSelection. */
export interface ProviderSelection {
  readonly providerId: string;
  readonly model: string;
  readonly score: number;
  readonly terms: readonly ScoreTerm[];
  readonly alternatives: readonly { readonly providerId: string; readonly model: string; readonly score: number }[];
}

/** Shares of the next requests by provider, which sum to one, from load, latency and health as they stand. */
export interface ProviderShares {
  readonly shares: readonly { readonly providerId: string; readonly share: number; readonly reason: string }[];
}

/** Specification: PerformanceMetrics, one window of one provider. */
export interface ProviderWindow {
  readonly providerId: string;
  readonly atMs: number;
  readonly calls: number;
  readonly errorRate: number;
  readonly inFlight: number;
  readonly firstContentMsP95: number | undefined;
  readonly firstContentMsP99: number | undefined;
  readonly lastFailures: readonly string[];
}

/** Specification section 2. */
export interface IXRProviderFactory extends IProviderFactory {
  createXRProvider(config: XRProviderConfig, providerDoc: IXRProvider): IXRProviderAdapter;
  getXRSupportedTypes(): XRProviderType[];
  createMultiProviderSetup(config: MultiProviderConfig): Promise<MultiProviderAdapter>;
  optimizeProviderSelection(context: XRContext): Promise<ProviderSelection>;
  balanceLoad(providers: IXRProvider[]): Promise<ProviderShares>;
  monitorProviderPerformance(providers: IXRProvider[]): AsyncIterable<ProviderWindow>;
}

export interface XRFactoryParts extends LiftParts {
  readonly base: IProviderFactory;
  readonly registry: ProviderRegistry;
  readonly selector: XRProviderSelector;
  readonly balancer: LoadBalancer;
  readonly health: CellHealthBook;
  /** Time between two windows of `monitorProviderPerformance`. */
  readonly windowMs?: number;
}

export class XRProviderFactory implements IXRProviderFactory {
  readonly #parts: XRFactoryParts;

  constructor(parts: XRFactoryParts) {
    this.#parts = parts;
  }

  createProvider(config: ProviderConfig, providerDoc: IAIProvider): IProviderAdapter {
    return this.#parts.base.createProvider(config, providerDoc);
  }

  getSupportedTypes(): ProviderType[] {
    return this.#parts.base.getSupportedTypes();
  }

  validateConfig(type: ProviderType, config: Partial<ProviderConfig>): boolean {
    return this.#parts.base.validateConfig(type, config);
  }

  createXRProvider(config: XRProviderConfig, providerDoc: IXRProvider): IXRProviderAdapter {
    const adapter = this.createProvider(config, providerDoc);
    if (!isIdentified(adapter)) {
      throw new GatewayError("configuration_invalid", `provider '${config.id}' has no identity`, {
        providerId: config.id,
      });
    }
    return new LiftedAdapter(adapter, this.#parts);
  }

  getXRSupportedTypes(): XRProviderType[] {
    return this.getSupportedTypes();
  }

  /** Its providers join the mesh, where they are not in it yet. Throws `configuration_invalid` without a language role. */
  async createMultiProviderSetup(config: MultiProviderConfig): Promise<MultiProviderAdapter> {
    const adapters = new Map<MultiProviderRole, IXRProviderAdapter>();
    for (const [role, entry] of Object.entries(config.roles) as [
      MultiProviderRole,
      MultiProviderConfig["roles"][MultiProviderRole],
    ][]) {
      if (entry !== undefined) adapters.set(role, this.createXRProvider(entry.config, entry.provider));
    }
    const language = adapters.get("language");
    if (language === undefined) {
      throw new GatewayError("configuration_invalid", "a multi-provider setup needs the role 'language'", {
        param: "roles.language",
      });
    }
    for (const adapter of new Set(adapters.values())) {
      if (this.#parts.registry.find(adapter.id) === undefined) this.#parts.registry.add(adapter);
    }
    return new RoleAdapter(config.id, language, adapters, this.#parts);
  }

  async optimizeProviderSelection(context: XRContext): Promise<ProviderSelection> {
    const [best, ...others] = this.#parts.selector.rank(context);
    if (best === undefined)
      throw new GatewayError("no_capable_provider", "no provider can serve what this context needs");
    const { providerId, model } = best.cell;
    const alternatives = others.map((item) => ({
      providerId: item.cell.providerId,
      model: item.cell.model,
      score: item.score,
    }));
    return { providerId, model, score: best.score, terms: best.terms, alternatives };
  }

  async balanceLoad(providers: IXRProvider[]): Promise<ProviderShares> {
    const { registry, balancer, health, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    const rated = providers.map((provider) => {
      const cells = registry.cellsFor("chat").filter((candidate) => candidate.cell.providerId === provider.id);
      const open = cells.filter((candidate) => health.look(candidate, nowMs) === "closed");
      if (open.length === 0)
        return { providerId: provider.id, speed: 0, reason: cells.length === 0 ? "not configured" : "out of service" };
      const waitS = Math.min(
        ...open.map((candidate) => balancer.score(candidate.name, nowMs) / candidate.entry.weight),
      );
      return {
        providerId: provider.id,
        speed: 1 / Math.max(0.01, waitS),
        reason: `${waitS.toFixed(2)} s to first content`,
      };
    });
    const total = rated.reduce((sum, item) => sum + item.speed, 0);
    return {
      shares: rated.map(({ providerId, speed, reason }) => ({
        providerId,
        share: total === 0 ? 0 : speed / total,
        reason,
      })),
    };
  }

  /** One window per provider and period, until the reader stops. */
  async *monitorProviderPerformance(providers: IXRProvider[]): AsyncGenerator<ProviderWindow> {
    const { clock, windowMs } = this.#parts;
    for (;;) {
      for (const provider of providers) yield this.#windowOf(provider.id);
      await new Promise<void>((resolve) => void clock.schedule(windowMs ?? 5_000, resolve));
    }
  }

  #windowOf(providerId: string): ProviderWindow {
    const { health, balancer, clock } = this.#parts;
    const atMs = clock.monotonicMs();
    const cells = health.cellsOf(providerId);
    let calls = 0;
    let failed = 0;
    let inFlight = 0;
    for (const cell of cells) {
      const counts = cell.breaker.counts(atMs);
      calls += counts.succeeded + counts.failed;
      failed += counts.failed;
      inFlight += balancer.view(cell.name).inFlight;
    }
    const worst = (values: readonly (number | undefined)[]): number | undefined => {
      const known = values.filter((value) => value !== undefined);
      return known.length === 0 ? undefined : Math.max(...known);
    };
    return {
      providerId,
      atMs,
      calls,
      errorRate: calls === 0 ? 0 : failed / calls,
      inFlight,
      firstContentMsP95: worst(cells.map((cell) => cell.firstContent.p95Ms)),
      firstContentMsP99: worst(cells.map((cell) => cell.firstContent.p99Ms)),
      lastFailures: cells.flatMap((cell) => cell.failures.slice(-3).map((item) => item.failure.code)),
    };
  }
}

function isIdentified(adapter: IProviderAdapter): adapter is IdentifiedAdapter {
  return "id" in adapter && "models" in adapter && adapter.chatStream !== undefined;
}
