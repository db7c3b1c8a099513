import type { Usage } from "@fovea/core";
import { countOf, recordOf, type JsonRecord } from "../json-body.ts";

/** Audio tokens stand apart: they cost many times what text does. */
export function usageOfRealtime(usage: JsonRecord | undefined): Usage | undefined {
  const input = countOf(usage?.["input_tokens"]);
  const output = countOf(usage?.["output_tokens"]);
  if (input === undefined || output === undefined) return undefined;
  const into = recordOf(usage?.["input_token_details"]);
  const out = recordOf(usage?.["output_token_details"]);
  const audioIn = countOf(into?.["audio_tokens"]);
  const audioOut = countOf(out?.["audio_tokens"]);
  const image = countOf(into?.["image_tokens"]);
  return {
    input: {
      total: input,
      cacheRead: countOf(into?.["cached_tokens"]) ?? 0,
      cacheWrite: 0,
      ...(audioIn === undefined ? {} : { audio: audioIn }),
      ...(image === undefined ? {} : { image }),
    },
    output: { total: output, ...(audioOut === undefined ? {} : { audio: audioOut }) },
    source: "provider",
  };
}
