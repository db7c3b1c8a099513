// Rule PV66 of docs/spec/providers.md: what vendors really send beside the answer changes nothing of it. Every script is
// read whole and byte by byte, which also cuts every character of several bytes; `said` sums up what came out in one line.
import assert from "node:assert/strict";
import test from "node:test";
import type { StreamPart } from "@fovea/core";
import { ANTHROPIC_WIRE } from "../../packages/gateway/src/providers/anthropic/adapter.ts";
import { COHERE_WIRE } from "../../packages/gateway/src/providers/cohere/adapter.ts";
import { COMPATIBLE_PROFILE } from "../../packages/gateway/src/providers/custom/dialects.ts";
import { GOOGLE_WIRE } from "../../packages/gateway/src/providers/google/adapter.ts";
import { openAiWire, responsesWire } from "../../packages/gateway/src/providers/openai/wire.ts";
import type { VendorWire } from "../../packages/gateway/src/providers/vendor-wire.ts";

const CHAT = openAiWire(COMPATIBLE_PROFILE, () => []);
const RESPONSES = responsesWire(COMPATIBLE_PROFILE, () => []);

type Event = object | string;

/** An object is a data frame, named by its own `type` where it has one as Anthropic and Responses do; text stands as it is. */
function frames(events: readonly Event[]): Buffer {
  const text = events.map((event) => {
    if (typeof event === "string") return event;
    const name = "type" in event ? `event: ${String(event.type)}\n` : "";
    return `${name}data: ${JSON.stringify(event)}\n\n`;
  });
  return Buffer.from(text.join(""));
}

function parts(wire: VendorWire, bytes: Buffer, step: number): StreamPart[] {
  const decoder = wire.chat?.decoder({ providerId: "p", request: { model: "m", messages: [] }, warnings: [] });
  assert.ok(decoder !== undefined);
  const found: StreamPart[] = [];
  for (let at = 0; at < bytes.length && !decoder.isDone; at += step) decoder.push(bytes.subarray(at, at + step), found);
  if (!decoder.isDone) decoder.end(undefined, found);
  return found;
}

function summary(found: readonly StreamPart[]): string {
  const text = new Map<string, string>();
  const calls = new Map<number, string>();
  let count = "uncounted";
  let end = "no end";
  const add = (kind: string, more: string): unknown => text.set(kind, (text.get(kind) ?? "") + more);
  for (const part of found) {
    if (part.type === "text-delta" || part.type === "refusal-delta") add(part.type.replace("-delta", ""), part.text);
    else if (part.type === "reasoning-delta") {
      add("reasoning", part.text ?? "");
      if (part.opaque !== undefined) add("sealed", part.opaque);
    } else if (part.type === "tool-start") calls.set(part.index, `${part.name}(`);
    else if (part.type === "tool-end") calls.set(part.index, `${calls.get(part.index) ?? "?"}${part.args})`);
    else if (part.type === "citation") add("cited", "*");
    else if (part.type === "usage") {
      const { input, output, source } = part.usage;
      // What the vendor does not count is estimated by its length.
      if (source === "provider") count = `${input.total}/${output.total} cached ${input.cacheRead}`;
    } else if (part.type === "finish") end = part.reason;
    else if (part.type === "error") end = `error ${part.failure.code}`;
  }
  const said = [...text].map(([kind, value]) => `${kind}: ${value}`);
  return [...said, ...calls.values(), `${end} ${count}`].join("; ");
}

function said(wire: VendorWire, events: readonly Event[]): string {
  const bytes = frames(events);
  const whole = summary(parts(wire, bytes, bytes.length));
  for (const step of [1, 2, 3, 7]) assert.equal(summary(parts(wire, bytes, step)), whole, `in pieces of ${step} bytes`);
  return whole;
}

const chunk = (delta: object, finish: string | null = null, more: object = {}): object => ({
  id: "c1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-x",
  choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
  ...more,
});
const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13, prompt_tokens_details: { cached_tokens: 5 } };
const DONE = "data: [DONE]\n\n";
const callPiece = (index: number, args: string, id?: string, name?: string): object => ({
  index,
  ...(id === undefined ? {} : { id, type: "function" }),
  function: { ...(name === undefined ? {} : { name }), arguments: args },
});

