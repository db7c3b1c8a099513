// Rules PV100..PV107 of docs/spec/providers.md: predictions (Replicate) and operations (World Labs). `replicate` is a
// small server of one prediction whose states the test advances; `play` gives the adapter and what it was asked.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { globSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { collectChat, hasCapability, ProviderError, type ProviderConfig } from "@fovea/core";
import { FakeClock, MemoryLog } from "@fovea/core/testing";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import type { OperationAdapter } from "../../packages/gateway/src/providers/operation-adapter.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";
import { decodePrediction } from "../../packages/gateway/src/providers/replicate/prediction.ts";
import { WebhookVerifier } from "../../packages/gateway/src/providers/replicate/webhook.ts";
import { startServer, until, type Handle, type LoopbackServer } from "./loopback-server.ts";
import { REQUEST } from "./vendor-scripts.ts";

interface Scene {
  readonly adapter: OperationAdapter;
  readonly server: LoopbackServer;
  readonly clock: FakeClock;
}

async function play<T>(type: ProviderConfig["type"], handle: Handle, use: (scene: Scene) => Promise<T>): Promise<T> {
  await using server = await startServer(handle);
  const clock = new FakeClock();
  const http = createHttpTransport(clock);
  const factory = createProviderFactory({ clock, log: new MemoryLog(), http });
  const config = { id: "p", type, apiKey: "test-key", baseUrl: server.origin };
  const adapter = factory.createProvider(config, { id: "p", type, displayName: "p", models: [] }) as OperationAdapter;
  try {
    return await use({ adapter, server, clock });
  } finally {
    await http.close();
    clock.advance(1_000);
    assert.equal(clock.pendingTasks, 0, "timers left behind");
  }
}

const MODEL = { ...REQUEST, model: "meta/meta-llama-3-8b-instruct" };

function reply(response: Parameters<Handle>[1], value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

/** Creates, streams the given events, and takes cancellations. */
function replicate(events: readonly string[], isEnded: boolean): Handle {
  return (received, response) => {
    if (received.url.endsWith("/predictions")) {
      const stream = `http://${received.headers.host}/v1/streams/s1`;
      reply(response, { id: "p1", status: "starting", urls: { stream } }, 201);
    } else if (received.url === "/v1/streams/s1") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const event of events) response.write(event);
      if (isEnded) response.end();
    } else reply(response, { id: "p1", status: "canceled" });
  };
}

const OUTPUT = ["event: output\nid: 1:0\ndata: A red\n\n", "event: output\ndata:  cup\ndata: \n\n"];
const DONE = "event: done\ndata: {}\n\n";

test("[PV100] a prediction is made, its stream read, and `done` alone completes it", async () => {
  await play("replicate", replicate([...OUTPUT, DONE], true), async ({ adapter, server }) => {
    const answer = await collectChat(adapter.chatStream({ ...MODEL, system: ["Be brief."], maxOutputTokens: 9 }));
    assert.deepEqual([answer.text, answer.finishReason], ["A red cup\n", "stop"]);
    assert.deepEqual(
      server.requests.map(({ method, url }) => `${method} ${url}`),
      ["POST /v1/models/meta/meta-llama-3-8b-instruct/predictions", "GET /v1/streams/s1"],
    );
    assert.deepEqual(JSON.parse(server.requests[0]?.body ?? ""), {
      input: { prompt: "What is on the table?", system_prompt: "Be brief.", max_tokens: 9 },
      stream: true,
    });
  });
  await play("replicate", replicate(OUTPUT, true), async ({ adapter }) => {
    await assert.rejects(collectChat(adapter.chatStream(MODEL)), /truncated/);
  });
  const failing = [...OUTPUT, 'event: done\ndata: {"reason":"canceled"}\n\n'];
  await play("replicate", replicate(failing, true), async ({ adapter }) => {
    await assert.rejects(collectChat(adapter.chatStream(MODEL)), /ended as canceled/);
  });
});

test("[PV101] closing a socket stops no prediction: leaving cancels it", async () => {
  await play("replicate", replicate(OUTPUT, false), async ({ adapter, server }) => {
    for await (const batch of adapter.chatStream(MODEL)) if (batch.text !== "") break;
    await until(() => server.requests.some(({ url }) => url === "/v1/predictions/p1/cancel"), "cancelled");
  });
  await play("replicate", replicate(OUTPUT, false), async ({ adapter, server }) => {
    const abort = new AbortController();
    const outcome = collectChat(adapter.chatStream(MODEL, { signal: abort.signal }));
    await until(() => server.requests.length === 2, "stream opened");
    abort.abort();
    await assert.rejects(outcome, /aborted/);
    await until(() => server.requests.some(({ url }) => url === "/v1/predictions/p1/cancel"), "cancelled");
  });
});

