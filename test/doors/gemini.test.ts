import assert from "node:assert/strict";
import test from "node:test";
import { GatewayError, type AnswerPart, type ErrorCode } from "@fovea/core";
import { type ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from "@google/genai";
import { registerGeminiDoor } from "../../packages/gateway/src/http/gemini/gemini-door.ts";
import { registerModelLists } from "../../packages/gateway/src/http/model-lists.ts";
import { BROKEN, END, endWith, FAILED_END, openDoors, START, text, USAGE, type Scripted } from "./scripted-engine.ts";

const HELLO = { contents: [{ role: "user", parts: [{ text: "hello" }] }] };

async function open() {
  const doors = await openDoors([registerGeminiDoor, registerModelLists]);
  const client = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: doors.url } });
  return { ...doors, client, [Symbol.asyncDispose]: () => doors.app.close() };
}

async function play(script: readonly Scripted[], body: object = HELLO, path = "/v1beta/models/m:generateContent") {
  await using doors = await open();
  doors.engine.script = script;
  const response = await doors.app.inject({ method: "POST", url: path, payload: body });
  return { status: response.statusCode, body: response.body, request: doors.engine.requests[0] };
}

const SSE = "/v1beta/models/m:streamGenerateContent?alt=sse";
const ARRAY = "/v1beta/models/m:streamGenerateContent";

interface FrameShape {
  readonly error?: { readonly status: string; readonly code: number };
  readonly candidates?: readonly {
    readonly content: { readonly parts: readonly Record<string, unknown>[] };
    readonly finishReason?: string;
  }[];
  readonly usageMetadata?: { readonly totalTokenCount: number };
}

function words(frames: readonly FrameShape[]): string {
  return frames
    .map((frame) => {
      if (frame.error !== undefined) return `!${frame.error.status}`;
      const [candidate] = frame.candidates ?? [];
      const parts = (candidate?.content.parts ?? []).map((part) => {
        if (part["functionCall"] !== undefined) return JSON.stringify(part["functionCall"]);
        return `${part["thought"] === true ? "~" : ""}${String(part["text"])}`;
      });
      const finish = candidate?.finishReason === undefined ? "" : `=${candidate.finishReason}`;
      const usage = frame.usageMetadata === undefined ? "" : `/${frame.usageMetadata.totalTokenCount}`;
      return parts.join(",") + finish + usage;
    })
    .join(" ");
}

function framesOf(body: string): FrameShape[] {
  return body
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => JSON.parse(frame.replace(/^data: /, "")));
}

test("[DW81] Streams are frames or one array", async () => {
  const script = [START, text("Hi "), text("you"), USAGE, END];
  assert.equal(words(framesOf((await play(script, HELLO, SSE)).body)), "Hi  you =STOP/15");
  assert.equal(words(JSON.parse((await play(script, HELLO, ARRAY)).body)), "Hi  you =STOP/15");
  const broken = [START, text("Hi"), BROKEN, FAILED_END];
  assert.equal(words(framesOf((await play(broken, HELLO, SSE)).body)), "Hi !INTERNAL");
  assert.equal(words(JSON.parse((await play(broken, HELLO, ARRAY)).body)), "Hi !INTERNAL");
  const whole = JSON.parse((await play(script)).body);
  assert.equal(words([whole]), "Hi you=STOP/15");
  assert.equal(whole.usageMetadata.candidatesTokenCount, 2);
  assert.equal(whole.usageMetadata.thoughtsTokenCount, 1);
  assert.equal(whole.usageMetadata.cachedContentTokenCount, 4);
});

