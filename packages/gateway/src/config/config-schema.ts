// The whole configuration as one strict schema: every key, its default, its limits and its words. The reference page is
// generated from it (config-reference.ts), and error messages read their bounds and spellings from it.
import { PROVIDER_TYPES } from "@fovea/core";
import { z } from "zod";

/** What a key can also be set by, and whether its value must never be shown. */
export interface KeyMeta {
  readonly description: string;
  readonly flag?: string;
  readonly env?: string;
  readonly secret?: boolean;
}

/** Values from the environment and from `${NAME}` arrive as text; a number or a truth value may be written so. */
const asNumber = (value: unknown): unknown =>
  typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
const asBoolean = (value: unknown): unknown =>
  value === "true" || value === "1" ? true : value === "false" || value === "0" ? false : value;

const whole = (min: number, max: number) => z.preprocess(asNumber, z.number().int().min(min).max(max));
const number = (min: number, max: number) => z.preprocess(asNumber, z.number().min(min).max(max));
const truth = () => z.preprocess(asBoolean, z.boolean());
const text = () => z.string().min(1);
/** Names appear in model names (`provider/model`), in labels and in logs. */
const name = () =>
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "must be 1 to 64 letters, digits, dots, dashes or underscores");
/** Applications hold names such as `hf.co/Qwen/Qwen3-4B-GGUF:Q8_0`: an alias may be any of them. */
const modelName = () =>
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$/, "must be a model name: letters, digits and . _ : / @ + -");
const meta = (description: string, more: Omit<KeyMeta, "description"> = {}): KeyMeta & Record<string, unknown> => ({
  description,
  ...more,
});

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export const SCOPES = ["chat", "session", "metrics", "admin"] as const;

const serverSchema = z.strictObject({
  host: text()
    .default("127.0.0.1")
    .meta(
      meta("Address to listen on. Anything but loopback requires `auth.keys`.", { flag: "--host", env: "FOVEA_HOST" }),
    ),
  port: whole(0, 65_535)
    .default(8787)
    .meta(meta("Port to listen on; 0 takes a free one.", { flag: "--port", env: "FOVEA_PORT" })),
  corsOrigins: z
    .array(text())
    .default([])
    .meta(
      meta("Web origins that may call the gateway, or `*`. Pages on loopback always may while the gateway is open."),
    ),
  allowedHosts: z
    .array(text())
    .default([])
    .meta(
      meta(
        "Further `Host` names an open gateway answers to, beside loopback names (protection against DNS rebinding).",
      ),
    ),
  configReload: z
    .enum(["watch", "signal", "off"])
    .default("watch")
    .meta(
      meta(
        "When `fovea.yaml` is read again: when it changes and on SIGHUP (`watch`), on SIGHUP alone (`signal`), or never.",
      ),
    ),
  tls: z
    .strictObject({
      certFile: text()
        .optional()
        .meta(
          meta("Certificate chain in PEM. With `keyFile` the gateway serves https and wss.", {
            flag: "--tls-cert",
            env: "FOVEA_TLS_CERT",
          }),
        ),
      keyFile: text()
        .optional()
        .meta(meta("Private key in PEM, not encrypted.", { flag: "--tls-key", env: "FOVEA_TLS_KEY" })),
    })
    .prefault({})
    .meta(meta("Encryption of the gateway's own address. `npx fovea dev-cert` makes a pair for development.")),
  shutdownMs: whole(0, 600_000)
    .default(8_000)
    .meta(meta("Time for running requests after SIGTERM before they are cut.")),
});

