import type { IdentifiedAdapter, ModelInfo, ProviderConfig, SupportedFeatures } from "@fovea/core";
import { bearer } from "../bearer.ts";
import { withoutVersion } from "../base-url.ts";
import { COMPATIBLE_PROFILE } from "../custom/dialects.ts";
import { arrayOf, countOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { OpenAiProfile } from "../openai/profile.ts";
import { openAiWire } from "../openai/wire.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import type { VendorWire } from "../vendor-wire.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import { classifyHuggingFace } from "./failures.ts";
import { huggingFaceOperations, isSegmenting } from "./operations.ts";
import { decodeFeatureExtraction, encodeFeatureExtraction, endpointTaskPath, taskPath } from "./tasks.ts";

/** The upstreams behind the router change without notice: nothing beyond the common fields is relied on. */
export const HUGGINGFACE_PROFILE: OpenAiProfile = {
  ...COMPATIBLE_PROFILE,
  type: "huggingface",
  chatPath: "/v1/chat/completions",
  modelsPath: "/v1/models",
};

const CHAT: readonly SupportedFeatures[] = ["chat", "streaming", "tools", "structured-output"];

function featuresOfHuggingFace(model: string): readonly SupportedFeatures[] {
  if (/embed|bge-|e5-|gte-|minilm|sentence-transformers/i.test(model)) return ["embed"];
  if (/whisper/i.test(model)) return ["transcribe"];
  if (/detr|yolos|grounding-dino|owlv/i.test(model) || isSegmenting(model)) return ["vision"];
  if (/-tts\b|\btts-|mms-tts|bark|kokoro|speecht5|parler/i.test(model)) return ["speak"];
  if (/flux|stable-diffusion/i.test(model)) return ["image"];
  return /-vl\b|vision|gemma-3|llama-4|scout|maverick/i.test(model) ? [...CHAT, "vision-input"] : CHAT;
}

/** The router lists each model with the upstreams that serve it: a feature counts when one of them has it. */
function decodeModels(body: unknown): readonly ModelInfo[] {
  return arrayOf(recordOf(body)?.["data"]).flatMap((row) => {
    const model = recordOf(row);
    const id = stringOf(model?.["id"]);
    return model === undefined || id === undefined ? [] : [describe(id, model)];
  });
}

function describe(id: string, model: JsonRecord): ModelInfo {
  const upstreams = arrayOf(model["providers"])
    .map(recordOf)
    .filter((upstream) => upstream !== undefined);
  if (upstreams.length === 0) return { id, features: featuresOfHuggingFace(id) };
  const features: SupportedFeatures[] = ["chat", "streaming"];
  if (upstreams.some((upstream) => upstream["supports_tools"] === true)) features.push("tools");
  if (upstreams.some((upstream) => upstream["supports_structured_output"] === true)) features.push("structured-output");
  const input = arrayOf(recordOf(model["architecture"])?.["input_modalities"]);
  if (input.includes("image")) features.push("vision-input");
  if (input.includes("audio")) features.push("audio-input");
  const contexts = upstreams.flatMap((upstream) => countOf(upstream["context_length"]) ?? []);
  return { id, features, ...(contexts.length === 0 ? {} : { contextTokens: Math.max(...contexts) }) };
}

export const HUGGINGFACE_WIRE: VendorWire = {
  ...openAiWire(HUGGINGFACE_PROFILE, featuresOfHuggingFace),
  embed: {
    encode: (request) => encodeFeatureExtraction(request, taskPath),
    decode: decodeFeatureExtraction,
    inputsMax: 128,
  },
  modelList: { path: "/v1/models", decode: decodeModels },
  classify: classifyHuggingFace,
};

/** A dedicated endpoint: chat below /v1 where its container has it, the model's task at the root. */
const { modelList: _none, ...ROUTER_WIRE } = HUGGINGFACE_WIRE;
const ENDPOINT_WIRE: VendorWire = {
  ...ROUTER_WIRE,
  embed: {
    encode: (request) => encodeFeatureExtraction(request, endpointTaskPath),
    decode: decodeFeatureExtraction,
    inputsMax: 128,
  },
  probe: { path: "/health", warnings: [] },
};

const MODELS: readonly ModelInfo[] = [
  "meta-llama/Llama-3.3-70B-Instruct",
  "Qwen/Qwen2.5-VL-7B-Instruct",
  "openai/gpt-oss-20b",
  "sentence-transformers/all-MiniLM-L6-v2",
  "facebook/detr-resnet-50",
  "openai/whisper-large-v3",
].map((id) => ({ id, features: featuresOfHuggingFace(id) }));

export function createHuggingFaceAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  const isEndpoint = config.dialect === "endpoint";
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
        "vision",
        "transcribe",
        "speak",
        "image",
      ],
      baseUrl: withoutVersion(config.baseUrl ?? "https://router.huggingface.co"),
      headers: {
        ...bearer(config),
        ...(config.organization === undefined ? {} : { "x-hf-bill-to": config.organization }),
      },
      wire: isEndpoint ? ENDPOINT_WIRE : HUGGINGFACE_WIRE,
      knownModels: isEndpoint ? [] : MODELS,
      featuresOf: featuresOfHuggingFace,
    },
    huggingFaceOperations(isEndpoint ? endpointTaskPath : taskPath),
    deps,
  );
}
