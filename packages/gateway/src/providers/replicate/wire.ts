import type { ImageRequest, ImageResponse, JobRequest, LimitBucket, ModelInfo } from "@fovea/core";
import { dataUrl } from "../base64.ts";
import { EventDecoder } from "../event-decoder.ts";
import { durationMs } from "../failure.ts";
import type { HttpHeaders } from "../http-call.ts";
import { arrayOf, recordOf, stringOf } from "../json-body.ts";
import type { JobCodec, OperationWire, UnaryCodec } from "../operation-wire.ts";
import type { EncodedCall, VendorWire } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { decodeChat, encodeChat, predictionPath, PredictionAnswer } from "./chat.ts";
import { classifyReplicate } from "./failures.ts";
import { decodePrediction } from "./prediction.ts";

function decodeModels(body: unknown): readonly ModelInfo[] {
  return arrayOf(recordOf(body)?.["results"]).flatMap((row) => {
    const model = recordOf(row);
    const owner = stringOf(model?.["owner"]);
    const name = stringOf(model?.["name"]);
    return owner === undefined || name === undefined ? [] : [{ id: `${owner}/${name}`, features: ["job"] as const }];
  });
}

/** No limit is told, only what is left of it. */
function readLimits(headers: HttpHeaders): readonly LimitBucket[] {
  const remaining = Number.parseInt(headers["ratelimit-remaining"] ?? "", 10);
  if (!Number.isFinite(remaining)) return [];
  const reset = durationMs(`${headers["ratelimit-reset"] ?? ""}s`);
  return [{ name: "requests", remaining, ...(reset === undefined ? {} : { resetMs: reset }) }];
}

export const REPLICATE_WIRE: VendorWire = {
  chat: {
    encode: encodeChat,
    decoder: (context) => new EventDecoder(new PredictionAnswer(context)),
    decode: decodeChat,
  },
  modelList: { path: "/v1/models", decode: decodeModels },
  probe: { path: "/v1/account", warnings: [] },
  requestIdHeader: "x-request-id",
  classify: classifyReplicate,
  limits: readLimits,
};

function startCall(request: JobRequest): EncodedCall {
  const { path, version } = predictionPath(request.model);
  const body = {
    ...(version === undefined ? {} : { version }),
    input: request.input,
    ...(request.webhookUrl === undefined ? {} : { webhook: request.webhookUrl, webhook_events_filter: ["completed"] }),
  };
  return { path, body: JSON.stringify(body), warnings: [] };
}

export const PREDICTION_JOBS: JobCodec = {
  start: startCall,
  get: (id) => ({ path: `/v1/predictions/${encodeURIComponent(id)}`, warnings: [] }),
  cancel: (id) => ({ method: "POST", path: `/v1/predictions/${encodeURIComponent(id)}/cancel`, warnings: [] }),
  decode: decodePrediction,
};

/** Image models answer within the minute that a call may wait; slower ones are jobs. */
const IMAGE: UnaryCodec<ImageRequest, ImageResponse> = {
  answers: "json",
  encode: (request) => {
    const { path, version } = predictionPath(request.model);
    const [width, height] = (request.size ?? "").split("x").map(Number);
    const isSized = width !== undefined && height !== undefined && width > 0 && height > 0;
    const source = request.source?.[0];
    const input = {
      prompt: request.prompt,
      ...(request.count === undefined ? {} : { num_outputs: request.count }),
      ...(isSized ? { width, height } : {}),
      ...(request.format === undefined ? {} : { output_format: request.format === "jpeg" ? "jpg" : request.format }),
      ...(source === undefined || "ref" in source.data
        ? {}
        : { image: "url" in source.data ? source.data.url : dataUrl(source.mime, source.data.bytes) }),
    };
    const unsent = (["quality", "background"] as const).filter((name) => request[name] !== undefined);
    return {
      path,
      body: JSON.stringify({ ...(version === undefined ? {} : { version }), input }),
      headers: { prefer: "wait=60" },
      warnings: unsent.map((field) => ({ field, message: "is not sent to this provider" })),
    };
  },
  decode: (body, _request, { warnings }) => {
    const job = decodePrediction(body);
    if (job.state === "failed") throw new WireFault("provider_stream_error", job.error ?? "the prediction failed");
    if (job.state !== "succeeded")
      throw new WireFault("timeout_total", `the prediction is still ${job.state}: start it as a job`);
    const images = job.output.map(({ url, mime }) => ({ mime: mime ?? "image/png", data: { url } }));
    if (images.length === 0) throw new WireFault("protocol", "a prediction without images");
    return { images, warnings, ...(job.usage === undefined ? {} : { usage: job.usage }) };
  },
};

export const REPLICATE_OPERATIONS: OperationWire = { job: PREDICTION_JOBS, image: IMAGE };
