import type { RerankRequest, RerankResponse, Warning } from "@fovea/core";
import { Fields, invalid } from "../request-fields.ts";
import { definedOf } from "../wire-values.ts";

const DOCUMENTS_MAX = 10_000;

export interface RerankDraft {
  readonly input: RerankRequest;
  readonly wantsDocuments: boolean;
  readonly warnings: readonly Warning[];
}

/** The request of Cohere, Jina and Together, which agree on it; OpenAI has no such endpoint. */
export function parseRerank(body: unknown): RerankDraft {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const documents = fields.list("documents");
  if (documents === undefined || documents.length === 0)
    throw invalid("documents", "is required and must not be empty");
  if (documents.length > DOCUMENTS_MAX) throw invalid("documents", `takes at most ${DOCUMENTS_MAX} documents`);
  const input: RerankRequest = {
    model: fields.requiredString("model"),
    query: fields.requiredString("query"),
    documents: documents.map((item, index) =>
      typeof item === "string" ? item : new Fields(item, `documents[${index}]`).requiredString("text"),
    ),
    ...definedOf({ topN: fields.integer("top_n", 1, DOCUMENTS_MAX) }),
  };
  const wantsDocuments = fields.boolean("return_documents") ?? false;
  fields.unknown(warnings);
  return { input, wantsDocuments, warnings };
}

export function rerankAnswer(result: RerankResponse, draft: RerankDraft, facts: { id: string; model: string }): object {
  const results = result.results.map(({ index, score }) => ({
    index,
    relevance_score: score,
    ...(draft.wantsDocuments ? { document: { text: draft.input.documents[index] ?? "" } } : {}),
  }));
  const tokens = result.usage?.input.total ?? 0;
  return {
    id: facts.id,
    object: "rerank",
    model: facts.model,
    results,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}
