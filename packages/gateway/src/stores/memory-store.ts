import type { Clock, Store } from "@fovea/core";

interface Entry {
  readonly value: string;
  readonly untilMs: number;
}

/** Nothing survives the process. Holds at most `entriesMax`; the oldest written goes first. */
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
    return this.#live(key) !== undefined && this.#entries.delete(key);
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

/** UTF-16 order differs from byte order for characters beyond the basic plane. */
function inByteOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
