// Phrases the grammar knows as units: relations, properties, places in an order, views. The longest phrase wins.
import type { EntityAttribute, SpatialRelation } from "../model/spatial.ts";

type Order = "left-to-right" | "right-to-left" | "near-to-far" | "bottom-to-top" | "top-to-bottom";

/** What one phrase of a description is. */
export type PhraseItem =
  | { readonly type: "relation"; readonly relation: SpatialRelation; readonly isBare?: boolean }
  | { readonly type: "attribute"; readonly attribute: EntityAttribute; readonly isPostfix?: boolean }
  | { readonly type: "word"; readonly word: string }
  | { readonly type: "ordinal"; readonly position: number }
  | { readonly type: "order"; readonly order: Order }
  | { readonly type: "number"; readonly value: number }
  | { readonly type: "noun"; readonly name: string; readonly isPlural: boolean }
  | { readonly type: "pronoun"; readonly word: "it" | "that" | "there" | "one" | "viewer" | "room" | "each" | "hand" }
  | { readonly type: "view" }
  | { readonly type: "stand" }
  | { readonly type: "not" }
  | { readonly type: "with" }
  | { readonly type: "and" }
  | { readonly type: "or" }
  | { readonly type: "of" }
  | { readonly type: "is" }
  | { readonly type: "it-is" }
  | { readonly type: "skip" }
  | { readonly type: "comma" }
  | { readonly type: "stop" };

const table = new Map<string, { readonly words: readonly string[]; readonly item: PhraseItem }[]>();

function add(item: PhraseItem, phrases: readonly string[]): void {
  for (const phrase of phrases) {
    const words = phrase.split(" ");
    const first = words[0] ?? "";
    const list = table.get(first) ?? [];
    if (list.some((entry) => entry.words.join(" ") === phrase)) continue;
    list.push({ words, item });
    list.sort((a, b) => b.words.length - a.words.length);
    table.set(first, list);
  }
}

function relation(name: SpatialRelation, phrases: readonly string[]): void {
  add({ type: "relation", relation: name }, phrases);
}

function attribute(
  dimension: EntityAttribute["dimension"],
  direction: 1 | -1,
  words: {
    readonly plain?: readonly string[];
    readonly most?: readonly string[];
    readonly postfix?: readonly string[];
  },
): void {
  const plain: EntityAttribute = { dimension, direction, isSuperlative: false };
  const most: EntityAttribute = { dimension, direction, isSuperlative: true };
  add({ type: "attribute", attribute: plain }, words.plain ?? []);
  add({ type: "attribute", attribute: most }, words.most ?? []);
  add({ type: "attribute", attribute: most, isPostfix: true }, words.postfix ?? []);
}

/** "to the left of", "on its left side of", "at the far left end of". */
function sided(side: string): string[] {
  const phrases: string[] = [];
  for (const lead of [
    "",
    "to the ",
    "on the ",
    "to ",
    "on ",
    "at the ",
    "in the ",
    "just to the ",
    "directly to the ",
    "immediately to the ",
    "directly ",
    "just ",
    "immediately ",
    "the ",
  ]) {
    for (const far of ["", "far ", "immediate ", "direct "]) {
      for (const end of ["", " side", " end", " of side"]) phrases.push(`${lead}${far}${side}${end}`);
    }
  }
  return phrases;
}

for (const [side, name, direction] of [
  ["left", "left-of", -1],
  ["right", "right-of", 1],
] as const) {
  relation(
    name,
    sided(side)
      .flatMap((phrase) => [`${phrase} of`, `${phrase} from`])
      .filter((phrase) => !/^(far )?(left|right)( end| side)? from$/.test(phrase)),
  );
  attribute("lateral", direction, {
    plain: [side, `${side}er`],
    most: [`${side}most`, `farthest ${side}`, `far ${side}`, `most ${side}`, `furthest ${side}`],
    postfix: sided(side)
      .filter((phrase) => /^(to|on|at|in|just|directly|immediately) /.test(phrase))
      .concat([
        `all the way to the ${side}`,
        `all the way on the ${side}`,
        `farthest to the ${side}`,
        `farthest on the ${side}`,
        `to my ${side}`,
        `on my ${side}`,
        `to your ${side}`,
        `on your ${side}`,
        `on my ${side} side`,
        `on your ${side} side`,
        `my ${side}`,
        `your ${side}`,
      ]),
  });
  relation(
    name,
    [`to its ${side}`, `on its ${side}`, `on its ${side} side`, `to its ${side} side`].flatMap((phrase) => [
      `${phrase} of`,
    ]),
  );
}

