// Rules ME1..ME13 of docs/spec/mesh.md. `play` asks one alias over the given providers, once for each question, and returns
// the answers as lines.
import assert from "node:assert/strict";
import test from "node:test";
import type { AnswerPart, ModelInfo, XRRequest } from "@fovea/core";
import type { EngineDoubles, Script, ScriptLine } from "@fovea/core/testing";
import { answerLine, chatRequest, engineDoubles, ScriptedProvider, settle } from "@fovea/core/testing";
import type { GatewayEngine } from "../engine/gateway-engine.ts";
import { createEngine } from "../engine/gateway-engine.ts";
import { GatewayError } from "../errors/gateway-error.ts";

interface Stage extends EngineDoubles {
  readonly engine: GatewayEngine;
  readonly providers: readonly ScriptedProvider[];
}

function stage(scripts: readonly Script[], options: { hedge?: boolean; models?: readonly ModelInfo[] } = {}): Stage {
  const base = engineDoubles({
    assistant: scripts.map((_, index) => `p${index}/${options.models?.[index]?.id ?? "m1"}`),
  });
  const providers = scripts.map((script, index) => {
    const model = options.models?.[index];
    return new ScriptedProvider({
      id: `p${index}`,
      clock: base.clock,
      script,
      ...(model === undefined ? {} : { models: [model] }),
    });
  });
  for (const provider of providers) base.registry.add(provider);
  const engine = createEngine({ ...base, controls: options.hedge === true ? {} : { hedgeShare: 0 } });
  return { ...base, engine, providers };
}

async function ask(on: Stage, rest: Partial<XRRequest> = {}): Promise<string> {
  const parts: AnswerPart[] = [];
  const startedMs = on.clock.monotonicMs();
  let endedMs: number | undefined;
  let thrown = "";
  const done = (async () => {
    const request = chatRequest("assistant", "hi", { deadlineMs: startedMs + 60_000, ...rest });
    for await (const part of on.engine.answer(request, new AbortController().signal)) parts.push(part);
  })()
    .catch((error: unknown) => {
      if (!GatewayError.is(error)) throw error;
      thrown = `thrown ${error.code}${error.details.retryAfterMs === undefined ? "" : ` ${error.details.retryAfterMs}`}`;
    })
    .finally(() => (endedMs = on.clock.monotonicMs()));
  for (let round = 0; round < 8; round++) await settle();
  while (endedMs === undefined && on.clock.monotonicMs() < startedMs + 120_000) await on.clock.advanceAsync(10);
  await done;
  const usageFree = parts.filter((part) => part.type !== "usage");
  return `${answerLine(usageFree)}${thrown} @${(endedMs ?? NaN) - startedMs}`;
}
const play = (scripts: readonly Script[], rest: Partial<XRRequest> = {}): Promise<string> => ask(stage(scripts), rest);
const OK = "[start p1/m1]Hi.[end complete stop]";

test("[ME1] a failure before the first content moves on at once", async () => {
  for (const code of [
    "unreachable",
    "server_error",
    "overloaded",
    "protocol",
    "rate_limited",
    "auth",
    "not_found",
    "capacity",
  ] as const) {
    assert.equal(await play([[{ fail: code }], ["Hi."]]), `${OK} @0`, code);
  }
  assert.equal(await play([[{ fail: "server_error" }], [{ fail: "unreachable" }]]), "thrown provider_failed @0");
  assert.equal(await play([[{ cut: true }], ["Hi."]]), `${OK} @0`);
});

test("[ME1] the budget of retries pays", async () => {
  const models = ["a", "b"].map((id): ModelInfo => ({ id, features: ["chat", "streaming"] }));
  const on = stage([[{ fail: "too_large" }], ["Hi."]], { models });
  const lines: string[] = [];
  for (let index = 0; index < 60; index++) lines.push((await ask(on)).slice(0, 13));
  // Twenty in reserve and a fifth of sixty: after that the failure is the answer.
  const answered = lines.filter((line) => line.startsWith("[start p1")).length;
  assert.ok(answered >= 30 && answered <= 32, String(answered));
});

