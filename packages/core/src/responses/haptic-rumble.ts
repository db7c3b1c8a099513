import type { HapticClip } from "../model/haptic.ts";
import { frequencyAt } from "./haptic-envelope.ts";
import { compilePulses } from "./haptic-pulses.ts";

/** One call of `vibrationActuator.playEffect("dual-rumble", …)`: the strong motor hums low, the weak one buzzes high. */
export interface RumbleStep {
  readonly atMs: number;
  readonly durationMs: number;
  readonly strongMagnitude: number;
  readonly weakMagnitude: number;
}

/** Browsers end an effect after 5 s, and a call costs more than a pulse: steps are longer than those of a pulse train. */
const STEP_MS = 40;
const STEP_MS_MAX = 5_000;

/** Which motor carries a frequency: below a third the strong one alone, above two thirds the weak one. */
export function compileDualRumble(clip: HapticClip, options: { readonly gain?: number } = {}): readonly RumbleStep[] {
  const emphases = clip.signals.continuous.envelopes.amplitude.filter((point) => point.emphasis !== undefined);
  return compilePulses(clip, { stepMs: STEP_MS, ...options }).flatMap(({ atMs, durationMs, value }) => {
    // A pulse that starts with an emphasis has the emphasis' own frequency.
    const click = emphases.find((point) => Math.abs(point.time * 1_000 - atMs) < 4);
    const frequency = click?.emphasis?.frequency ?? frequencyAt(clip, (atMs + durationMs / 2) / 1_000) ?? 0.5;
    const weakShare = Math.min(1, Math.max(0, frequency * 1.5 - 0.25));
    const strongMagnitude = round(value * Math.min(1, 2 * (1 - weakShare)));
    const weakMagnitude = round(value * Math.min(1, 2 * weakShare));
    const steps: RumbleStep[] = [];
    for (let from = 0; from < durationMs; from += STEP_MS_MAX) {
      const length = Math.min(STEP_MS_MAX, durationMs - from);
      steps.push({ atMs: atMs + from, durationMs: length, strongMagnitude, weakMagnitude });
    }
    return steps;
  });
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