test("[PV66] OpenAI's wire and its relatives", () => {
  const scripts: readonly (readonly [string, readonly Event[], string])[] = [
    [
      "Azure: a first chunk of filter results alone, and one after the end",
      [
        { id: "", object: "", created: 0, model: "", choices: [], prompt_filter_results: [{ prompt_index: 0 }] },
        chunk({ role: "assistant", content: "", refusal: null }),
        chunk({ content: "Grüße 🙂" }, null, { content_filter_results: {}, obfuscation: "xK2" }),
        chunk({}, "stop"),
        { choices: [{ index: 0, finish_reason: null, content_filter_offsets: { check_offset: 1 } }] },
        { id: "c1", choices: [], usage },
        DONE,
      ],
      "text: Grüße 🙂; stop 9/4 cached 5",
    ],
    [
      "OpenRouter: comments while it waits, its own fields, the count in the last chunk",
      [
        ": OPENROUTER PROCESSING\n\n",
        ": OPENROUTER PROCESSING\n\n",
        chunk({ role: "assistant", content: "yes" }, null, { provider: "Groq" }),
        { ...chunk({ content: "" }, "stop"), usage, native_finish_reason: "end" },
        DONE,
      ],
      "text: yes; stop 9/4 cached 5",
    ],
    [
      "Groq: counts under x_groq",
      [
        chunk({ role: "assistant", content: "yes" }, null, { x_groq: { id: "req_1" } }),
        chunk({}, "stop", { x_groq: { id: "req_1", usage } }),
        DONE,
      ],
      "text: yes; stop 9/4 cached 5",
    ],
    [
      "counts in every chunk: the last is right",
      [
        chunk({ content: "a" }, null, { usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 } }),
        chunk({ content: "b" }, null, { usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 } }),
        chunk({}, "stop", { usage }),
        DONE,
      ],
      "text: ab; stop 9/4 cached 5",
    ],
    [
      "calls whose pieces interleave, and text after them",
      [
        chunk({ role: "assistant", content: null, tool_calls: [callPiece(0, "", "a", "near")] }),
        chunk({ tool_calls: [callPiece(1, "", "b", "far")] }),
        chunk({ tool_calls: [callPiece(0, '{"x":')] }),
        chunk({ tool_calls: [callPiece(1, '{"ü":'), callPiece(0, "1}")] }),
        chunk({ tool_calls: [callPiece(1, '"🙂"}')] }),
        chunk({}, "tool_calls"),
        { id: "c1", choices: [], usage },
        DONE,
      ],
      'near({"x":1}); far({"ü":"🙂"}); tool_calls 9/4 cached 5',
    ],
    [
      "a local server that says stop after calls, in whole calls without an index",
      [
        chunk({
          role: "assistant",
          tool_calls: [{ id: "a", type: "function", function: { name: "near", arguments: '{"x":1}' } }],
        }),
        chunk({}, "stop"),
        DONE,
      ],
      'near({"x":1}); tool_calls uncounted',
    ],
    [
      "a refusal in pieces",
      [chunk({ role: "assistant", refusal: "I " }), chunk({ refusal: "cannot" }), chunk({}, "stop"), DONE],
      "refusal: I cannot; refusal uncounted",
    ],
    [
      "the filter in the middle of a word",
      [chunk({ content: "the rec" }), chunk({}, "content_filter"), DONE],
      "text: the rec; content_filter uncounted",
    ],
    [
      "reasoning under either name, annotations, unknown fields and unknown events",
      [
        "event: ping\ndata: {}\n\n",
        "retry: 3000\n\n",
        "id: 7\n\n",
        chunk({ reasoning_content: "hm " }),
        chunk({ reasoning: "so" }),
        chunk({ content: "ok", annotations: [], audio: null, something_new: { deep: [1] } }),
        chunk({}, "length"),
        DONE,
      ],
      "reasoning: hm so; text: ok; length uncounted",
    ],
    [
      "an error in the stream",
      [chunk({ content: "a" }), { error: { message: "gone", type: "server_error" } }],
      "text: a; error provider_stream_error uncounted",
    ],
  ];
  const outcomes = scripts.map(([name, events]) => [name, said(CHAT, events)]);
  assert.deepEqual(
    outcomes,
    scripts.map(([name, , expected]) => [name, expected]),
  );
});

const item = (type: string, more: object): object => ({ type, sequence_number: 1, ...more });

