import type { ChatRequest, ChatResponse } from "../model/chat.ts";
import type { EmbeddingRequest, EmbeddingResponse } from "../model/embedding.ts";
import type {
  IAIProvider,
  ModelInfo,
  ProviderConfig,
  ProviderHealth,
  ProviderType,
  SupportedFeatures,
} from "../model/provider-info.ts";

/** Limits of one call, milliseconds. Every one is enforced by the transport; the caller owns `signal`. */
export interface CallTimeouts {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly firstContentMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeouts?: Partial<CallTimeouts>;
  /** W3C trace context of the caller, forwarded where the operator allows it. */
  readonly traceparent?: string;
}

/**
 * Specification section 1. Failures before the first part are thrown as `ProviderError`; afterwards they are the part
 * `error`, which ends the stream. An adapter never retries: that is the mesh's decision.
 */
export interface IProviderAdapter {
  readonly type: ProviderType;
  readonly supportedFeatures: SupportedFeatures[];

  chat(request: ChatRequest, options?: CallOptions): Promise<ChatResponse>;
  chatStream?(request: ChatRequest, options?: CallOptions): AsyncIterable<ChatResponse>;
  embeddings(request: EmbeddingRequest, options?: CallOptions): Promise<EmbeddingResponse>;

  healthCheck(options?: CallOptions): Promise<ProviderHealth>;
  getAvailableModels(options?: CallOptions): Promise<string[]>;
  getRateLimits(): { requestsPerMinute: number; tokensPerMinute: number };
}

/** What the gateway's own adapters have beyond the specification: an identity, their models, an orderly end. */
export interface IdentifiedAdapter extends IProviderAdapter {
  readonly id: string;
  readonly region: string;
  /** Known without a call: configured or documented models with their features. Routing reads this, never the network. */
  models(): readonly ModelInfo[];
  /** Names this vendor no longer serves, with today's successor: asking for one is answered with that, not with "unknown". */
  retiredModels?(): Readonly<Record<string, string>>;
  /** What a model that no list names can probably do, by its name. */
  featuresOf?(model: string): readonly SupportedFeatures[] | undefined;
  /** Whether a name that no list holds is plainly this vendor's (`claude-…`), so that it is found without the provider's id. */
  recognises?(model: string): boolean;
  chatStream(request: ChatRequest, options?: CallOptions): AsyncIterable<ChatResponse>;
  close(): Promise<void>;
}

/** Specification section 1. `createProvider` throws `configuration_invalid` where `validateConfig` would say false. */
export interface IProviderFactory {
  createProvider(config: ProviderConfig, providerDoc: IAIProvider): IProviderAdapter;
  getSupportedTypes(): ProviderType[];
  validateConfig(type: ProviderType, config: Partial<ProviderConfig>): boolean;
}
