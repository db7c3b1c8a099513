import type { ServerPart, WireVec3 } from "@fovea/protocol";
import type { CancelTask, ClientClock } from "../platform/client-clock.ts";

/** What to show now. `word` counts the words of `text` that have begun to sound, -1 before the first or without speech. */
export interface Caption {
  readonly turnId: string;
  readonly text: string;
  readonly word: number;
  /** Where the speech comes from: captions belong beside their speaker. */
  readonly at?: string | WireVec3;
}

/** Shows captions. `@fovea/client/three` has one; an application may bring its own. */
export interface CaptionPresenter {
  /** Undefined takes the caption away. */
  show(caption: Caption | undefined): void;
}

interface SpokenItem {
  readonly turnId: string;
  readonly at: string | WireVec3 | undefined;
  words: readonly { readonly text: string; readonly startMs: number; readonly endMs: number }[];
}

/** Silent reading of subtitles: 17 characters a second (Netflix and BBC guidelines), and never a flash. */
const READ_MS_PER_CHARACTER = 59;
const SHOWN_MS_MIN = 1_200;
const LINE_CHARACTERS_MAX = 84;
const WAITING_MAX = 32;
/** The last words stay a little after they have sounded. */
const LINGER_MS = 400;
const LOOK_EVERY_MS = 40;
const ITEMS_KEPT = 16;

/**
 * Decides which line stands now: with speech the words that sound, without it sentence after sentence at reading speed.
 */
export class Captions {
  readonly #clock: ClientClock;
  readonly #whenHeard: (itemId: string, atMs: number) => number | undefined;
  readonly #onCaption: (caption: Caption | undefined) => void;
  readonly #items = new Map<string, SpokenItem>();
  readonly #lines: Caption[] = [];
  #text = "";
  #shown: Caption | undefined;
  #untilMs = -Infinity;
  #cancel: CancelTask | undefined;

  constructor(
    clock: ClientClock,
    whenHeard: (itemId: string, atMs: number) => number | undefined,
    onCaption: (caption: Caption | undefined) => void,
  ) {
    this.#clock = clock;
    this.#whenHeard = whenHeard;
    this.#onCaption = onCaption;
  }

  /** A piece of an answer that is not spoken. */
  text(turnId: string, text: string): void {
    this.#text += text;
    for (let end = lineEnd(this.#text); end > 0; end = lineEnd(this.#text)) {
      this.#addLine(turnId, this.#text.slice(0, end));
      this.#text = this.#text.slice(end);
    }
  }

  /** The answer is complete. */
  end(turnId: string): void {
    if (this.#text.trim() !== "") this.#addLine(turnId, this.#text);
    this.#text = "";
  }

  speech(turnId: string, itemId: string, at: string | WireVec3 | undefined): void {
    this.#items.set(itemId, { turnId, at, words: this.#items.get(itemId)?.words ?? [] });
    for (const oldest of this.#items.keys()) {
      if (this.#items.size <= ITEMS_KEPT) break;
      this.#items.delete(oldest);
    }
  }

  words({ turnId, itemId, words }: Extract<ServerPart, { type: "words" }>): void {
    const item = this.#items.get(itemId) ?? { turnId, at: undefined, words: [] };
    item.words = [...item.words, ...words];
    this.#items.set(itemId, item);
    this.#look();
  }

  flush(): void {
    this.#items.clear();
    this.#lines.length = 0;
    this.#text = "";
    this.#untilMs = -Infinity;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#show(undefined);
  }

  #addLine(turnId: string, text: string): void {
    const line = text.trim();
    if (line !== "" && this.#lines.length < WAITING_MAX) this.#lines.push({ turnId, text: line, word: -1 });
    this.#look();
  }

  /** Looks again while there is something to come. */
  #look(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const nowMs = this.#clock.nowMs();
    const spoken = this.#spokenAt(nowMs);
    if (spoken !== undefined) this.#show(spoken);
    else if (nowMs >= this.#untilMs) this.#nextLine(nowMs);
    const isIdle = this.#shown === undefined && this.#lines.length === 0 && !this.#isSpeechComing(nowMs);
    if (!isIdle) this.#cancel = this.#clock.schedule(LOOK_EVERY_MS, () => this.#look());
  }

  #nextLine(nowMs: number): void {
    const line = this.#lines.shift();
    if (line !== undefined) this.#untilMs = nowMs + Math.max(SHOWN_MS_MIN, line.text.length * READ_MS_PER_CHARACTER);
    this.#show(line);
  }

  #spokenAt(nowMs: number): Caption | undefined {
    for (const [itemId, { turnId, at, words }] of this.#items) {
      const first = words[0];
      const last = words.at(-1);
      if (first === undefined || last === undefined) continue;
      const startMs = this.#whenHeard(itemId, first.startMs);
      if (startMs === undefined || startMs > nowMs) continue;
      const heardMs = nowMs - startMs + first.startMs;
      if (heardMs > last.endMs + LINGER_MS) continue;
      return { turnId, ...lineAround(words, heardMs), ...(at === undefined ? {} : { at }) };
    }
    return undefined;
  }

  #isSpeechComing(nowMs: number): boolean {
    return [...this.#items].some(([itemId, { words }]) => {
      const last = words.at(-1);
      const endMs = last === undefined ? undefined : this.#whenHeard(itemId, last.endMs);
      return endMs !== undefined && endMs > nowMs;
    });
  }

  #show(caption: Caption | undefined): void {
    const before = this.#shown;
    if (before?.text === caption?.text && before?.word === caption?.word) return;
    this.#shown = caption;
    this.#onCaption(caption);
  }
}

/** The line of two rows at most in which the word that sounds stands, broken where a sentence ends. */
function lineAround(words: SpokenItem["words"], heardMs: number): { readonly text: string; readonly word: number } {
  let line: string[] = [];
  let length = 0;
  let word = -1;
  for (const [index, { text, startMs }] of words.entries()) {
    const isNew = length + text.length > LINE_CHARACTERS_MAX || /[.!?…]$/.test(words[index - 1]?.text ?? "");
    if (isNew && startMs > heardMs && line.length > 0) break;
    if (isNew) {
      line = [];
      length = 0;
      word = -1;
    }
    line.push(text);
    length += text.length + 1;
    if (startMs <= heardMs) word = line.length - 1;
  }
  return { text: line.join(" "), word };
}

/** After a sentence, or where two rows are full; 0 where the text has not got that far. */
function lineEnd(text: string): number {
  const sentence = /[.!?…]["')\]]*\s+/.exec(text);
  if (sentence !== null && sentence.index < LINE_CHARACTERS_MAX) return sentence.index + sentence[0].length;
  if (text.length <= LINE_CHARACTERS_MAX) return 0;
  const space = text.lastIndexOf(" ", LINE_CHARACTERS_MAX);
  return space > 0 ? space + 1 : LINE_CHARACTERS_MAX;
}
