// Ten minutes of an agent that talks while its own voice comes back at -10 dB through a room with a tail, late by 150 ms,
// and nobody else speaks. Every lowering and every ending of the answer is the agent interrupting itself. On a fake clock.
import { SeededRandom } from "@fovea/core/testing";
import { openVoice } from "../../packages/gateway/src/realtime/voice/open-voice.ts";
import type { VoiceOutputPort } from "../../packages/gateway/src/realtime/voice/voice-port.ts";
import { levelDb, NO_CONTEXT, NO_METER, Resampler, TimedAudio } from "@fovea/core";
import { pcm16 } from "../../packages/gateway/src/audio/wav.ts";
import { CountingIds, FakeClock, LOCAL_PRINCIPAL, MemoryLog, settle } from "@fovea/core/testing";
import { spoken } from "../../test/voice/spoken.ts";

const TEXT =
  "The couch stands at your left, about two metres away. Next to it there is a lamp, and behind the lamp you find the window.";
const RATE = 16_000;

/** A recogniser makes words of what is loud enough, and nothing of a residue. */
function levelOf(request: { readonly input: object }): number {
  const { audio } = request.input as { audio?: { bytes: Uint8Array } };
  return audio === undefined ? -96 : levelDb(pcm16(audio.bytes, 44));
}

export async function measureEcho(minutes: number, couplingDb = -10): Promise<void> {
  const speech = [await spoken(TEXT, "slt"), await spoken(TEXT, "rms"), await spoken(TEXT, "awb")];
  const clock = new FakeClock(10_000);
  const room = new TimedAudio(RATE, 4_000);
  const counts = { duck: 0, flush: 0, answers: 0, heard: 0 };
  const ducks: number[] = [];
  const down = new Resampler({ fromHz: 24_000, toHz: RATE });
  let playMs = 0;
  let restMs = 0;
  const output = new Proxy({} as VoiceOutputPort, {
    get: (_, name) => (event: { pcm?: Int16Array; startMs?: number; reason?: string }) => {
      if (process.env["SHOW"] !== undefined && name !== "audio" && name !== "wordMark")
        console.log(clock.monotonicMs() - 10_000, name, JSON.stringify(event).slice(0, 150));
      if (name === "duck") {
        counts.duck++;
        ducks.push(Math.round((clock.monotonicMs() - 10_000) / 1_000));
      }
      if (name === "turnDone" && event.reason === "turn_detected") counts.flush++;
      if (name === "flush") {
        room.cutAfter(clock.monotonicMs());
      }
      // A breath, and the next answer.
      if (name === "turnDone") restMs = 700;
      if (name === "transcriptDone") counts.heard++;
      if (name === "audio" && event.pcm !== undefined) {
        if (event.startMs === 0) playMs = clock.monotonicMs() + 60;
        room.push(down.process(event.pcm), playMs + (event.startMs ?? 0));
      }
    },
  });
  let spokenCount = 0;
  async function* speak(): AsyncGenerator<Uint8Array> {
    const samples = new Resampler({ fromHz: RATE, toHz: 24_000 }).process(
      speech[spokenCount++ % speech.length] as Int16Array,
    );
    yield new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  }
  const served = {
    providerId: "fake",
    model: "fake",
    cost: { microUsd: 0, source: "free" },
    plan: { cells: [], reason: "" },
  };
  const handle = openVoice({
    engine: {
      answer: () => {
        throw new Error("nobody asks");
      },
      perform: async (request) =>
        ({
          ...served,
          result: {
            mime: "audio/pcm",
            sampleRateHz: 24_000,
            stream: speak(),
            warnings: [],
            usage: Promise.resolve(undefined),
            text: levelOf(request) > -45 ? "the couch stands" : "",
          },
        }) as never,
      listModels: () => [
        { name: "fake/ear", providerId: "fake", features: ["transcribe"] },
        { name: "fake/voice", providerId: "fake", features: ["speak"] },
      ],
    },
    clock,
    ids: new CountingIds(),
    log: new MemoryLog(),
    meter: NO_METER,
    principal: LOCAL_PRINCIPAL,
    context: () => NO_CONTEXT,
    settings: { playback: "estimated" },
    output,
  });
  const random = new SeededRandom(9);
  const taps = Array.from({ length: 640 }, (_, i) => (i === 0 ? 1 : 0.3 * random.gaussian() * Math.exp(-i / 130)));
  const gain = 10 ** (couplingDb / 20) / Math.sqrt(taps.reduce((sum, tap) => sum + tap * tap, 0));
  const delayMs = 150;
  for (let ms = 0; ms < minutes * 60_000; ms += 20) {
    if (restMs <= 0) {
      handle.say(TEXT);
      counts.answers++;
      restMs = Infinity;
    }
    restMs -= 20;
    await clock.advanceAsync(20);
    const nowMs = clock.monotonicMs();
    const dry = room.slice(nowMs - 20 - delayMs - 40, nowMs - delayMs);
    const mic = new Int16Array(320);
    for (let i = 0; i < 320; i++) {
      let sum = 0;
      for (let k = 0; k < taps.length; k++) sum += (taps[k] as number) * (dry[640 + i - k] as number);
      mic[i] = Math.max(-32_768, Math.min(32_767, gain * sum + 6 * random.gaussian()));
    }
    handle.pushAudio(mic, RATE, nowMs - 20);
    await settle();
  }
  handle.close();
  console.log(
    `echo at ${couplingDb} dB for ${minutes} min (${counts.answers} answers): ended itself ${counts.flush} times, asked itself ${counts.heard} times, lowered itself ${counts.duck} times${ducks.length === 0 ? "" : ` (at ${ducks.slice(0, 8).join(", ")} s)`} (goal: at most 1 in 10 min)`,
  );
}
