// Every failure a door can meet, brought to one form before a dialect words it. The dialects decide shapes, never facts.
import type { AnswerPart, ErrorCode } from "@fovea/core";
import { ERROR_TABLE, GatewayError } from "@fovea/core";

export interface DoorFailure {
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
  readonly param?: string;
  readonly providerId?: string;
  readonly providerCode?: string;
  readonly retryAfterMs?: number;
  /** Name of the budget or limit that refused the call. */
  readonly limit?: string;
  readonly retryable: boolean;
}

export function failureOf(error: unknown): DoorFailure {
  if (GatewayError.is(error)) {
    const { code, details } = error;
    const providerCode = details["providerCode"];
    const limit = details["limit"];
    return {
      ...facts(code, error.message),
      ...(details.param === undefined ? {} : { param: details.param }),
      ...(details.providerId === undefined ? {} : { providerId: details.providerId }),
      ...(typeof providerCode === "string" ? { providerCode } : {}),
      ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }),
      ...(typeof limit === "string" ? { limit } : {}),
    };
  }
  return failureOfHttp(error) ?? facts("internal", "");
}

/** A failure that arrived as a part of an answer. */
export function failureOfPart(part: Extract<AnswerPart, { type: "error" }>): DoorFailure {
  return {
    ...facts(part.code, part.message),
    retryable: part.retryable,
    ...(part.param === undefined ? {} : { param: part.param }),
    ...(part.providerId === undefined ? {} : { providerId: part.providerId }),
    ...(part.providerCode === undefined ? {} : { providerCode: part.providerCode }),
    ...(part.retryAfterMs === undefined ? {} : { retryAfterMs: part.retryAfterMs }),
  };
}

function facts(code: ErrorCode, message: string): DoorFailure {
  const row = ERROR_TABLE[code];
  const shown = row.expose && message !== "" ? message : "The gateway failed to handle this request.";
  return { code, status: row.http, message: shown, retryable: row.retryable };
}

/** What the HTTP framework itself refuses: bodies that are no JSON, too large, or of the wrong type. */
function failureOfHttp(error: unknown): DoorFailure | undefined {
  if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number") return undefined;
  const { statusCode } = error;
  if (statusCode < 400 || statusCode >= 500) return undefined;
  if (statusCode === 413)
    return { ...facts("request_too_large", "body: is larger than this endpoint takes"), param: "body" };
  if (statusCode === 404) return facts("route_unknown", error.message);
  return { ...facts("request_invalid", `body: ${error.message}`), status: statusCode, param: "body" };
}

const ADMISSION: ReadonlySet<ErrorCode> = new Set([
  "rate_limited",
  "overloaded",
  "turn_limit",
  "session_limit",
  "shutting_down",
]);

/**
 * Official SDKs repeat 408, 409, 429 and 5xx on their own unless told not to. The gateway has spent its attempts by
 * then, so it says no; only where it turned the call away before trying may the client come again.
 */
export function failureHeaders(failure: DoorFailure): Readonly<Record<string, string>> {
  const { retryAfterMs } = failure;
  const headers: Record<string, string> = { "x-fovea-error": failure.code };
  if (failure.limit !== undefined) headers["x-fovea-limit"] = headerText(failure.limit);
  if (failure.providerId !== undefined) headers["x-fovea-provider"] = headerText(failure.providerId);
  if (retryAfterMs !== undefined) {
    headers["retry-after"] = String(Math.ceil(retryAfterMs / 1000));
    headers["retry-after-ms"] = String(Math.ceil(retryAfterMs));
  }
  if (!ADMISSION.has(failure.code) || retryAfterMs === undefined) headers["x-should-retry"] = "false";
  return headers;
}

/** Header values are visible ASCII: everything else is replaced, and length is bounded. */
export function headerText(text: string): string {
  return VISIBLE.test(text) ? text : text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 1024);
}

const VISIBLE = /^[\x20-\x7e]{0,1024}$/;
