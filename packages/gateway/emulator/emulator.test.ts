import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { FakeClock } from "@fovea/core/testing";
import { parseScenario, startEmulator, type Emulator, type ProviderName, type ScenarioInput } from "./index.ts";

/** Runs every task at once and remembers how long it was to wait. */
class InstantClock extends FakeClock {
  static readonly waits: number[] = [];

  override schedule(delayMs: number, run: () => void): () => void {
    InstantClock.waits.push(delayMs);
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  }
}

interface Shot {
  readonly body?: object;
  readonly headers?: Record<string, string>;
  readonly path?: string;
}

const CHAT = { model: "m", stream: true, messages: [{ role: "user", content: "what is höre 🌍" }] };

async function shoot(emulator: Emulator, shot: Shot = {}): Promise<Response> {
  return fetch(emulator.url + (shot.path ?? "/v1/chat/completions"), {
    method: "POST",
    headers: { authorization: "Bearer sk-1", "content-type": "application/json", ...shot.headers },
    body: JSON.stringify(shot.body ?? CHAT),
  });
}

/** One streamed call: its text, then `.` for a clean end or `!` for a broken connection. */
async function play(scenario: ScenarioInput, shot: Shot = {}, provider: ProviderName = "openai"): Promise<string> {
  await using emulator = await startEmulator({ provider, scenario });
  return await readOut(await shoot(emulator, shot));
}

async function readOut(response: Response): Promise<string> {
  let raw = "";
  let end = ".";
  try {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) raw += decoder.decode(chunk, { stream: true });
  } catch {
    end = "!";
  }
  const events = raw
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "\n")
    .split("\n\n")
    .map((event) => /^data: (.*)$/m.exec(event)?.[1])
    .filter((data) => data !== undefined);
  return events.map(wordOf).join("") + end;
}

function wordOf(data: string): string {
  if (data === "[DONE]") return "|DONE";
  let chunk;
  try {
    chunk = JSON.parse(data);
  } catch {
    return "|malformed";
  }
  if (chunk.error !== undefined) return `|error ${chunk.error.code}`;
  if (chunk.usage) return `|usage`;
  const choice = chunk.choices?.[0];
  if (choice === undefined) return "";
  return choice.finish_reason === null ? (choice.delta.content ?? "") : `|${choice.finish_reason}`;
}

const WHOLE = "You said: what is höre 🌍|stop|DONE.";
const text = (value: string): ScenarioInput => ({ rules: [{ answer: { text: value } }] });
const fault = (name: string): ScenarioInput => ({ rules: [{ fault: name, answer: { text: "a b c d" } }] });

test("[EM1] A scenario that cannot be used says where and why", () => {
  const cases: [string, RegExp][] = [
    ["rules:\n  - ending: { kind: vanish }", /s\.yaml: rules\[0\]\.ending\.kind: .*"stall"/],
    ["rules:\n  - delay: { tokenMs: -1 }", /rules\[0\]\.delay\.tokenMs: .*>=0/],
    ["ruels: []", /Unrecognized key.*ruels/],
    ["rules:\n  - fault: cutt@3", /rules\[0\]\.fault: "cutt@3" is not a fault; known are .*cut/],
    ["rules: [", /s\.yaml: .*line 1/],
  ];
  for (const [yaml, message] of cases) assert.throws(() => parseScenario(yaml, "s.yaml"), message);
  assert.deepEqual(parseScenario("", "s.yaml").rules, []);
});

test("[EM2] The same seed gives the same bytes", async () => {
  const once = async (seed: number): Promise<string> => {
    await using emulator = await startEmulator({
      provider: "openai",
      scenario: { seed, rules: [{ answer: { words: 30 } }] },
    });
    return `${await (await shoot(emulator)).text()}${await (await shoot(emulator)).text()}`;
  };
  const first = await once(5);
  assert.equal(await once(5), first);
  assert.notEqual(await once(6), first);
});

