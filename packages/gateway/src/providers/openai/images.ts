import type { ImageRequest, ImageResponse, Usage, Warning } from "@fovea/core";
import { fromBase64 } from "../base64.ts";
import { arrayOf, countOf, recordOf, stringOf } from "../json-body.ts";
import { buildMultipart, type MultipartField } from "../multipart.ts";
import type { UnaryCodec } from "../operation-wire.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";

/** POST /images/generations, or /images/edits where there are images to start from. */
export const OPENAI_IMAGE: UnaryCodec<ImageRequest, ImageResponse> = {
  answers: "json",
  encode: (request) =>
    request.source === undefined || request.source.length === 0 ? encodeNew(request) : encodeEdit(request),
  decode: (body, request, { warnings }) => decodeImages(body, request, warnings),
};

function fieldsOf(request: ImageRequest): Record<string, string | number> {
  // Models before gpt-image answer with addresses unless told otherwise, and know no output format.
  const isOld = request.model.startsWith("dall-e");
  return {
    model: request.model,
    prompt: request.prompt,
    ...(request.count === undefined ? {} : { n: request.count }),
    ...(request.size === undefined ? {} : { size: request.size }),
    ...(request.quality === undefined ? {} : { quality: request.quality }),
    ...(request.background === undefined || isOld ? {} : { background: request.background }),
    ...(request.format === undefined || isOld ? {} : { output_format: request.format }),
    ...(isOld ? { response_format: "b64_json" } : {}),
  };
}

function encodeNew(request: ImageRequest): EncodedCall {
  return { path: "/images/generations", body: JSON.stringify(fieldsOf(request)), warnings: [] };
}

function encodeEdit(request: ImageRequest): EncodedCall {
  const warnings: Warning[] = [];
  const fields: MultipartField[] = Object.entries(fieldsOf(request)).map(([name, value]) => ({
    name,
    value: String(value),
  }));
  (request.source ?? []).forEach(({ data, mime }, index) => {
    if ("bytes" in data) {
      fields.push({
        name: "image[]",
        fileName: `image-${index}.${mime.split("/")[1] ?? "png"}`,
        mime,
        bytes: data.bytes,
      });
    } else warnings.push({ field: `source[${index}]`, message: "only image bytes are sent" });
  });
  const { contentType, bytes } = buildMultipart(fields);
  return { path: "/images/edits", body: bytes, headers: { "content-type": contentType }, warnings };
}

export function decodeImages(body: unknown, request: ImageRequest, warnings: readonly Warning[]): ImageResponse {
  const answer = recordOf(body);
  const mime = `image/${stringOf(answer?.["output_format"]) ?? request.format ?? "png"}`;
  const images = arrayOf(answer?.["data"]).map((row) => {
    const image = recordOf(row);
    const encoded = stringOf(image?.["b64_json"]);
    const url = stringOf(image?.["url"]);
    const revisedPrompt = stringOf(image?.["revised_prompt"]);
    if (encoded === undefined && url === undefined) throw new WireFault("protocol", "an image without data");
    return {
      mime,
      data: encoded === undefined ? { url: url ?? "" } : { bytes: fromBase64(encoded) },
      ...(revisedPrompt === undefined ? {} : { revisedPrompt }),
    };
  });
  if (images.length === 0) throw new WireFault("protocol", "an answer without images");
  return { images, warnings, usage: usageOf(answer?.["usage"], images.length) };
}

function usageOf(value: unknown, count: number): Usage {
  const usage = recordOf(value);
  const details = recordOf(usage?.["input_tokens_details"]);
  const image = countOf(details?.["image_tokens"]);
  const output = countOf(usage?.["output_tokens"]) ?? 0;
  return {
    input: {
      total: countOf(usage?.["input_tokens"]) ?? 0,
      cacheRead: 0,
      cacheWrite: 0,
      ...(image === undefined || image === 0 ? {} : { image }),
    },
    output: { total: output, ...(output > 0 ? { image: output } : {}) },
    units: { images: count },
    source: usage === undefined ? "estimated" : "provider",
  };
}
