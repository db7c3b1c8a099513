import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import OpenAI from "openai";
import { freePort, launch, ROOT, runFovea, startFovea, waitUntilReady } from "./run-fovea.ts";

test("[GW14] [GW16] a chat of the official OpenAI client without any key, and an end within ten seconds", async () => {
  const gateway = await startFovea();
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "unused", maxRetries: 0 });
  const models = await client.models.list();
  assert.ok(
    models.data.some((model) => model.id.startsWith("embedded/")),
    JSON.stringify(models.data),
  );
  const answer = await client.chat.completions.create({
    model: "auto",
    messages: [{ role: "user", content: "What can you do?" }],
  });
  assert.ok((answer.choices[0]?.message.content ?? "").length > 20);
  let streamed = "";
  for await (const chunk of await client.chat.completions.create({
    model: "auto",
    stream: true,
    messages: [{ role: "user", content: "What can you do?" }],
  }))
    streamed += chunk.choices[0]?.delta.content ?? "";
  assert.equal(streamed, answer.choices[0]?.message.content);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  assert.match(metrics, /^xr_answers_total\{outcome="good"\} 2$/m);
  const status = (await (await fetch(`${gateway.url}/admin/status`)).json()) as {
    answers: { good: number };
    decisions: { provider: string; steps: unknown[] }[];
  };
  assert.equal(status.answers.good, 2);
  assert.equal(status.decisions[0]?.provider, "embedded");
  assert.ok((status.decisions[0]?.steps.length ?? 0) > 0);
  assert.doesNotMatch(JSON.stringify(status), /What can you do/);
  const before = performance.now();
  const { code, output } = await gateway.stop();
  assert.equal(code, 0, output);
  assert.ok(performance.now() - before < 10_000);
  assert.doesNotMatch(output, /What can you do/);
});

test("[GW8] a running request ends, new ones are refused, and what is left is cut", async () => {
  const upstream = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": waiting\n\n");
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const address = upstream.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const file = `providers:\n  - {id: slow, type: openai, apiKey: key-of-test, baseUrl: "http://127.0.0.1:${port}/v1", models: [m]}\nserver: {shutdownMs: 400}\n`;
  const gateway = await startFovea([], {}, (folder) => writeFileSync(join(folder, "fovea.yaml"), file));
  const hanging = fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "slow/m", stream: true, messages: [{ role: "user", content: "x" }] }),
  }).then(
    async (response) => response.text(),
    () => "cut",
  );
  while (
    !(await (await fetch(`${gateway.url}/metrics`)).text()).includes(
      'fovea_provider_in_flight{gen_ai_operation_name="chat",gen_ai_provider_name="slow",gen_ai_request_model="m"} 1',
    )
  )
    await new Promise((resolve) => setTimeout(resolve, 10));
  const before = performance.now();
  const { code, output } = await gateway.stop();
  const tookMs = performance.now() - before;
  assert.equal(code, 0, output);
  assert.ok(tookMs >= 350 && tookMs < 5_000, `${tookMs} ms`);
  assert.match(output, /requests were cut/);
  assert.notEqual(await hanging, "");
  upstream.closeAllConnections();
  upstream.close();
});

test("[GW11] commands that do not exist, and configurations with problems", async () => {
  const unknown = await runFovea(["strat"]);
  assert.deepEqual(
    [unknown.code, unknown.output.split("\n")[0]],
    [2, "fovea: there is no command `strat`; did you mean `start`?"],
  );
  const broken = await runFovea(["start", "--port", "abc"]);
  assert.equal(broken.code, 2);
  assert.equal(
    broken.output,
    'fovea: the configuration has a problem:\n  command line: --port (is "abc"): must be a number. Write a number.\n',
  );
  const folder = mkdtempSync(join(tmpdir(), "fovea-run-"));
  writeFileSync(join(folder, "fovea.yaml"), "routing: {aliases: {a: [b], b: [a]}}");
  const circle = await runFovea(["start"], {}, folder);
  assert.equal(circle.code, 2);
  assert.match(circle.output, /^fovea: the configuration has a problem: .*refers to itself\n$/);
  assert.match((await runFovea(["help"])).output, /doctor/);
});

