import type { Call, LimitState, Reply, Stage, Vendor } from "../exchange.ts";
import { Refusal } from "../exchange.ts";
import { fieldOf } from "../request-reading.ts";
import { speechReply, transcriptionReply } from "./audio.ts";
import { chatReply } from "./chat.ts";
import { embeddingsReply } from "./embeddings.ts";
import { failureFrames, failureReply } from "./failures.ts";
import { imagesReply } from "./images.ts";
import { modelsReply } from "./models.ts";
import { responsesReply } from "./responses.ts";
import { objectOf, textOf } from "../json.ts";

type Handler = (call: Call, stage: Stage) => Reply;

const ROUTES: Readonly<Record<string, Handler>> = {
  "/chat/completions": (call, stage) => chatReply(call, stage),
  "/responses": responsesReply,
  "/embeddings": embeddingsReply,
  "/audio/speech": speechReply,
  "/audio/transcriptions": transcriptionReply,
  "/images/generations": imagesReply,
  "/models": (call, stage) => modelsReply(call, stage, undefined),
};

export const openAi: Vendor = {
  name: "openai",
  basePath: "/v1",
  keyOf: (headers) => bearerOf(headers),
  modelOf: (call) => fieldOf(call.parts, "model") ?? textOf(objectOf(call.json)["model"]),
  handle(call, stage) {
    const path = call.path.replace(/^\/v1(?=\/)/, "");
    const route = ROUTES[path];
    if (route !== undefined) return route(call, stage);
    const model = /^\/models\/(.+)$/.exec(path)?.[1];
    if (model !== undefined) return modelsReply(call, stage, decodeURIComponent(model));
    throw new Refusal({
      status: 404,
      kind: "invalid_request_error",
      message: `Invalid URL (${call.method} ${call.path})`,
    });
  },
  failure: (ask) => failureReply(ask),
  streamFailure: (ask, _format, call) => failureFrames(ask, call.path.endsWith("/responses")),
  limitHeaders: openAiLimitHeaders,
  commonHeaders: (stage) => ({
    "x-request-id": stage.nextId("req_"),
    "openai-processing-ms": "12",
    "openai-version": "2020-10-01",
  }),
};

export function bearerOf(headers: Readonly<Record<string, string>>): string {
  return /^Bearer\s+(.+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? "";
}

export function openAiLimitHeaders(state: LimitState): Readonly<Record<string, string>> {
  return {
    "x-ratelimit-limit-requests": String(state.requestsLimit),
    "x-ratelimit-remaining-requests": String(state.requestsRemaining),
    "x-ratelimit-reset-requests": duration(state.requestsResetMs),
    "x-ratelimit-limit-tokens": String(state.tokensLimit),
    "x-ratelimit-remaining-tokens": String(state.tokensRemaining),
    "x-ratelimit-reset-tokens": duration(state.tokensResetMs),
  };
}

/** `6ms`, `1.5s`, `1m2s`: the form of the vendor's reset headers. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 100) / 10;
  if (seconds < 60) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`;
}
