// Rules RT70..RT75 of docs/spec/realtime.md: jitter, loss, cables that were pulled, and a thousand clients that come and go.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect as tcp, type AddressInfo } from "node:net";
import test from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { SeededRandom } from "@fovea/core/testing";
import { NO_METER } from "@fovea/core";
import { MemoryLog } from "@fovea/core/testing";
import wrtc from "@roamhq/wrtc";
import { WebSocket } from "ws";
import { voice } from "../../packages/gateway/emulator/realtime/sound.ts";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { SystemIds } from "../../packages/gateway/src/platform/system-ids.ts";
import { attachDoors } from "../../packages/gateway/src/realtime/doors/door-socket.ts";
import { encodeMessage } from "../../packages/gateway/src/realtime/rtvi/frame-codec.ts";
import { startDoorGateway } from "./door-gateway.ts";
import { tcpRelay, udpRelay } from "./impairment.ts";
import { inRealTime, Seen } from "./realtime-clients.ts";
import { CASCADE, OPENAI_MODEL } from "./vendor-setups.ts";

const SEED = 7;

interface Event {
  readonly type: string;
  readonly [name: string]: unknown;
}

test("[RT70] with jitter up to 80 ms both ways a spoken conversation keeps its order and comes to its end", async () => {
  const random = new SeededRandom(SEED);
  await using gateway = await startDoorGateway(CASCADE);
  await using relay = await tcpRelay(gateway.port, 80, random);
  const socket = new WebSocket(`ws://127.0.0.1:${relay.port}/v1/realtime?model=openai/gpt-5.4-mini`);
  const seen = new Seen<Event>();
  socket.on("message", (data: Buffer) => seen.push(JSON.parse(data.toString()) as Event));
  await seen.until("session.created");
  const append = (pcm: Uint8Array): void =>
    socket.send(JSON.stringify({ type: "input_audio_buffer.append", audio: Buffer.from(pcm).toString("base64") }));
  await inRealTime([voice(900), new Uint8Array(1_200 * 48)], append);
  const transcript = await seen.until("response.done", undefined, 12_000);
  assert.match(JSON.stringify(transcript), /"status":"completed"/);
  const types = seen.all.map((event) => event.type);
  assert.ok(types.indexOf("input_audio_buffer.speech_started") < types.indexOf("input_audio_buffer.speech_stopped"));
  assert.ok(types.indexOf("input_audio_buffer.committed") < types.indexOf("response.created"));
  socket.close();
});

test("[RT71] a client that has gone without a word is let go", async () => {
  const server = createServer();
  const clock = new SystemClock();
  let closed = 0;
  const door = {
    protocol: "test",
    path: /^\/test$/,
    chooseSubprotocol: () => false as const,
    open: () => ({ text: () => {}, binary: () => {}, closed: () => void closed++ }),
  };
  const principal = { tenantId: "t", userId: "u", scopes: ["session"], via: "open" } as const;
  const parts = { authenticate: () => principal, clock, ids: new SystemIds(), log: new MemoryLog(), meter: NO_METER };
  const doors = attachDoors(server, [door], { ...parts, limits: { pingMs: 30, silenceMs: 100 } });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // It speaks the handshake and never answers a ping; another one does.
  const silent = tcp(port, "127.0.0.1");
  silent.write(
    "GET /test HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  silent.resume();
  const living = new WebSocket(`ws://127.0.0.1:${port}/test`);
  await new Promise((resolve) => living.on("open", resolve));
  assert.equal(doors.sessions, 2);
  await new Promise((resolve) => silent.on("close", resolve));
  await new Promise((resolve) => setTimeout(resolve, 250));
  assert.equal(closed, 1);
  assert.equal(doors.sessions, 1, "who answers pings stays");
  living.terminate();
  await doors.close("over");
  server.close();
});

test("[RT72] a call with 5 % loss, jitter up to 40 ms and reordering is heard on both sides", async () => {
  const random = new SeededRandom(SEED);
  await using gateway = await startDoorGateway({ ...CASCADE });
  const peer = new wrtc.RTCPeerConnection();
  const source = new wrtc.nonstandard.RTCAudioSource();
  peer.addTrack(source.createTrack() as never);
  const channel = peer.createDataChannel("oai-events");
  let loudMs = 0;
  let sink: { stop(): void } | undefined;
  peer.ontrack = ({ track }: { track: unknown }) => {
    const made = new wrtc.nonstandard.RTCAudioSink(track as never);
    made.ondata = ({ samples }: { samples: Int16Array }) => {
      if (samples.some((sample) => Math.abs(sample) > 500)) loudMs += 10;
    };
    sink = made;
  };
  const seen = new Seen<Event>();
  channel.onmessage = ({ data }: { data: string }) => seen.push(JSON.parse(data) as Event);
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  const url = `http://127.0.0.1:${gateway.port}/v1/realtime/calls?model=openai/gpt-5.4-mini`;
  const answer = await (
    await fetch(url, { method: "POST", headers: { "content-type": "application/sdp" }, body: offer.sdp ?? "" })
  ).text();
  const candidate = /a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host/i.exec(answer);
  const relay = await udpRelay(Number(candidate?.[1]), { loss: 0.05, jitterMs: 40 }, random);
  const rewritten = answer
    .replaceAll(/a=candidate:.*\r\n/g, "")
    .replaceAll(/(a=ice-pwd:.*\r\n)/g, `$1a=candidate:1 1 udp 2130706431 127.0.0.1 ${relay.port} typ host\r\n`);
  await peer.setRemoteDescription({ type: "answer", sdp: rewritten });
  await seen.until("session.created", undefined, 12_000);
  const speech = new Int16Array(voice(1_200, 0, 48_000).buffer);
  const silence = new Int16Array(48_000 * 2);
  const whole = Int16Array.from([...speech, ...silence]);
  const startedMs = performance.now();
  for (let at = 0; at + 480 <= whole.length; at += 480) {
    while (performance.now() - startedMs < at / 48) await new Promise((resolve) => setTimeout(resolve, 4));
    source.onData({
      samples: whole.slice(at, at + 480),
      sampleRate: 48_000,
      bitsPerSample: 16,
      channelCount: 1,
      numberOfFrames: 480,
    });
  }
  await seen.until("response.function_call_arguments.done", undefined, 10_000);
  const call = seen.take("response.function_call_arguments.done")[0];
  const send = (event: object): void => channel.send(JSON.stringify(event));
  send({
    type: "conversation.item.create",
    item: { type: "function_call_output", call_id: call?.["call_id"], output: "a cup" },
  });
  send({ type: "response.create" });
  await seen.until("output_audio_buffer.started", undefined, 10_000);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assert.ok(relay.lost() > 5, `${relay.lost()} packets were lost`);
  assert.ok(loudMs > 1_500, `${loudMs} ms of the answer were heard`);
  sink?.stop();
  peer.close();
  relay.close();
});

function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc();
}

