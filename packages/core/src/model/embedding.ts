import type { Usage } from "./measure.ts";

export interface EmbeddingRequest {
  readonly model: string;
  readonly input: readonly string[];
  /** In place of `input`, which is empty then: texts as token numbers, for vendors whose tokenizer made them. */
  readonly tokens?: readonly (readonly number[])[];
  readonly dimensions?: number;
  /** What the vectors are for; vendors that distinguish (Cohere, Gemini) need it, others ignore it. */
  readonly purpose?: "query" | "document" | "classification" | "clustering";
  readonly endUser?: string;
}

export interface EmbeddingResponse {
  readonly model: string;
  /** One vector per input, in order. */
  readonly vectors: readonly (readonly number[] | Float32Array)[];
  readonly usage?: Usage;
}
