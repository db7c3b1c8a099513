// Routing as an operator writes it, through a real process. Rules: docs/spec/gateway.md GW43..GW47.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Explanation } from "@fovea/core";
import type { Emulator } from "../../packages/gateway/emulator/index.ts";
import { startEmulator } from "../../packages/gateway/emulator/index.ts";
import type { RunningFovea } from "./run-fovea.ts";
import { runFovea, startFovea } from "./run-fovea.ts";

interface Rule {
  readonly status?: number;
  readonly error?: string;
  readonly answer?: object;
}

async function vendors(rules: Readonly<Record<string, Rule>>): Promise<Record<string, Emulator> & AsyncDisposable> {
  const started: Record<string, Emulator> = {};
  for (const [name, rule] of Object.entries(rules))
    started[name] = await startEmulator({
      provider: "openai",
      scenario: { rules: [{ answer: { text: name }, ...rule }] },
    });
  return Object.assign(started, {
    [Symbol.asyncDispose]: async () => void (await Promise.all(Object.values(started).map((one) => one.close()))),
  }) as Record<string, Emulator> & AsyncDisposable;
}

async function start(
  emulators: Readonly<Record<string, Emulator>>,
  routing: string,
  more: Readonly<Record<string, string>> = {},
): Promise<RunningFovea> {
  const providers = Object.entries(emulators).map(
    ([id, { baseUrl }]) =>
      `  - {id: ${id}, type: openai, apiKey: sk-1, baseUrl: "${baseUrl}", models: [m-${id}]${more[id] ?? ""}}`,
  );
  const keys = ["acme", "umbrella"].map(
    (tenant) => `{id: ${tenant}, key: key-of-${tenant}, tenant: ${tenant}, scopes: [chat, admin, metrics]}`,
  );
  const file = `auth: {keys: [${keys.join(", ")}]}\nproviders:\n${providers.join("\n")}\nrouting: ${routing}\n`;
  return startFovea([], {}, (folder) => writeFileSync(join(folder, "fovea.yaml"), file));
}

async function ask(
  gateway: RunningFovea,
  model: string,
  headers: Readonly<Record<string, string>> = {},
  user?: string,
): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: "Bearer key-of-acme", ...headers },
    body: JSON.stringify({
      model,
      messages: [{ role: "user", content: "hello" }],
      ...(user === undefined ? {} : { user }),
    }),
  });
}

async function told(response: Response): Promise<string> {
  const { choices } = (await response.json()) as { choices?: { message: { content: string } }[] };
  return `${response.status} ${choices?.[0]?.message.content ?? response.headers.get("x-fovea-error")}`;
}

