import type { LimitBucket } from "@fovea/core";
import { durationMs } from "./failure.ts";
import type { HttpHeaders } from "./http-call.ts";

/** `x-ratelimit-{limit,remaining,reset}-<bucket>` (OpenAI and compatible), and the same without a bucket (Together). */
export function prefixedBuckets(headers: HttpHeaders, prefix: string, unixMs: number): LimitBucket[] {
  const found = new Map<string, { limit?: number; remaining?: number; resetMs?: number }>();
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(prefix)) continue;
    const match = /^(?:(.*)-)?(limit|remaining|reset)(?:-(.*))?$/.exec(name.slice(prefix.length));
    const field = match?.[2];
    const value = headers[name];
    if (field === undefined || value === undefined) continue;
    const bucketName = match?.[1] ?? match?.[3] ?? "requests";
    const bucket = found.get(bucketName) ?? {};
    found.set(bucketName, bucket);
    if (field === "reset") assign(bucket, "resetMs", resetOf(value, unixMs));
    else assign(bucket, field === "limit" ? "limit" : "remaining", Number.parseFloat(value));
  }
  return [...found].map(([name, bucket]) => ({ name, ...bucket }));
}

function assign(
  bucket: { limit?: number; remaining?: number; resetMs?: number },
  field: "limit" | "remaining" | "resetMs",
  value: number | undefined,
): void {
  if (value !== undefined && Number.isFinite(value) && value >= 0) bucket[field] = value;
}

/** A duration (`6ms`, `1m2s`), seconds, a point in Unix seconds, or an RFC 3339 date: milliseconds from now. */
function resetOf(text: string, unixMs: number): number | undefined {
  const duration = durationMs(text);
  if (duration !== undefined) return duration;
  if (/^\d+(\.\d+)?$/.test(text)) {
    const seconds = Number(text);
    // A number this large is a date, not a wait.
    return seconds > 1_000_000_000 ? Math.max(0, seconds * 1_000 - unixMs) : seconds * 1_000;
  }
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - unixMs);
}

/** IETF draft form: `ratelimit: "api";r=999;t=295` with `ratelimit-policy: "fixed window";"api";q=1000;w=300`. */
export function draftBuckets(headers: HttpHeaders): LimitBucket[] {
  const state = headers["ratelimit"];
  if (state === undefined) return [];
  const name = /"([^"]+)"/.exec(state)?.[1] ?? "requests";
  const numberIn = (text: string | undefined, key: string): number | undefined => {
    const match = new RegExp(`\\b${key}=(\\d+)`).exec(text ?? "");
    return match === null ? undefined : Number(match[1]);
  };
  const limit = numberIn(headers["ratelimit-policy"], "q");
  const remaining = numberIn(state, "r");
  const reset = numberIn(state, "t");
  return [
    {
      name,
      ...(limit === undefined ? {} : { limit }),
      ...(remaining === undefined ? {} : { remaining }),
      ...(reset === undefined ? {} : { resetMs: reset * 1_000 }),
    },
  ];
}
