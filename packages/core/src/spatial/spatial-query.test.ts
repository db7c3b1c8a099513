// Rules SB3..SV6 of docs/spec/spatial.md over a room written by hand. `ask` prints "ids | named values" of a typed query;
// `say` prints the sentence for words. The viewer stands at the origin and looks along -Z unless told.
//
//                 window (on the north wall, z = -3)
//      shelf -2      table 0,-2 (lamp on it)      sofa 2,-2
//                         viewer 0,0
//      chair1 -1,1                          chair2 2,1        door at z = 3
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromAxisAngle, fromYaw, multiply } from "../geometry/quat.ts";
import type { SpatialQuery } from "../model/spatial.ts";
import type { PlainThing, PlainView } from "../../testing/plain-room.ts";
import { plainContext } from "../../testing/plain-room.ts";
import { answerPlainly } from "./plain-answer.ts";
import { handleSpatialQueries } from "./spatial-query.ts";

const ROOM: readonly PlainThing[] = [
  { id: "floor", at: [0, -0.005, 0], size: [6, 0.01, 6], kind: "plane" },
  { id: "wall", at: [0, 1.5, -3], size: [6, 3, 0.02], kind: "plane" },
  { id: "table", at: [0, 0.375, -2], size: [1.2, 0.75, 0.8] },
  { id: "lamp", at: [0.2, 0.95, -2], size: [0.2, 0.4, 0.2] },
  { id: "shelf", at: [-2, 0.9, -2], size: [0.8, 1.8, 0.3] },
  { id: "sofa", label: "couch", at: [2, 0.4, -2], size: [1, 0.8, 2], facing: [-1, 0, 0] },
  { id: "chair1", label: "chair", at: [-1, 0.45, 1], size: [0.5, 0.9, 0.5] },
  { id: "chair2", label: "chair", at: [2, 0.45, 1], size: [0.5, 0.9, 0.5] },
  { id: "window", at: [0, 1.6, -2.98], size: [1.5, 1, 0.02], kind: "plane" },
  { id: "door", at: [0, 1, 3], size: [0.9, 2, 0.05] },
  { id: "box", at: [-2, 1.9, -2], size: [0.3, 0.2, 0.2], name: "Tool box" },
];

function ask(query: SpatialQuery, things = ROOM, view: PlainView = {}): string {
  const [result] = handleSpatialQueries(plainContext(things, view), [query]);
  assert.ok(result !== undefined);
  const values = result.values
    .filter((value) => value.entityId === undefined)
    .map((value) => `${value.name}=${value.value.toFixed(2)}`);
  const state = result.problem ?? (result.isAmbiguous ? "ambiguous" : "");
  return [result.entityIds.join(","), values.join(" "), state].filter((part) => part !== "").join(" | ");
}

function say(text: string, things = ROOM, view: PlainView = {}): string {
  return answerPlainly(plainContext(things, view), text).result.answer;
}

test("[SB3] the plane of a table's top is the table", () => {
  const scanned: PlainThing[] = [
    ...ROOM,
    { id: "top", label: "table", at: [0, 0.75, -2], size: [1.2, 0.001, 0.8], kind: "plane" },
  ];
  assert.equal(ask({ kind: "count", target: { label: "table" } }, scanned), "table | count=1.00");
  assert.equal(ask({ kind: "find", target: { ids: ["top"] } }, scanned), "table");
});

test("[SB4] answers do not depend on the order of the entities", () => {
  const queries: SpatialQuery[] = [
    { kind: "nearest", target: {}, to: { label: "door" } },
    { kind: "relation", relation: "on", anchors: [{ label: "table" }] },
    { kind: "count", target: { label: "chair" } },
  ];
  for (const query of queries) assert.equal(ask(query, ROOM.toReversed()), ask(query));
});

test("[SQ1] looked at: the attention target, else the first thing along the head's axis", () => {
  assert.equal(ask({ kind: "attended" }, ROOM, { attention: [{ entityId: "shelf" }] }), "shelf");
  assert.equal(ask({ kind: "attended" }, ROOM), "window");
  assert.equal(ask({ kind: "attended" }, ROOM, { yaw: Math.PI }), "door");
  const inHiding = [{ entityId: "shelf", isOccluded: true }];
  assert.equal(ask({ kind: "attended" }, ROOM, { attention: inHiding }), "window");
  assert.equal(ask({ kind: "attended" }, [], { attention: [] }), "no-target");
});

