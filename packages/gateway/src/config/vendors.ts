import type { ProviderType } from "@fovea/core";

/** How the environment alone configures a vendor. The provider's id is the vendor's type. */
export interface Vendor {
  readonly type: ProviderType;
  readonly name: string;
  readonly keyVariable: string;
  readonly baseUrlVariable: string;
  /** True where the base URL is what switches the vendor on, and the key is optional. */
  readonly isKeyOptional: boolean;
}

const keyed = (type: ProviderType, name: string, keyVariable: string, baseUrlVariable: string): Vendor => ({
  type,
  name,
  keyVariable,
  baseUrlVariable,
  isKeyOptional: false,
});

export const VENDORS: readonly Vendor[] = [
  keyed("openai", "OpenAI", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
  keyed("anthropic", "Anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
  keyed("google", "Google Gemini", "GEMINI_API_KEY", "GEMINI_BASE_URL"),
  keyed("huggingface", "Hugging Face", "HF_TOKEN", "HF_BASE_URL"),
  keyed("cohere", "Cohere", "COHERE_API_KEY", "COHERE_BASE_URL"),
  keyed("replicate", "Replicate", "REPLICATE_API_TOKEN", "REPLICATE_BASE_URL"),
  keyed("together", "Together", "TOGETHER_API_KEY", "TOGETHER_BASE_URL"),
  keyed("worldlabs", "World Labs", "WLT_API_KEY", "WLT_BASE_URL"),
  {
    type: "custom",
    name: "Custom (OpenAI-compatible)",
    keyVariable: "FOVEA_CUSTOM_API_KEY",
    baseUrlVariable: "FOVEA_CUSTOM_BASE_URL",
    isKeyOptional: true,
  },
];

export type Environment = Readonly<Record<string, string | undefined>>;

/** Set and not empty: an empty variable means unset, as shells and compose files write it. */
export function variable(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === undefined || value === "" ? undefined : value;
}
