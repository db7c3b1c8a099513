import type { EmbeddingRequest, EmbeddingResponse } from "@fovea/core";
import type { EncodedCall } from "../vendor-wire.ts";
import { vectorOf } from "../vectors.ts";
import { arrayOf } from "../json-body.ts";

/** Where a model's task is asked. */
export type TaskPath = (model: string, pipeline?: string) => string;

/** A dedicated endpoint runs one model, and its task, at its root. */
export const endpointTaskPath: TaskPath = () => "/";

/** Address of a task on Hugging Face's own servers. `org/name` keeps its slash. */
export function taskPath(model: string, pipeline?: string): string {
  const name = model
    .replace(/:[\w-]+$/, "")
    .split("/")
    .map(encodeURIComponent)
    .join("/");
  return `/hf-inference/models/${name}${pipeline === undefined ? "" : `/pipeline/${pipeline}`}`;
}

export function encodeFeatureExtraction(request: EmbeddingRequest, path: TaskPath): EncodedCall {
  const body = {
    inputs: request.input,
    ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
  };
  return { path: path(request.model, "feature-extraction"), body: JSON.stringify(body), warnings: [] };
}

/** One vector an input; models without pooling answer one vector a token, of which the first stands for the text. */
export function decodeFeatureExtraction(body: unknown, request: EmbeddingRequest): EmbeddingResponse {
  const rows = arrayOf(body);
  const isSingle = typeof rows[0] === "number";
  const vectors = (isSingle ? [rows] : rows).map((row) =>
    vectorOf(Array.isArray(arrayOf(row)[0]) ? arrayOf(row)[0] : row),
  );
  return { model: request.model, vectors };
}
