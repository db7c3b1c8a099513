import { GatewayError } from "../errors/gateway-error.ts";
import type { AmplitudeBreakpoint, FrequencyBreakpoint, HapticClip } from "../model/haptic.ts";
import { parseHapticClip } from "./haptic-clip.ts";

/** Apple Core Haptics: what iPhones, and Unity clients on them, play. Values are rounded to single precision. */
export interface Ahap {
  readonly Version: number;
  readonly Metadata?: { readonly Project?: string; readonly Created?: string; readonly Description?: string };
  readonly Pattern: readonly AhapEntry[];
}

export type AhapEntry =
  | {
      readonly ParameterCurve: {
        readonly ParameterID: "HapticIntensityControl" | "HapticSharpnessControl";
        readonly Time: number;
        readonly ParameterCurveControlPoints: readonly { readonly Time: number; readonly ParameterValue: number }[];
      };
    }
  | {
      readonly Event: {
        readonly EventType: "HapticContinuous" | "HapticTransient";
        readonly Time: number;
        readonly EventDuration?: number;
        readonly EventParameters: readonly { readonly ParameterID: string; readonly ParameterValue: number }[];
      };
    };

/** Core Haptics takes no more control points in one curve, and no longer continuous event. */
const CURVE_POINTS_MAX = 16;
const EVENT_S_MAX = 30;

/** A transient is felt better when the continuous signal makes room for it. */
const DUCKING = 0.8;

/**
 * Follows the converter of NiceVibrations (core/datamodel/src/ios/v1.rs) number for number, with one difference: that one
 * forgets an emphasis on the first breakpoint, and only does `asReference` forget it too.
 */
export function compileAhap(clip: HapticClip, options: { readonly asReference?: boolean } = {}): Ahap {
  const { amplitude, frequency = [] } = clip.signals.continuous.envelopes;
  const isFelt = (index: number): boolean => index > 0 || options.asReference !== true;
  const intensity = amplitude.map((point, index) => ({
    Time: Math.fround(point.time),
    ParameterValue: Math.fround(
      root(point.amplitude) * (point.emphasis !== undefined && isFelt(index) ? Math.fround(DUCKING) : 1),
    ),
  }));
  const sharpness = frequency.map((point) => ({
    Time: Math.fround(point.time),
    ParameterValue: root(point.frequency),
  }));
  const endS = amplitude.at(-1)?.time ?? 0;
  const transients = amplitude.flatMap((point, index): AhapEntry[] => {
    if (point.emphasis === undefined || !isFelt(index)) return [];
    const parameters = eventParameters(root(point.emphasis.amplitude), point.emphasis.frequency);
    return [{ Event: { EventType: "HapticTransient", Time: Math.fround(point.time), EventParameters: parameters } }];
  });
  return {
    Version: 1,
    Metadata: {
      Project: clip.metadata?.project ?? "",
      Created: clip.metadata?.author ?? "",
      Description: clip.metadata?.description ?? "",
    },
    Pattern: [
      ...curves("HapticIntensityControl", intensity),
      ...curves("HapticSharpnessControl", sharpness),
      ...continuous(endS),
      ...transients,
    ],
  };
}

/** In single precision from the start, as the reference computes it: the last digit differs otherwise. */
function root(value: number): number {
  return Math.fround(Math.sqrt(Math.fround(value)));
}

function curves(
  id: "HapticIntensityControl" | "HapticSharpnessControl",
  points: readonly { readonly Time: number; readonly ParameterValue: number }[],
): AhapEntry[] {
  const entries: AhapEntry[] = [];
  // A curve begins with the last point of the one before, so that the value does not jump between them.
  for (let start = 0; start === 0 ? points.length > 0 : start < points.length - 1; start += CURVE_POINTS_MAX - 1) {
    const part = points.slice(start, start + CURVE_POINTS_MAX);
    entries.push({
      ParameterCurve: { ParameterID: id, Time: part[0]?.Time ?? 0, ParameterCurveControlPoints: part },
    });
  }
  return entries;
}

function continuous(endS: number): AhapEntry[] {
  const entries: AhapEntry[] = [];
  for (let time = 0; time < endS; time += EVENT_S_MAX) {
    entries.push({
      Event: {
        EventType: "HapticContinuous",
        Time: time,
        EventDuration: Math.fround(Math.min(EVENT_S_MAX, endS - time)),
        EventParameters: eventParameters(1, 0),
      },
    });
  }
  return entries;
}

function eventParameters(intensity: number, sharpness: number): { ParameterID: string; ParameterValue: number }[] {
  return [
    { ParameterID: "HapticIntensity", ParameterValue: Math.fround(intensity) },
    { ParameterID: "HapticSharpness", ParameterValue: Math.fround(sharpness) },
  ];
}

/**
 * Reads AHAP as a clip: control curves become envelopes, transients become emphases. What has no counterpart (audio events,
 * attack and decay) is left out. Throws `request_invalid` with the path of the field.
 */