relation("on", [
  "on",
  "on top of",
  "on the top of",
  "atop",
  "lying on",
  "laying on",
  "sitting on",
  "sitting on top of",
  "resting on",
  "resting on top of",
  "placed on",
  "standing on",
  "on to",
  "lying on top of",
  "supported by",
  "sits on",
  "mounted on",
  "hanging on",
  "hung on",
  "hanging from",
  "attached to",
  "over the top of",
  "stacked on",
  "stacked on top of",
  "sits on top of",
  "leaning on top of",
  "upon",
]);
relation("above", [
  "above",
  "over",
  "hanging over",
  "hanging above",
  "directly above",
  "directly over",
  "right above",
  "just above",
  "higher than",
]);
relation("under", [
  "under",
  "underneath",
  "beneath",
  "below",
  "directly under",
  "directly below",
  "right under",
  "right below",
  "just below",
  "under the bottom of",
  "lower than",
  "underneath of",
  "right underneath",
  "directly underneath",
  "directly beneath",
]);
relation("supporting", ["supporting", "holding", "holding up", "carrying"]);
relation("inside", ["in", "inside", "inside of", "within", "in the inside of"]);
relation("containing", ["containing", "which contains", "that contains", "contains"]);
relation("next-to", [
  "next to",
  "beside",
  "adjacent to",
  "alongside",
  "along side",
  "right next to",
  "directly next to",
  "immediately next to",
  "beside of",
  "right beside",
  "directly beside",
  "at the side of",
  "on the side of",
  "to the side of",
  "bordering",
  "touching",
  "right by",
  "next",
  "sitting next to",
  "sits next to",
  "abutting",
  "connected to",
  "attached with",
  "aside",
]);
relation("near", [
  "near",
  "near to",
  "close to",
  "by",
  "close by",
  "nearby",
  "around",
  "not far from",
  "closer to",
  "nearer to",
  "nearer",
  "closer",
  "in close proximity to",
  "close",
  "very close to",
  "really close to",
  "at",
  "over by",
  "in the area of",
  "in the vicinity of",
  "closely to",
  "along with",
  "along",
  "closest by",
]);
relation("nearest-to", [
  "closest to",
  "nearest to",
  "nearest",
  "closest",
  "most close to",
  "the closest to",
  "the nearest to",
  "closest from",
  "nearest from",
]);
relation("far-from", [
  "far from",
  "far away from",
  "away from",
  "farther from",
  "farther away from",
  "off from",
  "not near",
  "not close to",
]);
relation("farthest-from", [
  "farthest from",
  "farthest away from",
  "the farthest from",
  "most distant from",
  "farthest to",
  "furthest away from",
  "the most far from",
]);
relation("between", [
  "between",
  "in between",
  "in the middle of",
  "sandwiched between",
  "in the center of",
  "right between",
  "in the space between",
  "situated between",
  "directly between",
]);
relation("middle-of", ["at the center of", "at the middle of"]);
relation("behind", [
  "behind",
  "in back of",
  "at the back of",
  "on the back of",
  "to the back of",
  "in the back of",
  "on the other side of",
  "at the rear of",
  "to the rear of",
  "beyond",
  "past",
  "directly behind",
  "right behind",
  "behind of",
]);
relation("in-front-of", [
  "in front of",
  "in the front of",
  "at the front of",
  "on the front of",
  "to the front of",
  "before",
  "ahead of",
  "directly in front of",
  "right in front of",
  "just in front of",
  "the front of",
]);
relation("across-from", [
  "across from",
  "opposite",
  "opposite of",
  "opposite to",
  "on the opposite side of",
  "on the opposite side from",
  "across",
  "directly across from",
  "opposing",
  "on the opposite end of",
  "across the room from",
]);
relation("against", [
  "against",
  "up against",
  "along",
  "leaning against",
  "leaning on",
  "pushed against",
  "pressed against",
  "flush with",
  "backed against",
  "pushed up against",
  "leaned against",
  "leaned up against",
  "leaning up against",
  "right against",
]);
relation("facing", [
  "facing towards",
  "pointed at",
  "pointed towards",
  "oriented towards",
  "faces",
  "pointing at",
  "pointing towards",
]);
relation("around", [
  "surrounding",
  "surrounded by",
  "placed around",
  "arranged around",
  "sitting around",
  "standing around",
  "gathered around",
]);
relation("corner-of", [
  "in the corner of",
  "in corner of",
  "at the corner of",
  "in the far corner of",
  "on the corner of",
  "corner of",
  "in the corner by",
  "in the corner near",
  "in the corner next to",
  "in a corner of",
]);
relation("end-of", [
  "at the end of",
  "on the end of",
  "at the head of",
  "at the foot of",
  "at the far end of",
  "to the end of",
  "end of",
  "the end of",
  "head of",
  "foot of",
  "at the edge of",
  "on the edge of",
  "at the opposite end of",
]);
add({ type: "relation", relation: "corner-of", isBare: true }, [
  "in the corner",
  "in a corner",
  "at the corner",
  "in corner",
  "in the far corner",
  "corner",
  "in the corners",
  "on the corner",
  "into the corner",
]);
add({ type: "relation", relation: "against", isBare: true }, [
  "against the wall",
  "against a wall",
  "along the wall",
  "up against the wall",
  "against wall",
  "on the wall side",
]);
add({ type: "relation", relation: "floor", isBare: true }, [
  "on the floor",
  "on the ground",
  "on floor",
  "sitting on the floor",
  "near the floor",
  "near the ground",
  "near the floor",
  "standing on the floor",
  "by the floor",
  "sitting on the ground",
  "at floor level",
]);

