// The only place where objects are wired. Read from top to bottom: what the process is made of.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type {
  AuditSink,
  BudgetLimit,
  Clock,
  GatewayEngine,
  IdentifiedAdapter,
  Log,
  ProviderConfig,
  RoutingRule,
  Store,
} from "@fovea/core";
import { BudgetLedger, Budgets, contextFacts, createEngine, ProviderRegistry, RoutingRules } from "@fovea/core";
import type { SpeechPrograms } from "./audio/find-programs.ts";
import { findSpeechPrograms } from "./audio/find-programs.ts";
import type { ConfigProblem } from "./config/config-problem.ts";
import { ConfigurationError, shownValue } from "./config/config-problem.ts";
import type { ResolvedConfig } from "./config/resolve-config.ts";
import { serverSecret } from "./config/server-secret.ts";
import { readTlsFiles } from "./config/tls-files.ts";
import { registerAdmin, TrafficWatch } from "./http/admin/admin-routes.ts";
import { AnswerLog } from "./http/admin/answer-log.ts";
import { StatusReport } from "./http/admin/status-report.ts";
import { Authenticator, credentialOf } from "./http/authenticate.ts";
import { Closing } from "./http/closing.ts";
import { refuseOtherUpgrades } from "./http/upgrades.ts";
import { registerHealth } from "./http/health.ts";
import { registerMetrics } from "./http/metrics.ts";
import { registerDoors } from "./http/doors.ts";
import { registerPages } from "./http/pages.ts";
import { buildServer } from "./http/server.ts";
import { registerSessionTokens } from "./http/session-tokens.ts";
import { ProcessProbe } from "./platform/process-probe.ts";
import { SystemIds } from "./platform/system-ids.ts";
import { SystemRandom } from "./platform/system-random.ts";
import { EmbeddedAdapter } from "./providers/embedded/embedded-adapter.ts";
import { createHttpTransport } from "./providers/http-transport.ts";
import { LOCAL_VOICE_ID, LocalVoiceAdapter } from "./providers/local-voice/adapter.ts";
import { createProviderPrices } from "./providers/prices.ts";
import { createProviderFactory } from "./providers/provider-factory.ts";
import { attachRealtimeDoors } from "./realtime/realtime-doors.ts";
import { attachXRSocket, XR_PATH } from "./realtime/xr-socket.ts";
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
  readonly engine: GatewayEngine;
  readonly found: Found;
  /** Settles when everything is closed. */
  readonly closed: Promise<void>;
  /** The URL with the port that was really taken. Rejects with the system's error when the address is not to be had. */
  listen(): Promise<string>;
  /** Refuses new work, lets running work end within `server.shutdownMs`, then closes. Calling it again waits for the same end. */
  close(reason: string): Promise<void>;
}

