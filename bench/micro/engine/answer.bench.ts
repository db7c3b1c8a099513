// What the engine adds to a chat: authorize, plan over `size` cells, one attempt, compose, record. The provider answers at
// once with eight batches, so nothing but the engine is measured. One run is one answer.
import { createEngine, ProviderRegistry } from "@fovea/core";
import type { ChatResponse, GatewayEngine, IdentifiedAdapter, ModelInfo, XRRequest } from "@fovea/core";
import { chatRequest } from "@fovea/core/testing";

const MODEL: ModelInfo = { id: "m1", features: ["chat", "streaming", "tools"], contextTokens: 128_000 };
const text = (piece: string): ChatResponse => ({
  id: "1",
  model: "m1",
  parts: [{ type: "text-delta", index: 0, text: piece }],
  text: piece,
  toolCalls: [],
});
const USAGE = { input: { total: 10, cacheRead: 0, cacheWrite: 0 }, output: { total: 8 }, source: "provider" } as const;
const END: ChatResponse = {
  id: "1",
  model: "m1",
  text: "",
  toolCalls: [],
  finishReason: "stop",
  parts: [
    { type: "usage", usage: USAGE, isFinal: true },
    { type: "finish", reason: "stop", raw: "stop" },
  ],
};
const BATCHES = [...Array.from({ length: 7 }, (_, index) => text(`word${index} `)), END];
const WHOLE: ChatResponse = {
  ...END,
  text: "Hello.",
  parts: [{ type: "text-delta", index: 0, text: "Hello." }, ...END.parts],
};

function instantProvider(id: string): IdentifiedAdapter {
  return {
    id,
    type: "custom",
    region: "here",
    supportedFeatures: ["chat"],
    models: () => MODELS,
    chat: async () => WHOLE,
    async *chatStream() {
      yield* BATCHES;
    },
    embeddings: async () => ({ model: "m1", vectors: [] }),
    healthCheck: async () => ({ state: "healthy", errorRate: 0, sinceMs: 0, checkedBy: "probe" }),
    getAvailableModels: async () => ["m1"],
    getRateLimits: () => ({ requestsPerMinute: 1, tokensPerMinute: 1 }),
    close: async () => undefined,
  };
}
const MODELS = [MODEL];

let engine: GatewayEngine;
let request: XRRequest;

export function setup(size: number): void {
  const registry = new ProviderRegistry();
  for (let index = 0; index < Math.max(1, size); index++) registry.add(instantProvider(`p${index}`));
  const clock = {
    monotonicMs: () => performance.now(),
    unixMs: () => Date.now(),
    schedule(delayMs: number, task: () => void) {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
  };
  engine = createEngine({
    clock,
    registry,
    random: { next: Math.random },
    ids: { next: (prefix) => prefix, secret: () => "secret" },
    log: { write() {} },
    meter: { count() {}, gauge() {}, record() {} },
    audit: { append() {} },
  });
  request = { ...chatRequest("m1", "Hello"), deadlineMs: performance.now() + 1e9 };
}

export async function run(delivery: XRRequest["delivery"] = "parts"): Promise<number> {
  let parts = 0;
  for await (const _ of engine.answer(
    { ...request, ...(delivery === undefined ? {} : { delivery }) },
    new AbortController().signal,
  ))
    parts += 1;
  return parts;
}
