// Start and end of each word in speech whose maker tells no times: pauses of the sound are matched with the punctuation, and
// between two pauses the time of the voice is divided by how long the words take to say. Silence at the ends is no word.

import { levelDb, SILENCE_DB } from "./level.ts";

export interface AlignedWord {
  readonly text: string;
  /** From the first sample pushed. */
  readonly startMs: number;
  readonly endMs: number;
}

const WINDOW_MS = 10;
/** Below the loudest window by this much it is silence: voices of programs have no noise of a room. */
const SILENT_DB = 34;
/** Nobody speaks that softly. */
const UNHEARD_DB = -70;
/** Shorter ones are stops within words. */
const PAUSE_MS = 70;
/** How far a pause may lie from where its punctuation is expected, as a share of the speech. */
const REACH = 0.2;

/** Milliseconds at a common pace; only their ratios matter. */
const VOWEL_MS = 100;
const CONSONANT_MS = 62;
const DIGIT_MS = 330;
/** The last word before a pause is drawn out (phrase-final lengthening). */
const FINAL_MS = 80;
const WEAK = 0.75;
/** Words that are said lightly, in English: they carry no stress. */
const WEAK_WORDS = new Set(
  (
    "a an the of to in on at is are was and or but you your i it that by from with as for be been has have had not this " +
    "there which"
  ).split(" "),
);

interface Span {
  readonly from: number;
  readonly to: number;
}

export class WordAligner {
  readonly #windowSamples: number;
  readonly #levels: number[] = [];
  #rest: Int16Array = new Int16Array(0);

  constructor(rateHz: number) {
    this.#windowSamples = Math.round((rateHz * WINDOW_MS) / 1_000);
  }

