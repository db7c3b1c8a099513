// A long Gemini answer takes several calls: each but the last ends as `CONTINUATION` with a token that asks for the rest.
// For whoever reads, it is one answer: one start, tool calls numbered through, usage summed, one terminal part.
import {
  ProviderError,
  toBatch,
  type CallOptions,
  type ChatResponse,
  type Clock,
  type StreamPart,
  type Usage,
} from "@fovea/core";
import { CONTINUATION } from "./chat-from-provider.ts";

/** A model that writes to its limit needs a handful; more is a server that promises and does not deliver. */
const CALLS_MAX = 32;
const DEFAULT_TOTAL_MS = 600_000;
const DONE: IteratorResult<ChatResponse> = { done: true, value: undefined };

/** Makes one call. `token` is absent for the first; `onContinuation` is told when there is more to come. */
export type OpenCall<T> = (
  token: string | undefined,
  onContinuation: (token: string) => void,
  options: CallOptions,
) => T;

/** Joins the parts of several calls into those of one answer. */
class AnswerJoin {
  token: string | undefined;
  calls = 1;
  #toolsBefore = 0;
  #tools = 0;
  #usage: Usage | undefined;
  readonly keepToken = (token: string): void => {
    this.token = token;
  };

  /** True where the parts end in the middle of the answer; its terminal part is then gone. */
  joined(parts: readonly StreamPart[]): { readonly parts: readonly StreamPart[]; readonly isMore: boolean } {
    const last = parts.at(-1);
    const isMore =
      last?.type === "finish" && last.raw === CONTINUATION && this.token !== undefined && this.calls < CALLS_MAX;
    if (this.calls === 1 && !isMore) return { parts, isMore };
    const kept: StreamPart[] = [];
    for (const part of parts) {
      const renumbered = this.#partOf(part, isMore);
      if (renumbered !== undefined) kept.push(renumbered);
    }
    if (isMore) {
      this.#toolsBefore = this.#tools;
      this.calls++;
    }
    return { parts: kept, isMore };
  }

  /** What the calls that ended so far have used. */
  get usage(): Usage | undefined {
    return this.#usage;
  }

  #partOf(part: StreamPart, isMore: boolean): StreamPart | undefined {
    switch (part.type) {
      case "start":
      case "accepted":
        return this.calls === 1 ? part : undefined;
      case "tool-start":
        this.#tools = Math.max(this.#tools, this.#toolsBefore + part.index + 1);
        return { ...part, index: this.#toolsBefore + part.index };
      case "tool-delta":
      case "tool-end":
        return { ...part, index: this.#toolsBefore + part.index };
      case "usage": {
        const usage = sumOf(this.#usage, part.usage);
        if (!isMore) return { ...part, usage };
        this.#usage = usage;
        return undefined;
      }
      case "finish":
        return isMore ? undefined : part;
      default:
        return part;
    }
  }
}

/** The whole answer, over as many calls as it takes. */
export async function continuedChat(
  open: OpenCall<Promise<ChatResponse>>,
  clock: Clock,
  options: CallOptions,
): Promise<ChatResponse> {
  const deadline = new Deadline(clock, options);
  const join = new AnswerJoin();
  const first = await open(undefined, join.keepToken, options);
  let { parts, isMore } = join.joined(first.parts);
  const all = [...parts];
  while (isMore) {
    const token = join.token;
    join.token = undefined;
    const next = await open(token, join.keepToken, deadline.rest());
    ({ parts, isMore } = join.joined(next.parts));
    all.push(...parts);
  }
  return join.calls === 1 ? first : toBatch(first.id, first.model, all);
}

/** The streamed answer. Written as an iterator object, as every answer is: `return` must reach the socket at once. */
export class ContinuedStream implements AsyncIterableIterator<ChatResponse> {
  readonly #open: OpenCall<AsyncIterableIterator<ChatResponse>>;
  readonly #deadline: Deadline;
  readonly #join = new AnswerJoin();
  #current: AsyncIterableIterator<ChatResponse>;
  #isEnded = false;
  #id = "";
  #model = "";

  constructor(open: OpenCall<AsyncIterableIterator<ChatResponse>>, clock: Clock, options: CallOptions) {
    this.#open = open;
    this.#deadline = new Deadline(clock, options);
    this.#current = open(undefined, this.#join.keepToken, options);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<ChatResponse>> {
    for (;;) {
      if (this.#isEnded) return DONE;
      const result = await this.#read();
      if (result.done === true || this.#isEnded) return result;
      const { parts, isMore } = this.#join.joined(result.value.parts);
      if (isMore) this.#goOn();
      if (parts === result.value.parts && this.#join.calls === 1) {
        this.#id = result.value.id;
        this.#model = result.value.model;
        return result;
      }
      if (this.#id === "") ({ id: this.#id, model: this.#model } = result.value);
      if (parts.length > 0) return { done: false, value: toBatch(this.#id, this.#model, parts) };
    }
  }

  async #read(): Promise<IteratorResult<ChatResponse>> {
    try {
      return await this.#current.next();
    } catch (error) {
      // What was thrown before the first part is thrown; now that something was said, it is a part.
      if (this.#join.calls === 1 || !ProviderError.is(error)) throw error;
      this.#isEnded = true;
      const { usage } = this.#join;
      const spent: StreamPart[] = usage === undefined ? [] : [{ type: "usage", usage, isFinal: false }];
      const failure = { ...error.failure, partialOutput: true, billed: "yes" } as const;
      return { done: false, value: toBatch(this.#id, this.#model, [...spent, { type: "error", failure }]) };
    }
  }

  #goOn(): void {
    const { token } = this.#join;
    this.#join.token = undefined;
    this.#current = this.#open(token, this.#join.keepToken, this.#deadline.rest());
  }

  async return(): Promise<IteratorResult<ChatResponse>> {
    this.#isEnded = true;
    await this.#current.return?.();
    return DONE;
  }
}

/** One total for all calls of an answer. */
class Deadline {
  readonly #clock: Clock;
  readonly #options: CallOptions;
  readonly #endsAtMs: number;

  constructor(clock: Clock, options: CallOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#endsAtMs = clock.monotonicMs() + (options.timeouts?.totalMs ?? DEFAULT_TOTAL_MS);
  }

  rest(): CallOptions {
    const totalMs = Math.max(1, this.#endsAtMs - this.#clock.monotonicMs());
    return { ...this.#options, timeouts: { ...this.#options.timeouts, totalMs } };
  }
}

function sumOf(a: Usage | undefined, b: Usage): Usage {
  if (a === undefined) return b;
  const reasoning = (a.output.reasoning ?? 0) + (b.output.reasoning ?? 0);
  const toolUse = (a.input.toolUse ?? 0) + (b.input.toolUse ?? 0);
  return {
    ...b,
    input: {
      ...b.input,
      total: a.input.total + b.input.total,
      cacheRead: a.input.cacheRead + b.input.cacheRead,
      cacheWrite: a.input.cacheWrite + b.input.cacheWrite,
      ...(toolUse === 0 ? {} : { toolUse }),
    },
    output: {
      ...b.output,
      total: a.output.total + b.output.total,
      ...(reasoning === 0 ? {} : { reasoning }),
    },
    source: a.source === "provider" && b.source === "provider" ? "provider" : "estimated",
  };
}
