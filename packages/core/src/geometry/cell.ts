import type { Bounds } from "./bounds.ts";
import type { Quat } from "./quat.ts";
import { rotate } from "./quat.ts";
import type { Vec3 } from "./vec3.ts";

/** A cube of space, so that "the same place" can be a key. Level 0 has edges of 25 cm; each level doubles them. */
export interface SpaceCell {
  readonly level: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

const EDGE_M = 0.25;

export function cellEdgeM(level: number): number {
  return EDGE_M * 2 ** level;
}

export function cellAt(point: Vec3, level: number): SpaceCell {
  const edge = cellEdgeM(level);
  // Adding zero turns -0 into 0, so that equal cells are equal values too.
  return {
    level,
    x: Math.floor(point[0] / edge) + 0,
    y: Math.floor(point[1] / edge) + 0,
    z: Math.floor(point[2] / edge) + 0,
  };
}

export function cellKey(cell: SpaceCell): string {
  return `${cell.level}:${cell.x},${cell.y},${cell.z}`;
}

export function cellBounds({ level, x, y, z }: SpaceCell): Bounds {
  const edge = cellEdgeM(level);
  return { min: [x * edge, y * edge, z * edge], max: [(x + 1) * edge, (y + 1) * edge, (z + 1) * edge] };
}

/** The cell one level up that holds this one. */
export function parentCell({ level, x, y, z }: SpaceCell): SpaceCell {
  return { level: level + 1, x: x >> 1, y: y >> 1, z: z >> 1 };
}

/** Which of eight directions the pose looks to: bit 0 right half, bit 1 upper half, bit 2 toward +Z. */
export function viewingOctant(orientation: Quat): number {
  const forward = rotate(orientation, [0, 0, -1]);
  return (forward[0] >= 0 ? 1 : 0) | (forward[1] >= 0 ? 2 : 0) | (forward[2] >= 0 ? 4 : 0);
}
