import type { WordedFailure } from "../door-scope.ts";
import type { DoorFailure } from "../error-response.ts";

const BY_STATUS: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  410: "NOT_FOUND",
  413: "INVALID_ARGUMENT",
  422: "INVALID_ARGUMENT",
  429: "RESOURCE_EXHAUSTED",
  499: "CANCELLED",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

export function geminiError(failure: DoorFailure): { readonly error: object } {
  const { status: code, message, retryAfterMs, param } = failure;
  const details: object[] = [
    { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: failure.code.toUpperCase(), domain: "fovea" },
  ];
  if (param !== undefined) {
    const fieldViolations = [{ field: param, description: message }];
    details.push({ "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations });
  }
  if (failure.limit !== undefined) {
    const violations = [{ subject: failure.limit, description: message }];
    details.push({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations });
  }
  if (retryAfterMs !== undefined) {
    const retryDelay = `${Math.round(retryAfterMs) / 1000}s`;
    details.push({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay });
  }
  return {
    error: { code, message, status: BY_STATUS[code] ?? (code >= 500 ? "INTERNAL" : "INVALID_ARGUMENT"), details },
  };
}

/** A blocked prompt is an answer here, not an error: status 200 and the reason. */
export function geminiFailure(failure: DoorFailure): WordedFailure {
  if (failure.code === "content_filtered") {
    return { status: 200, body: { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: { promptTokenCount: 0 } } };
  }
  return { status: failure.status, body: geminiError(failure) };
}