test("[SQ2] pointed at: the pointing target, else the ray of the query", () => {
  const attention = [
    { entityId: "shelf", source: "head-gaze" },
    { entityId: "sofa", source: "pointing" },
  ] as const;
  assert.equal(ask({ kind: "pointed-at" }, ROOM, { attention }), "sofa");
  assert.equal(ask({ kind: "pointed-at", ray: { origin: [0, 1, 0], direction: [0, 0, 1] } }), "door");
  assert.equal(ask({ kind: "pointed-at" }), "no-target");
});

test("[SQ3] a thing is found by label, synonym, more general word or its own name", () => {
  for (const [label, id] of [
    ["sofa", "sofa"],
    ["settee", "sofa"],
    ["bookcase", "shelf"],
    ["tool box", "box"],
    ["couch", "sofa"],
  ] as const) {
    assert.equal(ask({ kind: "find", target: { label } }), id, label);
  }
  const offices: PlainThing[] = [...ROOM, { id: "office-chair", at: [1, 0.5, 1], size: [0.5, 1, 0.5] }];
  assert.equal(ask({ kind: "find", target: { label: "office chair" } }, offices), "office-chair");
  assert.equal(ask({ kind: "count", target: { label: "chair" } }, offices), "chair1,chair2 | count=2.00");
  assert.equal(ask({ kind: "find", target: { label: "unicorn" } }), "class-unknown");
});

test("[SQ4] equals are ambiguous and named, unless one is looked at", () => {
  assert.equal(ask({ kind: "distance", to: { label: "chair" } }), "chair1,chair2 | ambiguous");
  const attention = [{ entityId: "chair2" }];
  assert.equal(ask({ kind: "distance", to: { label: "chair" } }, ROOM, { attention }), "chair2 | distance=2.03");
  assert.match(
    say("how far is the chair?"),
    /^I see two chairs: one 1\.3 m away.* and one 2 m away.*\. Which one do you mean\?$/,
  );
});

test("[SQ5] nearest and farthest go by the gap between surfaces", () => {
  // The sofa is long: its middle is farther from chair2 than the table's would be, its end is nearest of all.
  assert.equal(
    ask({ kind: "nearest", target: { anyOf: [{ label: "sofa" }, { label: "table" }] }, to: { ids: ["chair2"] } }),
    "sofa",
  );
  assert.equal(ask({ kind: "nearest", target: {} }), "chair1");
  assert.equal(ask({ kind: "farthest", target: { label: "chair" } }), "chair2");
  assert.equal(ask({ kind: "nearest", target: {}, count: 3 }).split(",").length, 3);
});

test("[SQ6] counts are of things for which every relation holds", () => {
  assert.equal(ask({ kind: "count", target: { label: "chair" } }), "chair1,chair2 | count=2.00");
  assert.equal(ask({ kind: "count", target: { label: "plant" } }), "count=0.00 | class-unknown");
  const onTable = { label: "lamp", relations: [{ relation: "on", anchors: [{ label: "table" }] }] } as const;
  assert.equal(ask({ kind: "count", target: onTable }), "lamp | count=1.00");
  const onSofa = { label: "lamp", relations: [{ relation: "on", anchors: [{ label: "sofa" }] }] } as const;
  assert.equal(ask({ kind: "count", target: onSofa }), "count=0.00 | nothing-matches");
});

test("[SQ7] changes since a time, in order", () => {
  const changes = [
    { atMs: 1_000, change: "added", entityId: "box", label: "box" },
    { atMs: 9_000, change: "moved", entityId: "lamp", label: "lamp", from: [0, 0, 0], to: [0.5, 0, 0] },
  ] as const;
  assert.equal(ask({ kind: "changed-since", sinceMs: 500 }, ROOM, { changes, atMs: 10_000 }), "box,lamp");
  assert.equal(ask({ kind: "changed-since", sinceMs: -5_000 }, ROOM, { changes, atMs: 10_000 }), "lamp");
  assert.equal(say("what changed?", ROOM, { changes, atMs: 10_000 }), "The box was added. The lamp moved by 50 cm.");
});

test("[SQ8] a region holds what reaches into it", () => {
  const region = { min: [-3, 0, -2.1], max: [-1.7, 3, -1.9] } as const;
  assert.equal(ask({ kind: "region-contents", region }), "floor,shelf,box");
});

test("[SR1] on needs contact, above does not", () => {
  const hanging: PlainThing[] = [...ROOM, { id: "picture", at: [0, 1.8, -2.1], size: [0.5, 0.4, 0.1] }];
  assert.equal(ask({ kind: "relation", relation: "on", anchors: [{ label: "table" }] }, hanging), "lamp");
  assert.equal(ask({ kind: "relation", relation: "above", anchors: [{ label: "table" }] }, hanging), "lamp,picture");
  assert.equal(ask({ kind: "relation", relation: "on", anchors: [{ label: "shelf" }] }), "box");
});

