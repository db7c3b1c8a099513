import type { OpenAiProfile } from "../openai/profile.ts";

/** What a server of the family does differently, beside the profile itself. */
export interface Dialect {
  readonly profile: OpenAiProfile;
  /** Path to add where the base URL names a server alone. */
  readonly path: string;
  /** Header the key goes into; bearer where absent. */
  readonly keyHeader?: string;
}

const never = (): boolean => false;
const always = (): boolean => true;

/** What every server of the family takes. */
const COMMON: OpenAiProfile = {
  type: "custom",
  chatPath: "/chat/completions",
  embedPath: "/embeddings",
  modelsPath: "/models",
  isReasoningModel: never,
  reasoningSystemRole: "system",
  takesReasoningEffort: always,
  tokenLimitName: "max_tokens",
  takesTopK: true,
  takesVideo: false,
  takesCacheKey: false,
  endUserName: "user",
  isDoneEnough: false,
  embedsBase64: false,
  embedInputsMax: 256,
  embedsTokens: false,
};

/** Fields a server does not know are ignored by nearly all, so usage is asked for. */
export const COMPATIBLE_PROFILE: OpenAiProfile = { ...COMMON, streamOptions: { include_usage: true } };

/** A server of one's own knows its model's tokenizer; it is asked, and refuses what it cannot take. */
const OWN_SERVER: Partial<OpenAiProfile> = { embedsTokens: true };

function dialect(
  profile: Partial<OpenAiProfile>,
  more: Omit<Dialect, "profile" | "path"> & { path?: string } = {},
): Dialect {
  return { path: "", ...more, profile: { ...COMPATIBLE_PROFILE, ...profile } };
}

/** Sources: each server's own compatibility page. */
export const DIALECTS: Readonly<Record<string, Dialect | undefined>> = {
  __proto__: null as never,
  "openai-compatible": dialect(OWN_SERVER),
  ollama: dialect({}, { path: "v1" }),
  vllm: dialect({ ...OWN_SERVER, takesVideo: true }, { path: "v1" }),
  "llama.cpp": dialect({ ...OWN_SERVER, isDoneEnough: true }, { path: "v1" }),
  "lm-studio": dialect(OWN_SERVER, { path: "v1" }),
  groq: dialect({ takesTopK: false }, { path: "openai/v1" }),
  // Some of its upstreams close with [DONE] and usage alone; its own failures come as error events.
  openrouter: dialect({ takesCacheKey: true, isDoneEnough: true }, { path: "api/v1" }),
  mistral: dialect({ takesTopK: false, takesReasoningEffort: never }, { path: "v1" }),
  deepseek: dialect({ takesTopK: false, takesReasoningEffort: never }),
  // Azure's v1 surface takes the key in a header of its own; the classic one also wants a version in every address.
  azure: dialect({ takesTopK: false, embedsBase64: true, embedsTokens: true }, { keyHeader: "api-key" }),
  // Servers that refuse what they do not know.
  minimal: {
    path: "",
    profile: { ...COMMON, takesTopK: false, takesReasoningEffort: never, isDoneEnough: true },
  },
};

/** Speaks no OpenAI at all: see ../ollama. */
export const OLLAMA_NATIVE = "ollama-native";

export const DIALECT_NAMES: readonly string[] = [...Object.keys(DIALECTS), OLLAMA_NATIVE];

/** Classic Azure addresses name a deployment, and need the version of the interface in every address. */
export function azureQuery(baseUrl: string): string | undefined {
  return /\/openai\/deployments\//.test(baseUrl) ? "api-version=2024-10-21" : undefined;
}
