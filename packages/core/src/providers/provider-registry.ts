import { GatewayError } from "../errors/gateway-error.ts";
import type { ModelInfo, Operation } from "../model/provider-info.ts";
import type { Cell } from "../model/routing-plan.ts";
import { cellName } from "../model/routing-plan.ts";
import type { ModelListing } from "./answer-engine.ts";
import type { Candidate, CatalogueView, ProviderEntry, Resolution } from "./catalogue.ts";
import { resolveName } from "./catalogue.ts";
import type { IdentifiedAdapter } from "./provider-adapter.ts";

export type Aliases = Readonly<Record<string, readonly string[]>>;
export type EntryOptions = Partial<Omit<ProviderEntry, "adapter" | "isDraining">>;

/**
 * The adapters of a process by id, with their cells. Resolutions are remembered until a provider or an alias changes, so
 * a request pays one map look-up; `version` rises with every change, for whoever keeps something derived from it.
 */
export class ProviderRegistry implements CatalogueView {
  #entries: readonly ProviderEntry[] = [];
  #aliases: ReadonlyMap<string, readonly string[]>;
  readonly #candidates = new Map<string, Candidate>();
  readonly #resolutions = new Map<string, Resolution>();
  readonly #modelLists = new WeakMap<IdentifiedAdapter, readonly ModelInfo[]>();
  #version = 0;
  #spatial: readonly Candidate[] = [];
  #spatialAt = -1;

  constructor(aliases: Aliases = {}) {
    this.#aliases = new Map();
    this.setAliases(aliases);
  }

  get entries(): readonly ProviderEntry[] {
    return this.#entries;
  }

  get aliases(): ReadonlyMap<string, readonly string[]> {
    return this.#aliases;
  }

  get version(): number {
    return this.#version;
  }

  /** A second adapter with the same id is the same provider with another key. */
  add(adapter: IdentifiedAdapter, options: EntryOptions = {}): void {
    const made = entryOf(adapter, options);
    const { keyId } = made;
    if (this.#entries.some((entry) => entry.adapter.id === adapter.id && entry.keyId === keyId)) {
      throw new GatewayError("configuration_invalid", `provider '${adapter.id}' with key '${keyId}' is there already`, {
        providerId: adapter.id,
      });
    }
    this.#changed([...this.#entries, made]);
  }

