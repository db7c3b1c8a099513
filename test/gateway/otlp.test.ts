// Telemetry as an OpenTelemetry collector receives it from a real process. Rules: docs/spec/telemetry.md TEL15..TEL19.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import test from "node:test";
import { startEmulator } from "../../packages/gateway/emulator/index.ts";
import { startFovea } from "./run-fovea.ts";

interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly spans: SentSpan[];
  readonly metrics: Map<string, unknown>;
  readonly bodies: string[];
  readonly keys: Set<string | undefined>;
  answerWith(status: number): void;
  until(isThere: () => boolean): Promise<void>;
}

async function collector(): Promise<Collector> {
  const spans: SentSpan[] = [];
  const metrics = new Map<string, unknown>();
  const bodies: string[] = [];
  const keys = new Set<string | undefined>();
  let status = 200;
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (bytes: Buffer) => (text += bytes.toString()));
    request.on("end", () => {
      keys.add(String(request.headers["x-collector-key"]));
      if (status === 200) {
        bodies.push(text);
        const body = JSON.parse(text) as {
          resourceSpans?: { scopeSpans: { spans: SentSpan[] }[] }[];
          resourceMetrics?: { scopeMetrics: { metrics: { name: string }[] }[] }[];
        };
        for (const { scopeSpans } of body.resourceSpans ?? [])
          for (const scope of scopeSpans) spans.push(...scope.spans);
        for (const { scopeMetrics } of body.resourceMetrics ?? [])
          for (const scope of scopeMetrics) for (const metric of scope.metrics) metrics.set(metric.name, metric);
      }
      response.writeHead(status).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return {
    url: `http://127.0.0.1:${address.port}`,
    spans,
    metrics,
    bodies,
    keys,
    answerWith: (now) => void (status = now),
    until: async (isThere) => {
      for (let waits = 0; waits < 400 && !isThere(); waits++) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.ok(isThere());
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

const valueOf = (span: SentSpan | undefined, key: string): unknown =>
  Object.values(span?.attributes.find((attribute) => attribute.key === key)?.value ?? {})[0];

test("[TEL15] [TEL16] [TEL17] [TEL18] [TEL19] spans and metrics reach a collector, belong together, and hold no content", async () => {
  await using receiver = await collector();
  await using first = await startEmulator({ provider: "openai", scenario: { rules: [{ status: 503 }] } });
  await using second = await startEmulator({
    provider: "anthropic",
    scenario: { models: ["m2"], rules: [{ answer: { text: "a private answer", usage: { input: 20, output: 6 } } }] },
  });
  const file = `providers:
  - {id: one, type: openai, apiKey: sk-1, baseUrl: "${first.baseUrl}", models: [m1]}
  - {id: two, type: anthropic, apiKey: sk-2, baseUrl: "${second.baseUrl}", models: [m2], price: {inputPerMillion: 10, outputPerMillion: 10}}
routing: {aliases: {best: [one/m1, two/m2]}}
telemetry: {otlp: {endpoint: "${receiver.url}", metricsMs: 1000, headers: {x-collector-key: k-collector}, serviceName: fovea-test}}
`;
  const gateway = await startFovea([], {}, (folder) => writeFileSync(join(folder, "fovea.yaml"), file));
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const ask = async (flags: string, model = "best", stream = true): Promise<void> => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", traceparent: `00-${traceId}-b7ad6b7169203331-${flags}` },
      body: JSON.stringify({ model, stream, messages: [{ role: "user", content: "a private question" }] }),
    });
    await response.text();
  };
  await ask("01");
  await ask("00", "two/m2", false);
  await receiver.until(() => receiver.spans.length >= 3);
  const root = receiver.spans.find(({ name }) => name === "fovea.answer chat");
  assert.deepEqual([root?.traceId, root?.parentSpanId, root?.kind, root?.status], [traceId, "b7ad6b7169203331", 2, {}]);
  assert.deepEqual(
    ["fovea.asked", "fovea.outcome", "fovea.provider", "gen_ai.usage.output_tokens", "fovea.cost_usd"].map((key) =>
      valueOf(root, key),
    ),
    ["best", "complete", "two", "6", 0.00026],
  );
  const attempts = receiver.spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
  assert.deepEqual(
    attempts.map((span) => [
      span.name,
      span.kind,
      span.traceId === traceId,
      valueOf(span, "gen_ai.provider.name"),
      valueOf(span, "error.type"),
      span.status.code,
    ]),
    [
      ["chat m1", 3, true, "openai", "overloaded", 2],
      ["chat m2", 3, true, "anthropic", undefined, undefined],
    ],
  );
  const [, good] = attempts;
  assert.deepEqual([valueOf(good, "gen_ai.usage.input_tokens"), valueOf(good, "gen_ai.request.stream")], ["20", true]);
  assert.ok(Number(valueOf(good, "gen_ai.response.time_to_first_chunk")) > 0);
  assert.match(good?.startTimeUnixNano ?? "", /^\d{19}$/);
  assert.ok(BigInt(good?.endTimeUnixNano ?? 0) >= BigInt(good?.startTimeUnixNano ?? 1));
  await receiver.until(() => receiver.metrics.has("gen_ai.client.operation.duration"));
  const duration = JSON.stringify(receiver.metrics.get("gen_ai.client.operation.duration"));
  assert.match(
    duration,
    /"unit":"s".*"histogram".*"bucketCounts":\["\d+".*"explicitBounds":\[0\.01,.*"aggregationTemporality":2/,
  );
  assert.match(JSON.stringify(receiver.metrics.get("fovea.attempts")), /"isMonotonic":true/);
  receiver.answerWith(503);
  await ask("01", "two/m2");
  for (let waits = 0; waits < 200 && !gateway.output().includes("telemetry cannot be sent"); waits++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.match(gateway.output(), /telemetry cannot be sent/);
  receiver.answerWith(200);
  await gateway.stop();
  assert.equal(
    receiver.spans.filter(({ name }) => name === "fovea.answer chat").length,
    2,
    "sent at the end; the unsampled one never",
  );
  assert.deepEqual([...receiver.keys], ["k-collector"]);
  assert.match(receiver.bodies[0] ?? "", /"service\.name","value":\{"stringValue":"fovea-test"/);
  assert.doesNotMatch(receiver.bodies.join("") + gateway.output(), /private|sk-[12]|k-collector/);
});
