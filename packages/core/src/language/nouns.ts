// Names of things. Labels come from headsets ("wall art"), scanners ("trash can") and applications; people say "picture"
// and "bin". A label is compared as words in the singular: the same words, the same group of synonyms, the same head word
// ("chair" said of an "office chair"), or an older, looser relation ("shelf" said of a "cabinet").

const IRREGULAR: Readonly<Record<string, string>> = {
  shelves: "shelf",
  bookshelves: "bookshelf",
  knives: "knife",
  people: "person",
  persons: "person",
  children: "child",
  men: "man",
  women: "woman",
  feet: "foot",
  mice: "mouse",
  dishes: "dish",
  benches: "bench",
  couches: "couch",
  boxes: "box",
  mailboxes: "mailbox",
  brushes: "brush",
  watches: "watch",
  switches: "switch",
  glasses: "glasses",
  clothes: "clothes",
  stairs: "stairs",
  blinds: "blinds",
  headphones: "headphones",
  scissors: "scissors",
  pants: "pants",
  shorts: "shorts",
  stuff: "stuff",
  bus: "bus",
  gas: "gas",
  canvas: "canvas",
  glass: "glass",
  lens: "lens",
  loaves: "loaf",
  leaves: "leaf",
};

/** The singular of an English noun; words that are no plural come back as they are. */
export function singular(word: string): string {
  const known = IRREGULAR[word];
  if (known !== undefined && Object.hasOwn(IRREGULAR, word)) return known;
  if (word.length < 4 || !word.endsWith("s") || /(?:ss|us|is)$/.test(word)) return word;
  if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(?:ch|sh|x|ss|zz)es$/.test(word)) return word.slice(0, -2);
  return word.slice(0, -1);
}

export function plural(noun: string): string {
  if (noun === "art" || noun.endsWith(" art")) return `pieces of ${noun}`;
  const words = noun.split(" ");
  const last = words.pop() ?? "";
  for (const [many, one] of Object.entries(IRREGULAR)) if (one === last) return [...words, many].join(" ");
  const isPluralAlready = last.endsWith("s") && !/(?:ss|us|is)$/.test(last);
  if (isPluralAlready) return noun;
  let many = `${last}s`;
  if (/(?:[sxz]|ch|sh)$/.test(last)) many = `${last}es`;
  else if (/[^aeiou]y$/.test(last)) many = `${last.slice(0, -1)}ies`;
  return [...words, many].join(" ");
}

