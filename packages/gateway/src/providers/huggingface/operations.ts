import type {
  DetectedObject,
  DetectionRequest,
  DetectionResponse,
  ImageRequest,
  ImageResponse,
  TimedText,
  TranscriptionRequest,
  TranscriptionResponse,
} from "@fovea/core";
import { fromBase64, toBase64 } from "../base64.ts";
import { boxOf, sizeForPixels } from "../chat-detection.ts";
import { arrayOf, numberOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { OperationWire, SpeakCodec, UnaryCodec } from "../operation-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { readMask } from "./png-mask.ts";
import type { TaskPath } from "./tasks.ts";

/**
 * Boxes come in pixels of the picture that was sent, or as a mask around which the box is drawn. With labels the zero-shot
 * task is asked instead; models that segment have labels of their own.
 */
function vision(taskPath: TaskPath): UnaryCodec<DetectionRequest, DetectionResponse> {
  return {
    answers: "json",
    encode: (request) => {
      sizeForPixels(request);
      const path = taskPath(request.model);
      if (request.labels === undefined || isSegmenting(request.model)) {
        return { path, body: request.image.bytes, headers: { "content-type": request.image.mime }, warnings: [] };
      }
      const body = { inputs: toBase64(request.image.bytes), parameters: { candidate_labels: request.labels } };
      return { path, body: JSON.stringify(body), warnings: [] };
    },
    decode: (body, request) => {
      if (!Array.isArray(body)) throw new WireFault("protocol", "an answer that is not a list of objects");
      const size = sizeForPixels(request);
      const objects = body.flatMap((row: unknown) => objectOf(recordOf(row), size));
      const wanted = request.labels;
      return { objects: wanted === undefined ? objects : objects.filter(({ label }) => wanted.includes(label)) };
    },
  };
}

/** Semantic, instance and panoptic segmentation answer alike. */
export function isSegmenting(model: string): boolean {
  return /mask2?former|segformer|oneformer|segment|\bsam\b|clipseg|panoptic/i.test(model);
}

function objectOf(row: JsonRecord | undefined, size: ReturnType<typeof sizeForPixels>): DetectedObject[] {
  const label = stringOf(row?.["label"]);
  if (label === undefined) return [];
  const mask = stringOf(row?.["mask"]);
  const box = recordOf(row?.["box"]);
  const [xmin, ymin, xmax, ymax] = ["xmin", "ymin", "xmax", "ymax"].map((name) => numberOf(box?.[name]));
  if (mask !== undefined) return maskedObject(label, numberOf(row?.["score"]) ?? 1, fromBase64(mask));
  if (xmin === undefined || ymin === undefined || xmax === undefined || ymax === undefined) return [];
  const score = numberOf(row?.["score"]) ?? 0;
  return [{ label, score, box: boxOf([xmin, ymin, xmax, ymax], size.widthPx, size.heightPx) }];
}

/** A mask without a white pixel shows nothing. */
function maskedObject(label: string, score: number, bytes: Uint8Array): DetectedObject[] {
  const { widthPx, heightPx, box } = readMask(bytes);
  if (box === undefined) return [];
  return [{ label, score, box: boxOf(box, widthPx, heightPx), mask: { mime: "image/png", bytes } }];
}

const transcribe = (taskPath: TaskPath): UnaryCodec<TranscriptionRequest, TranscriptionResponse> => ({
  answers: "json",
  encode: (request) => {
    const unsent = (["language", "prompt", "temperature", "translateToEnglish"] as const).filter(
      (name) => request[name] !== undefined,
    );
    const warnings = unsent.map((field) => ({ field, message: "is not sent to this provider" }));
    const path = taskPath(request.model);
    if (request.wantWords !== true && request.wantSegments !== true) {
      return { path, body: request.audio.bytes, headers: { "content-type": request.audio.mime }, warnings };
    }
    const parameters = { return_timestamps: request.wantWords === true ? "word" : true };
    return { path, body: JSON.stringify({ inputs: toBase64(request.audio.bytes), parameters }), warnings };
  },
  decode: (body, request, { warnings }) => {
    const answer = recordOf(body);
    const text = stringOf(answer?.["text"]);
    if (text === undefined) throw new WireFault("protocol", "a transcription without text");
    const times = arrayOf(answer?.["chunks"]).flatMap(timed);
    const name = request.wantWords === true ? "words" : "segments";
    return { text: text.trim(), warnings, ...(times.length === 0 ? {} : { [name]: times }) };
  },
});

function timed(row: unknown): TimedText[] {
  const piece = recordOf(row);
  const [start, end] = arrayOf(piece?.["timestamp"]).map(numberOf);
  const text = stringOf(piece?.["text"]);
  if (text === undefined || start === undefined) return [];
  return [{ text: text.trim(), startMs: Math.round(start * 1_000), endMs: Math.round((end ?? start) * 1_000) }];
}

const image = (taskPath: TaskPath): UnaryCodec<ImageRequest, ImageResponse> => ({
  answers: "bytes",
  encode: (request) => {
    const [width, height] = (request.size ?? "").split("x").map(Number);
    const isSized = width !== undefined && height !== undefined && width > 0 && height > 0;
    const unsent = (["count", "quality", "background", "format", "source"] as const).filter(
      (name) => request[name] !== undefined,
    );
    return {
      path: taskPath(request.model),
      body: JSON.stringify({ inputs: request.prompt, ...(isSized ? { parameters: { width, height } } : {}) }),
      headers: { accept: "image/png" },
      warnings: unsent.map((field) => ({ field, message: "is not sent to this provider" })),
    };
  },
  decode: (body, _request, { headers, warnings }) => {
    const mime = (headers["content-type"] ?? "").split(";")[0] ?? "";
    if (!(body instanceof Uint8Array) || !mime.startsWith("image/"))
      throw new WireFault("protocol", `an image of type ${mime}`);
    return { images: [{ mime, data: { bytes: body } }], warnings };
  },
});

/** The container of the sound is the model's own; the answer says which it is. */
const speak = (taskPath: TaskPath): SpeakCodec => ({
  encode: (request) => {
    const unsent = (["speed", "instructions", "language"] as const).filter((name) => request[name] !== undefined);
    const warnings = [...unsent, "voice" as const, "format" as const].map((field) => ({
      field,
      message: "is not sent to this provider: the model has its own",
    }));
    const body = JSON.stringify({ inputs: request.text });
    return { path: taskPath(request.model), body, headers: { accept: "audio/*" }, warnings };
  },
  mime: (_request, answered) => (answered?.startsWith("audio/") === true ? answered : "audio/flac"),
  sampleRateHz: () => undefined,
  hasOwnFormat: true,
});

export function huggingFaceOperations(taskPath: TaskPath): OperationWire {
  return {
    vision: vision(taskPath),
    transcribe: transcribe(taskPath),
    image: image(taskPath),
    speak: speak(taskPath),
  };
}
