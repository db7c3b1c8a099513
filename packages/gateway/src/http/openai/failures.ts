import type { ErrorCode } from "@fovea/core";
import type { WordedFailure } from "../door-scope.ts";
import type { DoorFailure } from "../error-response.ts";

interface Words {
  readonly type: string;
  readonly code?: string;
}

/** Codes that OpenAI's clients know. The rest are worded by their status, with the gateway's own code. */
const WORDS: Readonly<Partial<Record<ErrorCode, Words>>> = {
  rate_limited: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  turn_limit: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  session_limit: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  budget_exhausted: { type: "insufficient_quota", code: "insufficient_quota" },
  overloaded: { type: "service_unavailable_error", code: "server_is_overloaded" },
  provider_circuit_open: { type: "service_unavailable_error", code: "server_is_overloaded" },
  credentials_missing: { type: "invalid_request_error", code: "invalid_api_key" },
  credentials_invalid: { type: "invalid_request_error", code: "invalid_api_key" },
  model_unknown: { type: "invalid_request_error", code: "model_not_found" },
  content_filtered: { type: "invalid_request_error", code: "content_filter" },
};

export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function openAiError(failure: DoorFailure): OpenAiErrorBody {
  const words = WORDS[failure.code] ?? { type: typeOf(failure.status), code: failure.providerCode ?? failure.code };
  const code = failure.code === "request_invalid" ? null : (words.code ?? failure.code);
  return { error: { message: failure.message, type: words.type, param: failure.param ?? null, code } };
}

function typeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 503) return "service_unavailable_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

export function openAiFailure(failure: DoorFailure): WordedFailure {
  return { status: failure.status, body: openAiError(failure) };
}
