// A text reduced to its words, for comparing what two models wrote: letters and digits in lower case, one space for
// whatever stands between. Every character knows where it ended in the original, so that a match can be cut out there.

export interface LooseText {
  readonly words: string;
  /** Index after the original of each character of `words`. */
  readonly ends: readonly number[];
}

export function looseText(text: string): LooseText {
  let words = "";
  const ends: number[] = [];
  let isBetween = false;
  let index = 0;
  for (const character of text) {
    index += character.length;
    if (!isWordCharacter(character)) {
      isBetween = words !== "";
      continue;
    }
    if (isBetween) {
      words += " ";
      ends.push(index - character.length);
      isBetween = false;
    }
    // The lower case of some letters is longer: every unit of it ends where the letter does.
    const lower = character.toLowerCase();
    words += lower;
    for (let unit = 0; unit < lower.length; unit++) ends.push(index);
  }
  return { words, ends };
}

const WORD = /[\p{L}\p{N}\p{M}_]/u;
/** Scripts that put no space between words: every character may begin one. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

export function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && WORD.test(character);
}

export function isUnspaced(character: string | undefined): boolean {
  return character !== undefined && UNSPACED.test(character);
}

/** True where the text, closing quotes and white space aside, ends with a sentence or a line. */
export function endsSentence(text: string): boolean {
  return /(?:[.!?…。！？؟।:]["'”’»」』)\]*_`]*\s*|\n\s*)$/u.test(text);
}
