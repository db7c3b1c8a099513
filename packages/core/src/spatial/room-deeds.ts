// What is done beside what is said: a highlight on the thing spoken of, a short pulse when it was found, and the commands.
import type { Vec3 } from "../geometry/vec3.ts";
import type { Command } from "../language/interpretation.ts";
import { phrasebookFor } from "../language/phrasebook.ts";
import type { SpatialQuery, SpatialQueryResult } from "../model/spatial.ts";
import { chooseAll, chooseOne } from "./answer-parts.ts";
import { findPath } from "./navigation.ts";
import { thingNames } from "./naming.ts";
import type { Scope } from "./scope.ts";
import type { Solid } from "./solid.ts";
import { answerBound } from "./spatial-query.ts";
import { isInView } from "./visibility.ts";

/** One deed as a tool call; names and fields are those of the spatial action tools. */
export type RoomDeed =
  | {
      readonly name: "highlight";
      readonly args: { readonly target: string; readonly style: "outline" | "glow"; readonly seconds: number };
    }
  | { readonly name: "label"; readonly args: { readonly target: string; readonly text: string } }
  | { readonly name: "point"; readonly args: { readonly target: string } }
  | { readonly name: "navigate"; readonly args: { readonly target: string; readonly path: readonly Vec3[] } }
  | { readonly name: "place"; readonly args: { readonly asset: string; readonly position: Vec3 } }
  | { readonly name: "move"; readonly args: { readonly target: string; readonly position: Vec3 } }
  | { readonly name: "haptic"; readonly args: { readonly name: string; readonly hand: "left" | "right" | "both" } }
  | { readonly name: "undo"; readonly args: Readonly<Record<string, never>> };

/** More outlines than this hide what is meant. */
export const HIGHLIGHTED_MAX = 6;
export const SHOWN_SECONDS = 6;

export function deedsForAnswer(query: SpatialQuery, result: SpatialQueryResult, scope: Scope): readonly RoomDeed[] {
  if (result.problem !== undefined || result.entityIds.length === 0) return [];
  if (
    query.kind === "visible" ||
    (query.kind === "describe" && query.about === undefined) ||
    query.kind === "changed-since" ||
    query.kind === "room-size"
  )
    return [];
  const ids = result.entityIds.filter((id) => scope.room.byId.has(id)).slice(0, HIGHLIGHTED_MAX);
  const deeds: RoomDeed[] = ids.map((target): RoomDeed => ({
    name: "highlight",
    args: { target, style: "outline", seconds: SHOWN_SECONDS },
  }));
  const [first] = ids;
  const solid = first === undefined ? undefined : scope.room.byId.get(first);
  if (ids.length === 1 && solid !== undefined && scope.view.isKnown && !isInView(solid, scope))
    deeds.push({ name: "point", args: { target: solid.entity.id } });
  if (ids.length === 1 && PULSED.has(query.kind))
    deeds.push({ name: "haptic", args: { name: "confirm", hand: "both" } });
  return deeds;
}

const PULSED: ReadonlySet<SpatialQuery["kind"]> = new Set(["attended", "pointed-at", "find", "nearest", "farthest"]);

export interface Performed {
  readonly sentences: readonly string[];
  readonly deeds: readonly RoomDeed[];
  readonly ids: readonly string[];
  /** A question was asked back. */
  readonly isOpen: boolean;
}

/** References in the command are bound already. */
export function performCommand(command: Command, scope: Scope): Performed {
  const book = phrasebookFor(scope.context.locale);
  if (command.verb === "haptic") {
    return simple(book.done("haptic", ""), [
      { name: "haptic", args: { name: command.text ?? "confirm", hand: command.handedness ?? "both" } },
    ]);
  }
  if (command.verb === "undo") return simple(book.done("undo", ""), [{ name: "undo", args: {} }]);
  if (command.verb === "place") return place(command, scope);
  const { target } = command;
  if (target === undefined) return simple(book.cannot(command.verb), []);
  if (target.isPlural === true && command.verb === "highlight") return highlightAll(command, scope);
  const one = chooseOne(target, scope);
  if (one.found !== "one") {
    const result = answerBound({ kind: "size", target }, scope, {});
    return { sentences: [result.answer], deeds: [], ids: result.entityIds, isOpen: one.found === "several" };
  }
  return act(command, one.solid, scope);
}

function simple(sentence: string, deeds: readonly RoomDeed[]): Performed {
  return { sentences: [sentence], deeds, ids: [], isOpen: false };
}

function nameOf(solid: Solid, scope: Scope): string {
  return `the ${thingNames(scope.room).noun(solid.entity.id)}`;
}

function highlightAll(command: Command, scope: Scope): Performed {
  const solids = chooseAll(command.target ?? {}, scope).map(({ solid }) => solid);
  if (solids.length === 0) {
    const result = answerBound({ kind: "find", target: command.target ?? {} }, scope, {});
    return { sentences: [result.answer], deeds: [], ids: [], isOpen: false };
  }
  const ids = solids.map((solid) => solid.entity.id);
  const result = answerBound({ kind: "count", target: { ...command.target, isPlural: true } }, scope, {});
  return {
    sentences: [result.answer],
    deeds: ids
      .slice(0, 20)
      .map((target): RoomDeed => ({ name: "highlight", args: { target, style: "outline", seconds: SHOWN_SECONDS } })),
    ids,
    isOpen: false,
  };
}

