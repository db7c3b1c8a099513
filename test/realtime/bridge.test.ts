// Rules RTC1..RTC12 and RT60..RT69 of docs/spec/realtime.md: realtime vendors behind the gateway, and what happens when
// they are lost.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { SeededRandom } from "@fovea/core/testing";
import { tcpRelay, type TcpRelay } from "./impairment.ts";
import { askedOf, connectionsTo, openStage, type BridgeStage } from "./bridge-stage.ts";
import { LONG, REALTIME_CONTRACT, say, type } from "./realtime-contract.ts";

for (const vendor of ["openai", "google", "custom"] as const) {
  describe(`realtime adapter: ${vendor}`, () => {
    for (const { title, scenario, settings, run } of REALTIME_CONTRACT) {
      test(title, async () => {
        const rounds = { roundsMs: [0, 20] };
        await using stage = await openStage(
          [{ type: vendor, ...(scenario === undefined ? {} : { scenario }) }],
          settings,
          { limits: rounds },
        );
        await run(stage);
      });
    }
  });
}

const ask = (stage: BridgeStage, text: string): void => {
  type(stage.voice, text);
  stage.voice.createResponse();
};
const QUICK = { limits: { roundsMs: [0, 50] }, answerLimits: { firstMs: 250, silenceMs: 250 } };
const rule = (more: object): object => ({ when: { method: "RESPONSE" }, ...more });

test("[RT60] a vendor that cannot be reached is passed over, unnoticed", async () => {
  await using stage = await openStage([
    { type: "openai", scenario: { rules: [{ when: { method: "GET" }, status: 503 }] } },
    { type: "google" },
  ]);
  ask(stage, "hello");
  const done = await stage.told.until("turnDone");
  assert.equal(done["status"], "completed");
  assert.deepEqual(stage.told.take("degraded"), []);
});

test("[RT61] a vendor lost before it has said anything: the same answer comes from another, unnoticed", async () => {
  await using stage = await openStage(
    [
      { type: "openai", scenario: { rules: [rule({ ending: { kind: "error", after: 0 } })] as never } },
      { type: "google" },
    ],
    {},
    QUICK,
  );
  ask(stage, "hello");
  const done = await stage.told.until("turnDone");
  assert.equal(done["status"], "completed");
  assert.equal(stage.told.take("answerStarted").length, 1, "one answer for the client");
  assert.equal(stage.told.take("degraded")[0]?.["isNoticeable"], false);
  assert.match(askedOf(stage.emulators[1]), /hello/);
});

test("[RT62] a vendor lost in mid-answer: what was heard stays, another goes on with the whole conversation, and it is told", async () => {
  const fails = [
    { when: { method: "RESPONSE", attempts: 1 }, answer: { text: "Seven it is." } },
    rule({ answer: { text: LONG }, delay: { tokenMs: 10 }, ending: { kind: "stall", after: 6 } }),
  ];
  await using stage = await openStage(
    [{ type: "openai", scenario: { rules: fails as never } }, { type: "google" }],
    {},
    QUICK,
  );
  ask(stage, "remember seven");
  await stage.told.until("turnDone");
  ask(stage, "and tell me more");
  const cut = await stage.told.until("turnDone");
  assert.deepEqual([cut["status"], cut["reason"]], ["cancelled", "superseded"]);
  const done = await stage.told.until("turnDone");
  assert.equal(done["status"], "completed");
  assert.deepEqual(
    stage.told.take("degraded").map((event) => [event["from"], event["to"], event["isNoticeable"]]),
    [["openai0", "google1", true]],
  );
  assert.match(askedOf(stage.emulators[1]), /remember seven.*Seven it is.*and tell me more/s);
  const gapMs = done.atMs - cut.atMs;
  assert.ok(gapMs < 1_500, `answered again after ${Math.round(gapMs)} ms`);
});

test("[RT63] Gemini's farewell is not noticed: the session is resumed by its handle, with nothing told twice", async () => {
  const scenario = {
    rules: [{ when: { method: "GET", attempts: 1 }, realtime: { goAwayMs: 150, timeLeftMs: 2_000 } }],
  };
  await using stage = await openStage([{ type: "google", scenario }]);
  ask(stage, "remember seven");
  await stage.told.until("turnDone");
  await waitFor(() => connectionsTo(stage.emulators[0]) === 2);
  ask(stage, "which number");
  await stage.told.until("turnDone");
  const asked = askedOf(stage.emulators[0]);
  assert.equal(asked.split("remember seven").length - 1, 2, "once as it was asked, once in the answer that repeats it");
  assert.deepEqual(stage.told.take("degraded"), []);
  assert.deepEqual(stage.told.take("error"), []);
});

