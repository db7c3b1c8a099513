import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { FakeClock, MemoryStore, STORE_CONTRACT } from "@fovea/core/testing";
import type { Clock, Store } from "@fovea/core";
import { SqliteStore } from "./sqlite-store.ts";

const STORES: readonly [name: string, open: (clock: Clock) => Store][] = [
  ["memory", (clock) => new MemoryStore(clock)],
  ["sqlite", (clock) => new SqliteStore(clock, ":memory:")],
];

for (const [name, open] of STORES) {
  for (const contract of STORE_CONTRACT) {
    test(`${contract.title} (${name})`, async () => {
      const clock = new FakeClock();
      await using store = open(clock);
      await contract.run({ store, advance: (byMs) => clock.advance(byMs) });
    });
  }
}

test("[STO7] the sqlite store keeps its entries, and their time, over a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fovea-store-"));
  const path = join(folder, "nested", "fovea.db");
  const clock = new FakeClock();
  {
    await using store = new SqliteStore(clock, path);
    await store.set("stays", "1");
    await store.set("expires", "2", 1000);
  }
  clock.advance(1000);
  {
    await using store = new SqliteStore(clock, path);
    assert.deepEqual(await store.keys("", 10), ["stays"]);
  }
  rmSync(folder, { recursive: true });
});

test("[STO8] the sweep frees expired rows, and a closed store leaves no timer", async () => {
  const clock = new FakeClock();
  const store = new SqliteStore(clock, ":memory:");
  await store.set("a", "1", 10);
  clock.advance(60_000);
  assert.equal(clock.pendingTasks, 1);
  await store[Symbol.asyncDispose]();
  assert.equal(clock.pendingTasks, 0);
});

test("[STO9] the memory store forgets the oldest written entry beyond its limit", async () => {
  const store = new MemoryStore(new FakeClock(), 2);
  for (const key of ["a", "b", "a", "c"]) await store.set(key, key);
  assert.deepEqual(await store.keys("", 10), ["a", "c"]);
});
