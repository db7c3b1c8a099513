// Rules KR1..KR7, KS1..KS5 and KH1..KH5 of docs/spec/client.md: what leaves the page, against a WebXR made of plain objects.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PoseSample, WireConsent } from "@fovea/protocol";
import { createPoseSample, decodePosePacket, SourceTable } from "@fovea/protocol";
import { Fovea } from "@fovea/client";
import { handJoints, settle } from "@fovea/core/testing";
import type { FakeSource, FakeWorld } from "./fake-xr.ts";
import { AT_EYE_HEIGHT, controller, FakeSession, frameOf, hand, openHand } from "./fake-xr.ts";
import { FULL_CONSENT, part, ScriptedGateway } from "./scripted-gateway.ts";

class Room {
  readonly gateway = new ScriptedGateway();
  readonly session = new FakeSession();
  readonly space = new EventTarget();
  readonly world: FakeWorld = { viewer: AT_EYE_HEIGHT, poses: new Map(), sources: [] };
  #timeMs = 1_000;

  static async open(sources: FakeSource[], consent: Partial<WireConsent> = {}): Promise<Room & { xr: Fovea }> {
    const room = new Room();
    const connecting = Fovea.connect({
      url: "wss://g/xr",
      consent: { ...FULL_CONSENT, ...consent },
      WebSocket: room.gateway.WebSocket,
      clock: room.gateway.clientClock,
    });
    await room.gateway.welcome({ levels: { ...FULL_CONSENT, ...consent } });
    const open = Object.assign(room, { xr: await connecting });
    room.use(sources);
    open.xr.scene.observe({ planes: true, meshes: "boxes" });
    open.xr.attachSession(room.session as never, room.space as never);
    return open;
  }

  use(sources: FakeSource[]): void {
    this.session.inputSources = sources;
    this.world.sources = sources;
    for (const source of sources) {
      this.world.poses.set(source.targetRaySpace, AT_EYE_HEIGHT);
      if (source.gripSpace !== undefined) this.world.poses.set(source.gripSpace, AT_EYE_HEIGHT);
    }
    this.session.dispatchEvent(new Event("inputsourceschange"));
  }