const resources = (name: string): number => process.getActiveResourcesInfo().filter((item) => item === name).length;

test("[RT73] a thousand clients come and go: no socket, no timer and no memory stays behind", async () => {
  await using gateway = await startDoorGateway({
    vendors: { openai: { type: "openai", models: [OPENAI_MODEL, "gpt-5.4-mini"] } },
  });
  const paths = [
    `/v1/realtime?model=${OPENAI_MODEL}`,
    "/v1/realtime?model=openai/gpt-5.4-mini",
    "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
    `/rtvi?model=${OPENAI_MODEL}`,
  ];
  const visit = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const kind = index % paths.length;
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${paths[kind]}`);
      socket.on("error", reject);
      socket.on("open", () => {
        const audio = Buffer.from(voice(60)).toString("base64");
        if (kind < 2) socket.send(JSON.stringify({ type: "input_audio_buffer.append", audio }));
        else if (kind === 2) socket.send(JSON.stringify({ setup: { model: "models/openai/gpt-5.4-mini" } }));
        else
          socket.send(
            encodeMessage(
              JSON.stringify({ label: "rtvi-ai", type: "client-ready", id: "1", data: { version: "2.1.0" } }),
            ),
          );
      });
      // Half of them leave properly, half are gone.
      socket.once("message", () => (index % 2 === 0 ? socket.close() : socket.terminate()));
      socket.on("close", () => resolve());
    });
  const round = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 20)
      await Promise.all(Array.from({ length: 20 }, (_, index) => visit(at + index)));
  };
  const settle = async (): Promise<void> => {
    for (let wait = 0; wait < 200 && resources("TCPSocketWrap") > sockets; wait++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    collect();
  };
  const sockets = resources("TCPSocketWrap");
  await round(200);
  await settle();
  const before = { timers: resources("Timeout"), heap: process.memoryUsage().heapUsed };
  await round(1_000);
  await settle();
  const after = { timers: resources("Timeout"), heap: process.memoryUsage().heapUsed };
  const grownKb = (after.heap - before.heap) / 1024;
  console.log(
    `1,000 connects: sockets ${sockets} -> ${resources("TCPSocketWrap")}, timers ${before.timers} -> ${after.timers}, heap ${grownKb.toFixed(0)} kB`,
  );
  assert.ok(resources("TCPSocketWrap") <= sockets, "sockets");
  assert.ok(after.timers <= before.timers + 2, "timers");
  // The emulator keeps a record of every call; a session that stayed would hold ten times as much.
  assert.ok(grownKb < 6_000, `${grownKb} kB`);
});
