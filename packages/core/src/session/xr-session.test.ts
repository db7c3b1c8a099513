// Rules SE, EB, CS, CN, SK5 and BI of docs/spec/session.md. `started` gives a session that said hello; what it does is read
// as text with `take`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionDriver, helloMessage, PARTS, sceneNode, sourceDescription } from "../../testing/session-driver.ts";
import type { DriverOptions } from "../../testing/session-driver.ts";
import type { HelloMessage } from "@fovea/protocol";

const { start, text, highlight, end } = PARTS;

function started(options: DriverOptions = {}, hello: Partial<HelloMessage> = {}): SessionDriver {
  const driver = new SessionDriver(options);
  driver.hello(hello);
  driver.take();
  return driver;
}

const TOUCH = {
  type: "haptic",
  id: "h1",
  name: "tick",
  clip: { version: { major: 1, minor: 0, patch: 0 }, signals: { continuous: { envelopes: { amplitude: [] } } } },
  pulses: [],
  handedness: "right",
  gain: 1,
} as const;
const TURN = /#|^error|^flush|^abort|^ready|^close|^welcome/;

test("[SE1] a question is answered in numbered parts with one end", () => {
  const driver = started();
  driver.room(sceneNode("cup", [0, 1.6, -2]));
  driver.pose();
  driver.ask("t1");
  for (const part of [start(), text("That is "), highlight("cup"), text("a cup."), end()]) driver.part("t1", part);
  assert.equal(
    driver.take(TURN),
    "ready t1\nt1#0 e1 start\nt1#1 e1 text That is \nt1#2 e1 action\nt1#3 e1 text a cup.\nt1#4 e1 done complete",
  );
  const { context, kind, chat, deadlineMs } = driver.request("t1");
  assert.deepEqual([kind, context.attention[0]?.entityId, context.scene.entities.length], ["turn", "cup", 1]);
  assert.deepEqual(chat.messages, [{ role: "user", content: [{ type: "text", text: "what is that?" }] }]);
  assert.ok(deadlineMs > 0 && deadlineMs < 30_000);
});

test("[SE2] nothing follows the end of a turn", () => {
  const driver = started();
  driver.ask("t1");
  for (const part of [start(), end(), text("late"), end()]) driver.part("t1", part);
  driver.feed({ type: "turn-over", turnId: "t1" });
  driver.feed({ type: "turn-failed", turnId: "t1", failure: { code: "internal", message: "" } });
  driver.part("never", text("stray"));
  assert.equal(driver.take(TURN), "ready t1\nt1#0 e1 start\nt1#1 e1 done complete");
  assert.equal(driver.session.openTurns, 0);
});

test("[SE3] a failure of the engine ends the turn", () => {
  const driver = started();
  driver.ask("t1");
  driver.feed({ type: "turn-failed", turnId: "t1", failure: { code: "overloaded", message: "busy", retryAfterMs: 9 } });
  assert.equal(driver.take(TURN), "ready t1\nerror t1 overloaded\nt1#0 e1 done error");
  driver.ask("t2");
  driver.part("t2", start());
  driver.part("t2", { type: "error", code: "provider_failed", message: "gone", retryable: true });
  driver.part("t2", end("error"));
  assert.equal(driver.take(TURN), "ready t2\nt2#0 e1 start\nerror t2 provider_failed\nt2#1 e1 done error");
});

test("[SE4] an engine that ends without an end is an error", () => {
  const driver = started();
  driver.ask("t1");
  driver.part("t1", text("half"));
  driver.feed({ type: "turn-over", turnId: "t1" });
  assert.equal(driver.take(TURN), "ready t1\nt1#0 e1 text half\nerror t1 answer_broken\nt1#1 e1 done error");
});

test("[SE5] a turn ends when its time is over", () => {
  const driver = started({ limits: { turnMsMax: 5_000 }, pongAfterMs: 10 });
  driver.ask("t1");
  driver.advance(4_999);
  assert.equal(driver.take(TURN), "ready t1");
  driver.advance(1);
  assert.equal(driver.take(TURN), "abort t1 deadline\nerror t1 deadline_exceeded\nt1#0 e1 done error");
});

