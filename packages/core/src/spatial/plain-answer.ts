// A question in words to a bare value: for batch use, for measurements and for models that call Fovea as a tool.
import type { Interpretation, LengthUnit } from "../language/interpretation.ts";
import { METRES } from "../language/measure-words.ts";
import { interpret } from "../language/question-grammar.ts";
import { phrasebookFor } from "../language/phrasebook.ts";
import { parseDescription } from "../language/description-grammar.ts";
import { tokenize } from "../language/tokens.ts";
import type { SpatialQueryResult } from "../model/spatial.ts";
import type { XRContext } from "../model/xr-context.ts";
import { finding } from "./answer-parts.ts";
import { quadrantOf } from "../language/quadrant.ts";
import { AMBIGUITY_SHARE, resolveSelector } from "./referring.ts";
import { restrictTo } from "./restrict.ts";
import { scopeOf } from "./scope.ts";
import type { Scope } from "./scope.ts";
import { answerQuery } from "./spatial-query.ts";
import { thingNames } from "./naming.ts";

export interface PlainAnswer {
  readonly result: SpatialQueryResult;
  /** The answer as a number, a name or yes / no; absent when there is none or it is ambiguous. */
  readonly value?: number | string;
  readonly unit?: LengthUnit | "m2" | "count" | "deg";
}

/** Answers a question or resolves a description. `candidates` limits what a description may refer to. */
export function answerPlainly(context: XRContext, text: string, candidates?: readonly string[]): PlainAnswer {
  const scope = scopeOf(context);
  const read = interpret(text, scope.room.vocabulary);
  const isUnclear = read.intent === "outside" && read.why === "unclear" && !QUESTION_START.test(text);
  if (isUnclear || isDescription(text, read)) return describedThing(text, read, scope, candidates);
  if (read.intent === "query") {
    const query = candidates === undefined ? read.query : restrictTo(read.query, candidates);
    const result = answerQuery(query, scope, read);
    return { result, ...valueOf(read, result, scope) };
  }
  return outside(read, scope);
}

const QUESTION_START =
  /^\s*(?:where|what|which|who|how|is|are|do|does|did|can|could|would|will|should|why|when(?! )|find out)\b/i;

/** "the chair by the door": no question word; read with all that descriptions can say. */
function isDescription(text: string, read: Interpretation): boolean {
  if (QUESTION_START.test(text)) return false;
  return read.intent === "query"
    ? read.query.kind === "find" && read.query.target.reference === undefined
    : read.intent === "command";
}

function describedThing(
  text: string,
  read: Interpretation,
  scope: Scope,
  candidates: readonly string[] | undefined,
): PlainAnswer {
  const { selector, hasName, unreadWords } = parseDescription(tokenize(text), scope.room.vocabulary);
  if (!hasName) return outside(read, scope);
  const target = candidates === undefined ? selector : { ...selector, among: candidates };
  const reference = resolveSelector(target, scope, unreadWords > 0);
  const all = reference.alternatives.map(({ id }) => id);
  if (all.length === 0) return { result: answerQuery({ kind: "find", target }, scope) };
  const least = (reference.alternatives[0]?.share ?? 0) * (1 - AMBIGUITY_SHARE);
  const tied = reference.alternatives.filter(({ share }) => share > least).map(({ id }) => id);
  const ids = reference.id === undefined ? tied : [reference.id];
  const spoken = answerQuery({ kind: "find", target: { ids } }, scope);
  const { isAmbiguous, confidence } = reference;
  return {
    result: { ...spoken, entityIds: ids, confidence, isAmbiguous },
    ...(reference.id === undefined ? {} : { value: reference.id }),
  };
}

function outside(read: Interpretation, scope: Scope): PlainAnswer {
  const book = phrasebookFor(scope.context.locale);
  const sentences = read.intent === "outside" ? book.outside(read.why) : book.help();
  return { result: { ...finding("text", { confidence: 0, basis: "rule" }), answer: sentences.join(" ") } };
}

function valueOf(read: Interpretation, result: SpatialQueryResult, scope: Scope): Omit<PlainAnswer, "result"> {
  if (read.intent !== "query") return {};
  if (read.query.kind === "count") return countValue(read, result);
  const isNone =
    result.problem === "relation-empty" || (result.problem === "class-unknown" && read.query.kind === "relation");
  if (isNone && read.isPolar === true) return { value: "no" };
  if (result.problem !== undefined || result.isAmbiguous) return {};
  const numbers = new Map(result.values.map((value) => [value.name, value.value]));
  switch (read.query.kind) {
    case "distance":
      return length(numbers.get("distance"), read.unit ?? "m");
    case "size":
      return length(numbers.get(DIMENSION[read.dimension ?? "longest"]), read.unit ?? "m");
    case "room-size":
      return { value: round(numbers.get("area") ?? 0), unit: "m2" };
    case "direction":
      return directionValue(result);
    case "line-of-sight":
      return { value: numbers.get("visible") === 1 ? "yes" : "no" };
    case "fits":
      return { value: numbers.get("fits") === 1 ? "yes" : "no" };
    case "path":
      return numbers.has("length") ? length(numbers.get("length"), "m") : { value: "no" };
    case "free-space":
      return { value: round(numbers.get("area") ?? 0), unit: "m2" };
    default:
      return named(read, result, scope);
  }
}

const DIMENSION = {
  height: "height",
  width: "width",
  length: "width",
  depth: "depth",
  longest: "longest",
  area: "longest",
} as const;

function countValue(read: Interpretation, result: SpatialQueryResult): Omit<PlainAnswer, "result"> {
  const count = result.values.find((value) => value.name === "count")?.value ?? 0;
  if (read.intent === "query" && read.query.kind === "count" && read.query.versus !== undefined) {
    return { value: result.answer.startsWith("Yes") ? "yes" : "no" };
  }
  return read.isPolar === true ? { value: count > 0 ? "yes" : "no" } : { value: count, unit: "count" };
}

function length(metres: number | undefined, unit: LengthUnit): Omit<PlainAnswer, "result"> {
  return metres === undefined ? {} : { value: round(metres / METRES[unit]), unit };
}

/** Five digits after the point: finer than any scan, and the same text on every machine. */
function round(value: number): number {
  return Math.round(value * 100_000) / 100_000;
}

function directionValue(result: SpatialQueryResult): Omit<PlainAnswer, "result"> {
  const stood = result.values.find((value) => value.name === "standpoint-bearing")?.value;
  if (stood !== undefined) return { value: quadrantOf(stood) };
  const bearing = result.values.find((value) => value.name === "bearing")?.value;
  return bearing === undefined ? {} : { value: round(bearing), unit: "deg" };
}

/** Which thing: its name. Of several kinds only one that stands out; several of one kind have one name. */
function named(read: Interpretation, result: SpatialQueryResult, scope: Scope): Omit<PlainAnswer, "result"> {
  const [id] = result.entityIds;
  if (id === undefined) return {};
  if (read.isPolar === true) return { value: result.answer.startsWith("No") ? "no" : "yes" };
  const names = thingNames(scope.room);
  const labels = new Set(result.entityIds.map((each) => labelOf(each, scope) ?? names.noun(each)));
  const [label] = labels;
  const isList =
    labels.size > 1 &&
    read.intent === "query" &&
    (read.query.kind === "visible" || read.query.kind === "describe" || read.query.kind === "relation");
  return isList || label === undefined ? {} : { value: label };
}

function labelOf(id: string, scope: Scope): string | undefined {
  return scope.room.byId.get(id)?.entity.semanticLabel;
}
