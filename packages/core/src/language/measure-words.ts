import type { LengthUnit } from "./interpretation.ts";
import type { Tokens } from "./tokens.ts";

const UNITS: Readonly<Record<string, LengthUnit>> = {
  m: "m",
  meter: "m",
  meters: "m",
  metre: "m",
  metres: "m",
  cm: "cm",
  centimeter: "cm",
  centimeters: "cm",
  centimetre: "cm",
  centimetres: "cm",
  mm: "mm",
  millimeter: "mm",
  millimeters: "mm",
  millimetre: "mm",
  millimetres: "mm",
  ft: "ft",
  foot: "ft",
  feet: "ft",
  in: "in",
  inch: "in",
  inches: "in",
};

export const METRES: Readonly<Record<LengthUnit, number>> = { m: 1, cm: 0.01, mm: 0.001, ft: 0.3048, in: 0.0254 };

const WORD_NUMBERS: Readonly<Record<string, number>> = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  half: 0.5,
  twelve: 12,
  twenty: 20,
  thirty: 30,
};

/** The unit an answer is wanted in: "how far in feet", "measured in centimeters". */
export function readWantedUnit(tokens: Tokens): LengthUnit | undefined {
  for (let at = tokens.length - 1; at > 0; at--) {
    const unit = UNITS[tokens[at] ?? ""];
    if (unit === undefined || (tokens[at] === "in" && tokens[at - 1] !== "in")) continue;
    const before = tokens[at - 1] ?? "";
    if (before === "in" || before === "many" || before === ",") return unit;
  }
  return undefined;
}

export interface Length {
  readonly metres: number;
  readonly from: number;
  readonly to: number;
}

/** Every length in the text: "1.8 m", "two feet", "60cm". */
export function readLengths(tokens: Tokens): readonly Length[] {
  const lengths: Length[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const joined = /^(\d+(?:\.\d+)?)(m|cm|mm|ft|in)$/.exec(tokens[at] ?? "");
    if (joined !== null) {
      lengths.push({ metres: Number(joined[1]) * METRES[joined[2] as LengthUnit], from: at, to: at + 1 });
      continue;
    }
    const value = numberOf(tokens[at] ?? "");
    const unit = UNITS[tokens[at + 1] ?? ""];
    if (value !== undefined && unit !== undefined) lengths.push({ metres: value * METRES[unit], from: at, to: at + 2 });
  }
  return lengths;
}

export function numberOf(word: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(word)) return Number(word);
  return Object.hasOwn(WORD_NUMBERS, word) ? WORD_NUMBERS[word] : undefined;
}
