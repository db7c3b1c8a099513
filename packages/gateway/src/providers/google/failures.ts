import type { ProviderErrorCode, ProviderFailure } from "@fovea/core";
import { readErrorBody, type ErrorBody } from "../error-body.ts";
import { buildFailure, codeOfStatus, durationMs, retryAfterMs } from "../failure.ts";
import { arrayOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { AnswerContext, ErrorHead } from "../vendor-wire.ts";

/** google.rpc.Code to the HTTP status it stands for. Source: google/rpc/code.proto. */
const STATUS: Readonly<Record<string, number | undefined>> = {
  __proto__: null as never,
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  UNKNOWN: 500,
  INTERNAL: 500,
  DATA_LOSS: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

export function classifyGoogle(head: ErrorHead, body: string): ProviderFailure {
  const error = readErrorBody(body);
  const facts = factsOf(error, head.status);
  const wait = retryAfterMs(facts.status, head.headers, head.unixMs, facts.retryDelayMs);
  return buildFailure(facts.code, head.providerId, error.message, {
    status: head.status,
    ...facts.details,
    ...(wait === undefined || facts.code === "quota_exhausted" ? {} : { retryAfterMs: wait }),
    billed: "no",
  });
}

export function streamFailure(error: ErrorBody, context: AnswerContext): ProviderFailure {
  const facts = factsOf(error, error.status ?? 500);
  const code = facts.code === "server_error" ? "provider_stream_error" : facts.code;
  const wait = retryAfterMs(facts.status, {}, 0, facts.retryDelayMs);
  return buildFailure(code, context.providerId, error.message, {
    status: facts.status,
    ...facts.details,
    ...(context.requestId === undefined ? {} : { requestId: context.requestId }),
    ...(wait === undefined || code === "quota_exhausted" ? {} : { retryAfterMs: wait }),
    billed: "unknown",
  });
}

interface Facts {
  readonly code: ProviderErrorCode;
  readonly status: number;
  readonly retryDelayMs?: number;
  readonly details: {
    readonly providerCode?: string;
    readonly scope?: ProviderFailure["scope"];
    readonly param?: string;
  };
}

function factsOf(error: ErrorBody, httpStatus: number): Facts {
  const inner = recordOf(error.record["error"]) ?? error.record;
  const word = stringOf(inner["status"]);
  const status = STATUS[word ?? ""] ?? httpStatus;
  const details = arrayOf(inner["details"])
    .map(recordOf)
    .filter((detail) => detail !== undefined);
  const reason = stringOf(detailOf(details, "ErrorInfo")?.["reason"]);
  const delay = durationMs(stringOf(detailOf(details, "RetryInfo")?.["retryDelay"]) ?? "");
  const quotas = arrayOf(detailOf(details, "QuotaFailure")?.["violations"]).map(
    (one) => stringOf(recordOf(one)?.["quotaId"]) ?? "",
  );
  const field = stringOf(recordOf(arrayOf(detailOf(details, "BadRequest")?.["fieldViolations"])[0])?.["field"]);
  const providerCode = reason ?? word;
  const isDaily = status === 429 && quotas.some((quota) => /PerDay/.test(quota));
  return {
    code: codeOf(status, [reason, word], error.message, isDaily),
    status,
    ...(delay === undefined ? {} : { retryDelayMs: delay }),
    details: {
      ...(providerCode === undefined ? {} : { providerCode }),
      ...(isDaily ? { scope: "project" as const } : {}),
      ...(field === undefined ? {} : { param: field }),
    },
  };
}

function detailOf(details: readonly JsonRecord[], name: string): JsonRecord | undefined {
  return details.find((detail) => stringOf(detail["@type"])?.endsWith(`.${name}`) === true);
}

function codeOf(
  status: number,
  words: readonly (string | undefined)[],
  message: string,
  isDaily: boolean,
): ProviderErrorCode {
  if (isDaily) return "quota_exhausted";
  // A wrong key is answered with 400; only the reason tells it from a wrong request.
  if (words.includes("API_KEY_INVALID") || words.includes("API_KEY_EXPIRED")) return "auth";
  if (status === 400 && /exceeds the maximum number of tokens/.test(message)) return "too_large";
  if (words.includes("UNAVAILABLE")) return "overloaded";
  return codeOfStatus(status);
}
