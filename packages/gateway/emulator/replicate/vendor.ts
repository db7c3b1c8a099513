import type { Call, FailureAsk, Reply, Stage, Vendor } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { isExpired, jobNamed } from "../job-book.ts";
import { glb, PNG_BASE64 } from "../media.ts";
import { numberOf, objectOf, textOf, type Json } from "../json.ts";
import { bearerOf } from "../openai/vendor.ts";
import { predictionReply, predictionStream } from "./predictions.ts";

const TITLES: Readonly<Record<number, string>> = {
  401: "Unauthenticated",
  402: "Insufficient credit",
  404: "Not found",
  422: "Input validation failed",
  429: "",
};

const DETAILS: Readonly<Record<number, string>> = {
  401: "You did not pass a valid authentication token",
  402: "You have insufficient credit to run this model.",
  404: "The requested resource could not be found.",
};

/** A 429 has only a text, and no Retry-After: the seconds stand in the words. */
function failureBody(ask: FailureAsk): Json {
  if (ask.status === 429) {
    const seconds = ask.retryAfterS ?? 30;
    return { detail: ask.message ?? `Request was throttled. Your rate limit resets in ~${seconds}s.`, status: 429 };
  }
  const detail = ask.message ?? DETAILS[ask.status] ?? "Something went wrong.";
  if (ask.status === 422) {
    const field = ask.param ?? "input";
    const invalid_fields = [{ type: "required", field, description: detail.replace(/^- \w+: /, "") }];
    return { title: TITLES[422] ?? "", detail: `${detail}\n`, status: 422, invalid_fields };
  }
  return { title: TITLES[ask.status] ?? "Request failed", detail, status: ask.status };
}

const MODELS = ["meta/meta-llama-3-8b-instruct", "black-forest-labs/flux-schnell", "firtoz/trellis"];
const VERSION = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa";

function modelEntry(name: string, origin: string): Json {
  const [owner = "", model = ""] = name.split("/");
  const isMesh = /trellis|3d/.test(name);
  const properties = isMesh
    ? {
        images: { type: "array", items: { type: "string", format: "uri" }, title: "Images", "x-order": 0 },
        texture_size: { type: "integer", default: 1024, title: "Texture Size", "x-order": 1 },
        generate_model: { type: "boolean", default: false, title: "Generate Model", "x-order": 2 },
        save_gaussian_ply: { type: "boolean", default: false, title: "Save Gaussian Ply", "x-order": 3 },
        seed: { type: "integer", default: 0, title: "Seed", "x-order": 4 },
      }
    : {
        prompt: { type: "string", title: "Prompt", "x-order": 0 },
        max_tokens: { type: "integer", default: 512, title: "Max Tokens", "x-order": 1 },
        temperature: { type: "number", default: 0.7, title: "Temperature", "x-order": 2 },
        system_prompt: { type: "string", title: "System Prompt", "x-order": 3 },
      };
  const output = isMesh
    ? { type: "object", properties: { model_file: { type: "string", format: "uri" } } }
    : {
        type: "array",
        items: { type: "string" },
        "x-cog-array-type": "iterator",
        "x-cog-array-display": "concatenate",
      };
  const required = isMesh ? ["images"] : ["prompt"];
  const schemas = {
    Input: { type: "object", title: "Input", required, properties },
    Output: { title: "Output", ...output },
  };
  return {
    url: `${origin}/${name}`,
    owner,
    name: model,
    description: "",
    github_url: null,
    paper_url: null,
    license_url: null,
    cover_image_url: null,
    visibility: "public",
    run_count: 1,
    default_example: null,
    latest_version: {
      id: VERSION,
      created_at: "2026-01-01T00:00:00Z",
      cog_version: "0.16.8",
      openapi_schema: { openapi: "3.0.2", components: { schemas } },
    },
  };
}

