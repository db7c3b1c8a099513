// Errors of routes that have no wire shape of their own. Doors answer in their vendor's shape (http/error-response.ts).
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ErrorCode } from "@fovea/core";
import { GatewayError } from "@fovea/core";

const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "request_too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "request_unsupported",
  FST_ERR_CTP_INVALID_JSON_BODY: "request_invalid",
  FST_ERR_CTP_EMPTY_JSON_BODY: "request_invalid",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "request_invalid",
};

/** Whatever was thrown becomes a failure of the table; what is not expected is `internal`, and its message stays inside. */
export function toGatewayError(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error;
  if (!(error instanceof Error)) return new GatewayError("internal", "something that is no error was thrown");
  const { code = "", statusCode = 500 } = error as { code?: string; statusCode?: number };
  const known = FASTIFY_CODES[code];
  if (known !== undefined) return new GatewayError(known, error.message);
  if (statusCode >= 400 && statusCode < 500) return new GatewayError("request_invalid", error.message);
  return new GatewayError("internal", "internal error", {}, { cause: error });
}

export function sendError(failure: GatewayError, request: FastifyRequest, reply: FastifyReply): void {
  const { row, details } = failure;
  if (details.retryAfterMs !== undefined) {
    void reply.header("retry-after", String(Math.max(1, Math.ceil(details.retryAfterMs / 1000))));
    void reply.header("retry-after-ms", String(Math.ceil(details.retryAfterMs)));
  }
  if (row.http === 401) void reply.header("www-authenticate", "Bearer");
  void reply.code(row.http).send({
    error: {
      message: row.expose ? failure.message : "internal error",
      type: row.http >= 500 ? "server_error" : "invalid_request_error",
      code: failure.code,
      param: details.param ?? null,
      request_id: request.id,
    },
  });
}
