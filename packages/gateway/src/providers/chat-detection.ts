import type { ChatRequest, DetectedObject, DetectionRequest, DetectionResponse, JsonSchema } from "@fovea/core";
import { imageSizeOf } from "./image-size.ts";
import { arrayOf, numberOf, parseJson, recordOf, stringOf } from "./json-body.ts";
import type { UnaryCodec } from "./operation-wire.ts";
import type { AnswerContext, ChatCodec } from "./vendor-wire.ts";
import { WireFault } from "./wire-fault.ts";

/** Gemini was trained on boxes of this order and scale; the other vision models follow it when told. */
const SCALE = 1_000;

const SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    objects: {
      type: "array",
      items: {
        type: "object",
        properties: {
          label: { type: "string" },
          confidence: { type: "number" },
          box_2d: { type: "array", items: { type: "number" } },
          text: { type: "string" },
        },
        required: ["label", "confidence", "box_2d", "text"],
        additionalProperties: false,
      },
    },
  },
  required: ["objects"],
  additionalProperties: false,
};

/** Object detection by a model that sees and answers in a schema. */
export function chatDetection(codec: ChatCodec): UnaryCodec<DetectionRequest, DetectionResponse> {
  return {
    answers: "json",
    encode: (request) => codec.encode(chatRequest(request), false),
    decode: (body, request) => {
      const context: AnswerContext = { providerId: "", request: chatRequest(request), warnings: [] };
      const parts = codec.decode(body, context);
      const usage = parts.find((part) => part.type === "usage");
      const text = parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("");
      return { objects: objectsIn(text, request), ...(usage?.type === "usage" ? { usage: usage.usage } : {}) };
    },
  };
}

function chatRequest(request: DetectionRequest): ChatRequest {
  const what = request.labels === undefined ? "every distinct object" : `only these: ${request.labels.join(", ")}`;
  const text = `Find ${what}. For each give label, confidence from 0 to 1, box_2d as [ymin, xmin, ymax, xmax] normalised to 0-${SCALE}, and text: what is written on it, word for word, or nothing.`;
  return {
    model: request.model,
    messages: [
      {
        role: "user",
        content: [
          { type: "media", kind: "image", mime: request.image.mime, data: { bytes: request.image.bytes } },
          { type: "text", text },
        ],
      },
    ],
    output: { kind: "schema", name: "objects", schema: SCHEMA, strict: true },
    sampling: { temperature: 0 },
  };
}

function objectsIn(text: string, request: DetectionRequest): DetectedObject[] {
  const fenced = /```(?:json)?\s*([\s\S]*?)```/.exec(text)?.[1] ?? text;
  const answer = parseJson(fenced.trim());
  const rows = Array.isArray(answer) ? answer : arrayOf(recordOf(answer)?.["objects"]);
  return rows.flatMap((row) => {
    const object = recordOf(row);
    const label = stringOf(object?.["label"]);
    const [ymin, xmin, ymax, xmax] = arrayOf(object?.["box_2d"]).map(numberOf);
    if (label === undefined || ymin === undefined || xmin === undefined || ymax === undefined || xmax === undefined)
      return [];
    const asked = askedLabel(label, request.labels);
    if (asked === undefined) return [];
    const score = numberOf(object?.["confidence"]) ?? 1;
    const text = stringOf(object?.["text"]);
    return [{ label: asked, score, box: boxOf([xmin, ymin, xmax, ymax], SCALE, SCALE), ...(text ? { text } : {}) }];
  });
}

/** As asked for: a model that was asked for a mug may find a "Coffee mug". Undefined for what nobody asked for. */
function askedLabel(label: string, labels: readonly string[] | undefined): string | undefined {
  if (labels === undefined || labels.includes(label)) return label;
  const words = plainWords(label);
  return labels.find((asked) => {
    const wanted = plainWords(asked);
    return wanted === words || ` ${words} `.includes(` ${wanted} `) || ` ${wanted} `.includes(` ${words} `);
  });
}

function plainWords(label: string): string {
  return label
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim()
    .replace(/s$/, "");
}

/** Corners in any order and slightly outside the picture, as models give them, to a box inside it. */
export function boxOf(
  corners: readonly [number, number, number, number],
  width: number,
  height: number,
): DetectedObject["box"] {
  const inside = (value: number, size: number): number => Math.min(1, Math.max(0, value / size));
  const [xa, ya, xb, yb] = corners;
  return {
    x0: inside(Math.min(xa, xb), width),
    y0: inside(Math.min(ya, yb), height),
    x1: inside(Math.max(xa, xb), width),
    y1: inside(Math.max(ya, yb), height),
  };
}

/** Vendors that answer in pixels need the picture's size; a picture without one is refused before it is sent. */
export function sizeForPixels(request: DetectionRequest): { widthPx: number; heightPx: number } {
  const size = imageSizeOf(request.image.bytes);
  if (size === undefined) throw new WireFault("invalid_request", "the image is not a PNG, JPEG, GIF or WebP");
  return size;
}
