// Rules TM3..TM5 of docs/spec/scene.md; TM1 and TM2 stand in test/vision/triangles.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { TriangleMesh } from "./triangle-mesh.ts";

function soup(count: number, seed: number, size = 0.3): { positions: Float32Array; indices: Uint32Array } {
  const random = new SeededRandom(seed);
  const positions = new Float32Array(count * 9);
  for (let triangle = 0; triangle < count; triangle++) {
    const middle = [random.next() * 4, random.next() * 4, random.next() * 4];
    for (let corner = 0; corner < 3; corner++)
      for (let axis = 0; axis < 3; axis++)
        positions[triangle * 9 + corner * 3 + axis] = (middle[axis] as number) + (random.next() - 0.5) * size;
  }
  return { positions, indices: Uint32Array.from({ length: count * 3 }, (_, index) => index) };
}

test("[TM3] a box search gives the triangles whose boxes touch, each once", () => {
  const { positions, indices } = soup(500, 3);
  const mesh = new TriangleMesh(positions, indices);
  const random = new SeededRandom(4);
  for (let round = 0; round < 50; round++) {
    const low = [random.next() * 3, random.next() * 3, random.next() * 3];
    const box = Float64Array.of(...low, ...low.map((value) => value + random.next()));
    let expected = 0;
    for (let triangle = 0; triangle < 500; triangle++) {
      const touches = [0, 1, 2].every((axis) => {
        const values = [0, 3, 6].map((corner) => positions[triangle * 9 + corner + axis] as number);
        return Math.min(...values) <= (box[axis + 3] as number) && Math.max(...values) >= (box[axis] as number);
      });
      if (touches) expected++;
    }
    const found = new Set<number>();
    mesh.search(box, (_, at) => void found.add(at));
    assert.equal(found.size, expected);
  }
  let all = 0;
  mesh.forEach(() => void all++);
  assert.equal(all, 500);
});

test("[TM4] faulty triangles are left out; none at all is met by nothing", () => {
  const positions = Float32Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, Number.NaN, 0, 0);
  const mesh = new TriangleMesh(positions, Uint32Array.of(0, 1, 2, 0, 1, 3, 0, 1, 9, 0, 1));
  assert.equal(mesh.triangleCount, 1);
  assert.equal(mesh.raycast(Float64Array.of(0.2, 0.2, 1, 0, 0, -1), 10), 1);
  assert.equal(mesh.raycast(Float64Array.of(0.2, 0.2, 1, 0, 0, -1), 0.9), -1);
  const empty = new TriangleMesh(new Float32Array(0), new Uint32Array(0));
  assert.deepEqual(
    [empty.triangleCount, empty.raycast(Float64Array.of(0, 0, 1, 0, 0, -1), 10), empty.distanceTo(0, 0, 0)],
    [0, -1, Infinity],
  );
});

test("[TM5] thousands of triangles in one place still give a tree; the fingerprint tells shapes apart", () => {
  const count = 5_000;
  const positions = new Float32Array(count * 9);
  for (let triangle = 0; triangle < count; triangle++) positions.set([0, 0, 0, 1, 0, 0, 0, 1, 0], triangle * 9);
  const indices = Uint32Array.from({ length: count * 3 }, (_, index) => index);
  const mesh = new TriangleMesh(positions, indices);
  assert.equal(mesh.raycast(Float64Array.of(0.2, 0.2, 1, 0, 0, -1), 10), 1);
  const moved = positions.slice();
  moved[4_000] = (moved[4_000] as number) + 0.002;
  assert.notEqual(mesh.fingerprint, new TriangleMesh(moved, indices).fingerprint);
  assert.equal(mesh.fingerprint, new TriangleMesh(positions.slice(), indices).fingerprint);
});
