import type { FinishReason, StreamPart, Usage } from "@fovea/core";
import { AnswerBuilder } from "../answer-builder.ts";
import { errorOf } from "../error-body.ts";
import type { EventAnswer } from "../event-decoder.ts";
import { buildFailure } from "../failure.ts";
import { arrayOf, countOf, parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { AnswerContext } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";

/** Chat v2. Complete at `message-end`, which may carry a failure inside HTTP 200. */
export class CohereAnswer implements EventAnswer {
  readonly builder: AnswerBuilder;
  readonly missing = "message-end";
  readonly #context: AnswerContext;

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
    // Nothing: `message-end` finishes at once.
  }

  told(event: JsonRecord): void {
    const { builder } = this;
    const delta = recordOf(event["delta"]) ?? {};
    const message = recordOf(delta["message"]) ?? {};
    const index = countOf(event["index"]) ?? 0;
    switch (event["type"]) {
      case "message-start":
        return builder.start(stringOf(event["id"]), undefined);
      case "content-start":
      case "content-delta":
        return this.#content(recordOf(message["content"]) ?? {}, index);
      case "tool-plan-delta":
        return builder.reasoning(stringOf(message["tool_plan"]));
      case "tool-call-start":
        return this.#callStart(recordOf(message["tool_calls"]) ?? {}, index);
      case "tool-call-delta":
        return this.#callArgs(recordOf(message["tool_calls"]) ?? {}, index);
      case "tool-call-end":
        return builder.callEnd(index);
      case "citation-start":
        return this.citation(recordOf(message["citations"]));
      case "message-end":
        return this.end(delta["finish_reason"], delta["error"], recordOf(delta["usage"]));
      default:
        if (event["error"] !== undefined || (event["type"] === undefined && event["message"] !== undefined))
          this.#failed(event);
    }
  }

  end(reason: unknown, error: unknown, usage: JsonRecord | undefined): void {
    const raw = stringOf(reason) ?? "";
    if (usage !== undefined) this.builder.usage(usageOf(usage));
    if (raw === "ERROR" || raw === "TIMEOUT" || raw === "") {
      const message = stringOf(error) ?? `the answer ended with ${raw === "" ? "no reason" : raw}`;
      this.#fail(message, raw);
      return;
    }
    this.builder.finish(FINISH[raw] ?? "other", raw);
  }

  citation(citation: JsonRecord | undefined): void {
    if (citation === undefined) return;
    const source = recordOf(arrayOf(citation["sources"])[0]);
    const document = recordOf(source?.["document"]);
    const title = stringOf(document?.["title"]) ?? stringOf(source?.["id"]);
    const url = stringOf(document?.["url"]);
    const start = countOf(citation["start"]);
    const end = countOf(citation["end"]);
    this.builder.part({
      type: "citation",
      ...(url === undefined ? {} : { url }),
      ...(title === undefined ? {} : { title }),
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
    });
  }

  #content(content: JsonRecord, index: number): void {
    this.builder.reasoning(stringOf(content["thinking"]), undefined, index);
    this.builder.text(stringOf(content["text"]) ?? "", index);
  }

  #callStart(call: JsonRecord, index: number): void {
    const fn = recordOf(call["function"]) ?? {};
    this.builder.callStart(index, stringOf(call["id"]), stringOf(fn["name"]) ?? "");
    this.#callArgs(call, index);
  }

  /** A tool without parameters is called with the text `null`. */
  #callArgs(call: JsonRecord, index: number): void {
    const args = stringOf(recordOf(call["function"])?.["arguments"]) ?? "";
    if (args !== "null" || this.builder.hasArgs(index)) this.builder.callArgs(index, args);
  }

  #failed(event: JsonRecord): void {
    const error = errorOf(event);
    this.#fail(error.message, error.code ?? error.type ?? "");
  }

  #fail(message: string, providerCode: string): void {
    const { providerId, requestId } = this.#context;
    this.builder.fail(
      buildFailure("provider_stream_error", providerId, message, {
        ...(providerCode === "" ? {} : { providerCode }),
        ...(requestId === undefined ? {} : { requestId }),
      }),
    );
  }
}

/** An unstreamed answer, told in the order its stream would have had. */
export function decodeChat(body: unknown, context: AnswerContext): StreamPart[] {
  const parts: StreamPart[] = [];
  const answer = new CohereAnswer(context);
  answer.builder.into(parts);
  const whole = recordOf(body);
  const message = recordOf(whole?.["message"]);
  if (whole === undefined || message === undefined) throw new WireFault("protocol", "an answer without a message");
  answer.builder.start(stringOf(whole["id"]), undefined);
  answer.builder.reasoning(stringOf(message["tool_plan"]));
  arrayOf(message["content"]).forEach((content, index) =>
    answer.told({ type: "content-delta", index, delta: { message: { content } } }),
  );
  arrayOf(message["tool_calls"]).forEach((call, index) => {
    answer.told({ type: "tool-call-start", index, delta: { message: { tool_calls: call } } });
    answer.told({ type: "tool-call-end", index });
  });
  for (const citation of arrayOf(message["citations"])) answer.citation(recordOf(citation));
  answer.end(whole["finish_reason"], whole["error"], recordOf(whole["usage"]));
  return parts;
}

const FINISH: Readonly<Record<string, FinishReason | undefined>> = {
  __proto__: null as never,
  COMPLETE: "stop",
  STOP_SEQUENCE: "stop",
  MAX_TOKENS: "length",
  TOOL_CALL: "tool_calls",
};

/** What the model read and wrote is one thing, what is charged another: the preamble of tools and safety is free. */
export function usageOf(usage: JsonRecord): Usage {
  const tokens = recordOf(usage["tokens"]) ?? {};
  const billed = recordOf(usage["billed_units"]);
  const searches = countOf(billed?.["search_units"]);
  const input = countOf(tokens["input_tokens"]) ?? countOf(billed?.["input_tokens"]) ?? 0;
  const output = countOf(tokens["output_tokens"]) ?? countOf(billed?.["output_tokens"]) ?? 0;
  return {
    input: { total: input, cacheRead: countOf(usage["cached_tokens"]) ?? 0, cacheWrite: 0 },
    output: { total: output },
    ...(billed === undefined
      ? {}
      : {
          billed: {
            inputTokens: countOf(billed["input_tokens"]) ?? 0,
            outputTokens: countOf(billed["output_tokens"]) ?? 0,
          },
        }),
    ...(searches === undefined ? {} : { units: { searches } }),
    source: "provider",
  };
}
