import { readLengths } from "./measure-words.ts";
import type { Command, Interpretation } from "./interpretation.ts";
import type { Rule, RuleContext } from "./rule.ts";

function command(value: Command): Interpretation {
  return { intent: "command", command: value };
}

function targeted(
  verb: Command["verb"],
  words: string | undefined,
  rule: RuleContext,
  more: Partial<Command> = {},
): Interpretation | undefined {
  const target = rule.thing(words);
  return target === undefined ? undefined : command({ verb, target, ...more });
}

const PLACES: readonly (readonly [RegExp, NonNullable<Command["relation"]>])[] = [
  [/^(?:on top of|on|onto|on to)$/, "on"],
  [/^(?:next to|beside|near|by)$/, "next-to"],
  [/^in front of$/, "in-front-of"],
  [/^behind$/, "behind"],
  [/^(?:to the )?left of$/, "left-of"],
  [/^(?:to the )?right of$/, "right-of"],
  [/^(?:under|below|beneath)$/, "under"],
  [/^to$/, "next-to"],
];

const PLACE_WORDS =
  "on top of|onto|on to|on|next to|beside|near|by|in front of|behind|to the left of|left of|to the right of|right of|under|below|beneath|to";

function moved(groups: Readonly<Record<string, string | undefined>>, rule: RuleContext): Interpretation | undefined {
  const relation = PLACES.find(([pattern]) => pattern.test(groups["place"] ?? ""))?.[1];
  const destination = rule.thing(groups["where"]);
  if (relation === undefined || destination === undefined) return undefined;
  const target = rule.thing(groups["thing"]);
  const isNew = /^(?:a|an|another|one|two|some|new)\b/.test(groups["thing"] ?? "");
  if (groups["verb"] === "move" || (!isNew && target !== undefined)) {
    return target === undefined ? undefined : command({ verb: "move", target, destination, relation });
  }
  return command({
    verb: "place",
    text: (groups["thing"] ?? "").replace(/^(?:a|an|another|some|one|new) /, ""),
    destination,
    relation,
  });
}

export const COMMAND_RULES: readonly Rule[] = [
  {
    pattern:
      /^(?:help|help me|what can (?:you|i) (?:do|ask|say)(?: here)?|what do you (?:do|know|understand)|how (?:do you work|does this work|can you help(?: me)?)|what are your (?:abilities|capabilities)|what (?:questions|commands) (?:can i ask|do you understand)|options|commands)$/,
    build: () => ({ intent: "help" }),
  },
  {
    pattern:
      /^(?:who|what) are you$|^what is your name$|^are you (?:an? )?(?:ai|bot|robot|model|human|real|gpt|chatgpt).*$|^(?:which|what) model (?:are you|is this)$/,
    build: () => ({ intent: "identity" }),
  },
  {
    pattern: /^(?:hi|hello|hey|good (?:morning|evening|afternoon)|greetings)(?: there| fovea)?$|^$/,
    build: (_groups, rule) => (rule.text === "" ? { intent: "greeting" } : { intent: "greeting" }),
  },
  {
    pattern:
      /^(?:thanks|thank you|great|cool|nice|perfect|ok|okay|good|awesome|thx)(?: (?:a lot|very much|so much|you|job|then|that is all))*$/,
    build: () => ({ intent: "thanks" }),
  },
  {
    pattern:
      /^(?:undo|undo that|take that back|revert|never mind|put it back|remove (?:the )?(?:highlight|label|outline)s?|clear(?: (?:the )?(?:highlights?|labels?|all))?)$/,
    build: () => command({ verb: "undo" }),
  },
  {
    pattern:
      /^(?:vibrate|buzz|pulse|give me (?:a )?(?:vibration|haptic feedback|buzz|pulse))(?: (?:my )?(?<hand>left|right)(?: hand| controller)?)?(?: please)?$/,
    build: (groups) =>
      command({
        verb: "haptic",
        text: "confirm",
        ...(groups["hand"] === undefined ? {} : { handedness: groups["hand"] as "left" | "right" }),
      }),
  },
  {
    pattern: /^(?:label|name|tag|call|annotate) (?<thing>.+?) (?:as|with|to be|saying|:|,) (?<text>.+)$/,
    build: (groups, rule) => targeted("label", groups["thing"], rule, { text: groups["text"] ?? "" }),
  },
  {
    pattern: /^(?:label|tag|annotate|put a label on|add a label to) (?<thing>.+)$/,
    build: (groups, rule) => targeted("label", groups["thing"], rule),
  },
  {
    pattern: /^(?:point|point out|point me|pointing)(?: (?:at|to|towards?|out))? (?<thing>.+)$/,
    build: (groups, rule) => targeted("point", groups["thing"], rule),
  },
  {
    pattern:
      /^(?:take me|bring me|guide me|lead me|navigate|walk me|go|walk|get me|show me the way|show me how to get|direct me)(?: (?:over )?to| towards?) (?<thing>.+)$/,
    build: (groups, rule) => targeted("navigate", groups["thing"], rule),
  },
  {
    pattern:
      /^(?:highlight|outline|mark|select|show|show me|emphasise|emphasize|light up|circle|indicate|where can you show me) (?<thing>(?!the (?:way|path|route)\b|how\b|what\b|me\b|(?:any |some |the )?(?:free|empty|open) ).+)$/,
    build: (groups, rule) => targeted("highlight", groups["thing"], rule),
  },
  {
    pattern: new RegExp(
      `^(?<verb>put|place|set|add|drop|create|move|drag|bring|spawn) (?<thing>.+?) (?<place>${PLACE_WORDS}) (?<where>.+)$`,
    ),
    build: moved,
  },
  {
    pattern: /^(?<verb>put|place|set|move|drop) (?<thing>.+?) (?:over )?(?:there|here)$/,
    build: (groups, rule) => placedThere(groups, rule),
  },
  {
    pattern:
      /^(?:would|will|does|can|could) (?:a|an|the|my|this)? ?(?<what>.+?) fit(?: (?<where>.+))?$|^is there (?:enough )?(?:room|space) (?:for|to put) (?:a|an|the|my)? ?(?<what2>.+?)(?: (?<where2>(?:on|along|next|near|in|by|beside|between|against|under|behind)\b.*))?$/,
    build: (groups, rule) => fits(groups["what"] ?? groups["what2"] ?? "", groups["where"] ?? groups["where2"], rule),
  },
];

