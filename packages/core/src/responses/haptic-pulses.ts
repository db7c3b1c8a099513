import type { HapticClip, HapticPulse } from "../model/haptic.ts";
import { hapticDurationS, meanAmplitude } from "./haptic-envelope.ts";

/** One step of a pulse train. Shorter steps are not felt as separate by a headset's actuator and only cost messages. */
export const HAPTIC_STEP_MS = 20;

/** An emphasis is a click: as long as an actuator needs to reach its strength, and no longer. */
export const HAPTIC_EMPHASIS_MS = 12;

/** Pulses shorter than this are added to the one in front of them: no actuator follows so quickly. */
const PULSE_MS_MIN = 4;

/**
 * A clip as a train of `pulse(value, ms)` calls: ordered, not overlapping, silence left out. Within a step the value is
 * the mean of the envelope; an emphasis interrupts the train with its own short pulse and the train goes on after it.
 * Neighbouring pulses of equal value (to 1/100) are one pulse. `gain` scales all values, which stay within 0 to 1.
 */
export function compilePulses(
  clip: HapticClip,
  options: { readonly stepMs?: number; readonly gain?: number } = {},
): readonly HapticPulse[] {
  const { stepMs = HAPTIC_STEP_MS, gain = 1 } = options;
  const durationMs = hapticDurationS(clip) * 1_000;
  const emphases = clip.signals.continuous.envelopes.amplitude.filter((point) => point.emphasis !== undefined);
  const train = new Train(gain);
  let atMs = 0;
  for (let next = 0; atMs < durationMs || next < emphases.length;) {
    const emphasis = emphases[next];
    const emphasisMs = emphasis === undefined ? Infinity : emphasis.time * 1_000;
    if (emphasis?.emphasis !== undefined && emphasisMs - atMs < PULSE_MS_MIN) {
      next += 1;
      const followingMs = (emphases[next]?.time ?? Infinity) * 1_000;
      const endMs = Math.min(atMs + HAPTIC_EMPHASIS_MS, Math.max(followingMs, atMs + PULSE_MS_MIN));
      train.add(atMs, endMs, emphasis.emphasis.amplitude, true);
      atMs = endMs;
      continue;
    }
    const endMs = Math.min(atMs + stepMs, emphasisMs, Math.max(durationMs, atMs + PULSE_MS_MIN));
    train.add(atMs, endMs, meanAmplitude(clip, atMs / 1_000, endMs / 1_000), false);
    atMs = endMs;
  }
  return train.pulses;
}

class Train {
  readonly pulses: HapticPulse[] = [];
  readonly #gain: number;
  #isEmphasis = false;

  constructor(gain: number) {
    this.#gain = gain;
  }

  add(fromMs: number, toMs: number, amplitude: number, isEmphasis: boolean): void {
    const value = Math.round(Math.min(1, Math.max(0, amplitude * this.#gain)) * 100) / 100;
    const last = this.pulses.at(-1);
    const follows = last !== undefined && Math.abs(last.atMs + last.durationMs - fromMs) < 0.001;
    if (value === 0) return;
    if (follows && !isEmphasis && !this.#isEmphasis && (last.value === value || toMs - fromMs < PULSE_MS_MIN)) {
      this.pulses[this.pulses.length - 1] = { ...last, durationMs: toMs - last.atMs };
      return;
    }
    this.pulses.push({ atMs: fromMs, value, durationMs: toMs - fromMs });
    this.#isEmphasis = isEmphasis;
  }
}