test("[ME2] a cell that hangs is left at its deadline and charged then", async () => {
  const on = stage([[{ hang: true }], ["Hi."]]);
  assert.equal(await ask(on), `${OK} @10000`);
  assert.equal(await ask(on, { latencyClass: "interactive" }), `${OK} @4000`);
  assert.equal(await ask(on, { latencyClass: "interactive" }), `${OK} @4000`);
  // Three in a row: the cell rests, and nobody waits for it any more.
  assert.equal(await ask(on), `${OK} @0`);
  const [p0] = on.registry.resolve("p0/m1", "chat").tiers[0] ?? [];
  assert.ok(p0 !== undefined);
  assert.equal(on.engine.health.of(p0).failures.length, 3);
  assert.equal(on.engine.health.of(p0).failures[0]?.atMs, 10_000);
});

test("[ME3] lifecycle is no content, and reasoning no content of a live turn", async () => {
  const lifecycle: ScriptLine[] = [{ type: "start" }, { type: "accepted" }, { type: "text-delta", index: 0, text: "" }];
  assert.equal(await play([[...lifecycle, { fail: "server_error" }], ["Hi."]]), `${OK} @0`);
  const thinking: ScriptLine[] = Array.from({ length: 12 }, () => [
    1_000,
    { type: "reasoning-delta", index: 0, text: "hm" } as const,
  ]).flat();
  assert.match(await play([[...thinking, "Deep."], ["Hi."]]), /^\[start p0.*Deep\..*@12000$/);
  assert.match(await play([[...thinking, "Deep."], ["Hi."]], { latencyClass: "interactive" }), /^\[start p1.*@4000$/);
});

test("[ME4] [FC2] refusals are answers", async () => {
  for (const code of ["content_filtered", "refused", "invalid_request"] as const) {
    const on = stage([[{ fail: code }], ["Hi."]]);
    assert.match(await ask(on), /^thrown (content_filtered|provider_rejected) @0$/);
    assert.equal(on.providers[1]?.requests.length, 0);
  }
  const finished = await play([[{ type: "finish", reason: "content_filter", raw: "x" }], ["Hi."]]);
  assert.equal(finished, "[start p0/m1][end complete content_filter] @0");
});

test("[ME5] a request that is too long goes to larger models only", async () => {
  const model = (id: string, contextTokens: number): ModelInfo => ({
    id,
    contextTokens,
    features: ["chat", "streaming"],
  });
  const models = [model("small", 8_000), model("other-small", 8_000), model("large", 128_000)];
  const tooLarge: Script = [{ fail: "too_large" }];
  const on = stage([tooLarge, ["Wrong."], ["Right."]], { models });
  assert.equal(await ask(on), "[start p2/large]Right.[end complete stop] @0");
  assert.equal(await ask(stage([tooLarge, ["Wrong."]], { models })), "thrown request_too_large @0");
  const [p0] = on.registry.resolve("p0/small", "chat").tiers[0] ?? [];
  assert.equal(p0 !== undefined && on.engine.health.look(p0, 1), "closed");
});

test("[ME6] a throttled cell is left alone until its hint is over", async () => {
  const once: Script = (_request, call) => (call === 0 ? [{ fail: "rate_limited", retryAfterMs: 3_000 }] : ["Hi."]);
  const two = stage([once, ["Hi."]]);
  assert.equal(await ask(two), `${OK} @0`);
  assert.equal(await ask(two), `${OK} @0`);
  assert.equal(two.providers[0]?.requests.length, 1);
  await two.clock.advanceAsync(3_000);
  assert.equal(await ask(two), "[start p0/m1]Hi.[end complete stop] @0");
  const one = stage([once]);
  assert.equal(await ask(one), "thrown rate_limited 3000 @0");
  assert.equal(await ask(one), "[start p0/m1]Hi.[end complete stop] @3000");
  const long = stage([[{ fail: "rate_limited", retryAfterMs: 30_000 }]]);
  await ask(long);
  assert.match(await ask(long), /^thrown rate_limited 30000 @0$/);
});

test("[ME7] an open cell is not called while another may be, and the last one always", async () => {
  const on = stage([[{ fail: "unreachable" }], ["Hi."]]);
  for (let index = 0; index < 10; index++) await ask(on);
  assert.equal(on.providers[0]?.requests.length, 3);
  const only = stage([[{ fail: "unreachable" }]]);
  for (let index = 0; index < 10; index++) assert.equal(await ask(only), "thrown provider_failed @0");
  assert.equal(only.providers[0]?.requests.length, 10);
});

test("[ME8] another key of the provider takes over from a dead one", async () => {
  const on = stage([[{ fail: "auth" }]]);
  on.registry.add(new ScriptedProvider({ id: "p0", clock: on.clock, script: ["Hi."] }), {
    keyId: "second",
    weight: 0.1,
  });
  assert.equal(await ask(on), "[start p0/m1]Hi.[end complete stop] @0");
  await ask(on);
  assert.equal(on.providers[0]?.requests.length, 1);
});

test("[ME9] a late start is hedged, the loser cancelled and paid for", async () => {
  const usage = { input: { total: 7, cacheRead: 0, cacheWrite: 0 }, output: { total: 0 }, source: "provider" } as const;
  const slow: Script = [{ type: "usage", usage, isFinal: false }, 8_000, "Slow."];
  const on = stage([slow, [200, "Hi."]], { hedge: true });
  assert.equal(await ask(on), "[start p1/m1]Hi.[end complete stop] @2700");
  await settle();
  assert.deepEqual(on.providers[0]?.endings, ["aborted"]);
  assert.equal(on.auditRecords[0]?.details["inputTokens"], 17);
  const [p0] = on.registry.resolve("p0/m1", "chat").tiers[0] ?? [];
  assert.equal(p0 !== undefined && on.engine.health.of(p0).failures.length, 0);
  const first = stage(
    [
      [2_600, "Slow."],
      [4_000, "Hi."],
    ],
    { hedge: true },
  );
  assert.equal(await ask(first), "[start p0/m1]Slow.[end complete stop] @2600");
  await settle();
  assert.deepEqual(first.providers[1]?.endings, ["aborted"]);
});

test("[ME9] a hedge that fails leaves the first attempt alone, and a broken winner goes to the loser", async () => {
  assert.match(
    await ask(stage([[4_000, "Slow."], [{ fail: "server_error" }]], { hedge: true })),
    /^\[start p0\/m1\]Slow.*@4000$/,
  );
  const line = await ask(stage([[{ hang: true }], ["Hello wor", { cut: true }]], { hedge: true }));
  assert.match(line, /^\[start p1\/m1\]Hello wor/);
  const back = stage([(_r, call) => (call === 0 ? [{ hang: true }] : ["ld."]), ["Hello wor", { cut: true }]], {
    hedge: true,
  });
  assert.match(await ask(back), /^\[start p1\/m1\]Hello wor\[resumed 0 p0\]ld\.\[end resumed stop\]/);
});

test("[ME10] a slow reader is not a stalled provider", async () => {
  const on = stage([["One ", "two ", "three."]]);
  const iterator = on.engine
    .answer(chatRequest("assistant", "hi", { deadlineMs: 1e9 }), new AbortController().signal)
    [Symbol.asyncIterator]();
  const words: string[] = [];
  for (;;) {
    const next = iterator.next();
    await on.clock.advanceAsync(0);
    const result = await next;
    if (result.done === true) break;
    if (result.value.type === "text-delta") words.push(result.value.text);
    await on.clock.advanceAsync(40_000);
  }
  assert.equal(words.join(""), "One two three.");
});

test("[ME12] an adapter that throws nonsense is left", async () => {
  const on = stage([[], ["Hi."]]);
  (on.providers[0] as ScriptedProvider).chatStream = () => {
    throw new TypeError("undefined is not a function");
  };
  assert.equal(await ask(on), `${OK} @0`);
});

test("[ME13] the caller's deadline ends everything", async () => {
  const rest = { deadlineMs: 3_000 };
  assert.equal(await play([[{ hang: true }]], rest), "thrown deadline_exceeded @3000");
  assert.match(
    await play([["Hel", { hang: true }]], rest),
    /^\[start p0\/m1\]Hel\[error deadline_exceeded\]\[end error other\] @3000$/,
  );
  const dripping: ScriptLine[] = Array.from({ length: 100 }, () => [100, "x"] as const).flat();
  assert.match(await play([dripping], rest), /\[error deadline_exceeded\]\[end error other\] @3000$/);
});