/** First names the group. Words of one group are said of the same thing. */
const SYNONYMS: readonly (readonly string[])[] = [
  ["couch", "sofa", "settee", "loveseat", "love seat"],
  ["tv", "television", "telly", "tv screen", "television set", "flat screen"],
  ["monitor", "screen", "computer screen", "computer monitor", "display", "pc monitor"],
  ["computer tower", "computer", "pc", "tower", "cpu", "desktop", "computer case", "computer box", "hard drive"],
  ["laptop", "notebook computer", "laptop computer"],
  [
    "trash can",
    "trash bin",
    "garbage can",
    "garbage bin",
    "wastebasket",
    "waste basket",
    "waste bin",
    "dustbin",
    "rubbish bin",
    "trashcan",
    "trash",
    "garbage",
    "waste basket",
    "wastebin",
    "bin",
    "trash container",
  ],
  ["recycling bin", "recycle bin", "recycling can", "recycling"],
  ["cabinet", "cupboard", "storage cabinet"],
  ["kitchen cabinet", "kitchen cupboard", "kitchen cabinets"],
  ["file cabinet", "filing cabinet", "drawers cabinet", "file drawer"],
  ["dresser", "chest of drawers", "drawers", "bureau", "drawer", "set of drawers"],
  ["nightstand", "night stand", "bedside table", "night table"],
  ["end table", "side table"],
  ["coffee table"],
  ["shelf", "shelving", "shelving unit", "shelve", "storage shelf", "shelf unit", "shelving rack"],
  ["bookshelf", "bookcase", "book shelf", "book case", "book rack"],
  ["wardrobe closet", "wardrobe", "armoire", "wardrobe cabinet", "closet wardrobe"],
  [
    "picture",
    "wall art",
    "painting",
    "photo",
    "photograph",
    "poster",
    "artwork",
    "art",
    "frame",
    "picture frame",
    "wall hanging",
    "portrait",
    "print",
  ],
  ["refrigerator", "fridge", "freezer"],
  ["mini fridge", "mini refrigerator", "small fridge"],
  ["stove", "cooker", "range", "stovetop", "hob"],
  ["oven"],
  ["toilet", "commode", "wc"],
  ["toilet paper", "toilet paper roll", "tp", "roll of toilet paper", "toilet roll", "tissue roll"],
  ["bathtub", "tub", "bath tub", "bath"],
  ["bathroom stall", "stall", "toilet stall"],
  ["bathroom stall door", "stall door"],
  ["bathroom vanity", "vanity"],
  ["sink", "basin", "washbasin", "wash basin", "sink basin"],
  ["curtain", "drape", "curtains"],
  ["blinds", "window blinds", "shade", "shutter"],
  ["door", "doorway", "entrance", "exit", "entry", "entryway", "doors", "exit door", "entrance door"],
  ["doorframe", "door frame", "doorjamb"],
  ["window", "window frame", "windowpane", "window pane"],
  ["windowsill", "window sill", "sill"],
  [
    "armchair",
    "arm chair",
    "easy chair",
    "lounge chair",
    "recliner",
    "sofa chair",
    "couch chair",
    "recliner chair",
    "cushioned chair",
  ],
  ["office chair", "desk chair", "swivel chair", "rolling chair", "computer chair", "wheelchair"],
  ["chair", "seat"],
  ["stool", "bar stool", "barstool"],
  ["ottoman", "footstool", "footrest", "pouf", "foot stool", "foot rest", "hassock"],
  ["bed", "mattress"],
  ["pillow", "cushion", "throw pillow"],
  ["blanket", "throw", "comforter", "duvet", "quilt"],
  ["whiteboard", "white board", "dry erase board", "marker board"],
  ["blackboard", "chalkboard", "black board", "chalk board"],
  ["bulletin board", "cork board", "corkboard", "pin board", "notice board"],
  ["lamp", "floor lamp", "table lamp", "desk lamp", "lampshade"],
  ["light", "ceiling light", "light fixture", "overhead light"],
  ["plant", "potted plant", "houseplant", "flowerpot", "flower", "potted tree", "tree"],
  ["telephone", "phone"],
  ["books", "book", "stack of books", "pile of books", "row of books"],
  ["backpack", "rucksack", "back pack", "book bag", "bookbag", "knapsack"],
  ["bag", "sack", "tote", "tote bag"],
  ["purse", "handbag", "hand bag"],
  ["suitcase", "luggage", "travel case"],
  ["box", "carton", "package", "cardboard box", "crate", "cardboard"],
  ["storage bin", "storage container", "plastic bin", "storage box", "tote bin", "container", "plastic storage bin"],
  ["copier", "copy machine", "photocopier", "copying machine", "xerox machine", "xerox"],
  ["printer"],
  ["microwave", "microwave oven"],
  ["coffee maker", "coffee machine"],
  ["radiator", "heater", "heating unit", "baseboard heater"],
  ["towel", "hand towel", "bath towel", "washcloth"],
  ["shoes", "shoe", "pair of shoes", "sneaker", "slipper", "boot", "sandal"],
  ["clothes", "clothing", "garment", "clothe"],
  ["jacket", "coat", "hoodie", "sweater"],
  ["cup", "mug", "glass", "coffee cup"],
  ["bottle", "water bottle"],
  ["rug", "carpet", "mat"],
  ["counter", "countertop", "counter top"],
  ["kitchen counter", "kitchen countertop", "kitchen counter top"],
  ["laundry hamper", "hamper", "laundry basket"],
  ["washing machine", "washer", "clothes washer"],
  ["clothes dryer", "dryer", "tumble dryer"],
  ["paper towel dispenser", "towel dispenser", "paper dispenser"],
  ["soap dispenser", "soap", "hand soap"],
  ["tissue box", "tissue", "tissues", "kleenex", "kleenex box"],
  ["keyboard", "computer keyboard"],
  ["fan", "ceiling fan"],
  ["column", "pillar", "post"],
  ["person", "man", "woman", "human", "child", "guy", "somebody", "someone"],
  ["bicycle", "bike"],
  ["piano", "keyboard piano"],
  ["cart", "trolley"],
  ["wall", "wall face"],
  ["floor", "ground"],
  ["ceiling", "roof"],
  ["speaker", "loudspeaker"],
  ["stairs", "staircase", "stair", "steps"],
  ["object", "thing", "item"],
  ["board"],
  ["table"],
  ["desk"],
];

