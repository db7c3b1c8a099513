// Budgets through real processes: what each kind of client is told, and what a restart remembers.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { helloMessage } from "@fovea/core/testing";
import { WebSocket } from "ws";
import type { Emulator } from "../../packages/gateway/emulator/index.ts";
import { startEmulator } from "../../packages/gateway/emulator/index.ts";
import { startFovea } from "./run-fovea.ts";

const CHAT = { model: "v/m1", messages: [{ role: "user", content: "hello" }], max_tokens: 40 };
const DOORS: readonly [door: string, path: string, body: object][] = [
  ["openai", "/v1/chat/completions", CHAT],
  ["anthropic", "/v1/messages", CHAT],
  ["gemini", "/v1beta/models/v/m1:generateContent", { contents: [{ role: "user", parts: [{ text: "hello" }] }] }],
  ["ollama", "/api/chat", { model: "v/m1", stream: false, messages: CHAT.messages }],
];

function configuration(emulator: Emulator, budgets: string): string {
  return `auth: {keys: [{id: app, key: key-of-the-app, tenant: acme, scopes: [chat, session, metrics]}]}
providers:
  - {id: v, type: openai, apiKey: sk-1, baseUrl: "${emulator.baseUrl}", models: [m1], price: {inputPerMillion: 10, outputPerMillion: 20}}
limits: {budgets: ${budgets}}
`;
}

const post = (url: string, path: string, body: object): Promise<Response> =>
  fetch(url + path, {
    method: "POST",
    headers: {
      authorization: "Bearer key-of-the-app",
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
    },
    body: JSON.stringify(body),
  });

const startVendor = (): Promise<Emulator> =>
  startEmulator({
    provider: "openai",
    scenario: { rules: [{ answer: { text: "Hi.", usage: { input: 20, output: 6 } } }] },
  });

