import assert from "node:assert/strict";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import test from "node:test";
import { GatewayError, type AnswerPart, type ErrorCode } from "@fovea/core";
import OpenAI from "openai";
import { registerOpenAiDoor } from "../../packages/gateway/src/http/openai/openai-door.ts";
import * as scripted from "./scripted-engine.ts";
import { END, endWith, openDoors, START, text, USAGE, type Scripted } from "./scripted-engine.ts";

const HELLO = { model: "assistant", messages: [{ role: "user", content: "hello" }] };
const STREAM = { ...HELLO, stream: true };

/** One call: script and body in; status, chosen headers and body out. */
async function play(script: readonly Scripted[], body: unknown, headers: Record<string, string> = {}) {
  await using doors = await openDoors([registerOpenAiDoor]);
  doors.engine.script = script;
  const response = await doors.app.inject({
    method: "POST",
    url: "/v1/chat/completions",
    headers: { "content-type": "application/json", ...headers },
    payload: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { ...response, response, engine: doors.engine, log: doors.log, request: doors.engine.requests[0] };
}

/** The events of a stream as short words: text, tool pieces, `stop`, `usage`, `DONE`, `!code`. */
function words(body: string): string {
  const events = body.split("\n\n").filter((event) => event.startsWith("data: "));
  return events.map((event) => wordOf(event.slice(6))).join(" ");
}

function wordOf(data: string): string {
  if (data === "[DONE]") return "DONE";
  const chunk = JSON.parse(data);
  if (chunk.error !== undefined) return `!${chunk.error.code}`;
  if (chunk.choices.length === 0) return `usage=${chunk.usage.prompt_tokens}+${chunk.usage.completion_tokens}`;
  const [{ delta, finish_reason: finish }] = chunk.choices;
  if (finish !== null) return `finish=${finish}`;
  if (delta.role !== undefined) return `role=${delta.role}`;
  if (delta.tool_calls !== undefined) {
    const [call] = delta.tool_calls;
    return `${call.index}:${call.id ?? ""}${call.function.name ?? ""}(${call.function.arguments}`;
  }
  return delta.content ?? `refusal=${delta.refusal}`;
}

test("[DW24] A stream has role, text, finish and the end mark", async () => {
  const { body } = await play([START, text("Hi"), text("there"), USAGE, END], STREAM);
  assert.equal(words(body), "role=assistant Hi there finish=stop DONE");
  const asked = await play([START, text("Hi"), USAGE, END], { ...STREAM, stream_options: { include_usage: true } });
  assert.equal(words(asked.body), "role=assistant Hi finish=stop usage=12+3 DONE");
});

test("[DW25] Tool calls stream by index from 0, whatever blocks the provider numbered", async () => {
  const parts: AnswerPart[] = [
    { type: "tool-start", index: 3, id: "a", name: "look" },
    { type: "tool-delta", index: 3, args: '{"at":' },
    { type: "tool-delta", index: 3, args: '"cup"}' },
    { type: "tool-end", index: 3, args: '{"at":"cup"}' },
    { type: "tool-call", id: "b", name: "point", args: "{}" },
  ];
  const { body } = await play([START, ...parts, endWith("tool_calls")], STREAM);
  const expected = 'role=assistant 0:alook( 0:({"at": 0:("cup"} 1:bpoint({} finish=tool_calls DONE';
  assert.equal(words(body), expected);
});

test("[DW26] A whole answer has everything where OpenAI has it", async () => {
  const parts: AnswerPart[] = [
    { type: "reasoning-delta", index: 0, text: "hm" },
    { type: "citation", url: "https://a.example", title: "A", start: 0, end: 2 },
    { type: "tool-start", index: 1, id: "a", name: "look" },
    { type: "tool-end", index: 1, args: "{}" },
  ];
  const answer = JSON.parse((await play([START, text("Hi"), ...parts, USAGE, endWith("tool_calls")], HELLO)).body);
  assert.equal(answer.object, "chat.completion");
  assert.equal(answer.model, "m1");
  const [{ message, finish_reason: finish }] = answer.choices;
  assert.equal(finish, "tool_calls");
  assert.equal(message.content, "Hi");
  assert.equal(message.reasoning_content, "hm");
  assert.deepEqual(message.tool_calls, [{ id: "a", type: "function", function: { name: "look", arguments: "{}" } }]);
  assert.equal(message.annotations[0].url_citation.url, "https://a.example");
  assert.equal(answer.usage.total_tokens, 15);
  assert.equal(answer.usage.prompt_tokens_details.cached_tokens, 4);
  const refused = JSON.parse(
    (await play([START, { type: "refusal-delta", text: "No." }, endWith("refusal")], HELLO)).body,
  );
  assert.equal(refused.choices[0].message.refusal, "No.");
  assert.equal(refused.choices[0].message.content, null);
});

test("[DW1] [DW2] Answers say who served them, why and at what cost", async () => {
  const { headers } = await play([START, text("Hi"), USAGE, END], HELLO);
  assert.equal(headers["x-fovea-provider"], "primary");
  assert.equal(headers["x-fovea-model"], "m1");
  assert.equal(headers["x-fovea-decision"], "cheapest of 2");
  assert.equal(headers["x-fovea-cost"], "42.5");
  assert.equal(headers["x-request-id"], headers["request-id"]);
  assert.match(String(headers["x-request-id"]), /^req_/);
  const streamed = await play([START, text("Hi"), USAGE, END], STREAM);
  assert.equal(streamed.headers["x-fovea-provider"], "primary");
  assert.equal(streamed.headers["x-fovea-decision"], "cheapest of 2");
  assert.match(String(streamed.headers["x-request-id"]), /^req_/);
  assert.equal(streamed.response.trailers["x-fovea-cost"], "42.5");
  const free = await play(
    [START, { ...USAGE, cost: { microUsd: undefined, source: "unpriced" } } as AnswerPart, END],
    HELLO,
  );
  assert.equal(free.headers["x-fovea-cost"], "unpriced");
});

test("[DW3] A failure before content has its status, streamed or not", async () => {
  const thrown = new GatewayError("provider_timeout", "no answer in 3 s", { providerId: "primary" });
  for (const script of [[thrown], [START, scripted.BROKEN, scripted.FAILED_END]]) {
    for (const body of [HELLO, STREAM]) {
      const { statusCode, headers, body: answer } = await play(script, body);
      assert.equal(statusCode, script[0] === thrown ? 504 : 502);
      assert.match(String(headers["content-type"]), /application\/json/);
      assert.equal(JSON.parse(answer).error.type, "server_error");
      assert.equal(headers["x-fovea-provider"], "primary");
    }
  }
});

test("[DW4] [DW5] A stream that breaks ends with an error and without an end mark", async () => {
  const late = new GatewayError("provider_failed", "reset");
  const scripts: Scripted[][] = [
    [START, text("Hi"), scripted.BROKEN, scripted.FAILED_END],
    [START, text("Hi"), late],
    [START, text("Hi")],
    [START, text("Hi"), scripted.FAILED_END],
    [START, text("Hi"), { type: "replaced", fromUnit: 0, text: "Ho" }, END],
  ];
  const ends = [];
  for (const script of scripts) ends.push(words((await play(script, STREAM)).body));
  assert.deepEqual(ends, [
    "role=assistant Hi !answer_broken",
    "role=assistant Hi !provider_failed",
    "role=assistant Hi !answer_broken",
    "role=assistant Hi !answer_broken",
    "role=assistant Hi !answer_broken",
  ]);
  for (const script of scripts) assert.equal((await play(script, HELLO)).statusCode, 502);
  assert.equal((await play([], STREAM)).statusCode, 502);
});

test("[DW6] A client that leaves aborts the engine within 50 ms", async () => {
  await using doors = await openDoors([registerOpenAiDoor]);
  for (const [script, body] of [
    [["hang"], HELLO],
    [["hang"], STREAM],
    [[START, text("Hi"), "hang"], STREAM],
    [[START, text("Hi"), "hang"], HELLO],
  ] as [Scripted[], object][]) {
    doors.engine.script = script;
    doors.engine.abortedAtMs = undefined;
    const seen = doors.engine.requests.length;
    const socket = connect(Number(new URL(doors.url).port), "127.0.0.1");
    const payload = JSON.stringify(body);
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${payload.length}\r\n\r\n${payload}`,
    );
    while (doors.engine.requests.length === seen) await wait(1);
    const leftMs = performance.now();
    socket.destroy();
    while (doors.engine.abortedAtMs === undefined && performance.now() - leftMs < 1000) await wait(1);
    assert.ok(doors.engine.abortedAtMs !== undefined, "aborted at all");
    assert.ok(doors.engine.abortedAtMs - leftMs < 50, `aborted after ${doors.engine.abortedAtMs - leftMs} ms`);
  }
});

test("[DW7] A token leaves at once", async () => {
  await using doors = await openDoors([registerOpenAiDoor]);
  const gate = Promise.withResolvers<void>();
  doors.engine.script = [START, text("first"), () => gate.promise, text("second"), END];
  const client = new OpenAI({ apiKey: "k", baseURL: `${doors.url}/v1`, maxRetries: 0 });
  const seen: string[] = [];
  const stream = await client.chat.completions.create({ ...HELLO, stream: true } as never);
  for await (const chunk of stream as unknown as AsyncIterable<OpenAI.ChatCompletionChunk>) {
    const content = chunk.choices[0]?.delta.content ?? "";
    if (content !== "") seen.push(content);
    // The second token is only made after the first has arrived here.
    if (content === "first") gate.resolve();
  }
  assert.deepEqual(seen, ["first", "second"]);
});

test("[DW17] An HTTP/1.0 proxy in between gets the stream too", async () => {
  await using doors = await openDoors([registerOpenAiDoor]);
  doors.engine.script = [START, text("Hi"), USAGE, END];
  const payload = JSON.stringify(STREAM);
  const socket = connect(Number(new URL(doors.url).port), "127.0.0.1");
  socket.end(
    `POST /v1/chat/completions HTTP/1.0\r\nhost: x\r\nconnection: keep-alive\r\ncontent-type: application/json\r\ncontent-length: ${payload.length}\r\n\r\n${payload}`,
  );
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  assert.match(answer, /^HTTP\/1\.[01] 200/);
  assert.equal(words(answer.slice(answer.indexOf("data:"))), "role=assistant Hi finish=stop DONE");
});

test("[DW8] A client that does not read holds the engine back", async () => {
  await using doors = await openDoors([registerOpenAiDoor]);
  let made = 0;
  const big = "x".repeat(16_384);
  const token: Scripted[] = [async () => void made++, text(big)];
  doors.engine.script = [START, ...Array.from({ length: 4000 }, () => token).flat(), END];
  const request = httpRequest(`${doors.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  const response = await new Promise<IncomingMessage>((resolve) => {
    request.on("response", resolve);
    request.end(JSON.stringify(STREAM));
  });
  response.pause();
  let before = -1;
  while (before !== made) {
    before = made;
    await wait(100);
  }
  assert.ok(made < 2000, `${made} of 4000 pieces of 16 KiB were made for a client that reads nothing`);
  let size = 0;
  for await (const chunk of response) size += chunk.length;
  assert.equal(made, 4000);
  assert.ok(size > 4000 * 16_384);
});

test("[DW9] What has no effect is named", async () => {
  const { headers, statusCode } = await play([START, text("Hi"), END], {
    ...HELLO,
    logit_bias: { 1: 2 },
    frobnicate: 1,
  });
  assert.equal(statusCode, 200);
  assert.equal(headers["x-fovea-dropped"], "logit_bias, frobnicate");
  assert.match(String(headers["x-fovea-warnings"]), /logit_bias: not supported.*frobnicate: unknown parameter/);
  const warned = { ...START, warnings: [{ field: "sampling.topK", message: "not taken by this model" }] } as AnswerPart;
  const streamed = await play([warned, text("Hi"), END], STREAM);
  assert.equal(streamed.headers["x-fovea-dropped"], "sampling.topK");
});

test("[DW10] Only calls that were turned away untried may be repeated", async () => {
  const advice = async (code: ErrorCode, retryAfterMs?: number) => {
    const details = retryAfterMs === undefined ? {} : { retryAfterMs };
    const { headers } = await play([new GatewayError(code, "x", details)], HELLO);
    return [headers["x-should-retry"] ?? "-", headers["retry-after"] ?? "-", headers["retry-after-ms"] ?? "-"].join(
      " ",
    );
  };
  assert.equal(await advice("rate_limited", 1500), "- 2 1500");
  assert.equal(await advice("overloaded"), "false - -");
  assert.equal(await advice("provider_failed", 1000), "false 1 1000");
  assert.equal(await advice("budget_exhausted"), "false - -");
});

test("[DW11] [DW12] The client's limit and commit mode reach the engine", async () => {
  const now = performance.now();
  const short = await play([START, END], HELLO, { "x-stainless-timeout": "2", "x-fovea-commit": "sentence" });
  assert.ok((short.request?.deadlineMs ?? 0) - now < 3000);
  assert.equal(short.request?.commit, "sentence");
  const long = await play([START, END], HELLO, { "x-stainless-timeout": "600" });
  assert.ok((long.request?.deadlineMs ?? 0) - performance.now() <= 120_000);
  assert.equal(long.request?.commit, "token");
  const wrong = await play([], HELLO, { "x-fovea-commit": "word" });
  assert.equal(wrong.statusCode, 400);
  assert.equal(JSON.parse(wrong.body).error.param, "x-fovea-commit");
});

test("[DW13] Bodies that cannot be read are refused in the dialect's form", async () => {
  const deep = `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`;
  const cases: [string, number][] = [
    ["{", 400],
    ["", 400],
    ["[]", 400],
    ["null", 400],
    ['{"model":"m","__proto__":{"x":1},"messages":[]}', 400],
    [
      `{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":${deep}}}]}`,
      400,
    ],
    [JSON.stringify({ ...HELLO, messages: [{ role: "user", content: "x".repeat(33 * 1024 * 1024) }] }), 413],
  ];
  for (const [body, status] of cases) {
    const answer = await play([START, END], body);
    assert.equal(answer.statusCode, status, body.slice(0, 60));
    assert.equal(typeof JSON.parse(answer.body).error.message, "string");
    assert.equal(answer.engine.requests.length, 0);
  }
});

test("[DW14] A silent stream shows life and stays readable", async () => {
  await using doors = await openDoors([registerOpenAiDoor], { keepAliveMs: 20 });
  doors.engine.script = [START, () => wait(90), text("late"), END];
  const response = await fetch(`${doors.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(STREAM),
  });
  const body = await response.text();
  assert.match(body, /^: keep-alive\n\n/);
  assert.equal(words(body), "role=assistant late finish=stop DONE");
});

test("[DW15] Nothing of an internal failure reaches the client", async () => {
  const { body, statusCode, log } = await play([new TypeError("secret of the house")], HELLO);
  assert.equal(statusCode, 500);
  assert.doesNotMatch(body, /secret/);
  assert.doesNotMatch(log.text, /secret/);
  assert.match(log.text, /TypeError/);
  const late = await play([START, text("Hi"), new TypeError("secret of the house")], STREAM);
  assert.doesNotMatch(late.body, /secret/);
  assert.equal(words(late.body), "role=assistant Hi !internal");
});

test("[DW20] Messages become canonical", async () => {
  const png = "iVBORw0KGgo=";
  const { request } = await play([START, END], {
    model: "primary/m1",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "developer", content: [{ type: "text", text: "Really." }] },
      {
        role: "user",
        name: "ann",
        content: [
          { type: "text", text: "What?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${png}`, detail: "low" } },
          { type: "image_url", image_url: { url: "https://a.example/b.jpg" } },
          { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
          { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: "" } }],
      },
      { role: "tool", tool_call_id: "c1", content: "a cup" },
      { role: "assistant", content: null, function_call: { name: "point", arguments: "{}" } },
      { role: "function", name: "point", content: "done" },
    ],
  });
  assert.ok(request !== undefined);
  assert.equal(request.model, "primary/m1");
  assert.deepEqual(request.chat.system, ["Be brief.", "Really."]);
  assert.equal(request.needs.vision, true);
  assert.equal(request.needs.audioInput, true);
  const [user, call, result, older, olderResult] = request.chat.messages;
  assert.equal(user?.name, "ann");
  assert.deepEqual(
    user?.content.map((part) => (part.type === "media" ? `${part.kind} ${part.mime} ${part.detail ?? ""}` : part.type)),
    ["text", "image image/png low", "image image/jpeg ", "audio audio/wav ", "file application/pdf "],
  );
  assert.deepEqual(call?.content, [{ type: "tool-call", id: "c1", name: "look", args: "{}" }]);
  const done = [{ type: "text", text: "a cup" }];
  assert.deepEqual(result, { role: "tool", content: [{ type: "tool-result", id: "c1", name: "look", content: done }] });
  const [olderCall] = older?.content ?? [];
  const [olderAnswer] = olderResult?.content ?? [];
  assert.ok(olderCall?.type === "tool-call" && olderAnswer?.type === "tool-result");
  assert.equal(olderCall.id, olderAnswer.id);
});

