// Rules WS1..WS13 of docs/spec/session.md, over real sockets on the loopback address.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GatewayError } from "@fovea/core";
import type { AnswerPart } from "@fovea/core";
import { messageLine, PARTS, sceneNode, sourceDescription } from "@fovea/core/testing";
import type { SceneNode, ServerMessage } from "@fovea/protocol";
import { OPEN, sessionLimits, startServer, XRClient } from "./xr-client.ts";

const cup = sceneNode("cup", [0, 1.6, -2]);
const room = (...nodes: readonly SceneNode[]) =>
  ({ type: "scene.update", frame: "local-floor", add: nodes, update: [], remove: [] }) as const;
const lines = (messages: readonly ServerMessage[]): string =>
  messages
    .filter((message) => "seq" in message)
    .map(messageLine)
    .join("\n");
const errorOf = (client: XRClient, code: string): Promise<ServerMessage> =>
  client.until((message) => message.type === "error" && message.code === code);

async function isAlive(client: XRClient, turnId: string): Promise<void> {
  client.ask(turnId);
  assert.match(lines(await client.done(turnId)), /done complete/);
}

test("[WS1] a question over a real socket is answered from the frozen context", async () => {
  await using server = await startServer();
  const client = await XRClient.connect(server.url);
  assert.equal(client.socket.protocol, "fovea.v1");
  client.pose();
  client.send(room(cup, sceneNode("table", [0, 0.4, -3])));
  client.pose();
  client.ask("t1");
  assert.equal(
    lines(await client.done("t1")),
    "t1#0 e1 start\nt1#1 e1 text cup of 2, tracked true\nt1#2 e1 action\nt1#3 e1 done complete",
  );
  assert.deepEqual(
    server.audit.map((record) => record.action),
    ["session-started"],
  );
  client.drop();
});

test("[WS2] a socket that does not say hello is told why and closed", async () => {
  await using server = await startServer({ limits: { helloMs: 60 } });
  const silent = new XRClient(server.url);
  assert.equal((await silent.closed()).code, 4408);
  const first = (send: (client: XRClient) => void) => async (): Promise<string> => {
    const client = new XRClient(server.url);
    await client.opened();
    send(client);
    const { code, reason } = await client.closed();
    return `${code} ${reason}`;
  };
  assert.equal(await first((client) => client.ask("t1"))(), "4400 type: the first message is hello");
  assert.equal(
    await first((client) => client.socket.send(Uint8Array.of(1, 2, 3)))(),
    "4400 type: the first message is hello",
  );
  assert.equal(await first((client) => client.socket.send("{"))(), "4400 message: expected JSON");
});

test("[WS3] another protocol version is refused with the reason", async () => {
  await using server = await startServer();
  const client = new XRClient(server.url);
  await client.opened();
  client.hello({ protocol: 99 });
  const { code, reason } = await client.closed();
  assert.equal(code, 4406);
  assert.match(reason, /^protocol: /);
  const error = client.messages[0];
  assert.ok(
    error?.type === "error" && error.fatal && error.code === "protocol_version_unsupported",
    JSON.stringify(error),
  );
});

test("[WS4] credentials are checked, also those in hello", async () => {
  await using server = await startServer({
    authenticate: (authorization) => {
      if (authorization === "Bearer good") return OPEN;
      if (authorization === "Bearer chat") return { ...OPEN, scopes: ["chat"] };
      throw new GatewayError("credentials_invalid", "no such key");
    },
  });
  const outcome = async (token: string): Promise<number> => {
    const client = new XRClient(server.url);
    await client.opened();
    client.hello({ token });
    const welcome = client
      .until((message) => message.type === "welcome")
      .then(
        () => 0,
        () => -1,
      );
    const result = await Promise.race([
      welcome,
      client.closed().then(
        ({ code }) => code,
        () => 0,
      ),
    ]);
    client.drop();
    return result === -1 ? (await client.closed()).code : result;
  };
  assert.deepEqual([await outcome("good"), await outcome("bad"), await outcome("chat")], [0, 4401, 4403]);
});

