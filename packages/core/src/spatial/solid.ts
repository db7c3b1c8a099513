// Entities prepared for geometry: an oriented box with its axes, the box around it in the room's axes, and its outline on
// the floor. Prepared once per scene version; every question then reads numbers only.
import { boundsCenter } from "../geometry/bounds.ts";
import { transformPoint } from "../geometry/pose.ts";
import { rotate } from "../geometry/quat.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { normalName } from "../language/nouns.ts";
import type { SceneEntity } from "../model/spatial.ts";

/** A point of an outline: x and z on the floor. */
export type PlanPoint = readonly [x: number, z: number];

export interface Solid {
  readonly entity: SceneEntity;
  readonly index: number;
  /** Label in normal form, and the name an application gave. */
  readonly label: string;
  readonly name: string;
  /** Label as the source wrote it, in lower case with blanks. */
  readonly rawLabel: string;
  readonly center: Vec3;
  /** Half edge lengths along `axes`. */
  readonly half: Vec3;
  readonly axes: readonly [Vec3, Vec3, Vec3];
  /** The axes are the room's: closed forms replace the general case. */
  readonly isAligned: boolean;
  readonly min: Vec3;
  readonly max: Vec3;
  readonly corners: readonly Vec3[];
  /** Convex, counter-clockwise seen from above (x to the right, z towards the reader). */
  readonly outline: readonly PlanPoint[];
  readonly outlineArea: number;
  readonly volume: number;
  /** Walls, floor and ceiling are the room, not things in it. */
  readonly isStructure: boolean;
  /** Unit direction on the floor in which it faces, where known. */
  readonly facing: Vec3 | undefined;
}

const STRUCTURE: ReadonlySet<string> = new Set([
  "wall",
  "floor",
  "ceiling",
  "wall face",
  "invisible wall face",
  "inner wall",
  "room",
  "shower wall",
  "closet wall",
]);
/** Meshes of the whole room are not things that can be asked about. */
const NOT_THINGS: ReadonlySet<string> = new Set(["global mesh", "room mesh", "scene mesh"]);

/** Flat things still have a body: a plane is taken as 1 mm thick, so that no volume and no area is zero. */
const THICKNESS_MIN_M = 0.001;

export function isThing(entity: SceneEntity): boolean {
  return !NOT_THINGS.has(normalName(entity.semanticLabel));
}

export function buildSolid(entity: SceneEntity, index: number): Solid {
  const { pose, bounds } = entity;
  const half: Vec3 = [
    halfOf(bounds.max[0], bounds.min[0]),
    halfOf(bounds.max[1], bounds.min[1]),
    halfOf(bounds.max[2], bounds.min[2]),
  ];
  const center = transformPoint(pose, boundsCenter(bounds));
  const q = pose.orientation;
  const axes: [Vec3, Vec3, Vec3] = [rotate(q, [1, 0, 0]), rotate(q, [0, 1, 0]), rotate(q, [0, 0, 1])];
  const corners = cornersOf(center, half, axes);
  const reach = reachOf(half, axes);
  const min: Vec3 = [center[0] - reach[0], center[1] - reach[1], center[2] - reach[2]];
  const max: Vec3 = [center[0] + reach[0], center[1] + reach[1], center[2] + reach[2]];
  const outline = hullOf(corners);
  const label = normalName(entity.semanticLabel);
  return {
    entity,
    index,
    label,
    rawLabel: entity.semanticLabel.toLowerCase().replaceAll("_", " "),
    name: entity.name === undefined ? "" : normalName(entity.name),
    center,
    half,
    axes,
    isAligned: isAligned(axes),
    min,
    max,
    corners,
    outline,
    outlineArea: Math.max(areaOf(outline), THICKNESS_MIN_M * THICKNESS_MIN_M),
    volume: 8 * half[0] * half[1] * half[2],
    isStructure: STRUCTURE.has(label),
    facing: facingOf(entity),
  };
}

function halfOf(max: number, min: number): number {
  return Math.max(THICKNESS_MIN_M, Math.abs(max - min)) / 2;
}

function facingOf(entity: SceneEntity): Vec3 | undefined {
  if (entity.facing === undefined) return undefined;
  const world = rotate(entity.pose.orientation, entity.facing);
  const size = Math.hypot(world[0], world[2]);
  return size < 1e-6 ? undefined : [world[0] / size, 0, world[2] / size];
}

function isAligned(axes: readonly Vec3[]): boolean {
  return axes.every((axis) => Math.max(Math.abs(axis[0]), Math.abs(axis[1]), Math.abs(axis[2])) > 1 - 1e-9);
}

function reachOf(half: Vec3, axes: readonly [Vec3, Vec3, Vec3]): Vec3 {
  const reach = (i: 0 | 1 | 2): number =>
    Math.abs(axes[0][i]) * half[0] + Math.abs(axes[1][i]) * half[1] + Math.abs(axes[2][i]) * half[2];
  return [reach(0), reach(1), reach(2)];
}

function cornersOf(center: Vec3, half: Vec3, axes: readonly [Vec3, Vec3, Vec3]): readonly Vec3[] {
  const corners: Vec3[] = [];
  for (let i = 0; i < 8; i++) {
    const a = i & 1 ? half[0] : -half[0];
    const b = i & 2 ? half[1] : -half[1];
    const c = i & 4 ? half[2] : -half[2];
    corners.push([
      center[0] + axes[0][0] * a + axes[1][0] * b + axes[2][0] * c,
      center[1] + axes[0][1] * a + axes[1][1] * b + axes[2][1] * c,
      center[2] + axes[0][2] * a + axes[1][2] * b + axes[2][2] * c,
    ]);
  }
  return corners;
}

/** Convex hull of the corners seen from above (Andrew's monotone chain). */
function hullOf(corners: readonly Vec3[]): readonly PlanPoint[] {
  const points = corners.map((corner): PlanPoint => [corner[0], corner[2]]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const chain = (ordered: readonly PlanPoint[]): PlanPoint[] => {
    const hull: PlanPoint[] = [];
    for (const point of ordered) {
      while (
        hull.length >= 2 &&
        turn(hull[hull.length - 2] as PlanPoint, hull[hull.length - 1] as PlanPoint, point) <= 1e-12
      )
        hull.pop();
      hull.push(point);
    }
    hull.pop();
    return hull;
  };
  return [...chain(points), ...chain(points.toReversed())];
}

function turn(a: PlanPoint, b: PlanPoint, c: PlanPoint): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

export function areaOf(outline: readonly PlanPoint[]): number {
  let twice = 0;
  for (let i = 0; i < outline.length; i++) {
    const a = outline[i] as PlanPoint;
    const b = outline[(i + 1) % outline.length] as PlanPoint;
    twice += a[0] * b[1] - b[0] * a[1];
  }
  return Math.abs(twice) / 2;
}
