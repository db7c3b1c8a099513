import type { ImageRequest, ImageResponse, Warning } from "@fovea/core";
import { Fields, invalid } from "../request-fields.ts";
import { dataUrl, definedOf } from "../wire-values.ts";

const IMAGES_MAX = 10;
const PROMPT_CHARACTERS_MAX = 32_000;
const IGNORED = ["moderation", "output_compression", "partial_images", "style", "user"];

export interface ImagesDraft {
  readonly input: ImageRequest;
  readonly wantsUrl: boolean;
  readonly warnings: readonly Warning[];
}

export function parseImages(body: unknown): ImagesDraft {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const prompt = fields.requiredString("prompt");
  if (prompt.length > PROMPT_CHARACTERS_MAX)
    throw invalid("prompt", `takes at most ${PROMPT_CHARACTERS_MAX} characters`);
  if (fields.boolean("stream") === true)
    throw invalid("stream", "images are not streamed; send the request without it");
  const size = fields.string("size");
  if (size !== undefined && !/^(auto|\d{2,5}x\d{2,5})$/.test(size))
    throw invalid("size", "must be auto or WIDTHxHEIGHT");
  const format = fields.oneOf("output_format", ["png", "jpeg", "webp"]);
  const input: ImageRequest = {
    model: fields.requiredString("model"),
    prompt,
    ...definedOf({ count: fields.integer("n", 1, IMAGES_MAX) }),
    ...definedOf({ size, quality: fields.string("quality"), background: fields.string("background") }),
    ...(format === undefined ? {} : { format }),
  };
  const wantsUrl = fields.oneOf("response_format", ["url", "b64_json"]) === "url";
  fields.ignored(warnings, IGNORED);
  fields.unknown(warnings);
  return { input, wantsUrl, warnings };
}

/** Bytes go as base64 unless an address was asked for; an address that a vendor gave is passed on, not fetched. */
export function imagesAnswer(result: ImageResponse, wantsUrl: boolean, createdS: number): object {
  const data = result.images.map(({ mime, data: image, revisedPrompt }) => ({
    ...imageMember(mime, image, wantsUrl),
    ...definedOf({ revised_prompt: revisedPrompt }),
  }));
  const { usage } = result;
  const counted =
    usage === undefined
      ? {}
      : {
          usage: {
            input_tokens: usage.input.total,
            output_tokens: usage.output.total,
            total_tokens: usage.input.total + usage.output.total,
            input_tokens_details: {
              text_tokens: usage.input.total - (usage.input.image ?? 0),
              image_tokens: usage.input.image ?? 0,
            },
          },
        };
  return { created: createdS, data, ...counted };
}

function imageMember(mime: string, image: ImageResponse["images"][number]["data"], wantsUrl: boolean): object {
  if ("url" in image) return { url: image.url };
  if ("ref" in image) return { url: image.ref };
  if (wantsUrl) return { url: dataUrl(mime, image.bytes) };
  return { b64_json: Buffer.from(image.bytes).toString("base64") };
}
