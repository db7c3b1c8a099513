import type { Call, Reply, Stage, Vendor } from "../exchange.ts";
import { jsonReply } from "../exchange.ts";
import { listOf, numberOf, objectOf, textOf } from "../json.ts";
import { OPENAI_DIALECT, chatReply, type ChatDialect } from "../openai/chat.ts";
import { failureBody, failureFrames } from "../openai/failures.ts";
import { openAi } from "../openai/vendor.ts";
import { rankOf } from "../ranking.ts";
import { predictionReply } from "../replicate/predictions.ts";
import { replicate } from "../replicate/vendor.ts";
import { ollamaReply } from "./ollama.ts";

/** A local server: no key, no fingerprint, reasoning shown. `answer.extra.reasoningField` picks the other spelling. */
const LOCAL_DIALECT: ChatDialect = {
  ...OPENAI_DIALECT,
  extras: {},
  obfuscates: false,
  systemFingerprint: undefined,
  reasoningField: "reasoning_content",
};

/** What a container says of its one model, in the form that Cog writes. */
const COG_SCHEMA = {
  openapi: "3.0.2",
  info: { title: "Cog", version: "0.1.0" },
  components: {
    schemas: {
      Input: {
        type: "object",
        title: "Input",
        required: ["prompt"],
        properties: {
          prompt: { type: "string", title: "Prompt", "x-order": 0 },
          system_prompt: { type: "string", title: "System Prompt", "x-order": 1 },
          max_new_tokens: { type: "integer", title: "Max New Tokens", "x-order": 2 },
          temperature: { type: "number", title: "Temperature", "x-order": 3 },
          images: { type: "array", items: { type: "string", format: "uri" }, title: "Images", "x-order": 4 },
        },
      },
    },
  },
};

const OLLAMA = /^\/api\/(\w+)$/;
const COG = /^\/(predictions(?:\/.*)?|health-check)$/;

/** As vLLM, Infinity and llama.cpp answer, in the form of Jina. */
function rerankReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const documents = listOf(body["documents"]).map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
  const results = rankOf(textOf(body["query"]), documents, numberOf(body["top_n"]));
  return jsonReply({
    id: stage.nextId("rerank-"),
    model: body["model"],
    results,
    usage: { total_tokens: documents.length },
  });
}

/** Self-hosted servers in one: OpenAI-compatible below /v1, Ollama below /api, a Cog container at the root. */
export const custom: Vendor = {
  ...openAi,
  name: "custom",
  basePath: "/v1",
  keyOf: (headers, query) => openAi.keyOf(headers, query) || "no-key-needed",
  modelOf: (call) => openAi.modelOf(call) || textOf(objectOf(call.json)["name"]),
  handle(call, stage) {
    const action = OLLAMA.exec(call.path)?.[1];
    if (action !== undefined) return ollamaReply(call, stage, action);
    if (call.path === "/health" || call.path === "/v1/health") return jsonReply({ status: "ok" });
    const job = COG.exec(call.path)?.[1];
    if (job === "health-check") return jsonReply({ status: "READY" });
    if (job !== undefined) return predictionReply(call, stage, { path: job, model: "cog", isCog: true });
    if (call.path === "/openapi.json") return jsonReply(COG_SCHEMA);
    if (/^(\/v1)?\/rerank$/.test(call.path)) return rerankReply(call, stage);
    if (/^(\/v1)?\/chat\/completions$/.test(call.path)) {
      const field = stage.answer.extra?.["reasoningField"] === "reasoning" ? "reasoning" : "reasoning_content";
      return chatReply(call, stage, { ...LOCAL_DIALECT, reasoningField: field });
    }
    return openAi.handle(call, stage);
  },
  // Neither Ollama nor most local servers know OpenAI's codes.
  failure: (ask) =>
    jsonReply(ask.kind === "ollama" ? { error: ask.message ?? "failed" } : failureBody(ask), ask.status),
  streamFailure(ask, format, call) {
    if (format === "ndjson") {
      return [{ kind: "terminal", data: JSON.stringify({ error: ask.message ?? "the model runner has stopped" }) }];
    }
    return COG.test(call.path) ? replicate.streamFailure(ask, format, call) : failureFrames(ask);
  },
  limitHeaders: () => ({}),
  commonHeaders: () => ({}),
};
