/** Fewer prove nothing: "the lamp" may be an answer to what was said. */
const WORDS_MIN = 2;
/** What sounded a moment ago may come back. */
const SENTENCES_KEPT = 3;

/** The agent's last sentences: a recogniser that heard nothing but them heard the agent. */
export class OwnWords {
  readonly #sentences: ReadonlySet<string>[] = [];

  say(sentence: string): void {
    this.#sentences.push(new Set(wordsOf(sentence)));
    if (this.#sentences.length > SENTENCES_KEPT) this.#sentences.shift();
  }

  /** Every word of the text was just said by the agent. */
  holds(text: string): boolean {
    const words = wordsOf(text);
    return words.length >= WORDS_MIN && words.every((word) => this.#sentences.some((sentence) => sentence.has(word)));
  }
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}