const keySchema = z
  .strictObject({
    id: name().meta(meta("Name of the key in logs and metrics.")),
    key: text()
      .min(8)
      .optional()
      .meta(meta("The key itself. Prefer `hash`.", { secret: true })),
    hash: z
      .string()
      .regex(/^hmac-sha256:[0-9a-f]{64}$/, "must be `hmac-sha256:` and 64 hexadecimal digits")
      .optional()
      .meta(meta("The key as `npx fovea keys create` prints it; needs the same server secret.")),
    tenant: name().default("default").meta(meta("Tenant that the key belongs to.")),
    user: name().optional().meta(meta("User that the key stands for; the id of the key if absent.")),
    scopes: z.array(z.enum(SCOPES)).min(1).default(["chat", "session"]).meta(meta("What the key may do.")),
    expires: z.iso.date().optional().meta(meta("Last day, UTC, on which the key is accepted (`2027-01-31`).")),
  })
  .refine((key) => (key.key === undefined) !== (key.hash === undefined), {
    error: "needs either `key` or `hash`, and not both",
    params: { remedy: "Run `npx fovea keys create` and paste the `hash` it prints" },
  });

const authSchema = z.strictObject({
  secret: text()
    .min(16)
    .optional()
    .meta(
      meta(
        "Server secret that key hashes and session tokens are made with; generated and kept in the data folder if absent.",
        { env: "FOVEA_SECRET", secret: true },
      ),
    ),
  keys: z.array(keySchema).default([]).meta(meta("API keys. As soon as one exists, every call needs one.")),
  sessionTokenMs: whole(1_000, DAY_MS)
    .default(10 * MINUTE_MS)
    .meta(meta("Life of a token from `POST /v1/session-tokens`.")),
});

const dollars = (what: string) =>
  number(0, 1e6)
    .optional()
    .meta(meta(`US dollars ${what}.`));

const priceSchema = z.strictObject({
  inputPerMillion: dollars("a million input tokens"),
  outputPerMillion: dollars("a million output tokens"),
  cacheReadPerMillion: dollars("a million input tokens read from the vendor's cache; the input price if absent"),
  cacheWritePerMillion: dollars("a million input tokens written to the vendor's cache; the input price if absent"),
  audioInputPerMillion: dollars("a million audio tokens heard; the input price if absent"),
  audioOutputPerMillion: dollars("a million audio tokens spoken"),
  perComputeSecond: dollars("a second of computing, where a vendor bills time (Replicate, Cog)"),
  perAudioMinute: dollars("a minute of sound transcribed"),
  perMillionCharacters: dollars("a million characters spoken"),
  perImage: dollars("an image made"),
  perSearch: dollars("a search: one rerank call, one web search of a model"),
});

