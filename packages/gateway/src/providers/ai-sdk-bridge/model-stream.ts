import {
  ProviderError,
  toBatch,
  type CallOptions,
  type ChatRequest,
  type ChatResponse,
  type Clock,
  type StreamPart,
} from "@fovea/core";
import { CallTimers } from "../call-timers.ts";
import type { CallRecord } from "../call-record.ts";
import { isContent } from "../chat-stream.ts";
import { buildFailure } from "../failure.ts";
import { WireFault } from "../wire-fault.ts";
import { failureOf, ModelAnswer } from "./from-model.ts";
import type { LanguageModelV4, ModelPart } from "./language-model.ts";
import { toModelCall } from "./to-model.ts";

const DONE: IteratorResult<ChatResponse> = { done: true, value: undefined };

export interface ModelStreamParts {
  readonly model: LanguageModelV4;
  readonly providerId: string;
  readonly request: ChatRequest;
  readonly options: CallOptions;
  readonly clock: Clock;
  readonly record: CallRecord;
}

/** One streamed call of a bridged model, under the same timers as every other call. */
export class ModelStream implements AsyncIterableIterator<ChatResponse> {
  readonly #parts: ModelStreamParts;
  readonly #answer: ModelAnswer;
  readonly #timers: CallTimers;
  readonly #abort = new AbortController();
  readonly #call: ReturnType<typeof toModelCall>;
  #reader: ReadableStreamDefaultReader<ModelPart> | undefined;
  #fault: WireFault | undefined;
  #isEnded = false;
  #hasContent = false;

  constructor(parts: ModelStreamParts) {
    this.#parts = parts;
    this.#call = toModelCall(parts.request);
    const { providerId, request } = parts;
    this.#answer = new ModelAnswer({ providerId, request, warnings: this.#call.warnings });
    this.#timers = new CallTimers(parts.clock, parts.options, (code, message) =>
      this.#fail(new WireFault(code, message)),
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<ChatResponse>> {
    if (this.#isEnded) return DONE;
    if (this.#reader === undefined) return this.#open();
    const parts: StreamPart[] = [];
    while (parts.length === 0) {
      await this.#read(parts);
      if (this.#isEnded && parts.length === 0) return DONE;
    }
    return { done: false, value: toBatch("", this.#parts.request.model, parts) };
  }

  async return(): Promise<IteratorResult<ChatResponse>> {
    this.#release();
    this.#abort.abort();
    return DONE;
  }

  readonly #onSignal = (): void => this.#fail(new WireFault("aborted", "the caller cancelled"));

  #fail(fault: WireFault): void {
    this.#fault ??= fault;
    this.#abort.abort(fault);
    // A model that ignores its signal must not hold the caller.
    void this.#reader?.cancel().catch(() => undefined);
  }

  #release(): void {
    this.#isEnded = true;
    this.#timers.stop();
    this.#parts.options.signal?.removeEventListener("abort", this.#onSignal);
    void this.#reader?.cancel().catch(() => undefined);
  }

  async #open(): Promise<IteratorResult<ChatResponse>> {
    const { model, options, providerId, record } = this.#parts;
    this.#timers.dispatched();
    this.#timers.connected();
    this.#timers.sent();
    options.signal?.addEventListener("abort", this.#onSignal);
    if (options.signal?.aborted === true) this.#onSignal();
    try {
      if (this.#fault !== undefined) throw this.#fault;
      const opened = await raced(
        model.doStream({ ...this.#call.call, abortSignal: this.#abort.signal }),
        this.#abort.signal,
      );
      this.#reader = opened.stream.getReader();
      this.#timers.headersArrived();
    } catch (error) {
      this.#release();
      const fault = this.#fault;
      const failure =
        fault === undefined
          ? failureOf(error, providerId, "unreachable")
          : buildFailure(fault.code, providerId, fault.message);
      record.failed(failure.code);
      throw new ProviderError(failure, { cause: error });
    }
    return { done: false, value: toBatch("", this.#parts.request.model, [{ type: "accepted" }]) };
  }

  async #read(parts: StreamPart[]): Promise<void> {
    const { builder } = this.#answer;
    try {
      const { done, value } = (await this.#reader?.read()) ?? { done: true, value: undefined };
      this.#timers.bytesArrived();
      if (value !== undefined && this.#fault === undefined) this.#answer.told(value, parts);
      builder.into(parts);
      if (this.#fault !== undefined) builder.fault(this.#fault);
      else if (done) builder.fault(new WireFault("truncated", "the stream ended without a finish part"));
    } catch (error) {
      builder.into(parts);
      const fault = this.#fault ?? (error instanceof WireFault ? error : undefined);
      if (fault !== undefined) builder.fault(fault);
      else this.#answer.failed(error);
    }
    if (!this.#hasContent && parts.some(isContent)) {
      this.#hasContent = true;
      this.#timers.contentArrived();
    }
    if (builder.isDone) this.#settle(parts);
  }

  #settle(parts: readonly StreamPart[]): void {
    const last = parts.at(-1);
    this.#release();
    if (last?.type === "error") this.#parts.record.failed(last.failure.code);
    else this.#parts.record.succeeded();
  }
}

/** Settles with the promise, or rejects when the signal fires; the listener does not outlive either. */
function raced<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener("abort", onAbort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener("abort", onAbort);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
