// Rules EN67, EN68, EN80..EN83 of docs/spec/engine.md.
import assert from "node:assert/strict";
import test from "node:test";
import type { Store } from "@fovea/core";
import {
  chatRequest,
  engineDoubles,
  FakeClock,
  LOCAL_PRINCIPAL,
  MemoryLog,
  MemoryStore,
  ScriptedProvider,
  settle,
} from "@fovea/core/testing";
import { GatewayError } from "../errors/gateway-error.ts";
import type { PriceBook } from "../mesh/price-book.ts";
import { RoutingRules } from "../routing/routing-rules.ts";
import { BudgetLedger } from "./budget-ledger.ts";
import type { BudgetLimit } from "./budgets.ts";
import { Budgets } from "./budgets.ts";
import { createEngine } from "./gateway-engine.ts";

const DAY_MS = 86_400_000;
const DAY: BudgetLimit = { name: "a day/for all", of: "tenant", periodMs: DAY_MS, tokens: 1_000, requests: 10 };

interface Place {
  readonly budgets: Budgets;
  readonly ledger: BudgetLedger;
  spend(tokens: number): void;
  left(): number | undefined;
}

async function open(store: Store, clock: FakeClock, place: string, isShared = false): Promise<Place> {
  const budgets = new Budgets(clock, [DAY]);
  const ledger = await BudgetLedger.open({ budgets, store, clock, log: new MemoryLog(), place, isShared });
  return {
    budgets,
    ledger,
    spend: (tokens) => budgets.reserve(LOCAL_PRINCIPAL, { tokens, costMicroUsd: 7 }).settle(undefined, undefined, true),
    left: () => budgets.remaining(LOCAL_PRINCIPAL)[0]?.tokens,
  };
}

test("[EN67] what was spent survives a restart, also one that nobody had announced", async () => {
  const clock = new FakeClock(0, 1_800_000_000_000);
  const store = new MemoryStore(clock);
  const first = await open(store, clock, "one");
  first.spend(100);
  await first.ledger[Symbol.asyncDispose]();
  const second = await open(store, clock, "two");
  assert.equal(second.left(), 900);
  second.spend(50);
  // Killed: only what the second since the last look brought is lost.
  await clock.advanceAsync(1_000);
  second.spend(25);
  const third = await open(store, clock, "three");
  assert.equal(third.left(), 850);
  assert.equal(third.budgets.remaining(LOCAL_PRINCIPAL)[0]?.requests, 8);
  clock.advance(DAY_MS);
  assert.equal(third.left(), 1_000);
  assert.equal((await open(store, clock, "four")).left(), 1_000);
});

test("[EN68] gateways that share a store share their budgets within a second or two", async () => {
  const clock = new FakeClock(0, 1_800_000_000_000);
  const store = new MemoryStore(clock);
  const [a, b] = [await open(store, clock, "a", true), await open(store, clock, "b", true)];
  for (let round = 0; round < 3; round++) {
    a.spend(100);
    b.spend(10);
    await clock.advanceAsync(1_000);
  }
  b.spend(10);
  await clock.advanceAsync(1_000);
  a.spend(100);
  await clock.advanceAsync(1_000);
  assert.equal(a.left(), 1_000 - 400 - 40);
  b.spend(10);
  await clock.advanceAsync(1_000);
  assert.equal(b.left(), 1_000 - 400 - 50);
});

