// Rules EM60..EM66 of docs/spec/emulator.md: the vendors' official realtime clients run clean against the emulator.
import assert from "node:assert/strict";
import test from "node:test";
import { GoogleGenAI, Modality, type LiveServerMessage } from "@google/genai";
import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { WebSocket } from "ws";
import { startEmulator, type ScenarioInput } from "../../packages/gateway/emulator/index.ts";
import { voice } from "../../packages/gateway/emulator/realtime/sound.ts";
import { Seen, tlsFront } from "../realtime/realtime-clients.ts";

type Answer = NonNullable<NonNullable<ScenarioInput["rules"]>[number]["answer"]>;
const answers = (...list: Answer[]): ScenarioInput => ({
  rules: list.map((answer) => ({ when: { method: "RESPONSE", attempts: 1 }, answer })),
});
const LONG = "The cup that you look at is red and stands on the table near the window. ".repeat(8);
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const silence = (ms: number, rateHz: number): Uint8Array => new Uint8Array((ms / 1000) * rateHz * 2);

test("[EM60] the official openai client: text, audio with server turns, a tool, errors with event ids", async () => {
  const scenario = answers(
    { text: "Hello there." },
    { toolCalls: [{ name: "look", arguments: { at: "cup" } }] },
    { text: "A red cup." },
  );
  await using emulator = await startEmulator({
    provider: "openai",
    scenario: { ...scenario, defaults: { realtime: { hears: ["what is this"] } } },
  });
  await using front = await tlsFront(emulator.port);
  const client = new OpenAI({ apiKey: "k", baseURL: `https://localhost:${front.port}/v1` });
  const socket = new OpenAIRealtimeWS(
    { model: "gpt-realtime-2.1-mini", options: { rejectUnauthorized: false } },
    client,
  );
  const seen = new Seen<{ type: string }>();
  socket.on("event", (event) => seen.push(event));
  socket.on("error", (error) => seen.push({ type: `error ${error.message}` }));
  await seen.until("session.created");
  socket.send({
    type: "session.update",
    session: {
      type: "realtime",
      output_modalities: ["text"],
      audio: { input: { transcription: { model: "whisper-1" } } },
    },
  });
  socket.send({
    type: "conversation.item.create",
    item: { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] },
  });
  socket.send({ type: "response.create" });
  await seen.until("response.done");
  assert.deepEqual(
    seen
      .take("response.output_text.delta")
      .map((event) => (event as { delta?: string }).delta)
      .join(""),
    "Hello there.",
  );
  // Spoken: the server's own turn taking commits, transcribes and answers with a tool call.
  socket.send({ type: "session.update", session: { type: "realtime", output_modalities: ["audio"] } });
  for (const pcm of [voice(800), silence(700, 24_000)])
    socket.send({ type: "input_audio_buffer.append", audio: base64(pcm) });
  await seen.until("response.function_call_arguments.done");
  await seen.until("response.done");
  assert.match(JSON.stringify(seen.all), /"transcript":"what is this"/);
  const names = seen.all.map((event) => event.type);
  assert.ok(names.indexOf("input_audio_buffer.speech_started") < names.indexOf("input_audio_buffer.speech_stopped"));
  const call = seen.take("response.function_call_arguments.done")[0] as unknown as {
    call_id: string;
    arguments: string;
  };
  assert.equal(call.arguments, '{"at":"cup"}');
  socket.send({
    type: "conversation.item.create",
    item: { type: "function_call_output", call_id: call.call_id, output: "a cup" },
  });
  socket.send({ type: "response.create" });
  await seen.until("response.output_audio.done");
  const bytes = seen
    .take("response.output_audio.delta")
    .reduce((sum, event) => sum + Buffer.from((event as unknown as { delta: string }).delta, "base64").length, 0);
  assert.ok(bytes > 24_000, `${bytes} bytes of audio`);
  socket.send({ type: "response.cancel", event_id: "mine" });
  await seen.until("error");
  assert.match(JSON.stringify(seen.all.at(-1)), /response_cancel_not_active/);
  socket.close();
});

