import type { Phrasebook } from "./phrasebook-type.ts";
import { ENGLISH } from "./phrasing-en.ts";

const BOOKS: Readonly<Record<string, Phrasebook>> = { en: ENGLISH };

/** The phrasebook of a locale ("en-GB"); English where there is none yet. */
export function phrasebookFor(locale: string): Phrasebook {
  return BOOKS[locale.toLowerCase().split(/[-_]/)[0] ?? "en"] ?? ENGLISH;
}
