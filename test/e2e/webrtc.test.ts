// Rule RT26 of docs/spec/realtime.md: a page in a real browser calls the gateway by WebRTC, with the browser's own
// microphone and Opus.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test from "node:test";
import { chromium } from "playwright-core";
import { startDoorGateway } from "../realtime/door-gateway.ts";
import { SETUPS } from "../realtime/vendor-setups.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

/** Runs in the page: answers with the events that came and what of the answer arrived. */
async function talk(url: string): Promise<{ types: string[]; codec: string; packets: number; energy: number }> {
  const peer = new RTCPeerConnection();
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  for (const track of microphone.getTracks()) peer.addTrack(track, microphone);
  const types: string[] = [];
  peer.ontrack = ({ streams }) => {
    // Sound that nobody plays is not decoded.
    const element = new Audio();
    element.srcObject = streams[0] ?? null;
    void element.play();
  };
  const channel = peer.createDataChannel("oai-events");
  const send = (event: object): void => channel.send(JSON.stringify(event));
  const done = new Promise<void>((resolve) => {
    channel.onmessage = ({ data }: MessageEvent<string>) => {
      const { type } = JSON.parse(data) as { type: string };
      types.push(type);
      if (type === "session.created") {
        // The page's own question, so that the beeps of the fake microphone decide nothing.
        send({
          type: "session.update",
          session: { type: "realtime", tools: [], audio: { input: { turn_detection: null } } },
        });
        send({
          type: "conversation.item.create",
          item: { type: "message", role: "user", content: [{ type: "input_text", text: "hello" }] },
        });
        send({ type: "response.create" });
      } else if (type === "output_audio_buffer.stopped") resolve();
    };
  });
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/sdp" },
    body: peer.localDescription?.sdp ?? "",
  });
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 20_000))]);
  const stats = [...(await peer.getStats()).values()] as Row[];
  peer.close();
  const heard = stats.find((row) => row.type === "inbound-rtp");
  return {
    types,
    codec: stats.find((row) => row.type === "codec")?.mimeType ?? "",
    packets: heard?.packetsReceived ?? 0,
    energy: heard?.totalAudioEnergy ?? 0,
  };
}

interface Row {
  readonly type: string;
  readonly mimeType?: string;
  readonly packetsReceived?: number;
  readonly totalAudioEnergy?: number;
}

test(
  "[RT26] Chromium holds a call: events, microphone and answer",
  { skip: CHROMIUM === undefined ? "no Chromium" : false, timeout: 120_000 },
  async () => {
    const rules = [{ when: { method: "RESPONSE" }, answer: { text: "Hello there.", audioMs: 2_000 } }];
    const [, options, model] = SETUPS[0];
    const vendors = {
      openai: {
        ...options.vendors?.["openai"],
        type: "openai" as const,
        models: ["gpt-realtime-2.1-mini"],
        scenario: { rules },
      },
    };
    await using gateway = await startDoorGateway({ vendors });
    const browser = await chromium.launch({
      executablePath: CHROMIUM ?? "",
      args: [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        "--autoplay-policy=no-user-gesture-required",
      ],
    });
    try {
      const page = await browser.newPage();
      await page.goto(`http://localhost:${gateway.port}/healthz`);
      const told = await page.evaluate(
        talk,
        `http://localhost:${gateway.port}/v1/realtime/calls?model=${encodeURIComponent(model)}`,
      );
      assert.ok(told.types.includes("output_audio_buffer.started"), told.types.join());
      assert.ok(told.types.includes("output_audio_buffer.stopped"), told.types.join());
      assert.equal(told.codec, "audio/opus");
      // Two seconds in packets of 20 ms, and sound in them.
      assert.ok(told.packets >= 95 && told.packets <= 105, `${told.packets} packets`);
      assert.ok(told.energy > 0.001, `energy ${told.energy}`);
    } finally {
      await browser.close();
    }
  },
);