test("[EM3] The first rule that applies wins", async () => {
  const scenario: ScenarioInput = {
    rules: [
      { when: { key: "sk-9" }, answer: { text: "by key" } },
      { when: { model: "big-*" }, answer: { text: "by model" } },
      { when: { bodyContains: "needle" }, answer: { text: "by body" } },
      { when: { stream: false }, answer: { text: "whole" } },
      { when: { method: "GET" }, answer: { text: "never" } },
      { when: { path: "*/completions" }, answer: { text: "by path" } },
    ],
  };
  assert.equal(await play(scenario, { headers: { authorization: "Bearer sk-9" } }), "by key|stop|DONE.");
  assert.equal(await play(scenario, { body: { ...CHAT, model: "big-1" } }), "by model|stop|DONE.");
  assert.equal(await play(scenario, { body: { ...CHAT, user: "needle" } }), "by body|stop|DONE.");
  assert.equal(await play(scenario), "by path|stop|DONE.");
  await using emulator = await startEmulator({
    provider: "openai",
    scenario: { seed: 3, rules: [{ when: { share: 0.3 }, status: 500 }] },
  });
  let failed = 0;
  for (let index = 0; index < 200; index++) if ((await shoot(emulator)).status === 500) failed++;
  assert.ok(failed > 35 && failed < 85, `${failed} of 200 failed for a share of 0.3 (seed 3)`);
});

test("[EM4] A fault can hit the first attempts only", async () => {
  await using emulator = await startEmulator({
    provider: "openai",
    scenario: { rules: [{ when: { attempts: [1, 2] }, status: 503 }] },
  });
  const statuses = [];
  for (let index = 0; index < 3; index++) statuses.push((await shoot(emulator)).status);
  assert.deepEqual(statuses, [503, 503, 200]);
});

test("[EM5] Without a script the answer follows from the request", async () => {
  assert.equal(await play({}), WHOLE);
  const schema = {
    type: "object",
    properties: { at: { enum: ["cup"] }, n: { type: "integer" }, l: { type: "array", items: { type: "boolean" } } },
  };
  const format = { type: "json_schema", json_schema: { name: "n", schema } };
  assert.equal(
    await play({}, { body: { ...CHAT, response_format: format } }),
    '{"at":"cup","n":1,"l":[true]}|stop|DONE.',
  );
  await using emulator = await startEmulator({ provider: "openai" });
  const tools = [{ type: "function", function: { name: "look", parameters: schema } }];
  const answer = await (await shoot(emulator, { body: { ...CHAT, stream: false, tools } })).json();
  const [{ message, finish_reason: finish }] = answer.choices;
  assert.equal(finish, "tool_calls");
  assert.equal(message.tool_calls[0].function.name, "look");
  assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { at: "cup", n: 1, l: [true] });
});

