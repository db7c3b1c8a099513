// Words an answer as an Anthropic message. Every frame has its event name: the official client drops unnamed ones.
import type { AnswerPart, FinishReason, ProviderType, Usage } from "@fovea/core";
import { PROVIDER_TYPES } from "@fovea/core";
import type { AnswerDialect, AnswerEncoder, EndPart, Spent, StartPart } from "../answer-dialect.ts";
import type { CollectedAnswer } from "../collected-answer.ts";
import type { DoorFailure } from "../error-response.ts";
import { eventText } from "../server-sent-events.ts";
import { anthropicError } from "./failures.ts";

export interface MessageFacts {
  readonly id: string;
  readonly requestId: string;
  readonly wantsThinking: boolean;
}

export function messagesAnswer(facts: MessageFacts): AnswerDialect {
  return {
    streamType: "text/event-stream; charset=utf-8",
    keepAlive: eventText('{"type":"ping"}', "ping"),
    whole: (answer) => wholeMessage(answer, facts),
    encoder: (start) => new MessageEncoder(start, facts),
  };
}

const STOP: Readonly<Record<FinishReason, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  content_filter: "refusal",
  refusal: "refusal",
  paused: "pause_turn",
  other: "end_turn",
};

/** The dialect counts cached tokens beside the input, not inside it. */
function usageMember(usage: Usage | undefined): object {
  const cacheRead = usage?.input.cacheRead ?? 0;
  const cacheWrite = usage?.input.cacheWrite ?? 0;
  const byTtl = usage?.input.cacheWriteByTtl;
  return {
    input_tokens: Math.max(0, (usage?.input.total ?? 0) - cacheRead - cacheWrite),
    cache_creation_input_tokens: cacheWrite,
    cache_read_input_tokens: cacheRead,
    ...(byTtl === undefined
      ? {}
      : {
          cache_creation: {
            ephemeral_5m_input_tokens: byTtl["5m"] ?? 0,
            ephemeral_1h_input_tokens: byTtl["1h"] ?? 0,
          },
        }),
    output_tokens: usage?.output.total ?? 0,
  };
}

function wholeMessage(answer: CollectedAnswer, facts: MessageFacts): object {
  const text = answer.text + answer.refusal;
  const content = [
    ...thinkingBlocks(answer, facts),
    ...(text === "" ? [] : [{ type: "text", text, citations: null }]),
    ...answer.toolCalls.map(({ id, name, args }) => ({ type: "tool_use", id, name, input: inputOf(args) })),
  ];
  const reason = answer.toolCalls.length > 0 && answer.finishReason === "stop" ? "tool_calls" : answer.finishReason;
  return {
    id: facts.id,
    type: "message",
    role: "assistant",
    model: answer.start.model,
    content,
    stop_reason: STOP[reason],
    stop_sequence: null,
    usage: usageMember(answer.usage),
  };
}

function inputOf(args: string): unknown {
  try {
    return JSON.parse(args === "" ? "{}" : args);
  } catch {
    // The provider layer promises JSON text; what is not would fail at the client in a stream as well.
    return { _raw: args };
  }
}

/**
 * A thinking block needs a signature that its vendor accepts when it comes back, so only signed thoughts of a known vendor
 * are shown, with the vendor's name in front.
 */
function thinkingBlocks(answer: CollectedAnswer, facts: MessageFacts): readonly object[] {
  const type = typeOf(answer.start);
  if (!facts.wantsThinking || type === undefined) return [];
  return answer.thoughts
    .filter(({ opaque }) => opaque !== "")
    .map(({ text, opaque }) =>
      text === ""
        ? { type: "redacted_thinking", data: `${type}.${opaque}` }
        : { type: "thinking", thinking: text, signature: `${type}.${opaque}` },
    );
}

function typeOf(start: StartPart): ProviderType | undefined {
  return start.providerType ?? PROVIDER_TYPES.find((name) => name === start.provider);
}

interface Block {
  readonly kind: "text" | "tool" | "thinking";
  readonly index: number;
}

class MessageEncoder implements AnswerEncoder {
  readonly #facts: MessageFacts;
  readonly #start: StartPart;
  readonly #thinksAs: ProviderType | undefined;
  #block: Block | undefined;
  #nextIndex = 0;
  #hasCalls = false;
  /** Calls whose fragments interleave are held back, because blocks come one after another here. */
  readonly #waiting = new Map<number, { id: string; name: string; args: string }>();
  #liveCall: number | undefined;
  #thought = "";

  constructor(start: StartPart, facts: MessageFacts) {
    this.#start = start;
    this.#facts = facts;
    this.#thinksAs = facts.wantsThinking ? typeOf(start) : undefined;
  }

