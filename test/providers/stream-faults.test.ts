// Rules PV1..PV16 of docs/spec/providers.md, for every vendor: thirteen things a stream can do, and what the caller of
// the adapter sees. `play` runs one call against a real loopback server and says the outcome in one line:
// the text that arrived, then `finish:<reason>` or the failure's code; then how many sockets and timers are left.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import test from "node:test";
import type { ServerResponse } from "node:http";
import { ProviderError, type CallTimeouts, type ChatResponse, type IdentifiedAdapter } from "@fovea/core";
import { FakeClock, MemoryLog } from "@fovea/core/testing";
import { createHttpTransport } from "../../packages/gateway/src/providers/http-transport.ts";
import { startServer, until, type Handle, type LoopbackServer } from "./loopback-server.ts";
import { ANSWER, REQUEST, VENDORS, type VendorScript } from "./vendor-scripts.ts";

const WHOLE = ANSWER.join("");
const EVENT_STREAM = { "content-type": "text/event-stream" };

interface Play {
  readonly adapter: IdentifiedAdapter;
  readonly clock: FakeClock;
  readonly server: LoopbackServer;
  readonly abort: AbortController;
}

async function play(
  vendor: VendorScript,
  handle: Handle,
  during?: (play: Play) => Promise<void>,
  more: Partial<CallTimeouts> = {},
): Promise<string> {
  await using server = await startServer(handle);
  const clock = new FakeClock();
  const http = createHttpTransport(clock);
  const log = new MemoryLog();
  const adapter = vendor.create({ ...vendor.config, id: "p1", baseUrl: server.origin }, { clock, log, http });
  const abort = new AbortController();
  const timeouts = {
    connectMs: 1_000,
    headersMs: 3_000,
    firstContentMs: 4_000,
    idleMs: 2_000,
    totalMs: 20_000,
    ...more,
  };
  const outcome = read(adapter.chatStream(REQUEST, { signal: abort.signal, timeouts }));
  await during?.({ adapter, clock, server, abort });
  const said = await outcome;
  clock.advance(1_000);
  await adapter.close();
  await http.close();
  await until(() => server.openSockets() === 0, "all sockets closed");
  assert.equal(clock.pendingTasks, 0, "timers left behind");
  assert.equal(getEventListeners(abort.signal, "abort").length, 0, "a listener left on the caller's signal");
  assert.ok(!log.text.includes("sk-test"), "a key was logged");
  return said;
}

async function read(stream: AsyncIterable<ChatResponse>): Promise<string> {
  let text = "";
  let end = "nothing";
  try {
    for await (const batch of stream) {
      text += batch.text;
      const last = batch.parts.at(-1);
      if (last?.type === "finish") end = `finish:${last.reason}`;
      if (last?.type === "error") end = `${last.failure.code}${last.failure.partialOutput ? " after output" : ""}`;
    }
  } catch (error) {
    if (!ProviderError.is(error)) throw error;
    const { code, status, retryAfterMs, retryable } = error.failure;
    end = `thrown ${code} status=${status} retryAfterMs=${retryAfterMs} retryable=${retryable}`;
  }
  return `${text}|${end}`;
}

function streamed(
  events: readonly string[],
  end: (response: ServerResponse) => void = (response) => response.end(),
): Handle {
  return (_received, response) => {
    response.writeHead(200, EVENT_STREAM);
    for (const event of events) response.write(event);
    end(response);
  };
}