test("[RT64] a handle that is refused is replaced by a replay", async () => {
  const scenario = {
    rules: [
      { when: { method: "GET", attempts: 1 }, realtime: { goAwayMs: 150, timeLeftMs: 2_000 } },
      { when: { method: "GET" }, realtime: { forgets: true } },
    ],
  };
  await using stage = await openStage([{ type: "google", scenario }]);
  ask(stage, "remember seven");
  await stage.told.until("turnDone");
  await waitFor(() => connectionsTo(stage.emulators[0]) === 3);
  ask(stage, "which number");
  await stage.told.until("turnDone");
  assert.match(askedOf(stage.emulators[0]), /remember seven/);
});

test("[RT65] a session that expires at its vendor goes on in a new one", async () => {
  const scenario = { rules: [{ when: { method: "GET", attempts: 1 }, realtime: { sessionMs: 150 } }] };
  await using stage = await openStage([{ type: "openai", scenario }]);
  ask(stage, "remember seven");
  await stage.told.until("turnDone");
  await waitFor(() => connectionsTo(stage.emulators[0]) === 2);
  ask(stage, "which number");
  const done = await stage.told.until("turnDone");
  assert.equal(done["status"], "completed");
  assert.match(askedOf(stage.emulators[0]), /remember seven/);
});

test("[RT66] a call that is open when its vendor is lost is answered to whoever takes over", async () => {
  const fails = {
    rules: [
      { when: { method: "RESPONSE", attempts: 1 }, answer: { toolCalls: [{ name: "look", arguments: {} }] } },
      { when: { method: "GET", attempts: 1 }, realtime: { sessionMs: 200 } },
      { when: { method: "GET" }, status: 503 },
    ],
  };
  const tools = [{ name: "look", schema: { type: "object" } }];
  await using stage = await openStage(
    [
      { type: "google", scenario: fails },
      { type: "openai", scenario: { rules: [{ answer: { text: "A red cup." } }] } },
    ],
    { tools },
    { limits: { roundsMs: [0, 20] } },
  );
  ask(stage, "what is this");
  const call = await stage.told.until("toolCall");
  await stage.told.until("degraded");
  stage.voice.toolResult(String(call["callId"]), "it is a cup");
  const done = await stage.told.until("turnDone");
  assert.equal(done["text"], "A red cup.");
  assert.match(askedOf(stage.emulators[1]), /what is this.*it is a cup/s);
});

test("[RT67] speech while the vendor is away is kept and heard by the next connection", async () => {
  const scenario = {
    rules: [
      { when: { method: "GET", attempts: 1 }, realtime: { sessionMs: 100 } },
      { realtime: { hears: ["what is this"] } },
    ],
  };
  await using stage = await openStage([{ type: "openai", scenario }], {}, { limits: { roundsMs: [300] } });
  stage.voice.createResponse({ instructions: "greet" });
  await stage.told.until("turnDone");
  await new Promise((resolve) => setTimeout(resolve, 150));
  say(stage.voice);
  await stage.told.until("turnDone");
  assert.equal(stage.told.take("transcriptDone")[0]?.["text"], "what is this");
});

test("[RT68] after a break the next answer comes within 1.5 s", async () => {
  const gaps: number[] = [];
  for (let round = 0; round < 20; round++) {
    const scenario = { rules: [{ when: { method: "RESPONSE", attempts: 2 }, ending: { kind: "cut", after: 0 } }] };
    await using stage = await openStage([{ type: "google", scenario: scenario as never }]);
    ask(stage, "one");
    await stage.told.until("turnDone");
    const startedMs = performance.now();
    ask(stage, "two");
    await stage.told.until("turnDone");
    gaps.push(performance.now() - startedMs);
  }
  gaps.sort((a, b) => a - b);
  const worst = gaps.at(-1) ?? Infinity;
  console.log(
    `resumed and answered: median ${gaps[10]?.toFixed(1)} ms, worst of ${gaps.length} ${worst.toFixed(1)} ms`,
  );
  assert.ok(worst < 1_500, `${worst}`);
});

test("[RT69] a cable that is pulled: the silent vendor is given up, and another takes over", async () => {
  const relays: TcpRelay[] = [];
  const through = async (port: number): Promise<number> => {
    const relay = await tcpRelay(port, 0, new SeededRandom(1));
    relays.push(relay);
    return relay.port;
  };
  const limits = { pingMs: 40, silenceMs: 150, handshakeMs: 200, roundsMs: [0, 20] };
  await using stage = await openStage([{ type: "openai", through }, { type: "google" }], {}, { limits });
  ask(stage, "remember seven");
  await stage.told.until("turnDone");
  relays[0]?.freeze();
  await stage.told.until("degraded");
  ask(stage, "which number");
  await stage.told.until("turnDone");
  assert.match(askedOf(stage.emulators[1]), /remember seven/);
  await relays[0]?.[Symbol.asyncDispose]();
});

async function waitFor(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 300 && !isSo(); attempt++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(isSo(), "it did not come to it");
}
