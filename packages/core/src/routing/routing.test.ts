// oxlint-disable unicorn/no-thenable -- `then` is the operator's word in a rule.
// Rules LB1..LB13, RR1..RR5 and RC1..RC7 of docs/spec/routing.md.
import assert from "node:assert/strict";
import test from "node:test";
import type { ModelInfo, SceneEntity, XRContext, XRRequest } from "@fovea/core";
import type { EngineDoubles } from "@fovea/core/testing";
import { chatRequest, engineDoubles, ScriptedProvider, SeededRandom, settle } from "@fovea/core/testing";
import type { GatewayEngine } from "../engine/gateway-engine.ts";
import { createEngine } from "../engine/gateway-engine.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { NO_CONTEXT } from "../model/xr-context.ts";
import { ALL_CLOSED, NO_RATES } from "./cell-states.ts";
import { LoadBalancer } from "./load-balancer.ts";
import type { RoutingRule } from "./routing-rules.ts";
import { armOf, parseRoutingRules } from "./routing-rules.ts";
import { qualityPrior } from "./scoring.ts";
import { XRProviderSelector } from "./xr-provider-selector.ts";

const best = (balancer: LoadBalancer, names: readonly string[], nowMs = 0): string =>
  names.toSorted((a, b) => balancer.score(a, nowMs) - balancer.score(b, nowMs))[0] as string;
const serve = (balancer: LoadBalancer, name: string, ttftMs: number, totalMs = ttftMs * 3): void => {
  balancer.started(name, 0);
  balancer.firstContent(name, ttftMs, 0);
  balancer.succeeded(name, totalMs, 0);
};

test("[LB1] fewer in flight wins, and a full cell comes last", () => {
  const balancer = new LoadBalancer();
  for (const name of ["a", "b"]) balancer.setLimit(name, 2);
  serve(balancer, "a", 500);
  serve(balancer, "b", 500);
  balancer.started("a", 0);
  assert.equal(best(balancer, ["a", "b"]), "b");
  balancer.started("b", 0);
  balancer.started("b", 0);
  assert.equal(best(balancer, ["a", "b"]), "a");
});

test("[LB2] a slower cell gets less, and its share back", () => {
  const balancer = new LoadBalancer();
  for (let index = 0; index < 20; index++) {
    serve(balancer, "a", 400);
    serve(balancer, "b", 2_400);
  }
  assert.ok(balancer.score("b", 0) > 4 * balancer.score("a", 0));
  for (let index = 0; index < 20; index++) serve(balancer, "b", 300);
  assert.equal(best(balancer, ["a", "b"]), "b");
});

test("[LB3] trust returns with time alone", () => {
  const balancer = new LoadBalancer();
  serve(balancer, "a", 500);
  serve(balancer, "b", 500);
  for (let index = 0; index < 5; index++) {
    balancer.started("a", 0);
    balancer.failed("a", 1_000, 0, { isThrottle: false });
  }
  assert.ok(balancer.score("a", 1_000) > 5 * balancer.score("b", 1_000));
  assert.ok(balancer.score("a", 61_000) < 1.05 * balancer.score("b", 61_000));
});

test("[LB4] queueing is not taken for the cell's own time", () => {
  const balancer = new LoadBalancer();
  balancer.setLimit("a", 1);
  balancer.started("a", 0);
  balancer.started("a", 10);
  balancer.firstContent("a", 500, 0);
  balancer.succeeded("a", 8_600, 0);
  balancer.firstContent("a", 9_000, 10);
  assert.equal(balancer.view("a").ttftMs, 480);
});

test("[LB5] a 429 teaches the limit, and an answer beyond it another one", () => {
  const balancer = new LoadBalancer();
  for (let index = 0; index < 10; index++) balancer.started("a", 0);
  balancer.failed("a", 0, 0, { isThrottle: true });
  assert.equal(balancer.view("a").limit, 9);
  for (let index = 0; index < 40; index++) {
    balancer.started("a", 1);
    balancer.succeeded("a", 100, 1);
  }
  assert.ok(balancer.view("a").limit > 9.5);
  for (let index = 0; index < 40; index++) balancer.started("b", index);
  for (let index = 0; index < 40; index++) balancer.firstContent("b", 500, index);
  assert.equal(balancer.view("b").limit, 40);
});

