import type { RerankRequest, RerankResponse, Usage } from "@fovea/core";
import { arrayOf, countOf, numberOf, recordOf } from "./json-body.ts";
import type { UnaryCodec } from "./operation-wire.ts";
import { WireFault } from "./wire-fault.ts";

/** Cohere's form, which Together, vLLM and others took over. */
export function rerankCodec(path: string): UnaryCodec<RerankRequest, RerankResponse> {
  return {
    answers: "json",
    encode: (request) => ({
      path,
      body: JSON.stringify({
        model: request.model,
        query: request.query,
        documents: request.documents,
        ...(request.topN === undefined ? {} : { top_n: request.topN }),
      }),
      warnings: [],
    }),
    decode: (body, request, { warnings }) => {
      const answer = recordOf(body);
      if (!Array.isArray(answer?.["results"])) throw new WireFault("protocol", "an answer without results");
      const results = arrayOf(answer["results"]).map((row) => resultOf(row, request.documents.length));
      const usage = usageOf(answer);
      return { results, warnings, ...(usage === undefined ? {} : { usage }) };
    },
  };
}

function resultOf(row: unknown, documents: number): RerankResponse["results"][number] {
  const result = recordOf(row);
  const index = countOf(result?.["index"]);
  const score = numberOf(result?.["relevance_score"]) ?? numberOf(result?.["score"]);
  if (index === undefined || score === undefined || index >= documents) {
    throw new WireFault("protocol", "a result that names no document");
  }
  return { index, score };
}

function usageOf(answer: Readonly<Record<string, unknown>>): Usage | undefined {
  const searches = countOf(recordOf(recordOf(answer["meta"])?.["billed_units"])?.["search_units"]);
  const tokens =
    countOf(recordOf(answer["usage"])?.["total_tokens"]) ?? countOf(recordOf(answer["usage"])?.["prompt_tokens"]);
  if (searches === undefined && tokens === undefined) return undefined;
  return {
    input: { total: tokens ?? 0, cacheRead: 0, cacheWrite: 0 },
    output: { total: 0 },
    ...(searches === undefined ? {} : { units: { searches } }),
    source: "provider",
  };
}
