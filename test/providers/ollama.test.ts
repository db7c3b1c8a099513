// Rules PV170..PV172 of docs/spec/providers.md: Ollama by its own wire. `sent` encodes one request, `read` decodes lines.
import assert from "node:assert/strict";
import test from "node:test";
import { collectChat, type ChatRequest, type StreamPart } from "@fovea/core";
import { ollamaBaseUrl, ollamaWire } from "../../packages/gateway/src/providers/ollama/wire.ts";
import { onEmulator } from "./adapter-on-emulator.ts";

const WIRE = ollamaWire(() => ["chat"]);
const PNG = Buffer.from("iVBORw0KGgo=", "base64");

function sent(request: ChatRequest): { body: Record<string, unknown>; warned: string[] } {
  const call = WIRE.chat?.encode(request, true) ?? assert.fail();
  const body = JSON.parse(call.body as string) as Record<string, unknown>;
  return { body, warned: call.warnings.map(({ field }) => field) };
}

function read(lines: readonly object[], isEnded = true): StreamPart[] {
  const decoder = WIRE.chat?.decoder({ providerId: "p", request: TALK, warnings: [] }) ?? assert.fail();
  const parts: StreamPart[] = [];
  decoder.push(Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join("")), parts);
  if (isEnded && !decoder.isDone) decoder.end(undefined, parts);
  return parts;
}

const TALK: ChatRequest = {
  model: "qwen3:8b",
  system: ["Be brief."],
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "Look." },
        { type: "media", kind: "image", mime: "image/png", data: { bytes: PNG } },
        { type: "media", kind: "image", mime: "image/png", data: { url: "https://x.example/a.png" } },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "Hm." },
        { type: "tool-call", id: "call_0", name: "look", args: '{"at":"cup"}' },
      ],
    },
    {
      role: "tool",
      content: [{ type: "tool-result", id: "call_0", name: "look", content: [{ type: "text", text: "a red cup" }] }],
    },
  ],
  tools: [{ name: "look", schema: { type: "object" } }],
  toolChoice: "required",
  output: { kind: "schema", name: "x", schema: { type: "object" }, strict: true },
  sampling: { temperature: 0.2, topK: 5, topP: 0.9, seed: 1, stop: ["."], presencePenalty: 1, frequencyPenalty: 1 },
  maxOutputTokens: 9,
  reasoning: { effort: "high" },
  providerOptions: { custom: { keep_alive: "5m", options: { num_ctx: 8_192 }, model: "other" } },
};

test("[PV170] every field goes out as Ollama names it, or is warned of", () => {
  const { body, warned } = sent(TALK);
  assert.deepEqual(body["messages"], [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Look.", images: [PNG.toString("base64")] },
    {
      role: "assistant",
      content: "",
      thinking: "Hm.",
      tool_calls: [{ function: { name: "look", arguments: { at: "cup" } } }],
    },
    { role: "tool", content: "a red cup", tool_name: "look", tool_call_id: "call_0" },
  ]);
  assert.deepEqual(body["options"], {
    temperature: 0.2,
    top_p: 0.9,
    top_k: 5,
    seed: 1,
    stop: ["."],
    presence_penalty: 1,
    frequency_penalty: 1,
    num_predict: 9,
    num_ctx: 8_192,
  });
  assert.deepEqual(
    [body["model"], body["think"], body["format"], body["keep_alive"], body["stream"]],
    ["qwen3:8b", true, { type: "object" }, "5m", true],
  );
  assert.deepEqual(warned, ["messages[0].content[2]", "toolChoice", "providerOptions.custom.model"]);
  assert.equal(sent({ ...TALK, model: "gpt-oss:20b" }).body["think"], "high");
  assert.equal(sent({ ...TALK, reasoning: { effort: "none" } }).body["think"], false);
  assert.equal(sent({ ...TALK, toolChoice: "none" }).body["tools"], undefined);
  for (const url of ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/api/"])
    assert.equal(ollamaBaseUrl(url), "http://h:1");
});

test("[PV171] lines become parts: thinking, text, whole calls, counts; the line with `done` alone completes", () => {
  const line = (message: object, more: object = {}): object => ({ model: "m", message, done: false, ...more });
  const call = { function: { name: "look", arguments: { at: "cup" } } };
  const parts = read([
    line({ role: "assistant", content: "", thinking: "Hm." }),
    line({ role: "assistant", content: "Grüße" }),
    line({
      role: "assistant",
      content: "",
      tool_calls: [call, { id: "c9", function: { name: "look", arguments: {} } }],
    }),
    line({ role: "assistant", content: "" }, { done: true, done_reason: "stop", prompt_eval_count: 3, eval_count: 4 }),
  ]);
  assert.deepEqual(
    parts.map((part) => (part.type === "tool-end" ? `${part.type} ${part.args}` : part.type)),
    [
      "start",
      "reasoning-delta",
      "text-delta",
      "tool-start",
      "tool-delta",
      'tool-end {"at":"cup"}',
      "tool-start",
      "tool-delta",
      "tool-end {}",
      "usage",
      "finish",
    ],
  );
  const finish = parts.at(-1);
  assert.equal(finish?.type === "finish" ? finish.reason : "", "tool_calls");
  const cut = read([line({ role: "assistant", content: "Gr" })]).at(-1);
  assert.equal(cut?.type === "error" ? cut.failure.code : "", "truncated");
  const length = read([line({ content: "x" }, { done: true, done_reason: "length" })]).at(-1);
  assert.equal(length?.type === "finish" ? length.reason : "", "length");
  const failed = read([line({ content: "x" }), { error: "model runner has stopped" }]).at(-1);
  assert.equal(failed?.type === "error" ? failed.failure.code : "", "provider_stream_error");
});

test("[PV172] a whole Ollama server: chat, stream, tools, embeddings, models, health, refusals", async () => {
  const config = { type: "custom", dialect: "ollama-native" } as const;
  await onEmulator(
    "custom",
    { rules: [{ when: { model: "missing*" }, status: 404, error: "ollama", message: "model 'missing' not found" }] },
    async ({ adapter, emulator }) => {
      const ask = { model: "llama3.2", messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }] } as const;
      const streamed = await collectChat(adapter.chatStream(ask));
      const whole = await adapter.chat(ask);
      assert.equal(streamed.text, "You said: hi");
      assert.deepEqual([whole.text, whole.usage, whole.finishReason], [streamed.text, streamed.usage, "stop"]);
      assert.equal(emulator.requests[0]?.path, "/api/chat");
      const tools = [{ name: "look", schema: { type: "object", properties: { at: { type: "string" } } } }] as const;
      const called = await collectChat(adapter.chatStream({ ...ask, tools }));
      assert.deepEqual(called.toolCalls, [{ id: "call_0", name: "look", args: '{"at":"example"}' }]);
      const { vectors } = await adapter.embeddings({ model: "nomic-embed-text", input: ["a", "b"] });
      assert.equal(vectors.length, 2);
      assert.deepEqual(await adapter.getAvailableModels(), ["llama3.2:latest", "nomic-embed-text:latest"]);
      assert.equal((await adapter.healthCheck()).state, "healthy");
      await assert.rejects(adapter.chat({ ...ask, model: "missing" }), /not_found: model 'missing' not found/);
    },
    config,
  );
});
