// Rules PV150..PV159 of docs/spec/providers.md: the transport alone, on real sockets. `open` sends one GET to a loopback
// server; time is a FakeClock, moved by the test.
import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { ProviderError } from "@fovea/core";
import { FakeClock, MemoryLog } from "@fovea/core/testing";
import type { AddressPolicy } from "../../packages/gateway/src/providers/address-check.ts";
import type { HttpCallOptions } from "../../packages/gateway/src/providers/call-timers.ts";
import type { HttpAnswer } from "../../packages/gateway/src/providers/http-call.ts";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import { createProviderFactory } from "../../packages/gateway/src/providers/provider-factory.ts";
import { startServer, until, type Handle, type LoopbackServer } from "./loopback-server.ts";

interface Scene {
  readonly clock: FakeClock;
  readonly server: LoopbackServer;
  open(options?: HttpCallOptions): Promise<HttpAnswer>;
}

async function play(handle: Handle, use: (scene: Scene) => Promise<void>): Promise<void> {
  await using server = await startServer(handle);
  const clock = new FakeClock();
  const http = createHttpTransport(clock);
  const owner = { id: "p", addressPolicy: "loopback" as const };
  const request = { method: "GET" as const, origin: server.origin, path: "/", headers: {} };
  await use({ clock, server, open: (options) => http.open(owner, request, options) });
  await http.close();
  assert.equal(clock.pendingTasks, 0, "timers left behind");
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const code = (error: unknown): string => (error as { code?: string }).code ?? String(error);

test("[PV150] no connection in time is timeout_connect, and nothing stays behind", async () => {
  // A listener whose backlog is full answers no handshake; here the pool has one socket, and that one is taken.
  await using server = await startServer((_received, response) => void response.writeHead(200).write("x"));
  const clock = new FakeClock();
  const http = createHttpTransport(clock, { connectionsMax: 1 });
  const owner = { id: "p", addressPolicy: "loopback" as const };
  const request = { method: "GET" as const, origin: server.origin, path: "/", headers: {} };
  const first = await http.open(owner, request);
  const second = http.open(owner, request, { timeouts: { connectMs: 1_000 } }).catch(code);
  clock.advance(1_000);
  assert.equal(await second, "timeout_connect");
  first.discard();
  await until(() => server.requests.length === 1, "the abandoned call was never sent");
  await http.close();
  assert.equal(clock.pendingTasks, 0);
});

test("[PV151] a refused connection and an unknown name are unreachable at once", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  const clock = new FakeClock();
  const http = createHttpTransport(clock);
  const owner = { id: "p", addressPolicy: "any" as const };
  for (const origin of [`http://127.0.0.1:${port}`, "http://no-such-host.invalid"]) {
    assert.equal(
      await http.open(owner, { method: "GET", origin, path: "/", headers: {} }).catch(code),
      "unreachable",
      origin,
    );
  }
  await http.close();
  assert.equal(clock.pendingTasks, 0);
});

test("[PV152] addresses outside the policy are refused where the connection is made", async () => {
  await using server = await startServer((_received, response) => void response.end("secret"));
  const port = new URL(server.origin).port;
  const http = createHttpTransport(new FakeClock());
  const reach = async (host: string, addressPolicy: AddressPolicy): Promise<string> => {
    const request = { method: "GET" as const, origin: `http://${host}:${port}`, path: "/", headers: {} };
    return http.open({ id: "p", addressPolicy }, request).then(
      async (answer) => text(await answer.readAll(100)),
      (error: unknown) => (error as Error).message,
    );
  };
  // The name resolves to this machine: it is judged by the address.
  assert.equal(
    await reach("localhost", "public"),
    "address not allowed for this provider (allowPrivateAddress permits it)",
  );
  assert.equal(
    await reach("127.0.0.1", "public"),
    "address not allowed for this provider (allowPrivateAddress permits it)",
  );
  assert.equal(
    await reach("169.254.169.254", "loopback"),
    "address not allowed for this provider (allowPrivateAddress permits it)",
  );
  assert.equal(await reach("127.0.0.1", "loopback"), "secret");
  await http.close();
});

