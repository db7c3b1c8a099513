// Rules RB1, RB2, FC1 and CB13 of docs/spec/resilience.md.
import assert from "node:assert/strict";
import test from "node:test";
import { chatRequest, FakeClock } from "@fovea/core/testing";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ProviderErrorCode, ProviderFailure } from "../errors/provider-failure.ts";
import { ProviderError } from "../errors/provider-failure.ts";
import type { IXRProviderAdapter } from "../providers/xr-provider-adapter.ts";
import { classOf } from "./failure-classes.ts";
import { ProviderCircuitBreaker } from "./provider-circuit-breaker.ts";
import { HedgeBudget, RetryBudget } from "./retry-budget.ts";

const failureOf = (code: ProviderErrorCode): ProviderFailure => ({
  code,
  providerId: "p",
  message: code,
  retryable: true,
  scope: "model",
  partialOutput: false,
  billed: "no",
});

test("[RB1] retries are a share of the requests", () => {
  const budget = new RetryBudget();
  let retried = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 100) {
    budget.deposit(nowMs);
    if (budget.withdraw(nowMs)) retried += 1;
  }
  // 600 requests: 120 earned, and the reserve of 20 once in each period of ten seconds at most.
  assert.ok(retried >= 120 && retried <= 120 + 20 * 6, String(retried));
  const quiet = new RetryBudget();
  let granted = 0;
  while (quiet.withdraw(0)) granted += 1;
  assert.equal(granted, 20);
  assert.equal(quiet.withdraw(25_000), true);
});

test("[RB2] hedges are a tenth of the requests, and time earns none", () => {
  const budget = new HedgeBudget();
  let hedged = 0;
  for (let index = 0; index < 1_000; index++) {
    budget.deposit();
    if (budget.withdraw()) hedged += 1;
  }
  assert.ok(hedged <= 110 && hedged >= 105, String(hedged));
  assert.equal(budget.withdraw(), false);
});

test("[FC1] what a failure means", () => {
  const shown = (code: ProviderErrorCode): string => {
    const { breaker, next, key } = classOf(failureOf(code));
    return `${breaker} ${next} ${key}`;
  };
  for (const code of [
    "unreachable",
    "timeout_first_token",
    "stalled",
    "truncated",
    "protocol",
    "server_error",
    "overloaded",
  ] as const) {
    assert.equal(shown(code), "hard next keep", code);
  }
  assert.equal(shown("rate_limited"), "soft next rest");
  assert.equal(shown("capacity"), "soft next keep");
  assert.equal(shown("auth"), "none next isolate");
  assert.equal(shown("too_large"), "none larger keep");
  for (const code of ["content_filtered", "refused", "invalid_request", "aborted"] as const) {
    assert.equal(shown(code), "none stop keep", code);
  }
});

test("[CB13] the breaker around a provider rejects at once, and says how long", async () => {
  const clock = new FakeClock();
  const breaker = new ProviderCircuitBreaker(clock, { next: () => 1 });
  let calls = 0;
  let fails: Error | undefined = new ProviderError(failureOf("server_error"));
  const provider = {
    id: "p",
    process: async () => {
      calls += 1;
      if (fails !== undefined) throw fails;
      return [];
    },
  } as unknown as IXRProviderAdapter;
  const run = (): Promise<unknown> => breaker.executeWithCircuitBreaker(provider, chatRequest("m", "hi"));
  const mistake = new GatewayError("request_invalid", "no");
  fails = mistake;
  for (let index = 0; index < 5; index++) await assert.rejects(run(), mistake);
  fails = new ProviderError(failureOf("server_error"));
  for (let index = 0; index < 3; index++) await assert.rejects(run(), ProviderError);
  assert.equal(calls, 8);
  await assert.rejects(
    run(),
    (error) => GatewayError.has(error, "provider_circuit_open") && error.details.retryAfterMs === 2_000,
  );
  assert.equal(calls, 8);
  clock.advance(2_000);
  fails = undefined;
  assert.deepEqual(await run(), []);
  assert.equal(breaker.state("p"), "closed");
});
