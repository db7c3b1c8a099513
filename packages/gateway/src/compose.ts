// The only place where objects are wired. Read from top to bottom: what the process is made of.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type {
  AuditSink,
  Clock,
  GatewayEngine,
  IdentifiedAdapter,
  Log,
  Principal,
  ProviderConfig,
  RoutingRule,
  Store,
} from "@fovea/core";
import {
  BudgetLedger,
  Budgets,
  contextFacts,
  createEngine,
  MemoryStore,
  ProviderRegistry,
  RoutingRules,
  SESSION_LIMITS,
  LoadExchange,
} from "@fovea/core";
import type { SpeechPrograms } from "./audio/find-programs.ts";
import { findSpeechPrograms } from "./audio/find-programs.ts";
import type { BuiltProvider } from "./compose/build-providers.ts";
import { buildProviders } from "./compose/build-providers.ts";
import { Foresight } from "./compose/foresight.ts";
import { Reachability } from "./compose/reachability.ts";
import type { ConfigState } from "./compose/live-config.ts";
import { budgetLimit, LiveConfig, LivePrices } from "./compose/live-config.ts";
import { sendOtlp } from "./compose/otlp-send.ts";
import { TracedEngine, tracingObserver } from "./compose/traced-engine.ts";
import { ConfigurationError, shownValue } from "./config/config-problem.ts";
import type { ResolvedConfig } from "./config/resolve-config.ts";
import { serverSecret } from "./config/server-secret.ts";
import { readGestureFile } from "./config/gesture-file.ts";
import { readTlsFiles } from "./config/tls-files.ts";
import { registerAdmin, TrafficWatch } from "./http/admin/admin-routes.ts";
import { AnswerLog } from "./http/admin/answer-log.ts";
import { registerExplain } from "./http/admin/explain-routes.ts";
import { StatusReport } from "./http/admin/status-report.ts";
import { Authenticator, credentialOf } from "./http/authenticate.ts";
import { registerFeedback } from "./http/feedback.ts";
import { Closing } from "./http/closing.ts";
import { refuseOtherUpgrades } from "./http/upgrades.ts";
import { JobDesk } from "./http/jobs/job-desk.ts";
import { registerJobsDoor } from "./http/jobs/jobs-door.ts";
import { registerWebhooks } from "./http/jobs/webhooks.ts";
import { registerHealth } from "./http/health.ts";
import { registerMetrics } from "./http/metrics.ts";
import type { DoorParts } from "./http/door-parts.ts";
import { registerDoors } from "./http/doors.ts";
import { registerPages } from "./http/pages.ts";
import { buildServer } from "./http/server.ts";
import { registerSessionTokens } from "./http/session-tokens.ts";
import { ProcessProbe } from "./platform/process-probe.ts";
import { openSigningKey } from "./platform/signing-key.ts";
import { SystemIds } from "./platform/system-ids.ts";
import { SystemRandom } from "./platform/system-random.ts";
import { createHttpTransport } from "./providers/http-transport.ts";
import { ModelRefresh } from "./providers/model-refresh.ts";
import { LOCAL_VOICE_ID, LocalVoiceAdapter } from "./providers/local-voice/adapter.ts";
import { createProviderPrices } from "./providers/prices.ts";
import { attachRealtimeDoors } from "./realtime/realtime-doors.ts";
import { NoiseSuppressor } from "./audio/noise-suppressor.ts";
import { voiceSettingsOf } from "./realtime/voice/voice-config.ts";
import { attachXRSocket, XR_PATH } from "./realtime/xr-socket.ts";
import { HttpImageGuard } from "./vision/image-guard.ts";
import { SightDesk } from "./vision/sight-desk.ts";
import { PostgresStore } from "./stores/postgres-store.ts";
import { RedisStore } from "./stores/redis-store.ts";
import { SqliteStore } from "./stores/sqlite-store.ts";
import { OtlpExporter } from "./telemetry/otlp-exporter.ts";
import type { Span } from "./telemetry/otlp-json.ts";
import { AuditFiles } from "./telemetry/audit-files.ts";
import type { AuditTrailParts } from "./telemetry/audit-trail.ts";
import { AUDIT_FOLDER, AuditTrail } from "./telemetry/audit-trail.ts";
import { collectProcessMetrics } from "./telemetry/process-metrics.ts";
import { PrometheusMeter } from "./telemetry/prometheus-meter.ts";

