// What does a session cost beside receiving its packets? CPU microseconds a pose packet with two hands (441 bytes), of a
// bare ws server that only decodes and of the gateway's session, in interleaved rounds on one machine.
//   npm run bench -- pose-ingest [sessions=60] [hz=30] [rounds=5] [seconds=5]
// Falsified by a median ratio above 1.5 on an otherwise idle machine.
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { join } from "node:path";
import { helloMessage, sceneNode, SeededRandom } from "@fovea/core/testing";
import { WebSocket } from "ws";
import { buildPosePackets, POSE_SOURCES } from "./pose-packets.ts";

const [sessions, hz, rounds, seconds] = [60, 30, 5, 5].map((value, index) =>
  Number(process.argv[index + 2] ?? value),
) as [number, number, number, number];

interface Report {
  readonly cpuMicros: number;
  readonly packets: number;
  readonly heapUsed: number;
  readonly rss: number;
}

interface Target {
  readonly name: string;
  readonly child: ChildProcess;
  readonly sockets: readonly WebSocket[];
  /** Packets each socket has sent. */
  readonly sent: Uint32Array;
  readonly micros: number[];
}

const PACKETS = buildPosePackets(256);
const WARM_PACKETS = 40_000;

const targets = [await open("bare", "bare-server.ts"), await open("session", "session-server.ts")];
// Warm-up by count: cold code costs a multiple, and a slow rate warms slowly.
for (const target of targets) await play(target, WARM_PACKETS / (sessions * hz));
for (const target of targets) await report(target.child);
for (let round = 0; round < rounds; round++) {
  for (const target of round % 2 === 0 ? targets : [...targets].reverse()) {
    const before = await report(target.child);
    await play(target, seconds);
    const after = await report(target.child);
    target.micros.push(after.cpuMicros / (after.packets - before.packets));
  }
}
const [bare, session] = targets as [Target, Target];
const ratios = session.micros.map((micros, round) => micros / (bare.micros[round] as number));
console.log(`${sessions} sessions at ${hz} Hz, ${PACKETS[0]?.length} bytes a packet, ${rounds} rounds of ${seconds} s`);
for (const target of targets) {
  console.log(
    `${target.name.padEnd(8)} ${median(target.micros).toFixed(1)} us CPU a packet (${target.micros.map((m) => m.toFixed(1)).join(" ")})`,
  );
}
console.log(`ratio    ${median(ratios).toFixed(2)} median, ${Math.min(...ratios).toFixed(2)} best (goal: at most 1.5)`);
for (const target of targets) {
  for (const socket of target.sockets) socket.terminate();
  target.child.send("exit");
}

async function open(name: string, file: string): Promise<Target> {
  const child = fork(join(import.meta.dirname, file), { execArgv: ["--conditions=@fovea/source"] });
  const port = await new Promise<number>((resolve) =>
    child.once("message", (m) => resolve((m as { port: number }).port)),
  );
  const sockets: WebSocket[] = [];
  for (let i = 0; i < sessions; i++) sockets.push(await connect(port));
  return { name, child, sockets, sent: new Uint32Array(sessions), micros: [] };
}

async function connect(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/xr`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const welcomed = new Promise((resolve) => socket.once("message", resolve));
  socket.send(JSON.stringify(helloMessage({ inputSources: POSE_SOURCES })));
  await welcomed;
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { type: string; id: number };
    const t = performance.now();
    if (message.type === "ping") socket.send(JSON.stringify({ type: "pong", id: message.id, t1: t, t2: t }));
  });
  const random = new SeededRandom(4);
  const add = Array.from({ length: 40 }, (_, i) =>
    sceneNode(
      `e${i}`,
      [(random.next() - 0.5) * 6, random.next() * 2, (random.next() - 0.5) * 6],
      {},
      0.2 + random.next(),
    ),
  );
  socket.send(JSON.stringify({ type: "scene.update", frame: "local-floor", add, update: [], remove: [] }));
  return socket;
}

/** Sends evenly: every session at the rate, each with its own phase, each a movement without jumps. */
function play(target: Target, forSeconds: number): Promise<void> {
  const startedMs = performance.now();
  const next = target.sockets.map((_, index) => startedMs + (index / sessions) * (1_000 / hz));
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const nowMs = performance.now();
      target.sockets.forEach((socket, index) => {
        while ((next[index] as number) <= nowMs) {
          next[index] = (next[index] as number) + 1_000 / hz;
          const sent = target.sent[index] as number;
          target.sent[index] = sent + 1;
          const packet = Buffer.from(PACKETS[(sent + index * 37) % PACKETS.length] as Uint8Array);
          packet.writeDoubleLE(nowMs, 2);
          packet.writeUInt16LE(sent & 0xffff, 10);
          socket.send(packet);
        }
      });
      if (nowMs - startedMs < forSeconds * 1_000) return;
      clearInterval(timer);
      setTimeout(resolve, 200);
    }, 4);
  });
}

function report(child: ChildProcess): Promise<Report> {
  child.send("report");
  return new Promise((resolve) => child.once("message", (message) => resolve(message as Report)));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
