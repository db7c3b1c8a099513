/* oxlint-disable max-lines -- One structure: build and the three walks share the layout drawn below. */
// Many triangles in typed arrays, for "where does this ray meet the surface" and "how far is the surface from here".
//
// Nodes lie in depth-first order: the left child of node n is n + 1, the right child is `link[n]`. A leaf has
// `leafCount[n]` > 0 triangles, which lie one after the other in `corners` from triangle `link[n]`. A node is split at the
// middle of the longest edge around its triangles' middles: as quick to ask as the surface area heuristic of `Bvh` on
// scanned rooms and three times as quick to build, which matters because a room arrives on the thread that also serves
// everybody's poses. Walks use one stack owned by the mesh: a visitor must not query the same mesh.
import type { Bounds } from "./bounds.ts";
import type { Pose } from "./pose.ts";
import { boxTriangleGap, closestOnBox, NEAREST, triangleDistanceSquared, triangleGapSquared } from "./triangle-gap.ts";

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
  readonly #gapPoints = new Float64Array(6);

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
   * Metres between two surfaces, 0 where they cross; `place` (by `placeOf`) is where `other` lies in this one's axes. The nearest points, in this one's axes, are in `gapPoints`. Both trees are walked together.
   */
  gapTo(other: TriangleMesh, place: Float64Array, limitM = Infinity): number {
    let best = limitM * limitM;
    let isFound = false;
    // A good guess spares most of the walk: from the middle of the other to and fro between the surfaces.
    const guess = this.#guessGap(other, place) * 1.000_001 + 1e-9;
    if (guess * guess < best) best = guess * guess;
    if (this.triangleCount === 0 || other.triangleCount === 0) return Infinity;
    const pairs: number[] = [0, 0, this.#pairGap(0, other, 0, place)];
    while (pairs.length > 0) {
      const gap = pairs.pop() as number;
      const theirs = pairs.pop() as number;
      const ours = pairs.pop() as number;
      if (gap > best || gap === Infinity) continue;
      const ourCount = this.#leafCount[ours] as number;
      const theirCount = other.#leafCount[theirs] as number;
      if (ourCount > 0 && theirCount > 0) {
        const found = this.#leafGap(ours, other, theirs, place, best);
        if (found > best) continue;
        best = found;
        isFound = true;
        if (best === 0) break;
        continue;
      }
      // The larger one is opened; its nearer half is looked at first.
      const isOurs = theirCount > 0 || (ourCount === 0 && this.#span(ours) >= other.#span(theirs));
      const near = (isOurs ? ours : theirs) + 1;
      const far = (isOurs ? this.#link[ours] : other.#link[theirs]) as number;
      const [a, b] = isOurs ? [near, theirs] : [ours, near];
      const [c, d] = isOurs ? [far, theirs] : [ours, far];
      const first = this.#pairGap(a, other, b, place);
      const second = this.#pairGap(c, other, d, place);
      if (first <= second) pairs.push(c, d, second, a, b, first);
      else pairs.push(a, b, first, c, d, second);
    }
    return isFound ? Math.sqrt(best) : Infinity;
  }

  /**
   * Metres between the surface and a solid box, 0 where any of the surface lies in it; `place` is where the box lies in
   * this mesh's axes, `half` its half edges. The nearest points are in `gapPoints`.
   */
  gapToBox(half: Float64Array, place: Float64Array, limitM = Infinity): number {
    let best = limitM;
    let isFound = false;
    let top = this.#push(0, 0, this.#nodeGap(0, half, place));
    while (top > 0) {
      top--;
      if ((this.#stackDistance[top] as number) > best) continue;
      const node = this.#stack[top] as number;
      const count = this.#leafCount[node] as number;
      const link = this.#link[node] as number;
      if (count === 0) {
        const toLeft = this.#nodeGap(node + 1, half, place);
        const toRight = this.#nodeGap(link, half, place);
        top =
          toLeft <= toRight
            ? this.#push(this.#push(top, link, toRight), node + 1, toLeft)
            : this.#push(this.#push(top, node + 1, toLeft), link, toRight);
        continue;
      }
      for (let triangle = link; triangle < link + count; triangle++) {
        const gap = boxTriangleGap(this.#corners, triangle * 9, half, place, best, GAP);
        if (gap > best) continue;
        best = gap;
        isFound = true;
        this.#gapPoints.set(GAP);
        if (gap === 0) return 0;
      }
    }
    return isFound ? best : Infinity;
  }

  /** Of the last `gapTo` that found something: on this surface, then on the other. */
  get gapPoints(): Float64Array {
    return this.#gapPoints;
  }

  /** Every triangle once. */
  forEach(visit: TriangleVisitor): void {
    for (let at = 0; at < this.#corners.length; at += 9) visit(this.#corners, at);
  }

  /** Never more than the gap between the box and what the node holds: by the sphere around the node. */
  #nodeGap(node: number, half: Float64Array, place: Float64Array): number {
    const at = node * 6;
    const hx = ((this.#boxes[at + 3] as number) - (this.#boxes[at] as number)) / 2;
    const hy = ((this.#boxes[at + 4] as number) - (this.#boxes[at + 1] as number)) / 2;
    const hz = ((this.#boxes[at + 5] as number) - (this.#boxes[at + 2] as number)) / 2;
    if (!(hx >= 0)) return Infinity;
    const x = (this.#boxes[at] as number) + hx;
    const y = (this.#boxes[at + 1] as number) + hy;
    const z = (this.#boxes[at + 2] as number) + hz;
    return Math.max(0, closestOnBox(half, place, x, y, z) - Math.sqrt(hx * hx + hy * hy + hz * hz));
  }

  #span(node: number): number {
    const at = node * 6;
    const x = (this.#boxes[at + 3] as number) - (this.#boxes[at] as number);
    const y = (this.#boxes[at + 4] as number) - (this.#boxes[at + 1] as number);
    const z = (this.#boxes[at + 5] as number) - (this.#boxes[at + 2] as number);
    return Math.max(x, y, z);
  }

  /** The gap between two points of the surfaces that are near one another: never less than the true gap. */
  #guessGap(other: TriangleMesh, place: Float64Array): number {
    if (this.triangleCount === 0 || other.triangleCount === 0) return Infinity;
    const { min, max } = other.bounds;
    let x = (min[0] + max[0]) / 2;
    let y = (min[1] + max[1]) / 2;
    let z = (min[2] + max[2]) / 2;
    let gap = Infinity;
    for (let round = 0; round < GUESS_ROUNDS; round++) {
      const at = placePoint(place, x, y, z);
      const nearer = this.distanceTo(at[0] as number, at[1] as number, at[2] as number);
      const back = placeBack(place, this.#closest[0] as number, this.#closest[1] as number, this.#closest[2] as number);
      other.distanceTo(back[0] as number, back[1] as number, back[2] as number);
      x = other.#closest[0] as number;
      y = other.#closest[1] as number;
      z = other.#closest[2] as number;
      const apart = Math.hypot(x - (back[0] as number), y - (back[1] as number), z - (back[2] as number));
      // The first point lies in the middle of the other, on no surface.
      if (round > 0 && nearer >= gap - GUESS_SETTLED_M) break;
      gap = Math.min(gap, apart);
    }
    return gap;
  }

  /** Squared gap between the boxes of two nodes, never more than that between what they hold. */
  #pairGap(ours: number, other: TriangleMesh, theirs: number, place: Float64Array): number {
    placeBox(other.#boxes, theirs * 6, place, PLACED_BOX);
    return boxGapSquared(this.#boxes, ours * 6, PLACED_BOX);
  }

  /** Squared; Infinity where nothing is nearer than `limit`. */
  // oxlint-disable-next-line max-params -- Two leaves and where one lies.
  #leafGap(ours: number, other: TriangleMesh, theirs: number, place: Float64Array, limit: number): number {
    const ourFirst = this.#link[ours] as number;
    const theirFirst = other.#link[theirs] as number;
    let best = limit;
    let found = Infinity;
    for (let j = theirFirst; j < theirFirst + (other.#leafCount[theirs] as number); j++) {
      placeTriangle(other.#corners, j * 9, place, PLACED);
      for (let i = ourFirst; i < ourFirst + (this.#leafCount[ours] as number); i++) {
        const squared = triangleGapSquared(this.#corners, i * 9, PLACED, best, GAP);
        if (squared > best) continue;
        best = squared;
        found = squared;
        this.#gapPoints.set(GAP);
        if (squared === 0) return 0;
      }
    }
    return found;
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

/** Of `gapTo`: a triangle and a box of the other mesh, in this one's axes, and the points of a pair. */
const PLACED = new Float32Array(9);
const PLACED_BOX = new Float64Array(6);
const GAP = new Float64Array(6);

function placeTriangle(corners: Float32Array, at: number, place: Float64Array, into: Float32Array): void {
  for (let corner = 0; corner < 9; corner += 3) {
    const x = corners[at + corner] as number;
    const y = corners[at + corner + 1] as number;
    const z = corners[at + corner + 2] as number;
    for (let axis = 0; axis < 3; axis++) {
      const row = 3 + axis * 3;
      into[corner + axis] =
        (place[axis] as number) +
        (place[row] as number) * x +
        (place[row + 1] as number) * y +
        (place[row + 2] as number) * z;
    }
  }
}

/** The box around the turned box: its middle is turned, its half edges by the sizes of the matrix. */
function placeBox(boxes: Float32Array, at: number, place: Float64Array, into: Float64Array): void {
  const hx = ((boxes[at + 3] as number) - (boxes[at] as number)) / 2;
  const hy = ((boxes[at + 4] as number) - (boxes[at + 1] as number)) / 2;
  const hz = ((boxes[at + 5] as number) - (boxes[at + 2] as number)) / 2;
  const x = (boxes[at] as number) + hx;
  const y = (boxes[at + 1] as number) + hy;
  const z = (boxes[at + 2] as number) + hz;
  for (let axis = 0; axis < 3; axis++) {
    const row = 3 + axis * 3;
    const a = place[row] as number;
    const b = place[row + 1] as number;
    const c = place[row + 2] as number;
    const middle = (place[axis] as number) + a * x + b * y + c * z;
    const reach = Math.abs(a) * hx + Math.abs(b) * hy + Math.abs(c) * hz;
    into[axis] = middle - reach;
    into[axis + 3] = middle + reach;
  }
}

const GUESS_ROUNDS = 6;
const GUESS_SETTLED_M = 1e-4;
const MOVED = new Float64Array(3);

function placePoint(place: Float64Array, x: number, y: number, z: number): Float64Array {
  for (let axis = 0; axis < 3; axis++) {
    const row = 3 + axis * 3;
    MOVED[axis] =
      (place[axis] as number) +
      (place[row] as number) * x +
      (place[row + 1] as number) * y +
      (place[row + 2] as number) * z;
  }
  return MOVED;
}

function placeBack(place: Float64Array, x: number, y: number, z: number): Float64Array {
  const dx = x - (place[0] as number);
  const dy = y - (place[1] as number);
  const dz = z - (place[2] as number);
  for (let axis = 0; axis < 3; axis++) {
    MOVED[axis] =
      (place[3 + axis] as number) * dx + (place[6 + axis] as number) * dy + (place[9 + axis] as number) * dz;
  }
  return MOVED;
}

/** A pose as `gapTo` wants it: where it puts the origin, then the rows of its rotation. */
export function placeOf({ position, orientation }: Pose): Float64Array {
  const [x, y, z, w] = orientation;
  return Float64Array.of(
    ...position,
    1 - 2 * (y * y + z * z),
    2 * (x * y - z * w),
    2 * (x * z + y * w),
    2 * (x * y + z * w),
    1 - 2 * (x * x + z * z),
    2 * (y * z - x * w),
    2 * (x * z - y * w),
    2 * (y * z + x * w),
    1 - 2 * (x * x + y * y),
  );
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
