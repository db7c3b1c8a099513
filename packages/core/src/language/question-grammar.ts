// Questions and commands. Each rule is a clause pattern over the words, with noun phrases in it that the description
// grammar reads. Rules are tried in order; the first that fits and whose noun phrases make sense wins.
import type { EntitySelector } from "../model/spatial.ts";
import { COMMAND_RULES } from "./command-rules.ts";
import type { SceneVocabulary } from "./description-items.ts";
import { readItems } from "./description-items.ts";
import { parseDescription } from "./description-grammar.ts";
import type { Interpretation } from "./interpretation.ts";
import { readWantedUnit } from "./measure-words.ts";
import { QUESTION_RULES } from "./question-rules.ts";
import { outsideOf } from "./outside.ts";
import type { RuleContext } from "./rule.ts";
import { tokenize } from "./tokens.ts";

const COURTESY = /^(?:(?:hey|ok|okay|hi|hello|please|so|well|now|um|uh|fovea|and now|then|computer|alright) ,? ?)+/;
const REQUEST =
  /^(?:(?:can|could|would|will) you (?:please )?(?:tell me |show me where |say )?|(?:i would like to|i want to|i d like to|do you|did you) (?:know |please )?(?:know )?|(?:tell|inform) me (?:please )?|please |let me know |i wonder )(?=(?:what|where|how|which|if|whether|who|list|describe|count|find|name|highlight|point|show|label|take|guide|go|move|place|put|mark|measure|locate|navigate|there)\b)/;

/** Reads one utterance on its own; what it leaves open ("and behind it?") is filled in by the dialogue. */
export function interpret(text: string, vocabulary: SceneVocabulary): Interpretation {
  const tokens = tokenize(text);
  const unit = readWantedUnit(tokens);
  const plain = plainForm(tokens);
  const rule: RuleContext = { vocabulary, text: plain, thing: (words) => readThing(words, vocabulary) };
  const found = tryRules(plain, rule);
  return unit === undefined ? found : { ...found, unit };
}

/** One line of words without courtesy, closing marks and "in feet". */
function plainForm(tokens: readonly string[]): string {
  return tokens
    .join(" ")
    .replace(/(?: [,.!?])+$/, "")
    .replace(
      / ?(?:,|measured|measure)? ?\bin (?:meters|centimeters|centimetres|cm|mm|millimeters|feet|foot|inches|ft)\b/,
      "",
    )
    .replace(COURTESY, "")
    .replace(REQUEST, "")
    .replace(/ (?:please|thanks|thank you|exactly|right now|currently|for me|now|roughly|approximately)$/, "")
    .replace(/^whether |^if (?=there (?:is|are))/, "")
    .trim();
}

function tryRules(plain: string, rule: RuleContext): Interpretation {
  for (const { pattern, build } of [...COMMAND_RULES, ...QUESTION_RULES]) {
    const match = pattern.exec(plain);
    if (match === null) continue;
    const result = build(match.groups ?? {}, rule);
    if (result !== undefined) return result;
  }
  return outsideOf(plain, rule) ?? { intent: "outside", why: "unclear", words: plain };
}

const PRONOUNS: Readonly<Record<string, EntitySelector>> = {
  it: { reference: "it" },
  them: { reference: "it", isPlural: true },
  that: { reference: "that" },
  this: { reference: "that" },
  "this thing": { reference: "that" },
  "that thing": { reference: "that" },
  "this object": { reference: "that" },
  "that object": { reference: "that" },
  "that one": { reference: "it" },
  "this one": { reference: "that" },
  there: { reference: "there" },
  me: { reference: "viewer" },
  i: { reference: "viewer" },
  you: { reference: "viewer" },
  us: { reference: "viewer" },
  myself: { reference: "viewer" },
  "my position": { reference: "viewer" },
  here: { reference: "viewer" },
  "my hand": { reference: "hand" },
};

const ANYTHING =
  /^(?:things?|objects?|items?|everything|anything|something|stuff|all objects|all things|furniture|all)$/;

/** "everything on the table": all that stands there, of whatever kind. */
const WHOLE =
  /^(?:everything|anything|something|(?:all )?(?:the )?(?:things|objects)) (?<clause>(?:on|in|under|below|above|behind|beside|next|near|between|around|left|right|to|at)\b.+)$/;

export function readThing(words: string | undefined, vocabulary: SceneVocabulary): EntitySelector | undefined {
  if (words === undefined) return undefined;
  const plain = words
    .replace(/^(?:of )?(?:the|a|an|any|my|your|some|all|all the|all of the|each|every) (?=\S)/, "")
    .replace(/ (?:in|inside|of|around) (?:this|the|my|that) (?:room|place|scene|space|house|flat|apartment|area)$/, "")
    .replace(/(?<=.) (?:in |around |over )?here$/, "")
    .trim();
  const pronoun = PRONOUNS[words.trim()] ?? PRONOUNS[plain];
  if (pronoun !== undefined) return pronoun;
  if (plain === "" || plain === "room") return undefined;
  if (ANYTHING.test(plain)) return vocabulary.has(plain) ? { label: plain } : { isPlural: true };
  const whole = WHOLE.exec(plain)?.groups?.["clause"];
  if (whole !== undefined) {
    const { label, ...selector } = parseDescription(`object ${whole}`.split(" "), vocabulary).selector;
    const isOfAnyKind = label === undefined || label === "object";
    if (isOfAnyKind && selector.relations !== undefined) return { ...selector, isPlural: true };
  }
  // "the biggest thing": of whatever kind.
  const named = vocabulary.has("thing") ? plain : plain.replace(/(?<=\w) (?:thing|object|item)$/, "");
  const tokens = named.split(" ");
  const description = parseDescription(tokens, vocabulary);
  if (description.hasName || description.selector.reference !== undefined) return description.selector;
  return namelessThing(tokens, vocabulary, description.selector);
}

const FUNCTION_WORDS =
  /^(?:the|a|an|of|to|is|are|was|were|be|do|does|did|what|where|how|who|when|why|which|not|no|and|or|but|than|with|i|you|my|your|me|it|,|can|could|would|should|will|there|here|am|have|has|had|for|about|so|if|then|because|while|go|get|make|tell|give|like|want|know|think|see|look|looking|many|much)$/;

/** A name neither the lexicon nor the scene has: kept as asked, so that the answer can say "I see no unicorn". */
function namelessThing(
  tokens: readonly string[],
  vocabulary: SceneVocabulary,
  selector: EntitySelector,
): EntitySelector | undefined {
  const items = readItems(tokens, vocabulary);
  const hasRelation = items.some((item) => item.type === "relation");
  const unknown = tokens.filter((token) => !FUNCTION_WORDS.test(token) && readItems([token], vocabulary).length === 0);
  if (unknown.length > 0 && unknown.length <= 3 && !hasRelation) return { ...selector, label: unknown.join(" ") };
  if (unknown.length > 0 && hasRelation) return { ...selector, label: unknown[0] as string };
  const says = selector.relations !== undefined || selector.attributes !== undefined || selector.ordinal !== undefined;
  return says ? selector : undefined;
}
