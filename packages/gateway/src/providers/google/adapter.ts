import type { CallOptions, ChatRequest, ChatResponse, IdentifiedAdapter, ProviderConfig } from "@fovea/core";
import { ChatStream } from "../chat-stream.ts";
import { EventDecoder } from "../event-decoder.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import type { ChatCodec, VendorWire } from "../vendor-wire.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import { withVersion } from "../base-url.ts";
import { decodeContent, GoogleAnswer, type OnContinuation } from "./chat-from-provider.ts";
import { encodeContents } from "./chat-to-provider.ts";
import { continuedChat, ContinuedStream } from "./continued-chat.ts";
import { decodeEmbeddings, encodeEmbeddings } from "./embeddings.ts";
import { googleOperations } from "./operations.ts";
import { VEO_JOBS } from "./videos.ts";
import { classifyGoogle } from "./failures.ts";
import { decodeModels, featuresOfGoogle, GOOGLE_MODELS, nextModelsPath, RETIRED_GOOGLE_MODELS } from "./models.ts";

const CHAT: ChatCodec = chatCodec();

/** `continuation` goes into the request; `onContinuation` is told of the next one. */
function chatCodec(continuation?: string, onContinuation?: OnContinuation): ChatCodec {
  return {
    encode: (request, isStreamed) => encodeContents(request, isStreamed, continuation),
    decoder: (context) => new EventDecoder(new GoogleAnswer(context, onContinuation)),
    decode: (body, context) => decodeContent(body, context, onContinuation),
  };
}

/** Answers that reach the limit of one call are continued by the next; see `continued-chat.ts`. */
class GoogleAdapter extends OperationAdapter {
  override chat(request: ChatRequest, options: CallOptions = {}): Promise<ChatResponse> {
    return continuedChat(
      (token, onContinuation, callOptions) => this.chatWith(chatCodec(token, onContinuation), request, callOptions),
      this.caller.clock,
      options,
    );
  }

  override chatStream(request: ChatRequest, options: CallOptions = {}): AsyncIterableIterator<ChatResponse> {
    const context = { providerId: this.id, request };
    return new ContinuedStream(
      (token, onContinuation, callOptions) =>
        new ChatStream({
          caller: this.caller,
          codec: chatCodec(token, onContinuation),
          context,
          options: callOptions,
        }),
      this.caller.clock,
      options,
    );
  }
}

export const GOOGLE_WIRE: VendorWire = {
  chat: CHAT,
  embed: { encode: encodeEmbeddings, decode: decodeEmbeddings, inputsMax: 100 },
  modelList: { path: "/models?pageSize=1000", decode: decodeModels, nextPath: nextModelsPath },
  probe: { path: "/models?pageSize=1", warnings: [] },
  requestIdHeader: "x-request-id",
  classify: classifyGoogle,
  // Google sends no limits with its answers; what is known comes from refusals.
  limits: () => [],
};

export function createGoogleAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  return new GoogleAdapter(
    {
      config,
      features: [
        "chat",
        "embed",
        "streaming",
        "tools",
        "structured-output",
        "vision-input",
        "audio-input",
        "reasoning",
        "vision",
        "transcribe",
        "speak",
        "image",
        "realtime",
        "job",
      ],
      baseUrl: withVersion(config.baseUrl ?? "https://generativelanguage.googleapis.com", "v1beta"),
      headers: config.apiKey === undefined ? {} : { "x-goog-api-key": config.apiKey },
      wire: GOOGLE_WIRE,
      knownModels: GOOGLE_MODELS,
      featuresOf: featuresOfGoogle,
      recognises: (model) => /^(?:gemini|imagen|veo|learnlm)-/.test(model),
      retiredModels: RETIRED_GOOGLE_MODELS,
    },
    { ...googleOperations(CHAT), job: VEO_JOBS },
    deps,
  );
}
