// Rules PV86 and PV90 of docs/spec/providers.md: one answer, told by each vendor both as a stream and in one piece, means
// the same and costs the same. Answers are made up by fast-check; `tell` writes them in the vendor's two forms.
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { toBatch, type ChatResponse, type ProviderType, type StreamPart } from "@fovea/core";
import { FakeClock } from "@fovea/core/testing";
import { ANTHROPIC_WIRE } from "../../packages/gateway/src/providers/anthropic/adapter.ts";
import { COHERE_WIRE } from "../../packages/gateway/src/providers/cohere/adapter.ts";
import { GOOGLE_WIRE } from "../../packages/gateway/src/providers/google/adapter.ts";
import { OPENAI_PROFILE } from "../../packages/gateway/src/providers/openai/profile.ts";
import { openAiWire, responsesWire } from "../../packages/gateway/src/providers/openai/wire.ts";
import { ollamaWire } from "../../packages/gateway/src/providers/ollama/wire.ts";
import { createPriceList } from "../../packages/gateway/src/providers/prices.ts";
import type { VendorWire } from "../../packages/gateway/src/providers/vendor-wire.ts";

interface Answer {
  readonly pieces: readonly string[];
  readonly thoughts: readonly string[];
  readonly calls: readonly { readonly name: string; readonly args: Record<string, unknown>; readonly cut: number }[];
  readonly isCutShort: boolean;
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

const WORD = fc.string({ unit: "binary", minLength: 1, maxLength: 12 });
const ANSWER: fc.Arbitrary<Answer> = fc.record({
  pieces: fc.array(WORD, { minLength: 1, maxLength: 5 }),
  thoughts: fc.array(WORD, { maxLength: 3 }),
  calls: fc.array(
    fc.record({
      name: fc.constantFrom("look", "move"),
      args: fc.dictionary(fc.constantFrom("a", "b", "c"), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
      cut: fc.nat(10),
    }),
    { maxLength: 3 },
  ),
  isCutShort: fc.boolean(),
  input: fc.nat(5_000),
  cached: fc.nat(100),
  output: fc.nat(1_000),
  reasoning: fc.nat(50),
});

interface Told {
  readonly stream: string;
  readonly body: unknown;
}

const event = (value: unknown, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(value)}\n\n`;
/** JSON text in two pieces. */
const halves = (args: unknown, cut: number): [string, string] => {
  const text = JSON.stringify(args);
  return [text.slice(0, cut), text.slice(cut)];
};

function tellOpenAi(answer: Answer): Told {
  const finish = answer.isCutShort ? "length" : answer.calls.length > 0 ? "tool_calls" : "stop";
  const usage = {
    prompt_tokens: answer.input + answer.cached,
    completion_tokens: answer.output + answer.reasoning,
    prompt_tokens_details: { cached_tokens: answer.cached },
    completion_tokens_details: { reasoning_tokens: answer.reasoning },
  };
  const chunk = (delta: object, reason: string | null = null): string =>
    event({ id: "x", model: "gpt-4o", choices: [{ index: 0, delta, finish_reason: reason }] });
  const stream = [
    chunk({ role: "assistant", content: "" }),
    ...answer.thoughts.map((reasoning_content) => chunk({ reasoning_content })),
    ...answer.pieces.map((content) => chunk({ content })),
    ...answer.calls.flatMap(({ name, args, cut }, index) => {
      const [head, tail] = halves(args, cut);
      return [
        chunk({ tool_calls: [{ index, id: `c${index}`, type: "function", function: { name, arguments: head } }] }),
        chunk({ tool_calls: [{ index, function: { arguments: tail } }] }),
      ];
    }),
    chunk({}, finish),
    event({ id: "x", model: "gpt-4o", choices: [], usage }),
    "data: [DONE]\n\n",
  ].join("");
  const message = {
    role: "assistant",
    content: answer.pieces.join(""),
    reasoning_content: answer.thoughts.join(""),
    tool_calls: answer.calls.map(({ name, args }, index) => ({
      id: `c${index}`,
      type: "function",
      function: { name, arguments: JSON.stringify(args) },
    })),
  };
  return { stream, body: { id: "x", model: "gpt-4o", choices: [{ index: 0, message, finish_reason: finish }], usage } };
}

function tellResponses(answer: Answer): Told {
  const usage = {
    input_tokens: answer.input + answer.cached,
    output_tokens: answer.output + answer.reasoning,
    input_tokens_details: { cached_tokens: answer.cached },
    output_tokens_details: { reasoning_tokens: answer.reasoning },
  };
  const end = answer.isCutShort
    ? { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }
    : { status: "completed", incomplete_details: null };
  const thoughts = answer.thoughts.map((text) => ({ type: "summary_text", text }));
  const items: object[] = [
    { type: "reasoning", summary: thoughts },
    { type: "message", content: [{ type: "output_text", text: answer.pieces.join(""), annotations: [] }] },
    ...answer.calls.map(({ name, args }, index) => ({
      type: "function_call",
      id: `f${index}`,
      call_id: `c${index}`,
      name,
      arguments: JSON.stringify(args),
    })),
  ];
  const response = { id: "x", model: "gpt-4o", usage, ...end };
  const stream = [
    event({ type: "response.created", response: { id: "x", model: "gpt-4o", status: "in_progress" } }),
    ...answer.thoughts.map((delta) => event({ type: "response.reasoning_summary_text.delta", output_index: 0, delta })),
    event({ type: "response.output_item.done", output_index: 0, item: items[0] }),
    ...answer.pieces.map((delta) => event({ type: "response.output_text.delta", output_index: 1, delta })),
    event({ type: "response.output_item.done", output_index: 1, item: items[1] }),
    ...answer.calls.flatMap(({ args, cut }, index) => {
      const output_index = index + 2;
      const item = items[output_index];
      return [
        event({ type: "response.output_item.added", output_index, item: { ...item, arguments: "" } }),
        ...halves(args, cut).map((delta) =>
          event({ type: "response.function_call_arguments.delta", output_index, delta }),
        ),
        event({ type: "response.output_item.done", output_index, item }),
      ];
    }),
    event({ type: answer.isCutShort ? "response.incomplete" : "response.completed", response }),
  ].join("");
  return { stream, body: { ...response, output: items } };
}

function tellAnthropic(answer: Answer): Told {
  const stop_reason = answer.isCutShort ? "max_tokens" : answer.calls.length > 0 ? "tool_use" : "end_turn";
  const inputUsage = {
    input_tokens: answer.input,
    cache_read_input_tokens: answer.cached,
    cache_creation_input_tokens: 0,
  };
  const usage = { ...inputUsage, output_tokens: answer.output + answer.reasoning };
  const message = { id: "x", model: "claude-sonnet-4-6", role: "assistant", content: [] as unknown[] };
  const blocks: {
    block: Record<string, unknown>;
    empty: Record<string, unknown>;
    deltas: Record<string, unknown>[];
  }[] = [];
  if (answer.thoughts.length > 0) {
    blocks.push({
      block: { type: "thinking", thinking: answer.thoughts.join(""), signature: "s" },
      empty: { type: "thinking", thinking: "" },
      deltas: [
        ...answer.thoughts.map((thinking) => ({ type: "thinking_delta", thinking })),
        { type: "signature_delta", signature: "s" },
      ],
    });
  }
  blocks.push({
    block: { type: "text", text: answer.pieces.join("") },
    empty: { type: "text", text: "" },
    deltas: answer.pieces.map((text) => ({ type: "text_delta", text })),
  });
  answer.calls.forEach(({ name, args, cut }, index) => {
    const call = { type: "tool_use", id: `c${index}`, name };
    blocks.push({
      block: { ...call, input: args },
      empty: { ...call, input: {} },
      deltas: halves(args, cut).map((partial_json) => ({ type: "input_json_delta", partial_json })),
    });
  });
  const stream = [
    event(
      { type: "message_start", message: { ...message, usage: { ...inputUsage, output_tokens: 1 } } },
      "message_start",
    ),
    ...blocks.flatMap(({ empty, deltas }, index) => [
      event({ type: "content_block_start", index, content_block: empty }),
      ...deltas.map((delta) => event({ type: "content_block_delta", index, delta })),
      event({ type: "content_block_stop", index }),
    ]),
    event({ type: "message_delta", delta: { stop_reason }, usage: { output_tokens: usage.output_tokens } }),
    event({ type: "message_stop" }),
  ].join("");
  return {
    stream,
    body: { ...message, type: "message", content: blocks.map(({ block }) => block), stop_reason, usage },
  };
}

function tellGoogle(answer: Answer): Told {
  const finishReason = answer.isCutShort ? "MAX_TOKENS" : "STOP";
  const usageMetadata = {
    promptTokenCount: answer.input + answer.cached,
    cachedContentTokenCount: answer.cached,
    candidatesTokenCount: answer.output,
    thoughtsTokenCount: answer.reasoning,
  };
  const parts = [
    ...answer.thoughts.map((text) => ({ text, thought: true })),
    ...answer.pieces.map((text) => ({ text })),
    ...answer.calls.map(({ name, args }, index) => ({ functionCall: { id: `c${index}`, name, args } })),
  ];
  const response = (some: readonly object[], more: object = {}): object => ({
    responseId: "x",
    modelVersion: "gemini-2.5-flash",
    candidates: [{ content: { role: "model", parts: some }, ...more }],
    usageMetadata: { ...usageMetadata, candidatesTokenCount: "finishReason" in more ? answer.output : 0 },
  });
  const stream = parts.map((part) => event(response([part]))).join("") + event(response([], { finishReason }));
  return { stream, body: response(parts, { finishReason }) };
}

function tellCohere(answer: Answer): Told {
  const finish_reason = answer.isCutShort ? "MAX_TOKENS" : answer.calls.length > 0 ? "TOOL_CALL" : "COMPLETE";
  const usage = {
    billed_units: { input_tokens: answer.input, output_tokens: answer.output },
    tokens: { input_tokens: answer.input + answer.cached, output_tokens: answer.output },
    cached_tokens: answer.cached,
  };
  const told = (type: string, message: object, index = 0): string => event({ type, index, delta: { message } }, type);
  const stream = [
    event({ type: "message-start", id: "x", delta: { message: { role: "assistant" } } }),
    ...answer.thoughts.map((thinking) => told("content-delta", { content: { thinking } })),
    ...answer.pieces.map((text) => told("content-delta", { content: { text } })),
    ...answer.calls.flatMap(({ name, args, cut }, index) => {
      const [head, tail] = halves(args, cut);
      return [
        told(
          "tool-call-start",
          { tool_calls: { id: `c${index}`, type: "function", function: { name, arguments: head } } },
          index,
        ),
        told("tool-call-delta", { tool_calls: { function: { arguments: tail } } }, index),
        told("tool-call-end", {}, index),
      ];
    }),
    event({ type: "message-end", delta: { finish_reason, usage } }),
  ].join("");
  const message = {
    role: "assistant",
    content: [
      ...answer.thoughts.map((thinking) => ({ type: "thinking", thinking })),
      { type: "text", text: answer.pieces.join("") },
    ],
    tool_calls: answer.calls.map(({ name, args }, index) => ({
      id: `c${index}`,
      type: "function",
      function: { name, arguments: JSON.stringify(args) },
    })),
  };
  return { stream, body: { id: "x", message, finish_reason, usage } };
}

function tellOllama(answer: Answer): Told {
  const line = (value: object): string => `${JSON.stringify({ model: "x", ...value })}\n`;
  const calls = answer.calls.map(({ name, args }) => ({ function: { name, arguments: args } }));
  const end = {
    done: true,
    done_reason: answer.isCutShort ? "length" : "stop",
    prompt_eval_count: answer.input,
    eval_count: answer.output,
  };
  const said = (message: object): object => ({ message: { role: "assistant", content: "", ...message } });
  const stream = [
    ...answer.thoughts.map((thinking) => line({ ...said({ thinking }), done: false })),
    ...answer.pieces.map((content) => line({ ...said({ content }), done: false })),
    ...calls.map((call) => line({ ...said({ tool_calls: [call] }), done: false })),
    line({ ...said({}), ...end }),
  ].join("");
  const message = {
    role: "assistant",
    content: answer.pieces.join(""),
    thinking: answer.thoughts.join(""),
    tool_calls: calls,
  };
  return { stream, body: { model: "x", message, ...end } };
}

const FAMILIES: readonly (readonly [ProviderType, string, VendorWire, (answer: Answer) => Told])[] = [
  ["openai", "gpt-4o", openAiWire(OPENAI_PROFILE, () => []), tellOpenAi],
  ["openai", "gpt-4o", responsesWire(OPENAI_PROFILE, () => []), tellResponses],
  ["anthropic", "claude-sonnet-4-6", ANTHROPIC_WIRE, tellAnthropic],
  ["google", "gemini-2.5-flash", GOOGLE_WIRE, tellGoogle],
  ["cohere", "command-a-03-2025", COHERE_WIRE, tellCohere],
  ["together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", ollamaWire(() => []), tellOllama],
];

/** What the answer means, whichever way it came. */
function meaning(parts: readonly StreamPart[]): object {
  const batch: ChatResponse = toBatch("", "", parts);
  const thoughts = parts.map((part) => (part.type === "reasoning-delta" ? (part.text ?? "") : "")).join("");
  const start = parts.find((part) => part.type === "start");
  return { text: batch.text, calls: batch.toolCalls, finish: batch.finishReason, usage: batch.usage, thoughts, start };
}

for (const [type, model, wire, tell] of FAMILIES) {
  const form = tell.name.replace("tell", "");
  const codec = wire.chat;
  assert.ok(codec !== undefined);
  const context = { providerId: "p", request: { model, messages: [] }, warnings: [] };
  const decodeStream = (stream: string): StreamPart[] => {
    const parts: StreamPart[] = [];
    const decoder = codec.decoder(context);
    decoder.push(Buffer.from(stream), parts);
    if (!decoder.isDone) decoder.end(undefined, parts);
    return parts;
  };

  test(`[PV90] ${form}: streamed and whole mean the same`, () => {
    fc.assert(
      fc.property(ANSWER, (answer) => {
        const { stream, body } = tell(answer);
        const whole = meaning(codec.decode(JSON.parse(JSON.stringify(body)), context));
        assert.deepEqual(meaning(decodeStream(stream)), whole);
        assert.equal((whole as { text: string }).text, JSON.parse(JSON.stringify(answer.pieces.join(""))));
        assert.equal((whole as { calls: unknown[] }).calls.length, answer.calls.length);
      }),
      { numRuns: 150 },
    );
  });

  test(`[PV86] ${form}: streamed and whole cost the same`, () => {
    const price = createPriceList(new FakeClock());
    fc.assert(
      fc.property(ANSWER, (answer) => {
        fc.pre(answer.input > 0 && answer.output > 0);
        const { stream, body } = tell(answer);
        const costs = [decodeStream(stream), codec.decode(body, context)].map((parts) => {
          const { usage } = toBatch("", "", parts);
          assert.ok(usage !== undefined);
          return price(type, model, usage);
        });
        assert.deepEqual(costs[0], costs[1]);
        assert.ok((costs[0]?.microUsd ?? 0) > 0, `${model} has no price`);
      }),
      { numRuns: 100 },
    );
  });
}
