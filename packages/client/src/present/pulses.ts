import type { JsonObject, WirePulse } from "@fovea/protocol";

/** 20 ms: shorter steps are below what controller motors follow. */
const STEP_MS = 20;
const PULSES_MAX = 512;

/**
 * A `.haptic` clip as a train of pulses: the amplitude envelope sampled every 20 ms, equal neighbours merged, silence
 * left out; an emphasis becomes a short pulse of its own strength. Empty where the document has no amplitude envelope.
 */
export function pulsesOf(clip: JsonObject): WirePulse[] {
  const points = amplitudePoints(clip);
  const last = points.at(-1);
  if (last === undefined) return [];
  const pulses: WirePulse[] = [];
  const endMs = Math.min(last.timeMs, STEP_MS * PULSES_MAX);
  for (let at = 0; at < endMs; at += STEP_MS) {
    const duration = Math.min(STEP_MS, endMs - at);
    const emphasis = points.find(({ timeMs, emphasis: e }) => e !== undefined && timeMs >= at && timeMs < at + STEP_MS);
    const value = emphasis?.emphasis ?? Math.round(amplitudeAt(points, at + duration / 2) * 100) / 100;
    const before = pulses.at(-1);
    if (value <= 0) continue;
    if (before !== undefined && before.value === value && before.at + before.duration === at)
      pulses[pulses.length - 1] = { ...before, duration: before.duration + duration };
    else pulses.push({ value, duration, at });
  }
  return pulses;
}

interface AmplitudePoint {
  readonly timeMs: number;
  readonly amplitude: number;
  readonly emphasis: number | undefined;
}

function amplitudePoints(clip: JsonObject): AmplitudePoint[] {
  const list = member(member(member(member(clip, "signals"), "continuous"), "envelopes"), "amplitude");
  if (!Array.isArray(list)) return [];
  return list.flatMap((point: unknown): AmplitudePoint[] => {
    const time = member(point, "time");
    const amplitude = member(point, "amplitude");
    if (typeof time !== "number" || typeof amplitude !== "number") return [];
    const emphasis = member(member(point, "emphasis"), "amplitude");
    return [
      {
        timeMs: time * 1_000,
        amplitude: unit(amplitude),
        emphasis: typeof emphasis === "number" ? unit(emphasis) : undefined,
      },
    ];
  });
}

function amplitudeAt(points: readonly AmplitudePoint[], timeMs: number): number {
  const next = points.findIndex((point) => point.timeMs > timeMs);
  const after = points[next];
  const before = points[next < 0 ? points.length - 1 : next - 1];
  if (before === undefined) return after?.amplitude ?? 0;
  if (after === undefined) return before.amplitude;
  const share = (timeMs - before.timeMs) / (after.timeMs - before.timeMs);
  return before.amplitude + (after.amplitude - before.amplitude) * share;
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function unit(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
