import assert from "node:assert/strict";
import test from "node:test";
import { GatewayError, type AnswerPart, type SpeechResponse } from "@fovea/core";
import OpenAI from "openai";
import { registerOpenAiDoor } from "../../packages/gateway/src/http/openai/openai-door.ts";
import { BROKEN, END, endWith, FAILED_END, openDoors, START, text, USAGE, type Scripted } from "./scripted-engine.ts";

const USED = {
  input: { total: 12, cacheRead: 0, cacheWrite: 0 },
  output: { total: 3 },
  source: "provider",
} as const;

async function open() {
  const doors = await openDoors([registerOpenAiDoor]);
  const client = new OpenAI({ apiKey: "k", baseURL: `${doors.url}/v1`, maxRetries: 0 });
  return { ...doors, client, [Symbol.asyncDispose]: () => doors.app.close() };
}

/** Types of the events of a Responses stream, in order, with what matters of each. */
async function playResponse(script: readonly Scripted[]): Promise<string> {
  await using doors = await open();
  doors.engine.script = script;
  const { body } = await doors.app.inject({
    method: "POST",
    url: "/v1/responses",
    payload: { model: "m", input: "hello", stream: true },
  });
  let last = -1;
  return body
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => {
      const [, name = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(event) ?? [];
      const parsed = JSON.parse(data);
      assert.equal(parsed.type, name);
      assert.equal(parsed.sequence_number, ++last);
      return `${name.replace("response.", "")}${parsed.delta === undefined ? "" : `=${parsed.delta}`}`;
    })
    .join(" ");
}

test("[DW41] A Responses stream names its events and numbers them", async () => {
  assert.equal(
    await playResponse([START, text("Hi "), text("you"), USAGE, END]),
    "created in_progress output_item.added content_part.added output_text.delta=Hi  output_text.delta=you output_text.done content_part.done output_item.done completed",
  );
  const calls: AnswerPart[] = [
    { type: "reasoning-delta", index: 0, text: "hm" },
    { type: "tool-start", index: 1, id: "a", name: "look" },
    { type: "tool-delta", index: 1, args: "{}" },
    { type: "tool-end", index: 1, args: "{}" },
  ];
  assert.equal(
    await playResponse([START, ...calls, endWith("tool_calls")]),
    "created in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta=hm reasoning_summary_text.done reasoning_summary_part.done output_item.done output_item.added function_call_arguments.delta={} function_call_arguments.done output_item.done completed",
  );
  assert.match(await playResponse([START, text("Hi"), endWith("length")]), / incomplete$/);
  assert.match(await playResponse([START, text("Hi"), BROKEN, FAILED_END]), / failed error$/);
});

test("[DW40] [DW41] The official client uses Responses", async () => {
  await using doors = await open();
  doors.engine.script = [START, text("Hi"), USAGE, END];
  const input = [
    { role: "developer" as const, content: "Be brief." },
    {
      role: "user" as const,
      content: [
        { type: "input_text" as const, text: "What?" },
        { type: "input_image" as const, image_url: "data:image/png;base64,iVBORw0KGgo=", detail: "auto" as const },
      ],
    },
    { type: "function_call" as const, call_id: "c1", name: "look", arguments: "{}" },
    { type: "function_call_output" as const, call_id: "c1", output: "a cup" },
  ];
  const tools = [{ type: "function" as const, name: "look", parameters: { type: "object" }, strict: false }];
  const answer = await doors.client.responses.create({
    model: "m",
    instructions: "Rule.",
    input,
    tools,
    max_output_tokens: 9,
  });
  assert.equal(answer.output_text, "Hi");
  assert.equal(answer.status, "completed");
  assert.equal(answer.usage?.total_tokens, 15);
  const { chat } = doors.engine.requests[0] ?? assert.fail();
  assert.deepEqual(chat.system, ["Rule.", "Be brief."]);
  assert.deepEqual(
    chat.messages.map((message) => `${message.role}:${message.content.map((part) => part.type).join("+")}`),
    ["user:text+media", "assistant:tool-call", "tool:tool-result"],
  );
  assert.equal(chat.maxOutputTokens, 9);
  doors.engine.script = [START, text("Hi "), text("you"), USAGE, END];
  const stream = doors.client.responses.stream({ model: "m", input: "hello" });
  assert.equal((await stream.finalResponse()).output_text, "Hi you");
  doors.engine.script = [START, text("Hi"), BROKEN, FAILED_END];
  await assert.rejects(async () => {
    for await (const event of await doors.client.responses.create({ model: "m", input: "x", stream: true })) void event;
  }, /the stream broke/);
  for (const param of ["previous_response_id", "conversation", "background", "prompt"]) {
    const refused = doors.client.responses.create({
      model: "m",
      input: "x",
      [param]: param === "background" ? true : "r1",
    });
    await assert.rejects(
      refused,
      (error: InstanceType<typeof OpenAI.APIError>) => error.status === 400 && error.param === param,
    );
  }
});

