import type { IdentifiedAdapter, ModelInfo, ProviderConfig, SupportedFeatures } from "@fovea/core";
import { bearer } from "../bearer.ts";
import { COMPATIBLE_PROFILE } from "../custom/dialects.ts";
import { arrayOf, countOf, recordOf, stringOf } from "../json-body.ts";
import type { OpenAiProfile } from "../openai/profile.ts";
import { openAiWire } from "../openai/wire.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import type { VendorWire } from "../vendor-wire.ts";
import { OPENAI_TRANSCRIBE, TOGETHER_SPEAK } from "../openai/audio.ts";
import { decodeImages } from "../openai/images.ts";
import { TOGETHER_REALTIME } from "../realtime.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import type { OperationWire } from "../operation-wire.ts";
import { rerankCodec } from "../rerank.ts";
import { togetherVideos } from "./videos.ts";

export const TOGETHER_PROFILE: OpenAiProfile = { ...COMPATIBLE_PROFILE, type: "together", takesVideo: true };

const CHAT: readonly SupportedFeatures[] = ["chat", "streaming", "tools", "structured-output", "vision-input"];

function featuresOfTogether(model: string): readonly SupportedFeatures[] {
  if (/embed|bge-|e5-|gte-|m2-bert/i.test(model)) return ["embed"];
  if (/rerank/i.test(model)) return ["rerank"];
  if (/whisper|transcrib/i.test(model)) return ["transcribe"];
  if (/flux|stable-diffusion|imagen/i.test(model)) return ["image"];
  if (/veo|kling|hailuo|seedance|pixverse|sora|wan-?2|vidu|video/i.test(model)) return ["job"];
  if (/sonic|orpheus|kokoro|-tts/i.test(model)) return ["speak"];
  return /deepseek-r|gpt-oss|thinking|qwen3/i.test(model) ? [...CHAT, "reasoning"] : CHAT;
}

const FEATURES_OF_TYPE: Readonly<Record<string, readonly SupportedFeatures[] | undefined>> = {
  __proto__: null as never,
  chat: CHAT,
  language: CHAT,
  code: CHAT,
  image: ["image"],
  embedding: ["embed"],
  rerank: ["rerank"],
  audio: ["speak"],
  transcribe: ["transcribe"],
  moderation: [],
  video: ["job"],
};

/** A bare array that says what each model is for. */
function decodeModels(body: unknown): readonly ModelInfo[] {
  const rows = Array.isArray(body) ? body : arrayOf(recordOf(body)?.["data"]);
  return rows.flatMap((row) => {
    const model = recordOf(row);
    const id = stringOf(model?.["id"]);
    if (model === undefined || id === undefined) return [];
    const contextTokens = countOf(model["context_length"]);
    const features = FEATURES_OF_TYPE[stringOf(model["type"]) ?? ""] ?? featuresOfTogether(id);
    return [{ id, features, ...(contextTokens === undefined || contextTokens === 0 ? {} : { contextTokens }) }];
  });
}

const WIRE = openAiWire(TOGETHER_PROFILE, featuresOfTogether);

export const TOGETHER_WIRE: VendorWire = { ...WIRE, modelList: { path: "/models", decode: decodeModels } };

const OPERATIONS: OperationWire = {
  transcribe: OPENAI_TRANSCRIBE,
  speak: TOGETHER_SPEAK,
  realtime: TOGETHER_REALTIME,
  rerank: rerankCodec("/rerank"),
  image: {
    answers: "json",
    encode: (request) => {
      const [width, height] = (request.size ?? "").split("x").map(Number);
      const isSized = width !== undefined && height !== undefined && width > 0 && height > 0;
      const unsent = (["quality", "background", "source"] as const).filter((name) => request[name] !== undefined);
      const body = {
        model: request.model,
        prompt: request.prompt,
        response_format: "base64",
        ...(request.count === undefined ? {} : { n: request.count }),
        ...(isSized ? { width, height } : {}),
        ...(request.format === undefined || request.format === "webp" ? {} : { output_format: request.format }),
      };
      const warnings = unsent.map((field) => ({ field, message: "is not sent to this provider" }));
      return { path: "/images/generations", body: JSON.stringify(body), warnings };
    },
    decode: (body, request, { warnings }) => decodeImages(body, request, warnings),
  },
};

const MODELS: readonly ModelInfo[] = [
  "meta-llama/Llama-3.3-70B-Instruct-Turbo",
  "Qwen/Qwen2.5-7B-Instruct-Turbo",
  "openai/gpt-oss-20b",
  "BAAI/bge-base-en-v1.5",
  "openai/whisper-large-v3",
].map((id) => ({ id, features: featuresOfTogether(id) }));

export function createTogetherAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  const baseUrl = config.baseUrl ?? "https://api.together.ai/v1";
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
        "transcribe",
        "speak",
        "image",
        "rerank",
        "realtime",
        "job",
      ],
      baseUrl,
      headers: bearer(config),
      wire: TOGETHER_WIRE,
      knownModels: MODELS,
      featuresOf: featuresOfTogether,
    },
    { ...OPERATIONS, job: togetherVideos(baseUrl) },
    deps,
  );
}
