import assert from "node:assert/strict";
import test, { afterEach, beforeEach } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI, type Content, type GenerateContentResponse } from "@google/genai";
import { Ollama, type Message as OllamaMessage } from "ollama";
import OpenAI from "openai";
import type { Emulator, ScenarioInput } from "../../packages/gateway/emulator/index.ts";
import { openGateway, type VendorGateway } from "./gateway-with-vendors.ts";

const CHAT_MODELS = {
  openai: "gpt-5.1",
  anthropic: "claude-sonnet-4-6",
  google: "gemini-3.7-flash",
  cohere: "command-a-03-2025",
  together: "meta-llama/Llama-4",
  huggingface: "openai/gpt-oss-20b",
  custom: "local-1",
} as const;
type Vendor = keyof typeof CHAT_MODELS;
const VENDORS = Object.keys(CHAT_MODELS) as Vendor[];

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const SCHEMA = { type: "object" as const, properties: { at: { type: "string" } }, required: ["at"] };

/** What a client makes of an answer. */
interface Seen {
  readonly text: string;
  readonly calls: string;
  readonly usage: string;
}

interface Ask {
  readonly model: string;
  readonly prompt: string;
  readonly image?: boolean;
  readonly tool?: boolean;
  /** The call and its result of an earlier turn. */
  readonly result?: string;
}

interface Client {
  whole(ask: Ask): Promise<Seen>;
  stream(ask: Ask): Promise<Seen>;
}

let house: VendorGateway;
const MORE_MODELS: Readonly<Partial<Record<Vendor, readonly string[]>>> = {
  openai: ["text-embedding-3-small", "gpt-4o-mini-tts", "gpt-transcribe"],
  google: ["gemini-embedding-001"],
  cohere: ["embed-v4.0"],
  together: ["intfloat/multilingual-e5-large-instruct"],
};

async function openHouse(): Promise<void> {
  const chat = VENDORS.map((vendor) => [vendor, [CHAT_MODELS[vendor], ...(MORE_MODELS[vendor] ?? [])]]);
  house = await openGateway({ ...Object.fromEntries(chat), replicate: ["meta/meta-llama-3-8b-instruct"] });
}

// A gateway remembers who failed: every test, and every failing client, gets one without a past.
beforeEach(openHouse);
afterEach(() => house[Symbol.asyncDispose]());

async function forget(): Promise<void> {
  await house[Symbol.asyncDispose]();
  await openHouse();
}

function emulatorOf(vendor: Vendor): Emulator {
  return house.emulators[vendor] ?? assert.fail(`no emulator for ${vendor}`);
}

function setScenario(vendor: Vendor, rule: NonNullable<ScenarioInput["rules"]>[number] = {}): void {
  emulatorOf(vendor).setScenario({ rules: [rule] });
  emulatorOf(vendor).clearRequests();
}

function openAiClient(): Client & { readonly sdk: OpenAI } {
  const sdk = new OpenAI({ apiKey: "k", baseURL: `${house.url}/v1` });
  const body = (ask: Ask) => ({
    model: ask.model,
    messages: [
      ask.image === true
        ? {
            role: "user" as const,
            content: [
              { type: "text" as const, text: ask.prompt },
              { type: "image_url" as const, image_url: { url: `data:image/png;base64,${PNG}` } },
            ],
          }
        : { role: "user" as const, content: ask.prompt },
      ...(ask.result === undefined
        ? []
        : [
            {
              role: "assistant" as const,
              content: null,
              tool_calls: [
                { id: "call_1", type: "function" as const, function: { name: "look", arguments: '{"at":"cup"}' } },
              ],
            },
            { role: "tool" as const, tool_call_id: "call_1", content: ask.result },
          ]),
    ],
    ...(ask.tool === true
      ? { tools: [{ type: "function" as const, function: { name: "look", parameters: SCHEMA } }] }
      : {}),
  });
  const seen = (answer: OpenAI.ChatCompletion): Seen => ({
    text: answer.choices[0]?.message.content ?? "",
    calls: (answer.choices[0]?.message.tool_calls ?? [])
      .map((call) => (call.type === "function" ? `${call.function.name}${call.function.arguments}` : ""))
      .join(),
    usage: `${answer.usage?.prompt_tokens}+${answer.usage?.completion_tokens}`,
  });
  return {
    sdk,
    whole: async (ask) => seen(await sdk.chat.completions.create(body(ask))),
    stream: async (ask) =>
      seen(
        await sdk.chat.completions
          .stream({ ...body(ask), stream_options: { include_usage: true } })
          .finalChatCompletion(),
      ),
  };
}

