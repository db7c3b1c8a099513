// The configuration while the gateway runs: read anew as a whole, checked as a whole, and only then put in force. A file
// with a mistake changes nothing. What is on its way keeps the plan, the provider and the limits it began with.
// Rules: docs/spec/configuration.md HOT1..HOT8.
import type {
  BudgetLimit,
  Budgets,
  Clock,
  GatewayEngine,
  Log,
  Meter,
  PriceBook,
  ProviderConfig,
  RoutingRule,
} from "@fovea/core";
import { GatewayError, ProviderRegistry } from "@fovea/core";
import type { ConfigProblem } from "../config/config-problem.ts";
import { ConfigurationError, problemText } from "../config/config-problem.ts";
import type { GatewaySettings } from "../config/config-schema.ts";
import type { ResolvedConfig } from "../config/resolve-config.ts";
import type { BuiltProvider, ProviderDeps } from "./build-providers.ts";
import { buildProviders } from "./build-providers.ts";

/** What became of the last look at the configuration. */
export interface ConfigState {
  /** 1 is the configuration that the gateway was started with. */
  readonly version: number;
  readonly loadedAtUnixMs: number;
  readonly lastReload: "none" | "applied" | "unchanged" | "refused";
  readonly lastReloadAtUnixMs?: number;
  /** Why it was refused; values of secrets are never in it. */
  readonly problems: readonly string[];
  /** Settings that were changed in the file and hold from the next start on. */
  readonly needsRestart: readonly string[];
}

export interface LiveConfigParts {
  readonly config: ResolvedConfig;
  /** Reads everything again. Throws `ConfigurationError`. */
  readonly load: () => ResolvedConfig;
  readonly engine: GatewayEngine;
  readonly budgets: Budgets;
  readonly prices: LivePrices;
  readonly deps: ProviderDeps;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** Keys and limits of the server: put in force by whoever has them. */
  readonly applySettings: (settings: GatewaySettings) => void;
  /** Adapters that joined, so that they are closed with the gateway. */
  readonly onAdded: (built: readonly BuiltProvider[]) => void;
}

/** Everything else needs a restart: it is what the process was built from. */
const HOT: readonly string[] = [
  "providers",
  "providersFromEnvironment",
  "routing",
  "auth.keys",
  "limits.budgets",
  "limits.requestsPerMinute",
  "limits.requestMs",
];

export class LiveConfig {
  readonly #parts: LiveConfigParts;
  #config: ResolvedConfig;
  #state: ConfigState;

