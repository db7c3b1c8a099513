// What a model found in one image, as a thing in the room: where it is, how large, and how sure that is.
import type { Bounds } from "../geometry/bounds.ts";
import type { Pose } from "../geometry/pose.ts";
import { toLocalPoint } from "../geometry/pose.ts";
import { fromYaw, IDENTITY } from "../geometry/quat.ts";
import type { Ray } from "../geometry/ray.ts";
import { pointAt } from "../geometry/ray.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { add, cross, dot, length, normalize, scale, subtract } from "../geometry/vec3.ts";
import type { ImageBox, ImageView, PlacedBy, SeenBox, Sighting } from "../model/sight.ts";
import type { SceneSnapshot } from "../model/spatial.ts";
import { pixelRay } from "./image-view.ts";
import type { PlacedPixel } from "./un-project.ts";
import { placePixel } from "./un-project.ts";

/** Samples an edge of the box: enough to tell the thing from what is seen past it. */
const SAMPLES = 5;
/** Of the box's width and height, around its middle: the corners of a box show what lies behind the thing. */
const CORE = 0.6;
/** The share of nearer samples that may be something before the thing. */
const STRAY = 0.2;
const BAND_M = 0.15;
const FLAT_M = 0.02;
const THIN_M = 0.02;
const EXTENT_MIN_M = 0.01;
const EXTENT_MAX_M = 5;
const DEPTH_SHARE: Readonly<Record<PlacedBy, number>> = { depth: 1, mesh: 0.95, entity: 0.8, direction: 0.3 };
const ERROR_M: Readonly<Record<PlacedBy, number>> = { depth: 0.02, mesh: 0.03, entity: 0.08, direction: 1.5 };
/** A guessed lens is off by about a degree and a half. */
const GUESSED_LENS = 0.026;

interface Body {
  readonly position: Vec3;
  readonly pose: Pose;
  readonly bounds: Bounds;
}

/** Undefined for a box without area. */
export function sightingOf(seen: SeenBox, view: ImageView, scene: SceneSnapshot): Sighting | undefined {
  const { box, label, text } = seen;
  if (!(box.x1 > box.x0 && box.y1 > box.y0)) return undefined;
  const samples = samplesIn(box, view, scene);
  const near = foregroundOf(samples);
  const typical = near[near.length >> 1];
  if (typical === undefined) return undefined;
  const middle = near.includes(samples[samples.length >> 1] as PlacedPixel) ? samples[samples.length >> 1] : typical;
  const body = bodyOf(box, view, near, (middle ?? typical).distanceM);
  const distanceM = length(subtract(body.position, view.pose.position));
  return {
    label: label.toLowerCase().trim(),
    ...(text === undefined || text === "" ? {} : { text }),
    confidence: Math.min(1, Math.max(0, seen.score)) * DEPTH_SHARE[typical.by],
    imageId: view.imageId,
    atMs: view.atMs,
    placedBy: typical.by,
    ...body,
    distanceM,
    errorM: ERROR_M[typical.by] + (view.isEstimated ? GUESSED_LENS * distanceM : 0),
    ...(typical.entityId === undefined ? {} : { onEntityId: typical.entityId }),
  };
}

function samplesIn(box: ImageBox, view: ImageView, scene: SceneSnapshot): readonly PlacedPixel[] {
  const samples: PlacedPixel[] = [];
  for (let row = 0; row < SAMPLES; row++) {
    for (let column = 0; column < SAMPLES; column++) {
      const [x, y] = pixelAt(box, view, within(column), within(row));
      samples.push(placePixel(view, scene, x, y));
    }
  }
  return samples;
}

/** 0 to `SAMPLES - 1` to a share of the edge, inside the core. */
function within(index: number): number {
  return 0.5 + (index / (SAMPLES - 1) - 0.5) * CORE;
}

function pixelAt({ x0, y0, x1, y1 }: ImageBox, view: ImageView, shareX: number, shareY: number): [number, number] {
  return [(x0 + (x1 - x0) * shareX) * view.widthPx, (y0 + (y1 - y0) * shareY) * view.heightPx];
}

/** The samples on the thing, nearest first: what lies far behind the nearer ones is seen past it. */
function foregroundOf(samples: readonly PlacedPixel[]): readonly PlacedPixel[] {
  const met = samples.filter((sample) => sample.by !== "direction");
  if (met.length === 0) return samples;
  const sorted = met.toSorted((a, b) => a.distanceM - b.distanceM);
  const first = sorted[Math.floor(sorted.length * STRAY)]?.distanceM ?? 0;
  // Neighbours in distance belong together: a table top runs away from the viewer without a gap.
  let last = first;
  const near: PlacedPixel[] = [];
  for (const sample of sorted) {
    if (sample.distanceM < first - BAND_M) continue;
    if (sample.distanceM > last + BAND_M) break;
    last = Math.max(last, sample.distanceM);
    near.push(sample);
  }
  return near;
}

function bodyOf(box: ImageBox, view: ImageView, near: readonly PlacedPixel[], alongM: number): Body {
  const plane = planeOf(near);
  const isSeenItself = near[0]?.by === "depth";
  if (plane !== undefined && (isSeenItself || Math.abs(plane.normal[1]) < 0.5)) {
    const flat = flatBody(box, view, plane);
    if (flat !== undefined) return flat;
  }
  if (plane !== undefined && plane.normal[1] > 0.8) {
    const standing = standingBody(box, view, plane);
    if (standing !== undefined) return standing;
  }
  const ray = rayAt(box, view, 0.5, 0.5);
  return uprightBody(box, view, pointAt(ray, alongM));
}

