// Rules PV40..PV52 of docs/spec/providers.md: what the OpenAI adapter sends and understands, against a loopback server.
import assert from "node:assert/strict";
import test from "node:test";
import { collectChat, ProviderError, type ChatRequest, type IdentifiedAdapter } from "@fovea/core";
import { FakeClock, MemoryLog } from "@fovea/core/testing";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import { createOpenAiAdapter } from "../../packages/gateway/src/providers/openai/adapter.ts";
import { startServer, type Handle, type Received } from "./loopback-server.ts";
import { REQUEST } from "./vendor-scripts.ts";

interface Scene {
  readonly adapter: IdentifiedAdapter;
  readonly requests: Received[];
  readonly clock: FakeClock;
}

async function play<T>(handle: Handle, use: (scene: Scene) => Promise<T>): Promise<T> {
  await using server = await startServer(handle);
  const clock = new FakeClock();
  const http = createHttpTransport(clock);
  const config = { id: "main", type: "openai", apiKey: "sk-test-000000", baseUrl: `${server.origin}/v1` } as const;
  const adapter = createOpenAiAdapter(config, { clock, log: new MemoryLog(), http });
  try {
    return await use({ adapter, requests: server.requests, clock });
  } finally {
    await http.close();
    assert.equal(clock.pendingTasks <= 1, true, "timers left behind");
  }
}

function json(value: unknown, headers: Record<string, string> = {}, status = 200): Handle {
  return (_received, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(value));
  };
}

const COMPLETION = {
  id: "chatcmpl-9",
  object: "chat.completion",
  model: "gpt-4o-2024-08-06",
  choices: [{ index: 0, message: { role: "assistant", content: "A red cup.", refusal: null }, finish_reason: "stop" }],
  usage: {
    prompt_tokens: 100,
    completion_tokens: 30,
    prompt_tokens_details: { cached_tokens: 60, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 0 },
  },
};

test("[PV40] an unstreamed call: text, model, usage with cached and reasoning shares, request id", async () => {
  await play(json(COMPLETION, { "x-request-id": "req_1" }), async ({ adapter, requests }) => {
    const answer = await adapter.chat(REQUEST);
    assert.deepEqual(
      [answer.id, answer.model, answer.text, answer.finishReason],
      ["chatcmpl-9", "gpt-4o-2024-08-06", "A red cup.", "stop"],
    );
    assert.deepEqual(answer.usage, {
      input: { total: 100, cacheRead: 60, cacheWrite: 0 },
      output: { total: 30, reasoning: 20 },
      source: "provider",
    });
    assert.equal(answer.parts.find((part) => part.type === "start")?.requestId, "req_1");
    assert.equal(requests[0]?.url, "/v1/chat/completions");
    assert.equal(requests[0]?.headers.authorization, "Bearer sk-test-000000");
  });
});

const RICH: ChatRequest = {
  model: "gpt-4o",
  system: ["Be brief.", "Answer in metres."],
  messages: [
    { role: "user", content: [{ type: "text", text: "Look." }] },
    {
      role: "user",
      content: [
        { type: "media", kind: "image", mime: "image/png", data: { bytes: Uint8Array.of(1, 2, 3) }, detail: "low" },
        { type: "media", kind: "audio", mime: "audio/wav", data: { bytes: Uint8Array.of(4) } },
        { type: "media", kind: "video", mime: "video/mp4", data: { url: "https://x.example/v.mp4" } },
      ],
    },
    { role: "assistant", content: [{ type: "tool-call", id: "c1", name: "measure", args: '{"a":1}' }] },
    {
      role: "tool",
      content: [{ type: "tool-result", id: "c1", name: "measure", content: [{ type: "text", text: "0.8 m" }] }],
    },
  ],
  tools: [{ name: "measure", description: "Measures.", schema: { type: "object" }, strict: true }],
  toolChoice: { name: "measure" },
  parallelTools: false,
  output: { kind: "schema", name: "answer", schema: { type: "object" }, strict: true },
  sampling: { temperature: 0.2, topK: 40, stop: ["END"] },
  maxOutputTokens: 64,
  providerOptions: { openai: { service_tier: "flex", model: "other" } },
};

