// Whole sentences from a stream of text. Rules: docs/spec/rescue.md SC1..SC9. What comes out, joined, is exactly what went
// in. A period needs a look at what follows it (a capital, a digit, a quote), so a sentence that ends in one is released
// with the first character of the next, or at the end; 。！？ and line breaks need none.

/** Longest unit without an end in sight; then the last white space ends it. About twenty seconds of speech. */
const UNIT_CHARACTERS_MAX = 320;

const ABBREVIATIONS = new Set(
  (
    "mr mrs ms dr prof sr jr st vs etc approx no nr fig dept inc ltd co corp e.g i.e u.s u.k a.m p.m cf ca bzw usw " +
    "z.b d.h ggf evtl ev max min resp"
  ).split(" "),
);
const CLOSERS = "\"'”’)]}»›」』）】*_`";
const WIDE_ENDS = "。！？｡";
const FENCE = "```";

export class SentenceChunker {
  #text = "";
  #isInFence = false;
  /** Where the next scan may start: what lies before was seen and ends nothing. */
  #scanned = 0;

  /** Sentences that are whole now, with the white space that follows them. */
  push(text: string): readonly string[] {
    this.#text += text;
    let found: string[] | undefined;
    for (let end = this.#nextEnd(); end > 0; end = this.#nextEnd()) {
      found ??= [];
      found.push(this.#take(end));
    }
    return found ?? NONE;
  }

  /** What is left at the end of the stream, or nothing. */
  flush(): string {
    return this.#take(this.#text.length);
  }

  /** The unfinished unit, for whoever has to know what was not released. */
  get pending(): string {
    return this.#text;
  }

  /** Forgets the unfinished unit. */
  drop(): void {
    this.#text = "";
    this.#scanned = 0;
  }

  #take(end: number): string {
    const unit = this.#text.slice(0, end);
    this.#text = this.#text.slice(end);
    this.#scanned = 0;
    if (unit.trimStart().startsWith(FENCE)) this.#isInFence = !this.#isInFence;
    return unit;
  }

  /** Index after the first whole unit, 0 where there is none yet. */
  #nextEnd(): number {
    const text = this.#text;
    for (let index = this.#scanned; index < text.length; index++) {
      const end = this.#endAt(index);
      if (end === undefined) return this.#orTooLong();
      if (end > 0) return end;
      this.#scanned = index + 1;
    }
    return this.#orTooLong();
  }

  /** 0: nothing ends here. Undefined: it depends on what comes next. */
  #endAt(index: number): number | undefined {
    const text = this.#text;
    const character = text[index] as string;
    if (character === "\n") return text.slice(0, index).trim() === "" ? 0 : index + 1;
    if (this.#isInFence || text.trimStart().startsWith(FENCE)) return 0;
    if (WIDE_ENDS.includes(character)) return afterClosers(text, index + 1);
    if (character !== "." && character !== "!" && character !== "?" && character !== "…") return 0;
    return endAfterMark(text, index);
  }

  #orTooLong(): number {
    if (this.#text.length <= UNIT_CHARACTERS_MAX || this.#isInFence) return 0;
    const space = this.#text.lastIndexOf(" ", UNIT_CHARACTERS_MAX);
    return space > 0 ? space + 1 : 0;
  }
}

const NONE: readonly string[] = [];

function endAfterMark(text: string, index: number): number | undefined {
  let end = index + 1;
  while (end < text.length && ".!?…".includes(text[end] as string)) end++;
  end = afterClosers(text, end);
  if (end >= text.length) return undefined;
  if (!isSpace(text[end] as string)) return 0;
  if (text[index] === "." && isAbbreviated(text, index)) return 0;
  let next = end;
  while (next < text.length && isSpace(text[next] as string) && text[next] !== "\n") next++;
  if (next >= text.length) return text[index] === "." ? undefined : next;
  if (text[next] === "\n") return next + 1;
  // "approx. five", "z. B. hier", "wait ... what": a lower-case letter goes on with the same sentence.
  if ((text[index] === "." || text[index] === "…") && isLower(text[next] as string)) return 0;
  return next;
}

function afterClosers(text: string, from: number): number {
  let end = from;
  while (end < text.length && CLOSERS.includes(text[end] as string)) end++;
  return end;
}

/** An abbreviation, an initial ("J. Smith") or the number of a list item at the start of a line ("2. "). */
function isAbbreviated(text: string, period: number): boolean {
  let start = period;
  while (start > 0 && !isSpace(text[start - 1] as string)) start--;
  const word = text.slice(start, period).replace(/^["'“‘(«]+/, "");
  if (/^\d{1,3}$/.test(word)) return text.slice(0, start).trim() === "" || text[start - 1] === "\n";
  if (/^\p{L}$/u.test(word)) return word !== "I";
  return ABBREVIATIONS.has(word.toLowerCase());
}

function isSpace(character: string): boolean {
  return character === " " || character === "\n" || character === "\t" || character === "\r" || character === " ";
}

function isLower(character: string): boolean {
  return character !== character.toUpperCase();
}
