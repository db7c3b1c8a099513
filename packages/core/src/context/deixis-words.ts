// Which words of an utterance point, what kind of thing they point at, and when they were said.

export interface UtteranceWord {
  readonly text: string;
  /** Start of the word on the session clock; recognisers that stamp only segments leave it out. */
  readonly startMs?: number;
}

export interface DeicticWord {
  readonly index: number;
  readonly text: string;
  /** A thing ("that lamp"), a place ("there"), or an extent shown with the hands ("this big"). */
  readonly kind: "thing" | "place" | "size";
  /** The class word, as the scene spells it. */
  readonly label?: string;
  readonly isPlural: boolean;
  readonly wordMs: number;
  /** The time was estimated from the utterance's length, not stamped. */
  readonly isEstimated: boolean;
}

const THINGS = new Set(["that", "this", "those", "these", "it"]);
const PLACES = new Set(["there", "here"]);
const PLURALS = new Set(["those", "these"]);
const EXTENTS = new Set(["big", "large", "wide", "long", "high", "tall", "small", "deep", "far", "thick"]);

/** Words after which "that" joins a sentence instead of pointing. */
const CLAUSE_VERBS = new Set([
  "think",
  "know",
  "sure",
  "say",
  "says",
  "said",
  "see",
  "believe",
  "hope",
  "so",
  "mean",
  "feel",
  "guess",
  "suppose",
  "told",
  "notice",
]);
const CLAUSE_STARTS = new Set([
  "the",
  "a",
  "an",
  "i",
  "you",
  "he",
  "she",
  "we",
  "they",
  "my",
  "your",
  "it",
  "there",
  "all",
  "every",
]);

/** Words between "that" and its class word: "that small red lamp". */
const BETWEEN_MAX = 3;

/**
 * `labels` are the class words of the scene, lower case ("wall art" too). Times that the recogniser left out are spread over
 * the utterance by the letters of its words.
 */
export function findDeicticWords(
  words: readonly UtteranceWord[],
  utterance: { readonly startMs: number; readonly endMs: number },
  labels: ReadonlySet<string>,
): readonly DeicticWord[] {
  const plain = words.map((word) => word.text.toLowerCase().replace(/[^\p{L}\p{N}']/gu, ""));
  const times = estimateTimes(plain, utterance);
  const found: DeicticWord[] = [];
  plain.forEach((text, index) => {
    const kind = kindOf(plain, index);
    if (kind === undefined) return;
    const stamped = words[index]?.startMs;
    const label = kind === "thing" ? labelAfter(plain, index, labels) : undefined;
    found.push({
      index,
      text,
      kind,
      ...(label === undefined ? {} : { label }),
      isPlural: PLURALS.has(text),
      wordMs: stamped ?? (times[index] as number),
      isEstimated: stamped === undefined,
    });
  });
  return found;
}

function kindOf(words: readonly string[], index: number): DeicticWord["kind"] | undefined {
  const word = words[index] as string;
  const next = words[index + 1];
  if (PLACES.has(word)) {
    // "there is", "there are": nothing is shown.
    return word === "there" && /^(is|are|was|were|isn't|aren't)$/.test(next ?? "") ? undefined : "place";
  }
  if (!THINGS.has(word)) return undefined;
  if ((word === "this" || word === "that") && next !== undefined && EXTENTS.has(next)) return "size";
  const isJoining =
    word === "that" && CLAUSE_VERBS.has(words[index - 1] ?? "") && next !== undefined && CLAUSE_STARTS.has(next);
  return isJoining ? undefined : "thing";
}

function labelAfter(words: readonly string[], index: number, labels: ReadonlySet<string>): string | undefined {
  for (let at = index + 1; at <= Math.min(words.length - 1, index + 1 + BETWEEN_MAX); at++) {
    const word = words[at] as string;
    // Another pointing word or preposition begins something else: "put that on the table" does not mean a table.
    if (
      THINGS.has(word) ||
      PLACES.has(word) ||
      /^(on|in|under|to|from|with|and|next|near|at|of|into|onto|behind)$/.test(word)
    )
      return undefined;
    const pair = `${word} ${words[at + 1] ?? ""}`;
    for (const spelling of [pair, singular(pair), word, singular(word)]) if (labels.has(spelling)) return spelling;
  }
  return undefined;
}

function singular(word: string): string {
  if (/(ches|shes|xes|sses)$/.test(word)) return word.slice(0, -2);
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (word.endsWith("ves")) return `${word.slice(0, -3)}f`;
  return word.endsWith("s") ? word.slice(0, -1) : word;
}

function estimateTimes(
  words: readonly string[],
  utterance: { readonly startMs: number; readonly endMs: number },
): number[] {
  const total = words.reduce((sum, word) => sum + word.length + 1, 0);
  let letters = 0;
  return words.map((word) => {
    const share = letters / Math.max(1, total);
    letters += word.length + 1;
    return utterance.startMs + (utterance.endMs - utterance.startMs) * share;
  });
}
