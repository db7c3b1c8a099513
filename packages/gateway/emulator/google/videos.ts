// Veo: an operation that runs and ends in a file, which is read with the key.
import type { Call, Reply, Stage } from "../exchange.ts";
import { jsonReply, Refusal } from "../exchange.ts";
import { isExpired, jobNamed, startJob, stateOf, type JobRecord } from "../job-book.ts";
import { listOf, objectOf, textOf, type Json } from "../json.ts";
import { mp4 } from "../media.ts";
import { invalid } from "./generate.ts";

export function startVideo(call: Call, stage: Stage, model: string): Reply {
  const [instance] = listOf(objectOf(call.json)["instances"]).map(objectOf);
  if (instance === undefined || (textOf(instance["prompt"]) === "" && instance["image"] === undefined)) {
    throw invalid("* instances[0].prompt: Required");
  }
  const job = startJob(stage, { id: stage.nextId("veo"), model, input: instance });
  return jsonReply({ name: nameOf(job) });
}

function nameOf(job: JobRecord): string {
  return `models/${job.model}/operations/${job.id}`;
}

/** `GET /v1beta/models/{m}/operations/{id}`, and the file it ends in; undefined for every other path. */
export function videoReply(call: Call, stage: Stage): Reply | undefined {
  const operation = /^\/v1(?:beta|alpha)?\/models\/[^/]+\/operations\/(\w+)$/.exec(call.path)?.[1];
  const file = /^\/v1(?:beta|alpha)?\/files\/(\w+)(?::|%3A)download$/.exec(call.path)?.[1];
  const id = operation ?? file;
  if (id === undefined || call.method !== "GET") return undefined;
  const job = jobNamed(stage, id);
  if (job === undefined) throw new Refusal({ status: 404, message: "Operation not found." });
  if (file === undefined) return jsonReply(operationOf(job, call, stage));
  if (isExpired(job, stage.nowMs)) throw new Refusal({ status: 404, message: "File not found." });
  return { status: 200, contentType: "video/mp4", body: mp4() };
}

function operationOf(job: JobRecord, call: Call, stage: Stage): Json {
  const state = stateOf(job, stage.nowMs);
  const name = nameOf(job);
  if (state === "queued" || state === "running") return { name };
  if (state !== "succeeded") {
    return { name, done: true, error: { code: 3, message: "The prompt was blocked.", status: "INVALID_ARGUMENT" } };
  }
  const uri = `${call.origin}/v1beta/files/${job.id}:download?alt=media`;
  const type = "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse";
  return {
    name,
    done: true,
    response: { "@type": type, generateVideoResponse: { generatedSamples: [{ video: { uri } }] } },
  };
}