function deploymentReply(call: Call, stage: Stage, name: string): Reply {
  const known = stage.memory.get(`deployment:${name}`) as Json | undefined;
  const before = known ?? { hardware: "gpu-a40-large", min_instances: 0, max_instances: 1 };
  let configuration = before;
  if (call.method === "PATCH") {
    const body = objectOf(call.json);
    configuration = { ...before, ...body };
    const min = numberOf(configuration["min_instances"]) ?? 0;
    const max = numberOf(configuration["max_instances"]) ?? 1;
    if (min < 0 || min > 5 || max < 0 || max > 20 || min > max) {
      throw new Refusal({ status: 400, message: "min_instances must be 0 to 5 and not above max_instances (0 to 20)" });
    }
    stage.memory.set(`deployment:${name}`, configuration);
  }
  const [owner = "", short = ""] = name.split("/");
  const release = { number: 1, model: "owner/model", version: VERSION, configuration };
  return jsonReply({ owner, name: short, current_release: release });
}

/** Files need the caller's key, and are gone after a while. */
function fileReply(stage: Stage, id: string, name: string): Reply {
  const job = jobNamed(stage, id);
  if (job === undefined || isExpired(job, stage.nowMs)) throw new Refusal({ status: 404 });
  if (name.endsWith(".glb")) return { status: 200, contentType: "model/gltf-binary", body: glb() };
  if (name.endsWith(".png")) return { status: 200, contentType: "image/png", body: Buffer.from(PNG_BASE64, "base64") };
  const ply = "ply\nformat ascii 1.0\nelement vertex 0\nend_header\n";
  return { status: 200, contentType: "application/octet-stream", body: ply };
}

export const replicate: Vendor = {
  name: "replicate",
  basePath: "/v1",
  keyOf: (headers) => bearerOf(headers) || (/^Token (.+)$/.exec(headers["authorization"] ?? "")?.[1] ?? ""),
  modelOf: (call) => {
    const named = /^\/v1\/(?:models|deployments)\/([^/]+\/[^/]+)\/predictions$/.exec(call.path)?.[1];
    return named ?? textOf(objectOf(call.json)["version"]);
  },
  open: (call, stage) => {
    const id = /^\/stream\/(\w+)$/.exec(call.path)?.[1];
    const job = id === undefined ? undefined : jobNamed(stage, id);
    return job === undefined ? undefined : predictionStream(job, stage);
  },
  handle(call, stage) {
    const file = /^\/files\/([^/]+)\/([^/]+)$/.exec(call.path);
    if (file !== null) return fileReply(stage, file[1] ?? "", file[2] ?? "");
    const path = call.path.replace(/^\/v1\//, "");
    if (path.startsWith("predictions")) return predictionReply(call, stage, { path, model: "" });
    const run = /^(?:models|deployments)\/([^/]+\/[^/]+)\/predictions$/.exec(path)?.[1];
    if (run !== undefined) return predictionReply(call, stage, { path: "predictions", model: run });
    return otherReply(call, stage, path);
  },
  failure: (ask) => ({
    status: ask.status,
    contentType: ask.status === 429 ? "application/json" : "application/problem+json",
    body: JSON.stringify(failureBody(ask)),
  }),
  streamFailure: (ask) => [
    { kind: "lifecycle", event: "error", data: JSON.stringify(failureBody(ask)) },
    { kind: "terminal", event: "done", data: '{"reason":"error"}' },
  ],
  limitHeaders: (state) => ({
    "ratelimit-remaining": String(state.requestsRemaining),
    "ratelimit-reset": String(Math.ceil(state.requestsResetMs / 1000)),
  }),
  commonHeaders: () => ({}),
};

function otherReply(call: Call, stage: Stage, path: string): Reply {
  const names = stage.models.length === 0 ? MODELS : stage.models;
  if (path === "models") {
    return jsonReply({ previous: null, next: null, results: names.map((name) => modelEntry(name, call.origin)) });
  }
  const model = /^models\/([^/]+\/[^/]+)$/.exec(path)?.[1];
  if (model !== undefined && names.includes(model)) return jsonReply(modelEntry(model, call.origin));
  const deployment = /^deployments\/([^/]+\/[^/]+)$/.exec(path)?.[1];
  if (deployment !== undefined) return deploymentReply(call, stage, deployment);
  if (path === "account") return jsonReply({ type: "organization", username: "emulator", name: "Emulator" });
  if (path === "hardware") return jsonReply([{ name: "Nvidia A40 (Large) GPU", sku: "gpu-a40-large" }]);
  if (path === "webhooks/default/secret") return jsonReply({ key: stage.secret ?? "whsec_ZW11bGF0b3Itc2VjcmV0" });
  throw new Refusal({ status: 404 });
}
