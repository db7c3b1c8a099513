// Clause patterns of questions. `%` stands for a noun phrase up to the next fixed word.
import type { EntityAttribute, EntitySelector, SpatialRelation } from "../model/spatial.ts";
import { INVERSE, ROOM_PROPERTIES } from "./description-phrase.ts";
import { matchPhrase } from "./phrase-table.ts";
import type { Interpretation, Manner } from "./interpretation.ts";
import type { Rule, RuleContext } from "./rule.ts";

type Groups = Readonly<Record<string, string | undefined>>;

const VIEWER: EntitySelector = { reference: "viewer" };

function query(build: Extract<Interpretation, { intent: "query" }>["query"], more: Manner = {}): Interpretation {
  return { intent: "query", query: build, ...more };
}

/** Splits "on the table" into its relation and the words after it. */
export function splitRelation(
  words: string,
): { readonly relation: SpatialRelation; readonly rest: string; readonly isBare: boolean } | undefined {
  const tokens = words.split(" ");
  for (let at = 0; at < Math.min(2, tokens.length); at++) {
    const match = matchPhrase(tokens, at);
    if (match === undefined) return undefined;
    if (match.item.type === "relation") {
      return {
        relation: match.item.relation,
        rest: tokens.slice(at + match.length).join(" "),
        isBare: match.item.isBare === true,
      };
    }
    if (
      match.item.type === "attribute" &&
      match.item.isPostfix === true &&
      match.item.attribute.dimension === "lateral"
    ) {
      const rest = tokens.slice(at + match.length).join(" ");
      return {
        relation: match.item.attribute.direction === 1 ? "right-of" : "left-of",
        rest: rest === "" || rest === "side" ? "me" : rest,
        isBare: false,
      };
    }
    if (match.item.type !== "skip" && match.item.type !== "is") return undefined;
  }
  return undefined;
}

const ROOM_WORDS = /^(?:the |this |my )?(?:room|place|space|office)$/;

function anchorsOf(rest: string, relation: SpatialRelation, rule: RuleContext): readonly EntitySelector[] | undefined {
  if (rest === "") return relation === "between" ? undefined : [];
  if (relation === "between") {
    const parts = rest.split(/ and (?:the )?/);
    const anchors = parts.map((part) => rule.thing(part));
    if (anchors.every((anchor) => anchor !== undefined)) return anchors;
  }
  const anchor = rule.thing(rest);
  if (anchor === undefined) return undefined;
  // "on a table": any of them will do.
  return [
    /^(?:a|an|any|some|one of the) /.test(rest) && anchor.reference === undefined ? { ...anchor, isAny: true } : anchor,
  ];
}

/** "what is left of the table", "which chairs are next to it", "is the lamp on the table". */
function relationQuestion(
  subject: string | undefined,
  clause: string | undefined,
  rule: RuleContext,
  isPolar: boolean,
): Interpretation | undefined {
  if (clause === undefined) return undefined;
  if (
    subject === undefined &&
    /^in the (?:very )?(?:middle|center)(?: of (?:the|this|my) (?:room|place|office))?$/.test(clause)
  ) {
    return query({
      kind: "find",
      target: { attributes: [{ dimension: "centrality", direction: 1, isSuperlative: true }] },
    });
  }
  const split = splitRelation(clause);
  if (split === undefined) return undefined;
  const relation: SpatialRelation = split.relation;
  if (
    /^(?:this |the |my )?(?:room|place|scene|house|flat|apartment|office|here)$/.test(split.rest) &&
    relation === "inside"
  ) {
    const target = subject === undefined ? undefined : rule.thing(subject);
    return query(target === undefined ? { kind: "visible" } : { kind: "count", target }, { isPolar });
  }
  const ofRoom = ROOM_WORDS.test(split.rest) ? ROOM_PROPERTIES[relation] : undefined;
  if (ofRoom !== undefined && subject === undefined) return query({ kind: "find", target: { attributes: [ofRoom] } });
  const isCorner = relation === "corner-of" && ROOM_WORDS.test(split.rest);
  const anchors = isCorner ? [] : anchorsOf(split.rest === "" && !split.isBare ? "me" : split.rest, relation, rule);
  if (anchors === undefined) return undefined;
  const target = subject === undefined ? undefined : rule.thing(subject);
  // Yes or no does not ask which table.
  const anyAnchors = isPolar
    ? anchors.map((anchor) => (anchor.label === undefined ? anchor : { ...anchor, isAny: true }))
    : anchors;
  if (relation === "nearest-to" && anchors[0] !== undefined)
    return query({ kind: "nearest", target: target ?? {}, to: anchors[0] }, { isPolar });
  if (relation === "farthest-from" && anchors[0] !== undefined)
    return query({ kind: "farthest", target: target ?? {}, to: anchors[0] }, { isPolar });
  return query(
    { kind: "relation", relation, anchors: anyAnchors, ...(target === undefined ? {} : { target }) },
    { isPolar },
  );
}

