// Rules PV130..PV147 of docs/spec/providers.md: what Anthropic, Gemini and Cohere are sent, and what their refusals mean.
// `body` encodes one request; `refusal` classifies one answer and says code, scope and wait in one line.
import assert from "node:assert/strict";
import test from "node:test";
import { GatewayError, type ChatRequest, type ProviderType, type StreamPart } from "@fovea/core";
import { ANTHROPIC_WIRE } from "../../packages/gateway/src/providers/anthropic/adapter.ts";
import { COHERE_WIRE } from "../../packages/gateway/src/providers/cohere/adapter.ts";
import { GOOGLE_WIRE } from "../../packages/gateway/src/providers/google/adapter.ts";
import { HUGGINGFACE_WIRE } from "../../packages/gateway/src/providers/huggingface/adapter.ts";
import type { EncodedCall, VendorWire } from "../../packages/gateway/src/providers/vendor-wire.ts";

const WIRES: Readonly<Partial<Record<ProviderType, VendorWire>>> = {
  anthropic: ANTHROPIC_WIRE,
  google: GOOGLE_WIRE,
  cohere: COHERE_WIRE,
  huggingface: HUGGINGFACE_WIRE,
};

function encode(type: ProviderType, request: ChatRequest, isStreamed = false): EncodedCall {
  const call = WIRES[type]?.chat?.encode(request, isStreamed);
  assert.ok(call !== undefined);
  return call;
}

function body(type: ProviderType, request: ChatRequest): Record<string, unknown> {
  return JSON.parse(encode(type, request).body as string) as Record<string, unknown>;
}

function warned(type: ProviderType, request: ChatRequest): string[] {
  return encode(type, request).warnings.map((warning) => warning.field);
}

function refusal(type: ProviderType, status: number, answer: unknown, headers: Record<string, string> = {}): string {
  const text = typeof answer === "string" ? answer : JSON.stringify(answer);
  const failure = WIRES[type]?.classify({ providerId: "p", status, headers, unixMs: 0 }, text);
  assert.ok(failure !== undefined);
  const wait = failure.retryAfterMs === undefined ? "" : ` wait ${failure.retryAfterMs}`;
  return `${failure.code} ${failure.scope}${failure.retryable ? " retryable" : ""}${wait}`;
}

function decode(type: ProviderType, events: readonly object[]): StreamPart[] {
  const decoder = WIRES[type]?.chat?.decoder({ providerId: "p", request: { model: "m", messages: [] }, warnings: [] });
  assert.ok(decoder !== undefined);
  const parts: StreamPart[] = [];
  decoder.push(Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")), parts);
  if (!decoder.isDone) decoder.end(undefined, parts);
  return parts;
}

const user = (text: string): ChatRequest["messages"][number] => ({ role: "user", content: [{ type: "text", text }] });

const TALK: ChatRequest = {
  model: "claude-sonnet-4-5",
  system: ["Be brief.", "In metres."],
  messages: [
    user("Look."),
    user("There."),
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "hm", opaque: { provider: "anthropic", value: "signature:sig1" } },
        {
          type: "tool-call",
          id: "c1",
          name: "measure",
          args: '{"of":"cup"}',
          opaque: { provider: "google", value: "ts1" },
        },
      ],
    },
    {
      role: "tool",
      content: [
        { type: "tool-result", id: "c1", name: "measure", content: [{ type: "text", text: "0.1 m" }], isError: true },
      ],
    },
  ],
  tools: [
    { name: "measure", description: "Measures.", schema: { type: "object", properties: { of: { const: "cup" } } } },
  ],
  toolChoice: "required",
  parallelTools: false,
  sampling: { temperature: 1.5, topP: 0.5, topK: 3, seed: 1, stop: ["END"] },
  maxOutputTokens: 64,
};

test("[PV130] Anthropic: system on top, results first in a user turn, objects for arguments, merged turns", () => {
  assert.deepEqual(body("anthropic", TALK), {
    model: "claude-sonnet-4-5",
    max_tokens: 64,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "Look." },
          { type: "text", text: "There." },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "sig1" },
          { type: "tool_use", id: "c1", name: "measure", input: { of: "cup" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "c1", content: [{ type: "text", text: "0.1 m" }], is_error: true },
        ],
      },
    ],
    system: [
      { type: "text", text: "Be brief." },
      { type: "text", text: "In metres." },
    ],
    tools: [
      {
        name: "measure",
        description: "Measures.",
        input_schema: { type: "object", properties: { of: { const: "cup" } } },
      },
    ],
    tool_choice: { type: "any", disable_parallel_tool_use: true },
    stop_sequences: ["END"],
    temperature: 1,
    top_k: 3,
  });
  assert.deepEqual(warned("anthropic", TALK), ["sampling.seed", "sampling.temperature", "sampling.topP"]);
});

