// One answer of the emulated OpenAI Realtime API: its events in the order of the real service, paced by the rule.
import type { Script } from "../answer-script.ts";
import { textOf } from "../json.ts";
import type { Rule } from "../scenario.ts";
import type { Json } from "./openai-items.ts";
import { spokenMs, voice } from "./sound.ts";
import { Performance, type RealtimeStage } from "./stage.ts";

export interface AnswerAsk {
  readonly responseId: string;
  readonly script: Script;
  readonly rule: Rule;
  readonly isText: boolean;
  readonly conversationId: string | null;
  readonly metadata: unknown;
  /** Whether its items enter the conversation. */
  readonly isStored: boolean;
}

export interface AnswerHost {
  readonly stage: RealtimeStage;
  emit(type: string, fields: Json): void;
  /** Puts an item of the answer into the conversation and returns the one before it. */
  append(item: Json): string | null;
  settle(itemId: string, item: Json): void;
}

type Step = { readonly delayMs: number; readonly run: () => void };

export class RealtimeAnswer {
  readonly id: string;
  readonly #ask: AnswerAsk;
  readonly #host: AnswerHost;
  readonly #performance: Performance;
  readonly #output: Json[] = [];
  #onEnd: () => void = () => {};
  /** The item under way, with what of it is out. */
  #open: { item: Json; text: string; audioMs: number; index: number } | undefined;
  /** Milliseconds of audio by item, for truncation. */
  readonly audioMsByItem = new Map<string, number>();

  constructor(ask: AnswerAsk, host: AnswerHost) {
    this.id = ask.responseId;
    this.#ask = ask;
    this.#host = host;
    this.#performance = new Performance(host.stage.clock);
  }