test("[DW42] Embeddings come as floats or base64", async () => {
  await using doors = await open();
  const vectors = [[0.5, -1], new Float32Array([0.25, 2])];
  doors.engine.results = { embed: { model: "m1", vectors, usage: USED } };
  const both = await doors.client.embeddings.create({ model: "e", input: ["a", "b"], dimensions: 2 });
  assert.deepEqual(
    both.data.map((item) => item.embedding),
    [
      [0.5, -1],
      [0.25, 2],
    ],
  );
  assert.equal(both.usage.prompt_tokens, 12);
  assert.deepEqual(doors.engine.lastInput, { model: "e", input: ["a", "b"], dimensions: 2 });
  const floats = await doors.client.embeddings.create({ model: "e", input: "a", encoding_format: "float" });
  assert.deepEqual(floats.data[0]?.embedding, [0.5, -1]);
  for (const [input, tokens] of [
    [[1, 2], [[1, 2]]],
    [
      [[1, 2], [3]],
      [[1, 2], [3]],
    ],
  ] as const) {
    await doors.client.embeddings.create({ model: "e", input: input as unknown as number[], dimensions: 2 });
    assert.deepEqual(doors.engine.lastInput, { model: "e", input: [], tokens, dimensions: 2 });
  }
  for (const [input, param] of [
    [[1, 1.5], "input[1]"],
    [[[1], []], "input[1]"],
    [[[1], "a"], "input[1]"],
    [[1, "a"], "input[1]"],
  ] as const) {
    await assert.rejects(
      doors.client.embeddings.create({ model: "e", input: input as never }),
      (error: InstanceType<typeof OpenAI.APIError>) => error.status === 400 && error.param === param,
    );
  }
});

function speech(pieces: readonly (string | (() => Promise<void>) | Error)[]): SpeechResponse {
  async function* stream() {
    for (const piece of pieces) {
      if (piece instanceof Error) throw piece;
      if (typeof piece === "string") yield Buffer.from(piece);
      else await piece();
    }
  }
  return { mime: "audio/mpeg", stream: stream(), warnings: [], usage: Promise.resolve(USED), sampleRateHz: 24_000 };
}

