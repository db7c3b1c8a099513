import { createHmac } from "node:crypto";
import { pieces } from "../answer-script.ts";
import type { Call, Frame, Reply, Stage } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { fractionOf, isExpired, jobNamed, jobsOf, startJob, stateOf, type JobRecord } from "../job-book.ts";
import { objectOf, textOf, type Json } from "../json.ts";

const STATUS = {
  queued: "starting",
  running: "processing",
  succeeded: "succeeded",
  failed: "failed",
  canceled: "canceled",
} as const;

export interface PredictionPlace {
  /** Behind `/v1/`. */
  readonly path: string;
  readonly model: string;
  /** A container: it answers when it has finished unless asked not to wait, and keeps no list. */
  readonly isCog?: boolean;
}

/** Creates, reads, lists, streams and cancels. The same object serves self-hosted Cog containers. */
export function predictionReply(call: Call, stage: Stage, place: PredictionPlace): Reply {
  const [, id = "", action = ""] = /^predictions(?:\/([^/]+))?(?:\/(\w+))?$/.exec(place.path) ?? [];
  if (id === "" && call.method === "POST") return create(call, stage, place);
  if (id === "" && call.method === "GET") {
    const results = jobsOf(stage)
      .slice(0, 100)
      .map((job) => prediction(job, call, stage));
    return jsonReply({ previous: null, next: null, results });
  }
  if (call.method === "PUT" && jobNamed(stage, id) === undefined) return create(call, stage, place, id);
  const job = jobNamed(stage, id);
  if (job === undefined)
    throw new Refusal({ status: 404, kind: "not_found", message: "The requested resource could not be found." });
  if (action === "cancel") {
    const state = stateOf(job, stage.nowMs);
    if (state === "queued" || state === "running") job.canceledMs = stage.nowMs;
    return jsonReply(prediction(job, call, stage));
  }
  return jsonReply(prediction(job, call, stage));
}

function create(call: Call, stage: Stage, place: PredictionPlace, id = stage.nextId("prd")): Reply {
  const { model } = place;
  const body = objectOf(call.json);
  if (body["input"] === undefined)
    throw new Refusal({ status: 422, kind: "invalid", message: "- input: input is required" });
  const version = textOf(body["version"]);
  if (model === "" && version === "") {
    throw new Refusal({ status: 422, kind: "invalid", message: "- version: version is required" });
  }
  const job = startJob(stage, { id, model: model === "" ? version : model, input: objectOf(body["input"]) });
  if (place.isCog === true && call.headers["accept"]?.includes("text/event-stream") === true) {
    return predictionStream(job, stage);
  }
  const isAsync = call.headers["prefer"] === "respond-async";
  const waitS = place.isCog === true && !isAsync ? COG_WAIT_S : preferred(call.headers["prefer"]);
  const atMs = stage.nowMs + (waitS === undefined ? 0 : Math.min(job.durationMs, waitS * 1000));
  const state = stateOf(job, atMs);
  const isOver = state !== "queued" && state !== "running";
  const isLate = waitS === undefined ? isAsync : !isOver;
  const headers = waitS === undefined || place.isCog === true ? {} : { "preference-applied": `wait=${waitS}` };
  callBack(body, job, call, stage);
  const settled = prediction(job, call, { ...stage, nowMs: atMs });
  return {
    ...jsonReply(settled, isLate ? 202 : place.isCog === true ? 200 : 201, headers),
    delayMs: atMs - stage.nowMs,
  };
}

/** A container holds the connection as long as the model runs. */
const COG_WAIT_S = 6 * 3_600;

export const DEFAULT_SECRET = "whsec_ZW11bGF0b3Itc2VjcmV0";

/** The start and the end of a job, to whoever asked for them, signed. */
function callBack(body: Json, job: JobRecord, call: Call, stage: Stage): void {
  const url = textOf(body["webhook"]);
  if (url === "") return;
  const wanted = Array.isArray(body["webhook_events_filter"])
    ? (body["webhook_events_filter"] as unknown[])
    : ["start", "completed"];
  const moments = [
    ["start", job.durationMs / 10],
    ["completed", job.durationMs],
  ] as const;
  for (const [event, delayMs] of moments) {
    if (!wanted.includes(event)) continue;
    const id = stage.nextId("wh_");
    stage.post(delayMs, url, (nowMs) => {
      const text = JSON.stringify(prediction(job, call, { ...stage, nowMs }));
      return {
        body: text,
        headers: webhookHeaders(stage.secret ?? DEFAULT_SECRET, id, Math.floor(stage.unixMs / 1000), text),
      };
    });
  }
}

