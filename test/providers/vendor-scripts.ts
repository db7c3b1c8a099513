// What each vendor puts on the wire for one and the same answer: the text "Grüße 🙂 vom Tisch", said in three pieces.
// The fault suite cuts, splits and spoils these; the expected outcome is the same for every vendor.
import type { ChatRequest, IdentifiedAdapter, ProviderConfig } from "@fovea/core";
import { createAnthropicAdapter } from "../../packages/gateway/src/providers/anthropic/adapter.ts";
import { createCohereAdapter } from "../../packages/gateway/src/providers/cohere/adapter.ts";
import { createCustomAdapter } from "../../packages/gateway/src/providers/custom/adapter.ts";
import { createGoogleAdapter } from "../../packages/gateway/src/providers/google/adapter.ts";
import { createHuggingFaceAdapter } from "../../packages/gateway/src/providers/huggingface/adapter.ts";
import { createTogetherAdapter } from "../../packages/gateway/src/providers/together/adapter.ts";
import { createOpenAiAdapter } from "../../packages/gateway/src/providers/openai/adapter.ts";
import type { AdapterDeps } from "../../packages/gateway/src/providers/provider-caller.ts";

export const ANSWER = ["Grüße 🙂", " vom", " Tisch"] as const;

export interface VendorScript {
  readonly name: string;
  readonly create: (config: ProviderConfig, deps: AdapterDeps) => IdentifiedAdapter;
  readonly config: Omit<ProviderConfig, "id" | "baseUrl">;
  /** Events of a whole answer, each with its line ends; the first `contentEvents` carry no terminal event. */
  readonly events: readonly string[];
  /** Index of the first event with content. */
  readonly firstContent: number;
  /** Index of the first event without which the answer is not complete. */
  readonly terminal: number;
  readonly errorEvent: string;
  readonly malformedEvent: string;
  /** One JSON value a line: this framing has no comments, and lines end in LF or CRLF. */
  readonly isLines?: boolean;
}

export const REQUEST: ChatRequest = {
  model: "test-model",
  messages: [{ role: "user", content: [{ type: "text", text: "What is on the table?" }] }],
};

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function openAiChunk(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return data({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "test-model",
    choices,
    usage: null,
  });
}

const OPENAI_EVENTS = [
  openAiChunk({ role: "assistant", content: "", refusal: null }),
  ...ANSWER.map((content) => openAiChunk({ content })),
  openAiChunk({}, "stop"),
  data({
    id: "chatcmpl-1",
    model: "test-model",
    choices: [],
    usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
  }),
  "data: [DONE]\n\n",
];

function named(event: string, value: object): string {
  return `event: ${event}\ndata: ${JSON.stringify({ type: event, ...value })}\n\n`;
}

const OPENAI_LIKE = {
  events: OPENAI_EVENTS,
  firstContent: 1,
  terminal: 4,
  errorEvent: data({ error: { message: "The server had an error", type: "server_error", param: null, code: null } }),
  malformedEvent: 'data: {"id":"chatcmpl-1","choices":[{"delta":{"content":"x"\n\n',
} as const;

