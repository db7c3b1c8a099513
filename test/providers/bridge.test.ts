// Rules PV160..PV163 of docs/spec/providers.md: models of the AI SDK as providers, and how realtime sessions are opened.
// `bridged` wraps a scripted model whose stream yields the given parts; the last may be an error, or the stream may hang.
import assert from "node:assert/strict";
import test from "node:test";
import { collectChat, hasCapability, ProviderError, type ChatRequest, type ProviderConfig } from "@fovea/core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock, MemoryLog, settle } from "@fovea/core/testing";
import {
  composeGateway,
  createAiSdkAdapter as createPublicAdapter,
  resolveConfig,
  SystemClock,
} from "../../packages/gateway/src/index.ts";
import { createAiSdkAdapter } from "../../packages/gateway/src/providers/ai-sdk-bridge/adapter.ts";
import type { LanguageModelV4, ModelCall } from "../../packages/gateway/src/providers/ai-sdk-bridge/language-model.ts";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";

interface Bridged {
  readonly adapter: ReturnType<typeof createAiSdkAdapter>;
  readonly calls: ModelCall[];
  readonly clock: FakeClock;
}

function bridged(parts: readonly object[], end: "close" | "hang" | Error = "close"): Bridged {
  const calls: ModelCall[] = [];
  const model: LanguageModelV4 = {
    specificationVersion: "v4",
    provider: "scripted",
    modelId: "m",
    async doStream(call) {
      calls.push(call);
      if (end instanceof Error && parts.length === 0) throw end;
      const stream = new ReadableStream<Record<string, unknown>>({
        start(controller) {
          for (const part of parts) controller.enqueue(part as Record<string, unknown>);
          if (end === "close") controller.close();
          else if (end !== "hang") controller.error(end);
        },
      });
      return { stream };
    },
  };
  const clock = new FakeClock();
  return { adapter: createAiSdkAdapter({ id: "b", models: { m: model } }, { clock }), calls, clock };
}

const USAGE = { inputTokens: { total: 9, cacheRead: 4 }, outputTokens: { total: 5, reasoning: 2 } };
const FINISH = { type: "finish", finishReason: { unified: "stop", raw: "stop" }, usage: USAGE };
const TEXT = [
  { type: "stream-start", warnings: [] },
  { type: "text-start", id: "1" },
  { type: "text-delta", id: "1", delta: "A cup" },
];
const REQUEST: ChatRequest = {
  model: "m",
  system: ["Be brief."],
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "Look" },
        { type: "media", kind: "image", mime: "image/png", data: { bytes: Uint8Array.of(1) } },
      ],
    },
    { role: "assistant", content: [{ type: "tool-call", id: "c", name: "f", args: '{"a":1}' }] },
    { role: "tool", content: [{ type: "tool-result", id: "c", name: "f", content: [{ type: "text", text: "ok" }] }] },
  ],
  tools: [{ name: "f", schema: { type: "object" } }],
  toolChoice: { name: "f" },
  sampling: { temperature: 0.5, stop: ["X"] },
  maxOutputTokens: 3,
};

