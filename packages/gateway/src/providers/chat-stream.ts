// The streamed answer of one call. Written as an iterator object, not as a generator: `return` must reach the socket at
// once, and a generator queues it behind the read it is waiting for.
import { toBatch, type CallOptions, type ChatResponse, type StreamPart } from "@fovea/core";
import type { HttpAnswer } from "./http-call.ts";
import { parseJson } from "./json-body.ts";
import type { ProviderCaller } from "./provider-caller.ts";
import type { AnswerContext, ChatCodec, ChatDecoder, EncodedCall } from "./vendor-wire.ts";
import { WireFault } from "./wire-fault.ts";

const WHOLE_BYTES_MAX = 64 * 1024 * 1024;
const DONE: IteratorResult<ChatResponse> = { done: true, value: undefined };

export interface ChatStreamParts {
  readonly caller: ProviderCaller;
  readonly codec: ChatCodec;
  readonly context: Omit<AnswerContext, "warnings" | "requestId">;
  readonly options: CallOptions;
  /** Where the codec must learn something of the model first. */
  readonly prepare?: (options: CallOptions) => Promise<ChatCodec>;
  /** Where opening takes more than one call. */
  readonly open?: (call: EncodedCall, options: CallOptions) => Promise<HttpAnswer>;
  /** The caller left before the end: for vendors that go on working when nobody listens. */
  readonly onLeft?: () => void;
}

export class ChatStream implements AsyncIterableIterator<ChatResponse> {
  readonly #parts: ChatStreamParts;
  #codec: ChatCodec;
  #state: "new" | "open" | "ended" = "new";
  #answer: HttpAnswer | undefined;
  #decoder: ChatDecoder | undefined;
  #context: AnswerContext | undefined;
  #hasContent = false;
  #id = "";
  #model: string;
  /** Calls of `next` that have not settled: overlapping ones, which the iterator contract allows, wait for each other. */
  #waiting = 0;
  #turn: Promise<unknown> = Promise.resolve();
  /** Ends the call: by the caller's signal or by `return`. */
  readonly #abort = new AbortController();
  readonly #onSignal = (): void => this.#abort.abort();
  #hasLeft = false;

  constructor(parts: ChatStreamParts) {
    this.#parts = parts;
    this.#codec = parts.codec;
    this.#model = parts.context.request.model;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ChatResponse>> {
    const step = (): Promise<IteratorResult<ChatResponse>> => this.#step();
    // Nearly always nothing is waiting, and no promise is made for the queue.
    const result = this.#waiting++ === 0 ? this.#step() : this.#turn.then(step, step);
    this.#turn = result;
    return result;
  }