test("[SR2] under reverses above; inside goes by volume", () => {
  assert.equal(ask({ kind: "relation", relation: "under", anchors: [{ label: "lamp" }] }), "table");
  const nested: PlainThing[] = [...ROOM, { id: "book", at: [-2, 1, -2], size: [0.2, 0.3, 0.2] }];
  assert.equal(
    ask({ kind: "relation", relation: "inside", target: { label: "book" }, anchors: [{ label: "shelf" }] }, nested),
    "book",
  );
});

test("[SR3] next to goes by the gap, and not for what is stacked", () => {
  const beside: PlainThing[] = [...ROOM, { id: "bin", label: "trash can", at: [0.9, 0.2, -2], size: [0.3, 0.4, 0.3] }];
  assert.equal(ask({ kind: "relation", relation: "next-to", anchors: [{ label: "table" }] }, beside), "bin");
});

test("[SR4] between goes by the line between the two", () => {
  assert.equal(
    ask({ kind: "relation", relation: "between", anchors: [{ label: "shelf" }, { label: "sofa" }] }),
    "lamp,table",
  );
  assert.equal(ask({ kind: "relation", relation: "between", anchors: [{ label: "chair" }] }), "relation-empty");
});

test("[SR5] the viewer's sides follow the heading, not the tilt of the head", () => {
  const left: SpatialQuery = {
    kind: "relation",
    relation: "left-of",
    anchors: [{ reference: "viewer" }],
    target: { label: "chair" },
  };
  assert.equal(ask(left), "relation-empty");
  assert.equal(ask(left, ROOM, { yaw: Math.PI }), "chair2");
  const tilted = multiply(fromYaw(Math.PI), fromAxisAngle([1, 0, 0], -1.2));
  assert.equal(ask(left, ROOM, { orientation: tilted }), "chair2");
  const behind: SpatialQuery = { kind: "relation", relation: "behind", anchors: [{ reference: "viewer" }] };
  assert.equal(ask(behind), "door");
});

test("[SR6] a thing's sides follow the line of sight; its front is where it faces", () => {
  assert.equal(
    ask({ kind: "relation", relation: "left-of", anchors: [{ label: "table" }], target: { label: "shelf" } }),
    "shelf",
  );
  assert.equal(
    ask({ kind: "relation", relation: "right-of", anchors: [{ label: "table" }], target: { label: "sofa" } }),
    "sofa",
  );
  // From the far side of the table left and right change places.
  const fromNorth = { at: [0, 1.6, -2.9], yaw: Math.PI } as const;
  assert.equal(
    ask(
      { kind: "relation", relation: "right-of", anchors: [{ label: "table" }], target: { label: "shelf" } },
      ROOM,
      fromNorth,
    ),
    "shelf",
  );
  assert.equal(
    ask({ kind: "relation", relation: "in-front-of", anchors: [{ label: "sofa" }], target: { label: "table" } }),
    "table",
  );
});

test("[SR7] against is within a hand's breadth at the same height", () => {
  const pushed: PlainThing[] = [...ROOM, { id: "cabinet", at: [-1, 0.5, -2.75], size: [0.6, 1, 0.4] }];
  assert.equal(say("is the cabinet against the wall?", pushed), "Yes, the cabinet is against the wall.");
  assert.equal(say("is the table against the wall?", pushed), "No.");
});

test("[SR8] a relation that holds for nothing says so", () => {
  assert.equal(say("what is on the sofa?"), "I see nothing on the sofa.");
  assert.equal(say("what is under the unicorn?"), "I do not see a unicorn here.");
});

test("[SM1] distances come with the clock face", () => {
  assert.equal(say("how far is the table?"), "The table is 1.8 m away, straight ahead.");
  assert.equal(say("how far is the sofa?"), "The couch is 2 m away, at your two o'clock.");
  assert.equal(say("how far is the sofa?", ROOM, { yaw: Math.PI / 2 }), "The couch is 2 m away, at your five o'clock.");
});

test("[SM2] quadrants for one who stands at a thing and faces another", () => {
  const standing = (to: string): string =>
    String(
      answerPlainly(
        plainContext(ROOM),
        `If I am standing by the door and facing the table, is the ${to} to my front-left, front-right, back-left, or back-right?`,
      ).value,
    );
  assert.deepEqual(["shelf", "sofa", "box"].map(standing), ["front-left", "front-right", "front-left"]);
});

