// Rules TM1..TM3 of docs/spec/scene.md: the engine's triangles against three-mesh-bvh on real scans.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TriangleMesh } from "@fovea/core";
import { loadScannedMesh, SCANNED_ROOMS, SeededRandom } from "@fovea/core/testing";
import { BufferAttribute, BufferGeometry, DoubleSide, Ray, Vector3 } from "three";
import { MeshBVH } from "three-mesh-bvh";

const SEED = 7;
const RAYS = 400;

function forEachRoom(check: (mesh: TriangleMesh, other: MeshBVH, points: readonly [Vector3, Vector3][]) => void): void {
  const random = new SeededRandom(SEED);
  for (const room of SCANNED_ROOMS) {
    const { positions, indices } = loadScannedMesh(room);
    const mesh = new TriangleMesh(positions, indices);
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(positions, 3));
    geometry.setIndex(new BufferAttribute(indices.slice(), 1));
    const { min, max } = mesh.bounds;
    const inside = (axis: 0 | 1 | 2): number => min[axis] + (max[axis] - min[axis]) * (1.2 * random.next() - 0.1);
    const points = Array.from({ length: RAYS }, (): [Vector3, Vector3] => [
      new Vector3(inside(0), inside(1), inside(2)),
      new Vector3(random.next() - 0.5, random.next() - 0.5, random.next() - 0.5).normalize(),
    ]);
    check(mesh, new MeshBVH(geometry), points);
  }
}

test("[TM1] rays meet what three-mesh-bvh says, at the same distance and face", () => {
  let met = 0;
  forEachRoom((mesh, other, points) => {
    for (const [origin, direction] of points) {
      const hit = other.raycastFirst(new Ray(origin, direction), DoubleSide);
      const distanceM = mesh.raycast(Float64Array.of(...origin.toArray(), ...direction.toArray()), Infinity);
      assert.ok(Math.abs(distanceM - (hit?.distance ?? -1)) < 1e-6, `seed ${SEED}: ${distanceM} ${hit?.distance}`);
      if (hit === null) continue;
      met++;
      const normal = new Vector3(...mesh.hitNormal);
      assert.ok(normal.dot(direction) <= 1e-9, "the normal is on the side the ray came from");
      assert.ok(Math.abs(Math.abs(normal.dot(hit.face?.normal ?? normal)) - 1) < 1e-4);
    }
  });
  assert.ok(met > RAYS, `${met}`);
});

test("[TM2] distances to the surface are those of three-mesh-bvh, and the nearest point lies at them", () => {
  forEachRoom((mesh, other, points) => {
    for (const [origin] of points) {
      const distanceM = mesh.distanceTo(origin.x, origin.y, origin.z);
      const truth = other.closestPointToPoint(origin);
      assert.ok(Math.abs(distanceM - (truth?.distance ?? -1)) < 1e-6, `seed ${SEED}: ${distanceM} ${truth?.distance}`);
      const apart = new Vector3(...mesh.closestPoint).distanceTo(origin);
      assert.ok(Math.abs(apart - distanceM) < 1e-6);
      assert.equal(mesh.distanceTo(origin.x, origin.y, origin.z, distanceM * 0.99), distanceM === 0 ? 0 : Infinity);
    }
  });
});
