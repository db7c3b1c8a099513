// Rule PV120 of docs/spec/providers.md: the recorded streams, served once more over HTTP, read by the vendors' own SDKs and
// by our adapters. What both understand must agree; DIFFERENCES lists every place where it does not, with the reason.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import type { ProviderConfig } from "@fovea/core";
import type { LoopbackServer } from "./loopback-server.ts";
import {
  canonical,
  FIELDS,
  ours,
  RECORDINGS,
  serveRecordings,
  type Difference,
  type Reading,
} from "./recorded-readings.ts";
import { SKIP, type Recording } from "./recordings.ts";

/** Where we differ on purpose: which recordings, in what, and why. */
const EVERYTHING = FIELDS;
const DIFFERENCES: readonly Difference[] = [
  {
    where: /openai\/00(?:19|21)-/,
    fields: ["finish", "calls"],
    why: "[DONE] without a finish reason: the SDK ends quietly, we call it truncated and do not hand out its call",
  },
  { where: /openai-error/, fields: EVERYTHING, why: "an error event: the SDK throws, we end with the part `error`" },
  {
    where: /openai-image-generation|parallel-tool-call-wrapper/,
    fields: EVERYTHING,
    why: "the fixture itself is damaged: the SDK throws or passes over it, we call it protocol",
  },
  {
    where: /openai-reasoning-encrypted-content|openai-shell-tool/,
    fields: EVERYTHING,
    why: "the fixture holds several responses in a row: the SDK reads on, for us response.completed is the end",
  },
  {
    where: /spliced-message-start/,
    fields: EVERYTHING,
    why: "another message begins inside the first: the SDK throws, we call it protocol",
  },
  {
    where: /programmatic-tool-calling|tool-search|duplicate-message-start/,
    fields: EVERYTHING,
    why: "message_start comes again with the same id, after a tool of the server: the SDK throws, we go on",
  },
  {
    where: /anthropic-compaction/,
    fields: ["inputTokens", "outputTokens"],
    why: "a compacted turn is billed by its iterations, which the top-level figures of the SDK leave out",
  },
  {
    where: /google-(?:vertex-)?stream-(?:no-args-)?tool-call/,
    fields: ["calls"],
    why: "arguments streamed by path: the SDK hands out the pieces, we put the object together",
  },
];

let server: LoopbackServer;

before(async () => {
  server = await serveRecordings();
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

async function openAiSdk(index: number): Promise<Reading> {
  const sdk = new OpenAI({ apiKey: "k", baseURL: server.origin, maxRetries: 0 });
  let text = "";
  let finish = "nothing";
  let usage: OpenAI.CompletionUsage | undefined;
  const calls: { name: string; args: string }[] = [];
  const stream = await sdk.chat.completions.create({
    model: `rec-${index}`,
    stream: true,
    messages: [{ role: "user", content: "x" }],
  });
  for await (const chunk of stream) {
    usage = chunk.usage ?? (chunk as { x_groq?: { usage?: OpenAI.CompletionUsage } }).x_groq?.usage ?? usage;
    const choice = chunk.choices?.[0];
    if (typeof choice?.delta?.content === "string") text += choice.delta.content;
    for (const call of choice?.delta?.tool_calls ?? []) {
      const known = (calls[call.index] ??= { name: "", args: "" });
      known.name ||= call.function?.name ?? "";
      known.args += call.function?.arguments ?? "";
    }
    finish = choice?.finish_reason ?? finish;
  }
  const isCall = calls.length > 0 && finish === "stop";
  return {
    text,
    calls: calls.map(({ name, args }) => `${name} ${canonical(args)}`),
    finish: isCall ? "tool_calls" : finish,
    inputTokens: usage?.prompt_tokens ?? 0,
    outputTokens: usage?.completion_tokens ?? 0,
  };
}

async function responsesSdk(index: number): Promise<Reading> {
  const sdk = new OpenAI({ apiKey: "k", baseURL: server.origin, maxRetries: 0 });
  let text = "";
  let finish = "nothing";
  let usage: OpenAI.Responses.ResponseUsage | undefined;
  const calls: string[] = [];
  for await (const event of await sdk.responses.create({ model: `rec-${index}`, stream: true, input: "x" })) {
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.output_item.done" && event.item.type === "function_call") {
      calls.push(`${event.item.name} ${canonical(event.item.arguments)}`);
    }
    if (event.type === "response.completed") {
      usage = event.response.usage;
      finish = calls.length > 0 ? "tool_calls" : "completed";
    }
  }
  return { text, calls, finish, inputTokens: usage?.input_tokens ?? 0, outputTokens: usage?.output_tokens ?? 0 };
}

async function anthropicSdk(index: number): Promise<Reading> {
  const sdk = new Anthropic({ apiKey: "k", baseURL: server.origin, maxRetries: 0 });
  const message = await sdk.messages
    .stream({ model: `rec-${index}`, max_tokens: 9, messages: [{ role: "user", content: "x" }] })
    .finalMessage();
  const { usage } = message;
  const cached = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0);
  return {
    text: message.content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    calls: message.content.flatMap((block) =>
      block.type === "tool_use" ? [`${block.name} ${JSON.stringify(block.input)}`] : [],
    ),
    finish: message.stop_reason === "tool_use" ? "tool_calls" : String(message.stop_reason),
    inputTokens: usage.input_tokens + cached,
    outputTokens: usage.output_tokens,
  };
}

