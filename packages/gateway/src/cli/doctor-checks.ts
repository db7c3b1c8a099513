import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Clock, IdentifiedAdapter, Log } from "@fovea/core";
import { pageFolders, speechProgramNames } from "../compose.ts";
import { buildProviders } from "../compose/build-providers.ts";
import { configSchema } from "../config/config-schema.ts";
import type { ResolvedConfig } from "../config/resolve-config.ts";
import { walkKeys } from "../config/schema-walk.ts";
import { PostgresStore } from "../stores/postgres-store.ts";
import { RedisStore } from "../stores/redis-store.ts";
import { createHttpTransport } from "../providers/http-transport.ts";

export interface Check {
  readonly topic: string;
  /** `fail` keeps the gateway from working; `warn` will surprise someone; `note` is only told. */
  readonly state: "ok" | "note" | "warn" | "fail";
  readonly found: string;
  readonly remedy?: string;
}

export interface DoctorParts {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const NODE_MIN = 26;
const PROBE_MS = 3_000;
const SILENT: Log = { write() {} };
const REMEDIES: Readonly<Record<string, string>> = {
  auth: "The vendor refuses the key: check it for this vendor and address",
  permission: "The key lacks a right at the vendor, or the account a plan",
  not_found: "The address answers, but not this API: check the path of `baseUrl` (most end in /v1)",
  unreachable: "Nothing answers at the address: check `baseUrl`, the network, and whether the server runs",
  timeout_connect: "Nothing answers at the address within 3 s: check `baseUrl`, the network, and any proxy",
};

export async function runChecks(parts: DoctorParts): Promise<Check[]> {
  const { config, environment } = parts;
  return [
    checkRuntime(),
    ...settingChecks(config),
    ...config.notices.map((notice): Check => ({ topic: "environment", state: "warn", found: notice })),
    checkAccess(config),
    await checkAddress(config),
    await checkStore(config, parts.clock),
    ...checkPages(),
    checkSpeech(speechProgramNames(environment["PATH"])),
    ...(await checkProviders(parts)),
    ...aliasChecks(config),
  ];
}

function checkRuntime(): Check {
  const major = Number(process.versions.node.split(".")[0]);
  return major >= NODE_MIN
    ? { topic: "runtime", state: "ok", found: `node ${process.version}` }
    : {
        topic: "runtime",
        state: "warn",
        found: `node ${process.version}`,
        remedy: `Fovea is tested on node ${NODE_MIN}, which \`npm ci\` installs: start it with \`npm start\` or \`npx fovea\``,
      };
}

/** Everything that is not a default, and who said so: this shows which of several sources won. */
function settingChecks(config: ResolvedConfig): Check[] {
  const source: Check = {
    topic: "settings",
    state: "ok",
    found: config.filePath ?? "no fovea.yaml: defaults, environment and command line",
  };
  const written = [...walkKeys(configSchema)]
    .filter(({ path }) => !path.includes("[]") && config.originOf(path) !== "default")
    .map(({ path }): Check => ({ topic: path, state: "note", found: `from ${config.originOf(path)}` }));
  return [source, ...written];
}

function checkAccess(config: ResolvedConfig): Check {
  const count = config.settings.auth.keys.length;
  if (!config.isOpen)
    return {
      topic: "access",
      state: "ok",
      found: `${count} API ${count === 1 ? "key" : "keys"}; every call needs one`,
    };
  return {
    topic: "access",
    state: "note",
    found: `open: every program on this machine may use the gateway (${config.settings.server.host})`,
    remedy: "`npx fovea keys create` makes a key; the gateway asks for one as soon as one is configured",
  };
}

async function checkAddress(config: ResolvedConfig): Promise<Check> {
  const { host, port } = config.settings.server;
  const code = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
  const found = `${host}:${port}`;
  if (code === undefined) return { topic: "address", state: "ok", found: `${found} is free` };
  if (code === "EADDRINUSE")
    return (
      (await checkRunning(host, port)) ?? {
        topic: "address",
        state: "warn",
        found: `${found} is taken`,
        remedy: "Fovea may run there already; otherwise stop what listens, or choose another `--port`",
      }
    );
  return {
    topic: "address",
    state: "fail",
    found: `${found} cannot be used (${code})`,
    remedy: "Choose another `--host` or `--port`",
  };
}

/** What the gateway that listens there has in force; undefined where something else does. */
async function checkRunning(host: string, port: number): Promise<Check | undefined> {
  const topic = "running";
  try {
    const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
    const address = `http://${name.includes(":") ? `[${name}]` : name}:${port}/healthz`;
    const response = await fetch(address, { signal: AbortSignal.timeout(PROBE_MS) });
    const body = (await response.json()) as { status?: string; version?: string; configuration?: RunningConfiguration };
    const { configuration } = body;
    if (body.status !== "ok" || configuration === undefined) return undefined;
    const loaded = new Date(configuration.loadedAtUnixMs).toISOString();
    const found = `Fovea ${body.version} on ${host}:${port}, configuration ${configuration.version} of ${loaded}`;
    if (configuration.lastReload === "refused")
      return {
        topic,
        state: "warn",
        found: `${found}; the file was changed since and is refused`,
        remedy: "Correct what this page tells of the file; the gateway reads it again by itself",
      };
    if (!configuration.needsRestart) return { topic, state: "ok", found };
    const remedy = "Restart it; `/admin/status` and its log name the settings";
    return { topic, state: "warn", found: `${found}; some changes of the file hold from the next start on`, remedy };
  } catch {
    return undefined;
  }
}

interface RunningConfiguration {
  readonly version: number;
  readonly loadedAtUnixMs: number;
  readonly lastReload: string;
  readonly needsRestart: boolean;
}

async function checkStore(config: ResolvedConfig, clock: Clock): Promise<Check> {
  const { type, url = "", prefix } = config.settings.store;
  if (type === "memory") return { topic: "store", state: "note", found: "memory: nothing survives a restart" };
  if (type === "sqlite") return checkDataFolder(config);
  try {
    await using store = await (type === "redis" ? RedisStore : PostgresStore).open(clock, url, prefix);
    await store.get("doctor");
    return { topic: "store", state: "ok", found: `${type} answers; its names begin with ${prefix}` };
  } catch (error) {
    const code = (error as { code?: string }).code ?? "no answer";
    const remedy = "Check that it runs, and its address, user and password in `store.url`";
    return { topic: "store", state: "fail", found: `the ${type} server cannot be used (${code})`, remedy };
  }
}

function checkDataFolder(config: ResolvedConfig): Check {
  const { type } = config.settings.store;
  const trial = join(config.dataFolder, `.doctor-${process.pid}`);
  try {
    mkdirSync(config.dataFolder, { recursive: true });
    writeFileSync(trial, "");
    rmSync(trial);
    return { topic: "store", state: "ok", found: `${type} in ${config.dataFolder}` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    return {
      topic: "store",
      state: "fail",
      found: `${config.dataFolder} is not writable (${code})`,
      remedy: "Choose another folder with `--data`, or set `store.type: memory`",
    };
  }
}

function checkPages(): Check[] {
  return Object.entries(pageFolders()).map(([name, folder]) =>
    existsSync(join(folder, "index.html"))
      ? { topic: name, state: "ok", found: `page built in ${folder}` }
      : { topic: name, state: "warn", found: "page not built", remedy: "`npm start` builds it" },
  );
}

function checkSpeech(programs: readonly string[]): Check {
  return programs.length > 0
    ? { topic: "speech", state: "ok", found: programs.join(", ") }
    : { topic: "speech", state: "note", found: "no local speech program", remedy: LOCAL_SPEECH };
}

const LOCAL_SPEECH =
  "apt-get install espeak-ng flite pocketsphinx pocketsphinx-en-us gives local voices and recognition";

/** Who listens and who speaks in a session, and what would make it better. */
function voiceChecks(
  config: ResolvedConfig,
  programs: readonly string[],
  adapters: readonly IdentifiedAdapter[],
): Check[] {
  const { listen, speak } = config.settings.voice;
  const vendors = (feature: "transcribe" | "speak"): string[] => {
    const able = adapters.filter((adapter) => adapter.models().some(({ features }) => features.includes(feature)));
    return [...new Set(able.map(({ id }) => id))];
  };
  const ears =
    listen.length > 0 ? listen : [...vendors("transcribe"), ...programs.filter((name) => name === "pocketsphinx")];
  const voices =
    speak.length > 0 ? speak : [...vendors("speak"), ...programs.filter((name) => name !== "pocketsphinx")];
  const more =
    "A vendor's key (OPENAI_API_KEY, or any OpenAI-compatible server as `custom`) lets sessions understand free speech";
  const onlyCommands = ears.length === 1 && ears[0] === "pocketsphinx";
  return [
    ears.length === 0
      ? {
          topic: "listens",
          state: "note",
          found: "nobody: pages fall back to the browser's recogniser, or to text",
          remedy: `${LOCAL_SPEECH}. ${more}`,
        }
      : onlyCommands
        ? {
            topic: "listens",
            state: "ok",
            found: "pocketsphinx: English commands and questions about the room",
            remedy: more,
          }
        : { topic: "listens", state: "ok", found: ears.join(", then ") },
    voices.length === 0
      ? { topic: "speaks", state: "note", found: "nobody: answers are text", remedy: LOCAL_SPEECH }
      : { topic: "speaks", state: "ok", found: voices.join(", then ") },
  ];
}

function aliasChecks(config: ResolvedConfig): Check[] {
  return Object.entries(config.settings.routing.aliases).map(([alias, targets]) => ({
    topic: `alias ${alias}`,
    state: "note",
    found: targets.join(", then "),
  }));
}

/** Asks every provider at once, each within the bound; what it says is told by its failure code, never by its text. */
async function checkProviders({ config, clock, environment }: DoctorParts): Promise<Check[]> {
  const http = createHttpTransport(clock);
  const adapters = buildProviders(config, { clock, log: SILENT, http }).map(({ adapter }) => adapter);
  const voices = voiceChecks(config, speechProgramNames(environment["PATH"]), adapters);
  const checks = await Promise.all(adapters.map((adapter) => checkProvider(adapter, clock)));
  await Promise.all(adapters.map((adapter) => adapter.close()));
  await http.close();
  return [...voices, ...checks];
}

async function checkProvider(adapter: IdentifiedAdapter, clock: Clock): Promise<Check> {
  const topic = `provider ${adapter.id}`;
  if (adapter.type === "embedded") return { topic, state: "ok", found: "built in, needs no key" };
  const controller = new AbortController();
  const cancel = clock.schedule(PROBE_MS, () => controller.abort());
  try {
    const health = await adapter.healthCheck({
      signal: controller.signal,
      timeouts: { connectMs: PROBE_MS, headersMs: PROBE_MS, totalMs: PROBE_MS },
    });
    const { lastFailure, latencyMs } = health;
    if (lastFailure !== undefined)
      return {
        topic,
        state: "fail",
        found: `does not answer: ${lastFailure}`,
        remedy: REMEDIES[lastFailure] ?? "See the vendor's status page, and `baseUrl` of this provider",
      };
    return {
      topic,
      state: "ok",
      found: `answers${latencyMs === undefined ? "" : ` in ${Math.round(latencyMs)} ms`}; ${adapter.models().length} models known`,
    };
  } catch (error) {
    return {
      topic,
      state: "fail",
      found: error instanceof Error ? error.message : String(error),
      remedy: "See `baseUrl` and `apiKey` of this provider",
    };
  } finally {
    cancel();
  }
}
