// From what a caller wrote as `model` to the cells that may serve it. Order of reading: an alias of the operator, then
// `provider/model`, then a plain name (it may hold slashes itself), then `auto`.
import { GatewayError } from "../errors/gateway-error.ts";
import type { ModelInfo, Operation, SupportedFeatures } from "../model/provider-info.ts";
import type { Cell } from "../model/routing-plan.ts";
import type { IdentifiedAdapter } from "./provider-adapter.ts";

/** What the operator says of a provider beside its adapter. Several keys of one provider are several entries with one id. */
export interface ProviderEntry {
  readonly adapter: IdentifiedAdapter;
  /** Identifier of the key this adapter uses, never the key. */
  readonly keyId: string;
  /** Relative preference, 1 when nothing is said. */
  readonly weight: number;
  /** Where true, `provider/anything` is passed on although the model is not listed. */
  readonly acceptsUnlisted: boolean;
  /** A draining provider finishes what it has and gets nothing new. */
  readonly isDraining: boolean;
}

/** A cell that could serve a request, with what is known of it without a call. */
export interface Candidate {
  readonly cell: Cell;
  readonly name: string;
  readonly model: ModelInfo;
  readonly entry: ProviderEntry;
}

/** Tiers in order of preference: the first is preferred as a whole, the rest are its fallbacks. Scores order within a tier. */
export interface Resolution {
  readonly kind: "alias" | "exact" | "plain" | "auto";
  readonly name: string;
  readonly tiers: readonly (readonly Candidate[])[];
}

export interface CatalogueView {
  readonly entries: readonly ProviderEntry[];
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  /** One object per cell, so that whoever keeps state by cell may compare by identity. */
  candidateOf(entry: ProviderEntry, model: ModelInfo, operation: Operation): Candidate;
}

const UNLISTED: readonly SupportedFeatures[] = ["chat", "streaming", "tools", "vision-input", "structured-output"];

/** Throws `model_unknown` with close names, or `model_retired` with the successor. */
export function resolveName(view: CatalogueView, name: string, operation: Operation): Resolution {
  const isAlias = view.aliases.has(name);
  const tiers = isAlias ? aliasTiers(view, name, operation, 0) : findTiers(view, name, operation);
  if (tiers.length > 0) return { kind: isAlias ? "alias" : kindOf(name, tiers), name, tiers };
  // What is wrong with an alias is what is wrong with its first target.
  throw unknownModel(view, view.aliases.get(name)?.[0] ?? name, operation);
}

function kindOf(name: string, tiers: Resolution["tiers"]): Resolution["kind"] {
  if (name === "auto") return "auto";
  return tiers[0]?.[0]?.model.id === name ? "plain" : "exact";
}

/** Targets that are gone at the moment (removed, draining) leave their place to the next. */
function aliasTiers(view: CatalogueView, alias: string, operation: Operation, depth: number): Resolution["tiers"] {
  return (view.aliases.get(alias) ?? []).flatMap((target) =>
    view.aliases.has(target) && depth < 8
      ? aliasTiers(view, target, operation, depth + 1)
      : findTiers(view, target, operation),
  );
}

function findTiers(view: CatalogueView, name: string, operation: Operation): Resolution["tiers"] {
  if (name === "auto") return nonEmpty(everything(view, operation));
  const exact = findExact(view, name, operation);
  if (exact.length > 0) return [exact];
  const plain = everything(view, operation).filter((candidate) => candidate.model.id === name);
  return nonEmpty(plain.length > 0 ? plain : recognised(view, name, operation));
}

/** Clients name models that are newer, or older, than any list: the vendor's family in the name tells whom to ask. */
function recognised(view: CatalogueView, name: string, operation: Operation): readonly Candidate[] {
  return view.entries.flatMap((entry) => {
    if (entry.isDraining || !entry.acceptsUnlisted || entry.adapter.recognises?.(name) !== true) return [];
    if (isRetired(entry, name)) return [];
    const model = entry.adapter.models().find(({ id }) => id === name) ?? unlisted(entry, name);
    return model.features.includes(operation) ? [view.candidateOf(entry, model, operation)] : [];
  });
}

