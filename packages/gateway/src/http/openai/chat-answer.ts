// Words an answer as chat completions: whole, and as chunks. A text chunk is glued from prepared strings, because this
// runs for every token of every stream.
import type { AnswerPart, FinishReason, Usage } from "@fovea/core";
import type { AnswerDialect, AnswerEncoder, EndPart, Spent, StartPart } from "../answer-dialect.ts";
import type { Citation, CollectedAnswer } from "../collected-answer.ts";
import type { DoorFailure } from "../error-response.ts";
import { openAiError } from "./failures.ts";
import { dataUrl } from "../wire-values.ts";

export interface ChatAnswerFacts {
  readonly id: string;
  readonly createdS: number;
  readonly wantsUsage: boolean;
}

export function chatAnswer(facts: ChatAnswerFacts): AnswerDialect {
  return {
    streamType: "text/event-stream; charset=utf-8",
    keepAlive: ": keep-alive\n\n",
    whole: (answer) => completion(answer, facts),
    encoder: (start) => new ChunkEncoder(start, facts),
  };
}

const FINISH: Readonly<Record<FinishReason, string>> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool_calls",
  content_filter: "content_filter",
  refusal: "stop",
  // The vendor wants the message back to go on: nothing else in this dialect says "not complete".
  paused: "length",
  other: "stop",
};

function completion(answer: CollectedAnswer, facts: ChatAnswerFacts): object {
  const calls = answer.toolCalls.map(({ id, name, args }) => ({
    id,
    type: "function",
    function: { name, arguments: args },
  }));
  const message = {
    role: "assistant",
    content: answer.text === "" && (calls.length > 0 || answer.refusal !== "") ? null : answer.text,
    refusal: answer.refusal === "" ? null : answer.refusal,
    ...(answer.reasoning === "" ? {} : { reasoning_content: answer.reasoning }),
    ...(answer.citations.length === 0 ? {} : { annotations: answer.citations.map(annotation) }),
    ...(answer.audio === undefined ? {} : { audio: audioMember(answer.audio, facts) }),
    ...(answer.images.length === 0 ? {} : { images: answer.images.map(imageMember) }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const finish = calls.length > 0 && answer.finishReason === "stop" ? "tool_calls" : FINISH[answer.finishReason];
  return {
    id: facts.id,
    object: "chat.completion",
    created: facts.createdS,
    model: answer.start.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    ...(answer.usage === undefined ? {} : { usage: usageMember(answer.usage) }),
  };
}

function annotation(citation: Citation): object {
  const { url = "", title = "", start = 0, end = 0 } = citation;
  return { type: "url_citation", url_citation: { url, title, start_index: start, end_index: end } };
}

/** OpenAI keeps spoken answers for an hour and takes their id in later turns; here the id refers to nothing. */
function audioMember(audio: NonNullable<CollectedAnswer["audio"]>, facts: ChatAnswerFacts): object {
  const data = Buffer.from(audio.bytes).toString("base64");
  return { id: `audio_${facts.id}`, data, transcript: audio.transcript, expires_at: facts.createdS };
}

function imageMember(image: { readonly mime: string; readonly data: object }): object {
  const { data } = image;
  const bytes = "bytes" in data ? (data.bytes as Uint8Array) : undefined;
  const url = bytes === undefined ? ("url" in data ? data.url : "") : dataUrl(image.mime, bytes);
  return { type: "image_url", image_url: { url } };
}

export function usageMember(usage: Usage): object {
  return {
    prompt_tokens: usage.input.total,
    completion_tokens: usage.output.total,
    total_tokens: usage.input.total + usage.output.total,
    prompt_tokens_details: { cached_tokens: usage.input.cacheRead, audio_tokens: usage.input.audio ?? 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.output.reasoning ?? 0,
      audio_tokens: usage.output.audio ?? 0,
    },
  };
}

class ChunkEncoder implements AnswerEncoder {
  readonly #facts: ChatAnswerFacts;
  /** Up to and including `"delta":`. */
  readonly #head: string;
  /** From behind the delta to the end of the event. */
  readonly #tail: string;
  readonly #base: string;
  /** Position of a provider's block among the calls: clients count calls from 0. */
  readonly #calls = new Map<number, number>();
  #callCount = 0;
  #audioCount = 0;

  constructor(start: StartPart, facts: ChatAnswerFacts) {
    this.#facts = facts;
    const head = { id: facts.id, object: "chat.completion.chunk", created: facts.createdS, model: start.model };
    this.#base = JSON.stringify(head).slice(0, -1);
    this.#head = `data: ${this.#base},"choices":[{"index":0,"delta":`;
    const usage = facts.wantsUsage ? ',"usage":null' : "";
    this.#tail = `,"logprobs":null,"finish_reason":null}]${usage}}\n\n`;
  }

  begin(): string {
    return this.#delta('{"role":"assistant","content":"","refusal":null}');
  }

  part(part: AnswerPart): string {
    switch (part.type) {
      case "text-delta":
        return part.text === "" ? "" : this.#delta(`{"content":${JSON.stringify(part.text)}}`);
      case "reasoning-delta":
        return part.text === undefined ? "" : this.#delta(JSON.stringify({ reasoning_content: part.text }));
      case "refusal-delta":
        return this.#delta(JSON.stringify({ refusal: part.text }));
      case "tool-start":
        this.#calls.set(part.index, this.#callCount);
        return this.#call(this.#callCount++, part.id, part.name, "");
      case "tool-delta":
        return this.#arguments(part.index, part.args);
      case "tool-call":
        return this.#call(this.#callCount++, part.id, part.name, part.args);
      case "citation":
        return this.#delta(JSON.stringify({ annotations: [annotation(part)] }));
      case "image":
        return this.#delta(JSON.stringify({ images: [imageMember(part)] }));
      case "audio-delta":
        return this.#audio(part.bytes, part.transcript);
      default:
        // Spatial parts exist in sessions only; this dialect has no word for them.
        return "";
    }
  }

  end(end: EndPart, spent: Spent): string {
    const finish = this.#callCount > 0 && end.finishReason === "stop" ? "tool_calls" : FINISH[end.finishReason];
    const usageNull = this.#facts.wantsUsage ? ',"usage":null' : "";
    const last = `${this.#head}{},"logprobs":null,"finish_reason":"${finish}"}]${usageNull}}\n\n`;
    const { usage } = spent;
    const counted =
      this.#facts.wantsUsage && usage !== undefined
        ? `data: ${this.#base},"choices":[],"usage":${JSON.stringify(usageMember(usage))}}\n\n`
        : "";
    return `${last}${counted}data: [DONE]\n\n`;
  }

  fail(failure: DoorFailure): string {
    return `data: ${JSON.stringify(openAiError(failure))}\n\n`;
  }

  #delta(json: string): string {
    return this.#head + json + this.#tail;
  }

  #call(index: number, id: string, name: string, args: string): string {
    const call = { index, id, type: "function", function: { name, arguments: args } };
    return this.#delta(JSON.stringify({ tool_calls: [call] }));
  }

  #arguments(block: number, args: string): string {
    const index = this.#calls.get(block);
    if (index === undefined || args === "") return "";
    return this.#delta(`{"tool_calls":[{"index":${index},"function":{"arguments":${JSON.stringify(args)}}}]}`);
  }

  #audio(bytes: Uint8Array, transcript: string | undefined): string {
    const id = this.#audioCount++ === 0 ? { id: `audio_${this.#facts.id}` } : {};
    const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
    return this.#delta(JSON.stringify({ audio: { ...id, data, ...(transcript === undefined ? {} : { transcript }) } }));
  }
}
