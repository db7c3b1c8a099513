// English in small pieces: articles, lists, lengths, directions.
import type { SpatialValue } from "../model/spatial.ts";
import type { LengthUnit } from "./interpretation.ts";
import { METRES } from "./measure-words.ts";
import { plural } from "./nouns.ts";

const SMALL = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

export function countWord(count: number): string {
  return SMALL[count] ?? String(count);
}

export function withArticle(noun: string): string {
  if (noun === "art" || noun.endsWith(" art")) return `a piece of ${noun}`;
  if (isManyByName(noun)) return `some ${noun}`;
  return `${/^(?:[aeio]|u(?!n[ie]|se|ti))/.test(noun) ? "an" : "a"} ${noun}`;
}

/** "blinds", "clothes": names that are plural by themselves. */
export function isManyByName(noun: string): boolean {
  return /(?:[^s]s)$/.test(noun) && plural(noun) === noun && !/(?:us|is)$/.test(noun);
}

export function isOrAre(noun: string): string {
  return isManyByName(noun) ? "are" : "is";
}

export function countOf(count: number, noun: string): string {
  return `${countWord(count)} ${count === 1 ? noun : plural(noun)}`;
}

export function listOf(items: readonly string[], joint = "and"): string {
  if (items.length <= 1) return items[0] ?? "";
  return `${items.slice(0, -1).join(", ")} ${joint} ${items[items.length - 1]}`;
}

export function sentence(text: string): string {
  const trimmed = text.trim();
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.?!]$/.test(trimmed) ? "" : "."}`;
}

/** Two digits that matter: centimetres below a metre, tenths of a metre above. */
export function lengthText(metres: number, unit?: LengthUnit): string {
  if (unit === undefined) {
    if (metres < 0.995) return `${Math.round(metres * 100)} cm`;
    return `${trimZero(metres < 10 ? metres.toFixed(1) : metres.toFixed(0))} m`;
  }
  const value = metres / METRES[unit];
  if (unit === "ft") return `${trimZero(value.toFixed(1))} feet`;
  if (unit === "in") return `${trimZero(value.toFixed(value < 10 ? 1 : 0))} inches`;
  if (unit === "m") return `${trimZero(value.toFixed(2))} m`;
  return `${value.toFixed(0)} ${unit}`;
}

function trimZero(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

const HOURS = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

export function clockText(hour: number): string {
  if (hour === 12) return "straight ahead";
  if (hour === 6) return "behind you";
  return `at your ${HOURS[hour] ?? hour} o'clock`;
}

/** One of eight directions on the floor, in words. */
export function sideText(bearingDeg: number): string {
  const sides = [
    "straight ahead",
    "ahead to the right",
    "to your right",
    "behind you to the right",
    "behind you",
    "behind you to the left",
    "to your left",
    "ahead to the left",
  ];
  return sides[(Math.round(bearingDeg / 45) + 8) % 8] ?? "";
}

/** Values of one entity by name. */
export function valuesOf(values: readonly SpatialValue[], id?: string): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const value of values) {
    if (value.entityId !== undefined && id !== undefined && value.entityId !== id) continue;
    found[value.name] ??= value.value;
  }
  return found;
}

/** "1.4 m away, at your two o'clock"; empty without a viewer. */
export function placeText(values: Readonly<Record<string, number>>, unit?: LengthUnit): string {
  const { distance, clock, rise } = values;
  if (distance === undefined || clock === undefined) return "";
  if (distance < 0.05) return "right where you are";
  const height = rise === undefined || Math.abs(rise) < 0.7 ? "" : rise > 0 ? ", above eye level" : "";
  return `${lengthText(distance, unit)} away, ${clockText(clock)}${height}`;
}
