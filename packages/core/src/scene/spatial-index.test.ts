// Rules SX1..SX7 of docs/spec/scene.md. Layouts are random from a printed seed; the oracle is geometry/bounds, one
// entity at a time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { expand, rayBox } from "../geometry/bounds.ts";
import type { Pose } from "../geometry/pose.ts";
import { normalizeQuat } from "../geometry/quat.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { angleBetween, distance, normalize, subtract } from "../geometry/vec3.ts";
import type { SceneEntity } from "../model/spatial.ts";
import { SpatialIndex } from "./spatial-index.ts";

function vector(random: SeededRandom, extentM: number): Vec3 {
  return [0, 1, 2].map(() => (random.next() - 0.5) * extentM) as unknown as Vec3;
}

function pose(random: SeededRandom): Pose {
  const orientation = normalizeQuat([random.gaussian(), random.gaussian(), random.gaussian(), random.gaussian()]);
  return { position: vector(random, 10), orientation };
}

function entity(id: string, where: Pose, half: Vec3, more: Partial<SceneEntity> = {}): SceneEntity {
  return {
    id,
    kind: "box",
    semanticLabel: "thing",
    pose: where,
    bounds: { min: [-half[0], -half[1], -half[2]], max: half },
    contentHash: "",
    firstSeenMs: 0,
    lastSeenMs: 0,
    confidence: 1,
    source: "app",
    affordances: [],
    ...more,
  };
}

function randomEntity(random: SeededRandom, id: string): SceneEntity {
  return entity(id, pose(random), [0.05 + random.next(), random.next() * 0.6, 0.05 + random.next() * 0.3]);
}

const IDENTITY = [0, 0, 0, 1] as const;
const origin: Pose = { position: [0, 0, 0], orientation: IDENTITY };

/** Casts rays and compares the first hit with the oracle; returns the mismatches. Also demands that rays do hit. */
function compare(index: SpatialIndex, entities: ReadonlyMap<string, SceneEntity>, random: SeededRandom): string {
  const wrong: string[] = [];
  let hits = 0;
  for (let round = 0; round < 200; round++) {
    const from = vector(random, 14);
    const direction = normalize(subtract(vector(random, 8), from));
    let expected = Infinity;
    for (const { pose: where, bounds } of entities.values()) {
      expected = Math.min(expected, rayBox({ origin: from, direction }, where, expand(bounds, 0.01)) ?? Infinity);
    }
    const slot = index.raycast(Float64Array.of(...from, ...direction), 100);
    if (Math.abs(index.hitDistanceM - expected) > 1e-9)
      wrong.push(`round ${round}: ${index.hitDistanceM} for ${expected}`);
    if (slot >= 0) hits++;
  }
  return hits < 50 ? `only ${hits} rays hit` : wrong.slice(0, 3).join("; ");
}

test("[SX1] rays meet oriented boxes where the exact test says", () => {
  const random = new SeededRandom(31);
  const index = new SpatialIndex();
  const entities = new Map<string, SceneEntity>();
  for (let i = 0; i < 200; i++) entities.set(`e${i}`, randomEntity(random, `e${i}`));
  for (const one of entities.values()) index.set(one);
  assert.equal(compare(index, entities, random), "");
});

test("[SX2] an outlined plane is met only inside its outline", () => {
  const index = new SpatialIndex();
  // An L: the square from 0 to 2, without its upper right quarter. Bounds claim the whole square.
  const polygon = [
    [0, 0],
    [2, 0],
    [2, 1],
    [1, 1],
    [1, 2],
    [0, 2],
  ] as const;
  const bounds = { min: [0, 0, 0], max: [2, 0, 2] } as const;
  index.set({ ...entity("l", origin, [1, 0, 1], { kind: "plane", polygon }), bounds });
  const meets = (x: number, z: number): boolean => index.raycast(Float64Array.of(x, 3, z, 0, -1, 0), 10) >= 0;
  assert.deepEqual([meets(0.5, 0.5), meets(1.5, 0.5), meets(0.5, 1.5), meets(1.5, 1.5)], [true, true, true, false]);
  assert.deepEqual([meets(-0.005, 1), meets(-0.05, 1), meets(1.005, 1.5)], [true, false, true]);
  assert.equal(index.raycast(Float64Array.of(0.5, 0.001, 0.5, 1, 0, 0), 10), -1, "a ray along the plane meets nothing");
});

