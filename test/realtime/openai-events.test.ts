// Rules RT3, RT6..RT19 of docs/spec/realtime.md: the events of the OpenAI door one by one, by a bare WebSocket.
import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock, sceneNode } from "@fovea/core/testing";
import { WebSocket } from "ws";
import { voice } from "../../packages/gateway/emulator/realtime/sound.ts";
import { decodeG711, encodeG711 } from "../../packages/gateway/src/realtime/doors/g711.ts";
import { ReadingPace } from "../../packages/gateway/src/realtime/doors/reading-pace.ts";
import { startDoorGateway, type DoorGateway, type DoorGatewayOptions } from "./door-gateway.ts";
import { Seen } from "./realtime-clients.ts";
import { LONG, OPENAI_MODEL } from "./vendor-setups.ts";

interface Event {
  readonly type: string;
  readonly [name: string]: unknown;
}

const CHAT: DoorGatewayOptions = { vendors: { openai: { type: "openai", models: ["gpt-5.4-mini"] } } };
const LIVE: DoorGatewayOptions = { vendors: { openai: { type: "openai", models: [OPENAI_MODEL] } } };
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

async function line(gateway: DoorGateway, query = "", protocols: string[] = [], headers: Record<string, string> = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/v1/realtime${query}`, protocols, { headers });
  const seen = new Seen<Event>();
  const closed = new Promise<string>((resolve) =>
    socket.on("close", (code, reason) => resolve(`${code} ${reason.toString()}`)),
  );
  socket.on("message", (data: Buffer) => seen.push(JSON.parse(data.toString()) as Event));
  await new Promise((resolve, reject) => (socket.on("open", resolve), socket.on("error", reject)));
  const send = (event: object | string): void => socket.send(typeof event === "string" ? event : JSON.stringify(event));
  const type = (text: string): void =>
    send({
      type: "conversation.item.create",
      item: { type: "message", role: "user", content: [{ type: "input_text", text }] },
    });
  return { socket, seen, send, type, closed, [Symbol.dispose]: () => socket.close() };
}

const errorOf = (event: Event): Record<string, unknown> => event["error"] as Record<string, unknown>;

test("[RT6] a bad event is answered with its field and its event_id, and the session goes on", async () => {
  await using gateway = await startDoorGateway(CHAT);
  using client = await line(gateway, "?model=auto");
  const message = (content: unknown): object => ({
    type: "conversation.item.create",
    item: { type: "message", role: "user", content },
  });
  const session = (more: object): object => ({ type: "session.update", session: { type: "realtime", ...more } });
  const cases: [object | string, string, string | null][] = [
    ["{", "invalid_json", null],
    ["[]", "invalid_event", null],
    [{}, "missing_required_parameter", "type"],
    [{ type: "constructor" }, "invalid_value", "type"],
    [{ type: "session.update" }, "missing_required_parameter", "session"],
    [session({ colour: "red" }), "unknown_parameter", "session.colour"],
    [session({ output_modalities: ["audio", "text"] }), "invalid_value", "session.output_modalities"],
    [session({ tools: [{ type: "mcp", server_label: "x" }] }), "unsupported_tool", "session.tools[0].type"],
    [session({ tools: "all" }), "invalid_type", "session.tools"],
    [session({ max_output_tokens: -1 }), "invalid_value", "session.max_output_tokens"],
    [
      session({ audio: { input: { turn_detection: { type: "psychic" } } } }),
      "invalid_value",
      "session.audio.input.turn_detection.type",
    ],
    [
      session({ audio: { input: { format: { type: "audio/pcm", rate: 8_000 } } } }),
      "invalid_value",
      "session.audio.input.format.rate",
    ],
    [session({ audio: { output: { speed: 9 } } }), "invalid_value", "session.audio.output.speed"],
    [{ type: "session.update", session: { type: "transcription" } }, "invalid_value", "session.type"],
    [{ type: "input_audio_buffer.append" }, "invalid_type", "audio"],
    [{ type: "input_audio_buffer.append", audio: "%%%" }, "invalid_value", "audio"],
    [{ type: "input_audio_buffer.append", audio: "AAAA" }, "invalid_value", "audio"],
    [{ type: "input_audio_buffer.commit" }, "input_audio_buffer_commit_empty", null],
    [message([{ type: "input_text" }]), "missing_required_parameter", "item.content[0].text"],
    [message([{ type: "output_text", text: "x" }]), "invalid_value", "item.content[0].type"],
    [
      message([{ type: "input_image", image_url: "https://example.com/x.png" }]),
      "invalid_value",
      "item.content[0].image_url",
    ],
    [
      { type: "conversation.item.create", item: { type: "function_call_output", call_id: "none", output: "x" } },
      "invalid_tool_call_id",
      "item.call_id",
    ],
    [
      {
        type: "conversation.item.create",
        previous_item_id: "none",
        item: { type: "message", role: "user", content: [] },
      },
      "item_not_found",
      "previous_item_id",
    ],
    [{ type: "conversation.item.retrieve", item_id: "none" }, "item_not_found", "item_id"],
    [{ type: "conversation.item.delete" }, "missing_required_parameter", "item_id"],
    [{ type: "conversation.item.truncate", item_id: "none", audio_end_ms: 1 }, "item_not_found", "item_id"],
    [{ type: "response.cancel" }, "response_cancel_not_active", null],
    [
      { type: "response.create", response: { input: [{ type: "item_reference", id: "none" }] } },
      "item_not_found",
      "response.input[0].id",
    ],
    [{ type: "fovea.xr", message: { type: "pose", viewer: [0, 0] } }, "invalid_value", "message.viewer"],
  ];
  for (const [index, [event, code, param]] of cases.entries()) {
    const event_id = `mine-${index}`;
    client.send(typeof event === "string" ? event : { ...event, event_id });
    const error = errorOf(await client.seen.until("error"));
    const told = [error["code"], error["param"], error["event_id"]];
    assert.deepEqual(told, [code, param, typeof event === "string" ? null : event_id], JSON.stringify(event));
    assert.equal(error["type"], "invalid_request_error");
  }
  client.send({ type: "input_audio_buffer.clear" });
  await client.seen.until("input_audio_buffer.cleared");
});

test("[RT7] keys come by header, by subprotocol or as a client secret; the key is never told back", async () => {
  await using gateway = await startDoorGateway({ ...CHAT, key: "key-of-the-app" });
  await assert.rejects(line(gateway), /401/);
  await assert.rejects(line(gateway, "", ["realtime", "openai-insecure-api-key.wrong"]), /401/);
  using byHeader = await line(gateway, "", [], { authorization: "Bearer key-of-the-app" });
  await byHeader.seen.until("session.created");
  using byProtocol = await line(gateway, "", [
    "realtime",
    "openai-insecure-api-key.key-of-the-app",
    "openai-agents-sdk.0.20.0",
  ]);
  assert.equal(byProtocol.socket.protocol, "realtime");
  const made = await fetch(`http://127.0.0.1:${gateway.port}/v1/realtime/client_secrets`, {
    method: "POST",
    headers: { authorization: "Bearer key-of-the-app", "content-type": "application/json" },
    body: JSON.stringify({
      session: { type: "realtime", model: "auto", instructions: "Speak of cups.", output_modalities: ["text"] },
    }),
  });
  const { value, expires_at, session } = (await made.json()) as {
    value: string;
    expires_at: number;
    session: { model: string };
  };
  assert.match(value, /^ek_/);
  assert.ok(expires_at * 1000 > Date.now());
  assert.equal(session.model, "auto");
  using bySecret = await line(gateway, "", ["realtime", `openai-insecure-api-key.${value}`]);
  const created = await bySecret.seen.until("session.created");
  assert.match(JSON.stringify(created), /Speak of cups/);
  assert.ok(!gateway.logged.join("\n").includes("key-of-the-app"));
});