const providerSchema = z
  .strictObject({
    id: name().meta(meta("Name in `provider/model`, in logs and metrics.")),
    type: z.enum(PROVIDER_TYPES as readonly [string, ...string[]]).meta(meta("Which vendor's wire is spoken.")),
    baseUrl: z
      .url({ protocol: /^https?$/, error: "must be an http or https URL" })
      .optional()
      .meta(meta("Where the provider answers; the vendor's own address if absent. Required for `custom`.")),
    apiKey: text()
      .optional()
      .meta(meta("The vendor's key, best as `${ENV_NAME}`.", { secret: true })),
    apiKeys: z
      .array(text())
      .min(1)
      .max(64)
      .optional()
      .meta(
        meta("Several keys instead of one: calls are spread over them, and a dead or throttled key leaves its place.", {
          secret: true,
        }),
      ),
    apiKeyExpires: z.iso
      .date()
      .optional()
      .meta(meta("Last day, UTC, on which the vendor accepts the keys (`2027-01-31`): warned of a week before.")),
    models: z.array(text()).optional().meta(meta("Models to offer; the vendor's listing if absent.")),
    region: name().optional().meta(meta("Where the provider computes, for residency and distance.")),
    weight: number(0, 1_000).optional().meta(meta("Relative preference, 1 if absent; 0 only as a fallback.")),
    price: priceSchema.optional().meta(meta("Your price; overrides the price list.")),
    prices: z
      .record(text(), priceSchema)
      .optional()
      .meta(meta("Your price by model, before `price`; a trailing `*` in the name matches any rest.")),
    organization: text().optional().meta(meta("Organization header where the vendor has one.")),
    dialect: name()
      .optional()
      .meta(
        meta(
          "How the server speaks. Of `custom`: `openai-compatible` (default), `vllm`, `llama.cpp`, `lm-studio`, `ollama` (its OpenAI paths), `ollama-native` (its own wire), `groq`, `openrouter`, `mistral`, `deepseek`, `azure`, `minimal` (for servers that refuse unknown fields). Of `openai`: `chat` (default) or `responses`. Of `replicate`: `replicate` (default) or `cog`, a container of your own. Of `huggingface`: `router` (default) or `endpoint`, a dedicated endpoint.",
        ),
      ),
    headers: z
      .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "is not a header name"), z.string())
      .optional()
      .meta(meta("Headers to send with every call.", { secret: true })),
    forwardTraceparent: truth()
      .optional()
      .meta(meta("Send the caller's W3C `traceparent` to this provider. Off: it tells a third party who asked when.")),
    webhookUrl: z
      .url({ protocol: /^https?$/, error: "must be an http or https URL" })
      .optional()
      .meta(meta("Public address of this gateway's `/v1/webhooks/<id>`; with it jobs end without being asked for.")),
    webhookSecret: text()
      .optional()
      .meta(
        meta(
          "Secret (`whsec_…`) with which Replicate signs what it sends there; it is asked for with the key if absent.",
          { secret: true },
        ),
      ),
    allowPrivateAddress: truth().optional().meta(meta("Allow link-local and metadata addresses as `baseUrl`.")),
  })
  .refine((provider) => provider.apiKey === undefined || provider.apiKeys === undefined, {
    error: "has both `apiKey` and `apiKeys`",
    params: { remedy: "Put all keys into `apiKeys`" },
  });

const KINDS = [
  "chat",
  "embedding",
  "turn",
  "spatial-query",
  "vision",
  "speech-to-text",
  "text-to-speech",
  "image",
  "render",
  "haptic",
] as const;
const LATENCY_CLASSES = ["interactive", "conversational", "background"] as const;

const ruleSchema = z.strictObject({
  name: name().meta(meta("Name of the rule in decisions and logs.")),
  when: z
    .strictObject({
      tenant: text().optional().meta(meta("Tenant of the caller.")),
      user: text().optional().meta(meta("User of the caller.")),
      model: text().optional().meta(meta("Model as the caller names it; a trailing `*` matches any rest.")),
      kind: z.enum(KINDS).optional().meta(meta("What is asked for.")),
      latencyClass: z.enum(LATENCY_CLASSES).optional().meta(meta("How urgent it is.")),
      complexityMin: number(0, 1).optional().meta(meta("Least estimated complexity.")),
      complexityMax: number(0, 1).optional().meta(meta("Greatest estimated complexity.")),
    })
    .prefault({})
    .meta(meta("Which requests; all of them if absent.")),
  then: z
    .strictObject({
      use: z.array(text()).min(1).optional().meta(meta("Models to use instead of the named one, first preferred.")),
      fallbacks: z.array(text()).min(1).optional().meta(meta("Models to try after those of the named one.")),
      avoid: z.array(text()).min(1).optional().meta(meta("Providers that must not serve it.")),
      region: text().optional().meta(meta("Data must stay here.")),
      split: z
        .array(
          z.strictObject({
            model: text().meta(meta("Target.")),
            share: number(0.000_001, 1e6).meta(meta("Its share, relative to the others.")),
          }),
        )
        .min(1)
        .optional()
        .meta(meta("A share of the users goes to each target, the same user always to the same.")),
      mirror: text().optional().meta(meta("Gets a copy of the request; its answer is measured and thrown away.")),
      costUsdMax: number(0.000_001, 1e6)
        .optional()
        .meta(meta("Models at which the request would cost more US dollars are left out.")),
    })
    .refine((then) => Object.keys(then).length > 0, {
      error: "says nothing to do",
      params: { remedy: "Add one of `use`, `fallbacks`, `avoid`, `region`, `split`, `mirror`, `costUsdMax`" },
    })
    .meta(meta("What to do with them.")),
});

