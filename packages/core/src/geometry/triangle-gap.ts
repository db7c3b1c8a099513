// Distances from a point and from a triangle to a triangle, on nine numbers each, without objects.

/** The point that the last `triangleDistanceSquared` found. */
export const NEAREST = new Float64Array(3);

/** By the region of the triangle's plane in which the point's foot lies (Ericson, Real-Time Collision Detection, 5.1.5). */
// oxlint-disable-next-line max-params -- Numbers, so that no vector is made for every triangle.
export function triangleDistanceSquared(c: Float32Array, at: number, x: number, y: number, z: number): number {
  const ax = c[at] as number;
  const ay = c[at + 1] as number;
  const az = c[at + 2] as number;
  const ux = (c[at + 3] as number) - ax;
  const uy = (c[at + 4] as number) - ay;
  const uz = (c[at + 5] as number) - az;
  const vx = (c[at + 6] as number) - ax;
  const vy = (c[at + 7] as number) - ay;
  const vz = (c[at + 8] as number) - az;
  const px = x - ax;
  const py = y - ay;
  const pz = z - az;
  const d1 = ux * px + uy * py + uz * pz;
  const d2 = vx * px + vy * py + vz * pz;
  if (d1 <= 0 && d2 <= 0) return footAt(ax, ay, az, x, y, z);
  const d3 = ux * (px - ux) + uy * (py - uy) + uz * (pz - uz);
  const d4 = vx * (px - ux) + vy * (py - uy) + vz * (pz - uz);
  if (d3 >= 0 && d4 <= d3) return footAt(ax + ux, ay + uy, az + uz, x, y, z);
  const outC = d1 * d4 - d3 * d2;
  if (outC <= 0 && d1 >= 0 && d3 <= 0) {
    const share = d1 / (d1 - d3 || 1);
    return footAt(ax + ux * share, ay + uy * share, az + uz * share, x, y, z);
  }
  const d5 = ux * (px - vx) + uy * (py - vy) + uz * (pz - vz);
  const d6 = vx * (px - vx) + vy * (py - vy) + vz * (pz - vz);
  if (d6 >= 0 && d5 <= d6) return footAt(ax + vx, ay + vy, az + vz, x, y, z);
  const outB = d5 * d2 - d1 * d6;
  if (outB <= 0 && d2 >= 0 && d6 <= 0) {
    const share = d2 / (d2 - d6 || 1);
    return footAt(ax + vx * share, ay + vy * share, az + vz * share, x, y, z);
  }
  const outA = d3 * d6 - d5 * d4;
  if (outA <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    const share = (d4 - d3) / (d4 - d3 + (d5 - d6) || 1);
    return footAt(ax + ux + (vx - ux) * share, ay + uy + (vy - uy) * share, az + uz + (vz - uz) * share, x, y, z);
  }
  const whole = 1 / (outA + outB + outC || 1);
  const toU = outB * whole;
  const toV = outC * whole;
  return footAt(ax + ux * toU + vx * toV, ay + uy * toU + vy * toV, az + uz * toU + vz * toV, x, y, z);
}

// oxlint-disable-next-line max-params -- As above.
function footAt(fx: number, fy: number, fz: number, x: number, y: number, z: number): number {
  NEAREST[0] = fx;
  NEAREST[1] = fy;
  NEAREST[2] = fz;
  return (x - fx) ** 2 + (y - fy) ** 2 + (z - fz) ** 2;
}

/**
 * Squared distance of two triangles; 0 where they cross. The closest points lie on a corner and a triangle, or on two
 * edges; where they cross, an edge of one goes through the other. `limit`: a squared distance beyond which the exact one
 * does not matter. The points are written into `into`: on `a`, then on `b`.
 */
export function triangleGapSquared(
  a: Float32Array,
  atA: number,
  b: Float32Array,
  limit: number,
  into: Float64Array,
): number {
  if (boxGapOf(a, atA, b) > limit) return Infinity;
  let best = Infinity;
  for (let corner = 0; corner < 9; corner += 3) {
    const x = b[corner] as number;
    const y = b[corner + 1] as number;
    const z = b[corner + 2] as number;
    const squared = triangleDistanceSquared(a, atA, x, y, z);
    if (squared >= best) continue;
    best = squared;
    into.set(NEAREST);
    into[3] = x;
    into[4] = y;
    into[5] = z;
  }
  for (let corner = 0; corner < 9; corner += 3) {
    const x = a[atA + corner] as number;
    const y = a[atA + corner + 1] as number;
    const z = a[atA + corner + 2] as number;
    const squared = triangleDistanceSquared(b, 0, x, y, z);
    if (squared >= best) continue;
    best = squared;
    into[0] = x;
    into[1] = y;
    into[2] = z;
    into.set(NEAREST, 3);
  }
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      const squared = edgeGapSquared(a, atA + i * 3, atA + ((i + 1) % 3) * 3, b, j * 3, ((j + 1) % 3) * 3);
      if (squared >= best) continue;
      best = squared;
      into.set(EDGE);
    }
  }
  if (crosses(a, atA, b, 0) || crosses(b, 0, a, atA)) {
    into.set(CROSSING);
    into.set(CROSSING, 3);
    return 0;
  }
  return best;
}

