// Rules AU1..AU11 of docs/spec/audio.md. Signals are made here: tones, seeded noise shaped like speech, a synthetic room.
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { speakerDirection } from "./beam-direction.ts";
import { EchoCanceller } from "./echo-canceller.ts";
import { EchoDelayEstimator } from "./echo-delay.ts";
import { levelDb, NoiseFloor, SILENCE_DB } from "./level.ts";
import { Resampler } from "./resample.ts";
import { SampleRing } from "./sample-ring.ts";

const RATE = 16_000;

function tone(hz: number, rateHz: number, seconds: number, amplitude = 10_000): Int16Array {
  return Int16Array.from({ length: rateHz * seconds }, (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rateHz));
}

/** Noise in syllables of 100 to 300 ms, its spectrum falling as speech does. */
function speech(seconds: number, seed: number, amplitude = 6_000): Int16Array {
  const random = new SeededRandom(seed);
  const samples = new Int16Array(RATE * seconds);
  let low = 0;
  for (let i = 0, until = 0, gain = 0; i < samples.length; i++) {
    if (i >= until) {
      until = i + Math.round(RATE * (0.1 + 0.2 * random.next()));
      gain = random.next() < 0.35 ? 0 : 0.4 + 0.6 * random.next();
    }
    low = 0.8 * low + 0.6 * random.gaussian();
    samples[i] = Math.max(-32768, Math.min(32767, amplitude * gain * low * 0.5));
  }
  return samples;
}

/** Bulk delay, then a decaying tail of 50 ms. */
function room(dry: Int16Array, delayMs: number, gainDb: number, seed: number): Int16Array {
  const random = new SeededRandom(seed);
  const taps = Array.from({ length: 0.04 * RATE }, (_, i) =>
    i === 0 ? 1 : 0.3 * random.gaussian() * Math.exp(-i / (0.008 * RATE)),
  );
  const energy = Math.sqrt(taps.reduce((sum, tap) => sum + tap * tap, 0));
  const gain = 10 ** (gainDb / 20) / energy;
  const delay = (delayMs * RATE) / 1_000;
  return Int16Array.from(dry, (_, i) => {
    let sum = 0;
    for (let k = 0; k < taps.length && i - delay - k >= 0; k++)
      sum += (taps[k] as number) * (dry[i - delay - k] as number);
    return sum * gain;
  });
}

const between = (samples: Int16Array, fromS: number, toS: number): Int16Array =>
  samples.subarray(fromS * RATE, toS * RATE);

test("[AU1] a ring of samples keeps order over unequal lengths", () => {
  const ring = new SampleRing(2_048);
  const window = new Int16Array(512);
  const out: number[] = [];
  for (let packet = 0; packet < 20; packet++) {
    ring.push(Int16Array.from({ length: 320 }, (_, i) => packet * 320 + i));
    while (ring.take(window)) out.push(...window);
  }
  assert.deepEqual(
    out,
    Array.from({ length: 6_144 }, (_, i) => i),
  );
  assert.equal(ring.length, 256);
  assert.equal(ring.take(window), false);
  assert.equal(ring.length, 256);
});

test("[AU2] a full ring drops the oldest and counts", () => {
  const ring = new SampleRing(4);
  ring.push(Int16Array.from([1, 2, 3, 4, 5, 6]));
  const out = new Int16Array(4);
  ring.take(out);
  assert.deepEqual([[...out], ring.dropped, ring.position], [[3, 4, 5, 6], 2, 6]);
});

test("[AU3] pieces equal the whole", () => {
  const random = new SeededRandom(7);
  for (const [fromHz, toHz] of [
    [48_000, 16_000],
    [16_000, 24_000],
    [44_100, 16_000],
    [24_000, 16_000],
  ] as const) {
    const input = Int16Array.from({ length: 9_000 }, () => 20_000 * (random.next() - 0.5));
    const whole = new Resampler({ fromHz, toHz }).process(input);
    const pieces: number[] = [];
    const resampler = new Resampler({ fromHz, toHz });
    for (let at = 0; at < input.length;) {
      const length = 1 + random.integer(700);
      pieces.push(...resampler.process(input.subarray(at, at + length)));
      at += length;
    }
    assert.deepEqual(pieces, [...whole], `${fromHz} to ${toHz}, seed 7`);
  }
});

test("[AU4] aliases are gone, speech stays", () => {
  const through = (hz: number): number => {
    const out = new Resampler({ fromHz: 48_000, toHz: 16_000 }).process(tone(hz, 48_000, 1, 30_000));
    return levelDb(out.subarray(2_000)) - levelDb(tone(hz, 48_000, 1, 30_000));
  };
  assert.ok(through(10_000) <= -86, `alias ${through(10_000)} dB`);
  for (const hz of [100, 1_000, 4_000, 7_000]) assert.ok(Math.abs(through(hz)) < 1, `${hz} Hz ${through(hz)} dB`);
});