  constructor(parts: LiveConfigParts) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#state = {
      version: 1,
      loadedAtUnixMs: parts.clock.unixMs(),
      lastReload: "none",
      problems: [],
      needsRestart: [],
    };
    this.#measure();
  }

  get state(): ConfigState {
    return this.#state;
  }

  /** What is in force. */
  get config(): ResolvedConfig {
    return this.#config;
  }

  /** Never throws: a configuration that cannot be used is told, and the old one stays. */
  reload(reason: string): ConfigState {
    const { clock, log, meter, load } = this.#parts;
    let outcome: ConfigState["lastReload"];
    let problems: readonly string[] = [];
    try {
      outcome = this.#apply(load()) ? "applied" : "unchanged";
    } catch (error) {
      outcome = "refused";
      problems = problemsOf(error);
    }
    const nowUnixMs = clock.unixMs();
    const isApplied = outcome === "applied";
    this.#state = {
      ...this.#state,
      version: this.#state.version + (isApplied ? 1 : 0),
      loadedAtUnixMs: isApplied ? nowUnixMs : this.#state.loadedAtUnixMs,
      lastReload: outcome,
      lastReloadAtUnixMs: nowUnixMs,
      problems,
    };
    meter.count("fovea.config.reloads", { outcome });
    this.#measure();
    const { version, needsRestart } = this.#state;
    if (outcome === "refused") {
      log.write("error", "the new configuration is refused, the old one stays", { reason, version });
      for (const problem of problems) log.write("error", "configuration problem", { problem });
    } else log.write("info", "configuration read", { reason, outcome, version });
    if (needsRestart.length > 0)
      log.write("warn", "some changes need a restart", { settings: needsRestart.join(", ") });
    return this.#state;
  }

  /** False where nothing that can change was changed. Throws before anything is put in force. */
  #apply(next: ResolvedConfig): boolean {
    const { engine, budgets, prices, deps } = this.#parts;
    const before = this.#config;
    const needsRestart = coldChanges(before, next);
    // Whether a key is needed decides what the process listens on and which secret it made.
    const isSameAccess = before.isOpen === next.isOpen;
    if (!isSameAccess) needsRestart.push("auth.keys");
    const changes = providerChanges(before.providers, next.providers);
    // Tried before use: an alias that leads in a circle must not leave half of a configuration behind.
    void new ProviderRegistry(next.settings.routing.aliases);
    const built = buildProviders(next, deps, ({ id }) => changes.made.has(id));
    // From here on nothing throws.
    this.#config = next;
    this.#state = { ...this.#state, needsRestart };
    this.#parts.onAdded(built);
    prices.replace(next.providers);
    engine.router.rules.replace(next.settings.routing.rules as readonly RoutingRule[]);
    engine.registry.setAliases(next.settings.routing.aliases);
    budgets.replace(next.settings.limits.budgets.map(budgetLimit));
    if (isSameAccess) this.#parts.applySettings(next.settings);
    this.#swapProviders(changes, built, next);
    return !isEqual(hotOf(before), hotOf(next));
  }

  #swapProviders(changes: ProviderChanges, built: readonly BuiltProvider[], next: ResolvedConfig): void {
    const { engine, log } = this.#parts;
    const told = (work: Promise<void>, providerId: string, what: string): void => {
      log.write("info", what, { providerId });
      work.then(
        () => log.write("info", "the old connections of a provider are closed", { providerId }),
        () => log.write("warn", "a provider could not be closed", { providerId }),
      );
    };
    for (const id of changes.made) {
      const entries = built.filter(({ config }) => config.id === id);
      told(engine.mesh.replaceProvider(id, entries), id, "provider added or changed");
    }
    for (const id of changes.gone)
      if (engine.registry.find(id) !== undefined) told(engine.mesh.removeProvider(id), id, "provider drains");
    for (const { id, weight = 1 } of next.providers) if (changes.weighed.has(id)) engine.registry.setWeight(id, weight);
  }

  #measure(): void {
    const { meter } = this.#parts;
    meter.gauge("fovea.config.version", {}, this.#state.version);
    meter.gauge("fovea.config.loaded", {}, this.#state.loadedAtUnixMs / 1_000);
    meter.gauge("fovea.config.is_refused", {}, this.#state.lastReload === "refused" ? 1 : 0);
  }
}

/** The price book in force; asked at every answer, exchanged as a whole. */
export class LivePrices implements PriceBook {
  readonly #make: (providers: readonly ProviderConfig[]) => PriceBook;
  #book: PriceBook;

  constructor(make: (providers: readonly ProviderConfig[]) => PriceBook, providers: readonly ProviderConfig[]) {
    this.#make = make;
    this.#book = make(providers);
  }

  replace(providers: readonly ProviderConfig[]): void {
    this.#book = this.#make(providers);
  }

  costOf(...call: Parameters<PriceBook["costOf"]>): ReturnType<PriceBook["costOf"]> {
    return this.#book.costOf(...call);
  }

  ratesOf(...call: Parameters<PriceBook["ratesOf"]>): ReturnType<PriceBook["ratesOf"]> {
    return this.#book.ratesOf(...call);
  }
}

/** Money is written in dollars and counted in millionths. */
export function budgetLimit({ costUsd, ...rest }: GatewaySettings["limits"]["budgets"][number]): BudgetLimit {
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const cost = costUsd === undefined ? {} : { costMicroUsd: costUsd * 1e6 };
  return { ...(given as unknown as Omit<BudgetLimit, "costMicroUsd">), ...cost };
}

interface ProviderChanges {
  /** New, or reached in another way: another address, key, list of models. */
  readonly made: ReadonlySet<string>;
  readonly gone: readonly string[];
  readonly weighed: ReadonlySet<string>;
}

function providerChanges(before: readonly ProviderConfig[], after: readonly ProviderConfig[]): ProviderChanges {
  const old = new Map(before.map((provider) => [provider.id, provider]));
  const made = new Set<string>();
  const weighed = new Set<string>();
  for (const provider of after) {
    const known = old.get(provider.id);
    if (known === undefined || !isEqual(wayTo(known), wayTo(provider))) made.add(provider.id);
    else if (known.weight !== provider.weight) weighed.add(provider.id);
  }
  const kept = new Set(after.map((provider) => provider.id));
  return { made, weighed, gone: before.map((provider) => provider.id).filter((id) => !kept.has(id)) };
}

/** All of a provider that its adapter was made from. */
function wayTo(provider: ProviderConfig): unknown {
  const { weight: _weight, price: _price, prices: _prices, ...rest } = provider;
  return rest;
}

function hotOf({ settings, providers }: ResolvedConfig): unknown {
  return { providers, values: HOT.map((path) => valueAt(settings, path)) };
}

/** Paths of settings that were changed and do not change while the process runs. */
function coldChanges(before: ResolvedConfig, after: ResolvedConfig): string[] {
  const changed: string[] = [];
  const compare = (old: unknown, now: unknown, path: string): void => {
    if (HOT.includes(path) || isEqual(old, now)) return;
    const isGroup = isObject(old) && isObject(now);
    if (!isGroup) return void changed.push(path);
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)]))
      compare(old[key], now[key], path === "" ? key : `${path}.${key}`);
  };
  compare(before.settings, after.settings, "");
  return changed;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueAt(settings: GatewaySettings, path: string): unknown {
  let at: unknown = settings;
  for (const step of path.split(".")) at = isObject(at) ? at[step] : undefined;
  return at;
}

/** Both come out of the same schema, so that their keys stand in the same order. */
function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function problemsOf(error: unknown): readonly string[] {
  if (error instanceof ConfigurationError) return error.problems.map((problem: ConfigProblem) => problemText(problem));
  if (GatewayError.is(error)) return [error.message];
  return [error instanceof Error ? error.message : String(error)];
}