test("[DW43] Speech is sent as it comes", async () => {
  await using doors = await open();
  const gate = Promise.withResolvers<void>();
  doors.engine.results = { speak: speech(["one ", () => gate.promise, "two"]) };
  const ask = { model: "tts", input: "hello", voice: "alloy" };
  const response = await doors.client.audio.speech.create(ask);
  assert.equal(response.headers.get("content-type"), "audio/mpeg");
  assert.equal(response.headers.get("x-fovea-cost"), "unpriced");
  let heard = "";
  for await (const piece of response.body ?? []) {
    heard += Buffer.from(piece).toString();
    // The second piece is made only after the first was heard.
    gate.resolve();
  }
  assert.equal(heard, "one two");
  doors.engine.results = { speak: speech(["one"]) };
  const events = await (await doors.client.audio.speech.create({ ...ask, stream_format: "sse" })).text();
  assert.match(events, /"speech\.audio\.delta","audio":"b25l"[\s\S]*"speech\.audio\.done","usage":\{"input_tokens":12/);
  doors.engine.results = { speak: speech(["one", new GatewayError("provider_failed", "cut")]) };
  const cut = await doors.client.audio.speech.create(ask);
  await assert.rejects(cut.arrayBuffer());
  for (const early of [[], [new GatewayError("provider_failed", "down")]]) {
    doors.engine.results = { speak: speech(early) };
    await assert.rejects(doors.client.audio.speech.create(ask), OpenAI.InternalServerError);
  }
});

test("[DW44] Transcriptions take a form and answer in every format", async () => {
  await using doors = await open();
  const segments = [{ text: " Hello there.", startMs: 0, endMs: 1500 }];
  const words = [{ text: "Hello", startMs: 0, endMs: 400 }];
  doors.engine.results = {
    transcribe: { text: "Hello there.", language: "en", durationMs: 1500, segments, words, warnings: [] },
  };
  const file = () => new File([Buffer.from("RIFFdata")], "a.wav", { type: "audio/wav" });
  const { client } = doors;
  const plain = await client.audio.transcriptions.create({
    model: "stt",
    file: file(),
    language: "en",
    temperature: 0.2,
  });
  assert.equal(plain.text, "Hello there.");
  const input = doors.engine.lastInput;
  assert.ok(input !== undefined && "audio" in input);
  assert.equal(
    `${input.audio.fileName} ${input.audio.mime} ${Buffer.from(input.audio.bytes)}`,
    "a.wav audio/wav RIFFdata",
  );
  assert.equal(`${input.language} ${input.temperature}`, "en 0.2");
  const verbose = await client.audio.transcriptions.create({
    model: "stt",
    file: file(),
    response_format: "verbose_json",
    timestamp_granularities: ["word"],
  });
  assert.deepEqual(verbose.words, [{ word: "Hello", start: 0, end: 0.4 }]);
  assert.equal(verbose.segments?.[0]?.end, 1.5);
  assert.equal(verbose.duration, 1.5);
  const srt = await client.audio.transcriptions.create({ model: "stt", file: file(), response_format: "srt" });
  assert.equal(srt, "1\n00:00:00,000 --> 00:00:01,500\nHello there.\n");
  const vtt = await client.audio.transcriptions.create({ model: "stt", file: file(), response_format: "vtt" });
  assert.equal(vtt, "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello there.\n");
  const events = [];
  for await (const event of await client.audio.transcriptions.create({ model: "stt", file: file(), stream: true })) {
    events.push(event.type);
  }
  assert.deepEqual(events, ["transcript.text.delta", "transcript.text.done"]);
  await client.audio.translations.create({ model: "stt", file: file() });
  const asked = doors.engine.lastInput;
  assert.ok(asked !== undefined && "translateToEnglish" in asked && asked.translateToEnglish === true);
});

test("[DW45] Images and ranking answer", async () => {
  await using doors = await open();
  const bytes = Buffer.from("PNG");
  doors.engine.results = {
    image: {
      images: [
        { mime: "image/png", data: { bytes }, revisedPrompt: "a red cup" },
        { mime: "image/png", data: { url: "https://a.example/b.png" } },
      ],
      usage: USED,
      warnings: [],
    },
    rerank: { results: [{ index: 1, score: 0.9 }], warnings: [] },
  };
  const images = await doors.client.images.generate({ model: "img", prompt: "a cup", n: 2, size: "1024x1024" });
  assert.equal(images.data?.[0]?.b64_json, bytes.toString("base64"));
  assert.equal(images.data?.[0]?.revised_prompt, "a red cup");
  assert.equal(images.data?.[1]?.url, "https://a.example/b.png");
  assert.equal(images.usage?.total_tokens, 15);
  const payload = { model: "rank", query: "q", documents: ["a", { text: "b" }], top_n: 1, return_documents: true };
  const ranked = await doors.app.inject({ method: "POST", url: "/v1/rerank", payload });
  assert.deepEqual(JSON.parse(ranked.body).results, [{ index: 1, relevance_score: 0.9, document: { text: "b" } }]);
  assert.deepEqual(doors.engine.lastInput, { model: "rank", query: "q", documents: ["a", "b"], topN: 1 });
});

test("[DW46] Bad input names its field", async () => {
  await using doors = await open();
  const cases: [string, object, string][] = [
    ["/v1/responses", { model: "m" }, "input"],
    ["/v1/responses", { model: "m", input: [] }, "input"],
    ["/v1/responses", { model: "m", input: [{ type: "computer_call" }] }, "input[0].type"],
    [
      "/v1/responses",
      { model: "m", input: [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }] },
      "input[0].content[0].image_url",
    ],
    [
      "/v1/responses",
      { model: "m", input: [{ type: "function_call_output", call_id: "z", output: "" }] },
      "input[0].call_id",
    ],
    ["/v1/responses", { model: "m", input: "x", tools: [{ type: "web_search" }] }, "tools[0].type"],
    ["/v1/embeddings", { model: "m", input: [] }, "input"],
    ["/v1/embeddings", { model: "m", input: ["a", ""] }, "input[1]"],
    ["/v1/embeddings", { model: "m", input: "a", dimensions: 0 }, "dimensions"],
    ["/v1/audio/speech", { model: "m", voice: "v" }, "input"],
    ["/v1/audio/speech", { model: "m", input: "x" }, "voice"],
    ["/v1/audio/speech", { model: "m", input: "x", voice: "v", response_format: "ogg" }, "response_format"],
    ["/v1/audio/speech", { model: "m", input: "x", voice: "v", speed: 9 }, "speed"],
    ["/v1/audio/transcriptions", { model: "m" }, "body"],
    ["/v1/images/generations", { model: "m" }, "prompt"],
    ["/v1/images/generations", { model: "m", prompt: "x", n: 99 }, "n"],
    ["/v1/images/generations", { model: "m", prompt: "x", size: "big" }, "size"],
    ["/v1/rerank", { model: "m", query: "q", documents: [] }, "documents"],
    ["/v1/rerank", { model: "m", query: "q", documents: [{}] }, "documents[0].text"],
  ];
  for (const [url, payload, param] of cases) {
    const response = await doors.app.inject({ method: "POST", url, payload });
    assert.equal(response.statusCode, 400, `${url} ${JSON.stringify(payload)}`);
    assert.equal(JSON.parse(response.body).error.param, param);
  }
  const form = async (fields: Record<string, string | Blob>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    const response = await fetch(`${doors.url}/v1/audio/transcriptions`, { method: "POST", body });
    return `${response.status} ${((await response.json()) as { error: { param: string } }).error.param}`;
  };
  const sound = new Blob(["x"]);
  assert.equal(await form({ model: "m" }), "400 file");
  assert.equal(await form({ file: sound }), "400 model");
  assert.equal(await form({ file: sound, model: "m", response_format: "xml" }), "400 response_format");
  assert.equal(await form({ file: sound, model: "m", temperature: "hot" }), "400 temperature");
  assert.equal(await form({ file: new Blob([new Uint8Array(25.5 * 1024 * 1024)]), model: "m" }), "413 file");
  assert.equal(doors.engine.operations.length, 0);
});
