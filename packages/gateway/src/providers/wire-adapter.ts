import {
  GatewayError,
  type CallOptions,
  type ChatRequest,
  type ChatResponse,
  type EmbeddingRequest,
  type EmbeddingResponse,
  type IdentifiedAdapter,
  type ModelInfo,
  type ProviderConfig,
  type ProviderHealth,
  type ProviderType,
  type SupportedFeatures,
  type Usage,
  ProviderError,
  toBatch,
} from "@fovea/core";
import { ChatStream } from "./chat-stream.ts";
import { ProviderCaller, type AdapterDeps } from "./provider-caller.ts";
import type { ChatCodec, EmbedCodec, VendorWire } from "./vendor-wire.ts";
import { WireFault } from "./wire-fault.ts";

const MODEL_LIST_FRESH_MS = 300_000;
/** A vendor that pages for ever must not keep a listing alive. */
const PAGES_MAX = 20;

export interface WireAdapterOptions {
  readonly config: ProviderConfig;
  readonly features: readonly SupportedFeatures[];
  /** Already resolved from the configuration. */
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly wire: VendorWire;
  /** Documented models and what they can do, for those the operator did not name. */
  readonly knownModels: readonly ModelInfo[];
  /** Features of a model that no list describes. */
  readonly featuresOf: (model: string) => readonly SupportedFeatures[];
  /** Whether a name is plainly one of this vendor's, in a list or not; `listed` are the names of its list. */
  readonly recognises?: (model: string, listed: readonly ModelInfo[]) => boolean;
  /** Names the vendor has retired, with today's successor. */
  readonly retiredModels?: Readonly<Record<string, string>>;
}

