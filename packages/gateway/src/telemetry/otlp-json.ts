// The two bodies of OTLP over HTTP in its JSON form (opentelemetry-proto 1.x): spans and metrics. Pure.
import type { Labels } from "@fovea/core";
import type { MetricFamily } from "./prometheus-meter.ts";

export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly attributes: Attributes;
  /** `error.type` of a span that failed. */
  readonly error?: string;
}

const KINDS = { internal: 1, server: 2, client: 3 } as const;
const CUMULATIVE = 2;
/** UCUM. */
const UNITS: Readonly<Record<string, string>> = { seconds: "s", bytes: "By", usd: "{USD}", tokens: "{token}" };
const STATUS_ERROR = 2;

export function spansBody(resource: Attributes, version: string, spans: readonly Span[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope: scopeOf(version), spans: spans.map(spanOf) }],
      },
    ],
  };
}

export function metricsBody(
  resource: Attributes,
  version: string,
  families: readonly MetricFamily[],
  time: { readonly startUnixMs: number; readonly nowUnixMs: number },
): object {
  const metrics = families.filter(({ series }) => series.length > 0).map((family) => metricOf(family, time));
  return {
    resourceMetrics: [
      { resource: { attributes: attributesOf(resource) }, scopeMetrics: [{ scope: scopeOf(version), metrics }] },
    ],
  };
}

function scopeOf(version: string): object {
  return { name: "fovea", version };
}

function spanOf(span: Span): object {
  const { traceId, spanId, parentSpanId, name, kind, error } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanos(span.startUnixMs),
    endTimeUnixNano: nanos(span.endUnixMs),
    attributes: attributesOf(error === undefined ? span.attributes : { ...span.attributes, "error.type": error }),
    status: error === undefined ? {} : { code: STATUS_ERROR },
  };
}

function metricOf(
  family: MetricFamily,
  { startUnixMs, nowUnixMs }: { startUnixMs: number; nowUnixMs: number },
): object {
  const { name, definition, bounds, series } = family;
  const time = { startTimeUnixNano: nanos(startUnixMs), timeUnixNano: nanos(nowUnixMs) };
  const head = { name, description: definition.help, unit: UNITS[definition.unit ?? ""] ?? "1" };
  const numbers = series.map(({ labels, value }) => ({ attributes: labelsOf(labels), ...time, asDouble: value }));
  if (definition.kind === "gauge") return { ...head, gauge: { dataPoints: numbers } };
  if (definition.kind === "counter")
    return { ...head, sum: { dataPoints: numbers, aggregationTemporality: CUMULATIVE, isMonotonic: true } };
  const dataPoints = series.map(({ labels, sum, count, buckets }) => ({
    attributes: labelsOf(labels),
    ...time,
    count: String(count),
    sum,
    bucketCounts: buckets.map(String),
    explicitBounds: bounds,
  }));
  return { ...head, histogram: { dataPoints, aggregationTemporality: CUMULATIVE } };
}

/** An empty label is no attribute. */
function labelsOf(labels: Labels): object[] {
  return attributesOf(Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== "")));
}

function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: valueOf(value) }],
  );
}

function valueOf(value: AttributeValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Nanoseconds do not fit into a number: microseconds do. */
function nanos(unixMs: number): string {
  return `${Math.round(unixMs * 1_000)}000`;
}
