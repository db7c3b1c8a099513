// What fovea.yaml makes of providers, seen through the doors of a whole gateway: names, prices, dialects, trace context.
import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { openGateway, type VendorGateway } from "./gateway-with-vendors.ts";

function openAi(house: VendorGateway): OpenAI {
  return new OpenAI({ apiKey: "k", baseURL: `${house.url}/v1`, maxRetries: 0 });
}

const HELLO = [{ role: "user" as const, content: "hello" }];

/** Status, code and message of what was refused, or what was said. */
async function outcome(call: Promise<OpenAI.ChatCompletion | OpenAI.CreateEmbeddingResponse>): Promise<string> {
  return call.then(
    (answer) => ("choices" in answer ? (answer.choices[0]?.message.content ?? "") : `${answer.data.length} vectors`),
    (error: InstanceType<typeof OpenAI.APIError>) => `${error.status} ${error.code} ${error.param}: ${error.message}`,
  );
}

test("[PV141] a retired name is refused with its successor, and an alias puts a model of one's own in its place", async () => {
  await using house = await openGateway(
    { google: [] },
    "routing: { aliases: { text-bison@001: [google/gemini-2.5-flash] } }",
  );
  const client = openAi(house);
  for (const model of ["chat-bison-001", "google/chat-bison-001", "google/gemini-1.5-pro-latest"]) {
    const refused = await outcome(client.chat.completions.create({ model, messages: HELLO }));
    assert.match(refused, /^4(?:00|04|10) .*retired.*gemini-2\.5-flash/, refused);
  }
  const answer = await outcome(client.chat.completions.create({ model: "text-bison@001", messages: HELLO }));
  assert.equal(answer, "You said: hello");
  const gemini = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: house.url } });
  await assert.rejects(
    gemini.models.generateContent({ model: "chat-bison-001", contents: "x" }),
    /retired by its vendor; use 'google\/gemini-2\.5-flash'/,
  );
});

test("[PV51] a model that no list names can do what its name says", async () => {
  await using house = await openGateway({ cohere: [], openai: [], together: [] });
  const client = openAi(house);
  const vectors = (model: string) => outcome(client.embeddings.create({ model, input: ["a", "b"] }));
  assert.equal(await vectors("cohere/embed-v9.9"), "2 vectors");
  assert.equal(await vectors("together/BAAI/bge-huge"), "2 vectors");
  assert.match(await vectors("openai/gpt-99"), /^(?:404|422) /);
  assert.equal(
    await outcome(client.chat.completions.create({ model: "openai/gpt-99", messages: HELLO })),
    "You said: hello",
  );
});

test("[PV54] a name that plainly belongs to one vendor needs neither a list nor the provider's id", async () => {
  const ollama = { custom: ["dialect: ollama-native"] };
  await using house = await openGateway({ openai: [], anthropic: [], google: [], cohere: [], custom: [] }, "", ollama);
  const client = openAi(house);
  const askedOf = async (model: string): Promise<string> => {
    const { response } = await client.chat.completions.create({ model, messages: HELLO }).withResponse();
    return response.headers.get("x-fovea-provider") ?? "";
  };
  const expected = {
    "gpt-5.1": "openai",
    "o3-mini": "openai",
    "claude-sonnet-4-5-20250929": "anthropic",
    "gemini-2.0-flash-001": "google",
    "command-r-plus": "cohere",
  };
  for (const [model, provider] of Object.entries(expected)) assert.equal(await askedOf(model), provider);
  const embedded = await client.embeddings.create({ model: "embed-english-v3.0", input: "x" }).withResponse();
  assert.equal(embedded.response.headers.get("x-fovea-provider"), "cohere");
  const sdk = new Anthropic({ apiKey: "k", baseURL: house.url, maxRetries: 0 });
  const message = await sdk.messages.create({ model: "claude-haiku-4-0", max_tokens: 9, messages: HELLO });
  assert.equal(message.model, "claude-haiku-4-0");
  for (const model of ["gpt-oss-20b", "chat-bison-001", "claude", "mistral-9"]) {
    assert.match(await outcome(client.chat.completions.create({ model, messages: HELLO })), /^4(?:04|00|10) /, model);
  }
  // The operator who names the models means those.
  await using strict = await openGateway({ openai: ["gpt-4o"] });
  const refused = await outcome(openAi(strict).chat.completions.create({ model: "gpt-5.1", messages: HELLO }));
  assert.match(refused, /^404 /);
});

