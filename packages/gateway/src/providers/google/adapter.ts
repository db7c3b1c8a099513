import type { IdentifiedAdapter, ProviderConfig } from "@fovea/core";
import { EventDecoder } from "../event-decoder.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import type { ChatCodec, VendorWire } from "../vendor-wire.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import { withVersion } from "../base-url.ts";
import { decodeContent, GoogleAnswer } from "./chat-from-provider.ts";
import { encodeContents } from "./chat-to-provider.ts";
import { decodeEmbeddings, encodeEmbeddings } from "./embeddings.ts";
import { googleOperations } from "./operations.ts";
import { classifyGoogle } from "./failures.ts";
import { decodeModels, featuresOfGoogle, GOOGLE_MODELS, nextModelsPath } from "./models.ts";

const CHAT: ChatCodec = {
  encode: encodeContents,
  decoder: (context) => new EventDecoder(new GoogleAnswer(context)),
  decode: decodeContent,
};

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
        "audio-input",
        "reasoning",
        "vision",
        "transcribe",
        "speak",
        "image",
        "realtime",
      ],
      baseUrl: withVersion(config.baseUrl ?? "https://generativelanguage.googleapis.com", "v1beta"),
      headers: config.apiKey === undefined ? {} : { "x-goog-api-key": config.apiKey },
      wire: GOOGLE_WIRE,
      knownModels: GOOGLE_MODELS,
      featuresOf: featuresOfGoogle,
    },
    googleOperations(CHAT),
    deps,
  );
}
