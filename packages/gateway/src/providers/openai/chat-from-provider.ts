import type { FinishReason, StreamPart, Usage } from "@fovea/core";
import { AnswerBuilder } from "../answer-builder.ts";
import { fromBase64 } from "../base64.ts";
import { errorOf } from "../error-body.ts";
import type { EventAnswer } from "../event-decoder.ts";
import { arrayOf, countOf, numberOf, parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { AnswerContext } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { streamFailure } from "./failures.ts";

/** An unstreamed completion, read as a stream of one chunk: what differs is `message` for `delta`. */
export function decodeChat(body: unknown, context: AnswerContext): StreamPart[] {
  const parts: StreamPart[] = [];
  const answer = new OpenAiChatAnswer(context, false);
  answer.builder.into(parts);
  const completion = recordOf(body);
  if (completion === undefined) throw new WireFault("protocol", "an answer that is not an object");
  answer.chunk(completion);
  answer.close();
  if (!answer.builder.isDone) throw new WireFault("truncated", "an answer without a finish reason");
  return parts;
}

/** Chat completion chunks. Complete when choice 0 has a finish reason; `[DONE]` or the end of the stream closes. */
export class OpenAiChatAnswer implements EventAnswer {
  readonly builder: AnswerBuilder;
  readonly missing = "a finish reason";
  readonly #context: AnswerContext;
  readonly #isDoneEnough: boolean;
  #finish: string | undefined;
  /** Calls in the order they came, for servers that send no index, or the same one for every call. */
  #lastKey: string | undefined;
  #keys = 0;
  readonly #keyOfIndex = new Map<number, string>();

  /** `isDoneEnough`: `[DONE]` alone ends the answer, for servers that send no finish reason. */
  constructor(context: AnswerContext, isDoneEnough: boolean) {
    this.builder = new AnswerBuilder(context);
    this.#context = context;
    this.#isDoneEnough = isDoneEnough;
  }

  event(data: string): void {
    if (data === "[DONE]") {
      if (this.#isDoneEnough) this.#finish ??= "stop";
      if (this.#finish === undefined) throw new WireFault("truncated", "[DONE] without a finish reason");
      this.close();
      return;
    }
    const chunk = recordOf(parseJson(data));
    if (chunk === undefined) throw new WireFault("protocol", "a chunk that is not an object");
    this.chunk(chunk);
  }

  chunk(chunk: JsonRecord): void {
    const error = chunk["error"];
    if (error !== undefined && error !== null) {
      this.builder.fail(streamFailure(errorOf(chunk), this.#context));
      return;
    }
    const usage = recordOf(chunk["usage"]) ?? recordOf(recordOf(chunk["x_groq"])?.["usage"]);
    if (usage !== undefined) this.builder.usage(usageOf(usage));
    const choices = arrayOf(chunk["choices"]);
    for (let index = 0; index < choices.length; index++) {
      const choice = recordOf(choices[index]);
      if (choice === undefined || (countOf(choice["index"]) ?? 0) !== 0) continue;
      this.builder.start(stringOf(chunk["id"]), stringOf(chunk["model"]));
      this.#choice(choice);
    }
  }

  close(): void {
    const raw = this.#finish;
    if (raw === undefined) return;
    const { builder } = this;
    const mapped = FINISH[raw] ?? "other";
    const reason: FinishReason =
      mapped === "stop" && builder.hasRefusal
        ? "refusal"
        : mapped === "stop" && builder.hasCalls
          ? "tool_calls"
          : mapped;
    builder.finish(reason, raw);
  }

  #choice(choice: JsonRecord): void {
    const delta = recordOf(choice["delta"]) ?? recordOf(choice["message"]);
    if (delta !== undefined) this.#delta(delta);
    else if (typeof choice["text"] === "string") this.builder.text(choice["text"]);
    const failure = recordOf(choice["error"]);
    if (failure !== undefined) this.builder.fail(streamFailure(errorOf({ error: failure }), this.#context));
    const finish = stringOf(choice["finish_reason"]);
    if (finish !== undefined && finish !== "") this.#finish ??= finish;
  }

  #delta(delta: JsonRecord): void {
    const { builder } = this;
    const reasoning = delta["reasoning"] ?? delta["reasoning_content"];
    if (typeof reasoning === "string") builder.reasoning(reasoning);
    const content = delta["content"];
    if (typeof content === "string") builder.text(content);
    else if (Array.isArray(content)) for (const piece of content) this.#piece(recordOf(piece));
    if (typeof delta["refusal"] === "string") builder.refusal(delta["refusal"]);
    const calls = delta["tool_calls"];
    if (Array.isArray(calls)) for (const call of calls) this.#call(recordOf(call));
    if (delta["audio"] !== undefined) this.#audio(recordOf(delta["audio"]));
    if (delta["images"] !== undefined) for (const image of arrayOf(delta["images"])) this.#image(recordOf(image));
    if (delta["annotations"] !== undefined)
      for (const note of arrayOf(delta["annotations"])) this.#citation(recordOf(note));
    const legacy = recordOf(delta["function_call"]);
    if (legacy !== undefined) this.#call({ index: 0, function: legacy });
  }

  /** Mistral sends content in pieces, thinking among them. */
  #piece(piece: JsonRecord | undefined): void {
    const text = stringOf(piece?.["text"]);
    if (text !== undefined) this.builder.text(text);
    for (const thought of arrayOf(piece?.["thinking"])) this.builder.reasoning(stringOf(recordOf(thought)?.["text"]));
  }

  #call(call: JsonRecord | undefined): void {
    const fn = recordOf(call?.["function"]);
    if (call === undefined || fn === undefined) return;
    const name = stringOf(fn["name"]) ?? "";
    const key = this.#keyOf(countOf(call["index"]), stringOf(call["id"]) ?? "", name);
    if (key === undefined) return;
    this.builder.callStart(key, stringOf(call["id"]), name);
    const args = fn["arguments"];
    // A few servers send the arguments as an object, against the wire's own rule.
    if (typeof args === "string") this.builder.callArgs(key, args);
    else if (recordOf(args) !== undefined) this.builder.callArgs(key, JSON.stringify(args));
  }

  /** The call a fragment belongs to. A new name under a used index is a new call once the old one is whole. */
  #keyOf(index: number | undefined, id: string, name: string): string | undefined {
    const known = index === undefined ? this.#lastKey : this.#keyOfIndex.get(index);
    const isNext =
      name !== "" &&
      (known === undefined ||
        (index === undefined
          ? id !== "" || this.builder.isCallWhole(known)
          : id !== "" && this.builder.isCallWhole(known)));
    if (!isNext) return known;
    const key = `${this.#keys++}`;
    this.#lastKey = key;
    if (index !== undefined) this.#keyOfIndex.set(index, key);
    return key;
  }

  #audio(audio: JsonRecord | undefined): void {
    const data = stringOf(audio?.["data"]);
    const transcript = stringOf(audio?.["transcript"]);
    if (data === undefined && transcript === undefined) return;
    this.builder.part({
      type: "audio-delta",
      bytes: data === undefined ? NO_BYTES : fromBase64(data),
      mime: audioMime(this.#context.request.voice?.format),
      ...(transcript === undefined ? {} : { transcript }),
    });
  }

  #image(image: JsonRecord | undefined): void {
    const url = stringOf(recordOf(image?.["image_url"])?.["url"]);
    if (url === undefined) return;
    const inline = /^data:([^;,]+);base64,(.*)$/s.exec(url);
    const [, mime = "image/png", data = ""] = inline ?? [];
    this.builder.part({
      type: "media",
      role: "image",
      mime,
      data: inline === null ? { url } : { bytes: fromBase64(data) },
    });
  }

  #citation(note: JsonRecord | undefined): void {
    const cited = recordOf(note?.["url_citation"]);
    if (cited === undefined) return;
    const url = stringOf(cited["url"]);
    const title = stringOf(cited["title"]);
    const start = countOf(cited["start_index"]);
    const end = countOf(cited["end_index"]);
    this.builder.part({
      type: "citation",
      ...(url === undefined ? {} : { url }),
      ...(title === undefined ? {} : { title }),
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
    });
  }
}

