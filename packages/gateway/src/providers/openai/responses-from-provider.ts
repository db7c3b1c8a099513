import type { FinishReason, StreamPart, Usage } from "@fovea/core";
import { AnswerBuilder } from "../answer-builder.ts";
import { fromBase64 } from "../base64.ts";
import { errorOf } from "../error-body.ts";
import type { EventAnswer } from "../event-decoder.ts";
import { arrayOf, countOf, parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { AnswerContext } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { streamFailure } from "./failures.ts";

/** Events of the Responses interface. Complete at `response.completed`, `.incomplete` or `.failed`, and not before. */
export class ResponsesAnswer implements EventAnswer {
  readonly builder: AnswerBuilder;
  readonly missing = "response.completed";
  readonly #context: AnswerContext;
  /** Items whose text came in deltas: their closing event repeats it. */
  readonly #told = new Set<string>();

  constructor(context: AnswerContext) {
    this.builder = new AnswerBuilder(context);
    this.#context = context;
  }

  event(data: string): void {
    if (data === "[DONE]") return;
    const event = recordOf(parseJson(data));
    if (event === undefined) throw new WireFault("protocol", "an event that is not an object");
    this.told(event);
  }

  close(): void {
    // Nothing: the terminal events finish at once.
  }

  told(event: JsonRecord): void {
    const { builder } = this;
    const index = countOf(event["output_index"]) ?? 0;
    const delta = stringOf(event["delta"]) ?? "";
    switch (event["type"]) {
      case "response.output_text.delta":
        this.#told.add(`text ${index}`);
        return builder.text(delta, index);
      case "response.function_call_arguments.delta":
        return builder.callArgs(index, delta);
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        this.#told.add(`reasoning ${index}`);
        return builder.reasoning(delta, undefined, index);
      case "response.refusal.delta":
        this.#told.add(`refusal ${index}`);
        return builder.refusal(delta);
      case "response.output_text.annotation.added":
        return this.#citation(recordOf(event["annotation"]));
      case "response.created":
      case "response.in_progress":
        return this.#start(recordOf(event["response"]) ?? {});
      case "response.output_item.added":
        return this.#itemStart(recordOf(event["item"]) ?? {}, index);
      case "response.output_item.done":
        return this.#itemEnd(recordOf(event["item"]) ?? {}, index);
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        return this.#end(recordOf(event["response"]) ?? {});
      case "error":
        return builder.fail(streamFailure(errorOf(event), this.#context));
      default:
        return this.#other(stringOf(event["type"]) ?? "", event);
    }
  }

  #start(response: JsonRecord): void {
    this.builder.start(stringOf(response["id"]), stringOf(response["model"]));
  }

  /** Searches, interpreters and other tools of the vendor itself: progress, told when they begin. */
  #other(type: string, event: JsonRecord): void {
    const tool = /^response\.(\w+_call)\.in_progress$/.exec(type)?.[1];
    if (tool !== undefined) this.builder.part({ type: "progress", note: tool });
    const logs = /_call_code\.delta$|_output_content\.delta$/.test(type) ? stringOf(event["delta"]) : undefined;
    if (logs !== undefined) this.builder.part({ type: "progress", logs });
  }

  #itemStart(item: JsonRecord, index: number): void {
    if (item["type"] !== "function_call") return;
    this.builder.callStart(index, stringOf(item["call_id"]) ?? stringOf(item["id"]), stringOf(item["name"]) ?? "");
  }

  #itemEnd(item: JsonRecord, index: number): void {
    const { builder } = this;
    if (item["type"] === "function_call") {
      this.#itemStart(item, index);
      if (!builder.hasArgs(index)) builder.callArgs(index, stringOf(item["arguments"]) ?? "");
      if (item["status"] !== "incomplete") builder.callEnd(index);
    }
    if (item["type"] === "reasoning") {
      const sealed = stringOf(item["encrypted_content"]);
      if (!this.#told.has(`reasoning ${index}`))
        builder.reasoning(textIn(item["summary"]) + textIn(item["content"]), undefined, index);
      if (sealed !== undefined) builder.reasoning(undefined, sealed, index);
    }
    if (item["type"] === "message" && !this.#told.has(`text ${index}`)) this.#said(item, index);
    if (item["type"] === "message" && !this.#told.has(`refusal ${index}`)) {
      for (const piece of arrayOf(item["content"])) builder.refusal(stringOf(recordOf(piece)?.["refusal"]) ?? "");
    }
    const image = item["type"] === "image_generation_call" ? stringOf(item["result"]) : undefined;
    if (image !== undefined && image !== "") {
      const mime = `image/${stringOf(item["output_format"]) ?? "png"}`;
      builder.part({ type: "media", role: "image", mime, data: { bytes: fromBase64(image) } });
    }
  }

  /** The text of an item that was not told in pieces, with what it cites. */
  #said(item: JsonRecord, index: number): void {
    for (const piece of arrayOf(item["content"])) {
      const content = recordOf(piece);
      this.builder.text(stringOf(content?.["text"]) ?? "", index);
      for (const annotation of arrayOf(content?.["annotations"])) this.#citation(recordOf(annotation));
    }
  }

  #citation(annotation: JsonRecord | undefined): void {
    const url = stringOf(annotation?.["url"]);
    const title = stringOf(annotation?.["title"]) ?? stringOf(annotation?.["filename"]);
    const start = countOf(annotation?.["start_index"]);
    const end = countOf(annotation?.["end_index"]);
    if (annotation === undefined) return;
    this.builder.part({
      type: "citation",
      ...(url === undefined ? {} : { url }),
      ...(title === undefined ? {} : { title }),
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
    });
  }

  #end(response: JsonRecord): void {
    const { builder } = this;
    this.#start(response);
    const usage = recordOf(response["usage"]);
    if (usage !== undefined) builder.usage(usageOf(usage));
    const status = stringOf(response["status"]) ?? "";
    const error = recordOf(response["error"]);
    if (status === "failed" || (error !== undefined && status !== "completed")) {
      builder.fail(
        streamFailure(errorOf({ error: error ?? { message: `the response ended as ${status}` } }), this.#context),
      );
      return;
    }
    const why = stringOf(recordOf(response["incomplete_details"])?.["reason"]);
    const reason: FinishReason =
      status === "incomplete"
        ? (INCOMPLETE[why ?? ""] ?? "other")
        : builder.hasRefusal
          ? "refusal"
          : builder.hasCalls
            ? "tool_calls"
            : "stop";
    builder.finish(reason, why ?? status);
  }

  /** An unstreamed response, told in the order its stream would have had. */
  whole(response: JsonRecord): void {
    this.#start(response);
    arrayOf(response["output"]).forEach((value, index) => {
      const item = recordOf(value) ?? {};
      this.#itemEnd(item, index);
    });
    this.#end(response);
  }
}

