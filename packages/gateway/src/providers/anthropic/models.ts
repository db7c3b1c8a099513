import type { ModelInfo, SupportedFeatures } from "@fovea/core";
import { arrayOf, countOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";

const CHAT: readonly SupportedFeatures[] = ["chat", "streaming", "tools", "structured-output", "vision-input"];

/** Version in the model's name as a number: `claude-opus-4-6` is 4.6, `claude-3-5-haiku` 3.5. */
function versionOf(model: string): number {
  const match = /claude-(?:[a-z]+-)?(\d)(?:[-.](\d)(?!\d))?/.exec(model);
  return match === null ? Number.NaN : Number(match[1]) + Number(match[2] ?? 0) / 10;
}

/** From 4.6 on a model takes an effort and decides itself how long to think. */
export function reasonsAdaptively(model: string): boolean {
  return versionOf(model) >= 4.6;
}

/** From 4.7 on the sampling fields are answered with 400. */
export function refusesSampling(model: string): boolean {
  return versionOf(model) >= 4.7;
}

/** `max_tokens` is required; above a model's own limit it is refused. */
export function outputTokensDefault(model: string): number {
  const version = versionOf(model);
  if (version < 3.5) return 4_096;
  return version < 4 ? 8_192 : 16_384;
}

export function featuresOfAnthropic(model: string): readonly SupportedFeatures[] {
  const version = versionOf(model);
  return version >= 3.7 || Number.isNaN(version) ? [...CHAT, "reasoning"] : CHAT;
}

/** Models of the developer documentation as of 2026-11. */
export const ANTHROPIC_MODELS: readonly ModelInfo[] = [
  { id: "claude-opus-4-6", contextTokens: 1_000_000, outputTokensMax: 128_000 },
  { id: "claude-sonnet-4-6", contextTokens: 1_000_000, outputTokensMax: 64_000 },
  { id: "claude-haiku-4-5", contextTokens: 200_000, outputTokensMax: 64_000 },
].map((model) => ({ ...model, features: featuresOfAnthropic(model.id) }));

/** Retired models are listed for a while; they are left out, because a call to one fails. */
export function decodeModels(body: unknown): readonly ModelInfo[] {
  return arrayOf(recordOf(body)?.["data"]).flatMap((row) => {
    const model = recordOf(row);
    const id = stringOf(model?.["id"]);
    if (model === undefined || id === undefined || model["lifecycle"] === "retired") return [];
    return [{ id, features: featuresOfAnthropic(id), ...limitsOf(model) }];
  });
}

function limitsOf(model: JsonRecord): Pick<ModelInfo, "contextTokens" | "outputTokensMax"> {
  const contextTokens = countOf(model["max_input_tokens"]);
  const outputTokensMax = countOf(model["max_tokens"]);
  return {
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(outputTokensMax === undefined ? {} : { outputTokensMax }),
  };
}

export function nextModelsPath(body: unknown): string | undefined {
  const page = recordOf(body);
  const last = stringOf(page?.["last_id"]);
  return page?.["has_more"] === true && last !== undefined
    ? `/v1/models?limit=100&after_id=${encodeURIComponent(last)}`
    : undefined;
}
