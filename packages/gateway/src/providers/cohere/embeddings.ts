import type { EmbeddingRequest, EmbeddingResponse } from "@fovea/core";
import { arrayOf, recordOf } from "../json-body.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { vectorOf } from "../vectors.ts";
import { usageOf } from "./chat-from-provider.ts";

const INPUT_TYPES = {
  query: "search_query",
  document: "search_document",
  classification: "classification",
  clustering: "clustering",
} as const;

/** `input_type` is required; documents are what is embedded most. */
export function encodeEmbeddings(request: EmbeddingRequest): EncodedCall {
  const body = {
    model: request.model,
    input_type: INPUT_TYPES[request.purpose ?? "document"],
    embedding_types: ["float"],
    texts: request.input,
    ...(request.dimensions === undefined ? {} : { output_dimension: request.dimensions }),
  };
  return { path: "/v2/embed", body: JSON.stringify(body), warnings: [] };
}

export function decodeEmbeddings(body: unknown, request: EmbeddingRequest): EmbeddingResponse {
  const answer = recordOf(body);
  const meta = recordOf(answer?.["meta"]);
  return {
    model: request.model,
    vectors: arrayOf(recordOf(answer?.["embeddings"])?.["float"] ?? answer?.["embeddings"]).map(vectorOf),
    ...(meta === undefined ? {} : { usage: usageOf(meta) }),
  };
}
