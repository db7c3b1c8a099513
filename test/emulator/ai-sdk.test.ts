import assert from "node:assert/strict";
import test from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createCohere } from "@ai-sdk/cohere";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createTogetherAI } from "@ai-sdk/togetherai";
import { APICallError, generateText, jsonSchema, streamText, tool, type LanguageModel } from "ai";
import { startEmulator, type Emulator, type ProviderName } from "../../packages/gateway/emulator/index.ts";

const MODELS: Readonly<Record<string, readonly [ProviderName, (emulator: Emulator) => LanguageModel]>> = {
  "openai responses": ["openai", (emulator) => createOpenAI({ apiKey: "k", baseURL: emulator.baseUrl })("m")],
  "openai chat": ["openai", (emulator) => createOpenAI({ apiKey: "k", baseURL: emulator.baseUrl }).chat("m")],
  anthropic: ["anthropic", (emulator) => createAnthropic({ apiKey: "k", baseURL: `${emulator.url}/v1` })("m")],
  google: ["google", (emulator) => createGoogleGenerativeAI({ apiKey: "k", baseURL: `${emulator.url}/v1beta` })("m")],
  cohere: ["cohere", (emulator) => createCohere({ apiKey: "k", baseURL: `${emulator.url}/v2` })("m")],
  together: ["together", (emulator) => createTogetherAI({ apiKey: "k", baseURL: emulator.baseUrl })("m")],
  compatible: ["custom", (emulator) => createOpenAICompatible({ name: "local", baseURL: emulator.baseUrl })("m")],
};

for (const [name, [provider, create]] of Object.entries(MODELS)) {
  test(`[EM49] AI SDK, ${name}`, async () => {
    await using emulator = await startEmulator({ provider });
    const model = create(emulator);
    const options = { model, prompt: "what is this", maxRetries: 0 };
    const whole = await generateText(options);
    assert.equal(whole.text, "You said: what is this");
    assert.ok((whole.usage.totalTokens ?? 0) > 0);
    let streamed = "";
    for await (const piece of streamText(options).textStream) streamed += piece;
    assert.equal(streamed, "You said: what is this");
    const inputSchema = jsonSchema({ type: "object", properties: { at: { type: "string" } } });
    const called = await generateText({ ...options, tools: { look: tool({ inputSchema }) } });
    assert.deepEqual(called.toolCalls[0]?.input, { at: "example" });
    emulator.setScenario({ rules: [{ status: 429 }] });
    await assert.rejects(
      generateText(options),
      (error) => APICallError.isInstance(error) && error.statusCode === 429 && error.isRetryable,
    );
  });
}
