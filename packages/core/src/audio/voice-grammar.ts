// What may be said in this room, as a JSGF grammar for recognisers that need one (JSpeech Grammar Format, W3C note
// 2000). A grammar from the labels of the room is what makes a small offline recogniser good enough for commands.
// Labels are untrusted: only letters and apostrophes survive, digits are spelled, and nothing can carry JSGF syntax.

const LABELS_MAX = 300;
const WORDS_PER_LABEL_MAX = 4;

/** Words that mean something to a JSGF parser wherever they stand. */
const RESERVED = new Set(["public", "grammar", "import"]);
const DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

const FIXED_RULES = `public <said> = [ please ] ( <command> | <question> ) [ please ] | <short> ;
<short> = yes | yeah | yep | no | nope | okay | right | sure | wait | hold on | thanks | thank you | hello | mhm | uh huh | i see | got it ;
<command> = <verb> <thing> | <verb> ( this | that | it ) | stop | stop talking | cancel | undo | go back | go to <thing>
  | describe the room | describe what you see | list what you see | repeat that | what changed ;
<question> = what am i looking at | what am i pointing at | what is ( this | that | it ) | what do you see | what can you do
  | where is <thing> | where are <things> | how far is <thing> | how far is ( this | that | it ) | how far away is ( <thing> | this | that | it )
  | how far is <thing> from <thing> | how many <plural> are there | how many <plural> do you see
  | how ( big | tall | wide | high ) is ( <thing> | this | that | it )
  | what is <relation> ( <thing> | this | that | me | it ) | what is between <thing> and <thing>
  | ( which | what ) is the ( nearest | closest | farthest ) <noun> | where is the ( nearest | closest | farthest ) <noun>
  | is there a <noun> | can i see <thing> | and ( behind | under | on | above | next to | in front of ) it ;
<verb> = highlight | show me | point to | point at | find | tell me about | label | select ;
<relation> = on | on top of | under | below | above | behind | in front of | next to | beside | left of | right of
  | to the left of | to the right of | inside | near ;
<thing> = [ <article> ] <noun> ;
<things> = [ the ] <plural> ;
<article> = the | this | that | a | an | my ;`;

export interface VoiceGrammar {
  readonly jsgf: string;
  /** Every word the grammar can hear, sorted: the recogniser needs a pronunciation of each. */
  readonly words: readonly string[];
}

/** Lower-case words of a label that can be spoken: digits spelled, everything else that is not a letter dropped. */
export function spokenWords(label: string): readonly string[] {
  return label
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\d/g, (digit) => ` ${DIGITS[Number(digit)] ?? ""} `)
    .replace(/[^a-z' ]+/g, " ")
    .split(/\s+/)
    .map((word) => word.replace(/^'+|'+$/g, ""))
    .filter((word) => word !== "" && !RESERVED.has(word))
    .slice(0, WORDS_PER_LABEL_MAX);
}

/** `exclude` are words nobody can pronounce; labels with one of them are left out. */
export function buildVoiceGrammar(labels: readonly string[], exclude: ReadonlySet<string> = new Set()): VoiceGrammar {
  const nouns = new Set<string>();
  for (const label of [...labels, "thing", "one"]) {
    const words = spokenWords(label);
    if (words.length === 0 || words.some((word) => exclude.has(word))) continue;
    nouns.add(words.join(" "));
    if (nouns.size >= LABELS_MAX) break;
  }
  const singular = [...nouns].sort();
  const plural = [...new Set(singular.map(pluralOf))].filter(
    (noun) => !noun.split(" ").some((word) => exclude.has(word)),
  );
  const rules = `#JSGF V1.0;\ngrammar fovea;\n${FIXED_RULES}\n<noun> = ${singular.join(" | ")} ;\n<plural> = ${plural.join(" | ")} ;\n`;
  return { jsgf: rules, words: wordsOf(rules) };
}

function wordsOf(rules: string): readonly string[] {
  const bodies = rules.replace(/^#.*$|^grammar.*$/gm, "").replace(/<[^>]*>|\bpublic\b/g, " ");
  return [...new Set(bodies.match(/[a-z']+/g) ?? [])].sort();
}

/** Regular English plurals of the last word, and the few irregular ones that stand in rooms. */
function pluralOf(noun: string): string {
  const irregular = IRREGULAR[noun.slice(noun.lastIndexOf(" ") + 1)];
  if (irregular !== undefined) return noun.slice(0, noun.lastIndexOf(" ") + 1) + irregular;
  if (/(?:s|x|z|ch|sh)$/.test(noun)) return `${noun}es`;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return `${noun}s`;
}

const IRREGULAR: Readonly<Record<string, string>> = {
  shelf: "shelves",
  person: "people",
  knife: "knives",
  mouse: "mice",
  art: "art",
};