test("[GW43] rules by tenant, a split by user, and a mirror that changes nothing", async () => {
  await using emulators = await vendors({ usual: {}, special: {}, copy: { status: 500 } });
  await using gateway = await start(
    emulators,
    `{aliases: {best: [usual/m-usual]}, rules: [
      {name: for-umbrella, when: {tenant: umbrella, model: best}, then: {use: [special/m-special]}},
      {name: trial, when: {model: trial-*}, then: {split: [{model: usual/m-usual, share: 1}, {model: special/m-special, share: 1}]}},
      {name: copied, when: {model: best}, then: {mirror: copy/m-copy}}]}`,
  );
  assert.equal(await told(await ask(gateway, "best", { authorization: "Bearer key-of-umbrella" })), "200 special");
  assert.equal(emulators["copy"]?.requests.length, 0);
  assert.equal(await told(await ask(gateway, "best")), "200 usual");
  for (let waits = 0; waits < 200 && emulators["copy"]?.requests.length === 0; waits++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(emulators["copy"]?.requests.length !== 0, true);
  const arms = new Set<string>();
  for (let call = 0; call < 3; call++) arms.add(await told(await ask(gateway, "trial-1")));
  assert.equal(arms.size, 1, "the same user always gets the same arm");
});

test("[GW44] a cap on the cost of one request leaves dear models out, by header or by rule", async () => {
  await using emulators = await vendors({ dear: {}, cheap: {} });
  await using gateway = await start(
    emulators,
    `{aliases: {best: [dear/m-dear, cheap/m-cheap]}, rules: [{name: thrifty, when: {tenant: umbrella}, then: {costUsdMax: 0.001}}]}`,
    {
      dear: ", price: {inputPerMillion: 100, outputPerMillion: 100}",
      cheap: ", price: {inputPerMillion: 1, outputPerMillion: 1}",
    },
  );
  assert.equal(await told(await ask(gateway, "best")), "200 dear");
  assert.equal(await told(await ask(gateway, "best", { "x-fovea-cost-max-usd": "0.001" })), "200 cheap");
  assert.equal(await told(await ask(gateway, "best", { authorization: "Bearer key-of-umbrella" })), "200 cheap");
  const none = await ask(gateway, "best", { "x-fovea-cost-max-usd": "0.0000001" });
  assert.match(await none.text(), /no provider can serve this request: dear\/m-dear too dear/);
  assert.equal(none.status, 503);
  assert.equal((await ask(gateway, "best", { "x-fovea-cost-max-usd": "much" })).status, 400);
});

test("[GW45] a refusal is the answer; a request that is too long goes on to a model with more room", async () => {
  await using emulators = await vendors({
    prudish: { status: 400, error: "content_policy_violation" },
    small: { status: 400, error: "context_length_exceeded" },
    other: {},
  });
  await using gateway = await start(
    emulators,
    `{aliases: {prim: [prudish/m-prudish, other/m-other], long: [small/m-small, other/m-other]}}`,
  );
  assert.match(await told(await ask(gateway, "prim")), /^400/);
  assert.equal(emulators["other"]?.requests.length, 0);
  assert.equal(await told(await ask(gateway, "long")), "200 other");
});

test("[GW46] why a request would go where it goes, and why one went there", async () => {
  await using emulators = await vendors({ down: { status: 401 }, up: {} });
  await using gateway = await start(emulators, `{aliases: {best: [down/m-down, up/m-up]}}`);
  for (let call = 0; call < 3; call++) assert.equal(await told(await ask(gateway, "best")), "200 up");
  const headers = { authorization: "Bearer key-of-acme", "content-type": "application/json" };
  const response = await fetch(`${gateway.url}/admin/explain`, { method: "POST", headers, body: '{"model":"best"}' });
  const explained = (await response.json()) as Explanation;
  assert.deepEqual(
    explained.cells.map(({ cell, state }) => `${cell.split("@")[0]} ${state}`),
    ["up/m-up closed"],
  );
  const [out] = explained.excluded;
  assert.equal(out?.state, "isolated");
  assert.match(
    `${out?.cell} ${out?.reason}: ${out?.why}`,
    /^down\/m-down\S+ isolated: taken out, last failure auth: its key/,
  );
  const [first] = explained.cells;
  const sum = (first?.terms ?? []).reduce((total, { value, weight }) => total + value * weight, 0);
  assert.ok(Math.abs(sum - (first?.score ?? 0)) < 1e-9, "the score is the sum of its terms");
  const calls = emulators["up"]?.requests.length;
  const asked = await ask(gateway, "best", { "x-request-id": "the-one-in-question" });
  await asked.text();
  assert.equal(emulators["up"]?.requests.length, (calls ?? 0) + 1, "explaining had called nobody");
  const kept = await fetch(`${gateway.url}/admin/decisions/the-one-in-question`, { headers });
  const decision = (await kept.json()) as {
    asked: string;
    plan: { excluded: unknown[] };
    decision: { outcome: string };
  };
  assert.deepEqual([decision.asked, decision.plan.excluded.length, decision.decision.outcome], ["best", 1, "complete"]);
  assert.equal((await fetch(`${gateway.url}/admin/decisions/unknown`, { headers })).status, 404);
  const printed = await runFovea(["explain", "--model", "best", "--url", gateway.url, "--key", "key-of-acme"]);
  assert.equal(printed.code, 0, printed.output);
  assert.match(printed.output, /1\. up\/m-up@.*\n.*closed, in service, last success.*\n +score -?\d.* = latency/);
  assert.match(printed.output, /left out:\n {2}down\/m-down@.*: isolated \(taken out/);
  assert.doesNotMatch(printed.output + JSON.stringify(explained) + JSON.stringify(decision), /sk-1/);
});

test("[GW47] a key that will expire is warned of, on the dashboard and in the metrics", async () => {
  await using emulators = await vendors({ old: {} });
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  await using gateway = await start(emulators, "{}", { old: `, apiKeyExpires: ${tomorrow}` });
  assert.equal(await told(await ask(gateway, "old/m-old")), "200 old");
  const headers = { authorization: "Bearer key-of-acme" };
  let metrics = "";
  for (let waits = 0; waits < 300 && !metrics.includes('fovea_forecast_warnings{sign="token-expiry"} 1'); waits++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    metrics = await (await fetch(`${gateway.url}/metrics`, { headers })).text();
  }
  const status = (await (await fetch(`${gateway.url}/admin/status`, { headers })).json()) as {
    foresight: { warnings: { sign: string; evidence: string }[] };
  };
  assert.match(
    JSON.stringify(status.foresight.warnings),
    /"token-expiry","evidence":"its key expires in \d+(\.\d)? h"/,
  );
});

test("[GW48] the dashboard shows whether a provider answers before anybody has called it", async () => {
  await using emulators = await vendors({ there: {} });
  const gone = await startEmulator({ provider: "openai" });
  await gone.close();
  const file = `providers:
  - {id: there, type: openai, apiKey: sk-1, baseUrl: "${emulators["there"]?.baseUrl}"}
  - {id: gone, type: openai, apiKey: sk-1, baseUrl: "${gone.baseUrl}"}
`;
  await using gateway = await startFovea([], { FOVEA_PROBE: "true" }, (folder) =>
    writeFileSync(join(folder, "fovea.yaml"), file),
  );
  let states: Record<string, string> = {};
  for (let waits = 0; waits < 300 && states["gone"] !== "unhealthy unreachable"; waits++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { providers } = (await (await fetch(`${gateway.url}/admin/status`)).json()) as {
      providers: { id: string; state: string; lastFailure?: string }[];
    };
    states = Object.fromEntries(
      providers.map(({ id, state, lastFailure }) => [id, `${state} ${lastFailure ?? ""}`.trim()]),
    );
  }
  assert.deepEqual(
    [states["there"], states["gone"], states["embedded"]],
    ["healthy", "unhealthy unreachable", "healthy"],
  );
});

test("[OL1] feedback over HTTP", async () => {
  await using emulators = await vendors({ one: {} });
  await using gateway = await start(emulators, "{}");
  const rate = async (body: object, key = "acme"): Promise<number> => {
    const headers = { authorization: `Bearer key-of-${key}`, "content-type": "application/json" };
    const response = await fetch(`${gateway.url}/v1/feedback`, { method: "POST", headers, body: JSON.stringify(body) });
    return response.status;
  };
  const answer = await ask(gateway, "one/m-one");
  const id = answer.headers.get("x-request-id") ?? "";
  await answer.text();
  assert.deepEqual(
    [
      await rate({ request_id: id }),
      await rate({ request_id: id, rating: "good", score: 1 }),
      await rate({ request_id: id, rating: "good" }, "umbrella"),
      await rate({ request_id: id, score: 0.2 }),
      await rate({ request_id: id, rating: "good" }),
    ],
    [400, 400, 404, 204, 404],
  );
  const metrics = await (
    await fetch(`${gateway.url}/metrics`, { headers: { authorization: "Bearer key-of-acme" } })
  ).text();
  assert.match(metrics, /^fovea_feedback_total\{provider="one",model="m-one",rating="bad"\} 1$/m);
});

test("[GW49] weights are fitted to what the providers did, and put in force only when asked", async () => {
  await using slow = await startEmulator({
    provider: "openai",
    scenario: { rules: [{ answer: { text: "slow" }, delay: { headersMs: 120 } }] },
  });
  await using fast = await startEmulator({ provider: "openai", scenario: { rules: [{ answer: { text: "fast" } }] } });
  const file = `auth: {keys: [{id: app, key: key-of-acme, scopes: [chat, admin, metrics]}]}
providers:
  - {id: slow, type: openai, apiKey: sk-1, baseUrl: "${slow.baseUrl}", models: [m1]}
  - {id: fast, type: openai, apiKey: sk-1, baseUrl: "${fast.baseUrl}", models: [m1]}
`;
  await using gateway = await startFovea([], {}, (folder) => writeFileSync(join(folder, "fovea.yaml"), file));
  const optimize = async (
    body: object,
  ): Promise<{ isApplied: boolean; reason: string; weights: { providerId: string; from: number; to: number }[] }> => {
    const headers = { authorization: "Bearer key-of-acme", "content-type": "application/json" };
    const response = await fetch(`${gateway.url}/admin/optimize`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    return (await response.json()) as Awaited<ReturnType<typeof optimize>>;
  };
  assert.match((await optimize({})).reason, /too few to learn from/);
  for (let round = 0; round < 60; round++)
    await Promise.all(["slow/m1", "fast/m1"].map(async (model) => (await ask(gateway, model)).text()));
  const proposed = await optimize({});
  assert.equal(proposed.isApplied, false);
  const weightOf = (id: string, of: typeof proposed): number =>
    of.weights.find(({ providerId }) => providerId === id)?.to ?? 0;
  assert.ok(weightOf("fast", proposed) > 1 && weightOf("slow", proposed) < 1, JSON.stringify(proposed));
  assert.equal((await optimize({ apply: true })).isApplied, true);
  const now = await optimize({});
  assert.ok((now.weights.find(({ providerId }) => providerId === "fast")?.from ?? 0) > 1, "in force");
});
