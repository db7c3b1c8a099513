import type { FinishReason, StreamPart, Usage } from "@fovea/core";
import { AnswerBuilder } from "../answer-builder.ts";
import { errorOf } from "../error-body.ts";
import type { EventAnswer } from "../event-decoder.ts";
import { arrayOf, countOf, parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import { streamFailure } from "../openai/failures.ts";
import type { AnswerContext } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";

/** An unstreamed answer is the last line with everything in it. */
export function decodeChat(body: unknown, context: AnswerContext): StreamPart[] {
  const parts: StreamPart[] = [];
  const answer = new OllamaAnswer(context);
  answer.builder.into(parts);
  const line = recordOf(body);
  if (line === undefined) throw new WireFault("protocol", "an answer that is not an object");
  answer.line(line);
  if (!answer.builder.isDone) throw new WireFault("truncated", `an answer without ${answer.missing}`);
  return parts;
}

/** One object a line; the one with `done: true` ends the answer, the one with `error` ends it as a failure. */
export class OllamaAnswer implements EventAnswer {
  readonly builder: AnswerBuilder;
  readonly missing = "`done: true`";
  readonly #context: AnswerContext;
  #calls = 0;

  constructor(context: AnswerContext) {
    this.builder = new AnswerBuilder(context);
    this.#context = context;
  }

  event(text: string): void {
    const line = recordOf(parseJson(text));
    if (line === undefined) throw new WireFault("protocol", "a line that is not an object");
    this.line(line);
  }

  line(line: JsonRecord): void {
    const { builder } = this;
    if (line["error"] !== undefined && line["error"] !== null) {
      builder.fail(streamFailure(errorOf(line), this.#context));
      return;
    }
    builder.start(undefined, stringOf(line["model"]));
    const message = recordOf(line["message"]);
    builder.reasoning(stringOf(message?.["thinking"]) ?? stringOf(line["thinking"]));
    builder.text(stringOf(message?.["content"]) ?? stringOf(line["response"]) ?? "");
    for (const call of arrayOf(message?.["tool_calls"])) this.#call(recordOf(call));
    if (line["done"] === true) this.#end(line);
  }

  /** Calls come whole, with their arguments as an object. */
  #call(call: JsonRecord | undefined): void {
    const { builder } = this;
    const called = recordOf(call?.["function"]);
    const name = stringOf(called?.["name"]);
    if (called === undefined || name === undefined) return;
    const key = this.#calls++;
    builder.callStart(key, stringOf(call?.["id"]), name);
    const args = called["arguments"];
    builder.callArgs(key, typeof args === "string" ? args : JSON.stringify(recordOf(args) ?? {}));
    builder.callEnd(key);
  }

  #end(line: JsonRecord): void {
    const { builder } = this;
    const usage = usageOf(line);
    if (usage !== undefined) builder.usage(usage);
    const raw = stringOf(line["done_reason"]) ?? "stop";
    const reason: FinishReason = builder.hasCalls && raw === "stop" ? "tool_calls" : (FINISH[raw] ?? "other");
    builder.finish(reason, raw);
  }

  close(): void {
    // Nothing: the last line finishes at once.
  }
}

const FINISH: Readonly<Record<string, FinishReason | undefined>> = {
  __proto__: null as never,
  stop: "stop",
  length: "length",
};

/** A prompt that is cached whole is not counted by older servers. */
export function usageOf(line: JsonRecord): Usage | undefined {
  const input = countOf(line["prompt_eval_count"]);
  const output = countOf(line["eval_count"]);
  if (input === undefined && output === undefined) return undefined;
  return {
    input: { total: input ?? 0, cacheRead: 0, cacheWrite: 0 },
    output: { total: output ?? 0 },
    source: "provider",
  };
}