/** Everything the vendors' adapters share: chat, stream, embeddings, health, models and limits over a vendor's wire. */
export class WireAdapter implements IdentifiedAdapter {
  readonly id: string;
  readonly type: ProviderType;
  readonly region: string;
  readonly supportedFeatures: SupportedFeatures[];
  protected readonly caller: ProviderCaller;
  protected readonly config: ProviderConfig;
  readonly #options: WireAdapterOptions;
  #listed: readonly ModelInfo[] = [];
  #models: readonly ModelInfo[] | undefined;
  #modelsFrom: readonly ModelInfo[] | undefined;
  #listedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: WireAdapterOptions, deps: AdapterDeps) {
    const { config } = options;
    this.#options = options;
    this.config = config;
    this.id = config.id;
    this.type = config.type;
    this.region = config.region ?? "global";
    this.supportedFeatures = [...options.features];
    this.caller = new ProviderCaller(
      {
        id: config.id,
        baseUrl: options.baseUrl,
        headers: { ...options.headers, ...lowerCased(config.headers) },
        allowPrivateAddress: config.allowPrivateAddress === true,
        forwardTraceparent: config.forwardTraceparent === true,
        wire: options.wire,
      },
      deps,
    );
  }

  async chat(request: ChatRequest, options: CallOptions = {}): Promise<ChatResponse> {
    return this.chatWith(this.#chatCodec(), request, options);
  }

  protected async chatWith(codec: ChatCodec, request: ChatRequest, options: CallOptions): Promise<ChatResponse> {
    const call = codec.encode(request, false);
    const answer = await this.caller.json(call, options);
    try {
      const parts = codec.decode(answer.body, {
        providerId: this.id,
        request,
        warnings: call.warnings,
        ...(answer.requestId === undefined ? {} : { requestId: answer.requestId }),
      });
      const last = parts.at(-1);
      if (last?.type === "error") {
        this.caller.record.failed(last.failure.code);
        throw new ProviderError(last.failure);
      }
      const start = parts.find((part) => part.type === "start");
      const id = start?.type === "start" ? start.id : undefined;
      const model = start?.type === "start" ? start.model : undefined;
      const limits = answer.limits === undefined ? [] : [{ type: "limits", limits: answer.limits } as const];
      return toBatch(id ?? "", model ?? request.model, [...limits, ...parts]);
    } catch (error) {
      throw this.caller.thrown(error, { status: answer.status });
    }
  }

  chatStream(request: ChatRequest, options: CallOptions = {}): AsyncIterableIterator<ChatResponse> {
    return new ChatStream({
      caller: this.caller,
      codec: this.#chatCodec(),
      context: { providerId: this.id, request },
      options,
    });
  }

  async embeddings(request: EmbeddingRequest, options: CallOptions = {}): Promise<EmbeddingResponse> {
    const codec = this.#embedCodec();
    if (request.tokens !== undefined && codec.takesTokens !== true) throw this.#refuseTokens();
    const inputs = inputCount(request);
    const vectors: EmbeddingResponse["vectors"][number][] = [];
    let usage: Usage | undefined;
    let model = request.model;
    for (let start = 0; start < Math.max(1, inputs); start += codec.inputsMax) {
      const piece = pieceOf(request, start, start + codec.inputsMax);
      const answer = await this.caller.json(codec.encode(piece), options);
      const response = this.#decodeEmbedding(codec, answer.body, piece);
      vectors.push(...response.vectors);
      model = response.model;
      usage = addUsage(usage, response.usage);
    }
    return { model, vectors, ...(usage === undefined ? {} : { usage }) };
  }

  #decodeEmbedding(codec: EmbedCodec, body: unknown, piece: EmbeddingRequest): EmbeddingResponse {
    try {
      const response = codec.decode(body, piece);
      if (response.vectors.length !== inputCount(piece)) {
        throw new WireFault("protocol", `${response.vectors.length} vectors for ${inputCount(piece)} inputs`);
      }
      return response;
    } catch (error) {
      throw this.caller.thrown(error);
    }
  }

  async healthCheck(options: CallOptions = {}): Promise<ProviderHealth> {
    const { clock, record } = this.caller;
    const startedMs = clock.monotonicMs();
    const failure = await this.#probe(options).then(
      () => undefined,
      (error: unknown) => {
        if (ProviderError.is(error)) return error.failure.code;
        throw error;
      },
    );
    return record.probed(clock.monotonicMs() - startedMs, failure);
  }

  async #probe(options: CallOptions): Promise<void> {
    const timeouts = { totalMs: 10_000, ...options.timeouts };
    const answer = await this.caller.open(this.#options.wire.probe, { ...options, timeouts, isWhole: true });
    this.caller.readLimits(answer.headers);
    answer.letEnd();
  }

  async getAvailableModels(options: CallOptions = {}): Promise<string[]> {
    const listed = await this.#list(options);
    const configured = this.config.models;
    if (configured === undefined) return listed.map((model) => model.id);
    const offered = new Set(listed.map((model) => model.id));
    const both = configured.filter((id) => offered.has(id));
    // Vendors serve aliases and fine-tunes that no list names: the operator's word then stands.
    return both.length > 0 ? both : [...configured];
  }

  async #list(options: CallOptions): Promise<readonly ModelInfo[]> {
    const list = this.#options.wire.modelList;
    if (list === undefined) return this.models();
    const nowMs = this.caller.clock.monotonicMs();
    if (nowMs - this.#listedAtMs < MODEL_LIST_FRESH_MS) return this.#listed;
    const found: ModelInfo[] = [];
    let path: string | undefined = list.path;
    for (let page = 0; path !== undefined && page < PAGES_MAX; page++) {
      const { body } = await this.caller.json({ path, warnings: [] }, options);
      found.push(...list.decode(body));
      path = list.nextPath?.(body);
    }
    this.#listed = found;
    this.#listedAtMs = nowMs;
    return found;
  }

  /** The same list until the vendor's own listing changes: routing asks on every request. */
  models(): readonly ModelInfo[] {
    if (this.#models === undefined || this.#modelsFrom !== this.#listed) {
      this.#modelsFrom = this.#listed;
      this.#models = this.#describeModels();
    }
    return this.#models;
  }

  featuresOf(model: string): readonly SupportedFeatures[] {
    return this.#options.featuresOf(model);
  }

  recognises(model: string): boolean {
    return this.#options.recognises?.(model, this.models()) === true;
  }

  retiredModels(): Readonly<Record<string, string>> {
    return this.#options.retiredModels ?? NOTHING_RETIRED;
  }

  #describeModels(): readonly ModelInfo[] {
    const { knownModels, featuresOf } = this.#options;
    const known = new Map([...knownModels, ...this.#listed].map((model) => [model.id, model]));
    const configured = this.config.models;
    if (configured === undefined) return [...known.values()];
    return configured.map((id) => known.get(id) ?? { id, features: featuresOf(id) });
  }

  getRateLimits(): { requestsPerMinute: number; tokensPerMinute: number } {
    return {
      requestsPerMinute: this.caller.record.perMinute(["requests", "api"]),
      tokensPerMinute: this.caller.record.perMinute(["tokens", "input-tokens"]),
    };
  }

  async close(): Promise<void> {
    await this.caller.release();
  }

  #chatCodec(): ChatCodec {
    return this.#options.wire.chat ?? this.#unsupported("chat");
  }

  #embedCodec(): EmbedCodec {
    return this.#options.wire.embed ?? this.#unsupported("embeddings");
  }

  #refuseTokens(): GatewayError {
    const message = `provider ${this.id} (${this.type}) embeds text, not token numbers: another vendor's tokenizer made them`;
    return new GatewayError("request_invalid", message, { param: "input", providerId: this.id });
  }

  #unsupported(what: string): never {
    throw new GatewayError("request_unsupported", `provider ${this.id} (${this.type}) has no ${what}`, {
      providerId: this.id,
    });
  }
}

function inputCount(request: EmbeddingRequest): number {
  return request.tokens?.length ?? request.input.length;
}

function pieceOf(request: EmbeddingRequest, start: number, end: number): EmbeddingRequest {
  const input = request.input.slice(start, end);
  return request.tokens === undefined
    ? { ...request, input }
    : { ...request, input, tokens: request.tokens.slice(start, end) };
}

const NOTHING_RETIRED: Readonly<Record<string, string>> = {};

function lowerCased(headers: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}

function addUsage(total: Usage | undefined, more: Usage | undefined): Usage | undefined {
  if (total === undefined || more === undefined) return more ?? total;
  return {
    ...more,
    input: { ...more.input, total: total.input.total + more.input.total },
    output: { ...more.output, total: total.output.total + more.output.total },
  };
}
