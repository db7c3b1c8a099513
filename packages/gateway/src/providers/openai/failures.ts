import type { ProviderErrorCode, ProviderFailure } from "@fovea/core";
import { readErrorBody, type ErrorBody } from "../error-body.ts";
import { buildFailure, codeOfStatus, durationMs, retryAfterMs } from "../failure.ts";
import type { AnswerContext, ErrorHead } from "../vendor-wire.ts";

interface Meaning {
  readonly code: ProviderErrorCode;
  readonly scope?: ProviderFailure["scope"];
}

/** The vendor's own words, read before the status: a 429 may be a limit that resets or money that is gone. */
const WORDS: Readonly<Record<string, Meaning | undefined>> = {
  __proto__: null as never,
  insufficient_quota: { code: "quota_exhausted", scope: "account" },
  credit_balance_exhausted: { code: "quota_exhausted", scope: "account" },
  organization_spend_limit_exceeded: { code: "quota_exhausted", scope: "account" },
  organization_usage_limit_exceeded: { code: "quota_exhausted", scope: "account" },
  billing_hard_limit_reached: { code: "quota_exhausted", scope: "account" },
  billing_not_active: { code: "quota_exhausted", scope: "account" },
  project_spend_limit_exceeded: { code: "quota_exhausted", scope: "project" },
  rate_limit_exceeded: { code: "rate_limited" },
  slow_down: { code: "rate_limited" },
  tokens: { code: "rate_limited" },
  requests: { code: "rate_limited" },
  rate_limit_error: { code: "rate_limited" },
  server_is_overloaded: { code: "overloaded" },
  overloaded_error: { code: "overloaded" },
  engine_overloaded: { code: "overloaded" },
  invalid_api_key: { code: "auth" },
  authentication_error: { code: "auth" },
  account_deactivated: { code: "auth", scope: "account" },
  permission_error: { code: "permission" },
  unsupported_country_region_territory: { code: "permission", scope: "account" },
  model_not_found: { code: "not_found" },
  not_found_error: { code: "not_found" },
  context_length_exceeded: { code: "too_large" },
  string_above_max_length: { code: "too_large" },
  request_too_large: { code: "too_large" },
  content_filter: { code: "content_filtered" },
  content_policy_violation: { code: "content_filtered" },
  invalid_request_error: { code: "invalid_request" },
  bad_request: { code: "invalid_request" },
};

/** A refusal by status. `code` before `type`, both before the status; never the message. */
export function classifyOpenAi(head: ErrorHead, body: string): ProviderFailure {
  const error = readErrorBody(body);
  const meaning = meaningOf(error, head.status);
  const wait = retryAfterMs(head.status, head.headers, head.unixMs, hintMs(error));
  const decided = head.headers["x-should-retry"];
  const code = meaning?.code ?? codeOfStatus(head.status);
  return buildFailure(code, head.providerId, error.message, {
    status: head.status,
    ...(error.code === undefined && error.type === undefined ? {} : { providerCode: error.code ?? error.type ?? "" }),
    ...(error.param === undefined ? {} : { param: error.param }),
    ...(meaning?.scope === undefined ? {} : { scope: meaning.scope }),
    ...requestIdOf(head),
    ...(wait === undefined || code === "quota_exhausted" ? {} : { retryAfterMs: wait }),
    ...(decided === "true" || decided === "false" ? { retryable: decided === "true" } : {}),
  });
}

function requestIdOf(head: ErrorHead): { requestId?: string } {
  const requestId = head.headers["x-request-id"] ?? head.headers["request-id"] ?? head.headers["apim-request-id"];
  return requestId === undefined ? {} : { requestId };
}

/** Words that say only what the status says are weaker than the status: 404 with `invalid_request_error` is 404. */
function meaningOf(error: ErrorBody, status: number): Meaning | undefined {
  const byCode = WORDS[error.code ?? ""];
  if (byCode !== undefined) return byCode;
  const byType = WORDS[error.type ?? ""];
  if (byType === undefined) return undefined;
  if (byType.code === "invalid_request" && status !== 400 && status !== 0) return undefined;
  return byType;
}

/** "Please try again in 20s." is the only hint some compatible servers give; it is read for the wait alone. */
function hintMs(error: ErrorBody): number | undefined {
  const match = /try again in ([\d.]+(?:ms|s|m|h)(?:[\d.]+(?:ms|s))?)/i.exec(error.message);
  return match?.[1] === undefined ? undefined : durationMs(match[1]);
}

/** An error inside a 200 stream has no status: a numeric code is one, else the words decide. */
export function streamFailure(error: ErrorBody, context: AnswerContext): ProviderFailure {
  const meaning = meaningOf(error, error.status ?? 0) ?? fuzzyMeaning(error);
  const byStatus = error.status === undefined ? undefined : codeOfStatus(error.status);
  const inner = meaning?.code ?? byStatus;
  const code = inner === undefined || inner === "server_error" ? "provider_stream_error" : inner;
  const wait = error.status === undefined ? undefined : retryAfterMs(error.status, {}, 0, hintMs(error));
  return buildFailure(code, context.providerId, error.message, {
    billed: "unknown",
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.code === undefined && error.type === undefined ? {} : { providerCode: error.code ?? error.type ?? "" }),
    ...(error.param === undefined ? {} : { param: error.param }),
    ...(meaning?.scope === undefined ? {} : { scope: meaning.scope }),
    ...(context.requestId === undefined ? {} : { requestId: context.requestId }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

const FUZZY: readonly (readonly [RegExp, ProviderErrorCode])[] = [
  [/insufficient_quota/, "quota_exhausted"],
  [/rate_?limit/, "rate_limited"],
  [/authentication/, "auth"],
  [/permission/, "permission"],
  [/not_found/, "not_found"],
  [/context_length|too_large/, "too_large"],
  [/overload/, "overloaded"],
  [/unavailable/, "capacity"],
  [/invalid|bad_request|tool_use_failed/, "invalid_request"],
];

function fuzzyMeaning(error: ErrorBody): Meaning | undefined {
  const words = `${error.code ?? ""} ${error.type ?? ""}`;
  const found = FUZZY.find(([pattern]) => pattern.test(words));
  return found === undefined ? undefined : { code: found[1] };
}
