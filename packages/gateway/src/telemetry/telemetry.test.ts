import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import type { LogAttributes, LogLevel } from "@fovea/core";
import { privateValue } from "@fovea/core";
import { FakeClock } from "@fovea/core/testing";
import { JsonLog, ReadableLog } from "./json-log.ts";
import { collectProcessMetrics } from "./process-metrics.ts";
import { PrometheusMeter } from "./prometheus-meter.ts";
import { redactSecrets } from "./redact.ts";

function logged(
  message: string,
  attributes: LogAttributes,
  kind: "json" | "readable" = "json",
  level: LogLevel = "info",
): string {
  const lines: string[] = [];
  const parts = {
    clock: new FakeClock(0, Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
    level: "info" as const,
    write: (line: string) => lines.push(line),
  };
  (kind === "json" ? new JsonLog(parts) : new ReadableLog(parts)).write(level, message, attributes);
  return lines.join("\n");
}

test("[TEL1] a log line", () => {
  assert.equal(
    logged("turn ended", { turnId: "t1", words: 3, ok: true, gone: undefined, level: "mine", time: 5 }),
    '{"time":"2026-01-02T03:04:05.006Z","level":"info","message":"turn ended","turnId":"t1","words":3,"ok":true,"level_":"mine","time_":5}',
  );
  assert.equal(logged("a\nb", { x: "c\nd" }).split("\n").length, 1);
});

test("[TEL2] private values", () => {
  for (const kind of ["json", "readable"] as const) {
    const line = logged("turn ended", { text: privateValue("my address is") }, kind);
    assert.match(line, /<private, 13 characters>/);
    assert.doesNotMatch(line, /address/);
  }
});

const SECRETS = [
  "sk-abcdefgh12345678",
  "sk-ant-api03-abcdefgh",
  "sk-proj-abcdefgh123",
  "hf_abcdefgh1234",
  "r8_abcdefgh1234",
  "AIzaSyA1234567890",
  "fov_live_0123456789abcdef",
  "Bearer abc.def.ghi-jkl",
];
test("[TEL3] secrets are masked wherever they stand", () => {
  for (const secret of SECRETS)
    assert.doesNotMatch(redactSecrets(`vendor said: ${secret}, no`), new RegExp(secret.slice(-8)), secret);
  assert.equal(
    redactSecrets("GET /v1beta/models?alt=sse&key=topsecret&x=1"),
    "GET /v1beta/models?alt=sse&key=<secret>&x=1",
  );
  const line = logged("call failed with sk-abcdefgh12345678", {
    authorization: "anything",
    "provider.apiKey": "anything",
    note: "hf_abcdefgh1234",
  });
  assert.doesNotMatch(line, /anything|abcdefgh/);
  assert.equal(
    redactSecrets("a task-oriented key for the risk-free disk"),
    "a task-oriented key for the risk-free disk",
  );
});

test("[TEL4] lines below the level", () => {
  assert.equal(logged("x", {}, "json", "debug"), "");
  assert.notEqual(logged("x", {}, "json", "warn"), "");
});

test("[TEL5] lines for a terminal", () => {
  assert.equal(
    logged("gateway started", { url: "http://x", note: "two words", gone: undefined }, "readable", "warn"),
    '03:04:05 warn  gateway started  url=http://x note="two words"',
  );
});

function filled(): PrometheusMeter {
  const meter = new PrometheusMeter();
  meter.declare("xr.answers", { outcome: "good" });
  meter.declare("xr.answers", { outcome: "bad" });
  meter.count("xr.answers", { outcome: "good" }, 3);
  meter.gauge("xr.sessions", {}, 7);
  for (const seconds of [0.0004, 0.0005, 0.3, 99, Number.NaN, Infinity])
    meter.record("xr.gateway.overhead", {}, seconds);
  meter.record(
    "gen_ai.client.operation.duration",
    { "gen_ai.provider.name": 'a"b\\c\nd', "gen_ai.operation.name": "chat" },
    0.5,
  );
  meter.count("xr.cost", { "gen_ai.provider.name": "openai", kind: "winner" }, 0.25);
  meter.count("something.of.an.organ", { reason: "x" });
  collectProcessMetrics(meter, () => ({
    cpuUserSeconds: 1,
    cpuSystemSeconds: 2,
    residentBytes: 3,
    heapUsedBytes: 4,
    heapTotalBytes: 5,
    externalBytes: 6,
    loopDelayP50Ms: 7,
    loopDelayP99Ms: 8,
    loopDelayMaxMs: 9,
    uptimeSeconds: 10,
  }));
  return meter;
}

test("[TEL6] the exposition", () => {
  const text = filled().text();
  assert.match(
    text,
    /^# HELP xr_answers_total [^\n]+\n# TYPE xr_answers_total counter\nxr_answers_total\{outcome="good"\} 3\nxr_answers_total\{outcome="bad"\} 0\n/m,
  );
  assert.match(
    text,
    /^gen_ai_client_operation_duration_seconds_bucket\{gen_ai_operation_name="chat",gen_ai_provider_name="a\\"b\\\\c\\nd",le="0.64"\} 1$/m,
  );
  assert.match(text, /^xr_cost_usd_total\{gen_ai_provider_name="openai",kind="winner"\} 0.25$/m);
  assert.match(text, /^something_of_an_organ_total\{reason="x"\} 1$/m);
  const names = text.match(/(?<=^# TYPE )\S+/gm) ?? [];
  assert.equal(new Set(names).size, names.length);
});

test("[TEL6] promtool accepts the exposition", (t) => {
  const result = spawnSync("promtool", ["check", "metrics"], { input: filled().text(), encoding: "utf8" });
  if (result.error !== undefined) return t.skip("promtool is not installed");
  assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);
});

test("[TEL7] histograms", () => {
  const text = filled().text();
  const buckets = [...text.matchAll(/^xr_gateway_overhead_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)].map(
    (match) => `${match[1]}:${match[2]}`,
  );
  assert.equal(buckets[0], "0.0005:2");
  assert.equal(buckets.at(-2), "1.024:3");
  assert.equal(buckets.at(-1), "+Inf:4");
  assert.match(text, /^xr_gateway_overhead_seconds_count 4$/m);
});

test("[TEL8] too many label sets", () => {
  const meter = new PrometheusMeter();
  for (let cell = 0; cell < 600; cell++)
    meter.count("fovea.breaker.changes", { cell: `c${cell}`, to: "open", reason: "errors" });
  const { series } = meter.read("fovea.breaker.changes");
  assert.equal(series.length, 501);
  assert.equal(series.at(-1)?.value, 100);
  assert.match(meter.text(), /^fovea_metrics_dropped_label_sets_total\{metric="fovea.breaker.changes"\} 100$/m);
});

test("[TEL10] process metrics are read at every scrape", () => {
  let reads = 0;
  const meter = new PrometheusMeter();
  collectProcessMetrics(meter, () => {
    reads++;
    return {
      cpuUserSeconds: reads,
      cpuSystemSeconds: 0,
      residentBytes: 1,
      heapUsedBytes: 1,
      heapTotalBytes: 1,
      externalBytes: 1,
      loopDelayP50Ms: 1,
      loopDelayP99Ms: 20,
      loopDelayMaxMs: 30,
      uptimeSeconds: 1,
    };
  });
  meter.text();
  const text = meter.text();
  assert.match(text, /^process_cpu_seconds_total\{mode="user"\} 2$/m);
  assert.match(text, /^xr_eventloop_lag_seconds\{stat="p99"\} 0.02$/m);
  assert.match(text, /^nodejs_heap_bytes\{part="used"\} 1$/m);
});