test("[DW21] Parameters become canonical", async () => {
  const schema = { type: "object", properties: { at: { type: "string" } } };
  const { request } = await play([START, END], {
    ...HELLO,
    temperature: 0.5,
    top_p: 0.9,
    seed: 7,
    stop: "END",
    presence_penalty: 1,
    frequency_penalty: -1,
    max_tokens: 10,
    max_completion_tokens: 20,
    reasoning_effort: "low",
    user: "ann",
    prompt_cache_key: "k",
    parallel_tool_calls: false,
    tools: [{ type: "function", function: { name: "look", description: "d", parameters: schema, strict: true } }],
    tool_choice: { type: "function", function: { name: "look" } },
    response_format: { type: "json_schema", json_schema: { name: "n", schema, strict: true } },
    n: 1,
    logprobs: false,
  });
  assert.deepEqual(request?.chat.sampling, {
    temperature: 0.5,
    topP: 0.9,
    seed: 7,
    presencePenalty: 1,
    frequencyPenalty: -1,
    stop: ["END"],
  });
  const expected = {
    messages: [{ role: "user", content: [{ type: "text", text: "hello" }] }],
    sampling: request?.chat.sampling,
    tools: [{ name: "look", description: "d", schema, strict: true }],
    toolChoice: { name: "look" },
    parallelTools: false,
    output: { kind: "schema", name: "n", schema, strict: true },
    maxOutputTokens: 20,
    reasoning: { effort: "low" },
    cacheHints: { key: "k" },
    endUser: "ann",
  };
  assert.deepEqual(request?.chat, expected);
  assert.equal(request?.needs.tools, true);
  assert.equal(request?.needs.structuredOutput, true);
});

