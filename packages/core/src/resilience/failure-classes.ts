// What a provider's failure means for the cell, for the key and for the request: one row per code, so that breaker, mesh
// and tests cannot read it differently. Rules: docs/spec/resilience.md FC1..FC9.
import type { ProviderErrorCode, ProviderFailure } from "../errors/provider-failure.ts";

export interface FailureClass {
  /** `hard` counts at once, `soft` for the windowed rate only, `none` says nothing about the cell's health. */
  readonly breaker: "hard" | "soft" | "none";
  /** What the request does next. `larger`: only a cell with a larger context. `stop`: the failure is the answer. */
  readonly next: "next" | "larger" | "stop";
  /** Whether asking the same cell once more may help, where there is no other. */
  readonly sameCell: "once" | "no";
  /** Takes the key out until an operator, or the hint, says otherwise. */
  readonly key: "keep" | "rest" | "isolate";
}

const HARD: FailureClass = { breaker: "hard", next: "next", sameCell: "no", key: "keep" };
const BROKEN: FailureClass = { ...HARD, sameCell: "once" };
const STOP: FailureClass = { breaker: "none", next: "stop", sameCell: "no", key: "keep" };
const DEAD_KEY: FailureClass = { breaker: "none", next: "next", sameCell: "no", key: "isolate" };

const CLASSES: Readonly<Record<ProviderErrorCode, FailureClass>> = {
  rate_limited: { breaker: "soft", next: "next", sameCell: "no", key: "rest" },
  quota_exhausted: DEAD_KEY,
  overloaded: BROKEN,
  capacity: { breaker: "soft", next: "next", sameCell: "once", key: "keep" },
  auth: DEAD_KEY,
  permission: { breaker: "none", next: "next", sameCell: "no", key: "isolate" },
  not_found: { breaker: "none", next: "next", sameCell: "no", key: "isolate" },
  invalid_request: STOP,
  too_large: { breaker: "none", next: "larger", sameCell: "no", key: "keep" },
  content_filtered: STOP,
  refused: STOP,
  unreachable: HARD,
  timeout_connect: HARD,
  timeout_headers: HARD,
  timeout_first_token: HARD,
  // The caller's own time ran out: a provider that was still answering is not to blame.
  timeout_total: { breaker: "soft", next: "stop", sameCell: "no", key: "keep" },
  stalled: BROKEN,
  truncated: BROKEN,
  protocol: BROKEN,
  provider_stream_error: BROKEN,
  aborted: STOP,
  server_error: BROKEN,
};

export function classOf(failure: ProviderFailure): FailureClass {
  return CLASSES[failure.code];
}

const REJECTIONS: ReadonlySet<ProviderErrorCode> = new Set(["rate_limited", "overloaded", "capacity"]);

/** The provider said "not now" before it did any work. */
export function isRejection(failure: ProviderFailure): boolean {
  return REJECTIONS.has(failure.code);
}