attribute("size", 1, {
  plain: ["big", "bigger", "large", "larger", "huge", "giant", "massive", "bulky"],
  most: ["biggest", "largest", "most big"],
});
attribute("size", -1, {
  plain: ["small", "smaller", "little", "tiny", "mini", "littler"],
  most: ["smallest", "tiniest", "littlest"],
});
attribute("height", 1, { plain: ["tall", "taller"], most: ["tallest"] });
attribute("height", -1, { plain: ["short", "shorter"], most: ["shortest"] });
attribute("length", 1, { plain: ["long", "longer"], most: ["longest"] });
attribute("length", -1, { plain: ["square"], most: [] });
attribute("width", 1, { plain: ["wide", "wider"], most: ["widest"] });
attribute("width", -1, { plain: ["narrow", "narrower", "slim", "skinny"], most: ["narrowest", "skinniest"] });
attribute("depth", 1, { plain: ["thick", "thicker", "deep", "deeper"], most: ["thickest", "deepest"] });
attribute("depth", -1, { plain: ["thin", "thinner", "slender"], most: ["thinnest"] });
attribute("elevation", 1, {
  plain: ["upper", "higher", "high", "top", "elevated"],
  most: ["highest", "topmost", "uppermost", "uppermost"],
  postfix: [
    "on top",
    "on the top",
    "on its top",
    "on it s top",
    "at the top",
    "up top",
    "up high",
    "higher up",
    "all the way at the top",
    "at the very top",
  ],
});
attribute("elevation", -1, {
  plain: ["lower", "low", "bottom"],
  most: ["lowest", "bottommost", "bottom most", "lowermost"],
  postfix: [
    "on the bottom",
    "at the bottom",
    "lower down",
    "on bottom",
    "all the way at the bottom",
    "at the very bottom",
  ],
});
attribute("centrality", 1, {
  plain: ["middle", "center", "central", "centered"],
  most: ["middlemost"],
  postfix: [
    "in the middle",
    "in the center",
    "in the very middle",
    "at the center",
    "in middle",
    "in the middle of the room",
    "in the center of the room",
  ],
});
attribute("centrality", -1, {
  plain: [],
  most: [],
  postfix: ["on the end", "at the end", "on the outside", "on the edge", "at the far end"],
});
attribute("nearness", 1, {
  plain: [],
  most: ["frontmost", "foremost"],
  postfix: ["in front", "in the front", "at the front", "up front"],
});
attribute("nearness", -1, {
  plain: ["far", "rear"],
  most: ["farthest", "most distant", "rearmost", "backmost"],
  postfix: [
    "in back",
    "in the back",
    "at the back",
    "farthest away",
    "farther away",
    "far away",
    "all the way in the back",
    "in the far back",
  ],
});

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];
for (const [index, word] of ORDINALS.entries()) add({ type: "ordinal", position: index + 1 }, [word]);
for (const [index, word] of ["1st", "2nd", "3rd", "4th", "5th"].entries())
  add({ type: "ordinal", position: index + 1 }, [word]);
