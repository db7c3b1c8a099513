import type { HttpAnswer } from "./http-call.ts";
import { EventStreamReader } from "./event-stream.ts";
import type { SpeakCodec } from "./operation-wire.ts";
import type { ProviderCaller } from "./provider-caller.ts";
import { WireFault } from "./wire-fault.ts";

const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** The audio of one call, as it arrives. Throws `ProviderError`; leaving the iteration closes the connection at once. */
export class SpeechStream implements AsyncIterableIterator<Uint8Array> {
  readonly #caller: ProviderCaller;
  readonly #answer: HttpAnswer;
  readonly #onEnd: (byteCount: number) => void;
  readonly #isPcm: boolean;
  readonly #ready: Uint8Array[] = [];
  readonly #reader: EventStreamReader | undefined;
  #isComplete = false;
  #hasLeft = false;
  #byteCount = 0;

  constructor(
    caller: ProviderCaller,
    answer: HttpAnswer,
    audio: { readonly codec: SpeakCodec; readonly isPcm: boolean; readonly onEnd: (byteCount: number) => void },
  ) {
    this.#caller = caller;
    this.#answer = answer;
    this.#isPcm = audio.isPcm;
    this.#onEnd = audio.onEnd;
    const type = answer.headers["content-type"] ?? "";
    const { codec } = audio;
    if (codec.event !== undefined && type.includes("event-stream")) {
      this.#reader = new EventStreamReader((data) => this.#event(codec, data));
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      for (;;) {
        const ready = this.#ready.shift();
        if (ready !== undefined) return this.#piece(ready);
        if (this.#hasLeft || (this.#isComplete && this.#reader !== undefined)) return this.#end();
        if (!(await this.#answer.wait())) return this.#end();
        const chunk = this.#answer.take();
        if (chunk === undefined) continue;
        if (this.#reader === undefined) return this.#piece(chunk);
        this.#reader.push(chunk);
      }
    } catch (error) {
      if (this.#hasLeft) return DONE;
      this.#answer.discard();
      this.#onEnd(this.#byteCount);
      throw this.#caller.thrown(error, { status: this.#answer.status, partialOutput: this.#byteCount > 0 });
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#hasLeft = true;
    this.#answer.discard();
    this.#onEnd(this.#byteCount);
    return Promise.resolve(DONE);
  }

  #piece(bytes: Uint8Array): IteratorResult<Uint8Array> {
    if (this.#byteCount === 0) this.#answer.contentArrived();
    this.#byteCount += bytes.byteLength;
    return { done: false, value: bytes };
  }

  #event(codec: SpeakCodec, data: string): void {
    const { bytes, isEnd } = codec.event?.(data) ?? {};
    if (bytes !== undefined && bytes.byteLength > 0) this.#ready.push(bytes);
    if (isEnd === true) this.#isComplete = true;
  }

  /** Audio that stops in the middle of a sample, or never began, did not end. */
  #end(): IteratorResult<Uint8Array> {
    if (this.#hasLeft) return DONE;
    const isCut = this.#byteCount === 0 || (this.#isPcm && this.#byteCount % 2 === 1);
    if (isCut || (this.#reader !== undefined && !this.#isComplete)) {
      throw new WireFault("truncated", "the audio ended before it was complete");
    }
    this.#answer.letEnd();
    this.#caller.record.succeeded();
    this.#onEnd(this.#byteCount);
    this.#hasLeft = true;
    return DONE;
  }
}