function placedThere(
  groups: Readonly<Record<string, string | undefined>>,
  rule: RuleContext,
): Interpretation | undefined {
  const target = rule.thing(groups["thing"]);
  const isNew = /^(?:a|an|another|one|some|new)\b/.test(groups["thing"] ?? "");
  if (!isNew && target !== undefined)
    return command({ verb: "move", target, destination: { reference: "there" }, relation: "here" });
  return command({
    verb: "place",
    text: (groups["thing"] ?? "").replace(/^(?:a|an|another|some|one|new) /, ""),
    destination: { reference: "there" },
    relation: "here",
  });
}

/** Depth and height of things people ask about, metres, where only the length is told. */
const TYPICAL: readonly (readonly [RegExp, readonly [width: number, height: number, depth: number]])[] = [
  [/sofa|couch/, [2, 0.9, 0.9]],
  [/bed/, [1.4, 0.6, 2]],
  [/desk/, [1.4, 0.75, 0.7]],
  [/table/, [1.4, 0.75, 0.8]],
  [/chair|armchair/, [0.6, 0.9, 0.6]],
  [/shelf|bookcase|bookshelf/, [0.8, 1.8, 0.35]],
  [/wardrobe|cabinet|closet/, [1, 2, 0.6]],
  [/piano/, [1.5, 1.2, 0.6]],
  [/bicycle|bike/, [1.8, 1.1, 0.5]],
  [/lamp|plant/, [0.4, 1.5, 0.4]],
  [/tv|screen/, [1.2, 0.7, 0.1]],
];

function fits(what: string, where: string | undefined, rule: RuleContext): Interpretation | undefined {
  const tokens = what.split(" ");
  const lengths = readLengths(tokens).map((length) => length.metres);
  const typical = TYPICAL.find(([pattern]) => pattern.test(what))?.[1];
  const [first, second, third] = lengths;
  if (first === undefined && typical === undefined) return undefined;
  const width = first ?? typical?.[0] ?? 1;
  const depth = third === undefined ? (second ?? typical?.[2] ?? width) : (second ?? width);
  const height = third ?? typical?.[1] ?? 0.5;
  const place = where?.replace(
    /^(?:along|next to|near|in|by|beside|between|against|under|behind|on|against the|at) /,
    "",
  );
  const anchor =
    place === undefined || /^(?:here|there|anywhere|somewhere|(?:this|the|my) room)(?: (?:here|in here))?$/.test(place)
      ? undefined
      : rule.thing(place);
  return {
    intent: "query",
    query: { kind: "fits", size: [width, height, depth], ...(anchor === undefined ? {} : { where: anchor }) },
  };
}