const routingSchema = z.strictObject({
  probe: truth()
    .default(true)
    .meta(
      meta(
        "Ask each provider for its models soon after the start, and every five minutes while it has no traffic: shows whether it answers.",
        { env: "FOVEA_PROBE" },
      ),
    ),
  prevention: truth()
    .default(true)
    .meta(
      meta(
        "Act on signs of coming failures (rising latency, errors, limits, expiring keys), and undo what does not help.",
      ),
    ),
  rules: z.array(ruleSchema).default([]).meta(meta("The first rule that matches a request applies.")),
  aliases: z
    .record(modelName(), z.array(text()).min(1))
    .default({})
    .meta(meta("Own model names: the first target is preferred, the rest are its fallbacks.")),
});

const budgetSchema = z
  .strictObject({
    name: name().meta(meta("Shown to the caller whose request is refused.")),
    of: z.enum(["tenant", "key", "user"]).meta(meta("Whose spending is counted.")),
    id: text()
      .optional()
      .meta(meta("One tenant, key, or user (`tenant/user`); each of them has the budget for itself if absent.")),
    periodMs: whole(1_000, 366 * DAY_MS)
      .default(DAY_MS)
      .meta(meta("Length of a period; it begins at a multiple of itself, UTC.")),
    requests: whole(1, 1e12).optional().meta(meta("Answers in a period.")),
    tokens: whole(1, 1e15).optional().meta(meta("Tokens in a period.")),
    costUsd: number(0, 1e9).optional().meta(meta("US dollars in a period.")),
    concurrency: whole(1, 1e6).optional().meta(meta("Answers made at the same time.")),
    unpriced: z
      .enum(["allow", "refuse"])
      .default("allow")
      .meta(meta("With `costUsd`: models whose price is unknown are not counted (`allow`), or not served (`refuse`).")),
  })
  .refine(
    (budget) =>
      [budget.requests, budget.tokens, budget.costUsd, budget.concurrency].some((limit) => limit !== undefined),
    {
      error: "limits nothing",
      params: { remedy: "Add one of `requests`, `tokens`, `costUsd`, `concurrency`" },
    },
  );

const modelNames = (words: string) => z.array(text()).default([]).meta(meta(words));

const voiceSchema = z.strictObject({
  listen: modelNames(
    "Models that understand speech, first preferred; configured vendors and then the machine's own programs if empty.",
  ),
  speak: modelNames("Models that speak, first preferred; likewise if empty."),
  voice: z.string().default("").meta(meta("Voice of the speaking model; its own if empty.")),
  speed: number(0.25, 4).optional().meta(meta("1 is normal.")),
  language: text()
    .optional()
    .meta(meta("BCP 47, for example `de`; found out from what is said if absent and a recogniser tells it.")),
  languages: z
    .record(
      z
        .string()
        .regex(/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/, "must be a language code in lower case, such as `de` or `pt-br`"),
      z.strictObject({
        listen: z.array(text()).min(1).optional().meta(meta("Models that understand this language.")),
        speak: z.array(text()).min(1).optional().meta(meta("Models that speak it.")),
        voice: text().optional().meta(meta("Voice for it.")),
      }),
    )
    .default({})
    .meta(meta("Other models and voices by language, or by accent (`en-in`).")),
  names: z
    .array(text())
    .default(["fovea", "assistant", "computer"])
    .meta(
      meta(
        "What the agent is called where several people talk in one room; a thing of that name is looked at to address it.",
      ),
    ),
  cancelEcho: truth()
    .default(true)
    .meta(
      meta("Take the gateway's own voice out of the microphone; a client with headphones turns it off for itself."),
    ),
  suppressNoise: z
    .enum(["auto", "always", "never"])
    .default("auto")
    .meta(meta("Clean speech before it is recognised: `auto` does so for the machine's own recogniser only.")),
  codec: z
    .enum(["auto", "pcm"])
    .default("auto")
    .meta(meta("`auto` answers a client that sends Opus in Opus; `pcm` never does.")),
});

