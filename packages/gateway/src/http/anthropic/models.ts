import type { ModelListing } from "@fovea/core";
import { GatewayError } from "@fovea/core";

const CREATED_AT = "2025-01-01T00:00:00Z";

export function anthropicModels(models: readonly ModelListing[]): object {
  const data = models.map(anthropicModel);
  return { data, has_more: false, first_id: models[0]?.name ?? null, last_id: models.at(-1)?.name ?? null };
}

export function anthropicModelNamed(models: readonly ModelListing[], name: string): object {
  const found = models.find((model) => model.name === name);
  if (found === undefined) {
    throw new GatewayError("model_unknown", `There is no model named "${name}".`, { param: "model" });
  }
  return anthropicModel(found);
}

function anthropicModel(model: ModelListing): object {
  return {
    type: "model",
    id: model.name,
    display_name: model.name,
    created_at: CREATED_AT,
    ...(model.contextTokens === undefined ? {} : { max_input_tokens: model.contextTokens }),
  };
}
