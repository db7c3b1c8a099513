/** Words of a question in lower case. Commas and full stops stay as tokens, because they end a clause. */
export type Tokens = readonly string[];

const CONTRACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\b(what|where|who|how|which|that|there|it|he|she|here)[’']?s\b(?=\s)/g, "$1 is"],
  [/\b(what|where|how|which|there|they|you|we)[’']re\b/g, "$1 are"],
  [/\bi[’']m\b/g, "i am"],
  [/\b(i|you|we|they)[’']ve\b/g, "$1 have"],
  [/\b(i|you|we|they|it)[’']ll\b/g, "$1 will"],
  [/\bisn[’']t\b/g, "is not"],
  [/\baren[’']t\b/g, "are not"],
  [/\b(does|do|did)n[’']t\b/g, "$1 not"],
  [/\bcan[’']?t\b/g, "can not"],
  [/\bits\b(?=\s+(a|an|the|on|in|next|near|between|above|below|under|to|by|not)\b)/g, "it is"],
  [/\(\s*e?s\s*\)/g, ""],
];

/** "right-hand", "left-most", "arm chair": one spelling for each word the grammar knows. */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/\b(left|right)[- ]?hand(ed)?\b/g, "$1"],
  [/\b(left|right|top|bottom|front|back|lower|upper|inner|outer|rear|fore|middle)[- ]most\b/g, "$1most"],
  [/\bfar thest\b/g, "farthest"],
  [/\bfurthest\b|\bfathest\b|\bfartherest\b|\bfurtherest\b/g, "farthest"],
  [/\bfurther\b/g, "farther"],
  [/\bclosets\b(?= (to|from))|\bcloset (?=to\b)|\bclostest\b|\bcloses\b(?= to)/g, "closest "],
  [/\bcentre\b/g, "center"],
  [/\binbetween\b|\bin-between\b|\bbetwen\b|\bbetweeen\b/g, "between"],
  [/\bclockface\b/g, "clock face"],
  [/\bmetres?\b|\bmeter\b/g, "meters"],
  [/\binfront\b/g, "in front"],
  [/\boff of\b/g, "off"],
  [
    /\b(?:the )?(?:thing|object|one|item|what)(?: that)? i (?:am|m|was)(?: currently)? (?:looking|pointing|staring) (?:at|to)\b/g,
    "that",
  ],
  [/\boclock\b/g, "o clock"],
  [/\bwhere (?:can|could|may|should) (?:i|we) sit(?: down)?\b/g, "where is a seat"],
  [
    /\b(?:something|somewhere|anything|anywhere|a place|a spot|place) (?:to|i can|where i can) sit(?: down)?(?: on)?\b/g,
    "a seat",
  ],
  [
    /\b(?:something|somewhere|anything|anywhere|a place|a spot|place) (?:to|i can|where i can) (?:lie down|lie|sleep)(?: on)?\b/g,
    "a bed",
  ],
  [/\b(?:gap|space|room) between (?=.* and )/g, "distance between "],
  [/\bonto\b/g, "on to"],
];

export function tokenize(text: string): Tokens {
  let plain = ` ${text.toLowerCase()} `;
  for (const [pattern, replacement] of CONTRACTIONS) plain = plain.replace(pattern, replacement);
  plain = plain.replace(/[’']s\b/g, " 's").replace(/[’']/g, "");
  for (const [pattern, replacement] of SPELLINGS) plain = plain.replace(pattern, replacement);
  plain = plain.replace(/(\d),(\d{3})/g, "$1$2").replace(/(\d)\.(\d)/g, "$1·$2");
  const found = plain.match(/'s|[\p{L}\p{N}_·]+|[,;:.!?()]/gu) ?? [];
  return found.map((token) => (/^[;:()]$/.test(token) ? "," : token.replace("·", "."))).slice(0, TOKENS_MAX);
}

/** Longer texts are cut: no spoken question has more, and parsing time stays bounded. */
const TOKENS_MAX = 160;
