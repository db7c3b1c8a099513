// Rules HA5..HA10 of docs/spec/haptics.md. `play` writes a train as "at+duration:value".
import assert from "node:assert/strict";
import test from "node:test";
import { SeededRandom } from "../../testing/seeded-random.ts";
import type { AmplitudeBreakpoint, HapticClip, HapticPulse } from "../model/haptic.ts";
import { parseHapticClip } from "./haptic-clip.ts";
import { meanAmplitude } from "./haptic-envelope.ts";
import { HAPTIC_EFFECTS } from "./haptic-library.ts";
import { compilePulses } from "./haptic-pulses.ts";

function clip(amplitude: readonly AmplitudeBreakpoint[]): HapticClip {
  return { version: { major: 1, minor: 0, patch: 0 }, signals: { continuous: { envelopes: { amplitude } } } };
}

function play(amplitude: readonly AmplitudeBreakpoint[], options?: { stepMs?: number; gain?: number }): string {
  return compilePulses(clip(amplitude), options)
    .map((pulse) => `${+pulse.atMs.toFixed(2)}+${+pulse.durationMs.toFixed(2)}:${pulse.value}`)
    .join(" ");
}

function generate(random: SeededRandom, emphases: boolean): AmplitudeBreakpoint[] {
  let time = 0;
  return Array.from({ length: 2 + random.integer(30) }, () => {
    time += random.next() < 0.1 ? 0 : random.next() * 0.05;
    const point = { time, amplitude: random.next() < 0.2 ? 0 : random.next() };
    return emphases && random.next() < 0.3
      ? { ...point, emphasis: { amplitude: 0.5 + random.next() / 2, frequency: random.next() } }
      : point;
  });
}

function sum(pulses: readonly HapticPulse[]): number {
  return pulses.reduce((total, pulse) => total + pulse.value * pulse.durationMs, 0);
}

test("[HA5] every effect of the library is a short valid clip with its own meaning that is felt at once", () => {
  assert.equal(new Set(HAPTIC_EFFECTS.map((effect) => effect.meaning)).size, HAPTIC_EFFECTS.length);
  for (const effect of HAPTIC_EFFECTS) {
    assert.deepEqual(parseHapticClip(JSON.stringify(effect.clip)), effect.clip, effect.name);
    const pulses = compilePulses(effect.clip);
    const end = pulses.at(-1);
    assert.ok(end !== undefined && end.atMs + end.durationMs <= 1_500, effect.name);
    const early = pulses.filter((pulse) => pulse.atMs <= 100).map((pulse) => pulse.value);
    assert.ok(Math.max(...early) >= 0.1, effect.name);
  }
});

test("[HA6] generated trains are ordered, apart, not too short, and hold no silence", () => {
  const seed = 20_261_122;
  const random = new SeededRandom(seed);
  for (let round = 0; round < 300; round++) {
    const pulses = compilePulses(clip(generate(random, true)), { stepMs: 5 + random.integer(40) });
    let endMs = 0;
    for (const pulse of pulses) {
      assert.ok(pulse.atMs >= endMs - 1e-6, `seed ${seed} round ${round}`);
      assert.ok(pulse.durationMs >= 4 - 1e-6 && pulse.value > 0 && pulse.value <= 1, `seed ${seed} round ${round}`);
      endMs = pulse.atMs + pulse.durationMs;
    }
  }
});

test("[HA7] the train keeps the mean of the envelope at any step", () => {
  const seed = 7;
  const random = new SeededRandom(seed);
  for (let round = 0; round < 200; round++) {
    const points = generate(random, false);
    const endS = points.at(-1)?.time ?? 0;
    if (endS < 0.05) continue;
    for (const stepMs of [10, 20, 33]) {
      const mean = sum(compilePulses(clip(points), { stepMs })) / (endS * 1_000);
      const difference = Math.abs(mean - meanAmplitude(clip(points), 0, endS));
      assert.ok(difference <= 0.01, `seed ${seed} round ${round} step ${stepMs}: ${difference}`);
    }
  }
});

test("[HA8] equal neighbours are one pulse, and silence between pulses is left out", () => {
  const flat = [
    { time: 0, amplitude: 0.5 },
    { time: 0.1, amplitude: 0.5 },
    { time: 0.1, amplitude: 0 },
    { time: 0.2, amplitude: 0 },
    { time: 0.2, amplitude: 1 },
    { time: 0.24, amplitude: 1 },
  ];
  assert.equal(play(flat), "0+100:0.5 200+40:1");
  assert.equal(
    play([
      { time: 0, amplitude: 0 },
      { time: 0.06, amplitude: 0.6 },
    ]),
    "0+20:0.1 20+20:0.3 40+20:0.5",
  );
});

test("[HA9] an emphasis is its own pulse in the middle of the envelope, at the end, and next to another", () => {
  const emphasis = { amplitude: 0.9, frequency: 0.5 };
  assert.equal(
    play([
      { time: 0, amplitude: 0.2 },
      { time: 0.03, amplitude: 0.2, emphasis },
      { time: 0.08, amplitude: 0.2 },
    ]),
    "0+30:0.2 30+12:0.9 42+38:0.2",
  );
  assert.equal(play([{ time: 0, amplitude: 0, emphasis }]), "0+12:0.9");
  assert.equal(
    play([
      { time: 0, amplitude: 0, emphasis },
      { time: 0.008, amplitude: 0, emphasis: { amplitude: 0.4, frequency: 0 } },
    ]),
    "0+8:0.9 8+12:0.4",
  );
  // The envelope's rest in front of the emphasis is shorter than an actuator can follow: the click comes 2 ms early.
  assert.equal(
    play([
      { time: 0, amplitude: 0.3 },
      { time: 0.022, amplitude: 0.3, emphasis },
    ]),
    "0+20:0.3 20+12:0.9",
  );
});

test("[HA10] gain scales and never exceeds full strength", () => {
  const points = [
    { time: 0, amplitude: 0.4, emphasis: { amplitude: 0.8, frequency: 0 } },
    { time: 0.032, amplitude: 0.4 },
  ];
  assert.equal(play(points, { gain: 0.5 }), "0+12:0.4 12+20:0.2");
  assert.equal(play(points, { gain: 2 }), "0+12:1 12+20:0.8");
  assert.equal(play(points, { gain: 0 }), "");
});