interface Plane {
  readonly point: Vec3;
  /** Unit, towards the camera. */
  readonly normal: Vec3;
}

/** The plane that all of the points lie on, if they do. */
function planeOf(near: readonly PlacedPixel[]): Plane | undefined {
  if (near.length < 6) return undefined;
  const point = scale(
    near.reduce<Vec3>((sum, sample) => add(sum, sample.position), [0, 0, 0]),
    1 / near.length,
  );
  const normal = normalOf(near, point);
  if (normal === undefined) return undefined;
  const isFlat = near.every((sample) => Math.abs(dot(subtract(sample.position, point), normal)) < FLAT_M);
  return isFlat ? { point, normal } : undefined;
}

/** What the surfaces say of themselves, else from the two longest spokes around the middle. */
function normalOf(near: readonly PlacedPixel[], point: Vec3): Vec3 | undefined {
  const told = near.map((sample) => sample.normal).filter((one) => one !== undefined);
  if (told.length === near.length) {
    const mean = normalize(told.reduce<Vec3>((sum, one) => add(sum, one), [0, 0, 0]));
    return length(mean) === 0 ? undefined : mean;
  }
  let best: Vec3 = [0, 0, 0];
  for (let i = 0; i < near.length; i++) {
    for (let j = i + 1; j < near.length; j++) {
      const one = cross(
        subtract((near[i] as PlacedPixel).position, point),
        subtract((near[j] as PlacedPixel).position, point),
      );
      if (length(one) > length(best)) best = one;
    }
  }
  return length(best) < 1e-8 ? undefined : normalize(best);
}

function rayAt(box: ImageBox, view: ImageView, shareX: number, shareY: number): Ray {
  return pixelRay(view, ...pixelAt(box, view, shareX, shareY));
}

function meet(ray: Ray, { point, normal }: Plane): Vec3 | undefined {
  const towards = dot(ray.direction, normal);
  const distanceM = dot(subtract(point, ray.origin), normal) / towards;
  return Math.abs(towards) > 0.05 && distanceM > 0 && distanceM < 50 ? pointAt(ray, distanceM) : undefined;
}

/** A sign, a picture, a sheet of paper: its edges are where the box's lines of sight meet the surface. */
function flatBody(box: ImageBox, view: ImageView, plane: Plane): Body | undefined {
  const middle = meet(rayAt(box, view, 0.5, 0.5), plane);
  const left = meet(rayAt(box, view, 0, 0.5), plane);
  const right = meet(rayAt(box, view, 1, 0.5), plane);
  const top = meet(rayAt(box, view, 0.5, 0), plane);
  const bottom = meet(rayAt(box, view, 0.5, 1), plane);
  if (middle === undefined || left === undefined || right === undefined || top === undefined || bottom === undefined)
    return undefined;
  const wide = extent(length(subtract(right, left)));
  const high = extent(length(subtract(top, bottom)));
  if (Math.abs(plane.normal[1]) > 0.8) {
    // Lies on something: as wide as it looks, turned as the viewer stands.
    const away = subtract(top, bottom);
    const pose = { position: middle, orientation: fromYaw(Math.atan2(-away[0], -away[2])) };
    return { position: middle, pose, bounds: boxAround(wide, THIN_M, high) };
  }
  const orientation = fromYaw(Math.atan2(plane.normal[0], plane.normal[2]));
  return { position: middle, pose: { position: middle, orientation }, bounds: boxAround(wide, high, THIN_M) };
}

/** Nothing but the surface under the thing is known: it stands where its lower edge meets that. */
function standingBody(box: ImageBox, view: ImageView, plane: Plane): Body | undefined {
  const foot = meet(rayAt(box, view, 0.5, 0.97), plane);
  if (foot === undefined) return undefined;
  const away: Vec3 = [foot[0] - view.pose.position[0], 0, foot[2] - view.pose.position[2]];
  if (length(away) < 0.05) return undefined;
  const upright: Plane = { point: foot, normal: normalize(away) };
  const middle = meet(rayAt(box, view, 0.5, 0.5), upright);
  return middle === undefined ? undefined : uprightBody(box, view, middle);
}

function uprightBody(box: ImageBox, view: ImageView, position: Vec3): Body {
  const depthM = Math.max(EXTENT_MIN_M, -toLocalPoint(view.pose, position)[2]);
  const wide = extent((((box.x1 - box.x0) * view.widthPx) / view.fx) * depthM);
  const high = extent((((box.y1 - box.y0) * view.heightPx) / view.fy) * depthM);
  const deep = Math.min(wide, high);
  const away = subtract(position, view.pose.position);
  const flat = Math.hypot(away[0], away[2]);
  if (flat < 0.05) return { position, pose: { position, orientation: IDENTITY }, bounds: boxAround(wide, deep, high) };
  const toward: Vec3 = [-away[0] / flat, 0, -away[2] / flat];
  const center = add(position, scale(toward, -deep / 2));
  const orientation = fromYaw(Math.atan2(toward[0], toward[2]));
  return { position, pose: { position: center, orientation }, bounds: boxAround(wide, high, deep) };
}

function extent(valueM: number): number {
  return Math.min(EXTENT_MAX_M, Math.max(EXTENT_MIN_M, valueM));
}

function boxAround(x: number, y: number, z: number): Bounds {
  return { min: [-x / 2, -y / 2, -z / 2], max: [x / 2, y / 2, z / 2] };
}
