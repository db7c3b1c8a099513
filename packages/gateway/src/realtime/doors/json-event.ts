// Reading of untrusted JSON events: every complaint names the field.
import { GatewayError } from "@fovea/core";

export type Json = Readonly<Record<string, unknown>>;

/** A complaint about one event, with the field it is about. */
export class EventError extends Error {
  readonly code: string;
  readonly param: string | undefined;

  constructor(code: string, message: string, param?: string) {
    super(message);
    this.name = "EventError";
    this.code = code;
    this.param = param;
  }

  /** What may be told of any failure while an event was handled; undefined for faults of the gateway. */
  static from(error: unknown): EventError | undefined {
    if (error instanceof EventError) return error;
    if (!GatewayError.is(error) || !error.row.expose) return undefined;
    return new EventError(error.code, error.message, error.details.param);
  }
}

const DEPTH_MAX = 64;

/** Throws `invalid_json`. */
export function parseEvent(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new EventError("invalid_json", "The message could not be parsed as JSON.");
  }
  if (!isObject(value)) throw new EventError("invalid_event", "An event is a JSON object.");
  return value;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, param: string): Json {
  if (isObject(value)) return value;
  const code = value === undefined ? "missing_required_parameter" : "invalid_type";
  throw new EventError(code, `'${param}' must be an object.`, param);
}

export function optionalObject(value: unknown, param: string): Json | undefined {
  return value === undefined || value === null ? undefined : objectAt(value, param);
}

export function textAt(value: unknown, param: string): string {
  if (typeof value === "string" && value !== "") return value;
  const code = value === undefined ? "missing_required_parameter" : "invalid_type";
  throw new EventError(code, `'${param}' must be a non-empty string.`, param);
}

export function optionalText(value: unknown, param: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw new EventError("invalid_type", `'${param}' must be a string.`, param);
}

export function listAt(value: unknown, param: string, countMax: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new EventError("invalid_type", `'${param}' must be an array.`, param);
  if (value.length > countMax)
    throw new EventError("invalid_value", `'${param}' takes at most ${countMax} entries.`, param);
  return value;
}

export function numberAt(value: unknown, param: string, min: number, max: number): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= min && value <= max) return value;
  const code =
    value === undefined ? "missing_required_parameter" : typeof value === "number" ? "invalid_value" : "invalid_type";
  throw new EventError(code, `'${param}' must be a number from ${min} to ${max}.`, param);
}

export function optionalNumber(value: unknown, param: string, min: number, max: number): number | undefined {
  return value === undefined || value === null ? undefined : numberAt(value, param, min, max);
}

export function oneOf<T extends string>(value: unknown, choices: readonly T[], param: string): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new EventError(
    "invalid_value",
    `'${param}' must be one of ${choices.map((name) => `'${name}'`).join(", ")}.`,
    param,
  );
}

/** Data that is passed on must not be able to exhaust the stack of who walks it. */
export function shallowEnough(value: unknown, param: string): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX)
      throw new EventError("invalid_value", `'${param}' is nested deeper than ${DEPTH_MAX} levels.`, param);
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
}

/** PCM or other bytes. Anything that is not standard base64 is refused rather than decoded in part. */
export function base64At(value: unknown, param: string, bytesMax: number): Buffer {
  if (typeof value !== "string") throw new EventError("invalid_type", `'${param}' must be base64 text.`, param);
  if (value.length > Math.ceil(bytesMax / 3) * 4) {
    throw new EventError("invalid_value", `'${param}' holds more than ${bytesMax} bytes.`, param);
  }
  if (value.length % 4 === 1 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw new EventError("invalid_value", `'${param}' is not valid base64.`, param);
  }
  return Buffer.from(value, "base64");
}

/** Samples of PCM16 that lie at any address. */
export function samplesOf(bytes: Uint8Array): Int16Array {
  const whole = bytes.byteOffset % 2 === 0 ? bytes : Uint8Array.from(bytes);
  return new Int16Array(whole.buffer, whole.byteOffset, whole.byteLength >> 1);
}

export function bytesOfSamples(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}
