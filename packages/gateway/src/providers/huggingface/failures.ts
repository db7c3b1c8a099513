import type { ProviderFailure } from "@fovea/core";
import { readErrorBody } from "../error-body.ts";
import { buildFailure, codeOfStatus, retryAfterMs } from "../failure.ts";
import { countOf } from "../json-body.ts";
import { classifyOpenAi } from "../openai/failures.ts";
import type { ErrorHead } from "../vendor-wire.ts";

/** A model that is being loaded says for how long; everything else is the router's or the upstream's usual form. */
export function classifyHuggingFace(head: ErrorHead, body: string): ProviderFailure {
  const error = readErrorBody(body);
  const seconds = countOf(error.record["estimated_time"]);
  if (head.status !== 503 || seconds === undefined) return classifyOpenAi(head, body);
  const wait = retryAfterMs(503, head.headers, head.unixMs, seconds * 1_000);
  return buildFailure(codeOfStatus(503), head.providerId, error.message, {
    status: 503,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}