  start(onEnd: () => void): void {
    this.#onEnd = onEnd;
    this.#host.emit("response.created", { response: this.#response("in_progress", null) });
    this.#performance.play(this.#steps(), () => {
      this.#finish("completed", null);
      onEnd();
    });
  }

  cancel(reason: "turn_detected" | "client_cancelled"): void {
    if (this.#performance.isOver) return;
    this.#performance.cancel();
    if (this.#open !== undefined) this.#closeItem("incomplete");
    this.#finish("cancelled", { type: "cancelled", reason });
    this.#onEnd();
  }

  /** The socket is gone. */
  drop(): void {
    this.#performance.cancel();
  }

  #steps(): readonly Step[] {
    const { script, rule, isText } = this.#ask;
    const delay = rule.delay ?? {};
    const steps: Step[] = [];
    const push = (delayMs: number, run: () => void): void => void steps.push({ delayMs, run });
    let isFirst = true;
    const nextMs = (): number => {
      const ms = (isFirst ? delay.firstTokenMs : delay.tokenMs) ?? 0;
      isFirst = false;
      return ms;
    };
    if (script.tokens.length > 0) {
      push(nextMs(), () => this.#openMessage());
      for (const token of script.tokens) push(nextMs(), () => this.#say(token, isText));
      push(0, () => this.#closeItem("completed"));
    }
    for (const call of script.toolCalls) {
      push(nextMs(), () => this.#openCall(call.id ?? this.#host.stage.nextId("call_"), call.name));
      for (const piece of call.pieces) push(nextMs(), () => this.#argue(piece));
      push(0, () => this.#closeItem("completed"));
    }
    return this.#withEnding(steps);
  }

  /** `after` counts steps that carry content, as in every other surface. */
  #withEnding(steps: readonly Step[]): readonly Step[] {
    const { ending } = this.#ask.rule;
    if (ending === undefined || ending.kind === "complete") return steps;
    const kept = steps.slice(0, 1 + (ending.after ?? Math.max(0, steps.length - 2)));
    const { stage } = this.#host;
    const strike: Readonly<Record<string, () => void>> = {
      cut: () => stage.cut(),
      eof: () => stage.close(1000, ""),
      error: () => {
        const error = { type: "server_error", code: ending.error ?? "server_error", message: FAILED, param: null };
        if (this.#open !== undefined) this.#closeItem("incomplete");
        this.#finish("failed", { type: "failed", error });
        this.#onEnd();
      },
      malformed: () => stage.send("{ this is no JSON" as unknown as object),
      stall: () => {},
    };
    const run = strike[ending.kind] ?? strike["cut"] ?? (() => {});
    // Nothing follows: a stalled answer stays the active one until somebody cancels it.
    return [...kept, { delayMs: 0, run }, { delayMs: 3_600_000, run: () => {} }];
  }

  #openMessage(): void {
    const id = this.#host.stage.nextId("item_");
    this.#openItem({
      id,
      object: "realtime.item",
      type: "message",
      status: "in_progress",
      role: "assistant",
      content: [],
    });
    const part = this.#ask.isText ? { type: "text", text: "" } : { type: "audio", transcript: "" };
    this.#host.emit("response.content_part.added", { ...this.#place(), content_index: 0, part });
  }

  #openCall(callId: string, name: string): void {
    const id = this.#host.stage.nextId("item_");
    const call = { type: "function_call", status: "in_progress", name, call_id: callId, arguments: "" };
    this.#openItem({ id, object: "realtime.item", ...call });
  }

  #openItem(item: Json): void {
    this.#open = { item, text: "", audioMs: 0, index: this.#output.length };
    const { response_id, output_index } = this.#place();
    this.#host.emit("response.output_item.added", { response_id, output_index, item });
    if (!this.#ask.isStored) return;
    const previous = this.#host.append(item);
    this.#host.emit("conversation.item.added", { previous_item_id: previous, item });
  }

  #say(token: string, isText: boolean): void {
    const open = this.#open;
    if (open === undefined) return;
    open.text += token;
    const place = { ...this.#place(), content_index: 0 };
    if (isText) {
      this.#host.emit("response.output_text.delta", { ...place, delta: token });
      return;
    }
    this.#host.emit("response.output_audio_transcript.delta", { ...place, delta: token });
    const { script, rule } = this.#ask;
    const whole = rule.answer?.audioMs;
    const ms = whole === undefined ? spokenMs(token) : whole / script.tokens.length;
    const bytes = voice(ms, open.audioMs);
    open.audioMs += ms;
    this.audioMsByItem.set(String(open.item["id"]), open.audioMs);
    this.#host.emit("response.output_audio.delta", { ...place, delta: Buffer.from(bytes).toString("base64") });
  }

  #argue(piece: string): void {
    const open = this.#open;
    if (open === undefined) return;
    open.text += piece;
    const { call_id } = open.item;
    this.#host.emit("response.function_call_arguments.delta", { ...this.#place(), call_id, delta: piece });
  }

  #closeItem(status: "completed" | "incomplete"): void {
    const open = this.#open;
    if (open === undefined) return;
    const place = this.#place();
    const { text } = open;
    let item: Json = { ...open.item, status };
    if (item["type"] === "function_call") {
      item = { ...item, arguments: text };
      const { name, call_id } = item;
      if (status === "completed") {
        this.#host.emit("response.function_call_arguments.done", { ...place, call_id, name, arguments: text });
      }
    } else item = this.#closeMessage(item, text, place);
    this.#open = undefined;
    this.#output.push(item);
    if (this.#ask.isStored) {
      this.#host.settle(String(item["id"]), item);
      this.#host.emit("conversation.item.done", { previous_item_id: null, item });
    }
    const { response_id, output_index } = place;
    this.#host.emit("response.output_item.done", { response_id, output_index, item });
  }

  #closeMessage(item: Json, text: string, place: Json): Json {
    const at = { ...place, content_index: 0 };
    if (this.#ask.isText) {
      this.#host.emit("response.output_text.done", { ...at, text });
      this.#host.emit("response.content_part.done", { ...at, part: { type: "text", text } });
      return { ...item, content: [{ type: "output_text", text }] };
    }
    this.#host.emit("response.output_audio.done", at);
    this.#host.emit("response.output_audio_transcript.done", { ...at, transcript: text });
    this.#host.emit("response.content_part.done", { ...at, part: { type: "audio", transcript: text } });
    return { ...item, content: [{ type: "output_audio", transcript: text }] };
  }

  #place(): { readonly response_id: string; readonly item_id: string; readonly output_index: number } {
    const open = this.#open;
    return { response_id: this.id, item_id: textOf(open?.item["id"]), output_index: open?.index ?? 0 };
  }

  #finish(status: string, details: Json | null): void {
    this.#host.emit("response.done", { response: this.#response(status, details) });
  }

  #response(status: string, details: Json | null): Json {
    const { script, conversationId, metadata, isText } = this.#ask;
    const { input, output, cached } = script.usage;
    return {
      object: "realtime.response",
      id: this.id,
      status,
      status_details: details,
      output: status === "in_progress" ? [] : this.#output,
      conversation_id: conversationId,
      output_modalities: [isText ? "text" : "audio"],
      max_output_tokens: "inf",
      metadata: metadata ?? null,
      usage: status === "in_progress" ? null : usageOf({ input, output, cached, isText }),
    };
  }
}

const FAILED = "The server had an error while processing your request. Sorry about that!";

function usageOf(spent: { input: number; output: number; cached: number; isText: boolean }): Json {
  const { input, output, cached, isText } = spent;
  return {
    total_tokens: input + output,
    input_tokens: input,
    output_tokens: output,
    input_token_details: { text_tokens: input, audio_tokens: 0, image_tokens: 0, cached_tokens: cached },
    output_token_details: { text_tokens: isText ? output : 0, audio_tokens: isText ? 0 : output },
  };
}