test("[DW22] [DW23] Bad input is refused and named", async () => {
  const user = (content: unknown) => ({ messages: [{ role: "user", content }] });
  const image = (url: unknown) => user([{ type: "image_url", image_url: { url } }]);
  const cases: [object, string][] = [
    [{ model: "" }, "model"],
    [{ model: 5 }, "model"],
    [{ messages: undefined }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: {} }, "messages"],
    [{ messages: [5] }, "messages[0]"],
    [{ messages: [{ role: "wizard", content: "x" }] }, "messages[0].role"],
    [{ messages: [{ content: "x" }] }, "messages[0].role"],
    [{ messages: [{ role: "user" }] }, "messages[0].content"],
    [user([{ type: "image" }]), "messages[0].content[0].type"],
    [user([{ type: "text" }]), "messages[0].content[0].text"],
    [image("data:image/png;base64,%%%"), "messages[0].content[0].image_url.url"],
    [image("data:image/png;base64,"), "messages[0].content[0].image_url.url"],
    [image("data:text/html;base64,AAAA"), "messages[0].content[0].image_url.url"],
    [image("file:///etc/passwd"), "messages[0].content[0].image_url.url"],
    [image(7), "messages[0].content[0].image_url.url"],
    [
      user([{ type: "input_audio", input_audio: { data: "AAAA", format: "ogg" } }]),
      "messages[0].content[0].input_audio.format",
    ],
    [user([{ type: "file", file: { file_id: "f" } }]), "messages[0].content[0].file.file_id"],
    [{ messages: [{ role: "tool", tool_call_id: "z", content: "x" }] }, "messages[0].tool_call_id"],
    [{ temperature: 3 }, "temperature"],
    [{ temperature: "hot" }, "temperature"],
    [{ max_tokens: 1.5 }, "max_tokens"],
    [{ stream: "yes" }, "stream"],
    [{ stop: [1] }, "stop[0]"],
    [{ stop: ["a", "b", "c", "d", "e"] }, "stop"],
    [{ tools: [{ type: "custom", custom: { name: "x" } }] }, "tools[0].type"],
    [{ tools: [{ type: "function" }] }, "tools[0].function"],
    [{ tools: [{ type: "function", function: { name: "a b" } }] }, "tools[0].function.name"],
    [{ tool_choice: "maybe" }, "tool_choice"],
    [{ tool_choice: { type: "function", function: { name: "f" } } }, "tool_choice"],
    [{ response_format: { type: "xml" } }, "response_format.type"],
    [{ response_format: { type: "json_schema" } }, "response_format.json_schema"],
    [{ n: 2 }, "n"],
    [{ logprobs: true }, "logprobs"],
    [{ top_logprobs: 3 }, "logprobs"],
  ];
  for (const [change, param] of cases) {
    const { statusCode, body, engine } = await play([START, END], { ...HELLO, ...change });
    assert.equal(statusCode, 400, JSON.stringify(change));
    const { error } = JSON.parse(body);
    assert.equal(error.param, param);
    assert.equal(error.type, "invalid_request_error");
    assert.ok(error.message.startsWith(param), error.message);
    assert.equal(engine.requests.length, 0);
  }
});

