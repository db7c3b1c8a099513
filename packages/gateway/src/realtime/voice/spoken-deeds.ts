// The deeds of one spoken answer wait for their words: "this lamp" lights as it is said. Sentences come when they begin to
// sound, their word times when they are known, deeds whenever the model makes them.
import type { AnswerPart, SentenceCue, TimedText } from "@fovea/core";
import { WordCues } from "@fovea/core";

export interface DeedsPort {
  /** What a thing may be called. */
  namesOf(entityId: string): readonly string[];
  /** `atMs` of the item; undefined: at once. */
  perform(part: AnswerPart, atMs: number | undefined): void;
}

export class SpokenDeeds {
  readonly #port: DeedsPort;
  readonly #cues = new WordCues<AnswerPart>();
  /** Start times of the words of each sentence so far; undefined while only its beginning is known. */
  readonly #times: (readonly number[] | undefined)[] = [];
  readonly #fromMs: number[] = [];
  readonly #waiting: SentenceCue<AnswerPart>[] = [];
  #timed = 0;

  constructor(port: DeedsPort) {
    this.#port = port;
  }

  fold(part: Extract<AnswerPart, { type: "action" | "haptic" }>): void {
    const target = targetOf(part);
    const names = target === undefined ? [] : this.#port.namesOf(target);
    const cue = this.#cues.deed({ deed: part, names });
    if (cue === "now") this.#port.perform(part, undefined);
    else if (cue !== undefined) this.#place(cue);
  }

  /** The next sentence begins to sound. Returns what its deeds point at. */
  say(text: string, fromMs: number): readonly string[] {
    this.#times.push(undefined);
    this.#fromMs.push(fromMs);
    const cues = this.#cues.say(text.split(/\s+/).filter(isWord));
    for (const cue of cues) this.#place(cue);
    return cues.flatMap(({ deed }) => targetOf(deed) ?? []);
  }

  /** Word times of the sentence that began first among those without. */
  words(words: readonly TimedText[]): void {
    const sentence = this.#timed++;
    this.#times[sentence] = words.filter(({ text }) => isWord(text)).map(({ startMs }) => startMs);
    for (const cue of this.#waiting.splice(0)) this.#place(cue);
  }

  /** Nothing more will be said. */
  end(): void {
    for (const cue of this.#waiting.splice(0)) this.#port.perform(cue.deed, this.#fromMs[cue.sentence]);
    for (const deed of this.#cues.end()) this.#port.perform(deed, undefined);
  }

  #place(cue: SentenceCue<AnswerPart>): void {
    const times = this.#times[cue.sentence];
    if (times === undefined) this.#waiting.push(cue);
    else this.#port.perform(cue.deed, times[cue.word] ?? this.#fromMs[cue.sentence]);
  }
}

/** A dash between words is spoken by nobody. */
function isWord(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}

function targetOf(part: AnswerPart): string | undefined {
  return part.type === "action" && "target" in part.action ? part.action.target : undefined;
}