function nonEmpty(tier: readonly Candidate[]): Resolution["tiers"] {
  return tier.length === 0 ? [] : [tier];
}

function everything(view: CatalogueView, operation: Operation): readonly Candidate[] {
  const found: Candidate[] = [];
  for (const entry of view.entries) {
    if (entry.isDraining) continue;
    for (const model of entry.adapter.models()) {
      if (model.features.includes(operation)) found.push(view.candidateOf(entry, model, operation));
    }
  }
  return found;
}

function findExact(view: CatalogueView, name: string, operation: Operation): readonly Candidate[] {
  const slash = name.indexOf("/");
  if (slash <= 0) return [];
  const providerId = name.slice(0, slash);
  const modelId = name.slice(slash + 1);
  const found: Candidate[] = [];
  for (const entry of view.entries) {
    if (entry.adapter.id !== providerId || entry.isDraining) continue;
    const listed = entry.adapter.models().find((model) => model.id === modelId);
    const model =
      listed ?? (entry.acceptsUnlisted && !isRetired(entry, modelId) ? unlisted(entry, modelId) : undefined);
    if (model?.features.includes(operation) === true) found.push(view.candidateOf(entry, model, operation));
  }
  return found;
}

/** The adapter knows its vendor's families by their names: an embedding model need not be listed to embed. */
function unlisted(entry: ProviderEntry, id: string): ModelInfo {
  const known = entry.adapter.featuresOf?.(id) ?? UNLISTED;
  // What a chat model of an unknown name cannot do, its vendor will say.
  return { id, features: known.includes("chat") ? [...new Set([...known, ...UNLISTED])] : known };
}

function isRetired(entry: ProviderEntry, modelId: string): boolean {
  return entry.adapter.retiredModels?.()[modelId] !== undefined;
}

function unknownModel(view: CatalogueView, name: string, operation: Operation): GatewayError {
  for (const entry of view.entries) {
    const { id } = entry.adapter;
    const local = name.startsWith(`${id}/`) ? name.slice(id.length + 1) : name;
    const successor = entry.adapter.retiredModels?.()[local];
    if (successor === undefined) continue;
    const message = `model '${name}' was retired by its vendor; use '${id}/${successor}'`;
    return new GatewayError("model_retired", message, { param: "model", successor: `${id}/${successor}` });
  }
  const same = listedNames(view).find((listed) => listed === name || listed.endsWith(`/${name}`));
  if (same !== undefined) {
    const message = `model '${name}' cannot be asked for '${operation}'`;
    return new GatewayError("request_unsupported", message, { param: "model" });
  }
  const close = closeNames(listedNames(view), name);
  const hint = close.length === 0 ? "" : `; did you mean ${close.map((item) => `'${item}'`).join(", ")}?`;
  const details = { param: "model", ...(close.length === 0 ? {} : { suggestions: close.join(", ") }) };
  return new GatewayError("model_unknown", `no model '${name}'${hint}`, details);
}

function listedNames(view: CatalogueView): readonly string[] {
  const names = [...view.aliases.keys()];
  for (const { adapter, isDraining } of view.entries)
    if (!isDraining) for (const model of adapter.models()) names.push(`${adapter.id}/${model.id}`);
  return [...new Set(names)];
}

/** At most three, nearest first; a name further away than four in ten of its characters is no help. */
function closeNames(names: readonly string[], wanted: string): readonly string[] {
  const rated = names.map((name) => ({ name, distance: nameDistance(name, wanted) }));
  const near = rated.filter((item) => item.distance <= Math.max(1, wanted.length * 0.4));
  near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return near.slice(0, 3).map((item) => item.name);
}

function nameDistance(name: string, wanted: string): number {
  const plain = name.slice(name.indexOf("/") + 1);
  if (plain.startsWith(wanted) || wanted.startsWith(plain)) return 1;
  return Math.min(editDistance(name, wanted), editDistance(plain, wanted));
}

/** Levenshtein over at most 64 characters. */
function editDistance(left: string, right: string): number {
  const a = left.slice(0, 64).toLowerCase();
  const b = right.slice(0, 64).toLowerCase();
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
