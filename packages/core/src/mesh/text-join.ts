// Joins the text of a second model to what the client already has of the first one's. The second one may go on exactly
// where the text stops, repeat its last words, or start again from the beginning; all three become one text. Where none
// of them fits, the texts cannot be joined, and that is said instead of guessed. Rules: docs/spec/rescue.md TJ1..TJ9.

/** How far back repeated words are looked for. */
const OVERLAP_CHARACTERS_MAX = 600;
/** An answer that begins like the first one and then takes other words was begun again, not continued. */
const RESTART_CHARACTERS_MIN = 16;

/** `restart`: structured output is made anew, so only an exact repetition of what was delivered can be joined. */
export type JoinRule = "text" | "restart";

export class TextJoin {
  readonly #delivered: string;
  readonly #rule: JoinRule;
  #buffer = "";
  #state: "deciding" | "joined" | "impossible" = "deciding";

  constructor(delivered: string, rule: JoinRule) {
    this.#delivered = delivered;
    this.#rule = rule;
    if (delivered === "") this.#state = "joined";
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
    if (common === known.length) return this.#join(fresh.slice(common));
    if (common === fresh.length && common > 0) {
      // The whole of the second answer stands in the first already: so far, or for good.
      return isEnd ? this.#join("") : "";
    }
    if (this.#rule === "restart") return this.#give("impossible", "");
    const overlap = overlapOf(this.#delivered, this.#buffer, isEnd);
    if (overlap === "undecided") return "";
    if (overlap > 0) return this.#join(this.#buffer.slice(overlap));
    if (common >= RESTART_CHARACTERS_MIN) return this.#give("impossible", "");
    return this.#join(this.#buffer);
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
 * Characters at the start of `fresh` that repeat the end of `delivered`, beginning at a word. `undecided` while more text
 * could still complete a repetition. Bare punctuation is no repetition: closing braces follow one another in code.
 */
function overlapOf(delivered: string, fresh: string, isEnd: boolean): number | "undecided" {
  const lead = fresh.length - fresh.trimStart().length;
  const text = fresh.slice(lead);
  const from = Math.max(0, delivered.length - OVERLAP_CHARACTERS_MAX);
  for (let start = from; start < delivered.length; start++) {
    if (!isWordStart(delivered, start)) continue;
    const tail = delivered.slice(start);
    if (text.length < tail.length) {
      if (!isEnd && tail.startsWith(text)) return "undecided";
      continue;
    }
    if (!text.startsWith(tail) || !/[\p{L}\p{N}]/u.test(tail)) continue;
    // "1" after "number 1" makes eleven: digits alone say too little to be taken for a repetition.
    if (/^\d+$/.test(tail)) continue;
    // " apple" after "I have a" goes on with a new word; "apple" repeats the half one.
    if (lead > 0 && text.length === tail.length && !isEnd) return "undecided";
    if (lead > 0 && isInsideWord(text, tail.length)) continue;
    return lead + tail.length;
  }
  return 0;
}

function isWordStart(text: string, index: number): boolean {
  return index === 0 || !isWordCharacter(text[index - 1]) || !isWordCharacter(text[index]);
}

function isInsideWord(text: string, index: number): boolean {
  return isWordCharacter(text[index - 1]) && isWordCharacter(text[index]);
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}