test("[PV153] a redirect is not followed", async () => {
  const handle: Handle = (_received, response) =>
    void response.writeHead(302, { location: "http://169.254.169.254/" }).end();
  await play(handle, async ({ open, server }) => {
    const answer = await open();
    assert.equal(answer.status, 302);
    await answer.readAll(100);
    assert.equal(server.requests.length, 1);
  });
});

test("[PV154] compressed bodies are read, broken ones are protocol", async () => {
  const zipped =
    (bytes: Uint8Array): Handle =>
    (_received, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(bytes);
    };
  const whole = gzipSync("hello ".repeat(1_000));
  await play(zipped(whole), async ({ open }) => {
    assert.equal(text(await (await open()).readAll(10_000)).length, 6_000);
  });
  await play(zipped(whole), async ({ open }) => {
    assert.equal(await (await open()).readAll(100).catch(code), "protocol");
  });
  for (const broken of [whole.subarray(0, 20), Buffer.from("not gzip")]) {
    await play(zipped(broken), async ({ open }) => {
      assert.equal(await (await open()).readAll(10_000).catch(code), "protocol");
    });
  }
});

test("[PV155] a body larger than its limit is cut off, and the connection with it", async () => {
  const endless: Handle = (_received, response) => {
    response.writeHead(200);
    const write = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
    };
    response.on("drain", write);
    write();
  };
  await play(endless, async ({ open, server }) => {
    assert.equal(await (await open()).readAll(1_000_000).catch(code), "protocol");
    assert.equal(await server.requests[0]?.closed, "left");
  });
});

test("[PV156] a reader that does not read makes the server wait", async () => {
  let sent = 0;
  const flood: Handle = (_received, response) => {
    response.writeHead(200);
    const write = (): void => {
      while (!response.destroyed && sent < 64 * 1024 * 1024) {
        sent += 64 * 1024;
        if (!response.write(Buffer.alloc(64 * 1024))) return;
      }
    };
    response.on("drain", write);
    write();
  };
  await play(flood, async ({ open }) => {
    const answer = await open();
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.ok(sent < 16 * 1024 * 1024, `${sent} bytes were taken from a server that nobody reads`);
    answer.discard();
  });
});

test("[PV157] a whole answer is limited by its total alone, and its body by the idle timer", async () => {
  await play(
    () => undefined,
    async ({ open, clock, server }) => {
      const outcome = open({ isWhole: true, timeouts: { headersMs: 10, firstContentMs: 10, totalMs: 5_000 } }).catch(
        code,
      );
      await until(() => server.requests.length === 1, "arrived");
      clock.advance(4_999);
      assert.equal(await Promise.race([outcome, Promise.resolve("waiting")]), "waiting");
      clock.advance(1);
      assert.equal(await outcome, "timeout_total");
    },
  );
  await play(
    (_received, response) => void response.writeHead(200).write("x"),
    async ({ open, clock }) => {
      const answer = await open({ isWhole: true, timeouts: { idleMs: 100 } });
      const body = answer.readAll(100).catch(code);
      await new Promise((resolve) => setTimeout(resolve, 20));
      clock.advance(100);
      assert.equal(await body, "stalled");
    },
  );
});

test("[PV158] a finished call leaves its socket to the next one, also when the reader stopped at the last word", async () => {
  const handle: Handle = (_received, response) => void response.writeHead(200).end("x");
  const { signal } = new AbortController();
  await play(handle, async ({ open, server }) => {
    for (let count = 0; count < 6; count++) {
      const answer = await open({ signal });
      if (count % 2 === 0) assert.equal(text(await answer.readAll(100)), "x");
      else answer.letEnd();
    }
    assert.equal(getEventListeners(signal, "abort").length, 0, "listeners left on the caller's signal");
    // The socket is free a moment after its answer ended, so a call that follows at once may open a second one.
    assert.ok(server.openSockets() <= 2, `${server.openSockets()} sockets for six calls in a row`);
  });
});