test("[DW81] [DW87] Calls come whole, with their signature", async () => {
  const parts: AnswerPart[] = [
    { type: "reasoning-delta", index: 0, text: "hm" },
    { type: "tool-start", index: 1, id: "c1", name: "look" },
    { type: "tool-delta", index: 1, args: '{"at":"cup"}' },
    { type: "tool-end", index: 1, args: '{"at":"cup"}', opaque: "sig" },
  ];
  const script = [START, ...parts, endWith("tool_calls")];
  const body = { ...HELLO, generationConfig: { thinkingConfig: { includeThoughts: true } } };
  const frames = framesOf((await play(script, body, SSE)).body);
  assert.equal(words(frames), '~hm {"id":"c1","name":"look","args":{"at":"cup"}} =STOP');
  const signed = { functionCall: { id: "c1", name: "look", args: { at: "cup" } }, thoughtSignature: "sig" };
  assert.deepEqual(frames[1]?.candidates?.[0]?.content.parts[0], signed);
  assert.deepEqual(JSON.parse((await play(script)).body).candidates[0].content.parts, [signed]);
  const back = await play([START, END], { contents: [...HELLO.contents, { role: "model", parts: [signed] }] });
  const [call] = back.request?.chat.messages[1]?.content ?? [];
  assert.deepEqual(call?.type === "tool-call" ? call.opaque : undefined, { provider: "google", value: "sig" });
});

test("[DW82] Every spelling of the path reaches the model", async () => {
  const spell = async (path: string) => {
    const { status, request } = await play([START, END], HELLO, path);
    return `${status} ${request?.model ?? "-"}`;
  };
  assert.equal(await spell("/v1/models/m:generateContent"), "200 m");
  assert.equal(await spell("/v1alpha/models/m:generateContent?key=k"), "200 m");
  assert.equal(await spell("/v1beta/models/m%3AgenerateContent"), "200 m");
  assert.equal(await spell("/v1beta/models/models/m:generateContent"), "200 m");
  assert.equal(await spell("/v1beta/models/primary/m1:generateContent"), "200 primary/m1");
  assert.equal(await spell("/v1beta/models/hf.co/a/b:Q8_0:generateContent"), "200 hf.co/a/b:Q8_0");
  assert.equal(await spell("/v1beta/primary/m1:generateContent"), "200 primary/m1");
  assert.equal(await spell("/v1beta/tunedModels/t:generateContent"), "200 t");
  assert.equal(await spell("/v1beta/models/m:frobnicate"), "404 -");
  assert.equal(await spell("/v1beta/models/m:constructor"), "404 -");
  assert.equal(await spell("/v1beta/models/m"), "404 -");
});

test("[DW83] Errors have Google's form", async () => {
  const wording = async (code: ErrorCode) => {
    const { status, body } = await play([new GatewayError(code, "x", { retryAfterMs: 1500 })]);
    const { error } = JSON.parse(body);
    assert.equal(error.code, status);
    const retry = error.details.find((detail: Record<string, string>) => detail["@type"]?.endsWith("RetryInfo"));
    assert.equal(retry.retryDelay, "1.5s");
    return `${status} ${error.status}`;
  };
  assert.equal(await wording("rate_limited"), "429 RESOURCE_EXHAUSTED");
  assert.equal(await wording("overloaded"), "503 UNAVAILABLE");
  assert.equal(await wording("credentials_invalid"), "401 UNAUTHENTICATED");
  assert.equal(await wording("model_unknown"), "404 NOT_FOUND");
  assert.equal(await wording("provider_timeout"), "504 DEADLINE_EXCEEDED");
  assert.equal(await wording("provider_failed"), "502 INTERNAL");
  const blocked = await play([new GatewayError("content_filtered", "x")]);
  assert.equal(blocked.status, 200);
  assert.equal(JSON.parse(blocked.body).promptFeedback.blockReason, "SAFETY");
  const field = JSON.parse((await play([], { contents: [] })).body).error;
  assert.match(JSON.stringify(field.details), /"field":"contents"/);
});

