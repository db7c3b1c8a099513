import type { EmbeddingRequest, EmbeddingResponse } from "@fovea/core";
import { arrayOf, countOf, recordOf, stringOf } from "../json-body.ts";
import { vectorOf } from "../vectors.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { usageOf } from "./chat-from-provider.ts";
import type { OpenAiProfile } from "./profile.ts";

export function encodeEmbeddings(request: EmbeddingRequest, profile: OpenAiProfile): EncodedCall {
  const body = {
    model: request.model,
    input: request.tokens ?? request.input,
    ...(profile.embedsBase64 ? { encoding_format: "base64" } : {}),
    ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
    ...(request.endUser === undefined ? {} : { user: request.endUser }),
  };
  return { path: profile.embedPath, body: JSON.stringify(body), warnings: [] };
}

/** Vectors come as numbers or as base64 of little-endian floats, in any order: `index` says which input they belong to. */
export function decodeEmbeddings(body: unknown, request: EmbeddingRequest): EmbeddingResponse {
  const answer = recordOf(body);
  const vectors: (Float32Array | readonly number[])[] = [];
  arrayOf(answer?.["data"]).forEach((item, position) => {
    const row = recordOf(item);
    vectors[countOf(row?.["index"]) ?? position] = vectorOf(row?.["embedding"]);
  });
  const usage = recordOf(answer?.["usage"]);
  return {
    model: stringOf(answer?.["model"]) ?? request.model,
    vectors: [...vectors],
    ...(usage === undefined ? {} : { usage: usageOf(usage) }),
  };
}
