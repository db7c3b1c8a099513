import assert from "node:assert/strict";
import test from "node:test";
import type { AnswerEngine, AnswerPart, XRRequest } from "@fovea/core";
import { GatewayError, NO_CONTEXT } from "@fovea/core";
import { FakeClock } from "@fovea/core/testing";
import { PrometheusMeter } from "../../telemetry/prometheus-meter.ts";
import { AnswerLog } from "./answer-log.ts";
import { TrafficWindow } from "./traffic-window.ts";

test("[TEL11] requests by second, forgotten after two minutes", () => {
  const clock = new FakeClock();
  const window = new TrafficWindow(clock);
  window.record(10, false);
  window.record(10, true);
  clock.advance(2_000);
  window.record(10, false);
  assert.deepEqual(
    [window.requestsPerSecond().slice(-3), window.errorsPerSecond().slice(-3)],
    [
      [2, 0, 1],
      [1, 0, 0],
    ],
  );
  clock.advance(118_000);
  assert.equal(window.latencyMs().count, 1);
  clock.advance(600_000);
  assert.deepEqual([window.latencyMs().count, Math.max(...window.requestsPerSecond())], [0, 0]);
});

test("[TEL11] percentiles are at most a bucket too high, never too low", () => {
  const window = new TrafficWindow(new FakeClock());
  for (let ms = 1; ms <= 1000; ms++) window.record(ms, false);
  const { p50, p90, p99 } = window.latencyMs();
  for (const [value, exact] of [
    [p50, 500],
    [p90, 900],
    [p99, 990],
  ] as const)
    assert.ok(value >= exact && value <= exact * 1.2, `${value} for ${exact}`);
});

const REQUEST: XRRequest = {
  requestId: "r1",
  kind: "chat",
  model: "auto",
  chat: { messages: [{ role: "user", content: [{ type: "text", text: "my secret question" }] }] },
  context: NO_CONTEXT,
  needs: {
    modalities: ["text"],
    tools: false,
    structuredOutput: false,
    vision: false,
    audioInput: false,
    contextTokensMin: 0,
  },
  deadlineMs: 1000,
  latencyClass: "interactive",
  principal: { tenantId: "t", userId: "user-name", scopes: ["chat"], via: "open" },
  commit: "token",
};
const START: AnswerPart = { type: "start", requestId: "r1", provider: "a", model: "m1", warnings: [] };
const end = (outcome: "complete" | "error"): AnswerPart => ({
  type: "end",
  outcome,
  finishReason: "stop",
  trace: {
    requestId: "r1",
    provider: "b",
    model: "m2",
    reason: "cheapest",
    isCached: false,
    steps: [{ name: "plan", ms: 1 }],
  },
});
const USAGE = (microUsd: number | undefined): AnswerPart => ({
  type: "usage",
  usage: { input: { total: 10, cacheRead: 0, cacheWrite: 0 }, output: { total: 5 }, source: "provider" },
  cost: { microUsd, source: microUsd === undefined ? "unpriced" : "price-list" },
});

interface Played {
  readonly log: AnswerLog;
  readonly meter: PrometheusMeter;
}

/** Plays answers (a number is time passing, an error is thrown) and reads each to its end, or to `readMax` parts. */
async function play(
  answers: readonly (readonly (AnswerPart | number | GatewayError)[])[],
  readMax = Infinity,
): Promise<Played> {
  const clock = new FakeClock();
  const meter = new PrometheusMeter();
  let next = 0;
  const engine = {
    async *answer(): AsyncIterable<AnswerPart> {
      for (const step of answers[next++] ?? []) {
        if (typeof step === "number") clock.advance(step);
        else if (GatewayError.is(step)) throw step;
        else yield step as AnswerPart;
      }
    },
  } as unknown as AnswerEngine;
  const log = new AnswerLog(engine, clock, meter);
  for (const _answer of answers) {
    let read = 0;
    try {
      for await (const _part of log.answer(REQUEST, new AbortController().signal)) if (++read >= readMax) break;
    } catch (error) {
      if (!GatewayError.is(error)) throw error;
    }
  }
  return { log, meter };
}

const TEXT: AnswerPart = { type: "text-delta", text: "a private answer" };

test("[TEL12] who answered, why, in which steps, at what cost", async () => {
  const changed: AnswerPart = { type: "resumed", fromUnit: 1, provider: "b", model: "m2" };
  const { log, meter } = await play([[START, 20, TEXT, changed, 30, USAGE(250), end("complete")]]);
  const [decision] = log.decisions;
  assert.deepEqual(decision, {
    atUnixMs: 1_800_000_000_050,
    requestId: "r1",
    kind: "chat",
    asked: "auto",
    provider: "b",
    model: "m2",
    reason: "cheapest",
    isCached: false,
    outcome: "complete",
    steps: [{ name: "plan", ms: 1 }],
    totalMs: 50,
    changes: ["a/m1 -> b/m2: resumed"],
    firstPartMs: 20,
    costUsd: 0.00025,
    inputTokens: 10,
    outputTokens: 5,
  });
  assert.deepEqual(log.totals, {
    good: 1,
    bad: 0,
    cancelled: 0,
    unpriced: 0,
    inputTokens: 10,
    outputTokens: 5,
    costUsd: 0.00025,
  });
  assert.match(meter.text(), /^xr_answers_total\{outcome="good"\} 1$/m);
  assert.doesNotMatch(JSON.stringify(log.decisions) + meter.text(), /secret|private|user-name/);
});

test("[TEL12] answers without a price, failures, and readers who leave", async () => {
  const refused = new GatewayError("provider_failed", "x", { providerId: "c" });
  const { log } = await play([
    [START, TEXT, USAGE(undefined), end("complete")],
    [refused],
    [START, { type: "error", code: "answer_broken", message: "", retryable: false }, end("error")],
  ]);
  assert.deepEqual(log.totals, {
    good: 1,
    bad: 2,
    cancelled: 0,
    unpriced: 1,
    inputTokens: 10,
    outputTokens: 5,
    costUsd: 0,
  });
  assert.deepEqual(
    log.decisions.map((decision) => `${decision.provider} ${decision.outcome} ${decision.error ?? "-"}`),
    ["b error answer_broken", "c error provider_failed", "b complete -"],
  );
  assert.equal(log.decisions[2]?.costUsd, undefined);
  assert.equal(log.recordOf("c")?.lastFailure, "provider_failed");
  const left = await play([[START, TEXT, TEXT, end("complete")]], 2);
  assert.deepEqual([left.log.totals.cancelled, left.log.totals.bad], [1, 0]);
  assert.match(left.meter.text(), /http_server|xr_turn_started/);
});

test("[TEL12] only the last hundred are kept", async () => {
  const { log } = await play(Array.from({ length: 120 }, () => [START, end("complete")]));
  assert.equal(log.decisions.length, 100);
  assert.equal(log.totals.good, 120);
});
