import assert from "node:assert/strict";
import test from "node:test";
import { GatewayError, type AnswerPart } from "@fovea/core";
import { Ollama } from "ollama";
import { registerOllamaDoor } from "../../packages/gateway/src/http/ollama/ollama-door.ts";
import { BROKEN, END, endWith, FAILED_END, openDoors, START, text, USAGE, type Scripted } from "./scripted-engine.ts";

const HELLO = { model: "assistant", messages: [{ role: "user", content: "hello" }] };

async function open() {
  const doors = await openDoors([registerOllamaDoor]);
  const client = new Ollama({ host: doors.url });
  return { ...doors, client, [Symbol.asyncDispose]: () => doors.app.close() };
}

async function play(script: readonly Scripted[], body: object = HELLO, path = "chat") {
  await using doors = await open();
  doors.engine.script = script;
  const response = await doors.app.inject({ method: "POST", url: `/api/${path}`, payload: body });
  return {
    status: response.statusCode,
    body: response.body,
    headers: response.headers,
    request: doors.engine.requests[0],
  };
}

function words(body: string): string {
  const lines = body.split("\n").filter((line) => line !== "");
  return lines
    .map((line) => {
      const parsed = JSON.parse(line);
      if (parsed.error !== undefined) return `!${Object.keys(parsed).join()} ${parsed.error}`;
      const said = parsed.response ?? parsed.message.content;
      const calls = parsed.message?.tool_calls === undefined ? "" : JSON.stringify(parsed.message.tool_calls);
      return (
        said + calls + (parsed.done ? `=${parsed.done_reason} ${parsed.prompt_eval_count}+${parsed.eval_count}` : "")
      );
    })
    .join(" ");
}

test("[DW91] A stream is lines of ASCII, and the default", async () => {
  const { body, headers } = await play([START, text("Hé "), text("🌍"), USAGE, END]);
  assert.equal(headers["content-type"], "application/x-ndjson");
  assert.match(body, /^[\x20-\x7e\n]*$/);
  assert.equal(words(body), "Hé  🌍 =stop 12+3");
  const last = JSON.parse(body.trim().split("\n").at(-1) ?? "");
  assert.ok(Number.isInteger(last.total_duration) && last.total_duration > 1000);
  assert.equal(last.model, "assistant");
  assert.equal(words((await play([START, text("Hi"), USAGE, END], { ...HELLO, stream: false })).body), "Hi=stop 12+3");
  const generated = await play([START, text("Hi"), USAGE, endWith("length")], { model: "m", prompt: "x" }, "generate");
  assert.equal(words(generated.body), "Hi =length 12+3");
  const call: AnswerPart[] = [
    { type: "tool-start", index: 0, id: "a", name: "look" },
    { type: "tool-end", index: 0, args: '{"at":"cup"}' },
  ];
  const called = await play([START, ...call, endWith("tool_calls")]);
  assert.equal(words(called.body), '[{"function":{"name":"look","arguments":{"at":"cup"}}}] =stop 0+0');
});

test("[DW92] Errors are plain, early and late", async () => {
  const early = await play([new GatewayError("model_unknown", "no such model")]);
  assert.equal(`${early.status} ${early.body}`, '404 {"error":"no such model"}');
  const late = await play([START, text("Hi"), BROKEN, FAILED_END]);
  assert.equal(words(late.body), "Hi !error the stream broke");
});

test("[DW90] Everything in a request becomes canonical", async () => {
  const { request, status } = await play([START, END], {
    model: "assistant",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "What?", images: ["iVBORw0KGgo="] },
      {
        role: "assistant",
        content: "",
        thinking: "hm",
        tool_calls: [
          { function: { name: "look", arguments: { at: "cup" } } },
          { function: { name: "point", arguments: {} } },
        ],
      },
      { role: "tool", content: "done", tool_name: "point" },
      { role: "tool", content: "red" },
    ],
    options: { temperature: 0.5, num_predict: 20, stop: ["END"], mirostat: 1 },
    format: { type: "object" },
    think: "low",
    tools: [{ type: "function", function: { name: "look", description: "d", parameters: { type: "object" } } }],
    keep_alive: "5m",
  });
  assert.equal(status, 200);
  const { messages, ...rest } = request?.chat ?? assert.fail();
  assert.deepEqual(
    messages.map((message) => `${message.role}:${message.content.map((part) => part.type).join("+")}`),
    ["user:text+media", "assistant:reasoning+tool-call+tool-call", "tool:tool-result", "tool:tool-result"],
  );
  const [image] = messages[0]?.content.slice(1) ?? [];
  assert.equal(image?.type === "media" ? image.mime : "", "image/png");
  const results = messages.slice(2).map((message) => message.content[0]);
  assert.deepEqual(
    results.map((part) => (part?.type === "tool-result" ? `${part.name} ${part.id}` : "")),
    ["point call_1", "look call_0"],
  );
  assert.deepEqual(rest, {
    system: ["Be brief."],
    tools: [{ name: "look", description: "d", schema: { type: "object" } }],
    sampling: { temperature: 0.5, stop: ["END"] },
    maxOutputTokens: 20,
    output: { kind: "schema", name: "answer", schema: { type: "object" }, strict: false },
    reasoning: { effort: "low", show: true },
  });
  const bad: [object, string][] = [
    [{ model: "" }, "model"],
    [{ messages: [{ role: "wizard" }] }, "messages[0].role"],
    [{ messages: [{ role: "user", content: "x", images: ["AAAA"] }] }, "messages[0].images[0]"],
    [{ messages: [{ role: "tool", content: "x", tool_name: "look" }] }, "messages[0].tool_name"],
    [{ options: { temperature: "hot" } }, "options.temperature"],
    [{ format: "xml" }, "format"],
    [{ think: "much" }, "think"],
  ];
  for (const [change, field] of bad) {
    const answer = await play([START, END], { ...HELLO, ...change });
    assert.equal(answer.status, 400);
    assert.ok(JSON.parse(answer.body).error.startsWith(`${field}:`), answer.body);
  }
});

