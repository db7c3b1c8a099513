import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { FakeClock } from "@fovea/core/testing";
import { GoogleGenAI } from "@google/genai";
import { InferenceClient } from "@huggingface/inference";
import { CohereClientV2 } from "cohere-ai";
import { Ollama } from "ollama";
import OpenAI from "openai";
import Replicate from "replicate";
import Together from "together-ai";
import {
  startEmulator,
  type Emulator,
  type ProviderName,
  type ScenarioInput,
} from "../../packages/gateway/emulator/index.ts";

type Answer = NonNullable<NonNullable<ScenarioInput["rules"]>[number]["answer"]>;

const user = [{ role: "user" as const, content: "what is this" }];
const SAID = "You said: what is this";
const schema = { type: "object" as const, properties: { at: { type: "string" } } };
const functionTool = { type: "function" as const, function: { name: "look", parameters: schema } };

async function withEmulator<T>(
  provider: ProviderName,
  answer: Answer,
  run: (emulator: Emulator) => Promise<T>,
): Promise<T> {
  await using emulator = await startEmulator({ provider, scenario: { rules: [{ answer }] } });
  return await run(emulator);
}

async function joined<T>(stream: AsyncIterable<T>, pick: (item: T) => string | null | undefined): Promise<string> {
  let out = "";
  for await (const item of stream) out += pick(item) ?? "";
  return out;
}