test("[PV160] a bridged model gets the whole request and its answer is canonical", async () => {
  const call = { type: "tool-call", toolCallId: "t1", toolName: "f", input: '{"a":2}' };
  const streamed = [
    { type: "tool-input-start", id: "t2", toolName: "g" },
    { type: "tool-input-delta", id: "t2", delta: "{}" },
    { type: "tool-input-end", id: "t2" },
    { type: "tool-call", toolCallId: "t2", toolName: "g", input: "{}" },
  ];
  const { adapter, calls, clock } = bridged([
    ...TEXT,
    { type: "reasoning-delta", id: "r", delta: "hm" },
    call,
    ...streamed,
    { ...FINISH, finishReason: { unified: "tool-calls", raw: "tool_use" } },
  ]);
  const answer = await adapter.chat(REQUEST);
  assert.deepEqual([answer.text, answer.finishReason], ["A cup", "tool_calls"]);
  assert.deepEqual(answer.toolCalls, [
    { id: "t1", name: "f", args: '{"a":2}' },
    { id: "t2", name: "g", args: "{}" },
  ]);
  assert.deepEqual(answer.usage, {
    input: { total: 9, cacheRead: 4, cacheWrite: 0 },
    output: { total: 5, reasoning: 2 },
    source: "provider",
  });
  const { abortSignal: _signal, ...sent } = calls[0] as ModelCall;
  assert.deepEqual(sent, {
    prompt: [
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "text", text: "Look" },
          { type: "file", mediaType: "image/png", data: { type: "data", data: Uint8Array.of(1) } },
        ],
      },
      { role: "assistant", content: [{ type: "tool-call", toolCallId: "c", toolName: "f", input: { a: 1 } }] },
      {
        role: "tool",
        content: [{ type: "tool-result", toolCallId: "c", toolName: "f", output: { type: "text", value: "ok" } }],
      },
    ],
    temperature: 0.5,
    stopSequences: ["X"],
    maxOutputTokens: 3,
    tools: [{ type: "function", name: "f", inputSchema: { type: "object" } }],
    toolChoice: { type: "tool", toolName: "f" },
  });
  assert.equal(clock.pendingTasks, 0);
});

test("[PV161] failures keep their status, before the stream and inside it; an end without finish is truncated", async () => {
  const refused = Object.assign(new Error("slow down"), { statusCode: 429, responseHeaders: { "retry-after": "2" } });
  const failing = async (parts: readonly object[], end?: "close" | Error): Promise<string> => {
    const { adapter, clock } = bridged(parts, end);
    const said = await collectChat(adapter.chatStream(REQUEST)).then(
      () => "answered",
      (error: unknown) =>
        ProviderError.is(error)
          ? `${error.failure.code} ${error.failure.retryAfterMs} ${error.failure.partialOutput}`
          : String(error),
    );
    assert.equal(clock.pendingTasks, 0, "timers left behind");
    return said;
  };
  assert.equal(await failing([], refused), "rate_limited 2000 false");
  assert.equal(await failing([...TEXT, { type: "error", error: refused }]), "rate_limited 2000 true");
  // A web stream that fails drops what it had queued.
  assert.equal(await failing([...TEXT], new Error("boom")), "provider_stream_error undefined false");
  assert.equal(await failing(TEXT), "truncated undefined true");
  assert.equal(
    await failing([...TEXT, { type: "finish", finishReason: { unified: "other", raw: "interrupted" } }]),
    "truncated undefined true",
  );
  assert.equal(await failing([{ type: "text-delta", delta: 7 }, { type: "unknown" }, FINISH]), "answered");
});

test("[PV162] a bridged model runs under the same timers and ends with the caller", async () => {
  const { adapter, clock } = bridged(TEXT, "hang");
  const outcome = collectChat(adapter.chatStream(REQUEST, { timeouts: { idleMs: 500 } })).catch(
    (error: unknown) => (error as ProviderError).failure.code,
  );
  await new Promise((resolve) => setTimeout(resolve, 10));
  clock.advance(500);
  assert.equal(await outcome, "stalled");
  const other = bridged(TEXT, "hang");
  const abort = new AbortController();
  const left = collectChat(other.adapter.chatStream(REQUEST, { signal: abort.signal })).catch(
    (error: unknown) => (error as ProviderError).failure.code,
  );
  await new Promise((resolve) => setTimeout(resolve, 10));
  abort.abort();
  assert.equal(await left, "aborted");
  assert.equal(other.calls[0]?.abortSignal?.aborted, true);
  await settle();
  assert.deepEqual([clock.pendingTasks, other.clock.pendingTasks], [0, 0]);
  assert.throws(() => adapter.chatStream({ ...REQUEST, model: "toString" }), { code: "model_unknown" });
});

