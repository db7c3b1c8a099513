import type { EntitySelector } from "../model/spatial.ts";
import type { SceneVocabulary } from "./description-items.ts";
import type { Interpretation } from "./interpretation.ts";

/** What a rule sees: the noun phrases it caught, read on demand. */
export interface RuleContext {
  readonly vocabulary: SceneVocabulary;
  readonly text: string;
  /** Reads a noun phrase; undefined when it names nothing that could be in a room. */
  readonly thing: (words: string | undefined) => EntitySelector | undefined;
}

export interface Rule {
  readonly pattern: RegExp;
  readonly build: (
    groups: Readonly<Record<string, string | undefined>>,
    rule: RuleContext,
  ) => Interpretation | undefined;
}
