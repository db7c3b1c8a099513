// Rules RT50..RT59 of docs/spec/realtime.md: Pipecat's official JavaScript client against the gateway. It is written for
// browsers: what it looks for there is put in place, and its media manager is one without devices.
import assert from "node:assert/strict";
import test from "node:test";
import protobuf from "protobufjs";
import { WebSocket } from "ws";
import { voice } from "../../packages/gateway/emulator/realtime/sound.ts";
import { decodeFrame, encodeAudio, encodeMessage } from "../../packages/gateway/src/realtime/rtvi/frame-codec.ts";
import { startDoorGateway, type DoorGateway } from "./door-gateway.ts";
import { inRealTime, Seen } from "./realtime-clients.ts";
import { SETUPS } from "./vendor-setups.ts";

const silence = (ms: number): Uint8Array => new Uint8Array(ms * 32);

interface Event {
  readonly type: string;
  readonly data: unknown;
}

class SilentMedia {
  userAudio: (data: ArrayBuffer) => void = () => {};
  readonly played: Int16Array[] = [];
  setUserAudioCallback(callback: (data: ArrayBuffer) => void): void {
    this.userAudio = callback;
  }
  bufferBotAudio(pcm: Int16Array): void {
    this.played.push(pcm);
  }
  setClientOptions(): void {}
  async initialize(): Promise<void> {}
  async connect(): Promise<void> {}
  async disconnect(): Promise<void> {}
  enableMic(): void {}
  tracks(): object {
    return {};
  }
}

function browserStubs(): void {
  const scope = globalThis as unknown as Record<string, unknown>;
  scope["window"] ??= scope;
  scope["self"] ??= scope;
  scope["document"] ??= { addEventListener() {}, removeEventListener() {}, createElement: () => ({}) };
  scope["location"] ??= { href: "http://localhost/", protocol: "http:", host: "localhost" };
  scope["addEventListener"] ??= () => {};
  scope["removeEventListener"] ??= () => {};
}

async function connect(gateway: DoorGateway, model: string) {
  browserStubs();
  const { LogLevel, PipecatClient } = await import("@pipecat-ai/client-js");

  const { WebSocketTransport } = await import("@pipecat-ai/websocket-transport");
  const media = new SilentMedia();
  const seen = new Seen<Event>();
  const note =
    (type: string) =>
    (data: unknown): void =>
      seen.push({ type, data });
  const transport = new WebSocketTransport({
    wsUrl: `ws://127.0.0.1:${gateway.port}/rtvi?model=${encodeURIComponent(model)}`,
    mediaManager: media as never,
  });
  const client = new PipecatClient({
    transport,
    enableMic: true,
    callbacks: {
      onBotReady: note("ready"),
      onUserTranscript: note("transcript"),
      onUserStartedSpeaking: note("user-started") as never,
      onBotLlmText: note("llm-text"),
      onBotOutput: note("output"),
      onBotStartedSpeaking: note("bot-started") as never,
      onBotStoppedSpeaking: note("bot-stopped") as never,
      onLLMFunctionCallStopped: note("call-stopped"),
      onMetrics: note("metrics"),
      onError: note("error"),
    },
  });
  client.setLogLevel(LogLevel.NONE);
  await client.connect();
  return { client, media, seen };
}

for (const [name, options, model] of SETUPS) {
  test(`[RT50] [RT51] the Pipecat client speaks to ${name}: a tool, an answer, an interruption`, async () => {
    await using gateway = await startDoorGateway(options);
    const { client, media, seen } = await connect(gateway, model);
    const tools = [
      { name: "look", description: "looks", parameters: { type: "object", properties: { at: { type: "string" } } } },
    ];
    const configured = await client.sendClientRequest("fovea.configure", { instructions: "Be brief.", tools });
    assert.deepEqual(configured, { configured: true });
    const looked: unknown[] = [];
    client.registerFunctionCallHandler("look", async ({ arguments: args }) => {
      looked.push(args);
      return "a cup";
    });
    const speak = (pcm: Uint8Array): void => media.userAudio(new Uint8Array(pcm).buffer);
    await inRealTime([voice(900, 0, 16_000), silence(1_000)], speak, 16_000);
    await seen.until("bot-started");
    assert.deepEqual(looked, [{ at: "cup" }]);
    await seen.until("call-stopped");
    await inRealTime([voice(1_200, 0, 16_000), silence(400)], speak, 16_000);
    await seen.until("bot-stopped");
    const played = media.played.reduce((sum, pcm) => sum + pcm.length, 0) / 24;
    // Its player cannot be emptied: what was sent is heard, so little was sent ahead.
    assert.ok(played > 200 && played < 6_000, `${played} ms of sound`);
    const types = seen.all.map((event) => event.type);
    assert.ok(types.includes("output") && types.includes("transcript") && types.includes("llm-text"), types.join());
    assert.deepEqual(seen.take("error"), []);
    await client.disconnect();
  });
}

