// Rules EV1..EV13 of docs/spec/events.md. `play` runs events one after the other and prints what should follow.
import assert from "node:assert/strict";
import test from "node:test";
import { MemoryLog } from "../../testing/memory-log.ts";
import { settle } from "../../testing/fake-clock.ts";
import type { AttentionTarget, InputSourceState, XRContext } from "../model/xr-context.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import { NO_METER } from "../ports/meter.ts";
import type { SceneEntity } from "../model/spatial.ts";
import { IDENTITY_POSE } from "../geometry/pose.ts";
import type { EventEffect, XREvent } from "../model/xr-event.ts";
import { XREventType } from "../model/xr-event.ts";
import { handled } from "./event-handler.ts";
import { XREventProcessor } from "./event-processor.ts";

const box = { min: [-0.1, -0.1, -0.1], max: [0.1, 0.1, 0.1] } as const;
const entity = (id: string, affordances: readonly string[] = []): SceneEntity => ({
  id,
  kind: "object",
  semanticLabel: id,
  pose: IDENTITY_POSE,
  bounds: box,
  contentHash: id,
  firstSeenMs: 0,
  lastSeenMs: 0,
  confidence: 1,
  source: "app",
  affordances,
});
const target = (entityId: string, handedness?: "left" | "right"): AttentionTarget => ({
  entityId,
  source: handedness === undefined ? "head-gaze" : "pointing",
  ...(handedness === undefined ? {} : { handedness }),
  angleRad: 0,
  distanceM: 1,
  dwellMs: 500,
  isOccluded: false,
  confidence: 1,
});
const controller = (handedness: "left" | "right", actuators: number): InputSourceState => ({
  id: handedness === "left" ? 1 : 2,
  handedness,
  targetRayMode: "tracked-pointer",
  profiles: [],
  pressedButtons: 0,
  gestures: [],
  haptics: { pulse: actuators > 0, effects: [], actuators },
});
const entities = [entity("table"), entity("lamp"), entity("cup", ["grab"])];
const CONTEXT: XRContext = {
  ...NO_CONTEXT,
  sessionId: "s",
  attention: [target("table"), target("lamp", "right")],
  attentionHistory: [{ fromMs: 100, toMs: 200, target: target("cup") }],
  inputSources: [controller("left", 0), controller("right", 1)],
  scene: { version: 1, entities, byId: new Map(entities.map((item) => [item.id, item])), changes: [] },
};

const make = (context: XRContext = CONTEXT): XREventProcessor =>
  new XREventProcessor({
    contextAt: (id) => (id.startsWith("s") ? context : undefined),
    log: new MemoryLog(),
    meter: NO_METER,
  });

let next = 0;
const base = () => ({ eventId: `e${++next}`, sessionId: "s", atMs: 1_000 });
const gesture = (
  name: string,
  handedness: "left" | "right" = "right",
  phase: "start" | "update" = "start",
  confidence = 0.9,
): XREvent => ({ ...base(), type: XREventType.HAND_TRACKING, gesture: name, phase, handedness, confidence });
const said = (text: string, isFinal = true, atMs = 1_000): XREvent => ({
  ...base(),
  atMs,
  type: XREventType.VOICE_COMMAND,
  text,
  isFinal,
  confidence: 0.9,
});
const touched = (
  interaction: "select" | "grab" | "place",
  entityId?: string,
  position?: [number, number, number],
): XREvent => ({
  ...base(),
  type: XREventType.SPATIAL_INTERACTION,
  interaction,
  handedness: "right",
  ...(entityId === undefined ? {} : { entityId }),
  ...(position === undefined ? {} : { position }),
});
const receipt = (delivered: boolean, handedness: "left" | "right" = "right"): XREvent => ({
  ...base(),
  type: XREventType.HAPTIC_FEEDBACK,
  hapticId: "tick",
  handedness,
  delivered,
  via: delivered ? "pulse" : "none",
});

function show(effect: EventEffect): string {
  switch (effect.kind) {
    case "ask":
      return `ask "${effect.text}" ${effect.targets.join(",")}`;
    case "reply":
      return effect.answer;
    case "cancel-turn":
      return "cancel";
    case "action":
      return `${effect.action.kind} ${"target" in effect.action ? effect.action.target : ""}`;
    case "feedback":
      return `${effect.modality} ${effect.name}`;
  }
}

async function play(events: readonly XREvent[], processor = make()): Promise<string[]> {
  const lines: string[] = [];
  for (const event of events) {
    const result = await processor.processEvent(event);
    lines.push(
      result.outcome === "handled" ? result.effects.map(show).join(" + ") : `${result.outcome}: ${result.reason}`,
    );
  }
  return lines;
}

test("[EV1] [EV2] order within a session, none between sessions", async () => {
  const processor = make();
  const log: string[] = [];
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  processor.register("note", {
    name: "slow",
    async process(event) {
      if (event.eventId === "s1-first") await gate;
      log.push(event.eventId);
      return handled();
    },
  });
  const events = ["s1-first", "s1-second", "s2-first"].map((eventId) => ({
    eventId,
    sessionId: eventId.slice(0, 2),
    atMs: 0,
    type: "note",
  }));
  const all = events.map((event) => processor.processEvent(event));
  await settle();
  assert.deepEqual(log, ["s2-first"]);
  release();
  await Promise.all(all);
  assert.deepEqual(log, ["s2-first", "s1-first", "s1-second"]);
});