test("[SX3] the global mesh is neither met nor found", () => {
  const index = new SpatialIndex();
  index.set(entity("room", origin, [5, 5, 5], { semanticLabel: "global mesh", kind: "mesh" }));
  assert.equal(index.raycast(Float64Array.of(0, 0, 9, 0, 0, -1), 20), -1);
  assert.equal(index.nearest(Float64Array.of(0, 0, 0), 3).length, 0);
  index.set(entity("room", origin, [1, 1, 1], { semanticLabel: "table" }));
  assert.equal(index.nearest(Float64Array.of(0, 0, 0), 3).length, 1);
});

test("[SX4] answers stay exact while entities come, move and go", () => {
  const random = new SeededRandom(32);
  const index = new SpatialIndex();
  const entities = new Map<string, SceneEntity>();
  for (let step = 0; step < 1_200; step++) {
    const id = `e${random.integer(150)}`;
    if (random.integer(3) === 0) {
      entities.delete(id);
      index.delete(id);
    } else {
      const one = randomEntity(random, id);
      entities.set(id, one);
      index.set(one);
    }
    if (step % 200 === 199) assert.equal(compare(index, entities, random), "", `seed 32 step ${step}`);
  }
  const near = index.nearest(Float64Array.of(0, 0, 0), 5).map((found) => found.distanceM);
  assert.deepEqual(
    near,
    [...near].sort((a, b) => a - b),
  );
  const touching: string[] = [];
  index.searchBox(Float64Array.of(-50, -50, -50, 50, 50, 50), (slot) =>
    touching.push(index.entityAt(slot)?.id ?? "none"),
  );
  assert.deepEqual(touching.sort(), [...entities.keys()].sort());
});

test("[SX5] the layers of a ray are what lies within the margin behind the first", () => {
  const index = new SpatialIndex();
  for (const [id, z] of [
    ["wall", -3],
    ["picture", -2.97],
    ["behind", -4],
  ] as const) {
    index.set(entity(id, { position: [0, 0, z], orientation: IDENTITY }, [1, 1, 0]));
  }
  const layers = (marginM: number): string[] => {
    const hits = new Map<string, number>();
    index.raycastLayers(Float64Array.of(0, 0, 0, 0, 0, -1), 10, marginM, (slot, reach) => {
      hits.set(index.entityAt(slot)?.id ?? "", reach[1] as number);
    });
    const first = Math.min(...hits.values());
    return [...hits]
      .filter(([, distanceM]) => distanceM <= first + marginM)
      .map(([id]) => id)
      .sort();
  };
  assert.deepEqual(layers(0), ["picture"]);
  assert.deepEqual(layers(0.05), ["picture", "wall"]);
  assert.deepEqual(layers(2), ["behind", "picture", "wall"]);
});

test("[SX6] a cone finds every entity whose sphere comes near the ray", () => {
  const random = new SeededRandom(33);
  const index = new SpatialIndex();
  const entities = Array.from({ length: 300 }, (_, i) => randomEntity(random, `e${i}`));
  for (const one of entities) index.set(one);
  let found = 0;
  for (let round = 0; round < 50; round++) {
    const from = vector(random, 4);
    const direction = normalize(vector(random, 2));
    const seen = new Set<string>();
    index.searchCone(Float64Array.of(...from, ...direction), 0.1, 30, (slot) =>
      seen.add(index.entityAt(slot)?.id ?? ""),
    );
    for (const { id, pose: where } of entities) {
      const isCentreInside = angleBetween(subtract(where.position, from), direction) <= 0.1;
      if (isCentreInside && distance(from, where.position) <= 30)
        assert.ok(seen.has(id), `seed 33 round ${round} ${id}`);
    }
    found += seen.size;
  }
  assert.ok(found > 200 && found < 50 * 150, `${found} found: the cone neither misses all nor takes all`);
});

test("[SX7] a removed entity is gone and its slot serves another", () => {
  const index = new SpatialIndex();
  for (let i = 0; i < 100; i++) index.set(entity(`e${i}`, origin, [1, 1, 1]));
  index.raycast(Float64Array.of(0, 0, 5, 0, 0, -1), 10);
  for (let i = 0; i < 100; i++) index.delete(`e${i}`);
  assert.equal(index.raycast(Float64Array.of(0, 0, 5, 0, 0, -1), 10), -1);
  for (let i = 0; i < 100; i++) index.set(entity(`f${i}`, origin, [1, 1, 1]));
  const slot = index.raycast(Float64Array.of(0, 0, 5, 0, 0, -1), 10);
  assert.match(index.entityAt(slot)?.id ?? "", /^f/);
  assert.equal(index.size, 100);
});
