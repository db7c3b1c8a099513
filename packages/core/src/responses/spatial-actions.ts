// What a model may do in the room, as tools. Arguments come from models: every field is checked, and a target that is
// not an id of the scene is tried as a label before the action is refused.
import type { Pose } from "../geometry/pose.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { SpatialAction } from "../model/answer-part.ts";
import type { ToolDefinition } from "../model/chat.ts";
import type { JsonSchema } from "../model/modality.ts";
import type { SceneSnapshot } from "../model/spatial.ts";
import { HAPTIC_EFFECTS } from "./haptic-library.ts";
import type { HapticDeed } from "./haptic-schema.ts";
import { HAPTIC_TOOL_SCHEMA, readHapticArguments } from "./haptic-schema.ts";

export type SpatialActionName = "highlight" | "label" | "point" | "navigate" | "place" | "move" | "haptic";

const TARGET = { type: "string", description: "Id of an entity in the scene, as given in the facts." } as const;
const POSITION = {
  type: "array",
  items: { type: "number" },
  minItems: 3,
  maxItems: 3,
  description: "Metres in the room: x right, y up, z towards the viewer's starting place.",
} as const;
const YAW = { type: "number", description: "Turn about the vertical axis, degrees, counter-clockwise from above." };

export const SPATIAL_ACTION_TOOLS: readonly ToolDefinition[] = [
  tool("highlight", "Outline an entity so that the user sees which one is meant. Use it whenever you speak of one.", {
    target: TARGET,
    position: POSITION,
    radiusM: { type: "number", exclusiveMinimum: 0 },
    style: { enum: ["outline", "glow", "arrow"] },
    seconds: { type: "number", exclusiveMinimum: 0, maximum: 60 },
  }),
  tool("label", "Put a short text at an entity.", { target: TARGET, text: { type: "string", maxLength: 200 } }, [
    "target",
    "text",
  ]),
  tool("point", "Show the direction to an entity that may be out of view.", { target: TARGET }, ["target"]),
  tool("navigate", "Show a way on the floor to an entity or along points.", {
    target: TARGET,
    path: { type: "array", items: POSITION, maxItems: 64 },
  }),
  tool(
    "place",
    "Put a new object of the application into the room.",
    { asset: { type: "string", maxLength: 500 }, position: POSITION, yawDeg: YAW },
    ["asset", "position"],
  ),
  tool("move", "Move an object of the application.", { target: TARGET, position: POSITION, yawDeg: YAW }, [
    "target",
    "position",
  ]),
  {
    name: "haptic",
    description: `Let the user feel something: a named effect, or a touch of your own. Effects: ${HAPTIC_EFFECTS.map((effect) => `${effect.name} (${effect.meaning})`).join("; ")}`,
    schema: HAPTIC_TOOL_SCHEMA,
  },
];

const NAMES = new Set(SPATIAL_ACTION_TOOLS.map((definition) => definition.name));

export function isSpatialAction(name: string): name is SpatialActionName {
  return NAMES.has(name);
}

export type ActionReading =
  | { readonly kind: "action"; readonly action: SpatialAction }
  /** `target`: the entity that the touch tells of; the hand that was named outranks its side. */
  | {
      readonly kind: "haptic";
      readonly haptic: HapticDeed;
      readonly target?: string;
      readonly isHandNamed: boolean;
    }
  | { readonly kind: "refused"; readonly reason: string };

/** Never throws: what cannot be done is refused with a reason that a model can act on. `args` is complete JSON text. */
export function parseSpatialAction(name: SpatialActionName, args: string, scene: SceneSnapshot): ActionReading {
  const fields = parseObject(args);
  if (fields === undefined) return refused("the arguments are not a JSON object");
  const named = fields["target"] ?? fields["entityId"] ?? fields["entity_id"] ?? fields["id"];
  const target = typeof named === "string" ? findTarget(named, scene) : undefined;
  if (typeof named === "string" && target === undefined)
    return refused(`there is no '${named.slice(0, 80)}' in the scene`);
  return name === "haptic" ? parseHaptic(fields, target) : READERS[name](fields, target);
}

type Fields = Readonly<Record<string, unknown>>;
type Reader = (fields: Fields, target: string | undefined) => ActionReading;