test("[RT8] truncation stops at what was sent, and what is retrieved is what was heard", async () => {
  const rules = [{ when: { method: "RESPONSE" }, answer: { text: LONG, audioMs: 30_000 } }];
  await using gateway = await startDoorGateway({
    vendors: { openai: { type: "openai", models: [OPENAI_MODEL], scenario: { rules } } },
  });
  using client = await line(gateway, `?model=${OPENAI_MODEL}`);
  client.type("tell me");
  client.send({ type: "response.create" });
  const done = await client.seen.until("response.done");
  const [item] = (done["response"] as { output: { id: string }[] }).output;
  const id = item?.id ?? "";
  client.send({ type: "conversation.item.truncate", item_id: id, content_index: 0, audio_end_ms: 3_000 });
  assert.equal((await client.seen.until("conversation.item.truncated"))["audio_end_ms"], 3_000);
  client.send({ type: "conversation.item.retrieve", item_id: id });
  const retrieved = await client.seen.until("conversation.item.retrieved");
  const [part] = (retrieved["item"] as { content: { transcript: string }[] }).content;
  const transcript = part?.transcript ?? "";
  assert.ok(LONG.startsWith(transcript.trim()), transcript);
  assert.ok(transcript.length > 5 && transcript.length < 120, transcript);
  client.send({ type: "conversation.item.truncate", item_id: id, content_index: 0, audio_end_ms: 9_000_000 });
  assert.ok(Number((await client.seen.until("conversation.item.truncated"))["audio_end_ms"]) <= 30_001);
  client.send({ type: "conversation.item.delete", item_id: id });
  await client.seen.until("conversation.item.deleted");
});

