import type { Call, FailureAsk, Reply, Stage, Vendor } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { objectOf, textOf } from "../json.ts";
import { bearerOf } from "../openai/vendor.ts";
import { countReply, invalid, messagesReply } from "./messages.ts";

const TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};
const TYPE_NAMES = new Set(Object.values(TYPES));

const MESSAGES: Readonly<Record<string, string>> = {
  authentication_error: "invalid x-api-key",
  rate_limit_error: "This request would exceed your organization's rate limit.",
  overloaded_error: "Overloaded",
  api_error: "Internal server error",
};

/** `kind` is a type, or the more precise `error_code` inside `details`. */
function failureBody(ask: FailureAsk, requestId: string): object {
  const { kind } = ask;
  const type = kind !== undefined && TYPE_NAMES.has(kind) ? kind : (TYPES[ask.status] ?? "api_error");
  const details =
    kind === undefined || kind === type || kind === "authentication" ? {} : { details: { error_code: kind } };
  return {
    type: "error",
    error: { type, message: ask.message ?? MESSAGES[type] ?? type, ...details },
    request_id: requestId,
  };
}

const MODELS = ["claude-opus-4-8", "claude-sonnet-4-6", "claude-haiku-4-5"];

function modelEntry(id: string): object {
  return {
    type: "model",
    id,
    display_name: id,
    created_at: "2026-01-15T00:00:00Z",
    lifecycle: "active",
    deprecated_at: null,
    retires_at: null,
    max_input_tokens: 200_000,
    max_tokens: 64_000,
    capabilities: { vision: true, tools: true, thinking: true },
  };
}

function modelsReply(stage: Stage, name: string | undefined): Reply {
  const ids = stage.models.length === 0 ? MODELS : stage.models;
  if (name === undefined) {
    return jsonReply({ data: ids.map(modelEntry), has_more: false, first_id: ids[0], last_id: ids.at(-1) });
  }
  if (!ids.includes(name)) throw new Refusal({ status: 404, message: `model: ${name}` });
  return jsonReply(modelEntry(name));
}

export const anthropic: Vendor = {
  name: "anthropic",
  basePath: "",
  keyOf: (headers) => headers["x-api-key"] ?? bearerOf(headers),
  modelOf: (call) => textOf(objectOf(call.json)["model"]),
  handle(call: Call, stage: Stage): Reply {
    if (call.headers["anthropic-version"] === undefined) throw invalid("anthropic-version: header is required");
    if (call.path === "/v1/messages") return messagesReply(call, stage);
    if (call.path === "/v1/messages/count_tokens") return countReply(call, stage);
    if (call.path === "/v1/models") return modelsReply(stage, undefined);
    const name = /^\/v1\/models\/(.+)$/.exec(call.path)?.[1];
    if (name !== undefined) return modelsReply(stage, decodeURIComponent(name));
    throw new Refusal({ status: 404, message: "Not found" });
  },
  failure: (ask, stage) => jsonReply(failureBody(ask, stage.nextId("req_")), ask.status),
  streamFailure: (ask) => [
    { kind: "terminal", event: "error", data: JSON.stringify(failureBody(ask, "req_in_stream")) },
  ],
  limitHeaders: (state) => {
    const reset = (ms: number): string => new Date(state.unixMs + ms).toISOString().replace(/\.\d+Z$/, "Z");
    const headers: Record<string, string> = {};
    for (const name of ["tokens", "input-tokens", "output-tokens"]) {
      headers[`anthropic-ratelimit-${name}-limit`] = String(state.tokensLimit);
      headers[`anthropic-ratelimit-${name}-remaining`] = String(state.tokensRemaining);
      headers[`anthropic-ratelimit-${name}-reset`] = reset(state.tokensResetMs);
    }
    headers["anthropic-ratelimit-requests-limit"] = String(state.requestsLimit);
    headers["anthropic-ratelimit-requests-remaining"] = String(state.requestsRemaining);
    headers["anthropic-ratelimit-requests-reset"] = reset(state.requestsResetMs);
    return headers;
  },
  commonHeaders: (stage) => ({ "request-id": stage.nextId("req_"), "anthropic-organization-id": "org_emulator" }),
};
