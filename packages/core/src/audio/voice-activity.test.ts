// Rules AU12..AU15 of docs/spec/audio.md. The voice here is a buzz through two resonances, in syllables; the real programs
// are heard in test/voice.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { EchoGuard } from "./echo-guard.ts";
import { levelDb } from "./level.ts";
import { TimedAudio } from "./timed-audio.ts";
import { VOICE_RATE_HZ, VOICE_WINDOW, VoiceActivity } from "./voice-activity.ts";

const RATE = VOICE_RATE_HZ;

/** Vowels of 180 ms and gaps of 60 ms, pitch gliding about 130 Hz. */
function voice(seconds: number, amplitude = 5_000): Int16Array {
  let phase = 0;
  let low = 0;
  return Int16Array.from({ length: RATE * seconds }, (_, i) => {
    const inSyllable = (i / RATE) % 0.24 < 0.18;
    phase += (130 + 20 * Math.sin(i / 4_000)) / RATE;
    const buzz = phase % 1 < 0.1 ? 1 : -0.1;
    low += 0.25 * ((inSyllable ? buzz : 0) - low);
    return amplitude * 2.4 * low;
  });
}

function noise(samples: number, rms: number, seed = 1): Int16Array {
  const random = new SeededRandom(seed);
  return Int16Array.from({ length: samples }, () => rms * random.gaussian());
}

const mixed = (a: Int16Array, b: Int16Array): Int16Array => a.map((value, i) => value + (b[i] ?? 0));

/** Share of windows that are speech, and the first of them, in ms. */
function judge(samples: Int16Array, detector = new VoiceActivity()): { share: number; firstMs: number | undefined } {
  let speech = 0;
  let windows = 0;
  let firstMs: number | undefined;
  for (let at = 0; at + VOICE_WINDOW <= samples.length; at += VOICE_WINDOW) {
    windows++;
    if (!detector.fold(samples.subarray(at, at + VOICE_WINDOW)).isSpeech) continue;
    speech++;
    firstMs ??= ((at + VOICE_WINDOW) * 1_000) / RATE;
  }
  return { share: windows === 0 ? 0 : speech / windows, firstMs };
}

test("[AU12] a voice is speech, in noise too, and noise is none", () => {
  const quiet = new VoiceActivity();
  judge(noise(RATE, 8), quiet);
  assert.ok(judge(voice(2), quiet).share > 0.5);
  const clean = voice(2);
  const rms = 32_768 * 10 ** ((levelDb(clean) - 10) / 20);
  const detector = new VoiceActivity();
  assert.equal(judge(noise(2 * RATE, rms, 7), detector).share, 0);
  const { share } = judge(mixed(clean, noise(2 * RATE, rms, 8)), detector);
  assert.ok(share > 0.5, `${share} at 10 dB`);
});

test("[AU13] an onset is noticed soon; clicks and hum of the room are not", () => {
  const detector = new VoiceActivity();
  judge(noise(RATE, 20), detector);
  const { firstMs } = judge(voice(1), detector);
  assert.ok(firstMs !== undefined && firstMs <= 100, `${firstMs} ms`);
  const clicks = noise(2 * RATE, 20, 3);
  for (let at = 4_000; at < clicks.length; at += 6_000)
    for (let i = 0; i < 40; i++) clicks[at + i] = i % 2 === 0 ? 9_000 : -9_000;
  const clicked = new VoiceActivity();
  judge(noise(RATE, 20, 4), clicked);
  assert.ok(judge(clicks, clicked).share < 0.03);
});

const between = (audio: TimedAudio, fromMs: number, untilMs: number): number[] =>
  Array.from(audio.slice(fromMs, untilMs));

test("[AU14] audio by time", () => {
  const audio = new TimedAudio(1_000, 100);
  audio.push(
    Int16Array.from({ length: 20 }, (_, i) => i + 1),
    500,
  );
  audio.push(Int16Array.from([50, 51, 52]), 521);
  assert.deepEqual(between(audio, 518, 523), [19, 20, 50, 51, 52]);
  audio.push(Int16Array.from([90]), 580);
  assert.deepEqual(between(audio, 522, 526), [52, 0, 0, 0]);
  assert.deepEqual([audio.slice(580, 581)[0], Math.round(audio.gapMs)], [90, 57]);
  assert.deepEqual(between(audio, 495, 501), [0, 0, 0, 0, 0, 1]);
  audio.cutAfter(521);
  assert.deepEqual(between(audio, 519, 524), [20, 50, 0, 0, 0]);
  // Older than what is kept is silence, too.
  audio.push(new Int16Array(200).fill(7), 521);
  assert.deepEqual([audio.slice(520, 521)[0], audio.slice(700, 701)[0], audio.endMs], [0, 7, 721]);
});

test("[AU15] the guard learns the echo by itself and leaves silence alone", () => {
  const guard = new EchoGuard(RATE);
  const random = new SeededRandom(5);
  const sent = voice(8).map((value) => value * (0.6 + 0.4 * random.next()));
  const delay = 0.16 * RATE;
  const echo = sent.map((_, i) => 0.3 * (sent[i - delay] ?? 0) + 0.1 * (sent[i - delay - 90] ?? 0));
  const silent = new Int16Array(VOICE_WINDOW);
  const idle = noise(VOICE_WINDOW, 30);
  assert.equal(guard.process(silent, idle), idle);
  let before = 0;
  let after = 0;
  for (let at = 0; at + VOICE_WINDOW <= sent.length; at += VOICE_WINDOW) {
    const heard = echo.slice(at, at + VOICE_WINDOW);
    const left = guard.process(sent.subarray(at, at + VOICE_WINDOW), heard);
    if (at < 4 * RATE) continue;
    for (let i = 0; i < VOICE_WINDOW; i++) {
      before += (heard[i] as number) ** 2;
      after += (left[i] as number) ** 2;
    }
  }
  const removedDb = 10 * Math.log10(before / after);
  assert.ok(removedDb > 15, `${removedDb} dB`);
  assert.ok(Math.abs((guard.delayMs ?? 0) - 160) <= 10, `${guard.delayMs} ms`);
  assert.equal(guard.isConverged, true);
});
