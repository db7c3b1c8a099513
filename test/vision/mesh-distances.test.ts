// Rule MX1 of docs/spec/spatial.md on real scans: pieces of a room's mesh against boxes, with three-mesh-bvh as the judge.
import assert from "node:assert/strict";
import { test } from "node:test";
import { handleSpatialQueries, NO_CONTEXT, TriangleMesh } from "@fovea/core";
import type { SceneEntity } from "@fovea/core";
import { loadScannedMesh, plainEntity, SeededRandom } from "@fovea/core/testing";
import { BoxGeometry, BufferAttribute, BufferGeometry, Matrix4, Quaternion, Vector3 } from "three";
import { MeshBVH } from "three-mesh-bvh";

const SEED = 11;

test("[MX1] distances between a scanned surface and boxes are those of three-mesh-bvh within a millimetre", () => {
  const random = new SeededRandom(SEED);
  const { positions, indices } = loadScannedMesh("office_small");
  const surface = new TriangleMesh(positions, indices);
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(positions, 3));
  geometry.setIndex(new BufferAttribute(indices.slice(), 1));
  const bvh = new MeshBVH(geometry);
  const shape: SceneEntity = { ...plainEntity({ id: "shape", at: [0, 0, 0], size: [1, 1, 1], kind: "mesh" }), surface };
  const { min, max } = surface.bounds;
  const meshed: SceneEntity = { ...shape, bounds: surface.bounds };
  let apart = 0;
  for (let round = 0; round < 60; round++) {
    const at = [0, 1, 2].map(
      (axis) => (min[axis] as number) + random.next() * ((max[axis] as number) - (min[axis] as number)),
    );
    const size = [0.1 + random.next() * 0.3, 0.1 + random.next() * 0.3, 0.1 + random.next() * 0.3] as const;
    const yaw = random.next() * 6;
    const box = plainEntity({ id: "box", at: at as unknown as [number, number, number], size, yaw });
    const entities = [meshed, box];
    const scene = { version: 1, entities, byId: new Map(entities.map((entity) => [entity.id, entity])), changes: [] };
    const query = { kind: "distance", from: { ids: ["box"] }, to: { ids: ["shape"] } } as const;
    const [found] = handleSpatialQueries({ ...NO_CONTEXT, sessionId: `s${round}`, scene }, [query]);
    const distanceM = found?.values.find((value) => value.name === "distance")?.value ?? Number.NaN;
    const q = box.pose.orientation;
    const placed = new Matrix4().compose(new Vector3(...at), new Quaternion(...q), new Vector3(1, 1, 1));
    const truth = bvh.closestPointToGeometry(new BoxGeometry(...size), placed)?.distance ?? Number.NaN;
    if (truth > 0) apart++;
    assert.ok(Math.abs(distanceM - truth) < 0.001, `seed ${SEED} round ${round}: ${distanceM} is not ${truth}`);
  }
  assert.ok(apart > 20, `${apart}`);
});