test("[PV131] Anthropic: an effort becomes a budget or an adaptive effort by the model, and silences sampling", () => {
  const request = (model: string): ChatRequest => ({
    model,
    messages: [user("x")],
    reasoning: { effort: "high" },
    sampling: { temperature: 0.5 },
  });
  const old = body("anthropic", request("claude-sonnet-4-5"));
  assert.deepEqual([old["thinking"], old["temperature"]], [{ type: "enabled", budget_tokens: 16_384 }, undefined]);
  assert.ok(Number(old["max_tokens"]) > 16_384);
  const adaptive = body("anthropic", request("claude-opus-4-6"));
  assert.deepEqual([adaptive["thinking"], adaptive["output_config"]], [{ type: "adaptive" }, { effort: "high" }]);
  assert.deepEqual(warned("anthropic", request("claude-3-5-haiku-latest")), ["reasoning"]);
  assert.deepEqual(warned("anthropic", { ...request("claude-opus-4-7"), reasoning: { effort: "none" } }), [
    "sampling.temperature",
  ]);
});

test("[PV132] sealed reasoning goes back to the vendor that sealed it, and to no other", () => {
  assert.deepEqual(warned("google", TALK), ["messages[2].content[0]", "parallelTools"]);
  const contents = body("google", TALK)["contents"] as { parts: object[] }[];
  assert.deepEqual(contents[1]?.parts, [
    { functionCall: { id: "c1", name: "measure", args: { of: "cup" } }, thoughtSignature: "ts1" },
  ]);
  const foreign: ChatRequest = {
    model: "gemini-3-pro-preview",
    messages: [
      {
        role: "assistant",
        content: ["a", "b"].map((id) => ({ type: "tool-call", id, name: "f", args: "{}" }) as const),
      },
    ],
  };
  const [turn] = body("google", foreign)["contents"] as { parts: { thoughtSignature?: string }[] }[];
  assert.deepEqual(
    turn?.parts.map((part) => part.thoughtSignature),
    ["skip_thought_signature_validator", undefined],
  );
});

