// What each vendor puts on the wire for one and the same answer: the text "Grüße 🙂 vom Tisch", said in three pieces.
// The fault suite cuts, splits and spoils these; the expected outcome is the same for every vendor.
import type { ChatRequest, IdentifiedAdapter, ProviderConfig } from "@fovea/core";
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

export const VENDORS: readonly VendorScript[] = [
  {
    name: "openai",
    create: createOpenAiAdapter,
    config: { type: "openai", apiKey: "sk-test-000000" },
    events: OPENAI_EVENTS,
    firstContent: 1,
    terminal: 4,
    errorEvent: data({ error: { message: "The server had an error", type: "server_error", param: null, code: null } }),
    malformedEvent: 'data: {"id":"chatcmpl-1","choices":[{"delta":{"content":"x"\n\n',
  },
];