test("[LB6] two of a large set, all of a small one", () => {
  const balancer = new LoadBalancer();
  const random = new SeededRandom(3);
  const names = Array.from({ length: 100 }, (_, index) => `c${index}`);
  const seen = new Set<string>();
  for (let index = 0; index < 2_000; index++) {
    const two = balancer.sample(names, () => random.next());
    assert.equal(new Set(two).size, 2);
    for (const name of two) seen.add(name);
  }
  assert.equal(seen.size, 100);
  assert.equal(balancer.sample(names.slice(0, 20), () => 0).length, 20);
});

test("[LB7] a hedge needs room", () => {
  const balancer = new LoadBalancer();
  for (const name of ["a", "b"]) balancer.setLimit(name, 10);
  const load = (name: string, count: number): void => {
    for (let index = 0; index < count; index++) balancer.started(name, 0);
  };
  const may = (target: string): boolean => balancer.mayHedge({ name: "a", sentMs: 0 }, target, ["a", "b"]);
  load("a", 10);
  assert.deepEqual([may("b"), may("a")], [true, false]);
  load("b", 5);
  assert.equal(may("b"), false);
});

test("[LB10] a call that stays silent makes its cell as slow as it has waited", () => {
  const balancer = new LoadBalancer();
  for (const name of ["a", "b"]) serve(balancer, name, 500);
  for (const sentMs of [10_000, 10_001, 10_002]) balancer.started("a", sentMs);
  const before = balancer.score("a", 10_400);
  assert.ok(balancer.score("a", 13_000) > 2 * before);
  for (const sentMs of [10_000, 10_001, 10_002]) balancer.cancelled("a", 13_000, sentMs);
  assert.ok(balancer.score("a", 13_000) > 4 * before);
  assert.ok(balancer.score("a", 600_000) < before);
  balancer.started("b", 10_000, true);
  assert.ok(balancer.score("b", 13_000) < 0.6, "an answer in one piece is silent until its end");
});

test("[LB11] without news a slow cell is taken for what it usually is", () => {
  const balancer = new LoadBalancer();
  for (let index = 0; index < 100; index++) serve(balancer, "a", 500);
  for (let index = 0; index < 30; index++) serve(balancer, "a", 3_000);
  const scores = [3_000, 60_000, 1_000_000].map((nowMs) => balancer.score("a", nowMs));
  assert.ok((scores[0] as number) > 2.5 && (scores[1] as number) > 2 && (scores[2] as number) < 1.7, scores.join(" "));
  balancer.recovered("a");
  assert.ok(balancer.score("a", 3_000) < 1.7);
});

test("[LB12] a call in a queue is hedged early and needs a free slot only", () => {
  const balancer = new LoadBalancer();
  for (const name of ["a", "b"]) balancer.setLimit(name, 2);
  for (const sentMs of [0, 1, 2]) balancer.started("a", sentMs);
  balancer.started("b", 0);
  const delay = (sentMs: number): number => balancer.hedgeDelayMs({ name: "a", sentMs }, 1_000);
  const may = (sentMs: number): boolean => balancer.mayHedge({ name: "a", sentMs }, "b", ["a", "b"]);
  assert.deepEqual([delay(1), delay(2), may(1), may(2)], [1_000, 500, false, true]);
  balancer.cancelled("a", 300, 0);
  assert.deepEqual([delay(2), may(2)], [1_000, false]);
});

test("[LB13] calls of other gateways count like the own ones", () => {
  const balancer = new LoadBalancer();
  for (const name of ["a", "b"]) {
    balancer.setLimit(name, 4);
    serve(balancer, name, 500);
  }
  balancer.started("a", 0);
  balancer.setElsewhere("b", 3);
  assert.equal(best(balancer, ["a", "b"]), "a");
  balancer.setElsewhere("b", 0);
  assert.equal(best(balancer, ["a", "b"]), "b");
});

interface Stage extends EngineDoubles {
  readonly engine: GatewayEngine;
}

