// The grammar of a room with its pronouncing dictionary, made once for each set of labels.
import { join } from "node:path";
import type { Clock } from "@fovea/core";
import { buildVoiceGrammar } from "@fovea/core";
import { Pronouncer } from "./pronounce.ts";
import type { SphinxGrammar } from "./recognize-with-sphinx.ts";

/** Rooms change by a thing or two; older sets are not asked for again. */
const KEPT_MAX = 32;

export class RoomGrammars {
  readonly #model: string;
  readonly #flite: string | undefined;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Promise<SphinxGrammar>>();
  #pronouncer: Promise<Pronouncer> | undefined;

  constructor(model: string, flite: string | undefined, clock: Clock) {
    this.#model = model;
    this.#flite = flite;
    this.#clock = clock;
  }

  /** For these names of things, in any order. */
  of(vocabulary: readonly string[]): Promise<SphinxGrammar> {
    const labels = [...new Set(vocabulary)].sort();
    const key = labels.join("\n");
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const made = this.#make(labels);
    this.#kept.set(key, made);
    // A failure is tried again by whoever asks next.
    made.catch(() => this.#kept.delete(key));
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
    return made;
  }

  async #make(labels: readonly string[]): Promise<SphinxGrammar> {
    this.#pronouncer ??= Pronouncer.load(join(this.#model, "cmudict-en-us.dict"), this.#flite, this.#clock);
    const pronouncer = await this.#pronouncer;
    const first = buildVoiceGrammar(labels);
    const { lines, unknown } = await pronouncer.dictionaryFor(first.words);
    if (unknown.length === 0) return { jsgf: first.jsgf, dictionary: lines };
    // One word without a pronunciation would make the recogniser refuse the whole grammar.
    const rest = buildVoiceGrammar(labels, new Set(unknown));
    return { jsgf: rest.jsgf, dictionary: (await pronouncer.dictionaryFor(rest.words)).lines };
  }
}
