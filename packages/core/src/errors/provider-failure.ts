const BRAND: unique symbol = Symbol.for("fovea.ProviderError") as never;

/** The closed set that routing and resilience reason about. Meaning and consequence of each: docs/spec/providers.md. */
export type ProviderErrorCode =
  | "rate_limited"
  | "quota_exhausted"
  | "overloaded"
  | "capacity"
  | "auth"
  | "permission"
  | "not_found"
  | "invalid_request"
  | "too_large"
  | "content_filtered"
  | "refused"
  | "unreachable"
  | "timeout_connect"
  | "timeout_headers"
  | "timeout_first_token"
  | "timeout_total"
  | "stalled"
  | "truncated"
  | "protocol"
  | "provider_stream_error"
  | "aborted"
  | "server_error";

export interface ProviderFailure {
  readonly code: ProviderErrorCode;
  readonly providerId: string;
  /** HTTP status, where one arrived. */
  readonly status?: number;
  /** The vendor's own code or type string. */
  readonly providerCode?: string;
  readonly requestId?: string;
  /** Redacted, at most 500 characters. */
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  /** The smallest thing that the failure says something about. */
  readonly scope: "request" | "model" | "key" | "project" | "account" | "provider";
  /** Whether any content had been delivered before the failure. */
  readonly partialOutput: boolean;
  readonly billed: "yes" | "no" | "unknown";
  /** The request field the vendor complained about, where it named one. */
  readonly param?: string;
}

/** How an adapter throws a failure before the first part. After the first part a failure is a part of type `error`. */
export class ProviderError extends Error {
  readonly [BRAND] = true;
  readonly failure: ProviderFailure;

  constructor(failure: ProviderFailure, options?: { cause?: unknown }) {
    super(`${failure.providerId}: ${failure.code}: ${failure.message}`, options);
    this.name = "ProviderError";
    this.failure = failure;
  }

  static is(value: unknown): value is ProviderError {
    return typeof value === "object" && value !== null && BRAND in value;
  }
}
