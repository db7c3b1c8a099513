// Walking paths on the floor grid: A* over cells whose clearance lets a body through, then straightened.
import type { Vec3 } from "../geometry/vec3.ts";
import type { FloorGrid } from "./floor-grid.ts";
import { cellAt, cellCenter, floorGridOf } from "./floor-grid.ts";
import type { Room } from "./room.ts";
import type { Solid } from "./solid.ts";
import { pointDistance } from "./solid-distance.ts";

export interface WalkingPath {
  /** Corners of the way on the floor, start and end included. */
  readonly points: readonly Vec3[];
  readonly lengthM: number;
}

/** Half the width of a body that must pass. */
export const BODY_WIDTH_M = 0.5;
/** One has reached a thing when it is within an arm's length. */
const REACH_M = 0.75;

/** The shortest way from a point to within reach of a thing; undefined when there is none. */
export function findPath(room: Room, from: Vec3, to: Solid, widthM = BODY_WIDTH_M): WalkingPath | undefined {
  const grid = floorGridOf(room);
  const radiusM = widthM / 2;
  const start = nearestFree(grid, from, radiusM);
  if (start === undefined) return undefined;
  const goal = (cell: number): boolean => {
    const [x, z] = cellCenter(grid, cell);
    return pointDistance(to, [x, clampHeight(to, room), z]) <= REACH_M;
  };
  const cells = search(grid, start, goal, to, radiusM);
  if (cells === undefined) return undefined;
  const points = straighten(grid, cells, radiusM).map((cell): Vec3 => {
    const [x, z] = cellCenter(grid, cell);
    return [x, room.floorY, z];
  });
  let lengthM = 0;
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1] as Vec3;
    const b = points[i] as Vec3;
    lengthM += Math.hypot(b[0] - a[0], b[2] - a[2]);
  }
  return { points, lengthM };
}

/** Reaching up or down is no walking: distance is taken at the thing's own height. */
function clampHeight(to: Solid, room: Room): number {
  return Math.min(to.max[1], Math.max(to.min[1], room.floorY + 1));
}

/** The free cell nearest to a point: people stand at tables, and trackers drift into walls. */
function nearestFree(grid: FloorGrid, point: Vec3, radiusM: number): number | undefined {
  const at = cellAt(grid, point);
  if (at !== undefined && (grid.clearanceM[at] as number) >= radiusM) return at;
  let best: number | undefined;
  let bestM = Infinity;
  for (let cell = 0; cell < grid.clearanceM.length; cell++) {
    if ((grid.clearanceM[cell] as number) < radiusM) continue;
    const [x, z] = cellCenter(grid, cell);
    const distanceM = Math.hypot(x - point[0], z - point[2]);
    if (distanceM < bestM) {
      best = cell;
      bestM = distanceM;
    }
  }
  return best;
}

const NEIGHBOURS: readonly (readonly [column: number, row: number])[] = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
  [1, 1],
  [1, -1],
  [-1, 1],
  [-1, -1],
];

function search(
  grid: FloorGrid,
  start: number,
  isGoal: (cell: number) => boolean,
  to: Solid,
  radiusM: number,
): readonly number[] | undefined {
  const costs = new Float64Array(grid.clearanceM.length).fill(Infinity);
  const cameFrom = new Int32Array(grid.clearanceM.length).fill(-1);
  const open = new CellQueue();
  costs[start] = 0;
  open.push(start, 0);
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    if (isGoal(cell)) return trace(cameFrom, cell);
    const column = cell % grid.columns;
    const row = (cell - column) / grid.columns;
    for (const [dc, dr] of NEIGHBOURS) {
      const c = column + dc;
      const r = row + dr;
      if (c < 0 || r < 0 || c >= grid.columns || r >= grid.rows) continue;
      const next = r * grid.columns + c;
      if ((grid.clearanceM[next] as number) < radiusM) continue;
      const cost = (costs[cell] as number) + grid.cellM * (dc !== 0 && dr !== 0 ? Math.SQRT2 : 1);
      if (cost >= (costs[next] as number)) continue;
      costs[next] = cost;
      cameFrom[next] = cell;
      open.push(next, cost + remaining(grid, next, to));
    }
  }
  return undefined;
}

/** Never more than the way left: straight to the box around the thing, less the reach. */
function remaining(grid: FloorGrid, cell: number, to: Solid): number {
  const [x, z] = cellCenter(grid, cell);
  const dx = Math.max(0, to.min[0] - x, x - to.max[0]);
  const dz = Math.max(0, to.min[2] - z, z - to.max[2]);
  return Math.max(0, Math.hypot(dx, dz) - REACH_M);
}

function trace(cameFrom: Int32Array, end: number): readonly number[] {
  const cells = [end];
  for (let cell = cameFrom[end] as number; cell >= 0; cell = cameFrom[cell] as number) cells.push(cell);
  return cells.toReversed();
}

/** Drops corners that can be cut without coming too near to anything. */
function straighten(grid: FloorGrid, cells: readonly number[], radiusM: number): readonly number[] {
  const kept = [cells[0] as number];
  let from = 0;
  for (let to = 2; to < cells.length; to++) {
    if (isClear(grid, cells[from] as number, cells[to] as number, radiusM)) continue;
    from = to - 1;
    kept.push(cells[from] as number);
  }
  if (cells.length > 1) kept.push(cells[cells.length - 1] as number);
  return kept;
}

function isClear(grid: FloorGrid, a: number, b: number, radiusM: number): boolean {
  const [ax, az] = cellCenter(grid, a);
  const [bx, bz] = cellCenter(grid, b);
  const steps = Math.ceil((2 * Math.hypot(bx - ax, bz - az)) / grid.cellM);
  for (let step = 1; step < steps; step++) {
    const share = step / steps;
    const cell = cellAt(grid, [ax + (bx - ax) * share, 0, az + (bz - az) * share]);
    if (cell === undefined || (grid.clearanceM[cell] as number) < radiusM) return false;
  }
  return true;
}

/** Binary heap of cells by cost; a cell may be in it more than once, the cheapest comes first. */
class CellQueue {
  readonly #cells: number[] = [];
  readonly #costs: number[] = [];

  push(cell: number, cost: number): void {
    let at = this.#cells.length;
    this.#cells.push(cell);
    this.#costs.push(cost);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#costs[parent] as number) <= cost) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): number | undefined {
    const top = this.#cells[0];
    const lastCell = this.#cells.pop();
    const lastCost = this.#costs.pop();
    if (top === undefined || lastCell === undefined || lastCost === undefined || this.#cells.length === 0) return top;
    this.#cells[0] = lastCell;
    this.#costs[0] = lastCost;
    this.#sink();
    return top;
  }

  #sink(): void {
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#cells.length && (this.#costs[child] as number) < (this.#costs[least] as number))
          least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    [this.#cells[a], this.#cells[b]] = [this.#cells[b] as number, this.#cells[a] as number];
    [this.#costs[a], this.#costs[b]] = [this.#costs[b] as number, this.#costs[a] as number];
  }
}
