// Rules LB14 and LB15 of docs/spec/routing.md. Gateways are balancers over one store; `loads` tells what each takes a cell
// to carry.
import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock, MemoryLog, MemoryStore } from "@fovea/core/testing";
import { LoadBalancer } from "./load-balancer.ts";
import { LoadExchange } from "./load-exchange.ts";

function gateways(count: number) {
  const clock = new FakeClock();
  const store = new MemoryStore(clock);
  const log = new MemoryLog();
  let isDown = false;
  const shared = {
    get: (key: string) => (isDown ? Promise.reject(new Error("down")) : store.get(key)),
    set: (key: string, value: string, ttlMs?: number) =>
      isDown ? Promise.reject(new Error("down")) : store.set(key, value, ttlMs),
    delete: (key: string) => store.delete(key),
    keys: (prefix: string, limit: number) => store.keys(prefix, limit),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  const all = Array.from({ length: count }, (_, index) => {
    const balancer = new LoadBalancer();
    return { balancer, exchange: new LoadExchange({ store: shared, clock, log, balancer, place: `gw${index}` }) };
  });
  const loads = (): string => all.map(({ balancer }) => balancer.view("cell").inFlight).join(" ");
  return { clock, log, all, loads, down: (value: boolean) => void (isDown = value) };
}

test("[LB14] gateways that share a store count one another's calls", async () => {
  const { clock, all, loads } = gateways(3);
  for (const sentMs of [0, 1, 2]) all[0]?.balancer.started("cell", sentMs);
  all[1]?.balancer.started("cell", 0);
  await clock.advanceAsync(6_000);
  assert.equal(loads(), "4 4 4");
  all[0]?.balancer.succeeded("cell", 6_000, 0);
  await clock.advanceAsync(500);
  assert.equal(loads(), "3 3 3");
  for (const { exchange } of all) exchange.close();
  assert.equal(loads(), "2 1 0");
});

test("[LB15] without the store each gateway balances what it knows", async () => {
  const { clock, log, all, loads, down } = gateways(2);
  all[0]?.balancer.started("cell", 0);
  await clock.advanceAsync(6_000);
  assert.equal(loads(), "1 1");
  down(true);
  await clock.advanceAsync(1_000);
  assert.equal(loads(), "1 1", "a short break changes nothing");
  await clock.advanceAsync(3_000);
  assert.equal(loads(), "1 0");
  assert.equal(log.entries.length, 2, "told once by each");
  down(false);
  await clock.advanceAsync(6_000);
  assert.equal(loads(), "1 1");
  // A gateway that is gone is forgotten.
  all[0]?.exchange.close();
  await clock.advanceAsync(3_000);
  assert.equal(loads(), "1 0");
  all[1]?.exchange.close();
});