const EDGE = new Float64Array(6);
const CROSSING = new Float64Array(3);

function boxGapOf(a: Float32Array, atA: number, b: Float32Array): number {
  let sum = 0;
  for (let axis = 0; axis < 3; axis++) {
    const a0 = a[atA + axis] as number;
    const a1 = a[atA + axis + 3] as number;
    const a2 = a[atA + axis + 6] as number;
    const b0 = b[axis] as number;
    const b1 = b[axis + 3] as number;
    const b2 = b[axis + 6] as number;
    const gap = Math.max(0, Math.min(a0, a1, a2) - Math.max(b0, b1, b2), Math.min(b0, b1, b2) - Math.max(a0, a1, a2));
    sum += gap * gap;
  }
  return sum;
}

/** Closest points of two segments (Ericson, Real-Time Collision Detection, 5.1.9). */
// oxlint-disable-next-line max-params -- Two edges of two triangles.
function edgeGapSquared(a: Float32Array, p1: number, q1: number, b: Float32Array, p2: number, q2: number): number {
  const px = a[p1] as number;
  const py = a[p1 + 1] as number;
  const pz = a[p1 + 2] as number;
  const sx = b[p2] as number;
  const sy = b[p2 + 1] as number;
  const sz = b[p2 + 2] as number;
  const ux = (a[q1] as number) - px;
  const uy = (a[q1 + 1] as number) - py;
  const uz = (a[q1 + 2] as number) - pz;
  const vx = (b[q2] as number) - sx;
  const vy = (b[q2 + 1] as number) - sy;
  const vz = (b[q2 + 2] as number) - sz;
  const rx = px - sx;
  const ry = py - sy;
  const rz = pz - sz;
  const uu = ux * ux + uy * uy + uz * uz;
  const vv = vx * vx + vy * vy + vz * vz;
  const vr = vx * rx + vy * ry + vz * rz;
  const ur = ux * rx + uy * ry + uz * rz;
  const uv = ux * vx + uy * vy + uz * vz;
  const denominator = uu * vv - uv * uv;
  let s = denominator > 1e-18 ? clamp01((uv * vr - ur * vv) / denominator) : 0;
  let t = vv > 0 ? (uv * s + vr) / vv : 0;
  if (t < 0 || t > 1) {
    t = t < 0 ? 0 : 1;
    s = uu > 0 ? clamp01((uv * t - ur) / uu) : 0;
  }
  EDGE[0] = px + ux * s;
  EDGE[1] = py + uy * s;
  EDGE[2] = pz + uz * s;
  EDGE[3] = sx + vx * t;
  EDGE[4] = sy + vy * t;
  EDGE[5] = sz + vz * t;
  return (
    ((EDGE[0] as number) - (EDGE[3] as number)) ** 2 +
    ((EDGE[1] as number) - (EDGE[4] as number)) ** 2 +
    ((EDGE[2] as number) - (EDGE[5] as number)) ** 2
  );
}

/** Whether an edge of `a` goes through the inside of `b`; where, is left in `CROSSING`. */
function crosses(a: Float32Array, atA: number, b: Float32Array, atB: number): boolean {
  for (let i = 0; i < 3; i++) {
    const p = atA + i * 3;
    const q = atA + ((i + 1) % 3) * 3;
    const share = throughTriangle(a, p, q, b, atB);
    if (share < 0) continue;
    for (let axis = 0; axis < 3; axis++) {
      const from = a[p + axis] as number;
      CROSSING[axis] = from + ((a[q + axis] as number) - from) * share;
    }
    return true;
  }
  return false;
}

