// What a provider's failure means for the cell, for the key and for the request: one row per code, so that breaker, mesh
// and tests cannot read it differently. Rules: docs/spec/resilience.md FC1..FC9.
import type { ProviderErrorCode, ProviderFailure } from "../errors/provider-failure.ts";

export interface FailureClass {
  /** `hard` counts at once, `soft` for the windowed rate only, `none` says nothing about the cell's health. */
  readonly breaker: "hard" | "soft" | "none";
  /** What the request does next. `larger`: only a cell with a larger context. `stop`: the failure is the answer. */
  readonly next: "next" | "larger" | "stop";
  /** Takes the key out until an operator, or the hint, says otherwise. */
  readonly key: "keep" | "rest" | "isolate";
}

const HARD: FailureClass = { breaker: "hard", next: "next", key: "keep" };
const STOP: FailureClass = { breaker: "none", next: "stop", key: "keep" };
const DEAD_KEY: FailureClass = { breaker: "none", next: "next", key: "isolate" };

const CLASSES: Readonly<Record<ProviderErrorCode, FailureClass>> = {
  rate_limited: { breaker: "soft", next: "next", key: "rest" },
  quota_exhausted: DEAD_KEY,
  overloaded: HARD,
  capacity: { breaker: "soft", next: "next", key: "keep" },
  auth: DEAD_KEY,
  permission: { breaker: "none", next: "next", key: "isolate" },
  not_found: { breaker: "none", next: "next", key: "isolate" },
  invalid_request: STOP,
  too_large: { breaker: "none", next: "larger", key: "keep" },
  content_filtered: STOP,
  refused: STOP,
  unreachable: HARD,
  timeout_connect: HARD,
  timeout_headers: HARD,
  timeout_first_token: HARD,
  // The caller's own time ran out: a provider that was still answering is not to blame.
  timeout_total: { breaker: "soft", next: "stop", key: "keep" },
  stalled: HARD,
  truncated: HARD,
  protocol: HARD,
  provider_stream_error: HARD,
  aborted: STOP,
  server_error: HARD,
};

export function classOf(failure: ProviderFailure): FailureClass {
  return CLASSES[failure.code];
}
