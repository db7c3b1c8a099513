import { createClient } from "@redis/client";
import type { Clock, Store } from "@fovea/core";

/** A store that answers later than this is taken for one that does not answer: nobody waits for it longer. */
const ANSWER_MS = 2_000;
/** Redis forgets an entry by its own clock this long after its time is over by ours. */
const GRACE_MS = 60_000;
const PAGE = 500;

type Client = ReturnType<typeof clientFor>;

function clientFor(url: string, wasOpen: () => boolean) {
  return createClient({
    url,
    // While there is no connection a call fails at once, instead of waiting for one.
    disableOfflineQueue: true,
    socket: {
      connectTimeout: ANSWER_MS,
      reconnectStrategy: (tries) =>
        wasOpen() ? Math.min(2_000, 50 * 2 ** Math.min(tries, 6)) : new Error("no answer"),
    },
  });
}

/**
 * Redis, Valkey or any server that speaks their protocol; shared by all gateways that name it with the same prefix. The
 * time of an entry stands in its value and is judged by the gateway's clock, as in every other store; Redis only frees the
 * space. Keys are kept a second time in a sorted set, because Redis cannot list its own in order.
 */
export class RedisStore implements Store {
  readonly #clock: Clock;
  readonly #client: Client;
  readonly #prefix: string;
  readonly #index: string;

  private constructor(clock: Clock, client: Client, prefix: string) {
    this.#clock = clock;
    this.#client = client;
    this.#prefix = `${prefix}:`;
    this.#index = `${prefix}-keys`;
  }

  /** Rejects where the server does not answer at all. Afterwards the connection is made again by itself when it breaks. */
  static async open(clock: Clock, url: string, prefix = "fovea"): Promise<RedisStore> {
    let isOpen = false;
    const client = clientFor(url, () => isOpen);
    // Without a listener an error of the connection would end the process. Each call tells its own.
    client.on("error", () => {});
    await client.connect();
    isOpen = true;
    return new RedisStore(clock, client, prefix);
  }

  async get(key: string): Promise<string | undefined> {
    return this.#live(await this.#within(this.#client.get(this.#prefix + key)));
  }

  async set(key: string, value: string, ttlMs?: number): Promise<void> {
    await this.setMany([[key, value]], ttlMs);
  }

  async setMany(entries: readonly (readonly [key: string, value: string])[], ttlMs?: number): Promise<void> {
    if (entries.length === 0) return;
    const until = ttlMs === undefined ? "" : String(this.#clock.unixMs() + ttlMs);
    const batch = this.#client.multi();
    for (const [key, value] of entries) {
      const text = `${until}|${value}`;
      if (ttlMs === undefined) batch.set(this.#prefix + key, text);
      else batch.set(this.#prefix + key, text, { expiration: { type: "PX", value: Math.ceil(ttlMs) + GRACE_MS } });
      batch.zAdd(this.#index, { score: 0, value: key });
    }
    await this.#within(batch.exec());
  }

  async delete(key: string): Promise<boolean> {
    const name = this.#prefix + key;
    const batch = this.#client.multi().get(name).del(name).zRem(this.#index, key);
    const [before] = (await this.#within(batch.exec())) as unknown as readonly unknown[];
    return typeof before === "string" && this.#live(before) !== undefined;
  }

  async keys(prefix: string, limit: number): Promise<readonly string[]> {
    const found: string[] = [];
    let from = `[${prefix}`;
    while (found.length < limit) {
      const page = await this.#within(
        this.#client.zRangeByLex(this.#index, from, "+", { LIMIT: { offset: 0, count: PAGE } }),
      );
      const inPrefix = page.filter((key) => key.startsWith(prefix));
      if (inPrefix.length > 0) await this.#addLive(inPrefix, found);
      const last = page.at(-1);
      if (page.length < PAGE || inPrefix.length < page.length || last === undefined) break;
      from = `(${last}`;
    }
    return found.slice(0, limit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#client.isOpen) this.#client.destroy();
  }

  /** Of names whose entries are gone the index is cleaned on the way. */
  async #addLive(keys: readonly string[], found: string[]): Promise<void> {
    const values = await this.#within(this.#client.mGet(keys.map((key) => this.#prefix + key)));
    const gone: string[] = [];
    for (const [index, key] of keys.entries()) {
      const value = values[index] ?? null;
      if (value === null) gone.push(key);
      else if (this.#live(value) !== undefined) found.push(key);
    }
    if (gone.length > 0) await this.#within(this.#client.zRem(this.#index, gone));
  }

  /** The value, where its time is not over: `until|value`. */
  #live(text: string | null): string | undefined {
    if (text === null) return undefined;
    const bar = text.indexOf("|");
    const until = text.slice(0, bar);
    return until === "" || this.#clock.unixMs() < Number(until) ? text.slice(bar + 1) : undefined;
  }

  /** The answer, or an error when it does not come in time. */
  #within<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.schedule(ANSWER_MS, () => reject(new Error("the store does not answer")));
      answer.then(
        (value) => {
          cancel();
          resolve(value);
        },
        (error: unknown) => {
          cancel();
          reject(error instanceof Error ? error : new Error("the store failed"));
        },
      );
    });
  }
}
