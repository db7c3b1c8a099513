import type { Warning } from "@fovea/core";
import { GatewayError } from "@fovea/core";

const SCHEMA_DEPTH_MAX = 64;

export function invalid(param: string, message: string): GatewayError {
  return new GatewayError("request_invalid", `${param}: ${message}`, { param });
}

/**
 * Reads one JSON object of a request field by field. Every complaint names the path, and what nobody has read in the
 * end is named too, so that no parameter is swallowed. `null` counts as absent, as the vendors' APIs have it.
 */
export class Fields {
  readonly path: string;
  readonly #value: Readonly<Record<string, unknown>>;
  /** Names that were asked for and are there: few, where most names that are asked for are absent. */
  readonly #read: string[] = [];

  constructor(value: unknown, path = "") {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw invalid(path === "" ? "body" : path, "must be a JSON object");
    }
    this.#value = value as Readonly<Record<string, unknown>>;
    this.path = path;
  }

  at(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  raw(name: string): unknown {
    const value = this.#value[name];
    if (value === undefined || value === null || !Object.hasOwn(this.#value, name)) return undefined;
    this.#read.push(name);
    return value;
  }

  string(name: string): string | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "string") return value;
    throw invalid(this.at(name), "must be a string");
  }

  requiredString(name: string): string {
    const value = this.string(name);
    if (value === undefined || value === "") throw invalid(this.at(name), "is required and must not be empty");
    return value;
  }

  number(name: string, min: number, max: number): number | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max) {
      throw invalid(this.at(name), `must be a number from ${min} to ${max}`);
    }
    return value;
  }

  integer(name: string, min: number, max: number): number | undefined {
    const value = this.number(name, min, max);
    if (value !== undefined && !Number.isInteger(value)) throw invalid(this.at(name), "must be an integer");
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.raw(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw invalid(this.at(name), "must be true or false");
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    for (const choice of choices) if (choice === value) return choice;
    throw invalid(this.at(name), `must be one of ${choices.join(", ")}`);
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw invalid(this.at(name), "must be an array");
    return value;
  }

  strings(name: string, countMax: number): readonly string[] | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const list: readonly unknown[] = typeof value === "string" ? [value] : Array.isArray(value) ? value : [undefined];
    if (list.length > countMax) throw invalid(this.at(name), `takes at most ${countMax} values`);
    return list.map((item, index) => {
      if (typeof item === "string") return item;
      throw invalid(Array.isArray(value) ? `${this.at(name)}[${index}]` : this.at(name), "must be a string");
    });
  }

  object(name: string): Fields | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : new Fields(value, this.at(name));
  }

  /** Plain data that is passed on as it is: a JSON Schema, tool input. */
  data(name: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw invalid(this.at(name), "must be a JSON object");
    }
    assertDepth(value, this.at(name));
    return value as Readonly<Record<string, unknown>>;
  }

  /** Names a parameter that is understood but has no effect here. */
  ignored(warnings: Warning[], names: readonly string[], message = "not supported by this gateway; ignored"): void {
    for (const name of names) if (this.raw(name) !== undefined) warnings.push({ field: this.at(name), message });
  }

  /** Names everything that was never asked for. */
  unknown(warnings: Warning[]): void {
    for (const name of Object.keys(this.#value)) {
      if (this.#read.includes(name) || this.#value[name] === null) continue;
      warnings.push({ field: this.at(name), message: "unknown parameter; ignored" });
    }
  }
}

/** Deeply nested data would exhaust the stack where it is serialised again. */
export function assertDepth(value: unknown, path: string): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > SCHEMA_DEPTH_MAX) throw invalid(path, `is nested deeper than ${SCHEMA_DEPTH_MAX} levels`);
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      for (const inner of Object.values(item)) if (typeof inner === "object" && inner !== null) next.push(inner);
    }
    level = next;
  }
}

/** Bytes of standard base64; anything else is refused rather than decoded in part. */
export function decodeBase64(text: string, path: string): Uint8Array {
  const compact = text.includes("\n") || text.includes("\r") ? text.replaceAll(/[\r\n]/g, "") : text;
  if (compact.length === 0) throw invalid(path, "is empty");
  if (compact.length % 4 === 1 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(compact)) throw invalid(path, "is not valid base64");
  return Buffer.from(compact, "base64");
}
