// Rules AU16..AU19 of docs/spec/audio.md: Opus, and noise taken out of speech.
import assert from "node:assert/strict";
import { test } from "node:test";
import { levelDb, Resampler } from "@fovea/core";
import { SeededRandom } from "@fovea/core/testing";
import { NoiseSuppressor } from "../../packages/gateway/src/audio/noise-suppressor.ts";
import { OPUS_EAR_RATE_HZ, OPUS_VOICE_RATE_HZ, OpusEar, OpusVoice } from "../../packages/gateway/src/audio/opus.ts";
import { LocalVoiceAdapter } from "../../packages/gateway/src/providers/local-voice/adapter.ts";
import { SystemClock } from "../../packages/gateway/src/platform/system-clock.ts";
import { buildWav } from "../../packages/gateway/src/audio/wav.ts";
import { joined, noSpeech, programs, RATE, silence, spoken } from "./spoken.ts";

/** Highest normalised correlation of two signals over lags up to 20 ms. */
function likeness(a: Int16Array, b: Int16Array): { value: number; lag: number } {
  let best = { value: -1, lag: 0 };
  for (let lag = -320; lag <= 320; lag += 2) {
    let product = 0;
    let powerA = 0;
    let powerB = 0;
    for (let i = 400; i < a.length - 400; i++) {
      const x = a[i] as number;
      const y = b[i + lag] ?? 0;
      product += x * y;
      powerA += x * x;
      powerB += y * y;
    }
    const value = product / (Math.sqrt(powerA * powerB) + 1);
    if (value > best.value) best = { value, lag };
  }
  return best;
}

async function packetsOf(samples: Int16Array): Promise<Uint8Array[]> {
  const at24 = new Resampler({ fromHz: RATE, toHz: OPUS_VOICE_RATE_HZ }).process(samples);
  const voice = await OpusVoice.open();
  const packets: Uint8Array[] = [];
  for (let at = 0; at < at24.length; at += 480) packets.push(voice.encode(at24.subarray(at, at + 480)).slice());
  voice.close();
  return packets;
}

function buzz(seconds: number): Int16Array {
  return Int16Array.from(
    { length: RATE * seconds },
    (_, i) => 4_000 * Math.sin(i / 11) * (1 + Math.sin(i / 900)) * (1 + 0.3 * Math.sin(i / 3.1)),
  );
}

test("[AU16] Opus there and back is the same sound at a fifteenth of the size", async () => {
  const sound = buzz(1);
  const packets = await packetsOf(sound);
  const ear = await OpusEar.open();
  const heard = joined(...packets.map((packet, seq) => ear.decode(packet, seq)?.samples ?? new Int16Array(0)));
  ear.close();
  assert.equal(heard.length, (packets.length * OPUS_EAR_RATE_HZ) / 50);
  assert.ok(likeness(sound, heard).value > 0.9, JSON.stringify(likeness(sound, heard)));
  const bytes = packets.reduce((sum, packet) => sum + packet.length, 0);
  assert.ok(bytes < (sound.length * 2) / 8, `${bytes} bytes`);
});

test("[AU17] what was lost is concealed, what is late or twice is dropped", async () => {
  const packets = await packetsOf(buzz(1));
  const ear = await OpusEar.open();
  const of = (index: number, seq = index): number | undefined => {
    const heard = ear.decode(packets[index] as Uint8Array, seq & 0xffff);
    return heard === undefined ? undefined : heard.samples.length / 320;
  };
  for (let i = 0; i < 10; i++) assert.equal(of(i), 1);
  assert.equal(of(12), 3);
  assert.equal(of(11), undefined);
  assert.equal(of(12), undefined);
  assert.equal(of(30), 1);
  assert.deepEqual([ear.lost, ear.late], [2 + 17, 2]);
  assert.throws(() => ear.decode(Uint8Array.of(255, 255, 255), 31), /no Opus packet/);
  ear.close();
  const wrapped = await OpusEar.open();
  wrapped.decode(packets[0] as Uint8Array, 65_535);
  assert.equal(wrapped.decode(packets[1] as Uint8Array, 0)?.concealedMs, 0);
  wrapped.close();
});

const noisy = (samples: Int16Array, snrDb: number, seed: number): Int16Array => {
  const random = new SeededRandom(seed);
  const rms = 32_768 * 10 ** ((levelDb(samples) - snrDb) / 20);
  return samples.map((value) => Math.max(-32_768, Math.min(32_767, value + rms * random.gaussian())));
};

test("[AU18] noise goes and the voice stays where it was", { skip: noSpeech }, async () => {
  const clean = joined(silence(1_000), await spoken("how far is the window"), silence(600));
  const heard = noisy(clean, 10, 3);
  const suppressor = new NoiseSuppressor();
  const stream = suppressor.stream();
  for (let at = 0; at < heard.length; at += 320) stream.push(heard.subarray(at, at + 320));
  const out = await stream.finish();
  await suppressor.close();
  const before = levelDb(heard.subarray(RATE / 2, RATE));
  const after = levelDb(out.subarray(RATE / 2, RATE));
  assert.ok(before - after > 12, `noise ${before} to ${after} dB`);
  const { value, lag } = likeness(clean.subarray(RATE), out.subarray(RATE));
  assert.ok(value > 0.85 && Math.abs(lag) <= 80, `${value} at ${lag}`);
});

test("[AU19] commands in noise are understood better without it", { skip: noSpeech, timeout: 60_000 }, async () => {
  const adapter = new LocalVoiceAdapter(programs, new SystemClock());
  const suppressor = new NoiseSuppressor();
  const vocabulary = ["lamp", "table", "window", "couch", "door"];
  const counts = { heard: 0, cleaned: 0 };
  const texts = [
    "where is the table",
    "how far is the window",
    "what am I looking at",
    "highlight the lamp",
    "where is the door",
  ];
  const understood = async (samples: Int16Array, text: string): Promise<number> => {
    const audio = { bytes: buildWav(samples, RATE), mime: "audio/wav" };
    const { text: got } = await adapter.transcribe({ model: "pocketsphinx", audio, vocabulary });
    const plain = (said: string): string => said.toLowerCase().replace(/\b(?:the|a|an) /g, "");
    return plain(got) === plain(text) ? 1 : 0;
  };
  for (const [index, text] of texts.entries()) {
    for (const voice of ["rms", "slt"]) {
      const samples = noisy(joined(silence(500), await spoken(text, voice), silence(300)), 10, index + 1);
      const stream = suppressor.stream();
      stream.push(samples);
      counts.heard += await understood(samples, text);
      counts.cleaned += await understood(await stream.finish(), text);
    }
  }
  await suppressor.close();
  console.log(`understood at 10 dB: ${counts.heard} of 10 as heard, ${counts.cleaned} of 10 cleaned`);
  assert.ok(counts.cleaned >= 7 && counts.cleaned > counts.heard, JSON.stringify(counts));
});