test("[SM3] sizes are the edges of the box, however it is turned", () => {
  const turned = ROOM.map((thing) => (thing.id === "sofa" ? { ...thing, yaw: 0.7 } : thing));
  assert.equal(say("how big is the sofa?", turned), "The couch is 2 m wide, 1 m deep and 80 cm tall.");
  const longest =
    "What is the length of the longest dimension (length, width, or height) of the sofa, measured in centimeters?";
  assert.deepEqual(answerPlainly(plainContext(turned), longest).value, 200);
});

test("[SM4] the room is as large as its floor, or as its things, which is said", () => {
  assert.equal(say("how big is the room?"), "The room is 6 m by 6 m, about 36 square metres.");
  assert.match(say("how big is the room?", ROOM.slice(2)), /^Judging by the things in it, the room is /);
});

test("[SV1] visible: in the field of view and not behind something", () => {
  assert.equal(ask({ kind: "visible" }), "table,lamp,sofa,shelf,box,window");
  const screen: PlainThing[] = [...ROOM, { id: "divider", at: [-1.4, 1.3, -1], size: [2, 2.6, 0.05] }];
  assert.equal(ask({ kind: "visible", target: { label: "shelf" } }, screen), "nothing-matches");
});

test("[SV2] a wall does not hide the window in it, a divider does", () => {
  assert.equal(say("can I see the window?"), "Yes, the window is in view, 3 m away, straight ahead.");
  assert.match(say("can I see the door?"), /^No, the door is outside your view/);
  const screen: PlainThing[] = [...ROOM, { id: "divider", at: [0, 1.5, -2.5], size: [3, 3, 0.05] }];
  assert.match(say("can I see the window?", screen), /^No, something is in the way of the window/);
});

test("[SV3] a path leads around what is in the way", () => {
  const free = handleSpatialQueries(plainContext(ROOM, { at: [0, 1.6, 2] }), [
    { kind: "path", to: { label: "table" } },
  ])[0];
  const fence: PlainThing[] = [...ROOM, { id: "bench", at: [0, 0.4, 0], size: [3, 0.8, 0.3] }];
  const around = handleSpatialQueries(plainContext(fence, { at: [0, 1.6, 2] }), [
    { kind: "path", to: { label: "table" } },
  ])[0];
  const length = (result: typeof free): number => result?.values.find((value) => value.name === "length")?.value ?? 0;
  assert.ok(length(around) > length(free) + 0.3, `${length(free)} ${length(around)}`);
  for (const point of around?.points ?? []) {
    const dx = Math.max(0, Math.abs(point[0]) - 1.5);
    const dz = Math.max(0, Math.abs(point[2]) - 0.15);
    assert.ok(Math.hypot(dx, dz) > 0.2, `corner ${point.join(" ")} comes too near`);
  }
  const closed: PlainThing[] = [...ROOM, { id: "bench", at: [0, 0.4, 0], size: [6, 0.8, 0.3] }];
  assert.equal(
    say("how do I get to the table?", closed, { at: [0, 1.6, 2] }),
    "I see no way to the table that is wide enough to walk.",
  );
});

test("[SV4] a thing fits where its footprint stands clear", () => {
  assert.match(say("would a 1.8 m sofa fit in here?"), /^Yes, it would fit/);
  assert.equal(say("would a 7 m table fit in here?"), "No, I find no clear place of that size.");
  const [result] = handleSpatialQueries(plainContext(ROOM), [{ kind: "fits", size: [1, 1, 1] }]);
  const spot = result?.points?.[0] ?? [9, 9, 9];
  for (const thing of ROOM.slice(2)) {
    const clear =
      Math.abs(spot[0] - thing.at[0]) > 0.4 + thing.size[0] / 2 ||
      Math.abs(spot[2] - thing.at[2]) > 0.4 + thing.size[2] / 2;
    assert.ok(clear || thing.at[1] - thing.size[1] / 2 > 1, `${thing.id} is in the way at ${spot.join(" ")}`);
  }
});

test("[SV5] without a viewer, what needs one says so", () => {
  const nobody = { isTracked: false };
  assert.equal(ask({ kind: "attended" }, ROOM, nobody), "no-viewer");
  assert.equal(ask({ kind: "distance", to: { label: "table" } }, ROOM, nobody), "no-viewer");
  assert.equal(
    ask({ kind: "distance", from: { label: "table" }, to: { label: "door" } }, ROOM, nobody),
    "door,table | distance=4.58",
  );
});

test("[SV6] a description names what matters first", () => {
  const text = say("describe the room");
  assert.match(text, /^I know nine things in this room\. The door is 3 m away, behind you\. /);
  assert.match(text, /At your eleven o'clock: a shelf and a Tool box\.$/);
});
