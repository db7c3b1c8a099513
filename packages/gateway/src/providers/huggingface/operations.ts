import type {
  DetectionRequest,
  DetectionResponse,
  ImageRequest,
  ImageResponse,
  TimedText,
  TranscriptionRequest,
  TranscriptionResponse,
} from "@fovea/core";
import { toBase64 } from "../base64.ts";
import { boxOf, sizeForPixels } from "../chat-detection.ts";
import { arrayOf, numberOf, recordOf, stringOf } from "../json-body.ts";
import type { OperationWire, UnaryCodec } from "../operation-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { taskPath } from "./tasks.ts";

/** Boxes come in pixels of the picture that was sent. With labels the zero-shot task is asked instead. */
const VISION: UnaryCodec<DetectionRequest, DetectionResponse> = {
  answers: "json",
  encode: (request) => {
    sizeForPixels(request);
    const path = taskPath(request.model);
    if (request.labels === undefined) {
      return { path, body: request.image.bytes, headers: { "content-type": request.image.mime }, warnings: [] };
    }
    const body = { inputs: toBase64(request.image.bytes), parameters: { candidate_labels: request.labels } };
    return { path, body: JSON.stringify(body), warnings: [] };
  },
  decode: (body, request) => {
    if (!Array.isArray(body)) throw new WireFault("protocol", "an answer that is not a list of objects");
    const { widthPx, heightPx } = sizeForPixels(request);
    const objects = body.flatMap((row: unknown) => {
      const object = recordOf(row);
      const box = recordOf(object?.["box"]);
      const label = stringOf(object?.["label"]);
      const [xmin, ymin, xmax, ymax] = ["xmin", "ymin", "xmax", "ymax"].map((name) => numberOf(box?.[name]));
      if (label === undefined || xmin === undefined || ymin === undefined || xmax === undefined || ymax === undefined)
        return [];
      const score = numberOf(object?.["score"]) ?? 0;
      return [{ label, score, box: boxOf([xmin, ymin, xmax, ymax], widthPx, heightPx) }];
    });
    return { objects };
  },
};

const TRANSCRIBE: UnaryCodec<TranscriptionRequest, TranscriptionResponse> = {
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
};

function timed(row: unknown): TimedText[] {
  const piece = recordOf(row);
  const [start, end] = arrayOf(piece?.["timestamp"]).map(numberOf);
  const text = stringOf(piece?.["text"]);
  if (text === undefined || start === undefined) return [];
  return [{ text: text.trim(), startMs: Math.round(start * 1_000), endMs: Math.round((end ?? start) * 1_000) }];
}

const IMAGE: UnaryCodec<ImageRequest, ImageResponse> = {
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
};

export const HUGGINGFACE_OPERATIONS: OperationWire = { vision: VISION, transcribe: TRANSCRIBE, image: IMAGE };
