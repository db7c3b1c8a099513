import type { ProviderFailure } from "@fovea/core";
import { readErrorBody } from "../error-body.ts";
import { buildFailure, codeOfStatus, retryAfterMs } from "../failure.ts";
import type { ErrorHead } from "../vendor-wire.ts";

/** Cohere gives no codes: the status decides, and the trial key's monthly counter tells a pause from the end. */
export function classifyCohere(head: ErrorHead, body: string): ProviderFailure {
  const error = readErrorBody(body);
  const isMonthOver = head.status === 429 && head.headers["x-endpoint-monthly-call-limit-remaining"] === "0";
  const isTooLong = head.status === 400 && /too many tokens|token limit/i.test(error.message);
  const code = isMonthOver ? "quota_exhausted" : isTooLong ? "too_large" : codeOfStatus(head.status);
  const wait = retryAfterMs(head.status, head.headers, head.unixMs);
  const requestId = head.headers["x-debug-trace-id"];
  return buildFailure(code, head.providerId, error.message, {
    status: head.status,
    ...(requestId === undefined ? {} : { requestId }),
    ...(wait === undefined || isMonthOver ? {} : { retryAfterMs: wait }),
  });
}
