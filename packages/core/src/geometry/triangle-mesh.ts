/* oxlint-disable max-lines -- One structure: build and the three walks share the layout drawn below. */
// Many triangles in typed arrays, for "where does this ray meet the surface" and "how far is the surface from here".
//
// Nodes lie in depth-first order: the left child of node n is n + 1, the right child is `link[n]`. A leaf has
// `leafCount[n]` > 0 triangles, which lie one after the other in `corners` from triangle `link[n]`. A node is split at the
// middle of the longest edge around its triangles' middles: as quick to ask as the surface area heuristic of `Bvh` on
// scanned rooms and three times as quick to build, which matters because a room arrives on the thread that also serves
// everybody's poses. Walks use one stack owned by the mesh: a visitor must not query the same mesh.
import type { Bounds } from "./bounds.ts";

const LEAF_TRIANGLES_MAX = 6;
/** Beyond this depth splits are in half, so that hostile layouts cannot make the tree a list. */
const MIDDLE_DEPTH_MAX = 40;
const PARALLEL = 1e-12;

export type TriangleVisitor = (corners: Float32Array, at: number) => void;

export class TriangleMesh {
  readonly triangleCount: number;
  readonly bounds: Bounds;
  /** 32 bits over all corners at a millimetre: tells one shape from another. */
  readonly fingerprint: number;
  /** Nine numbers a triangle, in the order of the leaves. */
  readonly #corners: Float32Array;
  /** min x, y, z, max x, y, z of each node. */
  readonly #boxes: Float32Array;
  readonly #link: Int32Array;
  readonly #leafCount: Uint8Array;
  readonly #stack: Int32Array;
  readonly #stackDistance: Float64Array;
  readonly #hit = new Float64Array(4);
  readonly #closest = new Float64Array(3);

  /** Triangles that name a vertex which is not there, or have no finite corners, are left out. */
  constructor(positions: Float32Array, indices: Uint32Array) {
    const soup = soupOf(positions, indices);
    this.triangleCount = soup.length / 9;
    this.bounds = boundsOf(soup);
    this.fingerprint = fingerprintOf(soup);
    const tree = buildTree(soup);
    this.#corners = tree.corners;
    this.#boxes = tree.boxes;
    this.#link = tree.link;
    this.#leafCount = tree.leafCount;
    this.#stack = new Int32Array(tree.depth + 4);
    this.#stackDistance = new Float64Array(tree.depth + 4);
  }

