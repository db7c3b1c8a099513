// Rules PV80..PV86 of docs/spec/providers.md. `cost` prices a usage written as a few figures and says the cost as text.
import assert from "node:assert/strict";
import test from "node:test";
import type { ProviderConfig, ProviderType, Usage } from "@fovea/core";
import { FakeClock } from "@fovea/core/testing";
import { createPriceList, createProviderPrices } from "./prices.ts";

const NOV_2026 = Date.UTC(2026, 10, 22);

function usage(
  inputTokens: number,
  outputTokens: number,
  more: { input?: object; output?: object } & Omit<Partial<Usage>, "input" | "output"> = {},
): Usage {
  const { input, output, ...rest } = more;
  return {
    input: { total: inputTokens, cacheRead: 0, cacheWrite: 0, ...input },
    output: { total: outputTokens, ...output },
    source: "provider",
    ...rest,
  };
}

function cost(type: ProviderType, model: string, used: Usage, unixMs = NOV_2026): string {
  const { microUsd, source } = createPriceList(new FakeClock(0, unixMs))(type, model, used);
  return `${microUsd} ${source}`;
}

test("[PV80] tokens at the vendor's price, cached ones at theirs", () => {
  assert.equal(cost("openai", "gpt-4o", usage(1_000, 100)), "3500 price-list");
  assert.equal(cost("openai", "gpt-4o", usage(1_000, 100, { input: { cacheRead: 600 } })), "2750 price-list");
  assert.equal(cost("openai", "gpt-4o-2024-08-06", usage(1_000, 100)), "3500 price-list");
  const written = { cacheRead: 0, cacheWrite: 1_000, cacheWriteByTtl: { "5m": 400, "1h": 600 } };
  // 400 at 1.25 and 600 at 2 times the input price of 5.
  assert.equal(cost("anthropic", "claude-opus-4-6", usage(1_000, 0, { input: written })), "8500 price-list");
});

test("[PV81] the price is that of the time of the call and of the whole prompt", () => {
  const big = usage(300_000, 100);
  assert.equal(cost("anthropic", "claude-opus-4-6", big, Date.UTC(2026, 2, 1)), "3003750 price-list");
  assert.equal(cost("anthropic", "claude-opus-4-6", big), "1502500 price-list");
});

test("[PV82] what has no price is said to have none, never zero", () => {
  assert.equal(cost("openai", "gpt-99", usage(10, 10)), "undefined unpriced");
  assert.equal(cost("replicate", "a/b", usage(0, 0, { seconds: { compute: 3 } })), "undefined unpriced");
  assert.equal(cost("huggingface", "org/model", usage(10, 10)), "undefined unpriced");
  assert.equal(cost("custom", "llama3.2", usage(10, 10)), "undefined unpriced");
  // The model is known, but its row has no price for what was counted.
  assert.equal(cost("openai", "gpt-transcribe", usage(1_000, 100)), "undefined unpriced");
  assert.equal(cost("openai", "gpt-4o", usage(100, 100, { output: { audio: 50 } })), "undefined unpriced");
  assert.equal(cost("openai", "tts-1", usage(0, 0, { units: { characters: 5 } })), "undefined unpriced");
  assert.equal(cost("openai", "gpt-4o", usage(0, 0)), "undefined unpriced");
});

test("[PV83] audio has its own rates; hours are the bill where there is no token price", () => {
  const heard = usage(110, 100, { input: { audio: 10 } });
  // 100 text tokens at 0.3, 10 audio tokens at 1, 100 output tokens at 2.5.
  assert.equal(cost("google", "gemini-2.5-flash", heard), "290 price-list");
  assert.equal(cost("openai", "whisper-1", usage(0, 0, { seconds: { audioIn: 60 } })), "6000 price-list");
});

test("[PV84] Cohere is priced by billed units, World Labs by credits, the embedded engine is free", () => {
  const billed = usage(507, 10, { billed: { inputTokens: 12, outputTokens: 7 }, input: { cacheRead: 448 } });
  assert.equal(cost("cohere", "command-a-03-2025", billed), "100 price-list");
  assert.equal(cost("worldlabs", "marble-1.1", usage(0, 0, { units: { credits: 1_250 } })), "1000000 price-list");
  assert.equal(cost("embedded", "scene", usage(10, 10)), "0 free");
});