function anthropicClient(): Client {
  const sdk = new Anthropic({ apiKey: "k", baseURL: house.url });
  const body = (ask: Ask): Anthropic.MessageCreateParamsNonStreaming => ({
    model: ask.model,
    max_tokens: 200,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: ask.prompt },
          ...(ask.image === true
            ? [
                {
                  type: "image" as const,
                  source: { type: "base64" as const, media_type: "image/png" as const, data: PNG },
                },
              ]
            : []),
        ],
      },
      ...(ask.result === undefined
        ? []
        : [
            {
              role: "assistant" as const,
              content: [{ type: "tool_use" as const, id: "call_1", name: "look", input: { at: "cup" } }],
            },
            {
              role: "user" as const,
              content: [{ type: "tool_result" as const, tool_use_id: "call_1", content: ask.result }],
            },
          ]),
    ],
    ...(ask.tool === true ? { tools: [{ name: "look", input_schema: SCHEMA }] } : {}),
  });
  const seen = (answer: Anthropic.Message): Seen => ({
    text: answer.content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    calls: answer.content
      .map((block) => (block.type === "tool_use" ? `${block.name}${JSON.stringify(block.input)}` : ""))
      .join(""),
    usage: `${answer.usage.input_tokens}+${answer.usage.output_tokens}`,
  });
  return {
    whole: async (ask) => seen(await sdk.messages.create(body(ask))),
    stream: async (ask) => seen(await sdk.messages.stream(body(ask)).finalMessage()),
  };
}

/** Not `.text`, which warns on the console about every answer with a call. */
function textOf(answer: GenerateContentResponse): string {
  return (answer.candidates?.[0]?.content?.parts ?? []).map((part) => part.text ?? "").join("");
}

function geminiClient(): Client & { readonly sdk: GoogleGenAI } {
  const sdk = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: house.url } });
  const body = (ask: Ask) => {
    const contents: Content[] = [
      {
        role: "user",
        parts: [
          { text: ask.prompt },
          ...(ask.image === true ? [{ inlineData: { mimeType: "image/png", data: PNG } }] : []),
        ],
      },
    ];
    if (ask.result !== undefined) {
      contents.push({ role: "model", parts: [{ functionCall: { name: "look", args: { at: "cup" } } }] });
      contents.push({
        role: "user",
        parts: [{ functionResponse: { name: "look", response: { output: ask.result } } }],
      });
    }
    const tools = [{ functionDeclarations: [{ name: "look", parametersJsonSchema: SCHEMA }] }];
    return { model: ask.model, contents, config: ask.tool === true ? { tools } : {} };
  };
  return {
    sdk,
    whole: async (ask) => {
      const answer = await sdk.models.generateContent(body(ask));
      const { usageMetadata: usage } = answer;
      return {
        text: textOf(answer),
        calls: (answer.functionCalls ?? []).map((call) => `${call.name}${JSON.stringify(call.args)}`).join(),
        usage: `${usage?.promptTokenCount}+${usage?.candidatesTokenCount}`,
      };
    },
    stream: async (ask) => {
      let text = "";
      let calls = "";
      let usage = "";
      for await (const chunk of await sdk.models.generateContentStream(body(ask))) {
        text += textOf(chunk);
        for (const call of chunk.functionCalls ?? []) calls += `${call.name}${JSON.stringify(call.args)}`;
        const counted = chunk.usageMetadata;
        if (counted !== undefined) usage = `${counted.promptTokenCount}+${counted.candidatesTokenCount}`;
      }
      return { text, calls, usage };
    },
  };
}

