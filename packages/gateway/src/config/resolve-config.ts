// One pure step from what was written (flags, environment, file) to what holds, with the origin of every value:
// command line before environment before file before default.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { ProviderConfig } from "@fovea/core";
import { isLoopbackHost } from "./loopback.ts";
import type { ConfigFile } from "./config-file.ts";
import { readConfigFile } from "./config-file.ts";
import { problemsOf } from "./config-issues.ts";
import type { ConfigProblem } from "./config-problem.ts";
import { ConfigurationError, shownValue } from "./config-problem.ts";
import type { GatewaySettings } from "./config-schema.ts";
import { configSchema } from "./config-schema.ts";
import type { Flags } from "./flags.ts";
import type { Path } from "./schema-walk.ts";
import { metaOf, pathText, walkKeys } from "./schema-walk.ts";
import { suggest } from "./suggest.ts";
import type { Environment } from "./vendors.ts";
import { variable, VENDORS } from "./vendors.ts";

export interface ResolvedConfig {
  readonly settings: GatewaySettings;
  /** File entries first, then those of the environment, then `embedded`. */
  readonly providers: readonly ProviderConfig[];
  /** Absolute. */
  readonly dataFolder: string;
  readonly filePath?: string;
  /** No key is configured and the address is loopback: everybody on this machine may do everything. */
  readonly isOpen: boolean;
  /** Where a value came from: `command line`, `environment`, `fovea.yaml:3`, `default`. By path of the reference page. */
  originOf(path: string): string;
  /** True for a provider of the file; the others were found. */
  isWritten(id: string): boolean;
  /** How a problem of a provider is told: under its key in the file, or under its variable. */
  locateProvider(id: string, field: string): { readonly where: string; readonly key: string };
  /** Worth telling, not worth refusing. */
  readonly notices: readonly string[];
}

export interface ConfigInput {
  readonly flags: Pick<Flags, "config" | "host" | "port" | "data" | "tls-cert" | "tls-key">;
  readonly environment: Environment;
  readonly workingFolder: string;
}

const DEFAULT_FILE = "fovea.yaml";

/** Throws `ConfigurationError` with every problem found, not only the first. */
export function resolveConfig(input: ConfigInput): ResolvedConfig {
  const file = findFile(input);
  const origins = new Map<string, { where: string; key: string }>();
  const raw = structuredClone(file?.values ?? {}) as Record<string, unknown>;
  for (const { path, schema } of walkKeys(configSchema)) {
    const { env, flag } = metaOf(schema);
    const fromEnvironment = env === undefined ? undefined : variable(input.environment, env);
    const fromFlag =
      flag === undefined ? undefined : input.flags[flag.slice(2) as "host" | "port" | "data" | "tls-cert" | "tls-key"];
    const value = fromFlag ?? fromEnvironment;
    if (value === undefined) continue;
    origins.set(
      path,
      fromFlag === undefined ? { where: "environment", key: env ?? "" } : { where: "command line", key: flag ?? "" },
    );
    write(raw, path.split("."), value);
  }
  const locate = (path: Path): { where: string; key: string } =>
    origins.get(pathText(path)) ?? { where: whereIn(file, path), key: pathText(path) };
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) throw new ConfigurationError(problemsOf(parsed.error.issues, raw, locate));
  const settings = parsed.data;
  const providers = collectProviders(settings, input.environment);
  const isOpen = settings.auth.keys.length === 0;
  const problems = [...crossChecks(settings, providers, locate), ...checkOpen(settings, isOpen, locate)];
  if (problems.length > 0) throw new ConfigurationError(problems);
  return {
    settings,
    providers,
    dataFolder: resolve(input.workingFolder, settings.data),
    ...(file === undefined ? {} : { filePath: file.path }),
    isOpen,
    originOf: (path) => origins.get(path)?.where ?? originInFile(file, path),
    isWritten: (id) => settings.providers.some((provider) => provider.id === id),
    locateProvider: (id, field) => locateProvider(settings, locate, id, field),
    notices: unknownVariables(input.environment),
  };
}

/** Where the file is, or would be. */
export function configPath(input: ConfigInput): string {
  return resolve(input.workingFolder, namedFile(input) ?? DEFAULT_FILE);
}

function namedFile(input: ConfigInput): string | undefined {
  return input.flags.config ?? variable(input.environment, "FOVEA_CONFIG");
}

function findFile(input: ConfigInput): ConfigFile | undefined {
  const path = configPath(input);
  const isWanted = namedFile(input) !== undefined || existsSync(path);
  return isWanted ? readConfigFile(path, input.environment) : undefined;
}

function whereIn(file: ConfigFile | undefined, path: Path): string {
  if (file === undefined) return "configuration";
  const line = file.lineOf(path);
  return line === undefined ? file.path : `${file.path}:${line}`;
}

function originInFile(file: ConfigFile | undefined, path: string): string {
  let at: unknown = file?.values;
  for (const step of path.split("."))
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[step] : undefined;
  return at === undefined ? "default" : whereIn(file, path.split("."));
}

function write(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const group = target[head];
  // A file that wrote something else than a group here is reported by the schema; the flag must not hide that.
  if (group === undefined || group === null) target[head] = {};
  if (typeof target[head] === "object") write(target[head] as Record<string, unknown>, rest, value);
}

