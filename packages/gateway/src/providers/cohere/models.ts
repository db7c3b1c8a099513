import type { ModelInfo, SupportedFeatures } from "@fovea/core";
import { arrayOf, countOf, recordOf, stringOf } from "../json-body.ts";

const CHAT: readonly SupportedFeatures[] = ["chat", "streaming", "tools", "structured-output"];

export function featuresOfCohere(model: string): readonly SupportedFeatures[] {
  if (model.startsWith("embed")) return ["embed"];
  if (model.startsWith("rerank")) return ["rerank"];
  if (/transcribe/.test(model)) return ["transcribe"];
  if (/vision/.test(model)) return [...CHAT, "vision-input"];
  return /reasoning/.test(model) ? [...CHAT, "reasoning"] : CHAT;
}

/** Models of the developer documentation as of 2026-11. */
export const COHERE_MODELS: readonly ModelInfo[] = [
  { id: "command-a-03-2025", contextTokens: 256_000, outputTokensMax: 8_000 },
  { id: "command-a-reasoning-08-2025", contextTokens: 256_000, outputTokensMax: 32_000 },
  { id: "command-a-vision-07-2025", contextTokens: 128_000, outputTokensMax: 8_000 },
  { id: "command-r7b-12-2024", contextTokens: 128_000, outputTokensMax: 4_000 },
  { id: "embed-v4.0", contextTokens: 128_000 },
  { id: "rerank-v3.5", contextTokens: 4_096 },
].map((model) => ({ ...model, features: featuresOfCohere(model.id) }));

/** The list says which endpoints and features a model has; deprecated models are left out. */
export function decodeModels(body: unknown): readonly ModelInfo[] {
  return arrayOf(recordOf(body)?.["models"]).flatMap((row) => {
    const model = recordOf(row);
    const id = stringOf(model?.["name"]);
    if (model === undefined || id === undefined || model["is_deprecated"] === true) return [];
    const contextTokens = countOf(model["context_length"]);
    const features = featuresOf(id, arrayOf(model["endpoints"]), arrayOf(model["features"]));
    return [{ id, features, ...(contextTokens === undefined ? {} : { contextTokens }) }];
  });
}

function featuresOf(
  id: string,
  endpoints: readonly unknown[],
  features: readonly unknown[],
): readonly SupportedFeatures[] {
  if (endpoints.length === 0) return featuresOfCohere(id);
  const found: SupportedFeatures[] = [];
  if (endpoints.includes("chat")) found.push("chat", "streaming");
  if (endpoints.includes("embed")) found.push("embed");
  if (endpoints.includes("rerank")) found.push("rerank");
  if (endpoints.includes("transcriptions")) found.push("transcribe");
  if (features.includes("tools")) found.push("tools");
  if (features.includes("vision")) found.push("vision-input");
  if (features.includes("reasoning")) found.push("reasoning");
  if (features.includes("json_mode") || features.includes("json_schema")) found.push("structured-output");
  return found;
}

export function nextModelsPath(body: unknown): string | undefined {
  const token = stringOf(recordOf(body)?.["next_page_token"]);
  return token === undefined || token === ""
    ? undefined
    : `/v1/models?page_size=1000&page_token=${encodeURIComponent(token)}`;
}
