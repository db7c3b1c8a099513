import {
  GatewayError,
  type IdentifiedAdapter,
  type ModelInfo,
  type ProviderConfig,
  type SupportedFeatures,
} from "@fovea/core";
import { bearer } from "../bearer.ts";
import { withVersion } from "../base-url.ts";
import type { OpenAiProfile } from "../openai/profile.ts";
import { openAiWire } from "../openai/wire.ts";
import type { AdapterDeps } from "../provider-caller.ts";
import { OPENAI_SPEAK, OPENAI_TRANSCRIBE } from "../openai/audio.ts";
import { OPENAI_IMAGE } from "../openai/images.ts";
import { OPENAI_REALTIME } from "../realtime.ts";
import { OperationAdapter } from "../operation-adapter.ts";
import { rerankCodec } from "../rerank.ts";
import { ollamaBaseUrl, ollamaWire } from "../ollama/wire.ts";
import { azureQuery, DIALECTS, OLLAMA_NATIVE } from "./dialects.ts";

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
  "rerank",
  "realtime",
];

const CHAT: readonly SupportedFeatures[] = FEATURES.slice(0, FEATURES.indexOf("transcribe")).filter(
  (feature) => feature !== "embed",
);

const OPERATIONS = {
  transcribe: OPENAI_TRANSCRIBE,
  speak: OPENAI_SPEAK,
  image: OPENAI_IMAGE,
  realtime: OPENAI_REALTIME,
  rerank: rerankCodec("/rerank"),
} as const;

/** Nothing describes the models of a custom server; names that say what they are for are believed. */
export function featuresOfCustom(model: string): readonly SupportedFeatures[] {
  if (/realtime/i.test(model)) return ["realtime", "audio-input"];
  if (/embed|bge-|e5-|gte-|minilm/i.test(model)) return ["embed"];
  if (/whisper|transcrib/i.test(model)) return ["transcribe"];
  if (/rerank/i.test(model)) return ["rerank"];
  if (/flux|stable-diffusion|sdxl/i.test(model)) return ["image"];
  if (/kokoro|-tts|piper|orpheus/i.test(model)) return ["speak"];
  return CHAT;
}

export function createCustomAdapter(config: ProviderConfig, deps: AdapterDeps): IdentifiedAdapter {
  const name = config.dialect ?? "openai-compatible";
  if (name === OLLAMA_NATIVE && config.baseUrl !== undefined) return createOllamaAdapter(config, config.baseUrl, deps);
  const dialect = DIALECTS[name];
  if (dialect === undefined || config.baseUrl === undefined) {
    throw new GatewayError("configuration_invalid", `provider ${config.id} has no base URL or an unknown dialect`, {
      providerId: config.id,
      param: dialect === undefined ? "dialect" : "baseUrl",
    });
  }
  const key = config.apiKey;
  const baseUrl = dialect.path === "" ? config.baseUrl : withVersion(config.baseUrl, dialect.path);
  const query = name === "azure" ? azureQuery(baseUrl) : undefined;
  return new OperationAdapter(
    {
      config,
      features: FEATURES,
      baseUrl,
      headers: dialect.keyHeader === undefined || key === undefined ? bearer(config) : { [dialect.keyHeader]: key },
      wire: openAiWire(query === undefined ? dialect.profile : withQuery(dialect.profile, query), featuresOfCustom),
      knownModels: [],
      featuresOf: featuresOfCustom,
      ...(name === "ollama" ? { recognises: isLatest } : {}),
    },
    OPERATIONS,
    deps,
  );
}

/** Ollama lists `llama3.2:latest`, and everyone says `llama3.2`. */
function isLatest(model: string, listed: readonly ModelInfo[]): boolean {
  return listed.some(({ id }) => id === `${model}:latest`);
}

function createOllamaAdapter(config: ProviderConfig, baseUrl: string, deps: AdapterDeps): IdentifiedAdapter {
  return new OperationAdapter(
    {
      config,
      features: ["chat", "embed", "streaming", "tools", "structured-output", "vision-input", "reasoning"],
      baseUrl: ollamaBaseUrl(baseUrl),
      headers: bearer(config),
      wire: ollamaWire(featuresOfCustom),
      knownModels: [],
      featuresOf: featuresOfCustom,
      recognises: isLatest,
    },
    {},
    deps,
  );
}

function withQuery(profile: OpenAiProfile, query: string): OpenAiProfile {
  const add = (path: string): string => `${path}?${query}`;
  return {
    ...profile,
    chatPath: add(profile.chatPath),
    embedPath: add(profile.embedPath),
    modelsPath: add(profile.modelsPath),
  };
}