export function decodeResponses(body: unknown, context: AnswerContext): StreamPart[] {
  const parts: StreamPart[] = [];
  const answer = new ResponsesAnswer(context);
  answer.builder.into(parts);
  const response = recordOf(body);
  if (response === undefined) throw new WireFault("protocol", "an answer that is not an object");
  if (response["status"] === "in_progress" || response["status"] === "queued") {
    throw new WireFault("protocol", "a response that is not finished");
  }
  answer.whole(response);
  return parts;
}

function textIn(pieces: unknown): string {
  return arrayOf(pieces)
    .map((piece) => stringOf(recordOf(piece)?.["text"]) ?? "")
    .join("");
}

const INCOMPLETE: Readonly<Record<string, FinishReason | undefined>> = {
  __proto__: null as never,
  max_output_tokens: "length",
  max_messages: "length",
  content_filter: "content_filter",
  steered: "paused",
};

export function usageOf(usage: JsonRecord): Usage {
  const input = recordOf(usage["input_tokens_details"]) ?? {};
  const ttl = recordOf(input["cache_write_tokens_details"]);
  const ttl30m = countOf(ttl?.["ttl_30m_tokens"]);
  const ttl12h = countOf(ttl?.["ttl_12h_tokens"]);
  const reasoning = countOf(recordOf(usage["output_tokens_details"])?.["reasoning_tokens"]);
  return {
    input: {
      total: countOf(usage["input_tokens"]) ?? 0,
      cacheRead: countOf(input["cached_tokens"]) ?? 0,
      cacheWrite: countOf(input["cache_write_tokens"]) ?? 0,
      ...(ttl30m === undefined && ttl12h === undefined
        ? {}
        : {
            cacheWriteByTtl: {
              ...(ttl30m === undefined ? {} : { "30m": ttl30m }),
              ...(ttl12h === undefined ? {} : { "12h": ttl12h }),
            },
          }),
    },
    output: { total: countOf(usage["output_tokens"]) ?? 0, ...(reasoning === undefined ? {} : { reasoning }) },
    source: "provider",
  };
}
