// The composed whole against the provider emulator and a plain WebSocket client: what no part's own test can see.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { helloMessage, sceneNode } from "@fovea/core/testing";
import OpenAI from "openai";
import { WebSocket } from "ws";
import { startEmulator } from "../../packages/gateway/emulator/index.ts";
import type { GatewayStatus } from "../../packages/gateway/src/http/admin/gateway-status.ts";
import type { RunningFovea } from "./run-fovea.ts";
import { startFovea } from "./run-fovea.ts";

const KEYS = `auth:
  keys:
    - {id: app, key: key-of-the-app, scopes: [chat, session, metrics]}
    - {id: chatter, key: key-of-the-chatter, scopes: [chat]}
`;

async function start(file: string): Promise<RunningFovea> {
  return startFovea([], {}, (folder) => writeFileSync(join(folder, "fovea.yaml"), file));
}

async function status(gateway: RunningFovea, key?: string): Promise<GatewayStatus> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return (await (await fetch(`${gateway.url}/admin/status`, { headers })).json()) as GatewayStatus;
}

interface Talk {
  readonly messages: readonly string[];
  readonly closed: Promise<number>;
  until(text: string): Promise<string>;
  send(message: object): void;
}

/** Connects, says hello with the token, and gathers what comes. */
function talk(gateway: RunningFovea, token: string | undefined): Talk {
  const socket = new WebSocket(gateway.url.replace("http", "ws") + "/xr", "fovea.v1");
  const messages: string[] = [];
  const waiting: { readonly text: string; readonly resolve: (message: string) => void }[] = [];
  socket.on("message", (data: Buffer) => {
    const message = data.toString();
    messages.push(message);
    for (const wait of waiting) if (message.includes(wait.text)) wait.resolve(message);
  });
  socket.on("error", () => {});
  socket.on("open", () => socket.send(JSON.stringify(helloMessage(token === undefined ? {} : { token }))));
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  return {
    messages,
    closed,
    send: (message) => socket.send(JSON.stringify(message)),
    until: async (text) => {
      const seen = messages.find((message) => message.includes(text));
      return seen ?? new Promise((resolve) => waiting.push({ text, resolve }));
    },
  };
}

test("[GW19] an alias falls back, and everybody can see it", async () => {
  await using primary = await startEmulator({ provider: "openai", scenario: { rules: [{ status: 503 }] } });
  await using backup = await startEmulator({
    provider: "openai",
    scenario: { rules: [{ answer: { text: "from the backup" } }] },
  });
  await using gateway = await start(`providers:
  - {id: primary, type: openai, apiKey: sk-1, baseUrl: "${primary.baseUrl}", models: [m1]}
  - {id: backup, type: openai, apiKey: sk-2, baseUrl: "${backup.baseUrl}", models: [m2], price: {inputPerMillion: 1, outputPerMillion: 2}}
routing: {aliases: {assistant: [primary/m1, backup/m2]}}
`);
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "x", maxRetries: 0 });
  const { data, response } = await client.chat.completions
    .create({ model: "assistant", messages: [{ role: "user", content: "hello" }] })
    .withResponse();
  assert.equal(data.choices[0]?.message.content, "from the backup");
  assert.deepEqual([response.headers.get("x-fovea-provider"), response.headers.get("x-fovea-model")], ["backup", "m2"]);
  assert.ok(Number(response.headers.get("x-fovea-cost")) > 0, "priced by the operator");
  assert.equal(primary.requests.length >= 1, true);
  assert.equal(backup.requests[0]?.key, "sk-2");
  const { decisions, answers } = await status(gateway);
  assert.deepEqual([decisions[0]?.asked, decisions[0]?.provider, answers.good], ["assistant", "backup", 1]);
  assert.ok(answers.costUsd > 0);
  const models = await client.models.list();
  assert.ok(models.data.some(({ id }) => id === "assistant"));
});

test("[GW20] credentials at the XR socket, and its end with the process", async () => {
  const gateway = await start(KEYS);
  assert.equal(await talk(gateway, undefined).closed, 4401);
  assert.equal(await talk(gateway, "key-of-nobody").closed, 4401);
  assert.equal(await talk(gateway, "key-of-the-chatter").closed, 4403);
  const made = await fetch(`${gateway.url}/v1/session-tokens`, {
    method: "POST",
    headers: { authorization: "Bearer key-of-the-app" },
  });
  const { token } = (await made.json()) as { token: string };
  const page = talk(gateway, token);
  await page.until('"welcome"');
  assert.equal((await status(gateway, "key-of-the-app")).sessions.open, 1);
  await gateway.stop();
  assert.equal(await page.closed, 1012);
});

