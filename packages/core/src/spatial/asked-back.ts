// After "which one do you mean?": the candidates are outlined and numbered in the order in which they were named, and the
// reply ("the left one", "number two") settles what was asked.
import { labelFit, normalName } from "../language/nouns.ts";
import { parseDescription } from "../language/description-grammar.ts";
import type { Command } from "../language/interpretation.ts";
import type { EntitySelector, SpatialQuery } from "../model/spatial.ts";
import { chooseOne } from "./answer-parts.ts";
import { bindSelector } from "./references.ts";
import type { RoomDeed } from "./room-deeds.ts";
import { HIGHLIGHTED_MAX, SHOWN_SECONDS } from "./room-deeds.ts";
import type { Scope } from "./scope.ts";

/** One outline and one number for each candidate; the number is its place among those named. */
export function choiceDeeds(ids: readonly string[], scope: Scope): readonly RoomDeed[] {
  const shown = ids.filter((id) => scope.room.byId.has(id)).slice(0, HIGHLIGHTED_MAX);
  return shown.flatMap((target, i): readonly RoomDeed[] => [
    { name: "highlight", args: { target, style: "outline", seconds: SHOWN_SECONDS } },
    { name: "label", args: { target, text: `${i + 1}` } },
  ]);
}

const COUNTING = ["one", "two", "three", "four", "five", "six"];
const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"];
/** "two", "the second one", "number 2", "lamp 2". */
const BY_NUMBER =
  /^(?:(?:i mean|take|it is|that is) )?(?:the )?(?:(?:one )?(?:number|label|labelled|option) |[a-z]+ (?=\d))?(?<said>\d|one|two|three|four|five|six|first|second|third|fourth|fifth|sixth|1st|2nd|3rd|[456]th)(?: one)?(?: please)?$/;

function numberIn(plain: string): number | undefined {
  const said = BY_NUMBER.exec(plain)?.groups?.["said"];
  if (said === undefined) return undefined;
  const word = Math.max(COUNTING.indexOf(said), ORDINALS.indexOf(said));
  return word >= 0 ? word + 1 : Number.parseInt(said, 10);
}

/** The candidate that a reply means; `ids` in the order in which they were named. Undefined where it tells none apart. */
export function chosenAmong(plain: string, ids: readonly string[], scope: Scope): string | undefined {
  const place = numberIn(plain);
  if (place !== undefined) return ids[place - 1];
  if (IS_NO_REPLY.test(plain)) return undefined;
  const described = parseDescription(plain.split(" "), scope.room.vocabulary).selector;
  const { attributes, relations, ordinal, facing, label } = described;
  // "The second window", said of doors, is a new question.
  if (label !== undefined && !ids.some((id) => labelFit(normalName(label), scope.room.byId.get(id)?.label ?? "") >= 1))
    return undefined;
  if (attributes === undefined && relations === undefined && ordinal === undefined) return undefined;
  const said: EntitySelector = {
    ...(attributes === undefined ? {} : { attributes }),
    ...(relations === undefined ? {} : { relations }),
    ...(ordinal === undefined ? {} : { ordinal }),
    ...(facing === undefined ? {} : { facing }),
  };
  const one = chooseOne({ ...bindSelector(said, scope, undefined), ids }, scope);
  return one.found === "one" ? one.solid.entity.id : undefined;
}

const IS_NO_REPLY =
  /^(?:what|which|where|how|who|why|is|are|do|does|can|tell|find|go|take|point|put|move|label|count|describe|highlight|show|list)\b/;

/** The command with the part that named several things settled. */
export function settleCommand(command: Command, id: string, scope: Scope): Command {
  const chosen: EntitySelector = { ids: [id] };
  if (isAmong(command.target, id, scope) || command.destination === undefined) return { ...command, target: chosen };
  return { ...command, destination: chosen };
}

/** The same question with the part that named several things settled; undefined where no part did. */
export function settleQuery(query: SpatialQuery, id: string, scope: Scope): SpatialQuery | undefined {
  const chosen: EntitySelector = { ids: [id] };
  if (query.kind === "relation") {
    const place = query.anchors.findIndex((anchor) => isAmong(anchor, id, scope));
    return place < 0 ? undefined : { ...query, anchors: query.anchors.with(place, chosen) };
  }
  if ("from" in query && !isAmong(query.to, id, scope) && isAmong(query.from, id, scope))
    return { ...query, from: chosen };
  if ((query.kind === "nearest" || query.kind === "farthest") && isAmong(query.to, id, scope))
    return { ...query, to: chosen };
  return undefined;
}

function isAmong(selector: EntitySelector | undefined, id: string, scope: Scope): boolean {
  if (selector === undefined) return false;
  const one = chooseOne(selector, scope);
  return one.found === "several" && one.candidates.some((solid) => solid.entity.id === id);
}
