import type { Call, FailureAsk, Reply, Stage, Vendor } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { fractionOf, isExpired, jobNamed, startJob, stateOf, type JobRecord } from "../job-book.ts";
import { listOf, objectOf, textOf, type Json } from "../json.ts";
import { glb, PNG_BASE64, spz } from "../media.ts";

const MODELS = new Set(["marble-1.1", "marble-1.1-plus", "marble-1.0", "marble-1.0-draft"]);
const DETAILS: Readonly<Record<number, string>> = {
  401: "Invalid API key",
  402: "Insufficient credits",
  429: "Rate limit exceeded",
  500: "Internal server error",
};

/** A list of places for what validation refuses, a sentence for everything else. */
function failureBody(ask: FailureAsk, requestId: string): Json {
  const text = ask.message ?? DETAILS[ask.status] ?? "Request failed";
  const detail = ask.status === 422 ? [{ loc: ["body", ask.param ?? ""], msg: text, type: "value_error" }] : text;
  return { detail, request_id: requestId };
}

function invalid(param: string, message: string): Refusal {
  return new Refusal({ status: 422, param, message });
}

function generate(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const prompt = objectOf(body["world_prompt"]);
  if (!["text", "image", "multi-image", "video"].includes(textOf(prompt["type"]))) {
    throw invalid("world_prompt", "Field required");
  }
  if (textOf(body["display_name"]).length > 64) throw invalid("display_name", "at most 64 characters");
  if (listOf(body["tags"]).length > 10) throw invalid("tags", "at most 10 items");
  const model = body["model"] === undefined ? "marble-1.1" : textOf(body["model"]);
  if (!MODELS.has(model)) throw invalid("model", "Input should be a known model");
  const job = startJob(stage, { id: stage.nextId("op_"), model, input: body });
  return jsonReply(operation(job, call, stage));
}

function operation(job: JobRecord, call: Call, stage: Stage): Json {
  const state = stateOf(job, stage.nowMs);
  const isDone = state === "succeeded" || state === "failed" || state === "canceled";
  const percent = Math.floor(fractionOf(job, stage.nowMs) * 100);
  return {
    operation_id: job.id,
    done: isDone,
    error:
      isDone && state !== "succeeded" ? { code: 3, message: "The prompt was rejected by the content policy" } : null,
    metadata: {
      world_id: `world_${job.id}`,
      progress: { status: isDone ? "DONE" : "IN_PROGRESS", description: `${percent}%` },
    },
    response: state === "succeeded" ? world(job, call) : null,
    cost: state === "succeeded" ? { total_credits: 1600, line_items: [{ name: job.model, credits: 1600 }] } : null,
    created_at: new Date(job.createdUnixMs).toISOString(),
    expires_at: new Date(job.createdUnixMs + job.durationMs + job.filesExpireMs).toISOString(),
  };
}

function world(job: JobRecord, call: Call): Json {
  const file = (name: string): string => `${call.origin}/files/${job.id}/${name}`;
  const levels = ["100k", "150k", "500k", "full_res"].map((level) => [level, file(`${level}.spz`)]);
  return {
    id: `world_${job.id}`,
    world_id: `world_${job.id}`,
    display_name: textOf(job.input["display_name"]),
    model: job.model,
    assets: {
      caption: "A small room with a red cup on a table.",
      thumbnail_url: file("thumbnail.png"),
      imagery: { pano_url: file("pano.png") },
      mesh: {
        collider_mesh_url: file("collider.glb"),
        full_res_mesh_url: file("full.glb"),
        hq_mesh_url: file("hq.glb"),
      },
      splats: {
        spz_urls: Object.fromEntries(levels) as Json,
        semantics_metadata: { metric_scale_factor: 1.25, ground_plane_offset: -1.6 },
      },
    },
  };
}

function fileReply(stage: Stage, id: string, name: string): Reply {
  const job = jobNamed(stage, id);
  if (job === undefined || isExpired(job, stage.nowMs))
    throw new Refusal({ status: 403, message: "Request has expired" });
  if (name.endsWith(".glb")) return { status: 200, contentType: "model/gltf-binary", body: glb() };
  if (name.endsWith(".spz")) return { status: 200, contentType: "application/octet-stream", body: spz() };
  return { status: 200, contentType: "image/png", body: Buffer.from(PNG_BASE64, "base64") };
}

const FILE = /^\/files\/([^/]+)\/([^/]+)$/;

export const worldLabs: Vendor = {
  name: "worldlabs",
  basePath: "",
  // Files are signed addresses: they need no key.
  keyOf: (headers) => headers["wlt-api-key"] ?? "",
  modelOf: (call) => textOf(objectOf(call.json)["model"]),
  handle(call, stage) {
    const path = call.path.replace(/^\/marble\/v1\//, "").replace("%3A", ":");
    if (path === "worlds:generate" && call.method === "POST") return generate(call, stage);
    const operationId = /^operations\/(.+)$/.exec(path)?.[1];
    const worldId = /^worlds\/world_(.+)$/.exec(path)?.[1];
    const job = jobNamed(stage, operationId ?? worldId ?? "");
    if (job !== undefined) return jsonReply(operationId === undefined ? world(job, call) : operation(job, call, stage));
    if (path === "worlds:list") return jsonReply({ worlds: [], next_cursor: null });
    throw new Refusal({ status: 404, message: "Not Found" });
  },
  open: (call, stage) => {
    const [, id, name] = FILE.exec(call.path) ?? [];
    return id === undefined || name === undefined ? undefined : fileReply(stage, id, name);
  },
  failure: (ask, stage) => jsonReply(failureBody(ask, stage.nextId("req_")), ask.status),
  streamFailure: () => [],
  limitHeaders: () => ({}),
  commonHeaders: (stage) => ({ "x-request-id": stage.nextId("req_") }),
};