const ANTHROPIC_EVENTS = [
  named("message_start", {
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "test-model",
      content: [],
      usage: { input_tokens: 9, output_tokens: 1 },
    },
  }) +
    named("ping", {}) +
    named("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  ...ANSWER.map((text) => named("content_block_delta", { index: 0, delta: { type: "text_delta", text } })),
  named("content_block_stop", { index: 0 }) +
    named("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 5 } }),
  named("message_stop", {}),
];

function geminiChunk(text: string, finishReason?: string): string {
  const candidate = {
    content: { role: "model", parts: text === "" ? [] : [{ text }] },
    index: 0,
    ...(finishReason === undefined ? {} : { finishReason }),
  };
  return `data: ${JSON.stringify({ candidates: [candidate], usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 5 }, modelVersion: "test-model", responseId: "r1" })}\r\n\r\n`;
}

const RESPONSE = {
  id: "resp_1",
  model: "test-model",
  status: "completed",
  usage: { input_tokens: 9, output_tokens: 5 },
};
const RESPONSES_EVENTS = [
  named("response.created", { response: { ...RESPONSE, status: "in_progress", usage: null } }) +
    named("response.output_item.added", { output_index: 0, item: { type: "message", content: [] } }),
  ...ANSWER.map((delta) => named("response.output_text.delta", { output_index: 0, delta })),
  named("response.output_item.done", {
    output_index: 0,
    item: { type: "message", content: [{ type: "output_text", text: ANSWER.join("") }] },
  }),
  named("response.completed", { response: RESPONSE }),
];

const COHERE_EVENTS = [
  named("message-start", { id: "m1", delta: { message: { role: "assistant", content: [] } } }) +
    named("content-start", { index: 0, delta: { message: { content: { type: "text", text: "" } } } }),
  ...ANSWER.map((text) => named("content-delta", { index: 0, delta: { message: { content: { text } } } })),
  named("content-end", { index: 0 }),
  named("message-end", {
    delta: { finish_reason: "COMPLETE", usage: { tokens: { input_tokens: 9, output_tokens: 5 } } },
  }),
  "data: [DONE]\n\n",
];

function ollamaLine(content: string, more: object = {}): string {
  const message = { role: "assistant", content };
  return `${JSON.stringify({ model: "test-model", created_at: "2026-11-22T00:00:00Z", message, done: false, ...more })}\n`;
}

const OLLAMA_LINES = [
  ollamaLine("", { message: { role: "assistant", content: "", thinking: "Hm." } }),
  ...ANSWER.map((text) => ollamaLine(text)),
  ollamaLine("", { done: true, done_reason: "stop", prompt_eval_count: 9, eval_count: 5, total_duration: 1 }),
];

export const VENDORS: readonly VendorScript[] = [
  {
    name: "ollama-native",
    create: createCustomAdapter,
    config: { type: "custom", dialect: "ollama-native" },
    events: OLLAMA_LINES,
    firstContent: 1,
    terminal: 4,
    errorEvent: '{"error":"the model runner has unexpectedly stopped"}\n',
    malformedEvent: '{"model":"test-model","message":{"content":"x"\n',
    isLines: true,
  },
  { name: "openai", create: createOpenAiAdapter, config: { type: "openai", apiKey: "sk-test-000000" }, ...OPENAI_LIKE },
  {
    name: "together",
    create: createTogetherAdapter,
    config: { type: "together", apiKey: "sk-test-000000" },
    ...OPENAI_LIKE,
  },
  {
    name: "huggingface",
    create: createHuggingFaceAdapter,
    config: { type: "huggingface", apiKey: "sk-test-000000" },
    ...OPENAI_LIKE,
  },
  { name: "custom", create: createCustomAdapter, config: { type: "custom" }, ...OPENAI_LIKE },
  {
    name: "anthropic",
    create: createAnthropicAdapter,
    config: { type: "anthropic", apiKey: "sk-test-000000" },
    events: ANTHROPIC_EVENTS,
    firstContent: 1,
    terminal: 5,
    errorEvent: named("error", { error: { type: "api_error", message: "Internal server error" } }),
    malformedEvent: 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0\n\n',
  },
  {
    name: "openai-responses",
    create: createOpenAiAdapter,
    config: { type: "openai", apiKey: "sk-test-000000", dialect: "responses" },
    events: RESPONSES_EVENTS,
    firstContent: 1,
    terminal: 5,
    errorEvent: named("error", { code: "server_error", message: "The server had an error", param: null }),
    malformedEvent: 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta"\n\n',
  },
  {
    name: "google",
    create: createGoogleAdapter,
    config: { type: "google", apiKey: "sk-test-000000" },
    events: [geminiChunk(""), ...ANSWER.map((text) => geminiChunk(text)), geminiChunk("", "STOP")],
    firstContent: 1,
    terminal: 4,
    errorEvent: data({ error: { code: 500, message: "Internal error", status: "INTERNAL" } }),
    malformedEvent: 'data: {"candidates":[{"content":{"parts":[{"text":"x"\n\n',
  },
  {
    name: "cohere",
    create: createCohereAdapter,
    config: { type: "cohere", apiKey: "sk-test-000000" },
    events: COHERE_EVENTS,
    firstContent: 1,
    terminal: 5,
    errorEvent: named("message-end", { delta: { finish_reason: "ERROR", error: "model crashed" } }),
    malformedEvent: 'event: content-delta\ndata: {"type":"content-delta","index":0\n\n',
  },
];