test("[PV159] configurations are judged field by field, and never quote a secret", () => {
  const factory = createProviderFactory({
    clock: new FakeClock(),
    log: new MemoryLog(),
    http: createHttpTransport(new FakeClock()),
  });
  assert.deepEqual(factory.getSupportedTypes().sort(), [
    "anthropic",
    "cohere",
    "custom",
    "google",
    "huggingface",
    "openai",
    "replicate",
    "together",
    "worldlabs",
  ]);
  const why = (type: string, config: object): string =>
    factory
      .explainConfig(type as "openai", config)
      .map(({ field, message }) => `${field} ${message}`)
      .join("; ");
  assert.equal(why("openai", { id: "a", apiKey: "sk-1" }), "");
  assert.equal(factory.validateConfig("openai", { id: "a", apiKey: "sk-1" }), true);
  assert.equal(why("openai", { id: "a" }), "apiKey is missing");
  assert.equal(factory.validateConfig("openai", { id: "a" }), false);
  assert.equal(
    why("openai", { id: "a b", apiKey: "secret key\n" }),
    "id must be 1 to 64 letters, digits, dots, dashes; apiKey contains characters that no key has",
  );
  assert.equal(why("openai", { type: "google", apiKey: "k" }), "type is google, not openai");
  assert.equal(why("custom", {}), "baseUrl is missing");
  assert.equal(why("custom", { baseUrl: "http://169.254.169.254/" }), "baseUrl points at a metadata address");
  assert.equal(why("custom", { baseUrl: "http://169.254.169.254/", allowPrivateAddress: true }), "");
  assert.equal(why("custom", { baseUrl: "http://127.0.0.1:11434/v1", dialect: "ollama" }), "");
  assert.match(
    why("custom", { baseUrl: "http://127.0.0.1:1", dialect: "nope" }),
    /^dialect is not one of openai-compatible, ollama, /,
  );
  assert.equal(
    why("custom", { baseUrl: "http://127.0.0.1:1", weight: -1, headers: { "x-a": "b\r\nc" } }),
    "weight must be a number of at least 0; headers has a line break in x-a",
  );
  assert.match(why("toString", {}), /^type toString is not one of openai, /);
  const document = {
    id: "a",
    type: "openai",
    displayName: "a",
    models: [{ id: "gpt-4o", features: [] }],
    region: "eu",
  } as const;
  assert.throws(
    () => factory.createProvider({ id: "a", type: "openai" }, document),
    (error: unknown) => code(error) === "configuration_invalid",
  );
  const adapter = factory.createProvider({ id: "a", type: "openai", apiKey: "k" }, document);
  assert.deepEqual(
    [adapter.id, adapter.type, adapter.region, adapter.models().map(({ id }) => id)],
    ["a", "openai", "eu", ["gpt-4o"]],
  );
});

test("[PV152] an adapter whose name resolves to this machine is unreachable without permission", async () => {
  await using server = await startServer((_received, response) => void response.end("{}"));
  const http = createHttpTransport(new FakeClock());
  const factory = createProviderFactory({ clock: new FakeClock(), log: new MemoryLog(), http });
  const baseUrl = `http://localtest.localhost.:${new URL(server.origin).port}`;
  const config = { id: "a", type: "custom", baseUrl } as const;
  const adapter = factory.createProvider(config, { id: "a", type: "custom", displayName: "a", models: [] });
  const request = { model: "m", messages: [] };
  await assert.rejects(
    adapter.chat(request),
    (error: unknown) => ProviderError.is(error) && error.failure.code === "unreachable",
  );
  assert.equal(server.requests.length, 0);
  await http.close();
});
