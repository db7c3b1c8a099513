import { countTokens, vectorOf } from "../answer-script.ts";
import type { Call, FailureAsk, Reply, Stage, StreamFormat, Vendor } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { listOf, numberOf, objectOf, textOf, type Json } from "../json.ts";
import { PNG_BASE64 } from "../media.ts";
import { bearerOf } from "../openai/vendor.ts";
import { generateReply, invalid, readPrompt, streamReply } from "./generate.ts";
import { startVideo, videoReply } from "./videos.ts";

const STATUS: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  499: "CANCELLED",
  500: "INTERNAL",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

const MESSAGES: Readonly<Record<number, string>> = {
  401: "API key not valid. Please pass a valid API key.",
  429: "You exceeded your current quota, please check your plan and billing details.",
  500: "An internal error has occurred.",
  503: "The model is overloaded. Please try again later.",
};

/** Of 429, `kind` says which quota: `per_day` is final until tomorrow, everything else is by the minute. */
function failureBody(ask: FailureAsk): { readonly error: Json } {
  const details: Json[] = [];
  if (ask.status === 429) {
    const isDaily = ask.kind === "per_day";
    const quotaId = `GenerateRequestsPer${isDaily ? "Day" : "Minute"}PerProjectPerModel`;
    const violations = [{ quotaMetric: "generativelanguage.googleapis.com/generate_content_requests", quotaId }];
    details.push({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations });
    if (!isDaily) {
      const retryDelay = `${ask.retryAfterS ?? 34.4}s`;
      details.push({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay });
    }
  }
  const known = ask.kind !== undefined && /^[A-Z_]+$/.test(ask.kind) ? ask.kind : undefined;
  const error = {
    code: ask.status,
    message: ask.message ?? MESSAGES[ask.status] ?? "Request failed.",
    status: known ?? STATUS[ask.status] ?? "UNKNOWN",
    ...(details.length === 0 ? {} : { details }),
  };
  return { error };
}

const MODELS = ["gemini-3.7-flash", "gemini-3.7-pro", "gemini-embedding-001"];

function modelEntry(id: string): Json {
  const actions = id.includes("embedding") ? ["embedContent", "countTextTokens"] : ["generateContent", "countTokens"];
  return {
    name: `models/${id}`,
    version: "001",
    displayName: id,
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: actions,
    thinking: !id.includes("embedding"),
  };
}

function modelsReply(stage: Stage, name: string | undefined): Reply {
  const ids = stage.models.length === 0 ? MODELS : stage.models;
  if (name === undefined) return jsonReply({ models: ids.map(modelEntry) });
  if (!ids.includes(name)) throw new Refusal({ status: 404, message: `models/${name} is not found` });
  return jsonReply(modelEntry(name));
}

function embedOne(body: Json, stage: Stage, model: string): { readonly values: readonly number[] } {
  const parts = listOf(objectOf(body["content"])["parts"]);
  if (parts.length === 0) throw invalid("* EmbedContentRequest.content: contents is not specified");
  const text = parts.map((part) => textOf(objectOf(part)["text"])).join(" ");
  const dimensions = numberOf(body["outputDimensionality"]) ?? stage.answer.dimensions ?? 768;
  return { values: [...vectorOf(`${model} ${text}`, dimensions)] };
}

type Method = (call: Call, stage: Stage, model: string) => Reply;

const METHODS: Readonly<Record<string, Method>> = {
  predictLongRunning: startVideo,
  generateContent: generateReply,
  streamGenerateContent: streamReply,
  countTokens: (call) => {
    const body = objectOf(call.json);
    const { allText } = readPrompt(objectOf(body["generateContentRequest"] ?? body), {});
    return jsonReply({ totalTokens: countTokens(allText) });
  },
  embedContent: (call, stage, model) => jsonReply({ embedding: embedOne(objectOf(call.json), stage, model) }),
  batchEmbedContents: (call, stage, model) => {
    const requests = listOf(objectOf(call.json)["requests"]);
    return jsonReply({ embeddings: requests.map((request) => embedOne(objectOf(request), stage, model)) });
  },
  predict: (call) => {
    const count = numberOf(objectOf(objectOf(call.json)["parameters"])["sampleCount"]) ?? 1;
    const prediction = { mimeType: "image/png", bytesBase64Encoded: PNG_BASE64 };
    return jsonReply({ predictions: Array.from({ length: count }, () => prediction) });
  },
};

const PATH = /^\/(?:v1|v1beta|v1alpha)\/(?:models\/)?(.+?)(?::|%3A)(\w+)$/;

export const google: Vendor = {
  name: "google",
  basePath: "",
  keyOf: (headers, query) => headers["x-goog-api-key"] ?? query.get("key") ?? bearerOf(headers),
  modelOf: (call) => PATH.exec(call.path)?.[1] ?? "",
  handle(call: Call, stage: Stage): Reply {
    const video = videoReply(call, stage);
    if (video !== undefined) return video;
    const [, model = "", method = ""] = PATH.exec(call.path) ?? [];
    const run = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
    if (run !== undefined && call.method === "POST") return run(call, stage, decodeURIComponent(model));
    const listed = /^\/(?:v1|v1beta|v1alpha)\/models(?:\/(.+))?$/.exec(call.path);
    if (listed !== null && call.method === "GET") return modelsReply(stage, listed[1]);
    throw new Refusal({ status: 404, message: `Not found: ${call.path}` });
  },
  failure: (ask) => jsonReply(failureBody(ask), ask.status),
  streamFailure: (ask, _format: StreamFormat) => [{ kind: "terminal", data: JSON.stringify(failureBody(ask)) }],
  // This vendor sends none.
  limitHeaders: () => ({}),
  commonHeaders: () => ({ vary: "Origin, X-Origin, Referer", "server-timing": "gfet4t7; dur=12" }),
};
