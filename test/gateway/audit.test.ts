// The audit trail of a real process, and `fovea audit verify` over it.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { startEmulator } from "../../packages/gateway/emulator/index.ts";
import { runFovea, startFovea } from "./run-fovea.ts";

test("[AUD9] every answer is in the trail without its content, a killed process loses none of the written, and a change is found", async () => {
  await using vendor = await startEmulator({
    provider: "openai",
    scenario: { rules: [{ answer: { text: "a very private answer", usage: { input: 20, output: 6 } } }] },
  });
  const data = mkdtempSync(join(tmpdir(), "fovea-audit-"));
  const folder = join(data, "audit");
  const verify = (...more: string[]): ReturnType<typeof runFovea> =>
    runFovea(["audit", "verify", "--data", data, ...more]);
  const file = `auth: {keys: [{id: app, key: key-of-the-app, tenant: acme, user: maria}]}
providers: [{id: v, type: openai, apiKey: sk-1, baseUrl: "${vendor.baseUrl}", models: [m1], price: {inputPerMillion: 10, outputPerMillion: 10}}]
`;
  const start = (): ReturnType<typeof startFovea> =>
    startFovea(["--data", data], {}, (work) => writeFileSync(join(work, "fovea.yaml"), file));
  const trail = (): string =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".jsonl"))
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
  const gateway = await start();
  const headers = { authorization: "Bearer key-of-the-app", "content-type": "application/json" };
  const ask = (path: string, body: object): Promise<Response> =>
    fetch(gateway.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  const messages = [{ role: "user", content: "a very private question" }];
  await (await ask("/v1/chat/completions", { model: "v/m1", messages })).text();
  await (await ask("/v1/embeddings", { model: "embedded/lexical-256", input: "private too" })).text();
  for (let waits = 0; waits < 200 && !trail().includes("perform.embed"); waits++)
    await new Promise((resolve) => setTimeout(resolve, 25));
  gateway.signal("SIGKILL");
  await gateway.ended;
  assert.match(
    trail(),
    /"action":"answer\.chat","tenant":"acme","user":"maria","key":"app","outcome":"complete","details":\{[^}]*"provider":"v","model":"m1"[^}]*"inputTokens":20,"outputTokens":6,"costMicroUsd":260/,
  );
  assert.doesNotMatch(trail(), /private/);
  {
    await using again = await start();
    const response = await fetch(`${again.url}/v1/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model: "v/m1", messages }),
    });
    await response.text();
  }
  const whole = await verify();
  assert.equal(whole.code, 0, whole.output);
  assert.match(
    whole.output,
    /4 records \(1 to 4\) in 1 file.*\n1 checkpoints signed by key [0-9a-f]{8}; 0 records since/,
  );
  const head = /to note elsewhere: (\S+)/.exec(whole.output)?.[1] ?? "";
  assert.equal((await verify("--head", head)).code, 0);
  const [name = ""] = readdirSync(folder).filter((entry) => entry.endsWith(".jsonl"));
  const text = trail();
  writeFileSync(join(folder, name), text.replace('"tenant":"acme"', '"tenant":"else"'));
  const changed = await verify();
  assert.equal(changed.code, 1);
  assert.match(changed.output, /NOT WHOLE {2}audit-000000000001\.jsonl:1: record 1 was changed/);
  // The last lines cut off: whole in itself, but the store and whoever noted the end know better.
  writeFileSync(join(folder, name), `${text.split("\n")[0] ?? ""}\n`);
  assert.match((await verify()).output, /ends before record 4/);
  rmSync(join(data, "fovea.db"), { force: true });
  assert.match((await verify("--head", head)).output, /ends before record 4/);
  assert.equal((await runFovea(["audit"])).code, 2);
  rmSync(data, { recursive: true, force: true });
});