type Models = Readonly<Record<string, readonly (string | ModelInfo)[]>>;

function stage(models: Models, aliases: Readonly<Record<string, readonly string[]>> = {}): Stage {
  const base = engineDoubles(aliases);
  for (const [id, list] of Object.entries(models)) {
    const type = id === "embedded" ? "embedded" : "custom";
    base.registry.add(
      new ScriptedProvider({
        id,
        type,
        clock: base.clock,
        models: list,
        region: id.includes("eu") ? "eu-west-1" : "us",
      }),
    );
  }
  return { ...base, engine: createEngine({ ...base, controls: { hedgeShare: 0 } }) };
}

const planned = (on: Stage, request: XRRequest): string => {
  try {
    return on.engine.router
      .decide(request)
      .plan.cells.map((item) => `${item.cell.providerId}/${item.cell.model}`)
      .join(" ");
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    return error.code;
  }
};

test("[LB8] a session comes back, unless its cell has become clearly worse", async () => {
  const on = stage({ a: ["m1"], b: ["m1"], c: ["m1"] });
  const chat = {
    messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
    cacheHints: { key: "k" },
  } as const;
  const request = chatRequest("m1", "hi", { chat });
  on.engine.balancer.remember("cache default k", "c/m1@us#default:chat");
  assert.match(planned(on, request), /^c\/m1/);
  for (let index = 0; index < 10; index++) serve(on.engine.balancer, "c/m1@us#default:chat", 5_000);
  assert.match(planned(on, request), /^a\/m1/);
});

test("[LB9] a recovered cell is not flooded", () => {
  const on = stage({ a: ["m1"], b: ["m1"] });
  const [a, b] = on.registry.resolve("m1", "chat").tiers[0] ?? [];
  assert.ok(a !== undefined && b !== undefined);
  const { breaker } = on.engine.health.of(a);
  for (let index = 0; index < 3; index++) breaker.failed(0, 0, "hard");
  on.clock.advance(2_000);
  breaker.admit(2_000);
  breaker.succeeded(2_000, 2_000, false);
  assert.match(planned(on, chatRequest("m1", "hi")), /^b/);
  // At a tenth of its share it is taken once the other has ten times the wait.
  for (let index = 0; index < 40; index++) serve(on.engine.balancer, b.name, 6_000);
  assert.match(planned(on, chatRequest("m1", "hi")), /^a/);
});

const rule = (when: RoutingRule["when"], then: RoutingRule["then"], name = "r"): RoutingRule => ({ name, when, then });

test("[RR1] [RR2] [RR4] rules are data that apply to the next request", () => {
  const on = stage({ a: ["m1"], b: ["m2"], "c-eu": ["m1"] });
  const ask = (rest: Partial<XRRequest> = {}): string => planned(on, chatRequest("m1", "hi", rest));
  assert.equal(ask(), "a/m1 c-eu/m1");
  const rules = [
    rule({ latencyClass: "background", model: "m*" }, { use: ["b/m2"], fallbacks: ["a/m1"] }),
    rule({ user: "user_2" }, { avoid: ["a"] }),
    rule({ tenant: "europe" }, { region: "eu" }),
    rule({ complexityMin: 0.9 }, { use: ["b/m2"] }),
  ];
  on.engine.router.rules.replace(parseRoutingRules(JSON.parse(JSON.stringify(rules))));
  assert.equal(ask(), "a/m1 c-eu/m1");
  assert.equal(ask({ latencyClass: "background" }), "b/m2 a/m1");
  assert.equal(ask({ principal: { ...chatRequest("", "").principal, userId: "user_2" } }), "c-eu/m1");
  assert.equal(ask({ principal: { ...chatRequest("", "").principal, tenantId: "europe" } }), "c-eu/m1");
  on.engine.router.rules.replace([]);
  assert.equal(ask({ latencyClass: "background" }), "a/m1 c-eu/m1");
});

