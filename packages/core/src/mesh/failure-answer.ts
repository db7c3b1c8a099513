import type { ErrorCode } from "../errors/error-table.ts";
import { ERROR_TABLE } from "../errors/error-table.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ProviderErrorCode, ProviderFailure } from "../errors/provider-failure.ts";
import type { AnswerPart } from "../model/answer-part.ts";

/** What the client is told when a provider's failure is the last word. Consequences inside: resilience/failure-classes. */
const CODE_FOR_CLIENT: Readonly<Record<ProviderErrorCode, ErrorCode>> = {
  rate_limited: "rate_limited",
  quota_exhausted: "provider_failed",
  overloaded: "overloaded",
  capacity: "overloaded",
  auth: "provider_failed",
  permission: "provider_failed",
  not_found: "model_unknown",
  invalid_request: "provider_rejected",
  too_large: "request_too_large",
  content_filtered: "content_filtered",
  refused: "content_filtered",
  unreachable: "provider_failed",
  timeout_connect: "provider_timeout",
  timeout_headers: "provider_timeout",
  timeout_first_token: "provider_timeout",
  timeout_total: "deadline_exceeded",
  stalled: "answer_broken",
  truncated: "answer_broken",
  protocol: "provider_failed",
  provider_stream_error: "provider_failed",
  aborted: "request_cancelled",
  server_error: "provider_failed",
};

export function gatewayErrorOf(failure: ProviderFailure, attempts = 1): GatewayError {
  const tried = attempts > 1 ? ` (after ${attempts} attempts)` : "";
  const message = `${failure.providerId}: ${failure.message}${tried}`;
  const { status, providerCode, retryAfterMs, param, providerId } = failure;
  return new GatewayError(CODE_FOR_CLIENT[failure.code], message, {
    providerId,
    ...(status === undefined ? {} : { status }),
    ...(providerCode === undefined ? {} : { providerCode }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(param === undefined ? {} : { param }),
  });
}

/** After the first part a failure is a part. The message of an internal error stays here. */
export function errorPartOf(error: GatewayError): Extract<AnswerPart, { type: "error" }> {
  const row = ERROR_TABLE[error.code];
  const { retryAfterMs, param, providerId, status, providerCode } = error.details;
  return {
    type: "error",
    code: error.code,
    message: row.expose ? error.message : error.code,
    retryable: row.retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(param === undefined ? {} : { param }),
    ...(providerId === undefined ? {} : { providerId }),
    ...(typeof status === "number" ? { status } : {}),
    ...(typeof providerCode === "string" ? { providerCode } : {}),
  };
}