/** `wait` alone means 60 seconds. */
function preferred(header: string | undefined): number | undefined {
  const match = /^wait(?:=(\d+))?$/.exec(header ?? "");
  return match === null ? undefined : Number(match[1] ?? 60);
}

export function prediction(job: JobRecord, call: Call, stage: Stage): Json {
  const state = stateOf(job, stage.nowMs);
  const isOver = state === "succeeded" || state === "failed" || state === "canceled";
  const isGone = isOver && isExpired(job, stage.nowMs);
  const iso = (ms: number): string => new Date(ms).toISOString();
  const base = `${call.origin}${call.path.startsWith("/v1/") ? "/v1" : ""}/predictions/${job.id}`;
  const percent = Math.floor(fractionOf(job, stage.nowMs) * 100);
  const output = outputOf(job, state, call, stage);
  return {
    id: job.id,
    model: job.model,
    version: "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa",
    input: isGone ? {} : job.input,
    ...(isGone ? { output: null } : output === null ? {} : { output }),
    logs: isGone ? "" : `working: ${percent}%`,
    error: state === "failed" ? "CUDA out of memory" : null,
    status: STATUS[state],
    created_at: iso(job.createdUnixMs),
    // What has not happened yet is not mentioned.
    ...(state === "queued" ? {} : { started_at: iso(job.createdUnixMs + job.durationMs / 10) }),
    ...(isOver ? { completed_at: iso(job.createdUnixMs + job.durationMs) } : {}),
    data_removed: isGone,
    ...(isOver ? { metrics: { predict_time: Math.max(0.001, job.durationMs / 1000) } } : {}),
    urls: {
      get: base,
      cancel: `${base}/cancel`,
      ...(textOf(job.input["prompt"]) === "" ? {} : { stream: `${call.origin}/stream/${job.id}` }),
    },
  };
}

/** Files for models that make them, words for the rest; a running language model shows what it has so far. */
function outputOf(job: JobRecord, state: ReturnType<typeof stateOf>, call: Call, stage: Stage): unknown {
  if (state !== "succeeded" && state !== "running") return null;
  const file = (name: string): string => `${call.origin}/files/${job.id}/${name}`;
  if (state === "running") return isFileModel(job.model) ? null : wordsOf(job, stage).slice(0, 1);
  if (/trellis|3d|mesh/i.test(job.model)) {
    return { model_file: file("model.glb"), gaussian_ply: file("gaussian.ply"), color_video: file("color.mp4") };
  }
  if (/flux|image|sdxl/i.test(job.model)) return [file("out-0.png")];
  if (/whisper/i.test(job.model)) return { transcription: "You said something.", detected_language: "english" };
  return wordsOf(job, stage);
}

function isFileModel(model: string): boolean {
  return /trellis|3d|mesh|flux|image|sdxl|whisper/i.test(model);
}

function wordsOf(job: JobRecord, stage: Stage): readonly string[] {
  return pieces(stage.answer.text ?? `You said: ${textOf(job.input["prompt"])}`);
}

/** Served without a key: the address is the secret. */
export function predictionStream(job: JobRecord, stage: Stage): Reply {
  const words = stage.answer.tokens ?? wordsOf(job, stage);
  const frames: Frame[] = words.map((data, index) => ({ kind: "content", event: "output", id: String(index), data }));
  const reason =
    job.outcome === "succeeded" ? "{}" : JSON.stringify({ reason: job.outcome === "failed" ? "error" : "canceled" });
  if (job.outcome === "failed")
    frames.push({ kind: "lifecycle", event: "error", data: '{"detail":"CUDA out of memory"}' });
  frames.push({ kind: "terminal", event: "done", data: reason });
  return { status: 200, format: "sse", contentType: "text/event-stream", frames };
}

/** Headers of a signed callback: Standard Webhooks, as the vendor signs. `secret` is `whsec_` and base64. */
export function webhookHeaders(secret: string, id: string, timestampS: number, body: string): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestampS}.${body}`).digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampS),
    "webhook-signature": `v1,${signature}`,
    "content-type": "application/json",
  };
}
