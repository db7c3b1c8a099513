import type { ErrorCode } from "@fovea/core";
import type { WordedFailure } from "../door-scope.ts";
import type { DoorFailure } from "../error-response.ts";

interface Words {
  readonly type: string;
  readonly status?: number;
}

const WORDS: Readonly<Partial<Record<ErrorCode, Words>>> = {
  budget_exhausted: { type: "billing_error", status: 402 },
  overloaded: { type: "overloaded_error", status: 529 },
  provider_circuit_open: { type: "overloaded_error", status: 529 },
  request_too_large: { type: "request_too_large" },
  deadline_exceeded: { type: "timeout_error" },
  provider_timeout: { type: "timeout_error" },
};

const BY_STATUS: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  410: "not_found_error",
  429: "rate_limit_error",
};

export interface AnthropicErrorBody {
  readonly type: "error";
  readonly error: { readonly type: string; readonly message: string; readonly details?: object };
  readonly request_id: string;
}

export function anthropicError(failure: DoorFailure, requestId: string): AnthropicErrorBody {
  const { code, status, message } = failure;
  const fallback = BY_STATUS[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
  const details = {
    error_code: failure.providerCode ?? code,
    ...(failure.limit === undefined ? {} : { limit: failure.limit }),
  };
  return { type: "error", error: { type: WORDS[code]?.type ?? fallback, message, details }, request_id: requestId };
}

export function anthropicFailure(failure: DoorFailure, requestId: string): WordedFailure {
  return { status: WORDS[failure.code]?.status ?? failure.status, body: anthropicError(failure, requestId) };
}
