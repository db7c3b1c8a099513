// Rules RM7, RM8 and RC8.
import assert from "node:assert/strict";
import test from "node:test";
import { chatRequest, FakeClock } from "@fovea/core/testing";
import type { Cell } from "../model/routing-plan.ts";
import { cellName } from "../model/routing-plan.ts";
import { engineDoubles, ScriptedProvider } from "../../testing/index.ts";
import { createEngine } from "../engine/gateway-engine.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { PriceBook } from "../mesh/price-book.ts";
import { FailureForecast } from "./failure-forecast.ts";
import { Prevention } from "./prevention.ts";

const HOUR_MS = 3_600_000;
const cellOf = (providerId: string): Cell => ({ providerId, model: "m", region: "r", keyId: "k", operation: "chat" });

function stage(): {
  clock: FakeClock;
  forecast: FailureForecast;
  prevention: Prevention;
  shares: Map<string, number>;
  call: (providerId: string, calls: number, isFailure?: boolean) => void;
} {
  const clock = new FakeClock();
  const forecast = new FailureForecast();
  const shares = new Map<string, number>();
  const prevention = new Prevention(clock, forecast, {
    shareOf: (name) => shares.get(name) ?? 1,
    setShare: (name, share) => void shares.set(name, share),
    limitOf: () => 10,
    setLimit: () => undefined,
  });
  const call = (providerId: string, calls: number, isFailure = false): void => {
    const cell = cellOf(providerId);
    for (let index = 0; index < calls; index++)
      forecast.record(cellName(cell), cell, { isFailure, ...(isFailure ? {} : { firstContentMs: 100 }) });
  };
  return { clock, forecast, prevention, shares, call };
}

test("[RM7] a key that expires: warned of in time, moved away from at the end, and the move is measured", () => {
  const { clock, forecast, prevention, shares, call } = stage();
  const name = cellName(cellOf("a"));
  call("a", 50);
  call("b", 50);
  forecast.setExpiry("a", "k", 8 * 24 * HOUR_MS);
  assert.deepEqual(forecast.warnings(clock.monotonicMs()), []);
  clock.advance(2 * 24 * HOUR_MS);
  const [early] = forecast.warnings(clock.monotonicMs());
  assert.deepEqual([early?.sign, early?.evidence], ["token-expiry", "its key expires in 144 h"]);
  assert.ok(early !== undefined);
  assert.equal(prevention.apply(early, true), "there is time to replace the key");
  clock.advance(144 * HOUR_MS - HOUR_MS / 2);
  const [late] = forecast.warnings(clock.monotonicMs());
  assert.ok(late !== undefined && late.probability > 0.9);
  assert.equal(prevention.apply(late, false), "no other cell could take its share");
  const measure = prevention.apply(late, true);
  assert.ok(typeof measure !== "string");
  assert.ok((shares.get(name) ?? 1) < 0.6);
  call("a", 5);
  call("b", 15);
  clock.advance(30_000);
  assert.deepEqual([measure.effect(), measure.evidence()], ["kept", "50 % of the calls before, 25 % since"]);
});

test("[RM7] a quota is told apart from a rate limit", () => {
  const signOf = (resetMs: number): string | undefined => {
    const forecast = new FailureForecast();
    const cell = cellOf("a");
    const limits = (remaining: number, atMs: number): void =>
      forecast.limits(
        cellName(cell),
        cell,
        { atMs, buckets: [{ name: "tokens", limit: 1_000, remaining, resetMs }] },
        atMs,
      );
    limits(1_000, 0);
    limits(900, 1_000);
    return forecast.warnings(1_000)[0]?.sign;
  };
  assert.deepEqual([signOf(60_000), signOf(12 * HOUR_MS)], ["limit-headroom", "quota-burn"]);
});

test("[RM8] what a row of measures took is given back as a whole", () => {
  const { clock, forecast, prevention, shares, call } = stage();
  const name = cellName(cellOf("a"));
  call("a", 200);
  call("b", 200);
  for (let round = 0; round < 3; round++) {
    call("a", 10, true);
    const [warning] = forecast.warnings(clock.monotonicMs());
    assert.ok(warning !== undefined, `round ${round}`);
    prevention.apply(warning, true);
    // It helps a little each time, so that it is kept and followed by the next.
    call("a", 4);
    clock.advance(30_000);
    prevention.relax();
  }
  assert.ok((shares.get(name) ?? 1) < 0.5, String(shares.get(name)));
  call("a", 100);
  prevention.relax();
  assert.equal(shares.get(name), 1);
  assert.equal(clock.pendingTasks, 0);
});

test("[RC8] a cap on the cost of one request leaves dear cells out of the plan, and tells why", () => {
  const base = engineDoubles({ both: ["a/dear", "a/cheap", "a/unknown"] });
  base.registry.add(new ScriptedProvider({ id: "a", clock: base.clock, models: ["dear", "cheap", "unknown"] }));
  const prices: PriceBook = {
    costOf: () => ({ microUsd: undefined, source: "unpriced" }),
    ratesOf: (_provider, model) =>
      model === "unknown" ? undefined : { input: model === "dear" ? 9_000 : 10, output: model === "dear" ? 9_000 : 10 },
  };
  const engine = createEngine({ ...base, prices });
  const plan = (costMicroUsdMax?: number): string[] => {
    const budget = costMicroUsdMax === undefined ? {} : { budget: { costMicroUsdMax } };
    const decided = engine.router.decide(chatRequest("both", "hi", budget)).plan;
    return [...decided.cells.map(({ cell }) => cell.model), ...decided.excluded.map(({ reason }) => reason)];
  };
  assert.deepEqual(plan(), ["dear", "cheap", "unknown"]);
  assert.deepEqual(plan(1_000), ["cheap", "unknown", "too dear: about 3600 micro-dollars, the request may cost 1000"]);
  base.registry.setAliases({ both: ["a/dear"] });
  assert.throws(
    () => plan(1_000),
    (error) => GatewayError.has(error, "no_capable_provider") && /too dear/.test(error.message),
  );
});
