// How a model that sees points at things: it marks a box in the image of the turn, and Fovea places the mark in the room
// with the image's own pose, however long the model took.
import { forwardOf } from "../geometry/pose.ts";
import type { ToolCall, ToolDefinition } from "../model/chat.ts";
import type { ImageBox, ImageView, Sighting } from "../model/sight.ts";
import type { XRContext } from "../model/xr-context.ts";
import { bearingRad, clockHour, viewpoint } from "../spatial/viewpoint.ts";
import { sightingOf } from "../vision/sighting.ts";

/** As vision models know boxes: [ymin, xmin, ymax, xmax] in thousandths of the image. */
const SCALE = 1_000;
const MARKS_MAX = 12;
const TEXT_MAX = 500;
const POINT_HALF = 0.01;

export const MARK_TOOL: ToolDefinition = {
  name: "mark_in_image",
  description:
    "Mark something that you see in the image, so that the user sees in the room which one is meant. Use it for whatever " +
    "you name from the image that is not among the entities of the facts.",
  schema: {
    type: "object",
    properties: {
      label: { type: "string", maxLength: 60, description: "What it is, one or two words." },
      box_2d: {
        type: "array",
        items: { type: "number" },
        minItems: 4,
        maxItems: 4,
        description: "[ymin, xmin, ymax, xmax] normalised to 0-1000.",
      },
      text: { type: "string", maxLength: TEXT_MAX, description: "What is written on it, word for word." },
    },
    required: ["label", "box_2d"],
    additionalProperties: false,
  },
};

export type MarkReply =
  | { readonly kind: "marked"; readonly sighting: Sighting; readonly text: string }
  | { readonly kind: "refused"; readonly text: string };

/** The marks of one turn. */
export class SightMarks {
  readonly #view: ImageView;
  readonly #context: XRContext;
  #marks = 0;

  /** `context` is the context as the vendor may know it: what is told back says no more than that. */
  constructor(view: ImageView, context: XRContext) {
    this.#view = view;
    this.#context = context;
  }

  /** Undefined where the call is another tool's. Never throws. `scene` is the room as it is, not as the vendor knows it. */
  reply(call: ToolCall, scene: XRContext["scene"]): MarkReply | undefined {
    if (call.name !== MARK_TOOL.name) return undefined;
    if (++this.#marks > MARKS_MAX) return refused(`at most ${MARKS_MAX} marks`);
    const fields = parseObject(call.args);
    const label = fields?.["label"];
    const box = boxFrom(fields?.["box_2d"] ?? fields?.["point_2d"] ?? fields?.["point"]);
    if (typeof label !== "string" || label.trim() === "") return refused("mark_in_image needs a label");
    if (box === undefined) return refused("box_2d must be [ymin, xmin, ymax, xmax] from 0 to 1000, with an area");
    const text = fields?.["text"];
    const words = typeof text === "string" ? { text: text.slice(0, TEXT_MAX) } : {};
    const sighting = sightingOf({ label: label.slice(0, 60), score: 0.9, box, ...words }, this.#view, scene);
    if (sighting === undefined) return refused("the box has no area");
    return { kind: "marked", sighting, text: this.#placeInWords(sighting) };
  }

  #placeInWords({ label, placedBy, position, onEntityId }: Sighting): string {
    const { consent, viewer } = this.#context;
    if (placedBy === "direction") return `marked the direction of the ${label}; how far it is, is not known`;
    const known = consent.head && consent.room !== "none" && consent.room !== "labels" && viewer.isTracked;
    if (!known) return `marked the ${label}`;
    const [x, y, z] = position;
    const [vx, vy, vz] = viewer.pose.position;
    const distanceM = Math.hypot(x - vx, y - vy, z - vz);
    const facing = viewpoint(viewer.pose.position, forwardOf(viewer.pose), true);
    const hour = clockHour(bearingRad(facing, position));
    const on = onEntityId === undefined ? "" : `, at entity ${onEntityId}`;
    return `marked the ${label}: ${distanceM.toFixed(1)} m from the user, ${hour} o'clock${on}`;
  }
}

function refused(text: string): MarkReply {
  return { kind: "refused", text };
}

/** A box, or a point, which becomes a small box. Corners in any order; what lies outside the image is cut off. */
function boxFrom(value: unknown): ImageBox | undefined {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "number" && Number.isFinite(item)))
    return undefined;
  const share = (item: unknown): number => Math.min(1, Math.max(0, Number(item) / SCALE));
  if (value.length === 2) {
    const [y, x] = value.map(share) as [number, number];
    return { x0: x - POINT_HALF, y0: y - POINT_HALF, x1: x + POINT_HALF, y1: y + POINT_HALF };
  }
  if (value.length !== 4) return undefined;
  const [ya, xa, yb, xb] = value.map(share) as [number, number, number, number];
  const box = { x0: Math.min(xa, xb), y0: Math.min(ya, yb), x1: Math.max(xa, xb), y1: Math.max(ya, yb) };
  return box.x1 > box.x0 && box.y1 > box.y0 ? box : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
