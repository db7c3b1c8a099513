// Veo: a long-running operation that ends in addresses of videos, which need the key to be read and are kept two days.
// Source: Gemini API, video generation; @google/genai 3.1.
import type { Job, JobRequest } from "@fovea/core";
import { toBase64 } from "../base64.ts";
import { arrayOf, countOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { JobCodec } from "../operation-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { modelPath } from "./models.ts";

/** What an instance holds; everything else of the input is a parameter. */
const INSTANCE = new Set(["prompt", "image", "video", "lastFrame", "referenceImages"]);

export const VEO_JOBS: JobCodec = {
  start: (request) => ({
    path: `${modelPath(request.model)}:predictLongRunning`,
    body: JSON.stringify(startBody(request)),
    warnings: [],
  }),
  get: (id) => {
    // The name is a path, and nothing but one: it comes back from a client.
    if (!/^[\w./-]{1,400}$/.test(id) || id.includes(".."))
      throw new WireFault("not_found", "there is no such operation");
    return { path: `/${id}`, warnings: [] };
  },
  // A running operation of Veo cannot be stopped.
  cancel: () => undefined,
  decode: decodeOperation,
  fileHosts: /(?:^|\.)googleapis\.com$/,
};

function startBody(request: JobRequest): object {
  const instance: Record<string, unknown> = {};
  const parameters: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(request.input)) {
    if (name === "image") instance["image"] = imageOf(value);
    else if (INSTANCE.has(name)) instance[name] = value;
    else parameters[name] = value;
  }
  if (instance["prompt"] === undefined && instance["image"] === undefined) {
    throw new WireFault("invalid_request", "a video needs input.prompt or input.image");
  }
  return { instances: [instance], ...(Object.keys(parameters).length === 0 ? {} : { parameters }) };
}

/** A data URL, bytes, or the vendor's own form. */
function imageOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytesBase64Encoded: toBase64(value), mimeType: "image/png" };
  const inline = /^data:([^;,]+);base64,(.*)$/s.exec(stringOf(value) ?? "");
  if (inline !== null) return { bytesBase64Encoded: inline[2], mimeType: inline[1] };
  const uri = stringOf(value);
  return uri === undefined ? value : { gcsUri: uri };
}

function decodeOperation(body: unknown): Job {
  const operation = recordOf(body);
  const id = stringOf(operation?.["name"]);
  if (operation === undefined || id === undefined) throw new WireFault("protocol", "an operation without a name");
  if (operation["done"] !== true) return { id, state: "running", output: [] };
  const error = recordOf(operation["error"]);
  const answer =
    recordOf(recordOf(operation["response"])?.["generateVideoResponse"]) ?? recordOf(operation["response"]);
  const videos = arrayOf(answer?.["generatedSamples"] ?? answer?.["generatedVideos"] ?? answer?.["videos"]);
  const output = videos.flatMap((sample) => outputOf(recordOf(recordOf(sample)?.["video"]) ?? recordOf(sample)));
  const filtered = countOf(answer?.["raiMediaFilteredCount"]) ?? 0;
  const reason = stringOf(arrayOf(answer?.["raiMediaFilteredReasons"])[0]);
  if (error !== undefined || output.length === 0) {
    const message = stringOf(error?.["message"]) ?? reason ?? (filtered > 0 ? "every video was filtered" : "no video");
    return { id, state: "failed", output: [], error: message };
  }
  return { id, state: "succeeded", fraction: 1, output };
}

function outputOf(video: JsonRecord | undefined): Job["output"] {
  const mime = stringOf(video?.["mimeType"]) ?? "video/mp4";
  const url = stringOf(video?.["uri"]) ?? stringOf(video?.["gcsUri"]);
  const bytes =
    stringOf(video?.["encodedVideo"]) ?? stringOf(video?.["videoBytes"]) ?? stringOf(video?.["bytesBase64Encoded"]);
  if (url !== undefined) return [{ url, mime, role: "video" }];
  return bytes === undefined ? [] : [{ url: `data:${mime};base64,${bytes}`, mime, role: "video" }];
}
