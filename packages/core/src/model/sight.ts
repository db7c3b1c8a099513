// What a camera saw, as values: the eye an image was taken from, boxes that models find in it, and things placed by them.
import type { Bounds } from "../geometry/bounds.ts";
import type { Pose } from "../geometry/pose.ts";
import type { Ray } from "../geometry/ray.ts";
import type { Vec3 } from "../geometry/vec3.ts";

/** Depth that belongs to an image. */
export interface DepthField {
  /** Metres along the ray to the first surface that was seen; undefined where nothing is known. */
  distanceAlong(ray: Ray): number | undefined;
  /** Whether the last distance may be another thing's. */
  readonly isUnsure: boolean;
}

/** Everything that is needed to place a pixel of one image in the room. Pixels: origin top left, x right, y down. */
export interface ImageView {
  readonly imageId: number;
  /** Exposure, on the session clock. */
  readonly atMs: number;
  /** Of the camera, in the session's reference space: looks along -Z, Y up. */
  readonly pose: Pose;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly widthPx: number;
  readonly heightPx: number;
  /** The lens is a guess of the client's: positions are as good as the guess. */
  readonly isEstimated: boolean;
  readonly depth?: DepthField;
}

/** A box in shares of the image, 0 to 1, origin top left: what every vendor's answer is turned into. */
export interface ImageBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** A box as a vision model gave it. */
export interface SeenBox {
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
  readonly box: ImageBox;
  /** What is written on it, or what it looks like, where the model said. */
  readonly text?: string;
}

/** What a position rests on, best first. */
export type PlacedBy = "depth" | "mesh" | "entity" | "direction";

/** What a model found in one image, as a thing in the room. */
export interface Sighting {
  readonly label: string;
  readonly text?: string;
  /** The model's own, lowered where the place is uncertain. */
  readonly confidence: number;
  readonly imageId: number;
  readonly atMs: number;
  readonly placedBy: PlacedBy;
  /** Middle of the side that was seen. For `direction` a point two metres along the line of sight. */
  readonly position: Vec3;
  readonly distanceM: number;
  /** An upright box around it; a thin one where it lies on a surface (a sign, a picture). */
  readonly pose: Pose;
  readonly bounds: Bounds;
  /** One standard deviation of the position. */
  readonly errorM: number;
  /** The device's own plane or box that it was seen on, or as. */
  readonly onEntityId?: string;
}
