// A running process whose configuration is changed under it. Rules: docs/spec/configuration.md HOT1..HOT7.
import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { helloMessage } from "@fovea/core/testing";
import { WebSocket } from "ws";
import { startEmulator } from "../../packages/gateway/emulator/index.ts";
import type { GatewayStatus } from "../../packages/gateway/src/http/admin/gateway-status.ts";
import type { RunningFovea } from "./run-fovea.ts";
import { runFovea, startFovea } from "./run-fovea.ts";

const KEY = "key-of-the-app";
const HEADERS = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };

function file(more: string, keys = `[{id: app, key: ${KEY}, scopes: [chat, session, metrics]}]`): string {
  return `auth: {keys: ${keys}}\n${more}`;
}

/** As an editor does: a new file takes the place of the old one. */
function write(gateway: RunningFovea, text: string): void {
  writeFileSync(join(gateway.folder, "next.yaml"), text);
  renameSync(join(gateway.folder, "next.yaml"), join(gateway.folder, "fovea.yaml"));
}

async function configuration(gateway: RunningFovea): Promise<NonNullable<GatewayStatus["configuration"]>> {
  const status = (await (await fetch(`${gateway.url}/admin/status`, { headers: HEADERS })).json()) as GatewayStatus;
  assert.ok(status.configuration !== undefined);
  return status.configuration;
}

/** Until the gateway has looked at what was written. */
async function settled(
  gateway: RunningFovea,
  isThere: (state: GatewayStatus["configuration"]) => boolean,
): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (isThere(await configuration(gateway))) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`not reloaded: ${JSON.stringify(await configuration(gateway))}\n${gateway.output()}`);
}

async function ask(gateway: RunningFovea, model: string, key = KEY): Promise<string> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { ...HEADERS, authorization: `Bearer ${key}` },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hello" }] }),
  });
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  return `${response.status} ${body.choices?.[0]?.message.content ?? "-"} ${response.headers.get("x-fovea-cost")}`;
}

test("[HOT1] [HOT2] [HOT4] providers, aliases, prices and budgets change; a stream on its way ends with the provider it began with", async () => {
  const tokens = Array.from({ length: 40 }, (_, index) => `w${index} `);
  await using first = await startEmulator({
    provider: "openai",
    scenario: { rules: [{ answer: { tokens }, delay: { tokenMs: 100 } }] },
  });
  await using second = await startEmulator({
    provider: "openai",
    scenario: { rules: [{ answer: { text: "second", usage: { input: 10, output: 10 } } }] },
  });
  await using gateway = await startFovea([], {}, (folder) =>
    writeFileSync(
      join(folder, "fovea.yaml"),
      file(`providers: [{id: a, type: openai, apiKey: sk-1, baseUrl: "${first.baseUrl}", models: [m1]}]
routing: {aliases: {best: [a/m1]}}
`),
    ),
  );
  const streaming = fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify({ model: "best", stream: true, messages: [{ role: "user", content: "count" }] }),
  });
  const stream = await streaming;
  write(
    gateway,
    file(`providers: [{id: b, type: openai, apiKey: sk-2, baseUrl: "${second.baseUrl}", models: [m2], price: {inputPerMillion: 1, outputPerMillion: 1}}]
routing: {aliases: {best: [b/m2]}}
limits: {budgets: [{name: few, of: key, requests: 2}]}
`),
  );
  await settled(gateway, (state) => state?.version === 2);
  assert.equal(await ask(gateway, "best"), "200 second 20");
  assert.match(await ask(gateway, "a/m1"), /^404/);
  const text = await stream.text();
  assert.match(text, /w39 /);
  assert.match(text, /\[DONE\]/);
  assert.match(await ask(gateway, "best"), /^200/);
  assert.match(await ask(gateway, "best"), /^429/);
  write(
    gateway,
    file(`providers: [{id: b, type: openai, apiKey: sk-2, baseUrl: "${second.baseUrl}", models: [m2], price: {inputPerMillion: 5, outputPerMillion: 5}}]
`),
  );
  await settled(gateway, (state) => state?.version === 3);
  assert.equal(await ask(gateway, "b/m2"), "200 second 100");
  const metrics = await (await fetch(`${gateway.url}/metrics`, { headers: HEADERS })).text();
  assert.match(metrics, /^fovea_config_version 3$/m);
  assert.match(metrics, /^fovea_config_reloads_total\{outcome="applied"\} 2$/m);
});

