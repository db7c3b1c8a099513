// What the user has really heard of an answer. Models are told only that: an assistant that believes it has said what
// was cut off talks past its user for the rest of the session.

export interface SpokenWord {
  readonly text: string;
  /** Milliseconds of the item's audio. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Syllables a second of synthetic English; the estimate is scaled to the true length once that is known. */
const SYLLABLES_PER_SECOND = 3.83;

interface Item {
  text: string;
  words: SpokenWord[];
  areWordsTold: boolean;
  durationMs: number | undefined;
  playedMs: number;
}

/** One per session; bounded to the answers that can still be playing. */
export class HeardHistory {
  readonly #items = new Map<string, Item>();
  readonly #itemsMax: number;

  constructor(itemsMax = 32) {
    this.#itemsMax = itemsMax;
  }

  /** Text of the item as it is spoken. Words with times where the voice tells them, else they are estimated. */
  append(itemId: string, text: string, words?: readonly SpokenWord[]): void {
    const item = this.#item(itemId);
    item.text += text;
    if (words !== undefined) {
      item.words.push(...words);
      item.areWordsTold = true;
    } else if (!item.areWordsTold) item.words = estimateWords(item.text, item.durationMs);
  }

  /** Better times for the words from `fromMs` on, once their sound is complete. */
  setWords(itemId: string, fromMs: number, words: readonly SpokenWord[]): void {
    const item = this.#item(itemId);
    item.words = [...item.words.filter((word) => word.startMs < fromMs), ...words];
    item.areWordsTold = true;
  }

  /** The true length of the item's audio. */
  setDuration(itemId: string, durationMs: number): void {
    const item = this.#item(itemId);
    item.durationMs = durationMs;
    if (!item.areWordsTold) item.words = estimateWords(item.text, durationMs);
  }

  /** What left the speaker, as the client reports it. Reports may come late and out of order: only progress counts. */
  played(itemId: string, playedMs: number): void {
    const item = this.#items.get(itemId);
    if (item !== undefined && Number.isFinite(playedMs)) item.playedMs = Math.max(item.playedMs, playedMs);
  }

  playedMs(itemId: string): number {
    return this.#items.get(itemId)?.playedMs ?? 0;
  }

  /** Text up to the last word that was heard to its end, by the reports or by `playedMs`. */
  heardText(itemId: string, playedMs?: number): string {
    const item = this.#items.get(itemId);
    if (item === undefined) return "";
    const untilMs = playedMs ?? item.playedMs;
    const heard = item.words.filter((word) => word.endMs <= untilMs).length;
    return heard === item.words.length ? item.text : firstWords(item.text, heard);
  }

  /** What a vendor that truncates by audio must be told: never beyond the item's end, which vendors refuse. */
  truncateMs(itemId: string): number {
    const item = this.#items.get(itemId);
    if (item === undefined) return 0;
    const end = item.durationMs ?? item.words.at(-1)?.endMs ?? 0;
    return Math.floor(Math.min(item.playedMs, end));
  }

  forget(itemId: string): void {
    this.#items.delete(itemId);
  }

  #item(itemId: string): Item {
    const known = this.#items.get(itemId);
    if (known !== undefined) return known;
    const item: Item = { text: "", words: [], areWordsTold: false, durationMs: undefined, playedMs: 0 };
    this.#items.set(itemId, item);
    for (const oldest of this.#items.keys()) {
      if (this.#items.size <= this.#itemsMax) break;
      this.#items.delete(oldest);
    }
    return item;
  }
}

/** Words share the time by their syllables. */
export function estimateWords(text: string, durationMs: number | undefined): SpokenWord[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const weights = words.map(syllables);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const msPerSyllable = durationMs === undefined || total === 0 ? 1_000 / SYLLABLES_PER_SECOND : durationMs / total;
  let at = 0;
  return words.map((word, i) => {
    const startMs = at;
    at += (weights[i] as number) * msPerSyllable;
    return { text: word, startMs, endMs: at };
  });
}

/** Groups of vowels, digits as one each; a word has at least one. */
function syllables(word: string): number {
  const groups = word
    .toLowerCase()
    .replace(/e\b/, "")
    .match(/[aeiouyäöüéèàáíóú]+|\d/g);
  return Math.max(1, groups?.length ?? 1);
}

function firstWords(text: string, count: number): string {
  const pattern = /\S+/g;
  let end = 0;
  for (let i = 0; i < count; i++) {
    const match = pattern.exec(text);
    if (match === null) break;
    end = match.index + match[0].length;
  }
  return text.slice(0, end);
}