function ollamaClient(): Client & { readonly sdk: Ollama } {
  const sdk = new Ollama({ host: house.url });
  const body = (ask: Ask) => {
    const messages: OllamaMessage[] = [
      { role: "user", content: ask.prompt, ...(ask.image === true ? { images: [PNG] } : {}) },
    ];
    if (ask.result !== undefined) {
      messages.push({
        role: "assistant",
        content: "",
        tool_calls: [{ function: { name: "look", arguments: { at: "cup" } } }],
      });
      messages.push({ role: "tool", content: ask.result, tool_name: "look" });
    }
    const tools = [{ type: "function", function: { name: "look", description: "", parameters: SCHEMA } }];
    return { model: ask.model, messages, ...(ask.tool === true ? { tools } : {}) };
  };
  const calls = (message: OllamaMessage): string =>
    (message.tool_calls ?? [])
      .map((call) => `${call.function.name}${JSON.stringify(call.function.arguments)}`)
      .join("");
  return {
    sdk,
    whole: async (ask) => {
      const answer = await sdk.chat({ ...body(ask), stream: false });
      return {
        text: answer.message.content,
        calls: calls(answer.message),
        usage: `${answer.prompt_eval_count}+${answer.eval_count}`,
      };
    },
    stream: async (ask) => {
      let text = "";
      let called = "";
      let usage = "";
      for await (const part of await sdk.chat({ ...body(ask), stream: true })) {
        text += part.message.content;
        called += calls(part.message);
        if (part.done) usage = `${part.prompt_eval_count}+${part.eval_count}`;
      }
      return { text, calls: called, usage };
    },
  };
}

const CLIENTS = { openai: openAiClient, anthropic: anthropicClient, gemini: geminiClient, ollama: ollamaClient };

/** Every client with every vendor; a difference is reported with both names. */
async function everywhere(run: (client: Client, vendor: Vendor, model: string) => Promise<void>): Promise<void> {
  const problems: string[] = [];
  for (const [name, create] of Object.entries(CLIENTS)) {
    const client = create();
    for (const vendor of VENDORS) {
      setScenario(vendor);
      await run(client, vendor, `${vendor}/${CHAT_MODELS[vendor]}`).catch((error: Error) => {
        problems.push(`${name} with ${vendor}: ${error.message.slice(0, 400)}`);
      });
    }
  }
  assert.deepEqual(problems, []);
}

test("[DW100] Every client chats and streams with every vendor", async () => {
  await everywhere(async (client, vendor, model) => {
    const usage = { input: 20, output: 6 };
    setScenario(vendor, { answer: { text: "The cup — 🌍 — is left of you.", usage } });
    const ask = { model, prompt: "where is the cup" };
    const whole = await client.whole(ask);
    assert.deepEqual(whole, { text: "The cup — 🌍 — is left of you.", calls: "", usage: "20+6" });
    assert.deepEqual(await client.stream(ask), whole);
    setScenario(vendor);
    assert.equal((await client.whole({ model, prompt: "is it red" })).text, "You said: is it red");
  });
});

test("[DW100] Every client chats and streams with a model that runs as a job", async () => {
  for (const create of Object.values(CLIENTS)) {
    const client = create();
    const emulator = house.emulators["replicate"] ?? assert.fail();
    emulator.setScenario({ rules: [{ answer: { text: "The cup is left of you.", jobMs: 20 } }] });
    const ask = { model: "replicate/meta/meta-llama-3-8b-instruct", prompt: "where is the cup" };
    assert.equal((await client.whole(ask)).text, "The cup is left of you.");
    assert.equal((await client.stream(ask)).text, "The cup is left of you.");
  }
});

test("[DW101] A tool call makes the round trip", async () => {
  await everywhere(async (client, vendor, model) => {
    const toolCalls = [{ name: "look", arguments: { at: "cup" } }];
    setScenario(vendor, { answer: { toolCalls } });
    const ask = { model, prompt: "look", tool: true };
    assert.equal((await client.whole(ask)).calls, 'look{"at":"cup"}');
    assert.equal((await client.stream(ask)).calls, 'look{"at":"cup"}');
    setScenario(vendor, { answer: { text: "It is red." } });
    assert.equal((await client.stream({ ...ask, result: "a red cup" })).text, "It is red.");
    const sent = JSON.stringify(emulatorOf(vendor).requests[0]?.json);
    assert.match(sent, /a red cup/);
    assert.match(sent, /look/);
  });
});

