// The box tree of the scene against a loop over three.js boxes, 10,000 objects, in interleaved rounds of one run.
//   npm run bench -- box-tree [objects=10000] [rounds=7]
// Goals (performance reference G10): a ray at least 50 times, a view volume at least 5 times as quick as the loop.
// Falsified by a smaller median ratio, or by a different answer.
import { Box3, Frustum, Matrix4, PerspectiveCamera, Ray, Vector3 } from "three";
import { Bvh, frustumPlanes } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";

const [objects, rounds] = [10_000, 7].map((value, index) => Number(process.argv[index + 2] ?? value)) as [
  number,
  number,
];
const RAYS = 64;
const random = new SeededRandom(1);
const extentM = Math.cbrt(objects) * 1.2;
const spread = (): number => (random.next() - 0.5) * extentM;

const flat = new Float64Array(objects * 6);
const boxes: Box3[] = [];
for (let item = 0; item < objects; item++) {
  const low = [spread(), spread(), spread()] as const;
  const high = low.map((value) => value + 0.1 + random.next() * 0.5) as [number, number, number];
  flat.set([...low, ...high], item * 6);
  boxes.push(new Box3(new Vector3(...low), new Vector3(...high)));
}
const tree = new Bvh(flat, objects);
const rays = Array.from({ length: RAYS }, () => {
  const direction = new Vector3(random.next() - 0.5, random.next() - 0.5, random.next() - 0.5).normalize();
  return new Ray(new Vector3(spread(), spread(), spread()), direction);
});
const flatRays = rays.map(({ origin, direction }) => Float64Array.of(...origin.toArray(), ...direction.toArray()));
const views = rays.map(({ origin, direction }) => {
  const camera = new PerspectiveCamera(90, 1, 0.1, 10);
  camera.position.copy(origin);
  camera.lookAt(origin.clone().add(direction));
  camera.updateMatrixWorld();
  const matrix = new Matrix4().multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse);
  const { x, y, z, w } = camera.quaternion;
  const pose = { position: origin.toArray(), orientation: [x, y, z, w] } as const;
  const angleRad = Math.PI / 2;
  return {
    frustum: new Frustum().setFromProjectionMatrix(matrix),
    planes: frustumPlanes({ pose, horizontalRad: angleRad, verticalRad: angleRad, nearM: 0.1, farM: 10 }),
  };
});

const hit = new Vector3();
const loopRay = (index: number): number => {
  const ray = rays[index] as Ray;
  let nearest = Infinity;
  for (const box of boxes) {
    if (box.containsPoint(ray.origin)) return 0;
    if (ray.intersectBox(box, hit) !== null) nearest = Math.min(nearest, hit.distanceTo(ray.origin));
  }
  return nearest;
};
const treeRay = (index: number): number => {
  tree.raycast(flatRays[index] as Float64Array, 1e6);
  return tree.hitDistanceM;
};
const loopView = (index: number): number => {
  const { frustum } = views[index] as (typeof views)[number];
  let count = 0;
  for (const box of boxes) if (frustum.intersectsBox(box)) count++;
  return count;
};
const treeView = (index: number): number => {
  let count = 0;
  tree.searchFrustum((views[index] as (typeof views)[number]).planes, () => count++);
  return count;
};

compare("first hit of a ray", loopRay, treeRay, 50);
compare("boxes in a 90 degree view", loopView, treeView, 5);

function compare(title: string, loop: (index: number) => number, own: (index: number) => number, goal: number): void {
  for (let index = 0; index < RAYS; index++) {
    const [expected, got] = [loop(index), own(index)];
    if (Math.abs(expected - got) > 1e-6) throw new Error(`${title} ${index}: ${got} instead of ${expected}`);
  }
  const ratios: number[] = [];
  const micros: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const loopMicros = time(loop, 4);
    const ownMicros = time(own, 200);
    ratios.push(loopMicros / ownMicros);
    micros.push(ownMicros);
  }
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
  console.log(
    `${title}: ${middle(micros).toFixed(2)} us, ${middle(ratios).toFixed(0)} times as quick as the loop (goal: ${goal})`,
  );
}

function time(run: (index: number) => number, repeats: number): number {
  let sink = 0;
  const startedMs = performance.now();
  for (let repeat = 0; repeat < repeats; repeat++) for (let index = 0; index < RAYS; index++) sink += run(index);
  if (Number.isNaN(sink)) throw new Error("an answer is not a number");
  return ((performance.now() - startedMs) * 1_000) / (repeats * RAYS);
}
