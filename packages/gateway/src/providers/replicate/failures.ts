import type { ProviderFailure } from "@fovea/core";
import { readErrorBody } from "../error-body.ts";
import { buildFailure, codeOfStatus, retryAfterMs } from "../failure.ts";
import { arrayOf, recordOf, stringOf } from "../json-body.ts";
import type { ErrorHead } from "../vendor-wire.ts";

/** Throttling names its end in prose alone: "Your rate limit resets in ~30s." */
export function classifyReplicate(head: ErrorHead, body: string): ProviderFailure {
  const error = readErrorBody(body);
  const detail = stringOf(error.record["detail"]) ?? error.message;
  const seconds = /resets? in ~?(\d+(?:\.\d+)?)\s*s/i.exec(detail)?.[1];
  const wait = retryAfterMs(
    head.status,
    head.headers,
    head.unixMs,
    seconds === undefined ? undefined : Number(seconds) * 1_000,
  );
  const title = stringOf(error.record["title"]);
  const field = stringOf(recordOf(arrayOf(error.record["invalid_fields"])[0])?.["field"]);
  return buildFailure(codeOfStatus(head.status), head.providerId, detail.trim(), {
    status: head.status,
    ...(title === undefined ? {} : { providerCode: title }),
    ...(field === undefined || field === "" ? {} : { param: field }),
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}
