// A conversation about the room: what was asked, what earlier turns leave open ("and behind it?", "the left one"), the
// answer in sentences and the deeds that go with it. Pure: state lies in the conversation itself.
import type { Command, Interpretation, Manner } from "../language/interpretation.ts";
import { phrasebookFor } from "../language/phrasebook.ts";
import { interpret, readThing } from "../language/question-grammar.ts";
import { splitRelation } from "../language/question-rules.ts";
import { tokenize } from "../language/tokens.ts";
import type { EntitySelector, SpatialQuery, SpatialQueryResult } from "../model/spatial.ts";
import type { XRContext } from "../model/xr-context.ts";
import { chooseOne } from "./answer-parts.ts";
import { choiceDeeds, chosenAmong, settleCommand, settleQuery } from "./asked-back.ts";
import type { RoomDeed } from "./room-deeds.ts";
import { deedsForAnswer, performCommand } from "./room-deeds.ts";
import { bindReferences, bindSelector } from "./references.ts";
import type { DialogueFocus } from "./references.ts";
import type { Scope } from "./scope.ts";
import { scopeOf } from "./scope.ts";
import { answerBound } from "./spatial-query.ts";

export interface RoomAnswer {
  readonly sentences: readonly string[];
  readonly deeds: readonly RoomDeed[];
  /** What was spoken of; the next turn's "it". */
  readonly focus: DialogueFocus;
  readonly result?: SpatialQueryResult;
  /** False when nothing in the words could be answered from geometry. */
  readonly isUnderstood: boolean;
}

/** What a turn leaves for the next one. */
interface Trail {
  readonly query?: SpatialQuery;
  /** The command that named several things; the reply carries it out. */
  readonly command?: Command;
  readonly focus: DialogueFocus;
  readonly isOpen: boolean;
  readonly how: Manner;
}

const NO_TRAIL: Trail = { focus: { ids: [] }, isOpen: false, how: {} };
/** Older turns than this are not spoken of any more. */
const TURNS_MAX = 6;

/**
 * Answers the last of the user's utterances. Earlier ones are read again to know what "it" is; `known` is what the caller
 * remembers of the turn before, and is better than reading again, because the user has looked elsewhere since.
 */
export function answerUtterance(context: XRContext, utterances: readonly string[], known?: DialogueFocus): RoomAnswer {
  const scope = scopeOf(context);
  let trail = NO_TRAIL;
  const earlier = utterances.slice(-TURNS_MAX - 1, -1);
  for (const [i, text] of earlier.entries()) {
    trail = respond(text, trail, scope).trail;
    if (i === earlier.length - 1 && known !== undefined && known.ids.length > 0) trail = { ...trail, focus: known };
  }
  return respond(utterances.at(-1) ?? "", trail, scope).answer;
}

interface Response {
  readonly answer: RoomAnswer;
  readonly trail: Trail;
}

function respond(text: string, trail: Trail, scope: Scope): Response {
  const read = amongThem(text, continued(text, trail, scope) ?? interpret(text, scope.room.vocabulary), trail);
  if (read.intent === "query") return respondToQuery(read.query, read, trail, scope);
  const book = phrasebookFor(scope.context.locale);
  if (read.intent === "command") return respondToCommand(read.command, trail, scope);
  const sentences = {
    help: () => book.help(),
    identity: () => book.identity(true),
    greeting: () => book.greeting(),
    thanks: () => book.thanks(),
    outside: () => book.outside(read.intent === "outside" ? read.why : "unclear"),
  }[read.intent]();
  return {
    answer: { sentences, deeds: [], focus: trail.focus, isUnderstood: read.intent !== "outside" },
    trail: { ...closed(trail), isOpen: false },
  };
}

const WHICH_OF_THEM =
  /\b(?:which|what)(?: one)?(?: of (?:them|those|these))?(?: is| are)\b|\b(?:of them|of those|of these)\b/i;

/** "Which one is the largest?" after several were spoken of: one of them is meant. */
function amongThem(text: string, read: Interpretation, trail: Trail): Interpretation {
  const { ids } = trail.focus;
  if (ids.length < 2 || read.intent !== "query" || !WHICH_OF_THEM.test(text)) return read;
  const { query } = read;
  if (query.kind !== "find" && query.kind !== "nearest" && query.kind !== "farthest" && query.kind !== "size")
    return read;
  const { target } = query;
  const isOpen =
    target.label === undefined &&
    target.ids === undefined &&
    target.reference === undefined &&
    target.anyOf === undefined &&
    target.description === undefined;
  return isOpen ? { ...read, query: { ...query, target: { ...target, among: ids } } } : read;
}

function closed({ command: _command, ...trail }: Trail): Trail {
  return trail;
}

function respondToQuery(query: SpatialQuery, how: Trail["how"], trail: Trail, scope: Scope): Response {
  const bound = bindReferences(sameAnchor(query, trail), scope, trail.focus);
  const result = answerBound(bound, scope, how);
  const isOpen = result.isAmbiguous && result.entityIds.length > 1;
  const ids = result.problem === undefined ? result.entityIds.slice(0, FOCUS_MAX) : [];
  const anchors = result.problem === undefined ? [] : anchorIds(bound, scope);
  const focus: DialogueFocus = { ids: ids.length > 0 ? ids : anchors.length > 0 ? anchors : trail.focus.ids };
  const answer: RoomAnswer = {
    sentences: split(result.answer),
    deeds: isOpen && how.isPolar !== true ? choiceDeeds(ids, scope) : deedsForAnswer(bound, result, scope),
    focus,
    result,
    isUnderstood: true,
  };
  return {
    answer,
    trail: {
      query: bound,
      focus,
      isOpen,
      how: {
        ...(how.unit === undefined ? {} : { unit: how.unit }),
        ...(how.dimension === undefined ? {} : { dimension: how.dimension }),
      },
    },
  };
}

