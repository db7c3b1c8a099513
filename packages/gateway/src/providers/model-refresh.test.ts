// Rule PV53 of docs/spec/providers.md. `server` is an adapter that counts how often it was asked.
import assert from "node:assert/strict";
import test from "node:test";
import type { IdentifiedAdapter } from "@fovea/core";
import { FakeClock, MemoryLog, settle } from "@fovea/core/testing";
import { ModelRefresh } from "./model-refresh.ts";

test("[PV53] models of one's own servers are listed in the background: soon again while a server is away, then every five minutes", async () => {
  const clock = new FakeClock();
  let asked = 0;
  let isUp = false;
  const server = {
    id: "local",
    getAvailableModels: async () => {
      asked++;
      if (!isUp) throw new Error("away");
      return ["m"];
    },
  } as unknown as IdentifiedAdapter;
  const refresh = new ModelRefresh({ clock, log: new MemoryLog(), adapters: () => [server] });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settle();
  };
  refresh.start();
  await settle();
  assert.equal(asked, 1);
  await pass(5_000);
  await pass(10_000);
  assert.equal(asked, 3);
  isUp = true;
  await pass(20_000);
  assert.equal(asked, 4);
  await pass(299_999);
  assert.equal(asked, 4);
  await pass(1);
  assert.equal(asked, 5);
  refresh.close();
  assert.equal(clock.pendingTasks, 0);
});
