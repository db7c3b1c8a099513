import type { Modality } from "./modality.ts";

export type ProviderType =
  | "openai"
  | "anthropic"
  | "google"
  | "huggingface"
  | "cohere"
  | "replicate"
  | "together"
  | "custom"
  | "worldlabs"
  | "embedded";

export const PROVIDER_TYPES: readonly ProviderType[] = [
  "openai",
  "anthropic",
  "google",
  "huggingface",
  "cohere",
  "replicate",
  "together",
  "custom",
  "worldlabs",
  "embedded",
];

export type Operation = "chat" | "embed" | "rerank" | "transcribe" | "speak" | "image" | "vision" | "job" | "realtime";

/** Specification: SupportedFeatures. What a provider, or one of its models, can be asked for. */
export type SupportedFeatures =
  | Operation
  | "streaming"
  | "tools"
  | "structured-output"
  | "vision-input"
  | "audio-input"
  | "reasoning"
  | "spatial"
  | "spatial-actions";

export interface ModelInfo {
  readonly id: string;
  readonly features: readonly SupportedFeatures[];
  readonly input?: readonly Modality[];
  readonly output?: readonly Modality[];
  readonly contextTokens?: number;
  readonly outputTokensMax?: number;
}

export interface ProviderHealth {
  readonly state: "healthy" | "degraded" | "unhealthy" | "unknown";
  /** Round trip of the last active probe. */
  readonly latencyMs?: number;
  /** Share of failed calls in the passive window, 0 to 1. */
  readonly errorRate: number;
  /** Monotonic time since when the state holds. */
  readonly sinceMs: number;
  readonly lastFailure?: string;
  readonly checkedBy: "probe" | "traffic" | "configuration";
}

/** One configured provider. The key is named by the gateway's vault, never carried here. */
export interface ProviderConfig {
  readonly id: string;
  readonly type: ProviderType;
  readonly baseUrl?: string;
  /** Resolved by the gateway from `${ENV_NAME}`; absent for keyless providers. */
  readonly apiKey?: string;
  /** Several keys of the same account or of several: each is a cell of its own, and where one is dead the others go on. */
  readonly apiKeys?: readonly string[];
  /** Last day, UTC, on which the vendor accepts the key (`2027-01-31`): calls move away from it before. */
  readonly apiKeyExpires?: string;
  readonly models?: readonly string[];
  readonly region?: string;
  /** Relative preference, 1 when absent. */
  readonly weight?: number;
  /** Operator's price; overrides the price list. */
  readonly price?: ProviderPrice;
  /** Operator's price by model, read before `price`; a trailing `*` matches any rest of a name. */
  readonly prices?: Readonly<Record<string, ProviderPrice>>;
  readonly organization?: string;
  readonly dialect?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly allowPrivateAddress?: boolean;
  /** Send the caller's W3C trace context to this provider: off, because it tells a third party who asked when. */
  readonly forwardTraceparent?: boolean;
  /** Signs what the vendor sends back of its own accord (Replicate: `whsec_…`). */
  readonly webhookSecret?: string;
  /** Where the vendor sends it: the public address of this gateway's `/v1/webhooks/<id>`. */
  readonly webhookUrl?: string;
}

/** US dollars. What is used and has no price here makes the whole unpriced. */
export interface ProviderPrice {
  readonly inputPerMillion?: number;
  readonly outputPerMillion?: number;
  readonly cacheReadPerMillion?: number;
  readonly cacheWritePerMillion?: number;
  readonly audioInputPerMillion?: number;
  readonly audioOutputPerMillion?: number;
  readonly perComputeSecond?: number;
  readonly perAudioMinute?: number;
  readonly perMillionCharacters?: number;
  readonly perImage?: number;
  readonly perSearch?: number;
}

/** Specification: IAIProvider. What is known of a provider beside how to reach it. */
export interface IAIProvider {
  readonly id: string;
  readonly type: ProviderType;
  readonly displayName: string;
  readonly models: readonly ModelInfo[];
  readonly region?: string;
}