test("[PV102] the key goes to the vendor's own hosts alone", async () => {
  const elsewhere: Handle = (_received, response) => {
    reply(response, { id: "p1", status: "starting", urls: { stream: "https://replicate.com.evil.example/s" } }, 201);
  };
  await play("replicate", elsewhere, async ({ adapter, server }) => {
    await assert.rejects(collectChat(adapter.chatStream(MODEL)), /foreign host/);
    assert.equal(server.requests.length, 1);
  });
});

test("[PV103] an unstreamed prediction is waited for, then polled from one second to five", async () => {
  let status = "starting";
  const handle: Handle = (received, response) => {
    const metrics = { predict_time: 2.5, input_token_count: 4, output_token_count: 6 };
    const more = status === "succeeded" ? { output: ["A red", " cup"], metrics } : {};
    reply(response, { id: "p1", status, ...more }, received.method === "POST" ? 201 : 200);
  };
  await play("replicate", handle, async ({ adapter, server, clock }) => {
    const outcome = adapter.chat(MODEL);
    for (const [polls, delayMs] of [
      [1, 1_000],
      [2, 1_500],
      [3, 2_250],
    ] as const) {
      await until(() => server.requests.length === polls && clock.nextTaskInMs === delayMs, `waiting after ${polls}`);
      if (polls === 3) status = "succeeded";
      clock.advance(delayMs - 1);
      assert.equal(server.requests.length, polls);
      clock.advance(1);
    }
    const answer = await outcome;
    assert.equal(answer.text, "A red cup");
    assert.deepEqual(answer.usage, {
      input: { total: 4, cacheRead: 0, cacheWrite: 0 },
      output: { total: 6 },
      seconds: { compute: 2.5 },
      source: "provider",
    });
    assert.equal(server.requests[0]?.headers["prefer"], "wait=60");
  });
});

test("[PV103] a caller who leaves while polling cancels the prediction", async () => {
  const handle: Handle = (_received, response) => reply(response, { id: "p1", status: "processing" });
  await play("replicate", handle, async ({ adapter, server, clock }) => {
    const abort = new AbortController();
    const outcome = adapter.chat(MODEL, { signal: abort.signal });
    await until(() => server.requests.length === 1 && clock.nextTaskInMs === 1_000, "polling");
    abort.abort();
    await assert.rejects(outcome, (error: unknown) => ProviderError.is(error) && error.failure.code === "aborted");
    await until(() => server.requests.some(({ url }) => url.endsWith("/cancel")), "cancelled");
  });
});

test("[PV104] a job: any model by its input, outputs by what they are, deleted after an hour", async () => {
  const prediction = {
    id: "p1",
    status: "succeeded",
    completed_at: "2026-11-22T10:00:00Z",
    logs: " 50%|█████ | 2/4\n100%|██████████| 4/4",
    output: {
      model_file: "https://replicate.delivery/x/mesh.glb",
      views: ["https://replicate.delivery/x/a.png"],
      note: "text",
    },
    metrics: { predict_time: 12 },
  };
  await play(
    "replicate",
    (_received, response) => reply(response, prediction, 201),
    async ({ adapter, server }) => {
      assert.equal(hasCapability(adapter, "job"), true);
      const version = "a".repeat(64);
      const job = await adapter.startJob({
        model: `firtoz/trellis:${version}`,
        kind: "mesh",
        input: { seed: 1 },
        webhookUrl: "https://x.example/hook",
      });
      const expiresAtUnixMs = Date.parse("2026-11-22T11:00:00Z");
      assert.deepEqual(job.output, [
        {
          url: "https://replicate.delivery/x/mesh.glb",
          role: "model_file",
          mime: "model/gltf-binary",
          expiresAtUnixMs,
        },
        { url: "https://replicate.delivery/x/a.png", role: "views", mime: "image/png", expiresAtUnixMs },
      ]);
      assert.deepEqual([job.state, job.fraction, job.usage?.seconds?.compute], ["succeeded", 1, 12]);
      assert.deepEqual(JSON.parse(server.requests[0]?.body ?? ""), {
        version,
        input: { seed: 1 },
        webhook: "https://x.example/hook",
        webhook_events_filter: ["completed"],
      });
      await adapter.getJob("p1");
      await adapter.cancelJob("p1");
      assert.deepEqual(
        server.requests.map(({ url }) => url),
        ["/v1/predictions", "/v1/predictions/p1", "/v1/predictions/p1/cancel"],
      );
    },
  );
});

test("[PV105] throttling names its end in prose, and only what is left in headers", async () => {
  const throttle: Handle = (_received, response) => {
    response.writeHead(429, {
      "content-type": "application/json",
      "ratelimit-remaining": "0",
      "ratelimit-reset": "30",
    });
    response.end('{"detail":"Request was throttled. Your rate limit resets in ~30s.","status":429}');
  };
  await play("replicate", throttle, async ({ adapter }) => {
    await assert.rejects(adapter.startJob({ model: "a/b", kind: "other", input: {} }), (error: unknown) => {
      return ProviderError.is(error) && error.failure.code === "rate_limited" && error.failure.retryAfterMs === 30_000;
    });
  });
});

