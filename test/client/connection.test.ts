// Rules KC1..KC10 and KA1..KA6 of docs/spec/client.md, against a scripted gateway and a clock that moves when told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fovea } from "@fovea/client";
import type { AnswerTurn, ConnectOptions, FoveaError, TurnPart } from "@fovea/client";
import { encodeAudioPacket } from "@fovea/protocol";
import { settle } from "@fovea/core/testing";
import { done, FULL_CONSENT, part, ScriptedGateway } from "./scripted-gateway.ts";

async function connected(options: Partial<ConnectOptions> = {}): Promise<{ gateway: ScriptedGateway; xr: Fovea }> {
  const gateway = new ScriptedGateway();
  const connecting = Fovea.connect({
    url: "wss://gateway/xr",
    consent: FULL_CONSENT,
    locale: "en",
    WebSocket: gateway.WebSocket,
    clock: gateway.clientClock,
    random: () => 0,
    ...options,
  });
  await gateway.welcome();
  return { gateway, xr: await connecting };
}

/** Reads a turn to its end: "start text:… action done" and the like. */
async function read(turn: AnswerTurn): Promise<string> {
  const words: string[] = [];
  for await (const one of turn) words.push(nameOf(one));
  return words.join(" ");
}

function nameOf(one: TurnPart): string {
  if (one.type === "text") return `text:${one.text}`;
  return one.type === "error" ? `error:${one.code}` : one.type;
}

test("[KC1] hello comes first with version, consent and token; the token is not in the address", async () => {
  const { gateway, xr } = await connected({ token: () => Promise.resolve("secret") });
  const [hello] = gateway.socket.received;
  assert.equal(hello?.type, "hello");
  if (hello?.type !== "hello") return;
  assert.deepEqual(
    [hello.protocol, hello.token, hello.consent.hands, hello.resumeToken],
    [1, "secret", "raw", undefined],
  );
  assert.equal(gateway.socket.url, "wss://gateway/xr");
  assert.deepEqual([xr.sessionId, xr.isConnected], ["s1", true]);
  xr.close();
});

test("[KC2] after a lost connection the session resumes, and what was not acknowledged goes out again, once, in order", async () => {
  const { gateway, xr } = await connected();
  xr.marker("one");
  xr.marker("two");
  xr.marker("three");
  assert.deepEqual(
    gateway.socket.take("marker").map(({ n }) => n),
    [1, 2, 3],
  );
  gateway.socket.reply({ type: "ping", id: 1, ack: 1 });
  gateway.socket.drop();
  xr.marker("four");
  assert.equal(gateway.sockets.length, 1);
  gateway.clock.advance(250);
  await gateway.welcome({ resumed: true, ack: 2 });
  const [hello] = gateway.socket.take("hello");
  assert.equal(hello?.resumeToken, "resume-1");
  assert.deepEqual(
    gateway.socket.take("marker").map(({ n, name }) => `${n} ${name}`),
    ["3 three", "4 four"],
  );
  assert.equal(xr.stats().reconnects, 1);
  xr.close();
});

test("[KC3] a turn the gateway names goes on without repeating parts; another ends with session_lost", async () => {
  const { gateway, xr } = await connected();
  const kept = xr.ask("kept?");
  const lost = xr.ask("lost?");
  gateway.socket.reply({ type: "text.delta", ...part(kept.id, 0), text: "a" });
  gateway.socket.drop();
  gateway.clock.advance(250);
  await gateway.welcome({ resumed: true, ack: 2, turns: [kept.id] });
  assert.deepEqual(gateway.socket.take("hello")[0]?.openTurns, [
    { turnId: kept.id, seq: 0 },
    { turnId: lost.id, seq: -1 },
  ]);
  gateway.socket.reply({ type: "text.delta", ...part(kept.id, 0), text: "a" });
  gateway.socket.reply({ type: "text.delta", ...part(kept.id, 1), text: "b" });
  gateway.socket.reply(done(kept.id, 2));
  assert.equal(await read(kept), "text:a text:b done");
  assert.equal(await read(lost), "error:session_lost");
  xr.close();
});

test("[KC4] a close code that forbids coming back ends everything: connect rejects, open turns end with its name", async () => {
  const gateway = new ScriptedGateway();
  const connecting = Fovea.connect({ url: "wss://g/xr", WebSocket: gateway.WebSocket, clock: gateway.clientClock });
  await settle();
  gateway.socket.open();
  gateway.socket.drop(4406, "this peer speaks version 1, not 2");
  await assert.rejects(connecting, (error: FoveaError) => error.code === "protocol_version_unsupported");

  const open = await connected();
  const turn = open.xr.ask("hello?");
  const closed: (Error | undefined)[] = [];
  open.xr.on("close", ({ detail }) => closed.push(detail.error));
  open.gateway.socket.drop(4403, "no");
  assert.equal(await read(turn), "error:permission_denied");
  assert.equal((closed[0] as FoveaError).code, "permission_denied");
  open.gateway.clock.advance(60_000);
  assert.equal(open.gateway.sockets.length, 1);
});