test("[DW27] Models are listed and found", async () => {
  await using doors = await openDoors([registerOpenAiDoor]);
  const client = new OpenAI({ apiKey: "k", baseURL: `${doors.url}/v1`, maxRetries: 0 });
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.deepEqual(names, ["primary/m1", "assistant"]);
  assert.equal((await client.models.retrieve("primary/m1")).owned_by, "primary");
  await assert.rejects(
    client.models.retrieve("nothing"),
    (error: InstanceType<typeof OpenAI.NotFoundError>) => error.code === "model_not_found",
  );
});

test("[DW28] Failure codes become OpenAI's", async () => {
  const wording = async (code: ErrorCode) => {
    const { statusCode, body } = await play([new GatewayError(code, "x")], HELLO);
    const { error } = JSON.parse(body);
    return `${statusCode} ${error.type} ${error.code}`;
  };
  assert.equal(await wording("rate_limited"), "429 rate_limit_error rate_limit_exceeded");
  assert.equal(await wording("budget_exhausted"), "429 insufficient_quota insufficient_quota");
  assert.equal(await wording("overloaded"), "503 service_unavailable_error server_is_overloaded");
  assert.equal(await wording("credentials_invalid"), "401 invalid_request_error invalid_api_key");
  assert.equal(await wording("permission_denied"), "403 permission_error permission_denied");
  assert.equal(await wording("model_unknown"), "404 invalid_request_error model_not_found");
  assert.equal(await wording("content_filtered"), "400 invalid_request_error content_filter");
  assert.equal(await wording("provider_failed"), "502 server_error provider_failed");
});