test("[PV66] OpenAI's Responses", () => {
  const done = {
    status: "completed",
    usage: { input_tokens: 9, output_tokens: 4, input_tokens_details: { cached_tokens: 5 } },
  };
  const scripts: readonly (readonly [string, readonly Event[], string])[] = [
    [
      "a search of its own, annotations, events nobody knows",
      [
        item("response.created", { response: { id: "r1", model: "gpt-x", status: "in_progress" } }),
        item("response.queued", { response: { id: "r1" } }),
        item("response.output_item.added", {
          output_index: 0,
          item: { type: "web_search_call", id: "ws1", status: "in_progress" },
        }),
        item("response.web_search_call.searching", { output_index: 0, item_id: "ws1" }),
        item("response.output_item.done", {
          output_index: 0,
          item: { type: "web_search_call", id: "ws1", status: "completed" },
        }),
        item("response.output_item.added", {
          output_index: 1,
          item: { type: "message", id: "m1", role: "assistant", content: [] },
        }),
        item("response.output_text.delta", {
          output_index: 1,
          item_id: "m1",
          content_index: 0,
          delta: "Grüße 🙂",
          obfuscation: "a",
        }),
        item("response.output_text.annotation.added", {
          output_index: 1,
          item_id: "m1",
          content_index: 0,
          annotation: { type: "url_citation", url: "https://x.example", title: "x", start_index: 0, end_index: 5 },
        }),
        item("response.something.new", { output_index: 1, delta: "not text" }),
        item("keepalive", {}),
        item("response.completed", { response: { id: "r1", model: "gpt-x", ...done } }),
      ],
      "text: Grüße 🙂; cited: *; stop 9/4 cached 5",
    ],
    [
      "two calls side by side",
      [
        item("response.created", { response: { id: "r1", model: "gpt-x" } }),
        item("response.output_item.added", {
          output_index: 0,
          item: { type: "function_call", id: "f1", call_id: "a", name: "near", arguments: "" },
        }),
        item("response.output_item.added", {
          output_index: 1,
          item: { type: "function_call", id: "f2", call_id: "b", name: "far", arguments: "" },
        }),
        item("response.function_call_arguments.delta", { output_index: 1, item_id: "f2", delta: '{"y":' }),
        item("response.function_call_arguments.delta", { output_index: 0, item_id: "f1", delta: '{"x":1}' }),
        item("response.function_call_arguments.delta", { output_index: 1, item_id: "f2", delta: "2}" }),
        item("response.output_item.done", {
          output_index: 1,
          item: { type: "function_call", id: "f2", call_id: "b", name: "far", arguments: '{"y":2}' },
        }),
        item("response.output_item.done", {
          output_index: 0,
          item: { type: "function_call", id: "f1", call_id: "a", name: "near", arguments: '{"x":1}' },
        }),
        item("response.completed", { response: { id: "r1", ...done } }),
      ],
      'near({"x":1}); far({"y":2}); tool_calls 9/4 cached 5',
    ],
    [
      "cut by the limit",
      [
        item("response.created", { response: { id: "r1" } }),
        item("response.output_text.delta", { output_index: 0, delta: "half" }),
        item("response.incomplete", {
          response: { id: "r1", ...done, status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
        }),
      ],
      "text: half; length 9/4 cached 5",
    ],
  ];
  for (const [name, events, expected] of scripts) assert.equal(said(RESPONSES, events), expected, name);
});

test("[PV66] Anthropic: blocks nobody asked for, pings, citations, deltas nobody knows", () => {
  const start = {
    type: "message_start",
    message: {
      id: "msg_1",
      model: "claude",
      role: "assistant",
      content: [],
      usage: { input_tokens: 4, cache_read_input_tokens: 5, output_tokens: 1 },
    },
  };
  const block = (index: number, content_block: object): object => ({
    type: "content_block_start",
    index,
    content_block,
  });
  const delta = (index: number, value: object): object => ({ type: "content_block_delta", index, delta: value });
  const stop = (index: number): object => ({ type: "content_block_stop", index });
  const events: readonly Event[] = [
    start,
    { type: "ping" },
    block(0, { type: "thinking", thinking: "", signature: "" }),
    delta(0, { type: "thinking_delta", thinking: "hm" }),
    delta(0, { type: "signature_delta", signature: "c2ln" }),
    stop(0),
    block(1, { type: "server_tool_use", id: "srv_1", name: "web_search", input: {} }),
    delta(1, { type: "input_json_delta", partial_json: '{"query":"x"}' }),
    stop(1),
    block(2, {
      type: "web_search_tool_result",
      tool_use_id: "srv_1",
      content: [{ type: "web_search_result", url: "u" }],
    }),
    stop(2),
    block(3, { type: "text", text: "" }),
    delta(3, { type: "text_delta", text: "Grüße 🙂" }),
    delta(3, {
      type: "citations_delta",
      citation: { type: "web_search_result_location", url: "https://x.example", title: "x", cited_text: "y" },
    }),
    delta(3, { type: "novel_delta", text: "not text" }),
    stop(3),
    ": comment\n\n",
    block(4, { type: "tool_use", id: "a", name: "near", input: {} }),
    delta(4, { type: "input_json_delta", partial_json: "" }),
    stop(4),
    block(5, { type: "novel_block", data: 1 }),
    stop(5),
    { type: "novel_event", index: 9 },
    {
      type: "message_delta",
      delta: { stop_reason: "tool_use", stop_sequence: null },
      usage: { output_tokens: 4 },
      context_management: {},
    },
    { type: "message_stop" },
  ];
  assert.equal(
    said(ANTHROPIC_WIRE, events),
    "reasoning: hm; sealed: signature:c2ln; text: Grüße 🙂; cited: *; near({}); tool_calls 9/4 cached 5",
  );
  const reason = (stop_reason: string): string => {
    const end = [
      { type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 4 } },
      { type: "message_stop" },
    ];
    return said(ANTHROPIC_WIRE, [start, ...end]);
  };
  assert.match(reason("refusal"), /^refusal /);
  assert.match(reason("model_context_window_exceeded"), /^length /);
  assert.match(reason("pause_turn"), /^paused /);
  assert.match(reason("something_new"), /^other /);
});

