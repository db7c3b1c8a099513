// Spatial questions, answered exactly where geometry decides. One entry for typed questions and for free text.
import { phrasebookFor } from "../language/phrasebook.ts";
import { interpret } from "../language/question-grammar.ts";
import type { Manner } from "../language/interpretation.ts";
import type { EntitySelector, SpatialQuery, SpatialQueryResult } from "../model/spatial.ts";
import type { XRContext } from "../model/xr-context.ts";
import { answerFits, answerFreeSpace, answerPath } from "./answer-floor.ts";
import {
  answerAttended,
  answerChanges,
  answerCount,
  answerExtreme,
  answerFind,
  answerPointedAt,
  answerRegion,
  answerRelation,
} from "./answer-lookup.ts";
import { answerDirection, answerDistance, answerRoomSize, answerSize } from "./answer-measure.ts";
import type { Finding } from "./answer-parts.ts";
import { finding } from "./answer-parts.ts";
import { answerDescribe, answerSight, answerVisible } from "./answer-visible.ts";
import { bindReferences } from "./references.ts";
import type { Scope } from "./scope.ts";
import { scopeOf } from "./scope.ts";
import { thingNames } from "./naming.ts";

/**
 * Specification section 2, `handleSpatialQueries`: one result for each query, in order. Pure: the same context and queries
 * give the same results. Lengths are metres between surfaces; directions are read in the viewer's frame.
 */
export function handleSpatialQueries(context: XRContext, queries: readonly SpatialQuery[]): SpatialQueryResult[] {
  const scope = scopeOf(context);
  return queries.map((query) => answerQuery(query, scope));
}

export function answerQuery(query: SpatialQuery, scope: Scope, how: Manner = {}): SpatialQueryResult {
  if (query.kind === "text") return answerText(query.text, scope);
  return answerBound(bindReferences(query, scope, undefined), scope, how);
}

/** For callers that have bound "it" and "that" already. */
export function answerBound(query: SpatialQuery, scope: Scope, how: Manner): SpatialQueryResult {
  return putIntoWords(query, find(query, scope), scope, how);
}

function putIntoWords(query: SpatialQuery, found: Finding, scope: Scope, how: Manner): SpatialQueryResult {
  const changes = query.kind === "changed-since" ? changesOf(found, scope) : [];
  const sentences = phrasebookFor(scope.context.locale).say(
    query,
    { ...found, answer: "" },
    thingNames(scope.room),
    how,
    changes,
  );
  return { ...found, answer: sentences.join(" ") };
}

function changesOf(found: Finding, scope: Scope): Scope["context"]["scene"]["changes"] {
  const since = found.values[0]?.value ?? Infinity;
  return scope.context.scene.changes.filter((change) => change.atMs >= since);
}

function answerText(text: string, scope: Scope): SpatialQueryResult {
  const read = interpret(text, scope.room.vocabulary);
  if (read.intent === "query") return { ...answerQuery(read.query, scope, read), kind: "text" };
  const book = phrasebookFor(scope.context.locale);
  const sentences =
    read.intent === "outside"
      ? book.outside(read.why)
      : read.intent === "help"
        ? book.help()
        : read.intent === "command"
          ? []
          : book.identity(true);
  const target: EntitySelector | undefined = read.intent === "command" ? read.command.target : undefined;
  const found =
    target === undefined
      ? finding("text", { confidence: 0, basis: "rule" })
      : find(bindReferences({ kind: "find", target }, scope, undefined), scope);
  return { ...found, kind: "text", answer: sentences.join(" ") };
}

function find(query: SpatialQuery, scope: Scope): Finding {
  switch (query.kind) {
    case "attended":
      return answerAttended(query, scope);
    case "pointed-at":
      return answerPointedAt(query, scope);
    case "find":
      return answerFind(query, scope);
    case "nearest":
    case "farthest":
      return answerExtreme(query, scope);
    case "distance":
      return answerDistance(query, scope);
    case "direction":
      return answerDirection(query, scope);
    case "relation":
      return answerRelation(query, scope);
    case "count":
      return answerCount(query, scope);
    case "visible":
      return answerVisible(query, scope);
    case "line-of-sight":
      return answerSight(query, scope);
    case "size":
      return answerSize(query, scope);
    case "fits":
      return answerFits(query, scope);
    case "free-space":
      return answerFreeSpace(query, scope);
    case "path":
      return answerPath(query, scope);
    case "region-contents":
      return answerRegion(query, scope);
    case "changed-since":
      return answerChanges(query, scope);
    case "describe":
      return answerDescribe(query, scope);
    case "room-size":
      return answerRoomSize(query, scope);
    case "text":
      return answerText(query.text, scope);
  }
}
