import type { Log, LogAttributes, LogLevel } from "../src/ports/log.ts";

/** Keeps what was logged, so that a test can say what must be there and what must never be. */
export class MemoryLog implements Log {
  readonly entries: { readonly level: LogLevel; readonly message: string; readonly attributes: LogAttributes }[] = [];

  write(level: LogLevel, message: string, attributes: LogAttributes = {}): void {
    this.entries.push({ level, message, attributes });
  }

  /** As the JSON log would print it, private values masked. */
  get text(): string {
    return this.entries.map((entry) => JSON.stringify(entry)).join("\n");
  }
}
