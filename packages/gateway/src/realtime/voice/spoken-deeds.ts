// The deeds of one spoken answer: each is kept back until the times of its word are known, and leaves with them.
import type { AnswerPart, SceneSnapshot, SpeechPlacement, TimedText, XRContext } from "@fovea/core";
import { isMentioned, placeSpeech, seenShareOf, WordCues } from "@fovea/core";

export type Deed = Extract<AnswerPart, { type: "action" | "haptic" }>;

export class SpokenDeeds {
  readonly #context: XRContext;
  readonly #cues = new WordCues<Deed>();
  /** Of each sentence whose times are known, the words. */
  readonly #spoken: { readonly itemId: string; readonly words: readonly TimedText[] }[] = [];
  readonly #targets = new Set<string>();

  /** `context` is that of the question: names and places are meant as they were then. */
  constructor(context: XRContext) {
    this.#context = context;
  }

  /** What may leave now: the deed, with its cue or without, or nothing yet. */
  deed(deed: Deed): readonly Deed[] {
    const target = targetOf(deed);
    if (target !== undefined) this.#targets.add(target);
    const cue = this.#cues.deed({ deed, names: namesOf(target, this.#context.scene) });
    if (cue === undefined) return [];
    return [cue === "now" ? deed : this.#cued(deed, cue.sentence, cue.word)];
  }

  /** The next sentence, as it will sound. */
  sentence(itemId: string, words: readonly TimedText[]): readonly Deed[] {
    this.#spoken.push({ itemId, words });
    return this.#cues
      .say(words.map(({ text }) => text))
      .map(({ deed, sentence, word }) => this.#cued(deed, sentence, word));
  }

  /** No sentence follows: what has no word is done now. */
  end(): readonly Deed[] {
    return this.#cues.end();
  }

  /** Where a sentence sounds: from what it names of the things that the answer points at. */
  placeOf(sentence: string): SpeechPlacement {
    const { scene } = this.#context;
    const words = sentence.split(/\s+/);
    const named = [...this.#targets].filter((id) => isMentioned(words, namesOf(id, scene)));
    const targets = named.length > 0 ? named : this.#targets.size === 1 ? [...this.#targets] : [];
    const agent = scene.entities.find(({ semanticLabel }) => semanticLabel === AGENT);
    return placeSpeech(this.#context, {
      targets,
      ...(agent === undefined ? {} : { agent: { entityId: agent.id } }),
      seenShare: (eye, entity) => seenShareOf(scene, eye, entity.id),
    });
  }

  #cued(deed: Deed, sentence: number, word: number): Deed {
    const spoken = this.#spoken[sentence];
    const atMs = spoken?.words[word]?.startMs;
    return spoken === undefined || atMs === undefined ? deed : { ...deed, cue: { itemId: spoken.itemId, atMs } };
  }
}

/** Label of the application's object that speaks for Fovea, where it has a body. */
const AGENT = "agent";

function targetOf(deed: Deed): string | undefined {
  return deed.type === "action" && "target" in deed.action ? deed.action.target : undefined;
}

function namesOf(id: string | undefined, scene: SceneSnapshot): readonly string[] {
  const entity = id === undefined ? undefined : scene.byId.get(id);
  if (entity === undefined) return [];
  return entity.name === undefined ? [entity.semanticLabel] : [entity.name, entity.semanticLabel];
}
