// Rules RT20..RT24 of docs/spec/realtime.md: the agents SDK over WebRTC, with libwebrtc in place of the browser.
import assert from "node:assert/strict";
import test from "node:test";
import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import wrtc from "@roamhq/wrtc";
import { WebSocket } from "ws";
import { voice } from "../../packages/gateway/emulator/realtime/sound.ts";
import { RtpOrder } from "../../packages/gateway/src/realtime/webrtc/rtp-order.ts";
import { startDoorGateway } from "./door-gateway.ts";
import { Seen } from "./realtime-clients.ts";
import { SETUPS } from "./vendor-setups.ts";

interface Event {
  readonly type: string;
  readonly [name: string]: unknown;
}

/** A microphone that says what it is told, in the 10 ms pieces of the library. */
class Microphone {
  readonly #source = new wrtc.nonstandard.RTCAudioSource();
  readonly track = this.#source.createTrack();
  #waiting: Int16Array = new Int16Array(0);
  readonly #timer: NodeJS.Timeout;
  #sentMs = 0;
  readonly #startedMs = performance.now();

  constructor() {
    this.#timer = setInterval(() => {
      for (; this.#startedMs + this.#sentMs < performance.now(); this.#sentMs += 10) this.#send();
    }, 5);
  }

  say(pcm: Uint8Array): void {
    this.#waiting = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.byteLength >> 1);
  }

  #send(): void {
    const samples = new Int16Array(480);
    samples.set(this.#waiting.subarray(0, 480));
    this.#waiting = this.#waiting.subarray(480);
    this.#source.onData({ samples, sampleRate: 48_000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480 });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.track.stop();
  }
}

async function call(
  port: number,
  options: { apiKey?: string; query?: string; tools?: ReturnType<typeof tool>[] } = {},
) {
  const scope = globalThis as unknown as Record<string, unknown>;
  scope["RTCPeerConnection"] ??= wrtc.RTCPeerConnection;
  const microphone = new Microphone();
  const heard = { loudMs: 0 };
  let sink: { stop(): void } | undefined;
  const speaker = {
    autoplay: false,
    set srcObject(stream: { getAudioTracks(): unknown[] }) {
      const made = new wrtc.nonstandard.RTCAudioSink(stream.getAudioTracks()[0] as never);
      made.ondata = ({ samples }: { samples: Int16Array }) => {
        if (samples.some((sample) => Math.abs(sample) > 500)) heard.loudMs += 10;
      };
      sink = made;
    },
  };
  const transport = new OpenAIRealtimeWebRTC({
    baseUrl: `http://127.0.0.1:${port}/v1/realtime/calls${options.query ?? ""}`,
    mediaStream: new wrtc.MediaStream([microphone.track]) as never,
    audioElement: speaker as never,
    useInsecureApiKey: true,
  });
  const agent = new RealtimeAgent({ name: "guide", instructions: "Be brief.", tools: (options.tools ?? []) as never });
  const session = new RealtimeSession(agent, { transport, model: "openai/gpt-realtime-2.1-mini" });
  const seen = new Seen<Event>();
  session.transport.on("*", (event) => seen.push(event as unknown as Event));
  const failures: unknown[] = [];
  session.on("error", (error) => failures.push(error));
  const startedMs = performance.now();
  await session.connect({ apiKey: options.apiKey ?? "unused" });
  return {
    session,
    transport,
    seen,
    microphone,
    heard,
    failures,
    connectMs: performance.now() - startedMs,
    close: () => {
      session.close();
      sink?.stop();
      microphone.stop();
    },
  };
}