add({ type: "ordinal", position: -1 }, ["last"]);
const NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
for (const [index, word] of NUMBERS.entries()) add({ type: "number", value: index + 2 }, [word, String(index + 2)]);
add({ type: "order", order: "left-to-right" }, [
  "from the left",
  "from left",
  "from the left side",
  "on from the left",
  "in from the left",
  "from left to right",
  "starting from the left",
  "to the left from",
]);
add({ type: "order", order: "right-to-left" }, [
  "from the right",
  "from right",
  "from the right side",
  "in from the right",
  "from right to left",
  "starting from the right",
]);
add({ type: "order", order: "bottom-to-top" }, ["from the bottom", "from bottom"]);
add({ type: "order", order: "top-to-bottom" }, ["from the top", "from top"]);

const COLOURS = [
  "red",
  "green",
  "blue",
  "yellow",
  "orange",
  "purple",
  "pink",
  "brown",
  "black",
  "white",
  "grey",
  "gray",
  "beige",
  "tan",
  "silver",
  "gold",
  "golden",
  "maroon",
  "teal",
  "cream",
  "navy",
  "violet",
  "turquoise",
];
for (const colour of COLOURS) add({ type: "word", word: colour === "gray" ? "grey" : colour }, [colour]);
for (const word of [
  "wooden",
  "wood",
  "metal",
  "metallic",
  "glass",
  "leather",
  "plastic",
  "round",
  "rectangular",
  "circular",
  "oval",
  "dark",
  "light",
  "open",
  "closed",
  "empty",
  "striped",
  "floral",
  "clear",
])
  add({ type: "word", word }, [word]);