  /** PCM16 mono, in order; nothing of it is kept but its level. */
  push(samples: Int16Array): void {
    const joined = new Int16Array(this.#rest.length + samples.length);
    joined.set(this.#rest);
    joined.set(samples, this.#rest.length);
    let at = 0;
    for (; at + this.#windowSamples <= joined.length; at += this.#windowSamples) {
      this.#levels.push(levelDb(joined.subarray(at, at + this.#windowSamples)));
    }
    this.#rest = joined.slice(at);
  }

  /** Words of the text that was spoken, in the order they sound. */
  align(text: string): readonly AlignedWord[] {
    const words = text.split(/\s+/).filter((word) => word !== "");
    const voiced = spansOf(this.#levels);
    const first = voiced[0];
    const last = voiced.at(-1);
    if (first === undefined || last === undefined || words.length === 0) return [];
    const clauses = clausesOf(words);
    const pieces = matchPauses(clauses, voiced);
    return clauses.flatMap((clause, index) => divide(clause, pieces[index] ?? [first]));
  }
}

/** Runs of sound between pauses, in windows. */
function spansOf(levels: readonly number[]): readonly Span[] {
  const loudest = levels.reduce((most, level) => Math.max(most, level), SILENCE_DB);
  if (loudest < UNHEARD_DB) return [];
  const floor = loudest - SILENT_DB;
  const spans: { from: number; to: number }[] = [];
  for (const [index, level] of levels.entries()) {
    if (level < floor) continue;
    const open = spans.at(-1);
    if (open !== undefined && (index - open.to) * WINDOW_MS < PAUSE_MS) open.to = index + 1;
    else spans.push({ from: index, to: index + 1 });
  }
  return spans;
}

/** Words up to and with the one that a pause may follow. */
function clausesOf(words: readonly string[]): readonly (readonly string[])[] {
  const clauses: string[][] = [[]];
  for (const [index, word] of words.entries()) {
    clauses.at(-1)?.push(word);
    if (index < words.length - 1 && /[,;:.!?…—]["')\]]*$/.test(word) && !/^\d[\d.,]*$/.test(word)) clauses.push([]);
  }
  return clauses;
}

/** To each clause its runs of sound: each boundary takes the pause nearest to where the words before it would end. */
function matchPauses(clauses: readonly (readonly string[])[], spans: readonly Span[]): readonly (readonly Span[])[] {
  const weights = clauses.map((clause) => clause.reduce((sum, word) => sum + weightOf(word), 0));
  const weight = weights.reduce((sum, value) => sum + value, 0);
  const voiced = spans.reduce((sum, { from, to }) => sum + to - from, 0);
  const ends: number[] = [];
  let said = 0;
  let taken = 0;
  for (const [index, value] of weights.entries()) {
    if (index === weights.length - 1) break;
    said += value;
    const goal = said / weight;
    let best = -1;
    let bestGap = REACH;
    let heard = 0;
    for (const [run, { from, to }] of spans.entries()) {
      heard += to - from;
      // Each later boundary needs a run of its own.
      if (run < taken || run >= spans.length - 1) continue;
      const gap = Math.abs(heard / voiced - goal);
      if (gap < bestGap) [best, bestGap] = [run, gap];
    }
    ends.push(best);
    if (best >= 0) taken = best + 1;
  }
  return join(ends, weights, spans);
}

/** Clauses whose punctuation made no pause share the runs up to the next that did, by their weights. */
function join(
  ends: readonly number[],
  weights: readonly number[],
  spans: readonly Span[],
): readonly (readonly Span[])[] {
  const pieces: (readonly Span[])[] = [];
  let firstClause = 0;
  let firstRun = 0;
  for (let clause = 0; clause < weights.length; clause++) {
    const end = clause === weights.length - 1 ? spans.length - 1 : (ends[clause] ?? -1);
    if (end < 0) continue;
    const runs = spans.slice(firstRun, end + 1);
    const group = weights.slice(firstClause, clause + 1);
    const total = group.reduce((sum, value) => sum + value, 0);
    let share = 0;
    for (const value of group) {
      pieces.push(cut(runs, share / total, (share + value) / total));
      share += value;
    }
    firstClause = clause + 1;
    firstRun = end + 1;
  }
  return pieces;
}

/** The part of the runs between two shares of their sound. */
function cut(runs: readonly Span[], fromShare: number, toShare: number): readonly Span[] {
  const total = runs.reduce((sum, { from, to }) => sum + to - from, 0);
  const parts: Span[] = [];
  let at = 0;
  for (const { from, to } of runs) {
    const low = Math.max(from, from + fromShare * total - at);
    const high = Math.min(to, from + toShare * total - at);
    if (high > low) parts.push({ from: low, to: high });
    at += to - from;
  }
  return parts;
}

function divide(words: readonly string[], runs: readonly Span[]): readonly AlignedWord[] {
  const weights = words.map((word, index) => weightOf(word) + (index === words.length - 1 ? FINAL_MS : 0));
  const total = weights.reduce((sum, value) => sum + value, 0);
  let share = 0;
  return words.map((text, index) => {
    const weight = weights[index] as number;
    const spans = cut(runs, share / total, (share + weight) / total);
    share += weight;
    const startMs = (spans[0]?.from ?? runs[0]?.from ?? 0) * WINDOW_MS;
    return { text, startMs, endMs: Math.max(startMs, (spans.at(-1)?.to ?? 0) * WINDOW_MS) };
  });
}

/** How long a word takes to say, roughly: vowels are longer than consonants, doubled letters and a silent e take no time. */
function weightOf(word: string): number {
  const letters = word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const digits = letters.match(/\p{N}/gu)?.length ?? 0;
  const plain = letters
    .replace(/\p{N}/gu, "")
    .replace(/(?<=[^aeiouy].*[^aeiouy])e$/, "")
    .replace(/([^aeiou])\1/g, "$1")
    .replace(/ck|ch|sh|th|ph|wh|gh/g, "c");
  const vowels = plain.match(/[aeiouyäöüéèàáíóú]+/g)?.length ?? 0;
  const consonants = plain.match(/[^aeiouyäöüéèàáíóú]/g)?.length ?? 0;
  const full = Math.max(80, vowels * VOWEL_MS + consonants * CONSONANT_MS + digits * DIGIT_MS);
  return WEAK_WORDS.has(letters) ? full * WEAK : full;
}
