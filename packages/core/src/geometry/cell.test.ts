// Rules CE1..CE3 of docs/spec/scene.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { contains } from "./bounds.ts";
import { cellAt, cellBounds, cellKey, parentCell, viewingOctant } from "./cell.ts";
import { fromYaw, IDENTITY } from "./quat.ts";

test("[CE1] a point lies in its cell, below zero too", () => {
  for (const point of [
    [0.1, 0.2, 0.3],
    [-0.1, -3.2, 7.7],
    [-0.25, 0.25, 0],
  ] as const) {
    for (let level = 0; level < 4; level++) assert.ok(contains(cellBounds(cellAt(point, level)), point));
  }
  assert.equal(cellKey(cellAt([-0.1, 0, 0.3], 0)), "0:-1,0,1");
});

test("[CE2] the parent is the cell of the next level at the same place", () => {
  for (const x of [-3.3, -0.1, 0, 0.6, 9.9]) {
    assert.deepEqual(parentCell(cellAt([x, x / 2, -x], 1)), cellAt([x, x / 2, -x], 2));
  }
});

test("[CE3] turning round changes the viewing octant", () => {
  assert.notEqual(viewingOctant(IDENTITY), viewingOctant(fromYaw(Math.PI)));
  assert.equal(viewingOctant(fromYaw(0.1)), viewingOctant(fromYaw(0.3)));
});