test("[RR4] a wrong rule is refused with its path", () => {
  const refused = (rules: unknown): unknown => {
    try {
      return parseRoutingRules(rules);
    } catch (error) {
      return GatewayError.has(error, "configuration_invalid") ? error.details.param : error;
    }
  };
  assert.equal(refused("x"), "routing.rules");
  assert.equal(refused([{ name: "a", when: {}, then: {} }]), "routing.rules[0].then");
  assert.equal(refused([{ name: "a", when: { modell: "x" }, then: { use: ["x"] } }]), "routing.rules[0].when.modell");
  assert.equal(
    refused([{ name: "a", when: { complexityMin: 2 }, then: { use: ["x"] } }]),
    "routing.rules[0].when.complexityMin",
  );
  assert.equal(
    refused([{ name: "a", when: {}, then: { split: [{ model: "x", share: 0 }] } }]),
    "routing.rules[0].then.split",
  );
});

test("[RR3] a split keeps its users and its shares", () => {
  const split = [
    { model: "a", share: 3 },
    { model: "b", share: 1 },
  ];
  const users = Array.from({ length: 4_000 }, (_, index) => `user_${index}`);
  const arms = users.map((user) => armOf(split, "r", user));
  assert.deepEqual(
    arms,
    users.map((user) => armOf(split, "r", user)),
  );
  const share = arms.filter((arm) => arm === "a").length / users.length;
  assert.ok(share > 0.72 && share < 0.78, String(share));
  const on = stage({ a: ["m1"], b: ["m2"] });
  on.engine.router.rules.replace([rule({}, { split: [{ model: "b/m2", share: 1 }] })]);
  assert.equal(planned(on, chatRequest("m1", "hi")), "b/m2");
});

test("[RR5] a mirror changes nothing", async () => {
  const on = stage({ a: ["m1"], b: ["m2"] });
  const b = on.registry.find("b") as ScriptedProvider;
  b.script = [{ fail: "server_error" }];
  on.engine.router.rules.replace([rule({}, { mirror: "b/m2" })]);
  const parts: string[] = [];
  for await (const part of on.engine.answer(chatRequest("a/m1", "hi"), new AbortController().signal))
    parts.push(part.type);
  await settle();
  assert.deepEqual(parts, ["start", "text-delta", "usage", "end"]);
  assert.equal(b.requests.length, 1);
});

test("[RC1] needs filter, and a named model may try", () => {
  const plain: ModelInfo = { id: "plain", features: ["chat", "streaming"], contextTokens: 1_000 };
  const on = stage({ a: [plain], b: ["rich"], "c-eu": ["rich"] });
  const needs = chatRequest("", "").needs;
  assert.equal(planned(on, chatRequest("auto", "hi", { needs: { ...needs, tools: true } })).includes("plain"), false);
  assert.equal(planned(on, chatRequest("a/plain", "hi", { needs: { ...needs, tools: true } })), "a/plain");
  assert.equal(
    planned(on, chatRequest("a/plain", "hi", { needs: { ...needs, contextTokensMin: 2_000 } })),
    "no_capable_provider",
  );
  assert.equal(planned(on, chatRequest("rich", "hi", { needs: { ...needs, region: "eu" } })), "c-eu/rich");
});

test("[RC2] the score is the sum of its terms", () => {
  const on = stage({ a: ["m1"], b: ["m1"] });
  const { cells } = on.engine.router.decide(chatRequest("m1", "hi")).plan;
  for (const { score, terms } of cells) {
    assert.ok(terms.length > 0);
    assert.equal(
      score,
      terms.reduce((sum, term) => sum + term.value * term.weight, 0),
    );
  }
});

test("[RC3] tiers keep their order", () => {
  const on = stage({ a: ["m1"], b: ["m1"], c: ["m1"] }, { assistant: ["c/m1", "a/m1", "b/m1"] });
  for (let index = 0; index < 10; index++) serve(on.engine.balancer, "c/m1@us#default:chat", 9_000);
  assert.equal(planned(on, chatRequest("assistant", "hi")), "c/m1 a/m1 b/m1");
});

