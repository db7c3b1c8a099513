import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import type { Cancel, Clock, Store } from "@fovea/core";

/** Expired rows are invisible at once; the sweep only frees their space. */
const SWEEP_MS = 60_000;

/**
 * One file, survives kill -9 (write-ahead log; the last milliseconds may be lost on power failure, never the file).
 * Calls are synchronous inside: 20 to 40 µs each, so nothing on a hot path reads through here.
 */
export class SqliteStore implements Store {
  readonly #clock: Clock;
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #set: StatementSync;
  readonly #delete: StatementSync;
  readonly #keys: StatementSync;
  #cancelSweep: Cancel;

  constructor(clock: Clock, path: string) {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
    this.#clock = clock;
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA busy_timeout = 2000;
      CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY COLLATE BINARY, value TEXT NOT NULL, until_ms REAL) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS entries_until ON entries (until_ms) WHERE until_ms IS NOT NULL;
    `);
    const live = "(until_ms IS NULL OR until_ms > :now)";
    this.#get = this.#database.prepare(`SELECT value FROM entries WHERE key = :key AND ${live}`);
    this.#set = this.#database.prepare(
      "INSERT INTO entries VALUES (:key, :value, :until) ON CONFLICT (key) DO UPDATE SET value = :value, until_ms = :until",
    );
    this.#delete = this.#database.prepare(`DELETE FROM entries WHERE key = :key AND ${live}`);
    this.#keys = this.#database.prepare(
      `SELECT key FROM entries WHERE key >= :prefix AND substr(key, 1, length(:prefix)) = :prefix AND ${live} ORDER BY key LIMIT :limit`,
    );
    this.#cancelSweep = clock.schedule(SWEEP_MS, () => this.#sweep());
  }

  async get(key: string): Promise<string | undefined> {
    const row = this.#get.get({ key, now: this.#clock.unixMs() });
    return row === undefined ? undefined : String(row["value"]);
  }

  async set(key: string, value: string, ttlMs?: number): Promise<void> {
    // Wall time, because the file outlives the process and its monotonic clock.
    this.#set.run({ key, value, until: ttlMs === undefined ? null : this.#clock.unixMs() + ttlMs });
  }

  async setMany(entries: readonly (readonly [key: string, value: string])[], ttlMs?: number): Promise<void> {
    const until = ttlMs === undefined ? null : this.#clock.unixMs() + ttlMs;
    this.#database.exec("BEGIN");
    try {
      for (const [key, value] of entries) this.#set.run({ key, value, until });
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  async delete(key: string): Promise<boolean> {
    return this.#delete.run({ key, now: this.#clock.unixMs() }).changes > 0;
  }

  async keys(prefix: string, limit: number): Promise<readonly string[]> {
    return this.#keys.all({ prefix, limit, now: this.#clock.unixMs() }).map((row) => String(row["key"]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelSweep();
    if (this.#database.isOpen) this.#database.close();
  }

  #sweep(): void {
    if (!this.#database.isOpen) return;
    this.#database.prepare("DELETE FROM entries WHERE until_ms <= :now").run({ now: this.#clock.unixMs() });
    this.#cancelSweep = this.#clock.schedule(SWEEP_MS, () => this.#sweep());
  }
}
