// Rule GW48 of docs/spec/gateway.md.
import assert from "node:assert/strict";
import test from "node:test";
import type { IdentifiedAdapter, ProviderHealth } from "@fovea/core";
import { ProviderRegistry } from "@fovea/core";
import { FakeClock, MemoryLog, MemoryMeter, ScriptedProvider } from "@fovea/core/testing";
import { Reachability } from "./reachability.ts";

test("[GW48] each provider without traffic is asked once, within its time, and again after five minutes", async () => {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const registry = new ProviderRegistry();
  const asked: string[] = [];
  const add = (id: string, answer: () => Promise<ProviderHealth>, keyId = "default"): void => {
    const adapter: IdentifiedAdapter = new ScriptedProvider({ id, clock });
    adapter.healthCheck = () => {
      asked.push(id);
      return answer();
    };
    registry.add(adapter, { keyId });
  };
  const fine: ProviderHealth = { state: "healthy", errorRate: 0, sinceMs: 0, latencyMs: 12, checkedBy: "probe" };
  add("good", async () => fine);
  add("good", async () => fine, "key-2");
  add("refused", async () => ({ ...fine, state: "unhealthy", lastFailure: "auth" }));
  add("hanging", () => new Promise(() => {}));
  add("throwing", () => Promise.reject(new Error("no")));
  add("busy", async () => fine);
  const reach = new Reachability({
    registry,
    clock,
    log,
    meter: new MemoryMeter(),
    hasTraffic: (id) => id === "busy",
  });
  reach.start();
  await clock.advanceAsync(8_500);
  const told = ["good", "refused", "hanging", "throwing", "busy"].map((id) => {
    const reached = reach.of(id);
    return reached === undefined ? "unknown" : (reached.failure ?? `in ${reached.latencyMs} ms`);
  });
  assert.deepEqual(told, ["in 12 ms", "auth", "timeout_total", "unreachable", "unknown"]);
  assert.deepEqual(asked, ["good", "refused", "hanging", "throwing"]);
  registry.remove("throwing");
  await clock.advanceAsync(300_000);
  assert.equal(asked.length, 7);
  assert.equal(reach.of("throwing"), undefined);
  assert.equal(log.entries.filter(({ message }) => message === "a provider does not answer").length, 3, "each once");
  reach.close();
  assert.equal(clock.pendingTasks, 0);
});