test("[EM61] @openai/agents-realtime: a tool is executed, and an interruption truncates what was said", async () => {
  const scenario: ScenarioInput = {
    rules: [
      {
        when: { method: "RESPONSE", attempts: 1 },
        answer: { toolCalls: [{ name: "look", arguments: { at: "cup" } }] },
      },
      { when: { method: "RESPONSE" }, answer: { text: LONG }, delay: { tokenMs: 20 } },
    ],
  };
  await using emulator = await startEmulator({ provider: "openai", scenario });
  const looked: string[] = [];
  const look = tool({
    name: "look",
    description: "looks",
    parameters: {
      type: "object",
      properties: { at: { type: "string" } },
      required: ["at"],
      additionalProperties: false,
    },
    strict: true,
    execute: async (args) => {
      looked.push((args as { at: string }).at);
      return "a cup";
    },
  });
  const agent = new RealtimeAgent({ name: "guide", instructions: "Be brief.", tools: [look] });
  const session = new RealtimeSession(agent, { transport: "websocket", model: "gpt-realtime" });
  const seen = new Seen<{ type: string }>();
  session.transport.on("*", (event) => seen.push(event as { type: string }));
  const failures: unknown[] = [];
  session.on("error", (error) => failures.push(error));
  await session.connect({ apiKey: "k", url: `ws://127.0.0.1:${emulator.port}/v1/realtime?model=gpt-realtime` });
  session.sendMessage("what is this");
  await seen.until("response.output_audio.delta");
  session.interrupt();
  await seen.until("conversation.item.retrieved");
  assert.deepEqual(looked, ["cup"]);
  assert.equal(seen.take("conversation.item.truncated").length, 1);
  assert.deepEqual(failures, []);
  session.close();
});

test("[EM62] @google/genai Live: setup, a typed and a spoken turn, a tool, an interruption, resumption", async () => {
  const scenario: ScenarioInput = {
    defaults: { realtime: { hears: ["what is this"] } },
    rules: [
      { when: { method: "RESPONSE", attempts: 1 }, answer: { text: "Hello there." } },
      {
        when: { method: "RESPONSE", attempts: 1 },
        answer: { toolCalls: [{ name: "look", arguments: { at: "cup" } }] },
      },
      { when: { method: "RESPONSE" }, answer: { text: LONG }, delay: { tokenMs: 15 } },
    ],
  };
  await using emulator = await startEmulator({ provider: "google", scenario });
  const ai = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: emulator.url } });
  const seen = new Seen<LiveServerMessage>();
  const connect = (handle?: string) =>
    ai.live.connect({
      model: "gemini-live-2.5-flash",
      config: {
        responseModalities: [Modality.AUDIO],
        inputAudioTranscription: {},
        outputAudioTranscription: {},
        sessionResumption: handle === undefined ? {} : { handle },
        tools: [{ functionDeclarations: [{ name: "look", parametersJsonSchema: { type: "object" } }] }],
      },
      callbacks: { onmessage: (message) => seen.push(message), onerror: () => {}, onclose: () => {} },
    });
  const session = await connect();
  session.sendClientContent({ turns: [{ role: "user", parts: [{ text: "hi" }] }] });
  await seen.when((message) => message.serverContent?.turnComplete === true);
  assert.equal(
    seen.all.map((message) => message.serverContent?.outputTranscription?.text ?? "").join(""),
    "Hello there.",
  );
  for (const pcm of [voice(800, 0, 16_000), silence(700, 16_000)]) {
    session.sendRealtimeInput({ audio: { data: base64(pcm), mimeType: "audio/pcm;rate=16000" } });
  }
  const called = await seen.when((message) => message.toolCall !== undefined);
  const id = called.toolCall?.functionCalls?.[0]?.id ?? "";
  session.sendToolResponse({ functionResponses: [{ id, name: "look", response: { seen: "cup" } }] });
  const from = seen.all.length;
  await seen.when((message, index) => index >= from && message.data !== undefined);
  session.sendRealtimeInput({ audio: { data: base64(voice(400, 0, 16_000)), mimeType: "audio/pcm;rate=16000" } });
  await seen.when((message) => message.serverContent?.interrupted === true);
  const handle = seen.all.findLast((message) => message.sessionResumptionUpdate?.resumable === true)
    ?.sessionResumptionUpdate?.newHandle;
  session.close();
  const again = await connect(handle);
  again.sendRealtimeInput({ text: "still there" });
  await seen.when((message, index) => index > from && message.serverContent?.outputTranscription !== undefined);
  again.close();
});

