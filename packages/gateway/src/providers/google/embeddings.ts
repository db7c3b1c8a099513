import type { EmbeddingRequest, EmbeddingResponse } from "@fovea/core";
import { arrayOf, recordOf } from "../json-body.ts";
import { vectorOf } from "../vectors.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { modelPath } from "./models.ts";

const TASKS = {
  query: "RETRIEVAL_QUERY",
  document: "RETRIEVAL_DOCUMENT",
  classification: "CLASSIFICATION",
  clustering: "CLUSTERING",
} as const;

export function encodeEmbeddings(request: EmbeddingRequest): EncodedCall {
  const path = modelPath(request.model);
  const requests = request.input.map((text) => ({
    model: path.slice(1),
    content: { parts: [{ text }] },
    ...(request.purpose === undefined ? {} : { taskType: TASKS[request.purpose] }),
    ...(request.dimensions === undefined ? {} : { outputDimensionality: request.dimensions }),
  }));
  return { path: `${path}:batchEmbedContents`, body: JSON.stringify({ requests }), warnings: [] };
}

export function decodeEmbeddings(body: unknown, request: EmbeddingRequest): EmbeddingResponse {
  const answer = recordOf(body);
  const single = recordOf(answer?.["embedding"]);
  const rows = single === undefined ? arrayOf(answer?.["embeddings"]) : [single];
  return { model: request.model, vectors: rows.map((row) => vectorOf(recordOf(row)?.["values"])) };
}
