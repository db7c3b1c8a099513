import type { IdentifiedAdapter, LimitBucket, ProviderConfig } from "@fovea/core";
import { bearer } from "../bearer.ts";
import { withoutVersion } from "../base-url.ts";
import { EventDecoder } from "../event-decoder.ts";
import type { HttpHeaders } from "../http-call.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import type { VendorWire } from "../vendor-wire.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import { CohereAnswer, decodeChat } from "./chat-from-provider.ts";
import { encodeChat } from "./chat-to-provider.ts";
import { decodeEmbeddings, encodeEmbeddings } from "./embeddings.ts";
import { classifyCohere } from "./failures.ts";
import { COHERE_OPERATIONS } from "./operations.ts";
import { COHERE_MODELS, decodeModels, featuresOfCohere, nextModelsPath } from "./models.ts";

export const COHERE_WIRE: VendorWire = {
  chat: { encode: encodeChat, decoder: (context) => new EventDecoder(new CohereAnswer(context)), decode: decodeChat },
  embed: { encode: encodeEmbeddings, decode: decodeEmbeddings, inputsMax: 96 },
  modelList: { path: "/v1/models?page_size=1000", decode: decodeModels, nextPath: nextModelsPath },
  probe: { method: "POST", path: "/v1/check-api-key", warnings: [] },
  requestIdHeader: "x-debug-trace-id",
  classify: classifyCohere,
  limits: readLimits,
};

/** Trial keys alone are told their limits: calls a minute, and calls a month. */
function readLimits(headers: HttpHeaders): readonly LimitBucket[] {
  const bucket = (name: string, prefix: string): LimitBucket[] => {
    const limit = Number.parseFloat(headers[prefix] ?? "");
    const remaining = Number.parseFloat(
      headers[`${prefix}-remaining`] ?? headers["x-trial-endpoint-call-remaining"] ?? "",
    );
    if (!Number.isFinite(limit)) return [];
    return [{ name, limit, ...(Number.isFinite(remaining) ? { remaining } : {}) }];
  };
  return [...bucket("requests", "x-trial-endpoint-call-limit"), ...bucket("month", "x-endpoint-monthly-call-limit")];
}

export function createCohereAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  return new OperationAdapter(
    {
      config,
      features: [
        "chat",
        "embed",
        "streaming",
        "tools",
        "structured-output",
        "vision-input",
        "reasoning",
        "rerank",
        "transcribe",
      ],
      baseUrl: withoutVersion(config.baseUrl ?? "https://api.cohere.com"),
      headers: bearer(config),
      wire: COHERE_WIRE,
      knownModels: COHERE_MODELS,
      featuresOf: featuresOfCohere,
      recognises: (model) => /^(?:command-|c4ai-|embed-(?:v\d|english|multilingual)|rerank-)/.test(model),
    },
    COHERE_OPERATIONS,
    deps,
  );
}
