import assert from "node:assert/strict";
import test from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, jsonSchema, stepCountIs, streamText, tool, type LanguageModel } from "ai";
import { openGateway } from "./gateway-with-vendors.ts";

test("[DW108] AI SDK providers work through every door", async () => {
  await using house = await openGateway({
    openai: ["gpt-5.1"],
    anthropic: ["claude-sonnet-4-6"],
    google: ["gemini-3.7-flash"],
  });
  const doors: Record<string, (model: string) => LanguageModel> = {
    responses: createOpenAI({ apiKey: "k", baseURL: `${house.url}/v1` }),
    chat: createOpenAI({ apiKey: "k", baseURL: `${house.url}/v1` }).chat,
    compatible: createOpenAICompatible({ name: "fovea", includeUsage: true, baseURL: `${house.url}/v1`, apiKey: "k" }),
    anthropic: createAnthropic({ apiKey: "k", baseURL: `${house.url}/v1` }),
    gemini: createGoogleGenerativeAI({ apiKey: "k", baseURL: `${house.url}/v1beta` }),
  };
  const inputSchema = jsonSchema<{ at: string }>({ type: "object", properties: { at: { type: "string" } } });
  const look = tool({ inputSchema, execute: ({ at }) => `a red ${at}` });
  const problems: string[] = [];
  for (const [door, create] of Object.entries(doors)) {
    for (const name of ["openai/gpt-5.1", "anthropic/claude-sonnet-4-6", "google/gemini-3.7-flash"]) {
      const options = { model: create(name), prompt: "what is this", maxRetries: 0, maxOutputTokens: 200 };
      const seen = [(await generateText(options)).text];
      let streamed = "";
      const stream = streamText(options);
      for await (const piece of stream.textStream) streamed += piece;
      seen.push(
        streamed,
        await stream.finishReason,
        `${(await stream.usage).inputTokens}+${(await stream.usage).outputTokens}`,
      );
      // The whole loop: the model calls, the tool runs here, the model answers.
      const loop = await generateText({ ...options, tools: { look }, stopWhen: stepCountIs(3) });
      seen.push(String(loop.steps.length), loop.text);
      const wanted = "You said: what is this|You said: what is this|stop|10+5|2|You said: what is this";
      if (seen.join("|") !== wanted) problems.push(`${door} with ${name}: ${seen.join("|")}`);
    }
  }
  assert.deepEqual(problems, []);
  house.emulators["openai"]?.setScenario({ rules: [{ fault: "cut@2" }] });
  const broken = streamText({
    model: doors["chat"]?.("openai/gpt-5.1") ?? assert.fail(),
    prompt: "x y z",
    maxRetries: 0,
    onError: () => {},
  });
  let failed = false;
  for await (const part of broken.fullStream) if (part.type === "error") failed = true;
  assert.ok(failed, "a cut answer is an error");
  house.emulators["openai"]?.setScenario({ rules: [{ status: 400 }] });
  const refused = generateText({
    model: doors["responses"]?.("openai/gpt-5.1") ?? assert.fail(),
    prompt: "x",
    maxRetries: 0,
  });
  await assert.rejects(
    refused,
    (error) => APICallError.isInstance(error) && error.statusCode === 400 && !error.isRetryable,
  );
});
