/** What a metric is, declared once: its kind, its unit (which becomes the suffix in Prometheus), its labels and buckets. */
export interface MetricDefinition {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly unit?: "seconds" | "bytes" | "usd" | "tokens";
  readonly labels: readonly string[];
  /** Upper bounds, ascending; histograms only. */
  readonly buckets?: readonly number[];
}

/** OpenTelemetry GenAI conventions v1.41.0, operation duration. */
const OPERATION_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const TOKEN_COUNTS = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];
/** From half a millisecond: what the gateway itself adds is far below what a model takes. */
export const OVERHEAD_SECONDS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024];
/** One image at 90 Hz is 11 ms: pose age and loop lag are judged against it. */
const REAL_TIME_SECONDS = [0.001, 0.002, 0.004, 0.008, 0.011, 0.016, 0.022, 0.033, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
export const DEFAULT_SECONDS = [...OVERHEAD_SECONDS, 2.048, 4.096, 8.192, 16.384, 32.768, 65.536];

const CALL = ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "error.type"] as const;

/**
 * Names follow the OpenTelemetry GenAI conventions v1.41.0; what they lack lives under `xr.` (operations.md sections 3
 * to 5). Every label is a closed set: users, sessions, prompts and places are never labels.
 */
export const METRIC_TABLE: Readonly<Record<string, MetricDefinition>> = {
  "gen_ai.client.operation.duration": {
    kind: "histogram",
    help: "Duration of one provider call.",
    unit: "seconds",
    labels: CALL,
    buckets: OPERATION_SECONDS,
  },
  "gen_ai.client.operation.time_to_first_chunk": {
    kind: "histogram",
    help: "From sending a provider call to its first content.",
    unit: "seconds",
    labels: CALL,
    buckets: OPERATION_SECONDS,
  },
  "gen_ai.client.token.usage": {
    kind: "histogram",
    help: "Billable tokens of one provider call.",
    unit: "tokens",
    labels: [...CALL, "gen_ai.token.type"],
    buckets: TOKEN_COUNTS,
  },
  "xr.turn.motion_to_answer": {
    kind: "histogram",
    help: "From the user's motion or the end of the utterance to the first unit of the answer.",
    unit: "seconds",
    labels: [],
    buckets: OPERATION_SECONDS,
  },
  "xr.pose.age": {
    kind: "histogram",
    help: "Age of the pose that a decision or an answer used.",
    unit: "seconds",
    labels: [],
    buckets: REAL_TIME_SECONDS,
  },
  "xr.frame.dropped": { kind: "counter", help: "Pose samples superseded or shed.", labels: ["reason"] },
  "xr.consent.state": {
    kind: "gauge",
    help: "Live sessions by kind of data and consent level.",
    labels: ["kind", "level"],
  },
  "xr.sessions": { kind: "gauge", help: "XR sessions that are open now.", labels: [] },
  "xr.realtime.sessions": {
    kind: "gauge",
    help: "Realtime sessions that are open now, by the protocol of the client.",
    labels: ["protocol"],
  },
  "xr.realtime.linked": {
    kind: "counter",
    help: "Connections to realtime vendors: the first of a session, one resumed by its handle, made again, or replayed.",
    labels: ["provider", "how"],
  },
  "xr.realtime.lost": {
    kind: "counter",
    help: "Connections to realtime vendors that broke or were given up.",
    labels: ["provider"],
  },
  "xr.receipts": {
    kind: "counter",
    help: "Actions and haptics that a client acknowledged: whether they reached the user, and how.",
    labels: ["part", "via", "delivered"],
  },
  "xr.answers": { kind: "counter", help: "Answers by outcome, for the service level objective.", labels: ["outcome"] },
  "xr.turn.started": { kind: "counter", help: "Turns that started.", labels: [] },
  "xr.turn.ended": { kind: "counter", help: "Turns that ended, by outcome.", labels: ["outcome"] },
  "xr.gateway.overhead": {
    kind: "histogram",
    help: "From an answer's request to its first provider call: what the gateway adds.",
    unit: "seconds",
    labels: [],
    buckets: OVERHEAD_SECONDS,
  },
  "fovea.breaker.changes": {
    kind: "counter",
    help: "Breaker transitions by reason.",
    labels: ["cell", "to", "reason"],
  },
  "xr.hedge.sent": { kind: "counter", help: "Second calls sent because the first was late.", labels: [] },
  "xr.hedge.won": { kind: "counter", help: "Second calls that answered first.", labels: [] },
  "xr.retry.spent": { kind: "counter", help: "Further attempts after a failure.", labels: ["reason"] },
  "xr.shed": { kind: "counter", help: "Requests refused to protect the others.", labels: ["reason"] },
  "xr.audio.first_byte": {
    kind: "histogram",
    help: "From asking for speech to its first sound.",
    unit: "seconds",
    labels: ["gen_ai.provider.name"],
    buckets: OPERATION_SECONDS,
  },
  "xr.cost": {
    kind: "counter",
    help: "Money spent on provider calls; kind tells winners from losers of a race, broken attempts and mirrored copies.",
    unit: "usd",
    labels: ["gen_ai.provider.name", "gen_ai.request.model", "kind"],
  },
  "xr.eventloop.lag": {
    kind: "gauge",
    help: "How late the event loop ran since the last scrape.",
    unit: "seconds",
    labels: ["stat"],
  },
  "fovea.answers": {
    kind: "counter",
    help: "Answers by kind, outcome and provider.",
    labels: ["kind", "outcome", "provider"],
  },
  "fovea.answer.duration": {
    kind: "histogram",
    help: "Duration of an answer, all its attempts included.",
    unit: "seconds",
    labels: ["kind", "provider"],
  },
  "fovea.answer.time_to_first_part": {
    kind: "histogram",
    help: "From the request to the first part of its answer.",
    unit: "seconds",
    labels: ["kind", "provider"],
  },
  "fovea.attempts": {
    kind: "counter",
    help: "Provider calls by outcome.",
    labels: ["provider", "outcome", "error.type"],
  },
  "fovea.budget.requests": { kind: "counter", help: "Answers booked on a budget.", labels: ["budget"] },
  "fovea.budget.tokens": { kind: "counter", help: "Tokens booked on a budget.", labels: ["budget"] },
  "fovea.budget.cost": { kind: "counter", help: "Money booked on a budget.", unit: "usd", labels: ["budget"] },
  "fovea.budget.refused": {
    kind: "counter",
    help: "Requests refused because a budget had nothing left, by what was missing.",
    labels: ["budget", "unit"],
  },
  "fovea.config.version": { kind: "gauge", help: "Configurations put in force since the start.", labels: [] },
  "fovea.config.loaded": {
    kind: "gauge",
    help: "When the configuration in force was read, seconds since 1970.",
    unit: "seconds",
    labels: [],
  },
  "fovea.config.is_refused": {
    kind: "gauge",
    help: "1 while the configuration on the disk has a mistake and an older one is in force.",
    labels: [],
  },
  "fovea.config.reloads": { kind: "counter", help: "Looks at the configuration, by outcome.", labels: ["outcome"] },
  "fovea.audit.records": { kind: "counter", help: "Records written to the audit trail.", labels: [] },
  "fovea.audit.dropped": { kind: "counter", help: "Audit records for which the queue had no room.", labels: [] },
  "fovea.audit.is_failing": { kind: "gauge", help: "1 while the audit trail cannot be written.", labels: [] },
  "fovea.forecast.warnings": { kind: "gauge", help: "Signs of coming failures, by kind.", labels: ["sign"] },
  "fovea.prevention.measures": {
    kind: "counter",
    help: "Preventive measures, by what was moved and whether it helped.",
    labels: ["knob", "effect"],
  },
  "fovea.provider.reachable": {
    kind: "gauge",
    help: "Whether a provider answered when it was asked for its models; 1 where it did.",
    labels: ["provider"],
  },
  "fovea.feedback": {
    kind: "counter",
    help: "Answers that their callers rated.",
    labels: ["provider", "model", "rating"],
  },
  "fovea.otlp.dropped": { kind: "counter", help: "Telemetry that a collector did not take in time.", labels: ["kind"] },
  "fovea.mirrors": { kind: "counter", help: "Copies of requests for a mirror, by outcome.", labels: ["outcome"] },
  "fovea.provider.in_flight": { kind: "gauge", help: "Provider calls running now.", labels: CALL.slice(0, 3) },
  "fovea.auth.refused": { kind: "counter", help: "Calls without a valid credential, by reason.", labels: ["reason"] },
  "http.server.request.duration": {
    kind: "histogram",
    help: "Duration of HTTP requests by route.",
    unit: "seconds",
    labels: ["http.request.method", "http.route", "http.response.status_code"],
    buckets: DEFAULT_SECONDS,
  },
  "http.server.active_requests": { kind: "gauge", help: "HTTP requests in work now.", labels: [] },
  "fovea.sockets": { kind: "gauge", help: "Open client connections.", labels: [] },
  "fovea.metrics.dropped_label_sets": {
    kind: "counter",
    help: "Label sets beyond the limit of a metric, counted under the label value overflow.",
    labels: ["metric"],
  },
  "process.cpu": { kind: "counter", help: "CPU time of the process.", unit: "seconds", labels: ["mode"] },
  "process.resident_memory": { kind: "gauge", help: "Resident memory.", unit: "bytes", labels: [] },
  "nodejs.heap": { kind: "gauge", help: "JavaScript heap.", unit: "bytes", labels: ["part"] },
  "process.uptime": { kind: "gauge", help: "Time since the process started.", unit: "seconds", labels: [] },
};

/** The name that Prometheus sees: dots become underscores, the unit is the suffix, counters end in `_total`. */
export function prometheusName(name: string, definition: MetricDefinition): string {
  const base = name.replace(/[^a-zA-Z0-9_]/g, "_");
  const unit = definition.unit === undefined || base.endsWith(`_${definition.unit}`) ? "" : `_${definition.unit}`;
  return `${base}${unit}${definition.kind === "counter" ? "_total" : ""}`;
}
