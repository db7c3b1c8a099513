import assert from "node:assert/strict";
import test from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { GatewayError, type AnswerPart, type ErrorCode } from "@fovea/core";
import { registerAnthropicDoor } from "../../packages/gateway/src/http/anthropic/anthropic-door.ts";
import { registerModelLists } from "../../packages/gateway/src/http/model-lists.ts";
import { BROKEN, END, endWith, FAILED_END, openDoors, START, text, USAGE, type Scripted } from "./scripted-engine.ts";

const HELLO = { model: "m", max_tokens: 100, messages: [{ role: "user" as const, content: "hello" }] };

async function open() {
  const doors = await openDoors([registerAnthropicDoor, registerModelLists]);
  const client = new Anthropic({ apiKey: "k", baseURL: doors.url, maxRetries: 0 });
  return { ...doors, client, [Symbol.asyncDispose]: () => doors.app.close() };
}

async function play(script: readonly Scripted[], more: object = {}, url = "/v1/messages") {
  await using doors = await open();
  doors.engine.script = script;
  const response = await doors.app.inject({ method: "POST", url, payload: { ...HELLO, ...more } });
  return {
    status: response.statusCode,
    body: response.body,
    headers: response.headers,
    request: doors.engine.requests[0],
  };
}

/** The events of a stream: `start`, `+0text`, text, `-0`, `stop=…`, `!type`. */
function words(body: string): string {
  return body
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => {
      const [, name, data = ""] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? assert.fail(`unnamed frame ${event}`);
      const parsed = JSON.parse(data);
      assert.equal(parsed.type, name);
      switch (name) {
        case "message_start":
          return "start";
        case "content_block_start":
          return `+${parsed.index}${parsed.content_block.type}`;
        case "content_block_delta":
          return parsed.delta.text ?? parsed.delta.partial_json ?? parsed.delta.thinking ?? parsed.delta.signature;
        case "content_block_stop":
          return `-${parsed.index}`;
        case "message_delta":
          return `stop=${parsed.delta.stop_reason} ${parsed.usage.input_tokens}+${parsed.usage.output_tokens}`;
        case "error":
          return `!${parsed.error.type}`;
        default:
          return name;
      }
    })
    .join(" ");
}

const STREAM = { stream: true };

test("[DW61] [DW62] A stream has named events and sequential blocks", async () => {
  const { body } = await play([START, text("Hi "), text("you"), USAGE, END], STREAM);
  assert.equal(words(body), "start +0text Hi  you -0 stop=end_turn 8+3 message_stop");
  const interleaved: AnswerPart[] = [
    { type: "tool-start", index: 4, id: "a", name: "look" },
    { type: "tool-start", index: 5, id: "b", name: "point" },
    { type: "tool-delta", index: 5, args: '{"x":' },
    { type: "tool-delta", index: 4, args: '{"y":' },
    { type: "tool-end", index: 5, args: '{"x":1}' },
    { type: "tool-delta", index: 4, args: "2}" },
    { type: "tool-end", index: 4, args: '{"y":2}' },
    { type: "tool-call", id: "c", name: "grab", args: "{}" },
  ];
  const called = await play([START, text("Well"), ...interleaved, endWith("stop")], STREAM);
  assert.equal(
    words(called.body),
    'start +0text Well -0 +1tool_use {"y": 2} -1 +2tool_use {"x":1} -2 +3tool_use {} -3 stop=tool_use 0+0 message_stop',
  );
  const order: AnswerPart[] = [
    { type: "tool-start", index: 0, id: "a", name: "look" },
    { type: "tool-start", index: 1, id: "b", name: "point" },
    { type: "tool-end", index: 0, args: "{}" },
    { type: "tool-end", index: 1, args: '{"x":1}' },
  ];
  const later = await play([START, ...order, endWith("tool_calls")], STREAM);
  assert.equal(words(later.body), 'start +0tool_use -0 +1tool_use {"x":1} -1 stop=tool_use 0+0 message_stop');
});

test("[DW62] A whole message counts cached tokens beside the input", async () => {
  const answer = JSON.parse((await play([START, text("Hi"), USAGE, END])).body);
  assert.deepEqual(answer.content, [{ type: "text", text: "Hi", citations: null }]);
  assert.deepEqual(answer.usage, {
    input_tokens: 8,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 4,
    output_tokens: 3,
  });
  assert.equal(JSON.parse((await play([START, text("Hi"), endWith("length")])).body).stop_reason, "max_tokens");
});