test("[SE6] a cancelled turn ends once", () => {
  const driver = started();
  driver.ask("t1");
  driver.part("t1", text("So"));
  driver.send({ type: "cancel", turnId: "t1" });
  driver.send({ type: "cancel", turnId: "t1" });
  driver.send({ type: "cancel", turnId: "ghost" });
  driver.part("t1", text("late"));
  driver.part("t1", end("cancelled"));
  assert.equal(driver.take(TURN), "ready t1\nt1#0 e1 text So\nflush e2\nabort t1 client\nt1#1 e2 done cancelled");
});

test("[SE7] a turn id is used once", () => {
  const driver = started();
  driver.ask("t1");
  driver.ask("t1");
  driver.part("t1", end());
  driver.ask("t1");
  assert.equal(
    driver.take(TURN),
    "ready t1\nerror turnId request_invalid\nt1#0 e1 done complete\nerror turnId request_invalid",
  );
});

test("[SE8] a question that cannot be taken ends at once and disturbs none", () => {
  const driver = started({ limits: { asksPerSecondMax: 2 } });
  driver.ask("t1");
  driver.send({ type: "ask", turnId: "t2", audioStreamId: 1, include: [], modalities: [] });
  driver.ask("t3");
  driver.part("t1", end());
  assert.equal(
    driver.take(TURN),
    "ready t1\nerror t2 request_unsupported\nt2#0 e1 done error\nerror t3 rate_limited\nt3#0 e1 done error\nt1#0 e1 done complete",
  );
});

test("[SE9] what was said goes along, within a size", () => {
  const driver = started({ limits: { historyCharactersMax: 40 } });
  const turn = (turnId: string, question: string, answer: string): string => {
    driver.ask(turnId, question);
    if (answer !== "") driver.part(turnId, text(answer));
    driver.part(turnId, end());
    driver.clock.advance(1_000);
    const said = driver.request(turnId).chat.messages.flatMap((message) => message.content);
    return said.map((part) => (part.type === "text" ? part.text : part.type)).join(" | ");
  };
  assert.equal(turn("t1", "what is that?", "A table."), "what is that?");
  assert.equal(turn("t2", "unanswered", ""), "what is that? | A table. | unanswered");
  assert.equal(turn("t3", "and behind it?", "A wall."), "what is that? | A table. | and behind it?");
  assert.equal(turn("t4", "and on it?", "-"), "and behind it? | A wall. | and on it?");
});

test("[SE10] tools travel with the question, results with the turn", () => {
  const driver = started();
  const tool = { name: "open", description: "opens it", parameters: { type: "object" } };
  driver.send({ type: "tools", add: [tool], remove: [] });
  driver.ask("t1");
  assert.deepEqual(driver.request("t1").chat.tools, [
    { name: "open", description: "opens it", schema: { type: "object" } },
  ]);
  driver.part("t1", { type: "tool-call", id: "c1", name: "open", args: '{"a":1}' });
  driver.send({ type: "tool.result", turnId: "t1", callId: "c1", result: { ok: true } });
  driver.send({ type: "tool.result", turnId: "t1", callId: "c2", error: "stuck" });
  driver.send({ type: "tool.result", turnId: "ghost", callId: "c3", result: 1 });
  assert.equal(driver.take(/tool|result/), 't1#0 e1 tool.call\nresult t1 c1 {"ok":true}\nresult t1 c2 failed stuck');
  driver.send({ type: "tools", add: [], remove: ["open"] });
  driver.ask("t2");
  assert.equal(driver.request("t2").chat.tools, undefined);
});

const IMAGE = {
  format: "jpeg",
  isIntrinsicsEstimated: false,
  imageId: 1,
  t: 0,
  cameraPose: new Float32Array(7),
  intrinsics: new Float32Array(4),
  width: 2,
  height: 2,
  depthRef: 0,
  payload: Uint8Array.of(1, 2, 3),
} as const;