/** "What is left of the sofa? … And to the right of it?": of the sofa, not of what was found there. */
function sameAnchor(query: SpatialQuery, trail: Trail): SpatialQuery {
  if (query.kind !== "relation" || trail.query?.kind !== "relation") return query;
  const [anchor] = query.anchors;
  const says = anchor?.reference === "it" && anchor.label === undefined && anchor.isPlural !== true;
  return says ? { ...query, anchors: trail.query.anchors } : query;
}

const FOCUS_MAX = 8;

/** "Nothing is behind the sofa": the sofa was spoken of. */
function anchorIds(query: SpatialQuery, scope: Scope): readonly string[] {
  if (query.kind !== "relation") return [];
  const ids = query.anchors.map((anchor) => chooseOne(anchor, scope)).filter((one) => one.found === "one");
  return ids.map((one) => one.solid.entity.id);
}

function respondToCommand(command: Command, trail: Trail, scope: Scope): Response {
  const bound = bindCommand(command, scope, trail.focus);
  const done = performCommand(bound, scope);
  const focus = done.ids.length > 0 ? { ids: done.ids } : trail.focus;
  return {
    answer: {
      sentences: done.sentences,
      deeds: done.isOpen ? choiceDeeds(done.ids, scope) : done.deeds,
      focus,
      isUnderstood: true,
    },
    trail: {
      how: trail.how,
      focus,
      isOpen: done.isOpen,
      ...(done.isOpen ? { command: bound } : {}),
      ...queryAfter(command, trail),
    },
  };
}

/** What "and the sofa?" goes on from after a command. */
function queryAfter(command: Command, trail: Trail): Pick<Trail, "query"> {
  const target = command.target ?? command.destination;
  if (target !== undefined) return { query: { kind: "find", target } };
  return trail.query === undefined ? {} : { query: trail.query };
}

function bindCommand(command: Command, scope: Scope, focus: DialogueFocus): Command {
  return {
    ...command,
    ...(command.target === undefined ? {} : { target: bindSelector(command.target, scope, focus) }),
    ...(command.destination === undefined ? {} : { destination: bindSelector(command.destination, scope, focus) }),
  };
}

const FOLLOW_UP = /^(?:and|what about|how about|and what about|and what is|but)\s+(?<rest>.+?)\s*\??$/i;

/** Reads an utterance that only makes sense after the one before; undefined when it stands on its own. */
function continued(text: string, trail: Trail, scope: Scope): Interpretation | undefined {
  if (trail.query === undefined) return undefined;
  const plain = tokenize(text)
    .join(" ")
    .replace(/(?: [,.!?])+$/, "");
  if (trail.isOpen) {
    const id = chosenAmong(plain, trail.focus.ids, scope);
    if (id !== undefined) return settled(id, trail.query, trail, scope);
  }
  const rest = FOLLOW_UP.exec(plain)?.groups?.["rest"];
  return rest === undefined ? undefined : followUp(rest, trail, scope);
}

function settled(id: string, query: SpatialQuery, trail: Trail, scope: Scope): Interpretation {
  if (trail.command !== undefined) return { intent: "command", command: settleCommand(trail.command, id, scope) };
  return { intent: "query", query: settleQuery(query, id, scope) ?? withTarget(query, { ids: [id] }), ...trail.how };
}

/** "and behind it?" asks the same of another place; "and the lamp?" asks the same of another thing. */
function followUp(rest: string, trail: Trail, scope: Scope): Interpretation | undefined {
  const { vocabulary } = scope.room;
  const split = splitRelation(rest);
  if (split !== undefined && !split.isBare) {
    const anchor = split.rest === "" ? { reference: "it" as const } : readThing(split.rest, vocabulary);
    if (anchor !== undefined)
      return { intent: "query", query: { kind: "relation", relation: split.relation, anchors: [anchor] } };
  }
  const thing = readThing(rest, vocabulary);
  if (thing === undefined || trail.query === undefined) return undefined;
  return { intent: "query", query: withTarget(trail.query, thing), ...trail.how };
}

/** The same question about another thing. */
function withTarget(query: SpatialQuery, target: EntitySelector): SpatialQuery {
  switch (query.kind) {
    case "distance":
    case "direction":
    case "path":
    case "line-of-sight":
      return { ...query, to: target };
    case "relation":
      return { ...query, anchors: [target] };
    case "count":
    case "size":
    case "find":
    case "nearest":
    case "farthest":
      return { ...query, target };
    case "describe":
      return { kind: "describe", about: target };
    default:
      return { kind: "find", target };
  }
}

/** Whole sentences, so that each can be spoken and committed by itself. */
function split(answer: string): readonly string[] {
  return (
    answer.match(/[^.?!]+(?:\.(?=\d)[^.?!]+)*[.?!]+/g)?.map((part) => part.trim()) ?? (answer === "" ? [] : [answer])
  );
}
