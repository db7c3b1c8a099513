// What of a provider's stream may leave the gateway, and what has left it. Rules: docs/spec/rescue.md CU1..CU9.
import type { StreamPart, ToolCall } from "../model/chat.ts";
import { SentenceChunker } from "../responses/sentence-chunker.ts";
import type { ContentStreamPart } from "./mesh-part.ts";

/** `token`: text passes at once. `sentence`: text leaves in whole sentences. `whole`: text leaves at the end only. */
export type CommitUnit = "token" | "sentence" | "whole";

const NOTHING: readonly ContentStreamPart[] = [];

/**
 * Tool calls leave whole with every unit: half a call cannot be taken back, and cannot be continued by another model.
 * One object lives for a whole answer, over all the attempts that make it.
 */
export class Delivery {
  readonly #unit: CommitUnit;
  readonly #chunker = new SentenceChunker();
  readonly #openCalls = new Map<number, ContentStreamPart[]>();
  readonly #calls: ToolCall[] = [];
  #sentences: string[] = [];
  #text = "";
  #held = "";
  #hasMedia = false;

  constructor(unit: CommitUnit) {
    this.#unit = unit;
  }

  get unit(): CommitUnit {
    return this.#unit;
  }

  /** Everything the client has been given as text. */
  get text(): string {
    return this.#text;
  }

  get sentences(): readonly string[] {
    return this.#sentences;
  }

  get calls(): readonly ToolCall[] {
    return this.#calls;
  }

  /** Sentences and calls given so far: the index of the unit that comes next. */
  get units(): number {
    return this.#sentences.length + this.#calls.length;
  }

  get isEmpty(): boolean {
    return this.#text === "" && this.#calls.length === 0 && !this.#hasMedia;
  }

  /** True where something was given that cannot be told to another model, such as sound or an image. */
  get hasMedia(): boolean {
    return this.#hasMedia;
  }

  /** The parts that may leave now. The hot path, a batch of text deltas in token mode, allocates nothing. */
  fold(parts: readonly StreamPart[]): readonly ContentStreamPart[] {
    if (this.#unit === "token" && this.#openCalls.size === 0 && isPlainText(parts)) {
      for (const part of parts) this.#text += part.text;
      return parts;
    }
    const released: ContentStreamPart[] = [];
    for (const part of parts) this.#foldOne(part, released);
    return released;
  }

  /** At the end of a stream that ended well: what was held back is whole now. */
  finish(): readonly ContentStreamPart[] {
    const rest = this.#unit === "whole" ? this.#held : this.#chunker.flush();
    this.#held = "";
    if (rest === "") return NOTHING;
    return [this.#give(rest)];
  }

  /** At the end of a stream that broke: what was held back is forgotten, and the next attempt makes it anew. */
  drop(): void {
    this.#chunker.drop();
    this.#held = "";
    this.#openCalls.clear();
  }

  #foldOne(part: StreamPart, released: ContentStreamPart[]): void {
    switch (part.type) {
      case "text-delta":
        return this.#foldText(part.text, released);
      case "tool-start":
        this.#openCalls.set(part.index, [part]);
        return;
      case "tool-delta":
        this.#openCalls.get(part.index)?.push(part);
        return;
      case "tool-end":
        return this.#closeCall(part, released);
      case "audio-delta":
      case "media":
        this.#hasMedia = true;
        released.push(part);
        return;
      case "reasoning-delta":
      case "refusal-delta":
      case "citation":
        released.push(part);
        return;
      default:
        return;
    }
  }

  #foldText(text: string, released: ContentStreamPart[]): void {
    if (text === "") return;
    if (this.#unit === "whole") this.#held += text;
    else if (this.#unit === "token") released.push(this.#give(text));
    else for (const sentence of this.#chunker.push(text)) released.push(this.#give(sentence));
  }

  #give(text: string): ContentStreamPart {
    this.#text += text;
    if (this.#unit !== "token") this.#sentences.push(text);
    return { type: "text-delta", index: 0, text };
  }

  #closeCall(end: Extract<StreamPart, { type: "tool-end" }>, released: ContentStreamPart[]): void {
    const call = this.#openCalls.get(end.index);
    const start = call?.[0];
    this.#openCalls.delete(end.index);
    if (call === undefined || start?.type !== "tool-start") return;
    const opaque = end.opaque === undefined ? {} : { opaque: end.opaque };
    this.#calls.push({ id: start.id, name: start.name, args: end.args, ...opaque });
    released.push(...call, end);
  }
}

function isPlainText(parts: readonly StreamPart[]): parts is readonly Extract<StreamPart, { type: "text-delta" }>[] {
  for (const part of parts) if (part.type !== "text-delta") return false;
  return true;
}