test("[WS5] bad messages and packets are answered with the field and harm nobody", async () => {
  await using server = await startServer();
  const other = await XRClient.connect(server.url);
  const client = await XRClient.connect(server.url, { inputSources: [sourceDescription(1)] });
  const fields = async (send: () => void): Promise<string> => {
    client.messages.length = 0;
    send();
    const error = await client.until((message) => message.type === "error");
    return error.type === "error" ? `${error.code} ${error.field}` : "";
  };
  const packet = client.posePacket((sample) => {
    sample.sourceCount = 1;
    sample.sources[0]!.id = 1;
    sample.sources[0]!.buttonCount = 2;
  });
  const changed = (offset: number, ...bytes: readonly number[]): Uint8Array => {
    const copy = packet.slice();
    copy.set(bytes, offset);
    return copy;
  };
  const raw = (data: string | Uint8Array) => () => client.socket.send(data);
  assert.equal(await fields(raw("{not json")), "request_invalid message");
  assert.equal(await fields(raw('{"type":"ask","turnId":7}')), "request_invalid turnId");
  assert.equal(await fields(raw("[]")), "request_invalid message");
  assert.match(await fields(raw(packet.subarray(0, packet.length - 3))), /^request_invalid sources\[0\]/);
  assert.match(await fields(raw(new Uint8Array([...packet, 0]))), /^request_invalid /);
  // 0x7fc00000 is NaN, in the x of the viewer's position.
  assert.match(await fields(raw(changed(12, 0, 0, 0xc0, 0x7f))), /^request_invalid viewer/);
  assert.match(await fields(raw(changed(31, 9))), /^request_invalid sources\[0\]/);
  assert.equal(await fields(raw(JSON.stringify(room(cup, cup)))), "request_invalid add[1].id");
  assert.match(
    await fields(raw(JSON.stringify(room({ ...cup, pose: { position: [0, 0, 0], orientation: [0, 0, 0, 3] } })))),
    /^request_invalid add\[0\]\.pose\.orientation/,
  );
  assert.match(await fields(raw(`{"type":"ask","text":"${"x".repeat(1_100_000)}"}`)), /^request_too_large message/);
  await isAlive(client, "t1");
  const big = await XRClient.connect(server.url);
  big.socket.send(new Uint8Array(16_000_000));
  assert.equal((await big.closed()).code, 1009);
  await isAlive(other, "t2");
  client.drop();
  other.drop();
});

test("[WS6] a flood ends its own connection and no other", async () => {
  await using server = await startServer();
  const other = await XRClient.connect(server.url);
  const client = await XRClient.connect(server.url);
  for (let i = 0; i < 5_000; i++) client.send({ type: "marker", name: "m", t: 1 });
  assert.equal((await client.closed()).code, 4429);
  await isAlive(other, "t1");
  const poses = await XRClient.connect(server.url);
  for (let i = 0; i < 5_000; i++) poses.pose();
  await isAlive(poses, "t1");
  other.drop();
  poses.drop();
});