test("[DW80] Everything in a request becomes canonical, in either spelling", async () => {
  const schema = { type: "OBJECT", properties: { type: { type: "STRING", nullable: true } } };
  const asJson = { type: "object", properties: { type: { type: ["string", "null"] } } };
  const call = (args: object) => ({ functionCall: { name: "look", args } });
  const contents = [
    { role: "user", parts: [{ text: "What?" }, { inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } }] },
    { role: "model", parts: [{ text: "hm", thought: true }, call({ a_b: 1 }), call({ a_b: 2 })] },
    {
      role: "user",
      parts: [
        { functionResponse: { name: "look", response: { output: "red" } } },
        { functionResponse: { name: "look", response: { error: "gone" } } },
        { text: "And?" },
      ],
    },
  ];
  const camel = {
    contents,
    systemInstruction: { parts: [{ text: "Be brief." }] },
    tools: [{ functionDeclarations: [{ name: "look", description: "d", parameters: schema }] }],
    toolConfig: { functionCallingConfig: { mode: "ANY" } },
    generationConfig: {
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      maxOutputTokens: 20,
      stopSequences: ["END"],
      seed: 7,
      responseMimeType: "application/json",
      responseSchema: schema,
      thinkingConfig: { includeThoughts: true, thinkingBudget: 512 },
    },
    safetySettings: [],
  };
  const snake = JSON.parse(
    JSON.stringify(camel).replaceAll(/"([a-z]+(?:[A-Z][a-z]+)+)":/g, (_, name: string) => {
      const spelled = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return `"${spelled}":`;
    }),
  );
  assert.ok("generation_config" in snake);
  for (const body of [camel, snake]) {
    const { request, status } = await play([START, END], body);
    assert.equal(status, 200);
    const { messages, ...rest } = request?.chat ?? assert.fail();
    assert.deepEqual(
      messages.map((message) => `${message.role}:${message.content.map((part) => part.type).join("+")}`),
      ["user:text+media", "assistant:reasoning+tool-call+tool-call", "tool:tool-result+tool-result", "user:text"],
    );
    const [, first, second] = messages[1]?.content ?? [];
    const [answer, other] = messages[2]?.content ?? [];
    assert.ok(first?.type === "tool-call" && second?.type === "tool-call");
    assert.ok(answer?.type === "tool-result" && other?.type === "tool-result");
    assert.equal(first.args, '{"a_b":1}');
    assert.equal(`${answer.id} ${other.id} ${other.isError}`, `${first.id} ${second.id} true`);
    assert.deepEqual(rest, {
      system: ["Be brief."],
      tools: [{ name: "look", description: "d", schema: asJson }],
      toolChoice: "required",
      sampling: { temperature: 0.5, topP: 0.9, topK: 40, seed: 7, stop: ["END"] },
      maxOutputTokens: 20,
      output: { kind: "schema", name: "answer", schema: asJson, strict: true },
      reasoning: { budgetTokens: 512, show: true },
    });
  }
});

