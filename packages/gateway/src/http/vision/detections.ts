// `POST /v1/vision/detections`: objects of a picture with boxes as shares of it, from any vendor that can see. No vendor's
// client has such an endpoint; the shape is Fovea's own, the errors are OpenAI's.
import type { DetectionRequest, DetectionResponse, Warning } from "@fovea/core";
import type { FastifyInstance } from "fastify";
import { BODY_BYTES_MAX, type DoorParts } from "../door-parts.ts";
import { openDoor } from "../door-scope.ts";
import { readDataUrl, sniffImage } from "../media-input.ts";
import { openAiFailure } from "../openai/failures.ts";
import { performOperation } from "../operation-reply.ts";
import { decodeBase64, Fields, invalid } from "../request-fields.ts";
import { dataUrl } from "../wire-values.ts";

const LABELS_MAX = 100;

export function registerVisionDoor(app: FastifyInstance, parts: DoorParts): void {
  openDoor(app, parts, { name: "vision", wordFailure: openAiFailure }, (scope) => {
    scope.post("/v1/vision/detections", { bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
      const { input, wantsMasks, warnings } = parseDetection(request.body);
      const served = await performOperation({ operation: "vision", input, warnings, request, reply, parts });
      return detectionAnswer(served.result, `${served.providerId}/${served.model}`, wantsMasks);
    });
  });
}

interface DetectionDraft {
  readonly input: DetectionRequest;
  readonly wantsMasks: boolean;
  readonly warnings: readonly Warning[];
}

function parseDetection(body: unknown): DetectionDraft {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const labels = fields.strings("labels", LABELS_MAX);
  const input = {
    model: fields.requiredString("model"),
    image: readImage(fields.requiredString("image")),
    ...(labels === undefined || labels.length === 0 ? {} : { labels }),
  };
  const wantsMasks = fields.boolean("masks") ?? false;
  fields.unknown(warnings);
  return { input, wantsMasks, warnings };
}

/** The bytes are measured here, so an address will not do. */
function readImage(text: string): DetectionRequest["image"] {
  const bytes = text.startsWith("data:") ? readDataUrl(text, "image").bytes : decodeBase64(text, "image");
  const mime = sniffImage(bytes);
  if (mime === undefined) throw invalid("image", "is not a PNG, JPEG, GIF or WebP image in base64 or as a data URL");
  return { mime, bytes };
}

function detectionAnswer(result: DetectionResponse, model: string, wantsMasks: boolean): object {
  const data = result.objects.map(({ label, score, box, mask }) => ({
    label,
    score,
    box,
    ...(mask === undefined || !wantsMasks ? {} : { mask: dataUrl(mask.mime, mask.bytes) }),
  }));
  const { usage } = result;
  const counted =
    usage === undefined ? {} : { usage: { input_tokens: usage.input.total, output_tokens: usage.output.total } };
  return { object: "list", model, data, ...counted };
}