test("[PV41] every canonical field reaches the wire, or a warning names it", async () => {
  await play(json(COMPLETION), async ({ adapter, requests }) => {
    const answer = await adapter.chat(RICH);
    const body: unknown = JSON.parse(requests[0]?.body ?? "");
    assert.ok(requests[0]?.body.startsWith('{"model":"gpt-4o",'));
    assert.deepEqual(body, {
      model: "gpt-4o",
      messages: [
        { role: "system", content: "Be brief.\n\nAnswer in metres." },
        {
          role: "user",
          content: [
            { type: "text", text: "Look." },
            { type: "image_url", image_url: { url: "data:image/png;base64,AQID", detail: "low" } },
            { type: "input_audio", input_audio: { data: "BA==", format: "wav" } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "measure", arguments: '{"a":1}' } }],
        },
        { role: "tool", tool_call_id: "c1", content: "0.8 m" },
      ],
      tools: [
        {
          type: "function",
          function: { name: "measure", description: "Measures.", parameters: { type: "object" }, strict: true },
        },
      ],
      tool_choice: { type: "function", function: { name: "measure" } },
      parallel_tool_calls: false,
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", schema: { type: "object" }, strict: true },
      },
      temperature: 0.2,
      stop: ["END"],
      max_completion_tokens: 64,
      service_tier: "flex",
    });
    const start = answer.parts.find((part) => part.type === "start");
    assert.deepEqual(
      start?.warnings?.map((warning) => warning.field),
      ["messages[1].content[2]", "sampling.topK", "providerOptions.openai.model"],
    );
  });
});

test("[PV42] reasoning models: developer role, no sampling, effort", async () => {
  await play(json(COMPLETION), async ({ adapter, requests }) => {
    await adapter.chat({
      ...REQUEST,
      model: "gpt-5.4",
      system: ["s"],
      sampling: { temperature: 1 },
      reasoning: { effort: "low" },
    });
    const body = JSON.parse(requests[0]?.body ?? "") as {
      messages: { role: string }[];
      temperature?: number;
      reasoning_effort: string;
    };
    assert.deepEqual(
      [body.messages[0]?.role, body.temperature, body.reasoning_effort],
      ["developer", undefined, "low"],
    );
  });
});

function streamed(chunks: readonly unknown[]): Handle {
  return (_received, response) => {
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "x-ratelimit-limit-requests": "500",
      "x-ratelimit-limit-tokens": "30000",
      "x-ratelimit-remaining-tokens": "29000",
      "x-ratelimit-reset-tokens": "1m2s",
    });
    for (const chunk of chunks) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    response.end("data: [DONE]\n\n");
  };
}

const delta = (value: object, finish: string | null = null): object => ({
  id: "c",
  model: "m",
  choices: [{ index: 0, delta: value, finish_reason: finish }],
});

test("[PV43] parallel tool calls interleave; the pieces joined are the arguments; none become {}", async () => {
  const chunks = [
    delta({
      role: "assistant",
      tool_calls: [{ index: 0, id: "a", type: "function", function: { name: "look", arguments: "" } }],
    }),
    delta({ tool_calls: [{ index: 1, id: "b", type: "function", function: { name: "go", arguments: '{"to":' } }] }),
    delta({ tool_calls: [{ index: 1, function: { arguments: '"door"}' } }] }),
    delta({}, "tool_calls"),
  ];
  await play(streamed(chunks), async ({ adapter, requests }) => {
    const answer = await collectChat(adapter.chatStream(REQUEST));
    assert.deepEqual(answer.toolCalls, [
      { id: "a", name: "look", args: "{}" },
      { id: "b", name: "go", args: '{"to":"door"}' },
    ]);
    assert.equal(answer.finishReason, "tool_calls");
    assert.equal(answer.usage?.source, "estimated");
    assert.deepEqual((JSON.parse(requests[0]?.body ?? "") as { stream_options: unknown }).stream_options, {
      include_usage: true,
      include_obfuscation: false,
    });
  });
});