test("[DW93] The endpoints around the chat answer", async () => {
  await using doors = await open();
  const look = async (method: "GET" | "POST" | "DELETE", path: string, payload?: object) => {
    const response = await doors.app.inject({
      method,
      url: `/api/${path}`,
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: response.statusCode, json: JSON.parse(response.body) };
  };
  assert.deepEqual(Object.keys((await look("GET", "version")).json), ["version"]);
  assert.equal((await look("GET", "tags")).json.models[1].name, "assistant");
  assert.deepEqual((await look("GET", "ps")).json, { models: [] });
  assert.deepEqual((await look("POST", "show", { model: "primary/m1" })).json.capabilities, ["completion", "tools"]);
  assert.equal((await look("POST", "show", { model: "nothing" })).status, 404);
  assert.deepEqual((await look("POST", "pull", { model: "assistant:latest" })).json, { status: "success" });
  assert.equal((await look("POST", "create", { model: "x" })).status, 403);
  assert.equal((await look("DELETE", "delete", { model: "x" })).status, 403);
  assert.equal((await look("POST", "chat", { model: "assistant", messages: [] })).json.done_reason, "load");
  assert.equal((await look("POST", "generate", { model: "assistant", keep_alive: 0 })).json.done_reason, "unload");
  doors.engine.results = { embed: { model: "m1", vectors: [[0.5], [1]] } };
  assert.deepEqual((await look("POST", "embed", { model: "e", input: ["a", "b"] })).json.embeddings, [[0.5], [1]]);
  assert.deepEqual((await look("POST", "embeddings", { model: "e", prompt: "a" })).json, { embedding: [0.5] });
  const untyped = await fetch(`${doors.url}/api/show`, { method: "POST", body: '{"model":"assistant"}' });
  assert.equal(untyped.status, 200);
});

test("[DW94] The official client chats, streams, calls tools, embeds and lists", async () => {
  await using doors = await open();
  const { client, engine } = doors;
  engine.script = [START, text("Hi"), USAGE, END];
  assert.equal((await client.chat(HELLO)).message.content, "Hi");
  assert.equal((await client.generate({ model: "assistant", prompt: "hello" })).response, "Hi");
  engine.script = [START, text("Hé "), text("🌍"), USAGE, END];
  let streamed = "";
  for await (const part of await client.chat({ ...HELLO, stream: true })) streamed += part.message.content;
  assert.equal(streamed, "Hé 🌍");
  engine.script = [
    START,
    { type: "tool-start", index: 0, id: "a", name: "look" },
    { type: "tool-end", index: 0, args: '{"at":"cup"}' },
    endWith("tool_calls"),
  ];
  const called = await client.chat(HELLO);
  assert.deepEqual(called.message.tool_calls, [{ function: { name: "look", arguments: { at: "cup" } } }]);
  engine.results = { embed: { model: "m1", vectors: [[0.5]] } };
  assert.deepEqual((await client.embed({ model: "e", input: "a" })).embeddings, [[0.5]]);
  assert.deepEqual(
    (await client.list()).models.map((model) => model.name),
    ["primary/m1", "assistant"],
  );
  engine.script = [new GatewayError("rate_limited", "slow down")];
  await assert.rejects(client.chat(HELLO), /slow down/);
  engine.script = [START, text("Hi"), BROKEN, FAILED_END];
  await assert.rejects(async () => {
    for await (const part of await client.chat({ ...HELLO, stream: true })) void part;
  }, /the stream broke/);
});
