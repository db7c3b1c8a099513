// Rules SG1..SG9 of docs/spec/scene.md. `play` applies deltas one second apart and prints version and changes, or the
// error with its field.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GatewayError } from "../errors/gateway-error.ts";
import { IDENTITY } from "../geometry/quat.ts";
import type { EntityDescription, SceneDelta } from "./scene-graph.ts";
import { SceneGraph } from "./scene-graph.ts";

function box(id: string, x = 0, more: Partial<EntityDescription> = {}): EntityDescription {
  return {
    id,
    kind: "box",
    semanticLabel: "table",
    pose: { position: [x, 0, 0], orientation: IDENTITY },
    bounds: { min: [-0.5, 0, -0.5], max: [0.5, 0.7, 0.5] },
    confidence: 1,
    source: "device",
    affordances: [],
    ...more,
  };
}

const at = (id: string, x: number) => ({ id, pose: { position: [x, 0, 0], orientation: IDENTITY } as const });

function play(deltas: readonly SceneDelta[], graph = new SceneGraph({ entitiesMax: 3, changesMax: 4 })): string {
  let seen = 0;
  return deltas
    .map((delta, step) => {
      try {
        graph.apply(delta, (step + 1) * 1_000);
      } catch (error) {
        if (!GatewayError.is(error)) throw error;
        return `${error.code} ${error.details.param} (v${graph.version}, ${graph.size})`;
      }
      const { version, changes } = graph.snapshot();
      const news = changes
        .filter((change) => change.atMs > seen)
        .map((change) => `${change.change} ${change.entityId}`);
      seen = (step + 1) * 1_000;
      return `v${version}: ${news.join(", ")}`;
    })
    .join("\n");
}

test("[SG1] removals, additions and updates apply in that order, one version a delta", () => {
  const graph = new SceneGraph({ entitiesMax: 3, changesMax: 9 });
  const told = play(
    [{ add: [box("a"), box("b", 2)] }, { remove: ["a"], add: [box("a", 5)], update: [at("b", 3)] }],
    graph,
  );
  assert.equal(told, "v1: added a, added b\nv2: removed a, added a, moved b");
  assert.deepEqual(graph.get("b")?.pose.position, [3, 0, 0]);
});

test("[SG2] the same room told again, and jitter, raise no version", () => {
  assert.equal(
    play([{ add: [box("a")] }, { add: [box("a", 0.004)] }, { update: [at("a", 0.006)] }]),
    "v1: added a\nv1: \nv1: ",
  );
  assert.equal(play([{ add: [box("a")] }, { update: [at("a", 0.02)] }]), "v1: added a\nv2: moved a");
});

test("[SG3] a refused delta changes nothing and names the field", () => {
  const refused = [
    { add: [box("b"), box("b")] },
    { add: [box("b")], update: [at("b", 1)] },
    { update: [at("ghost", 1)] },
    { remove: ["a"], update: [at("a", 1)] },
    { add: [box("b"), box("c"), box("d")] },
  ];
  assert.equal(
    play([{ add: [box("a")] }, ...refused]),
    [
      "v1: added a",
      "request_invalid add[1].id (v1, 1)",
      "request_invalid update[0].id (v1, 1)",
      "request_invalid update[0].id (v1, 1)",
      "request_invalid update[0].id (v1, 1)",
      "request_too_large add (v1, 1)",
    ].join("\n"),
  );
});

test("[SG4] the hash covers label and shape to the millimetre, not the pose", () => {
  const hash = (entity: EntityDescription): string => {
    const graph = new SceneGraph();
    graph.apply({ add: [entity] }, 0);
    return graph.get(entity.id)?.contentHash ?? "";
  };
  const plain = hash(box("a"));
  assert.match(plain, /^[0-9a-f]{16}$/);
  assert.equal(hash(box("other", 4)), plain);
  assert.equal(hash(box("a", 0, { bounds: { min: [-0.5001, 0, -0.5], max: [0.5, 0.7, 0.5] } })), plain);
  for (const more of [
    { semanticLabel: "desk" },
    { name: "big" },
    { name: "bi", description: "g" },
    { bounds: { min: [-0.502, 0, -0.5], max: [0.5, 0.7, 0.5] } },
    { affordances: ["open"] },
  ] satisfies Partial<EntityDescription>[]) {
    assert.notEqual(hash(box("a", 0, more)), plain, JSON.stringify(more));
  }
});

test("[SG5] snapshots are frozen, cached and share what did not change", () => {
  const graph = new SceneGraph();
  graph.apply({ add: [box("a"), box("b", 2)] }, 0);
  const before = graph.snapshot();
  assert.equal(graph.snapshot(), before);
  graph.apply({ update: [at("a", 1)], add: [box("c", 9)] }, 1);
  assert.deepEqual([before.version, before.entities.length, before.byId.size, before.changes.length], [1, 2, 2, 2]);
  assert.deepEqual(before.byId.get("a")?.pose.position, [0, 0, 0]);
  const after = graph.snapshot();
  assert.deepEqual([after.version, after.entities.length], [2, 3]);
  assert.equal(after.byId.get("b"), before.byId.get("b"));
});

test("[SG6] changes are bounded and say where from and where to", () => {
  const graph = new SceneGraph({ entitiesMax: 9, changesMax: 2 });
  play([{ add: [box("a"), box("b")] }, { update: [at("a", 1)] }, { remove: ["b"] }], graph);
  assert.deepEqual(graph.snapshot().changes, [
    { atMs: 2_000, change: "moved", entityId: "a", label: "table", from: [0, 0, 0], to: [1, 0, 0] },
    { atMs: 3_000, change: "removed", entityId: "b", label: "table", from: [0, 0, 0] },
  ]);
});

test("[SG7] a full delta forgets what it does not name", () => {
  const graph = new SceneGraph();
  const told = play([{ add: [box("a"), box("b", 2)] }, { isFull: true, add: [box("b", 2), box("c", 4)] }], graph);
  assert.equal(told, "v1: added a, added b\nv2: removed a, added c");
  assert.equal(graph.get("b")?.firstSeenMs, 1_000);
});

test("[SG8] a purge leaves nothing behind", () => {
  const graph = new SceneGraph();
  graph.apply({ add: [box("a")] }, 0);
  graph.purge();
  assert.deepEqual([graph.size, graph.snapshot().entities, graph.snapshot().changes, graph.version], [0, [], [], 2]);
  assert.equal(graph.index.raycast(Float64Array.of(0, 0.3, 5, 0, 0, -1), 50), -1);
});

test("[SG9] an update replaces the whole description", () => {
  const graph = new SceneGraph();
  play(
    [{ add: [box("a", 0, { name: "desk", description: "oak" })] }, { update: [box("a", 0, { name: "bench" })] }],
    graph,
  );
  const entity = graph.get("a");
  assert.deepEqual([entity?.name, entity?.description, entity?.firstSeenMs], ["bench", undefined, 1_000]);
});
