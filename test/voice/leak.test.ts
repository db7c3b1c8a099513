// Rule XV11 of docs/spec/voice.md: a thousand headsets that connect, speak, are answered and go leave nothing behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { GatewayError, SESSION_LIMITS } from "@fovea/core";
import { helloMessage, PARTS } from "@fovea/core/testing";
import { encodeAudioPacket } from "@fovea/protocol";
import { WebSocket } from "ws";
import type { ServerOptions } from "../realtime/xr-client.ts";
import { startServer } from "../realtime/xr-client.ts";
import { tone } from "./scripted-voice.ts";

const CONNECTS = 1_000;
const AT_ONCE = 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const options: ServerOptions = {
  listModels: () => [
    { name: "fake/ear", providerId: "fake", features: ["transcribe"] },
    { name: "fake/voice", providerId: "fake", features: ["speak"] },
  ],
  perform: async (request) => {
    const { text = "" } = request.input as { text?: string };
    const result =
      request.operation === "transcribe"
        ? { text: "what is that", words: [], isComplete: true, warnings: [] }
        : {
            mime: "audio/pcm",
            sampleRateHz: 24_000,
            stream: tone(text),
            warnings: [],
            usage: Promise.resolve(undefined),
          };
    return { result, providerId: "fake", model: "m", cost: { microUsd: 0, source: "free" }, plan: {} } as never;
  },
  answer: async function* (_request, signal) {
    yield PARTS.start();
    if (signal.aborted) throw new GatewayError("request_cancelled", "gone");
    yield PARTS.text("It is a lamp, and quite a long sentence about it.");
    yield PARTS.end();
  },
  limits: { session: { ...SESSION_LIMITS, resumeMs: 50 } },
};

/** Says hello, half a second of sound with the button held, hears the first packets of the answer, and is gone. */
async function visit(url: string): Promise<number> {
  const socket = new WebSocket(url, "fovea.v1", { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => socket.once("open", () => resolve()).once("error", reject));
  socket.send(JSON.stringify(helloMessage()));
  let packets = 0;
  const heard = new Promise<void>((resolve) => {
    socket.on("message", (_data: Buffer, isBinary: boolean) => {
      if (isBinary && ++packets === 3) resolve();
    });
    socket.once("close", () => resolve());
    setTimeout(resolve, 5_000).unref();
  });
  socket.send(JSON.stringify({ type: "push-to-talk", phase: "start", t: performance.now() }));
  const startMs = performance.now();
  for (let seq = 0; seq < 25; seq++) {
    const samples = Int16Array.from({ length: 320 }, (_, i) => 4_000 * Math.sin((seq * 320 + i) / 18));
    const payload = new Uint8Array(samples.buffer);
    socket.send(
      encodeAudioPacket({ codec: "pcm16-16k", streamId: 1, seq, epoch: 0, t0: startMs + seq * 10, payload }, "up"),
    );
  }
  await new Promise((resolve) => setTimeout(resolve, 600));
  socket.send(JSON.stringify({ type: "push-to-talk", phase: "end", t: performance.now() }));
  await heard;
  socket.terminate();
  return packets;
}

test("[XV11] a thousand visits leave nothing behind", { timeout: 180_000 }, async () => {
  await using server = await startServer(options);
  const used: number[] = [];
  let answered = 0;
  for (let done = 0; done < CONNECTS; done += AT_ONCE) {
    const packets = await Promise.all(Array.from({ length: AT_ONCE }, () => visit(server.url)));
    answered += packets.filter((count) => count >= 3).length;
    if (done % 200 !== 200 - AT_ONCE) continue;
    await new Promise((resolve) => setTimeout(resolve, 150));
    collect();
    used.push(process.memoryUsage().heapUsed / 1e6);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  // On a machine that stands still for a moment a button may have been held too briefly to mean anything.
  assert.ok(answered >= CONNECTS * 0.98, `${answered} answered`);
  assert.equal(server.socket.sessions, 0);
  // The first two hundred warm everything up; from then on nothing grows but what the runtime compiles.
  const grown = (used.at(-1) ?? 0) - (used[0] ?? 0);
  console.log(`heap after each 200 visits: ${used.map((mb) => mb.toFixed(1)).join(", ")} MB`);
  assert.ok(grown < 6, `${grown.toFixed(1)} MB in 800 visits`);
  const timers = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  assert.ok(timers < 20, `${timers} timers`);
});
