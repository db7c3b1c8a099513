// Rules VN10..VN17 of docs/spec/vision.md. One script in, one line for each thing that is known afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { plainEntity } from "../../testing/plain-room.ts";
import { fromYaw } from "../geometry/quat.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { SceneGraph } from "../scene/scene-graph.ts";
import type { EntityDescription } from "../scene/entity-description.ts";
import type { ImageView } from "../model/sight.ts";
import type { Sighting } from "../model/sight.ts";
import type { TrackerLimits } from "./sight-tracker.ts";
import { SightTracker, TRACKER_LIMITS } from "./sight-tracker.ts";

interface Look {
  readonly atMs?: number;
  readonly from?: Vec3;
  readonly yaw?: number;
  /** Label, place, and what differs from a good sighting. */
  readonly seen?: readonly (readonly [label: string, at: Vec3, more?: Partial<Sighting>])[];
  readonly isComplete?: boolean;
  readonly labels?: readonly string[];
}

function viewOf({ atMs = 0, from = [0, 1.6, 0], yaw = 0 }: Look): ImageView {
  const pose = { position: from, orientation: fromYaw(yaw) };
  return {
    imageId: 1,
    atMs,
    pose,
    fx: 500,
    fy: 500,
    cx: 320,
    cy: 240,
    widthPx: 640,
    heightPx: 480,
    isEstimated: false,
  };
}

class Room {
  readonly graph = new SceneGraph();
  readonly tracker: SightTracker;
  ids: readonly (string | undefined)[] = [];

  constructor(entities: readonly EntityDescription[] = [], limits: Partial<TrackerLimits> = {}) {
    this.tracker = new SightTracker({ ...TRACKER_LIMITS, ...limits });
    this.graph.apply({ add: entities.map((entity) => ({ ...entity, source: "device" })) }, 0);
  }

  look(look: Look): this {
    const { atMs = 0, seen = [], isComplete = false, labels } = look;
    const sightings = seen.map(([label, position, more]): Sighting => ({
      label,
      confidence: 0.8,
      imageId: 1,
      atMs,
      placedBy: "depth",
      position,
      distanceM: 2,
      pose: { position, orientation: [0, 0, 0, 1] },
      bounds: { min: [-0.05, -0.05, -0.05], max: [0.05, 0.05, 0.05] },
      errorM: 0.02,
      ...more,
    }));
    const asked = { isComplete, ...(labels === undefined ? {} : { labels }) };
    const change = this.tracker.fold(viewOf(look), sightings, this.graph.snapshot(), asked);
    this.graph.apply({ add: change.put, remove: change.remove }, atMs);
    this.ids = change.ids;
    return this;
  }

  get lines(): string {
    return this.graph
      .snapshot()
      .entities.filter((entity) => entity.source === "vision")
      .map(
        ({ id, semanticLabel, pose }) => `${id} ${semanticLabel} ${pose.position.map((v) => v.toFixed(2)).join(" ")}`,
      )
      .join("\n");
  }
}

test("[VN10] looks from several places become one entity, surer and in between", () => {
  const room = new Room().look({ seen: [["mug", [0, 1, -2]]] });
  const first = room.tracker.confidenceOf("seen-1") ?? 0;
  room.look({ atMs: 1_000, seen: [["coffee mug", [0.1, 1, -2]]] });
  assert.equal(room.lines, "seen-1 mug 0.05 1.00 -2.00");
  assert.ok((room.tracker.confidenceOf("seen-1") ?? 0) > first);
  // A look that knows the place badly moves it little.
  room.look({ atMs: 2_000, seen: [["mug", [0.25, 1, -2], { errorM: 0.2 }]] });
  assert.equal(room.lines, "seen-1 mug 0.05 1.00 -2.00");
  // Without a place there is nothing to keep.
  room.look({ atMs: 3_000, seen: [["dog", [0, 1, -2], { placedBy: "direction" }]] });
  assert.deepEqual([room.ids, room.tracker.size], [[undefined], 1]);
});

test("[VN11] two cups side by side stay two, and each keeps its own id", () => {
  const room = new Room();
  const both: NonNullable<Look["seen"]> = [
    ["cup", [0, 1, -2]],
    ["cup", [0.2, 1, -2]],
  ];
  room.look({ seen: both }).look({ atMs: 500, seen: both.toReversed() });
  assert.equal(room.lines, "seen-1 cup 0.00 1.00 -2.00\nseen-2 cup 0.20 1.00 -2.00");
  assert.deepEqual(room.ids, ["seen-2", "seen-1"]);
});