function extreme(kind: "nearest" | "farthest", groups: Groups, rule: RuleContext): Interpretation | undefined {
  const target = groups["thing"] === undefined ? {} : rule.thing(groups["thing"]);
  if (target === undefined) return undefined;
  const to = groups["to"] === undefined ? undefined : rule.thing(groups["to"]);
  if (groups["to"] !== undefined && to === undefined) return undefined;
  return query({ kind, target: withoutPlural(target), ...(to === undefined ? {} : { to }) });
}

function withoutPlural(selector: EntitySelector): EntitySelector {
  return { ...selector, isPlural: false };
}

const COUNTING = "(?:how many|count|count all|number of|what is the number of|what number of)";
const NEAREST = "(?:nearest|closest|most near)";
const FARTHEST = "(?:farthest|most distant)";

const DIMENSIONS: Readonly<Record<string, NonNullable<Interpretation["dimension"]>>> = {
  tall: "height",
  high: "height",
  height: "height",
  wide: "width",
  width: "width",
  long: "length",
  length: "length",
  deep: "depth",
  depth: "depth",
  thick: "depth",
};

const COMPARISONS: readonly (readonly [RegExp, EntityAttribute])[] = [
  [/^(?:bigger|larger|biggest|largest)$/, { dimension: "size", direction: 1, isSuperlative: true }],
  [/^(?:smaller|smallest)$/, { dimension: "size", direction: -1, isSuperlative: true }],
  [/^(?:taller|tallest)$/, { dimension: "height", direction: 1, isSuperlative: true }],
  [/^(?:shorter|shortest)$/, { dimension: "height", direction: -1, isSuperlative: true }],
  [/^(?:wider|widest)$/, { dimension: "width", direction: 1, isSuperlative: true }],
  [/^(?:longer|longest)$/, { dimension: "length", direction: 1, isSuperlative: true }],
  [/^(?:higher|highest)$/, { dimension: "elevation", direction: 1, isSuperlative: true }],
  [/^(?:lower|lowest)$/, { dimension: "elevation", direction: -1, isSuperlative: true }],
];

function comparing(word: string | undefined): Manner {
  return word === undefined ? {} : { comparative: word };
}

function listOf(words: string, rule: RuleContext): EntitySelector | undefined {
  const parts = words.split(/ ?, ?(?:and |or )?| and | or /).filter((part) => part !== "");
  const things = parts.map((part) => rule.thing(part));
  if (things.length < 2 || things.some((thing) => thing === undefined)) return undefined;
  return { anyOf: things.filter((thing) => thing !== undefined) };
}

const STATES =
  /^(?:is|are) (?!there\b)(?:the |my |this |that |these |those |it\b ?)?.*?\b(?:very |really |still |already |turned |switched )?(?:clean|dirty|dusty|open|opened|closed|shut|locked|unlocked|off|broken|wet|dry|hot|cold|warm|heavy|soft|hard|comfortable|new|old|expensive|cheap|nice|pretty|beautiful|ugly|ripe|alive|dead|sharp|wooden|metal|plastic|leather|made of \w+|red|blue|green|yellow|white|black|brown|gray|grey|orange|pink|purple)$/;

