import type { EmbeddingRequest, EmbeddingResponse, Warning } from "@fovea/core";
import { Fields, invalid } from "../request-fields.ts";
import { definedOf } from "../wire-values.ts";

const INPUTS_MAX = 2048;

export interface EmbeddingsDraft {
  readonly input: EmbeddingRequest;
  readonly format: "float" | "base64";
  readonly warnings: readonly Warning[];
}

export function parseEmbeddings(body: unknown): EmbeddingsDraft {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const input: EmbeddingRequest = {
    model: fields.requiredString("model"),
    input: readTexts(fields),
    ...definedOf({ dimensions: fields.integer("dimensions", 1, 100_000) }),
    ...definedOf({ endUser: fields.string("user") }),
  };
  const format = fields.oneOf("encoding_format", ["float", "base64"]) ?? "float";
  fields.unknown(warnings);
  return { input, format, warnings };
}

function readTexts(fields: Fields): readonly string[] {
  const value = fields.raw("input");
  if (Array.isArray(value) && value.some((item) => typeof item === "number" || Array.isArray(item))) {
    throw invalid("input", "token arrays belong to one vendor's tokenizer; send text");
  }
  const texts = fields.strings("input", INPUTS_MAX);
  if (texts === undefined || texts.length === 0) throw invalid("input", "is required and must not be empty");
  const empty = texts.indexOf("");
  if (empty >= 0) throw invalid(Array.isArray(value) ? `input[${empty}]` : "input", "must not be empty");
  return texts;
}

export function embeddingsAnswer(result: EmbeddingResponse, format: EmbeddingsDraft["format"], model: string): object {
  const data = result.vectors.map((vector, index) => ({
    object: "embedding",
    index,
    embedding: format === "base64" ? base64Of(vector) : Array.from(vector),
  }));
  const tokens = result.usage?.input.total ?? 0;
  return { object: "list", data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

/** Little-endian 32-bit floats, as the official clients read them. */
function base64Of(vector: readonly number[] | Float32Array): string {
  const floats = vector instanceof Float32Array ? vector : Float32Array.from(vector);
  return Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString("base64");
}