test("[PV163] a realtime session: address, key and first message of each vendor", () => {
  const clock = new FakeClock();
  const factory = createProviderFactory({ clock, log: new MemoryLog(), http: createHttpTransport(clock) });
  const open = (
    type: ProviderConfig["type"],
    more: Partial<ProviderConfig>,
    kind: "conversation" | "transcription",
  ): string => {
    const adapter = factory.createProvider(
      { id: "p", type, apiKey: "k1", ...more },
      { id: "p", type, displayName: "p", models: [] },
    );
    assert.ok(hasCapability(adapter, "realtime"));
    const { url, headers, firstMessages, inputRateHz } = adapter.openRealtime({
      model: "m/1",
      kind,
      instructions: "Hi",
      voice: "v",
    });
    const first = JSON.parse(firstMessages[0] ?? "{}") as { type?: string };
    return `${url} ${headers["authorization"] ?? "-"} ${first.type ?? Object.keys(first)[0]} ${inputRateHz}`;
  };
  assert.equal(
    open("openai", {}, "conversation"),
    "wss://api.openai.com/v1/realtime?model=m%2F1 Bearer k1 session.update 24000",
  );
  assert.equal(
    open("custom", { baseUrl: "http://127.0.0.1:8000/v1" }, "transcription"),
    "ws://127.0.0.1:8000/v1/realtime?intent=transcription Bearer k1 session.update 24000",
  );
  assert.equal(
    open("google", {}, "conversation"),
    "wss://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k1 - setup 16000",
  );
  assert.equal(
    open("together", {}, "transcription"),
    "wss://api.together.ai/v1/realtime?model=m%2F1&input_audio_format=pcm_s16le_16000 Bearer k1 transcription_session.updated 16000",
  );
});

test("[PV166] through the public interface a bridged model answers every door", async () => {
  const model: LanguageModelV4 = {
    specificationVersion: "v4",
    provider: "scripted",
    modelId: "m",
    async doStream() {
      return {
        stream: new ReadableStream<Record<string, unknown>>({
          start(controller) {
            for (const part of [...TEXT, FINISH]) controller.enqueue(part);
            controller.close();
          },
        }),
      };
    },
  };
  const folder = mkdtempSync(join(tmpdir(), "fovea-bridge-"));
  const clock = new SystemClock();
  const gateway = await composeGateway({
    config: resolveConfig({
      flags: { host: "127.0.0.1", port: "0", data: folder },
      environment: { FOVEA_STORE: "memory" },
      workingFolder: folder,
    }),
    clock,
    log: new MemoryLog(),
    version: "test",
    searchPath: "",
    adapters: [createPublicAdapter({ id: "bridge", models: { large: model } }, { clock })],
  });
  try {
    const url = new URL(await gateway.listen()).origin.replace("localhost", "127.0.0.1");
    const ask = async (path: string, body: object): Promise<string> => {
      const headers = { "content-type": "application/json" };
      return (await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) })).text();
    };
    const messages = [{ role: "user", content: "what is this" }];
    const chat = { model: "bridge/large", messages };
    assert.match(await ask("/v1/chat/completions", chat), /"content":"A cup"/);
    assert.match(await ask("/v1/chat/completions", { ...chat, stream: true }), /A cup[\s\S]*\[DONE\]/);
    assert.match(await ask("/v1/messages", { ...chat, max_tokens: 9 }), /"text":"A cup"/);
    assert.match(await ask("/api/chat", { ...chat, stream: false }), /"content":"A cup"/);
    const parts = [{ text: "what is this" }];
    assert.match(await ask("/v1beta/models/bridge/large:generateContent", { contents: [{ parts }] }), /"text":"A cup"/);
    assert.match(await (await fetch(`${url}/v1/models`)).text(), /"bridge\/large"/);
  } finally {
    await gateway.close("test ended");
    rmSync(folder, { recursive: true, force: true });
  }
});
