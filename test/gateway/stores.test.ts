// The stores that are servers: the same contract as all others, over real ones, and what happens when they go away.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Clock, Store } from "@fovea/core";
import { FakeClock, STORE_CONTRACT } from "@fovea/core/testing";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { PostgresStore } from "../../packages/gateway/src/stores/postgres-store.ts";
import { RedisStore } from "../../packages/gateway/src/stores/redis-store.ts";
import { runFovea, startFovea } from "./run-fovea.ts";
import type { StoreServer } from "./store-servers.ts";
import { POSTGRES_ABSENT, REDIS_ABSENT, startPostgres, startRedis } from "./store-servers.ts";

interface Kind {
  readonly name: "redis" | "postgres";
  readonly skip: string | false;
  readonly start: () => Promise<StoreServer>;
  readonly open: (clock: Clock, url: string, prefix?: string) => Promise<Store>;
}

const KINDS: readonly Kind[] = [
  { name: "redis", skip: REDIS_ABSENT, start: startRedis, open: (...args) => RedisStore.open(...args) },
  { name: "postgres", skip: POSTGRES_ABSENT, start: startPostgres, open: (...args) => PostgresStore.open(...args) },
];

/** Time that a test moves, on timers that really run: the servers answer in their own time. */
class MovedClock extends SystemClock {
  #movedMs = 0;
  override unixMs(): number {
    return super.unixMs() + this.#movedMs;
  }
  override monotonicMs(): number {
    return super.monotonicMs() + this.#movedMs;
  }
  move(byMs: number): void {
    this.#movedMs += byMs;
  }
}

for (const { name, skip, start, open } of KINDS) {
  test(
    `[STO1] [STO2] [STO3] [STO4] [STO5] [STO6] [STO10] a ${name} server is a store like any other`,
    { skip },
    async (context) => {
      await using server = await start();
      for (const [index, contract] of STORE_CONTRACT.entries()) {
        await context.test(contract.title, async () => {
          const clock = new FakeClock(0, 1_800_000_000_000);
          // Only the date is the test's: a limit of time that never runs out hides nothing here.
          const timed: Clock = {
            unixMs: () => clock.unixMs(),
            monotonicMs: () => clock.monotonicMs(),
            schedule: (delayMs, task) => new SystemClock().schedule(delayMs, task),
          };
          await using store = await open(timed, server.url, `contract-${index}`);
          await contract.run({ store, advance: (byMs) => clock.advance(byMs) });
        });
      }
    },
  );

  test(
    `[STO11] [STO12] ${name}: two gateways see one store, a crash loses nothing, and a server that is away fails fast`,
    { skip },
    async () => {
      await using server = await start();
      const clock = new MovedClock();
      await using first = await open(clock, server.url);
      await using second = await open(clock, server.url);
      await using other = await open(clock, server.url, "another");
      await Promise.all(
        Array.from({ length: 300 }, (_, index) =>
          first.set(`k:${String(index).padStart(4, "0")}`, String(index), 60_000),
        ),
      );
      await second.set("k:0001", "changed");
      assert.equal(await first.get("k:0001"), "changed");
      assert.equal((await second.keys("k:", 1_000)).length, 300);
      assert.deepEqual(await second.keys("k:029", 2), ["k:0290", "k:0291"]);
      assert.deepEqual(await other.keys("", 10), []);
      clock.move(60_000);
      assert.deepEqual(await second.keys("k:", 1_000), ["k:0001"]);
      await server.crash();
      const startedMs = performance.now();
      await assert.rejects(first.get("k:0001"));
      assert.ok(performance.now() - startedMs < 4_000, "nobody waits for it");
      await server.restart();
      for (let tries = 0; ; tries++) {
        try {
          assert.equal(await first.get("k:0001"), "changed");
          break;
        } catch (error) {
          if (tries > 100) throw error;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
      assert.equal(await second.get("k:0001"), "changed");
    },
  );

  test(`[STO13] ${name}: gateways that share it share their budgets; without it answers go on`, { skip }, async () => {
    await using server = await start();
    const file = `auth: {secret: a-secret-of-all-gateways, keys: [{id: app, key: key-of-the-app}]}
store: {type: ${name}, url: "${server.url}"}
limits: {budgets: [{name: few, of: key, requests: 6}]}
`;
    const gateway = (): ReturnType<typeof startFovea> =>
      startFovea([], {}, (folder) => writeFileSync(join(folder, "fovea.yaml"), file));
    await using one = await gateway();
    await using two = await gateway();
    const ask = async (url: string): Promise<string> => {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: "Bearer key-of-the-app", "content-type": "application/json" },
        body: JSON.stringify({ model: "auto", messages: [{ role: "user", content: "What can you do?" }] }),
      });
      await response.text();
      return `${response.status} ${response.headers.get("x-ratelimit-remaining-requests")}`;
    };
    assert.deepEqual(
      [await ask(one.url), await ask(one.url), await ask(two.url)].map((told) => told.split(" ")[0]),
      ["200", "200", "200"],
    );
    let left = "";
    for (let waits = 0; waits < 100 && left === ""; waits++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const store =
        name === "redis"
          ? await RedisStore.open(new SystemClock(), server.url)
          : await PostgresStore.open(new SystemClock(), server.url);
      if ((await store.keys("budget:", 10)).length === 2) left = "both have written";
      await store[Symbol.asyncDispose]();
    }
    assert.equal(left, "both have written");
    // Whoever spends next looks at the others within the second.
    await ask(two.url);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(await ask(two.url), "200 1");
    await server.crash();
    assert.equal(await ask(two.url), "200 0");
    assert.match(await ask(two.url), /^429/);
    for (let waits = 0; waits < 100 && !two.output().includes("budgets cannot be written"); waits++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    assert.match(two.output(), /budgets cannot be written to the store/);
    await server.restart();
  });
}

test("[STO14] a server that is named and does not answer is told before anything starts, without its password", async () => {
  for (const url of ["redis://:hush-hush@127.0.0.1:1", "postgres://fovea:hush-hush@127.0.0.1:1/x"]) {
    const type = url.split(":")[0];
    const { code, output } = await runFovea(["start", "--port", "0"], {
      FOVEA_STORE: type ?? "",
      FOVEA_STORE_URL: url,
    });
    assert.equal(code, 2, output);
    assert.match(output, /environment: store\.url|store\.url/);
    assert.match(output, new RegExp(`the ${type} server there cannot be used`));
    assert.doesNotMatch(output, /hush/);
  }
  const missing = await runFovea(["start", "--port", "0"], { FOVEA_STORE: "redis" });
  assert.match(missing.output, /url.*is missing/);
});
