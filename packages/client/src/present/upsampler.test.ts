// Rule KP5 of docs/spec/client.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Upsampler } from "./upsampler.ts";

function tone(hz: number, rateHz: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => Math.round(16_000 * Math.sin((2 * Math.PI * hz * i) / rateHz)));
}

test("[KP5] pieces equal the whole, and tones stay what they are", () => {
  for (const [from, to] of [
    [16_000, 48_000],
    [24_000, 48_000],
    [24_000, 44_100],
  ] as const) {
    const input = tone(1_000, from, from / 5);
    const whole = new Upsampler(from, to).process(input);
    const inPieces = new Upsampler(from, to);
    const pieces: number[] = [];
    for (let at = 0; at < input.length; at += 331) pieces.push(...inPieces.process(input.slice(at, at + 331)));
    assert.equal(pieces.length, whole.length);
    assert.ok(pieces.every((value, i) => Math.abs(value - (whole[i] as number)) < 1e-6));
    assert.ok(Math.abs(whole.length - to / 5) <= 32, `${whole.length}`);
    // Against the ideal tone, after the filter has filled: 1 kHz within -50 dB.
    let error = 0;
    const delayS = 8 / from;
    for (let i = 400; i < whole.length - 400; i++) {
      const ideal = (16_000 / 32_768) * Math.sin(2 * Math.PI * 1_000 * (i / to - delayS));
      error = Math.max(error, Math.abs((whole[i] as number) - ideal));
    }
    assert.ok(error < 0.0015, `${from} to ${to}: ${error}`);
  }
});