test("[DW102] An image arrives at the vendor", async () => {
  await everywhere(async (client, vendor, model) => {
    await client.whole({ model, prompt: "what is this", image: true });
    assert.ok(JSON.stringify(emulatorOf(vendor).requests[0]?.json).includes(PNG), "the image was not sent");
  });
});

const EMBEDDERS = [
  ["openai", "text-embedding-3-small"],
  ["google", "gemini-embedding-001"],
  ["cohere", "embed-v4.0"],
  ["together", "intfloat/multilingual-e5-large-instruct"],
] as const;

test("[DW103] Embeddings answer from every vendor that has them", async () => {
  const { sdk: openai } = openAiClient();
  const { sdk: gemini } = geminiClient();
  const { sdk: ollama } = ollamaClient();
  const problems: string[] = [];
  for (const [vendor, name] of EMBEDDERS) {
    setScenario(vendor, { answer: { dimensions: 16 } });
    const model = `${vendor}/${name}`;
    const ways: Record<string, () => Promise<readonly (readonly number[])[]>> = {
      openai: async () =>
        (await openai.embeddings.create({ model, input: ["red", "blue"] })).data.map((item) => item.embedding),
      gemini: async () =>
        (await gemini.models.embedContent({ model, contents: ["red", "blue"] })).embeddings?.map(
          (item) => item.values ?? [],
        ) ?? [],
      ollama: async () => (await ollama.embed({ model, input: ["red", "blue"] })).embeddings,
    };
    for (const [client, embed] of Object.entries(ways)) {
      const lengths = await embed().then(
        (vectors) => vectors.map((vector) => vector.length).join(),
        (error: Error) => error.message,
      );
      if (lengths !== "16,16") problems.push(`${client} with ${vendor}: ${lengths}`);
    }
  }
  assert.deepEqual(problems, []);
});

test("[DW104] Sound passes both ways", async () => {
  const { sdk } = openAiClient();
  setScenario("openai", { answer: { audioMs: 300 } });
  const speech = await sdk.audio.speech.create({
    model: "openai/gpt-4o-mini-tts",
    input: "hello",
    voice: "alloy",
    response_format: "pcm",
  });
  const bytes = Buffer.from(await speech.arrayBuffer());
  assert.equal(bytes.length, 300 * 48);
  const direct = await fetch(`${emulatorOf("openai").baseUrl}/audio/speech`, {
    method: "POST",
    headers: { authorization: "Bearer k", "content-type": "application/json" },
    body: JSON.stringify({ model: "m", input: "hello", voice: "alloy", response_format: "pcm" }),
  });
  assert.deepEqual(bytes, Buffer.from(await direct.arrayBuffer()));
  setScenario("openai", { answer: { text: "Where is the cup?" } });
  const file = new File([bytes], "a.wav", { type: "audio/wav" });
  const heard = await sdk.audio.transcriptions.create({ model: "openai/gpt-transcribe", file });
  assert.equal(heard.text, "Where is the cup?");
  const [sent] = emulatorOf("openai").requests;
  assert.ok(sent !== undefined && Buffer.from(sent.bytes).includes(bytes.subarray(0, 200)));
});

interface SdkError extends Error {
  readonly status?: number;
  readonly status_code?: number;
}

