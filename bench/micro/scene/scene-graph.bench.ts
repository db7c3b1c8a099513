// Applying a delta of ten moves to a large room and taking a snapshot; `npm run bench -- scene`.
import type { EntityDescription } from "../../../packages/core/src/scene/scene-graph.ts";
import { SceneGraph } from "../../../packages/core/src/scene/scene-graph.ts";

let graph = new SceneGraph();
let count = 0;
let step = 0;

function entity(index: number): EntityDescription {
  return {
    id: `e${index}`,
    kind: "box",
    semanticLabel: "object",
    pose: { position: [index % 50, 0, Math.floor(index / 50)], orientation: [0, 0, 0, 1] },
    bounds: { min: [-0.2, -0.2, -0.2], max: [0.2, 0.2, 0.2] },
    confidence: 1,
    source: "app",
    affordances: [],
  };
}

/** `size` thousand entities, at most ten. */
export function setup(size: number): void {
  count = Math.min(10, size) * 1_000;
  graph = new SceneGraph();
  graph.apply({ add: Array.from({ length: count }, (_, index) => entity(index)) }, 0);
}

export function run(): number {
  step++;
  const update = Array.from({ length: 10 }, (_, i) => {
    const index = (step * 10 + i) % count;
    return { id: `e${index}`, pose: { position: [index % 50, step % 2, 1], orientation: [0, 0, 0, 1] } } as const;
  });
  graph.apply({ update }, step);
  graph.index.raycast(Float64Array.of(0, 5, 0, 0, -1, 0), 20);
  return graph.snapshot().version;
}