const limitsSchema = z.strictObject({
  budgets: z.array(budgetSchema).max(64).default([]).meta(meta("What tenants, keys and users may spend.")),
  bodyBytesMax: whole(1_024, 1_073_741_824).default(26_214_400).meta(meta("Largest HTTP request body.")),
  concurrentRequestsMax: whole(1, 1_000_000)
    .default(1_024)
    .meta(meta("HTTP requests in work at once; beyond it the answer is 503 with Retry-After.")),
  requestsPerMinute: whole(1, 10_000_000).optional().meta(meta("Requests a minute for each key; unlimited if absent.")),
  requestMs: whole(100, 3_600_000).default(120_000).meta(meta("Deadline of one request.")),
  sessionsMax: whole(0, 1_000_000).default(1_000).meta(meta("XR sessions open at once.")),
});

const visionSchema = z.strictObject({
  model: modelName()
    .default("auto")
    .meta(meta("Model that finds things in camera images: `provider/model`, an alias, or `auto`.")),
  imagesPerSecond: number(0, 5)
    .default(1)
    .meta(meta("Camera images a second that clients are asked for; 0 for none. Clients without consent send none.")),
  looksPerMinute: whole(0, 600)
    .default(0)
    .meta(
      meta(
        "How often a session may have a model look around without a question, at sharp images of new views. Costs money.",
      ),
    ),
  findMs: whole(100, 60_000)
    .default(5_000)
    .meta(meta("How long a question waits for things to be found in its image.")),
  guardUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta(
      meta(
        "Service that covers bystanders: it is sent every camera image before that leaves the gateway (`POST`, the image as body) and answers with the image that may leave. An image it does not answer for stays here.",
      ),
    ),
});

const storeSchema = z
  .strictObject({
    type: z
      .enum(["sqlite", "memory", "redis", "postgres"])
      .default("sqlite")
      .meta(
        meta(
          "`sqlite` keeps a file in the data folder, `memory` keeps nothing; `redis` (or Valkey) and `postgres` are shared by all gateways that name them.",
          { env: "FOVEA_STORE" },
        ),
      ),
    url: text()
      .optional()
      .meta(
        meta("Address of the server, for example `redis://host:6379` or `postgres://user:password@host/fovea`.", {
          env: "FOVEA_STORE_URL",
          secret: true,
        }),
      ),
    prefix: name()
      .default("fovea")
      .meta(meta("Beginning of the names used there: keys of Redis, the table of PostgreSQL.")),
  })
  .refine((store) => store.url !== undefined || (store.type !== "redis" && store.type !== "postgres"), {
    path: ["url"],
    error: "is missing",
    params: { remedy: "Write the address of the server, best as `${ENV_NAME}`, or use `store.type: sqlite`" },
  });

const auditSchema = z.strictObject({
  enabled: z
    .enum(["auto", "on", "off"])
    .default("auto")
    .meta(
      meta(
        "Whether an audit trail is written to `audit/` in the data folder; `auto`: unless `store.type` is `memory`.",
      ),
    ),
  whenFull: z
    .enum(["drop", "refuse"])
    .default("drop")
    .meta(
      meta(
        "While the trail cannot be written and its queue is full: `drop` records, and tell how many, or `refuse` new work.",
      ),
    ),
  queueMax: whole(100, 1_000_000).default(20_000).meta(meta("Records that may wait to be written.")),
  fileBytesMax: whole(4_096, 10_000_000_000).default(67_108_864).meta(meta("Size at which the next file begins.")),
  filesMax: whole(1, 1_000_000).default(100).meta(meta("Files that are kept; the oldest go.")),
  storeDays: whole(0, 3_650).default(7).meta(meta("Days that the store keeps a copy of each record; 0 for none.")),
  users: z
    .enum(["plain", "hashed"])
    .default("plain")
    .meta(meta("How users are named: as they are, or by a keyed hash from which nobody learns the name.")),
});