test("[PV66] Gemini: thoughts, code, grounding, parts without text, empty candidates", () => {
  const piece = (parts: readonly object[], more: object = {}): object => ({
    candidates: [{ content: { role: "model", parts }, index: 0, ...more }],
    modelVersion: "gemini-x",
    responseId: "g1",
  });
  const usageMetadata = {
    promptTokenCount: 9,
    candidatesTokenCount: 3,
    thoughtsTokenCount: 1,
    cachedContentTokenCount: 5,
    totalTokenCount: 13,
  };
  const events: readonly Event[] = [
    { usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 }, modelVersion: "gemini-x" },
    piece([{ text: "hm", thought: true }]),
    piece([{ text: "Grüße " }, { text: "🙂" }]),
    piece([
      { executableCode: { language: "PYTHON", code: "1" } },
      { codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" } },
    ]),
    piece([{ novelPart: {} }, {}], { novel: true, safetyRatings: [{ category: "X", probability: "LOW" }] }),
    piece([{ functionCall: { name: "near", args: { x: 1 } }, thoughtSignature: "c2ln" }]),
    piece([{ functionCall: { name: "near", args: { x: 2 } } }]),
    { candidates: [{ finishReason: "STOP", index: 0, groundingMetadata: { webSearchQueries: ["x"] } }], usageMetadata },
  ];
  const whole = said(GOOGLE_WIRE, events);
  assert.match(whole, /^reasoning: hm; text: Grüße 🙂/);
  assert.match(whole, /near\(\{"x":1\}\); near\(\{"x":2\}\); tool_calls 9\/4 cached 5$/);
});

test("[PV66] Cohere: a plan before the calls, citations, events nobody knows", () => {
  const event = (type: string, more: object = {}): object => ({ type, ...more });
  const events: readonly Event[] = [
    event("message-start", {
      id: "m1",
      delta: { message: { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] } },
    }),
    event("tool-plan-delta", { delta: { message: { tool_plan: "I look." } } }),
    event("tool-call-start", {
      index: 0,
      delta: { message: { tool_calls: { id: "a", type: "function", function: { name: "near", arguments: "" } } } },
    }),
    event("tool-call-delta", { index: 0, delta: { message: { tool_calls: { function: { arguments: '{"x":' } } } } }),
    event("debug", { prompt: "secret" }),
    event("tool-call-delta", { index: 0, delta: { message: { tool_calls: { function: { arguments: '"🙂"}' } } } } }),
    event("tool-call-end", { index: 0 }),
    event("novel-event", { delta: { message: { content: { text: "not text" } } } }),
    event("message-end", {
      delta: {
        finish_reason: "TOOL_CALL",
        usage: { billed_units: { input_tokens: 8 }, tokens: { input_tokens: 9, output_tokens: 4 } },
      },
    }),
  ];
  assert.match(said(COHERE_WIRE, events), /near\(\{"x":"🙂"\}\); tool_calls 9\/4 cached 0$/);
});
