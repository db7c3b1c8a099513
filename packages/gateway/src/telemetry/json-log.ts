import type { Clock, Log, LogAttributes, LogLevel, LogValue } from "@fovea/core";
import { PrivateValue } from "@fovea/core";
import { isSecretName, redactSecrets, SECRET_MASK } from "./redact.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const satisfies readonly LogLevel[];

export interface LogParts {
  readonly clock: Clock;
  readonly level: LogLevel;
  /** One finished line without its end of line. */
  readonly write: (line: string) => void;
}

const MESSAGES_MAX = 500;

/** Names of the line itself: an attribute of the same name is written with a trailing underscore. */
const OWN_NAMES = new Set(["time", "level", "message"]);

/** One JSON object a line: `time` (ISO 8601, UTC), `level`, `message`, then the attributes. */
export class JsonLog implements Log {
  readonly #parts: LogParts;
  readonly #leastLevel: number;
  readonly #messages = new Map<string, string>();
  readonly #labels = new Map<string, string>();
  #second = -1;
  #secondText = "";

  constructor(parts: LogParts) {
    this.#parts = parts;
    this.#leastLevel = LOG_LEVELS.indexOf(parts.level);
  }

  write(level: LogLevel, message: string, attributes: LogAttributes = {}): void {
    if (LOG_LEVELS.indexOf(level) < this.#leastLevel) return;
    let line = `{"time":"${this.#time()}","level":"${level}","message":${this.#message(message)}`;
    for (const name in attributes) {
      const value = jsonOf(shown(name, attributes[name]));
      if (value !== undefined) line += this.#label(name) + value;
    }
    this.#parts.write(`${line}}`);
  }

  /** Up to and including the colon, as JSON. Names are static, as messages are. */
  #label(name: string): string {
    const known = this.#labels.get(name);
    if (known !== undefined) return known;
    const label = `,${JSON.stringify(OWN_NAMES.has(name) ? `${name}_` : name)}:`;
    if (this.#labels.size < MESSAGES_MAX) this.#labels.set(name, label);
    return label;
  }

  /** As JSON. Messages are static: each is looked through once. The limit is for those that are not. */
  #message(message: string): string {
    const known = this.#messages.get(message);
    if (known !== undefined) return known;
    const safe = JSON.stringify(redactSecrets(message));
    if (this.#messages.size < MESSAGES_MAX) this.#messages.set(message, safe);
    return safe;
  }

  /** Formatting a date costs more than the rest of a line, and the second seldom changes between two lines. */
  #time(): string {
    const unixMs = Math.floor(this.#parts.clock.unixMs());
    const second = Math.floor(unixMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(second * 1_000).toISOString().slice(0, 20);
    }
    return `${this.#secondText}${String(unixMs - second * 1_000).padStart(3, "0")}Z`;
  }
}

/** The same facts for a person at a terminal: `17:04:05 info  message  name=value`. */
export class ReadableLog implements Log {
  readonly #parts: LogParts;

  constructor(parts: LogParts) {
    this.#parts = parts;
  }

  write(level: LogLevel, message: string, attributes: LogAttributes = {}): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.#parts.level)) return;
    const pairs = Object.entries(attributes)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${quoted(shown(name, value))}`);
    const time = isoTime(this.#parts.clock).slice(11, 19);
    const head = `${time} ${level.padEnd(5)} ${redactSecrets(message)}`;
    this.#parts.write(pairs.length === 0 ? head : `${head}  ${pairs.join(" ")}`);
  }
}

function isoTime(clock: Clock): string {
  return new Date(clock.unixMs()).toISOString();
}

/** One value as JSON; undefined where JSON leaves a member out. A text without anything to escape needs no serialiser. */
function jsonOf(value: LogValue): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (typeof value === "string" && PLAIN_TEXT.test(value)) return `"${value}"`;
  return JSON.stringify(value);
}

const PLAIN_TEXT = /^[\w .:/-]*$/;

function shown(name: string, value: LogValue): LogValue {
  if (value instanceof PrivateValue) return value.masked;
  if (isSecretName(name) && value !== undefined && value !== null) return SECRET_MASK;
  return typeof value === "string" ? redactSecrets(value) : value;
}

function quoted(value: LogValue): string {
  const text = String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