  /** Frames of 11 ms for the given time; every timer that falls due runs. */
  async run(forMs: number): Promise<void> {
    for (let elapsed = 0; elapsed < forMs; elapsed += 11) {
      this.#timeMs += 11;
      this.session.runFrame(this.#timeMs, frameOf(this.world));
      this.gateway.clock.advance(11);
    }
    await settle();
  }

  /** Decodes the packets with the sources that the page described. */
  samples(): PoseSample[] {
    const table = new SourceTable();
    for (const source of this.gateway.socket.take("inputs").flatMap(({ add }) => add)) table.set(source);
    return this.gateway.socket.packets.map((packet) => {
      const sample = createPoseSample();
      const error = decodePosePacket(packet, table, sample);
      if (error !== undefined) assert.fail(`${error.field}: ${error.message}`);
      return sample;
    });
  }

  updates(): string[] {
    return this.gateway.socket
      .take("scene.update")
      .map(({ add, update, remove }) =>
        [
          ...add.map(({ id, semanticLabel }) => `+${id} ${semanticLabel}`),
          ...update.map((node) => ("kind" in node ? `~${node.id}` : `>${node.id}`)),
          ...remove.map((id) => `-${id}`),
        ].join(" "),
      );
  }
}

test("[KR1] poses are sent at the rate the gateway grants, and at a new one when it says so", async () => {
  const room = await Room.open([controller("left"), controller("right")]);
  await room.run(1_000);
  const count = room.gateway.socket.packets.length;
  assert.ok(count >= 28 && count <= 31, `${count} packets in a second`);
  assert.equal(room.samples()[5]?.sourceCount, 2);
  room.gateway.socket.reply({ type: "rates", poseHz: 10 });
  await room.run(1_000);
  const slower = room.gateway.socket.packets.length - count;
  assert.ok(slower >= 9 && slower <= 11, `${slower} packets in a second`);
  room.xr.close();
});

test("[KR2] poses pause while the session is not visible, and the gateway is told", async () => {
  const room = await Room.open([]);
  await room.run(200);
  const before = room.gateway.socket.packets.length;
  room.session.visibilityState = "visible-blurred";
  room.session.dispatchEvent(new Event("visibilitychange"));
  await room.run(500);
  assert.equal(room.gateway.socket.packets.length, before);
  assert.deepEqual(
    room.gateway.socket.take("visibility").map(({ state }) => state),
    ["visible-blurred"],
  );
  room.session.visibilityState = "visible";
  await room.run(200);
  assert.ok(room.gateway.socket.packets.length > before);
  room.xr.close();
});

test("[KR3] a socket that is behind gets no poses: the newest waits, the others are counted; control goes on", async () => {
  const room = await Room.open([]);
  await room.run(100);
  const before = room.gateway.socket.packets.length;
  room.gateway.socket.bufferedAmount = 1_000_000;
  await room.run(330);
  room.xr.marker("still here");
  assert.equal(room.gateway.socket.packets.length, before);
  assert.ok(room.xr.stats().droppedSamples >= 9);
  assert.equal(room.gateway.socket.take("marker").length, 1);
  room.xr.close();
});

test("[KR4] without consent for the head nothing of the body leaves; hands leave only at rounded and raw", async () => {
  const handsSeen = async (consent: Partial<WireConsent>): Promise<string> => {
    const room = await Room.open([hand("right", openHand(1))], consent);
    await room.run(100);
    const samples = room.samples();
    room.xr.close();
    return samples.length === 0
      ? "nothing"
      : samples.map(({ sourceCount }) => sourceCount).at(-1) === 1
        ? "hand"
        : "head";
  };
  assert.equal(await handsSeen({ head: false }), "nothing");
  assert.equal(await handsSeen({ hands: "none" }), "head");
  assert.equal(await handsSeen({ hands: "gesture" }), "head");
  assert.equal(await handsSeen({ hands: "rounded" }), "hand");
  assert.equal(await handsSeen({ hands: "raw" }), "hand");
});

test("[KR5] a rounded hand has the bones of the model, whoever's hand it is, and keeps the direction of its bones", async () => {
  const bones = async (
    size: number,
    level: "rounded" | "raw",
  ): Promise<{ lengths: number[]; directions: number[] }> => {
    const room = await Room.open([hand("right", openHand(size))], { hands: level });
    await room.run(60);
    const joints = room.samples()[0]?.sources[0]?.joints ?? new Float32Array();
    room.xr.close();
    const vector = (joint: number): number[] =>
      [0, 1, 2].map((i) => (joints[joint * 3 + i] ?? 0) - (joints[joint * 3 - 3 + i] ?? 0));
    const all = [6, 7, 8, 9, 11, 12, 13, 14].map(vector);
    return {
      lengths: all.map((v) => Math.round(Math.hypot(...v) * 1_000)),
      directions: all.flatMap((v) => v.map((c) => Math.round((c / Math.hypot(...v)) * 100) / 100 + 0)),
    };
  };
  const [small, large, raw] = [await bones(0.8, "rounded"), await bones(1.2, "rounded"), await bones(1.2, "raw")];
  assert.deepEqual(small.lengths, large.lengths);
  assert.deepEqual(large.lengths, [61, 38, 24, 22, 61, 43, 27, 23]);
  assert.notDeepEqual(raw.lengths, large.lengths);
  assert.deepEqual(small.directions, raw.directions);
});

test("[KR6] at the level gesture names and phases leave, and no joints; the page hears them at every level but none", async () => {
  const gestures = async (level: WireConsent["hands"]): Promise<string> => {
    const joints = openHand(1);
    const room = await Room.open([hand("right", joints)], { hands: level });
    const heard: string[] = [];
    room.xr.on("gesturestart", ({ detail }) => heard.push(`+${detail.name}`));
    room.xr.on("gestureend", ({ detail }) => heard.push(`-${detail.name}`));
    await room.run(400);
    // Thumb and index tips together.
    joints.copyWithin(4 * 3, 9 * 3, 10 * 3);
    await room.run(400);
    joints.set(openHand(1));
    await room.run(400);
    const sent = room.gateway.socket.take("gesture").map(({ name, phase }) => `${name} ${phase}`);
    room.xr.close();
    return `${heard.join(" ")} | ${sent.join(", ")}`;
  };
  const heard = "+pinch -pinch";
  assert.equal(await gestures("gesture"), `${heard} | pinch start, pinch end`);
  assert.equal(await gestures("raw"), `${heard} | `);
  assert.equal(await gestures("none"), " | ");
});

test("[KR6] what both hands do together is told of each, and nods are left to the head's poses", async () => {
  const pinch = (x: number, isLeft: boolean): Float32Array =>
    handJoints({ curl: [0.2, 0.45, 0.3, 0.25, 0.2], pinchM: 0.01, isLeft, position: [x, 1.2, -0.4] });
  const [left, right] = [hand("left", pinch(-0.15, true)), hand("right", pinch(0.15, false))];
  const room = await Room.open([left, right], { hands: "gesture" });
  const nods: string[] = [];
  room.xr.on("gesturestart", ({ detail }) => detail.handedness === "none" && nods.push(detail.name));
  for (let step = 0; step < 60; step++) {
    left.joints = pinch(-0.15 - step * 0.003, true);
    right.joints = pinch(0.15 + step * 0.003, false);
    const pitch = 0.15 * Math.sin(step * 0.33 * 1.2);
    room.world.viewer = { position: [0, 1.6, 0], orientation: [Math.sin(pitch / 2), 0, 0, Math.cos(pitch / 2)] };
    await room.run(33);
  }
  const sent = room.gateway.socket.take("gesture").map(({ name, handedness }) => `${name} ${handedness}`);
  room.xr.close();
  assert.deepEqual(sent.slice(0, 4).sort(), [
    "pinch left",
    "pinch right",
    "two-hand-scale left",
    "two-hand-scale right",
  ]);
  assert.ok(nods.includes("nod") && !sent.some((word) => word.startsWith("nod")), `${nods.join()} ${sent.join()}`);
});

test("[KR7] input sources are described before their first packet, keep their number, and are removed when they go", async () => {
  const left = controller("left");
  const room = await Room.open([left]);
  room.use([left, controller("right")]);
  await room.run(60);
  room.use([left]);
  await room.run(60);
  const inputs = room.gateway.socket.take("inputs");
  assert.deepEqual(
    inputs.map(({ add, remove }) => [
      add.map(({ id, handedness, buttons, axes }) => `${id} ${handedness} ${buttons}/${axes}`),
      remove,
    ]),
    [
      [["1 left 3/4"], []],
      [["2 right 3/4"], []],
      [[], [2]],
    ],
  );
  assert.deepEqual(
    room.samples().map(({ sourceCount }) => sourceCount),
    [2, 2, 1, 1].slice(0, room.samples().length),
  );
  room.session.dispatchEvent(Object.assign(new Event("selectstart"), { inputSource: left }));
  assert.deepEqual(
    room.gateway.socket.take("select").map(({ inputSource, phase }) => [inputSource, phase]),
    [[1, "start"]],
  );
  room.xr.close();
});

function plane(label: string, at: [number, number, number], corners: [number, number][], room: Room): object {
  const planeSpace = {};
  room.world.poses.set(planeSpace, { position: at, orientation: [0, 0, 0, 1] });
  return {
    planeSpace,
    semanticLabel: label,
    orientation: "horizontal",
    polygon: corners.map(([x, z]) => ({ x, y: 0, z, w: 1 })),
    lastChangedTime: 0,
  };
}

const SQUARE: [number, number][] = [
  [-0.5, -0.5],
  [0.5, -0.5],
  [0.5, 0.5],
  [-0.5, 0.5],
  [-0.5, -0.5],
];

test("[KS1] a room is told once; later only what changed in content or moved, whatever lastChangedTime says", async () => {
  const room = await Room.open([]);
  const table = plane("Table", [1, 0.7, -1], SQUARE, room) as {
    planeSpace: object;
    lastChangedTime: number;
    polygon: { x: number }[];
  };
  room.world.planes = [table, plane("floor", [0, 0, 0], SQUARE, room)];
  await room.run(600);
  assert.deepEqual(room.updates(), ["+plane-1 table +plane-2 floor"]);
  assert.equal(room.gateway.socket.take("scene.update")[0]?.add[0]?.polygon?.length, 4);
  table.lastChangedTime = 9_999;
  room.world.poses.set(table.planeSpace, { position: [1.005, 0.7, -1], orientation: [0, 0, 0, 1] });
  await room.run(600);
  assert.equal(room.updates().length, 1);
  room.world.poses.set(table.planeSpace, { position: [1.05, 0.7, -1], orientation: [0, 0, 0, 1] });
  await room.run(600);
  room.world.planes = [table];
  for (const corner of table.polygon) corner.x *= 2;
  await room.run(600);
  assert.deepEqual(room.updates().slice(1), [">plane-1", "~plane-1 -plane-2"]);
  room.xr.close();
});

test("[KS2] meshes become labelled boxes; the mesh of the whole room keeps its kind", async () => {
  const room = await Room.open([]);
  const mesh = (semanticLabel: string): object => {
    const meshSpace = {};
    room.world.poses.set(meshSpace, { position: [0, 0, -2], orientation: [0, 0, 0, 1] });
    return {
      meshSpace,
      semanticLabel,
      vertices: new Float32Array([0, 0, 0, 1, 2, 3, -1, 0.5, 1]),
      indices: new Uint32Array(3),
    };
  };
  room.world.meshes = [mesh("screen"), mesh("global mesh")];
  await room.run(600);
  const nodes = room.gateway.socket.take("scene.update")[0]?.add ?? [];
  assert.deepEqual(
    nodes.map(({ kind, semanticLabel }) => `${kind} ${semanticLabel}`),
    ["box screen", "mesh global mesh"],
  );
  assert.deepEqual(nodes[0]?.bounds, { min: [-1, 0, 0], max: [1, 2, 3] });
  room.xr.close();
});

test("[KS3] nothing of the room leaves without consent, and withdrawing it removes what was told", async () => {
  const room = await Room.open([]);
  room.world.planes = [plane("table", [1, 0.7, -1], SQUARE, room)];
  await room.run(600);
  room.xr.consent.set({ room: "none" });
  await room.run(600);
  assert.deepEqual(room.updates(), ["+plane-1 table", "-plane-1"]);
  assert.deepEqual(
    room.gateway.socket.take("consent").map(({ consent }) => consent.room),
    ["none"],
  );
  room.xr.close();
});

interface TestObject {
  matrixWorld: { elements: number[] };
  children: TestObject[];
  parent: TestObject | null;
  name: string;
  isScene?: boolean;
  geometry?: { boundingBox: { min: Xyz; max: Xyz } };
}
interface Xyz {
  x: number;
  y: number;
  z: number;
}

/** A box of 1 m whose matrix scales by `scale` and turns 90 degrees about Y. */
function turnedBox(scale: number, at: [number, number, number]): TestObject {
  return {
    matrixWorld: { elements: [0, 0, -scale, 0, 0, scale, 0, 0, scale, 0, 0, 0, ...at, 1] },
    children: [],
    parent: null,
    name: "box",
    geometry: { boundingBox: { min: { x: -0.5, y: 0, z: -0.25 }, max: { x: 0.5, y: 1, z: 0.25 } } },
  };
}

test("[KS4] an application object is told with its box in metres on its own axes, and removed with the object", async () => {
  const room = await Room.open([]);
  const scene: TestObject = { matrixWorld: { elements: [] }, children: [], parent: null, name: "", isScene: true };
  const lamp = turnedBox(2, [1, 0, -1]);
  lamp.parent = scene;
  const id = room.xr.scene.add(lamp as never, { label: "Lamp", affordances: ["switch"], description: "A lamp" });
  await room.run(600);
  const [node] = room.gateway.socket.take("scene.update").flatMap(({ add }) => add);
  assert.deepEqual(
    [node?.id, node?.kind, node?.semanticLabel, node?.name, node?.affordances],
    [id, "object", "lamp", "box", ["switch"]],
  );
  const rounded = (list: readonly number[] = []): number[] =>
    list.map((value) => Math.round(value * 1_000) / 1_000 + 0);
  assert.deepEqual(rounded(node?.bounds?.min), [-1, 0, -0.5]);
  assert.deepEqual(rounded(node?.bounds?.max), [1, 2, 0.5]);
  assert.deepEqual(rounded(node?.pose.orientation), [0, 0.707, 0, 0.707]);
  lamp.parent = null;
  await room.run(600);
  assert.deepEqual(room.updates().at(-1), `-${id}`);
  room.xr.close();
});

test("[KS5] when the reference space is reset the whole scene is told again", async () => {
  const room = await Room.open([]);
  room.world.planes = [plane("table", [1, 0.7, -1], SQUARE, room)];
  await room.run(600);
  room.space.dispatchEvent(new Event("reset"));
  await room.run(100);
  const updates = room.gateway.socket.take("scene.update");
  assert.deepEqual(
    updates.map(({ full, add }) => [full ?? false, add.length]),
    [
      [true, 1],
      [true, 1],
    ],
  );
  room.xr.close();
});

type Log = string[];

function actuator(log: Log, ways: { playEffect?: "ok" | "reject"; pulse?: "ok" | "reject" }): object {
  const outcome = (way: "ok" | "reject" | undefined): Promise<string> =>
    way === "ok" ? Promise.resolve("complete") : Promise.reject(new Error("not supported"));
  return {
    ...(ways.playEffect === undefined
      ? {}
      : {
          effects: ["dual-rumble"],
          playEffect: (type: string, { duration, strongMagnitude }: Record<string, number>) => {
            log.push(`${type} ${strongMagnitude} ${duration}`);
            return outcome(ways.playEffect);
          },
        }),
    ...(ways.pulse === undefined
      ? {}
      : {
          pulse: (value: number, ms: number) => {
            log.push(`pulse ${value} ${ms}`);
            return outcome(ways.pulse);
          },
        }),
  };
}

async function play(ways: Parameters<typeof actuator>[1] | undefined): Promise<string> {
  const log: Log = [];
  const room = await Room.open([
    ways === undefined ? hand("right", openHand(1)) : controller("right", actuator(log, ways)),
  ]);
  const { delivered, via } = await room.xr.haptics.play("impact-soft", { handedness: "right" });
  room.xr.close();
  return `${delivered} ${via} [${log.join(", ")}]`;
}

test("[KH1] a touch goes through playEffect where it exists, else through pulse; what is refused falls to the next", async () => {
  assert.equal(await play({ playEffect: "ok", pulse: "ok" }), "true playEffect [dual-rumble 0.4 40]");
  assert.equal(await play({ pulse: "ok" }), "true pulse [pulse 0.4 40]");
  assert.equal(await play({ playEffect: "reject", pulse: "ok" }), "true pulse [dual-rumble 0.4 40, pulse 0.4 40]");
  assert.equal(await play({ playEffect: "reject", pulse: "reject" }), "false none [dual-rumble 0.4 40, pulse 0.4 40]");
});

test("[KH2] hands have no actuator: the touch is undelivered, and visual where the page showed it instead", async () => {
  assert.equal(await play(undefined), "false none []");
  const room = await Room.open([]);
  room.xr.on("haptic", (event) => event.preventDefault());
  assert.deepEqual(await room.xr.haptics.play("success"), { delivered: false, via: "visual" });
  room.xr.close();
});

test("[KH3] the pulses of a touch follow in time, to the hand that is meant, scaled by the gain", async () => {
  const left: Log = [];
  const right: Log = [];
  const room = await Room.open([
    controller("left", actuator(left, { pulse: "ok" })),
    controller("right", actuator(right, { pulse: "ok" })),
  ]);
  await room.xr.haptics.play("success", { handedness: "left", gain: 0.5 });
  assert.deepEqual(left, ["pulse 0.25 40"]);
  room.gateway.clock.advance(120);
  assert.deepEqual([left, right], [["pulse 0.25 40", "pulse 0.4 60"], []]);
  room.xr.close();
});

test("[KH4] a .haptic document becomes pulses: equal steps merge, an emphasis is its own pulse", async () => {
  const log: Log = [];
  const room = await Room.open([controller("right", actuator(log, { pulse: "ok" }))]);
  const clip = {
    version: { major: 1, minor: 0, patch: 0 },
    signals: {
      continuous: {
        envelopes: {
          amplitude: [
            { time: 0, amplitude: 0.5 },
            { time: 0.06, amplitude: 0.5, emphasis: { amplitude: 1, frequency: 0.5 } },
            { time: 0.08, amplitude: 0.5 },
            { time: 0.1, amplitude: 0.5 },
          ],
        },
      },
    },
  };
  await room.xr.haptics.play(clip);
  room.gateway.clock.advance(200);
  assert.deepEqual(log, ["pulse 0.5 60", "pulse 1 20", "pulse 0.5 20"]);
  room.xr.close();
});

test("[KH5] a touch of an answer ends in a receipt that says how it was felt; an interruption stops what is left of it", async () => {
  const log: Log = [];
  const room = await Room.open([controller("right", actuator(log, { pulse: "ok" }))]);
  const turn = room.xr.ask("warn me");
  room.gateway.socket.reply({
    type: "haptic",
    ...part(turn.id, 0),
    clip: "of-the-gateway",
    handedness: "both",
    gain: 1,
    fallbackPulses: [
      { value: 0.5, duration: 30, at: 0 },
      { value: 0.6, duration: 30, at: 100 },
    ],
  });
  await settle();
  assert.deepEqual(
    room.gateway.socket.take("receipt").map(({ seq, delivered, via }) => [seq, delivered, via]),
    [[0, true, "pulse"]],
  );
  room.gateway.socket.reply({ type: "flush", epoch: 2 });
  room.gateway.clock.advance(500);
  assert.deepEqual(log, ["pulse 0.5 30"]);
  room.xr.close();
});
