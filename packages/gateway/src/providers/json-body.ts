// Everything a provider sends is untrusted: a compromised or self-hosted server must not be able to plant prototype
// members, exhaust the stack of whoever walks the value, or crash a decoder with an unexpected type.
import { WireFault } from "./wire-fault.ts";

/** Deeper than any vendor's answer; shallow enough that recursive walkers of the value cannot overflow the stack. */
export const JSON_DEPTH_MAX = 256;

export type JsonRecord = Readonly<Record<string, unknown>>;

const DROPPED: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Parses JSON text; members that would reach a prototype are dropped. Throws `WireFault` of code `protocol`. */
export function parseJson(text: string): unknown {
  if (mayBeDeep(text) && depthOf(text) > JSON_DEPTH_MAX) {
    throw new WireFault("protocol", `JSON nested deeper than ${JSON_DEPTH_MAX} levels`);
  }
  try {
    return mayNamePrototype(text) ? (JSON.parse(text, dropPrototypeNames) as unknown) : (JSON.parse(text) as unknown);
  } catch {
    throw new WireFault("protocol", "malformed JSON");
  }
}

/** Plain searches: an expression over names costs as much as parsing. `\u00` may spell any of the letters. */
function mayNamePrototype(text: string): boolean {
  return text.includes("proto") || text.includes("constructor") || text.includes("\\u00");
}

function dropPrototypeNames(this: unknown, key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return DROPPED.has(key) ? undefined : value;
  if (DROPPED.has(key)) return undefined;
  for (const name of DROPPED) {
    if (Object.hasOwn(value, name)) delete (value as Record<string, unknown>)[name];
  }
  return value;
}

/** A text nested n deep has at least 2n characters and n opening brackets; to search for those costs less than to scan. */
function mayBeDeep(text: string): boolean {
  if (text.length <= 2 * JSON_DEPTH_MAX) return false;
  let left = JSON_DEPTH_MAX;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) if (--left < 0) return true;
  }
  return false;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > deepest) deepest = depth;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}

/** The record, or undefined for anything else. */
export function recordOf(value: unknown): JsonRecord | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined;
}

export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NOTHING;
}

const NOTHING: readonly unknown[] = [];

export function stringOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Finite numbers only: a provider's `1e999` parses to Infinity and would poison every sum. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** A non-negative count; anything else counts as not reported. */
export function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