test("[AU5] tones keep frequency and level", () => {
  for (const [fromHz, toHz] of [
    [16_000, 24_000],
    [24_000, 16_000],
    [44_100, 16_000],
    [16_000, 48_000],
  ] as const) {
    const out = new Resampler({ fromHz, toHz }).process(tone(440, fromHz, 1)).subarray(toHz / 10);
    let crossings = 0;
    for (let i = 1; i < out.length; i++) if ((out[i - 1] as number) < 0 && (out[i] as number) >= 0) crossings++;
    assert.ok(Math.abs(crossings / (out.length / toHz) - 440) < 3, `${fromHz} to ${toHz}: ${crossings}`);
    assert.ok(Math.abs(levelDb(out) - levelDb(tone(440, fromHz, 1))) < 0.2);
  }
});

test("[AU6] level is decibels of full scale", () => {
  assert.equal(levelDb(new Int16Array(10)), SILENCE_DB);
  assert.ok(Math.abs(levelDb(tone(1_000, RATE, 1, 32_767)) + 3.01) < 0.01);
});

test("[AU7] the noise floor ignores speech", () => {
  const floor = new NoiseFloor();
  for (let i = 0; i < 50; i++) floor.fold(-60, 20);
  let during = 0;
  for (let i = 0; i < 50; i++) during = floor.fold(-20, 20);
  assert.ok(Math.abs(during + 57) < 0.1, `after a second of speech ${during}`);
  assert.equal(floor.fold(-65, 20), -65);
});

test("[AU8] the echo's delay is found, and its absence too", () => {
  const sent = speech(6, 11);
  const withEcho = new EchoDelayEstimator(RATE);
  withEcho.fold(sent, room(sent, 95, -10, 5));
  const found = withEcho.estimate();
  assert.ok(
    found !== undefined && Math.abs(found.delayMs - 95) <= 10 && found.correlation > 0.8,
    JSON.stringify(found),
  );
  const without = new EchoDelayEstimator(RATE);
  without.fold(sent, speech(6, 99));
  assert.ok((without.estimate()?.correlation ?? 1) < 0.5);
  assert.equal(new EchoDelayEstimator(RATE).estimate(), undefined);
});

test("[AU9] [AU10] echo goes, the user's voice stays", () => {
  const sent = speech(12, 21);
  const echo = room(sent, 95, -10, 6);
  const user = speech(2, 33);
  const heard = Int16Array.from(
    echo,
    (value, i) => value + (i >= 8 * RATE && i < 10 * RATE ? (user[i - 8 * RATE] as number) : 0),
  );
  const clean = new EchoCanceller({ sampleRateHz: RATE, delayMs: 95 }).process(sent, heard);
  const removed = (fromS: number, toS: number): number =>
    levelDb(between(echo, fromS, toS)) - levelDb(between(clean, fromS, toS));
  assert.ok(removed(1, 2) >= 17, `1-2 s ${removed(1, 2)} dB`);
  assert.ok(removed(5, 8) >= 20, `5-8 s ${removed(5, 8)} dB`);
  const loss = levelDb(user) - levelDb(between(clean, 8, 10));
  assert.ok(Math.abs(loss) < 3, `user's voice changed by ${loss} dB`);
  assert.ok(removed(10.5, 12) >= 15, `afterwards ${removed(10.5, 12)} dB`);
});

test("[AU11] the side a voice comes from", () => {
  const source = tone(300, RATE * 8, 1).map((value, i) => value * Math.sin(i / 3_000) + 3_000 * Math.sin(i / 17));
  const pair = { spacingM: 0.14, sampleRateHz: RATE };
  for (const degrees of [-60, -30, 0, 20, 45]) {
    const azimuth = (degrees * Math.PI) / 180;
    // The source is made at eight times the rate, so that delays below one sample are real.
    const shift = Math.round(((0.14 * Math.sin(azimuth)) / 343) * RATE * 8);
    const left = Int16Array.from({ length: 8_000 }, (_, i) => source[i * 8 + 800] as number);
    const right = Int16Array.from({ length: 8_000 }, (_, i) => source[i * 8 + 800 - shift] as number);
    const found = speakerDirection(left, right, pair);
    assert.ok(
      found !== undefined && Math.abs((found.azimuthRad * 180) / Math.PI - degrees) < 5,
      `${degrees}: ${JSON.stringify(found)}`,
    );
  }
  assert.equal(speakerDirection(new Int16Array(4_000), new Int16Array(4_000), pair), undefined);
});
