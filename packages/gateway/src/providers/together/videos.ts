// Video jobs: POST and GET /v2/videos, beside the /v1 that everything else of Together lies below. A job that was started
// cannot be stopped. Source: Together API reference, together-ai SDK 0.52.
import type { Job, JobRequest } from "@fovea/core";
import { numberOf, recordOf, stringOf } from "../json-body.ts";
import type { JobCodec } from "../operation-wire.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";

const STATES: Readonly<Record<string, Job["state"] | undefined>> = {
  __proto__: null as never,
  queued: "queued",
  pending: "queued",
  in_progress: "running",
  completed: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
};

/** `baseUrl` ends in `/v1`, or names a server alone. */
export function togetherVideos(baseUrl: string): JobCodec {
  const url = new URL(baseUrl);
  const root = url.pathname.replace(/\/+$/, "").replace(/\/v\d+$/, "");
  const videos = (path: string): Pick<EncodedCall, "origin" | "path"> => ({
    origin: url.origin,
    path: `${root}/v2/videos${path}`,
  });
  return {
    start: (request) => ({ ...videos(""), body: JSON.stringify(startBody(request)), warnings: [] }),
    get: (id) => ({ ...videos(`/${encodeURIComponent(id)}`), warnings: [] }),
    cancel: () => undefined,
    decode: decodeVideo,
    fileHosts: /(?:^|\.)together\.(?:ai|xyz)$/,
  };
}

/** Fields of the vendor go through as they are; an `image` becomes the first frame. */
function startBody(request: JobRequest): Record<string, unknown> {
  const { image, ...input } = request.input;
  if (stringOf(input["prompt"]) === undefined && image === undefined) {
    throw new WireFault("invalid_request", "a video needs input.prompt or input.image");
  }
  return {
    ...input,
    ...(image === undefined ? {} : { frame_images: [{ input_image: image, frame: "first" }] }),
    model: request.model,
  };
}

function decodeVideo(body: unknown): Job {
  const video = recordOf(body);
  const id = stringOf(video?.["id"]);
  const state = STATES[stringOf(video?.["status"]) ?? ""];
  if (video === undefined || id === undefined || state === undefined) {
    throw new WireFault("protocol", "a video without an id or with an unknown status");
  }
  const outputs = recordOf(video["outputs"]);
  const url = stringOf(outputs?.["video_url"]);
  const dollars = numberOf(outputs?.["cost"]);
  const error = recordOf(video["error"]);
  return {
    id,
    state,
    output: url === undefined ? [] : [{ url, mime: "video/mp4", role: "video" }],
    ...(state === "succeeded" ? { fraction: 1 } : {}),
    ...(dollars === undefined ? {} : { cost: { microUsd: Math.round(dollars * 1e6), source: "provider" as const } }),
    ...(error === undefined ? {} : { error: stringOf(error["message"]) ?? "the video could not be made" }),
  };
}
