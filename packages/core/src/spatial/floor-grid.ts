// The floor as a grid of cells: free where a person's body meets nothing. Walking paths are found on it, and places where
// a thing of a given size would stand. Cells are 10 cm, coarser in halls, so that a grid never has more than 40,000.
import { transformPoint } from "../geometry/pose.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { SceneEntity } from "../model/spatial.ts";
import { isInsideOutline, segmentDistance } from "./plan-view.ts";
import type { Room } from "./room.ts";
import type { PlanPoint, Solid } from "./solid.ts";

export interface FloorGrid {
  readonly cellM: number;
  readonly minX: number;
  readonly minZ: number;
  readonly columns: number;
  readonly rows: number;
  /** Metres from the middle of each cell to the nearest obstacle or edge of the floor; 0 on an obstacle. */
  readonly clearanceM: Float32Array;
}

const CELL_M = 0.1;
const CELLS_MAX = 40_000;
/** What lies lower is stepped over (rugs); what hangs higher is walked under. */
const STEP_M = 0.12;
const HEAD_M = 1.9;

const grids = new WeakMap<Room, FloorGrid>();

export function floorGridOf(room: Room): FloorGrid {
  const known = grids.get(room);
  if (known !== undefined) return known;
  const grid = buildGrid(room);
  grids.set(room, grid);
  return grid;
}

function buildGrid(room: Room): FloorGrid {
  const floors = room.things.filter((thing) => thing.label === "floor");
  const area =
    floors.length > 0
      ? extentOf(floors)
      : { minX: room.min[0], maxX: room.max[0], minZ: room.min[2], maxZ: room.max[2] };
  const width = Math.max(CELL_M, area.maxX - area.minX);
  const depth = Math.max(CELL_M, area.maxZ - area.minZ);
  const cellM = Math.max(CELL_M, Math.sqrt((width * depth) / CELLS_MAX));
  const columns = Math.max(1, Math.ceil(width / cellM));
  const rows = Math.max(1, Math.ceil(depth / cellM));
  const clearanceM = new Float32Array(columns * rows);
  const grid: FloorGrid = { cellM, minX: area.minX, minZ: area.minZ, columns, rows, clearanceM };
  const obstacles = room.things.filter((thing) => isObstacle(thing, room));
  markFloor(grid, floors);
  for (const obstacle of obstacles) {
    if (obstacle.entity.surface === undefined) markObstacle(grid, obstacle);
    else markTriangles(grid, obstacle.entity, room.floorY);
  }
  for (const shell of room.shells) markTriangles(grid, shell, room.floorY);
  spreadClearance(grid);
  return grid;
}

function extentOf(floors: readonly Solid[]): { minX: number; maxX: number; minZ: number; maxZ: number } {
  return {
    minX: Math.min(...floors.map((floor) => floor.min[0])),
    maxX: Math.max(...floors.map((floor) => floor.max[0])),
    minZ: Math.min(...floors.map((floor) => floor.min[2])),
    maxZ: Math.max(...floors.map((floor) => floor.max[2])),
  };
}

function isObstacle(solid: Solid, room: Room): boolean {
  if (
    solid.label === "floor" ||
    solid.label === "ceiling" ||
    solid.label.startsWith("door") ||
    solid.label === "rug" ||
    solid.label === "mat"
  )
    return false;
  return solid.max[1] > room.floorY + STEP_M && solid.min[1] < room.floorY + HEAD_M;
}

export function cellCenter(grid: FloorGrid, cell: number): PlanPoint {
  const column = cell % grid.columns;
  const row = (cell - column) / grid.columns;
  return [grid.minX + (column + 0.5) * grid.cellM, grid.minZ + (row + 0.5) * grid.cellM];
}

export function cellAt(grid: FloorGrid, point: Vec3): number | undefined {
  const column = Math.floor((point[0] - grid.minX) / grid.cellM);
  const row = Math.floor((point[2] - grid.minZ) / grid.cellM);
  return column < 0 || row < 0 || column >= grid.columns || row >= grid.rows ? undefined : row * grid.columns + column;
}