test("[RC4] cells that rest are left out, a probe goes first where another stands behind it", () => {
  const on = stage({ a: ["m1"], b: ["m1"] });
  const [a, b] = on.registry.resolve("m1", "chat").tiers[0] ?? [];
  assert.ok(a !== undefined && b !== undefined);
  for (let index = 0; index < 3; index++) on.engine.health.of(b).breaker.failed(0, 0, "hard");
  const { plan } = on.engine.router.decide(chatRequest("m1", "hi"));
  assert.deepEqual([plan.cells.length, plan.excluded.map((item) => item.reason)], [1, ["open"]]);
  on.clock.advance(2_000);
  assert.equal(planned(on, chatRequest("m1", "hi")), "b/m1 a/m1");
  for (let index = 0; index < 3; index++) on.engine.health.of(a).breaker.failed(2_000, 2_000, "hard");
  assert.equal(planned(on, chatRequest("m1", "hi")), "b/m1");
});

const entity = { id: "e", semanticLabel: "lamp", kind: "box" } as unknown as SceneEntity;
const room: XRContext = {
  ...NO_CONTEXT,
  sessionId: "s",
  device: { ...NO_CONTEXT.device, mode: "immersive-ar" },
  scene: { version: 1, entities: [entity], byId: new Map([["e", entity]]), changes: [] },
};

test("[RC5] the embedded provider is a rung, not a chat model", () => {
  const on = stage({ a: ["m1"], embedded: ["room"] });
  const turn = { kind: "turn", context: room } as const;
  assert.equal(planned(on, chatRequest("auto", "hi", turn)), "a/m1 embedded/room");
  assert.equal(planned(on, chatRequest("a/m1", "hi", turn)), "a/m1 embedded/room");
  assert.equal(planned(on, chatRequest("embedded/room", "hi", turn)), "embedded/room");
  assert.equal(planned(on, chatRequest("auto", "hi", { ...turn, kind: "spatial-query" })), "embedded/room a/m1");
  assert.equal(planned(on, chatRequest("auto", "hi")), "a/m1");
  assert.equal(planned(on, chatRequest("embedded/room", "hi")), "embedded/room");
  assert.equal(planned(stage({ embedded: ["room"] }), chatRequest("auto", "hi")), "embedded/room");
  assert.equal(
    on.engine.router.decide(chatRequest("auto", "hi", turn)).plan.cells[1]?.degradation,
    "answered from the room's geometry alone",
  );
});

test("[RC6] hard requests go to better models, easy ones to faster ones", () => {
  assert.ok(qualityPrior("llama-3.3-70b") > qualityPrior("llama-3.1-8b"));
  assert.ok(qualityPrior("gpt-5") > qualityPrior("gpt-5-nano"));
  const on = stage({ a: ["tiny-nano", "large-pro"] });
  const name = (model: string): string => `a/${model}@us#default:chat`;
  for (let index = 0; index < 20; index++) {
    serve(on.engine.balancer, name("tiny-nano"), 200);
    serve(on.engine.balancer, name("large-pro"), 1_500);
  }
  assert.match(planned(on, chatRequest("auto", "Hello there")), /^a\/tiny-nano/);
  const hard =
    "Prove step by step why this algorithm is correct, compare it and refactor it:\n```\nfunction f() {}\n```";
  assert.match(
    planned(
      on,
      chatRequest("auto", hard, {
        chat: { messages: [{ role: "user", content: [{ type: "text", text: hard }] }], reasoning: { effort: "high" } },
      }),
    ),
    /^a\/large-pro/,
  );
});

test("[RC7] selectProvider gives an adapter for a context, or says that none can", async () => {
  const on = stage({ a: ["m1"] });
  const parts = {
    clock: on.clock,
    random: on.random,
    registry: on.registry,
    balancer: on.engine.balancer,
    states: ALL_CLOSED,
    rates: NO_RATES,
  };
  const selector = new XRProviderSelector({
    ...parts,
    configure: (candidate) => ({ id: candidate.cell.providerId }) as never,
  });
  assert.equal((await selector.selectProvider(room)).id, "a");
  on.registry.remove("a");
  const mute: ModelInfo = { id: "mute", features: ["chat", "streaming"] };
  on.registry.add(new ScriptedProvider({ id: "b", clock: on.clock, models: [mute] }));
  await assert.rejects(selector.selectProvider(room), (error) => GatewayError.has(error, "no_capable_provider"));
});
