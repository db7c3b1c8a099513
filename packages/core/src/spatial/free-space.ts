// Where on the floor there is room, and whether a thing of a given size would stand there.
import type { Vec3 } from "../geometry/vec3.ts";
import type { FloorGrid } from "./floor-grid.ts";
import { cellCenter, floorGridOf } from "./floor-grid.ts";
import type { Room } from "./room.ts";
import type { PlanPoint, Solid } from "./solid.ts";
import { pointDistance } from "./solid-distance.ts";

export interface FreePlace {
  /** Middle of the place on the floor. */
  readonly center: Vec3;
  /** Radians about Y of the thing's width. */
  readonly yaw: number;
  /** Metres left in width when it stands there, along its own width. */
  readonly spareM: number;
}

/** Turned in steps of 15 degrees, and along the walls' own directions. */
const YAW_STEPS = 12;
/** How near "along that wall" is. */
const NEAR_M = 0.25;

/** A place where a footprint of width × depth stands clear of everything, near a thing if one is given. */
export function findPlace(room: Room, size: Vec3, near: Solid | undefined): FreePlace | undefined {
  const grid = floorGridOf(room);
  const yaws = yawsOf(room, near);
  let best: FreePlace | undefined;
  for (const yaw of yaws) {
    const place = bestPlace(grid, room, size, yaw, near);
    if (place !== undefined && (best === undefined || place.spareM > best.spareM)) best = place;
    if (best !== undefined && near !== undefined) break;
  }
  return best;
}

function yawsOf(room: Room, near: Solid | undefined): readonly number[] {
  const along = (solid: Solid): number => {
    const axis = solid.half[0] >= solid.half[2] ? solid.axes[0] : solid.axes[2];
    return Math.atan2(-axis[2], axis[0]);
  };
  if (near !== undefined) return [along(near), along(near) + Math.PI / 2];
  const yaws = new Set<number>();
  for (const wall of room.walls.slice(0, 8)) yaws.add(Math.round(along(wall) * 100) / 100);
  for (let i = 0; i < YAW_STEPS; i++) yaws.add((i * Math.PI) / YAW_STEPS);
  return [...yaws];
}

function bestPlace(
  grid: FloorGrid,
  room: Room,
  size: Vec3,
  yaw: number,
  near: Solid | undefined,
): FreePlace | undefined {
  const points = footprintPoints(size, yaw, grid.cellM);
  const middleM = Math.max(1e-9, 0.93 * (Math.min(size[0], size[2]) / 2) - grid.cellM);
  let best: FreePlace | undefined;
  for (let cell = 0; cell < grid.clearanceM.length; cell++) {
    // The middle of a place that fits is half its depth from everything (7 % for the chamfer, half a cell for the grid).
    if ((grid.clearanceM[cell] as number) < middleM) continue;
    const [x, z] = cellCenter(grid, cell);
    const center: Vec3 = [x, room.floorY, z];
    if (near !== undefined && !isNear(center, size, near)) continue;
    const spareM = spareAt(grid, [x, z], points, best?.spareM ?? 0);
    if (spareM > 0 && (best === undefined || spareM > best.spareM)) best = { center, yaw, spareM };
  }
  return best;
}

function isNear(center: Vec3, size: Vec3, near: Solid): boolean {
  const height = Math.min(near.max[1], Math.max(near.min[1], center[1] + 0.5));
  const gap = pointDistance(near, [center[0], height, center[2]]);
  return gap <= Math.max(size[0], size[2]) / 2 + NEAR_M;
}

/** Offsets that cover the footprint no coarser than the grid. */
function footprintPoints(size: Vec3, yaw: number, cellM: number): readonly (readonly [number, number])[] {
  const cosine = Math.cos(yaw);
  const sine = Math.sin(yaw);
  const points: [number, number][] = [];
  const steps = (length: number): number => Math.max(1, Math.ceil(length / cellM));
  for (let i = 0; i <= steps(size[0]); i++) {
    for (let j = 0; j <= steps(size[2]); j++) {
      const u = (i / steps(size[0]) - 0.5) * size[0];
      const v = (j / steps(size[2]) - 0.5) * size[2];
      points.push([u * cosine + v * sine, -u * sine + v * cosine]);
    }
  }
  return points;
}

/** The least clearance under the footprint, plus half a cell; 0 when something is in the way. */
function spareAt(
  grid: FloorGrid,
  [x, z]: PlanPoint,
  points: readonly (readonly [number, number])[],
  beatM: number,
): number {
  let least = Infinity;
  for (const [dx, dz] of points) {
    const column = Math.floor((x + dx - grid.minX) / grid.cellM);
    const row = Math.floor((z + dz - grid.minZ) / grid.cellM);
    if (column < 0 || row < 0 || column >= grid.columns || row >= grid.rows) return 0;
    const clearance = grid.clearanceM[row * grid.columns + column] as number;
    if (clearance <= beatM) return 0;
    least = Math.min(least, clearance);
  }
  return least;
}

/** The middle and radius of the largest free circle, near a thing if one is given. */
export function largestFreeCircle(
  room: Room,
  near: Solid | undefined,
): { readonly center: Vec3; readonly radiusM: number; readonly freeM2: number } | undefined {
  const grid = floorGridOf(room);
  let best = -1;
  let freeCells = 0;
  for (let cell = 0; cell < grid.clearanceM.length; cell++) {
    const clearance = grid.clearanceM[cell] as number;
    if (clearance <= 0) continue;
    freeCells++;
    const [x, z] = cellCenter(grid, cell);
    if (near !== undefined && pointDistance(near, [x, near.center[1], z]) > clearance + 0.5) continue;
    if (best < 0 || clearance > (grid.clearanceM[best] as number)) best = cell;
  }
  if (best < 0) return undefined;
  const [x, z] = cellCenter(grid, best);
  return {
    center: [x, room.floorY, z],
    radiusM: grid.clearanceM[best] as number,
    freeM2: freeCells * grid.cellM * grid.cellM,
  };
}