async function raw(
  emulator: Emulator,
  path: string,
  init: { json?: unknown; headers?: Record<string, string>; method?: string } = {},
) {
  const response = await fetch(emulator.url + path, {
    method: init.method ?? (init.json === undefined ? "GET" : "POST"),
    headers: { authorization: "Bearer k", "content-type": "application/json", ...init.headers },
    ...(init.json === undefined ? {} : { body: JSON.stringify(init.json) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test("[EM40] OpenAI", async () => {
  await withEmulator("openai", {}, async (emulator) => {
    const client = new OpenAI({ apiKey: "k", baseURL: emulator.baseUrl, maxRetries: 0 });
    const whole = await client.chat.completions.create({ model: "m", messages: user });
    assert.equal(whole.choices[0]?.message.content, SAID);
    const chunks = await client.chat.completions.create({
      model: "m",
      messages: user,
      stream: true,
      stream_options: { include_usage: true },
    });
    let usage = 0;
    const said = await joined(chunks, (chunk) => {
      usage += chunk.usage?.total_tokens ?? 0;
      return chunk.choices[0]?.delta.content;
    });
    assert.equal(said, SAID);
    assert.equal(usage, whole.usage?.total_tokens);
    const called = await client.chat.completions
      .stream({ model: "m", messages: user, tools: [functionTool] })
      .finalChatCompletion();
    const [call] = called.choices[0]?.message.tool_calls ?? [];
    assert.equal(call?.type === "function" ? call.function.arguments : "", '{"at":"example"}');
    assert.equal((await client.responses.create({ model: "m", input: "what is this" })).output_text, SAID);
    const final = await client.responses.stream({ model: "m", input: "what is this" }).finalResponse();
    assert.equal(final.output_text, SAID);
    assert.equal(
      (await client.embeddings.create({ model: "m", input: ["a", "b"], dimensions: 8 })).data[1]?.embedding.length,
      8,
    );
    const sound = await client.audio.speech.create({ model: "m", input: "hi", voice: "alloy", response_format: "wav" });
    assert.equal(Buffer.from(await sound.arrayBuffer()).toString("latin1", 0, 4), "RIFF");
    const file = new File(["x"], "a.wav");
    assert.equal((await client.audio.transcriptions.create({ model: "m", file })).text, "You said something.");
    const heard = await client.audio.transcriptions.create({ model: "m", file, stream: true });
    assert.equal(
      await joined(heard, (event) => (event.type === "transcript.text.delta" ? event.delta : "")),
      "You said something.",
    );
    const images = await client.images.generate({ model: "m", prompt: "a cup" });
    assert.equal(Buffer.from(images.data?.[0]?.b64_json ?? "", "base64").toString("latin1", 1, 4), "PNG");
    assert.ok((await client.models.list()).data.some((model) => "shutdown_date" in model));
    const bare = await raw(emulator, "/v1/chat/completions", { json: { model: "m", messages: user, stream: true } });
    assert.match(bare.text, /"obfuscation":"x+"/);
    assert.match(bare.headers.get("x-ratelimit-reset-requests") ?? "", /^(\d+m)?[\d.]+m?s$/);
    emulator.setScenario({ rules: [{ status: 429, error: "credit_balance_exhausted" }] });
    await assert.rejects(
      client.chat.completions.create({ model: "m", messages: user }),
      (error: InstanceType<typeof OpenAI.RateLimitError>) => {
        return error.type === "insufficient_quota" && error.code === "credit_balance_exhausted";
      },
    );
  });
});

test("[EM41] Anthropic", async () => {
  const ask = { model: "m", max_tokens: 50, messages: user };
  await withEmulator("anthropic", { reasoning: "hm hm" }, async (emulator) => {
    const client = new Anthropic({ apiKey: "k", baseURL: emulator.baseUrl, maxRetries: 0 });
    assert.deepEqual((await client.messages.create(ask)).content, [{ type: "text", text: SAID }]);
    const thinking = { type: "enabled" as const, budget_tokens: 1024 };
    const [thought, text] = (await client.messages.stream({ ...ask, thinking }).finalMessage()).content;
    assert.ok(thought?.type === "thinking" && text?.type === "text");
    assert.equal(`${thought.thinking}|${text.text}`, `hm hm|${SAID}`);
    assert.ok(thought.signature.length > 0);
    const tools = [{ name: "look", input_schema: schema }];
    const [call] = (await client.messages.stream({ ...ask, tools }).finalMessage()).content;
    assert.deepEqual(call?.type === "tool_use" ? call.input : "", { at: "example" });
    assert.ok((await client.messages.countTokens({ model: "m", messages: user })).input_tokens > 0);
    assert.equal((await client.models.list()).data[0]?.type, "model");
    const json = { ...ask, stream: true };
    assert.equal((await raw(emulator, "/v1/messages", { json })).status, 400);
    const headers = { "anthropic-version": "2023-06-01" };
    const limited = await raw(emulator, "/v1/messages", { json, headers });
    assert.match(limited.text, /event: ping\ndata: \{"type":"ping"\}/);
    assert.match(limited.headers.get("anthropic-ratelimit-requests-reset") ?? "", /^\d{4}-\d\d-\d\dT[\d:]+Z$/);
    emulator.setScenario({ rules: [{ answer: { toolCalls: [{ name: "look", arguments: { a: 1 }, whole: true }] } }] });
    assert.match(
      (await raw(emulator, "/v1/messages", { json, headers })).text,
      /"content_block":\{[^}]*"input":\{"a":1\}/,
    );
    emulator.setScenario({ rules: [{ status: 529 }] });
    await assert.rejects(
      client.messages.create(ask),
      (error: InstanceType<typeof Anthropic.APIError>) => error.status === 529,
    );
    emulator.setScenario({ rules: [{ fault: "error@0" }] });
    await assert.rejects(client.messages.stream(ask).finalMessage(), /Overloaded/);
    emulator.setScenario({ rules: [{ answer: { usage: { input: 100, cached: 60, cacheWrite: 10, output: 5 } } }] });
    const { usage } = await client.messages.create(ask);
    assert.equal(
      `${usage.input_tokens} ${usage.cache_read_input_tokens} ${usage.cache_creation_input_tokens}`,
      "30 60 10",
    );
  });
});

test("[EM42] Google", async () => {
  const ask = { model: "m", contents: "what is this" };
  await withEmulator("google", { reasoning: "hm hm" }, async (emulator) => {
    const client = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: emulator.baseUrl } });
    const whole = await client.models.generateContent(ask);
    assert.equal(whole.text, SAID);
    const config = { thinkingConfig: { includeThoughts: true } };
    const thoughts: string[] = [];
    const counts: number[] = [];
    const said = await joined(await client.models.generateContentStream({ ...ask, config }), (chunk) => {
      for (const part of chunk.candidates?.[0]?.content?.parts ?? [])
        if (part.thought === true) thoughts.push(part.text ?? "");
      counts.push(chunk.usageMetadata?.candidatesTokenCount ?? -1);
      return chunk.text;
    });
    assert.equal(said, SAID);
    assert.equal(thoughts.join(""), "hm hm");
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => a - b),
    );
    const declaration = { name: "look", parametersJsonSchema: schema };
    const called = await client.models.generateContent({
      ...ask,
      config: { tools: [{ functionDeclarations: [declaration] }] },
    });
    assert.deepEqual(called.functionCalls, [{ name: "look", args: { at: "example" } }]);
    assert.ok(called.candidates?.[0]?.content?.parts?.[0]?.thoughtSignature !== undefined);
    assert.equal((await client.models.embedContent({ model: "e", contents: ["a", "b"] })).embeddings?.length, 2);
    assert.equal((await client.models.countTokens(ask)).totalTokens, 3);
    const body = { contents: [{ role: "user", parts: [{ text: "x y" }] }] };
    const events = await raw(emulator, "/v1beta/models/m:streamGenerateContent?alt=sse&key=k", { json: body });
    assert.ok(events.text.includes("\r\n\r\n") && !events.text.includes("[DONE]"));
    assert.deepEqual(
      [...events.headers.keys()].filter((name) => name.includes("ratelimit")),
      [],
    );
    const array = JSON.parse((await raw(emulator, "/v1alpha/models/m:streamGenerateContent", { json: body })).text);
    assert.equal(array.at(-1).candidates[0].finishReason, "STOP");
    emulator.setScenario({ rules: [{ status: 429 }] });
    const quota = JSON.parse((await raw(emulator, "/v1/models/m:generateContent", { json: body })).text).error;
    assert.match(JSON.stringify(quota.details), /PerMinute.*"retryDelay":"34\.4s"/);
    emulator.setScenario({ rules: [{ status: 429, error: "per_day" }] });
    await assert.rejects(client.models.generateContent(ask), /PerDay/);
    emulator.setScenario({ rules: [{ answer: { filter: "before" } }] });
    assert.equal((await client.models.generateContent(ask)).promptFeedback?.blockReason, "SAFETY");
    emulator.setScenario({ rules: [{ answer: { text: "one two three", extra: { continueAfter: 2 } } }] });
    const first = JSON.parse((await raw(emulator, "/v1/models/m:generateContent", { json: body })).text).candidates[0];
    const next = { ...body, continuationToken: first.continuationToken };
    const second = JSON.parse((await raw(emulator, "/v1/models/m:generateContent", { json: next })).text).candidates[0];
    assert.equal(first.finishReason, "CONTINUATION");
    assert.equal(`${first.content.parts[0].text}|${second.content.parts[0].text}`, "one two| three");
    const toolCalls = [{ name: "look", arguments: { at: "cup", n: 2 } }];
    emulator.setScenario({ rules: [{ answer: { toolCalls, extra: { partialArgs: true } } }] });
    const partial = await raw(emulator, "/v1beta/models/m:streamGenerateContent?alt=sse", { json: body });
    assert.match(partial.text, /"jsonPath":"\$\.at","stringValue":"c","willContinue":true/);
  });
});

