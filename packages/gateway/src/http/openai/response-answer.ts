// Words an answer in the Responses dialect: items with parts, named events, rising sequence numbers.
import type { AnswerPart, Cost, FinishReason, Usage } from "@fovea/core";
import type { AnswerDialect, AnswerEncoder, EndPart, Spent, StartPart } from "../answer-dialect.ts";
import type { CollectedAnswer } from "../collected-answer.ts";
import type { DoorFailure } from "../error-response.ts";
import { eventText } from "../server-sent-events.ts";
import { openAiError } from "./failures.ts";

export interface ResponseFacts {
  readonly id: string;
  readonly createdS: number;
  readonly echo: Readonly<Record<string, unknown>>;
}

export function responseAnswer(facts: ResponseFacts): AnswerDialect {
  return {
    streamType: "text/event-stream; charset=utf-8",
    keepAlive: ": keep-alive\n\n",
    whole: (answer) => wholeResponse(answer, facts),
    encoder: (start) => new ResponseEncoder(start, facts),
  };
}

type Item = Readonly<Record<string, unknown>>;

/** Why an answer is not complete; undefined where it is. */
const INCOMPLETE: Readonly<Partial<Record<FinishReason, string>>> = {
  length: "max_output_tokens",
  content_filter: "content_filter",
  paused: "max_output_tokens",
};

interface Body {
  readonly model: string;
  readonly status: string;
  readonly output: readonly Item[];
  readonly usage?: Usage | undefined;
  readonly cost?: Cost | undefined;
  readonly reason?: string | undefined;
  readonly error?: object;
}

function responseObject(facts: ResponseFacts, body: Body): Item {
  return {
    id: facts.id,
    object: "response",
    created_at: facts.createdS,
    status: body.status,
    background: false,
    error: body.error ?? null,
    incomplete_details: body.reason === undefined ? null : { reason: body.reason },
    model: body.model,
    output: body.output,
    previous_response_id: null,
    store: false,
    truncation: "disabled",
    ...facts.echo,
    usage: body.usage === undefined ? null : usageMember(body.usage),
  };
}

function usageMember(usage: Usage): object {
  return {
    input_tokens: usage.input.total,
    input_tokens_details: { cached_tokens: usage.input.cacheRead },
    output_tokens: usage.output.total,
    output_tokens_details: { reasoning_tokens: usage.output.reasoning ?? 0 },
    total_tokens: usage.input.total + usage.output.total,
  };
}

function wholeResponse(answer: CollectedAnswer, facts: ResponseFacts): object {
  const output: Item[] = [];
  if (answer.reasoning !== "") output.push(reasoningItem(`rs_${facts.id}_0`, answer.reasoning));
  const content: Item[] = [];
  if (answer.text !== "") content.push(textPart(answer.text));
  if (answer.refusal !== "") content.push({ type: "refusal", refusal: answer.refusal });
  if (content.length > 0) output.push(messageItem(`msg_${facts.id}`, "completed", content));
  for (const { id, name, args } of answer.toolCalls) output.push(callItem({ id, name }, "completed", args));
  const reason = INCOMPLETE[answer.finishReason];
  const status = reason === undefined ? "completed" : "incomplete";
  return responseObject(facts, { model: answer.start.model, status, output, usage: answer.usage, reason });
}

