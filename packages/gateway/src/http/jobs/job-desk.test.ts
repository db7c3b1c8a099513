// Rules JB11 and JB12 of docs/spec/jobs.md. `desk` builds a desk over a store with one maker whose answers the test sets.
import assert from "node:assert/strict";
import test from "node:test";
import {
  NO_METER,
  NO_PRICES,
  ProviderError,
  ProviderRegistry,
  type AnswerEngine,
  type IdentifiedAdapter,
  type Job,
  type Principal,
} from "@fovea/core";
import { CountingIds, FakeClock, MemoryLog, MemoryStore, SeededRandom } from "@fovea/core/testing";
import { JobDesk } from "./job-desk.ts";

const PRINCIPAL: Principal = { tenantId: "t", userId: "u", scopes: ["chat"], via: "open" };
const RUNNING: Job = { id: "v1", state: "running", output: [] };
const DONE: Job = { id: "v1", state: "succeeded", output: [], fraction: 1 };

class Maker {
  asked = 0;
  next: Job | "gone" | "away" = RUNNING;

  async getJob(): Promise<Job> {
    this.asked++;
    if (typeof this.next === "object") return this.next;
    throw new ProviderError({
      code: this.next === "gone" ? "not_found" : "unreachable",
      providerId: "maker",
      message: this.next,
      retryable: false,
      scope: "provider",
      partialOutput: false,
      billed: "no",
    });
  }
}

function desk(clock: FakeClock, store: MemoryStore, maker: Maker): JobDesk {
  const adapter = {
    id: "maker",
    type: "custom",
    region: "x",
    supportedFeatures: ["job"],
    models: () => [{ id: "m", features: ["job"] }],
    startJob: async () => RUNNING,
    getJob: () => maker.getJob(),
    cancelJob: async () => undefined,
  } as unknown as IdentifiedAdapter;
  const registry = new ProviderRegistry({});
  registry.add(adapter);
  const engine: Partial<AnswerEngine> = {
    perform: async () =>
      ({
        result: RUNNING,
        providerId: "maker",
        model: "m",
        cost: { microUsd: undefined, source: "unpriced" },
        plan: { cells: [], excluded: [], deadlineShares: [], reason: "one" },
      }) as never,
  };
  return new JobDesk({
    engine: engine as AnswerEngine,
    registry,
    prices: NO_PRICES,
    store,
    clock,
    random: new SeededRandom(7),
    ids: new CountingIds(),
    log: new MemoryLog(),
    meter: NO_METER,
  });
}

const REQUEST = { model: "m", kind: "other", input: {} } as const;
const CALL = { requestId: "r", principal: PRINCIPAL, deadlineMs: 1_000 };
const NEVER = new AbortController().signal;

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("[JB11] a running job is asked after at growing intervals until it has ended", async () => {
  const clock = new FakeClock();
  const maker = new Maker();
  const jobs = desk(clock, new MemoryStore(clock), maker);
  const { record } = await jobs.start(REQUEST, CALL, NEVER);
  await pass(clock, 10_000);
  const early = maker.asked;
  assert.ok(early >= 2 && early <= 4, `${early} in the first ten seconds`);
  await pass(clock, 600_000);
  const perMinute = (maker.asked - early) / 10;
  assert.ok(perMinute >= 1.4 && perMinute <= 4, `${perMinute} a minute later on`);
  maker.next = DONE;
  await pass(clock, 60_000);
  assert.equal((await jobs.get(record.id, PRINCIPAL, 0, NEVER)).job.state, "succeeded");
  const last = maker.asked;
  await pass(clock, 120_000);
  assert.equal(maker.asked, last, "what has ended is asked for no more");
  jobs.close();
  assert.equal(clock.pendingTasks, 0);
});

test("[JB11] after a restart the watch goes on; a maker that is away changes nothing, one that forgot ends the job", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore(clock);
  const maker = new Maker();
  const before = desk(clock, store, maker);
  const { record } = await before.start(REQUEST, CALL, NEVER);
  before.close();
  const after = desk(clock, store, maker);
  await after.resume();
  maker.next = "away";
  await pass(clock, 60_000);
  assert.ok(maker.asked > 0);
  assert.equal((await after.get(record.id, PRINCIPAL, 0, NEVER)).job.state, "running");
  maker.next = "gone";
  await pass(clock, 3_600_000);
  assert.equal((await after.get(record.id, PRINCIPAL, 0, NEVER)).job.state, "failed");
  after.close();
  assert.equal(clock.pendingTasks, 0);
});

test("[JB11] many who ask at once ask the maker once", async () => {
  const clock = new FakeClock();
  const maker = new Maker();
  const jobs = desk(clock, new MemoryStore(clock), maker);
  const { record } = await jobs.start(REQUEST, CALL, NEVER);
  clock.advance(1_500);
  await Promise.all(Array.from({ length: 20 }, () => jobs.get(record.id, PRINCIPAL, 0, NEVER)));
  assert.equal(maker.asked, 1);
  jobs.close();
});