test("[EV3] a flood is refused, the rest keeps its order", async () => {
  const processor = make();
  const seen: number[] = [];
  processor.register("note", {
    name: "reader",
    async process(event) {
      await Promise.resolve();
      seen.push(event.atMs);
      return handled();
    },
  });
  const results = await Promise.all(
    Array.from({ length: 100 }, (_, i) => processor.processEvent({ ...base(), atMs: i, type: "note" })),
  );
  assert.equal(results.filter((result) => result.outcome === "refused").length, 36);
  assert.deepEqual(
    seen,
    Array.from({ length: 64 }, (_, i) => i),
  );
});

test("[EV4] unknown types go to the default handler", async () => {
  const processor = make();
  for (const type of ["weather", "__proto__", "constructor"]) {
    const result = await processor.processEvent({ ...base(), type });
    assert.deepEqual([result.outcome, result.handledBy], ["ignored", "default"]);
  }
});

test("[EV5] registered handlers come first, may pass, and can be removed", async () => {
  const processor = make();
  processor.register(XREventType.HAND_TRACKING, { name: "passing", process: () => "pass" });
  const remove = processor.register(XREventType.HAND_TRACKING, { name: "mine", process: () => handled() });
  assert.equal((await processor.processEvent(gesture("nod"))).handledBy, "mine");
  remove();
  assert.equal((await processor.processEvent(gesture("nod"))).handledBy, "hand-tracking");
});

test("[EV6] a handler that throws refuses its event only, and its words stay out of the log", async () => {
  const log = new MemoryLog();
  const processor = new XREventProcessor({ contextAt: () => CONTEXT, log, meter: NO_METER });
  processor.register("note", {
    name: "broken",
    process() {
      throw new Error("what the user said");
    },
  });
  assert.deepEqual(await play([{ ...base(), type: "note" }, gesture("nod")], processor), [
    "refused: the handler failed",
    "yes",
  ]);
  assert.match(log.text, /<private, 18 characters>/);
  assert.doesNotMatch(log.text, /what the user said/);
});

test("[EV7] an ended session is forgotten", async () => {
  const processor = make();
  let aborted = false;
  processor.register("note", {
    name: "long",
    process: (_event, _context, signal) =>
      new Promise((resolve) => {
        signal?.addEventListener("abort", () => {
          aborted = true;
          resolve(handled());
        });
      }),
  });
  const running = processor.processEvent({ ...base(), type: "note" });
  const behind = processor.processEvent(gesture("nod"));
  await settle();
  processor.endSession("s");
  await running;
  assert.deepEqual([aborted, (await behind).outcome, processor.sessionCount], [true, "refused", 0]);
  assert.equal((await processor.processEvent({ ...base(), sessionId: "gone", type: "note" })).outcome, "refused");
});

test("[EV8] gestures that mean something everywhere", async () => {
  const names = ["open-palm", "thumbs-up", "nod", "thumbs-down", "shake", "fist"];
  assert.deepEqual(await play(names.map((name) => gesture(name))), [
    "cancel",
    "yes",
    "yes",
    "no",
    "no",
    "ignored: this gesture has no meaning of its own",
  ]);
  assert.deepEqual(await play([gesture("nod", "right", "update"), gesture("nod", "right", "start", 0.4)]), [
    "ignored: only the start of a gesture acts",
    "ignored: the gesture is not certain enough",
  ]);
});

test("[EV9] a pinch selects what the hand points at", async () => {
  assert.deepEqual(await play([gesture("pinch", "right"), gesture("pinch", "left")]), [
    "highlight lamp + haptic select",
    "highlight table + sound select",
  ]);
});

test("[EV10] words steer or ask", async () => {
  assert.deepEqual(
    await play([
      said("stop", false),
      said("what is", false),
      said("Yes, please.".replace(",", "")),
      said("no"),
      said("What is that?", true, 150),
      said("What is that?"),
    ]),
    [
      "cancel",
      "ignored: the transcript may still change",
      "yes",
      "no",
      'ask "What is that?" cup',
      'ask "What is that?" table,lamp',
    ],
  );
});

test("[EV11] grabbing and placing", async () => {
  assert.deepEqual(
    await play([
      touched("grab", "table"),
      touched("grab", "cup"),
      touched("place", undefined, [1, 1, 1]),
      touched("place", undefined, [1, 1, 1]),
    ]),
    [
      "ignored: table cannot be grabbed",
      "haptic impact-soft",
      "move cup + haptic impact-soft",
      "ignored: nothing is held, or no place is given",
    ],
  );
});

test("[EV12] [EV13] what cannot be felt is heard or seen", async () => {
  const select = touched("select", "table");
  const lost = [receipt(false), select, receipt(true)];
  assert.deepEqual(await play(lost), ["sound tick", "highlight table + haptic select", ""]);
  assert.deepEqual(await play([{ ...select }], make({ ...CONTEXT, numbHands: ["right"] })), [
    "highlight table + sound select",
  ]);
  const speaking = make({ ...CONTEXT, audio: { speaking: true } });
  assert.deepEqual(await play([receipt(false), gesture("pinch", "left")], speaking), [
    "visual tick",
    "highlight table + visual select",
  ]);
});