function textPart(text: string): Item {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

function messageItem(id: string, status: string, content: readonly Item[]): Item {
  return { id, type: "message", status, role: "assistant", content };
}

function reasoningItem(id: string, text: string): Item {
  return { id, type: "reasoning", summary: text === "" ? [] : [{ type: "summary_text", text }] };
}

function callItem(call: { readonly id: string; readonly name: string }, status: string, args: string): Item {
  return { id: `fc_${call.id}`, type: "function_call", status, call_id: call.id, name: call.name, arguments: args };
}

/** An item that is being written. Its text grows until the next item begins. */
type OpenItem =
  | { readonly kind: "text" | "refusal" | "reasoning"; readonly id: string; readonly index: number; text: string }
  | {
      readonly kind: "call";
      readonly id: string;
      readonly index: number;
      readonly call: { id: string; name: string };
      text: string;
    };

class ResponseEncoder implements AnswerEncoder {
  readonly #facts: ResponseFacts;
  readonly #start: StartPart;
  readonly #output: Item[] = [];
  /** Items in the order of `output_index`; the text item may hold two kinds of parts only one after the other. */
  #open: OpenItem | undefined;
  /** Interleaved calls stay open beside the current item, by the provider's block. */
  readonly #calls = new Map<number, Extract<OpenItem, { kind: "call" }>>();
  #nextIndex = 0;
  #sequence = 0;

  constructor(start: StartPart, facts: ResponseFacts) {
    this.#start = start;
    this.#facts = facts;
  }

  begin(): string {
    const response = this.#response("in_progress");
    return this.#event("response.created", { response }) + this.#event("response.in_progress", { response });
  }

  part(part: AnswerPart): string {
    switch (part.type) {
      case "text-delta":
        return part.text === "" ? "" : this.#grow("text", part.text);
      case "refusal-delta":
        return this.#grow("refusal", part.text);
      case "reasoning-delta":
        return part.text === undefined ? "" : this.#grow("reasoning", part.text);
      case "tool-start":
        return this.#openCall(part.index, part.id, part.name);
      case "tool-delta":
        return this.#growCall(part.index, part.args);
      case "tool-end":
        return this.#closeCall(part.index, part.args);
      case "tool-call":
        return this.#openCall(-1, part.id, part.name) + this.#growCall(-1, part.args) + this.#closeCall(-1, part.args);
      default:
        return "";
    }
  }

  end(end: EndPart, spent: Spent): string {
    const closing = this.#close();
    const reason = INCOMPLETE[end.finishReason];
    const status = reason === undefined ? "completed" : "incomplete";
    const response = this.#response(status, { usage: spent.usage, reason });
    return closing + this.#event(`response.${status}`, { response });
  }

  fail(failure: DoorFailure): string {
    const { error } = openAiError(failure);
    const { message, param } = error;
    const code = error.code ?? error.type;
    const response = this.#response("failed", { error: { code, message } });
    return this.#event("response.failed", { response }) + this.#event("error", { code, message, param });
  }

  #response(status: string, more: Partial<Body> = {}): Item {
    return responseObject(this.#facts, { model: this.#start.model, status, output: this.#output, ...more });
  }

  #event(type: string, members: Item): string {
    return eventText(JSON.stringify({ type, sequence_number: this.#sequence++, ...members }), type);
  }

  #grow(kind: "text" | "refusal" | "reasoning", delta: string): string {
    let opening = "";
    let item = this.#open;
    if (item === undefined || item.kind !== kind) {
      opening = this.#close();
      const index = this.#nextIndex++;
      item = { kind, id: `${kind === "reasoning" ? "rs" : "msg"}_${this.#facts.id}_${index}`, index, text: "" };
      this.#open = item;
      opening += this.#opened(item);
    }
    item.text += delta;
    const place = { item_id: item.id, output_index: item.index };
    if (kind === "reasoning") {
      return opening + this.#event("response.reasoning_summary_text.delta", { ...place, summary_index: 0, delta });
    }
    const type = kind === "text" ? "response.output_text.delta" : "response.refusal.delta";
    return (
      opening + this.#event(type, { ...place, content_index: 0, delta, ...(kind === "text" ? { logprobs: [] } : {}) })
    );
  }

  #opened(item: OpenItem): string {
    const place = { output_index: item.index };
    if (item.kind === "reasoning") {
      const part = { type: "summary_text", text: "" };
      return (
        this.#event("response.output_item.added", { ...place, item: reasoningItem(item.id, "") }) +
        this.#event("response.reasoning_summary_part.added", { item_id: item.id, ...place, summary_index: 0, part })
      );
    }
    const part = item.kind === "text" ? textPart("") : { type: "refusal", refusal: "" };
    return (
      this.#event("response.output_item.added", { ...place, item: messageItem(item.id, "in_progress", []) }) +
      this.#event("response.content_part.added", { item_id: item.id, ...place, content_index: 0, part })
    );
  }

  #close(): string {
    const item = this.#open;
    this.#open = undefined;
    if (item === undefined || item.kind === "call") return "";
    const { text } = item;
    const place = { item_id: item.id, output_index: item.index };
    if (item.kind === "reasoning") {
      const whole = reasoningItem(item.id, text);
      this.#output[item.index] = whole;
      const part = { type: "summary_text", text };
      return (
        this.#event("response.reasoning_summary_text.done", { ...place, summary_index: 0, text }) +
        this.#event("response.reasoning_summary_part.done", { ...place, summary_index: 0, part }) +
        this.#event("response.output_item.done", { output_index: item.index, item: whole })
      );
    }
    const isText = item.kind === "text";
    const part = isText ? textPart(text) : { type: "refusal", refusal: text };
    const whole = messageItem(item.id, "completed", [part]);
    this.#output[item.index] = whole;
    const done = isText
      ? this.#event("response.output_text.done", { ...place, content_index: 0, text, logprobs: [] })
      : this.#event("response.refusal.done", { ...place, content_index: 0, refusal: text });
    return (
      done +
      this.#event("response.content_part.done", { ...place, content_index: 0, part }) +
      this.#event("response.output_item.done", { output_index: item.index, item: whole })
    );
  }

  #openCall(block: number, id: string, name: string): string {
    const closing = this.#close();
    const index = this.#nextIndex++;
    const item = { kind: "call" as const, id: `fc_${id}`, index, call: { id, name }, text: "" };
    this.#calls.set(block, item);
    return (
      closing +
      this.#event("response.output_item.added", { output_index: index, item: callItem(item.call, "in_progress", "") })
    );
  }

  #growCall(block: number, delta: string): string {
    const item = this.#calls.get(block);
    if (item === undefined || delta === "") return "";
    const place = { item_id: item.id, output_index: item.index };
    return this.#event("response.function_call_arguments.delta", { ...place, delta });
  }

  #closeCall(block: number, args: string): string {
    const item = this.#calls.get(block);
    if (item === undefined) return "";
    this.#calls.delete(block);
    const whole = callItem(item.call, "completed", args);
    this.#output[item.index] = whole;
    const place = { item_id: item.id, output_index: item.index };
    return (
      this.#event("response.function_call_arguments.done", { ...place, name: item.call.name, arguments: args }) +
      this.#event("response.output_item.done", { output_index: item.index, item: whole })
    );
  }
}