// oxlint-disable-next-line max-lines-per-function -- Wiring reads from top to bottom; in pieces its order would be hidden.
export async function composeGateway(parts: ComposeParts): Promise<Gateway> {
  const { config, clock, log } = parts;
  const { settings } = config;
  const tls = readTlsFiles(config);
  const ids = new SystemIds();
  const meter = buildMeter();
  const probe = new ProcessProbe();
  // A second one, because reading starts a new interval: the dashboard must not take from what Prometheus sees.
  const statusProbe = new ProcessProbe();
  collectProcessMetrics(meter, () => probe.read());
  const transport = createHttpTransport(clock);
  const providers = buildProviders(config, { clock, log, http: transport, random: new SystemRandom() });
  const programs = findSpeechPrograms(parts.searchPath);
  if (hasSpeech(programs)) providers.push(new LocalVoiceAdapter(programs, clock));
  const store = openStore(config, clock);
  const registry = buildRegistry(config, providers);
  const audit = auditLog(log);
  const budgets = new Budgets(clock, settings.limits.budgets.map(budgetLimit), meter);
  const ledger = await BudgetLedger.open({ budgets, store, clock, log, place: ids.next("gw"), isShared: false });
  const engine = createEngine({
    clock,
    random: new SystemRandom(),
    ids,
    log,
    meter,
    audit,
    registry,
    prices: createProviderPrices([...config.providers, LOCAL_VOICE], clock),
    facts: contextFacts,
    budgets,
    inFlightMax: settings.limits.concurrentRequestsMax,
    rules: new RoutingRules(settings.routing.rules as readonly RoutingRule[]),
  });
  const answers = new AnswerLog(engine, clock, meter);
  const authenticator = new Authenticator({
    clock,
    meter,
    serverSecret: secretOf(config, ids),
    keys: settings.auth.keys,
    sessionTokenMs: settings.auth.sessionTokenMs,
    allowedHosts: settings.server.allowedHosts,
    corsOrigins: settings.server.corsOrigins,
  });
  const server = buildServer({ clock, ids, log, meter, authenticator, tls, limits: settings.limits });
  const { app, gate } = server;
  const traffic = new TrafficWatch(server, clock);
  meter.onCollect(() => meter.gauge("http.server.active_requests", {}, gate.inWork));
  let isListening = false;
  registerHealth(app, {
    version: parts.version,
    notReady: () => (gate.isDraining ? "draining" : isListening ? undefined : "starting"),
  });
  registerMetrics(app, () => meter.text(), settings.telemetry.openMetrics);
  registerSessionTokens(app, authenticator);
  const status = new StatusReport({
    version: parts.version,
    isOpen: config.isOpen,
    sessionsMax: settings.limits.sessionsMax,
    clock,
    meter,
    probe: statusProbe,
    traffic,
    answers,
    registry,
    health: engine.health,
    gate,
  });
  registerAdmin(app, () => status.read());
  registerDoors(app, {
    engine: answers,
    clock,
    ids,
    log,
    meter,
    principalOf: (request) => request.principal,
    limitsOf: (principal) => budgets.remaining(principal),
    deadlinesMs: { chat: settings.limits.requestMs },
  });
  await registerPages(app, pageFolders());
  const sockets = attachXRSocket(app.server, {
    authenticate: (caller) => authenticator.authenticate(caller),
    engine: answers,
    clock,
    ids,
    log,
    meter,
    audit,
    limitsOf: (principal) => budgets.remaining(principal),
    limits: { sessionsMax: settings.limits.sessionsMax },
  });
  const doors = attachRealtimeDoors(app, {
    engine: answers,
    registry,
    health: engine.health,
    clock,
    ids,
    log,
    meter,
    authenticate: (caller) => authenticator.authenticate(caller),
    issuer: {
      issueSessionToken: (principal, wish) => authenticator.issueSessionToken(principal, wish),
      credentialOf,
    },
    sessionsMax: settings.limits.sessionsMax,
  });
  refuseOtherUpgrades(app.server, (path) => path === XR_PATH || doors.serves(path));
  const closing = new Closing(
    { app, sockets: together(sockets, doors), gate, log, clock, shutdownMs: settings.server.shutdownMs },
    async () => {
      await Promise.all(providers.map((provider) => provider.close()));
      await transport.close();
      probe.close();
      statusProbe.close();
      await ledger[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  );
  return {
    app,
    engine,
    found: {
      version: parts.version,
      speechPrograms: speechProgramNames(parts.searchPath),
      store: storeText(config),
    },
    closed: closing.done,
    listen: async () => {
      const url = await app.listen({ host: settings.server.host, port: settings.server.port });
      isListening = true;
      return readableUrl(url);
    },
    close: (reason) => closing.start(reason),
  };
}

interface Sockets {
  readonly sessions: number;
  close(message: string): Promise<void>;
}

/** The native wire and the other realtime protocols end as one. */
function together(first: Sockets, second: Sockets): Sockets {
  return {
    get sessions() {
      return first.sessions + second.sessions;
    },
    close: async (message) => void (await Promise.all([first.close(message), second.close(message)])),
  };
}

/** Money is written in dollars and counted in millionths. */
function budgetLimit({ costUsd, ...rest }: ResolvedConfig["settings"]["limits"]["budgets"][number]): BudgetLimit {
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const cost = costUsd === undefined ? {} : { costMicroUsd: costUsd * 1e6 };
  return { ...(given as unknown as Omit<BudgetLimit, "costMicroUsd">), ...cost };
}

/** Providers that are not behind a wire. */
const MORE_TYPES: NonNullable<Parameters<typeof createProviderFactory>[1]> = {
  embedded: { create: (provider) => new EmbeddedAdapter(provider.id), needsKey: false, needsBaseUrl: false },
};

/** For the price book: the voices of the machine cost nothing. */
const LOCAL_VOICE: ProviderConfig = { id: LOCAL_VOICE_ID, type: "embedded" };

type ProviderDeps = Parameters<typeof createProviderFactory>[0];

/** Throws `ConfigurationError` with everything that is wrong with any provider. Also what the doctor asks. */
export function buildProviders(config: ResolvedConfig, deps: ProviderDeps): IdentifiedAdapter[] {
  const factory = createProviderFactory(deps, MORE_TYPES);
  const types = factory.getSupportedTypes();
  const wanted = config.providers.filter((provider) => types.includes(provider.type) || config.isWritten(provider.id));
  const problems = wanted.flatMap((provider) =>
    factory.explainConfig(provider.type, provider).map(({ field, message }): ConfigProblem => {
      const value = provider[field];
      const isSecret = field === "apiKey" || field === "headers";
      return {
        ...config.locateProvider(provider.id, field),
        ...(value === undefined ? {} : { value: shownValue(value, isSecret) }),
        message,
        remedy: providerRemedy(provider, field),
      };
    }),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return wanted.map((provider) => factory.createProvider(provider, documentOf(provider)));
}

function providerRemedy(provider: ProviderConfig, field: keyof ProviderConfig): string {
  if (field === "apiKey") return "Write the vendor's key, best as `${ENV_NAME}`";
  if (field !== "baseUrl") return `Correct \`${field}\` of the provider \`${provider.id}\``;
  return provider.baseUrl === undefined
    ? "Add the address of the server, for example http://localhost:11434/v1"
    : "Use another address, or set `allowPrivateAddress: true` for this provider if you mean it";
}

function documentOf(
  provider: ProviderConfig,
): Parameters<ReturnType<typeof createProviderFactory>["createProvider"]>[1] {
  return { id: provider.id, type: provider.type, displayName: provider.id, models: [] };
}

/** A provider without a list of models passes on any name asked of it by `provider/name`. */
function buildRegistry(config: ResolvedConfig, providers: readonly IdentifiedAdapter[]): ProviderRegistry {
  const registry = new ProviderRegistry(config.settings.routing.aliases);
  for (const adapter of providers) {
    const { weight, models } = config.providers.find((provider) => provider.id === adapter.id) ?? {};
    registry.add(adapter, { ...(weight === undefined ? {} : { weight }), acceptsUnlisted: models === undefined });
  }
  return registry;
}

/** Audit records go to the log until a deployment has a sink of its own. */
function auditLog(log: Log): AuditSink {
  return {
    append: (record) =>
      log.write("debug", "audit", {
        action: record.action,
        tenantId: record.tenantId,
        outcome: record.outcome,
        ...record.details,
      }),
  };
}

function buildMeter(): PrometheusMeter {
  const meter = new PrometheusMeter();
  // A ratio over a counter that never counted is absent, not zero: alerts need both outcomes from the start.
  for (const outcome of ["good", "bad"]) meter.declare("xr.answers", { outcome });
  return meter;
}

function openStore(config: ResolvedConfig, clock: Clock): Store {
  const isMemory = config.settings.store.type === "memory";
  return isMemory ? new MemoryStore(clock) : new SqliteStore(clock, join(config.dataFolder, "fovea.db"));
}

function storeText(config: ResolvedConfig): string {
  const isMemory = config.settings.store.type === "memory";
  return isMemory ? "memory (nothing survives a restart)" : `sqlite in ${config.dataFolder}`;
}

/** With nothing to keep, nothing is written: then tokens end with the process. */
function secretOf(config: ResolvedConfig, ids: SystemIds): string {
  const { store, auth } = config.settings;
  const needsFile = store.type !== "memory" || auth.keys.some((key) => key.hash !== undefined);
  return auth.secret ?? (needsFile ? serverSecret(undefined, config.dataFolder, ids) : ids.secret());
}

export function speechProgramNames(searchPath: string | undefined): string[] {
  const found = findSpeechPrograms(searchPath);
  return (["espeak", "flite", "pocketsphinx"] as const).filter((name) => found[name] !== undefined);
}

function hasSpeech(programs: SpeechPrograms): boolean {
  return programs.espeak !== undefined || programs.flite !== undefined || programs.pocketsphinx !== undefined;
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
  return url.replace(/^(https?):\/\/(?:127\.0\.0\.1|\[::1\])(?=:|$)/, "$1://localhost");
}