const READERS: Readonly<Record<Exclude<SpatialActionName, "haptic">, Reader>> = {
  highlight(fields, target) {
    const position = vectorOf(fields["position"]);
    if (target === undefined && position === undefined) return refused("highlight needs a target or a position");
    const style = fields["style"] === "glow" || fields["style"] === "arrow" ? fields["style"] : "outline";
    const seconds = numberOf(fields["seconds"], 0.1, 60) ?? 4;
    const radiusM = numberOf(fields["radiusM"], 0.01, 20);
    return act({
      kind: "highlight",
      style,
      ttlMs: seconds * 1_000,
      ...(target === undefined ? {} : { target }),
      ...(position === undefined ? {} : { position }),
      ...(radiusM === undefined ? {} : { radiusM }),
    });
  },
  label(fields, target) {
    const text = fields["text"];
    if (target === undefined || typeof text !== "string") return refused("label needs a target and a text");
    return act({ kind: "label", target, text: text.slice(0, 200) });
  },
  point(_fields, target) {
    return target === undefined ? refused("point needs a target") : act({ kind: "point", target });
  },
  navigate(fields, target) {
    const points = Array.isArray(fields["path"]) ? fields["path"].slice(0, 64).map(vectorOf) : [];
    const path = points.filter((point) => point !== undefined);
    if (path.length < points.length) return refused("every point of a path is three finite numbers");
    if (target === undefined && path.length === 0) return refused("navigate needs a target or a path");
    return act({ kind: "navigate", path, ...(target === undefined ? {} : { target }) });
  },
  place(fields) {
    const { asset } = fields;
    const pose = poseOf(fields);
    if (typeof asset !== "string" || asset === "" || pose === undefined)
      return refused("place needs asset and position");
    return act({ kind: "place", asset: asset.slice(0, 500), pose });
  },
  move(fields, target) {
    const pose = poseOf(fields);
    if (target === undefined || pose === undefined) return refused("move needs a target and a position");
    return act({ kind: "move", target, pose });
  },
};

function parseHaptic(fields: Fields, target: string | undefined): ActionReading {
  const haptic = readHapticArguments(fields);
  if (typeof haptic === "string") return refused(haptic);
  const isHandNamed = haptic.handedness !== "both" || (fields["hand"] ?? fields["handedness"]) === "both";
  return { kind: "haptic", haptic, isHandNamed, ...(target === undefined ? {} : { target }) };
}

/** An id first; else the one entity with that label or name. Two of a kind are no target: a guess would be shown as fact. */
function findTarget(named: string, scene: SceneSnapshot): string | undefined {
  if (scene.byId.has(named)) return named;
  const wanted = named.toLowerCase().trim();
  const matches = scene.entities.filter(
    (entity) => entity.semanticLabel === wanted || entity.name?.toLowerCase() === wanted,
  );
  return matches.length === 1 ? matches[0]?.id : undefined;
}

function parseObject(text: string): Fields | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function vectorOf(value: unknown): Vec3 | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [x, y, z] = value as unknown[];
  if (typeof x !== "number" || typeof y !== "number" || typeof z !== "number") return undefined;
  // A room is not larger than this; a model that says otherwise is wrong by units.
  return [x, y, z].every((item) => Number.isFinite(item) && Math.abs(item) <= 1_000) ? [x, y, z] : undefined;
}

function poseOf(fields: Fields): Pose | undefined {
  const position = vectorOf(fields["position"]);
  if (position === undefined) return undefined;
  const half = ((numberOf(fields["yawDeg"], -360, 360) ?? 0) * Math.PI) / 360;
  return { position, orientation: [0, Math.sin(half), 0, Math.cos(half)] };
}

function numberOf(value: unknown, min: number, max: number): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : undefined;
}

function act(action: SpatialAction): ActionReading {
  return { kind: "action", action };
}

function refused(reason: string): ActionReading {
  return { kind: "refused", reason };
}

function tool(
  name: SpatialActionName,
  description: string,
  properties: JsonSchema,
  required: string[] = [],
): ToolDefinition {
  return { name, description, schema: { type: "object", properties, required, additionalProperties: false } };
}