const NO_BYTES = new Uint8Array(0);

const FINISH: Readonly<Record<string, FinishReason | undefined>> = {
  __proto__: null as never,
  stop: "stop",
  eos: "stop",
  eos_token: "stop",
  end_turn: "stop",
  stop_sequence: "stop",
  length: "length",
  max_tokens: "length",
  model_length: "length",
  tool_calls: "tool_calls",
  tool_use: "tool_calls",
  function_call: "tool_calls",
  content_filter: "content_filter",
};

/** Names audio by what a player needs to know; `pcm16` is 24 kHz mono at OpenAI. */
export function audioMime(format: string | undefined): string {
  switch (format) {
    case "mp3":
      return "audio/mpeg";
    case "pcm16":
    case "pcm":
      return "audio/pcm;rate=24000;channels=1";
    case undefined:
      return "audio/pcm;rate=24000;channels=1";
    default:
      return `audio/${format}`;
  }
}

/** `prompt_tokens` includes cached tokens, `completion_tokens` includes reasoning: sums are taken as they come. */
export function usageOf(usage: JsonRecord): Usage {
  const input = recordOf(usage["prompt_tokens_details"]) ?? {};
  const output = recordOf(usage["completion_tokens_details"]) ?? {};
  const reasoning = countOf(output["reasoning_tokens"]) ?? countOf(usage["reasoning_tokens"]);
  const audioIn = positive(input["audio_tokens"]);
  const imageIn = positive(input["image_tokens"]);
  const audioOut = positive(output["audio_tokens"]);
  return {
    input: {
      total: countOf(usage["prompt_tokens"]) ?? 0,
      // DeepSeek and Moonshot name the cached share at the top level.
      cacheRead:
        countOf(input["cached_tokens"]) ??
        countOf(usage["prompt_cache_hit_tokens"]) ??
        countOf(usage["cached_tokens"]) ??
        0,
      cacheWrite: countOf(input["cache_write_tokens"]) ?? 0,
      ...(audioIn === undefined ? {} : { audio: audioIn }),
      ...(imageIn === undefined ? {} : { image: imageIn }),
    },
    output: {
      total: countOf(usage["completion_tokens"]) ?? 0,
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(audioOut === undefined ? {} : { audio: audioOut }),
    },
    source: "provider",
  };
}

function positive(value: unknown): number | undefined {
  const count = numberOf(value);
  return count !== undefined && count > 0 ? count : undefined;
}
