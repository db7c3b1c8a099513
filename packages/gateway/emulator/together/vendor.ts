import type { Call, FailureAsk, Reply, Stage, Vendor } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { numberOf, objectOf, textOf, listOf } from "../json.ts";
import { inPieces, mp4, PNG_BASE64, soundOf, tone } from "../media.ts";
import { transcriptionReply } from "../openai/audio.ts";
import { chatReply, OPENAI_DIALECT, type ChatDialect } from "../openai/chat.ts";
import { embeddingsReply } from "../openai/embeddings.ts";
import { invalid } from "../openai/prompt.ts";
import { bearerOf } from "../openai/vendor.ts";
import { rankOf } from "../ranking.ts";
import { fieldOf } from "../request-reading.ts";
import { queueReply, videoReply } from "./jobs.ts";

/** As recorded: the text twice, a token id in every delta, `eos`, and usage in the last chunk unasked. */
export const TOGETHER_DIALECT: ChatDialect = {
  ...OPENAI_DIALECT,
  idPrefix: "o",
  extras: {},
  wholeExtras: { prompt: [] },
  choiceExtras: (text) => ({ text, seed: null }),
  deltaExtras: (text) => ({ token_id: text.length, role: "assistant", tool_calls: null }),
  isPlain: true,
  usageInLast: true,
  stop: "eos",
  obfuscates: false,
  systemFingerprint: undefined,
  reasoningField: "reasoning",
  usageAlways: true,
};

const MESSAGES: Readonly<Record<number, string>> = {
  401: "Invalid API key provided.",
  404: "Unable to access model. Please visit https://api.together.ai/models.",
  429: "You have reached the rate limit specific to this model. Please slow down.",
  503: "The server is overloaded or not ready yet.",
  504: "The request timed out.",
  524: "A timeout occurred.",
};

const TYPES: Readonly<Record<number, string>> = {
  401: "invalid_request_error",
  402: "credit_limit",
  429: "model_rate_limit",
  503: "service_unavailable",
};

function failureBody(ask: FailureAsk, id: string): object {
  const message = ask.message ?? MESSAGES[ask.status] ?? "Request failed.";
  const type = ask.kind ?? TYPES[ask.status] ?? (ask.status >= 500 ? "server_error" : "invalid_request_error");
  const code = ask.status === 401 ? "invalid_api_key" : null;
  // A refused request names what is wrong with it, were it only the model.
  const param = ask.param ?? (ask.status === 400 ? "model" : null);
  return { id, error: { message, type, param, code } };
}

function speechReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const text = textOf(body["input"]);
  if (text === "") throw invalid("input is required", "input");
  if (textOf(body["voice"]) === "") throw invalid("voice is required", "voice");
  const format = body["response_format"] === undefined ? "wav" : textOf(body["response_format"]);
  const durationMs = stage.answer.audioMs ?? 400;
  if (body["stream"] !== true) {
    const { mime, bytes } = soundOf(format, durationMs);
    return { status: 200, contentType: mime, pieces: inPieces(bytes) };
  }
  if (format !== "raw") throw invalid("streaming is only supported with response_format raw", "response_format");
  const frames = inPieces(tone(durationMs)).map((piece) => ({
    kind: "content" as const,
    data: JSON.stringify({
      object: "audio.tts.chunk",
      model: body["model"],
      b64: Buffer.from(piece).toString("base64"),
    }),
  }));
  const done = { kind: "terminal" as const, data: "[DONE]" };
  return { status: 200, format: "sse", contentType: "text/event-stream", frames: [...frames, done] };
}

function rerankReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const documents = listOf(body["documents"]).map((item) => (typeof item === "string" ? item : JSON.stringify(item)));
  if (documents.length === 0) throw invalid("documents is required", "documents");
  const results = rankOf(textOf(body["query"]), documents, numberOf(body["top_n"]));
  const usage = { prompt_tokens: documents.length * 10, completion_tokens: 0, total_tokens: documents.length * 10 };
  return jsonReply({ id: stage.nextId("o"), object: "rerank", model: body["model"], results, usage });
}

function imagesReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  if (textOf(body["prompt"]) === "") throw invalid("prompt is required", "prompt");
  const wantsBytes = body["response_format"] === "base64" || body["response_format"] === "b64_json";
  const count = numberOf(body["n"]) ?? 1;
  const data = Array.from({ length: count }, (_, index) => ({
    index,
    timings: { inference: 0.4 },
    ...(wantsBytes ? { b64_json: PNG_BASE64 } : { url: `${call.origin}/files/${stage.nextId("img")}.png` }),
  }));
  return jsonReply({ id: stage.nextId("o"), model: body["model"], object: "list", data });
}

const MODELS: readonly (readonly [string, string])[] = [
  ["meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "chat"],
  ["openai/gpt-oss-20b", "chat"],
  ["intfloat/multilingual-e5-large-instruct", "embedding"],
  ["mixedbread-ai/Mxbai-Rerank-Large-V2", "rerank"],
  ["black-forest-labs/FLUX.2-dev", "image"],
];

/** A bare array, unlike everyone else's. */
function modelsReply(stage: Stage): Reply {
  const listed = stage.models.length === 0 ? MODELS : stage.models.map((id) => [id, "chat"] as const);
  return jsonReply(
    listed.map(([id, type]) => ({
      id,
      object: "model",
      created: 1_735_689_600,
      type,
      running: false,
      display_name: id,
      organization: id.split("/")[0],
      context_length: 131_072,
      pricing: { hourly: 0, input: 0.2, output: 0.6, base: 0, finetune: 0 },
    })),
  );
}

const ROUTES: Readonly<Record<string, (call: Call, stage: Stage) => Reply>> = {
  "/chat/completions": (call, stage) => chatReply(call, stage, TOGETHER_DIALECT),
  "/embeddings": embeddingsReply,
  "/rerank": rerankReply,
  "/images/generations": imagesReply,
  "/audio/speech": speechReply,
  "/audio/transcriptions": transcriptionReply,
  "/models": (_call, stage) => modelsReply(stage),
};

export const together: Vendor = {
  name: "together",
  basePath: "/v1",
  keyOf: (headers) => bearerOf(headers),
  modelOf: (call) => fieldOf(call.parts, "model") ?? textOf(objectOf(call.json)["model"]),
  handle(call, stage) {
    const path = call.path.replace(/^\/v[12](?=\/)/, "");
    const route = ROUTES[path];
    if (route !== undefined) return route(call, stage);
    const file = /^\/files\/(\w+)\.png$/.exec(path);
    if (file !== null) return { status: 200, contentType: "image/png", body: Buffer.from(PNG_BASE64, "base64") };
    if (/^\/files\/\w+\.mp4$/.test(path)) return { status: 200, contentType: "video/mp4", body: mp4() };
    if (path === "/videos" || path.startsWith("/videos/")) return videoReply(call, stage, path.slice(8));
    if (path.startsWith("/queue/")) return queueReply(call, stage, path.slice(7));
    throw new Refusal({ status: 404, message: `Unknown endpoint: ${call.method} ${call.path}` });
  },
  failure: (ask, stage) => jsonReply(failureBody(ask, stage.nextId("o")), ask.status),
  streamFailure: (ask) => [{ kind: "terminal", data: JSON.stringify(failureBody(ask, "o0")) }],
  limitHeaders: (state) => ({
    "x-ratelimit-limit": String(state.requestsLimit),
    "x-ratelimit-remaining": String(state.requestsRemaining),
    "x-ratelimit-reset": String(Math.ceil(state.requestsResetMs / 1000)),
    "x-ratelimit-limit-tokens": String(state.tokensLimit),
    "x-ratelimit-remaining-tokens": String(state.tokensRemaining),
  }),
  commonHeaders: (stage) => ({ "x-request-id": stage.nextId("o") }),
};