test("[SE11] a picture goes along if wanted, fresh and agreed to", () => {
  const media = (include: readonly "image"[], waitMs: number): number => {
    const driver = started({ pongAfterMs: 1 });
    driver.feed({ type: "image", packet: IMAGE });
    driver.advance(waitMs);
    driver.ask("t1", "what is that?", { include });
    const { chat, needs } = driver.request("t1");
    const count = chat.messages.flatMap((m) => m.content).filter((part) => part.type === "media").length;
    assert.equal(needs.vision, count > 0);
    return count;
  };
  assert.deepEqual([media(["image"], 0), media([], 0), media(["image"], 10_001)], [1, 0, 0]);
});

test("[SE12] a receipt is noted once, for actions and haptics only", () => {
  const driver = started();
  driver.ask("t1");
  driver.part("t1", text("There."));
  driver.part("t1", highlight("cup"));
  for (const seq of [0, 1, 1, 7]) {
    driver.send({ type: "receipt", turnId: "t1", seq, delivered: true, via: "visual", t: 0 });
  }
  assert.equal(driver.take(/receipt/), "event receipt action true visual");
});

test("[MC10] preferences of hello and later ones go along with the next question", () => {
  const driver = started({}, { preferences: { sight: "low", captions: true } });
  driver.send({ type: "preferences", preferences: { sight: "none" }, output: { muted: true } });
  driver.ask("t1");
  const { person, output } = driver.request("t1").context;
  assert.deepEqual([person, output], [{ sight: "none", captions: true }, { muted: true }]);
});

test("[MC11] two touches that no motor played make a hand numb", () => {
  const driver = started();
  const numbAfter = (...vias: readonly ("pulse" | "audio" | "none")[]): string => {
    const turnId = `t${++turns}`;
    driver.ask(turnId);
    for (const [seq, via] of vias.entries()) {
      driver.part(turnId, TOUCH);
      driver.send({ type: "receipt", turnId, seq, delivered: via !== "none", via, t: 0 });
    }
    driver.part(turnId, end());
    driver.clock.advance(1_000);
    driver.ask(`${turnId}-after`);
    return (driver.request(`${turnId}-after`).context.numbHands ?? []).join();
  };
  let turns = 0;
  assert.equal(numbAfter("none", "pulse", "none"), "");
  assert.equal(numbAfter("audio"), "right");
  driver.send({ type: "inputs", add: [], remove: [] });
  assert.equal(numbAfter(), "");
});

test("[SE13] a told target is attended to for two seconds, eyes only with consent", () => {
  const told = (source: "eye" | "head" | "transient-pointer", features: readonly string[], waitMs = 0): string => {
    const session = { mode: "immersive-ar", referenceSpace: "local-floor", enabledFeatures: features } as const;
    const driver = started({}, { session });
    driver.room(sceneNode("cup", [0, 1.6, -2]));
    driver.send({ type: "gaze.target", id: "cup", distance: 2, dwellMs: 300, source, t: driver.clientMs });
    driver.clock.advance(waitMs);
    driver.ask("t1");
    return driver
      .request("t1")
      .context.attention.map((a) => `${a.entityId} ${a.source} ${a.dwellMs}`)
      .join();
  };
  assert.equal(told("transient-pointer", []), "cup transient-pointer 300");
  assert.equal(told("transient-pointer", [], 2_001), "");
  assert.deepEqual([told("eye", ["eye-tracking"]), told("eye", []), told("head", [])], ["cup eye-gaze 300", "", ""]);
});

test("[EB1] a new question flushes, then ends the one before", () => {
  const driver = started();
  driver.ask("t1");
  driver.part("t1", text("It is"));
  driver.ask("t2");
  driver.part("t1", text(" old"));
  driver.part("t2", text("new"));
  assert.equal(
    driver.take(TURN),
    "ready t1\nt1#0 e1 text It is\nflush e2\nabort t1 superseded\nt1#1 e2 done cancelled\nready t2\nt2#0 e2 text new",
  );
});