test("[EM6] Requests are recorded, and the moment the client left", async () => {
  await using emulator = await startEmulator({
    provider: "openai",
    scenario: { rules: [{ name: "silent", fault: "stall@1" }] },
  });
  const gone = new AbortController();
  const response = await fetch(`${emulator.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer sk-7", "content-type": "application/json" },
    body: JSON.stringify(CHAT),
    signal: gone.signal,
  });
  await response.body?.getReader().read();
  const second = shoot(emulator).catch(() => undefined);
  while (emulator.requests.length < 2) await wait(1);
  gone.abort();
  const [record, other] = emulator.requests;
  for (let tries = 0; tries < 500 && record?.clientClosedMs === undefined; tries++) await wait(1);
  assert.ok(record !== undefined && other !== undefined);
  assert.equal(`${record.order} ${record.key} ${record.model} ${record.rule} ${record.status}`, "1 sk-7 m silent 200");
  assert.deepEqual(record.json, CHAT);
  assert.ok(record.clientClosedMs !== undefined && record.clientClosedMs >= record.startedMs);
  assert.equal(other.concurrency, 2);
  assert.equal(other.clientClosedMs, undefined);
  await emulator.close();
  await second;
});

test("[EM7] Limits count down and end in 429", async () => {
  const clock = new FakeClock();
  await using emulator = await startEmulator({
    provider: "openai",
    clock,
    scenario: { limits: { requests: 2, windowMs: 60_000 } },
  });
  const look = async (): Promise<string> => {
    const { status, headers } = await shoot(emulator);
    return [
      status,
      headers.get("x-ratelimit-remaining-requests"),
      headers.get("x-ratelimit-reset-requests"),
      headers.get("retry-after"),
    ].join(" ");
  };
  assert.equal(await look(), "200 1 1m0s ");
  clock.advance(10_000);
  assert.equal(await look(), "200 0 50s ");
  assert.equal(await look(), "429 0 50s 50");
  clock.advance(50_000);
  assert.equal(await look(), "200 1 1m0s ");
});

test("[EM8] Keys are checked", async () => {
  await using emulator = await startEmulator({ provider: "openai", scenario: { keys: ["sk-1"] } });
  assert.equal((await shoot(emulator)).status, 200);
  for (const authorization of ["Bearer sk-2", ""]) {
    const refused = await shoot(emulator, { headers: { authorization } });
    assert.equal(refused.status, 401);
    assert.equal((await refused.json()).error.code, "invalid_api_key");
  }
});

test("[EM9] A paused emulator refuses connections", async () => {
  await using emulator = await startEmulator({ provider: "openai" });
  const { url } = emulator;
  await emulator.pause();
  await assert.rejects(shoot(emulator));
  await emulator.resume();
  assert.equal(emulator.url, url);
  assert.equal((await shoot(emulator)).status, 200);
});

test("[EM20] Hang and reset happen before any header", async () => {
  await using emulator = await startEmulator({ provider: "openai", scenario: fault("reset") });
  await assert.rejects(shoot(emulator));
  emulator.setScenario(fault("hang"));
  const answer = shoot(emulator).then(
    () => "answered",
    () => "broken",
  );
  assert.equal(await Promise.race([answer, wait(100, "silent")]), "silent");
  await emulator.close();
  assert.equal(await answer, "broken");
});

test("[EM21] Foreign bodies and Retry-After come with any status", async () => {
  await using emulator = await startEmulator({ provider: "openai" });
  const look = async (rule: NonNullable<ScenarioInput["rules"]>[number]): Promise<string> => {
    emulator.setScenario({ rules: [rule] });
    const response = await shoot(emulator);
    const body = await response.text();
    return [
      response.status,
      response.headers.get("content-type"),
      response.headers.get("retry-after"),
      body.slice(0, 6),
    ].join("|");
  };
  assert.equal(await look({ status: 503, body: "html" }), "503|text/html||<html>");
  assert.equal(await look({ status: 200, body: "html" }), "200|text/html||<html>");
  assert.equal(await look({ status: 500, body: "empty" }), "500|application/json||");
  assert.match(await look({ retryAfter: 2 }), /^200\|text\/event-stream; charset=utf-8\|2\|data: /);
});

test("[EM22] Status codes come in the vendor's body", async () => {
  await using emulator = await startEmulator({ provider: "openai" });
  const look = async (status: number, error?: string): Promise<string> => {
    emulator.setScenario({ rules: [error === undefined ? { status } : { status, error }] });
    const response = await shoot(emulator);
    const { type, code } = (await response.json()).error;
    return `${response.status} ${type} ${code}`;
  };
  assert.equal(await look(429), "429 requests rate_limit_exceeded");
  assert.equal(await look(429, "project_spend_limit_exceeded"), "429 insufficient_quota project_spend_limit_exceeded");
  assert.equal(await look(503), "503 service_unavailable_error server_is_overloaded");
  assert.equal(await look(500), "500 server_error null");
});

test("[EM23] [EM24] Streams end badly in every way", async () => {
  const ends: [string, string][] = [
    ["cut@2", "a b!"],
    ["cut@0", "!"],
    ["eof@2", "a b."],
    ["eof", "a b c d."],
    ["error@2", "a b|error server_is_overloaded."],
    ["malformed@2", "a b|malformed c d|stop|DONE."],
    ["duplicate@1", "a b b c d|stop|DONE."],
    ["reorder@1", "a c b d|stop|DONE."],
    ["splice@2", "a ba b c d|stop|DONE."],
  ];
  for (const [name, expected] of ends) assert.equal(await play(fault(name)), expected, name);
  await using emulator = await startEmulator({ provider: "openai", scenario: fault("stall@2") });
  const response = await shoot(emulator);
  const out = readOut(response);
  assert.equal(await Promise.race([out, wait(100, "silent")]), "silent");
  await emulator.close();
  assert.equal(await out, "a b!");
});

test("[EM25] Framing does not change the meaning", async () => {
  for (const name of [
    "crlf",
    "cr",
    "comments",
    "padding",
    "unknown-events",
    "dribble@1",
    "dribble@7",
    "coalesce@3",
    "huge-line@100000",
  ]) {
    assert.equal(await play({ rules: [{ fault: name }] }), WHOLE, name);
  }
  const dribbled = await play({ rules: [{ fault: "dribble@3", bytes: { newline: "crlf", comments: true } }] });
  assert.equal(dribbled, WHOLE);
});

test("[EM26] Delays run on the clock", async () => {
  const clock = new FakeClock();
  const scenario: ScenarioInput = {
    rules: [
      { delay: { headersMs: 100, firstTokenMs: 1000, tokenMs: 50, lifecycleFirst: true }, answer: { text: "a b" } },
    ],
  };
  await using emulator = await startEmulator({ provider: "openai", clock, scenario });
  let status: number | undefined;
  let raw = "";
  const done = shoot(emulator).then(async (response) => {
    status = response.status;
    for await (const chunk of response.body ?? []) raw += Buffer.from(chunk).toString();
  });
  const at = async (byMs: number): Promise<string> => {
    await wait(40);
    clock.advance(byMs);
    await wait(40);
    const words = [...raw.matchAll(/"content":"([^"]+)"/g)].map((match) => match[1]?.trim()).join("");
    return `${status ?? "-"} ${raw.includes("assistant") ? "role" : "-"} ${words}`;
  };
  assert.equal(await at(99), "- - ");
  assert.equal(await at(1), "200 role ");
  assert.equal(await at(999), "200 role ");
  assert.equal(await at(1), "200 role a");
  assert.equal(await at(49), "200 role a");
  assert.equal(await at(1), "200 role ab");
  await done;
});

test("[EM30] Times to the first token follow the percentiles", async () => {
  const scenario: ScenarioInput = {
    seed: 11,
    rules: [{ delay: { firstTokenPercentilesMs: [4, 12, 16, 40] }, answer: { text: "a" } }],
  };
  await using emulator = await startEmulator({ provider: "openai", clock: new InstantClock(), scenario });
  const waits = InstantClock.waits;
  waits.length = 0;
  for (let index = 0; index < 400; index++) await (await shoot(emulator)).text();
  waits.sort((a, b) => a - b);
  const at = (share: number): number => waits[Math.floor(share * waits.length)] ?? 0;
  assert.equal(waits.length, 400);
  assert.ok(Math.abs(at(0.5) - 4) < 1 && Math.abs(at(0.9) - 12) < 2, `p50 ${at(0.5)}, p90 ${at(0.9)} (seed 11)`);
  assert.ok(at(0) >= 2 && at(0.999) <= 40);
});

test("[EM27] Usage is missing, late or double", async () => {
  const ask = { body: { ...CHAT, stream_options: { include_usage: true } } };
  const mode = (name: string): ScenarioInput => ({ rules: [{ fault: name, answer: { text: "a" } }] });
  assert.equal(await play(text("a"), ask), "a|stop|usage|DONE.");
  assert.equal(await play(mode("no-usage"), ask), "a|stop|DONE.");
  assert.equal(await play(mode("late-usage"), ask), "a|stop|DONE|usage.");
  assert.equal(await play(mode("duplicate-usage"), ask), "a|stop|usage|usage|DONE.");
});

test("[EM28] Whole bodies break too", async () => {
  await using emulator = await startEmulator({ provider: "openai" });
  const body = { ...CHAT, stream: false };
  const look = async (scenario: ScenarioInput): Promise<string> => {
    emulator.setScenario(scenario);
    const response = await shoot(emulator, { body });
    return response.json().then(
      (json) => json.choices[0].message.content,
      (error: Error) => error.name,
    );
  };
  assert.equal(await look(fault("cut")), "TypeError");
  assert.equal(await look(fault("malformed")), "SyntaxError");
  assert.equal(await look(fault("gzip")), "a b c d");
});

test("[EM29] An endless stream ends with its client", async () => {
  await using emulator = await startEmulator({ provider: "openai", scenario: fault("endless") });
  const response = await shoot(emulator);
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > 500_000) break;
  }
  for (let tries = 0; tries < 500 && emulator.requests[0]?.clientClosedMs === undefined; tries++) await wait(1);
  assert.ok(emulator.requests[0]?.clientClosedMs !== undefined);
});
