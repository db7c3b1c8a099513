/* oxlint-disable max-lines -- One structure: build, refit and the five walks share the layout drawn below. */
// A tree of axis-aligned boxes in typed arrays, for "what does this ray meet first" many times a second without garbage.
//
// A node is a row of eight numbers: its box, its link and its count; an item is its box and the item. Rows fill a cache
// line: with a tree a session, most are found cold. Nodes lie in depth-first order: the left child of node n is n + 1, the
// right child is its link. A leaf has a count above 0 and its items are the positions link … link + count - 1.
// Items are kept in that order too, so that a leaf is one run of memory. Splits are chosen by the surface area heuristic over 12 bins
// (Wald 2007). Moving a box only widens or shrinks the boxes above it (`refit`); when things have wandered far the owner
// builds a new tree. Walks use one stack for all trees: a callback must not query a tree.
const LEAF_ITEMS_MAX = 4;
const BINS = 12;
/** Beyond this depth splits are at the median, so that hostile layouts cannot make the tree a list. */
const SAH_DEPTH_MAX = 40;

/**
 * Whether the ray meets the item itself: reach[0] is the limit beyond which nothing is of interest, and into reach[1] the
 * exact distance is written. An array, because a fraction that is passed or returned may cost an object.
 */
export type RayTest = (item: number, reach: Float64Array) => boolean;

/** `entryM` is where the ray enters the item's box. */
export type RayVisitor = (item: number, entryM: number) => void;

const ROW = 8;
const LINK = 6;
const COUNT = 7;

// The walk in progress. Numbers that change with every question lie in arrays: a fraction in a field or a result may cost
// an object.
let stack = new Int32Array(64);
let reached = new Float64Array(64);
const limits = new Float64Array(2);
const hitM = Float64Array.of(Infinity);
let askedBox: Float64Array = limits;

function isTouching(boxes: Float64Array, at: number): boolean {
  return overlaps(boxes, at, askedBox);
}

export class Bvh {
  readonly #itemCount: number;
  readonly #order: Int32Array;
  readonly #positionOf: Int32Array;
  /** Rows of the nodes, and from `#items` on those of the items. */
  readonly #rows: Float64Array;
  readonly #items: number;
  readonly #parent: Int32Array;
  readonly #leafOf: Int32Array;
  #nodeTotal = 0;
  #depth = 0;
  #found = -1;

