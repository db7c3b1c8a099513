import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Clock } from "@fovea/core";
import { findSpeechPrograms, pageFolders } from "../compose.ts";
import { configSchema } from "../config/config-schema.ts";
import type { ResolvedConfig } from "../config/resolve-config.ts";
import { walkKeys } from "../config/schema-walk.ts";

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

export async function runChecks(parts: DoctorParts): Promise<Check[]> {
  const { config, environment } = parts;
  return [
    checkRuntime(),
    ...settingChecks(config),
    ...config.notices.map((notice): Check => ({ topic: "environment", state: "warn", found: notice })),
    checkAccess(config),
    await checkAddress(config),
    checkDataFolder(config),
    ...checkPages(),
    checkSpeech(environment["PATH"]),
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
    return {
      topic: "address",
      state: "warn",
      found: `${found} is taken`,
      remedy: "Fovea may run there already; otherwise stop what listens, or choose another `--port`",
    };
  return {
    topic: "address",
    state: "fail",
    found: `${found} cannot be used (${code})`,
    remedy: "Choose another `--host` or `--port`",
  };
}

function checkDataFolder(config: ResolvedConfig): Check {
  const { type } = config.settings.store;
  if (type === "memory") return { topic: "store", state: "note", found: "memory: nothing survives a restart" };
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

function checkSpeech(searchPath: string | undefined): Check {
  const programs = findSpeechPrograms(searchPath);
  return programs.length > 0
    ? { topic: "speech", state: "ok", found: programs.join(", ") }
    : {
        topic: "speech",
        state: "note",
        found: "no local speech program",
        remedy: "apt-get install espeak-ng flite pocketsphinx gives local voices and recognition",
      };
}
