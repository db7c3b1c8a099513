// Rules ME10 and ME11 of docs/spec/mesh.md, on one attempt alone.
import assert from "node:assert/strict";
import test from "node:test";
import type { ScriptLine } from "@fovea/core/testing";
import { FakeClock, ScriptedProvider } from "@fovea/core/testing";
import { ProviderRegistry } from "../providers/provider-registry.ts";
import type { AttemptLimits } from "./attempt.ts";
import { Attempt } from "./attempt.ts";

const LIMITS: AttemptLimits = {
  connectMs: 1_000,
  headersMs: 3_000,
  firstContentMs: 4_000,
  idleMs: 4_000,
  totalMs: 60_000,
  lateAfterMs: 4_000,
  slowAfterMs: 2_000,
  charactersPerSecondMin: 0,
  reasoningCounts: false,
};

/** A clock whose process was busy: what was due meanwhile runs late, all at the same instant. */
class BusyClock extends FakeClock {
  #skewMs = 0;
  override monotonicMs(): number {
    return super.monotonicMs() + this.#skewMs;
  }
  block(ms: number): void {
    this.#skewMs += ms;
  }
}

async function play(
  script: readonly ScriptLine[],
  limits: Partial<AttemptLimits>,
  blockAtMs?: number,
): Promise<string> {
  const clock = new BusyClock();
  const registry = new ProviderRegistry();
  registry.add(new ScriptedProvider({ id: "p", clock, script }));
  const candidate = registry.resolve("p/m1", "chat").tiers[0]?.[0];
  assert.ok(candidate !== undefined);
  const observer = { started() {}, firstContent() {}, ended() {} };
  const attempt = new Attempt(clock, observer, {
    candidate,
    request: { model: "m1", messages: [] },
    limits: { ...LIMITS, ...limits },
    whole: false,
    isHedge: false,
  });
  let text = "";
  let ending = "";
  const done = (async () => {
    for (let pulled = await attempt.open(); ; pulled = await attempt.pull()) {
      for (const part of pulled.parts) if (part.type === "text-delta") text += part.text;
      if (pulled.state === "parts") continue;
      ending = pulled.state === "failed" ? pulled.failure.code : "finished";
      return;
    }
  })();
  if (blockAtMs !== undefined) clock.schedule(blockAtMs, () => clock.block(2_000));
  for (let step = 0; step < 7_000 && ending === ""; step++) await clock.advanceAsync(10);
  await done;
  return `${text} ${ending}`;
}

test("[ME10] a busy process is not a late provider", async () => {
  // The answer would have come at 3.9 s; the process stands still from 3.5 s to 5.5 s.
  assert.equal(await play([3_900, "Hi."], {}, 3_500), "Hi. finished");
  assert.equal(await play([9_000, "Hi."], {}, 3_500), " timeout_first_token");
});

test("[ME11] a drip below the floor is a stall", async () => {
  const drip: ScriptLine[] = Array.from({ length: 60 }, () => [1_000, "x"] as const).flat();
  assert.match(await play(drip, { charactersPerSecondMin: 20 }), /^x{4,7} stalled$/);
  assert.match(await play(drip, {}), /^x{59,60} (finished|timeout_total)$/);
});
