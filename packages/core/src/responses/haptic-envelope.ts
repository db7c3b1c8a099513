import type { HapticClip } from "../model/haptic.ts";

/** Seconds from 0 to the last breakpoint of either envelope. */
export function hapticDurationS(clip: HapticClip): number {
  const { amplitude, frequency } = clip.signals.continuous.envelopes;
  return Math.max(amplitude.at(-1)?.time ?? 0, frequency?.at(-1)?.time ?? 0);
}

/** Linear between breakpoints; the first value holds before the first breakpoint, 0 after the last. */
export function amplitudeAt(clip: HapticClip, timeS: number): number {
  const points = clip.signals.continuous.envelopes.amplitude;
  return valueAt(
    points.length,
    (i) => points[i]?.time ?? 0,
    (i) => points[i]?.amplitude ?? 0,
    timeS,
    0,
  );
}

/** Linear between breakpoints, held at both ends. Undefined when the clip has no frequency envelope. */
export function frequencyAt(clip: HapticClip, timeS: number): number | undefined {
  const points = clip.signals.continuous.envelopes.frequency;
  if (points === undefined || points.length === 0) return undefined;
  const last = points.at(-1)?.frequency ?? 0;
  return valueAt(
    points.length,
    (i) => points[i]?.time ?? 0,
    (i) => points[i]?.frequency ?? 0,
    timeS,
    last,
  );
}

function valueAt(
  count: number,
  timeOf: (index: number) => number,
  valueOf: (index: number) => number,
  timeS: number,
  after: number,
): number {
  if (timeS > timeOf(count - 1)) return after;
  let low = 0;
  let high = count - 1;
  // The last breakpoint at or before the time: of two at one time (a step) the later one counts.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (timeOf(middle) <= timeS) low = middle;
    else high = middle - 1;
  }
  const from = timeOf(low);
  if (timeS <= from || low === count - 1) return valueOf(low);
  const share = (timeS - from) / (timeOf(low + 1) - from);
  return valueOf(low) + (valueOf(low + 1) - valueOf(low)) * share;
}

/**
 * Mean amplitude over an interval, exact for the piecewise linear envelope, so that a spike shorter than a step of the
 * device keeps its energy. `fromS` must be below `toS`.
 */
export function meanAmplitude(clip: HapticClip, fromS: number, toS: number): number {
  const points = clip.signals.continuous.envelopes.amplitude;
  let area = 0;
  let time = fromS;
  let value = amplitudeAt(clip, fromS);
  let index = firstAfter(points, fromS);
  for (; index < points.length; index++) {
    const point = points[index];
    if (point === undefined || point.time >= toS) break;
    area += ((value + point.amplitude) / 2) * (point.time - time);
    time = point.time;
    value = point.amplitude;
  }
  const last = points.at(-1)?.time ?? 0;
  if (toS <= last) {
    // The left limit at `toS`: a step exactly there belongs to the next interval.
    const next = points[index];
    const right =
      next === undefined || next.time === time
        ? value
        : value + ((next.amplitude - value) * (toS - time)) / (next.time - time);
    area += ((value + right) / 2) * (toS - time);
  }
  return area / (toS - fromS);
}

function firstAfter(points: readonly { readonly time: number }[], timeS: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.time ?? 0) <= timeS) low = middle + 1;
    else high = middle;
  }
  return low;
}
