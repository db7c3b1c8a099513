import type { Call, FailureAsk, Reply, Stage, Vendor } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { numberOf, objectOf, textOf } from "../json.ts";
import { chatReply, OPENAI_DIALECT, type ChatDialect } from "../openai/chat.ts";
import { embeddingsReply } from "../openai/embeddings.ts";
import { bearerOf } from "../openai/vendor.ts";
import { TOGETHER_DIALECT } from "../together/vendor.ts";
import { routerModels, taskReply } from "./tasks.ts";

/** The router passes on the dialect of whoever serves the model: `model:provider` says who that is. */
const DIALECTS: Readonly<Record<string, ChatDialect>> = {
  together: TOGETHER_DIALECT,
  groq: { ...OPENAI_DIALECT, extras: { x_groq: { id: "req_groq" } }, obfuscates: false, reasoningField: "reasoning" },
  novita: {
    ...OPENAI_DIALECT,
    extras: {},
    obfuscates: false,
    systemFingerprint: "",
    reasoningField: "reasoning_content",
  },
};
const OTHER: ChatDialect = {
  ...OPENAI_DIALECT,
  extras: {},
  obfuscates: false,
  reasoningField: "reasoning_content",
  isPlain: true,
};

const LOADING_S = 20;

/** The same failure comes in many forms here: `kind` picks one (`string`, `array`, `object`, `message`, `text`). */
function failureReply(ask: FailureAsk): Reply & { readonly body: string | Uint8Array } {
  const text = ask.message ?? messageOf(ask);
  if (ask.kind === "loading" || (ask.status === 503 && ask.kind === undefined)) {
    return jsonReply({ error: "Model is currently loading", estimated_time: LOADING_S }, 503);
  }
  if (ask.kind === "text") return { status: ask.status, contentType: "text/plain; charset=utf-8", body: text };
  const bodies: Readonly<Record<string, object>> = {
    array: { error: [text] },
    object: { error: { message: text, type: "invalid_request_error" } },
    message: { message: text },
    detail: { detail: text },
  };
  return jsonReply(bodies[ask.kind ?? ""] ?? { error: text }, ask.status);
}

function messageOf(ask: FailureAsk): string {
  if (ask.status === 401) return "Invalid username or password.";
  if (ask.status === 402) return "You have exceeded your monthly included credits for Inference Providers.";
  if (ask.status === 429) return "Too many requests";
  return ask.status >= 500 ? "Internal server error" : "Bad request";
}

/** Dedicated endpoints: scaled to zero they answer 503, wake, and answer. */
function endpointReply(call: Call, stage: Stage, name: string): Reply {
  const key = `endpoint:${name}`;
  const wokenMs = stage.memory.get(key) as number | undefined;
  const bootMs = stage.answer.jobMs ?? 0;
  const body = objectOf(call.json);
  const scale = objectOf(objectOf(body["compute"])["scaling"]);
  if (call.method === "PUT" || call.method === "POST") {
    const replicas = numberOf(scale["minReplica"]) ?? 1;
    if (call.path.endsWith("/scale-to-zero") || replicas === 0) stage.memory.delete(key);
    else if (wokenMs === undefined) stage.memory.set(key, stage.nowMs);
  }
  const sinceMs = stage.memory.get(key) as number | undefined;
  const state = sinceMs === undefined ? "scaledToZero" : stage.nowMs - sinceMs < bootMs ? "initializing" : "running";
  const status = {
    state,
    message: "",
    readyReplica: state === "running" ? 1 : 0,
    targetReplica: state === "scaledToZero" ? 0 : 1,
  };
  return jsonReply({
    name,
    type: "protected",
    status: { ...status, url: `${call.origin}/endpoint/${name}` },
    compute: { scaling: scale },
  });
}

function dedicatedReply(call: Call, stage: Stage, name: string): Reply {
  const key = `endpoint:${name}`;
  const wokenMs = stage.memory.get(key) as number | undefined;
  const bootMs = stage.answer.jobMs ?? 0;
  if (wokenMs === undefined) stage.memory.set(key, stage.nowMs);
  if (wokenMs === undefined || stage.nowMs - wokenMs < bootMs) {
    throw new Refusal({ status: 503, kind: "string", message: "503 Service Unavailable: the endpoint is waking up" });
  }
  if (call.path.endsWith("/health")) return jsonReply({ status: "ok" });
  return call.path.endsWith("/v1/chat/completions") ? chatReply(call, stage, OTHER) : taskReply(call, stage, name);
}

export const huggingFace: Vendor = {
  name: "huggingface",
  basePath: "",
  keyOf: (headers) => bearerOf(headers),
  modelOf: (call) => {
    const named = /\/models\/(.+?)(?:\/pipeline\/[\w-]+)?$/.exec(call.path)?.[1];
    return named ?? textOf(objectOf(call.json)["model"]);
  },
  handle(call, stage) {
    if (/^(\/\w[\w-]*)?\/v1\/chat\/completions$/.test(call.path)) {
      const upstream = textOf(objectOf(call.json)["model"]).split(":")[1] ?? "";
      return chatReply(call, stage, DIALECTS[upstream] ?? OTHER);
    }
    if (call.path === "/v1/models") return jsonReply(routerModels(stage));
    if (call.path === "/v1/embeddings") return embeddingsReply(call, stage);
    if (call.path === "/api/whoami-v2") return jsonReply({ type: "user", name: "emulator" });
    const task = /^\/(?:hf-inference\/)?models\/(.+)$/.exec(call.path)?.[1];
    if (task !== undefined) return taskReply(call, stage, decodeURIComponent(task));
    const managed = /^\/v2\/endpoint\/[^/]+\/([^/]+)/.exec(call.path)?.[1];
    if (managed !== undefined) return endpointReply(call, stage, managed);
    const dedicated = /^\/endpoint\/([^/]+)/.exec(call.path)?.[1];
    if (dedicated !== undefined) return dedicatedReply(call, stage, dedicated);
    throw new Refusal({ status: 404, kind: "string", message: "Not Found" });
  },
  failure: (ask) => {
    const reply = failureReply(ask);
    return { status: reply.status, contentType: "contentType" in reply ? reply.contentType : "", body: reply.body };
  },
  streamFailure: (ask) => [
    {
      kind: "terminal",
      data: JSON.stringify({
        error: { message: ask.message ?? "upstream failed", type: "server_error", code: ask.status },
      }),
    },
  ],
  limitHeaders: (state) => ({
    ratelimit: `"api";r=${state.requestsRemaining};t=${Math.ceil(state.requestsResetMs / 1000)}`,
    "ratelimit-policy": `"fixed window";"api";q=${state.requestsLimit};w=300`,
  }),
  commonHeaders: (stage) => ({ "x-request-id": stage.nextId("Root=1-") }),
};
