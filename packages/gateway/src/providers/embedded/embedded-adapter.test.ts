// Rules EP1..EP8 of docs/spec/embedded.md. `stream` prints each batch as its parts, one line a batch.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatRequest, Message, StreamPart, XRContext } from "@fovea/core";
import { ProviderError } from "@fovea/core";
import { plainContext } from "@fovea/core/testing";
import { DialogueMemory } from "./dialogue-memory.ts";
import { EmbeddedAdapter } from "./embedded-adapter.ts";
import { embedText } from "./lexical-embedding.ts";

const ROOM = [
  { id: "table", at: [0, 0.375, -2], size: [1, 0.75, 0.8] },
  { id: "lamp1", at: [-2, 0.5, -2], size: [0.2, 1, 0.2] },
  { id: "lamp2", at: [2, 0.5, -2], size: [0.2, 1, 0.2] },
] as const;

function user(text: string): Message {
  return { role: "user", content: [{ type: "text", text }] };
}

function request(
  texts: readonly string[],
  more: Partial<ChatRequest> = {},
  xr: XRContext = plainContext(ROOM),
): ChatRequest {
  return { model: "geometry", messages: texts.map(user), xr, ...more };
}

function tools(...names: readonly string[]): Pick<ChatRequest, "tools"> {
  return { tools: names.map((name) => ({ name, schema: {} })) };
}

function shown(part: StreamPart): string {
  if (part.type === "text-delta") return JSON.stringify(part.text);
  if (part.type === "tool-start") return `${part.name}(`;
  if (part.type === "tool-delta") return part.args;
  if (part.type === "tool-end") return ")";
  return part.type === "finish" ? `finish ${part.reason}` : part.type;
}

async function stream(call: ChatRequest, adapter = new EmbeddedAdapter()): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const batch of adapter.chatStream(call)) lines.push(batch.parts.map(shown).join(" "));
  return lines;
}

test("[EP1] sentences stream one by one between start and finish", async () => {
  assert.deepEqual(await stream(request(["how far is the table?"])), [
    `start "The table is 1.8 m away, straight ahead."`,
    "usage finish stop",
  ]);
  const two = await stream(request(["how far is the lamp?"]));
  assert.equal(two.length, 3);
  assert.equal(two[1], `" Which one do you mean?"`);
  const whole = await new EmbeddedAdapter().chat(request(["how far is the table?"]));
  assert.equal(whole.text, "The table is 1.8 m away, straight ahead.");
  assert.equal(whole.finishReason, "stop");
});

test("[EP2] only offered tools are called", async () => {
  const [line] = await stream(request(["where is the table?"], tools("highlight", "haptic")));
  assert.equal(
    line,
    `start highlight( {"target":"table","style":"outline","seconds":6} ) haptic( {"name":"confirm","hand":"both"} ) "The table is 1.8 m away, straight ahead."`,
  );
  assert.deepEqual((await stream(request(["where is the table?"], tools("haptic"))))[0]?.includes("highlight"), false);
  assert.deepEqual((await stream(request(["where is the table?"])))[0]?.includes("("), false);
  const none = await stream(request(["where is the table?"], { ...tools("highlight"), toolChoice: "none" }));
  assert.equal(none[0]?.includes("highlight"), false);
});

test("[EP3] without a scene it says what it is and what it needs", async () => {
  const answerTo = async (text: string): Promise<string> =>
    (await new EmbeddedAdapter().chat({ model: "geometry", messages: [user(text)] })).text;
  const help = await answerTo("What can you do?");
  assert.match(help, /where things are, how far and how big.*demo page.*SDK.*key of an AI vendor/);
  for (const asked of ["Hello!", "Who are you?", "help", ""]) assert.equal(await answerTo(asked), help, asked);
  for (const asked of ["Where is the lamp?", "how far is the door", "highlight the sofa", "what am I looking at?"])
    assert.match(await answerTo(asked), /^I would measure that for you, but.*without a room\..*demo page.*SDK/, asked);
  for (const asked of [
    "What is the capital of France?",
    "Who won the world cup?",
    "Write a poem about the sea",
    "Reply with the word pong.",
    "Translate good morning into French",
    "asdf",
  ])
    assert.match(await answerTo(asked), /^That takes a language model,.*key of an AI vendor.*demo page/, asked);
  assert.match(await answerTo("Turn on the lamp"), /^I cannot operate things/);
  for (const text of [help, await answerTo("asdf"), await answerTo("where is it?")])
    assert.ok(text.split(/(?<=\.) /).length <= 3, text);
});

