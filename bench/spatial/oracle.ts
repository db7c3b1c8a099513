// Brute force over boxes as the protocol gives them (z up, optional own axes). Shares no code with the engine: distances by
// alternating projection, which finds the nearest points of two convex bodies, started from points all over the surfaces.
import type { BoxObject } from "./data.ts";

export interface OracleBox {
  readonly id: number;
  readonly label: string;
  readonly center: readonly [number, number, number];
  readonly size: readonly [number, number, number];
  readonly axes: readonly [Point, Point, Point];
}

type Point = readonly [number, number, number];

/** The box as it is, or turned about the vertical by `yaw`: the same size, other axes. */
export function oracleBox(box: BoxObject, yaw = 0): OracleBox {
  const c = Math.cos(yaw);
  const s = Math.sin(yaw);
  return {
    id: box.id,
    label: box.l,
    center: box.c,
    size: box.s,
    axes: [
      [c, s, 0],
      [-s, c, 0],
      [0, 0, 1],
    ],
  };
}

function project(box: OracleBox, point: Point): Point {
  let result: [number, number, number] = [...box.center];
  for (let i = 0; i < 3; i++) {
    const axis = box.axes[i] as Point;
    let along = 0;
    for (let k = 0; k < 3; k++) along += ((point[k] as number) - (box.center[k] as number)) * (axis[k] as number);
    const half = (box.size[i] as number) / 2;
    const kept = Math.max(-half, Math.min(half, along));
    result = [result[0] + axis[0] * kept, result[1] + axis[1] * kept, result[2] + axis[2] * kept];
  }
  return result;
}

export function oracleDistance(a: OracleBox, b: OracleBox): number {
  let best = Infinity;
  for (const start of surfacePoints(a)) {
    let p: Point = start;
    let q = project(b, p);
    for (let round = 0; round < 60; round++) {
      p = project(a, q);
      q = project(b, p);
    }
    best = Math.min(best, Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
    if (best === 0) return 0;
  }
  return best;
}

function surfacePoints(box: OracleBox): Point[] {
  const points: Point[] = [];
  for (const u of [-1, 0, 1]) {
    for (const v of [-1, 0, 1]) {
      for (const w of [-1, 0, 1]) {
        const point: [number, number, number] = [...box.center];
        for (const [i, sign] of [u, v, w].entries()) {
          for (let k = 0; k < 3; k++)
            point[k] =
              (point[k] as number) + ((box.axes[i] as Point)[k] as number) * sign * ((box.size[i] as number) / 2);
        }
        points.push(point);
      }
    }
  }
  return points;
}

/** Quadrant in which `c` lies for one who stands at `a` and faces `b`, and degrees to the nearest border. */
export function oracleQuadrant(
  a: OracleBox,
  b: OracleBox,
  c: OracleBox,
): { readonly quadrant: string; readonly marginDeg: number } {
  const heading = Math.atan2(b.center[1] - a.center[1], b.center[0] - a.center[0]);
  const toC = Math.atan2(c.center[1] - a.center[1], c.center[0] - a.center[0]);
  const left = (((((toC - heading) * 180) / Math.PI) % 360) + 360) % 360;
  const names = ["front-left", "back-left", "back-right", "front-right"];
  const within = left % 90;
  return { quadrant: names[Math.floor(left / 90)] ?? "", marginDeg: Math.min(within, 90 - within) };
}
