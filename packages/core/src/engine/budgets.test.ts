// Rules EN60..EN66 of docs/spec/engine.md.
import assert from "node:assert/strict";
import test from "node:test";
import type { Principal } from "@fovea/core";
import { chatRequest, engineDoubles, FakeClock, LOCAL_PRINCIPAL, ScriptedProvider, settle } from "@fovea/core/testing";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Usage } from "../model/measure.ts";
import { Admission } from "../resilience/admission.ts";
import type { BudgetLimit } from "./budgets.ts";
import { Budgets } from "./budgets.ts";
import { createEngine } from "./gateway-engine.ts";

const MINUTE: Pick<BudgetLimit, "name" | "of" | "periodMs"> = { name: "minute", of: "user", periodMs: 60_000 };
const usage = (total: number): Usage => ({
  input: { total, cacheRead: 0, cacheWrite: 0 },
  output: { total: 0 },
  source: "provider",
});
const refusal = (run: () => unknown): string => {
  try {
    run();
    return "allowed";
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    return `${error.code} ${error.details["limit"]} ${error.details.retryAfterMs}`;
  }
};

test("[EN60] [EN64] what is reserved is gone until it is settled", () => {
  const budgets = new Budgets(new FakeClock(), [{ ...MINUTE, tokens: 1_000 }]);
  const take = (): ReturnType<Budgets["reserve"]> =>
    budgets.reserve(LOCAL_PRINCIPAL, { tokens: 400, costMicroUsd: undefined });
  const [first, second] = [take(), take()];
  assert.equal(refusal(take), "budget_exhausted minute 60000");
  first.settle(usage(100), undefined, true);
  first.settle(usage(100), undefined, true);
  assert.equal(budgets.remaining(LOCAL_PRINCIPAL)[0]?.tokens, 500);
  second.settle(undefined, undefined, true);
  assert.equal(budgets.remaining(LOCAL_PRINCIPAL)[0]?.tokens, 500);
  take().settle(undefined, undefined, false);
  assert.equal(budgets.remaining(LOCAL_PRINCIPAL)[0]?.tokens, 500);
});

test("[EN61] limits hold for each, or for one", () => {
  const of = (userId: string, tenantId = "t", keyId?: string): Principal => ({
    ...LOCAL_PRINCIPAL,
    userId,
    tenantId,
    ...(keyId === undefined ? {} : { keyId }),
  });
  const once = (budgets: Budgets, who: Principal): string =>
    refusal(() => budgets.reserve(who, { tokens: 1, costMicroUsd: 1 }));
  const each = new Budgets(new FakeClock(), [{ ...MINUTE, requests: 1 }]);
  assert.deepEqual(
    [of("a"), of("b"), of("a"), of("a", "other")].map((who) => once(each, who).split(" ")[0]),
    ["allowed", "allowed", "rate_limited", "allowed"],
  );
  const key = new Budgets(new FakeClock(), [{ ...MINUTE, of: "key", id: "k1", requests: 1 }]);
  assert.deepEqual(
    [of("a", "t", "k1"), of("a", "t", "k1"), of("a", "t", "k2"), of("a")].map((who) => once(key, who).split(" ")[0]),
    ["allowed", "rate_limited", "allowed", "allowed"],
  );
});

test("[EN62] each limit has its refusal, and no provider is called", async () => {
  const refused = (limit: Partial<BudgetLimit>): string => {
    const budgets = new Budgets(new FakeClock(), [{ ...MINUTE, ...limit }]);
    const take = (): unknown => budgets.reserve(LOCAL_PRINCIPAL, { tokens: 10, costMicroUsd: 60 });
    take();
    return refusal(take).split(" ")[0] as string;
  };
  assert.deepEqual([{ requests: 1 }, { concurrency: 1 }, { tokens: 15 }, { costMicroUsd: 100 }].map(refused), [
    "rate_limited",
    "rate_limited",
    "budget_exhausted",
    "budget_exhausted",
  ]);
  const base = engineDoubles();
  const provider = new ScriptedProvider({ id: "a", clock: base.clock });
  base.registry.add(provider);
  const engine = createEngine({ ...base, budgets: new Budgets(base.clock, [{ ...MINUTE, requests: 0 }]) });
  const read = async (): Promise<void> => {
    for await (const _ of engine.answer(chatRequest("a/m1", "hi"), new AbortController().signal));
  };
  await assert.rejects(read(), (error) => GatewayError.has(error, "rate_limited"));
  assert.equal(provider.requests.length, 0);
});

test("[EN60] an answer is settled by what it used", async () => {
  const base = engineDoubles();
  base.registry.add(new ScriptedProvider({ id: "a", clock: base.clock, script: ["Hello."] }));
  const engine = createEngine({
    ...base,
    budgets: new Budgets(base.clock, [{ ...MINUTE, tokens: 10_000, requests: 5, concurrency: 1 }]),
  });
  for (let index = 0; index < 2; index++) {
    for await (const _ of engine.answer(chatRequest("a/m1", "hi"), new AbortController().signal));
  }
  // Ten in and two out each time, and nothing runs any more.
  assert.deepEqual(
    engine.budgets.remaining(LOCAL_PRINCIPAL).map(({ tokens, requests }) => [tokens, requests]),
    [[9_976, 3]],
  );
});

test("[EN63] [EN66] a new period begins with nothing spent", () => {
  const clock = new FakeClock(0, 1_800_000_000_000);
  const budgets = new Budgets(clock, [{ ...MINUTE, tokens: 100, requests: 2 }]);
  const running = budgets.reserve(LOCAL_PRINCIPAL, { tokens: 80, costMicroUsd: undefined });
  const left = (): unknown =>
    budgets
      .remaining(LOCAL_PRINCIPAL)
      .map(({ name, resetsInMs, requests, tokens }) => [name, resetsInMs, requests, tokens]);
  assert.deepEqual(left(), [["minute", 60_000, 1, 20]]);
  clock.advance(60_000);
  assert.deepEqual(left(), [["minute", 60_000, 2, 100]]);
  running.settle(usage(30), undefined, true);
  assert.equal(budgets.remaining(LOCAL_PRINCIPAL)[0]?.tokens, 70);
});

test("[EN65] what can wait is sent away first", async () => {
  const admission = new Admission(10);
  const leave = Array.from({ length: 7 }, () => admission.enter("background"));
  assert.throws(
    () => admission.enter("background"),
    (error) => GatewayError.has(error, "overloaded") && error.details.retryAfterMs === 1_000,
  );
  for (let index = 0; index < 2; index++) leave.push(admission.enter("conversational"));
  assert.throws(() => admission.enter("conversational"), GatewayError);
  leave.push(admission.enter("interactive"));
  assert.throws(() => admission.enter("interactive"), GatewayError);
  leave[0]?.();
  leave[0]?.();
  assert.equal(admission.running, 9);
  const base = engineDoubles();
  base.registry.add(new ScriptedProvider({ id: "a", clock: base.clock, script: [1_000, "Hi."] }));
  const engine = createEngine({ ...base, inFlightMax: 1 });
  const read = async (): Promise<string> => {
    for await (const part of engine.answer(
      chatRequest("a/m1", "hi", { latencyClass: "interactive" }),
      new AbortController().signal,
    ))
      if (part.type === "end") return part.outcome;
    return "none";
  };
  const first = read();
  await settle();
  await assert.rejects(read(), (error) => GatewayError.has(error, "overloaded"));
  await base.clock.advanceAsync(2_000);
  assert.equal(await first, "complete");
  const third = read();
  await base.clock.advanceAsync(2_000);
  assert.equal(await third, "complete");
});