test("[PV85] the operator's price wins, also when it is zero", () => {
  const configs: ProviderConfig[] = [
    { id: "main", type: "openai", price: { inputPerMillion: 1, outputPerMillion: 2 } },
    {
      id: "local",
      type: "custom",
      baseUrl: "http://127.0.0.1:11434/v1",
      price: { inputPerMillion: 0, outputPerMillion: 0 },
    },
    { id: "gpu", type: "replicate", price: { perComputeSecond: 0.001 } },
    { id: "fast", type: "custom", baseUrl: "https://api.groq.com/openai/v1" },
  ];
  const prices = createProviderPrices(configs, new FakeClock(0, NOV_2026));
  assert.deepEqual(prices.costOf("main", "gpt-4o", usage(1_000, 100)), { microUsd: 1_200, source: "operator" });
  assert.deepEqual(prices.costOf("local", "llama3", usage(1_000, 100)), { microUsd: 0, source: "operator" });
  const computed = usage(0, 0, { seconds: { compute: 3 } });
  assert.deepEqual(prices.costOf("gpu", "a/b", computed), { microUsd: 3_000, source: "operator" });
  assert.equal(prices.costOf("fast", "llama-3.1-8b-instant", usage(1_000, 100)).source, "price-list");
  assert.equal(prices.costOf("unknown", "m", usage(1, 1)).source, "unpriced");
  assert.deepEqual(prices.ratesOf("main", "gpt-4o"), { input: 1_000, output: 2_000 });
  assert.equal(prices.ratesOf("local", "x")?.input, 0);
  assert.equal(prices.ratesOf("gpu", "a/b"), undefined);
});

test("[PV85] a price of a model wins over that of its provider, the longest beginning over shorter ones", () => {
  const config: ProviderConfig = {
    id: "main",
    type: "custom",
    baseUrl: "http://127.0.0.1:9/v1",
    price: { inputPerMillion: 1, outputPerMillion: 1 },
    prices: { "big*": { inputPerMillion: 4 }, "big-1*": { inputPerMillion: 5 }, "big-12": { inputPerMillion: 6 } },
  };
  const prices = createProviderPrices([config], new FakeClock(0, NOV_2026));
  const perToken = (model: string): unknown => prices.costOf("main", model, usage(1_000, 0)).microUsd;
  assert.deepEqual(["small", "big", "big-11", "big-12"].map(perToken), [1_000, 4_000, 5_000, 6_000]);
});

test("[PV87] the operator prices what the list has no unit for", () => {
  const price = {
    inputPerMillion: 1,
    outputPerMillion: 2,
    cacheReadPerMillion: 0.1,
    cacheWritePerMillion: 1.25,
    audioInputPerMillion: 10,
    audioOutputPerMillion: 20,
    perComputeSecond: 0.001,
    perAudioMinute: 0.006,
    perMillionCharacters: 15,
    perImage: 0.04,
    perSearch: 0.002,
  };
  const prices = createProviderPrices([{ id: "p", type: "replicate", price }], new FakeClock(0, NOV_2026));
  const micros = (used: Usage): number | undefined => prices.costOf("p", "m", used).microUsd;
  assert.equal(micros(usage(1_000, 100, { input: { cacheRead: 500, cacheWrite: 100 } })), 400 + 50 + 125 + 200);
  assert.equal(micros(usage(100, 100, { input: { audio: 50 }, output: { audio: 50 } })), 50 + 500 + 100 + 1_000);
  assert.equal(micros(usage(0, 0, { seconds: { compute: 2 } })), 2_000);
  assert.equal(micros(usage(0, 0, { seconds: { audioIn: 30 } })), 3_000);
  assert.equal(micros(usage(0, 0, { units: { characters: 200 } })), 3_000);
  assert.equal(micros(usage(0, 0, { units: { images: 2 } })), 80_000);
  assert.equal(micros(usage(0, 0, { units: { searches: 3 } })), 6_000);
});
