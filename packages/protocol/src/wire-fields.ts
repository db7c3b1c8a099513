// Readers of the nouns that several messages share.

import type { OutputState, WirePreferences } from "./preferences.ts";
import { SENSE_LEVELS } from "./preferences.ts";
import type { WireConsent } from "./consent.ts";
import { HAND_LEVELS, ROOM_LEVELS } from "./consent.ts";
import type { FieldReader, Fields } from "./field-reader.ts";
import { present } from "./field-reader.ts";
import { HANDEDNESSES, TARGET_RAY_MODES } from "./input-source.ts";
import type { InputSourceDescription } from "./input-source.ts";
import { LIMITS } from "./limits.ts";
import type { SceneMove, SceneNode, SceneUpdateMessage } from "./scene-node.ts";
import { NODE_KINDS } from "./scene-node.ts";

/** Client times: milliseconds since the page began, or since 1970 where a client has no better clock. */
const TIME_MS_MAX = 1e14;

export function readTime(reader: FieldReader, from: Fields, key: string): number {
  return reader.number(from, key, 0, TIME_MS_MAX);
}

export function readConsent(reader: FieldReader, fields: Fields): WireConsent {
  return {
    head: reader.boolean(fields, "head"),
    hands: reader.oneOf(fields, "hands", HAND_LEVELS),
    room: reader.oneOf(fields, "room", ROOM_LEVELS),
    camera: reader.boolean(fields, "camera"),
    audio: reader.boolean(fields, "audio"),
    // Absent in clients that cannot know of eyes.
    eyes: reader.optional(fields, "eyes", (from, key) => reader.boolean(from, key)) ?? false,
  };
}

export function readInputSources(reader: FieldReader, from: Fields, key: string): InputSourceDescription[] {
  const seen = new Set<number>();
  return reader.objects(from, key, LIMITS.inputSourcesMax, (fields) => {
    const source = readInputSource(reader, fields);
    reader.distinct(seen, source.id, "id");
    return source;
  });
}

function readInputSource(reader: FieldReader, fields: Fields): InputSourceDescription {
  return {
    id: reader.integer(fields, "id", 0, 255),
    handedness: reader.oneOf(fields, "handedness", HANDEDNESSES),
    targetRayMode: reader.oneOf(fields, "targetRayMode", TARGET_RAY_MODES),
    profiles: reader.strings(fields, "profiles", LIMITS.profilesMax, LIMITS.labelCharactersMax),
    hand: reader.boolean(fields, "hand"),
    buttons: reader.integer(fields, "buttons", 0, LIMITS.buttonsMax),
    axes: reader.integer(fields, "axes", 0, LIMITS.axesMax),
    haptics: reader.object(fields, "haptics", (haptics) => ({
      pulse: reader.boolean(haptics, "pulse"),
      effects: reader.strings(haptics, "effects", LIMITS.hapticEffectsMax, LIMITS.labelCharactersMax),
      actuators: reader.integer(haptics, "actuators", 0, LIMITS.hapticActuatorsMax),
    })),
  };
}

export function readSceneUpdate(reader: FieldReader, fields: Fields): SceneUpdateMessage {
  const seen = new Set<string>();
  const count = LIMITS.sceneNodesPerUpdateMax;
  const withDistinctId = <T extends { readonly id: string }>(node: T): T => {
    reader.distinct(seen, node.id, "id");
    return node;
  };
  const removed = new Set<string>();
  return present({
    type: "scene.update" as const,
    frame: reader.oneOf(fields, "frame", ["local-floor"]),
    full: reader.optional(fields, "full", (from, key) => reader.boolean(from, key)),
    remove: reader.list(fields, "remove", count, (from, key) => {
      const id = reader.id(from, key);
      reader.distinct(removed, id, key);
      return id;
    }),
    add: reader.objects(fields, "add", count, (node) => withDistinctId(readSceneNode(reader, node))),
    update: reader.objects(fields, "update", count, (node) =>
      withDistinctId(Object.hasOwn(node, "kind") ? readSceneNode(reader, node) : readSceneMove(reader, node)),
    ),
  });
}

