// The only place where objects are wired. Read from top to bottom: what the process is made of.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Clock, Log, Store } from "@fovea/core";
import type { ResolvedConfig } from "./config/resolve-config.ts";
import { serverSecret } from "./config/server-secret.ts";
import { Authenticator } from "./http/authenticate.ts";
import { registerHealth } from "./http/health.ts";
import { registerMetrics } from "./http/metrics.ts";
import { registerPages } from "./http/pages.ts";
import type { Gate } from "./http/server.ts";
import { buildServer } from "./http/server.ts";
import { registerSessionTokens } from "./http/session-tokens.ts";
import { findProgram } from "./platform/find-program.ts";
import { ProcessProbe } from "./platform/process-probe.ts";
import { SystemIds } from "./platform/system-ids.ts";
import { MemoryStore } from "./stores/memory-store.ts";
import { SqliteStore } from "./stores/sqlite-store.ts";
import { collectProcessMetrics } from "./telemetry/process-metrics.ts";
import { PrometheusMeter } from "./telemetry/prometheus-meter.ts";

export interface ComposeParts {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Where programs are looked for: `PATH`. */
  readonly searchPath: string | undefined;
}

/** What the gateway found on its machine, for whoever starts it. */
export interface Found {
  readonly version: string;
  readonly speechPrograms: readonly string[];
  readonly store: string;
}

export interface Gateway {
  readonly app: FastifyInstance;
  readonly found: Found;
  /** Settles when everything is closed. */
  readonly closed: Promise<void>;
  /** The URL with the port that was really taken. Rejects with the system's error when the address is not to be had. */
  listen(): Promise<string>;
  /** Refuses new work, lets running work end within `server.shutdownMs`, then closes. Calling it again waits for the same end. */
  close(reason: string): Promise<void>;
}

/** Both programs of pocketsphinx: Debian ships the one or the other. */
const SPEECH_PROGRAMS = ["espeak-ng", "flite", "pocketsphinx", "pocketsphinx_continuous", "pocketsphinx_batch"];

export async function composeGateway(parts: ComposeParts): Promise<Gateway> {
  const { config, clock, log } = parts;
  const { settings } = config;
  const ids = new SystemIds();
  const meter = buildMeter();
  const probe = new ProcessProbe();
  collectProcessMetrics(meter, () => probe.read());
  const store = openStore(config, clock);
  const authenticator = new Authenticator({
    clock,
    meter,
    serverSecret: secretOf(config, ids),
    keys: settings.auth.keys,
    sessionTokenMs: settings.auth.sessionTokenMs,
    allowedHosts: settings.server.allowedHosts,
    corsOrigins: settings.server.corsOrigins,
  });
  const { app, gate } = buildServer({ clock, ids, log, meter, authenticator, limits: settings.limits });
  meter.onCollect(() => meter.gauge("http.server.active_requests", {}, gate.inWork));
  let isListening = false;
  registerHealth(app, {
    version: parts.version,
    notReady: () => (gate.isDraining ? "draining" : isListening ? undefined : "starting"),
  });
  registerMetrics(app, () => meter.text(), settings.telemetry.openMetrics);
  registerSessionTokens(app, authenticator);
  await registerPages(app, pageFolders());
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<void>();
  let closing: Promise<void> | undefined;
  return {
    app,
    found: { version: parts.version, speechPrograms: findSpeechPrograms(parts.searchPath), store: storeText(config) },
    closed,
    listen: async () => {
      const url = await app.listen({ host: settings.server.host, port: settings.server.port });
      isListening = true;
      return readableUrl(url);
    },
    close: (reason) => {
      closing ??= drain({ app, gate, log, clock, reason, shutdownMs: settings.server.shutdownMs })
        .then(async () => {
          probe.close();
          await store[Symbol.asyncDispose]();
        })
        .finally(resolveClosed);
      return closing;
    },
  };
}

interface Draining {
  readonly app: FastifyInstance;
  readonly gate: Gate;
  readonly log: Log;
  readonly clock: Clock;
  readonly reason: string;
  readonly shutdownMs: number;
}

async function drain(draining: Draining): Promise<void> {
  const { app, gate, log, clock } = draining;
  log.write("info", "gateway is stopping", { reason: draining.reason, requestsInWork: gate.inWork });
  gate.close();
  const cancelCut = clock.schedule(draining.shutdownMs, () => {
    log.write("warn", "requests were cut at the end of the shutdown time", { requestsInWork: gate.inWork });
    app.server.closeAllConnections();
  });
  await app.close();
  cancelCut();
  log.write("info", "gateway stopped");
}

function buildMeter(): PrometheusMeter {
  const meter = new PrometheusMeter();
  // A ratio over a counter that never counted is absent, not zero: alerts need both outcomes from the start.
  for (const outcome of ["good", "bad"]) meter.declare("xr.answers", { outcome });
  return meter;
}

function openStore(config: ResolvedConfig, clock: Clock): Store {
  return config.settings.store.type === "memory"
    ? new MemoryStore(clock)
    : new SqliteStore(clock, join(config.dataFolder, "fovea.db"));
}

function storeText(config: ResolvedConfig): string {
  return config.settings.store.type === "memory"
    ? "memory (nothing survives a restart)"
    : `sqlite in ${config.dataFolder}`;
}

/** With nothing to keep, nothing is written: then tokens end with the process. */
function secretOf(config: ResolvedConfig, ids: SystemIds): string {
  const needsFile =
    config.settings.store.type !== "memory" || config.settings.auth.keys.some((key) => key.hash !== undefined);
  return config.settings.auth.secret ?? (needsFile ? serverSecret(undefined, config.dataFolder, ids) : ids.secret());
}

export function findSpeechPrograms(searchPath: string | undefined): string[] {
  return SPEECH_PROGRAMS.filter((name) => findProgram(name, searchPath) !== undefined);
}

/** In a checkout the built pages lie in apps/; a published package carries them in pages/. */
export function pageFolders(): { demo: string; dashboard: string } {
  const published = join(import.meta.dirname, "../../pages");
  if (existsSync(published)) return { demo: join(published, "demo"), dashboard: join(published, "dashboard") };
  const apps = join(import.meta.dirname, "../../../apps");
  return { demo: join(apps, "demo/dist"), dashboard: join(apps, "dashboard/dist") };
}

/** `localhost` for loopback: browsers give WebXR, microphone and camera only to secure origins, and this is one. */
function readableUrl(url: string): string {
  return url.replace(/^http:\/\/(?:127\.0\.0\.1|\[::1\])(?=:|$)/, "http://localhost");
}
