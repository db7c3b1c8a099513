// What a question needs of the camera. "Where is my mug?" is a question about the room, if the room only knew the mug: it
// is looked for in the image first. "What does the sign say?" is for a model that sees.
import { interpret } from "../language/question-grammar.ts";
import type { SceneVocabulary } from "../language/description-items.ts";
import { labelFit, normalName } from "../language/nouns.ts";
import type { EntitySelector, SceneSnapshot, SpatialQuery } from "../model/spatial.ts";

export type SightNeed =
  | { readonly kind: "none" }
  /** These names are in the question and not in the room. */
  | { readonly kind: "find"; readonly labels: readonly string[] }
  /** Only somebody who sees the image can answer. */
  | { readonly kind: "see" };

const LABELS_MAX = 4;
const NONE: SightNeed = { kind: "none" };
const SEE: SightNeed = { kind: "see" };

/** Words about the looks of things and about the picture itself, whatever else the question says. */
const LOOKS =
  /\b(?:what (?:do|can|else do|else can) (?:you|i|we) see|do you see|can you see (?:me|my)|looking at|read|says?|written|writing|text|sign|spell|colou?r|describe (?:what|the (?:picture|image|view|scene))|look(?:s)? like|what(?: kind| sort)? of|brand|logo|picture|photo|image|camera|show(?:s|n|ing)|how many (?:people|fingers)|is (?:it|this|that) (?:open|closed|on|off|broken|dirty|clean|ripe|empty|full))\b/;
const WHAT_IS_THAT = /^(?:what|who) (?:is|are|s) (?:that|this|those|these|it)\b/;

export function sightNeedOf(text: string, scene: SceneSnapshot): SightNeed {
  const plain = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s]/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  if (plain === "") return NONE;
  if (LOOKS.test(plain)) return SEE;
  const names = namesOf(scene);
  const read = interpret(text, names);
  if (read.intent === "outside") {
    return read.why === "colour" || read.why === "vision" || WHAT_IS_THAT.test(plain) ? SEE : NONE;
  }
  const selectors =
    read.intent === "query"
      ? selectorsOfQuery(read.query)
      : read.intent === "command"
        ? [read.command.target, read.command.destination].filter((selector) => selector !== undefined)
        : [];
  const labels = selectors.flatMap((selector) => labelsOf(selector, 0));
  const unknown = [...new Set(labels.filter((label) => !isKnown(label, scene)))];
  return unknown.length === 0 ? NONE : { kind: "find", labels: unknown.slice(0, LABELS_MAX) };
}

function selectorsOfQuery(query: SpatialQuery): readonly EntitySelector[] {
  const found: EntitySelector[] = [];
  for (const name of ["target", "to", "from", "where", "near", "about", "standingAt", "facing", "versus"] as const) {
    const value = (query as Readonly<Record<string, unknown>>)[name];
    if (typeof value === "object" && value !== null) found.push(value as EntitySelector);
  }
  if (query.kind === "relation") found.push(...query.anchors);
  return found;
}

function labelsOf(selector: EntitySelector, depth: number): readonly string[] {
  if (depth > 3) return [];
  const own = selector.label === undefined || selector.reference !== undefined ? [] : [selector.label];
  const inner = [...(selector.anyOf ?? []), ...(selector.relations ?? []).flatMap((relation) => relation.anchors)];
  return [...own, ...inner.flatMap((other) => labelsOf(other, depth + 1))];
}

function isKnown(label: string, scene: SceneSnapshot): boolean {
  const name = normalName(label);
  return scene.entities.some(
    (entity) =>
      labelFit(name, normalName(entity.semanticLabel)) >= 1 ||
      (entity.name !== undefined && labelFit(name, normalName(entity.name)) >= 1),
  );
}

function namesOf(scene: SceneSnapshot): SceneVocabulary {
  const names = new Set<string>();
  let wordsMax = 0;
  for (const { semanticLabel, name } of scene.entities) {
    for (const word of [normalName(semanticLabel), normalName(name ?? "")]) {
      if (word === "") continue;
      names.add(word);
      wordsMax = Math.max(wordsMax, word.split(" ").length);
    }
  }
  return { has: (word) => names.has(word), wordsMax };
}
