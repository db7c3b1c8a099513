// What of a provider's stream may leave the gateway, and what has left it. Rules: docs/spec/rescue.md CU1..CU9.
import type { StreamPart, ToolCall } from "../model/chat.ts";
import { SentenceChunker } from "../responses/sentence-chunker.ts";
import type { ContentStreamPart } from "./mesh-part.ts";
import type { JoinRule } from "./text-join.ts";
import { TextJoin } from "./text-join.ts";

/**
 * `token`: text passes at once. `raw`: tool calls too, piece by piece. `sentence`: text leaves in whole sentences.
 * `whole`: text leaves at the end only.
 */
export type CommitUnit = "token" | "raw" | "sentence" | "whole";

const NOTHING: readonly ContentStreamPart[] = [];

/**
 * Tool calls leave whole with every unit but `raw`: half a call cannot be taken back, and cannot be continued by another
 * model. Who asks for `raw` gets them piece by piece, and an error instead of a rescue where one breaks in the middle.
 * One object lives for a whole answer, over all the attempts that make it.
 */
export class Delivery {
  readonly #unit: CommitUnit;
  /** True where text passes at once. */
  readonly #passesText: boolean;
  readonly #chunker = new SentenceChunker();
  readonly #openCalls = new Map<number, ContentStreamPart[]>();
  readonly #calls: ToolCall[] = [];
  #sentences: string[] = [];
  #text = "";
  #held = "";
  #hasMedia = false;
  /** Present from the moment another attempt has taken over. */
  #join: TextJoin | undefined;
  /** True while the second answer only repeats sentences of the first. */
  #isRepeating = false;
  #indexOffset = 0;