test("[EN67] a store that fails delays the writing and loses nothing", async () => {
  const clock = new FakeClock(0, 1_800_000_000_000);
  const store = new MemoryStore(clock);
  let isBroken = true;
  const flaky: Store = {
    get: (key) => store.get(key),
    set: (key, value, ttlMs) => (isBroken ? Promise.reject(new Error("disk full")) : store.set(key, value, ttlMs)),
    delete: (key) => store.delete(key),
    keys: (prefix, limit) => store.keys(prefix, limit),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const place = await open(flaky, clock, "one");
  place.spend(300);
  await clock.advanceAsync(3_000);
  isBroken = false;
  await clock.advanceAsync(1_000);
  assert.equal((await open(store, clock, "two")).left(), 700);
});

const PRICES: PriceBook = {
  costOf: (_provider, model, usage) =>
    model === "unknown"
      ? { microUsd: undefined, source: "unpriced" }
      : { microUsd: usage.input.total + 2 * usage.output.total, source: "operator" },
  ratesOf: (_provider, model) => (model === "unknown" ? undefined : { input: 1_000, output: 2_000 }),
};

async function read(
  engine: ReturnType<typeof createEngine>,
  model: string,
  partsMax = Infinity,
  signal = new AbortController().signal,
): Promise<number> {
  let parts = 0;
  for await (const _ of engine.answer(chatRequest(model, "hi", { needs: NEEDS }), signal))
    if (++parts >= partsMax) break;
  return parts;
}
const NEEDS = { ...chatRequest("x", "x").needs, contextTokensMin: 40 };
const MONEY: BudgetLimit = { name: "money", of: "tenant", periodMs: DAY_MS, costMicroUsd: 10_000, tokens: 10_000 };

test("[EN64] an answer that its reader leaves costs what went in and what was delivered", async () => {
  const base = engineDoubles();
  // Sixty characters in three pieces: fifteen tokens, of which the reader sees ten.
  const piece = "twenty characters!! ";
  base.registry.add(new ScriptedProvider({ id: "a", clock: base.clock, script: [piece, piece, piece] }));
  const budgets = new Budgets(base.clock, [MONEY], base.meter);
  const engine = createEngine({ ...base, prices: PRICES, budgets });
  await read(engine, "a/m1", 3);
  await settle();
  const [left] = budgets.remaining(LOCAL_PRINCIPAL);
  assert.deepEqual([left?.tokens, left?.costMicroUsd], [10_000 - 40 - 10, 10_000 - 40 - 20]);
  assert.equal(base.meter.total("fovea.budget.tokens"), 50);
  assert.ok(Math.abs(base.meter.total("xr.cost") - 60e-6) < 1e-12);
});

test("[EN80] the dearest cell of a plan is reserved, and a model without a price is served or refused as the budget says", async () => {
  const base = engineDoubles({ both: ["a/m1", "a/unknown"] });
  base.registry.add(new ScriptedProvider({ id: "a", clock: base.clock, models: ["m1", "unknown"], script: ["Hi."] }));
  const with_ = (limit: Partial<BudgetLimit>): ReturnType<typeof createEngine> =>
    createEngine({ ...base, prices: PRICES, budgets: new Budgets(base.clock, [{ ...MONEY, ...limit }]) });
  assert.ok((await read(with_({}), "a/unknown")) > 0);
  await assert.rejects(
    read(with_({ unpriced: "refuse" }), "both"),
    (error) => GatewayError.has(error, "budget_exhausted") && error.details["unit"] === "unpriced",
  );
  assert.ok((await read(with_({ unpriced: "refuse" }), "a/m1")) > 0);
  // 40 in and the guess of 500 out at two micro-dollars each: 1,040.
  assert.ok((await read(with_({ costMicroUsd: 1_040 }), "a/m1")) > 0);
  await assert.rejects(read(with_({ costMicroUsd: 1_039 }), "a/m1"), (error) => {
    return GatewayError.has(error, "budget_exhausted") && /may cost more than the 0\.001039/.test(error.message);
  });
});

test("[EN81] a mirrored copy costs the budget, stops with its caller, and is left out where nothing is left", async () => {
  const rule = { name: "copy", when: {}, then: { mirror: "b/m1" } };
  const play = async (
    limit: BudgetLimit,
    leaveAtMs?: number,
  ): Promise<{ copies: string; left: number | undefined; mirrored: number }> => {
    const base = engineDoubles();
    base.registry.add(new ScriptedProvider({ id: "a", clock: base.clock, script: [50, "Hello."] }));
    const mirror = new ScriptedProvider({ id: "b", clock: base.clock, script: [200, "Copy."] });
    base.registry.add(mirror);
    const budgets = new Budgets(base.clock, [limit]);
    const engine = createEngine({ ...base, prices: PRICES, budgets, rules: new RoutingRules([rule]) });
    const controller = new AbortController();
    const reading = read(engine, "a/m1", Infinity, controller.signal);
    await settle();
    if (leaveAtMs !== undefined) {
      await base.clock.advanceAsync(leaveAtMs);
      controller.abort();
    }
    await base.clock.advanceAsync(1_000);
    await reading.catch(() => undefined);
    const mirrored = base.meter.entries.filter(
      (entry) => entry.name === "xr.cost" && entry.labels["kind"] === "mirror",
    );
    return {
      copies: `${mirror.requests.length} asked, ${mirror.endings.filter((ending) => ending === "aborted").length} stopped`,
      left: budgets.remaining(LOCAL_PRINCIPAL)[0]?.tokens,
      mirrored: mirrored.length,
    };
  };
  // Ten in and two out, twice.
  assert.deepEqual(await play(MONEY), { copies: "1 asked, 0 stopped", left: 10_000 - 24, mirrored: 1 });
  assert.equal((await play(MONEY, 20)).copies, "1 asked, 1 stopped");
  assert.equal((await play({ ...MONEY, requests: 1 })).copies, "0 asked, 0 stopped");
  assert.equal((await play({ ...MONEY, concurrency: 1 })).copies, "0 asked, 0 stopped");
});

test("[EN82] operations are reserved and settled like answers", async () => {
  const base = engineDoubles();
  base.registry.add(new ScriptedProvider({ id: "a", clock: base.clock }));
  const budgets = new Budgets(base.clock, [{ ...MONEY, requests: 2 }]);
  const engine = createEngine({ ...base, prices: PRICES, budgets });
  const embed = (): Promise<unknown> =>
    engine.perform(
      {
        requestId: "r",
        operation: "embed",
        input: { model: "a/m1", input: ["four words of text"] },
        principal: LOCAL_PRINCIPAL,
        deadlineMs: 10_000,
      },
      new AbortController().signal,
    );
  await embed();
  await embed();
  const [left] = budgets.remaining(LOCAL_PRINCIPAL);
  assert.equal(left?.requests, 0);
  assert.ok((left?.tokens ?? 0) < 10_000);
  await assert.rejects(embed(), (error) => GatewayError.has(error, "rate_limited"));
  assert.ok(base.auditRecords.some(({ action, details }) => action === "perform.embed" && details["model"] === "m1"));
});

test("[EN83] where a record of the audit trail would be lost and the operator wants none lost, nothing begins", async () => {
  const base = engineDoubles();
  const provider = new ScriptedProvider({ id: "a", clock: base.clock });
  base.registry.add(provider);
  const engine = createEngine({ ...base, audit: { append: () => undefined, isAccepting: () => false } });
  await assert.rejects(read(engine, "a/m1"), (error) => GatewayError.has(error, "overloaded"));
  assert.equal(provider.requests.length, 0);
});