test("[EB2] parts carry the epoch of their turn, the end of a cancelled one the new epoch", () => {
  const driver = started();
  for (const turnId of ["t1", "t2", "t3"]) {
    driver.ask(turnId);
    driver.part(turnId, text("x"));
  }
  assert.deepEqual(driver.take(/#/).match(/e\d/g), ["e1", "e2", "e2", "e3", "e3"]);
});

test("[EB3] side by side, questions disturb none, up to the limit", () => {
  const driver = started({ limits: { turnPolicy: "parallel", openTurnsMax: 2 } });
  for (const turnId of ["t1", "t2", "t3"]) driver.ask(turnId);
  driver.part("t1", end());
  driver.ask("t4");
  driver.send({ type: "cancel", turnId: "t2" });
  driver.part("t4", text("on"));
  assert.equal(
    driver.take(TURN),
    [
      "ready t1",
      "ready t2",
      "error t3 turn_limit",
      "t3#0 e1 done error",
      "t1#0 e1 done complete",
      "ready t4",
      "abort t2 client",
      "t2#0 e2 done cancelled",
      "t4#0 e2 text on",
    ].join("\n"),
  );
});

const FULL = helloMessage().consent;

test("[CS1] consent is the least of client, operator and device", () => {
  const levels = (told: HelloMessage["consent"], max = FULL, features: readonly string[] = []): string => {
    const driver = new SessionDriver({ consentMax: max });
    driver.hello({
      consent: told,
      session: { mode: "immersive-ar", referenceSpace: "local-floor", enabledFeatures: features },
    });
    const welcome = driver.outputs.find((output) => output.type === "send" && output.message.type === "welcome");
    assert.ok(welcome?.type === "send" && welcome.message.type === "welcome");
    return Object.values(welcome.message.levels).join(" ");
  };
  assert.equal(levels(FULL), "true raw full true true false");
  assert.equal(levels(FULL, FULL, ["eye-tracking"]), "true raw full true true true");
  assert.equal(levels({ ...FULL, hands: "rounded", camera: false }), "true rounded full false true false");
  assert.equal(levels(FULL, { ...FULL, hands: "gesture", room: "labels" }), "true gesture labels true true false");
});

/** What the context holds of a hand and a controller, and the length of the bone between index knuckle and next joint. */
function handSeen(hands: HelloMessage["consent"]["hands"]): string {
  const sources = [sourceDescription(1, { hand: true }), sourceDescription(2, { handedness: "left" })];
  const driver = started({}, { consent: { ...FULL, hands }, inputSources: sources });
  driver.pose((sample) => {
    sample.sourceCount = 2;
    for (const [index, source] of sample.sources.slice(0, 2).entries()) {
      source.id = index + 1;
      source.hasTargetRay = true;
      source.hasGrip = true;
      source.hasHand = index === 0;
      source.pressed = 1;
      for (let joint = 1; joint < 25; joint++)
        source.joints.set([joint * 0.01, joint * 0.005, -joint * 0.02], joint * 3);
    }
  });
  driver.ask("t1");
  return driver
    .request("t1")
    .context.inputSources.map((source) =>
      [
        source.targetRay && "ray",
        source.grip && "grip",
        boneText(source.handJoints),
        source.pressedButtons && "pressed",
      ]
        .filter(Boolean)
        .join(" "),
    )
    .join(" | ");
}

function boneText(joints: Float32Array | undefined): string {
  if (joints === undefined) return "";
  const [a, b] = [joints.subarray(18, 21), joints.subarray(21, 24)];
  return `joints ${Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!).toFixed(3)}`;
}

test("[CS2] hand levels are enforced on every sample", () => {
  assert.equal(handSeen("raw"), "ray grip joints 0.023 pressed | ray grip pressed");
  assert.equal(handSeen("rounded"), "ray grip joints 0.040 pressed | ray grip pressed");
  assert.equal(handSeen("gesture"), "pressed | ray pressed");
  assert.equal(handSeen("none"), " | ");
});

test("[CS4] the room is refused at none and has no outlines at labels", () => {
  const seen = (room: HelloMessage["consent"]["room"]): string => {
    const driver = started({}, { consent: { ...FULL, room } });
    const outline = [
      [0, 0],
      [1, 0],
      [1, 1],
    ] as const;
    driver.room(sceneNode("floor", [0, 0, 0], { kind: "plane", polygon: outline }));
    driver.ask("t1");
    const entity = driver.request("t1").context.scene.entities[0];
    return `${entity === undefined ? "none" : `${entity.id} ${entity.polygon === undefined ? "box" : "outline"}`} ${driver.take(/^error/)}`;
  };
  assert.equal(seen("full"), "floor outline ");
  assert.equal(seen("labels"), "floor box ");
  assert.equal(seen("none"), "none error scene.update consent_missing");
});

test("[CS5] lowered consent purges, answers and tells the audit trail", () => {
  const driver = started();
  driver.room(sceneNode("cup", [0, 1.6, -2]));
  driver.pose();
  driver.send({ type: "consent", consent: { ...FULL, head: false, room: "none" } });
  driver.ask("t1");
  const { context } = driver.request("t1");
  assert.deepEqual([context.scene.entities.length, context.viewer.isTracked, context.attention.length], [0, false, 0]);
  assert.equal(driver.take(/levels|consent/), "event consent-changed\nlevels");
});

test("[CS6] pictures without consent are refused and not kept", () => {
  const driver = started({}, { consent: { ...FULL, camera: false } });
  driver.feed({ type: "image", packet: IMAGE });
  driver.send({ type: "consent", consent: FULL });
  driver.ask("t1", "what is that?", { include: ["image"] });
  assert.equal(driver.take(/^error/), "error image consent_missing");
  assert.equal(driver.request("t1").needs.vision, false);
  driver.feed({ type: "image", packet: IMAGE });
  for (const camera of [false, true]) driver.send({ type: "consent", consent: { ...FULL, camera } });
  driver.ask("t2", "what is that?", { include: ["image"] });
  assert.equal(driver.request("t2").needs.vision, false, "withdrawn consent purges the picture");
});

test("[CN1] a client that comes back gets what it has not seen, in a new epoch", () => {
  const driver = started();
  driver.ask("t1");
  for (const word of ["one ", "two ", "three"]) driver.part("t1", text(word));
  driver.feed({ type: "detach" });
  driver.take();
  driver.hello({
    resumeToken: "resume-token",
    openTurns: [
      { turnId: "t1", seq: 0 },
      { turnId: "lost", seq: 3 },
    ],
  });
  driver.part("t1", end());
  assert.equal(
    driver.take(TURN),
    "welcome again e2 ack 0 [t1]\nt1#1 e2 text two \nt1#2 e2 text three\nt1#3 e2 done complete",
  );
  driver.feed({ type: "detach" });
  driver.hello({ resumeToken: "resume-token", openTurns: [{ turnId: "t1", seq: 2 }] });
  assert.equal(driver.take(TURN), "welcome again e3 ack 0 [t1]\nt1#3 e3 done complete");
});

test("[CN2] a numbered message is handled once", () => {
  const driver = started();
  const ask = (turnId: string) => ({ type: "ask", turnId, text: "?", include: [], modalities: [] }) as const;
  driver.sendNumbered(ask("t1"), 1);
  driver.sendNumbered(ask("t1"), 1);
  driver.feed({ type: "detach" });
  driver.hello({ resumeToken: "resume-token" });
  driver.sendNumbered(ask("t1"), 1);
  driver.sendNumbered(ask("t2"), 2);
  assert.equal(driver.take(/ready|welcome|error/), "ready t1\nwelcome again e2 ack 1 []\nready t2");
});

test("[CN3] turns go on while nobody is connected, and nothing is sent", () => {
  const driver = started();
  driver.ask("t1");
  driver.feed({ type: "detach" });
  driver.take();
  driver.part("t1", text("alone"));
  driver.part("t1", end());
  assert.equal(driver.take(), "event turn-ended t1 complete 0 0");
  driver.hello({ resumeToken: "resume-token", openTurns: [{ turnId: "t1", seq: -1 }] });
  assert.equal(driver.take(TURN), "welcome again e2 ack 0 [t1]\nt1#0 e2 text alone\nt1#1 e2 done complete");
});

test("[CN4] a session to which nobody comes back ends with its turns", () => {
  const driver = started({ limits: { resumeMs: 5_000 } });
  driver.ask("t1");
  driver.feed({ type: "detach" });
  driver.take();
  driver.advance(4_999);
  assert.equal(driver.take(), "");
  driver.advance(1);
  assert.equal(
    driver.take(),
    "abort t1 session-ended\nevent turn-ended t1 cancelled 5000\nevent session-ended done 1 5\nclose 1000 over: nobody came back",
  );
  assert.equal(driver.session.wakeAtMs, Infinity);
});

test("[CN5] a silent socket is closed and its session kept", () => {
  const driver = started({ limits: { silentMs: 6_000 } });
  driver.advance(3_000);
  driver.pose();
  driver.advance(5_999);
  assert.equal(driver.take(/close|detached/), "");
  driver.advance(1);
  assert.equal(driver.take(/close|detached/), "event session-detached\nclose 4408: no answer to pings");
  driver.hello({ resumeToken: "resume-token" });
  assert.match(driver.take(/welcome/), /again/);
  const answering = started({ pongAfterMs: 30 });
  answering.advance(60_000);
  assert.equal(answering.take(/close/), "");
});

test("[CN6] what is kept is bounded; a turn whose parts are gone is not resumed", () => {
  const driver = started({ limits: { keptPartsMax: 100 } });
  driver.ask("t1");
  for (let i = 0; i < 1_000; i++) driver.part("t1", text(`${i} `));
  driver.feed({ type: "detach" });
  const comeBack = (seq: number): string => {
    driver.take();
    driver.hello({ resumeToken: "resume-token", openTurns: [{ turnId: "t1", seq }] });
    return driver.take(/welcome|#/).split("\n").length > 1 ? "resumed" : "lost";
  };
  assert.deepEqual([comeBack(3), comeBack(990)], ["lost", "resumed"]);
  for (let i = 0; i < 200; i++) {
    driver.clock.advance(1_000);
    driver.ask(`u${i}`);
    driver.part(`u${i}`, end());
  }
  assert.ok(driver.session.keptTurns <= 9, `${driver.session.keptTurns} turns kept`);
});

test("[CN7] nothing follows the end of a session", () => {
  const driver = started();
  driver.ask("t1");
  driver.take();
  driver.feed({ type: "end", code: "shutting_down", message: "restart" });
  assert.equal(
    driver.take(/./),
    [
      "abort t1 session-ended",
      "t1#0 e1 done cancelled",
      "event turn-ended t1 cancelled 0",
      "state t1 interrupted",
      "error - shutting_down fatal",
      "event session-ended shutting_down 1 0",
      "close 1012 over: restart",
    ].join("\n"),
  );
  driver.ask("t2");
  driver.pose();
  driver.feed({ type: "tick" });
  driver.feed({ type: "end", code: "internal", message: "again" });
  assert.equal(driver.take(), "");
});

test("[SK1] four pings at the start, then one every two seconds", () => {
  const driver = new SessionDriver({ pongAfterMs: 5 });
  driver.hello();
  driver.advance(500);
  assert.equal(driver.take(/^ping/).split("\n").length, 4);
  driver.advance(10_000);
  assert.equal(driver.take(/^ping/).split("\n").length, 5);
});

test("[SK6] the client is told its offset when it moves, and now and then", () => {
  const driver = new SessionDriver({ pongAfterMs: 8, offsetMs: 5_000 });
  driver.hello();
  driver.advance(28_000);
  assert.equal(driver.take(/^clock/), "clock");
  driver.advance(20_000);
  assert.equal(driver.take(/^clock/), "clock");
});

test("[SK5] samples are placed on the session's clock and never in the future", () => {
  const driver = started({ offsetMs: 90_000, pongAfterMs: 40 }, { inputSources: [sourceDescription(1)] });
  driver.advance(2_000);
  driver.pose((sample) => (sample.t -= 100));
  driver.ask("t1");
  const age = driver.request("t1").context.viewer.poseAgeMs;
  assert.ok(Math.abs(age - 100) < 1, `${age} ms old`);
  driver.clock.advance(200);
  driver.pose((sample) => (sample.t += 500));
  driver.ask("t2");
  assert.equal(driver.request("t2").context.viewer.poseAgeMs, 0);
});

const bad = { code: "wrong_type", field: "add[3].pose", message: "expected an object" } as const;

test("[BI1] unreadable messages name the field, and too many end the connection", () => {
  const driver = started({ limits: { refusalsMax: 3 } });
  for (let i = 0; i < 5; i++) driver.feed({ type: "refused", error: bad });
  assert.equal(
    driver.take(/error|close/),
    `${"error add[3].pose request_invalid\n".repeat(3)}error - request_invalid fatal\nclose 4400 over: add[3].pose: expected an object`,
  );
  const patient = started({ limits: { refusalsMax: 3 } });
  for (let i = 0; i < 20; i++) {
    patient.feed({ type: "refused", error: { ...bad, code: "too_large" } });
    patient.clock.advance(4_000);
  }
  assert.equal(patient.take(/close/), "");
});

test("[BI2] poses in excess are dropped, messages in excess refused", () => {
  const driver = started({ limits: { controlMessagesPerSecondMax: 10, refusalsMax: 30 } });
  for (let i = 0; i < 500; i++) {
    driver.clock.advance(1);
    driver.pose();
  }
  assert.equal(driver.take(), "");
  assert.ok(driver.session.context.window.viewer.count <= 160, `${driver.session.context.window.viewer.count} kept`);
  for (let i = 0; i < 80; i++) driver.send({ type: "marker", name: "m", t: 0 });
  assert.equal(
    driver.take(/^error|^close/),
    "error marker rate_limited\nerror - rate_limited fatal\nclose 4429 over: too many messages",
  );
});

test("[BI3] a refused room update changes nothing and asks for the room", () => {
  const driver = started();
  driver.room(sceneNode("cup", [0, 1, -2]));
  driver.send({
    type: "scene.update",
    frame: "local-floor",
    add: [],
    update: [{ id: "ghost", pose: { position: [0, 0, 0], orientation: [0, 0, 0, 1] } }],
    remove: ["cup"],
  });
  assert.equal(driver.take(/^error|scene/), "scene.request\nerror update[0].id request_invalid");
  assert.equal(driver.session.context.scene.size, 1);
});

test("[BI4] too many things are refused with the field", () => {
  const driver = started({ limits: { sceneEntitiesMax: 5 } });
  driver.room(...Array.from({ length: 6 }, (_, i) => sceneNode(`e${i}`, [i, 0, 0])));
  driver.send({ type: "inputs", add: Array.from({ length: 17 }, (_, i) => sourceDescription(i)), remove: [] });
  const tools = Array.from({ length: 65 }, (_, i) => ({ name: `f${i}`, description: "", parameters: {} }));
  driver.send({ type: "tools", add: tools, remove: [] });
  assert.equal(
    driver.take(/^error/),
    "error add request_too_large\nerror add request_too_large\nerror add request_too_large",
  );
  assert.deepEqual([driver.session.context.scene.size, driver.session.context.sources.size], [0, 0]);
});

test("[BI5] a second hello is refused", () => {
  const driver = started();
  driver.send(helloMessage());
  assert.equal(driver.take(/^error/), "error type request_invalid");
});

test("[BI6] unknown types are ignored and counted", () => {
  const driver = started({ limits: { refusalsMax: 4 } });
  for (let i = 0; i < 4; i++) driver.feed({ type: "unknown" });
  assert.equal(driver.take(/error|close/), "");
  driver.feed({ type: "unknown" });
  assert.equal(driver.take(/close/), "close 4429 over: too many unknown messages");
});

test("[LR4] by round and at once give the same context and the same gestures", () => {
  const play = (looks: "at-once" | "by-round"): [string, unknown] => {
    const driver = started({ looks }, { inputSources: [sourceDescription(1, { handedness: "right", hand: true })] });
    driver.room(sceneNode("cup", [0, 1.6, -2]), sceneNode("pot", [1, 1.6, -2]));
    for (let step = 0; step < 40; step++) {
      driver.clock.advance(33);
      driver.pose((sample) => {
        sample.viewer.set([step < 20 ? 0 : 1, 1.6, 0, 0, 0, 0, 1]);
        sample.sourceCount = 1;
        const hand = sample.sources[0];
        if (hand === undefined) return;
        hand.id = 1;
        hand.hasHand = true;
        // Thumb and index finger meet from the tenth step on; the other fingers stay straight.
        for (let joint = 0; joint < 25; joint++) {
          const finger = Math.ceil(joint / 5);
          hand.joints.set([0.02 * finger, 1.2, -0.3 - 0.03 * ((joint + 4) % 5)], joint * 3);
        }
        hand.joints.set([0.06, 1.2, -0.4], 33);
        hand.joints.set([step < 10 ? -0.05 : 0.04, 1.2, -0.39], 12);
      });
      driver.clock.advance(5);
      driver.feed({ type: step % 3 > 0 && looks === "by-round" ? "look" : "tick" });
    }
    assert.equal(driver.session.isLookDue, false);
    driver.clock.advance(5);
    driver.pose((sample) => sample.viewer.set([1, 1.6, 0, 0, 0, 0, 1]));
    driver.ask("t1");
    const { attention, attentionHistory, inputSources } = driver.request("t1").context;
    return [driver.take(/gesture/), { attention, attentionHistory, inputSources }];
  };
  const [gestures, context] = play("by-round");
  assert.deepEqual([gestures, context], play("at-once"));
  assert.match(gestures, /pinch/);
});

/** Twenty poses a second for a while; of each hundred, `lostOfHundred` never come, and they arrive `lateMs` after they were taken. */
function stream(driver: SessionDriver, forMs: number, lostOfHundred: number, lateMs = 0): string {
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs += 50) {
    driver.advance(50);
    const seq = Math.round(driver.clock.monotonicMs() / 50);
    if ((seq * 37) % 100 < lostOfHundred) continue;
    driver.pose((sample) => {
      sample.seq = seq & 0xffff;
      sample.t = Math.max(0, sample.t - lateMs);
    });
  }
  const rates = driver.outputs
    .splice(0)
    .flatMap((output) => (output.type === "send" && output.message.type === "rates" ? [output.message] : []));
  return rates
    .map(({ poseHz, imageHz, imageWidth, reason }) => `${poseHz}/${imageHz}/${imageWidth ?? "any"} ${reason}`)
    .join(", ");
}

test("[SQU1] lost and late packets lower the rates, a calm line raises them again up to the operator's", () => {
  const driver = started({ pongAfterMs: 20, limits: { poseHz: 30, imageHz: 1 } });
  assert.equal(stream(driver, 20_000, 0), "");
  assert.equal(stream(driver, 5_000, 40), "20/0.5/480 loss, 15/0.2/320 loss");
  assert.equal(stream(driver, 20_000, 0), "20/0.5/480 calm, 30/1/any calm");
  assert.equal(stream(driver, 4_000, 0, 120), "20/0.5/480 queue, 15/0.2/320 queue");
});

test("[SQU2] a low battery lowers the rates until it is charged", () => {
  const driver = started({ pongAfterMs: 20 });
  stream(driver, 5_000, 0);
  driver.send({ type: "stats", batteryLevel: 0.1, t: driver.clientMs });
  assert.match(stream(driver, 5_000, 0), / battery$/);
  driver.send({ type: "stats", batteryLevel: 0.9, t: driver.clientMs });
  assert.match(stream(driver, 20_000, 0), /any calm$/);
});

test("[SQU3] a client that comes back is told the rates that hold", () => {
  const driver = started({ pongAfterMs: 20, limits: { poseHz: 30, imageHz: 1 } });
  stream(driver, 3_000, 0);
  assert.match(stream(driver, 5_000, 40), /15\/0.2\/320 loss$/);
  driver.feed({ type: "detach" });
  driver.hello();
  assert.match(stream(driver, 100, 0), /^15\/0.2\/320 resumed$/);
});
