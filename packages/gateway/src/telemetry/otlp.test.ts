// Rules TEL15, TEL17 and TEL19 of docs/spec/telemetry.md.
import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock, MemoryLog, MemoryMeter } from "@fovea/core/testing";
import { newSpanId, newTraceId } from "../platform/trace-ids.ts";
import { OtlpExporter } from "./otlp-exporter.ts";
import type { Span } from "./otlp-json.ts";
import { isInSample, parseTraceparent, writeTraceparent } from "./trace-context.ts";

const SPAN: Span = {
  traceId: "1".repeat(32),
  spanId: "2".repeat(16),
  name: "chat m",
  kind: "client",
  startUnixMs: 1_800_000_000_000.25,
  endUnixMs: 1_800_000_000_001,
  attributes: { whole: 5, half: 0.5, yes: true, none: undefined },
};

interface Played {
  readonly exporter: OtlpExporter;
  readonly clock: FakeClock;
  readonly meter: MemoryMeter;
  readonly log: MemoryLog;
  readonly sent: string[];
  answer: () => Promise<number>;
}

function play(): Played {
  const clock = new FakeClock();
  const meter = new MemoryMeter();
  const log = new MemoryLog();
  const sent: string[] = [];
  const played = { clock, meter, log, sent, answer: async () => 200 } as Played;
  const exporter = new OtlpExporter({
    endpoint: "http://collector:4318/",
    headers: {},
    resource: { "service.name": "fovea" },
    version: "1",
    intervalMs: 60_000,
    clock,
    log,
    meter,
    families: undefined,
    send: async (url, body) => {
      sent.push(`${url} ${(body.match(/"spanId"/g) ?? []).length}`);
      return played.answer();
    },
  });
  return Object.assign(played, { exporter });
}

test("[TEL17] spans go in batches; what a collector does not take is tried three times, then dropped and counted", async () => {
  const on = play();
  for (let index = 0; index < 600; index++) on.exporter.add(SPAN);
  await on.clock.advanceAsync(5_000);
  assert.deepEqual(on.sent, ["http://collector:4318/v1/traces 512", "http://collector:4318/v1/traces 88"]);
  on.answer = () => Promise.reject(new Error("refused"));
  on.exporter.add(SPAN);
  await on.clock.advanceAsync(20_000);
  assert.equal(on.sent.length, 5);
  assert.equal(on.meter.total("fovea.otlp.dropped"), 1);
  assert.equal(on.log.entries.length, 1, "one line, not one for each try");
  on.answer = async () => 400;
  on.exporter.add(SPAN);
  await on.clock.advanceAsync(5_000);
  assert.equal(on.sent.length, 6, "what is refused is not tried again");
  for (let index = 0; index < 5_000; index++) on.exporter.add(SPAN);
  assert.ok(on.meter.total("fovea.otlp.dropped") >= 5_000 - 4_096);
  on.answer = async () => 200;
  await on.exporter[Symbol.asyncDispose]();
  assert.equal(on.clock.pendingTasks, 0);
});

test("[TEL18] a caller's trace is continued where it is valid, and its decision holds", () => {
  const trace = { traceId: "a".repeat(32), spanId: "b".repeat(16), isSampled: true };
  assert.deepEqual(parseTraceparent(writeTraceparent(trace)), trace);
  assert.equal(parseTraceparent(`01-${trace.traceId}-${trace.spanId}-00-later`)?.isSampled, false);
  for (const wrong of [
    undefined,
    "",
    "00-abc-def-01",
    `ff-${trace.traceId}-${trace.spanId}-01`,
    `00-${"0".repeat(32)}-${trace.spanId}-01`,
    `00-${trace.traceId}-${"0".repeat(16)}-01`,
    `00-${trace.traceId}-${trace.spanId}-01-more`,
    `00-${trace.traceId.toUpperCase()}-${trace.spanId}-01`,
  ])
    assert.equal(parseTraceparent(wrong), undefined, String(wrong));
  const ids = Array.from({ length: 4_000 }, newTraceId);
  const share = ids.filter((id) => isInSample(id, 0.25)).length / ids.length;
  assert.ok(share > 0.2 && share < 0.3, String(share));
  assert.deepEqual([isInSample(ids[0] ?? "", 0), isInSample(ids[0] ?? "", 1)], [false, true]);
  assert.equal(new Set(Array.from({ length: 4_000 }, newSpanId)).size, 4_000);
});