test("[DW63] Thinking is shown signed or not at all, and finds its way back", async () => {
  const thoughts: AnswerPart[] = [
    { type: "reasoning-delta", index: 0, text: "hm" },
    { type: "reasoning-delta", index: 0, opaque: "sig.1" },
  ];
  const start = { ...START, providerType: "anthropic" } as AnswerPart;
  const thinking = { thinking: { type: "enabled", budget_tokens: 1024 } };
  const { body } = await play([start, ...thoughts, text("Hi"), END], { ...STREAM, ...thinking });
  assert.equal(words(body), "start +0thinking hm anthropic.sig.1 -0 +1text Hi -1 stop=end_turn 0+0 message_stop");
  const [block] = JSON.parse((await play([start, ...thoughts, text("Hi"), END], thinking)).body).content;
  assert.deepEqual(block, { type: "thinking", thinking: "hm", signature: "anthropic.sig.1" });
  for (const [from, more] of [
    [START, thinking],
    [start, {}],
  ] as const) {
    const unseen = await play([from, ...thoughts, text("Hi"), END], { ...STREAM, ...more });
    assert.equal(words(unseen.body), "start +0text Hi -0 stop=end_turn 0+0 message_stop");
  }
  const back = await play([START, END], {
    messages: [
      { role: "user", content: "hello" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "google.abc.d" },
          { type: "redacted_thinking", data: "plain" },
          { type: "text", text: "Hi" },
        ],
      },
      { role: "user", content: "more" },
    ],
  });
  assert.deepEqual(back.request?.chat.messages[1]?.content.slice(0, 2), [
    { type: "reasoning", text: "hm", opaque: { provider: "google", value: "abc.d" } },
    { type: "reasoning", opaque: { provider: "anthropic", value: "plain" } },
  ]);
});

test("[DW64] Errors have Anthropic's types", async () => {
  const wording = async (code: ErrorCode) => {
    const { status, body, headers } = await play([new GatewayError(code, "x")]);
    const parsed = JSON.parse(body);
    assert.equal(parsed.type, "error");
    assert.equal(parsed.request_id, headers["request-id"]);
    return `${status} ${parsed.error.type}`;
  };
  assert.equal(await wording("rate_limited"), "429 rate_limit_error");
  assert.equal(await wording("overloaded"), "529 overloaded_error");
  assert.equal(await wording("budget_exhausted"), "402 billing_error");
  assert.equal(await wording("credentials_invalid"), "401 authentication_error");
  assert.equal(await wording("model_unknown"), "404 not_found_error");
  assert.equal(await wording("provider_timeout"), "504 timeout_error");
  assert.equal(await wording("provider_failed"), "502 api_error");
  assert.equal(await wording("content_filtered"), "400 invalid_request_error");
  assert.equal(words((await play([START, text("Hi"), BROKEN, FAILED_END], STREAM)).body), "start +0text Hi !api_error");
});

test("[DW60] Everything in a request becomes canonical", async () => {
  const png = { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" };
  const schema = { type: "object", properties: {} };
  const { request, status } = await play([START, END], {
    system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
    temperature: 0.3,
    top_k: 5,
    stop_sequences: ["END"],
    metadata: { user_id: "ann" },
    tools: [{ name: "look", description: "d", input_schema: schema }],
    tool_choice: { type: "tool", name: "look", disable_parallel_tool_use: true },
    output_config: { effort: "low", format: { type: "json_schema", schema } },
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "What?" },
          { type: "image", source: png },
          { type: "document", source: { type: "text", media_type: "text/plain", data: "a page" } },
        ],
      },
      { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "look", input: { at: "cup" } }] },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "t1", content: [{ type: "text", text: "red" }], is_error: true },
          { type: "text", text: "And?" },
        ],
      },
    ],
  });
  assert.equal(status, 200);
  const { chat } = request ?? assert.fail();
  assert.deepEqual(
    chat.messages.map((message) => `${message.role}:${message.content.map((part) => part.type).join("+")}`),
    ["user:text+media+text", "assistant:tool-call", "tool:tool-result", "user:text"],
  );
  assert.deepEqual(chat.messages[2]?.content[0], {
    type: "tool-result",
    id: "t1",
    name: "look",
    content: [{ type: "text", text: "red" }],
    isError: true,
  });
  const { messages, ...rest } = chat;
  assert.equal(messages.length, 4);
  assert.deepEqual(rest, {
    system: ["Be brief."],
    sampling: { temperature: 0.3, topK: 5, stop: ["END"] },
    tools: [{ name: "look", description: "d", schema }],
    toolChoice: { name: "look" },
    parallelTools: false,
    maxOutputTokens: 100,
    endUser: "ann",
    output: { kind: "schema", name: "answer", schema, strict: true },
    reasoning: { effort: "low" },
    cacheHints: { system: true },
  });
});