async function* slowAnswer(_request: unknown, signal: AbortSignal): AsyncGenerator<AnswerPart> {
  yield PARTS.start();
  for (let i = 0; i < 40 && !signal.aborted; i++) {
    yield PARTS.text(`${i} `);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  yield PARTS.end();
}

test("[WS7] a client that lost its socket comes back to its turn, and only the same user does", async () => {
  await using server = await startServer({
    answer: slowAnswer,
    authenticate: (authorization) => ({ ...OPEN, userId: authorization ?? "local" }),
  });
  const client = await XRClient.connect(server.url);
  const welcome = await client.until((message) => message.type === "welcome");
  assert.ok(welcome.type === "welcome");
  client.ask("t1");
  await client.until((message) => message.type === "text.delta" && message.text === "5 ");
  client.drop();
  const seen = client.messages.filter((message) => "seq" in message);
  const seq = seen.at(-1)?.seq ?? -1;
  const thief = await XRClient.connect(server.url, { resumeToken: welcome.resumeToken, token: "thief" });
  const again = await XRClient.connect(server.url, {
    resumeToken: welcome.resumeToken,
    openTurns: [{ turnId: "t1", seq }],
  });
  const rest = (await again.done("t1")).filter((message) => "seq" in message);
  const [refused, resumed] = [thief, again].map((one) => one.messages.find((message) => message.type === "welcome"));
  assert.ok(refused?.type === "welcome" && !refused.resumed && refused.sessionId !== welcome.sessionId);
  assert.ok(resumed?.type === "welcome" && resumed.resumed && resumed.sessionId === welcome.sessionId);
  const said = [...seen, ...rest].flatMap((message) => (message.type === "text.delta" ? [message.text] : []));
  assert.equal(said.join(""), Array.from({ length: 40 }, (_, i) => `${i} `).join(""));
  thief.drop();
  again.drop();
});

test("[WS8] a second connection takes the session", async () => {
  await using server = await startServer();
  const first = await XRClient.connect(server.url);
  const welcome = await first.until((message) => message.type === "welcome");
  assert.ok(welcome.type === "welcome");
  const second = await XRClient.connect(server.url, { resumeToken: welcome.resumeToken });
  assert.equal((await first.closed()).code, 4409);
  assert.equal(server.socket.sessions, 1);
  await isAlive(second, "t1");
  second.drop();
});

test("[WS9] shutting down ends every session with 1012", async () => {
  const server = await startServer({ answer: slowAnswer });
  const clients = await Promise.all([1, 2, 3].map(() => XRClient.connect(server.url)));
  clients[0]!.ask("t1");
  await clients[0]!.until((message) => message.type === "text.delta");
  await server[Symbol.asyncDispose]();
  assert.deepEqual(await Promise.all(clients.map(async (client) => (await client.closed()).code)), [1012, 1012, 1012]);
  assert.ok(clients[0]!.messages.some((message) => message.type === "done" && message.outcome === "cancelled"));
});

test("[WS10] what is sent right behind hello is not lost", async () => {
  await using server = await startServer({ authenticate: () => OPEN });
  const client = new XRClient(server.url);
  await client.opened();
  client.hello();
  client.pose();
  client.send(room(cup));
  client.ask("t1");
  assert.match(lines(await client.done("t1")), /text cup of 1, tracked true/);
  client.drop();
});

test("[WS11] ten thousand entities: taken to the limit, refused beyond it", async () => {
  await using server = await startServer({ limits: sessionLimits({ sceneEntitiesMax: 9_500 }) });
  const other = await XRClient.connect(server.url);
  const client = await XRClient.connect(server.url);
  for (let block = 0; block < 10; block++) {
    const nodes = Array.from({ length: 1_000 }, (_, i) =>
      sceneNode(`e${block}-${i}`, [i % 30, block, Math.floor(i / 30)]),
    );
    client.send(room(...nodes));
  }
  const error = await errorOf(client, "request_too_large");
  assert.ok(error.type === "error" && error.field === "add" && !error.fatal);
  const startedMs = performance.now();
  await isAlive(other, "t1");
  assert.ok(performance.now() - startedMs < 1_000);
  client.ask("t1");
  assert.match(lines(await client.done("t1")), /of 9000,/);
  client.drop();
  other.drop();
});

test("[WS12] a half-open socket is closed after the silent time", async () => {
  await using server = await startServer({ limits: sessionLimits({ silentMs: 300 }) });
  const client = new XRClient(server.url, { answersPings: false });
  await client.opened();
  client.hello();
  assert.equal((await client.closed()).code, 4408);
  assert.equal(server.socket.sessions, 1, "the session waits for the client to come back");
});

test("[WS13] more sessions than the limit are refused", async () => {
  await using server = await startServer({ limits: { sessionsMax: 1 } });
  const first = await XRClient.connect(server.url);
  const second = new XRClient(server.url);
  await second.opened();
  second.hello();
  assert.equal((await second.closed()).code, 4429);
  await isAlive(first, "t1");
  first.drop();
});

test("[WS14] a fault inside one session ends it and no other", async () => {
  await using server = await startServer({
    answer: async function* broken(request): AsyncGenerator<AnswerPart> {
      yield PARTS.start();
      // What no engine may send: a haptic without its pulses.
      if (JSON.stringify(request.chat).includes("break")) yield { type: "haptic", id: "h" } as unknown as AnswerPart;
      yield PARTS.end();
    },
  });
  const other = await XRClient.connect(server.url);
  const client = await XRClient.connect(server.url);
  client.ask("t1", "break it");
  assert.equal((await client.closed()).code, 1011);
  await isAlive(other, "t2");
  assert.equal(server.socket.sessions, 1);
  assert.match(server.log.text, /an xr session failed/);
  other.drop();
});

test("[SQU4] a client whose packets are lost is asked for less", async () => {
  await using server = await startServer();
  const client = await XRClient.connect(server.url);
  for (let i = 0; i < 60; i++) client.socket.send(client.posePacket((sample) => void (sample.seq = i * 2)));
  const rates = await client.until((message) => message.type === "rates");
  assert.ok(rates.type === "rates" && rates.poseHz < 30 && rates.imageWidth !== undefined && rates.reason === "loss");
  client.drop();
});
