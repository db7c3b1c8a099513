// Several keys of one provider, through a real process.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { startEmulator } from "../../packages/gateway/emulator/index.ts";
import { startFovea } from "./run-fovea.ts";

test("[GW42] a dead key and a throttled key leave their place to the others, and no caller notices", async () => {
  await using vendor = await startEmulator({
    provider: "openai",
    scenario: {
      rules: [
        { when: { key: "sk-dead" }, status: 401 },
        { when: { key: "sk-slow" }, status: 429, retryAfter: 30 },
        { answer: { text: "fine" } },
      ],
    },
  });
  await using gateway = await startFovea([], {}, (folder) =>
    writeFileSync(
      join(folder, "fovea.yaml"),
      `providers: [{id: v, type: openai, apiKeys: [sk-dead, sk-slow, sk-good], baseUrl: "${vendor.baseUrl}", models: [m1]}]\n`,
    ),
  );
  const answers: string[] = [];
  for (let call = 0; call < 12; call++) {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "v/m1", messages: [{ role: "user", content: "hello" }] }),
    });
    answers.push(`${response.status}`);
  }
  assert.deepEqual([...new Set(answers)], ["200"]);
  const calls = (key: string): number => vendor.requests.filter((request) => request.key === key).length;
  assert.deepEqual([calls("sk-dead") <= 1, calls("sk-slow") <= 1, calls("sk-good")], [true, true, 12]);
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  assert.match(
    metrics,
    /^fovea_breaker_changes_total\{cell="v\/m1@[^"]*#key-1:chat",to="isolated",reason="key_dead"\} 1$/m,
  );
  assert.doesNotMatch(metrics + gateway.output(), /sk-(?:dead|slow|good)/);
});
