// Which word a deed belongs to: "*this* lamp" lights as the word sounds. Rules: docs/spec/responses.md WQ1..WQ7.
import { labelFit, normalName } from "../language/nouns.ts";

/** A highlight, a touch or another deed that waits for its word. */
export interface CuedDeed<D> {
  readonly deed: D;
  /** What its target may be called: the application's name, the label. None: it belongs to no word. */
  readonly names: readonly string[];
}

/** A sentence that is being spoken, and the deeds that belong to its words. */
export interface SentenceCue<D> {
  readonly deed: D;
  /** Counts the sentences of the answer from 0. */
  readonly sentence: number;
  /** Counts the words of the sentence from 0. */
  readonly word: number;
}

const DEMONSTRATIVES = new Set(["this", "that", "these", "those"]);
const PLACES = new Set(["here", "there"]);
/** Fewer: a kind of thing said loosely ("seat" of a "bench") would be taken for a mention. */
const FIT_MIN = 2;
const WHOLE_NAME = 4;
const NAME_WORDS_MAX = 3;
/** Adjectives that may stand between "this" and its noun. */
const GAP_WORDS_MAX = 2;
/** After this many sentences without a mention the deed is done all the same. */
const SENTENCES_WAITED_MAX = 3;
const DEEDS_WAITING_MAX = 32;

interface Mention {
  /** The pointing word where there is one, else the first word of the name. */
  readonly word: number;
  readonly name: string;
  readonly isPlural: boolean;
}

/**
 * Binds the deeds of one answer to its sentences, in whichever order the two arrive. Models call their tools before they
 * speak, after, or in between.
 */
export class WordCues<D> {
  readonly #sentences: { readonly words: readonly string[]; readonly taken: Set<number> }[] = [];
  readonly #waiting: { readonly cued: CuedDeed<D>; readonly sinceSentence: number }[] = [];

  /** A deed of the answer: the cue if a sentence so far has its word, `now` if it never will, undefined while it waits. */
  deed(cued: CuedDeed<D>): SentenceCue<D> | "now" | undefined {
    if (cued.names.length === 0 || this.#waiting.length >= DEEDS_WAITING_MAX) return "now";
    for (let sentence = 0; sentence < this.#sentences.length; sentence++) {
      const word = this.#takeWord(sentence, cued.names);
      if (word !== undefined) return { deed: cued.deed, sentence, word };
    }
    this.#waiting.push({ cued, sinceSentence: this.#sentences.length });
    return undefined;
  }

  /**
   * The words of the next sentence that will be spoken. Gives the cues of deeds that waited for it, or have waited long
   * enough.
   */
  say(words: readonly string[]): readonly SentenceCue<D>[] {
    const sentence = this.#sentences.push({ words, taken: new Set() }) - 1;
    const cues: SentenceCue<D>[] = [];
    for (const entry of this.#waiting.splice(0)) {
      const { cued, sinceSentence } = entry;
      const word = this.#takeWord(sentence, cued.names);
      const isLate = sentence - sinceSentence + 1 >= SENTENCES_WAITED_MAX;
      if (word !== undefined || isLate) cues.push({ deed: cued.deed, sentence, word: word ?? 0 });
      else this.#waiting.push(entry);
    }
    return cues;
  }

  /** The text is complete: what still waits has no word and is to be done now. */
  end(): readonly D[] {
    return this.#waiting.splice(0).map(({ cued }) => cued.deed);
  }

  #takeWord(index: number, names: readonly string[]): number | undefined {
    const sentence = this.#sentences[index];
    if (sentence === undefined) return undefined;
    const mention =
      mentionsOf(sentence.words, names).find(({ word, isPlural }) => isPlural || !sentence.taken.has(word)) ??
      placeWord(sentence);
    if (mention === undefined) return undefined;
    sentence.taken.add(mention.word);
    return mention.word;
  }
}

/** Where the sentence names one of `names`, best fit only, in the order of the sentence. */
function mentionsOf(words: readonly string[], names: readonly string[]): readonly Mention[] {
  const labels = names.map(normalName);
  const found: (Mention & { readonly fit: number })[] = [];
  for (let last = 0; last < words.length; last++) {
    const span = spanEndingAt(words, last, labels);
    if (span !== undefined) found.push(span);
  }
  const best = Math.max(0, ...found.map(({ fit }) => fit));
  return found.filter(({ fit }) => fit === best);
}

/** The whole name if it stands there, else the fewest words that fit: "the lamp" fits a lamp no better than "lamp". */
function spanEndingAt(
  words: readonly string[],
  last: number,
  labels: readonly string[],
): (Mention & { readonly fit: number }) | undefined {
  let best: (Mention & { readonly fit: number }) | undefined;
  for (let from = last; from > last - NAME_WORDS_MAX && from >= 0; from--) {
    const spoken = plain(words.slice(from, last + 1).join(" "));
    const name = normalName(spoken);
    const fit = Math.max(0, ...labels.map((label) => labelFit(name, label)));
    if (fit < FIT_MIN || (best !== undefined && (fit < best.fit || fit < WHOLE_NAME))) continue;
    best = { word: pointerBefore(words, from), name, isPlural: spoken !== name, fit };
  }
  return best;
}

/** "this small lamp": the pointing word, if one stands before the noun; else the noun itself. */
function pointerBefore(words: readonly string[], noun: number): number {
  for (let index = noun - 1; index >= Math.max(0, noun - 1 - GAP_WORDS_MAX); index--) {
    const word = words[index] as string;
    if (/[.,;:!?]$/.test(word)) return noun;
    if (DEMONSTRATIVES.has(plain(word))) return index;
  }
  return noun;
}

/** "It is right there": a pointing word without a name, taken once. */
function placeWord(sentence: {
  readonly words: readonly string[];
  readonly taken: ReadonlySet<number>;
}): { readonly word: number } | undefined {
  const word = sentence.words.findIndex(
    (text, index) => !sentence.taken.has(index) && isLonePointer(sentence.words, index, plain(text)),
  );
  return word < 0 ? undefined : { word };
}

function isLonePointer(words: readonly string[], index: number, word: string): boolean {
  const next = plain(words[index + 1] ?? "");
  // "there is" and "there are" tell that something exists.
  if (PLACES.has(word)) return !["is", "are", "s", "was", "were"].includes(next);
  return DEMONSTRATIVES.has(word) && ["", "one", "is", "here", "there"].includes(next);
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[’']s\b/g, "")
    .replace(/[^\p{L}\p{N}\s-]/gu, "")
    .trim();
}

/** Whether one of the names is said: a noun phrase that fits it as closely as a mention must. */
export function isMentioned(words: readonly string[], names: readonly string[]): boolean {
  return mentionsOf(words, names).length > 0;
}