test("[RT52] typed words are answered, silently where the client wants it so", async () => {
  await using gateway = await startDoorGateway({ vendors: { openai: { type: "openai", models: ["gpt-5.4-mini"] } } });
  const { client, seen, media } = await connect(gateway, "openai/gpt-5.4-mini");
  await client.sendText("hello there", { run_immediately: true, audio_response: false });
  const output = await seen.until("output");
  assert.match(JSON.stringify(output.data), /You said: hello there/);
  assert.equal(media.played.length, 0);
  await assert.rejects(
    async () => client.sendClientRequest("nothing.known", {}),
    (error) => /no request nothing.known/.test(JSON.stringify(error)),
  );
  await client.disconnect();
});

test("[RT55] a page that asks the gateway where to connect is given an address with a short-lived key", async () => {
  await using gateway = await startDoorGateway({ key: "key-of-the-app" });
  browserStubs();
  const { LogLevel, PipecatClient } = await import("@pipecat-ai/client-js");
  const { WebSocketTransport } = await import("@pipecat-ai/websocket-transport");
  const transport = new WebSocketTransport({ mediaManager: new SilentMedia() as never });
  const client = new PipecatClient({ transport });
  client.setLogLevel(LogLevel.NONE);
  const headers = new Headers({ authorization: "Bearer key-of-the-app" });
  const endpoint = `http://127.0.0.1:${gateway.port}/rtvi/connect`;
  const ready = await client.startBotAndConnect({ endpoint, headers, requestData: { model: "auto" } });
  assert.match(JSON.stringify(ready), /2\.1\.0/);
  await client.disconnect();
});

const PROTO = `syntax = "proto3"; package pipecat;
message TextFrame { uint64 id=1; string name=2; string text=3; }
message AudioRawFrame { uint64 id=1; string name=2; bytes audio=3; uint32 sample_rate=4; uint32 num_channels=5; optional uint64 pts=6; }
message MessageFrame { string data=1; }
message Frame { oneof frame { TextFrame text=1; AudioRawFrame audio=2; MessageFrame message=4; } }`;

test("[RT53] the envelope is the one that protobuf reads and writes", () => {
  const Frame = protobuf.parse(PROTO, { keepCase: true }).root.lookupType("pipecat.Frame");
  const pcm = voice(40, 0, 16_000);
  const audio = Frame.toObject(Frame.decode(encodeAudio(pcm, 24_000))) as {
    audio: { audio: Uint8Array; sample_rate: number; num_channels: number };
  };
  assert.deepEqual(new Uint8Array(audio.audio.audio), pcm);
  assert.equal(audio.audio.sample_rate, 24_000);
  assert.equal(audio.audio.num_channels, 1);
  const text = JSON.stringify({ label: "rtvi-ai", ä: "ö".repeat(300) });
  const message = Frame.toObject(Frame.decode(encodeMessage(text))) as { message: { data: string } };
  assert.equal(message.message.data, text);
  const written = Frame.encode(
    Frame.create({ audio: { id: 2 ** 40, name: "x", audio: pcm, sample_rate: 16_000, num_channels: 2, pts: 7 } }),
  ).finish();
  const read = decodeFrame(written);
  assert.deepEqual(read.kind === "audio" && [new Uint8Array(read.pcm), read.sampleRateHz, read.channels], [
    pcm,
    16_000,
    2,
  ]);
  assert.deepEqual(decodeFrame(Frame.encode(Frame.create({ text: { text: "no use" } })).finish()), { kind: "other" });
  for (const bad of [
    [0x12],
    [0x12, 0xff, 0xff, 0xff],
    [0x03],
    [0x00],
    [0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
  ]) {
    assert.throws(() => decodeFrame(Uint8Array.from(bad)), /not a Pipecat frame/);
  }
});

test("[RT54] what is no message is answered with an error, and the session goes on", async () => {
  await using gateway = await startDoorGateway();
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/v1/rtvi`);
  const seen = new Seen<{ type: string; id?: string; data?: unknown }>();
  socket.on("message", (data: Buffer) => {
    const frame = decodeFrame(data);
    if (frame.kind === "message") seen.push(JSON.parse(frame.text) as { type: string });
  });
  await new Promise((resolve) => socket.on("open", resolve));
  const send = (message: object): void => socket.send(encodeMessage(JSON.stringify(message)));
  socket.send(Uint8Array.from([0x12]));
  assert.match(JSON.stringify(await seen.until("error")), /not a Pipecat frame/);
  send({ label: "other", type: "client-ready" });
  assert.match(JSON.stringify(await seen.until("error")), /label/);
  send({ label: "rtvi-ai", type: "toString", id: "1" });
  assert.equal((await seen.until("error-response")).id, "1");
  send({ label: "rtvi-ai", type: "client-ready", id: "2", data: { version: "9.9.9" } });
  assert.equal((await seen.until("error-response")).id, "2");
  const ready = await seen.until("bot-ready");
  assert.equal(ready.id, "2");
  send({ label: "rtvi-ai", type: "dtmf", id: "3", data: { buttons: ["x y"] } });
  assert.match(JSON.stringify(await seen.until("error-response")), /buttons/);
  socket.send(encodeAudio(new Uint8Array(3), 16_000));
  assert.match(JSON.stringify(await seen.until("error")), /16-bit/);
  const closed = new Promise((resolve) => socket.on("close", resolve));
  send({ label: "rtvi-ai", type: "disconnect-bot", data: {} });
  assert.equal(await closed, 1000);
});
