import type { JsonSchema } from "./modality.ts";
import type { LimitSnapshot, Usage } from "./measure.ts";
import type { ProviderFailure } from "../errors/provider-failure.ts";
import type { ProviderType } from "./provider-info.ts";
import type { XRContext } from "./xr-context.ts";

export type MediaData = { readonly bytes: Uint8Array } | { readonly url: string } | { readonly ref: string };

/** A piece of a message. `tool-call.args` is JSON text; `opaque` values go back only to the provider that made them. */
export type ContentPart =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "media";
      readonly kind: "image" | "audio" | "video" | "file";
      readonly mime: string;
      readonly data: MediaData;
      readonly detail?: string;
      readonly name?: string;
    }
  | {
      readonly type: "reasoning";
      readonly text?: string;
      readonly opaque?: { readonly provider: ProviderType; readonly value: string };
    }
  | {
      readonly type: "tool-call";
      readonly id: string;
      readonly name: string;
      readonly args: string;
      readonly opaque?: { readonly provider: ProviderType; readonly value: string };
    }
  | {
      readonly type: "tool-result";
      readonly id: string;
      readonly name: string;
      readonly content: readonly ContentPart[];
      readonly isError?: boolean;
    }
  | {
      readonly type: "citation";
      readonly url?: string;
      readonly title?: string;
      readonly start?: number;
      readonly end?: number;
    };

export interface Message {
  readonly role: "user" | "assistant" | "tool";
  readonly content: readonly ContentPart[];
  readonly name?: string;
}

export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  readonly schema: JsonSchema;
  readonly strict?: boolean;
}

export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

export type OutputFormat =
  | { readonly kind: "text" }
  | { readonly kind: "json" }
  | { readonly kind: "schema"; readonly name: string; readonly schema: JsonSchema; readonly strict: boolean };

export interface Sampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
}

export type ReasoningEffort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

/** One model call in canonical form. Every field a codec cannot send is returned as a warning, never swallowed. */
export interface ChatRequest {
  /** Provider-native model id, already routed. */
  readonly model: string;
  readonly system?: readonly string[];
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolDefinition[];
  readonly toolChoice?: ToolChoice;
  readonly parallelTools?: boolean;
  readonly output?: OutputFormat;
  readonly modalities?: readonly ("text" | "audio")[];
  readonly voice?: { readonly id: string; readonly format: string };
  readonly sampling?: Sampling;
  readonly maxOutputTokens?: number;
  readonly reasoning?: { readonly effort?: ReasoningEffort; readonly budgetTokens?: number; readonly show?: boolean };
  /** What the caller marks as worth caching: everything up to these messages, the system text, the tools. */
  readonly cacheHints?: {
    readonly key?: string;
    readonly breakpoints?: readonly number[];
    readonly system?: boolean;
    readonly tools?: boolean;
    /** How long, where the vendor lets one choose. */
    readonly ttl?: "5m" | "1h";
  };
  /** End user as the application names them, forwarded where the vendor takes one (abuse tracing). */
  readonly endUser?: string;
  readonly providerOptions?: Readonly<Partial<Record<ProviderType, Readonly<Record<string, unknown>>>>>;
  /** The frozen XR context of the turn; providers that reason over geometry themselves (embedded) read it. */
  readonly xr?: XRContext;
}

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "refusal" | "paused" | "other";

export interface Warning {
  /** Path of the field in the canonical request. */
  readonly field: string;
  readonly message: string;
}

/**
 * What a provider's stream is made of. Invariants (docs/spec/providers.md): exactly one terminal part, `finish` or
 * `error`, and it is last; `tool-delta` of an index only between its `tool-start` and `tool-end`, and the pieces joined
 * equal `tool-end.args`; `usage` is cumulative, the last one counts.
 */
export type StreamPart =
  | {
      readonly type: "start";
      readonly id?: string;
      readonly model?: string;
      readonly requestId?: string;
      readonly warnings?: readonly Warning[];
    }
  | { readonly type: "accepted" }
  | { readonly type: "text-delta"; readonly index: number; readonly text: string }
  | { readonly type: "reasoning-delta"; readonly index: number; readonly text?: string; readonly opaque?: string }
  | { readonly type: "refusal-delta"; readonly text: string }
  | { readonly type: "tool-start"; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: "tool-delta"; readonly index: number; readonly args: string }
  | { readonly type: "tool-end"; readonly index: number; readonly args: string; readonly opaque?: string }
  | {
      readonly type: "audio-delta";
      readonly bytes: Uint8Array;
      readonly mime: string;
      readonly transcript?: string;
    }
  | {
      readonly type: "media";
      readonly mime: string;
      readonly data: MediaData;
      readonly role: "image" | "video" | "mesh" | "splat" | "thumbnail" | "file";
    }
  | {
      readonly type: "citation";
      readonly url?: string;
      readonly title?: string;
      readonly start?: number;
      readonly end?: number;
    }
  | { readonly type: "progress"; readonly fraction?: number; readonly note?: string; readonly logs?: string }
  | { readonly type: "usage"; readonly usage: Usage; readonly isFinal: boolean }
  | { readonly type: "limits"; readonly limits: LimitSnapshot }
  | { readonly type: "finish"; readonly reason: FinishReason; readonly raw: string }
  | { readonly type: "error"; readonly failure: ProviderFailure };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** Complete, valid JSON text. */
  readonly args: string;
  readonly opaque?: string;
}

/**
 * From `chat`: the whole answer. From `chatStream`: one batch, its `parts` those decoded from one network read and
 * `text`, `toolCalls` what that batch adds; `finishReason` is present in the last batch only.
 */
export interface ChatResponse {
  readonly id: string;
  readonly model: string;
  readonly parts: readonly StreamPart[];
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason?: FinishReason;
  readonly usage?: Usage;
}