test("[CFG11] what a provider type refuses is told where it was written", async () => {
  const { code, output } = await runFovea(["doctor"], {
    OPENAI_API_KEY: "sk-test",
    OPENAI_BASE_URL: "http://169.254.169.254/v1",
  });
  assert.equal(code, 2, output);
  assert.match(
    output,
    /environment: OPENAI_BASE_URL \(is "http:\/\/169\.254\.169\.254\/v1"\): points at a metadata address\. Use another address/,
  );
  const folder = mkdtempSync(join(tmpdir(), "fovea-run-"));
  writeFileSync(join(folder, "fovea.yaml"), "providers:\n  - id: a\n    type: openai\n");
  assert.match(
    (await runFovea(["start"], {}, folder)).output,
    /fovea\.yaml:2: providers\[0\]\.apiKey: is missing\. Write the vendor's key/,
  );
});

test("[GW12] the doctor tells what is configured, reachable and missing", async () => {
  const port = await freePort();
  const { code, output } = await runFovea(["doctor", "--port", String(port)], {
    OPENAI_API_KEY: "sk-not-to-be-shown",
    OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}/v1`,
  });
  assert.equal(code, 1, output);
  for (const line of [
    /^ok {4}runtime +node v26/m,
    /^note {2}server\.port +from command line/m,
    /^note {2}access +open/m,
    /^ok {4}address +127\.0\.0\.1:\d+ is free/m,
    /^ok {4}store +sqlite in /m,
    /^FAIL {2}provider openai does not answer: unreachable\n +Nothing answers at the address/m,
    /^ok {4}provider embedded built in/m,
    /1 of \d+ checks failed/,
  ])
    assert.match(output, line);
  assert.doesNotMatch(output, /not-to-be-shown/);
  const fine = await runFovea(["doctor", "--json", "--port", String(port)]);
  assert.equal(fine.code, 0, fine.output);
  assert.ok((JSON.parse(fine.output) as { checks: unknown[] }).checks.length >= 6);
});

test("[GW13] a made key opens the gateway that holds its hash, on any address", async () => {
  let key = "";
  const prepare = async (folder: string): Promise<void> => {
    const { code, output } = await runFovea(
      ["keys", "create", "--id", "headset", "--scopes", "chat,metrics"],
      {},
      folder,
    );
    assert.equal(code, 0, output);
    key = /fov_live_\w+/.exec(output)?.[0] ?? "";
    writeFileSync(join(folder, "fovea.yaml"), output.slice(output.indexOf("auth:")));
  };
  const folder = mkdtempSync(join(tmpdir(), "fovea-run-"));
  await prepare(folder);
  await using gateway = await startFovea([
    "--config",
    join(folder, "fovea.yaml"),
    "--data",
    join(folder, "data"),
    "--host",
    "0.0.0.0",
  ]);
  const status = async (credential?: string): Promise<number> =>
    (
      await fetch(
        `${gateway.url}/v1/models`,
        credential === undefined ? {} : { headers: { authorization: `Bearer ${credential}` } },
      )
    ).status;
  const wrongKey = `${key.slice(0, -1)}${key.endsWith("x") ? "y" : "x"}`;
  assert.deepEqual([await status(), await status(wrongKey), await status(key)], [401, 401, 200]);
  assert.doesNotMatch(gateway.output(), new RegExp(key));
});

test("[TEL9] both outcomes of the objective exist from the start", async () => {
  await using gateway = await startFovea();
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  assert.match(metrics, /^xr_answers_total\{outcome="good"\} 0\nxr_answers_total\{outcome="bad"\} 0$/m);
});

test("[GW15] an address that is taken", async () => {
  await using gateway = await startFovea();
  const { port } = new URL(gateway.url);
  const { code, output } = await runFovea(["start", "--port", port]);
  assert.equal(code, 2, output);
  assert.match(
    output,
    /command line: server\.port \(is \d+\): something else listens on 127\.0\.0\.1:\d+\. Stop it, or choose another port/,
  );
});

test("[GW17] when npm is ended by a signal, the gateway it started ends too", async () => {
  const port = await freePort();
  const data = mkdtempSync(join(tmpdir(), "fovea-run-"));
  // What `npm start` runs, under a shell that dies without passing the signal on.
  const script = `"${process.execPath}" --conditions=@fovea/source tools/start.ts --port ${port} --data "${data}"; true`;
  const started = launch("/bin/sh", ["-c", script], { npm_lifecycle_event: "start" }, ROOT);
  const url = `http://127.0.0.1:${port}`;
  await waitUntilReady(url, started);
  const stopped = started.output;
  started.kill("SIGKILL");
  const { output } = await started.ended;
  assert.match(output, /gateway stopped/, stopped());
  await assert.rejects(fetch(`${url}/healthz`));
});
