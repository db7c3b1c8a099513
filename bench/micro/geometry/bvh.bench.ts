// Ray, nearest and refit over boxes of a room-like density; `npm run bench -- geometry`.
import { SeededRandom } from "../../../packages/core/testing/seeded-random.ts";
import { Bvh } from "../../../packages/core/src/geometry/bvh.ts";

let bvh = new Bvh(new Float64Array(0), 0);
let boxes = new Float64Array(0);
const rays: Float64Array[] = [];
const items = new Int32Array(8);
const distances = new Float64Array(8);
let step = 0;

/** `size` thousand boxes. */
export function setup(size: number): void {
  const count = size * 1_000;
  const random = new SeededRandom(1);
  const extentM = Math.cbrt(count) * 1.2;
  boxes = new Float64Array(count * 6);
  for (let item = 0; item < count; item++) {
    for (let axis = 0; axis < 3; axis++) {
      const low = (random.next() - 0.5) * extentM;
      boxes[item * 6 + axis] = low;
      boxes[item * 6 + axis + 3] = low + 0.1 + random.next() * 0.5;
    }
  }
  bvh = new Bvh(boxes, count);
  rays.length = 0;
  for (let i = 0; i < 512; i++) {
    const at = [0, 1, 2].map(() => (random.next() - 0.5) * extentM);
    const to = [0, 1, 2].map(() => random.next() - 0.5);
    const scale = 1 / Math.hypot(...to);
    rays.push(Float64Array.of(...at, ...to.map((value) => value * scale)));
  }
}

/** One ray, one nearest-8 and one refit. */
export function run(): number {
  const ray = rays[step++ & 511] as Float64Array;
  const item = step % bvh.itemCount;
  bvh.refit(item, boxes.subarray(item * 6, item * 6 + 6));
  return bvh.raycast(ray, 50) + bvh.nearest(ray, items, distances);
}
