// Joins the text of a second model to what the client already has of the first one's. The second one may go on exactly
// where the text stops, repeat its last words, or start again from the beginning, and it need not keep to the letter: other
// quotes, another case, other white space. All become one text. Where none of them fits, the texts cannot be joined, and
// that is said instead of guessed. Rules: docs/spec/rescue.md TJ1..TJ9.
//
// What matches to the character is trusted first. What matches only in its words has to be longer, because a new sentence
// may begin with the words that the last one ended with ("… on the table. The table …").
import type { LooseText } from "./loose-text.ts";
import { endsSentence, isUnspaced, isWordCharacter, looseText } from "./loose-text.ts";

/** How far back repeated words are looked for. */
const OVERLAP_CHARACTERS_MAX = 4_000;
/** An answer that begins like the first one and then takes other words was begun again, not continued. */
const RESTART_CHARACTERS_MIN = 16;
/** After a whole sentence the next one may begin like the first; then much more has to be the same. */
const RESTART_AFTER_SENTENCE_MIN = 48;
/** Least matches in words alone: in the middle of a sentence, and after one where no sentence begins there. */
const LOOSE_MIN = { characters: 3, afterSentence: 24, weak: 12, restart: 3, restartAtEnd: 16, unspaced: 3, code: 40 };
/** What may stand before the first word of a repetition. Anything else, a comma or a closing bracket, goes on. */
const OPENING = /^[\s"'“”„‘’«»「『([*_`#>•–-]*$/u;

/**
 * `restart`: structured output is made anew, so only an exact repetition of what was delivered can be joined. `sentences`:
 * whole sentences were delivered, so whatever cannot be aligned goes on with the next one.
 */
export type JoinRule = "text" | "restart" | "sentences";

/** Characters of the second text to leave out; `undecided` while more text could still make a repetition. */
type Match = number | "undecided" | undefined;

export class TextJoin {
  readonly #delivered: string;
  readonly #rule: JoinRule;
  #loose: LooseText | undefined;
  #buffer = "";
  #hasAligned = false;
  #state: "deciding" | "joined" | "impossible" = "deciding";

  constructor(delivered: string, rule: JoinRule) {
    this.#delivered = delivered;
    this.#rule = rule;
    if (delivered === "") this.#state = "joined";
  }

  /** True where the second text was found to repeat the first, and that was left out. */
  get hasAligned(): boolean {
    return this.#hasAligned;
  }

  get state(): "deciding" | "joined" | "impossible" {
    return this.#state;
  }

  /** The text that goes on from what was delivered; empty while it is not decided. */
  push(text: string): string {
    if (this.#state === "joined") return text;
    if (this.#state === "impossible") return "";
    this.#buffer += text;
    return this.#decide(false);
  }

  /** At the end of the second answer, or where something other than text comes: now it must be decided. */
  flush(): string {
    return this.#state === "deciding" ? this.#decide(true) : "";
  }

  #decide(isEnd: boolean): string {
    const fresh = this.#buffer.trimStart();
    if (fresh === "" && !isEnd) return "";
    const known = this.#delivered.trimStart();
    const common = commonPrefix(known, fresh);
    if (common === known.length) return this.#align(fresh.slice(common));
    if (common === fresh.length && common > 0) {
      // The whole of the second answer stands in the first already: so far, or for good.
      return isEnd ? this.#align("") : "";
    }
    if (this.#rule === "restart") return this.#give("impossible", "");
    if (!isEnd && this.#isTooShort()) return "";
    const match = this.#match(isEnd);
    if (match === "undecided") return "";
    if (match !== undefined) return this.#align(this.#buffer.slice(match));
    if (this.#rule === "sentences") return this.#join(this.#buffer);
    const least = endsSentence(this.#delivered) ? RESTART_AFTER_SENTENCE_MIN : RESTART_CHARACTERS_MIN;
    if (common >= least) return this.#give("impossible", "");
    return this.#join(spaced(this.#delivered, this.#buffer));
  }

  /** Quotes alone say nothing yet; neither does half a word where a space may have to be put in front of it. */
  #isTooShort(): boolean {
    if (this.#buffer.length < 16 && OPENING.test(this.#buffer)) return true;
    return endsWithMark(this.#delivered) && /^["'“(]?\p{Lu}\p{L}*$/u.test(this.#buffer);
  }

  #match(isEnd: boolean): Match {
    return (
      this.#looseRestart(isEnd) ??
      overlapOf(this.#delivered, this.#buffer, isEnd) ??
      this.#looseMatch(this.#buffer, isEnd) ??
      markerOf(this.#delivered, this.#buffer, isEnd) ??
      this.#matchAfterDots(isEnd)
    );
  }

  /** The second answer begins with the words of the first: it is waited for until it differs, or is as long. */
  #looseRestart(isEnd: boolean): Match {
    const known = (this.#loose ??= looseText(this.#delivered));
    const fresh = looseText(this.#buffer);
    if (
      fresh.words === "" ||
      known.words.length < LOOSE_MIN.restart ||
      !this.#mayRepeat(this.#buffer, known.words.length)
    )
      return undefined;
    if (fresh.words.length < known.words.length) {
      if (!known.words.startsWith(fresh.words)) return undefined;
      if (!isEnd) return "undecided";
      return fresh.words.length >= LOOSE_MIN.restartAtEnd ? this.#buffer.length : undefined;
    }
    if (!fresh.words.startsWith(known.words)) return undefined;
    return this.#cutAt(this.#buffer, fresh, known.words.length, isEnd);
  }

  /** After a space a word goes on; only a long repetition is one there. */
  #mayRepeat(text: string, length: number): boolean {
    const lead = /^[^\p{L}\p{N}\p{M}_]*/u.exec(text)?.[0] ?? "";
    return OPENING.test(lead) && (!lead.startsWith(" ") || length >= LOOSE_MIN.weak);
  }

  /** "...and walk on": dots that only say that something goes on. Real dots have a space behind. */
  #matchAfterDots(isEnd: boolean): Match {
    const dots = /^\s*(?:\.{3,}|…)\s*/u.exec(this.#buffer)?.[0];
    if (dots === undefined) return !isEnd && /^\s*\.{1,2}$/.test(this.#buffer) ? "undecided" : undefined;
    const rest = this.#buffer.slice(dots.length);
    if (rest === "") return isEnd ? undefined : "undecided";
    const match = overlapOf(this.#delivered, rest, isEnd) ?? this.#looseMatch(rest, isEnd);
    return typeof match === "number" ? match + dots.length : match;
  }

  /** The longest end of what was delivered, from a word on, whose words the second text begins with. */
  #looseMatch(text: string, isEnd: boolean): Match {
    const known = (this.#loose ??= looseText(this.#delivered));
    const fresh = looseText(text);
    if (fresh.words === "" || known.words === "") return undefined;
    const from = Math.max(0, known.words.length - OVERLAP_CHARACTERS_MAX);
    const isAfterSentence = endsSentence(this.#delivered);
    let isUndecided = false;
    for (let start = from; start < known.words.length; start++) {
      if (!isLooseStart(known.words, start)) continue;
      const length = known.words.length - start;
      if (length < this.#leastLoose(known, start, isAfterSentence)) continue;
      if (fresh.words.length < length) {
        if (!isEnd && known.words.startsWith(fresh.words, start)) isUndecided = true;
        continue;
      }
      if (!fresh.words.startsWith(known.words.slice(start)) || !this.#mayRepeat(text, length)) continue;
      // What might still become a longer repetition is waited for.
      return isUndecided ? "undecided" : this.#cutAt(text, fresh, length, isEnd);
    }
    return isUndecided ? "undecided" : undefined;
  }

  #leastLoose(known: LooseText, start: number, isAfterSentence: boolean): number {
    if (isInCode(this.#delivered)) return LOOSE_MIN.code;
    // A sign behind the last word would be repeated with it: where it is not, the words only happen to be the same.
    if (/[^\p{L}\p{N}\p{M}_\s.!?…。！？]\s*$/u.test(this.#delivered)) return LOOSE_MIN.weak;
    if (start === 0) return LOOSE_MIN.restart;
    if (isUnspaced(known.words[start])) return LOOSE_MIN.unspaced;
    const before = this.#delivered.slice(0, (known.ends[start] ?? 0) - 1);
    if (isAfterSentence && !endsSentence(before.replace(/["'“”„‘’«»「『([*_`]+$/u, ""))) return LOOSE_MIN.afterSentence;
    return LOOSE_MIN.characters;
  }

  /** Where the repetition ends in the second text. Signs behind the last word are there already; a space may be wanted. */
  #cutAt(text: string, fresh: LooseText, length: number, isEnd: boolean): Match {
    const cut = fresh.ends[length - 1] ?? text.length;
    const signs = /[^\p{L}\p{N}\p{M}_\s]*$/u.exec(this.#delivered.trimEnd())?.[0] ?? "";
    const hasSpace = /\s$/u.test(this.#delivered);
    if (signs === "" && !hasSpace) return cut;
    const rest = text.slice(cut);
    const next = /^([^\p{L}\p{N}\p{M}_\s]*)(\s*)/u.exec(rest);
    if (rest === next?.[0] && !isEnd) return "undecided";
    const repeated = next?.[1]?.length ?? 0;
    return cut + repeated + (hasSpace ? (next?.[2]?.length ?? 0) : 0);
  }

  #align(rest: string): string {
    this.#hasAligned = true;
    return this.#join(rest);
  }

  #join(rest: string): string {
    return this.#give("joined", rest);
  }

  #give(state: "joined" | "impossible", rest: string): string {
    this.#state = state;
    this.#buffer = "";
    return rest;
  }
}

function commonPrefix(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let index = 0;
  while (index < end && a.charCodeAt(index) === b.charCodeAt(index)) index++;
  return index;
}

/**
 * Characters at the start of `fresh` that repeat the end of `delivered` to the letter, beginning at a word. Bare punctuation
 * is no repetition: closing braces follow one another in code.
 */
function overlapOf(delivered: string, fresh: string, isEnd: boolean): Match {
  const lead = fresh.length - fresh.trimStart().length;
  const text = fresh.slice(lead);
  if (text === "") return undefined;
  const from = Math.max(0, delivered.length - OVERLAP_CHARACTERS_MAX);
  for (let start = from; start < delivered.length; start++) {
    if (delivered[start] !== text[0] || !isStart(delivered, start)) continue;
    const length = delivered.length - start;
    if (text.length < length) {
      if (!isEnd && delivered.startsWith(text, start)) return "undecided";
      continue;
    }
    const tail = delivered.slice(start);
    if (!text.startsWith(tail) || !isTelling(tail)) continue;
    if (isMidRun(delivered, start) && length < LOOSE_MIN.unspaced) continue;
    // " apple" after "I have a" goes on with a new word; "apple" repeats the half one.
    if (lead > 0 && text.length === length && !isEnd) return "undecided";
    if (lead > 0 && isInsideWord(text, length)) continue;
    return lead + length;
  }
  return undefined;
}

/** "1" after "number 1" makes eleven, and a bare brace closes another block: neither says enough. */
function isTelling(tail: string): boolean {
  return /[\p{L}\p{N}]/u.test(tail) && !/^\d+$/.test(tail);
}

/** A word begins here, or the signs in front of one do. */
function isStart(text: string, index: number): boolean {
  if (index === 0) return true;
  const [before, here] = [text[index - 1], text[index]];
  if (!isWordCharacter(here)) return /\s/u.test(before ?? "") && !/\s/u.test(here ?? "");
  return !isWordCharacter(before) || isUnspaced(here);
}

function isMidRun(text: string, index: number): boolean {
  return isWordCharacter(text[index - 1]) && isUnspaced(text[index]);
}

function isLooseStart(words: string, index: number): boolean {
  if (words[index] === " ") return false;
  return index === 0 || words[index - 1] === " " || isUnspaced(words[index]);
}

function isInsideWord(text: string, index: number): boolean {
  return isWordCharacter(text[index - 1]) && isWordCharacter(text[index]) && !isUnspaced(text[index]);
}

/** The sign that a list item or a quotation begins with, given twice. */
function markerOf(delivered: string, fresh: string, isEnd: boolean): Match {
  const marker = /(?:^|\n)[ \t]*([-*+>]) ?$/u.exec(delivered)?.[1];
  if (marker === undefined || !fresh.startsWith(marker)) return undefined;
  if (fresh === marker) return isEnd ? undefined : "undecided";
  if (!/^. \S?/u.test(fresh)) return undefined;
  return delivered.endsWith(" ") ? 2 : 1;
}

/** Dots that say that a sentence goes on are left out. White space that a model left out after a sentence is put back. */
function spaced(delivered: string, fresh: string): string {
  const dots = /^\s*(?:\.{3,}|…)(?=\p{L})(?!\p{Lu})/u.exec(fresh)?.[0];
  if (dots !== undefined && !endsSentence(delivered)) return fresh.slice(dots.length);
  const isNewSentence = endsWithMark(delivered) && /^["'“(]?\p{Lu}\p{L}*[\s,']/u.test(fresh);
  return isNewSentence && !isInCode(delivered) ? ` ${fresh}` : fresh;
}

function endsWithMark(text: string): boolean {
  return /\p{L}[.!?…]["'”’)]*$/u.test(text);
}

function isInCode(text: string): boolean {
  return text.split("```").length % 2 === 0 || (text.split("\n").at(-1) ?? "").split("`").length % 2 === 0;
}