test("[EM43] Cohere", async () => {
  const ask = { model: "m", messages: user };
  await withEmulator("cohere", {}, async (emulator) => {
    const client = new CohereClientV2({ token: "k", environment: emulator.baseUrl });
    const whole = await client.chat(ask);
    assert.deepEqual(whole.message.content, [{ type: "text", text: SAID }]);
    assert.notEqual(whole.usage?.billedUnits?.inputTokens, whole.usage?.tokens?.inputTokens);
    const said = await joined(await client.chatStream(ask), (event) =>
      event.type === "content-delta" ? event.delta?.message?.content?.text : "",
    );
    assert.equal(said, SAID);
    const called = await client.chat({ ...ask, tools: [functionTool] });
    assert.equal(called.message.toolCalls?.[0]?.function?.arguments, '{"at":"example"}');
    const args = await joined(await client.chatStream({ ...ask, tools: [functionTool] }), (event) =>
      event.type === "tool-call-delta" ? event.delta?.message?.toolCalls?.function?.arguments : "",
    );
    assert.equal(args, '{"at":"example"}');
    const embedded = await client.embed({
      model: "m",
      texts: ["a"],
      inputType: "search_query",
      embeddingTypes: ["float"],
    });
    assert.equal(embedded.embeddings.float?.[0]?.length, 1024);
    const ranked = await client.rerank({ model: "m", query: "red cup", documents: ["a lamp", "the red cup"] });
    assert.equal(ranked.results[0]?.index, 1);
    assert.equal((await raw(emulator, "/v2/embed", { json: { model: "m", texts: ["a"] } })).status, 400);
    assert.equal((await raw(emulator, "/v2/chat", { json: { ...ask, tool_choice: "auto" } })).status, 400);
    assert.equal((await client.models.list()).models.length, 3);
    emulator.setScenario({ rules: [{ status: 498 }] });
    const refused = await raw(emulator, "/v2/chat", { json: ask });
    assert.equal(`${refused.status} ${JSON.parse(refused.text).message}`, "498 invalid api token");
    emulator.setScenario({ rules: [{ fault: "error@1" }] });
    const broken = await raw(emulator, "/v2/chat", { json: { ...ask, stream: true } });
    assert.match(broken.text, /event: message-end\ndata: .*"finish_reason":"ERROR"/);
  });
});

