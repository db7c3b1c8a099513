// CPU of voice sessions without recogniser and voice, which are other programs or other people's machines: packets decoded,
// session, resampling, echo, voice activity, turn-taking. Half of the time somebody speaks. Opus adds its decoder.
import type { SessionOptions } from "@fovea/core";
import { NO_METER, SESSION_LIMITS } from "@fovea/core";
import {
  CountingIds,
  FakeClock,
  FULL_CONSENT,
  helloMessage,
  LOCAL_PRINCIPAL,
  MemoryLog,
  settle,
} from "@fovea/core/testing";
import { encodeAudioPacket } from "@fovea/protocol";
import { Application, createEncoder } from "libopus-wasm";
import { SessionLoop } from "../../packages/gateway/src/realtime/session-loop.ts";
import { LookRound } from "../../packages/gateway/src/realtime/look-round.ts";
import { joined, silence, spoken } from "../../test/voice/spoken.ts";

export async function measureCapacity(sessions: number, seconds: number): Promise<void> {
  const question = await spoken("how far is the window");
  const second = joined(question, silence(1_500));
  const encoder = await createEncoder({
    sampleRate: 16_000,
    channels: 1,
    application: Application.Voip,
    bitrate: 24_000,
    frameSize: 320,
  });
  for (const codec of ["pcm16-16k", "opus"] as const) {
    const clock = new FakeClock();
    const engine = {
      answer: () => {
        throw new Error("nothing is understood here");
      },
      perform: async () =>
        ({
          result: { text: "", words: [], warnings: [] },
          providerId: "fake",
          model: "fake",
          cost: { microUsd: 0, source: "free" },
          plan: {},
        }) as never,
      listModels: () => [{ name: "fake/ear", providerId: "fake", features: ["transcribe" as const] }],
    };
    const loops = Array.from({ length: sessions }, (_, index) => {
      const options: SessionOptions = {
        sessionId: `s${index}`,
        resumeToken: `r${index}`,
        principal: LOCAL_PRINCIPAL,
        startedMs: 0,
        limits: SESSION_LIMITS,
        consentMax: FULL_CONSENT,
        model: "auto",
        listens: true,
      };
      const loop = new SessionLoop(
        options,
        {
          engine,
          clock,
          ids: new CountingIds(),
          log: new MemoryLog(),
          meter: NO_METER,
          audit: { append() {} },
          looks: new LookRound(clock),
        },
        () => undefined,
      );
      const port = { send() {}, sendPacket() {}, close() {} };
      loop.attach(port, helloMessage());
      return { loop, port };
    });
    const packets: Uint8Array[] = [];
    for (let seq = 0; seq < seconds * 50; seq++) {
      const at = (seq * 320) % (second.length - 320);
      const samples = second.slice(at, at + 320);
      const payload = codec === "opus" ? encoder.encode(samples).slice() : new Uint8Array(samples.buffer);
      packets.push(encodeAudioPacket({ codec, streamId: 1, seq: seq & 0xffff, epoch: 0, t0: seq * 20, payload }, "up"));
    }
    // The module of the codec loads in the background.
    for (const packet of packets.slice(0, 5)) for (const { loop, port } of loops) loop.binary(port, packet);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = process.cpuUsage();
    for (const packet of packets.slice(5)) {
      clock.advance(20);
      for (const { loop, port } of loops) loop.binary(port, packet);
      await settle();
    }
    const { user, system } = process.cpuUsage(before);
    const share = (user + system) / 1e6 / (seconds * sessions);
    for (const { loop } of loops) loop.end("shutting_down", "over");
    console.log(
      `${codec}: ${(share * 100).toFixed(2)} % of a core for a session, ${Math.floor(1 / share)} sessions a core (goal: 60)`,
    );
  }
}