export function parseAhap(input: unknown): HapticClip {
  const ahap = objectAt(typeof input === "string" ? parseJson(input) : input, "");
  const pattern = ahap["Pattern"];
  if (!Array.isArray(pattern)) fail("Pattern", "must be a list");
  const amplitude = new Map<number, number>();
  const frequency = new Map<number, number>();
  const transients: { time: number; amplitude: number; frequency: number }[] = [];
  const spans: { from: number; to: number; intensity: number }[] = [];
  pattern.forEach((given: unknown, index: number) => {
    const path = `Pattern[${index}]`;
    const entry = objectAt(given, path);
    if (entry["ParameterCurve"] !== undefined)
      readCurve(entry["ParameterCurve"], `${path}.ParameterCurve`, amplitude, frequency);
    if (entry["Event"] !== undefined) readEvent(entry["Event"], `${path}.Event`, transients, spans);
  });
  if (amplitude.size === 0) for (const span of spans) setSpan(amplitude, span);
  for (const { time } of transients) if (!amplitude.has(time)) amplitude.set(time, amplitudeBetween(amplitude, time));
  if (amplitude.size === 0) fail("Pattern", "holds nothing that can be felt");
  const byTime = ([a]: readonly [number, number], [b]: readonly [number, number]): number => a - b;
  const points = [...amplitude].sort(byTime).map(([time, value]): AmplitudeBreakpoint => {
    const click = transients.find((transient) => transient.time === time);
    if (click === undefined) return { time, amplitude: value };
    const undone = Math.min(1, value / (DUCKING * DUCKING));
    return { time, amplitude: undone, emphasis: { amplitude: click.amplitude, frequency: click.frequency } };
  });
  const pitch = [...frequency].sort(byTime).map(([time, value]): FrequencyBreakpoint => ({ time, frequency: value }));
  return parseHapticClip({
    version: { major: 1, minor: 0, patch: 0 },
    signals: { continuous: { envelopes: { amplitude: points, ...(pitch.length === 0 ? {} : { frequency: pitch }) } } },
  });
}

function readCurve(given: unknown, path: string, amplitude: Map<number, number>, frequency: Map<number, number>): void {
  const curve = objectAt(given, path);
  const id = curve["ParameterID"];
  if (id !== "HapticIntensityControl" && id !== "HapticSharpnessControl") return;
  const points = curve["ParameterCurveControlPoints"];
  if (!Array.isArray(points)) fail(`${path}.ParameterCurveControlPoints`, "must be a list");
  points.forEach((point: unknown, index: number) => {
    const at = `${path}.ParameterCurveControlPoints[${index}]`;
    const entry = objectAt(point, at);
    const value = numberAt(entry["ParameterValue"], `${at}.ParameterValue`, 1);
    (id === "HapticIntensityControl" ? amplitude : frequency).set(
      numberAt(entry["Time"], `${at}.Time`, 600),
      value * value,
    );
  });
}

function readEvent(
  given: unknown,
  path: string,
  transients: { time: number; amplitude: number; frequency: number }[],
  spans: { from: number; to: number; intensity: number }[],
): void {
  const event = objectAt(given, path);
  const time = numberAt(event["Time"], `${path}.Time`, 600);
  const parameters = Array.isArray(event["EventParameters"]) ? event["EventParameters"] : [];
  const parameter = (id: string, otherwise: number): number => {
    const index = parameters.findIndex(
      (entry: unknown) => objectAt(entry, `${path}.EventParameters`)["ParameterID"] === id,
    );
    if (index < 0) return otherwise;
    return numberAt(
      objectAt(parameters[index], path)["ParameterValue"],
      `${path}.EventParameters[${index}].ParameterValue`,
      1,
    );
  };
  const intensity = parameter("HapticIntensity", 1);
  if (event["EventType"] === "HapticTransient") {
    transients.push({ time, amplitude: intensity * intensity, frequency: parameter("HapticSharpness", 0.5) });
  } else if (event["EventType"] === "HapticContinuous") {
    const duration = numberAt(event["EventDuration"], `${path}.EventDuration`, 600);
    spans.push({ from: time, to: time + duration, intensity: intensity * intensity });
  }
}

/** Without a curve a continuous event is a plateau with edges of a millisecond. */
function setSpan(amplitude: Map<number, number>, span: { from: number; to: number; intensity: number }): void {
  if (span.from > 0) amplitude.set(span.from - 0.001, 0);
  amplitude.set(span.from, span.intensity);
  amplitude.set(span.to, span.intensity);
  amplitude.set(span.to + 0.001, 0);
}

function amplitudeBetween(amplitude: ReadonlyMap<number, number>, time: number): number {
  const times = [...amplitude.keys()].sort((a, b) => a - b);
  const after = times.find((other) => other > time);
  const before = times.findLast((other) => other < time);
  if (before === undefined || after === undefined) return 0;
  const from = amplitude.get(before) ?? 0;
  return from + (((amplitude.get(after) ?? 0) - from) * (time - before)) / (after - before);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GatewayError("request_invalid", "the AHAP is not JSON", { param: "" }, { cause });
  }
}

function objectAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(path, "must be an object");
  return value as Readonly<Record<string, unknown>>;
}

function numberAt(value: unknown, path: string, max: number): number {
  if (typeof value !== "number" || !(value >= 0 && value <= max)) fail(path, `must be a number between 0 and ${max}`);
  return value;
}

function fail(param: string, problem: string): never {
  throw new GatewayError("request_invalid", `AHAP: ${param === "" ? "it" : param} ${problem}`, { param });
}