/** Share of the edge at which it meets the triangle (Möller and Trumbore), or -1. */
// oxlint-disable-next-line max-params -- An edge and a triangle.
function throughTriangle(a: Float32Array, p: number, q: number, b: Float32Array, at: number): number {
  const ux = (b[at + 3] as number) - (b[at] as number);
  const uy = (b[at + 4] as number) - (b[at + 1] as number);
  const uz = (b[at + 5] as number) - (b[at + 2] as number);
  const vx = (b[at + 6] as number) - (b[at] as number);
  const vy = (b[at + 7] as number) - (b[at + 1] as number);
  const vz = (b[at + 8] as number) - (b[at + 2] as number);
  const dx = (a[q] as number) - (a[p] as number);
  const dy = (a[q + 1] as number) - (a[p + 1] as number);
  const dz = (a[q + 2] as number) - (a[p + 2] as number);
  const hx = dy * vz - dz * vy;
  const hy = dz * vx - dx * vz;
  const hz = dx * vy - dy * vx;
  const determinant = ux * hx + uy * hy + uz * hz;
  if (Math.abs(determinant) < 1e-15) return -1;
  const sx = (a[p] as number) - (b[at] as number);
  const sy = (a[p + 1] as number) - (b[at + 1] as number);
  const sz = (a[p + 2] as number) - (b[at + 2] as number);
  const u = (sx * hx + sy * hy + sz * hz) / determinant;
  if (u < 0 || u > 1) return -1;
  const kx = sy * uz - sz * uy;
  const ky = sz * ux - sx * uz;
  const kz = sx * uy - sy * ux;
  const v = (dx * kx + dy * ky + dz * kz) / determinant;
  if (v < 0 || u + v > 1) return -1;
  const t = (vx * kx + vy * ky + vz * kz) / determinant;
  return t >= 0 && t <= 1 ? t : -1;
}

function clamp01(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/** The point of a turned, solid box nearest to a point, after `closestOnBox`. */
const ON_BOX = new Float64Array(3);
const ROUNDS_MAX = 24;
const SETTLED_M = 1e-6;
const TOUCH_M = 1e-4;

/** Metres from the point to the box; 0 inside. `place`: its middle, then the rows of its rotation. */
// oxlint-disable-next-line max-params -- Numbers, so that no vector is made.
export function closestOnBox(half: Float64Array, place: Float64Array, x: number, y: number, z: number): number {
  const dx = x - (place[0] as number);
  const dy = y - (place[1] as number);
  const dz = z - (place[2] as number);
  const ax = place[3] as number;
  const ay = place[6] as number;
  const az = place[9] as number;
  const bx = place[4] as number;
  const by = place[7] as number;
  const bz = place[10] as number;
  const cx = place[5] as number;
  const cy = place[8] as number;
  const cz = place[11] as number;
  const a = clampTo(dx * ax + dy * ay + dz * az, half[0] as number);
  const b = clampTo(dx * bx + dy * by + dz * bz, half[1] as number);
  const c = clampTo(dx * cx + dy * cy + dz * cz, half[2] as number);
  const gx = ax * a + bx * b + cx * c - dx;
  const gy = ay * a + by * b + cy * c - dy;
  const gz = az * a + bz * b + cz * c - dz;
  ON_BOX[0] = x + gx;
  ON_BOX[1] = y + gy;
  ON_BOX[2] = z + gz;
  return Math.sqrt(gx * gx + gy * gy + gz * gz);
}

function clampTo(value: number, half: number): number {
  return value < -half ? -half : value > half ? half : value;
}

/**
 * Metres between a triangle and a solid box, both convex: going back and forth between their closest points ends at the
 * closest pair. Infinity where the sphere around the triangle says that it is beyond `limit`.
 */
// oxlint-disable-next-line max-params -- As above.
export function boxTriangleGap(
  c: Float32Array,
  at: number,
  half: Float64Array,
  place: Float64Array,
  limit: number,
  into: Float64Array,
): number {
  let x = ((c[at] as number) + (c[at + 3] as number) + (c[at + 6] as number)) / 3;
  let y = ((c[at + 1] as number) + (c[at + 4] as number) + (c[at + 7] as number)) / 3;
  let z = ((c[at + 2] as number) + (c[at + 5] as number) + (c[at + 8] as number)) / 3;
  let radius = 0;
  for (let corner = at; corner < at + 9; corner += 3) {
    const squared =
      ((c[corner] as number) - x) ** 2 + ((c[corner + 1] as number) - y) ** 2 + ((c[corner + 2] as number) - z) ** 2;
    if (squared > radius) radius = squared;
  }
  let gap = closestOnBox(half, place, x, y, z);
  if (gap - Math.sqrt(radius) > limit) return Infinity;
  for (let round = 0; round < ROUNDS_MAX && gap > 0; round++) {
    triangleDistanceSquared(c, at, ON_BOX[0] as number, ON_BOX[1] as number, ON_BOX[2] as number);
    x = NEAREST[0] as number;
    y = NEAREST[1] as number;
    z = NEAREST[2] as number;
    const nearer = closestOnBox(half, place, x, y, z);
    const gained = gap - nearer;
    gap = nearer;
    if (gained < SETTLED_M) break;
  }
  into[0] = x;
  into[1] = y;
  into[2] = z;
  into.set(ON_BOX, 3);
  return gap <= TOUCH_M ? 0 : gap;
}
