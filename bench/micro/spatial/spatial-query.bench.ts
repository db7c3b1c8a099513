// Typed spatial queries over a room of `size` thousand things (at most ten): one query a run, the kinds in turn.
//   npm run bench -- spatial
import { handleSpatialQueries } from "../../../packages/core/src/spatial/spatial-query.ts";
import { buildPlainScene } from "../../../packages/core/src/spatial/plain-scene.ts";
import type { SpatialQuery } from "../../../packages/core/src/model/spatial.ts";
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

export function setup(size: number): void {
  context = roomOfSize(Math.min(10, size) * 1_000);
  handleSpatialQueries(context, QUERIES);
}

export function run(): number {
  step = (step + 1) % QUERIES.length;
  return handleSpatialQueries(context, [QUERIES[step] as SpatialQuery])[0]?.entityIds.length ?? 0;
}
