// Typed spatial queries over a room of `size` thousand things (at most ten): one query a run, the kinds in turn.
//   npm run bench -- spatial
import { handleSpatialQueries } from "../../../packages/core/src/spatial/spatial-query.ts";
import { buildPlainScene } from "../../../packages/core/src/spatial/plain-scene.ts";
import { TriangleMesh } from "../../../packages/core/src/geometry/triangle-mesh.ts";
import type { Vec3 } from "../../../packages/core/src/geometry/vec3.ts";
import type { SceneEntity, SpatialQuery } from "../../../packages/core/src/model/spatial.ts";
import type { XRContext } from "../../../packages/core/src/model/xr-context.ts";
import { NO_CONTEXT } from "../../../packages/core/src/model/xr-context.ts";
import { SeededRandom } from "../../../packages/core/testing/seeded-random.ts";

const LABELS = ["chair", "table", "lamp", "shelf", "box", "picture", "plant", "monitor", "door", "window"];

let context: XRContext = NO_CONTEXT;
let step = 0;

export const QUERIES: readonly SpatialQuery[] = [
  { kind: "attended" },
  { kind: "find", target: { label: "lamp", relations: [{ relation: "nearest-to", anchors: [{ ids: ["e3"] }] }] } },
  { kind: "nearest", target: { label: "chair" } },
  { kind: "nearest", target: {}, to: { ids: ["e7"] } },
  { kind: "farthest", target: { label: "plant" } },
  { kind: "distance", to: { ids: ["e11"] } },
  { kind: "distance", from: { ids: ["e5"] }, to: { ids: ["e9"] } },
  { kind: "direction", to: { ids: ["e2"] } },
  { kind: "relation", relation: "on", anchors: [{ ids: ["e1"] }] },
  { kind: "relation", relation: "next-to", anchors: [{ ids: ["e1"] }] },
  { kind: "relation", relation: "left-of", anchors: [{ reference: "viewer" }] },
  { kind: "count", target: { label: "window" } },
  { kind: "size", target: { ids: ["e4"] } },
  { kind: "line-of-sight", to: { ids: ["e6"] } },
];

/** A room of `count` boxes, half of them turned. */
export function roomOfSize(count: number, seed = 1): XRContext {
  const random = new SeededRandom(seed);
  const side = Math.sqrt(count) * 0.8;
  const objects = Array.from({ length: count }, (_, index) => ({
    id: `e${index}`,
    label: LABELS[index % LABELS.length] as string,
    center: [(random.next() - 0.5) * side, random.next() * 2, (random.next() - 0.5) * side] as const,
    size: [0.2 + random.next(), 0.2 + random.next(), 0.2 + random.next()] as const,
    ...(index % 2 === 0 ? { yaw: random.next() * 3 } : {}),
  }));
  const pose = { position: [0, 1.6, 0], orientation: [0, 0, 0, 1] } as const;
  return {
    ...NO_CONTEXT,
    scene: buildPlainScene(objects, "y"),
    viewer: { ...NO_CONTEXT.viewer, isTracked: true, pose },
  };
}

/** The same room, its first `count` things and the room itself with triangles: `total` of them in all. */
export function meshedRoomOfSize(count: number, total: number, meshes = 20): XRContext {
  const context = roomOfSize(count);
  const random = new SeededRandom(5);
  const each = Math.floor(total / 2 / meshes);
  const shell: SceneEntity = {
    ...(context.scene.entities[0] as SceneEntity),
    id: "shell",
    semanticLabel: "global mesh",
    pose: { position: [0, 0, 0], orientation: [0, 0, 0, 1] },
    bounds: { min: [-15, 0, -15], max: [15, 3, 15] },
    surface: bumps(total / 2, [15, 1.5, 15], [0, 1.5, 0], random),
  };
  const entities = context.scene.entities.map((entity, index) => {
    if (index >= meshes) return entity;
    const { min, max } = entity.bounds;
    return {
      ...entity,
      surface: bumps(each, [(max[0] - min[0]) / 2, (max[1] - min[1]) / 2, (max[2] - min[2]) / 2], [0, 0, 0], random),
    };
  });
  const all = [...entities, shell];
  const byId = new Map(all.map((entity) => [entity.id, entity]));
  return { ...context, scene: { ...context.scene, entities: all, byId } };
}

/** A ball with an uneven surface. */
function bumps(triangles: number, half: Vec3, middle: Vec3, random: SeededRandom): TriangleMesh {
  const rows = Math.max(2, Math.round(Math.sqrt(triangles / 4)));
  const columns = Math.max(3, Math.round(triangles / 2 / rows));
  const positions = new Float32Array((rows + 1) * columns * 3);
  const indices = new Uint32Array(rows * columns * 6);
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [polar, around] = [(Math.PI * row) / rows, (2 * Math.PI * column) / columns];
      const size = 0.9 + 0.1 * random.next();
      const unit = [Math.sin(polar) * Math.cos(around), Math.cos(polar), Math.sin(polar) * Math.sin(around)];
      const at = (row * columns + column) * 3;
      for (let axis = 0; axis < 3; axis++)
        positions[at + axis] = (middle[axis] as number) + (half[axis] as number) * size * (unit[axis] as number);
      if (row === rows) continue;
      const [a, b] = [row * columns + column, row * columns + ((column + 1) % columns)];
      indices.set([a, b, a + columns, b, b + columns, a + columns], (row * columns + column) * 6);
    }
  }
  return new TriangleMesh(positions, indices);
}

export function setup(size: number): void {
  context = roomOfSize(Math.min(10, size) * 1_000);
  handleSpatialQueries(context, QUERIES);
}

export function run(): number {
  step = (step + 1) % QUERIES.length;
  return handleSpatialQueries(context, [QUERIES[step] as SpatialQuery])[0]?.entityIds.length ?? 0;
}
