import type { ModelInfo, SupportedFeatures } from "@fovea/core";
import { arrayOf, recordOf, stringOf } from "../json-body.ts";

/** `vision`: what sees and answers in a schema can be asked for boxes. */
const CHAT: readonly SupportedFeatures[] = [
  "chat",
  "streaming",
  "tools",
  "structured-output",
  "vision-input",
  "vision",
];

/** OpenAI's list names models and nothing else; what each can do follows from the family in its name. */
export function featuresOfOpenAi(model: string): readonly SupportedFeatures[] {
  if (/embedding/.test(model)) return ["embed"];
  if (/transcribe|whisper/.test(model)) return ["transcribe"];
  if (/^(?:tts-|.*-tts)/.test(model)) return ["speak"];
  if (/realtime|gpt-live/.test(model)) return ["realtime", "audio-input"];
  if (/image|dall-e/.test(model)) return ["image"];
  if (/moderation/.test(model)) return [];
  if (/audio/.test(model)) return [...CHAT.filter((feature) => !feature.startsWith("vision")), "audio-input"];
  if (/^(?:o\d|gpt-(?:[5-9]|\d\d))/.test(model)) return [...CHAT, "reasoning"];
  return CHAT;
}

/** `gpt-oss` is open: whoever runs it may be meant. */
export function isOpenAiModel(model: string): boolean {
  return /^(?:ft:)?(?:gpt-(?!oss)|o\d|chatgpt-|text-embedding-(?:ada|3)|whisper-1$|tts-1|dall-e-|codex-)/.test(model);
}

/** Current models of the developer documentation as of 2026-11; retired ones are left out on purpose. */
export const OPENAI_MODELS: readonly ModelInfo[] = [
  { id: "gpt-5.4", contextTokens: 400_000, outputTokensMax: 128_000 },
  { id: "gpt-5.4-mini", contextTokens: 400_000, outputTokensMax: 128_000 },
  { id: "gpt-4.1", contextTokens: 1_047_576, outputTokensMax: 32_768 },
  { id: "gpt-4.1-mini", contextTokens: 1_047_576, outputTokensMax: 32_768 },
  { id: "gpt-4o", contextTokens: 128_000, outputTokensMax: 16_384 },
  { id: "gpt-4o-mini", contextTokens: 128_000, outputTokensMax: 16_384 },
  { id: "text-embedding-3-small", contextTokens: 8_192 },
  { id: "text-embedding-3-large", contextTokens: 8_192 },
  { id: "gpt-transcribe" },
  { id: "whisper-1" },
  { id: "gpt-4o-mini-tts" },
  { id: "gpt-realtime-2.1-mini" },
  { id: "gpt-image-2.5-flare" },
].map((model) => ({ ...model, features: featuresOfOpenAi(model.id) }));

/** `{object: "list", data: […]}`, or the bare array that Together sends. */
export function decodeModelList(
  body: unknown,
  featuresOf: (model: string) => readonly SupportedFeatures[],
): readonly ModelInfo[] {
  const rows = Array.isArray(body) ? body : arrayOf(recordOf(body)?.["data"]);
  return rows.flatMap((row) => {
    const id = stringOf(recordOf(row)?.["id"]);
    return id === undefined ? [] : [{ id, features: featuresOf(id) }];
  });
}
