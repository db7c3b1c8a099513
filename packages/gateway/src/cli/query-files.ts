// Scene and viewer of `fovea query` as files and lines give them, checked. Documented in docs/spec/spatial.md.
import type { PlainObject, Pose, SceneSnapshot, UpAxis, Vec3 } from "@fovea/core";
import { buildPlainScene, toUpY } from "@fovea/core";
import { z } from "zod";

const point = z.tuple([z.number(), z.number(), z.number()]);

const sceneFile = z.object({
  entities: z
    .array(
      z.object({
        id: z.union([z.string(), z.number()]).transform(String),
        label: z.string().min(1).max(200),
        center: point,
        size: z.tuple([z.number().nonnegative(), z.number().nonnegative(), z.number().nonnegative()]),
        yaw: z.number().nullish(),
        front: point.nullish(),
        name: z.string().max(200).nullish(),
        description: z.string().max(2_000).nullish(),
      }),
    )
    .max(20_000),
  up: z.enum(["y", "z"]).default("y"),
});

/** Where someone stands and looks: by `orientation` (y up only), by `direction`, or by `yaw`. */
export const viewerSchema = z.object({
  position: point,
  orientation: z.tuple([z.number(), z.number(), z.number(), z.number()]).nullish(),
  direction: point.nullish(),
  yaw: z.number().nullish(),
});

export type ViewerInput = z.infer<typeof viewerSchema>;

export const questionSchema = z.object({
  id: z.union([z.string(), z.number()]).nullish(),
  question: z.string().max(4_000),
  viewer: viewerSchema.nullish(),
  candidates: z.array(z.union([z.string(), z.number()]).transform(String)).nullish(),
});

export interface QueryScene {
  readonly snapshot: SceneSnapshot;
  readonly up: UpAxis;
}

/** Throws an Error that names the field. */
export function parseSceneFile(value: unknown): QueryScene {
  const read = sceneFile.safeParse(value);
  if (!read.success) throw new Error(issueText(read.error));
  const { entities, up } = read.data;
  const seen = new Set<string>();
  for (const { id } of entities) {
    if (seen.has(id)) throw new Error(`entities: the id '${id}' is there twice`);
    seen.add(id);
  }
  const objects = entities.map(({ id, label, center, size, yaw, front, name, description }): PlainObject => ({
    id,
    label,
    center,
    size,
    ...(typeof yaw === "number" ? { yaw } : {}),
    ...(front === null || front === undefined ? {} : { front }),
    ...(typeof name === "string" ? { name } : {}),
    ...(typeof description === "string" ? { description } : {}),
  }));
  return { snapshot: buildPlainScene(objects, up), up };
}

export function issueText(error: z.ZodError): string {
  const [first] = error.issues;
  return first === undefined ? "invalid" : `${first.path.join(".") || "line"}: ${first.message}`;
}

/** A yaw of 0 looks along -Z where y is up (as WebXR does) and along +x where z is up (as robotics does). */
export function viewerPose(viewer: ViewerInput, up: UpAxis): Pose {
  const position = toUpY(viewer.position, up);
  if (up === "y" && viewer.orientation !== null && viewer.orientation !== undefined) {
    return { position, orientation: viewer.orientation };
  }
  return { position, orientation: lookingAlong(directionOf(viewer, up)) };
}

function directionOf(viewer: ViewerInput, up: UpAxis): Vec3 {
  if (viewer.direction !== null && viewer.direction !== undefined) return toUpY(viewer.direction, up);
  const yaw = viewer.yaw ?? 0;
  return up === "z" ? toUpY([Math.cos(yaw), Math.sin(yaw), 0], "z") : [-Math.sin(yaw), 0, -Math.cos(yaw)];
}

/** Turn about Y, then tilt about X, so that -Z points along the direction. */
function lookingAlong(direction: Vec3): Pose["orientation"] {
  const yaw = Math.atan2(-direction[0], -direction[2]);
  const pitch = Math.atan2(direction[1], Math.hypot(direction[0], direction[2]));
  const [sy, cy, sp, cp] = [Math.sin(yaw / 2), Math.cos(yaw / 2), Math.sin(pitch / 2), Math.cos(pitch / 2)];
  return [cy * sp, sy * cp, -sy * sp, cy * cp];
}
