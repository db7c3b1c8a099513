import type { IdentifiedAdapter, ProviderConfig } from "@fovea/core";
import { withoutVersion } from "../base-url.ts";
import { EventDecoder } from "../event-decoder.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import { prefixedBuckets } from "../rate-limits.ts";
import type { VendorWire } from "../vendor-wire.ts";
import { WireAdapter } from "../wire-adapter.ts";
import { AnthropicAnswer, decodeMessage } from "./chat-from-provider.ts";
import { encodeMessages } from "./chat-to-provider.ts";
import { classifyAnthropic } from "./failures.ts";
import { ANTHROPIC_MODELS, decodeModels, featuresOfAnthropic, nextModelsPath } from "./models.ts";

/** The version whose behaviour the recorded exchanges show; a header in the configuration replaces it. */
const API_VERSION = "2023-06-01";

export const ANTHROPIC_WIRE: VendorWire = {
  chat: {
    encode: encodeMessages,
    decoder: (context) => new EventDecoder(new AnthropicAnswer(context)),
    decode: decodeMessage,
  },
  modelList: { path: "/v1/models?limit=100", decode: decodeModels, nextPath: nextModelsPath },
  probe: { path: "/v1/models?limit=1", warnings: [] },
  requestIdHeader: "request-id",
  classify: classifyAnthropic,
  limits: (headers, unixMs) => prefixedBuckets(headers, "anthropic-ratelimit-", unixMs),
};

export function createAnthropicAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  return new WireAdapter(
    {
      config,
      features: ["chat", "streaming", "tools", "structured-output", "vision-input", "reasoning"],
      baseUrl: withoutVersion(config.baseUrl ?? "https://api.anthropic.com"),
      headers: {
        "anthropic-version": API_VERSION,
        ...(config.apiKey === undefined ? {} : { "x-api-key": config.apiKey }),
      },
      wire: ANTHROPIC_WIRE,
      knownModels: ANTHROPIC_MODELS,
      featuresOf: featuresOfAnthropic,
      recognises: (model) => model.startsWith("claude-"),
    },
    deps,
  );
}
