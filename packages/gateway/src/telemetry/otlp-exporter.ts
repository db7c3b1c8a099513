import type { Cancel, Clock, Log, Meter } from "@fovea/core";
import type { Attributes, Span } from "./otlp-json.ts";
import { metricsBody, spansBody } from "./otlp-json.ts";
import type { MetricFamily } from "./prometheus-meter.ts";

/** Sends one body. Resolves with the status; rejects where nothing answers within the time. */
export type OtlpSend = (url: string, body: string, headers: Readonly<Record<string, string>>) => Promise<number>;

export interface OtlpParts {
  /** Base address, as in `http://localhost:4318`: `/v1/traces` and `/v1/metrics` are added. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Attributes;
  readonly version: string;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly send: OtlpSend;
  /** Undefined where metrics are not exported. */
  readonly families: (() => readonly MetricFamily[]) | undefined;
}

const SPANS_KEPT = 4_096;
const BATCH_MAX = 512;
const SPANS_EVERY_MS = 5_000;
const RETRIED = new Set([429, 502, 503, 504]);
const TRIES_MAX = 3;

/**
 * Sends spans every five seconds and metrics at their interval, over HTTP as JSON. Never waited for: what finds no room
 * in the queue is dropped and counted (the newest, so that what is there stays in one piece), and a collector that is away
 * costs a line in the log.
 */
export class OtlpExporter implements AsyncDisposable {
  readonly #parts: OtlpParts;
  readonly #startUnixMs: number;
  readonly #spans: Span[] = [];
  readonly #timers = new Map<string, Cancel>();
  #isFailing = false;
  #tries = 0;
  #isClosed = false;
  #work: Promise<void> = Promise.resolve();

  constructor(parts: OtlpParts) {
    this.#parts = parts;
    this.#startUnixMs = parts.clock.unixMs();
    this.#arm("spans", SPANS_EVERY_MS, () => this.#sendSpans());
    if (parts.families !== undefined) this.#arm("metrics", parts.intervalMs, () => this.#sendMetrics());
  }

  add(span: Span): void {
    if (this.#spans.length >= SPANS_KEPT) return this.#parts.meter.count("fovea.otlp.dropped", { kind: "span" });
    this.#spans.push(span);
    if (this.#spans.length === BATCH_MAX) void this.#enqueue(() => this.#sendSpans());
  }

  /** Sends what is there, once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#tries = TRIES_MAX;
    await this.#enqueue(() => this.#sendSpans());
    if (this.#parts.families !== undefined) await this.#enqueue(() => this.#sendMetrics());
  }

  #arm(name: string, everyMs: number, work: () => Promise<void>): void {
    if (this.#isClosed) return;
    const cancel = this.#parts.clock.schedule(
      everyMs,
      () => void this.#enqueue(work).then(() => this.#arm(name, everyMs, work)),
    );
    this.#timers.set(name, cancel);
  }

  /** One request at a time: a slow collector must not be asked ever faster. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work);
    return this.#work;
  }

  async #sendSpans(): Promise<void> {
    const { resource, version, meter } = this.#parts;
    while (this.#spans.length > 0) {
      const batch = this.#spans.slice(0, BATCH_MAX);
      const outcome = await this.#post("/v1/traces", spansBody(resource, version, batch));
      if (outcome === "later" && ++this.#tries < TRIES_MAX) return;
      this.#tries = 0;
      this.#spans.splice(0, batch.length);
      if (outcome !== "done") meter.count("fovea.otlp.dropped", { kind: "span" }, batch.length);
      if (outcome === "later") return;
    }
  }

  /** Cumulative: what did not arrive is in the next one. */
  async #sendMetrics(): Promise<void> {
    const { resource, version, families, clock } = this.#parts;
    const time = { startUnixMs: this.#startUnixMs, nowUnixMs: clock.unixMs() };
    await this.#post("/v1/metrics", metricsBody(resource, version, families?.() ?? [], time));
  }

  async #post(path: string, body: object): Promise<"done" | "later" | "refused"> {
    const { endpoint, headers, send, log } = this.#parts;
    let status: number | undefined;
    try {
      const url = `${endpoint.replace(/\/+$/, "")}${path}`;
      status = await send(url, JSON.stringify(body), { ...headers, "content-type": "application/json" });
    } catch {
      // Nobody answers: the same as a collector that is busy.
    }
    const isDone = status !== undefined && status >= 200 && status < 300;
    if (!isDone && !this.#isFailing)
      log.write("warn", "telemetry cannot be sent", { path, status: status ?? "no answer" });
    if (isDone && this.#isFailing) log.write("info", "telemetry is sent again");
    this.#isFailing = !isDone;
    if (isDone) return "done";
    return status === undefined || RETRIED.has(status) ? "later" : "refused";
  }
}
