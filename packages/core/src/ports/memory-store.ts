import type { Clock } from "./clock.ts";
import type { Store } from "./store.ts";

interface Entry {
  readonly value: string;
  readonly untilMs: number;
}

/** A store that nothing survives: the reference for all others. Holds at most `entriesMax`; the oldest written goes first. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #entriesMax: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, entriesMax = 100_000) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
  }

  async get(key: string): Promise<string | undefined> {
    return this.#live(key)?.value;
  }

  async set(key: string, value: string, ttlMs?: number): Promise<void> {
    const untilMs = ttlMs === undefined ? Infinity : this.#clock.monotonicMs() + ttlMs;
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#entriesMax) break;
      this.#entries.delete(oldest);
    }
  }

  async delete(key: string): Promise<boolean> {
    const existed = this.#live(key) !== undefined;
    this.#entries.delete(key);
    return existed;
  }

  async keys(prefix: string, limit: number): Promise<readonly string[]> {
    const found = [...this.#entries.keys()].filter((key) => key.startsWith(prefix) && this.#live(key) !== undefined);
    return found.sort(inByteOrder).slice(0, limit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#entries.clear();
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#clock.monotonicMs() < entry.untilMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}

/** Order of code points is order of UTF-8 bytes; the default order is that of UTF-16 units, which differs. */
function inByteOrder(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const difference = (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