test("[PV133] Anthropic: streamed thinking keeps its signature, redacted blocks their data", () => {
  const parts = decode("anthropic", [
    { type: "message_start", message: { id: "m", usage: { input_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hm" } },
    { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "sig" } },
    { type: "content_block_stop", index: 0 },
    { type: "content_block_start", index: 1, content_block: { type: "redacted_thinking", data: "xyz" } },
    {
      type: "content_block_start",
      index: 2,
      content_block: { type: "tool_use", id: "t", name: "f", input: { whole: true } },
    },
    { type: "content_block_stop", index: 2 },
    { type: "message_delta", delta: { stop_reason: "pause_turn" }, usage: { output_tokens: 2 } },
    { type: "message_stop" },
  ]);
  const opaque = parts
    .map((part) => (part.type === "reasoning-delta" ? part.opaque : undefined))
    .filter((value) => value !== undefined);
  assert.deepEqual(opaque, ["signature:sig", "redacted:xyz"]);
  assert.deepEqual(parts.find((part) => part.type === "tool-end")?.args, '{"whole":true}');
  assert.deepEqual(parts.at(-1), { type: "finish", reason: "paused", raw: "pause_turn" });
});

test("[PV134] Anthropic: input is the sum with the cache; a compacted turn the sum of its iterations", () => {
  const told = (usage: object): StreamPart | undefined =>
    decode("anthropic", [
      {
        type: "message_start",
        message: {
          id: "m",
          usage: { input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 2, output_tokens: 1 },
        },
      },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage },
      { type: "message_stop" },
    ]).find((part) => part.type === "usage");
  const plain = told({ output_tokens: 7, input_tokens: null });
  assert.deepEqual(
    plain?.type === "usage" && [plain.usage.input.total, plain.usage.input.cacheRead, plain.usage.output.total],
    [17, 5, 7],
  );
  const iterations = [
    { type: "compaction", input_tokens: 100, output_tokens: 20 },
    { type: "message", input_tokens: 10, output_tokens: 7 },
    { type: "advisor_message", input_tokens: 999, output_tokens: 999 },
  ];
  const compacted = told({ output_tokens: 7, iterations });
  assert.deepEqual(
    compacted?.type === "usage" && [compacted.usage.input.total, compacted.usage.output.total],
    [110, 27],
  );
});

test("[PV135] Anthropic: the detail code before the type before the status", () => {
  const error = (type: string, code?: string): object => ({
    type: "error",
    error: { type, message: "m", ...(code === undefined ? {} : { details: { error_code: code } }) },
  });
  const table: readonly (readonly [number, object, string])[] = [
    [429, error("rate_limit_error"), "rate_limited key retryable wait 3000"],
    [429, error("rate_limit_error", "enforced_spend_limit_reached"), "quota_exhausted account"],
    [402, error("billing_error"), "quota_exhausted account"],
    [529, error("overloaded_error"), "overloaded model retryable wait 3000"],
    [413, error("request_too_large"), "too_large request"],
    [400, error("invalid_request_error", "image_dimensions_too_large"), "too_large request"],
    [400, error("invalid_request_error", "organization_on_hold"), "permission account"],
    [503, error("api_error", "cmek_key_unreachable"), "capacity account retryable wait 3000"],
    [401, error("authentication_error"), "auth key"],
    [404, error("not_found_error"), "not_found model"],
    [500, error("api_error"), "server_error provider retryable"],
  ];
  for (const [status, answer, expected] of table)
    assert.equal(refusal("anthropic", status, answer, { "retry-after": "3" }), expected);
  assert.equal(
    refusal("anthropic", 400, {
      error: { type: "invalid_request_error", message: "prompt is too long: 200001 tokens > 200000 maximum" },
    }),
    "too_large request",
  );
  const inBand = decode("anthropic", [
    { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
  ]).at(-1);
  assert.equal(inBand?.type === "error" && inBand.failure.code, "overloaded");
});

test("[PV136] Anthropic: limits with RFC 3339 resets", () => {
  const headers = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-22T10:00:30Z",
    "anthropic-ratelimit-input-tokens-limit": "40000",
  };
  assert.deepEqual(ANTHROPIC_WIRE.limits(headers, Date.parse("2026-11-22T10:00:00Z")), [
    { name: "requests", limit: 50, remaining: 49, resetMs: 30_000 },
    { name: "input-tokens", limit: 40_000 },
  ]);
});

test("[PV137] Gemini: roles, parts, tools by JSON schema without const, generation config", () => {
  assert.deepEqual(
    body("google", {
      ...TALK,
      model: "gemini-2.5-flash",
      output: { kind: "schema", name: "n", schema: { const: 1 }, strict: true },
      reasoning: { effort: "low", show: true },
    }),
    {
      contents: [
        { role: "user", parts: [{ text: "Look." }, { text: "There." }] },
        {
          role: "model",
          parts: [{ functionCall: { id: "c1", name: "measure", args: { of: "cup" } }, thoughtSignature: "ts1" }],
        },
        { role: "user", parts: [{ functionResponse: { id: "c1", name: "measure", response: { error: "0.1 m" } } }] },
      ],
      systemInstruction: { parts: [{ text: "Be brief." }, { text: "In metres." }] },
      tools: [
        {
          functionDeclarations: [
            {
              name: "measure",
              description: "Measures.",
              parametersJsonSchema: { type: "object", properties: { of: { enum: ["cup"] } } },
            },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: "ANY" } },
      generationConfig: {
        temperature: 1.5,
        topP: 0.5,
        topK: 3,
        seed: 1,
        stopSequences: ["END"],
        maxOutputTokens: 64,
        responseMimeType: "application/json",
        responseJsonSchema: { enum: [1] },
        thinkingConfig: { includeThoughts: true, thinkingBudget: 1_024 },
      },
    },
  );
  assert.equal(
    encode("google", { model: "models/gemini-2.5-flash", messages: [] }, true).path,
    "/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
  );
});

test("[PV138] Gemini: calls make STOP a tool call; a blocked prompt is a filter; a malformed call is a failure", () => {
  const candidate = (parts: object[], finishReason?: string): object => ({
    candidates: [{ content: { parts }, finishReason }],
    usageMetadata: { promptTokenCount: 1 },
  });
  const end = (events: object[]): string => {
    const last = decode("google", events).at(-1);
    return last?.type === "finish"
      ? last.reason
      : last?.type === "error"
        ? `${last.failure.code} ${last.failure.providerCode}`
        : "nothing";
  };
  assert.equal(end([candidate([{ functionCall: { name: "f" } }], "STOP")]), "tool_calls");
  assert.equal(end([candidate([{ text: "x" }], "STOP")]), "stop");
  assert.equal(
    end([{ promptFeedback: { blockReason: "SAFETY" }, usageMetadata: { promptTokenCount: 1 } }]),
    "content_filter",
  );
  assert.equal(end([candidate([], "MALFORMED_FUNCTION_CALL")]), "provider_stream_error MALFORMED_FUNCTION_CALL");
  assert.equal(end([candidate([], "CONTINUATION")]), "paused");
  assert.equal(
    end([candidate([{ text: "x" }]), { error: { code: 503, status: "UNAVAILABLE", message: "overloaded" } }]),
    "overloaded UNAVAILABLE",
  );
});

test("[PV139] Gemini: arguments that come by path are put together, whatever the paths say", () => {
  const call = (functionCall: object): object => ({ candidates: [{ content: { parts: [{ functionCall }] } }] });
  const piece = (jsonPath: string, more: object): object =>
    call({ partialArgs: [{ jsonPath, ...more }], willContinue: true });
  const parts = decode("google", [
    call({ name: "cook", willContinue: true }),
    piece("$.name", { stringValue: "Las", willContinue: true }),
    piece("$.name", { stringValue: "agna" }),
    piece("$.steps[0].minutes", { numberValue: 40 }),
    piece("$.steps[1].minutes", { numberValue: 5 }),
    piece("$.steps[]", {}),
    piece("$.hot", { boolValue: true }),
    piece("$.note", { nullValue: "NULL_VALUE" }),
    piece("$.__proto__.polluted", { boolValue: true }),
    piece("$.a[99999999]", { numberValue: 1 }),
    call({}),
    { candidates: [{ finishReason: "STOP" }], usageMetadata: {} },
  ]);
  const end = parts.find((part) => part.type === "tool-end");
  assert.deepEqual(JSON.parse(end?.type === "tool-end" ? end.args : ""), {
    name: "Lasagna",
    steps: [{ minutes: 40 }, { minutes: 5 }],
    hot: true,
    note: null,
  });
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test("[PV140] Gemini: a day's quota is final, a minute's names its wait, a wrong key is 400", () => {
  const quota = (quotaId: string): object => ({
    error: {
      code: 429,
      status: "RESOURCE_EXHAUSTED",
      message: "quota",
      details: [
        { "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ quotaId }] },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.4s" },
      ],
    },
  });
  assert.equal(
    refusal("google", 429, quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")),
    "quota_exhausted project",
  );
  assert.equal(
    refusal("google", 429, quota("GenerateRequestsPerMinutePerProject")),
    "rate_limited key retryable wait 34400",
  );
  const badKey = {
    error: {
      code: 400,
      status: "INVALID_ARGUMENT",
      message: "API key not valid",
      details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID" }],
    },
  };
  assert.equal(refusal("google", 400, badKey), "auth key");
  assert.equal(
    refusal("google", 503, { error: { code: 503, status: "UNAVAILABLE", message: "m" } }),
    "overloaded model retryable",
  );
});

test("[PV141] retired PaLM names are answered with their successor", () => {
  for (const [model, successor] of [
    ["chat-bison", "gemini-2.5-flash"],
    ["models/text-bison-001", "gemini-2.5-flash"],
    ["embedding-gecko-001", "gemini-embedding-001"],
    ["gemini-1.5-pro", "gemini-2.5-flash"],
  ] as const) {
    assert.throws(
      () => encode("google", { model, messages: [] }),
      (error: unknown) => GatewayError.has(error, "model_retired") && error.message.includes(successor),
      model,
    );
  }
  assert.throws(() => GOOGLE_WIRE.embed?.encode({ model: "embedding-gecko", input: ["a"] }), { code: "model_retired" });
});

test("[PV142] Cohere: a named tool is that tool alone, required; files go beside the message", () => {
  const request: ChatRequest = {
    ...TALK,
    model: "command-a-03-2025",
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "Read." },
          { type: "media", kind: "file", mime: "text/plain", name: "notes.txt", data: { bytes: Buffer.from("hello") } },
        ],
      },
    ],
    tools: [...(TALK.tools ?? []), { name: "other", schema: { type: "object" } }],
    toolChoice: { name: "measure" },
  };
  const sent = body("cohere", request);
  assert.deepEqual(sent["messages"], [
    { role: "system", content: "Be brief.\n\nIn metres." },
    { role: "user", content: "Read." },
  ]);
  assert.deepEqual(sent["documents"], [{ data: { text: "hello", title: "notes.txt" } }]);
  assert.deepEqual(
    [(sent["tools"] as { function: { name: string } }[]).map((tool) => tool.function.name), sent["tool_choice"]],
    [["measure"], "REQUIRED"],
  );
  assert.deepEqual([sent["p"], sent["k"], sent["stop_sequences"], sent["max_tokens"]], [0.5, 3, ["END"], 64]);
  assert.equal("tool_choice" in body("cohere", { ...request, toolChoice: "auto" }), false);
});

test("[PV143] Cohere: a failure inside message-end; null arguments are none; embeddings name their purpose", () => {
  const failed = decode("cohere", [{ type: "message-end", delta: { finish_reason: "TIMEOUT" } }]).at(-1);
  assert.equal(failed?.type === "error" && failed.failure.providerCode, "TIMEOUT");
  const parts = decode("cohere", [
    {
      type: "tool-call-start",
      index: 0,
      delta: { message: { tool_calls: { id: "c", function: { name: "now", arguments: "" } } } },
    },
    { type: "tool-call-delta", index: 0, delta: { message: { tool_calls: { function: { arguments: "null" } } } } },
    { type: "tool-call-end", index: 0 },
    { type: "message-end", delta: { finish_reason: "TOOL_CALL" } },
  ]);
  assert.equal(parts.find((part) => part.type === "tool-end")?.args, "{}");
  const call = COHERE_WIRE.embed?.encode({ model: "embed-v4.0", input: ["a"], purpose: "query", dimensions: 256 });
  assert.deepEqual(JSON.parse(call?.body as string), {
    model: "embed-v4.0",
    input_type: "search_query",
    embedding_types: ["float"],
    texts: ["a"],
    output_dimension: 256,
  });
});

test("[PV144] Cohere: a wrong token is 498; the month's end is final, a minute's limit is not", () => {
  assert.equal(refusal("cohere", 498, { message: "invalid api token" }), "auth key");
  assert.equal(
    refusal("cohere", 429, { message: "trial" }, { "x-endpoint-monthly-call-limit-remaining": "0" }),
    "quota_exhausted account",
  );
  assert.equal(refusal("cohere", 429, { message: "trial" }), "rate_limited key retryable");
  assert.equal(refusal("cohere", 400, { message: "too many tokens: max 4096" }), "too_large request");
});

test("[PV145] Hugging Face: a loading model names its wait; credits that are used up are final; plain text is read", () => {
  assert.equal(
    refusal("huggingface", 503, { error: "Model X is currently loading", estimated_time: 20.5 }),
    "capacity model retryable wait 20500",
  );
  assert.equal(
    refusal("huggingface", 402, { error: "You have exceeded your monthly included credits" }),
    "quota_exhausted account",
  );
  assert.equal(refusal("huggingface", 422, "Template error: no chat template"), "invalid_request request");
  assert.equal(refusal("huggingface", 404, { error: ["not found"] }), "not_found model");
});

test("[PV146] models: capabilities and limits where the list has them; retired ones are left out; pages are followed", () => {
  const claude = {
    data: [
      { id: "claude-x", max_input_tokens: 5, max_tokens: 3 },
      { id: "old", lifecycle: "retired" },
    ],
    has_more: true,
    last_id: "claude-x",
  };
  assert.deepEqual(
    ANTHROPIC_WIRE.modelList
      ?.decode(claude)
      .map(({ id, contextTokens, outputTokensMax }) => [id, contextTokens, outputTokensMax]),
    [["claude-x", 5, 3]],
  );
  assert.equal(ANTHROPIC_WIRE.modelList?.nextPath?.(claude), "/v1/models?limit=100&after_id=claude-x");
  const router = {
    data: [
      {
        id: "org/m",
        architecture: { input_modalities: ["text", "image"] },
        providers: [{ supports_tools: true, context_length: 9 }, {}],
      },
    ],
  };
  assert.deepEqual(HUGGINGFACE_WIRE.modelList?.decode(router), [
    { id: "org/m", features: ["chat", "streaming", "tools", "vision-input"], contextTokens: 9 },
  ]);
  const gemini = { models: [{ name: "models/gemini-2.5-flash", inputTokenLimit: 7 }], nextPageToken: "t" };
  assert.deepEqual(
    GOOGLE_WIRE.modelList?.decode(gemini).map(({ id, contextTokens }) => [id, contextTokens]),
    [["gemini-2.5-flash", 7]],
  );
  assert.equal(GOOGLE_WIRE.modelList?.nextPath?.(gemini), "/models?pageSize=1000&pageToken=t");
  const cohere = {
    models: [
      { name: "command-x", endpoints: ["chat"], features: ["tools"] },
      { name: "gone", is_deprecated: true },
    ],
  };
  assert.deepEqual(COHERE_WIRE.modelList?.decode(cohere), [
    { id: "command-x", features: ["chat", "streaming", "tools"] },
  ]);
});