function markFloor(grid: FloorGrid, floors: readonly Solid[]): void {
  for (let cell = 0; cell < grid.clearanceM.length; cell++) {
    const point = cellCenter(grid, cell);
    const isFloor = floors.length === 0 || floors.some((floor) => isInsideOutline(floor.outline, point));
    grid.clearanceM[cell] = isFloor ? Infinity : 0;
  }
}

function markObstacle(grid: FloorGrid, solid: Solid): void {
  const from = [
    Math.floor((solid.min[0] - grid.minX) / grid.cellM) - 1,
    Math.floor((solid.min[2] - grid.minZ) / grid.cellM) - 1,
  ];
  const to = [
    Math.ceil((solid.max[0] - grid.minX) / grid.cellM) + 1,
    Math.ceil((solid.max[2] - grid.minZ) / grid.cellM) + 1,
  ];
  for (let row = Math.max(0, from[1] as number); row < Math.min(grid.rows, to[1] as number); row++) {
    for (let column = Math.max(0, from[0] as number); column < Math.min(grid.columns, to[0] as number); column++) {
      const cell = row * grid.columns + column;
      if (covers(solid, cellCenter(grid, cell), grid.cellM / 2)) grid.clearanceM[cell] = 0;
    }
  }
}

/** Cells under any triangle at the height of a body, sampled no coarser than the grid. */
function markTriangles(grid: FloorGrid, { surface, pose }: SceneEntity, floorY: number): void {
  surface?.forEach((corners, at) => {
    const [a, b, c] = [0, 3, 6].map((part) =>
      transformPoint(pose, [
        corners[at + part] as number,
        corners[at + part + 1] as number,
        corners[at + part + 2] as number,
      ]),
    ) as [Vec3, Vec3, Vec3];
    if (Math.max(a[1], b[1], c[1]) <= floorY + STEP_M || Math.min(a[1], b[1], c[1]) >= floorY + HEAD_M) return;
    const longest = Math.max(planDistance(a, b), planDistance(b, c), planDistance(c, a));
    const steps = Math.max(1, Math.ceil(longest / (grid.cellM / 2)));
    for (let i = 0; i <= steps; i++) {
      for (let j = 0; j <= steps - i; j++) {
        const [u, v] = [i / steps, j / steps];
        const height = a[1] + (b[1] - a[1]) * u + (c[1] - a[1]) * v;
        if (height <= floorY + STEP_M || height >= floorY + HEAD_M) continue;
        const x = a[0] + (b[0] - a[0]) * u + (c[0] - a[0]) * v;
        const z = a[2] + (b[2] - a[2]) * u + (c[2] - a[2]) * v;
        const cell = cellAt(grid, [x, 0, z]);
        if (cell !== undefined) grid.clearanceM[cell] = 0;
      }
    }
  });
}

function planDistance(a: Vec3, b: Vec3): number {
  return Math.hypot(a[0] - b[0], a[2] - b[2]);
}

function covers(solid: Solid, point: PlanPoint, slackM: number): boolean {
  const { outline } = solid;
  if (outline.length >= 3 && isInsideOutline(outline, point)) return true;
  for (let i = 0; i < outline.length; i++) {
    if (segmentDistance(outline[i] as PlanPoint, outline[(i + 1) % outline.length] as PlanPoint, point) <= slackM)
      return true;
  }
  return false;
}

/** Two sweeps of a chamfer distance (Borgefors 1986, weights 1 and √2): within 8 % of the true distance. */
function spreadClearance(grid: FloorGrid): void {
  const { columns, rows, clearanceM, cellM } = grid;
  const diagonal = cellM * Math.SQRT2;
  const at = (column: number, row: number): number =>
    column < 0 || row < 0 || column >= columns || row >= rows ? 0 : (clearanceM[row * columns + column] as number);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const least = Math.min(
        at(column - 1, row) + cellM,
        at(column, row - 1) + cellM,
        at(column - 1, row - 1) + diagonal,
        at(column + 1, row - 1) + diagonal,
      );
      if (least < at(column, row)) clearanceM[row * columns + column] = least;
    }
  }
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const least = Math.min(
        at(column + 1, row) + cellM,
        at(column, row + 1) + cellM,
        at(column + 1, row + 1) + diagonal,
        at(column - 1, row + 1) + diagonal,
      );
      if (least < at(column, row)) clearanceM[row * columns + column] = least;
    }
  }
}
