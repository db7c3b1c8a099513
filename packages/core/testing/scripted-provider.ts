import type { ProviderFailure } from "../src/errors/provider-failure.ts";
import { ProviderError } from "../src/errors/provider-failure.ts";
import type { ChatRequest, ChatResponse, StreamPart } from "../src/model/chat.ts";
import type { EmbeddingRequest, EmbeddingResponse } from "../src/model/embedding.ts";
import type { Usage } from "../src/model/measure.ts";
import type { ModelInfo, ProviderHealth, ProviderType, SupportedFeatures } from "../src/model/provider-info.ts";
import type { Clock } from "../src/ports/clock.ts";
import { collectChat, toBatch } from "../src/providers/collect-chat.ts";
import type { CallOptions, IdentifiedAdapter } from "../src/providers/provider-adapter.ts";

/** One line of a script. Text is a delta, a number a wait in milliseconds; several parts in an array are one batch. */
export type ScriptLine =
  | string
  | number
  | StreamPart
  | readonly StreamPart[]
  /** Thrown before the first part; sent as the part `error` after it. */
  | { readonly fail: ProviderFailure["code"]; readonly status?: number; readonly retryAfterMs?: number }
  /** The stream ends without a terminal part. */
  | { readonly cut: true }
  /** Nothing more ever comes, until the call is aborted. */
  | { readonly hang: true }
  | { readonly call: string; readonly args: unknown; readonly id?: string };

/** What one call does: lines, or a function of the request and the number of earlier calls. A `finish` is added at the end. */
export type Script = readonly ScriptLine[] | ((request: ChatRequest, call: number) => readonly ScriptLine[]);

export interface ScriptedOptions {
  readonly id?: string;
  readonly type?: ProviderType;
  readonly region?: string;
  readonly models?: readonly (string | ModelInfo)[];
  readonly clock: Clock;
  readonly script?: Script;
  readonly retired?: Readonly<Record<string, string>>;
}

const FEATURES: SupportedFeatures[] = ["chat", "embed", "streaming", "tools", "structured-output", "vision-input"];

/** A provider that does what its script says, on the clock of the test. It remembers every call and how it ended. */
export class ScriptedProvider implements IdentifiedAdapter {
  readonly id: string;
  readonly type: ProviderType;
  readonly region: string;
  readonly supportedFeatures = FEATURES;
  /** Requests in the order they came. */
  readonly requests: ChatRequest[] = [];
  /** `finished`, `failed`, `cut` or `aborted`, one for each call that has ended. */
  readonly endings: string[] = [];
  /** May be replaced while a test runs. */
  script: Script;
  readonly #models: readonly ModelInfo[];
  readonly #clock: Clock;
  readonly #retired: Readonly<Record<string, string>>;

  constructor(options: ScriptedOptions) {
    this.id = options.id ?? "scripted";
    this.type = options.type ?? "custom";
    this.region = options.region ?? "here";
    this.script = options.script ?? ["Hello."];
    this.#clock = options.clock;
    this.#retired = options.retired ?? {};
    this.#models = (options.models ?? ["m1"]).map((model) =>
      typeof model === "string" ? { id: model, features: FEATURES } : model,
    );
  }

  models(): readonly ModelInfo[] {
    return this.#models;
  }

  retiredModels(): Readonly<Record<string, string>> {
    return this.#retired;
  }

  chat(request: ChatRequest, options?: CallOptions): Promise<ChatResponse> {
    return collectChat(this.chatStream(request, options));
  }

  async *chatStream(request: ChatRequest, options: CallOptions = {}): AsyncGenerator<ChatResponse> {
    const script = typeof this.script === "function" ? this.script(request, this.requests.length) : this.script;
    this.requests.push(request);
    const batch = (parts: readonly StreamPart[]): ChatResponse => toBatch(`${this.id}-1`, request.model, parts);
    let ending = "aborted";
    let toolIndex = 0;
    let characters = 0;
    let hasStarted = false;
    try {
      for (const line of script) {
        if (typeof line === "number") {
          await this.#wait(line, options.signal);
          continue;
        }
        if (typeof line === "object" && "hang" in line) await this.#wait(Infinity, options.signal);
        if (typeof line === "object" && "cut" in line) {
          ending = "cut";
          return;
        }
        if (typeof line === "object" && "fail" in line) {
          ending = "failed";
          const failure = this.#failure(line, hasStarted);
          if (!hasStarted) throw new ProviderError(failure);
          yield batch([{ type: "error", failure }]);
          return;
        }
        const parts = partsOf(line, toolIndex);
        if (typeof line === "object" && "call" in line) toolIndex += 1;
        for (const part of parts) if (part.type === "text-delta") characters += part.text.length;
        hasStarted = true;
        if (parts.at(-1)?.type === "finish") ending = "finished";
        yield batch(parts);
        if (ending === "finished") return;
      }
      ending = "finished";
      const usage = usageOf(Math.ceil(characters / 4));
      const reason = toolIndex > 0 ? "tool_calls" : "stop";
      yield batch([
        { type: "usage", usage, isFinal: true },
        { type: "finish", reason, raw: reason },
      ]);
    } finally {
      this.endings.push(ending);
    }
  }

  async embeddings(request: EmbeddingRequest): Promise<EmbeddingResponse> {
    return { model: request.model, vectors: request.input.map((text) => [text.length, 1]), usage: usageOf(0) };
  }

  async healthCheck(): Promise<ProviderHealth> {
    return { state: "healthy", errorRate: 0, sinceMs: 0, checkedBy: "probe" };
  }

  async getAvailableModels(): Promise<string[]> {
    return this.#models.map((model) => model.id);
  }

  getRateLimits(): { requestsPerMinute: number; tokensPerMinute: number } {
    return { requestsPerMinute: 600, tokensPerMinute: 100_000 };
  }

  async close(): Promise<void> {}

  #failure(line: Extract<ScriptLine, { fail: unknown }>, partialOutput: boolean): ProviderFailure {
    return {
      code: line.fail,
      providerId: this.id,
      message: `scripted ${line.fail}`,
      retryable: true,
      scope: "model",
      partialOutput,
      billed: "no",
      ...(line.status === undefined ? {} : { status: line.status }),
      ...(line.retryAfterMs === undefined ? {} : { retryAfterMs: line.retryAfterMs }),
    };
  }

  #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        cancel();
        reject(new ProviderError(this.#failure({ fail: "aborted" }, false)));
      };
      const finish = (): void => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const cancel = ms === Infinity ? (): void => undefined : this.#clock.schedule(ms, finish);
      if (signal?.aborted === true) return onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

function partsOf(line: Exclude<ScriptLine, number>, toolIndex: number): readonly StreamPart[] {
  if (typeof line === "string") return [{ type: "text-delta", index: 0, text: line }];
  if (Array.isArray(line)) return line as readonly StreamPart[];
  if ("call" in line) {
    const args = JSON.stringify(line.args);
    return [
      { type: "tool-start", index: toolIndex, id: line.id ?? `call_${toolIndex}`, name: line.call },
      { type: "tool-delta", index: toolIndex, args },
      { type: "tool-end", index: toolIndex, args },
    ];
  }
  return [line as StreamPart];
}

function usageOf(outputTokens: number): Usage {
  return { input: { total: 10, cacheRead: 0, cacheWrite: 0 }, output: { total: outputTokens }, source: "provider" };
}
