import type { ModelListing } from "@fovea/core";
import { GatewayError } from "@fovea/core";

/** Release dates are the vendors' business: one fixed date keeps the list stable between calls. */
const CREATED_S = 1_735_689_600;

export function openAiModels(models: readonly ModelListing[]): object {
  return { object: "list", data: models.map(openAiModel) };
}

export function openAiModelNamed(models: readonly ModelListing[], name: string): object {
  const found = models.find((model) => model.name === name);
  if (found === undefined) {
    throw new GatewayError("model_unknown", `There is no model named "${name}".`, { param: "model" });
  }
  return openAiModel(found);
}

function openAiModel(model: ModelListing): object {
  return {
    id: model.name,
    object: "model",
    created: CREATED_S,
    owned_by: model.providerId,
    features: model.features,
    ...(model.contextTokens === undefined ? {} : { context_length: model.contextTokens }),
  };
}
