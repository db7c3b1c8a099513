import { parseDescription } from "../language/description-grammar.ts";
import { tokenize } from "../language/tokens.ts";
import type { EntitySelector } from "../model/spatial.ts";
import type { XRContext } from "../model/xr-context.ts";
import { ranked } from "./choice.ts";
import { chooseEntities } from "./choose-entities.ts";
import type { Scope } from "./scope.ts";
import { scopeOf } from "./scope.ts";

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

/** "the chair closest to the door" among the things of the scene. */
export function resolveDescription(context: XRContext, text: string): Reference {
  const scope = scopeOf(context);
  const { selector, unreadWords } = parseDescription(tokenize(text), scope.room.vocabulary);
  return resolveSelector(selector, scope, unreadWords > 0);
}

/**
 * `saysMore`: the words held something that geometry cannot read ("the red chair"). The speaker then knows of a difference,
 * so the first of equal candidates is a fair guess with a low confidence; otherwise equals are ambiguous.
 */
export function resolveSelector(selector: EntitySelector, scope: Scope, saysMore = false): Reference {
  const order = ranked(chooseEntities(selector, scope));
  const [first, second] = order;
  const alternatives = order.slice(0, ALTERNATIVES_MAX).map(({ solid, share }) => ({ id: solid.entity.id, share }));
  if (first === undefined) return { id: undefined, confidence: 0, alternatives, isAmbiguous: false };
  const isTied = second !== undefined && second.share > first.share * (1 - AMBIGUITY_SHARE);
  const isAmbiguous = isTied && !saysMore;
  return { id: isAmbiguous ? undefined : first.solid.entity.id, confidence: first.share, alternatives, isAmbiguous };
}
