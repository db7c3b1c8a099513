// Reads the fields of one parsed JSON message. The first thing that is wrong is kept and every later read returns a
// harmless value, so a parser is a plain object literal that cannot throw, and costs nothing where all is well.

import type { JsonObject, JsonValue } from "./client-messages.ts";
import { LIMITS } from "./limits.ts";
import type { ProtocolError, ProtocolProblem } from "./protocol-error.ts";
import type { WirePose, WireQuat, WireVec3 } from "./scene-node.ts";

export type Fields = Readonly<Record<string, unknown>>;

const NOTHING: Fields = Object.freeze({});
const IDENTITY_POSE: WirePose = { position: [0, 0, 0], orientation: [0, 0, 0, 1] };

export class FieldReader {
  #error: ProtocolError | undefined;
  readonly #path: (string | number)[] = [];
  #valuesRead = 0;

  get error(): ProtocolError | undefined {
    return this.#error;
  }

  fail(code: ProtocolProblem, field: string | number | undefined, message: string): void {
    this.#error ??= { code, field: pathText(this.#path, field), message };
  }

  string(from: Fields, key: string, charactersMax: number = LIMITS.nameCharactersMax): string {
    const value = own(from, key);
    if (typeof value !== "string") {
      this.#wrongType(value, key, "a string");
      return "";
    }
    if (value.length <= charactersMax) return value;
    this.fail("too_large", key, `expected at most ${charactersMax} characters, got ${value.length}`);
    return "";
  }

  /** A string that names something: not empty. */
  id(from: Fields, key: string): string {
    const value = this.string(from, key, LIMITS.idCharactersMax);
    if (value === "") this.fail("out_of_range", key, "expected at least one character");
    return value;
  }

  oneOf<T extends string>(from: Fields, key: string, allowed: readonly T[]): T {
    const value = own(from, key);
    const found = allowed.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    const list = allowed.join(", ");
    if (typeof value === "string") this.fail("not_allowed", key, `expected one of ${list}`);
    else this.#wrongType(value, key, `one of ${list}`);
    return allowed[0] as T;
  }

  boolean(from: Fields, key: string): boolean {
    const value = own(from, key);
    if (typeof value === "boolean") return value;
    this.#wrongType(value, key, "true or false");
    return false;
  }

  number(from: Fields, key: string, min: number, max: number): number {
    return this.#checkNumber(own(from, key), key, min, max);
  }

  integer(from: Fields, key: string, min: number, max: number): number {
    const value = this.number(from, key, min, max);
    if (Number.isInteger(value)) return value;
    this.fail("wrong_type", key, "expected a whole number");
    return min;
  }

  optional<T>(from: Fields, key: string, read: (from: Fields, key: string) => T): T | undefined {
    return own(from, key) === undefined ? undefined : read(from, key);
  }

  object<T>(from: Fields, key: string, read: (fields: Fields) => T): T {
    this.#path.push(key);
    const value = own(from, key);
    if (!isFields(value)) this.#wrongType(value, undefined, "an object");
    const result = read(isFields(value) ? value : NOTHING);
    this.#path.pop();
    return result;
  }

  /** Items beyond the first fault are not read, so a bad list costs no more than a good one. */
  list<T>(from: Fields, key: string, countMax: number, read: (item: Fields, key: string) => T): T[] {
    const value = own(from, key);
    if (!Array.isArray(value)) {
      this.#wrongType(value, key, "a list");
      return [];
    }
    if (value.length > countMax) {
      this.fail("too_large", key, `expected at most ${countMax} items, got ${value.length}`);
      return [];
    }
    const items: T[] = [];
    this.#path.push(key);
    const holder = value as unknown as Fields;
    for (let index = 0; index < value.length && this.#error === undefined; index++)
      items.push(read(holder, String(index)));
    this.#path.pop();
    return items;
  }

  objects<T>(from: Fields, key: string, countMax: number, read: (fields: Fields) => T): T[] {
    return this.list(from, key, countMax, (holder, index) => this.object(holder, index, read));
  }

  strings(from: Fields, key: string, countMax: number, charactersMax: number = LIMITS.nameCharactersMax): string[] {
    return this.list(from, key, countMax, (holder, index) => this.string(holder, index, charactersMax));
  }

  vec3(from: Fields, key: string, limit: number = LIMITS.positionMaxM): WireVec3 {
    const numbers = this.#numbers(from, key, 3, limit);
    return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0];
  }

  /** Normalised where the length is nearly 1; anything else is a fault of the sender, not of rounding. */
  quat(from: Fields, key: string): WireQuat {
    const [x = 0, y = 0, z = 0, w = 1] = this.#numbers(from, key, 4, 2);
    const length = Math.sqrt(x * x + y * y + z * z + w * w);
    if (Math.abs(length - 1) <= LIMITS.quaternionTolerance) return [x / length, y / length, z / length, w / length];
    this.fail("not_normalized", key, `expected a quaternion of length 1, got length ${length.toFixed(3)}`);
    return IDENTITY_POSE.orientation;
  }