test("[GW40] each door tells what is left under the names its clients read, and refuses in its own form", async () => {
  await using emulator = await startVendor();
  const budgets = "[{name: team, of: tenant, requests: 8, tokens: 100000, costUsd: 1, periodMs: 31622400000}]";
  await using gateway = await startFovea([], {}, (folder) =>
    writeFileSync(join(folder, "fovea.yaml"), configuration(emulator, budgets)),
  );
  const seen: Record<string, Headers> = {};
  for (const [door, path, body] of DOORS) {
    const response = await post(gateway.url, path, body);
    assert.equal(response.status, 200, `${door}: ${await response.text()}`);
    seen[door] = response.headers;
  }
  const header = (door: string, name: string): string => seen[door]?.get(name) ?? "absent";
  assert.equal(header("openai", "x-ratelimit-limit-requests"), "8");
  assert.equal(header("openai", "x-ratelimit-remaining-requests"), "7");
  // Settled by what the vendor reported, not by what was reserved.
  assert.equal(header("openai", "x-ratelimit-remaining-tokens"), String(100_000 - 26));
  assert.match(header("openai", "x-ratelimit-reset-tokens"), /^\d+h\d+m\d+s$/);
  assert.equal(header("openai", "x-fovea-remaining-usd"), "0.99968");
  assert.match(header("openai", "x-fovea-budget"), /^team;of=tenant;requests=7;tokens=99974;usd=0\.99968;reset=\d+$/);
  assert.equal(header("anthropic", "anthropic-ratelimit-requests-remaining"), "6");
  assert.equal(header("anthropic", "anthropic-ratelimit-tokens-limit"), "100000");
  assert.match(header("anthropic", "anthropic-ratelimit-tokens-reset"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.match(header("gemini", "ratelimit"), /^"team-requests";r=5;t=\d+, "team-tokens";r=99922;t=\d+$/);
  assert.match(header("gemini", "ratelimit-policy"), /^"team-requests";q=8;w=31622400;qu="requests", "team-tokens";q=/);
  assert.match(header("ollama", "ratelimit"), /^"team-requests";r=4;/);
  const stream = await post(gateway.url, "/v1/chat/completions", { ...CHAT, stream: true });
  assert.equal(stream.headers.get("x-ratelimit-remaining-requests"), "3");
  await stream.text();
  for (let call = 0; call < 3; call++) await (await post(gateway.url, "/v1/chat/completions", CHAT)).text();
  const refusals: Record<string, string> = {};
  for (const [door, path, body] of DOORS) {
    const response = await post(gateway.url, path, body);
    refusals[door] = `${response.status} ${response.headers.get("x-fovea-limit")} ${await response.text()}`;
    assert.ok(Number(response.headers.get("retry-after")) > 0);
  }
  assert.match(
    refusals["openai"] ?? "",
    /^429 team \{"error":.*'team'.*it begins anew in.*"code":"rate_limit_exceeded"/,
  );
  assert.match(refusals["anthropic"] ?? "", /^429 team .*"rate_limit_error".*"limit":"team"/);
  assert.match(refusals["gemini"] ?? "", /^429 team .*"RESOURCE_EXHAUSTED".*QuotaFailure.*RetryInfo/);
  assert.match(refusals["ollama"] ?? "", /^429 team \{"error":".*'team'/);
  const metrics = await (
    await fetch(`${gateway.url}/metrics`, { headers: { authorization: "Bearer key-of-the-app" } })
  ).text();
  assert.match(metrics, /^fovea_budget_requests_total\{budget="team"\} 8$/m);
  assert.match(metrics, /^fovea_budget_tokens_total\{budget="team"\} 208$/m);
  assert.match(metrics, /^fovea_budget_refused_total\{budget="team",unit="requests"\} 4$/m);
  assert.match(
    metrics,
    /^xr_cost_usd_total\{gen_ai_provider_name="v",gen_ai_request_model="m1",kind="winner"\} 0\.00256$/m,
  );
});

test("[GW41] what was spent survives the process, and the wire of sessions tells it too", async () => {
  await using emulator = await startVendor();
  const data = mkdtempSync(join(tmpdir(), "fovea-budgets-"));
  const file = configuration(emulator, "[{name: team, of: tenant, costUsd: 0.002}]");
  const start = (): ReturnType<typeof startFovea> =>
    startFovea(["--data", data], {}, (folder) => writeFileSync(join(folder, "fovea.yaml"), file));
  {
    await using gateway = await start();
    const response = await post(gateway.url, "/v1/chat/completions", CHAT);
    assert.equal(response.headers.get("x-fovea-remaining-usd"), "0.00168");
  }
  await using gateway = await start();
  const response = await post(gateway.url, "/v1/chat/completions", CHAT);
  assert.equal(response.headers.get("x-fovea-remaining-usd"), "0.00136");
  const refused = await post(gateway.url, "/v1/messages", { ...CHAT, max_tokens: 4_000 });
  assert.equal(refused.status, 402);
  assert.match(await refused.text(), /"billing_error".*may cost more than the 0\.001360 US dollars/);
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/xr`, "fovea.v1");
  const messages: string[] = [];
  const until = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = messages.find((message) => message.includes(text));
        if (found !== undefined) resolve(found);
      };
      socket.on("message", look);
      look();
    });
  socket.on("message", (bytes: Buffer) => messages.push(bytes.toString()));
  socket.on("open", () => socket.send(JSON.stringify(helloMessage({ token: "key-of-the-app" }))));
  assert.match(await until('"limits","budgets"'), /"name":"team","of":"tenant","resetMs":\d+,"microUsd":1360/);
  const ask = { type: "ask", turnId: "t1", text: "Hello?", include: [], modalities: ["text"], model: "v/m1" };
  socket.send(JSON.stringify(ask));
  assert.match(await until('"budget_exhausted"'), /"retryAfterMs":\d+,"limit":"team"/);
  socket.close();
  rmSync(data, { recursive: true, force: true });
});
