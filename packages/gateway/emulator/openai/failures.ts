import type { FailureAsk, Frame, WholeReply } from "../exchange.ts";
import { jsonReply } from "../exchange.ts";

interface Variant {
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
}

/** By name, as a scenario's `error:` gives it. Billing codes are final although they arrive as 429. */
const VARIANTS: Readonly<Record<string, Variant>> = {
  rate_limit_exceeded: {
    type: "requests",
    code: "rate_limit_exceeded",
    message: "Rate limit reached for requests. Please try again in 20s.",
  },
  slow_down: { type: "rate_limit_error", code: "slow_down", message: "Your request rate rose too fast. Slow down." },
  insufficient_quota: quota("insufficient_quota"),
  credit_balance_exhausted: quota("credit_balance_exhausted"),
  organization_spend_limit_exceeded: quota("organization_spend_limit_exceeded"),
  organization_usage_limit_exceeded: quota("organization_usage_limit_exceeded"),
  project_spend_limit_exceeded: quota("project_spend_limit_exceeded"),
  server_is_overloaded: {
    type: "service_unavailable_error",
    code: "server_is_overloaded",
    message: "Our servers are currently overloaded. Please try again later.",
  },
  context_length_exceeded: {
    type: "invalid_request_error",
    code: "context_length_exceeded",
    message: "This model's maximum context length is 128000 tokens.",
  },
  content_filter: {
    type: "invalid_request_error",
    code: "content_filter",
    message: "Your request was rejected by the safety system.",
  },
  model_not_found: {
    type: "invalid_request_error",
    code: "model_not_found",
    message: "The model does not exist or you do not have access to it.",
  },
  authentication: {
    type: "invalid_request_error",
    code: "invalid_api_key",
    message: "Incorrect API key provided: sk-em****ator.",
  },
};

function quota(code: string): Variant {
  return {
    type: "insufficient_quota",
    code,
    message: "You exceeded your current quota, please check your plan and billing details.",
  };
}

const BY_STATUS: Readonly<Record<number, string>> = {
  401: "authentication",
  404: "model_not_found",
  429: "rate_limit_exceeded",
  503: "server_is_overloaded",
};

function variantOf(ask: FailureAsk): Variant {
  const named = VARIANTS[ask.kind ?? BY_STATUS[ask.status] ?? ""];
  const fallback: Variant = {
    type: ask.kind ?? (ask.status >= 500 ? "server_error" : "invalid_request_error"),
    code: null,
    message:
      ask.status >= 500 ? "The server had an error while processing your request." : `Request refused (${ask.status}).`,
  };
  const variant = named ?? fallback;
  return ask.message === undefined ? variant : { ...variant, message: ask.message };
}

export function failureBody(ask: FailureAsk): { readonly error: Variant & { readonly param: string | null } } {
  const { message, type, code } = variantOf(ask);
  return { error: { message, type, param: ask.param ?? null, code } };
}

export function failureReply(ask: FailureAsk): WholeReply {
  return jsonReply(failureBody(ask), ask.status);
}

/** The Responses dialect names its events and has the members of the error at the top. */
export function failureFrames(ask: FailureAsk, isNamed = false): readonly Frame[] {
  if (isNamed) {
    const { type: kind, ...error } = { ...failureBody(ask).error, sequence_number: 99 };
    return [{ kind: "terminal", event: "error", data: JSON.stringify({ type: "error", ...error, error_type: kind }) }];
  }
  return [{ kind: "terminal", data: JSON.stringify(failureBody(ask)) }];
}
