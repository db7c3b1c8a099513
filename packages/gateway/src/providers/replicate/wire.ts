import type { ImageRequest, ImageResponse, JobRequest, LimitBucket, ModelInfo } from "@fovea/core";
import { dataUrl } from "../base64.ts";
import { EventDecoder } from "../event-decoder.ts";
import { durationMs } from "../failure.ts";
import type { HttpHeaders } from "../http-call.ts";
import { arrayOf, recordOf, stringOf } from "../json-body.ts";
import type { JobCodec, UnaryCodec } from "../operation-wire.ts";
import type { ChatCodec, EncodedCall, VendorWire } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { decodeChat, encodeChat, PredictionAnswer } from "./chat.ts";
import { classifyReplicate } from "./failures.ts";
import { InputWriter, type ModelCard } from "./model-card.ts";
import type { PredictionPlaces } from "./places.ts";
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

export function predictionChat(places: PredictionPlaces, card?: ModelCard): ChatCodec {
  return {
    encode: (request, isStreamed) => encodeChat(request, isStreamed, places, card),
    decoder: (context) => new EventDecoder(new PredictionAnswer(context)),
    decode: decodeChat,
  };
}

export function predictionWire(places: PredictionPlaces): VendorWire {
  return {
    chat: predictionChat(places),
    ...(places.modelList === undefined ? {} : { modelList: { path: places.modelList, decode: decodeModels } }),
    probe: { path: places.probe, warnings: [] },
    requestIdHeader: "x-request-id",
    classify: classifyReplicate,
    limits: readLimits,
  };
}

export function startCall(request: JobRequest, places: PredictionPlaces, card?: ModelCard): EncodedCall {
  const { path, version } = places.create(request.model, card);
  const body = {
    ...(version === undefined ? {} : { version }),
    input: request.input,
    ...(request.webhookUrl === undefined ? {} : { webhook: request.webhookUrl, webhook_events_filter: ["completed"] }),
  };
  return { path, body: JSON.stringify(body), warnings: [] };
}

export function predictionJobs(places: PredictionPlaces): JobCodec {
  return {
    start: (request) => startCall(request, places),
    get: (id) => ({ ...places.get(id), warnings: [] }),
    cancel: (id) => ({ ...places.cancel(id), warnings: [] }),
    decode: decodePrediction,
    fileHosts: /(?:^|\.)replicate\.(?:delivery|com|net)$/,
  };
}

const IMAGE_NAMES = {
  prompt: ["prompt", "text", "input"],
  count: ["num_outputs", "number_of_images", "num_images", "n", "batch_size"],
  format: ["output_format", "format"],
  quality: ["quality", "output_quality"],
  background: ["background"],
  source: ["image", "input_image", "image_prompt", "image_input", "images", "input_images"],
} as const;

/** What a model's card is needed for before the call. */
export function imageNeedsCard(request: ImageRequest): boolean {
  return [request.size, request.source, request.count, request.quality].some((field) => field !== undefined);
}

/** Image models answer within the minute that a call may wait; slower ones are jobs. */
export function predictionImage(places: PredictionPlaces, card?: ModelCard): UnaryCodec<ImageRequest, ImageResponse> {
  return {
    answers: "json",
    encode: (request) => {
      const writer = new InputWriter(card);
      writer.put("prompt", IMAGE_NAMES.prompt, request.prompt);
      writer.put("count", IMAGE_NAMES.count, request.count);
      writer.put("format", IMAGE_NAMES.format, formatFor(writer, request.format));
      addSize(writer, request.size);
      addSource(writer, request);
      if (card === undefined) {
        for (const field of ["quality", "background"] as const) {
          if (request[field] !== undefined) writer.refuse(field, "is not sent to this provider");
        }
      } else {
        writer.put("quality", IMAGE_NAMES.quality, request.quality);
        writer.put("background", IMAGE_NAMES.background, request.background);
      }
      const { path, version } = places.create(request.model, card);
      const body = { ...(version === undefined ? {} : { version }), input: writer.input };
      return { path, body: JSON.stringify(body), headers: { prefer: "wait=60" }, warnings: writer.warnings };
    },
    decode: (body, _request, { warnings }) => decodeImages(body, warnings),
  };
}

/** Models write jpg, and each lists which formats it takes. */
function formatFor(writer: InputWriter, format: ImageRequest["format"]): string | undefined {
  const name = writer.nameOf(IMAGE_NAMES.format);
  const choices = name === undefined ? [] : (writer.property(name)?.choices ?? []);
  return format === "jpeg" && !choices.includes("jpeg") ? "jpg" : format;
}

/** In pixels where the model counts them, else the nearest of the shapes it offers. */
function addSize(writer: InputWriter, size: string | undefined): void {
  if (size === undefined) return;
  const [width, height] = size.split("x").map(Number);
  const isSized = width !== undefined && height !== undefined && width > 0 && height > 0;
  if (!isSized) return writer.refuse("size", "is not a size this provider knows");
  if (writer.has("width") && writer.has("height")) {
    writer.input["width"] = width;
    writer.input["height"] = height;
    return;
  }
  const choices = writer.property("aspect_ratio")?.choices ?? [];
  const nearest = nearestShape(choices, width / height);
  if (nearest === undefined) writer.refuse("size", "this model has no such input");
  else writer.input["aspect_ratio"] = nearest;
}

function nearestShape(choices: readonly string[], wanted: number): string | undefined {
  let best: { readonly choice: string; readonly distance: number } | undefined;
  for (const choice of choices) {
    const [x = 0, y = 0] = choice.split(":").map(Number);
    if (!(x > 0 && y > 0)) continue;
    const distance = Math.abs(Math.log(x / y / wanted));
    if (best === undefined || distance < best.distance) best = { choice, distance };
  }
  return best?.choice;
}

function addSource(writer: InputWriter, request: ImageRequest): void {
  const sources = (request.source ?? []).flatMap(({ mime, data }) =>
    "ref" in data ? [] : ["url" in data ? data.url : dataUrl(mime, data.bytes)],
  );
  if (sources.length === 0) return;
  const name = writer.nameOf(IMAGE_NAMES.source);
  const takesSeveral = name !== undefined && writer.property(name)?.isList === true;
  writer.put("source", IMAGE_NAMES.source, takesSeveral ? sources : sources[0]);
  if (sources.length > 1 && !takesSeveral) writer.refuse("source[1]", "this model takes one image");
}

function decodeImages(body: unknown, warnings: ImageResponse["warnings"]): ImageResponse {
  const job = decodePrediction(body);
  if (job.state === "failed") throw new WireFault("provider_stream_error", job.error ?? "the prediction failed");
  if (job.state !== "succeeded")
    throw new WireFault("timeout_total", `the prediction is still ${job.state}: start it as a job`);
  const images = job.output.map(({ url, mime }) => ({ mime: mime ?? "image/png", data: { url } }));
  if (images.length === 0) throw new WireFault("protocol", "a prediction without images");
  return { images, warnings, ...(job.usage === undefined ? {} : { usage: job.usage }) };
}
