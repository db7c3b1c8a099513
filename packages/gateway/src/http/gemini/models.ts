import type { ModelListing } from "@fovea/core";
import { GatewayError } from "@fovea/core";

export function geminiModels(models: readonly ModelListing[]): object {
  return { models: models.map(geminiModel) };
}

export function geminiModelNamed(models: readonly ModelListing[], name: string): object {
  const plain = modelName(name);
  const found = models.find((model) => model.name === plain);
  if (found === undefined)
    throw new GatewayError("model_unknown", `There is no model named "${plain}".`, { param: "name" });
  return geminiModel(found);
}

/** Clients write `models/` in front once, and their libraries sometimes once more. */
export function modelName(name: string): string {
  return name.replace(/^(?:(?:models|tunedModels)\/)+/, "");
}

function geminiModel(model: ModelListing): object {
  const embeds = model.features.includes("embed");
  const actions = [
    ...(model.features.includes("chat") ? ["generateContent", "countTokens"] : []),
    ...(embeds ? ["embedContent", "batchEmbedContents"] : []),
  ];
  return {
    name: `models/${model.name}`,
    baseModelId: model.name,
    version: "1",
    displayName: model.name,
    ...(model.contextTokens === undefined ? {} : { inputTokenLimit: model.contextTokens }),
    supportedActions: actions,
    supportedGenerationMethods: actions,
  };
}