test("[DW105] A vendor's failure is a typed error, and no client calls again", async () => {
  // The vendor's status, what the client may see, and how often the gateway itself tries.
  const failures: readonly (readonly [number, readonly number[], number])[] = [
    [400, [400], 1],
    [500, [502, 503], 2],
    [401, [502, 503], 1],
    [404, [404, 502, 503], 1],
  ];
  const problems: string[] = [];
  for (const [name, create] of Object.entries(CLIENTS)) {
    for (const [status, expected, tries] of failures) {
      await forget();
      const client = create();
      for (const vendor of VENDORS) {
        setScenario(vendor, { status });
        const model = `${vendor}/${CHAT_MODELS[vendor]}`;
        const error = await client.whole({ model, prompt: "x" }).then(
          () => new Error("answered"),
          (reason: SdkError) => reason,
        );
        const seen = (error as SdkError).status ?? (error as SdkError).status_code ?? 0;
        const calls = emulatorOf(vendor).requests.length;
        const told = `${name} with ${vendor}: ${status} became ${seen} after ${calls} calls`;
        if (!expected.includes(seen) || calls > tries) problems.push(`${told}: ${error.message.slice(0, 200)}`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

test("[DW106] A broken stream never looks whole", async () => {
  await everywhere(async (client, vendor, model) => {
    for (const fault of ["cut@2", "eof@2", "error@2"]) {
      setScenario(vendor, { fault, answer: { text: "The cup is left of you and red." } });
      const outcome = await client.stream({ model, prompt: "x" }).then(
        (seen) => seen.text,
        () => "an error",
      );
      assert.ok(
        outcome === "an error" || outcome === "The cup is left of you and red.",
        `${fault} was shown as the answer "${outcome}"`,
      );
    }
  });
});

test("[DW63] Thinking passes through whole and goes back to the vendor that signed it", async () => {
  const sdk = new Anthropic({ apiKey: "k", baseURL: house.url });
  setScenario("anthropic", { answer: { reasoning: "a cup is red", text: "Red." } });
  const model = `anthropic/${CHAT_MODELS.anthropic}`;
  const thinking = { type: "enabled" as const, budget_tokens: 1024 };
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: "which colour" }];
  const first = await sdk.messages.stream({ model, max_tokens: 2000, thinking, messages }).finalMessage();
  const [thought] = first.content;
  assert.equal(thought?.type === "thinking" ? thought.thinking : "", "a cup is red");
  messages.push({ role: "assistant", content: first.content }, { role: "user", content: "sure?" });
  await sdk.messages.create({ model, max_tokens: 2000, thinking, messages });
  const [sent, again] = emulatorOf("anthropic").requests;
  assert.ok(sent !== undefined && again !== undefined);
  const signature = /"signature":"([^"]+)"/.exec(JSON.stringify(again.json))?.[1] ?? "";
  assert.match(Buffer.from(signature, "base64").toString(), /^signed msg_/);
  setScenario("openai");
  await sdk.messages.create({ model: `openai/${CHAT_MODELS.openai}`, max_tokens: 2000, messages });
  assert.ok(!JSON.stringify(emulatorOf("openai").requests[0]?.json).includes(signature));
});

test("[DW2] A stream says who serves it, and why, before its first word", async () => {
  const response = await fetch(`${house.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: `openai/${CHAT_MODELS.openai}`,
      stream: true,
      messages: [{ role: "user", content: "x" }],
    }),
  });
  assert.equal(response.headers.get("x-fovea-provider"), "openai");
  assert.equal(response.headers.get("x-fovea-model"), CHAT_MODELS.openai);
  assert.ok((response.headers.get("x-fovea-decision") ?? "").length > 0);
  await response.text();
});

test("[DW109] A vendor that fails behind an alias is replaced, and the client sees one whole answer", async () => {
  const aliases = "routing: { aliases: { assistant: [openai/gpt-5.1, anthropic/claude-sonnet-4-6] } }";
  const said = "The cup is left of you. It is red and small. Take it now.";
  const problems: string[] = [];
  for (const fault of ["status@500", "reset", "html@503", "cut@4", "eof@5", "error@6"]) {
    await house[Symbol.asyncDispose]();
    house = await openGateway({ openai: ["gpt-5.1"], anthropic: ["claude-sonnet-4-6"] }, aliases);
    setScenario("openai", { fault, answer: { text: said } });
    setScenario("anthropic", { answer: { text: said } });
    for (const [name, create] of Object.entries(CLIENTS)) {
      const seen = await create()
        .stream({ model: "assistant", prompt: "where is the cup" })
        .then(
          (answer) => answer.text,
          (error: Error) => error.message,
        );
      if (seen !== said) problems.push(`${name}, ${fault}: ${seen}`);
    }
  }
  assert.deepEqual(problems, []);
});

test("[DW107] A client that leaves closes the call to the vendor", async () => {
  const { sdk } = openAiClient();
  for (const vendor of VENDORS) {
    setScenario(vendor, { fault: "stall@1", answer: { text: "one two three" } });
    const gone = new AbortController();
    const stream = await sdk.chat.completions.create(
      { model: `${vendor}/${CHAT_MODELS[vendor]}`, messages: [{ role: "user", content: "x y z" }], stream: true },
      { signal: gone.signal },
    );
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    const leftMs = performance.now();
    gone.abort();
    const [record] = emulatorOf(vendor).requests;
    while (record?.clientClosedMs === undefined && performance.now() - leftMs < 1000) await wait(1);
    assert.ok(record?.clientClosedMs !== undefined, `${vendor} was never left`);
    assert.ok(record.clientClosedMs - leftMs < 50, `${vendor}: ${record.clientClosedMs - leftMs} ms`);
  }
});

test("[DW107] So does one that leaves before the first word, or while it waits for a whole answer", async () => {
  const { sdk } = openAiClient();
  setScenario("openai", { delay: { headersMs: 60_000 } });
  for (const stream of [true, false]) {
    const gone = new AbortController();
    const body = { model: `openai/${CHAT_MODELS.openai}`, messages: [{ role: "user" as const, content: "x" }], stream };
    const call = sdk.chat.completions.create(body, { signal: gone.signal, maxRetries: 0 });
    const { requests } = emulatorOf("openai");
    const seen = requests.length;
    while (requests.length === seen) await wait(1);
    gone.abort();
    const leftMs = performance.now();
    await assert.rejects(call);
    const record = requests[seen];
    while (record?.clientClosedMs === undefined && performance.now() - leftMs < 1000) await wait(1);
    assert.ok((record?.clientClosedMs ?? Infinity) - leftMs < 50, `stream ${stream}`);
  }
});

test("[DW18] A missing or wrong key is refused in the dialect of the path", async () => {
  const auth = "auth: { keys: [{ id: app, key: the-key-of-the-application }] }";
  await using locked = await openGateway({ openai: ["gpt-5.1"] }, auth);
  const paths: Record<string, readonly [string, (body: { error: Record<string, unknown>; type?: string }) => unknown]> =
    {
      openai: ["/v1/chat/completions", (body) => body.error["code"]],
      anthropic: ["/v1/messages", (body) => body.error["type"]],
      gemini: ["/v1beta/models/m:generateContent", (body) => body.error["status"]],
      ollama: ["/api/chat", (body) => typeof body.error],
    };
  const seen: string[] = [];
  for (const [name, [path, pick]] of Object.entries(paths)) {
    for (const headers of [{}, { authorization: "Bearer wrong" }] as Record<string, string>[]) {
      const json = { "content-type": "application/json", ...headers };
      const response = await fetch(locked.url + path, { method: "POST", headers: json, body: "{}" });
      seen.push(`${name} ${response.status} ${String(pick((await response.json()) as never))}`);
    }
  }
  assert.deepEqual(seen, [
    "openai 401 invalid_api_key",
    "openai 401 invalid_api_key",
    "anthropic 401 authentication_error",
    "anthropic 401 authentication_error",
    "gemini 401 UNAUTHENTICATED",
    "gemini 401 UNAUTHENTICATED",
    "ollama 401 string",
    "ollama 401 string",
  ]);
  const apiKey = "the-key-of-the-application";
  const model = "openai/gpt-5.1";
  const openai = await new OpenAI({ apiKey, baseURL: `${locked.url}/v1` }).chat.completions.create({
    model,
    messages: [{ role: "user", content: "x" }],
  });
  const anthropic = await new Anthropic({ apiKey, baseURL: locked.url }).messages.create({
    model,
    max_tokens: 9,
    messages: [{ role: "user", content: "x" }],
  });
  const gemini = await new GoogleGenAI({ apiKey, httpOptions: { baseUrl: locked.url } }).models.generateContent({
    model,
    contents: "x",
  });
  const headers = { authorization: `Bearer ${apiKey}` };
  const ollama = await new Ollama({ host: locked.url, headers }).chat({
    model,
    messages: [{ role: "user", content: "x" }],
  });
  assert.equal(openai.choices[0]?.message.content, "You said: x");
  assert.equal(anthropic.content[0]?.type, "text");
  assert.equal(gemini.text, "You said: x");
  assert.equal(ollama.message.content, "You said: x");
});