test("[RT9] one response at a time; a cancelled one says so", async () => {
  const rules = [{ when: { method: "RESPONSE" }, answer: { text: LONG }, delay: { tokenMs: 20 } }];
  await using gateway = await startDoorGateway({
    vendors: { openai: { type: "openai", models: [OPENAI_MODEL], scenario: { rules } } },
  });
  using client = await line(gateway, `?model=${OPENAI_MODEL}`);
  client.type("tell me");
  client.send({ type: "response.create" });
  await client.seen.until("response.created");
  client.send({ type: "response.create", event_id: "second" });
  const refused = errorOf(await client.seen.until("error"));
  assert.deepEqual([refused["code"], refused["event_id"]], ["conversation_already_has_active_response", "second"]);
  client.send({ type: "response.cancel" });
  const done = await client.seen.until("response.done");
  assert.match(
    JSON.stringify(done),
    /"status":"cancelled","status_details":\{"type":"cancelled","reason":"client_cancelled"\}/,
  );
});

test("[RT10] a room told by fovea.xr is what the answer looks at; other clients never see its events", async () => {
  await using gateway = await startDoorGateway();
  using client = await line(gateway, "?model=auto");
  client.send({ type: "session.update", session: { type: "realtime", output_modalities: ["text"] } });
  client.send({ type: "fovea.xr", message: { type: "pose", viewer: [0, 1.6, 0, 0, 0, 0, 1] } });
  await client.seen.until("fovea.xr.taken");
  const cup = sceneNode("cup-1", [0, 1.2, -1], { semanticLabel: "cup", name: "red cup" });
  client.send({
    type: "fovea.xr",
    message: { type: "scene.update", frame: "local-floor", full: true, add: [cup], update: [], remove: [] },
  });
  await client.seen.until("fovea.xr.taken");
  client.type("how many cups are there?");
  client.send({ type: "response.create" });
  const done = await client.seen.until("response.output_text.done");
  assert.match(String(done["text"]), /one|1|cup/i);
  client.type("highlight the red cup");
  client.send({ type: "response.create" });
  const action = await client.seen.until("fovea.action");
  assert.match(JSON.stringify(action), /cup-1/);
  using other = await line(gateway, "?model=auto");
  other.type("hello");
  other.send({ type: "response.create", response: { output_modalities: ["text"] } });
  await other.seen.until("response.done");
  assert.ok(other.seen.all.every((event) => !event.type.startsWith("fovea.")));
});

test("[RT11] telephone sound is taken and given as G.711", async () => {
  const tone = Int16Array.from({ length: 2_000 }, (_, index) => Math.round(12_000 * Math.sin(index / 5)));
  for (const law of ["mu", "a"] as const) {
    const back = decodeG711(encodeG711(tone, law), law);
    let noise = 0;
    let power = 0;
    for (const [index, sample] of tone.entries()) {
      noise += (sample - (back[index] ?? 0)) ** 2;
      power += sample ** 2;
    }
    assert.ok(10 * Math.log10(power / noise) > 30, `${law}: ${10 * Math.log10(power / noise)} dB`);
  }
  // ITU-T G.711: silence and the largest values.
  assert.deepEqual([...encodeG711(Int16Array.of(0, 32_767, -32_768), "mu")], [0xff, 0x80, 0x00]);
  assert.deepEqual([...encodeG711(Int16Array.of(0, 32_767, -32_768), "a")], [0xd5, 0xaa, 0x2a]);
  const rules = [{ when: { method: "RESPONSE" }, answer: { text: "Hello.", audioMs: 1_000 } }];
  await using gateway = await startDoorGateway({
    vendors: { openai: { type: "openai", models: [OPENAI_MODEL], scenario: { rules } } },
  });
  using client = await line(gateway, `?model=${OPENAI_MODEL}`);
  const format = { type: "audio/pcmu" };
  client.send({
    type: "session.update",
    session: { type: "realtime", audio: { input: { format }, output: { format } } },
  });
  const speech = voice(800, 0, 8_000);
  const samples = new Int16Array(speech.buffer, speech.byteOffset, speech.byteLength >> 1);
  for (const pcm of [samples, new Int16Array(8_000)])
    client.send({ type: "input_audio_buffer.append", audio: base64(encodeG711(pcm, "mu")) });
  await client.seen.until("response.done");
  const bytes = client.seen
    .take("response.output_audio.delta")
    .reduce((sum, event) => sum + Buffer.from(String(event["delta"]), "base64").length, 0);
  assert.ok(Math.abs(bytes - 8_000) < 300, `${bytes} bytes for a second`);
});