  begin(): string {
    const message = {
      id: this.#facts.id,
      type: "message",
      role: "assistant",
      model: this.#start.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: usageMember(undefined),
    };
    return event("message_start", { message });
  }

  part(part: AnswerPart): string {
    switch (part.type) {
      case "text-delta":
        return part.text === "" ? "" : this.#text(part.text);
      case "refusal-delta":
        return this.#text(part.text);
      case "reasoning-delta":
        return this.#think(part.text ?? "", part.opaque);
      case "tool-start":
        return this.#openCall(part.index, part.id, part.name);
      case "tool-delta":
        return this.#growCall(part.index, part.args);
      case "tool-end":
        return this.#closeCall(part.index, part.args);
      case "tool-call":
        return this.#wholeCall(part.id, part.name, part.args);
      default:
        return "";
    }
  }

  end(end: EndPart, spent: Spent): string {
    const reason = this.#hasCalls && end.finishReason === "stop" ? "tool_calls" : end.finishReason;
    const delta = { stop_reason: STOP[reason], stop_sequence: null };
    return (
      this.#close() + event("message_delta", { delta, usage: usageMember(spent.usage) }) + event("message_stop", {})
    );
  }

  fail(failure: DoorFailure): string {
    return eventText(JSON.stringify(anthropicError(failure, this.#facts.requestId)), "error");
  }

  #text(text: string): string {
    const opening = this.#block?.kind === "text" ? "" : this.#close() + this.#open("text", { type: "text", text: "" });
    return `${opening}event: content_block_delta\ndata: {"type":"content_block_delta","index":${this.#nextIndex - 1},"delta":{"type":"text_delta","text":${JSON.stringify(text)}}}\n\n`;
  }

  /** Thoughts are held until their signature comes: an unsigned block would be refused when it is sent back. */
  #think(text: string, opaque: string | undefined): string {
    if (this.#thinksAs === undefined) return "";
    this.#thought += text;
    if (opaque === undefined) return "";
    const signature = `${this.#thinksAs}.${opaque}`;
    const thought = this.#thought;
    this.#thought = "";
    if (thought === "") {
      return this.#close() + this.#open("thinking", { type: "redacted_thinking", data: signature }) + this.#close();
    }
    return (
      this.#close() +
      this.#open("thinking", { type: "thinking", thinking: "", signature: "" }) +
      this.#delta({ type: "thinking_delta", thinking: thought }) +
      this.#delta({ type: "signature_delta", signature }) +
      this.#close()
    );
  }

  #openCall(block: number, id: string, name: string): string {
    this.#hasCalls = true;
    if (this.#liveCall !== undefined) {
      this.#waiting.set(block, { id, name, args: "" });
      return "";
    }
    this.#liveCall = block;
    return this.#close() + this.#open("tool", { type: "tool_use", id, name, input: {} });
  }

  #growCall(block: number, args: string): string {
    if (block === this.#liveCall)
      return args === "" ? "" : this.#delta({ type: "input_json_delta", partial_json: args });
    return "";
  }

  #closeCall(block: number, args: string): string {
    const waiting = this.#waiting.get(block);
    if (waiting !== undefined) {
      waiting.args = args === "" ? "{}" : args;
      return this.#liveCall === undefined ? this.#flushCalls() : "";
    }
    if (block !== this.#liveCall) return "";
    this.#liveCall = undefined;
    return this.#close() + this.#flushCalls();
  }

  /** The calls that ended while another one was being written. */
  #flushCalls(): string {
    let out = "";
    for (const [index, call] of this.#waiting) {
      if (call.args === "") continue;
      this.#waiting.delete(index);
      out += this.#wholeCall(call.id, call.name, call.args);
    }
    return out;
  }

  #wholeCall(id: string, name: string, args: string): string {
    this.#hasCalls = true;
    return (
      this.#close() +
      this.#open("tool", { type: "tool_use", id, name, input: {} }) +
      this.#delta({ type: "input_json_delta", partial_json: args }) +
      this.#close()
    );
  }

  #open(kind: Block["kind"], block: object): string {
    const index = this.#nextIndex++;
    this.#block = { kind, index };
    return event("content_block_start", { index, content_block: block });
  }

  #delta(delta: object): string {
    return event("content_block_delta", { index: this.#nextIndex - 1, delta });
  }

  #close(): string {
    const block = this.#block;
    this.#block = undefined;
    return block === undefined ? "" : event("content_block_stop", { index: block.index });
  }
}

function event(type: string, members: object): string {
  return eventText(JSON.stringify({ type, ...members }), type);
}
