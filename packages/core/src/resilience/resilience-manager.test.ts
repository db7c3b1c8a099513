// Rules RM1..RM6 of docs/spec/resilience.md, through a whole engine: providers fail, and the manager is asked about it.
import assert from "node:assert/strict";
import test from "node:test";
import type { ProviderFailure, SceneEntity, XRContext } from "@fovea/core";
import type { EngineDoubles, Script } from "@fovea/core/testing";
import { chatRequest, engineDoubles, ScriptedProvider } from "@fovea/core/testing";
import type { GatewayEngine } from "../engine/gateway-engine.ts";
import { createEngine } from "../engine/gateway-engine.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import type { LocatedFailure } from "./failure-patterns.ts";

interface Stage extends EngineDoubles {
  readonly engine: GatewayEngine;
  readonly providers: Readonly<Record<string, ScriptedProvider>>;
}

function stage(scripts: Readonly<Record<string, Script>>, models: Readonly<Record<string, string>> = {}): Stage {
  const base = engineDoubles({ assistant: Object.keys(scripts).map((id) => `${id}/${models[id] ?? "m1"}`) });
  const providers: Record<string, ScriptedProvider> = {};
  for (const [id, script] of Object.entries(scripts)) {
    const type = id === "embedded" ? "embedded" : "custom";
    providers[id] = new ScriptedProvider({ id, type, clock: base.clock, script, models: [models[id] ?? "m1"] });
    base.registry.add(providers[id]);
  }
  return { ...base, providers, engine: createEngine({ ...base, controls: { hedgeShare: 0 } }) };
}

async function ask(on: Stage, model = "assistant", times = 1): Promise<string> {
  let last = "";
  for (let index = 0; index < times; index++) {
    const request = chatRequest(model, "hi", { deadlineMs: on.clock.monotonicMs() + 60_000 });
    const done = (async () => {
      last = "";
      for await (const part of on.engine.answer(request, new AbortController().signal))
        if (part.type === "start") last = part.provider;
    })().catch((error: unknown) => {
      if (!GatewayError.is(error)) throw error;
      last = error.code;
    });
    for (let step = 0; step < 12; step++) await on.clock.advanceAsync(1_000);
    await done;
  }
  return last;
}

const failure = (code: ProviderFailure["code"], more: Partial<LocatedFailure> = {}): LocatedFailure => ({
  code,
  providerId: "p",
  message: code,
  retryable: true,
  scope: "model",
  partialOutput: false,
  billed: "no",
  ...more,
});

test("[RM1] detection goes by traffic, and probes only where there was none", async () => {
  const on = stage({ a: [{ fail: "unreachable" }], b: ["Hi."] });
  const before = await on.engine.resilience.detectProviderFailure("a");
  assert.deepEqual([before.state, before.checkedBy], ["healthy", "probe"]);
  await ask(on, "assistant", 3);
  const after = await on.engine.resilience.detectProviderFailure("a");
  assert.deepEqual(
    [after.state, after.checkedBy, after.pattern.kind, after.openCells.length],
    ["failing", "traffic", "outage", 1],
  );
  assert.ok((after.sinceMs ?? 0) > 0);
  assert.equal((await on.engine.resilience.detectProviderFailure("b")).state, "healthy");
  await assert.rejects(on.engine.resilience.detectProviderFailure("zz"), (error) =>
    GatewayError.has(error, "request_invalid"),
  );
});

test("[RM2] a pattern is named with its evidence", async () => {
  const { resilience } = stage({ a: [] }).engine;
  const kind = async (...failures: LocatedFailure[]): Promise<string> =>
    (await resilience.analyzeFailurePattern(failures)).kind;
  const many = (code: ProviderFailure["code"], more: Partial<LocatedFailure> = {}): LocatedFailure[] =>
    [1, 2, 3].map(() => failure(code, more));
  assert.equal(await kind(), "none");
  assert.equal(await kind(...many("unreachable")), "outage");
  assert.equal(await kind(...many("timeout_first_token")), "brown-out");
  assert.equal(await kind(...many("rate_limited"), failure("server_error")), "rate-limit-wall");
  assert.equal(await kind(...many("auth")), "dead-key");
  assert.equal(await kind(...many("truncated")), "truncation");
  assert.equal(await kind(...many("not_found")), "model");
  assert.equal(await kind(...many("capacity")), "slow-start");
  assert.equal(
    await kind(
      ...many("unreachable", { region: "eu", model: "m1" }),
      ...many("unreachable", { region: "eu", model: "m2" }),
    ),
    "region",
  );
  assert.equal(
    await kind(
      ...many("server_error", { region: "eu", model: "m1" }),
      ...many("server_error", { region: "us", model: "m1" }),
    ),
    "model",
  );
  const burst = (atMs: number): LocatedFailure[] =>
    [0, 100].map((late) => failure("unreachable", { atMs: atMs + late }));
  assert.equal(await kind(...burst(0), ...burst(10_000), ...burst(20_000)), "flapping");
  assert.equal(await kind(failure("auth"), failure("truncated"), failure("rate_limited")), "mixed");
  assert.match((await resilience.analyzeFailurePattern(many("auth"))).evidence[0] ?? "", /3 auth/);
});