test("[VN12] the device's own sofa is confirmed, not doubled; one elsewhere is new", () => {
  const room = new Room([plainEntity({ id: "couch-1", label: "couch", at: [0, 0.4, -2], size: [2, 0.8, 0.9] })]);
  room.look({ seen: [["sofa", [0, 0.5, -1.52]]] });
  assert.deepEqual([room.ids, room.lines], [["couch-1"], ""]);
  room.look({ seen: [["sofa", [3, 0.5, -1.5]]] });
  assert.deepEqual(room.ids, ["seen-1"]);
});

test("[VN13] what nobody sees again is forgotten, a glimpse sooner than an old acquaintance", () => {
  const limits = { halfLifeMs: 1_000, confidenceMin: 0.2 };
  const forgottenAfterMs = (looks: number): number => {
    const room = new Room([], limits);
    for (let look = 0; look < looks; look++) room.look({ atMs: look, seen: [["mug", [0, 1, -2]]] });
    let atMs = looks;
    while (room.tracker.age(atMs).length === 0 && atMs < 100_000) atMs += 100;
    return atMs;
  };
  const glimpse = forgottenAfterMs(1);
  assert.ok(glimpse > 1_000 && glimpse < 4_000, `${glimpse}`);
  assert.ok(forgottenAfterMs(8) > 2 * glimpse);
});

test("[VN14] looked for and not found fades fast; hidden, at the border or not asked for it does not", () => {
  const wall = plainEntity({ id: "cupboard", at: [0, 1.5, -1], size: [3, 3, 0.3] });
  const after = (look: Look, entities: readonly EntityDescription[] = []): number => {
    const room = new Room(entities).look({ seen: [["mug", [0, 1.5, -2]]] });
    const before = room.tracker.confidenceOf("seen-1") ?? 0;
    room.look({ atMs: 10, ...look });
    return Math.round(((room.tracker.confidenceOf("seen-1") ?? 0) / before) * 100) / 100;
  };
  assert.equal(after({ isComplete: true }), 0.55);
  assert.equal(after({ labels: ["mug"] }), 0.55);
  assert.equal(after({ labels: ["book"] }), 1);
  assert.equal(after({}), 1);
  assert.equal(after({ isComplete: true }, [wall]), 1);
  assert.equal(after({ isComplete: true, yaw: 0.55 }), 1);
  assert.equal(after({ isComplete: true, yaw: Math.PI }), 1);
});

test("[VN15] at most so many things; the least sure goes", () => {
  const room = new Room([], { thingsMax: 2 });
  room.look({
    seen: [
      ["a", [0, 1, -2]],
      ["b", [1, 1, -2], { confidence: 0.4 }],
      ["c", [2, 1, -2]],
    ],
  });
  assert.equal(room.lines, "seen-1 a 0.00 1.00 -2.00\nseen-3 c 2.00 1.00 -2.00");
  assert.deepEqual([...room.tracker.clear()].sort(), ["seen-1", "seen-3"]);
});

test("[VN16] seeing and forgetting change nothing in the room; a thing that moved does", () => {
  const room = new Room().look({ seen: [["ball", [0, 1, -2]]] });
  assert.deepEqual(room.graph.snapshot().changes, []);
  assert.equal(room.graph.version, 2 - 1);
  // 0.6 m away and twice as surely the same ball: large things have a wide gate.
  const large = { bounds: { min: [-0.7, -0.7, -0.7], max: [0.7, 0.7, 0.7] } } as const;
  room.look({ atMs: 5, seen: [["chair", [3, 0.5, -2], large]] });
  room.look({ atMs: 9, seen: [["chair", [3.6, 0.5, -2], large]] });
  assert.deepEqual(
    room.graph.snapshot().changes.map(({ change, entityId }) => `${change} ${entityId}`),
    ["moved seen-2"],
  );
  room.graph.apply({ remove: ["seen-1"] }, 20);
  assert.equal(room.graph.snapshot().changes.length, 1);
});

test("[VN17] seen again in its place raises its confidence and not the version", () => {
  const room = new Room().look({ seen: [["mug", [0, 1, -2]]] });
  const { version } = room.graph;
  const before = room.graph.get("seen-1")?.confidence ?? 0;
  room.look({ atMs: 700, seen: [["mug", [0.002, 1, -2]]] });
  const now = room.graph.get("seen-1");
  assert.equal(room.graph.version, version);
  assert.ok((now?.confidence ?? 0) > before && now?.lastSeenMs === 700);
});
