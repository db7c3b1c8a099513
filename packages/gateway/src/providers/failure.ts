import type { ProviderErrorCode, ProviderFailure } from "@fovea/core";
import type { HttpHeaders } from "./http-call.ts";

interface FailureRow {
  readonly retryable: boolean;
  readonly scope: ProviderFailure["scope"];
}

/** Consequences of each code. Source of the meanings: docs/spec/providers.md. */
const ROWS: Readonly<Record<ProviderErrorCode, FailureRow>> = {
  rate_limited: { retryable: true, scope: "key" },
  quota_exhausted: { retryable: false, scope: "account" },
  overloaded: { retryable: true, scope: "model" },
  capacity: { retryable: true, scope: "model" },
  auth: { retryable: false, scope: "key" },
  permission: { retryable: false, scope: "key" },
  not_found: { retryable: false, scope: "model" },
  invalid_request: { retryable: false, scope: "request" },
  too_large: { retryable: false, scope: "request" },
  content_filtered: { retryable: false, scope: "request" },
  refused: { retryable: false, scope: "request" },
  unreachable: { retryable: true, scope: "provider" },
  timeout_connect: { retryable: true, scope: "provider" },
  timeout_headers: { retryable: true, scope: "model" },
  timeout_first_token: { retryable: true, scope: "model" },
  timeout_total: { retryable: true, scope: "model" },
  stalled: { retryable: true, scope: "model" },
  truncated: { retryable: true, scope: "model" },
  protocol: { retryable: true, scope: "provider" },
  provider_stream_error: { retryable: true, scope: "model" },
  aborted: { retryable: false, scope: "request" },
  server_error: { retryable: true, scope: "provider" },
};

export type FailureDetails = Partial<Omit<ProviderFailure, "code" | "providerId" | "message">>;

export function buildFailure(
  code: ProviderErrorCode,
  providerId: string,
  message: string,
  details: FailureDetails = {},
): ProviderFailure {
  const row = ROWS[code];
  const isRejected = details.status !== undefined && details.status >= 400;
  return {
    code,
    providerId,
    message: redact(message),
    retryable: row.retryable,
    scope: row.scope,
    partialOutput: false,
    billed: isRejected || code === "unreachable" || code === "timeout_connect" ? "no" : "unknown",
    ...withoutUndefined(details),
  };
}

function withoutUndefined(details: FailureDetails): FailureDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
}

const SECRETS =
  /\b(?:sk|pk|rk|r8|hf|xai|gsk|key|ghp|tgp)[-_][A-Za-z0-9_*.-]{6,}|\bAIza[\w-]{20,}|\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}|\beyJ[\w-]{10,}\.[\w.-]+/g;
const MESSAGE_CHARACTERS_MAX = 500;

/** Vendors echo keys back ("Incorrect API key provided: sk-…"): what looks like one is masked before anyone sees it. */
export function redact(message: string): string {
  const short = message.length > 4 * MESSAGE_CHARACTERS_MAX ? message.slice(0, 4 * MESSAGE_CHARACTERS_MAX) : message;
  const masked = short.replace(SECRETS, "<redacted>");
  return masked.length > MESSAGE_CHARACTERS_MAX ? `${masked.slice(0, MESSAGE_CHARACTERS_MAX - 1)}…` : masked;
}

/** The code a status means when the body does not say more. */
export function codeOfStatus(status: number): ProviderErrorCode {
  const known = STATUS_CODES[status];
  if (known !== undefined) return known;
  if (status >= 500) return "server_error";
  return status >= 400 ? "invalid_request" : "protocol";
}

const STATUS_CODES: Readonly<Record<number, ProviderErrorCode>> = {
  401: "auth",
  402: "quota_exhausted",
  403: "permission",
  404: "not_found",
  408: "timeout_headers",
  409: "server_error",
  413: "too_large",
  425: "capacity",
  429: "rate_limited",
  498: "auth",
  499: "aborted",
  503: "capacity",
  529: "overloaded",
};

const RETRY_AFTER_MS_MAX = 600_000;

/**
 * How long the server asks to wait. Only where it refuses (429, 503, 529): vendors send the header with answers too.
 * `hintMs` is what the body said; the headers come first.
 */
export function retryAfterMs(
  status: number,
  headers: HttpHeaders,
  unixMs: number,
  hintMs?: number,
): number | undefined {
  if (status !== 429 && status !== 503 && status !== 529) return undefined;
  const wait = headerWaitMs(headers, unixMs) ?? hintMs;
  return wait === undefined || !Number.isFinite(wait) ? undefined : Math.min(RETRY_AFTER_MS_MAX, Math.max(0, wait));
}

function headerWaitMs(headers: HttpHeaders, unixMs: number): number | undefined {
  const milliseconds = Number.parseFloat(headers["retry-after-ms"] ?? "");
  if (Number.isFinite(milliseconds)) return milliseconds;
  const after = headers["retry-after"]?.trim();
  if (after === undefined || after === "") return undefined;
  if (/^\d+(\.\d+)?$/.test(after)) return Number(after) * 1_000;
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : date - unixMs;
}

/** `34.4s`, `6ms`, `1m2s`, `1h`: the durations of OpenAI's reset headers and Google's retry delay. */
export function durationMs(text: string): number | undefined {
  let total = 0;
  let matched = "";
  for (const match of text.matchAll(/(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)/g)) {
    total += Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? 0);
    matched += match[0];
  }
  return matched !== "" && matched === text.trim() ? total : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
