// Rules PV164 and PV165 of docs/spec/providers.md: answers of Gemini that take several calls. `read` gives what a reader
// of the stream sees, in one line.
import assert from "node:assert/strict";
import test from "node:test";
import { collectChat, type ChatResponse } from "@fovea/core";
import { onEmulator } from "./adapter-on-emulator.ts";
import { startServer } from "./loopback-server.ts";

const TEXT = "one two three four five six";
const REQUEST = {
  model: "gemini-3.7-flash",
  messages: [{ role: "user", content: [{ type: "text", text: "Count." }] }],
} as const;
const CONTINUED = { rules: [{ answer: { text: TEXT, usage: { input: 10, output: 4 }, extra: { continueAfter: 3 } } }] };

async function read(stream: AsyncIterable<ChatResponse>): Promise<string> {
  const seen: string[] = [];
  for await (const batch of stream) {
    for (const part of batch.parts) {
      if (part.type === "text-delta") seen.push(part.text);
      else if (part.type === "usage") seen.push(` | ${part.usage.input.total}+${part.usage.output.total}`);
      else if (part.type === "finish") seen.push(` ${part.reason}`);
      else if (part.type === "error") seen.push(` ${part.failure.code} partial ${part.failure.partialOutput}`);
      else if (part.type === "start") seen.push("> ");
    }
  }
  return seen.join("");
}

test("[PV164] an answer that reaches the limit of one call is continued by the next, as one answer with one bill", async () => {
  await onEmulator("google", CONTINUED, async ({ adapter, emulator }) => {
    assert.equal(await read(adapter.chatStream(REQUEST)), `> ${TEXT} | 20+8 stop`);
    const sent = emulator.requests.map(({ json }) => (json as Record<string, unknown>)["continuationToken"] ?? "-");
    assert.deepEqual(sent, ["-", "continue-3"]);
    const whole = await adapter.chat(REQUEST);
    assert.deepEqual(
      [whole.text, whole.finishReason, whole.usage?.input.total, whole.usage?.output.total],
      [TEXT, "stop", 20, 8],
    );
    assert.equal(emulator.requests.length, 4);
  });
});

test("[PV164] tool calls of all calls are numbered through", async () => {
  const events = (token: string | undefined, name: string): string => {
    const parts = [{ functionCall: { name, args: { at: name } } }];
    const more =
      token === undefined ? { finishReason: "STOP" } : { finishReason: "CONTINUATION", continuationToken: token };
    const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 1 };
    return `data: ${JSON.stringify({ candidates: [{ content: { parts }, ...more }], usageMetadata })}\r\n\r\n`;
  };
  await using server = await startServer((received, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(received.body.includes("continuationToken") ? events(undefined, "b") : events("t", "a"));
  });
  const answer = await onEmulator("google", {}, ({ adapter }) => collectChat(adapter.chatStream(REQUEST)), {
    baseUrl: server.origin,
  });
  assert.deepEqual(
    answer.parts.flatMap((part) => (part.type === "tool-start" ? [`${part.index} ${part.name}`] : [])),
    ["0 a", "1 b"],
  );
  assert.equal(answer.finishReason, "tool_calls");
});

test("[PV165] a continuation that fails ends the answer as a failure that says what was delivered", async () => {
  const rules = [{ when: { bodyContains: "continuationToken" }, status: 503 }, ...CONTINUED.rules];
  await onEmulator("google", { rules }, async ({ adapter }) => {
    assert.equal(await read(adapter.chatStream(REQUEST)), "> one two three | 10+4 overloaded partial true");
    await assert.rejects(adapter.chat(REQUEST), /overloaded/);
  });
});

test("[PV165] who leaves between two calls ends both", async () => {
  const rules = [{ when: { bodyContains: "continuationToken" }, connection: "hang" as const }, ...CONTINUED.rules];
  await onEmulator("google", { rules }, async ({ adapter, emulator }) => {
    const stream = adapter.chatStream(REQUEST) as AsyncIterableIterator<ChatResponse>;
    const left = (async () => {
      while (emulator.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
      await stream.return?.();
    })();
    assert.equal(await read(stream), "> one two three");
    await left;
    const startMs = performance.now();
    while (emulator.requests[1]?.clientClosedMs === undefined && performance.now() - startMs < 1_000)
      await new Promise((resolve) => setTimeout(resolve, 1));
    assert.ok(emulator.requests[1]?.clientClosedMs !== undefined);
  });
});
