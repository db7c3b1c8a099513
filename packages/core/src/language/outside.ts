import type { Interpretation, Outside } from "./interpretation.ts";
import { isKnownNoun, normalName } from "./nouns.ts";
import type { RuleContext } from "./rule.ts";

/** What geometry cannot answer, recognised so that the refusal can say why. */
const OUTSIDE: readonly (readonly [RegExp, Outside])[] = [
  [/\b(?:colou?r|what shade)\b/, "colour"],
  [
    /\b(?:read|written|says? on|text on|brand|model of|made of|material|how old|logo|worth|cost|price|style|pattern|look like|dirty|clean|beautiful)\b/,
    "vision",
  ],
  [
    /\b(?:turn (?:on|off)|switch (?:on|off)|open the|close the|play music|set (?:a )?(?:timer|alarm)|call|send|remind|order|buy)\b/,
    "control",
  ],
  [/\b(?:my name|who am i|how am i|feel|think of me|my mood|how do i look)\b/, "person"],
  [
    /^(?:why|when|who|what (?:time|day|date|year|month)|how (?:do|does|did|can|to|come|would)|what (?:is|are|was|were|does|do|did|would|should)|explain|write|translate|calculate|solve|summari[sz]e|compose|generate|tell me (?:a|an|about)|is it|should i|define|give me)\b/,
    "model",
  ],
];

export function outsideOf(plain: string, rule: RuleContext): Interpretation | undefined {
  // A bare name is taken as "where is it": people point at things with words.
  const target =
    plain.split(" ").length <= 8 &&
    !/^(?:why|when|who|how|what|write|explain|translate|tell|is|are|does|do|should)\b/.test(plain)
      ? rule.thing(plain)
      : undefined;
  if (
    target?.label !== undefined &&
    (rule.vocabulary.has(normalName(target.label)) || isKnownNoun(normalName(target.label)))
  )
    return { intent: "query", query: { kind: "find", target } };
  for (const [pattern, why] of OUTSIDE) if (pattern.test(plain)) return { intent: "outside", why, words: plain };
  return undefined;
}
