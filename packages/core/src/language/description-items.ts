import { isKnownNoun, normalName, singular } from "./nouns.ts";
import type { PhraseItem } from "./phrase-table.ts";
import { matchPhrase } from "./phrase-table.ts";
import type { Tokens } from "./tokens.ts";

/** Names the scene itself uses, in normal form: its labels and the names applications gave. */
export interface SceneVocabulary {
  has(name: string): boolean;
  /** Longest name in words. */
  readonly wordsMax: number;
}

export const NO_VOCABULARY: SceneVocabulary = { has: () => false, wordsMax: 0 };

/** Cuts tokens into phrases and names. A name of the scene beats a phrase of the same length: "left shelf" may be a label. */
export function readItems(tokens: Tokens, vocabulary: SceneVocabulary): PhraseItem[] {
  return readWords(tokens, vocabulary).items;
}

/** The same with the number of words that nothing was made of. */
export function readWords(
  tokens: Tokens,
  vocabulary: SceneVocabulary,
): { readonly items: PhraseItem[]; readonly unread: number } {
  const items: PhraseItem[] = [];
  let unread = 0;
  for (let at = 0; at < tokens.length;) {
    const noun = matchNoun(tokens, at, vocabulary);
    const phrase = matchPhrase(tokens, at);
    const isMaterial = noun?.length === 1 && phrase?.item.type === "word" && namesFollow(tokens, at + 1, vocabulary);
    if (noun !== undefined && !isMaterial && (phrase === undefined || noun.length >= phrase.length)) {
      // As it was said: "books" may be a label of its own, and is nearer to "books" than to "book".
      items.push({ type: "noun", name: noun.said, isPlural: noun.isPlural });
      at += noun.length;
    } else if (phrase !== undefined) {
      items.push(phrase.item);
      at += phrase.length;
    } else {
      unread += 1;
      at += 1;
    }
  }
  return { items, unread };
}

/** "glass and wood table": the first words tell what it is made of. */
function namesFollow(tokens: Tokens, from: number, vocabulary: SceneVocabulary): boolean {
  for (let at = from; at < Math.min(from + 3, tokens.length); at++) {
    if (matchNoun(tokens, at, vocabulary) !== undefined) return true;
    const item = matchPhrase(tokens, at)?.item.type;
    if (item !== "word" && item !== "and" && item !== "attribute") return false;
  }
  return false;
}

const NOUN_WORDS_MAX = 5;

export function matchNoun(
  tokens: Tokens,
  at: number,
  vocabulary: SceneVocabulary,
): { readonly name: string; readonly said: string; readonly length: number; readonly isPlural: boolean } | undefined {
  if (NEVER_NOUNS.has(tokens[at] ?? "")) return undefined;
  for (let length = Math.min(NOUN_WORDS_MAX, tokens.length - at); length >= 1; length--) {
    const words = tokens.slice(at, at + length);
    if (words.some((word) => !/^[\p{L}\p{N}]/u.test(word))) continue;
    const last = words[length - 1] ?? "";
    // "doors" beats "door" where the scene has both: what was said is tried first.
    const said = words.join(" ");
    const name = normalName(said);
    if (!vocabulary.has(name) && !isKnownNoun(name)) continue;
    return { name, said, length, isPlural: singular(last) !== last };
  }
  return undefined;
}

/** Words that some scanners use as a label but that a question uses as a verb or a direction. */
const NEVER_NOUNS: ReadonlySet<string> = new Set(["left", "right", "it", "that", "this", "is", "in", "on", "at"]);
