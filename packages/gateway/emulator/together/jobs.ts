import type { Call, Reply, Stage } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { jobNamed, startJob, stateOf, type JobRecord } from "../job-book.ts";
import { objectOf, textOf } from "../json.ts";

const VIDEO_STATUS = {
  queued: "in_progress",
  running: "in_progress",
  succeeded: "completed",
  failed: "failed",
  canceled: "failed",
} as const;

function found(stage: Stage, id: string): JobRecord {
  const job = jobNamed(stage, id);
  if (job === undefined) throw new Refusal({ status: 404, message: `job ${id} not found` });
  return job;
}

export function videoReply(call: Call, stage: Stage, id: string): Reply {
  const body = objectOf(call.json);
  const model = textOf(body["model"]);
  const job =
    call.method === "POST" ? startJob(stage, { id: stage.nextId("vid"), model, input: body }) : found(stage, id);
  const status = VIDEO_STATUS[stateOf(job, stage.nowMs)];
  const outputs = status === "completed" ? { cost: 0.14, video_url: `${call.origin}/files/${job.id}.mp4` } : null;
  const error = status === "failed" ? { code: "generation_failed", message: "the video could not be made" } : null;
  const createdS = Math.floor(job.createdUnixMs / 1000);
  return jsonReply({ id: job.id, object: "video", model: job.model, status, created_at: createdS, outputs, error });
}

const QUEUE_STATUS = {
  queued: "pending",
  running: "running",
  succeeded: "done",
  failed: "failed",
  canceled: "canceled",
} as const;

/** Only a job that still waits can be cancelled; for any other the state comes back with 409. */
export function queueReply(call: Call, stage: Stage, action: string): Reply {
  const body = objectOf(call.json);
  if (action === "submit") {
    const job = startJob(stage, { id: stage.nextId("req"), model: textOf(body["model"]), input: body });
    return jsonReply({ request_id: job.id, status: QUEUE_STATUS[stateOf(job, stage.nowMs)] });
  }
  const job = found(stage, textOf(body["request_id"]) || (call.query.get("request_id") ?? ""));
  const state = stateOf(job, stage.nowMs);
  if (action === "cancel") {
    if (state !== "queued") return jsonReply({ request_id: job.id, status: QUEUE_STATUS[state] }, 409);
    job.canceledMs = stage.nowMs;
    return jsonReply({ request_id: job.id, status: "canceled" });
  }
  if (action !== "status") throw new Refusal({ status: 404, message: "Unknown endpoint" });
  const outputs = state === "succeeded" ? { url: `${call.origin}/files/${job.id}.bin` } : null;
  return jsonReply({ request_id: job.id, model: job.model, status: QUEUE_STATUS[state], outputs });
}
