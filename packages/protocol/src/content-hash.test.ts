// Rules WH1..WH5 of docs/spec/wire.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ContentHasher, hashNode } from "./content-hash.ts";
import { diffScene, sceneUpdates } from "./scene-diff.ts";
import type { SceneNode } from "./scene-node.ts";

function nodeOf(change: Partial<Omit<SceneNode, "hash">> = {}): SceneNode {
  const node = {
    id: "table",
    ref: 1,
    kind: "box" as const,
    semanticLabel: "table",
    pose: { position: [1, 0.7, -2] as const, orientation: [0, 0, 0, 1] as const },
    bounds: { min: [-0.5, 0, -0.4] as const, max: [0.5, 0.7, 0.4] as const },
    ...change,
  };
  return { ...node, hash: hashNode(node) };
}

/** What a scene that had `before` sends when it sees `after`: "+id", "~id" (whole node), ">id" (pose), "-id". */
function delta(before: readonly SceneNode[], after: readonly SceneNode[]): string {
  const changes = diffScene(new Map(before.map((node) => [node.id, node])), after);
  return [
    ...changes.add.map((node) => `+${node.id}`),
    ...changes.update.map((node) => ("kind" in node ? `~${node.id}` : `>${node.id}`)),
    ...changes.remove.map((id) => `-${id}`),
  ].join(" ");
}

test("[WH1] the hash covers label and geometry, not the pose, the id or the number", () => {
  const base = nodeOf().hash;
  const same = [nodeOf({ id: "other", ref: 9 }), nodeOf({ pose: { position: [9, 9, 9], orientation: [0, 1, 0, 0] } })];
  const other = [
    nodeOf({ semanticLabel: "desk" }),
    nodeOf({ name: "Oak" }),
    nodeOf({ bounds: { min: [-0.5, 0, -0.4], max: [0.5, 0.702, 0.4] } }),
    nodeOf({ affordances: ["open"] }),
    nodeOf({ text: "EXIT" }),
  ];
  assert.deepEqual(
    same.map(({ hash }) => hash),
    [base, base],
  );
  assert.equal(new Set([base, ...other.map(({ hash }) => hash)]).size, other.length + 1);
  assert.match(base, /^[0-9a-f]{16}$/);
});

test("[WH2] hashes of 20,000 boxes that differ by a millimetre are all different, and lengths separate texts", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 20_000; i++)
    seen.add(nodeOf({ bounds: { min: [0, 0, 0], max: [(i % 200) / 1000, Math.floor(i / 200) / 1000, 1] } }).hash);
  assert.equal(seen.size, 20_000);
  assert.notEqual(new ContentHasher().text("ab").text("c").digest(), new ContentHasher().text("a").text("bc").digest());
});

test("[WH3] a scene sends what is new, what changed in content, what moved beyond 1 cm or 1 degree, and what is gone", () => {
  const at = (x: number, degrees = 0): SceneNode["pose"] => ({
    position: [x, 0.7, -2],
    orientation: [0, Math.sin((degrees * Math.PI) / 360), 0, Math.cos((degrees * Math.PI) / 360)],
  });
  assert.equal(delta([], [nodeOf()]), "+table");
  assert.equal(delta([nodeOf()], [nodeOf()]), "");
  assert.equal(delta([nodeOf()], []), "-table");
  assert.equal(delta([nodeOf()], [nodeOf({ semanticLabel: "desk" })]), "~table");
  assert.equal(delta([nodeOf({ pose: at(1) })], [nodeOf({ pose: at(1.009) })]), "");
  assert.equal(delta([nodeOf({ pose: at(1) })], [nodeOf({ pose: at(1.011) })]), ">table");
  assert.equal(delta([nodeOf({ pose: at(1) })], [nodeOf({ pose: at(1, 0.9) })]), "");
  assert.equal(delta([nodeOf({ pose: at(1) })], [nodeOf({ pose: at(1, 1.1) })]), ">table");
});

test("[WH4] jitter below a millimetre sends nothing, also where it crosses the rounding of the hash", () => {
  const height = (y: number): SceneNode => nodeOf({ bounds: { min: [0, 0, 0], max: [1, y, 1] } });
  assert.notEqual(height(0.70049).hash, height(0.70051).hash);
  assert.equal(delta([height(0.70049)], [height(0.70051)]), "");
  assert.equal(delta([height(0.7)], [height(0.703)]), "~table");
});

test("[WH5] a large room is split into messages below the limit; an empty full update is still said", () => {
  const nodes = Array.from({ length: 600 }, (_, i) => nodeOf({ id: `n${i}` }));
  const messages = sceneUpdates({ add: nodes, update: [], remove: ["x"] }, { full: true });
  assert.deepEqual(
    messages.map(({ add, remove, full }) => [add.length, remove.length, full ?? false]),
    [
      [250, 1, true],
      [250, 0, false],
      [100, 0, false],
    ],
  );
  assert.deepEqual(sceneUpdates({ add: [], update: [], remove: [] }), []);
  assert.equal(sceneUpdates({ add: [], update: [], remove: [] }, { full: true }).length, 1);
});
