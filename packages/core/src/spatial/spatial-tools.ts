// Spatial queries as tools for models: the model asks, Fovea measures. Definitions are in the canonical form, which the
// vendor codecs turn into those of OpenAI, Anthropic and Gemini; arguments come from models and are checked.
import type { ToolDefinition } from "../model/chat.ts";
import type { JsonSchema } from "../model/modality.ts";
import type { EntitySelector, SpatialQuery, SpatialQueryResult, SpatialRelation } from "../model/spatial.ts";
import type { XRContext } from "../model/xr-context.ts";
import { parseDescription } from "../language/description-grammar.ts";
import { tokenize } from "../language/tokens.ts";
import { roomOf } from "./room.ts";
import { handleSpatialQueries } from "./spatial-query.ts";

const THING: JsonSchema = {
  type: "string",
  maxLength: 200,
  description: 'An id from the facts, or words such as "the chair by the window".',
};
const RELATIONS: readonly SpatialRelation[] = [
  "on",
  "under",
  "above",
  "inside",
  "next-to",
  "near",
  "between",
  "left-of",
  "right-of",
  "in-front-of",
  "behind",
  "against",
];

export type SpatialToolName =
  | "room_find"
  | "room_measure"
  | "room_related"
  | "room_visible"
  | "room_path"
  | "room_fits"
  | "room_count";

export const SPATIAL_QUERY_TOOLS: readonly ToolDefinition[] = [
  tool(
    "room_find",
    "Find things in the room by description. Gives ids, distances in metres and clock directions.",
    { description: THING },
    ["description"],
  ),
  tool(
    "room_measure",
    "Distance between two things, or from the user, and the size of the first. Metres, surface to surface.",
    { target: THING, from: THING },
    ["target"],
  ),
  tool(
    "room_related",
    "Which things stand in a relation to a thing (or to the user: 'me').",
    { relation: { enum: RELATIONS }, anchor: THING, other: THING },
    ["relation", "anchor"],
  ),
  tool("room_visible", "What the user can see now, nearest first.", {}, []),
  tool(
    "room_path",
    "A walking path on the floor from the user to a thing: length in metres and corner points.",
    { target: THING },
    ["target"],
  ),
  tool(
    "room_fits",
    "Whether something of this size would stand on the free floor, near a thing if given.",
    { widthM: { type: "number" }, heightM: { type: "number" }, depthM: { type: "number" }, near: THING },
    ["widthM", "heightM", "depthM"],
  ),
  tool("room_count", "How many things of a description there are.", { description: THING }, ["description"]),
];

const NAMES: ReadonlySet<string> = new Set(SPATIAL_QUERY_TOOLS.map((definition) => definition.name));

export function isSpatialQueryTool(name: string): name is SpatialToolName {
  return NAMES.has(name);
}

/** Runs one tool call; `args` is JSON text. Never throws: what cannot be done is told in the result. */
export function performSpatialTool(
  name: SpatialToolName,
  args: string,
  context: XRContext,
): { readonly content: string; readonly isError: boolean } {
  const fields = parseFields(args);
  const query = fields === undefined ? undefined : QUERIES[name](fields, context);
  if (query === undefined)
    return { content: JSON.stringify({ error: `the arguments of ${name} are not valid` }), isError: true };
  const [result] = handleSpatialQueries(context, [query]);
  if (result === undefined) return { content: JSON.stringify({ error: "no result" }), isError: true };
  return { content: JSON.stringify(shortForm(result, context)), isError: false };
}

type Fields = Readonly<Record<string, unknown>>;

const QUERIES: Readonly<Record<SpatialToolName, (fields: Fields, context: XRContext) => SpatialQuery | undefined>> = {
  room_find: (fields, context) => withThing(fields["description"], context, (target) => ({ kind: "find", target })),
  room_count: (fields, context) => withThing(fields["description"], context, (target) => ({ kind: "count", target })),
  room_measure: (fields, context) =>
    withThing(fields["target"], context, (to) => {
      const from = thingOf(fields["from"], context);
      return from === undefined ? { kind: "distance", to } : { kind: "distance", to, from };
    }),
  room_related: (fields, context) => {
    const relation = RELATIONS.find((name) => name === fields["relation"]);
    const anchors = [fields["anchor"], fields["other"]]
      .map((value) => thingOf(value, context))
      .filter((anchor) => anchor !== undefined);
    return relation === undefined || anchors.length === 0 ? undefined : { kind: "relation", relation, anchors };
  },
  room_visible: () => ({ kind: "visible" }),
  room_path: (fields, context) => withThing(fields["target"], context, (to) => ({ kind: "path", to })),
  room_fits: (fields, context) => {
    const [width, height, depth] = ["widthM", "heightM", "depthM"].map((key) => Number(fields[key]));
    if (![width, height, depth].every((value) => value !== undefined && value > 0 && value < 100)) return undefined;
    const where = thingOf(fields["near"], context);
    return { kind: "fits", size: [width ?? 1, height ?? 1, depth ?? 1], ...(where === undefined ? {} : { where }) };
  },
};

function withThing(
  value: unknown,
  context: XRContext,
  build: (selector: EntitySelector) => SpatialQuery,
): SpatialQuery | undefined {
  const selector = thingOf(value, context);
  return selector === undefined ? undefined : build(selector);
}

function thingOf(value: unknown, context: XRContext): EntitySelector | undefined {
  if (typeof value !== "string" || value.trim() === "") return undefined;
  if (context.scene.byId.has(value)) return { ids: [value] };
  if (/^(?:me|user|the user|viewer)$/i.test(value.trim())) return { reference: "viewer" };
  const { selector, hasName } = parseDescription(tokenize(value), roomOf(context.scene).vocabulary);
  return hasName ? selector : { label: value.slice(0, 200) };
}

const LISTED_MAX = 12;

function shortForm(result: SpatialQueryResult, context: XRContext): Readonly<Record<string, unknown>> {
  const things = result.entityIds.slice(0, LISTED_MAX).map((id) => {
    const own = Object.fromEntries(
      result.values
        .filter((value) => value.entityId === id && value.name !== "rise")
        .map((value) => [`${value.name}_${value.unit}`, round(value.value)]),
    );
    return { id, label: context.scene.byId.get(id)?.semanticLabel ?? "", ...own };
  });
  const values = Object.fromEntries(
    result.values
      .filter((value) => value.entityId === undefined)
      .map((value) => [`${value.name}_${value.unit}`, round(value.value)]),
  );
  return {
    answer: result.answer,
    things,
    ...(Object.keys(values).length === 0 ? {} : { values }),
    ...(result.points === undefined ? {} : { points: result.points.map((point) => point.map(round)) }),
    ...(result.isAmbiguous ? { ambiguous: true } : {}),
    confidence: round(result.confidence),
    basis: result.basis,
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function parseFields(args: string): Fields | undefined {
  try {
    const value = JSON.parse(args === "" ? "{}" : args) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function tool(
  name: SpatialToolName,
  description: string,
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
): ToolDefinition {
  return { name, description, schema: { type: "object", properties, required, additionalProperties: false } };
}