test("[EM44] Together", async () => {
  await withEmulator("together", {}, async (emulator) => {
    const client = new Together({ apiKey: "k", baseURL: emulator.baseUrl, maxRetries: 0 });
    const ask = { model: "m", messages: user };
    const whole = await client.chat.completions.create(ask);
    assert.equal(`${whole.choices[0]?.message?.content} ${whole.choices[0]?.finish_reason}`, `${SAID} eos`);
    const chunks = await client.chat.completions.create({ ...ask, stream: true });
    assert.equal(await joined(chunks, (chunk) => chunk.choices[0]?.delta.content), SAID);
    assert.ok((await client.models.list()).length > 3);
    assert.equal(
      (await client.rerank.create({ model: "m", query: "red", documents: ["a", "red"] })).results[0]?.index,
      1,
    );
    assert.equal((await client.embeddings.create({ model: "m", input: "a" })).data.length, 1);
    const stream = { model: "m", input: "hi", voice: "v", stream: true, response_format: "raw" };
    const speech = await raw(emulator, "/v1/audio/speech", { json: stream });
    assert.match(speech.text, /^data: \{"object":"audio\.tts\.chunk"[\s\S]*data: \[DONE\]\n\n$/);
    const doubled = await raw(emulator, "/v1/chat/completions", { json: { ...ask, stream: true } });
    assert.match(doubled.text, /"content":"You"[^\n]*"text":"You"/);
    for (const status of [429, 503]) {
      emulator.setScenario({ rules: [{ status }] });
      await assert.rejects(
        client.chat.completions.create(ask),
        (error: { status?: number }) => error.status === status,
      );
    }
  });
});

test("[EM44] Together's jobs", async () => {
  const clock = new FakeClock();
  const scenario = { rules: [{ answer: { jobMs: 10_000 } }] };
  await using emulator = await startEmulator({ provider: "together", clock, scenario });
  const look = async (path: string, json?: unknown) => {
    const { status, text } = await raw(emulator, path, json === undefined ? {} : { json });
    return { status, body: JSON.parse(text) };
  };
  const video = (await look("/v2/videos", { model: "m", prompt: "x" })).body.id;
  const waiting = (await look("/v1/queue/submit", { model: "m" })).body.request_id;
  assert.equal((await look(`/v2/videos/${video}`)).body.status, "in_progress");
  assert.equal((await look("/v1/queue/cancel", { request_id: waiting })).body.status, "canceled");
  const running = (await look("/v1/queue/submit", { model: "m" })).body.request_id;
  clock.advance(5000);
  const late = await look("/v1/queue/cancel", { request_id: running });
  assert.equal(`${late.status} ${late.body.status}`, "409 running");
  clock.advance(5000);
  assert.equal((await look(`/v2/videos/${video}`)).body.status, "completed");
});

test("[EM45] Hugging Face", async () => {
  await withEmulator("huggingface", {}, async (emulator) => {
    const client = new InferenceClient("hf_k");
    const endpoint = client.endpoint(emulator.url);
    const whole = await endpoint.chatCompletion({ model: "m:together", messages: user });
    assert.equal(`${whole.choices[0]?.message.content} ${whole.choices[0]?.finish_reason}`, `${SAID} eos`);
    const chunks = endpoint.chatCompletionStream({ model: "m:groq", messages: user });
    assert.equal(await joined(chunks, (chunk) => chunk.choices[0]?.delta.content), SAID);
    const features = await client.endpoint(`${emulator.url}/models/bge`).featureExtraction({ inputs: "a" });
    assert.equal((features as number[]).length, 384);
    const objects = await client.endpoint(`${emulator.url}/models/detr`).objectDetection({ data: new Blob(["x"]) });
    assert.deepEqual(objects[0], { score: 0.98, label: "cup", box: { xmin: 64, ymin: 48, xmax: 128, ymax: 144 } });
    const models = JSON.parse((await raw(emulator, "/v1/models")).text).data;
    assert.equal(models[0].providers[0].pricing.input, 0.05);
    const forms: Record<string, RegExp> = {
      string: /^\{"error":"no"\}$/,
      array: /^\{"error":\["no"\]\}$/,
      object: /^\{"error":\{"message":"no"/,
      message: /^\{"message":"no"\}$/,
      detail: /^\{"detail":"no"\}$/,
      text: /^no$/,
    };
    for (const [error, form] of Object.entries(forms)) {
      emulator.setScenario({ rules: [{ status: 422, error, message: "no" }] });
      assert.match((await raw(emulator, "/v1/chat/completions", { json: {} })).text, form);
    }
    emulator.setScenario({ rules: [{ status: 503 }] });
    const loading = JSON.parse((await raw(emulator, "/hf-inference/models/x", { json: {} })).text);
    assert.equal(loading.estimated_time, 20);
  });
  const clock = new FakeClock();
  await using sleepy = await startEmulator({
    provider: "huggingface",
    clock,
    scenario: { rules: [{ answer: { jobMs: 5000 } }] },
  });
  const ask = async () =>
    (await raw(sleepy, "/endpoint/room/v1/chat/completions", { json: { model: "tgi", messages: user } })).status;
  const state = async () => JSON.parse((await raw(sleepy, "/v2/endpoint/me/room")).text).status.state;
  assert.equal(await state(), "scaledToZero");
  assert.equal(await ask(), 503);
  assert.equal(await state(), "initializing");
  clock.advance(5000);
  assert.equal(await state(), "running");
  assert.equal(await ask(), 200);
});

test("[EM46] Replicate", async () => {
  await withEmulator("replicate", { jobMs: 30 }, async (emulator) => {
    const client = new Replicate({ auth: "r8_k", baseUrl: emulator.baseUrl });
    const words = await client.run("meta/meta-llama-3-8b-instruct", { input: { prompt: "what is this" } });
    assert.equal((words as string[]).join(""), SAID);
    const events: string[] = [];
    for await (const event of client.stream("meta/meta-llama-3-8b-instruct", { input: { prompt: "hi" } }))
      events.push(event.event);
    assert.equal(events.join(" "), "output output output done");
    const model = await client.models.get("firtoz", "trellis");
    assert.match(JSON.stringify(model.latest_version?.openapi_schema), /"texture_size":\{"type":"integer"/);
  });
});

test("[EM46] Replicate's jobs wait, cancel, expire and call back", async () => {
  const clock = new FakeClock();
  const answer = { jobMs: 10_000, filesExpireMs: 60_000 };
  await using emulator = await startEmulator({ provider: "replicate", clock, scenario: { rules: [{ answer }] } });
  const create = async (json: object, headers: Record<string, string> = {}) => {
    const answered = raw(emulator, "/v1/models/firtoz/trellis/predictions", { json, headers });
    return answered.then(({ status, text, headers: sent }) => ({ status, body: JSON.parse(text), sent }));
  };
  const calls: { readonly headers: Record<string, unknown>; readonly body: string }[] = [];
  let failures = 1;
  const hook = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (failures-- > 0) return response.writeHead(500).end();
      calls.push({ headers: request.headers, body });
      return response.end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
  const webhook = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
  const input = { images: ["x"] };
  const job = (await create({ input, webhook, webhook_events_filter: ["completed"] })).body;
  assert.equal(job.status, "starting");
  const look = async () => JSON.parse((await raw(emulator, `/v1/predictions/${job.id}`)).text);
  clock.advance(5000);
  assert.equal(`${(await look()).status} ${(await look()).logs}`, "processing working: 50%");
  const other = (await create({ input })).body;
  assert.equal(
    JSON.parse((await raw(emulator, `/v1/predictions/${other.id}/cancel`, { method: "POST" })).text).status,
    "canceled",
  );
  clock.advance(5000);
  const done = await look();
  assert.equal(`${done.status} ${done.metrics.predict_time}`, "succeeded 10");
  const path = new URL(done.output.model_file).pathname;
  assert.equal((await raw(emulator, path)).text.slice(0, 4), "glTF");
  assert.equal((await fetch(emulator.url + path)).status, 401);
  for (let tries = 0; tries < 400 && calls.length === 0; tries++) {
    clock.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const [call] = calls;
  assert.ok(call !== undefined, "the callback came again after it was refused");
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = call.headers;
  const key = Buffer.from("ZW11bGF0b3Itc2VjcmV0", "base64");
  assert.equal(
    signature,
    `v1,${createHmac("sha256", key)
      .update(`${String(id)}.${String(at)}.${call.body}`)
      .digest("base64")}`,
  );
  assert.equal(JSON.parse(call.body).status, "succeeded");
  clock.advance(60_000);
  assert.equal((await look()).data_removed, true);
  assert.equal((await look()).output, null);
  assert.equal((await raw(emulator, path)).status, 404);
  const patch = async (json: object) =>
    (await raw(emulator, "/v1/deployments/me/room", { method: "PATCH", json })).status;
  assert.equal(await patch({ min_instances: 1, max_instances: 3 }), 200);
  assert.equal(await patch({ min_instances: 9 }), 400);
  emulator.setScenario({ rules: [{ status: 429 }] });
  const throttled = await create({ input });
  assert.match(throttled.body.detail, /resets in ~30s/);
  assert.equal(throttled.sent.get("retry-after"), null);
  await new Promise((resolve) => hook.close(resolve));
});

test("[EM47] World Labs", async () => {
  const clock = new FakeClock();
  const answer = { jobMs: 10_000, filesExpireMs: 60_000 };
  await using emulator = await startEmulator({ provider: "worldlabs", clock, scenario: { rules: [{ answer }] } });
  const headers = { "WLT-Api-Key": "k" };
  const send = async (path: string, json?: unknown) => {
    const answered = await raw(emulator, `/marble/v1/${path}`, { headers, ...(json === undefined ? {} : { json }) });
    return { status: answered.status, body: JSON.parse(answered.text) };
  };
  const ask = { display_name: "room", world_prompt: { type: "text", text_prompt: "a room" } };
  assert.equal((await raw(emulator, "/marble/v1/worlds:generate", { json: ask })).status, 401);
  const refused = await send("worlds:generate", { ...ask, display_name: "x".repeat(65) });
  assert.equal(`${refused.status} ${refused.body.detail[0].loc.join(".")}`, "422 body.display_name");
  const { operation_id: id } = (await send("worlds:generate", ask)).body;
  assert.equal((await send(`operations/${id}`)).body.done, false);
  clock.advance(10_000);
  const { body } = await send(`operations/${id}`);
  const { splats } = body.response.assets;
  assert.equal(splats.semantics_metadata.metric_scale_factor, 1.25);
  assert.deepEqual(Object.keys(splats.spz_urls), ["100k", "150k", "500k", "full_res"]);
  assert.equal(body.cost.total_credits, 1600);
  const file = splats.spz_urls["100k"];
  assert.equal((await fetch(file)).status, 200);
  clock.advance(60_000);
  assert.equal((await fetch(file)).status, 403);
  emulator.setScenario({ rules: [{ answer: { jobOutcome: "failed" } }] });
  const failed = (await send("worlds:generate", ask)).body;
  assert.equal(failed.done, true);
  assert.match(failed.error.message, /content policy/);
});

test("[EM48] Custom servers", async () => {
  await withEmulator("custom", { reasoning: "hm" }, async (emulator) => {
    const client = new Ollama({ host: emulator.url });
    const ask = { model: "m", messages: user };
    assert.equal((await client.chat(ask)).message.content, SAID);
    const lines = await client.chat({ ...ask, stream: true });
    assert.equal(await joined(lines, (part) => `${part.message.thinking ?? ""}${part.message.content}`), `hm${SAID}`);
    assert.equal((await client.embed({ model: "m", input: "a" })).embeddings.length, 1);
    const keyless = await fetch(`${emulator.baseUrl}/models`);
    assert.equal(keyless.status, 200);
    const open = new OpenAI({ apiKey: "k", baseURL: emulator.baseUrl, maxRetries: 0 });
    const message = (await open.chat.completions.create(ask)).choices[0]?.message as { reasoning_content?: string };
    assert.equal(message.reasoning_content, "hm");
    const cog = JSON.parse((await raw(emulator, "/predictions", { json: { input: { prompt: "a" } } })).text);
    assert.equal(cog.status, "succeeded");
    emulator.setScenario({ rules: [{ fault: "eof@1" }] });
    await assert.rejects(
      async () => joined(await client.chat({ ...ask, stream: true }), () => ""),
      /Did not receive done/,
    );
  });
});

test("[EM50] The vendors' clients show their known faults", async () => {
  // Requests made for one call that keeps failing, with the client's own defaults; Retry-After is a moment.
  const tries = async (provider: ProviderName, fault: string, call: (emulator: Emulator) => Promise<unknown>) => {
    await using emulator = await startEmulator({ provider, scenario: { rules: [{ fault, retryAfter: 0.01 }] } });
    await call(emulator).catch(() => undefined);
    return emulator.requests.length;
  };
  const openai = (emulator: Emulator) =>
    new OpenAI({ apiKey: "k", baseURL: emulator.baseUrl }).chat.completions.create({ model: "m", messages: user });
  const anthropic = (emulator: Emulator) =>
    new Anthropic({ apiKey: "k", baseURL: emulator.baseUrl }).messages.create({
      model: "m",
      max_tokens: 5,
      messages: user,
    });
  const google = (emulator: Emulator) =>
    new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: emulator.baseUrl } }).models.generateContent({
      model: "m",
      contents: "x",
    });
  const replicate = (emulator: Emulator) =>
    new Replicate({ auth: "k", baseUrl: emulator.baseUrl }).predictions.create({ version: "v", input: {} });
  assert.equal(await tries("openai", "status@429", openai), 3);
  assert.equal(await tries("anthropic", "status@529", anthropic), 3);
  assert.equal(await tries("google", "status@503", google), 1);
  assert.equal(await tries("replicate", "status@429", replicate), 6);
  // A clean end without the terminal event: half an answer that looks whole.
  await withEmulator("openai", {}, async (emulator) => {
    emulator.setScenario({ rules: [{ fault: "eof@2" }] });
    const client = new OpenAI({ apiKey: "k", baseURL: emulator.baseUrl, maxRetries: 0 });
    const chunks = await client.chat.completions.create({ model: "m", messages: user, stream: true });
    assert.equal(await joined(chunks, (chunk) => chunk.choices[0]?.delta.content), "You said:");
  });
  await withEmulator("google", {}, async (emulator) => {
    emulator.setScenario({ rules: [{ fault: "eof@2" }] });
    const client = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: emulator.baseUrl } });
    assert.equal(
      await joined(await client.models.generateContentStream({ model: "m", contents: "a b" }), (chunk) => chunk.text),
      "You said:",
    );
  });
});
