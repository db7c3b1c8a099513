import type { SceneChange, SpatialQuery, SpatialQueryResult } from "../model/spatial.ts";
import type { Command, Outside, Manner } from "./interpretation.ts";
import type { ThingNames } from "./thing-names.ts";

/** One language of answers. Every method gives whole sentences, in the order in which they are said. */
export interface Phrasebook {
  /** Puts a result into words; `how` carries what the speaker asked for beside it (unit, yes or no, which dimension). */
  say(
    query: SpatialQuery,
    result: SpatialQueryResult,
    names: ThingNames,
    how: Manner,
    changes: readonly SceneChange[],
  ): readonly string[];
  outside(why: Outside): readonly string[];
  help(): readonly string[];
  identity(hasRoom: boolean): readonly string[];
  greeting(): readonly string[];
  thanks(): readonly string[];
  noRoom(asked: "me" | "room" | "world"): readonly string[];
  /** Said when an action was sent, or when the caller offered no tool for it. */
  done(verb: Command["verb"], thing: string): string;
  cannot(verb: Command["verb"]): string;
  /** Asked back where a thing is to go: the place was not shown. */
  whereTo(): readonly string[];
}
