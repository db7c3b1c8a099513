// Rules ATH1..ATH3 of docs/spec/resilience.md.
import assert from "node:assert/strict";
import test from "node:test";
import { chatRequest, engineDoubles, ScriptedProvider } from "@fovea/core/testing";
import { createEngine } from "../engine/gateway-engine.ts";
import { BREAKER_POLICY } from "./cell-breaker.ts";
import { AdaptiveThrottle } from "./adaptive-throttle.ts";

test("[ATH1] what is held back is what the rejections of two minutes ask for, and time alone ends it", () => {
  const throttle = new AdaptiveThrottle();
  const feed = (accepted: number, rejected: number, nowMs: number): number => {
    for (let call = 0; call < accepted; call++) throttle.ended(nowMs, true);
    for (let call = 0; call < rejected; call++) throttle.ended(nowMs, false);
    return throttle.share(nowMs);
  };
  assert.equal(feed(0, 19, 0), 0);
  assert.equal(feed(10, 0, 1_000), (29 - 20) / 30);
  assert.equal(feed(20, 0, 2_000), 0);
  assert.equal(feed(0, 51, 3_000), (100 - 60) / 101);
  throttle.heldBack(3_000);
  assert.equal(throttle.share(3_000), (101 - 60) / 102);
  assert.ok(throttle.share(119_999) > 0);
  assert.equal(throttle.share(120_000), 0);
});

test("[ATH2] [ATH3] a cell that rejects gets less while another can serve, and all where none can", async () => {
  const play = async (hasOther: boolean): Promise<{ rejecting: number; other: number; errors: number }> => {
    const base = engineDoubles({ both: hasOther ? ["a/m1", "b/m1"] : ["a/m1"] }, 7);
    const rejecting = new ScriptedProvider({ id: "a", clock: base.clock, script: [{ fail: "capacity" }] });
    const other = new ScriptedProvider({ id: "b", clock: base.clock, script: ["Hi."] });
    base.registry.add(rejecting);
    base.registry.add(other);
    // A breaker that never opens: what is seen here is the throttle alone.
    const policy = { ...BREAKER_POLICY, ...NEVER };
    const engine = createEngine({ ...base, breakerPolicy: policy });
    let errors = 0;
    for (let call = 0; call < 200; call++) {
      const reading = (async (): Promise<void> => {
        for await (const _ of engine.answer(chatRequest("both", "hi"), new AbortController().signal));
      })().catch(() => (errors += 1));
      await base.clock.advanceAsync(500);
      await reading;
    }
    return { rejecting: rejecting.requests.length, other: other.requests.length, errors };
  };
  const shared = await play(true);
  assert.deepEqual([shared.other, shared.errors], [200, 0]);
  assert.ok(shared.rejecting < 60, `${shared.rejecting} calls to a cell that rejects all`);
  const alone = await play(false);
  assert.equal(alone.errors, 200);
  assert.ok(alone.rejecting >= 200, "nobody is refused for a guess where nobody else can answer");
});

const NEVER = {
  consecutiveFailuresMax: Infinity,
  overtakenMax: Infinity,
  successRateMin: 0,
  slowShareMax: 1,
  samplesMin: Infinity,
  windowMs: 30_000,
  backoffMs: 2_000,
  backoffMsMax: 60_000,
  slowStartMs: 10_000,
};