/** Said of one another when nothing fits better. */
const RELATED: readonly (readonly string[])[] = [
  ["tv", "monitor"],
  [
    "cabinet",
    "shelf",
    "bookshelf",
    "dresser",
    "file cabinet",
    "wardrobe closet",
    "kitchen cabinet",
    "nightstand",
    "storage",
    "closet",
    "bathroom cabinet",
    "bathroom vanity",
  ],
  ["trash can", "recycling bin", "storage bin", "bucket", "compost bin"],
  ["table", "desk", "coffee table", "end table", "nightstand", "counter", "dining table"],
  ["chair", "armchair", "office chair", "stool", "couch", "ottoman", "bench", "seat"],
  ["stool", "ottoman"],
  ["bag", "backpack", "purse", "suitcase"],
  ["box", "storage bin", "suitcase"],
  ["whiteboard", "blackboard", "board", "bulletin board"],
  ["picture", "mirror", "sign", "board"],
  ["window", "curtain", "blinds", "windowsill"],
  ["door", "doorframe"],
  ["bathroom stall", "bathroom stall door"],
  ["door", "bathroom stall door", "closet door"],
  ["towel", "curtain", "clothes", "blanket"],
  ["stove", "oven", "microwave"],
  ["counter", "kitchen counter", "bathroom vanity"],
  ["sink", "bathroom vanity"],
  ["lamp", "light"],
  ["clothes", "jacket"],
  ["refrigerator", "mini fridge"],
  ["copier", "printer"],
  ["bottle", "cup", "soap dispenser"],
  ["laptop", "computer tower", "monitor"],
  ["couch", "bench"],
];

const GROUP_OF = new Map<string, string>();
for (const group of SYNONYMS) {
  const name = normalName(group[0] ?? "");
  for (const word of group) if (!GROUP_OF.has(normalName(word))) GROUP_OF.set(normalName(word), name);
}
const RELATED_TO = new Map<string, Set<string>>();
for (const group of RELATED) {
  for (const word of group) {
    const others = RELATED_TO.get(normalName(word)) ?? new Set();
    for (const other of group) others.add(normalName(other));
    RELATED_TO.set(normalName(word), others);
  }
}

/** Lower case, separators as blanks, every word in the singular: "Wall_Art" and "wall arts" are one name. */
export function normalName(label: string): string {
  return label
    .toLowerCase()
    .replace(/[_\-./]+/g, " ")
    .trim()
    .split(/\s+/)
    .map(singular)
    .join(" ");
}

/** Everything that `couch` can be called, for vocabularies of recognisers. */
export function synonymsOf(label: string): readonly string[] {
  const group = GROUP_OF.get(normalName(label));
  return SYNONYMS.find((words) => normalName(words[0] ?? "") === group) ?? [];
}

/** Whether the words are a name the lexicon knows, or any of its groups. */
export function isKnownNoun(name: string): boolean {
  return GROUP_OF.has(name);
}

/** How well words fit a label: 4 the same words, 3 a synonym, 2 the same kind by the head word, 1 related, 0 not. */
export type LabelFit = 0 | 1 | 2 | 3 | 4;

const fitCache = new Map<string, LabelFit>();
const FIT_CACHE_MAX = 20_000;

/** Both in normal form (`normalName`). */
export function labelFit(words: string, label: string): LabelFit {
  if (words === label) return 4;
  const key = `${words}|${label}`;
  const known = fitCache.get(key);
  if (known !== undefined) return known;
  const fit = computeFit(words, label);
  if (fitCache.size >= FIT_CACHE_MAX) fitCache.clear();
  fitCache.set(key, fit);
  return fit;
}

function computeFit(words: string, label: string): LabelFit {
  // Headsets label televisions as screens.
  if (words === "tv" || GROUP_OF.get(words) === "tv") if (label === "screen") return 3;
  const wordsGroup = GROUP_OF.get(words) ?? words;
  const labelGroup = GROUP_OF.get(label) ?? label;
  if (wordsGroup === labelGroup) return 3;
  // "chair" said of an "office chair"; "wooden desk" said of a "desk".
  if (label.endsWith(` ${words}`) || words.endsWith(` ${label}`)) return 2;
  if (labelGroup.endsWith(` ${wordsGroup}`) || wordsGroup.endsWith(` ${labelGroup}`)) return 2;
  if (label.startsWith(`${words} `) && !PARTS.has(label.slice(words.length + 1))) return 1;
  if (RELATED_TO.get(wordsGroup)?.has(labelGroup) === true) return 1;
  const wordsHead = GROUP_OF.get(headOf(words)) ?? headOf(words);
  const labelHead = GROUP_OF.get(headOf(label)) ?? headOf(label);
  if (wordsHead === labelHead && wordsHead !== "object") return 1;
  return 0;
}

/** A "door" is not a kind of "door frame", though the name starts with it. */
const PARTS: ReadonlySet<string> = new Set(["frame", "handle", "rod", "stand", "holder", "dispenser", "rack", "base"]);

function headOf(name: string): string {
  return name.slice(name.lastIndexOf(" ") + 1);
}