function readSceneMove(reader: FieldReader, fields: Fields): SceneMove {
  return { id: reader.id(fields, "id"), pose: reader.pose(fields, "pose") };
}

function readSceneNode(reader: FieldReader, fields: Fields): SceneNode {
  const text = (key: string, max: number): string | undefined =>
    reader.optional(fields, key, (from, name) => reader.string(from, name, max));
  const node = present({
    id: reader.id(fields, "id"),
    ref: reader.integer(fields, "ref", 0, 0xffff_ffff),
    kind: reader.oneOf(fields, "kind", NODE_KINDS),
    semanticLabel: reader.string(fields, "semanticLabel", LIMITS.labelCharactersMax),
    name: text("name", LIMITS.nameCharactersMax),
    role: text("role", LIMITS.labelCharactersMax),
    description: text("description", LIMITS.textCharactersMax),
    pose: reader.pose(fields, "pose"),
    bounds: reader.optional(fields, "bounds", (from, key) =>
      reader.object(from, key, (bounds) => readBounds(reader, bounds)),
    ),
    polygon: reader.optional(fields, "polygon", (from, key) => readPolygon(reader, from, key)),
    orientation: reader.optional(fields, "orientation", (from, key) =>
      reader.oneOf(from, key, ["horizontal", "vertical"] as const),
    ),
    lod: reader.optional(fields, "lod", (from, key) => reader.integer(from, key, 0, 255)),
    hash: reader.string(fields, "hash", LIMITS.idCharactersMax),
    affordances: reader.optional(fields, "affordances", (from, key) =>
      reader.strings(from, key, LIMITS.affordancesMax, LIMITS.labelCharactersMax),
    ),
    text: text("text", LIMITS.textCharactersMax),
  });
  if (node.bounds === undefined && node.polygon === undefined && node.kind !== "anchor")
    reader.fail("missing", "bounds", "expected bounds or a polygon");
  return node;
}

export function readBounds(reader: FieldReader, fields: Fields): NonNullable<SceneNode["bounds"]> {
  const bounds = { min: reader.vec3(fields, "min"), max: reader.vec3(fields, "max") };
  for (let axis = 0; axis < 3; axis++) {
    if ((bounds.min[axis] ?? 0) > (bounds.max[axis] ?? 0))
      reader.fail("out_of_range", "min", "expected min to be at most max on every axis");
  }
  return bounds;
}

function readPolygon(reader: FieldReader, from: Fields, key: string): (readonly [number, number])[] {
  const corners = reader.list(from, key, LIMITS.polygonCornersMax, (holder, index): readonly [number, number] => {
    const pair = reader.list(holder, index, 2, (item, axis) =>
      reader.number(item, axis, -LIMITS.positionMaxM, LIMITS.positionMaxM),
    );
    if (pair.length < 2) reader.fail("out_of_range", index, "expected x and z");
    return [pair[0] ?? 0, pair[1] ?? 0];
  });
  if (corners.length < 3) reader.fail("out_of_range", key, "expected at least three corners");
  return corners;
}

export function readPreferences(reader: FieldReader, from: Fields, key: string): WirePreferences {
  return reader.object(from, key, (fields) =>
    present({
      sight: reader.optional(fields, "sight", (f, k) => reader.oneOf(f, k, SENSE_LEVELS)),
      hearing: reader.optional(fields, "hearing", (f, k) => reader.oneOf(f, k, SENSE_LEVELS)),
      touch: reader.optional(fields, "touch", (f, k) => reader.boolean(f, k)),
      captions: reader.optional(fields, "captions", (f, k) => reader.boolean(f, k)),
    }),
  );
}

export function readOutputState(reader: FieldReader, from: Fields, key: string): OutputState {
  return reader.object(from, key, (fields) =>
    present({
      muted: reader.boolean(fields, "muted"),
      headphones: reader.optional(fields, "headphones", (f, k) => reader.boolean(f, k)),
    }),
  );
}