test("[GW21] a question of a session is answered by the same engine and seen on the dashboard", async () => {
  await using gateway = await start("");
  const page = talk(gateway, undefined);
  await page.until('"welcome"');
  page.send({ type: "ask", turnId: "t1", text: "What can you do?", include: [], modalities: ["text"] });
  await page.until('"done"');
  const seen = await status(gateway);
  assert.deepEqual([seen.sessions.open, seen.decisions[0]?.kind, seen.decisions[0]?.provider], [1, "turn", "embedded"]);
  assert.match(await (await fetch(`${gateway.url}/metrics`)).text(), /^xr_sessions 1$/m);
});

test("[GW23] a language model in a session gets the facts of the room", async () => {
  await using vendor = await startEmulator({
    provider: "openai",
    scenario: { rules: [{ answer: { text: "There it is." } }] },
  });
  await using gateway = await start(`providers:
  - {id: vendor, type: openai, apiKey: sk-1, baseUrl: "${vendor.baseUrl}", models: [m1]}
`);
  const page = talk(gateway, undefined);
  await page.until('"welcome"');
  page.send({
    type: "scene.update",
    frame: "local-floor",
    add: [sceneNode("teapot", [0, 1, -2])],
    update: [],
    remove: [],
  });
  page.send({
    type: "ask",
    turnId: "t1",
    text: "Where is it?",
    include: ["scene"],
    modalities: ["text"],
    model: "vendor/m1",
  });
  await page.until('"done"');
  const sent = JSON.stringify(vendor.requests[0]?.json ?? page.messages);
  assert.match(sent, /teapot/);
  assert.match(sent, /Where is it\?/);
});

for (const provider of ["openai", "anthropic", "google"] as const) {
  test(`[EN27] a model behind ${provider} measures within the turn, and the page sees only the answer`, async () => {
    await using vendor = await startEmulator({
      provider,
      scenario: {
        models: ["m1"],
        rules: [
          {
            when: { attempts: 1 },
            answer: { toolCalls: [{ name: "room_measure", arguments: { target: "shelf", from: "teapot" } }] },
          },
          { answer: { text: "They are 1.6 metres apart." } },
        ],
      },
    });
    await using gateway = await start(`providers:
  - {id: vendor, type: ${provider}, apiKey: sk-1, baseUrl: "${vendor.baseUrl}", models: [m1]}
`);
    const page = talk(gateway, undefined);
    await page.until('"welcome"');
    const add = [sceneNode("teapot", [0, 1, -2]), sceneNode("shelf", [2, 1, -2], { ref: 2 })];
    page.send({ type: "scene.update", frame: "local-floor", add, update: [], remove: [] });
    const text = "How far is the teapot from the shelf?";
    page.send({ type: "ask", turnId: "t1", text, include: ["scene"], modalities: ["text"], model: "vendor/m1" });
    await page.until('"done"');
    const [first, second] = vendor.requests.map(({ json }) => JSON.stringify(json));
    assert.match(first ?? page.messages.join("\n"), /room_measure/);
    assert.match((second ?? "").replaceAll("\\", ""), /"distance_m":1\.6/);
    const seen = page.messages.join("\n");
    assert.match(seen, /1\.6 metres apart/);
    assert.doesNotMatch(seen, /room_measure/);
  });
}

test("[GW24] a budget is spent by its owner alone", async () => {
  await using gateway = await start(`${KEYS}limits: {budgets: [{name: few, of: key, id: app, requests: 1}]}\n`);
  const ask = async (key: string): Promise<string> => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "auto", messages: [{ role: "user", content: "What can you do?" }] }),
    });
    return `${response.status} ${response.headers.get("x-fovea-error") ?? "-"}`;
  };
  assert.deepEqual(
    [await ask("key-of-the-app"), await ask("key-of-the-app"), await ask("key-of-the-chatter")],
    ["200 -", "429 rate_limited", "200 -"],
  );
});

test("[GW22] an upgrade that nobody serves", async () => {
  await using gateway = await start("");
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/nothing`);
  const error = await new Promise<Error>((resolve) => socket.on("error", resolve));
  assert.match(error.message, /404/);
});