test("[DW80] Bad input is refused and named", async () => {
  const parts = (...list: object[]) => ({ contents: [{ parts: list }] });
  const config = (generationConfig: object) => ({ ...HELLO, generationConfig });
  const deep = JSON.parse(`${'{"a":'.repeat(200)}1${"}".repeat(200)}`);
  const cases: [object, string][] = [
    [{}, "contents"],
    [{ contents: [{ role: "wizard", parts: [{ text: "x" }] }] }, "contents[0].role"],
    [{ contents: [{ role: "user" }] }, "contents[0].parts"],
    [parts({}), "contents[0].parts[0]"],
    [parts({ inlineData: { mimeType: "image/png", data: "%%" } }), "contents[0].parts[0].inlineData.data"],
    [parts({ fileData: { fileUri: "gs://x" } }), "contents[0].parts[0].fileData.fileUri"],
    [parts({ functionResponse: { name: "look", response: {} } }), "contents[0].parts[0].functionResponse.name"],
    [{ ...HELLO, tools: [{ googleSearch: {} }] }, "tools[0].googleSearch"],
    [{ ...HELLO, cachedContent: "c" }, "cachedContent"],
    [config({ candidateCount: 2 }), "generationConfig.candidateCount"],
    [config({ temperature: 9 }), "generationConfig.temperature"],
    [config({ responseMimeType: "text/x.enum" }), "generationConfig.responseMimeType"],
    [config({ responseSchema: deep }), "body"],
  ];
  for (const [body, field] of cases) {
    const answer = await play([START, END], body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    const { error } = JSON.parse(answer.body);
    assert.equal(error.status, "INVALID_ARGUMENT");
    assert.ok(error.message.startsWith(`${field}:`), error.message);
  }
});

test("[DW84] Embeddings and token counts answer", async () => {
  await using doors = await open();
  doors.engine.results = { embed: { model: "m1", vectors: [[0.5], [1]] } };
  const post = async (method: string, payload: object) =>
    JSON.parse((await doors.app.inject({ method: "POST", url: `/v1beta/models/e:${method}`, payload })).body);
  const content = { parts: [{ text: "a" }] };
  assert.deepEqual(await post("embedContent", { content, taskType: "RETRIEVAL_QUERY" }), {
    embedding: { values: [0.5] },
  });
  assert.deepEqual(doors.engine.lastInput, { model: "e", input: ["a"], purpose: "query" });
  const requests = [
    { model: "models/e", content, outputDimensionality: 1 },
    { content, outputDimensionality: 1 },
  ];
  assert.deepEqual(await post("batchEmbedContents", { requests }), {
    embeddings: [{ values: [0.5] }, { values: [1] }],
  });
  assert.deepEqual(doors.engine.lastInput, { model: "e", input: ["a", "a"], dimensions: 1 });
  assert.deepEqual(await post("countTokens", { contents: [{ parts: [{ text: "x".repeat(40) }] }] }), {
    totalTokens: 10,
  });
});

test("[DW85] The model list takes the caller's shape", async () => {
  await using doors = await open();
  const look = async (headers: Record<string, string>, url = "/v1/models") => {
    const body = JSON.parse((await doors.app.inject({ url, headers })).body);
    return Object.keys(body).sort().join(" ");
  };
  assert.equal(await look({ authorization: "Bearer k" }), "data object");
  assert.equal(await look({ "x-api-key": "k" }), "data first_id has_more last_id");
  assert.equal(await look({ "anthropic-version": "2023-06-01" }), "data first_id has_more last_id");
  assert.equal(await look({ "x-goog-api-key": "k" }), "models");
  assert.equal(await look({}, "/v1/models?key=k"), "models");
  assert.equal(await look({}, "/v1beta/models"), "models");
  const lost = await doors.app.inject({ url: "/v1/models/nothing", headers: { "x-goog-api-key": "k" } });
  assert.equal(JSON.parse(lost.body).error.status, "NOT_FOUND");
});

test("[DW86] The official client generates, streams, calls functions, embeds and gets typed errors", async () => {
  await using doors = await open();
  const { client, engine } = doors;
  const ask = { model: "m", contents: "hello" };
  engine.script = [START, text("Hi"), USAGE, END];
  const whole = await client.models.generateContent({
    ...ask,
    config: { systemInstruction: "Be brief.", temperature: 0.1 },
  });
  assert.equal(whole.text, "Hi");
  assert.equal(whole.usageMetadata?.totalTokenCount, 15);
  assert.deepEqual(engine.requests[0]?.chat.system, ["Be brief."]);
  engine.script = [START, text("Hi "), text("you"), USAGE, END];
  let streamed = "";
  for await (const chunk of await client.models.generateContentStream(ask)) streamed += chunk.text ?? "";
  assert.equal(streamed, "Hi you");
  engine.script = [
    START,
    { type: "tool-start", index: 0, id: "c1", name: "look" },
    { type: "tool-end", index: 0, args: '{"at":"cup"}' },
    endWith("tool_calls"),
  ];
  const parameters = { type: Type.OBJECT, properties: { at: { type: Type.STRING } } };
  const called = await client.models.generateContent({
    ...ask,
    config: {
      tools: [{ functionDeclarations: [{ name: "look", parameters }] }],
      toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
    },
  });
  assert.deepEqual(called.functionCalls, [{ id: "c1", name: "look", args: { at: "cup" } }]);
  assert.deepEqual(engine.requests.at(-1)?.chat.tools?.[0]?.schema, {
    type: "object",
    properties: { at: { type: "string" } },
  });
  engine.results = { embed: { model: "m1", vectors: [[0.5]] } };
  const embedded = await client.models.embedContent({ model: "e", contents: "a" });
  assert.deepEqual(embedded.embeddings?.[0]?.values, [0.5]);
  const names = [];
  for await (const model of await client.models.list()) names.push(model.name);
  assert.deepEqual(names, ["models/primary/m1", "models/assistant"]);
  engine.script = [new GatewayError("overloaded", "busy")];
  await assert.rejects(client.models.generateContent(ask), (error: ApiError) => error.status === 503);
  engine.script = [START, text("Hi"), BROKEN, FAILED_END];
  await assert.rejects(async () => {
    for await (const chunk of await client.models.generateContentStream(ask)) void chunk;
  }, /the stream broke/);
});