test("[RT12] the default model of a client's own does not replace the one of the address; without one the first update names it", async () => {
  await using gateway = await startDoorGateway({ ...CHAT, aliases: { assistant: ["openai/gpt-5.4-mini"] } });
  using client = await line(gateway, "?model=assistant");
  client.send({ type: "session.update", session: { type: "realtime", model: "gpt-realtime-of-the-sdk" } });
  assert.equal(((await client.seen.until("session.updated"))["session"] as { model: string }).model, "assistant");
  using open = await line(gateway);
  open.send({ type: "session.update", event_id: "bad", session: { type: "realtime", model: "there-is-none" } });
  assert.equal(errorOf(await open.seen.until("error"))["code"], "model_unknown");
  open.send({ type: "session.update", session: { type: "realtime", model: "assistant" } });
  assert.equal(((await open.seen.until("session.updated"))["session"] as { model: string }).model, "assistant");
  await assert.rejects(line(gateway, "?model=there-is-none"), /404/);
});

test("[RT13] a transcription session transcribes and answers nothing", async () => {
  const rules = [{ when: { path: "*/audio/transcriptions" }, answer: { text: "what is this" } }];
  await using gateway = await startDoorGateway({
    vendors: { openai: { type: "openai", models: ["whisper-1"], scenario: { rules } } },
  });
  using client = await line(gateway, "?intent=transcription");
  const created = await client.seen.until("session.created");
  assert.equal((created["session"] as { type: string }).type, "transcription");
  client.send({
    type: "session.update",
    session: {
      type: "transcription",
      audio: { input: { turn_detection: null, transcription: { model: "whisper-1" } } },
    },
  });
  client.send({ type: "input_audio_buffer.append", audio: base64(voice(900)) });
  client.send({ type: "input_audio_buffer.commit" });
  const done = await client.seen.until("conversation.item.input_audio_transcription.completed");
  assert.equal(done["transcript"], "what is this");
  client.send({ type: "response.create" });
  assert.match(String(errorOf(await client.seen.until("error"))["message"]), /no responses/);
});

test("[RT14] a failure of the vendor is the failure of its response, with a message", async () => {
  const rules = [{ when: { path: "*/chat/completions" }, status: 500 }];
  await using gateway = await startDoorGateway({
    vendors: { openai: { type: "openai", models: ["gpt-5.4-mini"], scenario: { rules } } },
  });
  using client = await line(gateway, "?model=openai/gpt-5.4-mini");
  client.type("hello");
  client.send({ type: "response.create", response: { output_modalities: ["text"] } });
  const done = await client.seen.until("response.done", undefined, 20_000);
  const response = done["response"] as { status: string; status_details: { error: { code: string } } };
  assert.equal(response.status, "failed");
  assert.match(response.status_details.error.code, /provider|no_capable|answer/);
  client.send({ type: "input_audio_buffer.clear" });
  await client.seen.until("input_audio_buffer.cleared");
});

test("[RT15] silence for as long as idle_timeout_ms is told and answered", async () => {
  await using gateway = await startDoorGateway(LIVE);
  using client = await line(gateway, `?model=${OPENAI_MODEL}`);
  const turn_detection = { type: "server_vad", idle_timeout_ms: 1_000 };
  client.send({
    type: "session.update",
    session: { type: "realtime", output_modalities: ["text"], audio: { input: { turn_detection } } },
  });
  client.type("hello");
  client.send({ type: "response.create" });
  await client.seen.until("response.done");
  await client.seen.until("input_audio_buffer.timeout_triggered");
  await client.seen.until("response.done");
});