/** Opens a bare socket and returns what it is told until it closes. */
async function bare(url: string, first: object | undefined): Promise<string[]> {
  const socket = new WebSocket(url);
  const told: string[] = [];
  socket.on("error", (error) => told.push(error.message));
  socket.on("message", (data: Buffer) => told.push(data.toString()));
  if (first !== undefined) socket.on("open", () => socket.send(JSON.stringify(first)));
  await new Promise<void>((resolve) =>
    socket.on("close", (code: number, reason: Buffer) => (told.push(`${code} ${reason.toString()}`), resolve())),
  );
  return told;
}

test("[EM63] faults of a connection: refusal, expiry, goAway, a cut answer, an unknown handle, a second setup", async () => {
  await using openai = await startEmulator({
    provider: "openai",
    scenario: { keys: ["good"], rules: [{ realtime: { sessionMs: 30 } }] },
  });
  const address = `ws://127.0.0.1:${openai.port}/v1/realtime?model=gpt-realtime`;
  assert.match((await bare(address, undefined)).join(), /401/);
  const socket = new WebSocket(address, ["realtime", "openai-insecure-api-key.good"]);
  const told: string[] = [];
  socket.on("message", (data: Buffer) => told.push(data.toString()));
  const code = await new Promise<number>((resolve) => socket.on("close", resolve));
  assert.equal(code, 1001);
  assert.match(told.at(-1) ?? "", /session_expired/);
  await using google = await startEmulator({
    provider: "google",
    scenario: { rules: [{ realtime: { goAwayMs: 10, timeLeftMs: 20 } }] },
  });
  const path = "//ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k";
  const live = `ws://127.0.0.1:${google.port}${path}`;
  assert.match((await bare(live, { setup: { model: "models/m" } })).join(), /goAway.*1001/s);
  assert.match(
    (await bare(live, { setup: { model: "models/m", sessionResumption: { handle: "old" } } })).join(),
    /1008/,
  );
  assert.match((await bare(live, { clientContent: {} })).join(), /1007 setup must be the first/);
  google.setScenario({
    rules: [{ when: { method: "RESPONSE" }, answer: { words: 9 }, ending: { kind: "cut", after: 2 } }],
  });
  const cut = new WebSocket(live);
  cut.on("open", () => {
    cut.send(JSON.stringify({ setup: { model: "models/m" } }));
    cut.send(JSON.stringify({ clientContent: { turns: [{ role: "user", parts: [{ text: "go" }] }] } }));
  });
  assert.equal(await new Promise<number>((resolve) => cut.on("close", resolve)), 1006);
});

test("[EM64] Together: recognition without its own turn taking, and speech by sentence", async () => {
  await using emulator = await startEmulator({
    provider: "together",
    scenario: { rules: [{ realtime: { hears: ["red cup"] } }] },
  });
  const headers = { authorization: "Bearer k" };
  const ear = new WebSocket(`ws://127.0.0.1:${emulator.port}/v1/realtime?model=w&input_audio_format=pcm_s16le_16000`, {
    headers,
  });
  const heard = new Seen<{ type: string; transcript?: string }>();
  ear.on("message", (data: Buffer) => heard.push(JSON.parse(data.toString()) as { type: string }));
  await heard.until("session.created");
  ear.send(JSON.stringify({ type: "transcription_session.updated", session: { turn_detection: null } }));
  ear.send(JSON.stringify({ type: "input_audio_buffer.append", audio: base64(voice(500, 0, 16_000)) }));
  ear.send(JSON.stringify({ type: "input_audio_buffer.commit" }));
  const done = await heard.until("conversation.item.input_audio_transcription.completed");
  assert.equal(done.transcript, "red cup");
  ear.close();
  const mouth = new WebSocket(`ws://127.0.0.1:${emulator.port}/v1/audio/speech/websocket?model=k&voice=v`, { headers });
  const said = new Seen<{ type: string }>();
  mouth.on("message", (data: Buffer) => said.push(JSON.parse(data.toString()) as { type: string }));
  await said.until("session.created");
  mouth.send(JSON.stringify({ type: "input_text_buffer.append", text: "One sentence. And a" }));
  await said.until("conversation.item.audio_output.done");
  mouth.send(JSON.stringify({ type: "input_text_buffer.commit" }));
  await said.until("conversation.item.audio_output.done", 2);
  mouth.close();
});
