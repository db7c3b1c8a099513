import {
  collectChat,
  GatewayError,
  type CallOptions,
  type ChatRequest,
  type Clock,
  type IdentifiedAdapter,
  type SupportedFeatures,
} from "@fovea/core";
import { CallRecord } from "../call-record.ts";
import type { LanguageModelV4 } from "./language-model.ts";
import { ModelStream } from "./model-stream.ts";

const FEATURES: readonly SupportedFeatures[] = [
  "chat",
  "streaming",
  "tools",
  "structured-output",
  "vision-input",
  "reasoning",
];

export interface BridgeOptions {
  readonly id: string;
  readonly region?: string;
  /** Models by the name they are asked for. */
  readonly models: Readonly<Record<string, LanguageModelV4>>;
}

/** Any AI SDK model as a provider. Its own retries must be off; its prices, limits and headers stay invisible. */
export function createAiSdkAdapter(options: BridgeOptions, deps: { readonly clock: Clock }): IdentifiedAdapter {
  const record = new CallRecord(deps.clock);
  const names = Object.keys(options.models);
  const stream = (request: ChatRequest, callOptions: CallOptions): ModelStream => {
    const model = Object.hasOwn(options.models, request.model) ? options.models[request.model] : undefined;
    if (model === undefined) {
      throw new GatewayError("model_unknown", `provider ${options.id} has no model ${request.model}`, {
        param: "model",
      });
    }
    return new ModelStream({ model, providerId: options.id, request, options: callOptions, clock: deps.clock, record });
  };
  return {
    id: options.id,
    type: "custom",
    region: options.region ?? "global",
    supportedFeatures: [...FEATURES],
    chat: async (request, callOptions = {}) => collectChat(stream(request, callOptions)),
    chatStream: (request, callOptions = {}) => stream(request, callOptions),
    embeddings: async () => {
      throw new GatewayError("request_unsupported", `provider ${options.id} is a bridge to chat models`, {
        providerId: options.id,
      });
    },
    // The interface has no call that costs nothing: what is known is what the traffic showed.
    healthCheck: async () => record.observed(),
    getAvailableModels: async () => names,
    models: () => names.map((id) => ({ id, features: FEATURES })),
    getRateLimits: () => ({ requestsPerMinute: Number.POSITIVE_INFINITY, tokensPerMinute: Number.POSITIVE_INFINITY }),
    close: async () => undefined,
  };
}
