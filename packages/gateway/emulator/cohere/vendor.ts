import { countTokens, vectorOf } from "../answer-script.ts";
import type { Call, FailureAsk, Reply, Stage, Vendor } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { listOf, numberOf, objectOf, textOf } from "../json.ts";
import { bearerOf } from "../openai/vendor.ts";
import { rankOf } from "../ranking.ts";
import { fieldOf } from "../request-reading.ts";
import { chatReply, invalid } from "./chat.ts";

const MESSAGES: Readonly<Record<number, string>> = {
  401: "invalid api token",
  429: "You are using a Trial key, which is limited to 20 API calls / minute.",
  498: "invalid api token",
  499: "request cancelled",
  500: "internal server error, this has been reported to our developers",
  503: "the service is temporarily unavailable",
};

const KINDS: Readonly<Record<string, string>> = {
  monthly: "You are using a Trial key, which is limited to 1000 API calls / month.",
};

function failureBody(ask: FailureAsk, id: string): object {
  const message = ask.message ?? KINDS[ask.kind ?? ""] ?? MESSAGES[ask.status] ?? "request failed";
  return { id, message };
}

const PURPOSES = new Set(["search_document", "search_query", "classification", "clustering", "image"]);

function embedReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  if (!PURPOSES.has(textOf(body["input_type"]))) throw invalid("invalid request: valid input_type must be provided");
  const inputs = listOf(body["inputs"]).map((input) => {
    const [content] = listOf(objectOf(input)["content"]).map(objectOf);
    return textOf(content?.["text"]);
  });
  const texts = body["texts"] === undefined ? inputs : listOf(body["texts"]).map(textOf);
  if (texts.length === 0) throw invalid("invalid request: texts must be provided");
  if (texts.length > 96) throw invalid("invalid request: at most 96 texts");
  const dimensions = numberOf(body["output_dimension"]) ?? stage.answer.dimensions ?? 1024;
  const vectors = texts.map((text) => vectorOf(text, dimensions));
  const types = listOf(body["embedding_types"]).map(textOf);
  const embeddings: Record<string, unknown> = {};
  for (const type of types.length === 0 ? ["float"] : types) {
    if (type === "float") embeddings[type] = vectors.map((vector) => [...vector]);
    else if (type === "base64")
      embeddings[type] = vectors.map((vector) => Buffer.from(vector.buffer).toString("base64"));
    else embeddings[type] = vectors.map((vector) => Array.from(vector, (value) => Math.round(value * 127)));
  }
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  const meta = { api_version: { version: "2" }, billed_units: { input_tokens: tokens } };
  return jsonReply({ id: stage.nextId("emb"), embeddings, texts, meta, response_type: "embeddings_by_type" });
}

function rerankReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const documents = listOf(body["documents"]).map((item) =>
    typeof item === "string" ? item : textOf(objectOf(item)["text"]),
  );
  if (documents.length === 0) throw invalid("invalid request: list of documents must not be empty");
  const results = rankOf(textOf(body["query"]), documents, numberOf(body["top_n"]));
  const meta = { api_version: { version: "2" }, billed_units: { search_units: 1 } };
  return jsonReply({ id: stage.nextId("rrk"), results, meta });
}

function transcriptionReply(call: Call, stage: Stage): Reply {
  if ((fieldOf(call.parts, "language") ?? "") === "") throw invalid("invalid request: language is required");
  if (!call.parts.some((part) => part.name === "file")) throw invalid("invalid request: file is required");
  return jsonReply({ text: stage.answer.text ?? "You said something." });
}

function modelsReply(stage: Stage): Reply {
  const names = stage.models.length === 0 ? ["command-a-03-2025", "embed-v4.0", "rerank-v3.5"] : stage.models;
  const models = names.map((name) => ({
    name,
    endpoints: name.startsWith("embed") ? ["embed"] : name.startsWith("rerank") ? ["rerank"] : ["chat"],
    finetuned: false,
    context_length: 256_000,
    features: name.startsWith("command") ? ["tools", "json_schema", "chat-completions"] : null,
    default_endpoints: [],
    is_deprecated: false,
  }));
  return jsonReply({ models, next_page_token: null });
}

const ROUTES: Readonly<Record<string, (call: Call, stage: Stage) => Reply>> = {
  "/v2/chat": chatReply,
  "/v2/embed": embedReply,
  "/v2/rerank": rerankReply,
  "/v2/audio/transcriptions": transcriptionReply,
  "/v1/models": (_call, stage) => modelsReply(stage),
  "/v1/check-api-key": () => jsonReply({ valid: true, organization_id: "org-emulator", owner_id: "owner-emulator" }),
};

export const cohere: Vendor = {
  name: "cohere",
  basePath: "",
  keyOf: (headers) => bearerOf(headers),
  modelOf: (call) => fieldOf(call.parts, "model") ?? textOf(objectOf(call.json)["model"]),
  handle(call, stage) {
    const route = ROUTES[call.path];
    if (route === undefined) throw new Refusal({ status: 404, message: "not found" });
    return route(call, stage);
  },
  failure: (ask, stage) => jsonReply(failureBody(ask, stage.nextId("err")), ask.status),
  streamFailure: (ask) => {
    const { message } = failureBody(ask, "") as { message: string };
    const delta = { finish_reason: ask.status === 504 ? "TIMEOUT" : "ERROR", error: message };
    return [{ kind: "terminal", event: "message-end", data: JSON.stringify({ type: "message-end", delta }) }];
  },
  limitHeaders: (state) => ({
    "x-trial-endpoint-call-limit": String(state.requestsLimit),
    "x-trial-endpoint-call-remaining": String(state.requestsRemaining),
    "x-endpoint-monthly-call-limit": "1000",
  }),
  commonHeaders: (stage) => ({ "x-debug-trace-id": stage.nextId("") }),
};
