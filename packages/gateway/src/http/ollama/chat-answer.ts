// Words an answer as Ollama does: one JSON object a line, durations in nanoseconds. Non-ASCII leaves as \u escapes, because
// older clients decode every network piece on its own and break characters that are split between two.
import type { AnswerPart, Clock, FinishReason, Usage } from "@fovea/core";
import type { AnswerDialect, AnswerEncoder, EndPart, Spent, StartPart } from "../answer-dialect.ts";
import type { CollectedAnswer } from "../collected-answer.ts";
import type { DoorFailure } from "../error-response.ts";

export interface OllamaFacts {
  /** As the caller named it: clients compare it with what they asked for. */
  readonly model: string;
  readonly kind: "chat" | "generate";
  readonly clock: Clock;
  readonly startedMs: number;
}

export function ollamaAnswer(facts: OllamaFacts): AnswerDialect {
  return {
    streamType: "application/x-ndjson",
    keepAlive: "",
    whole: (answer) => wholeAnswer(answer, facts),
    encoder: (_start: StartPart) => new LineEncoder(facts),
  };
}

/** The lines are few and short; the rest of the dialect has only `stop` and `length`. */
const DONE: Readonly<Partial<Record<FinishReason, string>>> = { length: "length", paused: "length" };

function wholeAnswer(answer: CollectedAnswer, facts: OllamaFacts): object {
  const { reasoning, toolCalls } = answer;
  const text = answer.text + answer.refusal;
  const firstMs = facts.clock.monotonicMs();
  const content =
    facts.kind === "generate"
      ? { response: text, ...(reasoning === "" ? {} : { thinking: reasoning }) }
      : {
          message: {
            role: "assistant",
            content: text,
            ...(reasoning === "" ? {} : { thinking: reasoning }),
            ...(toolCalls.length === 0
              ? {}
              : { tool_calls: toolCalls.map((call) => callMember(call.name, call.args)) }),
          },
        };
  return { ...head(facts), ...content, ...tail(facts, answer.finishReason, answer.usage, firstMs) };
}

function head(facts: OllamaFacts): object {
  return { model: facts.model, created_at: new Date(facts.clock.unixMs()).toISOString() };
}

function tail(facts: OllamaFacts, reason: FinishReason, usage: Usage | undefined, firstMs: number): object {
  const nowMs = facts.clock.monotonicMs();
  return {
    done: true,
    done_reason: DONE[reason] ?? "stop",
    total_duration: nanoseconds(nowMs - facts.startedMs),
    load_duration: 0,
    prompt_eval_count: usage?.input.total ?? 0,
    prompt_eval_duration: nanoseconds(firstMs - facts.startedMs),
    eval_count: usage?.output.total ?? 0,
    eval_duration: nanoseconds(nowMs - firstMs),
  };
}

function nanoseconds(ms: number): number {
  return Math.max(0, Math.round(ms * 1_000_000));
}

/** Arguments are an object here. */
function callMember(name: string, args: string): object {
  let value: unknown;
  try {
    value = JSON.parse(args === "" ? "{}" : args);
  } catch {
    value = { _raw: args };
  }
  return { function: { name, arguments: value } };
}

class LineEncoder implements AnswerEncoder {
  readonly #facts: OllamaFacts;
  readonly #calls = new Map<number, string>();
  #firstMs: number | undefined;

  constructor(facts: OllamaFacts) {
    this.#facts = facts;
  }

  begin(): string {
    this.#firstMs = this.#facts.clock.monotonicMs();
    return "";
  }

  part(part: AnswerPart): string {
    switch (part.type) {
      case "text-delta":
      case "refusal-delta":
        return part.text === "" ? "" : this.#content(part.text);
      case "reasoning-delta":
        return part.text === undefined ? "" : this.#content("", { thinking: part.text });
      case "tool-start":
        this.#calls.set(part.index, part.name);
        return "";
      case "tool-end":
        return this.#content("", { tool_calls: [callMember(this.#calls.get(part.index) ?? "", part.args)] });
      case "tool-call":
        return this.#content("", { tool_calls: [callMember(part.name, part.args)] });
      default:
        return "";
    }
  }

  end(end: EndPart, spent: Spent): string {
    const empty = this.#facts.kind === "generate" ? { response: "" } : { message: { role: "assistant", content: "" } };
    const firstMs = this.#firstMs ?? this.#facts.clock.monotonicMs();
    return line({ ...head(this.#facts), ...empty, ...tail(this.#facts, end.finishReason, spent.usage, firstMs) });
  }

  fail(failure: DoorFailure): string {
    return line({ error: failure.message });
  }

  #content(text: string, more: object = {}): string {
    const body =
      this.#facts.kind === "generate"
        ? { response: text, ...more }
        : { message: { role: "assistant", content: text, ...more } };
    return line({ ...head(this.#facts), ...body, done: false });
  }
}

export function line(value: object): string {
  const json = JSON.stringify(value);
  return `${json.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}
