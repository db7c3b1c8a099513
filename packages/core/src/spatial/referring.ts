import { parseDescription } from "../language/description-grammar.ts";
import { selectorFromTree } from "../language/relation-tree.ts";
import { tokenize } from "../language/tokens.ts";
import type { EntitySelector } from "../model/spatial.ts";
import type { XRContext } from "../model/xr-context.ts";
import type { Choice } from "./choice.ts";
import { bestLog, ranked } from "./choice.ts";
import { chooseEntities } from "./choose-entities.ts";
import type { Scope } from "./scope.ts";
import { scopeOf } from "./scope.ts";
import type { Solid } from "./solid.ts";

/** What a description refers to. `id` is undefined when nothing fits or when the two best are within five percent. */
export interface Reference {
  readonly id: string | undefined;
  readonly confidence: number;
  /** The likeliest candidates, best first, with their shares of the evidence. */
  readonly alternatives: readonly { readonly id: string; readonly share: number }[];
  readonly isAmbiguous: boolean;
}

/** Two candidates nearer than this in share are not told apart. */
export const AMBIGUITY_SHARE = 0.05;
const ALTERNATIVES_MAX = 4;

/**
 * "the chair closest to the door" among the things of the scene. `tree` is what a language model made of the same words
 * (see language/relation-tree); both readings then count, because each understands what the other misses.
 */
export function resolveDescription(context: XRContext, text: string, tree?: unknown): Reference {
  const scope = scopeOf(context);
  const { selector, unreadWords } = parseDescription(tokenize(text), scope.room.vocabulary);
  const read = tree === undefined ? undefined : selectorFromTree(tree);
  const own = chooseEntities(selector, scope);
  return decide(read === undefined ? own : together(chooseEntities(read, scope), own), unreadWords > 0);
}

/** A candidate that one reading does not know at all loses this much. */
const UNKNOWN_LOG = -4;

function together(first: Choice, second: Choice): Choice {
  if (first.solids.length === 0) return second;
  const others = new Map(second.solids.map((solid, i) => [solid, (second.log[i] as number) - bestLog(second)]));
  return {
    ...first,
    log: first.log.map(
      (value, i) => value + Math.max(UNKNOWN_LOG, others.get(first.solids[i] as Solid) ?? UNKNOWN_LOG),
    ),
  };
}

/**
 * `saysMore`: the words held something that geometry cannot read ("the red chair"). The speaker then knows of a difference,
 * so the first of equal candidates is a fair guess with a low confidence; otherwise equals are ambiguous.
 */
export function resolveSelector(selector: EntitySelector, scope: Scope, saysMore = false): Reference {
  return decide(chooseEntities(selector, scope), saysMore);
}

function decide(choice: Choice, saysMore: boolean): Reference {
  const order = ranked(choice);
  const [first, second] = order;
  const alternatives = order.slice(0, ALTERNATIVES_MAX).map(({ solid, share }) => ({ id: solid.entity.id, share }));
  if (first === undefined) return { id: undefined, confidence: 0, alternatives, isAmbiguous: false };
  const isTied = second !== undefined && second.share > first.share * (1 - AMBIGUITY_SHARE);
  const isAmbiguous = isTied && !saysMore;
  return {
    id: isAmbiguous ? undefined : first.solid.entity.id,
    confidence: confidenceOf(first.share, second?.share, saysMore),
    alternatives,
    isAmbiguous,
  };
}

/**
 * The share of right answers among 688 human descriptions in 269 rooms (the fitting part of Nr3D) rises with the lead of
 * the best candidate from 42 to 82 %, and from 36 to 73 % where words stay unread; a lone candidate is nearly sure.
 */
function confidenceOf(best: number, second: number | undefined, saysMore: boolean): number {
  if (second === undefined) return saysMore ? 0.85 : 0.97;
  const lead = best - second;
  return saysMore ? 0.36 + 0.37 * lead : 0.42 + 0.4 * lead;
}