  return(): Promise<IteratorResult<ChatResponse>> {
    if (this.#state !== "ended" && !this.#hasLeft) this.#parts.onLeft?.();
    this.#hasLeft = true;
    this.#state = "ended";
    this.#abort.abort();
    this.#release();
    this.#answer?.discard();
    return Promise.resolve(DONE);
  }

  /** One asynchronous function a batch: every further one would cost a promise a chunk. */
  async #step(): Promise<IteratorResult<ChatResponse>> {
    try {
      if (this.#state === "ended") return DONE;
      if (this.#state === "new") return await this.#open();
      const answer = this.#answer as HttpAnswer;
      const parts: StreamPart[] = [];
      while (parts.length === 0) {
        let hasMore = false;
        let fault: WireFault | undefined;
        try {
          hasMore = await answer.wait();
        } catch (error) {
          fault = this.#faultOf(error);
        }
        this.#decode(answer, hasMore, fault, parts);
        if (this.#hasLeft) return DONE;
      }
      return { done: false, value: this.#batch(parts) };
    } finally {
      this.#waiting--;
    }
  }

  #release(): void {
    this.#parts.options.signal?.removeEventListener("abort", this.#onSignal);
  }

  async #open(): Promise<IteratorResult<ChatResponse>> {
    const { caller, context, options, prepare } = this.#parts;
    let call: EncodedCall;
    if (options.signal?.aborted === true) this.#onSignal();
    options.signal?.addEventListener("abort", this.#onSignal);
    try {
      const callOptions = { ...options, signal: this.#abort.signal };
      if (prepare !== undefined) this.#codec = await prepare(callOptions);
      call = this.#codec.encode(context.request, true);
      const headers = { accept: "text/event-stream", ...call.headers };
      const open = this.#parts.open ?? caller.open.bind(caller);
      this.#answer = await open({ ...call, headers }, callOptions);
    } catch (error) {
      this.#state = "ended";
      this.#release();
      if (this.#hasLeft) return DONE;
      if (this.#abort.signal.aborted) this.#parts.onLeft?.();
      throw error;
    }
    return this.#opened(this.#answer, call.warnings);
  }

  async #opened(answer: HttpAnswer, warnings: AnswerContext["warnings"]): Promise<IteratorResult<ChatResponse>> {
    const { caller, context } = this.#parts;
    const codec = this.#codec;
    const requestId = caller.requestId(answer.headers);
    this.#context = { ...context, warnings, ...(requestId === undefined ? {} : { requestId }) };
    const limits = caller.readLimits(answer.headers);
    const first: StreamPart[] =
      limits === undefined ? [{ type: "accepted" }] : [{ type: "accepted" }, { type: "limits", limits }];
    const type = (answer.headers["content-type"] ?? "").toLowerCase();
    try {
      if (WRONG_TYPE.test(type)) throw new WireFault("protocol", `an answer of type ${type.split(";")[0]}`);
      if (type.includes("json") && !STREAMED_JSON.test(type)) await this.#whole(answer, first);
      else this.#decoder = codec.decoder(this.#context);
    } catch (error) {
      this.#state = "ended";
      this.#release();
      answer.discard();
      throw caller.thrown(error, this.#details());
    }
    if (this.#state === "new") this.#state = "open";
    return { done: false, value: this.#batch(first) };
  }

  /** Some servers answer a streamed request in one piece. */
  async #whole(answer: HttpAnswer, parts: StreamPart[]): Promise<void> {
    answer.contentArrived();
    const bytes = await answer.readAll(WHOLE_BYTES_MAX);
    const context = this.#context as AnswerContext;
    parts.push(...this.#codec.decode(parseJson(new TextDecoder().decode(bytes)), context));
    this.#settle(parts);
  }

  /** What has arrived becomes parts. */
  #decode(answer: HttpAnswer, hasMore: boolean, fault: WireFault | undefined, parts: StreamPart[]): void {
    const decoder = this.#decoder as ChatDecoder;
    let found = fault;
    if (found === undefined) {
      try {
        const chunk = answer.take();
        if (chunk !== undefined) decoder.push(chunk, parts);
        if (!hasMore && !decoder.isDone) decoder.end(undefined, parts);
      } catch (error) {
        found = this.#faultOf(error);
      }
    }
    if (found !== undefined && !decoder.isDone) decoder.end(found, parts);
    if (!this.#hasContent && parts.some(isContent)) {
      this.#hasContent = true;
      answer.contentArrived();
    }
    if (decoder.isDone) this.#settle(parts);
  }

  /** What is no fault of the wire is a defect: the call ends, and it is thrown on. */
  #faultOf(error: unknown): WireFault {
    if (error instanceof WireFault) return error;
    void this.return();
    throw error;
  }

  /** The terminal part is in `parts`: book the outcome, let go of the socket. */
  #settle(parts: readonly StreamPart[]): void {
    const last = parts.at(-1);
    const { record } = this.#parts.caller;
    this.#state = "ended";
    this.#release();
    if (last?.type === "error") {
      if (last.failure.code === "aborted") this.#parts.onLeft?.();
      this.#answer?.discard();
      record.failed(last.failure.code);
      if (last.failure.code === "rate_limited") record.refused(last.failure.retryAfterMs);
    } else {
      this.#answer?.letEnd();
      record.succeeded();
    }
  }

  #details(): { status: number; requestId?: string } {
    const requestId = this.#context?.requestId;
    return { status: this.#answer?.status ?? 0, ...(requestId === undefined ? {} : { requestId }) };
  }

  #batch(parts: StreamPart[]): ChatResponse {
    for (const part of parts) {
      if (part.type !== "start") continue;
      this.#id = part.id ?? this.#id;
      this.#model = part.model ?? this.#model;
    }
    return toBatch(this.#id, this.#model, parts);
  }
}

const WRONG_TYPE = /^(?:text\/html|text\/xml|application\/xml|image\/|audio\/|video\/)/;
const STREAMED_JSON = /ndjson|json-seq|jsonl|stream/;

/** What a user would notice: the rest is lifecycle. */
export function isContent(part: StreamPart): boolean {
  switch (part.type) {
    case "text-delta":
    case "refusal-delta":
    case "tool-start":
    case "audio-delta":
    case "media":
      return true;
    default:
      return false;
  }
}
