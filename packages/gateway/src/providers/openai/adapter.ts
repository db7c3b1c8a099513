import type { IdentifiedAdapter, ProviderConfig, SupportedFeatures } from "@fovea/core";
import { bearer } from "../bearer.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import { chatDetection } from "../chat-detection.ts";
import { OPENAI_REALTIME } from "../realtime.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import type { OperationWire } from "../operation-wire.ts";
import type { VendorWire } from "../vendor-wire.ts";
import { OPENAI_SPEAK, OPENAI_TRANSCRIBE } from "./audio.ts";
import { OPENAI_IMAGE } from "./images.ts";
import { featuresOfOpenAi, isOpenAiModel, OPENAI_MODELS } from "./models.ts";
import { OPENAI_PROFILE } from "./profile.ts";
import { openAiWire, responsesWire } from "./wire.ts";

const FEATURES: readonly SupportedFeatures[] = [
  "chat",
  "embed",
  "streaming",
  "tools",
  "structured-output",
  "vision-input",
  "audio-input",
  "reasoning",
  "transcribe",
  "speak",
  "image",
  "vision",
  "realtime",
];

const WIRE: VendorWire = openAiWire(OPENAI_PROFILE, featuresOfOpenAi);

const RESPONSES_WIRE: VendorWire = responsesWire(OPENAI_PROFILE, featuresOfOpenAi);

const OPERATIONS: OperationWire = {
  transcribe: OPENAI_TRANSCRIBE,
  speak: OPENAI_SPEAK,
  image: OPENAI_IMAGE,
  realtime: OPENAI_REALTIME,
  ...(WIRE.chat === undefined ? {} : { vision: chatDetection(WIRE.chat) }),
};

export const OPENAI_BASE_URL = "https://api.openai.com/v1";

export function createOpenAiAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  return new OperationAdapter(
    {
      config,
      features: FEATURES,
      baseUrl: config.baseUrl ?? OPENAI_BASE_URL,
      headers: {
        ...bearer(config),
        ...(config.organization === undefined ? {} : { "openai-organization": config.organization }),
      },
      // `responses` as dialect chooses the newer interface for chat; everything else is the same.
      wire: config.dialect === "responses" ? RESPONSES_WIRE : WIRE,
      knownModels: OPENAI_MODELS,
      featuresOf: featuresOfOpenAi,
      recognises: isOpenAiModel,
    },
    OPERATIONS,
    deps,
  );
}
