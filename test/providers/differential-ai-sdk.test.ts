// Rule PV122 of docs/spec/providers.md: the recorded streams read by the AI SDK's providers and by our adapters. What both
// understand must agree; DIFFERENCES lists every place where it does not, with the reason.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { LanguageModelV4, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createCohere } from "@ai-sdk/cohere";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createTogetherAI } from "@ai-sdk/togetherai";
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

const DIFFERENCES: readonly Difference[] = [
  {
    where: /^openai chat openai\/00(?:19|21)-/,
    fields: ["calls", "finish"],
    why: "[DONE] without a finish reason: there the stream ends with reason `other` and a call, here it is truncated and its call is not handed out",
  },
  {
    where: /openai-(?:apply-patch|local-shell|shell-container|shell-skills|custom-tool|client-tool-search)/,
    fields: ["calls", "finish"],
    why: "calls of tools that only OpenAI defines (patch, shell, custom grammar, search): the gateway never offers them to a model, so they are progress here and calls there",
  },
  {
    where: /openai-reasoning-encrypted-content|openai-shell-tool/,
    fields: FIELDS,
    why: "the fixture holds several responses in a row: the AI SDK reads on, for us response.completed is the end",
  },
  {
    where: /openai-error/,
    fields: FIELDS,
    why: "an error event first of all: the AI SDK throws, we end with the part `error`",
  },
  {
    where: /openai-image-generation|parallel-tool-call-wrapper/,
    fields: FIELDS,
    why: "the fixture itself is damaged: the AI SDK passes over it, we call it protocol",
  },
  {
    where: /anthropic-compaction/,
    fields: ["text"],
    why: "the summary that a compaction makes for the vendor's own memory: text there, not part of the answer here",
  },
  {
    where: /programmatic-tool-calling|anthropic-tool-search/,
    fields: FIELDS,
    why: "the fixture holds several messages in a row: the AI SDK reads on, for us message_stop is the end",
  },
  {
    where: /spliced-message-start/,
    fields: ["calls", "inputTokens", "outputTokens"],
    why: "another message begins inside the first: both fail, we also tell what had begun and what was counted until then",
  },
];

let server: LoopbackServer;
before(async () => {
  server = await serveRecordings();
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

/** The AI SDK keeps the vendor's own finish word beside its unified one, but for completed responses, which have none. */
async function theirs(model: LanguageModelV4): Promise<Reading> {
  const { stream } = await model.doStream({ prompt: [{ role: "user", content: [{ type: "text", text: "x" }] }] });
  let text = "";
  let finish = "nothing";
  let inputTokens = 0;
  let outputTokens = 0;
  const calls: string[] = [];
  for await (const part of stream as unknown as AsyncIterable<LanguageModelV4StreamPart>) {
    if (part.type === "text-delta") text += part.delta;
    if (part.type === "tool-call" && part.providerExecuted !== true)
      calls.push(`${part.toolName} ${canonical(part.input)}`);
    if (part.type === "error") finish = `error`;
    if (part.type === "finish" && finish !== "error") {
      finish =
        part.finishReason.unified === "tool-calls"
          ? "tool_calls"
          : (part.finishReason.raw ?? (part.finishReason.unified === "stop" ? "completed" : "nothing"));
      inputTokens = part.usage.inputTokens.total ?? 0;
      outputTokens = part.usage.outputTokens.total ?? 0;
    }
  }
  return { text, calls, finish, inputTokens, outputTokens };
}

type MakeModel = (index: number) => LanguageModelV4;

/** Which recordings, by whom they are read there, and by which adapter here. */
const PAIRS: readonly (readonly [string, string, RegExp, MakeModel, ProviderConfig["type"], string?])[] = [
  [
    "openai-compatible",
    "openai-chat",
    /^custom\/|^huggingface\//,
    (index) => createOpenAICompatible({ name: "local", baseURL: server.origin })(`rec-${index}`) as LanguageModelV4,
    "custom",
  ],
  [
    "openai chat",
    "openai-chat",
    /^openai\//,
    (index) => createOpenAI({ apiKey: "k", baseURL: server.origin }).chat(`rec-${index}`),
    "openai",
  ],
  [
    "together",
    "openai-chat",
    /^together\//,
    (index) => createTogetherAI({ apiKey: "k", baseURL: server.origin })(`rec-${index}`) as LanguageModelV4,
    "together",
  ],
  [
    "openai responses",
    "openai-responses",
    /./,
    (index) => createOpenAI({ apiKey: "k", baseURL: server.origin }).responses(`rec-${index}`),
    "openai",
    "responses",
  ],
  [
    "anthropic",
    "anthropic",
    /./,
    (index) => createAnthropic({ apiKey: "k", baseURL: server.origin })(`rec-${index}`),
    "anthropic",
  ],
  [
    "google",
    "google",
    /./,
    (index) => createGoogleGenerativeAI({ apiKey: "k", baseURL: `${server.origin}/v1beta` })(`rec-${index}`),
    "google",
  ],
  ["cohere", "cohere", /./, (index) => createCohere({ apiKey: "k", baseURL: server.origin })(`rec-${index}`), "cohere"],
];

function explained(name: string, recording: Recording, field: keyof Reading): boolean {
  return DIFFERENCES.some(({ where, fields }) => where.test(`${name} ${recording.name}`) && fields.includes(field));
}

for (const [name, codecName, where, makeModel, type, dialect] of PAIRS) {
  test(`[PV122] ${name}: the AI SDK's provider and our adapter read the same`, { skip: SKIP }, async (context) => {
    const unexplained: string[] = [];
    let compared = 0;
    let differing = 0;
    for (const [index, recording] of RECORDINGS.entries()) {
      if (recording.codecName !== codecName || !where.test(recording.name)) continue;
      const read = await theirs(makeModel(index)).catch((error: unknown) => `threw ${String(error).slice(0, 120)}`);
      const mine = await ours(server, type, index, dialect);
      const finish = mine.finish.startsWith("error") || mine.finish.startsWith("thrown") ? "error" : mine.finish;
      compared++;
      for (const field of FIELDS) {
        const their = typeof read === "string" ? read : JSON.stringify(read[field]);
        const our = JSON.stringify(field === "finish" ? finish : mine[field]);
        if (their === our) continue;
        differing++;
        if (!explained(name, recording, field))
          unexplained.push(
            `${name} ${recording.name} ${field}: AI SDK ${their.slice(0, 150)} | ours ${our.slice(0, 150)}`,
          );
      }
    }
    context.diagnostic(`${compared} streams compared, ${differing} explained differences`);
    assert.ok(compared > 0, "no streams");
    assert.deepEqual(unexplained, []);
  });
}