test("[EP4] after its own actions it adds nothing", async () => {
  const result: Message = { role: "tool", content: [{ type: "tool-result", id: "1", name: "highlight", content: [] }] };
  const call = { ...request(["where is the table?"]), messages: [user("where is the table?"), result] };
  assert.deepEqual(await stream(call), ["start usage finish stop"]);
});

test("[MC12] what is shown to nobody is told", async () => {
  const asked = (person: XRContext["person"]): Promise<readonly string[]> =>
    stream(request(["highlight the table"], tools("highlight"), { ...plainContext(ROOM), ...(person && { person }) }));
  const seen = (await asked(undefined)).join(" ");
  const unseen = (await asked({ sight: "none" })).join(" ");
  assert.doesNotMatch(seen, /ahead/);
  assert.match(unseen, /straight ahead/);
  const told = await stream(
    request(["where is the table?"], tools("highlight"), { ...plainContext(ROOM), person: { sight: "none" } }),
  );
  assert.equal(told.join(" ").match(/ahead/g)?.length, 1);
});

test("[EP5] the focus of a session lasts, and belongs to it", async () => {
  const adapter = new EmbeddedAdapter();
  const looking = (entityId: string): XRContext => plainContext(ROOM, { attention: [{ entityId }] });
  await adapter.chat(request(["what am I looking at?"], {}, looking("lamp2")));
  // The user has looked away since; "it" is still the lamp.
  const later = await adapter.chat(request(["what am I looking at?", "how tall is it?"], {}, looking("table")));
  assert.equal(later.text, "The lamp is 1 m tall.");
  const other = { ...looking("table"), sessionId: "s2" };
  const elsewhere = await adapter.chat(request(["what am I looking at?", "how tall is it?"], {}, other));
  assert.equal(elsewhere.text, "The table is 75 cm tall.");
  const memory = new DialogueMemory(2);
  for (const session of ["a", "b", "c"]) memory.remember(session, ["hello"], { ids: [session] });
  assert.equal(memory.recall("a", ["hello", "x"]), undefined);
  assert.deepEqual(memory.recall("c", ["hello", "x"]), { ids: ["c"] });
});

test("[EP6] a cancelled call ends with the abort", async () => {
  const stop = new AbortController();
  const batches: string[] = [];
  const run = async (): Promise<void> => {
    for await (const batch of new EmbeddedAdapter().chatStream(request(["how far is the lamp?"]), {
      signal: stop.signal,
    })) {
      batches.push(batch.text);
      stop.abort();
    }
  };
  await assert.rejects(run, (error: unknown) => ProviderError.is(error) && error.failure.code === "aborted");
  assert.equal(batches.length, 1);
});

test("[EP7] embeddings are deterministic, of length one, and compare spelling", async () => {
  const adapter = new EmbeddedAdapter();
  const { vectors } = await adapter.embeddings({
    model: "lexical-256",
    input: ["the red chair", "the red chairs", "a quick fox", ""],
  });
  const dot = (a: number, b: number): number =>
    [...(vectors[a] ?? [])].reduce((sum, value, i) => sum + value * (vectors[b]?.[i] ?? 0), 0);
  assert.ok(Math.abs(dot(0, 0) - 1) < 1e-6);
  assert.ok(dot(0, 1) > 0.7 && dot(0, 2) < 0.3, `${dot(0, 1)} ${dot(0, 2)}`);
  assert.equal(dot(3, 3), 0);
  assert.deepEqual(embedText("the red chair"), vectors[0]);
  assert.equal((await adapter.embeddings({ model: "x", input: ["a"], dimensions: 64 })).vectors[0]?.length, 64);
});

test("[EP8] usage is zero, and the provider lists what it can", async () => {
  const adapter = new EmbeddedAdapter();
  const { usage } = await adapter.chat(request(["where is the table?"]));
  assert.deepEqual(usage, {
    input: { total: 0, cacheRead: 0, cacheWrite: 0 },
    output: { total: 0 },
    source: "provider",
  });
  assert.deepEqual(await adapter.getAvailableModels(), ["geometry", "lexical-256"]);
  assert.equal((await adapter.healthCheck()).state, "healthy");
});
