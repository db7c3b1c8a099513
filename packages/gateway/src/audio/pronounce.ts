import { readFile } from "node:fs/promises";
import type { Clock } from "@fovea/core";
import { runProgram } from "./run-program.ts";

/** The phones of the en-us acoustic model of pocketsphinx. */
const PHONES = new Set(
  "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split(" "),
);
/** flite's phone names that the acoustic model writes differently. */
const FROM_FLITE: Readonly<Record<string, string>> = {
  AX: "AH",
  AXR: "ER",
  DX: "T",
  EL: "AH L",
  EM: "AH M",
  EN: "AH N",
  PAU: "",
};
/** Sounds that say "go on", which no dictionary spells. */
const SOUNDS: Readonly<Record<string, readonly string[]>> = {
  mhm: ["M HH AH M", "AH M HH AH M", "M HH M", "HH AH M"],
  huh: ["HH AH", "HH AH M"],
  uh: ["AH"],
};

/** Pronunciations of words: from the model's dictionary, and for words that are not in it, from flite's rules. */
export class Pronouncer {
  readonly #entries: ReadonlyMap<string, readonly string[]>;
  readonly #flite: string | undefined;
  readonly #clock: Clock;

  constructor(entries: ReadonlyMap<string, readonly string[]>, flite: string | undefined, clock: Clock) {
    this.#entries = entries;
    this.#flite = flite;
    this.#clock = clock;
  }

  static async load(dictionaryPath: string, flite: string | undefined, clock: Clock): Promise<Pronouncer> {
    return new Pronouncer(parseDictionary(await readFile(dictionaryPath, "utf8")), flite, clock);
  }

  /** Dictionary lines for the words, and the words nobody can pronounce, which the grammar must leave out. */
  async dictionaryFor(
    words: readonly string[],
  ): Promise<{ readonly lines: string; readonly unknown: readonly string[] }> {
    const lines: string[] = [];
    const unknown: string[] = [];
    for (const word of words) {
      const known = SOUNDS[word] ?? this.#entries.get(word) ?? (await this.#guess(word));
      if (known.length === 0) unknown.push(word);
      known.forEach((phones, i) => lines.push(`${word}${i === 0 ? "" : `(${i + 1})`} ${phones}`));
    }
    return { lines: `${lines.join("\n")}\n`, unknown };
  }

  async #guess(word: string): Promise<readonly string[]> {
    if (this.#flite === undefined || !/^[a-z']{2,40}$/.test(word)) return [];
    const run = { command: this.#flite, args: ["-t", word, "-ps", "none"], timeoutMs: 2_000, outputBytesMax: 65_536 };
    const result = await runProgram(run, this.#clock);
    const phones = result.code === 0 ? fromFlite(result.stdout.toString("utf8")) : "";
    return phones === "" ? [] : [phones];
  }
}

/** Empty where any phone is not of the model: a wrong dictionary line would make the whole grammar fail. */
export function fromFlite(output: string): string {
  const phones = output
    .trim()
    .split(/\s+/)
    .flatMap((phone) => (FROM_FLITE[phone.toUpperCase()] ?? phone.toUpperCase()).split(" "))
    .filter((phone) => phone !== "");
  return phones.every((phone) => PHONES.has(phone)) ? phones.join(" ") : "";
}

export function parseDictionary(text: string): Map<string, string[]> {
  const entries = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space <= 0) continue;
    const word = line.slice(0, space).replace(/\(\d+\)$/, "");
    const list = entries.get(word);
    if (list === undefined) entries.set(word, [line.slice(space + 1).trim()]);
    else list.push(line.slice(space + 1).trim());
  }
  return entries;
}