test("[HOT3] [HOT6] a file with a mistake changes nothing, is told everywhere, and is read again when it is right", async () => {
  await using gateway = await startFovea([], {}, (folder) =>
    writeFileSync(join(folder, "fovea.yaml"), file("routing: {aliases: {best: [embedded/geometry]}}\n")),
  );
  const port = new URL(gateway.url).port;
  const mistakes: readonly [text: string, told: RegExp][] = [
    ["routing: {aliases: {best: [embedded/geometry]}, rulez: []}\n", /routing\.rulez/],
    ["routing: {aliases: {a: [b], b: [a]}}\n", /refers to itself/],
    ["providers: [{id: x, type: openai, apiKey: ''}]\n", /providers\[0\]/],
    [
      "providers: [{id: x, type: openai, apiKey: sk-secret-of-the-operator, baseUrl: 'http://169.254.169.254/'}]\n",
      /baseUrl/,
    ],
    ["{", /fovea\.yaml/],
  ];
  for (const [text, told] of mistakes) {
    const before = (await configuration(gateway)).lastReloadAtUnixMs;
    write(gateway, file(text));
    await settled(gateway, (state) => state?.lastReload === "refused" && state.lastReloadAtUnixMs !== before);
    const { version, problems } = await configuration(gateway);
    assert.equal(version, 1);
    assert.match(problems.join("\n"), told);
  }
  assert.doesNotMatch(gateway.output(), /sk-secret/);
  assert.match(gateway.output(), /the new configuration is refused/);
  const metrics = await (await fetch(`${gateway.url}/metrics`, { headers: HEADERS })).text();
  assert.match(metrics, /^fovea_config_is_refused 1$/m);
  write(gateway, file("routing: {aliases: {other: [embedded/geometry]}}\n"));
  await settled(gateway, (state) => state?.version === 2);
  const listed = await (await fetch(`${gateway.url}/v1/models`, { headers: HEADERS })).text();
  assert.match(listed, /"other"/);
  assert.doesNotMatch(listed, /"best"/);
  write(gateway, file("server: {shutdownMs: 1234}\nstore: {type: memory}\n"));
  await settled(gateway, (state) => (state?.needsRestart.length ?? 0) > 0);
  assert.deepEqual((await configuration(gateway)).needsRestart, ["server.shutdownMs", "store.type"]);
  const doctor = await runFovea(["doctor", "--port", port], {}, gateway.folder);
  assert.match(doctor.output, /running +Fovea .* configuration 3 of .* hold from the next start on/);
});

test("[HOT5] a key that is taken out is refused at once, its sessions end, and a new one is served", async () => {
  await using gateway = await startFovea([], {}, (folder) =>
    writeFileSync(
      join(folder, "fovea.yaml"),
      file("", `[{id: app, key: ${KEY}, scopes: [metrics]}, {id: page, key: key-of-the-page}]`),
    ),
  );
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/xr`, "fovea.v1");
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  const welcomed = new Promise<void>((resolve) => socket.once("message", () => resolve()));
  socket.on("open", () => socket.send(JSON.stringify(helloMessage({ token: "key-of-the-page" }))));
  await welcomed;
  const realtime = new WebSocket(`${gateway.url.replace("http", "ws")}/v1/realtime?model=auto`, {
    headers: { authorization: "Bearer key-of-the-page" },
  });
  const ended = new Promise<number>((resolve) => realtime.on("close", resolve));
  await new Promise((resolve) => realtime.once("message", resolve));
  assert.match(await ask(gateway, "auto", "key-of-the-page"), /^200/);
  assert.match(await ask(gateway, "auto", "key-of-another"), /^401/);
  write(gateway, file("", `[{id: app, key: ${KEY}, scopes: [metrics]}, {id: other, key: key-of-another}]`));
  await settled(gateway, (state) => state?.version === 2);
  assert.match(await ask(gateway, "auto", "key-of-the-page"), /^401/);
  assert.match(await ask(gateway, "auto", "key-of-another"), /^200/);
  assert.deepEqual([await closed, await ended], [4401, 4401]);
});

test("[HOT7] SIGHUP reads the file; with `signal` nothing else does", async () => {
  await using gateway = await startFovea([], {}, (folder) =>
    writeFileSync(join(folder, "fovea.yaml"), file("server: {configReload: signal}\n")),
  );
  gateway.signal("SIGHUP");
  await settled(gateway, (state) => state?.lastReload === "unchanged");
  write(gateway, file("server: {configReload: signal}\nrouting: {aliases: {best: [embedded/geometry]}}\n"));
  gateway.signal("SIGHUP");
  await settled(gateway, (state) => state?.version === 2);
});
