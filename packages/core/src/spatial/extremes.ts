import { VIEWER_ID } from "./scope.ts";
import type { Solid } from "./solid.ts";
import { boxGap, pointDistance, solidDistance } from "./solid-distance.ts";

export interface Placed {
  readonly solid: Solid;
  readonly gapM: number;
}

/** The `wanted` nearest or farthest by the gap between surfaces. A cheap bound spares most exact distances. */
export function extremesByGap(
  solids: readonly Solid[],
  origin: Solid,
  kind: "nearest" | "farthest",
  wanted: number,
): readonly Placed[] {
  const isViewer = origin.entity.id === VIEWER_ID;
  const sign = kind === "nearest" ? 1 : -1;
  const best: Placed[] = [];
  const start = kind === "nearest" ? leastBound(solids, origin) : undefined;
  if (start !== undefined) insert(best, start, gapOf(start, origin, isViewer), sign, wanted);
  // Surface to surface is the dearest: by the time it comes to that, the limit is low.
  const isMeshed = (solid: Solid): boolean => solid.entity.surface !== undefined;
  const hasMeshes = isMeshed(origin) && solids.some(isMeshed);
  const ordered = hasMeshes ? [...solids.filter((solid) => !isMeshed(solid)), ...solids.filter(isMeshed)] : solids;
  for (const solid of ordered) {
    if (solid === start) continue;
    const limit = best.length < wanted ? Infinity : (best.at(-1)?.gapM ?? Infinity);
    if (limit !== Infinity && !canBeat(solid, origin, kind, limit)) continue;
    insert(best, solid, gapOf(solid, origin, isViewer, kind === "nearest" ? limit : Infinity), sign, wanted);
  }
  return best;
}

function gapOf(solid: Solid, origin: Solid, isViewer: boolean, limitM = Infinity): number {
  return isViewer ? pointDistance(solid, origin.center) : solidDistance(solid, origin, limitM);
}

const MESH_LAST_M = 100;

function leastBound(solids: readonly Solid[], origin: Solid): Solid | undefined {
  let least = Infinity;
  let found: Solid | undefined;
  for (const solid of solids) {
    const bound = boxGap(solid, origin) + (solid.entity.surface === undefined ? 0 : MESH_LAST_M);
    if (bound < least) {
      least = bound;
      found = solid;
    }
  }
  return found;
}

function canBeat(solid: Solid, origin: Solid, kind: "nearest" | "farthest", limit: number): boolean {
  if (kind === "nearest") return boxGap(solid, origin) <= limit;
  // No gap is longer than the way between the middles.
  const [x, y, z] = solid.center;
  return Math.hypot(x - origin.center[0], y - origin.center[1], z - origin.center[2]) >= limit;
}

function insert(best: Placed[], solid: Solid, gapM: number, sign: number, wanted: number): void {
  let at = best.length;
  while (at > 0) {
    const other = best[at - 1] as Placed;
    const order = sign * (other.gapM - gapM) || other.solid.index - solid.index;
    if (order <= 0) break;
    at--;
  }
  if (at >= wanted) return;
  best.splice(at, 0, { solid, gapM });
  if (best.length > wanted) best.pop();
}