for (const [name, options, model] of [SETUPS[0], SETUPS[2]] as const) {
  test(`[RT20] [RT21] the agents SDK calls by WebRTC and speaks to ${name}`, async () => {
    await using gateway = await startDoorGateway(options);
    const looked: unknown[] = [];
    const look = tool({
      name: "look",
      description: "looks",
      parameters: {
        type: "object",
        properties: { at: { type: "string" } },
        required: ["at"],
        additionalProperties: false,
      },
      strict: true,
      execute: async (args) => {
        looked.push(args);
        return "a cup";
      },
    });
    const line = await call(gateway.port, { query: `?model=${encodeURIComponent(model)}`, tools: [look as never] });
    line.microphone.say(voice(900, 0, 48_000));
    await line.seen.until("input_audio_buffer.speech_started", undefined, 10_000);
    const started = await line.seen.until("output_audio_buffer.started", undefined, 10_000);
    assert.deepEqual(looked, [{ at: "cup" }]);
    await line.seen.until("response.output_audio_transcript.delta");
    assert.equal(line.seen.take("response.output_audio.delta").length, 0, "the sound is on the track");
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.ok(line.heard.loudMs > 200, `${line.heard.loudMs} ms were heard`);
    // Its own stop: what has not left is dropped, and the client is told.
    line.session.interrupt();
    const cleared = await line.seen.until("output_audio_buffer.cleared");
    assert.equal(cleared["response_id"], started["response_id"]);
    assert.deepEqual(line.failures, []);
    line.close();
  });
}

test("[RT22] an ephemeral key opens a call with the session it was made for; a server may watch and hang up", async () => {
  await using gateway = await startDoorGateway({ ...SETUPS[0][1], key: "key-of-the-app" });
  const origin = `http://127.0.0.1:${gateway.port}`;
  const headers = { authorization: "Bearer key-of-the-app", "content-type": "application/json" };
  const session = { type: "realtime", model: SETUPS[0][2], instructions: "Speak of cups only." };
  const made = await fetch(`${origin}/v1/realtime/client_secrets`, {
    method: "POST",
    headers,
    body: JSON.stringify({ session }),
  });
  const { value } = (await made.json()) as { value: string };
  assert.match(value, /^ek_/);
  const line = await call(gateway.port, { apiKey: value });
  const created = line.seen.take("session.created")[0] ?? (await line.seen.until("session.created"));
  assert.match(JSON.stringify(created), /Speak of cups only/);
  const callId = line.transport.callId ?? "";
  assert.match(callId, /^rtc_/);
  const watcher = new WebSocket(`ws://127.0.0.1:${gateway.port}/v1/realtime?call_id=${callId}`, { headers });
  const watched = new Seen<Event>();
  watcher.on("message", (data: Buffer) => watched.push(JSON.parse(data.toString()) as Event));
  await new Promise((resolve) => watcher.on("open", resolve));
  line.session.sendMessage("hello");
  await watched.until("conversation.item.added");
  const closed = new Promise((resolve) => watcher.on("close", resolve));
  const unknown = await fetch(`${origin}/v1/realtime/calls/${callId}/refer`, { method: "POST", headers, body: "{}" });
  assert.equal(unknown.status, 422);
  const hangup = await fetch(`${origin}/v1/realtime/calls/${callId}/hangup`, { method: "POST", headers, body: "{}" });
  assert.equal(hangup.status, 200);
  await closed;
  line.close();
});

test("[RT23] an offer that is none, and a call that is nobody's, are refused with a message", async () => {
  await using gateway = await startDoorGateway();
  const url = `http://127.0.0.1:${gateway.port}/v1/realtime/calls`;
  const sdp = { "content-type": "application/sdp" };
  for (const [body, path, status] of [
    ["", "", 400],
    ["hello", "", 400],
    ["v=0\r\nnonsense", "", 400],
    ["v=0\r\nm=audio", "?model=there-is-none", 404],
    ["", "/rtc_none/hangup", 404],
  ] as const) {
    const response = await fetch(url + path, { method: "POST", headers: sdp, body });
    assert.equal(response.status, status, `${body} ${path}`);
    assert.match(JSON.stringify(await response.json()), /"message":/);
  }
});

function order(...sequences: number[]): string {
  const buffer = new RtpOrder();
  const out = sequences.flatMap((sequence) => buffer.push(sequence, Uint8Array.from([sequence & 0xff])));
  return out.map((packet) => (packet === "lost" ? "x" : String(packet[0]))).join(" ");
}

test("[RT24] packets are put in order; late and doubled ones are dropped, missing ones told", () => {
  assert.equal(order(1, 2, 3), "1 2 3");
  assert.equal(order(1, 3, 2, 4), "1 2 3 4");
  assert.equal(order(1, 3, 4, 5, 2, 6), "1 x 3 4 5 6");
  assert.equal(order(1, 2, 2, 3, 1), "1 2 3");
  assert.equal(order(65_534, 65_535, 0, 1), "254 255 0 1");
  assert.equal(order(1, 2, 30_000, 30_001), "1 2 48 49");
});