  constructor(unit: CommitUnit) {
    this.#unit = unit;
    this.#passesText = unit === "token" || unit === "raw";
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

  /** True where something was given that cannot be told to another model, such as sound, an image, or half a tool call. */
  get hasMedia(): boolean {
    return this.#hasMedia || (this.#unit === "raw" && this.#openCalls.size > 0);
  }

  /** The parts that may leave now. The hot path, a batch of text deltas in token mode, allocates nothing. */
  fold(parts: readonly StreamPart[]): readonly ContentStreamPart[] {
    if (this.#passesText && this.#join === undefined && this.#openCalls.size === 0 && isPlainText(parts)) {
      for (const part of parts) this.#text += part.text;
      return parts;
    }
    const released: ContentStreamPart[] = [];
    for (const part of parts) this.#foldOne(part, released);
    return released;
  }

  /** At the end of a stream that ended well: what was held back is whole now. */
  finish(): readonly ContentStreamPart[] {
    const released: ContentStreamPart[] = [];
    this.#settle(released);
    const rest = this.#unit === "whole" ? this.#held : this.#chunker.flush();
    this.#held = "";
    if (rest !== "" && !this.#isRepeated(rest)) released.push(this.#give(rest));
    return released.length === 0 ? NOTHING : released;
  }

  /** Another attempt takes over: what it repeats of the delivered part is left out. */
  resume(rule: JoinRule): void {
    this.drop();
    this.#indexOffset = this.#calls.length;
    this.#isRepeating = this.#sentences.length > 0;
    if (this.#unit === "whole") this.#join = undefined;
    else this.#join = new TextJoin(this.#text, this.#passesText ? rule : "sentences");
  }

  /** True where the second answer is no continuation of the first: it was begun again in other words. */
  get isUnjoinable(): boolean {
    return this.#join?.state === "impossible";
  }

  /** Whole sentences delivered, counted in every mode. */
  get sentenceCount(): number {
    return this.#passesText ? new SentenceChunker().push(this.#text).length : this.#sentences.length;
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
        if (this.#passesCalls) released.push(part);
        return;
      case "tool-delta":
        this.#openCalls.get(part.index)?.push(part);
        if (this.#passesCalls) released.push(part);
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

  /** After another attempt has taken over, its calls are compared with what was given, which only whole ones can be. */
  get #passesCalls(): boolean {
    return this.#unit === "raw" && this.#join === undefined;
  }

  #foldText(text: string, released: ContentStreamPart[]): void {
    if (text === "") return;
    if (this.#unit === "whole") this.#held += text;
    else this.#release(this.#join === undefined ? text : this.#join.push(text), released);
  }

  /** Only the beginning of a second answer is compared: a song may have its refrain. */
  #isRepeated(sentence: string): boolean {
    if (!this.#isRepeating) return false;
    if (sentence.trim() === "") return true;
    const isKnown = this.#sentences.some((known) => isSameSentence(known, sentence));
    // A model that takes up its last words first says the end of a sentence again.
    this.#isRepeating = isKnown || isEndOf(sentence, this.#sentences.at(-1) ?? "");
    return this.#isRepeating;
  }

  /** What was held back to compare it must be settled before anything else leaves. */
  #settle(released: ContentStreamPart[]): void {
    this.#release(this.#join?.flush() ?? "", released);
  }

  #release(text: string, released: ContentStreamPart[]): void {
    if (text === "") return;
    if (this.#passesText) return void released.push(this.#give(text));
    // What was aligned by its words needs no comparing by sentences: a song may have its refrain.
    if (this.#join?.hasAligned === true) this.#isRepeating = false;
    for (const sentence of this.#chunker.push(text)) {
      if (!this.#isRepeated(sentence)) released.push(this.#give(sentence));
    }
  }

  #give(text: string): ContentStreamPart {
    this.#text += text;
    if (!this.#passesText) this.#sentences.push(text);
    return { type: "text-delta", index: 0, text };
  }

  #closeCall(end: Extract<StreamPart, { type: "tool-end" }>, released: ContentStreamPart[]): void {
    const call = this.#openCalls.get(end.index);
    const start = call?.[0];
    this.#openCalls.delete(end.index);
    if (call === undefined || start?.type !== "tool-start") return;
    if (this.#join !== undefined || this.#indexOffset > 0) this.#settle(released);
    if (
      this.#indexOffset > 0 &&
      this.#calls.some((done) => done.name === start.name && isSameJson(done.args, end.args))
    )
      return;
    const opaque = end.opaque === undefined ? {} : { opaque: end.opaque };
    this.#calls.push({ id: start.id, name: start.name, args: end.args, ...opaque });
    const offset = this.#indexOffset;
    if (this.#passesCalls) return void released.push(end);
    for (const part of [...call, end])
      released.push(offset > 0 && "index" in part ? { ...part, index: part.index + offset } : part);
  }
}

function isPlainText(parts: readonly StreamPart[]): parts is readonly Extract<StreamPart, { type: "text-delta" }>[] {
  for (const part of parts) if (part.type !== "text-delta") return false;
  return true;
}

/** The same words, or nearly: case, punctuation and one word in ten may differ. */
export function isSameSentence(left: string, right: string): boolean {
  const a = wordsOf(left);
  const b = wordsOf(right);
  if (a.length === 0 || b.length === 0) return left.trim() === right.trim();
  if (a.join(" ") === b.join(" ")) return true;
  // A number makes another sentence: "Step 2 is done" is no repetition of "Step 1 is done".
  if (a.filter(isNumber).join(" ") !== b.filter(isNumber).join(" ")) return false;
  const known = new Set(a);
  const shared = new Set(b.filter((word) => known.has(word))).size;
  return Math.min(a.length, b.length) >= 8 && shared / new Set([...a, ...b]).size >= 0.9;
}

function isEndOf(fragment: string, sentence: string): boolean {
  const end = wordsOf(fragment);
  return end.length > 0 && wordsOf(sentence).slice(-end.length).join(" ") === end.join(" ");
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function isNumber(word: string): boolean {
  return /\p{N}/u.test(word);
}

function isSameJson(left: string, right: string): boolean {
  return left === right || left.replace(/\s+/g, "") === right.replace(/\s+/g, "");
}
