// Rules TQ1..TQ3 of docs/spec/spatial.md. `call` runs a tool as a model would and gives back its parsed result.
import assert from "node:assert/strict";
import { test } from "node:test";
import { plainContext } from "../../testing/plain-room.ts";
import { isSpatialQueryTool, performSpatialTool, SPATIAL_QUERY_TOOLS } from "./spatial-tools.ts";
import type { SpatialToolName } from "./spatial-tools.ts";

const ROOM = [
  { id: "floor", at: [0, -0.005, 0], size: [6, 0.01, 6], kind: "plane" },
  { id: "t1", label: "table", at: [0, 0.375, -2], size: [1.2, 0.75, 0.8] },
  { id: "l1", label: "lamp", at: [0.2, 0.95, -2], size: [0.2, 0.4, 0.2] },
  { id: "l2", label: "lamp", at: [2, 0.6, 0], size: [0.2, 1.2, 0.2] },
] as const;

function call(name: SpatialToolName, args: unknown): { isError: boolean; result: Record<string, unknown> } {
  const { content, isError } = performSpatialTool(
    name,
    typeof args === "string" ? args : JSON.stringify(args),
    plainContext(ROOM),
  );
  return { isError, result: JSON.parse(content) as Record<string, unknown> };
}

test("[TQ1] each tool measures and answers with ids and units", () => {
  assert.deepEqual(call("room_find", { description: "the lamp on the table" }).result["things"], [
    { id: "l1", label: "lamp", distance_m: 1.96, bearing_deg: 5.71, clock_clock: 12 },
  ]);
  assert.deepEqual(call("room_measure", { target: "l2", from: "t1" }).result["values"], { distance_m: 1.98 });
  assert.deepEqual(call("room_count", { description: "lamps" }).result["values"], { count_count: 2 });
  const ids = (name: SpatialToolName, args: unknown): unknown =>
    (call(name, args).result["things"] as { id: string }[]).map(({ id }) => id);
  assert.deepEqual(ids("room_related", { relation: "on", anchor: "t1" }), ["l1"]);
  assert.deepEqual(ids("room_related", { relation: "right-of", anchor: "me" }), ["l2"]);
  assert.deepEqual(ids("room_visible", {}), ["t1", "l1"]);
  assert.ok(Array.isArray(call("room_path", { target: "table" }).result["points"]));
  assert.deepEqual(
    Object.keys(call("room_fits", { widthM: 1, heightM: 1, depthM: 1 }).result["values"] as object).includes(
      "fits_truth",
    ),
    true,
  );
});

test("[TQ2] arguments that make no sense are refused, not guessed", () => {
  for (const [name, args] of [
    ["room_find", "{"],
    ["room_find", {}],
    ["room_related", { relation: "loves", anchor: "t1" }],
    ["room_fits", { widthM: "wide" }],
    ["room_fits", { widthM: -1, heightM: 1, depthM: 1 }],
  ] as const) {
    assert.equal(call(name, args).isError, true, `${name} ${JSON.stringify(args)}`);
  }
});

test("[TQ3] every tool has a strict schema and is recognised by name", () => {
  for (const definition of SPATIAL_QUERY_TOOLS) {
    assert.equal(definition.schema["additionalProperties"], false);
    assert.ok(isSpatialQueryTool(definition.name));
  }
  assert.equal(isSpatialQueryTool("highlight"), false);
});
