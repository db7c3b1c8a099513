/** A value that may be personal or secret: a log writes only its kind and length, never its content. */
export class PrivateValue {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  /** What a log may show. */
  get masked(): string {
    return `<private, ${this.#value.length} characters>`;
  }
  toString(): string {
    return this.masked;
  }
  toJSON(): string {
    return this.masked;
  }
}

export function privateValue(value: string): PrivateValue {
  return new PrivateValue(value);
}

export type LogValue = string | number | boolean | undefined | null | PrivateValue;
export type LogAttributes = Readonly<Record<string, LogValue>>;
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Static message plus attributes: what varies goes into attributes, what is private into `privateValue`. */
export interface Log {
  write(level: LogLevel, message: string, attributes?: LogAttributes): void;
}
