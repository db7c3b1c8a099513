import type { ProviderType } from "@fovea/core";

/** Where servers of the chat completions family differ. Data, so that a new server needs no code. */
export interface OpenAiProfile {
  readonly type: ProviderType;
  readonly chatPath: string;
  readonly embedPath: string;
  readonly modelsPath: string;
  readonly streamOptions?: Readonly<Record<string, unknown>>;
  /** Reasoning models refuse sampling fields, `max_tokens` and the role `system`. */
  readonly isReasoningModel: (model: string) => boolean;
  readonly reasoningSystemRole: "developer" | "system";
  readonly takesReasoningEffort: (model: string) => boolean;
  readonly tokenLimitName: "max_tokens" | "max_completion_tokens";
  readonly takesTopK: boolean;
  readonly takesVideo: boolean;
  readonly takesCacheKey: boolean;
  readonly endUserName?: "user" | "safety_identifier";
  /** `[DONE]` without a finish reason counts as the end of the answer. */
  readonly isDoneEnough: boolean;
  /** Ask for vectors as base64, a third of the bytes. */
  readonly embedsBase64: boolean;
  readonly embedInputsMax: number;
  /** Inputs may be arrays of token numbers. */
  readonly embedsTokens: boolean;
}

/** The o-series and GPT-5 and later reason; their `-chat` variants do not. Source: OpenAI model documentation. */
function isOpenAiReasoningModel(model: string): boolean {
  return /^(?:o\d|gpt-(?:[5-9]|\d\d)|codex-|computer-use)/.test(model) && !/^gpt-5(?:\.\d)?-chat/.test(model);
}

export const OPENAI_PROFILE: OpenAiProfile = {
  type: "openai",
  chatPath: "/chat/completions",
  embedPath: "/embeddings",
  modelsPath: "/models",
  // Obfuscation pads every chunk with random characters against traffic analysis; TLS to the vendor is enough here.
  streamOptions: { include_usage: true, include_obfuscation: false },
  isReasoningModel: isOpenAiReasoningModel,
  reasoningSystemRole: "developer",
  takesReasoningEffort: isOpenAiReasoningModel,
  tokenLimitName: "max_completion_tokens",
  takesTopK: false,
  takesVideo: false,
  takesCacheKey: true,
  endUserName: "safety_identifier",
  isDoneEnough: false,
  embedsBase64: true,
  embedInputsMax: 2_048,
  embedsTokens: true,
};
