import type { EmbeddingRequest, EmbeddingResponse } from "@fovea/core";
import { fromBase64 } from "../base64.ts";
import { arrayOf, countOf, recordOf, stringOf } from "../json-body.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { usageOf } from "./chat-from-provider.ts";
import type { OpenAiProfile } from "./profile.ts";

export function encodeEmbeddings(request: EmbeddingRequest, profile: OpenAiProfile): EncodedCall {
  const body = {
    model: request.model,
    input: request.input,
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

export function vectorOf(value: unknown): Float32Array | readonly number[] {
  if (typeof value === "string") return littleEndianFloats(fromBase64(value));
  if (!Array.isArray(value) || !value.every((number) => typeof number === "number")) {
    throw new WireFault("protocol", "an embedding that is neither numbers nor base64");
  }
  return value;
}

function littleEndianFloats(bytes: Uint8Array): Float32Array {
  if (bytes.byteLength % 4 !== 0) throw new WireFault("protocol", "an embedding cut in the middle of a number");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getFloat32(index * 4, true));
}