  pose(from: Fields, key: string): WirePose {
    return this.object(from, key, (fields) => ({
      position: this.vec3(fields, "position"),
      orientation: this.quat(fields, "orientation"),
    }));
  }

  /** Application data, copied without keys that could reach a prototype. */
  json(from: Fields, key: string): JsonValue {
    const value = own(from, key);
    if (value === undefined) this.fail("missing", key, "expected a value");
    return this.#copy(value, key, 0);
  }

  jsonObject(from: Fields, key: string): JsonObject {
    const value = own(from, key);
    if (!isFields(value)) {
      this.#wrongType(value, key, "an object");
      return {};
    }
    return this.#copy(value, key, 0) as JsonObject;
  }

  /** Marks the second appearance of an id. `seen` is the caller's, one for each list that must be free of doubles. */
  distinct<T extends string | number>(seen: Set<T>, id: T, key: string): void {
    if (seen.has(id)) this.fail("duplicate_id", key, `${JSON.stringify(id)} appears twice`);
    seen.add(id);
  }

  #numbers(from: Fields, key: string, count: number, limit: number): readonly number[] {
    const value = own(from, key);
    if (!Array.isArray(value)) {
      this.#wrongType(value, key, `a list of ${count} numbers`);
      return [];
    }
    if (value.length !== count) {
      this.fail("out_of_range", key, `expected ${count} numbers, got ${value.length}`);
      return [];
    }
    this.#path.push(key);
    const numbers = value.map((item, index) => this.#checkNumber(item, index, -limit, limit));
    this.#path.pop();
    return numbers;
  }

  #checkNumber(value: unknown, key: string | number, min: number, max: number): number {
    if (typeof value !== "number") {
      this.#wrongType(value, key, "a number");
      return min;
    }
    if (!Number.isFinite(value)) {
      this.fail("not_finite", key, "expected a finite number");
      return min;
    }
    if (value >= min && value <= max) return value;
    this.fail("out_of_range", key, `expected a number from ${min} to ${max}, got ${value}`);
    return min;
  }

  #copy(value: unknown, key: string | number, depth: number): JsonValue {
    if (++this.#valuesRead > LIMITS.jsonValuesMax) {
      this.fail("too_large", key, `expected at most ${LIMITS.jsonValuesMax} values`);
      return null;
    }
    if (depth > LIMITS.jsonDepthMax) {
      this.fail("too_deep", key, `expected at most ${LIMITS.jsonDepthMax} levels`);
      return null;
    }
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") return this.#checkNumber(value, key, -Number.MAX_VALUE, Number.MAX_VALUE);
    if (typeof value !== "object") return null;
    this.#path.push(key);
    const copied = Array.isArray(value) ? this.#copyList(value, depth) : this.#copyFields(value as Fields, depth);
    this.#path.pop();
    return copied;
  }

  #copyList(value: readonly unknown[], depth: number): JsonValue {
    const copied: JsonValue[] = [];
    for (let index = 0; index < value.length && this.#error === undefined; index++)
      copied.push(this.#copy(value[index], index, depth + 1));
    return copied;
  }

  #copyFields(value: Fields, depth: number): JsonValue {
    const copied: Record<string, JsonValue> = {};
    for (const [key, item] of Object.entries(value)) {
      if (this.#error !== undefined) break;
      // As own properties these do no harm; merged into another object they would become its prototype.
      if (key === "__proto__" || (key === "constructor" && isFields(item) && Object.hasOwn(item, "prototype")))
        continue;
      copied[key] = this.#copy(item, key, depth + 1);
    }
    return copied;
  }

  #wrongType(value: unknown, key: string | number | undefined, expected: string): void {
    if (value === undefined) this.fail("missing", key, `expected ${expected}`);
    else this.fail("wrong_type", key, `expected ${expected}, got ${typeName(value)}`);
  }
}

/** The object without the members that are undefined, in a type that says which those can be. */
export function present<T extends object>(value: T): Present<T> {
  const record = value as Record<string, unknown>;
  for (const key in record) if (record[key] === undefined) delete record[key];
  return value as unknown as Present<T>;
}

type Optional<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];
export type Present<T> = Omit<T, Optional<T>> & { [K in Optional<T>]?: Exclude<T[K], undefined> };

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Inherited members (`toString`) are not fields of a message. */
export function own(from: Fields, key: string): unknown {
  return Object.hasOwn(from, key) ? from[key] : undefined;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value;
}

function pathText(path: readonly (string | number)[], last: string | number | undefined): string {
  let text = "";
  for (const step of last === undefined ? path : [...path, last]) {
    const name = String(step);
    if (/^\d+$/.test(name)) text += `[${name}]`;
    // Keys of application data are the peer's choice: what is repeated of them is short.
    else text += (text === "" ? "" : ".") + name.slice(0, 64);
  }
  return text === "" ? "message" : text;
}