function collectProviders(settings: GatewaySettings, environment: Environment): ProviderConfig[] {
  const written = settings.providers as readonly ProviderConfig[];
  const providers: ProviderConfig[] = written.map((entry) => fillFromEnvironment(entry, environment));
  // Who writes a vendor into the file has said what of it there should be.
  const isWritten = (type: string): boolean => written.some((entry) => entry.type === type || entry.id === type);
  for (const vendor of settings.providersFromEnvironment ? VENDORS : []) {
    const apiKey = variable(environment, vendor.keyVariable);
    const baseUrl = variable(environment, vendor.baseUrlVariable);
    const isOn = vendor.isKeyOptional ? baseUrl !== undefined : apiKey !== undefined;
    if (!isOn || isWritten(vendor.type)) continue;
    providers.push({
      id: vendor.type,
      type: vendor.type,
      ...optional("apiKey", apiKey),
      ...optional("baseUrl", baseUrl),
    });
  }
  if (!providers.some((provider) => provider.type === "embedded")) providers.push({ id: "embedded", type: "embedded" });
  return providers;
}

/** An entry without key and address of its own takes both from its vendor's variables; one with either is left alone. */
function fillFromEnvironment(entry: ProviderConfig, environment: Environment): ProviderConfig {
  const vendor = VENDORS.find((candidate) => candidate.type === entry.type);
  const hasOwn = entry.apiKey !== undefined || entry.apiKeys !== undefined || entry.baseUrl !== undefined;
  if (vendor === undefined || hasOwn) return entry;
  return {
    ...entry,
    ...optional("apiKey", variable(environment, vendor.keyVariable)),
    ...optional("baseUrl", variable(environment, vendor.baseUrlVariable)),
  };
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}

type LocatePath = (path: Path) => { where: string; key: string };

function crossChecks(
  settings: GatewaySettings,
  providers: readonly ProviderConfig[],
  locate: LocatePath,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const add = (path: Path, message: string, remedy: string, value?: unknown): void => {
    problems.push({
      ...locate(path),
      message,
      remedy,
      ...(value === undefined ? {} : { value: shownValue(value, false) }),
    });
  };
  for (const [index, provider] of providers.entries()) {
    const path = (key: string): Path => ["providers", index, key];
    if (providers.findIndex((other) => other.id === provider.id) !== index)
      add(path("id"), "is used twice", "Give every provider its own id", provider.id);
  }
  const keyIds = settings.auth.keys.map((key) => key.id);
  for (const [index, id] of keyIds.entries())
    if (keyIds.indexOf(id) !== index)
      add(["auth", "keys", index, "id"], "is used twice", "Give every key its own id", id);
  for (const [alias, targets] of Object.entries(settings.routing.aliases)) {
    if (alias === "auto")
      add(["routing", "aliases", alias], "is a name of its own", "Choose another alias: `auto` always means routed");
    for (const [index, target] of targets.entries()) {
      const near = misspeltProvider(target, providers);
      if (near === undefined) continue;
      const id = target.slice(0, target.indexOf("/"));
      const message = `names the provider \`${id}\`, which is not configured`;
      add(["routing", "aliases", alias, index], message, `Did you mean \`${near}\`?`, target);
    }
  }
  return problems;
}

/** Model names may hold slashes themselves (`meta-llama/…`), so only a near miss of a provider's id is a mistake. */
function misspeltProvider(target: string, providers: readonly ProviderConfig[]): string | undefined {
  const slash = target.indexOf("/");
  const ids = providers.map((provider) => provider.id);
  if (slash < 0 || ids.includes(target.slice(0, slash))) return undefined;
  if (providers.some((provider) => provider.models?.includes(target))) return undefined;
  return suggest(target.slice(0, slash), ids);
}

function locateProvider(
  settings: GatewaySettings,
  locate: LocatePath,
  id: string,
  field: string,
): ReturnType<LocatePath> {
  const index = settings.providers.findIndex((provider) => provider.id === id);
  if (index >= 0) return locate(["providers", index, field]);
  const vendor = VENDORS.find((candidate) => candidate.type === id);
  if (vendor === undefined) return { where: "configuration", key: `${id}.${field}` };
  return { where: "environment", key: field === "baseUrl" ? vendor.baseUrlVariable : vendor.keyVariable };
}

function checkOpen(settings: GatewaySettings, isOpen: boolean, locate: LocatePath): ConfigProblem[] {
  const { host } = settings.server;
  if (!isOpen || isLoopbackHost(host)) return [];
  return [
    {
      ...locate(["server", "host"]),
      value: shownValue(host, false),
      message: "is reachable from other machines, and no API key is configured: anybody there could use your providers",
      remedy: "Run `npx fovea keys create`, put the hash it prints under `auth.keys`, or listen on 127.0.0.1",
    },
  ];
}

/** A misspelt FOVEA_ variable does nothing, and nothing else would say so. */
function unknownVariables(environment: Environment): string[] {
  const known = [
    "FOVEA_CONFIG",
    "FOVEA_DATA",
    ...VENDORS.flatMap((vendor) => [vendor.keyVariable, vendor.baseUrlVariable]),
  ];
  for (const { schema } of walkKeys(configSchema)) {
    const { env } = metaOf(schema);
    if (env !== undefined) known.push(env);
  }
  return Object.keys(environment)
    .filter(
      (name) =>
        name.startsWith("FOVEA_") &&
        !known.includes(name) &&
        !/^FOVEA_(TALLY|REQUIRE_SERVICES|TEST_.*|UPDATE)$/.test(name),
    )
    .map((name) => {
      const near = suggest(name, known);
      return `the environment variable ${name} is not known${near === undefined ? "" : `; did you mean ${near}?`}`;
    });
}