test("[KC4] a refused token is fetched anew once, then the connection ends", async () => {
  const gateway = new ScriptedGateway();
  let fetched = 0;
  const connecting = Fovea.connect({
    url: "wss://g/xr",
    token: () => `token-${++fetched}`,
    WebSocket: gateway.WebSocket,
    clock: gateway.clientClock,
    random: () => 0,
  });
  const outcome = assert.rejects(connecting, (error: FoveaError) => error.code === "credentials_invalid");
  for (let attempt = 0; attempt < 2; attempt++) {
    await settle();
    gateway.socket.open();
    gateway.socket.drop(4401);
    gateway.clock.advance(1_000);
  }
  await outcome;
  assert.deepEqual([fetched, gateway.sockets.length], [2, 2]);
});

test("[KC5] waits between attempts double, are capped at 10 s and respect the shortest wait of the close code", async () => {
  const { gateway, xr } = await connected();
  const waits: number[] = [];
  xr.on("disconnect", ({ detail }) => waits.push(detail.retryMs));
  gateway.socket.drop();
  for (let attempt = 0; attempt < 7; attempt++) {
    gateway.clock.advance(waits.at(-1) ?? 0);
    await settle();
    gateway.socket.drop();
  }
  assert.deepEqual(waits, [125, 250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  gateway.clock.advance(5_000);
  await gateway.welcome({ resumed: true });
  gateway.socket.drop(4503);
  assert.equal(waits.at(-1), 2_000);
  xr.close();
});

test("[KC6] a connection that goes silent is given up and replaced, before its close event", async () => {
  const { gateway, xr } = await connected();
  gateway.clock.advance(11_000);
  gateway.socket.reply({ type: "ping", id: 1 });
  gateway.clock.advance(11_000);
  assert.equal(xr.isConnected, true);
  gateway.clock.advance(1_000);
  assert.equal(xr.isConnected, false);
  gateway.clock.advance(250);
  await settle();
  assert.equal(gateway.sockets.length, 2);
  gateway.sockets[0]?.drop(1006);
  assert.equal(gateway.sockets.length, 2);
  xr.close();
});

test("[KC7] in a new session everything is told again, and a question that never left is asked there", async () => {
  const { gateway, xr } = await connected();
  xr.tool({ name: "open", description: "Opens", parameters: {}, execute: () => null });
  gateway.socket.drop();
  const turn = xr.ask("still there?");
  gateway.clock.advance(250);
  await gateway.welcome({ resumed: false, sessionId: "s2", ack: 0 });
  assert.deepEqual(
    gateway.socket.take("tools").map(({ add }) => add[0]?.name),
    ["open"],
  );
  assert.deepEqual(
    gateway.socket.take("scene.update").map(({ full }) => full),
    [true],
  );
  assert.deepEqual(
    gateway.socket.take("ask").map(({ turnId, n }) => [turnId, n]),
    [[turn.id, 1]],
  );
  gateway.socket.reply(done(turn.id, 0));
  assert.equal(await read(turn), "done");
  xr.close();
});

test("[KC8] a ping is answered at once with its id and the client's times; clock estimates reach stats", async () => {
  const { gateway, xr } = await connected();
  gateway.clock.advance(500);
  gateway.socket.reply({ type: "ping", id: 7 });
  assert.deepEqual(gateway.socket.take("pong"), [{ type: "pong", id: 7, t1: 1_500, t2: 1_500 }]);
  gateway.socket.reply({ type: "clock", offset: -3, rtt: 12, skewPpm: 0 });
  assert.deepEqual([xr.stats().rttMs, xr.stats().clockOffsetMs], [12, -3]);
  xr.close();
});

test("[KC9] a full outbox is said: the question ends with outbox_full, other messages raise an error event", async () => {
  const { gateway, xr } = await connected();
  const errors: string[] = [];
  xr.on("error", ({ detail }) => errors.push(detail.code));
  gateway.socket.drop();
  for (let i = 0; i < 512; i++) xr.marker(`m${i}`);
  assert.deepEqual(errors, []);
  assert.equal(await read(xr.ask("one more?")), "error:outbox_full");
  xr.marker("one more");
  assert.deepEqual(errors, ["outbox_full"]);
  xr.close();
});

test("[KC10] messages of unknown type are counted, broken ones counted and reported, and the session goes on", async () => {
  const { gateway, xr } = await connected();
  const errors: string[] = [];
  xr.on("error", ({ detail }) => errors.push(detail.message));
  gateway.socket.reply(`{"type":"hologram"}`);
  gateway.socket.reply(`{"type":"rates"}`);
  gateway.socket.reply(`{`);
  assert.deepEqual([xr.stats().unknownMessages, xr.stats().faultyMessages], [1, 2]);
  assert.deepEqual(errors, ["poseHz: expected a number", "message: expected JSON"]);
  assert.equal(xr.isConnected, true);
  xr.close();
});

test("[KC11] connect gives up after its time, and closing while the token is fetched opens no socket", async () => {
  const gateway = new ScriptedGateway();
  let giveToken: (token: string) => void = () => {};
  const connecting = Fovea.connect({
    url: "wss://g/xr",
    token: () => new Promise<string>((resolve) => (giveToken = resolve)),
    WebSocket: gateway.WebSocket,
    clock: gateway.clientClock,
    connectTimeoutMs: 3_000,
  });
  const outcome = assert.rejects(connecting, (error: FoveaError) => error.code === "connect_timeout");
  await settle();
  gateway.clock.advance(3_000);
  await outcome;
  giveToken("late");
  await settle();
  assert.equal(gateway.sockets.length, 0);
  assert.equal(gateway.clock.pendingTasks, 0);
});

test("[KA1] an answer comes as parts in order and ends with done, also when it is read after it has arrived", async () => {
  const { gateway, xr } = await connected();
  const turn = xr.ask("what is that?", { latencyMs: 900, include: ["gaze"] });
  const [ask] = gateway.socket.take("ask");
  assert.deepEqual([ask?.text, ask?.include, ask?.latencyMs, ask?.t], ["what is that?", ["gaze"], 900, 1_000]);
  gateway.socket.reply({ type: "start", ...part(turn.id, 0), model: "geometry" });
  gateway.socket.reply({ type: "text.delta", ...part(turn.id, 1), text: "a " });
  gateway.socket.reply({ type: "text.delta", ...part(turn.id, 2), text: "lamp" });
  gateway.socket.reply(done(turn.id, 3));
  assert.equal(await read(turn), "start text:a  text:lamp done");
  assert.deepEqual([xr.stats().provider, xr.stats().cacheHit, xr.stats().openTurns], ["embedded", false, 0]);
  xr.close();
});

test("[KA2] cancel tells the gateway and ends the turn; leaving the loop early cancels", async () => {
  const { gateway, xr } = await connected();
  const first = xr.ask("one");
  first.cancel();
  first.cancel();
  assert.equal(await read(first), "error:request_cancelled");
  const second = xr.ask("two");
  gateway.socket.reply({ type: "text.delta", ...part(second.id, 0), text: "a" });
  for await (const one of second) if (one.type === "text") break;
  assert.deepEqual(
    gateway.socket.take("cancel").map(({ turnId }) => turnId),
    [first.id, second.id],
  );
  xr.close();
});

test("[KA3] after a flush, parts of an older epoch are dropped and what is shown is taken away", async () => {
  const { gateway, xr } = await connected();
  let cleared = 0;
  xr.highlighter.use({ present: () => true, clear: () => cleared++, close: () => {} });
  const turn = xr.ask("long story");
  gateway.socket.reply({ type: "text.delta", ...part(turn.id, 0, 1), text: "old " });
  gateway.socket.reply({ type: "flush", epoch: 2 });
  gateway.socket.reply({ type: "text.delta", ...part(turn.id, 1, 1), text: "stale " });
  gateway.socket.reply({ type: "text.delta", ...part(turn.id, 2, 2), text: "new" });
  turn.cancel();
  assert.equal(await read(turn), "text:old  text:new error:request_cancelled");
  assert.equal(cleared, 1);
  xr.close();
});

test("[KA4] every action ends in a receipt: drawn, taken by the application, or not shown at all", async () => {
  const { gateway, xr } = await connected();
  const turn = xr.ask("show me");
  const act = (seq: number): void =>
    gateway.socket.reply({ type: "action", ...part(turn.id, seq), action: { kind: "point", target: "lamp" } });
  act(0);
  const off = xr.on("action", () => {});
  act(1);
  xr.highlighter.use({ present: ({ kind }) => kind === "point", clear: () => {}, close: () => {} });
  act(2);
  xr.on("action", (event) => event.preventDefault());
  act(3);
  off();
  const receipts = gateway.socket.take("receipt").map(({ seq, delivered, via }) => `${seq} ${delivered} ${via}`);
  assert.deepEqual(receipts, ["0 false none", "1 true application", "2 true visual", "3 true application"]);
  xr.close();
});

test("[KA5] a tool call is answered once: with the result, with the error, or that there is no such tool", async () => {
  const { gateway, xr } = await connected();
  xr.tool({ name: "open", description: "", parameters: {}, execute: (args) => ({ opened: args["id"] ?? null }) });
  xr.tool({
    name: "fail",
    description: "",
    parameters: {},
    execute: () => {
      throw new Error("jammed");
    },
  });
  const turn = xr.ask("open it");
  const call = (seq: number, name: string): void =>
    gateway.socket.reply({ type: "tool.call", ...part(turn.id, seq), callId: `c${seq}`, name, args: { id: "door" } });
  call(0, "open");
  call(1, "fail");
  call(2, "fly");
  await settle();
  const results = gateway.socket.take("tool.result").map(({ callId, result, error }) => [callId, result ?? error]);
  assert.deepEqual(
    new Set(results.map((one) => JSON.stringify(one))),
    new Set(
      [
        ["c2", "there is no tool fly"],
        ["c0", { opened: "door" }],
        ["c1", "jammed"],
      ].map((one) => JSON.stringify(one)),
    ),
  );
  assert.equal(results.length, 3);
  xr.close();
});

test("[KA6] a failure of the gateway ends the turn with its code, and close ends the turns that are open", async () => {
  const { gateway, xr } = await connected();
  const failed = xr.ask("one");
  const open = xr.ask("two");
  gateway.socket.reply({ type: "error", code: "provider_failed", message: "no", fatal: false, turnId: failed.id });
  assert.equal(await read(failed), "error:provider_failed");
  const text = assert.rejects(xr.ask("three").text(), /closed/);
  xr.close();
  await text;
  assert.equal(await read(open), "error:closed");
  assert.equal(gateway.socket.closedWith, 1_000);
  assert.equal(await read(xr.ask("four")), "error:outbox_full");
});

test("[KA7] speech reaches the page as samples of its stream; what an interruption has made stale does not", async () => {
  const { gateway, xr } = await connected();
  const heard: string[] = [];
  xr.on("audio", ({ detail }) => heard.push(`${detail.streamId}/${detail.seq} ${detail.payload.length}`));
  const speak = (seq: number, epoch: number): void => {
    const samples = { codec: "pcm16-24k" as const, streamId: 3, seq, epoch, t0: 0, payload: new Uint8Array(960) };
    gateway.socket.replyBytes(encodeAudioPacket(samples, "down"));
  };
  speak(0, 1);
  gateway.socket.reply({ type: "flush", epoch: 65_536 });
  speak(1, 65_535);
  speak(2, 0);
  gateway.socket.replyBytes(new Uint8Array([0x12, 9]));
  gateway.socket.replyBytes(new Uint8Array([0x77]));
  assert.deepEqual(heard, ["3/0 960", "3/2 960"]);
  assert.deepEqual([xr.stats().faultyMessages, xr.stats().unknownMessages], [1, 1]);
  xr.close();
});

test("[KV4] a room named at connect goes out with hello; parts of a turn that nobody here asked become a turn", async () => {
  const { gateway, xr } = await connected({ room: { id: "workshop", name: "Anna" } });
  const [hello] = gateway.socket.take("hello");
  assert.deepEqual(hello?.room, { id: "workshop", name: "Anna" });
  const begun: AnswerTurn[] = [];
  xr.on("turn", ({ detail }) => void begun.push(detail.turn));
  gateway.socket.reply({ ...part("turn_9", 0), type: "start", model: "m" });
  gateway.socket.reply({ ...part("turn_9", 1), type: "text.delta", text: "It is there." });
  // What comes without its beginning, or of an older epoch, begins nothing.
  gateway.socket.reply({ ...part("turn_8", 3), type: "text.delta", text: "late" });
  gateway.socket.reply({ ...part("turn_7", 0, 0), type: "start", model: "m" });
  assert.deepEqual(
    begun.map(({ id }) => id),
    ["turn_9"],
  );
  const stopped = begun[0];
  stopped?.cancel();
  assert.deepEqual(
    gateway.socket.take("cancel").map(({ turnId }) => turnId),
    ["turn_9"],
  );
  xr.close();
});

test("[KV5] push-to-talk names its turn, and letting go ends the question", async () => {
  const { gateway, xr } = await connected({ consent: { audio: true } });
  const turn = xr.talk();
  turn.release();
  turn.release();
  const [ask] = gateway.socket.take("ask");
  assert.deepEqual([ask?.turnId, ask?.audioStreamId, ask?.text], [turn.id, 1, undefined]);
  assert.deepEqual(
    gateway.socket.take("push-to-talk").map(({ phase }) => phase),
    ["start", "end"],
  );
  xr.close();
});
