import type { ProviderErrorCode, ProviderFailure } from "@fovea/core";
import { readErrorBody, type ErrorBody } from "../error-body.ts";
import { buildFailure, codeOfStatus, retryAfterMs } from "../failure.ts";
import { recordOf, stringOf } from "../json-body.ts";
import type { AnswerContext, ErrorHead } from "../vendor-wire.ts";

interface Meaning {
  readonly code: ProviderErrorCode;
  readonly scope?: ProviderFailure["scope"];
}

/** `error.details.error_code`, which is finer than the type and is read first. */
const DETAILS: Readonly<Record<string, Meaning | undefined>> = {
  __proto__: null as never,
  ramp_limit_exceeded: { code: "rate_limited" },
  enforced_spend_limit_reached: { code: "quota_exhausted", scope: "account" },
  contract_spend_limit_reached: { code: "quota_exhausted", scope: "account" },
  linked_organization_spend_limit_reached: { code: "quota_exhausted", scope: "account" },
  linked_organization_billing_unavailable: { code: "quota_exhausted", scope: "account" },
  request_body_too_large_after_decoding: { code: "too_large" },
  image_dimensions_too_large: { code: "too_large" },
  organization_on_hold: { code: "permission", scope: "account" },
  cmek_key_unreachable: { code: "capacity", scope: "account" },
  cmek_context_unavailable: { code: "capacity", scope: "account" },
};

const TYPES: Readonly<Record<string, Meaning | undefined>> = {
  __proto__: null as never,
  invalid_request_error: { code: "invalid_request" },
  authentication_error: { code: "auth" },
  billing_error: { code: "quota_exhausted", scope: "account" },
  permission_error: { code: "permission" },
  not_found_error: { code: "not_found" },
  request_too_large: { code: "too_large" },
  rate_limit_error: { code: "rate_limited" },
  timeout_error: { code: "server_error" },
  api_error: { code: "server_error" },
  overloaded_error: { code: "overloaded" },
  conflict_error: { code: "server_error" },
};

export function classifyAnthropic(head: ErrorHead, body: string): ProviderFailure {
  const error = readErrorBody(body);
  const meaning = meaningOf(error);
  const code = meaning?.code ?? codeOfStatus(head.status);
  const wait = retryAfterMs(head.status, head.headers, head.unixMs);
  const decided = head.headers["x-should-retry"];
  const requestId = head.headers["request-id"] ?? stringOf(error.record["request_id"]);
  return buildFailure(code, head.providerId, error.message, {
    status: head.status,
    ...providerCode(error),
    ...(meaning?.scope === undefined ? {} : { scope: meaning.scope }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(wait === undefined || code === "quota_exhausted" ? {} : { retryAfterMs: wait }),
    ...(decided === "true" || decided === "false" ? { retryable: decided === "true" } : {}),
  });
}

/** An `error` event after 200: overload before any content must move the call on just as a 529 does. */
export function streamFailure(error: ErrorBody, context: AnswerContext): ProviderFailure {
  const meaning = meaningOf(error);
  const code = meaning === undefined || meaning.code === "server_error" ? "provider_stream_error" : meaning.code;
  const requestId = context.requestId ?? stringOf(error.record["request_id"]);
  return buildFailure(code, context.providerId, error.message, {
    billed: "unknown",
    ...providerCode(error),
    ...(meaning?.scope === undefined ? {} : { scope: meaning.scope }),
    ...(requestId === undefined ? {} : { requestId }),
  });
}

function detailOf(error: ErrorBody): string | undefined {
  return stringOf(recordOf(recordOf(error.record["error"])?.["details"])?.["error_code"]);
}

function providerCode(error: ErrorBody): { providerCode?: string } {
  const code = detailOf(error) ?? error.type;
  return code === undefined || code === "error" ? {} : { providerCode: code };
}

/** "prompt is too long" has no code of its own: it is known by its measure, "N tokens > M maximum". */
function meaningOf(error: ErrorBody): Meaning | undefined {
  const meaning = DETAILS[detailOf(error) ?? ""] ?? TYPES[error.type ?? ""];
  if (meaning?.code === "invalid_request" && /\d+ tokens > \d+/.test(error.message)) return { code: "too_large" };
  return meaning;
}
