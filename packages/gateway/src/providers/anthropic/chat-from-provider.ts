import type { FinishReason, StreamPart } from "@fovea/core";
import { AnswerBuilder } from "../answer-builder.ts";
import { errorOf } from "../error-body.ts";
import type { EventAnswer } from "../event-decoder.ts";
import { arrayOf, countOf, parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { AnswerContext } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { streamFailure } from "./failures.ts";
import { sealOf } from "./opaque.ts";
import { foldUsage, usageOf } from "./usage.ts";

/** An unstreamed message, told as the events its stream would have had. */
export function decodeMessage(body: unknown, context: AnswerContext): StreamPart[] {
  const parts: StreamPart[] = [];
  const answer = new AnthropicAnswer(context);
  answer.builder.into(parts);
  const message = recordOf(body);
  if (message === undefined) throw new WireFault("protocol", "an answer that is not an object");
  if (message["type"] === "error" || recordOf(message["error"]) !== undefined)
    answer.told({ ...message, type: "error" });
  else {
    answer.told({ type: "message_start", message });
    answer.told({ type: "message_delta", delta: message });
    answer.told({ type: "message_stop" });
  }
  return parts;
}

interface Block {
  readonly type: string;
  /** Input that came with the start; deltas, if any come, replace it. */
  readonly whole?: string;
  hasDeltas: boolean;
}

/** Events of the Messages API. Complete at `message_stop`, and not before. */
export class AnthropicAnswer implements EventAnswer {
  readonly builder: AnswerBuilder;
  readonly missing = "message_stop";
  readonly #context: AnswerContext;
  readonly #blocks = new Map<number, Block>();
  #messageId: string | undefined;
  #usage: JsonRecord = {};
  #stopReason: string | undefined;

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
    // Nothing: `message_stop` finishes at once.
  }

  told(event: JsonRecord): void {
    switch (event["type"]) {
      case "content_block_delta":
        return this.#delta(countOf(event["index"]) ?? 0, recordOf(event["delta"]) ?? {});
      case "content_block_start":
        return this.#blockStart(countOf(event["index"]) ?? 0, recordOf(event["content_block"]) ?? {});
      case "content_block_stop":
        return this.#blockStop(countOf(event["index"]) ?? 0);
      case "message_start":
        return this.#messageStart(recordOf(event["message"]) ?? {});
      case "message_delta":
        return this.#messageDelta(event);
      case "message_stop":
        return this.#messageStop();
      case "error":
        return this.builder.fail(streamFailure(errorOf(event), this.#context));
      default:
        // `ping`, and events that do not exist yet.
        return;
    }
  }

  #messageStart(message: JsonRecord): void {
    const id = stringOf(message["id"]) ?? "";
    if (this.#messageId !== undefined && this.#messageId !== id) {
      throw new WireFault("protocol", "a second message began inside the first");
    }
    this.#messageId = id;
    this.#fold(recordOf(message["usage"]));
    this.builder.start(id, stringOf(message["model"]));
    arrayOf(message["content"]).forEach((block, index) => {
      this.#blockStart(index, recordOf(block) ?? {});
      this.#blockStop(index);
    });
  }

  #blockStart(index: number, block: JsonRecord): void {
    const { builder } = this;
    const type = stringOf(block["type"]) ?? "";
    const input = recordOf(block["input"]);
    const isCall = type === "tool_use";
    const whole = isCall && input !== undefined && Object.keys(input).length > 0 ? JSON.stringify(input) : undefined;
    this.#blocks.set(index, { type, hasDeltas: false, ...(whole === undefined ? {} : { whole }) });
    if (isCall) builder.callStart(index, stringOf(block["id"]), stringOf(block["name"]) ?? "");
    if (type === "text") {
      builder.text(stringOf(block["text"]) ?? "", index);
      for (const citation of arrayOf(block["citations"])) this.#citation(recordOf(citation));
    }
    if (type === "thinking") {
      builder.reasoning(stringOf(block["thinking"]), undefined, index);
      this.#signature(stringOf(block["signature"]), index);
    }
    if (type === "redacted_thinking")
      builder.reasoning(undefined, sealOf("redacted", stringOf(block["data"]) ?? ""), index);
    if (type === "server_tool_use") builder.part({ type: "progress", note: stringOf(block["name"]) ?? type });
  }

  #delta(index: number, delta: JsonRecord): void {
    const { builder } = this;
    switch (delta["type"]) {
      case "text_delta":
        return builder.text(stringOf(delta["text"]) ?? "", index);
      case "input_json_delta":
        return this.#input(index, stringOf(delta["partial_json"]) ?? "");
      case "thinking_delta":
        return builder.reasoning(stringOf(delta["thinking"]), undefined, index);
      case "signature_delta":
        return this.#signature(stringOf(delta["signature"]), index);
      case "citations_delta":
        return this.#citation(recordOf(delta["citation"]));
      default:
        return;
    }
  }

  #input(index: number, json: string): void {
    const block = this.#blocks.get(index);
    if (block === undefined || json === "") return;
    block.hasDeltas = true;
    // Server tools stream their input too; it belongs to no call of the client.
    if (block.type === "tool_use") this.builder.callArgs(index, json);
  }

  #signature(signature: string | undefined, index: number): void {
    if (signature !== undefined && signature !== "")
      this.builder.reasoning(undefined, sealOf("signature", signature), index);
  }

  #citation(citation: JsonRecord | undefined): void {
    const url = stringOf(citation?.["url"]);
    const title = stringOf(citation?.["title"]) ?? stringOf(citation?.["document_title"]);
    const start = countOf(citation?.["start_char_index"]);
    const end = countOf(citation?.["end_char_index"]);
    if (citation === undefined) return;
    this.builder.part({
      type: "citation",
      ...(url === undefined ? {} : { url }),
      ...(title === undefined ? {} : { title }),
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
    });
  }

  #blockStop(index: number): void {
    const block = this.#blocks.get(index);
    this.#blocks.delete(index);
    if (block?.type !== "tool_use") return;
    if (block.whole !== undefined && !block.hasDeltas) this.builder.callArgs(index, block.whole);
    // Cut by the length limit, the arguments are not JSON: the finish reason, still to come, decides.
    if (this.builder.isCallWhole(index) || !this.builder.hasArgs(index)) this.builder.callEnd(index);
  }

  #messageDelta(event: JsonRecord): void {
    this.#fold(recordOf(event["usage"]));
    const stopReason = stringOf(recordOf(event["delta"])?.["stop_reason"]);
    if (stopReason !== undefined) this.#stopReason = stopReason;
  }

  #messageStop(): void {
    const raw = this.#stopReason;
    if (raw === undefined) throw new WireFault("truncated", "message_stop without a stop reason");
    this.builder.finish(FINISH[raw] ?? "other", raw);
  }

  #fold(usage: JsonRecord | undefined): void {
    if (usage === undefined) return;
    this.#usage = foldUsage(this.#usage, usage);
    this.builder.usage(usageOf(this.#usage));
  }
}

const FINISH: Readonly<Record<string, FinishReason | undefined>> = {
  __proto__: null as never,
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "refusal",
  pause_turn: "paused",
};