  /**
   * `boxes` holds min x, y, z, max x, y, z of each item; it is read during the call and not kept. Answers and callbacks name
   * items by their label, or by their number where there are no labels; `refit` takes the number.
   */
  constructor(boxes: Float64Array, itemCount: number, labels?: readonly number[]) {
    this.#itemCount = itemCount;
    this.#order = Int32Array.from({ length: itemCount }, (_, index) => index);
    this.#positionOf = new Int32Array(itemCount);
    const nodesMax = Math.max(1, 2 * itemCount);
    this.#items = nodesMax;
    this.#rows = new Float64Array((nodesMax + itemCount) * ROW);
    this.#parent = new Int32Array(nodesMax);
    this.#leafOf = new Int32Array(itemCount);
    if (itemCount > 0) this.#split({ boxes, start: 0, end: itemCount, parent: -1, depth: 0 });
    for (let position = 0; position < itemCount; position++) {
      const item = this.#order[position] as number;
      this.#positionOf[item] = position;
      const at = this.#itemRow(position);
      for (let axis = 0; axis < 6; axis++) this.#rows[at + axis] = boxes[item * 6 + axis] as number;
      this.#rows[at + LINK] = labels?.[item] ?? item;
    }
    if (this.#depth + 4 > stack.length) {
      stack = new Int32Array(this.#depth + 16);
      reached = new Float64Array(this.#depth + 16);
    }
  }

  get itemCount(): number {
    return this.#itemCount;
  }

  /** Metres to the item that the last `raycast` returned. */
  get hitDistanceM(): number {
    return hitM[0] as number;
  }

  /** Sum of the node surfaces in square metres: grows as refitted items wander, and tells when to build anew. */
  surfaceM2(): number {
    let sum = 0;
    for (let node = 0; node < this.#nodeTotal; node++) sum += area(this.#rows, node * ROW);
    return sum;
  }

  /** Replaces the box of one item. */
  refit(item: number, box: Float64Array): void {
    const position = this.#positionOf[item] as number;
    for (let axis = 0; axis < 6; axis++) this.#rows[this.#itemRow(position) + axis] = box[axis] as number;
    let node = this.#leafOf[position] as number;
    this.#fitLeaf(node);
    for (node = this.#parent[node] as number; node >= 0; node = this.#parent[node] as number) {
      if (!this.#fitInner(node)) return;
    }
  }

  /** The item met first, or -1. `ray`: origin, then unit direction. Without `test` the boxes themselves are the things. */
  raycast(ray: Float64Array, distanceMaxM: number, test?: RayTest): number {
    this.#found = -1;
    limits[0] = distanceMaxM;
    this.#walkRay(ray, test, undefined);
    hitM[0] = this.#found < 0 ? Infinity : (limits[0] as number);
    return this.#found;
  }

  /** Every item whose box the ray meets within the distance, in no order. `entryM` is where the ray enters the box. */
  raycastAll(ray: Float64Array, distanceMaxM: number, visit: RayVisitor): void {
    limits[0] = distanceMaxM;
    this.#walkRay(ray, undefined, visit);
  }

  // oxlint-disable complexity -- One walk with its limit in view reads better than three half walks.
  /**
   * Up to `items.length` nearest items, nearest first; returns how many. `distances` receives metres. `measure` gives
   * the exact distance of an item and must not be below that of its box.
   */
  nearest(
    point: Float64Array,
    items: Int32Array,
    distances: Float64Array,
    options: { readonly distanceMaxM?: number; readonly measure?: (item: number) => number } = {},
  ): number {
    const k = items.length;
    const { distanceMaxM = Infinity, measure } = options;
    let found = 0;
    if (this.#nodeTotal === 0 || k === 0) return 0;
    let top = this.#push(0, 0, boxDistance(this.#rows, 0, point));
    while (top > 0) {
      top--;
      const node = stack[top] as number;
      const limit = found < k ? distanceMaxM : (distances[k - 1] as number);
      if ((reached[top] as number) > limit) continue;
      const count = (this.#rows[node * ROW + COUNT] as number) | 0;
      const link = (this.#rows[node * ROW + LINK] as number) | 0;
      if (count === 0) {
        const left = boxDistance(this.#rows, (node + 1) * ROW, point);
        const right = boxDistance(this.#rows, link * ROW, point);
        if (left < right) {
          top = this.#push(top, link, right);
          top = this.#push(top, node + 1, left);
        } else {
          top = this.#push(top, node + 1, left);
          top = this.#push(top, link, right);
        }
        continue;
      }
      for (let position = link; position < link + count; position++) {
        const at = this.#itemRow(position);
        const item = (this.#rows[at + LINK] as number) | 0;
        let distanceM = boxDistance(this.#rows, at, point);
        const within = found < k ? distanceMaxM : (distances[k - 1] as number);
        if (distanceM > within) continue;
        if (measure !== undefined) distanceM = measure(item);
        if (distanceM > within || (found === k && distanceM >= within)) continue;
        found = insertSorted(items, distances, { found, item, distanceM });
      }
    }
    return found;
  }

  /** Every item whose box touches the box. */
  searchBox(box: Float64Array, visit: (item: number) => void): void {
    askedBox = box;
    this.descend(isTouching, visit);
  }

  /** Every item whose box is at least partly on the inner side of all six planes (see `frustum.ts`). */
  searchFrustum(planes: Float64Array, visit: (item: number) => void): void {
    if (this.#nodeTotal === 0) return;
    // Planes that a node lies inside of need not be asked for what is below it: one bit for each that is left.
    let top = 1;
    stack[0] = 0;
    reached[0] = (1 << (planes.length >>> 2)) - 1;
    while (top > 0) {
      const node = stack[--top] as number;
      const mask = planesLeft(this.#rows, node * ROW, planes, reached[top] as number);
      if (mask === OUTSIDE) continue;
      const count = (this.#rows[node * ROW + COUNT] as number) | 0;
      const link = (this.#rows[node * ROW + LINK] as number) | 0;
      if (mask === 0) {
        this.#visitAll(node, visit);
      } else if (count === 0) {
        stack[top] = link;
        reached[top++] = mask;
        stack[top] = node + 1;
        reached[top++] = mask;
      } else {
        for (let position = link; position < link + count; position++) {
          const at = this.#itemRow(position);
          if (planesLeft(this.#rows, at, planes, mask) !== OUTSIDE) visit(this.#rows[at + LINK] as number);
        }
      }
    }
  }

  /** The items below a node are one run of `order`: from its leftmost leaf to the end of its rightmost. */
  #visitAll(node: number, visit: (item: number) => void): void {
    let first = node;
    while (this.#rows[first * ROW + COUNT] === 0) first++;
    let last = node;
    while (this.#rows[last * ROW + COUNT] === 0) last = this.#rows[last * ROW + LINK] as number;
    const end = (this.#rows[last * ROW + LINK] as number) + (this.#rows[last * ROW + COUNT] as number);
    for (let position = this.#rows[first * ROW + LINK] as number; position < end; position++) {
      visit(this.#rows[this.#itemRow(position) + LINK] as number);
    }
  }

  /** Walks down wherever `isWanted` holds for a box (six numbers at `at`); it must hold for a box around a wanted one. */
  descend(isWanted: (boxes: Float64Array, at: number) => boolean, visit: (item: number) => void): void {
    if (this.#nodeTotal === 0) return;
    let top = 1;
    stack[0] = 0;
    while (top > 0) {
      const node = stack[--top] as number;
      if (!isWanted(this.#rows, node * ROW)) continue;
      const count = (this.#rows[node * ROW + COUNT] as number) | 0;
      const link = (this.#rows[node * ROW + LINK] as number) | 0;
      if (count === 0) {
        stack[top++] = link;
        stack[top++] = node + 1;
        continue;
      }
      for (let position = link; position < link + count; position++) {
        const at = this.#itemRow(position);
        if (isWanted(this.#rows, at)) visit(this.#rows[at + LINK] as number);
      }
    }
  }

  /** Near children are walked first. `limits` holds the distance beyond which nothing is of interest, and shrinks. */
  #walkRay(ray: Float64Array, test: RayTest | undefined, visit: RayVisitor | undefined): void {
    if (this.#nodeTotal === 0) return;
    prepareRay(ray);
    const nodes = this.#rows;
    if (!meets(nodes, 0)) return;
    let top = 1;
    stack[0] = 0;
    reached[0] = entry[0] as number;
    while (top > 0) {
      top--;
      if ((reached[top] as number) > (limits[0] as number)) continue;
      const node = stack[top] as number;
      const count = (this.#rows[node * ROW + COUNT] as number) | 0;
      const link = (this.#rows[node * ROW + LINK] as number) | 0;
      if (count > 0) {
        this.#walkLeaf(link, count, test, visit);
        continue;
      }
      const isLeft = meets(nodes, (node + 1) * ROW);
      const leftM = entry[0] as number;
      const isRight = meets(nodes, link * ROW);
      const rightM = entry[0] as number;
      const isLeftFirst = isLeft && (!isRight || leftM <= rightM);
      if (isLeft && !isLeftFirst) {
        stack[top] = node + 1;
        reached[top++] = leftM;
      }
      if (isRight) {
        stack[top] = link;
        reached[top++] = rightM;
      }
      if (isLeftFirst) {
        stack[top] = node + 1;
        reached[top++] = leftM;
      }
    }
  }

  #walkLeaf(start: number, count: number, test: RayTest | undefined, visit: RayVisitor | undefined): void {
    for (let position = start; position < start + count; position++) {
      const at = this.#itemRow(position);
      if (!meets(this.#rows, at)) continue;
      const item = (this.#rows[at + LINK] as number) | 0;
      if (visit !== undefined) {
        visit(item, entry[0] as number);
        continue;
      }
      if (test === undefined) limits[1] = entry[0] as number;
      else if (!test(item, limits)) continue;
      const distanceM = limits[1] as number;
      if (distanceM > (limits[0] as number)) continue;
      if (distanceM === limits[0] && this.#found >= 0) continue;
      this.#found = item;
      limits[0] = distanceM;
    }
  }

  #itemRow(position: number): number {
    return (this.#items + position) * ROW;
  }

  #push(top: number, node: number, distanceM: number): number {
    stack[top] = node;
    reached[top] = distanceM;
    return top + 1;
  }

  #split(range: Range): number {
    const node = this.#nodeTotal++;
    const { boxes, start, end, parent, depth } = range;
    this.#parent[node] = parent;
    if (depth > this.#depth) this.#depth = depth;
    writeUnion(this.#rows, node * ROW, boxes, this.#order.subarray(start, end));
    const middle = end - start <= LEAF_ITEMS_MAX ? -1 : chooseSplit(range, this.#order);
    if (middle < 0) {
      this.#rows[node * ROW + LINK] = start;
      this.#rows[node * ROW + COUNT] = end - start;
      this.#leafOf.fill(node, start, end);
      return node;
    }
    this.#split({ boxes, start, end: middle, parent: node, depth: depth + 1 });
    this.#rows[node * ROW + LINK] = this.#split({ boxes, start: middle, end, parent: node, depth: depth + 1 });
    return node;
  }

  #fitLeaf(node: number): void {
    const start = this.#rows[node * ROW + LINK] as number;
    const count = (this.#rows[node * ROW + COUNT] as number) | 0;
    for (let axis = 0; axis < 3; axis++) {
      let min = Infinity;
      let max = -Infinity;
      for (let position = start; position < start + count; position++) {
        min = Math.min(min, this.#rows[this.#itemRow(position) + axis] as number);
        max = Math.max(max, this.#rows[this.#itemRow(position) + axis + 3] as number);
      }
      this.#rows[node * ROW + axis] = min;
      this.#rows[node * ROW + axis + 3] = max;
    }
  }

  /** False when the box stayed what it was, so that nothing above can change either. */
  #fitInner(node: number): boolean {
    const nodes = this.#rows;
    const left = (node + 1) * ROW;
    const right = (this.#rows[node * ROW + LINK] as number) * ROW;
    let isChanged = false;
    for (let axis = 0; axis < 6; axis++) {
      const a = nodes[left + axis] as number;
      const b = nodes[right + axis] as number;
      const value = axis < 3 ? Math.min(a, b) : Math.max(a, b);
      if (nodes[node * ROW + axis] !== value) isChanged = true;
      nodes[node * ROW + axis] = value;
    }
    return isChanged;
  }
}

interface Range {
  readonly boxes: Float64Array;
  readonly start: number;
  readonly end: number;
  readonly parent: number;
  readonly depth: number;
}

/** Reorders `order` within the range and returns where the right half begins. */
function chooseSplit(range: Range, order: Int32Array): number {
  const { boxes, start, end } = range;
  const axis = widestCentreAxis(range, order);
  if (axis >= 0 && range.depth < SAH_DEPTH_MAX) {
    const middle = splitAtBestBin(range, order, axis);
    if (middle > start && middle < end) return middle;
  }
  const sorted = order.subarray(start, end);
  const by = Math.max(0, axis);
  sorted.sort((a, b) => centre(boxes, a, by) - centre(boxes, b, by));
  return (start + end) >>> 1;
}

function centre(boxes: Float64Array, item: number, axis: number): number {
  return (boxes[item * 6 + axis] as number) + (boxes[item * 6 + axis + 3] as number);
}

const centreMin = new Float64Array(3);
const centreMax = new Float64Array(3);

/** -1 when all centres coincide. */
function widestCentreAxis({ boxes, start, end }: Range, order: Int32Array): number {
  centreMin.fill(Infinity);
  centreMax.fill(-Infinity);
  for (let position = start; position < end; position++) {
    const item = order[position] as number;
    for (let axis = 0; axis < 3; axis++) {
      const value = centre(boxes, item, axis);
      if (value < (centreMin[axis] as number)) centreMin[axis] = value;
      if (value > (centreMax[axis] as number)) centreMax[axis] = value;
    }
  }
  let widest = -1;
  let extent = 0;
  for (let axis = 0; axis < 3; axis++) {
    const size = (centreMax[axis] as number) - (centreMin[axis] as number);
    if (size > extent && size < Infinity) {
      extent = size;
      widest = axis;
    }
  }
  return widest;
}

const binCount = new Int32Array(BINS);
const binBoxes = new Float64Array(BINS * 6);
const rightArea = new Float64Array(BINS);
const growing = new Float64Array(6);

function splitAtBestBin(range: Range, order: Int32Array, axis: number): number {
  const { boxes, start, end } = range;
  const low = centreMin[axis] as number;
  const scale = BINS / ((centreMax[axis] as number) - low);
  const binOf = (item: number): number => Math.min(BINS - 1, Math.floor((centre(boxes, item, axis) - low) * scale));
  binCount.fill(0);
  for (let bin = 0; bin < BINS; bin++) clear(binBoxes, bin * 6);
  for (let position = start; position < end; position++) {
    const item = order[position] as number;
    const bin = binOf(item);
    binCount[bin] = (binCount[bin] as number) + 1;
    include(binBoxes, bin * 6, boxes, item * 6);
  }
  const boundary = cheapestBoundary(end - start);
  let left = start;
  for (let position = start; position < end; position++) {
    const item = order[position] as number;
    if (binOf(item) >= boundary) continue;
    order[position] = order[left] as number;
    order[left++] = item;
  }
  return left;
}

/** The first bin of the right side for which left surface times left count plus right surface times right count is least. */
function cheapestBoundary(total: number): number {
  clear(growing, 0);
  for (let bin = BINS - 1; bin > 0; bin--) {
    include(growing, 0, binBoxes, bin * 6);
    rightArea[bin] = area(growing, 0);
  }
  clear(growing, 0);
  let best = Infinity;
  let boundary = BINS >>> 1;
  let left = 0;
  for (let bin = 1; bin < BINS; bin++) {
    include(growing, 0, binBoxes, (bin - 1) * 6);
    left += binCount[bin - 1] as number;
    if (left === 0 || left === total) continue;
    const cost = area(growing, 0) * left + (rightArea[bin] as number) * (total - left);
    if (cost < best) {
      best = cost;
      boundary = bin;
    }
  }
  return boundary;
}

function clear(box: Float64Array, at: number): void {
  box.fill(Infinity, at, at + 3);
  box.fill(-Infinity, at + 3, at + 6);
}

function include(target: Float64Array, at: number, boxes: Float64Array, from: number): void {
  for (let axis = 0; axis < 3; axis++) {
    const min = boxes[from + axis] as number;
    const max = boxes[from + axis + 3] as number;
    if (min < (target[at + axis] as number)) target[at + axis] = min;
    if (max > (target[at + axis + 3] as number)) target[at + axis + 3] = max;
  }
}

function writeUnion(target: Float64Array, at: number, boxes: Float64Array, items: Int32Array): void {
  clear(target, at);
  for (const item of items) include(target, at, boxes, item * 6);
}

function area(box: Float64Array, at: number): number {
  const x = (box[at + 3] as number) - (box[at] as number);
  const y = (box[at + 4] as number) - (box[at + 1] as number);
  const z = (box[at + 5] as number) - (box[at + 2] as number);
  return x < 0 ? 0 : 2 * (x * y + y * z + z * x);
}

// The ray of the walk in progress. Walks are synchronous, so one set for all trees is enough; `raycast` inside a
// callback of another tree's walk would overwrite it, which is why callbacks must not cast rays.
const origin = new Float64Array(3);
const inverse = new Float64Array(3);

function prepareRay(ray: Float64Array): void {
  for (let axis = 0; axis < 3; axis++) {
    origin[axis] = ray[axis] as number;
    inverse[axis] = 1 / (ray[axis + 3] as number);
  }
}

/** Result of `meets`. An array because a function that returns a fraction makes an object of it when not inlined. */
const entry = new Float64Array(1);

/** Whether the prepared ray enters the box within the limit; then `entry[0]` says where, 0 from inside. */
// oxlint-disable-next-line complexity -- Unrolled over the axes: this is the innermost loop of every ray.
function meets(boxes: Float64Array, at: number): boolean {
  let near = 0;
  let far = limits[0] as number;
  // Comparisons, not Math.min: where a ray runs inside a slab's plane 0 * Infinity is NaN, which must bound nothing.
  const inverseX = inverse[0] as number;
  const originX = origin[0] as number;
  const x0 = ((boxes[at] as number) - originX) * inverseX;
  const x1 = ((boxes[at + 3] as number) - originX) * inverseX;
  if (inverseX >= 0) {
    if (x0 > near) near = x0;
    if (x1 < far) far = x1;
  } else {
    if (x1 > near) near = x1;
    if (x0 < far) far = x0;
  }
  if (near > far) return false;
  const inverseY = inverse[1] as number;
  const originY = origin[1] as number;
  const y0 = ((boxes[at + 1] as number) - originY) * inverseY;
  const y1 = ((boxes[at + 4] as number) - originY) * inverseY;
  if (inverseY >= 0) {
    if (y0 > near) near = y0;
    if (y1 < far) far = y1;
  } else {
    if (y1 > near) near = y1;
    if (y0 < far) far = y0;
  }
  if (near > far) return false;
  const inverseZ = inverse[2] as number;
  const originZ = origin[2] as number;
  const z0 = ((boxes[at + 2] as number) - originZ) * inverseZ;
  const z1 = ((boxes[at + 5] as number) - originZ) * inverseZ;
  if (inverseZ >= 0) {
    if (z0 > near) near = z0;
    if (z1 < far) far = z1;
  } else {
    if (z1 > near) near = z1;
    if (z0 < far) far = z0;
  }
  entry[0] = near;
  return near <= far;
}

function boxDistance(boxes: Float64Array, at: number, point: Float64Array): number {
  let sum = 0;
  for (let axis = 0; axis < 3; axis++) {
    const value = point[axis] as number;
    const below = (boxes[at + axis] as number) - value;
    const above = value - (boxes[at + axis + 3] as number);
    const gap = below > 0 ? below : above > 0 ? above : 0;
    sum += gap * gap;
  }
  return Math.sqrt(sum);
}

function overlaps(boxes: Float64Array, at: number, box: Float64Array): boolean {
  return (
    (boxes[at] as number) <= (box[3] as number) &&
    (boxes[at + 3] as number) >= (box[0] as number) &&
    (boxes[at + 1] as number) <= (box[4] as number) &&
    (boxes[at + 4] as number) >= (box[1] as number) &&
    (boxes[at + 2] as number) <= (box[5] as number) &&
    (boxes[at + 5] as number) >= (box[2] as number)
  );
}

const OUTSIDE = -1;

/**
 * Of the planes in `mask`, those that the box is not wholly inside of; OUTSIDE when it is wholly outside of one. The
 * corner farthest along a plane's normal tells whether any of the box is inside, the nearest whether all of it is.
 */
// oxlint-disable-next-line max-params -- Called for every node and item of a search.
function planesLeft(boxes: Float64Array, at: number, planes: Float64Array, mask: number): number {
  let left = 0;
  for (let bit = 1, plane = 0; plane < planes.length; bit <<= 1, plane += 4) {
    if ((mask & bit) === 0) continue;
    const x = planes[plane] as number;
    const y = planes[plane + 1] as number;
    const z = planes[plane + 2] as number;
    const offset = planes[plane + 3] as number;
    const farX = boxes[at + (x > 0 ? 3 : 0)] as number;
    const farY = boxes[at + (y > 0 ? 4 : 1)] as number;
    const farZ = boxes[at + (z > 0 ? 5 : 2)] as number;
    if (x * farX + y * farY + z * farZ + offset < 0) return OUTSIDE;
    const nearX = boxes[at + (x > 0 ? 0 : 3)] as number;
    const nearY = boxes[at + (y > 0 ? 1 : 4)] as number;
    const nearZ = boxes[at + (z > 0 ? 2 : 5)] as number;
    if (x * nearX + y * nearY + z * nearZ + offset < 0) left |= bit;
  }
  return left;
}

/** Inserts by distance, dropping the farthest when full; returns the new count. */
function insertSorted(
  items: Int32Array,
  distances: Float64Array,
  { found, item, distanceM }: { readonly found: number; readonly item: number; readonly distanceM: number },
): number {
  const count = Math.min(found + 1, items.length);
  let at = count - 1;
  while (at > 0 && (distances[at - 1] as number) > distanceM) {
    items[at] = items[at - 1] as number;
    distances[at] = distances[at - 1] as number;
    at--;
  }
  items[at] = item;
  distances[at] = distanceM;
  return count;
}