test("[PV52] token numbers reach the vendor that embeds them, and are refused by the others", async () => {
  await using house = await openGateway({ cohere: [], openai: [], google: [], custom: ["my-embed"] });
  const client = openAi(house);
  const input = [[1, 2, 3], [4]];
  for (const model of ["openai/text-embedding-3-small", "custom/my-embed"]) {
    assert.equal(await outcome(client.embeddings.create({ model, input })), "2 vectors");
    const sent = house.emulators[model.split("/")[0] ?? ""]?.requests.at(-1)?.json as { input: unknown };
    assert.deepEqual(sent.input, input);
  }
  for (const model of ["cohere/embed-v4.0", "google/gemini-embedding-001", "embedded/lexical-256"]) {
    const refused = await outcome(client.embeddings.create({ model, input }));
    assert.match(refused, /^400 .* input: .*token numbers/, refused);
  }
  assert.equal(house.emulators["cohere"]?.requests.length, 0);
});

test("[DW110] the caller's trace context goes only where the operator lets it", async () => {
  const extras = { openai: ["forwardTraceparent: true"] };
  await using house = await openGateway({ openai: ["gpt-5.1", "text-embedding-3-small"], together: ["m"] }, "", extras);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const seen = async (model: string, sent: string): Promise<string | undefined> => {
    const headers = { traceparent: sent };
    await openAi(house).chat.completions.create({ model, messages: HELLO }, { headers });
    return house.emulators[model.split("/")[0] ?? ""]?.requests.at(-1)?.headers["traceparent"];
  };
  assert.equal(await seen("openai/gpt-5.1", traceparent), traceparent);
  assert.equal(await seen("openai/gpt-5.1", "somebody else"), undefined);
  assert.equal(await seen("together/m", traceparent), undefined);
  await openAi(house).embeddings.create(
    { model: "openai/text-embedding-3-small", input: "x" },
    { headers: { traceparent } },
  );
  assert.equal(house.emulators["openai"]?.requests.at(-1)?.headers["traceparent"], traceparent);
});

test("[DW63] a signature goes back to the vendor that made it, however the operator calls that provider", async () => {
  await using house = await openGateway({ anthropic: ["claude-sonnet-4-6"] }, "", { anthropic: ["id: thinker"] });
  const emulator = house.emulators["anthropic"] ?? assert.fail();
  emulator.setScenario({ rules: [{ answer: { reasoning: "a cup is red", text: "Red." } }] });
  const sdk = new Anthropic({ apiKey: "k", baseURL: house.url, maxRetries: 0 });
  const thinking = { type: "enabled" as const, budget_tokens: 1024 };
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: "which colour" }];
  const body = { model: "thinker/claude-sonnet-4-6", max_tokens: 2000, thinking };
  const first = await sdk.messages.stream({ ...body, messages }).finalMessage();
  assert.equal(first.content[0]?.type, "thinking");
  messages.push({ role: "assistant", content: first.content }, { role: "user", content: "sure?" });
  await sdk.messages.create({ ...body, messages });
  const sent = JSON.stringify(emulator.requests.at(-1)?.json);
  assert.match(Buffer.from(/"signature":"([^"]+)"/.exec(sent)?.[1] ?? "", "base64").toString(), /^signed msg_/);
});

test("[PV53] the models of a server of one's own are found by their plain names, and listed", async () => {
  await using house = await openGateway({ custom: [] });
  house.emulators["custom"]?.setScenario({ models: ["llama3.2", "nomic-embed-text"] });
  await using again = await openGateway(
    {},
    `  - { id: local, type: custom, baseUrl: "${house.emulators["custom"]?.baseUrl}" }`,
  );
  const client = openAi(again);
  const names = async (): Promise<string[]> => (await client.models.list()).data.map(({ id }) => id);
  const endMs = Date.now() + 3_000;
  while (!(await names()).includes("local/llama3.2") && Date.now() < endMs) await wait(10);
  assert.ok((await names()).includes("local/llama3.2"), (await names()).join());
  const answer = await outcome(client.chat.completions.create({ model: "llama3.2", messages: HELLO }));
  assert.equal(answer, "You said: hello");
  assert.equal(await outcome(client.embeddings.create({ model: "nomic-embed-text", input: "x" })), "1 vectors");
});