export const QUESTION_RULES: readonly Rule[] = [
  // Standing at one thing and facing another.
  {
    pattern:
      /^(?:if|when|suppose|imagine)? ?(?:i am|you are|i m|i was|one is|i|you)? ?(?:stand(?:ing)?|am standing) (?:by|at|next to|near|beside) (?<at>.+?) ,? ?(?:and|while)? ?,? ?(?:facing|looking at|looking towards?|face) (?<facing>.+?) , (?:is|where is|on which side is|what side is|which side is|in which direction is) (?<thing>.+?)(?: (?:to|on|at|in) (?:my|the|your) .*)?$/,
    build: (groups, rule) => {
      const to = rule.thing(groups["thing"]);
      const standingAt = rule.thing(groups["at"]);
      const facing = rule.thing(groups["facing"]);
      if (to === undefined || standingAt === undefined || facing === undefined) return undefined;
      return query({ kind: "direction", to, standingAt, facing });
    },
  },
  // Which of these is nearest.
  {
    pattern:
      /^(?:which|what) (?:one )?of (?:these|the following)(?: objects| things| items)? (?:is|are) (?:the )?(?<extreme>closest|nearest|closer|nearer|farthest|farther) (?:to|from) (?<to>.+?) ?[,:] (?<list>.+)$/,
    build: (groups, rule) => {
      const target = listOf(groups["list"] ?? "", rule);
      const to = rule.thing(groups["to"]);
      if (target === undefined || to === undefined) return undefined;
      return query({ kind: groups["extreme"]?.startsWith("far") === true ? "farthest" : "nearest", target, to });
    },
  },
  {
    pattern:
      /^is (?<to>.+?) (?<extreme>closer|closest|nearer|nearest|farther|further|farthest) (?:away )?(?:to|from) (?<list>.+? or .+)$/,
    build: (groups, rule) => {
      const to = rule.thing(groups["to"]);
      const target = listOf((groups["list"] ?? "").replace(/ or (?:to|from) /, " or "), rule);
      if (target === undefined || to === undefined) return undefined;
      return query({ kind: (groups["extreme"] ?? "").startsWith("f") ? "farthest" : "nearest", target, to });
    },
  },
  // How things are, as opposed to where: nothing that geometry knows.
  {
    pattern: STATES,
    build: (_groups, rule) => ({ intent: "outside", why: "vision", words: rule.text }),
  },
  {
    pattern:
      /(?:which|what) (?:one )?of (?:these|the following)(?: objects| things| items)? ?,? ?\(? ?,? ?(?<list>.+?) ?,? is (?:the )?(?<extreme>closest|nearest|farthest) (?:to|from) (?<to>.+)$/,
    build: (groups, rule) => {
      const target = listOf(groups["list"] ?? "", rule);
      const to = rule.thing(groups["to"]);
      if (target === undefined || to === undefined) return undefined;
      return query({ kind: groups["extreme"] === "farthest" ? "farthest" : "nearest", target, to });
    },
  },
  {
    pattern:
      /^(?:which|what)(?: one)? is (?:the )?(?<extreme>closest|nearest|closer|nearer|farther|farthest)(?: (?:to|from|away from) (?<to>.+?))? ?, (?<list>.+ or .+)$/,
    build: (groups, rule) => {
      const target = listOf(groups["list"] ?? "", rule);
      const to = groups["to"] === undefined ? VIEWER : rule.thing(groups["to"]);
      if (target === undefined || to === undefined) return undefined;
      return query({ kind: groups["extreme"]?.startsWith("far") === true ? "farthest" : "nearest", target, to });
    },
  },
  {
    pattern: /^(?:which|what|who)(?: one)?(?: is)?(?: the)? (?<property>\w+?)(?: one)? ?, (?<list>.+ or .+)$/,
    build: (groups, rule) => {
      const attribute = COMPARISONS.find(([pattern]) => pattern.test(groups["property"] ?? ""))?.[1];
      const target = listOf(groups["list"] ?? "", rule);
      return attribute === undefined || target === undefined
        ? undefined
        : query({ kind: "find", target: { ...target, attributes: [attribute] } }, comparing(groups["property"]));
    },
  },
  {
    pattern: /^is (?<one>.+?) (?<property>\w+) than (?<other>.+)$/,
    build: (groups, rule) => {
      const attribute = COMPARISONS.find(([pattern]) => pattern.test(groups["property"] ?? ""))?.[1];
      const one = rule.thing(groups["one"]);
      const other = rule.thing(groups["other"]);
      if (attribute === undefined || one === undefined || other === undefined) return undefined;
      return query(
        { kind: "find", target: { anyOf: [one, other], attributes: [attribute] } },
        { isPolar: true, ...comparing(groups["property"]) },
      );
    },
  },
  // Free floor: before "is there …" counts it.
  {
    pattern:
      /^(?:where is there|is there|how much|where do i have|where can i find|find|show me) (?:any |some |the |enough |most )?(?:free |empty |open )(?:floor )?(?:space|room|area|floor)(?: is there)?(?: (?:near|next to|by|around) (?<near>.+))?.*$/,
    build: (groups, rule) => freeSpace(groups, rule),
  },
  // Whether there is room for something that people do, before "is there …" counts it.
  {
    pattern:
      /^(?:is there|do i have|have i got) (?:any |some |enough )?(?:space|room|floor)(?: here)? (?:to (?!put\b)|for (?:doing |me to |us to )?)(?!.*\b(?:m|cm|meters?|feet|foot|by)\b)(?:do|play|practi[cs]e|dance|lie|exercise|stretch|yoga|a (?:dance|workout|game))\b.*$/,
    build: () => query({ kind: "free-space" }),
  },
  // Distances.
  {
    pattern: /^how far apart (?:is|are) (?:the |my |those |these )?(?:two |both )(?:of the )?(?<thing>\w[\w ]*)$/,
    build: (groups, rule) => apart(groups["thing"] ?? "", rule),
  },
  {
    pattern:
      /^is (?:the|this|my) (?:room|place|office|floor) (?:bigger|larger|smaller|more|less|wider|longer) than\b.*$/,
    build: () => query({ kind: "room-size" }),
  },
  {
    pattern:
      /^(?:how (?:do|can|would) (?:i|we|you|one) (?:get|go|walk)|(?:what is |show me |find )?(?:the|a) (?:way|path|route)|(?:can|could) (?:i|we) (?:get|go|walk)) from (?<from>.+?) to (?<to>.+)$/,
    build: (groups, rule) => path(groups, rule),
  },
  {
    pattern:
      /(?:measuring from the closest points? of each (?:object|of them) , )?(?:what is|tell me|give me|measure)? ?(?:the )?(?:shortest |exact |straight line )?distance (?:between|from) (?<from>.+?) (?:and|to) (?<to>.+)$/,
    build: (groups, rule) => distance(groups, rule),
  },
  {
    pattern: /^(?:what is|tell me|measure|give me)? ?(?:the |my )?distance to (?<to>.+)$/,
    build: (groups, rule) => distance(groups, rule),
  },
  {
    pattern:
      /^how (?:far|close|near)(?: away| apart)?(?: is| are| am| from)? (?:i|we|me) (?:away )?(?:from|to) (?<to>.+)$/,
    build: (groups, rule) => distance(groups, rule),
  },
  {
    pattern: /^how (?:far|close|near)(?: away| apart)? (?:is|are|lies) (?<to>.+?) (?:away )?(?:from|to) (?<from>.+)$/,
    build: (groups, rule) => distance(groups, rule),
  },
  {
    pattern: /^how (?:far|close) is it (?:from here )?to (?<to>.+)$/,
    build: (groups, rule) => distance(groups, rule),
  },
  { pattern: /^how far apart (?:is|are) (?<from>.+?) and (?<to>.+)$/, build: (groups, rule) => distance(groups, rule) },
  {
    pattern: /^how far (?:is it )?(?:away )?(?:from )?(?<from>.+?) to (?<to>.+)$/,
    build: (groups, rule) => distance(groups, rule),
  },
  {
    pattern:
      /^how (?:far|close|near)(?: away)?(?: is| are| am i from| to| from)?(?: it)? (?:to )?(?<to>.+?)(?: away)?$/,
    build: (groups, rule) => distance(groups, rule),
  },
  {
    pattern: /^how many (?:meters|feet|centimeters|steps|inches) (?:is it |away is |is |to |are there )+(?<to>.+)$/,
    build: (groups, rule) => distance(groups, rule),
  },
  {
    pattern: /^(?:am i|are we) (?<extreme>closer|nearer|farther) (?:to|from) (?<list>.+ (?:or|than) .+)$/,
    build: (groups, rule) => {
      const target = listOf(
        (groups["list"] ?? "").replace(/ than (?:to |from )?/, " or ").replace(/ or to /, " or "),
        rule,
      );
      return target === undefined
        ? undefined
        : query({ kind: groups["extreme"] === "farther" ? "farthest" : "nearest", target });
    },
  },
  {
    pattern: /^(?:what|who) (?:is|are|do i have|lies) (?:there )?(?:at|to) (?:my )?(?<hour>\w+) o clock$/,
    build: (groups) => hourQuestion(groups["hour"]),
  },
  // Rooms.
  {
    pattern:
      /^(?:what is the (?:size|area|floor area|floor space) of|how (?:big|large) is|what size is|what are the dimensions of) (?:this|the|my) (?:room|place|space|office|floor)$/,
    build: () => query({ kind: "room-size" }),
  },
  // Sizes.
  {
    pattern:
      /(?:what is )?the length of the longest dimension (?:, ?length , width , or height ,? ?)?of (?<thing>.+?)(?: ,.*)?$/,
    build: (groups, rule) => size(groups["thing"], "longest", rule),
  },
  {
    pattern: /^how (?<dim>tall|high|wide|long|deep|thick) (?:is|are) (?<thing>.+)$/,
    build: (groups, rule) => size(groups["thing"], DIMENSIONS[groups["dim"] ?? ""], rule),
  },
  {
    pattern: /^what (?:is|are) (?:the )?(?<dim>height|width|length|depth) of (?<thing>.+)$/,
    build: (groups, rule) => size(groups["thing"], DIMENSIONS[groups["dim"] ?? ""], rule),
  },
  {
    pattern:
      /^(?:how (?:big|large|small) (?:is|are)|what (?:is|are) the (?:size|dimensions|measurements) of|what size (?:is|are)|measure) (?<thing>.+)$/,
    build: (groups, rule) => size(groups["thing"], undefined, rule),
  },
  // Counting and existence.
  {
    pattern: /^are there (?<more>more|fewer|less|as many) (?<thing>.+?) (?:than|as) (?<other>.+)$/,
    build: (groups, rule) => {
      const target = rule.thing(groups["thing"]);
      const versus = rule.thing(groups["other"]);
      if (target === undefined || versus === undefined) return undefined;
      const word = groups["more"] === "less" ? "fewer" : groups["more"];
      return query(
        { kind: "count", target: { ...target, isPlural: true }, versus: { ...versus, isPlural: true } },
        { isPolar: true, ...comparing(word) },
      );
    },
  },
  {
    pattern:
      /^is (?<thing>.+?) (?:(?:on|to|in|at) (?:my |the |your )?)?(?:left|right|front|in front|behind)(?: side)?(?: of me)? ?,? or .*\b(?:left|right|front|behind|back)\b.*$/,
    build: (groups, rule) => direction(groups, rule),
  },
  {
    pattern: new RegExp(
      `^${COUNTING} (?:of )?(?<thing>.+?)(?: (?:is|are)(?: there)?| do you see| can you see| can i see| do i have| does this room have| have i got| exist)?(?: (?<clause>(?:on|in|at|to|next|near|under|beneath|below|above|over|behind|between|left|right|around|by|inside|beside|against|close)\\b.*))?$`,
    ),
    build: (groups, rule) => counting(groups, rule, false),
  },
  {
    pattern:
      /^(?:is there|are there|do you see|can you see|do i have|have i got|does (?:this|the) room have|is|are) (?:(?:a|an|any|some|one|another|the) )?(?<thing>.+?)(?: (?:here|in here|around|anywhere|nearby|there|in (?:this|the|my) (?:room|place|scene|office)))?$/,
    build: (groups, rule) => existence(groups["thing"], rule),
  },
  // What is attended to.
  {
    pattern: /^what (?:am i|are we) (?:looking at|seeing|facing|staring at|watching|gazing at)(?: now)?$/,
    build: () => query({ kind: "attended" }),
  },
  {
    pattern:
      /^(?:what|which)(?: thing| object| one)? (?:am i|is my (?:hand|finger)|is my (?:left|right) hand|do i|are we) (?:pointing|point)(?: at| to| towards)?(?: with.*)?$/,
    build: () => query({ kind: "pointed-at" }),
  },
  {
    pattern: /^(?:what|who|which) is (?:this|that|it)(?: thing| object| over there| there| one| here)?(?: called)?$/,
    build: () => query({ kind: "find", target: { reference: "that" } }),
  },
  {
    pattern: /^(?:identify|name|recognise|recognize|what do you call) (?:this|that|it)(?: thing| object)?$/,
    build: () => query({ kind: "find", target: { reference: "that" } }),
  },
  { pattern: /^where am i looking$/, build: () => query({ kind: "attended" }) },
  // What is there.
  {
    pattern:
      /^(?:what (?:can|do|could) (?:you|i|we) see(?: here| around| around me| in here| in (?:this|the|my) room| right here)?|what objects (?:can|do) (?:you|i) see|(?:list|name|tell me|say|read out|enumerate)(?: me)?(?: all| everything| what)?(?: of)?(?: the)?(?: things| objects| items| furniture)?(?: that)?(?: you (?:can )?see| i (?:can )?see| is here| are here| in (?:this|the|my) room| in view| around me| there is| visible| here)?|what is (?:visible|in view|in sight|around|here|in here|around here|there)|which (?:things|objects|items) are (?:visible|here|in view|in (?:this|the) room)|what (?:things|objects|items|furniture|stuff) (?:is|are|do you see|can you see|is there|are there)(?: here| in (?:this|the|my) room| around me| there| visible| in view)?|what is (?:there )?in (?:this|the|my) (?:room|place|scene|office)|what do i have (?:around me|here)|what is around (?:me|us)|inventory)$/,
    build: () => query({ kind: "visible" }),
  },
  {
    pattern:
      /^(?:describe|tell me about|explain|what is)(?: to me)? (?:the|this|my)? ?(?:room|place|scene|space|surroundings?|environment|area|office)(?: like| around me| to me| i am in)?$/,
    build: () => query({ kind: "describe" }),
  },
  {
    pattern:
      /^(?:describe what you see|what does (?:this|the|my) (?:room|place|scene|space) look like|where am i|what kind of room is this|what is around|give me an overview|overview|describe|what is this (?:place|room)|look around|what is the layout(?: of (?:this|the) room)?)$/,
    build: () => query({ kind: "describe" }),
  },
  {
    pattern:
      /^(?:describe|tell me (?:more )?about|what do you know about|what can you (?:say|tell me) about) (?<thing>.+)$/,
    build: (groups, rule) => described(groups, rule),
  },
  // Changes.
  {
    pattern:
      /^(?:what|which things?|has anything|did anything|anything)(?: has| have| is)? ?(?:changed?|moved?|new|different|happened|been (?:moved|added|removed))(?: (?:since|in) .*| recently| lately| here| in (?:this|the) room)?$/,
    build: (_groups, rule) => query({ kind: "changed-since", sinceMs: sinceOf(rule.text) }),
  },
  { pattern: /^what did i miss$/, build: () => query({ kind: "changed-since", sinceMs: -60_000 }) },
  // Visibility.
  {
    pattern:
      /^(?:can i see|is) (?<to>.+?) (?:visible|in view|in sight|in my view|hidden|occluded|from here)(?: from (?<from>.+))?$/,
    build: (groups, rule) => sight(groups, rule),
  },
  {
    pattern:
      /^(?:can i see|do i see|do i have a line of sight to|is there a line of sight to) (?<to>.+?)(?: from (?<from>.+))?$/,
    build: (groups, rule) => sight(groups, rule),
  },
  {
    pattern: /^what (?:can|could) (?:i|you|we) see (?:from )?(?:here|where i (?:am|stand))$/,
    build: () => query({ kind: "visible" }),
  },
  // Paths and room for things.
  {
    pattern:
      /^(?:can|could|would|will|does|do) (?:a|an|the|my|i|we|you|one)? ?(?<who>.*?) ?(?:squeeze|fit|pass|get|walk|go|move|drive|come)(?: through)? between (?<from>.+?) and (?<to>.+)$/,
    build: (groups, rule) => distance(groups, rule),
  },
  {
    pattern:
      /^(?:can|could|would|will|is it possible for) (?:a|an|the|my|this) (?<who>wheelchair|robot|vacuum(?: cleaner| robot)?|person|child|cart|trolley|stroller|pram|dog|visitor|guest|walker)(?: user)? (?:to )?(?:get|go|reach|drive|pass|make it|move|walk|roll|come)(?: (?:to|over to|up to|through|towards))? (?<to>.+?)(?: from (?<from>.+))?$/,
    build: (groups, rule) => path(groups, rule),
  },
  {
    pattern:
      /^(?:how (?:do|can) i (?:get|go|walk)|what is the (?:way|path|route)|(?:show me|find) (?:the|a) (?:way|path|route)|is there a (?:way|path|route)|can i (?:walk|get|go|reach)|is it possible to (?:walk|get)|which way (?:is it|do i go)|directions)(?: (?:to|from|over to))? (?<to>.+?)(?: from (?<from>.+))?$/,
    build: (groups, rule) => path(groups, rule),
  },
  {
    pattern: /^where (?:can|could|should) i (?:put|place|stand|sit|fit) .*$/,
    build: (groups, rule) => freeSpace(groups, rule),
  },
  // Extremes.
  {
    pattern: new RegExp(
      `^(?:what|which|where|who)(?: thing| object)? (?:is|are) (?:the )?${NEAREST}(?: (?<thing>(?!to\\b).+?))?(?: to (?<to>.+))?$`,
    ),
    build: (groups, rule) => extreme("nearest", groups, rule),
  },
  {
    pattern: new RegExp(
      `^(?:what|which|where|who)(?: thing| object)? (?:is|are) (?:the )?${FARTHEST}(?: (?<thing>(?!(?:from|away)\\b).+?))?(?: (?:away )?from (?<to>.+))?$`,
    ),
    build: (groups, rule) => extreme("farthest", groups, rule),
  },
  {
    pattern: new RegExp(`^(?:which|what) (?<thing>.+?) (?:is|are) (?:the )?${NEAREST}(?: to (?<to>.+))?$`),
    build: (groups, rule) => extreme("nearest", groups, rule),
  },
  {
    pattern: new RegExp(
      `^(?:which|what) (?<thing>.+?) (?:is|are) (?:the )?${FARTHEST}(?: (?:away )?(?:from|to) (?<to>.+))?$`,
    ),
    build: (groups, rule) => extreme("farthest", groups, rule),
  },
  {
    pattern: new RegExp(`^(?:find|locate|the|give me)(?: the)? ${NEAREST} (?<thing>.+?)(?: to (?<to>.+))?$`),
    build: (groups, rule) => extreme("nearest", groups, rule),
  },
  {
    pattern: new RegExp(`^(?:find|locate|the|give me)(?: the)? ${FARTHEST} (?<thing>.+?)(?: from (?<to>.+))?$`),
    build: (groups, rule) => extreme("farthest", groups, rule),
  },
  {
    pattern:
      /^(?:what|which)(?: thing| object)? is (?:the )?(?<thing>(?:biggest|largest|smallest|tallest|shortest|longest|widest|narrowest|highest|lowest|leftmost|rightmost|thinnest) .+)$/,
    build: (groups, rule) => superlative(groups["thing"], rule),
  },
  {
    pattern:
      /^(?:which|what) (?<thing>.+?) (?:is|are) (?:the )?(?<most>biggest|largest|smallest|tallest|shortest|longest|widest|narrowest|highest|lowest|leftmost|rightmost|thinnest)(?: one)?$/,
    build: (groups, rule) => superlative(`${groups["most"]} ${groups["thing"]}`, rule),
  },
  // Directions.
  {
    pattern: /^(?:in )?(?:which|what) (?:direction|way|side)(?: of me)? (?:is|are|lies) (?<thing>.+)$/,
    build: (groups, rule) => direction(groups, rule),
  },
  {
    pattern: /^(?:at|on) (?:which|what) (?:side|o clock|hour)(?: of me)? (?:is|are) (?<thing>.+)$/,
    build: (groups, rule) => direction(groups, rule),
  },
  // Relations.
  {
    pattern:
      /^(?:what|who|which things?|which objects?|what objects?|what things?)(?: else)? (?:is|are|lies|stands|sits|do you see|can you see|do i have|is there|are there|hangs)(?: there)?(?: (?:directly|standing|lying|sitting|located|placed|right|just))* (?<clause>.+)$/,
    build: (groups, rule) => relationQuestion(undefined, groups["clause"], rule, false),
  },
  {
    pattern:
      /^(?:list|name|show me|find|count)?(?: all)?(?: everything| everything that is| things| the things| all things| objects| the objects)(?: that are)? (?<clause>.+)$/,
    build: (groups, rule) => relationQuestion(undefined, groups["clause"], rule, false),
  },
  {
    pattern:
      /^(?:which|what) (?<subject>.+?) (?:is|are|stands|lies|sits|stand|sit)(?: (?:directly|standing|located|placed))* (?<clause>.+)$/,
    build: (groups, rule) => relationQuestion(groups["subject"], groups["clause"], rule, false),
  },
  {
    pattern: /^(?:and )?(?:what (?:is|about) )(?<clause>.+)$/,
    build: (groups, rule) => relationQuestion(undefined, groups["clause"], rule, false),
  },
  // "what is the sofa next to": asked from the other side.
  {
    pattern:
      /^what (?:is|are|does) (?<thing>.+?) (?:standing |sitting |lying |stand |sit |lie )?(?<clause>next to|near|beside|close to|on|on top of|under|below|above|behind|in front of|against|facing)$/,
    build: (groups, rule) => stranded(groups, rule),
  },
  { pattern: /^what else (?:is there|is here|do you see|can you see)?$/, build: () => query({ kind: "visible" }) },
  // Where.
  {
    pattern:
      /^where(?: exactly)? (?:is|are|do i find|can i find|did i (?:put|leave)|do you see|would i find|have i put) (?<thing>.+?)(?: located| at| now)?$/,
    build: (groups, rule) => found(groups, rule),
  },
  {
    pattern:
      /^(?:find|locate|look for|search for|i am looking for|i need|i can not find|help me find|i want|do you know where|have you seen|where)(?: me)?(?: the| my| a)? (?<thing>.+?)(?: is| are)?$/,
    build: (groups, rule) => found(groups, rule),
  },
];

const HOURS = ["twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"];

function hourQuestion(word: string | undefined): Interpretation | undefined {
  const hour = HOURS.includes(word ?? "") ? HOURS.indexOf(word ?? "") : Number(word) % 12;
  return Number.isInteger(hour) ? query({ kind: "visible", clock: hour === 0 ? 12 : hour }) : undefined;
}

function stranded(groups: Groups, rule: RuleContext): Interpretation | undefined {
  const anchor = rule.thing(groups["thing"]);
  const split = splitRelation(groups["clause"] ?? "");
  const relation = split === undefined ? undefined : (INVERSE[split.relation] ?? split.relation);
  return anchor === undefined || relation === undefined
    ? undefined
    : query({ kind: "relation", relation, anchors: [anchor] });
}

function found(groups: Groups, rule: RuleContext): Interpretation | undefined {
  const target = rule.thing(groups["thing"]);
  if (target === undefined || target.reference === "viewer") return undefined;
  return query({ kind: "find", target });
}

function superlative(words: string | undefined, rule: RuleContext): Interpretation | undefined {
  const plain = (words ?? "")
    .replace(/ (?:in|of) (?:the|this|my) (?:room|place|office)$/, "")
    .replace(/ (?:thing|object|item|one|piece of furniture)s?$/, " thing");
  const target = rule.thing(plain.endsWith(" thing") ? plain.slice(0, -6) : plain);
  if (target === undefined) return undefined;
  const [comparative] = plain.split(" ");
  return query({ kind: "find", target: withoutPlural(target) }, comparing(comparative));
}

function described(groups: Groups, rule: RuleContext): Interpretation | undefined {
  const about = rule.thing(groups["thing"]);
  return about === undefined || (about.label === undefined && about.reference === undefined)
    ? undefined
    : query({ kind: "describe", about });
}

function direction(groups: Groups, rule: RuleContext): Interpretation | undefined {
  const to = rule.thing(groups["thing"]);
  return to === undefined ? undefined : query({ kind: "direction", to });
}

function distance(groups: Groups, rule: RuleContext): Interpretation | undefined {
  const to = rule.thing(groups["to"]);
  const from = groups["from"] === undefined ? undefined : rule.thing(groups["from"]);
  if (to === undefined || (groups["from"] !== undefined && from === undefined)) return undefined;
  if (from === undefined || from.reference === "viewer") return query({ kind: "distance", to });
  if (to.reference === "viewer") return query({ kind: "distance", to: from });
  return query({ kind: "distance", from, to });
}

function size(
  words: string | undefined,
  dimension: Interpretation["dimension"],
  rule: RuleContext,
): Interpretation | undefined {
  const target = rule.thing(words);
  return target === undefined
    ? undefined
    : query({ kind: "size", target }, dimension === undefined ? {} : { dimension });
}

function counting(groups: Groups, rule: RuleContext, isPolar: boolean): Interpretation | undefined {
  const clause = groups["clause"];
  const several = / and /.test(groups["thing"] ?? "") ? listOf(groups["thing"] ?? "", rule) : undefined;
  const target = several ?? rule.thing(groups["thing"]);
  if (target === undefined) return undefined;
  const plural: EntitySelector = { ...target, isPlural: true };
  if (
    clause === undefined ||
    /^(?:in|inside|of|around) (?:this|the|my|that|here)? ?(?:room|place|scene|here|house|office|space)?$/.test(clause)
  ) {
    return query({ kind: "count", target: plural }, { isPolar });
  }
  const split = splitRelation(clause);
  if (split === undefined) return undefined;
  const anchors = anchorsOf(split.rest === "" && !split.isBare ? "me" : split.rest, split.relation, rule);
  if (anchors === undefined) return undefined;
  const relations = [...(plural.relations ?? []), { relation: split.relation, anchors }];
  return query({ kind: "count", target: { ...plural, relations } }, { isPolar });
}

/** "is there a lamp on the table", "is the lamp on the table", "is the chair to my left". */
function existence(words: string | undefined, rule: RuleContext): Interpretation | undefined {
  if (words === undefined) return undefined;
  const tokens = words.split(" ");
  for (let at = 1; at < tokens.length; at++) {
    const clause = tokens.slice(at).join(" ");
    const split = splitRelation(clause);
    if (split === undefined || /^(?:top|the|is)$/.test(tokens[at] ?? "")) continue;
    const answer = relationQuestion(tokens.slice(0, at).join(" "), clause, rule, true);
    if (answer !== undefined) return answer;
  }
  const target = rule.thing(words);
  if (target === undefined || target.label === undefined) return undefined;
  return query({ kind: "count", target: { ...target, isPlural: true } }, { isPolar: true });
}

function sight(groups: Groups, rule: RuleContext): Interpretation | undefined {
  const to = rule.thing(groups["to"]);
  if (to === undefined) return undefined;
  const from = groups["from"] === undefined ? undefined : rule.thing(groups["from"]);
  if (from === undefined || from.reference === "viewer") return query({ kind: "line-of-sight", to }, { isPolar: true });
  return query({ kind: "line-of-sight", to, from }, { isPolar: true });
}

/** Of two of one name: the leftmost and the rightmost. */
function apart(words: string, rule: RuleContext): Interpretation | undefined {
  const target = rule.thing(words);
  if (target?.label === undefined) return undefined;
  const at = (position: number): EntitySelector => ({ ...target, ordinal: { position, order: "left-to-right" } });
  return query({ kind: "distance", from: at(1), to: at(-1) });
}

/** Of those who go another way than on foot, with elbows. */
const WIDTHS_M: Readonly<Record<string, number>> = {
  wheelchair: 0.8,
  stroller: 0.65,
  pram: 0.65,
  walker: 0.7,
  cart: 0.6,
  trolley: 0.6,
  robot: 0.4,
  vacuum: 0.4,
  "vacuum cleaner": 0.4,
  "vacuum robot": 0.4,
};

function path(groups: Groups, rule: RuleContext): Interpretation | undefined {
  const to = rule.thing(groups["to"]);
  if (to === undefined) return undefined;
  const from = groups["from"] === undefined ? undefined : rule.thing(groups["from"]);
  const widthM = WIDTHS_M[groups["who"] ?? ""];
  return query({
    kind: "path",
    to,
    ...(from === undefined ? {} : { from }),
    ...(widthM === undefined ? {} : { widthM }),
  });
}

function freeSpace(groups: Groups, rule: RuleContext): Interpretation {
  const near = rule.thing(groups["near"]);
  return query({ kind: "free-space", ...(near === undefined ? {} : { near }) });
}

/** Negative: so long before now. Without a time in the words, the last minute. */
function sinceOf(text: string): number {
  const match = /(?:last|past|in the last) (\d+|a|one|two|three|five|ten)? ?(second|minute|hour)/.exec(text);
  if (match === null) return -60_000;
  const unitMs = match[2] === "hour" ? 3_600_000 : match[2] === "minute" ? 60_000 : 1000;
  const count = Number(match[1]);
  const words: Readonly<Record<string, number>> = { a: 1, one: 1, two: 2, three: 3, five: 5, ten: 10 };
  return -unitMs * (Number.isNaN(count) ? (words[match[1] ?? "a"] ?? 1) : count);
}
