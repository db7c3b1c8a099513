import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { InjectOptions } from "fastify";
import { CountingIds, FakeClock, MemoryLog } from "@fovea/core/testing";
import type { ApiKeySettings } from "../config/config-schema.ts";
import { PrometheusMeter } from "../telemetry/prometheus-meter.ts";
import { Authenticator } from "./authenticate.ts";
import { registerHealth } from "./health.ts";
import { registerMetrics } from "./metrics.ts";
import { registerPages } from "./pages.ts";
import type { GatewayServer } from "./server.ts";
import { buildServer } from "./server.ts";
import { registerSessionTokens } from "./session-tokens.ts";

interface World extends GatewayServer {
  readonly clock: FakeClock;
  readonly log: MemoryLog;
  readonly meter: PrometheusMeter;
}

interface Wish {
  readonly keys?: readonly ApiKeySettings[];
  readonly corsOrigins?: readonly string[];
  readonly concurrentRequestsMax?: number;
  readonly requestsPerMinute?: number;
}

function world(wish: Wish = {}): World {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const meter = new PrometheusMeter();
  const authenticator = new Authenticator({
    clock,
    meter,
    serverSecret: "a-server-secret-of-tests",
    keys: wish.keys ?? [],
    sessionTokenMs: 60_000,
    allowedHosts: [],
    corsOrigins: wish.corsOrigins ?? [],
  });
  const { concurrentRequestsMax = 100, requestsPerMinute } = wish;
  const limits = { bodyBytesMax: 2_000, concurrentRequestsMax, requestsPerMinute };
  const server = buildServer({ clock, ids: new CountingIds(), log, meter, authenticator, limits });
  server.app.post("/v1/echo", (request) => ({ body: request.body, user: request.principal.userId }));
  server.app.get("/v1/fails", () => {
    throw new Error("password of the database: hunter2");
  });
  server.app.get("/v1/raw", (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { "content-type": "text/plain" });
    reply.raw.end("raw");
  });
  registerSessionTokens(server.app, authenticator);
  registerMetrics(server.app, () => meter.text(), false);
  return { ...server, clock, log, meter };
}

const key = (id: string, scopes: ApiKeySettings["scopes"] = ["chat", "session"]): ApiKeySettings => ({
  id,
  key: `key-of-${id}`,
  tenant: "t",
  scopes,
});

async function ask(
  { app }: World,
  options: InjectOptions,
): Promise<{ status: number; body: string; header: (name: string) => string }> {
  const response = await app.inject({ ...options, headers: { host: "localhost", ...options.headers } });
  return { status: response.statusCode, body: response.body, header: (name) => String(response.headers[name] ?? "-") };
}

test("[GW1] every answer carries a request id", async () => {
  const gateway = world();
  const own = await ask(gateway, { url: "/v1/nothing", headers: { "x-request-id": "trace:1.a-b" } });
  assert.equal(own.header("x-request-id"), "trace:1.a-b");
  const made = await ask(gateway, { url: "/v1/raw", headers: { "x-request-id": "no\tgood <script>" } });
  assert.match(made.header("x-request-id"), /^req_\d+$/);
  assert.equal(made.header("x-content-type-options"), "nosniff");
});

test("[GW2] unknown routes, and slashes that do not matter", async () => {
  const gateway = world();
  const missing = await ask(gateway, { url: "/v1/nothing?key=secret" });
  assert.deepEqual([missing.status, missing.header("x-fovea-error")], [404, "route_unknown"]);
  assert.doesNotMatch(missing.body, /secret/);
  assert.equal((await ask(gateway, { url: "//v1//raw" })).body, "raw");
  assert.equal((await ask(gateway, { url: "/v1/raw/" })).body, "raw");
});