test("[DW29] The official client chats, streams, calls tools and gets typed errors", async () => {
  await using doors = await openDoors([registerOpenAiDoor]);
  const client = new OpenAI({ apiKey: "k", baseURL: `${doors.url}/v1` });
  const messages = [{ role: "user" as const, content: "hello" }];
  doors.engine.script = [START, text("Hi"), USAGE, END];
  const whole = await client.chat.completions.create({ model: "assistant", messages });
  assert.equal(whole.choices[0]?.message.content, "Hi");
  assert.match(String(whole._request_id), /^req_/);
  doors.engine.script = [START, text("Hi "), text("you"), USAGE, END];
  const final = await client.chat.completions
    .stream({ model: "assistant", messages, stream_options: { include_usage: true } })
    .finalChatCompletion();
  assert.equal(final.choices[0]?.message.content, "Hi you");
  assert.equal(final.usage?.total_tokens, 15);
  doors.engine.script = [
    START,
    { type: "tool-start", index: 1, id: "c1", name: "look" },
    { type: "tool-delta", index: 1, args: '{"at":"cup"}' },
    { type: "tool-end", index: 1, args: '{"at":"cup"}' },
    endWith("tool_calls"),
  ];
  const called = await client.chat.completions.stream({ model: "assistant", messages }).finalChatCompletion();
  const [toolCall] = called.choices[0]?.message.tool_calls ?? [];
  assert.ok(toolCall?.type === "function");
  assert.equal(toolCall.function.arguments, '{"at":"cup"}');
  doors.engine.script = [new GatewayError("provider_failed", "down", { providerId: "primary" })];
  const before = doors.engine.requests.length;
  await assert.rejects(client.chat.completions.create({ model: "assistant", messages }), OpenAI.InternalServerError);
  assert.equal(doors.engine.requests.length, before + 1, "the client did not repeat what the gateway had given up");
  doors.engine.script = [START, text("Hi"), scripted.BROKEN, scripted.FAILED_END];
  await assert.rejects(async () => {
    const stream = await client.chat.completions.create({ model: "assistant", messages, stream: true });
    for await (const chunk of stream) void chunk;
  }, /the stream broke/);
});
