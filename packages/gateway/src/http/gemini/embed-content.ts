import type { EmbeddingRequest, EmbeddingResponse, Warning } from "@fovea/core";
import { Fields, invalid } from "../request-fields.ts";
import { definedOf } from "../wire-values.ts";
import { camelised } from "./generate-request.ts";

const REQUESTS_MAX = 2048;

const PURPOSES: Readonly<Record<string, NonNullable<EmbeddingRequest["purpose"]>>> = {
  RETRIEVAL_QUERY: "query",
  RETRIEVAL_DOCUMENT: "document",
  QUESTION_ANSWERING: "query",
  FACT_VERIFICATION: "query",
  CODE_RETRIEVAL_QUERY: "query",
  SEMANTIC_SIMILARITY: "document",
  CLASSIFICATION: "classification",
  CLUSTERING: "clustering",
};

export interface EmbedDraft {
  readonly input: EmbeddingRequest;
  readonly warnings: readonly Warning[];
}

export function parseEmbedContent(body: unknown, model: string): EmbedDraft {
  const fields = new Fields(camelised(body));
  const warnings: Warning[] = [];
  const one = readOne(fields, warnings);
  return { input: { model, input: [one.text], ...one.options }, warnings };
}

/** The requests of a batch must agree on everything but their text: upstream it is one call. */
export function parseBatchEmbedContents(body: unknown, model: string): EmbedDraft {
  const fields = new Fields(camelised(body));
  const warnings: Warning[] = [];
  const list = fields.list("requests");
  if (list === undefined || list.length === 0) throw invalid("requests", "is required and must not be empty");
  if (list.length > REQUESTS_MAX) throw invalid("requests", `takes at most ${REQUESTS_MAX} requests`);
  const all = list.map((item, index) => readOne(new Fields(item, `requests[${index}]`), warnings));
  const options = all[0]?.options ?? {};
  for (const [index, one] of all.entries()) {
    if (one.options.dimensions !== options.dimensions || one.options.purpose !== options.purpose) {
      throw invalid(`requests[${index}]`, "must ask for the same dimensions and task as the first");
    }
  }
  fields.unknown(warnings);
  return { input: { model, input: all.map((one) => one.text), ...options }, warnings };
}

function readOne(
  fields: Fields,
  warnings: Warning[],
): { readonly text: string; readonly options: Partial<EmbeddingRequest> } {
  const content = fields.object("content");
  if (content === undefined) throw invalid(fields.at("content"), "is required");
  const parts = content.list("parts") ?? [];
  const texts = parts.map((part, index) => new Fields(part, `${content.at("parts")}[${index}]`).requiredString("text"));
  if (texts.length === 0) throw invalid(content.at("parts"), "is required and must not be empty");
  const config = fields.object("embedContentConfig");
  const task = fields.string("taskType") ?? config?.string("taskType");
  const purpose = task === undefined ? undefined : PURPOSES[task];
  if (task !== undefined && purpose === undefined)
    warnings.push({ field: fields.at("taskType"), message: `${task} is not known` });
  const dimensions =
    fields.integer("outputDimensionality", 1, 100_000) ?? config?.integer("outputDimensionality", 1, 100_000);
  fields.raw("model");
  fields.ignored(warnings, ["title", "autoTruncate"]);
  fields.unknown(warnings);
  return { text: texts.join("\n"), options: { ...definedOf({ dimensions }), ...definedOf({ purpose }) } };
}

export function embedContentAnswer(result: EmbeddingResponse): object {
  return { embedding: { values: Array.from(result.vectors[0] ?? []) } };
}

export function batchEmbedContentsAnswer(result: EmbeddingResponse): object {
  return { embeddings: result.vectors.map((vector) => ({ values: Array.from(vector) })) };
}