/** The same bytes in pieces of the given size, each a write of its own. */
function dribbled(text: string, size: number): Handle {
  return async (_received, response) => {
    response.writeHead(200, EVENT_STREAM);
    response.socket?.setNoDelay(true);
    const bytes = Buffer.from(text);
    for (let start = 0; start < bytes.length; start += size) {
      response.write(bytes.subarray(start, start + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  };
}

let unhandled = 0;
process.on("unhandledRejection", () => unhandled++);

for (const vendor of VENDORS) {
  const { events, firstContent, terminal } = vendor;
  const upTo = (count: number): readonly string[] => events.slice(0, count);
  const partial = firstContent + 2;
  const partialText = ANSWER.slice(0, 2).join("");

  test(`[PV1] ${vendor.name}: a whole answer`, async () => {
    assert.equal(await play(vendor, streamed(events)), `${WHOLE}|finish:stop`);
  });

  test(`[PV2] ${vendor.name}: 429 says when to come back`, async () => {
    const refuse: Handle = (_received, response) => {
      response.writeHead(429, { "content-type": "application/json", "retry-after": "2" });
      response.end(JSON.stringify({ error: { message: "slow down" } }));
    };
    assert.equal(await play(vendor, refuse), "|thrown rate_limited status=429 retryAfterMs=2000 retryable=true");
  });

  test(`[PV3] ${vendor.name}: a proxy's HTML page with 503`, async () => {
    const page: Handle = (_received, response) => {
      response.writeHead(503, { "content-type": "text/html" });
      response.end("<html><head><title>Bad gateway</title></head></html>");
    };
    assert.equal(await play(vendor, page), "|thrown capacity status=503 retryAfterMs=undefined retryable=true");
  });

  test(`[PV3] ${vendor.name}: an HTML page with 200`, async () => {
    const page: Handle = (_received, response) => {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      response.end("<html>please log in</html>");
    };
    assert.equal(await play(vendor, page), "|thrown protocol status=200 retryAfterMs=undefined retryable=true");
  });

  test(`[PV4] ${vendor.name}: reset before the headers`, async () => {
    const reset: Handle = (_received, _response, socket) => void socket.resetAndDestroy();
    assert.equal(
      await play(vendor, reset),
      "|thrown unreachable status=undefined retryAfterMs=undefined retryable=true",
    );
  });

  test(`[PV5] ${vendor.name}: reset in the middle`, async () => {
    // The reset waits until the content is on its way, or it would overtake it.
    const cut = streamed(upTo(partial), (response) => setTimeout(() => response.socket?.resetAndDestroy(), 30));
    assert.equal(await play(vendor, cut), `${partialText}|truncated after output`);
  });

  test(`[PV6] ${vendor.name}: a clean end without the terminal event`, async () => {
    assert.equal(await play(vendor, streamed(upTo(partial))), `${partialText}|truncated after output`);
    assert.equal(await play(vendor, streamed(upTo(terminal))), `${WHOLE}|truncated after output`);
    assert.equal(await play(vendor, streamed([])), "|truncated");
  });

  test(`[PV7] ${vendor.name}: an error event after 200`, async () => {
    const failing = streamed([...upTo(partial), vendor.errorEvent]);
    assert.equal(await play(vendor, failing), `${partialText}|provider_stream_error after output`);
    assert.equal(await play(vendor, streamed([vendor.errorEvent])), "|provider_stream_error");
  });

  test(`[PV8] ${vendor.name}: malformed JSON in an event`, async () => {
    const spoiled = streamed([...upTo(partial), vendor.malformedEvent, ...events.slice(partial)]);
    assert.equal(await play(vendor, spoiled), `${partialText}|protocol after output`);
  });

  test(`[PV9] ${vendor.name}: CRLF, comments, split characters, single bytes`, async () => {
    const text = events.join("");
    const crlf = text.replaceAll("\n", "\r\n");
    const commented = events.map((event) => `: keep-alive\n\n${event}:\n`).join("");
    const variants = vendor.isLines === true ? [crlf] : [crlf, text.replaceAll("\n", "\r"), commented];
    for (const variant of variants) {
      assert.equal(await play(vendor, dribbled(variant, variant.length)), `${WHOLE}|finish:stop`);
    }
    assert.equal(await play(vendor, dribbled(crlf, 1)), `${WHOLE}|finish:stop`);
    assert.equal(await play(vendor, dribbled(text, 7)), `${WHOLE}|finish:stop`);
  });

  test(`[PV10] ${vendor.name}: accepted, then nothing: the headers timer`, async () => {
    const silent: Handle = () => undefined;
    const outcome = await play(vendor, silent, async ({ server, clock }) => {
      await until(() => server.requests.length === 1, "request arrived");
      clock.advance(3_000);
      assert.equal(await server.requests[0]?.closed, "left");
    });
    assert.equal(outcome, "|thrown timeout_headers status=undefined retryAfterMs=undefined retryable=true");
  });

  test(`[PV11] ${vendor.name}: headers and lifecycle, then nothing: the first-content timer`, async () => {
    const outcome = await play(
      vendor,
      streamed(upTo(firstContent), () => undefined),
      async ({ server, clock, adapter }) => {
        await until(() => server.requests.length === 1, "request arrived");
        // Pings in between do not help: they are not content.
        clock.advance(2_000);
        assert.equal(adapter.id, "p1");
        await new Promise((resolve) => setTimeout(resolve, 30));
        clock.advance(2_000);
        assert.equal(await server.requests[0]?.closed, "left");
      },
    );
    assert.equal(outcome, "|timeout_first_token");
  });

  test(`[PV12] ${vendor.name}: content, then nothing: the idle timer`, async () => {
    const outcome = await play(
      vendor,
      streamed(upTo(partial), () => undefined),
      async ({ server, clock }) => {
        await until(() => server.requests.length === 1, "request arrived");
        await new Promise((resolve) => setTimeout(resolve, 50));
        clock.advance(2_000);
        assert.equal(await server.requests[0]?.closed, "left");
      },
    );
    assert.equal(outcome, `${partialText}|stalled after output`);
  });

  test(`[PV13] ${vendor.name}: the caller's signal reaches the server within 50 ms`, async () => {
    const outcome = await play(
      vendor,
      streamed(upTo(partial), () => undefined),
      async ({ server, abort }) => {
        await until(() => server.requests.length === 1, "request arrived");
        await new Promise((resolve) => setTimeout(resolve, 50));
        const startedMs = performance.now();
        abort.abort();
        assert.equal(await server.requests[0]?.closed, "left");
        assert.ok(performance.now() - startedMs < 50, `took ${performance.now() - startedMs} ms`);
      },
    );
    assert.equal(outcome, `${partialText}|aborted after output`);
  });

  test(`[PV13] ${vendor.name}: a signal that fired before the call sends nothing`, async () => {
    await using server = await startServer(() => undefined);
    const clock = new FakeClock();
    const http = createHttpTransport(clock);
    const adapter = vendor.create(
      { ...vendor.config, id: "p1", baseUrl: server.origin },
      { clock, log: new MemoryLog(), http },
    );
    const said = await read(adapter.chatStream(REQUEST, { signal: AbortSignal.abort() }));
    assert.equal(said, "|thrown aborted status=undefined retryAfterMs=undefined retryable=false");
    assert.deepEqual([server.requests.length, clock.pendingTasks], [0, 0]);
    await http.close();
  });

  test(`[PV14] ${vendor.name}: leaving the loop closes the connection`, async () => {
    await using server = await startServer(streamed(upTo(partial), () => undefined));
    const clock = new FakeClock();
    const http = createHttpTransport(clock);
    const adapter = vendor.create(
      { ...vendor.config, id: "p1", baseUrl: server.origin },
      { clock, log: new MemoryLog(), http },
    );
    const stream = adapter.chatStream(REQUEST) as AsyncIterableIterator<ChatResponse>;
    let text = "";
    while (text === "") text += (await stream.next()).value?.text ?? "";
    // The next read is waiting for a server that says nothing: leaving must not wait for it.
    const pending = stream.next().then(() => stream.next());
    await stream.return?.();
    assert.equal(await server.requests[0]?.closed, "left");
    assert.deepEqual(await pending, { done: true, value: undefined });
    assert.equal(clock.pendingTasks, 0);
    await http.close();
  });

  test(`[PV15] ${vendor.name}: an endless answer ends with the total timer`, async () => {
    const outcome = await play(
      vendor,
      streamed(upTo(partial), () => undefined),
      async ({ server, clock }) => {
        await until(() => server.requests.length === 1, "request arrived");
        await new Promise((resolve) => setTimeout(resolve, 50));
        clock.advance(20_000);
        assert.equal(await server.requests[0]?.closed, "left");
      },
      { idleMs: 100_000 },
    );
    assert.equal(outcome, `${partialText}|timeout_total after output`);
  });
}

test("[PV16] nothing was left to an unhandled rejection", async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(unhandled, 0);
});
