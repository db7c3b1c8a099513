// Rules ME14..ME18 of docs/spec/mesh.md.
import assert from "node:assert/strict";
import test from "node:test";
import type { EngineDoubles } from "@fovea/core/testing";
import { chatRequest, engineDoubles, ScriptedProvider, SeededRandom, settle } from "@fovea/core/testing";
import type { GatewayEngine } from "../engine/gateway-engine.ts";
import { createEngine } from "../engine/gateway-engine.ts";
import type { ProviderErrorCode } from "../errors/provider-failure.ts";
import { ProviderError } from "../errors/provider-failure.ts";
import type { HistoricalData } from "./routing-fit.ts";

interface Stage extends EngineDoubles {
  readonly engine: GatewayEngine;
}
function stage(ids: readonly string[]): Stage {
  const base = engineDoubles();
  for (const id of ids) base.registry.add(new ScriptedProvider({ id, clock: base.clock, script: [500, "Hi."] }));
  return { ...base, engine: createEngine({ ...base, controls: { hedgeShare: 0 } }) };
}
const failed = (code: ProviderErrorCode): ProviderError =>
  new ProviderError({
    code,
    providerId: "a",
    message: code,
    retryable: true,
    scope: "model",
    partialOutput: false,
    billed: "no",
  });

test("[ME14] a provider is added at once and removed when nothing runs any more", async () => {
  const on = stage(["a"]);
  const { mesh } = on.engine;
  await mesh.addProvider(
    new ScriptedProvider({ id: "b", clock: on.clock, models: ["m2"], script: [2_000, "Hi."] }) as never,
  );
  assert.equal((await mesh.routeRequest(chatRequest("m2", "hi"))).plan.cells[0]?.cell.providerId, "b");
  let text = "";
  const answered = (async () => {
    for await (const part of on.engine.answer(chatRequest("m2", "hi"), new AbortController().signal))
      if (part.type === "text-delta") text += part.text;
  })();
  await settle();
  let isRemoved = false;
  const removed = mesh.removeProvider("b").then(() => (isRemoved = true));
  await assert.rejects(mesh.routeRequest(chatRequest("m2", "hi")));
  assert.equal(mesh.getProviderStatus().get("b")?.state, "draining");
  await on.clock.advanceAsync(1_000);
  assert.deepEqual([isRemoved, text], [false, ""]);
  await on.clock.advanceAsync(1_500);
  await Promise.all([answered, removed]);
  assert.equal(text, "Hi.");
  assert.equal(mesh.getProviderStatus().has("b"), false);
  await assert.rejects(mesh.removeProvider("b"));
});

test("[ME15] a failure names who takes over", async () => {
  const on = stage(["a", "b"]);
  const { mesh } = on.engine;
  const first = await mesh.handleProviderFailure("a", failed("unreachable"));
  assert.deepEqual([first.next?.providerId, first.userNotice, first.pattern.kind], ["b", "", "outage"]);
  for (let index = 0; index < 2; index++) await mesh.handleProviderFailure("a", failed("unreachable"));
  assert.equal(mesh.getProviderStatus().get("a")?.state, "unavailable");
  for (let index = 0; index < 3; index++) await mesh.handleProviderFailure("b", failed("unreachable"));
  const nobody = await mesh.handleProviderFailure("a", failed("unreachable"));
  assert.deepEqual([nobody.next, nobody.userNotice.length > 0], [undefined, true]);
  assert.equal((await mesh.handleProviderFailure("a", failed("refused"))).next, undefined);
});

test("[ME16] a batch is spread within limits, prices and deadlines", async () => {
  const on = stage(["a", "b"]);
  for (const id of ["a", "b"]) on.engine.balancer.setLimit(`${id}/m1@here#default:chat`, 3);
  const requests = Array.from({ length: 7 }, (_, index) =>
    chatRequest("m1", "hi", { requestId: `r${index}`, deadlineMs: 10_000 + index }),
  );
  const late = chatRequest("m1", "hi", { requestId: "late", deadlineMs: 10 });
  const unknown = chatRequest("zz", "hi", { requestId: "unknown", deadlineMs: 20_000 });
  const result = await on.engine.mesh.balanceLoad([...requests, late, unknown]);
  assert.deepEqual(result.byProvider, { a: 3, b: 3 });
  assert.deepEqual(
    result.unassigned.map((item) => `${item.requestId}: ${item.reason}`),
    ["late: too late", "r6: every cell is at its limit", "unknown: no model 'zz'"],
  );
});

function history(seed: number, drift: boolean): HistoricalData {
  const random = new SeededRandom(seed);
  const calls = Array.from({ length: 1_000 }, (_, index) => {
    const providerId = random.next() < 0.5 ? "a" : "b";
    const isSlow = drift && index >= 700 ? providerId === "a" : providerId === "b";
    return {
      atMs: index,
      providerId,
      isFailure: random.next() < (isSlow ? 0.05 : 0.01),
      firstContentMs: isSlow ? 1_500 : 400,
    };
  });
  return { calls };
}

test("[ME17] weights are moved only where the held-back calls agree", async () => {
  const on = stage(["a", "b"]);
  const result = await on.engine.mesh.optimizeRouting(history(1, false));
  assert.equal(result.isApplied, true, result.reason);
  assert.ok(result.heldBack.after < result.heldBack.before * 0.9, JSON.stringify(result));
  const status = on.engine.mesh.getProviderStatus();
  assert.ok((status.get("a")?.weight ?? 0) > 2 * (status.get("b")?.weight ?? 0));
  const other = stage(["a", "b"]);
  const refused = await other.engine.mesh.optimizeRouting(history(1, true));
  assert.equal(refused.isApplied, false);
  assert.equal(other.engine.mesh.getProviderStatus().get("a")?.weight, 1);
  assert.equal((await other.engine.mesh.optimizeRouting({ calls: [] })).isApplied, false);
});

test("[ME18] the status tells state, load and errors", async () => {
  const on = stage(["a"]);
  const done = (async () => {
    for await (const _ of on.engine.answer(chatRequest("a/m1", "hi"), new AbortController().signal));
  })();
  await settle();
  assert.deepEqual(on.engine.mesh.getProviderStatus().get("a"), {
    state: "healthy",
    cells: 1,
    openCells: 0,
    inFlight: 1,
    errorRate: 0,
    firstContentMsP95: undefined,
    weight: 1,
  });
  await on.clock.advanceAsync(1_000);
  await done;
  assert.equal(on.engine.mesh.getProviderStatus().get("a")?.inFlight, 0);
});
