import type { IdentifiedAdapter, ProviderConfig, SupportedFeatures } from "@fovea/core";
import { bearer } from "../bearer.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import { WireAdapter } from "../wire-adapter.ts";
import { featuresOfOpenAi, OPENAI_MODELS } from "./models.ts";
import { OPENAI_PROFILE } from "./profile.ts";
import { openAiWire } from "./wire.ts";

const FEATURES: readonly SupportedFeatures[] = [
  "chat",
  "embed",
  "streaming",
  "tools",
  "structured-output",
  "vision-input",
  "audio-input",
  "reasoning",
];

export const OPENAI_BASE_URL = "https://api.openai.com/v1";

export function createOpenAiAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  return new WireAdapter(
    {
      config,
      features: FEATURES,
      baseUrl: config.baseUrl ?? OPENAI_BASE_URL,
      headers: {
        ...bearer(config),
        ...(config.organization === undefined ? {} : { "openai-organization": config.organization }),
      },
      wire: openAiWire(OPENAI_PROFILE, featuresOfOpenAi),
      knownModels: OPENAI_MODELS,
      featuresOf: featuresOfOpenAi,
    },
    deps,
  );
}
