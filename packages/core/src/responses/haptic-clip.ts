import { GatewayError } from "../errors/gateway-error.ts";
import type { AmplitudeBreakpoint, FrequencyBreakpoint, HapticClip } from "../model/haptic.ts";

/** A clip longer than this is not feedback but a film; the limit bounds what one answer can make a device do. */
export const HAPTIC_DURATION_S_MAX = 600;
export const HAPTIC_BREAKPOINTS_MAX = 20_000;

/**
 * Reads `.haptic` version 1 (a text, or JSON already parsed). Unknown keys are ignored, as minor versions may add some.
 * Throws `request_invalid` with `details.param` naming the field, as in `signals.continuous.envelopes.amplitude[3].time`.
 * Source of the rules: Lofelt/NiceVibrations core/datamodel/README.md.
 */
export function parseHapticClip(input: unknown): HapticClip {
  const clip = object(typeof input === "string" ? parseJson(input) : input, "");
  const version = object(clip["version"], "version");
  if (version["major"] !== 1) fail("version.major", "must be 1");
  const signals = object(clip["signals"], "signals");
  const continuous = object(signals["continuous"], "signals.continuous");
  const envelopes = object(continuous["envelopes"], "signals.continuous.envelopes");
  const amplitude = parseAmplitude(envelopes["amplitude"], "signals.continuous.envelopes.amplitude");
  const frequency = parseFrequency(envelopes["frequency"], "signals.continuous.envelopes.frequency");
  const metadata = parseMetadata(clip["metadata"]);
  return {
    version: {
      major: 1,
      minor: wholeNumber(version["minor"], "version.minor"),
      patch: wholeNumber(version["patch"], "version.patch"),
    },
    ...(metadata === undefined ? {} : { metadata }),
    signals: { continuous: { envelopes: { amplitude, ...(frequency === undefined ? {} : { frequency }) } } },
  };
}

function parseAmplitude(value: unknown, path: string): readonly AmplitudeBreakpoint[] {
  const entries = list(value, path);
  if (entries.length === 0) fail(path, "must not be empty");
  const read = timeline(path);
  return entries.map((entry, index) => {
    const at = `${path}[${index}]`;
    const point = object(entry, at);
    const time = read(point["time"], `${at}.time`);
    const amplitude = unit(point["amplitude"], `${at}.amplitude`);
    const given = point["emphasis"];
    if (given === undefined || given === null) return { time, amplitude };
    const emphasis = object(given, `${at}.emphasis`);
    return {
      time,
      amplitude,
      emphasis: {
        amplitude: unit(emphasis["amplitude"], `${at}.emphasis.amplitude`),
        frequency: unit(emphasis["frequency"], `${at}.emphasis.frequency`),
      },
    };
  });
}

function parseFrequency(value: unknown, path: string): readonly FrequencyBreakpoint[] | undefined {
  if (value === undefined || value === null) return undefined;
  const entries = list(value, path);
  if (entries.length === 0) return undefined;
  const read = timeline(path);
  return entries.map((entry, index) => {
    const point = object(entry, `${path}[${index}]`);
    const time = read(point["time"], `${path}[${index}].time`);
    return { time, frequency: unit(point["frequency"], `${path}[${index}].frequency`) };
  });
}

function parseMetadata(value: unknown): HapticClip["metadata"] {
  if (value === undefined || value === null) return undefined;
  const given = object(value, "metadata");
  const metadata: {
    -readonly [K in keyof NonNullable<HapticClip["metadata"]>]: NonNullable<HapticClip["metadata"]>[K];
  } = {};
  for (const key of ["editor", "author", "source", "project", "description"] as const) {
    const entry = given[key];
    if (entry === undefined || entry === null) continue;
    if (typeof entry !== "string") fail(`metadata.${key}`, "must be a string");
    metadata[key] = entry;
  }
  if (given["tags"] !== undefined && given["tags"] !== null) {
    metadata.tags = list(given["tags"], "metadata.tags").map((tag, index) =>
      typeof tag === "string" ? tag : fail(`metadata.tags[${index}]`, "must be a string"),
    );
  }
  return metadata;
}

/** Two breakpoints may share a time (a step); time never runs backwards. */
function timeline(path: string): (value: unknown, at: string) => number {
  let last = 0;
  return (value, at) => {
    if (typeof value !== "number" || !Number.isFinite(value)) fail(at, "must be a number of seconds");
    if (value < 0 || value > HAPTIC_DURATION_S_MAX) fail(at, `must be between 0 and ${HAPTIC_DURATION_S_MAX} seconds`);
    if (value < last) fail(at, `must not be before the breakpoint in front of it in ${path}`);
    last = value;
    return value;
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GatewayError("request_invalid", "the haptic clip is not JSON", { param: "" }, { cause });
  }
}

function object(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(path, "must be an object");
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) fail(path, "must be a list");
  if (value.length > HAPTIC_BREAKPOINTS_MAX) fail(path, `must have at most ${HAPTIC_BREAKPOINTS_MAX} entries`);
  return value;
}

function unit(value: unknown, path: string): number {
  if (typeof value !== "number" || !(value >= 0 && value <= 1)) fail(path, "must be a number between 0 and 1");
  return value;
}

function wholeNumber(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) fail(path, "must be a whole number");
  return value;
}

function fail(param: string, problem: string): never {
  throw new GatewayError("request_invalid", `haptic clip: ${param === "" ? "it" : param} ${problem}`, { param });
}