test("[PV50] the trace context goes to a provider only where the operator says so", async () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const forwardTraceparent of [false, true]) {
    await using server = await startServer(json(COMPLETION));
    const clock = new FakeClock();
    const http = createHttpTransport(clock);
    const config = { id: "main", type: "openai", apiKey: "k", baseUrl: server.origin, forwardTraceparent } as const;
    await createOpenAiAdapter(config, { clock, log: new MemoryLog(), http }).chat(REQUEST, { traceparent });
    assert.equal(server.requests[0]?.headers["traceparent"], forwardTraceparent ? traceparent : undefined);
    await http.close();
  }
});

test("[PV44] a refusal is a refusal, although the vendor says stop", async () => {
  await play(streamed([delta({ refusal: "I cannot" }), delta({}, "stop")]), async ({ adapter }) => {
    assert.equal((await collectChat(adapter.chatStream(REQUEST))).finishReason, "refusal");
  });
});

test("[PV45] limits are learned from headers; unknown ones are Infinity", async () => {
  await play(streamed([delta({ content: "x" }, "stop")]), async ({ adapter }) => {
    assert.deepEqual(adapter.getRateLimits(), { requestsPerMinute: Infinity, tokensPerMinute: Infinity });
    const answer = await collectChat(adapter.chatStream(REQUEST));
    assert.deepEqual(adapter.getRateLimits(), { requestsPerMinute: 500, tokensPerMinute: 30_000 });
    assert.deepEqual(answer.parts.find((part) => part.type === "limits")?.limits.buckets, [
      { name: "requests", limit: 500 },
      { name: "tokens", limit: 30_000, remaining: 29_000, resetMs: 62_000 },
    ]);
  });
});

test("[PV46] money that is gone is final, whatever the status says; the scope is named", async () => {
  const table = [
    [429, { type: "insufficient_quota", code: "credit_balance_exhausted" }, "quota_exhausted account false"],
    [429, { type: "insufficient_quota", code: "project_spend_limit_exceeded" }, "quota_exhausted project false"],
    [429, { type: "requests", code: "rate_limit_exceeded" }, "rate_limited key true"],
    [503, { code: "server_is_overloaded" }, "overloaded model true"],
    [401, { code: "invalid_api_key" }, "auth key false"],
    [404, { type: "invalid_request_error", code: "model_not_found" }, "not_found model false"],
    [
      400,
      { type: "invalid_request_error", code: "context_length_exceeded", param: "messages" },
      "too_large request false",
    ],
    [400, { type: "invalid_request_error", param: "temperature" }, "invalid_request request false"],
    [400, { code: "content_filter" }, "content_filtered request false"],
    [500, { type: "server_error" }, "server_error provider true"],
  ] as const;
  for (const [status, error, expected] of table) {
    await play(
      json({ error: { message: "Incorrect key sk-abcdefgh12345678", ...error } }, {}, status),
      async ({ adapter }) => {
        const failure = await adapter.chat(REQUEST).then(
          () => assert.fail("answered"),
          (thrown: unknown) => (ProviderError.is(thrown) ? thrown.failure : assert.fail(String(thrown))),
        );
        assert.equal(`${failure.code} ${failure.scope} ${failure.retryable}`, expected);
        assert.equal(failure.message, "Incorrect key <redacted>");
        assert.equal(failure.billed, "no");
      },
    );
  }
});

test("[PV2] a wait is not read where the call was answered", async () => {
  await play(json(COMPLETION, { "retry-after": "30" }), async ({ adapter }) => {
    assert.equal((await adapter.chat(REQUEST)).text, "A red cup.");
  });
  await play(json({ error: {} }, { "retry-after": "30" }, 500), async ({ adapter }) => {
    await assert.rejects(
      adapter.chat(REQUEST),
      (error: unknown) => ProviderError.is(error) && error.failure.retryAfterMs === undefined,
    );
  });
});