async function googleSdk(index: number): Promise<Reading> {
  const sdk = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: server.origin } });
  let text = "";
  let finish = "nothing";
  let inputTokens = 0;
  let outputTokens = 0;
  const calls: string[] = [];
  for await (const chunk of await sdk.models.generateContentStream({ model: `rec-${index}`, contents: "x" })) {
    const candidate = chunk.candidates?.[0];
    for (const part of candidate?.content?.parts ?? []) {
      if (part.text !== undefined && part.thought !== true) text += part.text;
      if (part.functionCall !== undefined)
        calls.push(`${part.functionCall.name} ${JSON.stringify(part.functionCall.args ?? {})}`);
    }
    finish = candidate?.finishReason ?? chunk.promptFeedback?.blockReason ?? finish;
    const usage = chunk.usageMetadata;
    if (usage === undefined) continue;
    inputTokens = (usage.promptTokenCount ?? 0) + (usage.toolUsePromptTokenCount ?? 0);
    outputTokens = (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0);
  }
  return {
    text,
    calls,
    finish: finish === "STOP" && calls.length > 0 ? "tool_calls" : finish,
    inputTokens,
    outputTokens,
  };
}

const PAIRS: readonly (readonly [string, (index: number) => Promise<Reading>, ProviderConfig["type"], string?])[] = [
  ["openai-chat", openAiSdk, "custom", "openai-compatible"],
  ["openai-responses", responsesSdk, "openai", "responses"],
  ["anthropic", anthropicSdk, "anthropic"],
  ["google", googleSdk, "google"],
];

function explained(recording: Recording, field: keyof Reading): boolean {
  return DIFFERENCES.some(({ where, fields }) => where.test(recording.name) && fields.includes(field));
}

for (const [codecName, readBySdk, type, dialect] of PAIRS) {
  test(`[PV120] ${codecName}: the vendor's SDK and our adapter read the same`, { skip: SKIP }, async (context) => {
    const unexplained: string[] = [];
    let compared = 0;
    let differing = 0;
    for (const [index, recording] of RECORDINGS.entries()) {
      if (recording.codecName !== codecName) continue;
      const theirs = await readBySdk(index).catch((error: unknown) => `threw ${String(error).slice(0, 120)}`);
      const mine = await ours(server, type, index, dialect);
      compared++;
      for (const field of FIELDS) {
        const their = typeof theirs === "string" ? theirs : JSON.stringify(theirs[field]);
        if (their === JSON.stringify(mine[field])) continue;
        differing++;
        if (!explained(recording, field))
          unexplained.push(
            `${recording.name} ${field}: SDK ${their.slice(0, 150)} | ours ${JSON.stringify(mine[field]).slice(0, 150)}`,
          );
      }
    }
    context.diagnostic(`${compared} streams compared, ${differing} explained differences`);
    assert.ok(compared > 5, `only ${compared} streams`);
    assert.deepEqual(unexplained, []);
  });
}
