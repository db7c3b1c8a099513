import type { JsonRecord } from "../json-body.ts";
import { recordOf, stringOf } from "../json-body.ts";

type Container = Record<string, unknown> | unknown[];

const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
/** A path longer or an index larger than this comes from no schema. */
const STEPS_MAX = 64;
const INDEX_MAX = 10_000;

/**
 * Sets one piece of a streamed call, `{jsonPath: "$.a[0].b", stringValue: "…", willContinue}`. Strings that continue are
 * joined. An entry without a value, and paths that end in `[]`, only mark an end.
 */
export function setPartialArgument(args: Record<string, unknown>, piece: JsonRecord): void {
  const steps = stepsOf(stringOf(piece["jsonPath"]) ?? "");
  const value = valueOf(piece);
  if (steps === undefined || steps.length === 0 || value === undefined) return;
  let place: Container = args;
  for (let depth = 0; depth + 1 < steps.length; depth++) {
    const step = steps[depth] as string | number;
    const known: unknown = read(place, step);
    let next: Container | undefined = Array.isArray(known)
      ? known
      : (recordOf(known) as Record<string, unknown> | undefined);
    if (next === undefined) {
      next = typeof steps[depth + 1] === "number" ? [] : {};
      write(place, step, next);
    }
    place = next;
  }
  const last = steps.at(-1) as string | number;
  const before = read(place, last);
  write(place, last, typeof before === "string" && typeof value === "string" ? before + value : value);
}

function valueOf(piece: JsonRecord): unknown {
  if (piece["nullValue"] !== undefined) return null;
  return piece["stringValue"] ?? piece["numberValue"] ?? piece["boolValue"];
}

function read(place: Container, step: string | number): unknown {
  if (Array.isArray(place)) return typeof step === "number" ? place[step] : undefined;
  return Object.hasOwn(place, step) ? place[step] : undefined;
}

function write(place: Container, step: string | number, value: unknown): void {
  if (Array.isArray(place)) {
    if (typeof step === "number") place[step] = value;
  } else place[step] = value;
}

/** `$.a[0]['b c']` as its steps; undefined for what is no such path or would reach a prototype. */
function stepsOf(path: string): (string | number)[] | undefined {
  const steps: (string | number)[] = [];
  const rest = path.replace(/^\$/, "");
  const pattern = /\.([^.[\]]+)|\[(\d+)\]|\[['"]([^'"]*)['"]\]/gy;
  let end = 0;
  for (const match of rest.matchAll(pattern)) {
    const step = match[2] === undefined ? (match[1] ?? match[3] ?? "") : Number(match[2]);
    if (typeof step === "string" ? FORBIDDEN.has(step) : step > INDEX_MAX) return undefined;
    steps.push(step);
    end = match.index + match[0].length;
  }
  return end === rest.length && steps.length <= STEPS_MAX ? steps : undefined;
}
