// From a sound to what it would feel like.
//
// Authored clips follow the peaks of a sound, not its mean power, and let go of them slower than the sound does: skin joins
// what ears separate. So the envelope follows the absolute value at once upward and sinks with 22 ms, which lies nearer to
// the authored clips than a power envelope does (bench/haptic-scores.ts). The frequency is the rate of zero crossings, the
// cheapest measure of brightness; steep rises become emphases; points on a straight line are left out.

import type { AmplitudeBreakpoint, FrequencyBreakpoint, HapticClip } from "../model/haptic.ts";

const STEP_S = 0.005;
const RELEASE_S = 0.022;

/** Breakpoints closer to the line between their neighbours than this are left out. */
const TOLERANCE = 0.03;

/** A rise of this much of the loudest within 15 ms is an onset that is felt as a click. */
const ONSET_RISE = 0.3;
const ONSET_STEPS = 3;
const ONSET_GAP_S = 0.06;

/** Zero crossings a second that map to frequency 0 and 1: 60 Hz is the lowest an actuator hums, 4 kHz a hiss. */
const CROSSINGS_LOW = 120;
const CROSSINGS_HIGH = 8_000;

export interface AudioToHapticOptions {
  /** Amplitude of the loudest moment. Default: quiet sounds are raised, loud ones kept below full strength. */
  readonly peak?: number;
}

/** `samples` of one channel, -1 to 1. Silence gives a clip of amplitude 0. */
export function composeFromAudio(
  samples: Float32Array,
  sampleRateHz: number,
  options: AudioToHapticOptions = {},
): HapticClip {
  const perStep = Math.max(1, Math.round(sampleRateHz * STEP_S));
  const steps = Math.max(1, Math.floor(samples.length / perStep));
  const envelope = new Float64Array(steps + 1);
  const pitch = new Float64Array(steps + 1);
  const release = Math.exp(-1 / (sampleRateHz * RELEASE_S));
  let level = 0;
  let loudest = 0;
  for (let step = 0; step < steps; step++) {
    let sum = 0;
    let crossings = 0;
    for (let i = step * perStep; i < (step + 1) * perStep; i++) {
      const value = samples[i] ?? 0;
      level = Math.max(Math.abs(value), level * release);
      sum += level;
      if (i > 0 && value >= 0 !== (samples[i - 1] ?? 0) >= 0) crossings += 1;
    }
    envelope[step] = sum / perStep;
    loudest = Math.max(loudest, envelope[step] as number);
    const rate = Math.max(CROSSINGS_LOW, crossings / STEP_S);
    pitch[step] = Math.min(1, Math.log(rate / CROSSINGS_LOW) / Math.log(CROSSINGS_HIGH / CROSSINGS_LOW));
  }
  pitch[steps] = pitch[steps - 1] as number;
  // A whisper of 0.01 still reaches 0.24: what plays a haptic wants it to be felt.
  const peak = options.peak ?? 0.9 * Math.min(1, loudest) ** 0.3;
  if (loudest > 0) for (let i = 0; i < steps; i++) envelope[i] = ((envelope[i] as number) / loudest) * peak;
  const onsets = findOnsets(envelope, peak);
  const kept = simplify(envelope, onsets);
  const smooth = smoothPitch(pitch);
  return {
    version: { major: 1, minor: 0, patch: 0 },
    metadata: { editor: "Fovea", source: "audio" },
    signals: {
      continuous: {
        envelopes: {
          amplitude: kept.map((step) => breakpoint(step, envelope, smooth, onsets.has(step))),
          frequency: simplify(smooth, new Set()).map((step): FrequencyBreakpoint => ({
            time: timeOf(step),
            frequency: round(smooth[step] as number),
          })),
        },
      },
    },
  };
}

function breakpoint(step: number, envelope: Float64Array, pitch: Float64Array, isOnset: boolean): AmplitudeBreakpoint {
  const amplitude = round(envelope[step] as number);
  if (!isOnset) return { time: timeOf(step), amplitude };
  const emphasis = { amplitude: round(Math.min(1, amplitude * 1.2)), frequency: round(pitch[step] as number) };
  return { time: timeOf(step), amplitude, emphasis };
}

/** Values stand for the middle of their step; the last one ends the clip in silence. */
function timeOf(step: number): number {
  return round(step === 0 ? 0 : (step + 0.5) * STEP_S);
}

function findOnsets(envelope: Float64Array, peak: number): ReadonlySet<number> {
  const onsets = new Set<number>();
  let last = -Infinity;
  for (let step = 0; step < envelope.length; step++) {
    const before = envelope[step - ONSET_STEPS] ?? 0;
    const isTop = (envelope[step] as number) >= (envelope[step + 1] ?? 0);
    const rise = (envelope[step] as number) - before;
    if (!isTop || rise < ONSET_RISE * peak || rise === 0 || (step - last) * STEP_S < ONSET_GAP_S) continue;
    onsets.add(step);
    last = step;
  }
  return onsets;
}

/** Douglas and Peucker 1973 on equally spaced values, keeping the ends and the given steps. */
function simplify(values: Float64Array, keep: ReadonlySet<number>): number[] {
  const kept = new Set<number>([0, values.length - 1, ...keep]);
  const spans: [number, number][] = [];
  const anchors = [...kept].sort((a, b) => a - b);
  for (let i = 1; i < anchors.length; i++) spans.push([anchors[i - 1] as number, anchors[i] as number]);
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const [from, to] = span;
    let worst = TOLERANCE;
    let at = -1;
    for (let i = from + 1; i < to; i++) {
      const line =
        (values[from] as number) + (((values[to] as number) - (values[from] as number)) * (i - from)) / (to - from);
      const distance = Math.abs((values[i] as number) - line);
      if (distance <= worst) continue;
      worst = distance;
      at = i;
    }
    if (at < 0) continue;
    kept.add(at);
    spans.push([from, at], [at, to]);
  }
  return [...kept].sort((a, b) => a - b);
}

/** Mean over 45 ms: brightness is felt slower than strength. */
function smoothPitch(pitch: Float64Array): Float64Array {
  return pitch.map((_, i) => {
    let sum = 0;
    let count = 0;
    for (let j = Math.max(0, i - 4); j <= Math.min(pitch.length - 1, i + 4); j++) {
      sum += pitch[j] as number;
      count += 1;
    }
    return sum / count;
  });
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