test("[GW3] bodies that are too large, broken, or the wrong kind; errors nobody expected", async () => {
  const gateway = world();
  const post = (payload: string, type = "application/json"): ReturnType<typeof ask> =>
    ask(gateway, { method: "POST", url: "/v1/echo", payload, headers: { "content-type": type } });
  const told = async (answer: ReturnType<typeof ask>): Promise<string> =>
    `${(await answer).status} ${(await answer).header("x-fovea-error")}`;
  assert.equal(await told(post(JSON.stringify({ x: "y".repeat(3_000) }))), "413 request_too_large");
  assert.equal(await told(post("{broken")), "400 request_invalid");
  assert.equal(await told(post('{"__proto__":{"a":1}}')), "400 request_invalid");
  assert.equal(await told(post("x", "application/x-unknown")), "415 request_invalid");
  const failed = await ask(gateway, { url: "/v1/fails" });
  assert.equal(failed.status, 500);
  assert.doesNotMatch(failed.body, /hunter2/);
  assert.match(gateway.log.text, /request failed/);
});

test("[GW4] the limit of requests at once, with health outside of it", async () => {
  const gateway = world({ concurrentRequestsMax: 2 });
  const release = Promise.withResolvers<string>();
  gateway.app.get("/v1/slow", () => release.promise);
  registerHealth(gateway.app, { version: "1", notReady: () => undefined });
  const slow = [ask(gateway, { url: "/v1/slow" }), ask(gateway, { url: "/v1/slow" })];
  await gateway.app.ready();
  const refused = await ask(gateway, { url: "/v1/raw" });
  assert.deepEqual(
    [refused.status, refused.header("x-fovea-error"), refused.header("retry-after")],
    [503, "overloaded", "1"],
  );
  assert.equal((await ask(gateway, { url: "/healthz" })).status, 200);
  release.resolve("done");
  assert.deepEqual(
    (await Promise.all(slow)).map(({ status }) => status),
    [200, 200],
  );
  assert.equal((await ask(gateway, { url: "/v1/raw" })).status, 200);
  assert.equal(gateway.gate.inWork, 0);
});

test("[GW5] the limit of requests a minute belongs to the key", async () => {
  const gateway = world({ keys: [key("a"), key("b")], requestsPerMinute: 2 });
  const as = async (id: string): Promise<string> => {
    const { status, header } = await ask(gateway, { url: "/v1/raw", headers: { "x-api-key": `key-of-${id}` } });
    return `${status} ${header("retry-after")}`;
  };
  assert.deepEqual([await as("a"), await as("a"), await as("a"), await as("b")], ["200 -", "200 -", "429 30", "200 -"]);
  gateway.clock.advance(30_000);
  assert.deepEqual([await as("a"), await as("a")], ["200 -", "429 30"]);
});

test("[GW6] preflights", async () => {
  const gateway = world({ keys: [key("a")], corsOrigins: ["https://app.example"] });
  const preflight = (origin: string): ReturnType<typeof ask> =>
    ask(gateway, {
      method: "OPTIONS",
      url: "/v1/chat/completions",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-stainless-os, bad header",
      },
    });
  const allowed = await preflight("https://app.example");
  assert.equal(allowed.status, 204);
  assert.equal(allowed.header("access-control-allow-origin"), "https://app.example");
  for (const name of [
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "x-goog-api-client",
    "anthropic-version",
    "x-stainless-os",
  ])
    assert.ok(allowed.header("access-control-allow-headers").split(", ").includes(name), name);
  assert.doesNotMatch(allowed.header("access-control-allow-headers"), /bad header/);
  assert.equal((await preflight("https://evil.example")).header("access-control-allow-origin"), "-");
  const refused = await ask(gateway, { url: "/v1/raw", headers: { origin: "https://app.example" } });
  assert.deepEqual([refused.status, refused.header("access-control-allow-origin")], [401, "https://app.example"]);
  assert.equal(gateway.gate.inWork, 0);
});

test("[GW7] health and readiness", async () => {
  const gateway = world({ keys: [key("a")] });
  let reason: string | undefined = "starting";
  registerHealth(gateway.app, { version: "1.2.3", notReady: () => reason });
  assert.deepEqual(
    [(await ask(gateway, { url: "/healthz" })).status, (await ask(gateway, { url: "/readyz" })).status],
    [200, 503],
  );
  reason = undefined;
  assert.equal((await ask(gateway, { url: "/readyz" })).body, '{"status":"ready","version":"1.2.3"}');
});