  /** From now on nothing new goes to the provider; what runs may finish. */
  drain(providerId: string): void {
    this.#changed(
      this.#entries.map((entry) => (entry.adapter.id === providerId ? { ...entry, isDraining: true } : entry)),
    );
  }

  /** Relative preference from now on, of all keys of the provider. */
  setWeight(providerId: string, weight: number): void {
    this.#changed(this.#entries.map((entry) => (entry.adapter.id === providerId ? { ...entry, weight } : entry)));
  }

  /** Every cell that can do the operation and is not draining; empty where there is none. */
  cellsFor(operation: Operation): readonly Candidate[] {
    return this.#entries.flatMap((entry) => {
      if (entry.isDraining) return [];
      const models = entry.adapter.models().filter((model) => model.features.includes(operation));
      return models.map((model) => this.candidateOf(entry, model, operation));
    });
  }

  remove(providerId: string): readonly IdentifiedAdapter[] {
    const gone = this.#entries.filter((entry) => entry.adapter.id === providerId);
    this.#changed(this.#entries.filter((entry) => entry.adapter.id !== providerId));
    return gone.map((entry) => entry.adapter);
  }

  /**
   * Puts entries in the place of those that the provider had, at once; what is planned already keeps the old ones. Returns
   * the adapters that are out, for whoever closes them when they are idle.
   */
  replace(
    providerId: string,
    entries: readonly { readonly adapter: IdentifiedAdapter; readonly options?: EntryOptions }[],
  ): readonly IdentifiedAdapter[] {
    const made = entries.map(({ adapter, options = {} }): ProviderEntry => entryOf(adapter, options));
    const at = this.#entries.findIndex((entry) => entry.adapter.id === providerId);
    const gone = this.#entries.filter((entry) => entry.adapter.id === providerId);
    const others = this.#entries.filter((entry) => entry.adapter.id !== providerId);
    const place = at < 0 ? others.length : at;
    this.#changed([...others.slice(0, place), ...made, ...others.slice(place)]);
    return gone.map((entry) => entry.adapter);
  }

  /** Replaces all aliases. Throws `configuration_invalid` where an alias names itself in a circle, or nothing. */
  setAliases(aliases: Aliases): void {
    for (const [alias, targets] of Object.entries(aliases)) {
      if (targets.length === 0) throw invalidAlias(alias, "names no model");
      if (reaches(aliases, alias, alias, 0)) throw invalidAlias(alias, "refers to itself");
    }
    this.#aliases = new Map(Object.entries(aliases));
    this.#changed(this.#entries);
  }

  find(providerId: string): IdentifiedAdapter | undefined {
    return this.#entries.find((entry) => entry.adapter.id === providerId)?.adapter;
  }

  adapterOf(cell: Cell): IdentifiedAdapter | undefined {
    return this.#entries.find((entry) => entry.adapter.id === cell.providerId && entry.keyId === cell.keyId)?.adapter;
  }

  /** Throws `model_unknown`, `model_retired` or `request_unsupported`. */
  resolve(name: string, operation: Operation): Resolution {
    this.#noticeNewModels();
    const key = `${operation} ${name}`;
    const known = this.#resolutions.get(key);
    if (known !== undefined) return known;
    const resolution = resolveName(this, name, operation);
    // Names come from callers: `provider/anything` must not grow this without end.
    if (this.#resolutions.size >= 1_000) this.#resolutions.clear();
    this.#resolutions.set(key, resolution);
    return resolution;
  }

  candidateOf(entry: ProviderEntry, model: ModelInfo, operation: Operation): Candidate {
    const { id: providerId, region } = entry.adapter;
    const cell: Cell = { providerId, model: model.id, region, keyId: entry.keyId, operation };
    const name = cellName(cell);
    const known = this.#candidates.get(name);
    if (known !== undefined && known.entry === entry && isSameModel(known.model, model)) return known;
    if (this.#candidates.size >= 10_000) this.#candidates.clear();
    const candidate: Candidate = { cell, name, model, entry };
    this.#candidates.set(name, candidate);
    return candidate;
  }

  /** Models that reason over geometry inside this process: what is left when no vendor answers. */
  spatialCandidates(): readonly Candidate[] {
    this.#noticeNewModels();
    if (this.#spatialAt === this.#version) return this.#spatial;
    const local = this.#entries.filter((entry) => entry.adapter.type === "embedded" && !entry.isDraining);
    this.#spatial = local.flatMap((entry) => {
      const models = entry.adapter.models().filter((model) => model.features.includes("chat"));
      return models.map((model) => this.candidateOf(entry, model, "chat"));
    });
    this.#spatialAt = this.#version;
    return this.#spatial;
  }

  /** A vendor's live listing replaces the list an adapter gives; what was resolved from the old one is void then. */
  #noticeNewModels(): void {
    let isChanged = false;
    for (const { adapter } of this.#entries) {
      const models = adapter.models();
      if (this.#modelLists.get(adapter) === models) continue;
      this.#modelLists.set(adapter, models);
      isChanged = true;
    }
    if (!isChanged) return;
    this.#resolutions.clear();
    this.#version++;
  }

  /** Aliases first, then every model as `provider/model`, each once. */
  list(): readonly ModelListing[] {
    const listings = new Map<string, ModelListing>();
    for (const alias of this.#aliases.keys()) {
      const first = this.#aliasTarget(alias);
      if (first !== undefined) listings.set(alias, listing(alias, first));
    }
    for (const entry of this.#entries) {
      if (entry.isDraining) continue;
      for (const model of entry.adapter.models()) {
        const name = `${entry.adapter.id}/${model.id}`;
        if (!listings.has(name)) listings.set(name, listing(name, { entry, model }));
      }
    }
    return [...listings.values()];
  }

  #aliasTarget(alias: string): { entry: ProviderEntry; model: ModelInfo } | undefined {
    let target = alias;
    for (let depth = 0; depth < 5; depth++) target = this.#aliases.get(target)?.[0] ?? target;
    for (const entry of this.#entries) {
      for (const model of entry.adapter.models()) {
        if (model.id === target || `${entry.adapter.id}/${model.id}` === target) return { entry, model };
      }
    }
    return undefined;
  }

  #changed(entries: readonly ProviderEntry[]): void {
    this.#entries = entries;
    this.#resolutions.clear();
    this.#version += 1;
  }
}

function entryOf(adapter: IdentifiedAdapter, options: EntryOptions): ProviderEntry {
  const { keyId = "default", weight = 1, acceptsUnlisted = false } = options;
  return { adapter, keyId, weight, acceptsUnlisted, isDraining: false };
}

function listing(name: string, of: { readonly entry: ProviderEntry; readonly model: ModelInfo }): ModelListing {
  const { contextTokens, features } = of.model;
  const providerId = of.entry.adapter.id;
  return { name, providerId, features, ...(contextTokens === undefined ? {} : { contextTokens }) };
}

function reaches(aliases: Aliases, from: string, wanted: string, depth: number): boolean {
  if (depth > 8) return true;
  for (const target of aliases[from] ?? []) {
    if (target === wanted || (aliases[target] !== undefined && reaches(aliases, target, wanted, depth + 1)))
      return true;
  }
  return false;
}

function invalidAlias(alias: string, what: string): GatewayError {
  return new GatewayError("configuration_invalid", `alias '${alias}' ${what}`, { param: `routing.aliases.${alias}` });
}

/** Adapters may describe the same model anew on every call; what is kept by cell (breakers, windows) must not notice. */
function isSameModel(a: ModelInfo, b: ModelInfo): boolean {
  if (a === b) return true;
  return (
    a.id === b.id &&
    a.contextTokens === b.contextTokens &&
    a.outputTokensMax === b.outputTokensMax &&
    a.features.length === b.features.length &&
    a.features.every((feature, index) => feature === b.features[index])
  );
}