test("[PV106] a webhook is genuine when signed, fresh and new", () => {
  const key = Buffer.from("0123456789abcdef0123456789abcdef");
  const body = Buffer.from('{"id":"p1","status":"succeeded"}');
  const sign = (id: string, timestamp: string): string =>
    `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body.toString()}`).digest("base64")}`;
  const verifier = new WebhookVerifier(`whsec_${key.toString("base64")}`);
  const nowUnixMs = 1_700_000_000_000;
  const verify = (id: string, atSeconds: number, signature?: string): string => {
    const timestamp = String(atSeconds);
    const headers = {
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": signature ?? sign(id, timestamp),
    };
    const verdict = verifier.verify(headers, body, nowUnixMs);
    return verdict.outcome === "genuine" ? "genuine" : verdict.reason;
  };
  assert.equal(verify("m1", 1_700_000_000), "genuine");
  assert.equal(verify("m1", 1_700_000_000), "repeated");
  assert.equal(verify("m2", 1_700_000_000, `v1,AAAA ${sign("m2", "1700000000")}`), "genuine");
  assert.equal(verify("m3", 1_699_999_699), "too-old");
  assert.equal(verify("m4", 1_700_000_301), "too-old");
  assert.equal(verify("m5", 1_700_000_000, "v1,AAAA"), "forged");
  assert.equal(verify("m5", 1_700_000_000, sign("other", "1700000000")), "forged");
  assert.equal(verifier.verify({}, body, nowUnixMs).outcome, "refused");
});

test("[PV107] World Labs: from words to splats by level, with the collider and the credits", async () => {
  const world = {
    assets: {
      thumbnail_url: "https://cdn/x.webp",
      imagery: { pano_url: "https://cdn/pano.png" },
      mesh: { collider_mesh_url: "https://cdn/c.glb" },
      caption: "A library",
      splats: {
        semantics_metadata: { metric_scale_factor: 1.25, ground_plane_offset: -1.6 },
        spz_urls: { "100k": "https://cdn/100k.spz", full_res: "https://cdn/full.spz" },
      },
    },
  };
  const handle: Handle = (received, response) => {
    if (received.method === "POST")
      reply(response, { operation_id: "op1", done: false, metadata: { progress: { description: "queued" } } });
    else reply(response, { operation_id: "op1", done: true, response: world, cost: { total_credits: 230 } });
  };
  await play("worldlabs", handle, async ({ adapter, server }) => {
    const started = await adapter.startJob({
      model: "marble-1.1",
      kind: "splat",
      input: { prompt: "A quiet library" },
    });
    assert.deepEqual([started.id, started.state, started.logs], ["op1", "running", "queued"]);
    assert.equal(server.requests[0]?.headers["wlt-api-key"], "test-key");
    assert.deepEqual(JSON.parse(server.requests[0]?.body ?? ""), {
      model: "marble-1.1",
      display_name: "A quiet library",
      world_prompt: { type: "text", text_prompt: "A quiet library" },
    });
    const done = await adapter.getJob("op1");
    assert.deepEqual(
      done.output.map(({ role }) => role),
      ["thumbnail", "panorama", "splat:100k", "splat:full_res", "mesh:collider"],
    );
    assert.equal(done.usage?.units?.credits, 230);
    assert.deepEqual(done.facts, { metricScaleFactor: 1.25, groundPlaneOffset: -1.6, caption: "A library" });
    await assert.rejects(adapter.startJob({ model: "marble-1.1", kind: "splat", input: {} }), /needs input\.prompt/);
    await assert.rejects(adapter.chat(MODEL), { code: "request_unsupported" });
  });
});

const DATA = join(
  process.env["FOVEA_DATA"] ?? join(import.meta.dirname, "../../../shared/data"),
  "providers/replicate/http",
);
test("[PV60] every recorded prediction decodes", { skip: existsSync(DATA) ? false : "FOVEA_DATA absent" }, () => {
  const states: Record<string, number> = {};
  for (const path of globSync("*.json", { cwd: DATA })) {
    const text = readFileSync(join(DATA, path), "utf8");
    const body: unknown = text === "" ? null : JSON.parse(text);
    if (path.endsWith(".meta.json") || typeof body !== "object" || body === null) continue;
    if (!("input" in body) || !("status" in body)) continue;
    const job = decodePrediction(body);
    states[job.state] = (states[job.state] ?? 0) + 1;
    if (job.state === "succeeded" && "output" in body && body.output !== null) assert.notEqual(job.id, "");
  }
  assert.ok((states["succeeded"] ?? 0) > 5 && (states["running"] ?? 0) > 5, JSON.stringify(states));
});