export interface ComposeParts {
  readonly config: ResolvedConfig;
  /** Providers that no configuration can write, such as bridged models of the AI SDK; closed with the gateway. */
  readonly adapters?: readonly IdentifiedAdapter[];
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Where programs are looked for: `PATH`. */
  readonly searchPath: string | undefined;
  /** Reads the configuration again. Without it, `reload` finds nothing changed. */
  readonly loadConfig?: () => ResolvedConfig;
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
  /** Reads the configuration again and puts it in force, or tells why not and keeps the old one. */
  reload(reason: string): ConfigState;
  /** Refuses new work, lets running work end within `server.shutdownMs`, then closes. Calling it again waits for the same end. */
  close(reason: string): Promise<void>;
}

// oxlint-disable-next-line max-lines-per-function -- Wiring reads from top to bottom; in pieces its order would be hidden.
export async function composeGateway(parts: ComposeParts): Promise<Gateway> {
  const { config, clock, log } = parts;
  const { settings } = config;
  const tls = readTlsFiles(config);
  const gestures = readGestureFile(config);
  const ids = new SystemIds();
  const meter = buildMeter();
  const probe = new ProcessProbe();
  // A second one, because reading starts a new interval: the dashboard must not take from what Prometheus sees.
  const statusProbe = new ProcessProbe();
  collectProcessMetrics(meter, () => probe.read());
  const transport = createHttpTransport(clock);
  const deps = { clock, log, http: transport, random: new SystemRandom() };
  const built = buildProviders(config, deps);
  const adapters = new Set<IdentifiedAdapter>(built.map(({ adapter }) => adapter));
  const programs = findSpeechPrograms(parts.searchPath);
  const noise = new NoiseSuppressor();
  const localVoice = hasSpeech(programs) ? new LocalVoiceAdapter(programs, clock) : undefined;
  const store = await openStore(config, clock);
  const registry = new ProviderRegistry(settings.routing.aliases);
  for (const { adapter, options } of built) registry.add(adapter, options);
  for (const adapter of parts.adapters ?? []) {
    registry.add(adapter, { acceptsUnlisted: false });
    adapters.add(adapter);
  }
  if (localVoice !== undefined) registry.add(localVoice, { acceptsUnlisted: true });
  const prices = new LivePrices(
    (providers) => createProviderPrices([...providers, LOCAL_VOICE], clock),
    config.providers,
  );
  const serverSecret = secretOf(config, ids);
  const trail = openAudit(config, { clock, log, meter, store }, () => serverSecret);
  const audit = trail ?? logAudit(log);
  const budgets = new Budgets(clock, settings.limits.budgets.map(budgetLimit), meter);
  const place = ids.next("gw");
  const ledger = await BudgetLedger.open({
    budgets,
    store,
    clock,
    log,
    place,
    isShared: isShared(config),
  });
  const otlp = openOtlp(config, { clock, log, meter, version: parts.version });
  const tracing = { clock, sampleRatio: settings.telemetry.otlp.sampleRatio, add: (span: Span) => otlp?.add(span) };
  const isTraced = otlp !== undefined && settings.telemetry.otlp.traces;
  const engine = createEngine({
    ...(isTraced ? { observers: [tracingObserver(tracing)] } : {}),
    clock,
    random: new SystemRandom(),
    ids,
    log,
    meter,
    audit,
    registry,
    prices,
    facts: contextFacts,
    budgets,
    inFlightMax: settings.limits.concurrentRequestsMax,
    rules: new RoutingRules(settings.routing.rules as readonly RoutingRule[]),
  });
  const { balancer } = engine;
  const loadExchange = isShared(config) ? new LoadExchange({ store, clock, log, balancer, place }) : undefined;
  const answers = new AnswerLog(isTraced ? new TracedEngine(engine, tracing) : engine, clock, meter);
  const authenticator = new Authenticator({
    clock,
    meter,
    serverSecret,
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
  const deadlinesMs = { chat: settings.limits.requestMs };
  const live = new LiveConfig({
    config,
    load: parts.loadConfig ?? (() => config),
    engine,
    budgets,
    prices,
    deps,
    clock,
    log,
    meter,
    applySettings: (now) => {
      authenticator.replaceKeys(now.auth.keys);
      server.setRequestsPerMinute(now.limits.requestsPerMinute);
      deadlinesMs.chat = now.limits.requestMs;
      const isOver = (principal: Principal): boolean => !authenticator.isKnown(principal);
      for (const door of [sockets, doors]) door.endWhere(isOver, "the key of this session is not valid any more");
    },
    onAdded: (added) => {
      for (const { adapter } of added) adapters.add(adapter);
      noteExpiries(engine, added, clock);
      if (added.length > 0 && settings.routing.probe) void reach.lookAtAll();
    },
  });
  const foresight = new Foresight({ engine, clock, log, meter, acts: settings.routing.prevention });
  noteExpiries(engine, built, clock);
  const reach = new Reachability({
    registry,
    clock,
    log,
    meter,
    hasTraffic: (id) => (answers.recordOf(id)?.answers ?? 0) > 0,
  });
  registerHealth(app, {
    configuration: () => live.state,
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
    configuration: () => live.state,
    foresight: () => foresight.state,
    reached: (id) => reach.of(id),
  });
  registerAdmin(app, () => status.read());
  registerFeedback(app, (principal, requestId, score) => engine.feedback(principal, requestId, score));
  registerExplain(app, { engine, answers, ids, clock });
  const doorParts: DoorParts = {
    engine: answers,
    clock,
    ids,
    log,
    meter,
    principalOf: (request) => request.principal,
    limitsOf: (principal) => budgets.remaining(principal),
    deadlinesMs,
  };
  registerDoors(app, doorParts);
  const jobs = new JobDesk({
    engine: answers,
    registry,
    prices,
    store,
    clock,
    random: new SystemRandom(),
    ids,
    log,
    meter,
  });
  const refresh = new ModelRefresh({
    clock,
    log,
    adapters: () => {
      const named = new Set(live.config.providers.flatMap(({ id, models }) => (models === undefined ? [] : [id])));
      return [...adapters].filter(({ type, id }) => type === "custom" && !named.has(id));
    },
  });
  registerJobsDoor(app, doorParts, jobs);
  registerWebhooks(app, doorParts, { desk: jobs, registry, configs: () => live.config.providers });
  await registerPages(app, pageFolders());
  const { vision } = settings;
  const sight = new SightDesk({
    engine: answers,
    clock,
    log,
    meter,
    options: { model: vision.model, findMs: vision.findMs },
    ...(vision.guardUrl === undefined ? {} : { guard: new HttpImageGuard(vision.guardUrl, transport) }),
  });
  const sockets = attachXRSocket(app.server, {
    sight,
    authenticate: (caller) => authenticator.authenticate(caller),
    engine: answers,
    clock,
    ids,
    log,
    meter,
    audit,
    limitsOf: (principal) => budgets.remaining(principal),
    ...(gestures === undefined ? {} : { gestures }),
    limits: {
      sessionsMax: settings.limits.sessionsMax,
      session: { ...SESSION_LIMITS, imageHz: vision.imagesPerSecond, looksPerMinute: vision.looksPerMinute },
    },
    voice: voiceSettingsOf(settings.voice),
    noise,
    agentNames: settings.voice.names.map((name) => name.toLowerCase()),
    speaksOpus: settings.voice.codec === "auto",
    warmVoice: (vocabulary) => localVoice?.warm(vocabulary),
  });
  const doors = attachRealtimeDoors(app, {
    audit,
    limitsOf: (principal) => budgets.remaining(principal),
    budgets,
    prices,
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
      jobs.close();
      refresh.close();
      await noise.close();
      await Promise.all(
        [...adapters, ...(localVoice === undefined ? [] : [localVoice])].map((adapter) => adapter.close()),
      );
      await transport.close();
      probe.close();
      statusProbe.close();
      reach.close();
      foresight.close();
      loadExchange?.close();
      await otlp?.[Symbol.asyncDispose]();
      await trail?.[Symbol.asyncDispose]();
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
      if (settings.routing.probe) reach.start();
      await jobs.resume();
      refresh.start();
      return readableUrl(url);
    },
    reload: (reason) => live.reload(reason),
    close: (reason) => closing.start(reason),
  };
}

/** Dates are days of the calendar; the forecast counts on the clock that nobody sets. */
function noteExpiries(engine: GatewayEngine, built: readonly BuiltProvider[], clock: Clock): void {
  for (const { config, options } of built) {
    const { id, apiKeyExpires } = config;
    const untilUnixMs = apiKeyExpires === undefined ? undefined : Date.parse(`${apiKeyExpires}T00:00:00Z`) + 86_400_000;
    const atMs = untilUnixMs === undefined ? undefined : clock.monotonicMs() + untilUnixMs - clock.unixMs();
    engine.forecast.setExpiry(id, options.keyId ?? "default", atMs);
  }
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

/** Undefined where no collector is named. */
function openOtlp(
  config: ResolvedConfig,
  parts: { readonly clock: Clock; readonly log: Log; readonly meter: PrometheusMeter; readonly version: string },
): OtlpExporter | undefined {
  const { endpoint, headers, metrics, metricsMs, serviceName } = config.settings.telemetry.otlp;
  if (endpoint === undefined) return undefined;
  const { clock, log, meter, version } = parts;
  return new OtlpExporter({
    endpoint,
    headers,
    resource: { "service.name": serviceName, "service.version": version },
    version,
    intervalMs: metricsMs,
    clock,
    log,
    meter,
    send: sendOtlp,
    families: metrics ? () => meter.families() : undefined,
  });
}

/** For the price book: the voices of the machine cost nothing. */
const LOCAL_VOICE: ProviderConfig = { id: LOCAL_VOICE_ID, type: "embedded" };

/** In its own folder, so that it can lie on another disk. Without it, records go to the debug log. */
function openAudit(
  config: ResolvedConfig,
  parts: Pick<AuditTrailParts, "clock" | "log" | "meter" | "store">,
  userSecret: () => string,
): AuditTrail | undefined {
  const { audit, store } = config.settings;
  if (audit.enabled === "off" || (audit.enabled === "auto" && store.type === "memory")) return undefined;
  const folder = join(config.dataFolder, AUDIT_FOLDER);
  const opened = openTrail(folder, () => ({ files: new AuditFiles(folder, audit), key: openSigningKey(folder) }));
  return new AuditTrail({
    ...parts,
    ...opened,
    storeMs: audit.storeDays * 86_400_000,
    whenFull: audit.whenFull,
    queueMax: audit.queueMax,
    userSecret: audit.users === "hashed" ? userSecret() : undefined,
  });
}

function openTrail<T>(folder: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const message = code === undefined ? `is damaged: ${(error as Error).message}` : `cannot be written (${code})`;
    const remedy =
      code === undefined
        ? "Run `fovea audit verify`, move the folder away, and start again"
        : "Choose a writable folder with `--data <folder>`, or set `audit.enabled: off`";
    throw new ConfigurationError([{ where: "data folder", key: folder, message, remedy }]);
  }
}

function logAudit(log: Log): AuditSink {
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

function isShared(config: ResolvedConfig): boolean {
  const { type } = config.settings.store;
  return type === "redis" || type === "postgres";
}

/** Throws `ConfigurationError` where a server is named that does not answer: what it holds is needed from the start. */
async function openStore(config: ResolvedConfig, clock: Clock): Promise<Store> {
  const { type, url = "", prefix } = config.settings.store;
  if (type === "memory") return new MemoryStore(clock);
  if (type === "sqlite") return new SqliteStore(clock, join(config.dataFolder, "fovea.db"));
  try {
    return await (type === "redis" ? RedisStore.open(clock, url, prefix) : PostgresStore.open(clock, url, prefix));
  } catch (error) {
    const { code } = error as { code?: string };
    throw new ConfigurationError([
      {
        where: config.originOf("store.url"),
        key: "store.url",
        value: shownValue(url, true),
        message: `the ${type} server there cannot be used (${code ?? "no answer"})`,
        remedy: "Check that it runs, its address, user and password; `store.type: sqlite` needs no server",
      },
    ]);
  }
}

function storeText(config: ResolvedConfig): string {
  const { type } = config.settings.store;
  if (type === "memory") return "memory (nothing survives a restart)";
  return type === "sqlite" ? `sqlite in ${config.dataFolder}` : `${type}, shared`;
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
