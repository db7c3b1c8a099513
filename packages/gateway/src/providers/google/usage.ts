import type { Usage } from "@fovea/core";
import { arrayOf, countOf, recordOf, type JsonRecord } from "../json-body.ts";

/** Candidates exclude thoughts, the prompt excludes tool use: totals are sums. Grows with every event; the last counts. */
export function usageOf(usage: JsonRecord): Usage {
  const count = (name: string): number => countOf(usage[name]) ?? 0;
  const thoughts = count("thoughtsTokenCount");
  const toolUse = count("toolUsePromptTokenCount");
  const input = modalities(usage["promptTokensDetails"]);
  const output = modalities(usage["candidatesTokensDetails"] ?? usage["responseTokensDetails"]);
  return {
    input: {
      total: count("promptTokenCount") + toolUse,
      cacheRead: count("cachedContentTokenCount"),
      cacheWrite: 0,
      ...input,
      ...(toolUse > 0 ? { toolUse } : {}),
    },
    output: {
      // Live sessions name the same figure otherwise.
      total: (countOf(usage["candidatesTokenCount"]) ?? count("responseTokenCount")) + thoughts,
      ...(thoughts > 0 ? { reasoning: thoughts } : {}),
      ...(output.audio === undefined ? {} : { audio: output.audio }),
      ...(output.image === undefined ? {} : { image: output.image }),
    },
    source: "provider",
  };
}

function modalities(details: unknown): { audio?: number; image?: number; video?: number } {
  const found: { audio?: number; image?: number; video?: number } = {};
  for (const item of arrayOf(details)) {
    const row = recordOf(item);
    const tokens = countOf(row?.["tokenCount"]) ?? 0;
    if (tokens === 0) continue;
    if (row?.["modality"] === "AUDIO") found.audio = tokens;
    if (row?.["modality"] === "IMAGE") found.image = tokens;
    if (row?.["modality"] === "VIDEO") found.video = tokens;
  }
  return found;
}