test("[RT16] a flood is slowed by not being read", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const socket = {
    pause: () => void log.push(`pause ${clock.monotonicMs()}`),
    resume: () => void log.push(`resume ${clock.monotonicMs()}`),
  };
  const pace = new ReadingPace(clock, { bytesPerSecond: 1_000, messagesPerSecond: 10 }, socket);
  for (let index = 0; index < 80; index++) pace.took(10);
  assert.deepEqual(log, [], "a burst passes");
  pace.took(10);
  assert.deepEqual(log, ["pause 0"]);
  clock.advance(99);
  assert.equal(log.length, 1);
  clock.advance(2);
  assert.deepEqual(log, ["pause 0", "resume 100"]);
  pace.took(9_000);
  assert.equal(log.length, 3, "bytes count as well");
  pace.close();
  clock.advance(60_000);
  assert.equal(log.length, 3);
});

test("[RT17] sound beyond 15 MiB in one event is refused, a message beyond 24 MiB closes the session", async () => {
  await using gateway = await startDoorGateway(CHAT);
  using client = await line(gateway, "?model=auto");
  client.send({ type: "input_audio_buffer.append", event_id: "big", audio: "A".repeat(21 * 1024 * 1024) });
  assert.deepEqual(
    [
      errorOf(await client.seen.until("error", undefined, 20_000))["param"],
      errorOf(client.seen.all.at(-1) as Event)["event_id"],
    ],
    ["audio", "big"],
  );
  client.send("x".repeat(25 * 1024 * 1024));
  assert.match(await client.closed, /^1009/);
});

test("[RT18] when the gateway goes, every session is told", async () => {
  const gateway = await startDoorGateway(CHAT);
  const client = await line(gateway, "?model=auto");
  await gateway[Symbol.asyncDispose]();
  assert.match(await client.closed, /^1012/);
});

test("[RT19] pictures and earlier turns given by the client are part of what is asked", async () => {
  await using gateway = await startDoorGateway(CHAT);
  using client = await line(gateway, "?model=openai/gpt-5.4-mini");
  const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
  const create = (item: object): void => client.send({ type: "conversation.item.create", item });
  create({ type: "message", role: "user", content: [{ type: "input_text", text: "first question" }] });
  create({ type: "function_call", call_id: "c1", name: "look", arguments: '{"at":"cup"}' });
  create({ type: "function_call_output", call_id: "c1", output: "a cup" });
  create({ type: "message", role: "assistant", content: [{ type: "output_text", text: "first answer" }] });
  create({
    type: "message",
    role: "user",
    content: [
      { type: "input_text", text: "and this" },
      { type: "input_image", image_url: `data:image/png;base64,${png}` },
    ],
  });
  client.send({ type: "response.create", response: { output_modalities: ["text"] } });
  const done = await client.seen.until("response.output_text.done");
  assert.match(String(done["text"]), /I see 1 image/);
  const asked = JSON.stringify(gateway.emulators["openai"]?.requests.at(-1)?.json);
  assert.match(asked, /first question.*"name":"look".*a cup.*first answer.*and this/s);
});

test("[RT25] answers of a bridged vendor are booked on the budgets, priced, measured, and refused when those are spent", async () => {
  const usage = { input: 20, output: 6 };
  const scenario = { rules: [{ when: { method: "RESPONSE" }, answer: { text: "A red cup.", usage } }] };
  const budgets = [{ name: "trial", of: "tenant", periodMs: 3_600_000, tokens: 30 }];
  await using gateway = await startDoorGateway({
    vendors: { openai: { type: "openai", models: [OPENAI_MODEL], scenario } },
    budgets,
  });
  using client = await line(gateway, `?model=${OPENAI_MODEL}`);
  const ask = async (): Promise<{
    status: string;
    usage: { total_tokens: number } | null;
    status_details: unknown;
  }> => {
    client.type("what is this");
    client.send({ type: "response.create" });
    return (await client.seen.until("response.done"))["response"] as never;
  };
  const first = await ask();
  assert.deepEqual([first.status, first.usage?.total_tokens], ["completed", 26]);
  assert.equal((await ask()).status, "completed", "what is left is more than nothing");
  const third = await ask();
  assert.equal(third.status, "failed");
  assert.match(JSON.stringify(third.status_details), /budget_exhausted.*trial/);
  const told = client.seen
    .take("rate_limits.updated")
    .map((event) => (event["rate_limits"] as { remaining: number }[])[0]?.remaining);
  assert.deepEqual(told.slice(0, 2), [30, 4]);
  const metrics = await (await fetch(`http://127.0.0.1:${gateway.port}/metrics`)).text();
  assert.match(metrics, /fovea_budget_tokens_total\{budget="trial"\} 52/);
  assert.match(metrics, /fovea_attempts_total\{[^}]*provider="openai"[^}]*\} 2/);
  assert.equal(gateway.emulators["openai"]?.requests.filter((request) => request.method === "RESPONSE").length, 2);
});