const otlpSchema = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .optional()
    .meta(
      meta(
        "Address of an OpenTelemetry collector (OTLP over HTTP), for example `http://localhost:4318`; nothing is sent if absent.",
        {
          env: "OTEL_EXPORTER_OTLP_ENDPOINT",
        },
      ),
    ),
  headers: z
    .record(text(), z.string())
    .default({})
    .meta(meta("Headers to send to it, for example a key.", { secret: true })),
  traces: truth().default(true).meta(meta("Send a span for each answer and each provider call; never their content.")),
  metrics: truth().default(true).meta(meta("Send the metrics that `/metrics` shows.")),
  metricsMs: whole(1_000, 3_600_000).default(60_000).meta(meta("Time between two sendings of metrics.")),
  sampleRatio: number(0, 1)
    .default(1)
    .meta(meta("Share of the traces that begin here; a caller's own decision holds.")),
  serviceName: text()
    .default("fovea")
    .meta(meta("`service.name` of what is sent.", { env: "OTEL_SERVICE_NAME" })),
});

const telemetrySchema = z.strictObject({
  otlp: otlpSchema.prefault({}).meta(meta("Export to OpenTelemetry.")),
  logLevel: z
    .enum(["debug", "info", "warn", "error"])
    .default("info")
    .meta(meta("Least severe line that is written.", { env: "FOVEA_LOG_LEVEL" })),
  logFormat: z
    .enum(["auto", "json", "readable"])
    .default("auto")
    .meta(meta("`auto` writes JSON unless a terminal reads.", { env: "FOVEA_LOG_FORMAT" })),
  openMetrics: truth().default(false).meta(meta("Serve /metrics without a key.")),
});

const gesturesSchema = z.strictObject({
  modelFile: text()
    .optional()
    .meta(
      meta("Model that `npx fovea gestures train` wrote: sessions then also tell its gestures and poses.", {
        env: "FOVEA_GESTURE_MODEL",
      }),
    ),
});

export const configSchema = z.strictObject({
  server: serverSchema.prefault({}).meta(meta("The HTTP and WebSocket server.")),
  data: text()
    .default("data")
    .meta(meta("Folder for what must survive a restart.", { flag: "--data", env: "FOVEA_DATA_DIR" })),
  auth: authSchema.prefault({}).meta(meta("Who may call.")),
  providers: z
    .array(providerSchema)
    .default([])
    .meta(meta("AI providers. Those of the environment are added unless an entry has their type.")),
  providersFromEnvironment: truth().default(true).meta(meta("Whether vendor keys in the environment add providers.")),
  routing: routingSchema.prefault({}).meta(meta("Which model answers which name.")),
  voice: voiceSchema.prefault({}).meta(meta("How sessions listen and speak.")),
  limits: limitsSchema.prefault({}).meta(meta("Protection of the process.")),
  gestures: gesturesSchema.prefault({}).meta(meta("Gestures beside those that are always recognised.")),
  vision: visionSchema.prefault({}).meta(meta("What happens with camera images of XR sessions.")),
  store: storeSchema.prefault({}).meta(meta("Where state is kept.")),
  audit: auditSchema.prefault({}).meta(meta("Who did what, when, with which model, at what cost; never content.")),
  telemetry: telemetrySchema.prefault({}).meta(meta("Logs and metrics.")),
});

export type GatewaySettings = z.output<typeof configSchema>;
export type ApiKeySettings = GatewaySettings["auth"]["keys"][number];
