// Rule PV121 of docs/spec/providers.md: every adapter against the provider emulator, which was written from the vendors'
// documents by other hands. `outcome` runs one streamed call of the model `emu/<fault>` and says how it ended.
import assert from "node:assert/strict";
import test from "node:test";
import { hasCapability, ProviderError, type IdentifiedAdapter, type ProviderConfig } from "@fovea/core";
import { MemoryLog } from "@fovea/core/testing";
import { startEmulator, type Emulator, type ProviderName } from "../../packages/gateway/emulator/index.ts";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { createHttpTransport, type HttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";

const TIMEOUTS = { connectMs: 1_000, headersMs: 1_000, firstContentMs: 1_200, idleMs: 700, totalMs: 2_500 };

/** What each fault must end as. Several codes: the vendor's own framing decides which. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  crlf: /^whole/,
  cr: /^whole/,
  comments: /^whole/,
  padding: /^whole/,
  "unknown-events": /^whole/,
  dribble: /^whole/,
  coalesce: /^whole/,
  "retry-after-200": /^whole/,
  "no-usage": /^whole/,
  "late-usage": /^whole/,
  "duplicate-usage": /^whole/,
  hang: /^thrown timeout_headers$/,
  reset: /^thrown unreachable$/,
  "status@500": /^thrown server_error$/,
  "status@401": /^thrown auth$/,
  "status@404": /^thrown not_found$/,
  "status@503": /^thrown (?:capacity(?: 20000)?|overloaded)$/,
  "rate-limit@2": /^thrown rate_limited 2000$/,
  "html@502": /^thrown server_error$/,
  "html-200": /^thrown protocol$/,
  redirect: /^thrown protocol$/,
  "cut@2": /^truncated after output$/,
  "eof@2": /^truncated after output$/,
  "stall@2": /^stalled after output$/,
  "pings-only": /^(?:timeout_first_token|thrown timeout_headers)$/,
  "error@2": /^(?:provider_stream_error|overloaded|server_error|capacity) after output$/,
  "malformed@2": /^protocol after output$/,
  "huge-line": /^(?:protocol|timeout_first_token)/,
  endless: /^timeout_total after output$/,
};

const WAITING = /^(?:hang|stall|pings|huge|endless)/;
const SAME_CODEC: ReadonlySet<string> = new Set(["huggingface", "together", "custom"]);

const CHATTING = ["openai", "anthropic", "google", "huggingface", "cohere", "together", "custom"] as const;

interface Scene {
  readonly adapter: IdentifiedAdapter;
  readonly emulator: Emulator;
}

async function play(
  type: ProviderName,
  dialect: string | undefined,
  use: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using emulator = await startEmulator({ provider: type });
  const clock = new SystemClock();
  const http: HttpTransport = createHttpTransport(clock);
  const factory = createProviderFactory({ clock, log: new MemoryLog(), http });
  const config: ProviderConfig = {
    id: "p",
    type,
    apiKey: "test-key",
    baseUrl: emulator.baseUrl,
    ...(dialect === undefined ? {} : { dialect }),
  };
  const adapter = factory.createProvider(config, { id: "p", type, displayName: "p", models: [] });
  try {
    await use({ adapter, emulator });
  } finally {
    await http.close();
  }
}

async function outcome(adapter: IdentifiedAdapter, model: string): Promise<{ said: string; text: string }> {
  let text = "";
  let said = "nothing";
  const messages = [{ role: "user", content: [{ type: "text", text: "What is on the table?" }] }] as const;
  try {
    for await (const batch of adapter.chatStream({ model, messages }, { timeouts: TIMEOUTS })) {
      text += batch.text;
      const last = batch.parts.at(-1);
      if (last?.type === "finish") said = `whole ${last.reason}`;
      if (last?.type === "error") said = `${last.failure.code}${last.failure.partialOutput ? " after output" : ""}`;
    }
  } catch (error) {
    if (!ProviderError.is(error)) throw error;
    const wait = error.failure.retryAfterMs;
    said = `thrown ${error.failure.code}${wait === undefined ? "" : ` ${wait}`}`;
  }
  return { said, text };
}

for (const [type, dialect] of [
  ...CHATTING.map((name) => [name, undefined] as const),
  ["openai", "responses"] as const,
  ["custom", "ollama-native"] as const,
]) {
  test(`[PV121] ${type}${dialect === undefined ? "" : ` ${dialect}`}: every fault of the emulator ends as it must`, async () => {
    await play(type, dialect, async ({ adapter }) => {
      const plain = await outcome(adapter, "emu/coalesce@1");
      assert.match(plain.said, /^whole stop$/);
      assert.ok(plain.text.length > 5);
      const wrong: string[] = [];
      const run = async ([fault, expected]: [string, RegExp]): Promise<void> => {
        const { said, text } = await outcome(adapter, `emu/${fault}`);
        if (!expected.test(said)) wrong.push(`${fault}: ${said}`);
        else if (said.startsWith("whole") && text !== plain.text) wrong.push(`${fault}: another text`);
        else if (!plain.text.startsWith(text) && fault !== "endless") wrong.push(`${fault}: text that was not said`);
      };
      // A few at a time: server and client share one event loop, and the timers are real. The three that wait for a timer
      // are left out where the codec is one that another vendor has shown already.
      const isFirst = !SAME_CODEC.has(type);
      const faults = Object.entries(EXPECTED).filter(([fault]) => isFirst || !WAITING.test(fault));
      const quick = faults.filter(([fault]) => !WAITING.test(fault));
      for (let start = 0; start < quick.length; start += 8) await Promise.all(quick.slice(start, start + 8).map(run));
      await Promise.all(faults.filter(([fault]) => WAITING.test(fault)).map(run));
      assert.deepEqual(wrong.sort(), []);
    });
  });
}

test("[PV121] every vendor: health, models, embeddings where it has them, unstreamed chat", async () => {
  for (const type of CHATTING) {
    await play(type, undefined, async ({ adapter }) => {
      assert.equal((await adapter.healthCheck()).state, "healthy", type);
      const models = await adapter.getAvailableModels();
      assert.ok(models.length > 0, type);
      const model = models.find((id) => !/embed|tts|whisper|image|rerank|bge|minilm|detr|flux/i.test(id)) ?? "m";
      const answer = await adapter.chat({
        model,
        messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
      });
      assert.ok(
        answer.text.length > 0 && answer.finishReason === "stop" && (answer.usage?.output.total ?? 0) > 0,
        `${type} ${model}`,
      );
      if (!adapter.supportedFeatures.includes("embed")) return;
      const { vectors } = await adapter.embeddings({
        model: models.find((id) => /embed|bge|minilm/i.test(id)) ?? model,
        input: ["a", "b"],
      });
      assert.equal(vectors.length, 2, type);
    });
  }
});

test("[PV121] predictions and worlds: streamed, imaged, run to their files", async () => {
  await play("replicate", undefined, async ({ adapter, emulator }) => {
    emulator.setScenario({ rules: [{ answer: { jobMs: 20 } }] });
    const { said, text } = await outcome(adapter, "meta/meta-llama-3-8b-instruct");
    assert.equal(said, "whole stop");
    assert.ok(text.length > 5);
    assert.equal((await adapter.healthCheck()).state, "healthy");
    const whole = await adapter.chat({
      model: "meta/meta-llama-3-8b-instruct",
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
    });
    assert.ok(whole.text.length > 5);
  });
  await play("worldlabs", undefined, async ({ adapter, emulator }) => {
    emulator.setScenario({ rules: [{ answer: { jobMs: 20 } }] });
    assert.ok(hasCapability(adapter, "job"));
    assert.equal((await adapter.healthCheck()).state, "healthy");
    const started = await adapter.startJob({ model: "marble-1.1", kind: "splat", input: { prompt: "A small room" } });
    let job = started;
    for (let poll = 0; poll < 50 && job.state !== "succeeded"; poll++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      job = await adapter.getJob(started.id);
    }
    assert.equal(job.state, "succeeded");
    assert.ok(job.output.some(({ role }) => role === "splat:100k"));
    assert.equal(job.usage?.units?.credits, 1_600);
  });
});
