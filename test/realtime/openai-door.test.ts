// Rules RT1..RT19 of docs/spec/realtime.md: OpenAI's official realtime clients against the gateway.
import assert from "node:assert/strict";
import test from "node:test";
import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import OpenAI from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { voice } from "../../packages/gateway/emulator/realtime/sound.ts";
import { startDoorGateway, type DoorGateway } from "./door-gateway.ts";
import { inRealTime, Seen, tlsFront } from "./realtime-clients.ts";
import { SETUPS } from "./vendor-setups.ts";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const silence = (ms: number): Uint8Array => new Uint8Array(ms * 48);
interface Event {
  readonly type: string;
  readonly [name: string]: unknown;
}

async function talk(gateway: DoorGateway, model: string) {
  const front = await tlsFront(gateway.port);
  const client = new OpenAI({ apiKey: "unused", baseURL: `https://localhost:${front.port}/v1` });
  const socket = new OpenAIRealtimeWS({ model, options: { rejectUnauthorized: false } }, client);
  const seen = new Seen<Event>();
  socket.on("event", (event) => seen.push(event as unknown as Event));
  const failures: string[] = [];
  socket.on("error", (error) => failures.push(error.message));
  await seen.until("session.created");
  return {
    socket,
    seen,
    failures,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await front[Symbol.asyncDispose]();
    },
  };
}

const LOOK = {
  type: "function" as const,
  name: "look",
  description: "looks at something",
  parameters: { type: "object", properties: { at: { type: "string" } } },
};

for (const [name, options, model] of SETUPS) {
  test(`[RT1] [RT4] the official openai client speaks to ${name}: a tool, an answer, an interruption`, async () => {
    await using gateway = await startDoorGateway(options);
    await using line = await talk(gateway, model);
    const { socket, seen } = line;
    socket.send({
      type: "session.update",
      session: {
        type: "realtime",
        instructions: "Be brief.",
        tools: [LOOK],
        audio: { input: { transcription: { model: "whisper-1" } } },
      },
    });
    await seen.until("session.updated");
    const append = (pcm: Uint8Array): void => socket.send({ type: "input_audio_buffer.append", audio: base64(pcm) });
    await inRealTime([voice(900), silence(1_200)], append);
    const called = await seen.until("response.function_call_arguments.done");
    assert.equal(called["arguments"], '{"at":"cup"}');
    await seen.until("response.done");
    socket.send({
      type: "conversation.item.create",
      item: { type: "function_call_output", call_id: String(called["call_id"]), output: "a cup" },
    });
    socket.send({ type: "response.create" });
    const first = await seen.until("response.output_audio.delta");
    assert.ok(Buffer.from(String(first["delta"]), "base64").length > 100);
    // The user speaks over the answer, as fast as people speak.
    await inRealTime([voice(1_200), silence(1_200)], append);
    const cut = await seen.when(
      (event) => event.type === "response.done" && JSON.stringify(event).includes("turn_detected"),
      10_000,
      undefined,
      "the cancelled response",
    );
    assert.match(JSON.stringify(cut), /"status":"cancelled"/);
    const types = seen.all.map((event) => event.type);
    assert.ok(types.includes("input_audio_buffer.speech_started"), types.join());
    assert.deepEqual(line.failures, []);
    // Nothing of a response comes before it was created or after it is done.
    for (const { response_id } of seen.take("response.output_audio.delta")) {
      const events = seen.all.filter(
        (event) => event["response_id"] === response_id || (event["response"] as { id?: string })?.id === response_id,
      );
      assert.equal(events[0]?.type, "response.created");
      if (events.some((event) => event.type === "response.done")) assert.equal(events.at(-1)?.type, "response.done");
    }
  });
}

test("[RT2] typed words are answered in text, out of band as well", async () => {
  await using gateway = await startDoorGateway({
    vendors: { openai: { type: "openai", models: ["gpt-5.4-mini"] } },
  });
  await using line = await talk(gateway, "auto");
  const { socket, seen } = line;
  socket.send({ type: "session.update", session: { type: "realtime", output_modalities: ["text"] } });
  const say = (text: string): void =>
    socket.send({
      type: "conversation.item.create",
      item: { type: "message", role: "user", content: [{ type: "input_text", text }] },
    });
  say("hello");
  socket.send({ type: "response.create" });
  const done = await seen.until("response.output_text.done");
  assert.match(String(done["text"]), /hello/);
  await seen.until("response.done");
  socket.send({
    type: "response.create",
    response: {
      conversation: "none",
      metadata: { topic: "aside" },
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "something else" }] }],
    },
  });
  const aside = await seen.until("response.done");
  assert.match(JSON.stringify(aside), /"topic":"aside"/);
  assert.match(JSON.stringify(aside), /something else/);
  assert.match(JSON.stringify(aside), /"conversation_id":null/);
  assert.equal(seen.take("conversation.item.added").length, 2, "the aside is not part of the conversation");
});

for (const [name, options, model] of [SETUPS[0], SETUPS[2]] as const) {
  test(`[RT5] @openai/agents-realtime holds a conversation with ${name}`, async () => {
    await using gateway = await startDoorGateway(options);
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
    const session = new RealtimeSession(
      new RealtimeAgent({ name: "guide", instructions: "Be brief.", tools: [look] }),
      {
        transport: "websocket",
        model,
      },
    );
    const seen = new Seen<Event>();
    session.transport.on("*", (event) => seen.push(event as unknown as Event));
    const failures: unknown[] = [];
    session.on("error", (error) => failures.push(error));
    await session.connect({
      apiKey: "unused",
      url: `ws://127.0.0.1:${gateway.port}/v1/realtime?model=${encodeURIComponent(model)}`,
    });
    session.sendMessage("what is this");
    await seen.until("response.output_audio.delta");
    session.interrupt();
    const retrieved = await seen.until("conversation.item.retrieved");
    assert.deepEqual(looked, ["cup"]);
    assert.deepEqual(failures, []);
    const truncated = seen.take("conversation.item.truncated")[0];
    assert.ok(Number(truncated?.["audio_end_ms"]) < 30_000);
    const text = JSON.stringify(retrieved);
    assert.ok(text.length < 1_500, "only what was heard is told");
    session.close();
  });
}