test("[RM3] a failover takes a provider out until it is released", async () => {
  const on = stage({ a: ["A."], b: ["B."] });
  assert.equal(await ask(on), "a");
  const result = await on.engine.resilience.initiateFailover("a", on.providers["b"] as never);
  assert.deepEqual([result.from, result.to, result.modelsLost], ["a", "b", []]);
  assert.equal(await ask(on), "b");
  on.engine.resilience.release("a");
  assert.equal(await ask(on), "a");
  await assert.rejects(on.engine.resilience.initiateFailover("a", on.providers["a"] as never), GatewayError);
});

const entity = { id: "e", semanticLabel: "lamp", kind: "box" } as unknown as SceneEntity;
const room: XRContext = {
  ...NO_CONTEXT,
  sessionId: "s",
  scene: { version: 1, entities: [entity], byId: new Map([["e", entity]]), changes: [] },
};

test("[RM4] the ladder is walked only as far as needed", async () => {
  const on = stage({ a: ["A."], b: ["B."], embedded: ["E."] }, { a: "large-pro", b: "small-mini" });
  const rung = async (): Promise<string> => (await on.engine.resilience.implementGracefulDegradation(room)).rung;
  assert.equal(await rung(), "full");
  await on.engine.resilience.initiateFailover("a", on.providers["b"] as never);
  assert.equal(await rung(), "smaller-model");
  await on.engine.resilience.initiateFailover("b", on.providers["a"] as never);
  assert.equal(await rung(), "embedded");
  const notice = await on.engine.resilience.implementGracefulDegradation(NO_CONTEXT);
  assert.deepEqual(
    [notice.rung, notice.userNotice],
    ["notice", "I cannot answer at the moment. Please try again in a minute."],
  );
});

test("[RM5] a warning comes before the breaker opens, and healthy cells give none", async () => {
  let ttftMs = 200;
  const on = stage({ a: () => [ttftMs, "A."], b: [200, "B."] });
  await ask(on, "a/m1", 40);
  await ask(on, "b/m1", 40);
  assert.deepEqual((await on.engine.resilience.predictPotentialFailures(room)).warnings, []);
  ttftMs = 900;
  await ask(on, "a/m1", 12);
  const { warnings } = await on.engine.resilience.predictPotentialFailures(room);
  assert.deepEqual(
    warnings.map((warning) => [warning.cell.providerId, warning.sign]),
    [["a", "rising-latency"]],
  );
  const [a] = on.registry.resolve("a/m1", "chat").tiers[0] ?? [];
  assert.equal(a !== undefined && on.engine.health.of(a).breaker.state, "closed");
});

test("[RM5] limits that run out are foreseen", async () => {
  let remaining = 100;
  const limits = (): Script => () => [
    {
      type: "limits",
      limits: { atMs: 0, buckets: [{ name: "requests", limit: 100, remaining: (remaining -= 30), resetMs: 600_000 }] },
    },
    "A.",
  ];
  const on = stage({ a: limits(), b: ["B."] });
  await ask(on, "a/m1", 2);
  const { warnings } = await on.engine.resilience.predictPotentialFailures(room);
  assert.deepEqual(
    warnings.map((warning) => warning.sign),
    ["limit-headroom"],
  );
  // 30 in twelve seconds, 40 left: empty in sixteen.
  assert.ok(Math.abs((warnings[0]?.withinMs ?? 0) - 16_000) < 500, String(warnings[0]?.withinMs));
});

test("[RM6] a measure moves a knob, and is taken back where it did not help", async () => {
  let ttftMs = 200;
  const on = stage({ a: () => [ttftMs, "A."], b: [200, "B."] });
  const { resilience, balancer } = on.engine;
  const name = "a/m1@here#default:chat";
  const act = async (): Promise<string> => {
    const result = await resilience.implementPreventiveMeasures([await resilience.predictPotentialFailures(room)]);
    return [...result.applied.map((measure) => measure.knob), ...result.declined.map((item) => item.reason)].join();
  };
  await ask(on, "a/m1", 40);
  await ask(on, "b/m1", 2);
  ttftMs = 900;
  await ask(on, "a/m1", 12);
  assert.equal(await act(), "shift-share");
  assert.ok(balancer.shareOf(name) < 0.9);
  assert.equal(await act(), "a measure for this cell is being judged");
  ttftMs = 1_500;
  await ask(on, "a/m1", 3);
  assert.equal(resilience.prevention.measures[0]?.effect(), "undone");
  assert.equal(balancer.shareOf(name), 1);
  assert.equal(await act(), "shift-share");
  ttftMs = 200;
  await ask(on, "a/m1", 30);
  assert.equal(resilience.prevention.measures[1]?.effect(), "kept");
  assert.match(resilience.prevention.measures[1]?.evidence() ?? "", /before, \d+ ms after/);
});
