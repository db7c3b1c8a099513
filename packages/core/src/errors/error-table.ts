/** What a client may learn of a failure, and what it should do next. */
export interface ErrorRow {
  readonly http: number;
  /** WebSocket close code of the native wire when the failure ends the connection. See protocol close-codes. */
  readonly close: number;
  readonly retryable: boolean;
  /** Whether the message may be shown to the client; otherwise it gets the code alone. */
  readonly expose: boolean;
  readonly level: "debug" | "info" | "warn" | "error";
}

/** One row per failure a client can observe: HTTP status, close code and retry advice cannot drift apart. */
export const ERROR_TABLE = {
  request_invalid: { http: 400, close: 4400, retryable: false, expose: true, level: "info" },
  request_too_large: { http: 413, close: 4413, retryable: false, expose: true, level: "info" },
  request_cancelled: { http: 499, close: 4499, retryable: false, expose: true, level: "debug" },
  request_unsupported: { http: 422, close: 4422, retryable: false, expose: true, level: "info" },
  route_unknown: { http: 404, close: 4404, retryable: false, expose: true, level: "info" },
  model_unknown: { http: 404, close: 4404, retryable: false, expose: true, level: "info" },
  model_retired: { http: 410, close: 4410, retryable: false, expose: true, level: "info" },
  credentials_missing: { http: 401, close: 4401, retryable: false, expose: true, level: "info" },
  credentials_invalid: { http: 401, close: 4401, retryable: false, expose: true, level: "warn" },
  permission_denied: { http: 403, close: 4403, retryable: false, expose: true, level: "warn" },
  consent_missing: { http: 403, close: 4403, retryable: false, expose: true, level: "info" },
  protocol_version_unsupported: { http: 400, close: 4406, retryable: false, expose: true, level: "info" },
  session_unknown: { http: 404, close: 4404, retryable: false, expose: true, level: "info" },
  session_limit: { http: 429, close: 4429, retryable: true, expose: true, level: "warn" },
  turn_unknown: { http: 404, close: 4404, retryable: false, expose: true, level: "debug" },
  job_unknown: { http: 404, close: 4404, retryable: false, expose: true, level: "info" },
  turn_limit: { http: 429, close: 4429, retryable: true, expose: true, level: "info" },
  rate_limited: { http: 429, close: 4429, retryable: true, expose: true, level: "info" },
  budget_exhausted: { http: 429, close: 4429, retryable: false, expose: true, level: "info" },
  overloaded: { http: 503, close: 4503, retryable: true, expose: true, level: "warn" },
  deadline_exceeded: { http: 504, close: 4504, retryable: true, expose: true, level: "warn" },
  no_capable_provider: { http: 503, close: 4503, retryable: false, expose: true, level: "warn" },
  provider_failed: { http: 502, close: 4502, retryable: true, expose: true, level: "warn" },
  provider_timeout: { http: 504, close: 4504, retryable: true, expose: true, level: "warn" },
  provider_circuit_open: { http: 503, close: 4503, retryable: true, expose: true, level: "info" },
  provider_rejected: { http: 400, close: 4400, retryable: false, expose: true, level: "info" },
  content_filtered: { http: 400, close: 4400, retryable: false, expose: true, level: "info" },
  answer_broken: { http: 502, close: 4502, retryable: true, expose: true, level: "warn" },
  configuration_invalid: { http: 500, close: 1011, retryable: false, expose: true, level: "error" },
  shutting_down: { http: 503, close: 1012, retryable: true, expose: true, level: "info" },
  internal: { http: 500, close: 1011, retryable: false, expose: false, level: "error" },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;