function act(command: Command, solid: Solid, scope: Scope): Performed {
  const target = solid.entity.id;
  const book = phrasebookFor(scope.context.locale);
  const done = (deeds: readonly RoomDeed[]): Performed => ({
    sentences: [book.done(command.verb, nameOf(solid, scope))],
    deeds,
    ids: [target],
    isOpen: false,
  });
  switch (command.verb) {
    case "label":
      return done([{ name: "label", args: { target, text: command.text ?? thingNames(scope.room).noun(target) } }]);
    case "point":
      return done([{ name: "point", args: { target } }]);
    case "navigate":
      return navigate(solid, scope);
    case "move":
      return move(command, solid, scope);
    default:
      return done([{ name: "highlight", args: { target, style: "outline", seconds: SHOWN_SECONDS } }]);
  }
}

function navigate(solid: Solid, scope: Scope): Performed {
  const target = solid.entity.id;
  const result = answerBound({ kind: "path", to: { ids: [target] } }, scope, {});
  const path = scope.view.isKnown ? findPath(scope.room, scope.view.position, solid) : undefined;
  const deeds: readonly RoomDeed[] =
    path === undefined ? [] : [{ name: "navigate", args: { target, path: path.points } }];
  return { sentences: [result.answer], deeds, ids: [target], isOpen: false };
}

function isAt(solid: Solid, [x, y, z]: Vec3): boolean {
  const inside = (value: number, axis: 0 | 1 | 2): boolean =>
    value >= solid.min[axis] - 0.02 && value <= solid.max[axis] + 0.02;
  return inside(x, 0) && inside(z, 2) && inside(y, 1);
}

function move(command: Command, solid: Solid, scope: Scope): Performed {
  const book = phrasebookFor(scope.context.locale);
  const spot = spotFor(command, scope, solid);
  if ("sentences" in spot) return spot;
  // "Put that there" with one look for both: a thing is not put where it is.
  if (isAt(solid, spot.position))
    return { sentences: book.whereTo(), deeds: [], ids: [solid.entity.id], isOpen: false };
  return {
    sentences: [book.done("move", nameOf(solid, scope))],
    deeds: [{ name: "move", args: { target: solid.entity.id, position: spot.position } }],
    ids: [solid.entity.id],
    isOpen: false,
  };
}

function place(command: Command, scope: Scope): Performed {
  const spot = spotFor(command, scope, undefined);
  if ("sentences" in spot) return spot;
  const asset = command.text ?? "object";
  const book = phrasebookFor(scope.context.locale);
  return {
    sentences: [book.done("place", `the ${asset}`)],
    deeds: [{ name: "place", args: { asset, position: spot.position } }],
    ids: [],
    isOpen: false,
  };
}

/** Where a thing goes: the point on or beside its destination; without one, where the user points or looks. */
function spotFor(command: Command, scope: Scope, moved: Solid | undefined): { readonly position: Vec3 } | Performed {
  if (command.relation === "here" || command.destination === undefined) {
    const shown = scope.attention.filter((target) => target.hitPoint !== undefined);
    // Of two that were pointed at, the one that the word for the place was bound to.
    const hit = (shown.find((target) => target.saidAs === "place") ?? shown[0])?.hitPoint;
    if (hit !== undefined) return { position: hit };
  }
  const destination = command.destination ?? {};
  const one = chooseOne(destination, scope);
  if (one.found !== "one") {
    const result = answerBound({ kind: "size", target: destination }, scope, {});
    return { sentences: [result.answer], deeds: [], ids: result.entityIds, isOpen: one.found === "several" };
  }
  if (one.solid === moved) {
    const book = phrasebookFor(scope.context.locale);
    return { sentences: book.whereTo(), deeds: [], ids: [one.solid.entity.id], isOpen: false };
  }
  return { position: spotBy(one.solid, command.relation ?? "on", scope, moved) };
}

const BESIDE_GAP_M = 0.1;

function spotBy(
  anchor: Solid,
  relation: NonNullable<Command["relation"]>,
  scope: Scope,
  moved: Solid | undefined,
): Vec3 {
  const [x, , z] = anchor.center;
  const lift = moved === undefined ? 0 : moved.center[1] - moved.min[1];
  if (relation === "on" || relation === "here") return [x, anchor.max[1] + lift, z];
  if (relation === "under") return [x, scope.room.floorY + lift, z];
  const reach =
    Math.max(anchor.max[0] - x, anchor.max[2] - z) +
    BESIDE_GAP_M +
    (moved === undefined ? 0.2 : Math.max(moved.max[0] - moved.center[0], moved.max[2] - moved.center[2]));
  const { forward, right } = scope.view;
  const sides = {
    "left-of": [-right[0], -right[2]],
    "right-of": right.filter((_, i) => i !== 1),
    "in-front-of": [-forward[0], -forward[2]],
    behind: [forward[0], forward[2]],
  } as const;
  const [dx, dz] = relation === "next-to" || relation === "between" ? sides["right-of"] : sides[relation];
  return [x + (dx ?? 0) * reach, scope.room.floorY + lift, z + (dz ?? 0) * reach];
}