test("[DW60] Bad input is refused and named", async () => {
  const user = (...content: object[]) => ({ messages: [{ role: "user", content }] });
  const source = (change: object) =>
    user({ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA", ...change } });
  const cases: [object, string][] = [
    [{ max_tokens: undefined }, "max_tokens"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ messages: [] }, "messages"],
    [{ messages: [{ role: "wizard", content: "x" }] }, "messages[0].role"],
    [{ messages: [{ role: "user", content: "" }] }, "messages[0].content"],
    [user({ type: "web_search_tool_result" }), "messages[0].content[0].type"],
    [source({ data: "%%" }), "messages[0].content[0].source.data"],
    [source({ media_type: "image/tiff" }), "messages[0].content[0].source.media_type"],
    [source({ type: "file" }), "messages[0].content[0].source.type"],
    [user({ type: "tool_result", tool_use_id: "z" }), "messages[0].content[0].tool_use_id"],
    [{ tools: [{ type: "web_search_20250305", name: "web_search" }] }, "tools[0].type"],
    [{ tools: [{ name: "look" }] }, "tools[0].input_schema"],
    [{ tool_choice: { type: "tool", name: "look" } }, "tool_choice.name"],
    [{ temperature: 1.5 }, "temperature"],
    [{ thinking: { type: "enabled" } }, "thinking.budget_tokens"],
  ];
  for (const [change, param] of cases) {
    const { status, body } = await play([START, END], change);
    assert.equal(status, 400, JSON.stringify(change));
    const { error } = JSON.parse(body);
    assert.equal(error.type, "invalid_request_error");
    assert.ok(error.message.startsWith(`${param}:`), error.message);
  }
});

test("[DW65] Tokens are counted as an estimate", async () => {
  const { body, headers } = await play(
    [],
    { messages: [{ role: "user", content: "x".repeat(400) }] },
    "/v1/messages/count_tokens",
  );
  assert.deepEqual(JSON.parse(body), { input_tokens: 100 });
  assert.equal(headers["x-fovea-estimated"], "input_tokens");
});

test("[DW66] The official client chats, streams, calls tools and gets typed errors", async () => {
  await using doors = await open();
  const { client, engine } = doors;
  engine.script = [START, text("Hi"), USAGE, END];
  const whole = await client.messages.create(HELLO);
  assert.deepEqual(whole.content, [{ type: "text", text: "Hi", citations: null }]);
  assert.match(String(whole._request_id), /^req_/);
  const parts: AnswerPart[] = [
    { type: "tool-start", index: 0, id: "t1", name: "look" },
    { type: "tool-delta", index: 0, args: '{"at":' },
    { type: "tool-delta", index: 0, args: '"cup"}' },
    { type: "tool-end", index: 0, args: '{"at":"cup"}' },
  ];
  engine.script = [START, text("Hi "), text("you"), ...parts, USAGE, endWith("tool_calls")];
  const final = await client.messages.stream(HELLO).finalMessage();
  assert.equal(final.stop_reason, "tool_use");
  assert.equal(final.usage.output_tokens, 3);
  assert.equal(final.usage.input_tokens, 8);
  const [first, second] = final.content;
  assert.ok(first?.type === "text" && second?.type === "tool_use");
  assert.equal(first.text, "Hi you");
  assert.deepEqual(second.input, { at: "cup" });
  engine.script = [new GatewayError("overloaded", "busy")];
  await assert.rejects(
    client.messages.create(HELLO),
    (error: InstanceType<typeof Anthropic.APIError>) => error.status === 529,
  );
  engine.script = [START, text("Hi"), BROKEN, FAILED_END];
  await assert.rejects(client.messages.stream(HELLO).finalMessage(), /the stream broke/);
  assert.equal((await client.messages.countTokens({ model: "m", messages: HELLO.messages })).input_tokens, 2);
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.deepEqual(names, ["primary/m1", "assistant"]);
});
