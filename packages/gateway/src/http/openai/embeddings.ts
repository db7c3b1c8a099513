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
    ...readInputs(fields),
    ...definedOf({ dimensions: fields.integer("dimensions", 1, 100_000) }),
    ...definedOf({ endUser: fields.string("user") }),
  };
  const format = fields.oneOf("encoding_format", ["float", "base64"]) ?? "float";
  fields.unknown(warnings);
  return { input, format, warnings };
}

function readInputs(fields: Fields): Pick<EmbeddingRequest, "input" | "tokens"> {
  const value = fields.raw("input");
  if (Array.isArray(value) && value.some((item) => typeof item === "number" || Array.isArray(item))) {
    return { input: [], tokens: readTokens(value) };
  }
  const texts = fields.strings("input", INPUTS_MAX);
  if (texts === undefined || texts.length === 0) throw invalid("input", "is required and must not be empty");
  const empty = texts.indexOf("");
  if (empty >= 0) throw invalid(Array.isArray(value) ? `input[${empty}]` : "input", "must not be empty");
  return { input: texts };
}

/** One text as numbers, or several. They mean something to the vendor whose tokenizer made them, and go there as they are. */
function readTokens(value: readonly unknown[]): readonly (readonly number[])[] {
  const isOne = typeof value[0] === "number";
  const lists: readonly unknown[] = isOne ? [value] : value;
  if (lists.length > INPUTS_MAX) throw invalid("input", `takes at most ${INPUTS_MAX} values`);
  return lists.map((list, index) => {
    const at = isOne ? "input" : `input[${index}]`;
    if (!Array.isArray(list)) throw invalid(at, "must be an array of token numbers, as the others are");
    if (list.length === 0) throw invalid(at, "must not be empty");
    const wrong = list.findIndex((token) => !Number.isSafeInteger(token) || (token as number) < 0);
    if (wrong >= 0) throw invalid(`${at}[${wrong}]`, "must be a token number");
    return list as readonly number[];
  });
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
