// Rules RT30..RT39 of docs/spec/realtime.md: Google's official Live client against the gateway.
import assert from "node:assert/strict";
import test from "node:test";
import { GoogleGenAI, Modality, type LiveServerMessage } from "@google/genai";
import { WebSocket } from "ws";
import { voice } from "../../packages/gateway/emulator/realtime/sound.ts";
import { startDoorGateway, type DoorGateway } from "./door-gateway.ts";
import { inRealTime, Seen } from "./realtime-clients.ts";
import { SETUPS } from "./vendor-setups.ts";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const silence = (ms: number): Uint8Array => new Uint8Array(ms * 32);
const LOOK = { name: "look", parameters: { type: "OBJECT", properties: { at: { type: "STRING" } } } } as never;

async function connect(gateway: DoorGateway, model: string, config: object = {}, apiKey = "unused") {
  const ai = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `http://127.0.0.1:${gateway.port}` } });
  const seen = new Seen<LiveServerMessage>();
  const session = await ai.live.connect({
    model,
    config: {
      responseModalities: [Modality.AUDIO],
      inputAudioTranscription: {},
      outputAudioTranscription: {},
      systemInstruction: "Be brief.",
      ...config,
    },
    callbacks: { onmessage: (message) => seen.push(message), onerror: () => {}, onclose: () => {} },
  });
  return { session, seen };
}

for (const [name, options, model] of SETUPS) {
  test(`[RT30] [RT31] @google/genai Live speaks to ${name}: a tool, an answer, an interruption`, async () => {
    await using gateway = await startDoorGateway(options);
    const { session, seen } = await connect(gateway, model, { tools: [{ functionDeclarations: [LOOK] }] });
    const speak = (pcm: Uint8Array): void =>
      session.sendRealtimeInput({ audio: { data: base64(pcm), mimeType: "audio/pcm;rate=16000" } });
    await inRealTime([voice(900, 0, 16_000), silence(1_000)], speak, 16_000);
    const called = await seen.when((message) => message.toolCall !== undefined, 8_000, undefined, "the call");
    const [call] = called.toolCall?.functionCalls ?? [];
    assert.deepEqual(call?.args, { at: "cup" });
    const isOver = seen.all.some((message) => message.serverContent?.turnComplete === true);
    assert.equal(isOver, false, "a turn goes on after its calls");
    session.sendToolResponse({
      functionResponses: [{ id: call?.id ?? "", name: "look", response: { output: "a cup" } }],
    });
    await seen.when((message) => (message.data?.length ?? 0) > 100, 8_000, undefined, "sound");
    await inRealTime([voice(1_200, 0, 16_000), silence(600)], speak, 16_000);
    await seen.when((message) => message.serverContent?.interrupted === true, 8_000, undefined, "the interruption");
    const text = seen.all.map((message) => message.serverContent?.outputTranscription?.text ?? "").join("");
    assert.match(text, /^The cup/);
    assert.ok(seen.all.some((message) => message.serverContent?.inputTranscription !== undefined));
    session.close();
  });
}

test("[RT32] a client comes back to its conversation by the handle, and nobody else does", async () => {
  await using gateway = await startDoorGateway({ vendors: { openai: { type: "openai", models: ["gpt-5.4-mini"] } } });
  const config = { responseModalities: [Modality.TEXT], sessionResumption: {} };
  const first = await connect(gateway, "openai/gpt-5.4-mini", config);
  first.session.sendClientContent({ turns: [{ role: "user", parts: [{ text: "remember the number seven" }] }] });
  await first.seen.when((message) => message.serverContent?.turnComplete === true);
  const told = await first.seen.when(
    (message, index) => message.sessionResumptionUpdate?.resumable === true && index > 2,
  );
  first.session.close();
  const handle = told.sessionResumptionUpdate?.newHandle ?? "";
  const second = await connect(gateway, "openai/gpt-5.4-mini", { ...config, sessionResumption: { handle } });
  second.session.sendClientContent({ turns: [{ role: "user", parts: [{ text: "and now?" }] }] });
  await second.seen.when((message) => message.serverContent?.turnComplete === true);
  const asked = gateway.emulators["openai"]?.requests.at(-1)?.json;
  assert.match(JSON.stringify(asked), /remember the number seven.*and now/);
  second.session.close();
  const [code, reason] = await closing(gateway, {
    setup: { model: "models/auto", sessionResumption: { handle: "another" } },
  });
  assert.equal(code, 1008);
  assert.match(reason, /not known/);
});

/** What a bare client is told when its first messages are these. */
async function closing(gateway: DoorGateway, ...messages: unknown[]): Promise<[number, string]> {
  const path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`);
  socket.on("open", () => {
    for (const message of messages) socket.send(typeof message === "string" ? message : JSON.stringify(message));
  });
  return new Promise((resolve) =>
    socket.on("close", (code: number, reason: Buffer) => resolve([code, reason.toString()])),
  );
}

test("[RT33] what is no message of the protocol closes the session with the reason", async () => {
  await using gateway = await startDoorGateway();
  const setup = { setup: { model: "models/auto" } };
  const cases: [readonly unknown[], number, RegExp][] = [
    [["{"], 1007, /parsed/],
    [[{ clientContent: {} }], 1007, /first message is setup/],
    [[setup, setup], 1007, /one setup/],
    [[setup, { nothing: 1 }], 1007, /Unknown name "nothing"/],
    [[{ setup: { model: "models/there-is-none" } }], 1008, /there-is-none/],
    [
      [setup, { realtimeInput: { audio: { mimeType: "audio/pcm;rate=16000", data: "%%%" } } }],
      1007,
      /realtimeInput\.audio\.data/,
    ],
    [[setup, { realtimeInput: { audio: { mimeType: "audio/ogg", data: "AAAA" } } }], 1007, /mimeType/],
    [[setup, { toolResponse: { functionResponses: "x" } }], 1007, /functionResponses/],
  ];
  for (const [messages, wanted, words] of cases) {
    const [code, reason] = await closing(gateway, ...messages);
    assert.equal(code, wanted, `${JSON.stringify(messages)}: ${reason}`);
    assert.match(reason, words);
  }
});

test("[RT34] keys for browsers open a session, and a wrong key none", async () => {
  await using gateway = await startDoorGateway({ key: "key-of-the-app" });
  const ai = new GoogleGenAI({
    apiKey: "key-of-the-app",
    httpOptions: { baseUrl: `http://127.0.0.1:${gateway.port}`, apiVersion: "v1alpha" },
  });
  const token = await ai.authTokens.create({ config: {} });
  assert.match(token.name ?? "", /^auth_tokens\//);
  const browser = new GoogleGenAI({
    apiKey: token.name ?? "",
    httpOptions: { baseUrl: `http://127.0.0.1:${gateway.port}`, apiVersion: "v1alpha" },
  });
  const seen = new Seen<LiveServerMessage>();
  const session = await browser.live.connect({
    model: "auto",
    callbacks: { onmessage: (message) => seen.push(message) },
  });
  assert.ok(seen.all.some((message) => message.setupComplete !== undefined) || session !== undefined);
  session.close();
  const path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=wrong";
  const refused = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`);
  const error = await new Promise<Error>((resolve) => refused.on("error", resolve));
  assert.match(error.message, /401/);
});
