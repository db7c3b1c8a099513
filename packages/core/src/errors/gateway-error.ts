import type { ErrorCode, ErrorRow } from "./error-table.ts";
import { ERROR_TABLE } from "./error-table.ts";

const BRAND: unique symbol = Symbol.for("fovea.GatewayError") as never;

/** What a client may be told beside the message. `param` is a path into the request, as in `messages[2].content`. */
export interface ErrorDetails {
  readonly param?: string;
  readonly providerId?: string;
  readonly retryAfterMs?: number;
  readonly [key: string]: string | number | boolean | undefined;
}

/** An expected failure. Programs read `code` and `details`; the message is for people. */
export class GatewayError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly [BRAND] = true;
  readonly code: Code;
  readonly details: ErrorDetails;

  constructor(code: Code, message: string, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "GatewayError";
    this.code = code;
    this.details = details;
  }

  get row(): ErrorRow {
    return ERROR_TABLE[this.code];
  }

  /** Survives two copies of this package in one process, where `instanceof` does not. */
  static is(value: unknown): value is GatewayError {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  static has<C extends ErrorCode>(value: unknown, code: C): value is GatewayError<C> {
    return GatewayError.is(value) && value.code === code;
  }
}