  /** Of the last `raycast` that met something: unit normal, on the side the ray came from. */
  get hitNormal(): readonly [number, number, number] {
    return [this.#hit[1] as number, this.#hit[2] as number, this.#hit[3] as number];
  }

  /** Of the last `distanceTo` that found something. */
  get closestPoint(): readonly [number, number, number] {
    return [this.#closest[0] as number, this.#closest[1] as number, this.#closest[2] as number];
  }

  /** Metres along the ray (origin, unit direction, in the mesh's own axes) to the surface, from either side; -1 for none. */
  raycast(ray: Float64Array, distanceMaxM: number): number {
    let limit = distanceMaxM;
    let isFound = false;
    let top = this.#push(0, 0, rayEntry(this.#boxes, 0, ray, limit));
    while (top > 0) {
      top--;
      if ((this.#stackDistance[top] as number) > limit) continue;
      const node = this.#stack[top] as number;
      const count = this.#leafCount[node] as number;
      const link = this.#link[node] as number;
      if (count === 0) {
        const toLeft = rayEntry(this.#boxes, (node + 1) * 6, ray, limit);
        const toRight = rayEntry(this.#boxes, link * 6, ray, limit);
        // The nearer one is walked first, so that it may spare the other.
        if (toLeft <= toRight) {
          top = this.#push(this.#push(top, link, toRight), node + 1, toLeft);
        } else {
          top = this.#push(this.#push(top, node + 1, toLeft), link, toRight);
        }
        continue;
      }
      const end = (link + count) * 9;
      for (let at = link * 9; at < end; at += 9) {
        const distanceM = rayTriangle(this.#corners, at, ray, limit);
        if (distanceM < 0) continue;
        limit = distanceM;
        isFound = true;
        this.#hit[0] = at;
      }
    }
    if (!isFound) return -1;
    this.#writeNormal(this.#hit[0] as number, ray);
    return limit;
  }

  /** Metres from the point (in the mesh's own axes) to the surface; Infinity where it is farther than the limit. */
  distanceTo(x: number, y: number, z: number, limitM = Infinity): number {
    let best = limitM * limitM;
    let isFound = false;
    let top = this.#push(0, 0, boxDistanceSquared(this.#boxes, 0, x, y, z));
    while (top > 0) {
      top--;
      if ((this.#stackDistance[top] as number) > best) continue;
      const node = this.#stack[top] as number;
      const count = this.#leafCount[node] as number;
      const link = this.#link[node] as number;
      if (count === 0) {
        const toLeft = boxDistanceSquared(this.#boxes, (node + 1) * 6, x, y, z);
        const toRight = boxDistanceSquared(this.#boxes, link * 6, x, y, z);
        if (toLeft <= toRight) {
          top = this.#push(this.#push(top, link, toRight), node + 1, toLeft);
        } else {
          top = this.#push(this.#push(top, node + 1, toLeft), link, toRight);
        }
        continue;
      }
      const end = (link + count) * 9;
      for (let at = link * 9; at < end; at += 9) {
        const squared = triangleDistanceSquared(this.#corners, at, x, y, z);
        if (squared > best) continue;
        best = squared;
        isFound = true;
        this.#closest.set(NEAREST);
      }
    }
    return isFound ? Math.sqrt(best) : Infinity;
  }

  /** Triangles whose boxes touch the box (min x, y, z, max x, y, z): nine numbers each from `at`, not to be kept. */
  search(box: Float64Array, visit: TriangleVisitor): void {
    let top = this.#push(0, 0, 0);
    while (top > 0) {
      const node = this.#stack[--top] as number;
      if (!isTouching(this.#boxes, node * 6, box)) continue;
      const count = this.#leafCount[node] as number;
      const link = this.#link[node] as number;
      if (count === 0) {
        top = this.#push(this.#push(top, link, 0), node + 1, 0);
        continue;
      }
      const end = (link + count) * 9;
      for (let at = link * 9; at < end; at += 9) {
        if (isTriangleBoxTouching(this.#corners, at, box)) visit(this.#corners, at);
      }
    }
  }

  /**
   * Triangles of leaves by their distance to the box, the nearer ones first. `visit` returns the distance beyond which
   * nothing is of interest any more.
   */
  descend(box: Float64Array, limitM: number, visit: (corners: Float32Array, at: number) => number): void {
    let limit = limitM * limitM;
    let top = this.#push(0, 0, boxGapSquared(this.#boxes, 0, box));
    while (top > 0) {
      top--;
      if ((this.#stackDistance[top] as number) > limit) continue;
      const node = this.#stack[top] as number;
      const count = this.#leafCount[node] as number;
      const link = this.#link[node] as number;
      if (count === 0) {
        const toLeft = boxGapSquared(this.#boxes, (node + 1) * 6, box);
        const toRight = boxGapSquared(this.#boxes, link * 6, box);
        top =
          toLeft <= toRight
            ? this.#push(this.#push(top, link, toRight), node + 1, toLeft)
            : this.#push(this.#push(top, node + 1, toLeft), link, toRight);
        continue;
      }
      const end = (link + count) * 9;
      for (let at = link * 9; at < end; at += 9) {
        const reachM = visit(this.#corners, at);
        limit = Math.min(limit, reachM * reachM);
      }
    }
  }

  /** Every triangle once. */
  forEach(visit: TriangleVisitor): void {
    for (let at = 0; at < this.#corners.length; at += 9) visit(this.#corners, at);
  }

  #push(top: number, node: number, distance: number): number {
    if (distance === Infinity) return top;
    this.#stack[top] = node;
    this.#stackDistance[top] = distance;
    return top + 1;
  }

  #writeNormal(at: number, ray: Float64Array): void {
    const c = this.#corners;
    const ux = (c[at + 3] as number) - (c[at] as number);
    const uy = (c[at + 4] as number) - (c[at + 1] as number);
    const uz = (c[at + 5] as number) - (c[at + 2] as number);
    const vx = (c[at + 6] as number) - (c[at] as number);
    const vy = (c[at + 7] as number) - (c[at + 1] as number);
    const vz = (c[at + 8] as number) - (c[at + 2] as number);
    const x = uy * vz - uz * vy;
    const y = uz * vx - ux * vz;
    const z = ux * vy - uy * vx;
    const against = x * (ray[3] as number) + y * (ray[4] as number) + z * (ray[5] as number) > 0 ? -1 : 1;
    const size = against / (Math.sqrt(x * x + y * y + z * z) || 1);
    this.#hit[1] = x * size;
    this.#hit[2] = y * size;
    this.#hit[3] = z * size;
  }
}

function soupOf(positions: Float32Array, indices: Uint32Array): Float32Array {
  const vertices = Math.floor(positions.length / 3);
  const soup = new Float32Array(Math.floor(indices.length / 3) * 9);
  let length = 0;
  for (let first = 0; first + 2 < indices.length; first += 3) {
    let isWhole = true;
    for (let corner = 0; corner < 3; corner++) {
      const vertex = indices[first + corner] as number;
      for (let axis = 0; axis < 3; axis++) {
        const value = positions[vertex * 3 + axis] as number;
        isWhole &&= vertex < vertices && Number.isFinite(value);
        soup[length + corner * 3 + axis] = value;
      }
    }
    if (isWhole) length += 9;
  }
  return soup.slice(0, length);
}

function fingerprintOf(soup: Float32Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < soup.length; at++)
    hash = Math.imul(hash ^ (Math.round((soup[at] as number) * 1_000) | 0), 0x01000193);
  return hash >>> 0;
}

function boundsOf(soup: Float32Array): Bounds {
  if (soup.length === 0) return { min: [0, 0, 0], max: [0, 0, 0] };
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let at = 0; at < soup.length; at++) {
    const axis = at % 3;
    const value = soup[at] as number;
    if (value < (min[axis] as number)) min[axis] = value;
    if (value > (max[axis] as number)) max[axis] = value;
  }
  return { min: min as [number, number, number], max: max as [number, number, number] };
}

interface Tree {
  readonly corners: Float32Array;
  readonly boxes: Float32Array;
  readonly link: Int32Array;
  readonly leafCount: Uint8Array;
  readonly depth: number;
}

// oxlint-disable-next-line max-lines-per-function -- One loop with its work arrays in view.
function buildTree(soup: Float32Array): Tree {
  const count = soup.length / 9;
  const middles = middlesOf(soup);
  const order = Int32Array.from({ length: count }, (_, triangle) => triangle);
  const nodesMax = Math.max(1, 2 * count);
  const boxes = new Float32Array(nodesMax * 6);
  const link = new Int32Array(nodesMax);
  const leafCount = new Uint8Array(nodesMax);
  const around = new Float64Array(6);
  let nodes = 0;
  let depthMax = 0;
  // Start, end, depth and the node whose right child this is (-1 for none), of ranges yet to be made into nodes.
  const open: number[] = count === 0 ? [] : [0, count, 0, -1];
  if (count === 0) boxes.set([Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity]);
  while (open.length > 0) {
    const parent = open.pop() as number;
    const depth = open.pop() as number;
    const end = open.pop() as number;
    const start = open.pop() as number;
    const node = nodes++;
    if (parent >= 0) link[parent] = node;
    if (depth > depthMax) depthMax = depth;
    fitBox(soup, order, start, end, boxes, node * 6);
    if (end - start <= LEAF_TRIANGLES_MAX) {
      link[node] = start;
      leafCount[node] = end - start;
      continue;
    }
    const middle = depth < MIDDLE_DEPTH_MAX ? partition(middles, order, start, end, around) : (start + end) >>> 1;
    open.push(middle, end, depth + 1, node, start, middle, depth + 1, -1);
  }
  const corners = new Float32Array(soup.length);
  for (let place = 0; place < count; place++) {
    const from = (order[place] as number) * 9;
    for (let part = 0; part < 9; part++) corners[place * 9 + part] = soup[from + part] as number;
  }
  const nodeCount = Math.max(1, nodes);
  return {
    corners,
    boxes: boxes.slice(0, nodeCount * 6),
    link: link.slice(0, nodeCount),
    leafCount: leafCount.slice(0, nodeCount),
    depth: depthMax,
  };
}

/** Three times the middle of each triangle: only comparisons are made with it. */
function middlesOf(soup: Float32Array): Float32Array {
  const middles = new Float32Array(soup.length / 3);
  for (let at = 0, into = 0; at < soup.length; at += 9) {
    middles[into++] = (soup[at] as number) + (soup[at + 3] as number) + (soup[at + 6] as number);
    middles[into++] = (soup[at + 1] as number) + (soup[at + 4] as number) + (soup[at + 7] as number);
    middles[into++] = (soup[at + 2] as number) + (soup[at + 5] as number) + (soup[at + 8] as number);
  }
  return middles;
}

// oxlint-disable-next-line max-params -- Arrays of one build; an object for them would be made for every node.
function fitBox(
  soup: Float32Array,
  order: Int32Array,
  start: number,
  end: number,
  boxes: Float32Array,
  into: number,
): void {
  let minX = Infinity;
  let minY = Infinity;
  let minZ = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  let maxZ = -Infinity;
  for (let place = start; place < end; place++) {
    const first = (order[place] as number) * 9;
    for (let at = first; at < first + 9; at += 3) {
      const x = soup[at] as number;
      const y = soup[at + 1] as number;
      const z = soup[at + 2] as number;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
      if (z < minZ) minZ = z;
      if (z > maxZ) maxZ = z;
    }
  }
  boxes[into] = minX;
  boxes[into + 1] = minY;
  boxes[into + 2] = minZ;
  boxes[into + 3] = maxX;
  boxes[into + 4] = maxY;
  boxes[into + 5] = maxZ;
}

/** Puts the triangles before the middle of the longest edge first; returns where the others begin. Never leaves a side empty. */
// oxlint-disable-next-line max-params -- As above.
function partition(middles: Float32Array, order: Int32Array, start: number, end: number, around: Float64Array): number {
  around.fill(Infinity, 0, 3);
  around.fill(-Infinity, 3, 6);
  for (let place = start; place < end; place++) {
    const at = (order[place] as number) * 3;
    for (let axis = 0; axis < 3; axis++) {
      const value = middles[at + axis] as number;
      if (value < (around[axis] as number)) around[axis] = value;
      if (value > (around[axis + 3] as number)) around[axis + 3] = value;
    }
  }
  let axis = 0;
  for (let other = 1; other < 3; other++) if (edge(around, other) > edge(around, axis)) axis = other;
  const split = ((around[axis] as number) + (around[axis + 3] as number)) / 2;
  let low = start;
  let high = end - 1;
  while (low <= high) {
    const triangle = order[low] as number;
    if ((middles[triangle * 3 + axis] as number) < split) {
      low++;
      continue;
    }
    order[low] = order[high] as number;
    order[high--] = triangle;
  }
  return low === start || low === end ? (start + end) >>> 1 : low;
}

function edge(around: Float64Array, axis: number): number {
  return (around[axis + 3] as number) - (around[axis] as number);
}

/** Where the ray enters the box; Infinity for a miss. */
function rayEntry(boxes: Float32Array, at: number, ray: Float64Array, limitM: number): number {
  let near = 0;
  let far = limitM;
  for (let axis = 0; axis < 3; axis++) {
    const inverse = 1 / (ray[axis + 3] as number);
    const low = ((boxes[at + axis] as number) - (ray[axis] as number)) * inverse;
    const high = ((boxes[at + axis + 3] as number) - (ray[axis] as number)) * inverse;
    const entry = inverse < 0 ? high : low;
    const exit = inverse < 0 ? low : high;
    if (entry > near) near = entry;
    if (exit < far) far = exit;
    if (near > far) return Infinity;
  }
  // An empty leaf lies at infinity.
  return (boxes[at] as number) > (boxes[at + 3] as number) ? Infinity : near;
}

/** Möller and Trumbore (1997), from both sides. */
function rayTriangle(c: Float32Array, at: number, ray: Float64Array, limitM: number): number {
  const ax = c[at] as number;
  const ay = c[at + 1] as number;
  const az = c[at + 2] as number;
  const ux = (c[at + 3] as number) - ax;
  const uy = (c[at + 4] as number) - ay;
  const uz = (c[at + 5] as number) - az;
  const vx = (c[at + 6] as number) - ax;
  const vy = (c[at + 7] as number) - ay;
  const vz = (c[at + 8] as number) - az;
  const dx = ray[3] as number;
  const dy = ray[4] as number;
  const dz = ray[5] as number;
  const px = dy * vz - dz * vy;
  const py = dz * vx - dx * vz;
  const pz = dx * vy - dy * vx;
  const determinant = ux * px + uy * py + uz * pz;
  if (Math.abs(determinant) < PARALLEL) return -1;
  const inverse = 1 / determinant;
  const sx = (ray[0] as number) - ax;
  const sy = (ray[1] as number) - ay;
  const sz = (ray[2] as number) - az;
  const u = (sx * px + sy * py + sz * pz) * inverse;
  if (u < 0 || u > 1) return -1;
  const qx = sy * uz - sz * uy;
  const qy = sz * ux - sx * uz;
  const qz = sx * uy - sy * ux;
  const v = (dx * qx + dy * qy + dz * qz) * inverse;
  if (v < 0 || u + v > 1) return -1;
  const distanceM = (vx * qx + vy * qy + vz * qz) * inverse;
  return distanceM >= 0 && distanceM <= limitM ? distanceM : -1;
}

function boxDistanceSquared(boxes: Float32Array, at: number, x: number, y: number, z: number): number {
  if ((boxes[at] as number) > (boxes[at + 3] as number)) return Infinity;
  const gapX = Math.max(0, (boxes[at] as number) - x, x - (boxes[at + 3] as number));
  const gapY = Math.max(0, (boxes[at + 1] as number) - y, y - (boxes[at + 4] as number));
  const gapZ = Math.max(0, (boxes[at + 2] as number) - z, z - (boxes[at + 5] as number));
  return gapX * gapX + gapY * gapY + gapZ * gapZ;
}

function boxGapSquared(boxes: Float32Array, at: number, box: Float64Array): number {
  if ((boxes[at] as number) > (boxes[at + 3] as number)) return Infinity;
  let sum = 0;
  for (let axis = 0; axis < 3; axis++) {
    const below = (boxes[at + axis] as number) - (box[axis + 3] as number);
    const above = (box[axis] as number) - (boxes[at + axis + 3] as number);
    const gap = Math.max(0, below, above);
    sum += gap * gap;
  }
  return sum;
}

/** The nearest point of one triangle, written into `into`; returns the squared distance. */
// oxlint-disable-next-line max-params -- Numbers, as below.
export function closestOnTriangle(
  corners: Float32Array,
  at: number,
  x: number,
  y: number,
  z: number,
  into: Float64Array,
): number {
  const squared = triangleDistanceSquared(corners, at, x, y, z);
  into.set(NEAREST);
  return squared;
}

/** The point that the last `triangleDistanceSquared` found. */
const NEAREST = new Float64Array(3);

/** By the region of the triangle's plane in which the point's foot lies (Ericson, Real-Time Collision Detection, 5.1.5). */
// oxlint-disable-next-line max-params -- Numbers, so that no vector is made for every triangle.
function triangleDistanceSquared(c: Float32Array, at: number, x: number, y: number, z: number): number {
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

function isTouching(boxes: Float32Array, at: number, box: Float64Array): boolean {
  for (let axis = 0; axis < 3; axis++) {
    if ((boxes[at + axis] as number) > (box[axis + 3] as number)) return false;
    if ((boxes[at + axis + 3] as number) < (box[axis] as number)) return false;
  }
  return true;
}

function isTriangleBoxTouching(c: Float32Array, at: number, box: Float64Array): boolean {
  for (let axis = 0; axis < 3; axis++) {
    const a = c[at + axis] as number;
    const b = c[at + 3 + axis] as number;
    const d = c[at + 6 + axis] as number;
    if (Math.min(a, b, d) > (box[axis + 3] as number) || Math.max(a, b, d) < (box[axis] as number)) return false;
  }
  return true;
}
