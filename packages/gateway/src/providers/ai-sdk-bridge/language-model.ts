// What the bridge uses of the AI SDK's LanguageModelV4, as a structure: the package is the operator's, not Fovea's, and
// its interface has changed every half year. Source: @ai-sdk/provider 4, type declarations.

export interface LanguageModelV4 {
  readonly specificationVersion: "v4";
  readonly provider: string;
  readonly modelId: string;
  doStream(options: ModelCall): PromiseLike<{ readonly stream: ReadableStream<ModelPart> }>;
}

export interface ModelCall {
  readonly prompt: readonly ModelMessage[];
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly stopSequences?: string[];
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly responseFormat?: { readonly type: "json"; readonly schema?: unknown; readonly name?: string };
  readonly tools?: readonly {
    readonly type: "function";
    readonly name: string;
    readonly description?: string;
    readonly inputSchema: unknown;
  }[];
  readonly toolChoice?:
    | { readonly type: "auto" | "none" | "required" }
    | { readonly type: "tool"; readonly toolName: string };
  readonly reasoning?: string;
  readonly providerOptions?: Readonly<Record<string, unknown>>;
  readonly abortSignal?: AbortSignal;
}

export interface ModelMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | readonly Readonly<Record<string, unknown>>[];
}

/** Parts are read field by field: models of other packages make them, and a new kind must not break a stream. */
export type ModelPart = Readonly<Record<string, unknown>>;
