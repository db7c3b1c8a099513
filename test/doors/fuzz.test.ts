import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { registerAnthropicDoor } from "../../packages/gateway/src/http/anthropic/anthropic-door.ts";
import { registerGeminiDoor } from "../../packages/gateway/src/http/gemini/gemini-door.ts";
import { registerOllamaDoor } from "../../packages/gateway/src/http/ollama/ollama-door.ts";
import { registerOpenAiDoor } from "../../packages/gateway/src/http/openai/openai-door.ts";
import { END, openDoors, START, text } from "./scripted-engine.ts";

const PNG = "iVBORw0KGgo=";
const SCHEMA = { type: "object", properties: { at: { type: "string" } } };

/** Requests in which everything a parser knows occurs. */
const VALID: Readonly<Record<string, object>> = {
  "/v1/chat/completions": {
    model: "m",
    messages: [
      { role: "system", content: "a" },
      {
        role: "user",
        content: [
          { type: "text", text: "b" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c", type: "function", function: { name: "look", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "c", content: "d" },
    ],
    tools: [{ type: "function", function: { name: "look", parameters: SCHEMA } }],
    tool_choice: { type: "function", function: { name: "look" } },
    response_format: { type: "json_schema", json_schema: { name: "n", schema: SCHEMA } },
    stop: ["x"],
    temperature: 1,
    stream_options: { include_usage: true },
    audio: { voice: "alloy", format: "wav" },
    modalities: ["text"],
  },
  "/v1/responses": {
    model: "m",
    instructions: "a",
    input: [
      {
        role: "user",
        content: [
          { type: "input_text", text: "b" },
          { type: "input_image", image_url: `data:image/png;base64,${PNG}` },
        ],
      },
      { type: "function_call", call_id: "c", name: "look", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "d" },
    ],
    tools: [{ type: "function", name: "look", parameters: SCHEMA }],
    text: { format: { type: "json_schema", name: "n", schema: SCHEMA } },
    reasoning: { effort: "low", summary: "auto" },
  },
  "/v1/messages": {
    model: "m",
    max_tokens: 5,
    system: [{ type: "text", text: "a" }],
    messages: [
      { role: "user", content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: PNG } }] },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "h", signature: "s" },
          { type: "tool_use", id: "t", name: "look", input: {} },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "d" }] }] },
    ],
    tools: [{ name: "look", input_schema: SCHEMA }],
    tool_choice: { type: "tool", name: "look" },
    thinking: { type: "enabled", budget_tokens: 1024 },
    metadata: { user_id: "u" },
  },
  "/v1beta/models/m:generateContent": {
    contents: [
      { role: "user", parts: [{ text: "a" }, { inlineData: { mimeType: "image/png", data: PNG } }] },
      { role: "model", parts: [{ functionCall: { name: "look", args: { at: "b" } }, thoughtSignature: "s" }] },
      { role: "user", parts: [{ functionResponse: { name: "look", response: { output: "d" } } }] },
    ],
    systemInstruction: { parts: [{ text: "a" }] },
    tools: [{ functionDeclarations: [{ name: "look", parameters: { type: "OBJECT" } }] }],
    toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["look"] } },
    generationConfig: {
      temperature: 1,
      stopSequences: ["x"],
      responseSchema: { type: "OBJECT" },
      thinkingConfig: { thinkingBudget: 1 },
    },
  },
  "/api/chat": {
    model: "m",
    messages: [
      { role: "user", content: "a", images: [PNG] },
      { role: "assistant", content: "", tool_calls: [{ function: { name: "look", arguments: {} } }] },
      { role: "tool", content: "d", tool_name: "look" },
    ],
    options: { temperature: 1, stop: ["x"], num_predict: 5 },
    tools: [{ type: "function", function: { name: "look", parameters: SCHEMA } }],
    format: SCHEMA,
    think: true,
    stream: false,
  },
  "/v1/embeddings": { model: "m", input: ["a"], dimensions: 2, encoding_format: "float" },
  "/v1/audio/speech": { model: "m", input: "a", voice: "v", response_format: "wav", speed: 1 },
  "/v1/images/generations": { model: "m", prompt: "a", n: 1, size: "1x1", response_format: "url" },
  "/v1/rerank": { model: "m", query: "a", documents: ["a", { text: "b" }], top_n: 1 },
  "/v1beta/models/m:batchEmbedContents": {
    requests: [{ content: { parts: [{ text: "a" }] }, outputDimensionality: 2 }],
  },
  "/api/embed": { model: "m", input: ["a"] },
};

/** Every place in a value, as a path. */
function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, inner]) =>
      places(inner, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

function replaced(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return by;
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as object) };
  copy[head] = replaced(copy[head], rest, by);
  return copy;
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    "",
    "x",
    "data:,",
    "constructor",
    "__proto__",
    [],
    [[]],
    {},
    [null],
    { type: null },
  ),
  fc.json({ maxDepth: 4 }).map((json) => JSON.parse(json) as unknown),
  fc.string(),
);

test("[DW16] Whatever JSON arrives is answered or refused, and no request breaks a door", async () => {
  await using doors = await openDoors([
    registerOpenAiDoor,
    registerAnthropicDoor,
    registerGeminiDoor,
    registerOllamaDoor,
  ]);
  const { app, engine } = doors;
  async function* sound() {
    yield Buffer.from("x");
  }
  engine.script = [START, text("Hi"), END];
  const seed = Date.now() & 0xffffff;
  console.log(`doors fuzz: seed ${seed}`);
  for (const [url, valid] of Object.entries(VALID)) {
    const paths = places(valid);
    const property = fc.asyncProperty(
      fc.constantFrom(...paths),
      odd,
      fc.option(fc.constantFrom(...paths)),
      odd,
      async (path, by, second, bySecond) => {
        engine.results = {
          embed: { model: "m", vectors: [[1]] },
          speak: { mime: "audio/wav", stream: sound(), warnings: [], usage: Promise.resolve(undefined) },
          image: { images: [{ mime: "image/png", data: { url: "https://a.example" } }], warnings: [] },
          rerank: { results: [], warnings: [] },
        };
        let body = replaced(valid, path, by);
        if (second !== null && typeof body === "object" && body !== null) {
          try {
            body = replaced(body, second, bySecond);
          } catch {
            // The first change has removed the place of the second.
          }
        }
        const payload = JSON.stringify(body) ?? "";
        const response = await app.inject({
          method: "POST",
          url,
          headers: { "content-type": "application/json" },
          payload,
        });
        assert.ok(response.statusCode < 500, `${url} ${response.statusCode} for ${payload}: ${response.body}`);
        if (response.statusCode !== 200) assert.match(response.body, /^\{.*"error"/, payload);
      },
    );
    await fc.assert(property, { seed, numRuns: 400 });
  }
});