test("[PV47] embeddings: base64 or numbers, in the order of the inputs, one each", async () => {
  const floats = Buffer.from(Float32Array.of(0.5, -2).buffer).toString("base64");
  const answer = {
    model: "e",
    data: [
      { index: 1, embedding: [1, 2] },
      { index: 0, embedding: floats },
    ],
    usage: { prompt_tokens: 4 },
  };
  await play(json(answer), async ({ adapter }) => {
    const { vectors, usage } = await adapter.embeddings({ model: "e", input: ["a", "b"] });
    assert.deepEqual(
      vectors.map((vector) => [...vector]),
      [
        [0.5, -2],
        [1, 2],
      ],
    );
    assert.equal(usage?.input.total, 4);
    await assert.rejects(adapter.embeddings({ model: "e", input: ["a"] }), /2 vectors for 1 inputs/);
  });
});

test("[PV48] health: a probe with its latency, failures counted, the state's age", async () => {
  let status = 200;
  const handle: Handle = (received, response) =>
    json(status === 200 ? { data: [{ id: "gpt-4o" }] } : {}, {}, status)(received, response, received as never);
  await play(handle, async ({ adapter, clock }) => {
    assert.deepEqual((await adapter.healthCheck()).state, "healthy");
    clock.advance(5_000);
    assert.equal((await adapter.healthCheck()).sinceMs, 0);
    status = 503;
    const sick = await adapter.healthCheck();
    assert.deepEqual(
      [sick.state, sick.sinceMs, sick.lastFailure, sick.checkedBy],
      ["unhealthy", 5_000, "capacity", "probe"],
    );
  });
});

test("[PV49] models are listed live and kept for five minutes", async () => {
  await play(
    json({ object: "list", data: [{ id: "gpt-4o" }, { id: "text-embedding-3-small" }] }),
    async ({ adapter, requests, clock }) => {
      assert.deepEqual(await adapter.getAvailableModels(), ["gpt-4o", "text-embedding-3-small"]);
      await adapter.getAvailableModels();
      assert.equal(requests.length, 1);
      clock.advance(300_000);
      await adapter.getAvailableModels();
      assert.equal(requests.length, 2);
    },
  );
});

test("[PV110] Responses: history as items, nothing stored, sealed reasoning comes and goes", async () => {
  const response = {
    id: "resp_1",
    model: "gpt-5.4",
    status: "completed",
    output: [
      { type: "reasoning", summary: [], encrypted_content: "sealed2" },
      { type: "function_call", call_id: "c2", name: "look", arguments: "{}" },
    ],
    usage: { input_tokens: 3, output_tokens: 4 },
  };
  await using server = await startServer(json(response));
  const clock = new FakeClock();
  const http = createHttpTransport(clock);
  const config = {
    id: "main",
    type: "openai",
    apiKey: "k",
    baseUrl: `${server.origin}/v1`,
    dialect: "responses",
  } as const;
  const adapter = createOpenAiAdapter(config, { clock, log: new MemoryLog(), http });
  const opaque = { provider: "openai", value: "sealed1" } as const;
  const answer = await adapter.chat({
    model: "gpt-5.4",
    system: ["Be brief."],
    messages: [
      { role: "user", content: [{ type: "text", text: "Look." }] },
      {
        role: "assistant",
        content: [
          { type: "reasoning", opaque },
          { type: "tool-call", id: "c1", name: "look", args: "{}" },
        ],
      },
      {
        role: "tool",
        content: [{ type: "tool-result", id: "c1", name: "look", content: [{ type: "text", text: "a cup" }] }],
      },
    ],
    tools: [{ name: "look", schema: { type: "object" } }],
    maxOutputTokens: 9,
  });
  assert.deepEqual(JSON.parse(server.requests[0]?.body ?? ""), {
    model: "gpt-5.4",
    input: [
      { role: "user", content: [{ type: "input_text", text: "Look." }] },
      { type: "reasoning", summary: [], encrypted_content: "sealed1" },
      { type: "function_call", call_id: "c1", name: "look", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "a cup" },
    ],
    store: false,
    instructions: "Be brief.",
    max_output_tokens: 9,
    tools: [{ type: "function", name: "look", parameters: { type: "object" }, strict: false }],
    include: ["reasoning.encrypted_content"],
  });
  assert.deepEqual(answer.toolCalls, [{ id: "c2", name: "look", args: "{}" }]);
  assert.equal(answer.finishReason, "tool_calls");
  assert.equal(answer.parts.find((part) => part.type === "reasoning-delta")?.opaque, "sealed2");
  await http.close();
});
