// A pixel of an image to a point of the room. In this order: the depth that belongs to the image, the triangles of the
// room, the labelled planes and boxes. Where none of them is met there is only a direction, and it says so.
import type { Ray } from "../geometry/ray.ts";
import { pointAt } from "../geometry/ray.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { ImageView, PlacedBy } from "../model/sight.ts";
import type { SceneEntity, SceneSnapshot } from "../model/spatial.ts";
import { hitEntity, hitTriangles } from "../scene/entity-hit.ts";
import { pixelRay } from "./image-view.ts";

const REACH_M = 15;
/** A picture may lie a few centimetres inside the wall it hangs on. */
const STRUCTURE_SLACK_M = 0.15;
const STRUCTURE = /^(?:wall|floor|ceiling|inner wall|invisible wall|wall face)$/;

export interface PlacedPixel {
  readonly by: PlacedBy;
  /** For `direction` a point two metres along the line of sight, which is good for an arrow and for nothing else. */
  readonly position: Vec3;
  readonly distanceM: number;
  readonly normal?: Vec3;
  /** The plane or box that was met. */
  readonly entityId?: string;
}

const DIRECTION_M = 2;

/** Only what a camera can have seen counts: things of the device, not those that an application draws or that were guessed. */
export function placePixel(view: ImageView, scene: SceneSnapshot, xPx: number, yPx: number): PlacedPixel {
  return placeRay(pixelRay(view, xPx, yPx), view, scene);
}

export function placeRay(ray: Ray, view: ImageView, scene: SceneSnapshot): PlacedPixel {
  const depthM = view.depth?.distanceAlong(ray);
  const measured: PlacedPixel | undefined =
    depthM === undefined ? undefined : { by: "depth", position: pointAt(ray, depthM), distanceM: depthM };
  // A cell of the sensor is as wide as a thumb: on an edge the finer triangles tell which side of it was meant.
  if (measured !== undefined && view.depth?.isUnsure !== true) return measured;
  return (
    hitOfTriangles(ray, scene.entities) ??
    measured ??
    hitOfLabelled(ray, scene.entities) ??
    placed("direction", ray, DIRECTION_M, undefined, undefined)
  );
}

function hitOfTriangles(ray: Ray, entities: readonly SceneEntity[]): PlacedPixel | undefined {
  let found: PlacedPixel | undefined;
  for (const entity of entities) {
    if (entity.source !== "device" || entity.surface === undefined) continue;
    const hit = hitTriangles(ray, entity, found?.distanceM ?? REACH_M);
    if (hit !== undefined) found = placed("mesh", ray, hit.distanceM, hit.normal, undefined);
  }
  return found;
}

function hitOfLabelled(ray: Ray, entities: readonly SceneEntity[]): PlacedPixel | undefined {
  let best: PlacedPixel | undefined;
  let bestRank = Infinity;
  for (const entity of entities) {
    if (entity.source !== "device" || entity.surface !== undefined || entity.semanticLabel === "global mesh") continue;
    const slack = STRUCTURE.test(entity.semanticLabel) ? STRUCTURE_SLACK_M : 0;
    const hit = hitEntity(ray, entity, Math.min(REACH_M, bestRank));
    // Who stands inside a thing does not look at it.
    if (hit === undefined || hit.distanceM === 0 || hit.distanceM + slack >= bestRank) continue;
    bestRank = hit.distanceM + slack;
    best = placed("entity", ray, hit.distanceM, hit.normal, entity.id);
  }
  return best;
}

// oxlint-disable-next-line max-params -- The members of what it makes.
function placed(
  by: PlacedBy,
  ray: Ray,
  distanceM: number,
  normal: Vec3 | undefined,
  entityId: string | undefined,
): PlacedPixel {
  return {
    by,
    position: pointAt(ray, distanceM),
    distanceM,
    ...(normal === undefined ? {} : { normal }),
    ...(entityId === undefined ? {} : { entityId }),
  };
}
