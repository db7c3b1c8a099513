// One response as OpenAI's clients read it: its events in the order that the official SDKs take.
import type { Usage } from "@fovea/core";
import { bytesOfSamples, type Json } from "../doors/json-event.ts";
import { encodeG711 } from "../doors/g711.ts";
import type { ItemList } from "./item-list.ts";
import type { WireFormat } from "./session-object.ts";

export interface ResponseFacts {
  readonly id: string;
  readonly conversationId: string | null;
  readonly speaks: boolean;
  readonly format: WireFormat;
  readonly voice: unknown;
  readonly metadata: unknown;
  readonly maxOutputTokens: unknown;
}

export interface ResponseHost {
  emit(type: string, fields: Json): void;
  readonly items: ItemList;
  nextId(prefix: string): string;
}

export type ResponseEnd = {
  readonly status: "completed" | "cancelled" | "failed" | "incomplete";
  readonly details: Json | null;
  readonly usage?: Usage;
};

interface OpenMessage {
  readonly itemId: string;
  readonly index: number;
  text: string;
  hasSound: boolean;
  isSoundDone: boolean;
}

export class ResponseWriter {
  readonly #facts: ResponseFacts;
  readonly #host: ResponseHost;
  readonly #output: Json[] = [];
  #message: OpenMessage | undefined;