add({ type: "pronoun", word: "it" }, ["it", "them", "itself", "they", "its", "him", "her"]);
add({ type: "pronoun", word: "that" }, [
  "this",
  "that",
  "these",
  "those",
  "this one",
  "that one",
  "this thing",
  "that thing",
]);
add({ type: "pronoun", word: "there" }, ["there", "over there", "here"]);
add({ type: "pronoun", word: "one" }, ["one", "ones"]);
add({ type: "pronoun", word: "each" }, [
  "each other",
  "one another",
  "another",
  "the other",
  "the others",
  "others",
  "the other one",
  "the rest",
  "another one",
  "the other two",
  "the other three",
]);
add({ type: "pronoun", word: "viewer" }, [
  "me",
  "you",
  "i",
  "myself",
  "us",
  "my position",
  "where i am",
  "where i stand",
  "yourself",
]);
add({ type: "pronoun", word: "hand" }, ["my hand", "my hands"]);
add({ type: "pronoun", word: "room" }, [
  "room",
  "the room",
  "this room",
  "bathroom",
  "kitchen",
  "bedroom",
  "office",
  "space",
  "scene",
  "the space",
]);
add({ type: "view" }, [
  "facing the front of",
  "looking at the front of",
  "looking at front of",
  "facing front of",
  "looking the front of",

  "facing",
  "looking at",
  "looking towards",
  "looking toward",
  "looking to",
  "looking directly at",
  "you face",
  "you are facing",
  "i am facing",
  "looking straight at",
  "you look at",
  "face",
  "facing towards",
  "facing toward",
  "viewing",
  "look at",
  "looking out",
  "looking the",
  "you re facing",
  "youre facing",
  "staring at",
  "looking",
  "towards",
  "toward",
]);
add({ type: "stand" }, [
  "standing at",
  "standing by",
  "standing in front of",
  "standing next to",
  "standing near",
  "standing beside",
  "standing in",
  "you are in front of",
  "you are standing at",
  "you are standing in",
  "you stand at",
  "you stand in",
  "standing with your back to",
  "walking in",
  "entering through",
  "entering",
  "entering from",
  "walking in from",
  "walking through",
  "walking into",
  "you enter through",
  "you walk in",
  "you enter",
  "enter through",
  "coming through",
  "coming in",
  "coming in through",
  "when entering",
  "enter",
  "enter from",
  "walk through",
  "walk in",
  "walk into",
  "sitting at",
  "you walk through",
  "you come in",
  "from",
]);

add({ type: "not" }, ["not", "no", "without", "isnt", "never", "does not have", "is not"]);
add({ type: "with" }, [
  "with",
  "that has",
  "which has",
  "has",
  "having",
  "that have",
  "have",
  "includes",
  "that includes",
]);
add({ type: "and" }, ["and", "as well as", "but", "&"]);
add({ type: "or" }, ["or"]);
add({ type: "of" }, ["of", "out of", "among", "amongst"]);
add({ type: "it-is" }, [
  "it is",
  "it is the",
  "this is",
  "choose",
  "select",
  "pick",
  "find",
  "you want",
  "the correct one is",
  "the one you want is",
  "i am",
  "they are",
  "look for",
  "please select",
  "please choose",
  "please find",
  "the answer is",
  "identify",
  "the target is",
  "find me",
  "the one",
]);
add({ type: "is" }, [
  "that is",
  "which is",
  "that are",
  "which are",
  "is",
  "are",
  "located",
  "that sits",
  "sitting",
  "placed",
  "positioned",
  "who is",
  "standing",
  "lying",
  "that was",
  "resting",
  "sits",
  "situated",
  "stands",
  "s",
  "'s",
]);
add({ type: "comma" }, [",", "while", "then"]);
add({ type: "stop" }, [".", "!", "?"]);
add({ type: "skip" }, [
  "the",
  "a",
  "an",
  "some",
  "any",
  "very",
  "most",
  "directly",
  "just",
  "immediately",
  "that",
  "when",
  "if",
  "same",
  "other",
  "right there",
  "only",
  "side by side",
  "correct",
  "your",
  "my",
  "his",
  "their",
  "all",
  "both",
  "kind of",
  "type of",
  "piece of",
  "another",
  "also",
  "side",
  "hand",
  "as",
  "to",
  "s",
  "'s",
  "please",
  "set of",
  "pair of",
  "group of",
  "lot of",
  "row of",
  "part of",
  "back of",
  "top of",
  "bottom of",
  "stack of",
  "in the row of",
  "in a row of",
]);

/** The longest phrase that starts at `at`, or undefined. */
export function matchPhrase(
  tokens: readonly string[],
  at: number,
): { readonly item: PhraseItem; readonly length: number } | undefined {
  const entries = table.get(tokens[at] ?? "");
  if (entries === undefined) return undefined;
  for (const { words, item } of entries) {
    let length = 1;
    while (length < words.length && tokens[at + length] === words[length]) length++;
    if (length === words.length) return { item, length };
  }
  return undefined;
}
