// The conversation of a bridged session, kept by the gateway: what a vendor that takes over is told. Answers count as far
// as they were heard, utterances as they were transcribed.
import type { ContentPart, Message } from "@fovea/core";
import { HeardHistory } from "@fovea/core";
import type { ConversationItem } from "../voice/voice-port.ts";

/** Older entries are dropped from the front: no vendor takes an endless conversation. */
const ITEMS_MAX = 400;

export class BridgedLog {
  readonly #items: ConversationItem[] = [];
  readonly #heard = new HeardHistory();

  get items(): readonly ConversationItem[] {
    return this.#items;
  }

  /** What can be told: utterances without words yet are left out. */
  get told(): readonly ConversationItem[] {
    return this.#items.filter(({ message }) => message.content.length > 0);
  }

  add(item: ConversationItem, afterId?: string): void {
    const after = afterId === undefined ? -1 : this.#items.findIndex(({ id }) => id === afterId);
    if (after < 0 && afterId !== "root") this.#items.push(item);
    else this.#items.splice(after + 1, 0, item);
    if (this.#items.length > ITEMS_MAX) this.#items.splice(0, this.#items.length - ITEMS_MAX);
  }

  remove(id: string): boolean {
    const index = this.#items.findIndex((item) => item.id === id);
    if (index >= 0) this.#items.splice(index, 1);
    return index >= 0;
  }

  has(id: string): boolean {
    return this.#items.some((item) => item.id === id);
  }

  /** The place of an utterance is where it was committed; its words come later. */
  utter(id: string, text: string): void {
    const content: readonly ContentPart[] = text === "" ? [] : [{ type: "text", text }];
    const message: Message = { role: "user", content };
    if (!this.#replace(id, message)) this.add({ id, message });
  }

  /** The words of an answer as they come; `audioMs` is what of its sound is known. */
  say(itemId: string, text: string): void {
    this.#heard.append(itemId, text);
  }

  /** Puts an answer into the conversation, whole or as far as it was heard. Returns that text. */
  keep(
    itemId: string,
    text: string,
    sound: { readonly durationMs: number; readonly heardMs: number } | undefined,
  ): string {
    let kept = text;
    if (sound !== undefined) {
      this.#heard.setDuration(itemId, sound.durationMs);
      this.#heard.played(itemId, sound.heardMs);
      if (sound.heardMs < sound.durationMs) kept = this.#heard.heardText(itemId);
    }
    if (kept === "") return kept;
    const message: Message = { role: "assistant", content: [{ type: "text", text: kept }] };
    if (!this.#replace(itemId, message)) this.add({ id: itemId, message });
    return kept;
  }

  played(itemId: string, audioMs: number): void {
    this.#heard.played(itemId, audioMs);
  }

  /** Cuts an answer that is in the conversation already. Undefined where it is not. */
  cut(itemId: string, heardMs: number, durationMs: number): string | undefined {
    if (!this.has(itemId)) return undefined;
    this.#heard.setDuration(itemId, durationMs);
    this.#heard.played(itemId, heardMs);
    const text = heardMs >= durationMs ? this.#textOf(itemId) : this.#heard.heardText(itemId);
    if (text === "") this.remove(itemId);
    else this.#replace(itemId, { role: "assistant", content: [{ type: "text", text }] });
    return text;
  }

  #textOf(id: string): string {
    const content = this.#items.find((item) => item.id === id)?.message.content ?? [];
    return content.map((part) => (part.type === "text" ? part.text : "")).join("");
  }

  #replace(id: string, message: Message): boolean {
    const index = this.#items.findIndex((item) => item.id === id);
    if (index >= 0) this.#items[index] = { id, message };
    return index >= 0;
  }
}