  constructor(facts: ResponseFacts, host: ResponseHost) {
    this.#facts = facts;
    this.#host = host;
    host.emit("response.created", { response: this.#object("in_progress", null, undefined) });
  }

  get id(): string {
    return this.#facts.id;
  }

  get isKept(): boolean {
    return this.#facts.conversationId !== null;
  }

  text(itemId: string, text: string): void {
    const message = this.#opened(itemId);
    message.text += text;
    const type = this.#facts.speaks ? "response.output_audio_transcript.delta" : "response.output_text.delta";
    this.#host.emit(type, { ...this.#place(message), content_index: 0, delta: text });
  }

  /** `sendsBytes` is false where the sound goes another way (WebRTC). */
  audio(itemId: string, pcm: Int16Array, sendsBytes: boolean): void {
    const message = this.#opened(itemId);
    message.hasSound = true;
    if (!sendsBytes) return;
    const { format } = this.#facts;
    const bytes = format === "pcm" ? bytesOfSamples(pcm) : Buffer.from(encodeG711(pcm, format));
    const delta = bytes.toString("base64");
    this.#host.emit("response.output_audio.delta", { ...this.#place(message), content_index: 0, delta });
  }

  audioDone(): void {
    const message = this.#message;
    if (message === undefined || !message.hasSound || message.isSoundDone) return;
    message.isSoundDone = true;
    this.#host.emit("response.output_audio.done", { ...this.#place(message), content_index: 0 });
  }

  call(call: { readonly itemId: string; readonly callId: string; readonly name: string; readonly args: string }): void {
    this.#closeMessage("completed");
    const { itemId, callId, name, args } = call;
    const place = { response_id: this.id, item_id: itemId, output_index: this.#output.length };
    const open = {
      id: itemId,
      object: "realtime.item",
      type: "function_call",
      status: "in_progress",
      name,
      call_id: callId,
      arguments: "",
    };
    this.#added(open, place.output_index);
    this.#host.emit("response.function_call_arguments.delta", { ...place, call_id: callId, delta: args });
    this.#host.emit("response.function_call_arguments.done", { ...place, call_id: callId, name, arguments: args });
    this.#done({ ...open, status: "completed", arguments: args }, place.output_index);
  }

  end({ status, details, usage }: ResponseEnd): void {
    this.#closeMessage(status === "completed" ? "completed" : "incomplete");
    this.#host.emit("response.done", { response: this.#object(status, details, usage) });
  }

  #opened(itemId: string): OpenMessage {
    const open = this.#message;
    if (open !== undefined) return open;
    const message = { itemId, index: this.#output.length, text: "", hasSound: false, isSoundDone: false };
    this.#message = message;
    const item = {
      id: itemId,
      object: "realtime.item",
      type: "message",
      status: "in_progress",
      role: "assistant",
      content: [],
    };
    this.#added(item, message.index);
    const part = this.#facts.speaks ? { type: "audio", transcript: "" } : { type: "text", text: "" };
    this.#host.emit("response.content_part.added", { ...this.#place(message), content_index: 0, part });
    return message;
  }

  #closeMessage(status: "completed" | "incomplete"): void {
    const message = this.#message;
    if (message === undefined) return;
    this.audioDone();
    this.#message = undefined;
    const { text, itemId, index } = message;
    const place = { ...this.#place(message), content_index: 0 };
    if (this.#facts.speaks) {
      this.#host.emit("response.output_audio_transcript.done", { ...place, transcript: text });
      this.#host.emit("response.content_part.done", { ...place, part: { type: "audio", transcript: text } });
    } else {
      this.#host.emit("response.output_text.done", { ...place, text });
      this.#host.emit("response.content_part.done", { ...place, part: { type: "text", text } });
    }
    const content = [this.#facts.speaks ? { type: "output_audio", transcript: text } : { type: "output_text", text }];
    this.#done({ id: itemId, object: "realtime.item", type: "message", status, role: "assistant", content }, index);
  }

  #added(item: Json & { readonly id: string }, output_index: number): void {
    this.#host.emit("response.output_item.added", { response_id: this.id, output_index, item });
    if (!this.isKept) return;
    const previous_item_id = this.#host.items.add(item.id, item);
    this.#host.emit("conversation.item.added", { previous_item_id, item });
  }

  #done(item: Json & { readonly id: string }, output_index: number): void {
    this.#output.push(item);
    if (this.isKept) {
      // Cut while it was spoken: what was heard is known already, and stays.
      if (this.#host.items.get(item.id)?.["status"] === "in_progress") this.#host.items.set(item.id, item);
      const previous_item_id = this.#host.items.previousOf(item.id);
      this.#host.emit("conversation.item.done", { previous_item_id, item });
    }
    this.#host.emit("response.output_item.done", { response_id: this.id, output_index, item });
  }

  #place(message: { readonly itemId: string; readonly index: number }): Json {
    return { response_id: this.id, item_id: message.itemId, output_index: message.index };
  }

  #object(status: string, details: Json | null, usage: Usage | undefined): Json {
    const { id, conversationId, speaks, metadata, maxOutputTokens, voice, format } = this.#facts;
    return {
      object: "realtime.response",
      id,
      status,
      status_details: details,
      output: status === "in_progress" ? [] : this.#output,
      conversation_id: conversationId,
      output_modalities: [speaks ? "audio" : "text"],
      ...(speaks ? { audio: { output: { format: FORMATS[format], voice } } } : {}),
      max_output_tokens: maxOutputTokens,
      metadata: metadata ?? null,
      usage: status === "in_progress" ? null : usageOf(usage),
    };
  }
}

const FORMATS = {
  pcm: { type: "audio/pcm", rate: 24_000 },
  mu: { type: "audio/pcmu" },
  a: { type: "audio/pcma" },
} as const;

function usageOf(usage: Usage | undefined): Json | null {
  if (usage === undefined) return null;
  const audioIn = usage.input.audio ?? 0;
  const audioOut = usage.output.audio ?? 0;
  return {
    total_tokens: usage.input.total + usage.output.total,
    input_tokens: usage.input.total,
    output_tokens: usage.output.total,
    input_token_details: {
      text_tokens: usage.input.total - audioIn,
      audio_tokens: audioIn,
      image_tokens: usage.input.image ?? 0,
      cached_tokens: usage.input.cacheRead,
    },
    output_token_details: { text_tokens: usage.output.total - audioOut, audio_tokens: audioOut },
  };
}
