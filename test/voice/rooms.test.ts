// Rules ROO1..ROO5 of docs/spec/voice.md: several headsets in one room, over real sockets, with a recogniser, a model and a
// voice that are scripted.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { XRRequest } from "@fovea/core";
import { PARTS } from "@fovea/core/testing";
import type { ServerOptions, TestServer } from "../realtime/xr-client.ts";
import { startServer } from "../realtime/xr-client.ts";
import { tone } from "./scripted-voice.ts";
import type { Heard } from "./voice-client.ts";
import { VoiceClient } from "./voice-client.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A voice of the given pitch; the recogniser here tells people apart by it. */
function voiceOf(hz: number, ms = 700, amplitude = 9_000): Int16Array {
  let phase = 0;
  return Int16Array.from({ length: 16 * ms }, () => {
    phase += hz / 16_000;
    return ((phase % 1) - 0.5) * amplitude;
  });
}

/** Says what the person of that pitch was given to say. */
function scripted(says: Map<number, string>, requests: XRRequest[]): ServerOptions {
  return {
    listModels: () => [
      { name: "fake/ear", providerId: "fake", features: ["transcribe"] },
      { name: "fake/voice", providerId: "fake", features: ["speak"] },
    ],
    perform: async (request) => {
      const { text = "", audio } = request.input as { text?: string; audio?: { bytes: Uint8Array } };
      const result =
        audio !== undefined
          ? { text: says.get(pitchOf(audio.bytes, [...says.keys()])) ?? "", words: [], isComplete: true, warnings: [] }
          : {
              mime: "audio/pcm",
              sampleRateHz: 24_000,
              stream: tone(text),
              warnings: [],
              usage: Promise.resolve(undefined),
            };
      return { result, providerId: "fake", model: "m", cost: { microUsd: 0, source: "free" }, plan: {} } as never;
    },
    answer: async function* (request) {
      requests.push(request);
      const asked = request.chat.messages.at(-1)?.content[0];
      yield PARTS.start();
      yield PARTS.text(`Answer to ${asked?.type === "text" ? asked.text : ""}.`);
      yield PARTS.end();
    },
  };
}

/** Nearest of the pitches by rising zero crossings of the loud part. */
function pitchOf(wav: Uint8Array, pitches: readonly number[]): number {
  const samples = new Int16Array(wav.slice(44).buffer);
  let crossings = 0;
  let loud = 0;
  for (let i = 1; i < samples.length; i++) {
    if (Math.abs(samples[i] as number) > 400) loud++;
    if (
      (samples[i - 1] as number) < 0 &&
      (samples[i] as number) >= 0 &&
      Math.abs(samples[Math.max(0, i - 20)] as number) > 400
    )
      crossings++;
  }
  const hz = loud === 0 ? 0 : (crossings / loud) * 16_000;
  return pitches.reduce((best, candidate) => (Math.abs(candidate - hz) < Math.abs(best - hz) ? candidate : best));
}

async function enter(server: TestServer, id: string, name: string): Promise<VoiceClient> {
  const client = await VoiceClient.connect(server.url, { room: { id, name } });
  client.listen();
  return client;
}

const texts = (client: VoiceClient): string[] =>
  client.heard.flatMap(({ message }) => (message.type === "text.delta" ? [message.text] : []));
const overheard = (client: VoiceClient): string[] =>
  client.heard.flatMap(({ message }) =>
    message.type === "transcript" && message.speaker !== undefined ? [`${message.speaker}: ${message.text}`] : [],
  );
const says =
  (text: string) =>
  ({ message }: Heard): boolean =>
    message.type === "text.delta" && message.text.includes(text);

test(
  "[ROO1] [ROO2] who names the agent is answered, and everybody in the room hears it",
  { timeout: 60_000 },
  async () => {
    const words = new Map([
      [110, "computer where is the lamp"],
      [200, "i had soup for lunch"],
    ]);
    const requests: XRRequest[] = [];
    await using server = await startServer(scripted(words, requests));
    await using anna = await enter(server, "workshop", "Anna");
    await using ben = await enter(server, "workshop", "Ben");
    await using carl = await enter(server, "elsewhere", "Carl");
    await pause(600);
    ben.say(voiceOf(200));
    await anna.until(({ message }) => message.type === "transcript" && message.speaker === "Ben", 10_000);
    assert.equal(requests.length, 0);
    anna.say(voiceOf(110));
    await ben.until(says("Answer to computer where is the lamp"), 15_000);
    assert.deepEqual(overheard(ben), ["Anna: computer where is the lamp"]);
    assert.ok(ben.items.length <= 1);
    await ben.until(({ message }) => message.type === "audio", 5_000);
    assert.deepEqual([texts(carl), overheard(carl)], [[], []]);
  },
);

test(
  "[ROO3] [ROO4] while one is answered another waits, and then is answered with what was said before",
  { timeout: 60_000 },
  async () => {
    const words = new Map([
      [110, "computer what is this"],
      [200, "computer and what is that"],
    ]);
    const requests: XRRequest[] = [];
    await using server = await startServer(scripted(words, requests));
    await using anna = await enter(server, "workshop", "Anna");
    await using ben = await enter(server, "workshop", "Ben");
    await pause(600);
    anna.say(voiceOf(110));
    await pause(500);
    ben.say(voiceOf(200, 700, 14_000));
    await ben.until(says("Answer to computer and what is that"), 20_000);
    assert.equal(requests.length, 2);
    assert.match(JSON.stringify(requests[1]?.chat.messages), /Anna: computer what is this/);
  },
);

test("[ROO5] who is alone need not name the agent", { timeout: 60_000 }, async () => {
  const words = new Map([
    [110, "where is the lamp"],
    [200, "computer what is that"],
  ]);
  const requests: XRRequest[] = [];
  await using server = await startServer(scripted(words, requests));
  await using anna = await enter(server, "workshop", "Anna");
  await pause(600);
  anna.say(voiceOf(110));
  await anna.until(says("Answer to where is the lamp"), 10_000);
});