test("[GW9] pages with their policy, and pages that are not built", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fovea-pages-"));
  mkdirSync(join(folder, "demo/assets"), { recursive: true });
  writeFileSync(join(folder, "demo/index.html"), "<h1>demo</h1>");
  writeFileSync(join(folder, "demo/assets/a-1234.js"), "1");
  writeFileSync(join(folder, "demo/.hidden"), "no");
  writeFileSync(join(folder, "secret.txt"), "no");
  const gateway = world({ keys: [key("a")] });
  await registerPages(gateway.app, { demo: join(folder, "demo"), dashboard: join(folder, "dashboard") });
  const page = await ask(gateway, { url: "/" });
  assert.deepEqual([page.status, page.body, page.header("cache-control")], [200, "<h1>demo</h1>", "no-cache"]);
  assert.match(page.header("content-security-policy"), /default-src 'self'.*frame-ancestors 'none'/);
  assert.match((await ask(gateway, { url: "/assets/a-1234.js" })).header("cache-control"), /immutable/);
  assert.equal((await ask(gateway, { url: "/../secret.txt" })).status, 404);
  assert.equal((await ask(gateway, { url: "/%2e%2e/secret.txt" })).status, 404);
  const missing = await ask(gateway, { url: "/dashboard" });
  assert.equal(missing.status, 503);
  assert.match(missing.body, /npm start/);
  for (const url of [
    "/..%2fsecret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/%2e%2e%2fsecret.txt",
    "/.hidden",
    "/assets",
    "/etc/passwd",
  ])
    assert.ok([403, 404].includes((await ask(gateway, { url })).status), url);
  assert.match((await ask(gateway, { url: "/v1/nothing" })).body, /"route_unknown"|there is no GET/);
  mkdirSync(join(folder, "dashboard"));
  writeFileSync(join(folder, "dashboard/index.html"), "<h1>built later</h1>");
  writeFileSync(join(folder, "dashboard/extra.js"), "2");
  assert.equal((await ask(gateway, { url: "/dashboard" })).body, "<h1>built later</h1>");
  assert.equal((await ask(gateway, { url: "/dashboard/extra.js" })).body, "2");
  rmSync(folder, { recursive: true });
});

test("[GW10] [SEC10] metrics and session tokens ask for their scopes", async () => {
  const gateway = world({ keys: [key("a", ["chat"]), key("m", ["metrics"]), key("s", ["session", "chat"])] });
  const status = async (id: string, url: string, method: "GET" | "POST" = "GET"): Promise<number> =>
    (await ask(gateway, { method, url, headers: { authorization: `Bearer key-of-${id}` } })).status;
  assert.deepEqual(
    [await status("a", "/metrics"), await status("m", "/metrics"), await status("m", "/v1/raw")],
    [403, 200, 403],
  );
  assert.deepEqual(
    [await status("a", "/v1/session-tokens", "POST"), await status("s", "/v1/session-tokens", "POST")],
    [403, 201],
  );
  const made = await ask(gateway, {
    method: "POST",
    url: "/v1/session-tokens",
    payload: { user: "eve", scopes: ["chat"] },
    headers: { authorization: "Bearer key-of-s" },
  });
  const { token } = JSON.parse(made.body) as { token: string };
  const echoed = await ask(gateway, {
    method: "POST",
    url: "/v1/echo",
    payload: { a: 1 },
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(echoed.body, '{"body":{"a":1},"user":"eve"}');
  const wrong = await ask(gateway, {
    method: "POST",
    url: "/v1/session-tokens",
    payload: { scopes: ["everything"] },
    headers: { authorization: "Bearer key-of-s" },
  });
  assert.deepEqual(
    [wrong.status, (JSON.parse(wrong.body) as { error: { param: string } }).error.param],
    [400, "scopes.0"],
  );
});

test("requests are measured by route and status, never by their path", async () => {
  const gateway = world();
  await ask(gateway, { url: "/v1/raw" });
  await ask(gateway, { url: "/users/4711" });
  const text = gateway.meter.text();
  assert.match(
    text,
    /http_server_request_duration_seconds_count\{http_request_method="GET",http_route="\/v1\/raw",http_response_status_code="200"\} 1/,
  );
  assert.doesNotMatch(text, /4711/);
});
