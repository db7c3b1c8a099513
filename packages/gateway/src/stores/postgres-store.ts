import pg from "pg";
import type { Cancel, Clock, Store } from "@fovea/core";

/** A store that answers later than this is taken for one that does not answer: nobody waits for it longer. */
const ANSWER_MS = 2_000;
const SWEEP_MS = 60_000;
const CONNECTIONS_MAX = 8;
const ROWS_MAX = 1_000;
const STARTING_MS = 15_000;
const LOOK_AGAIN_MS = 200;
const CANNOT_CONNECT_NOW = "57P03";

/**
 * PostgreSQL, one table; shared by all gateways that name the same database and table. Expired rows are invisible at once;
 * the sweep only frees their space.
 */
export class PostgresStore implements Store {
  readonly #clock: Clock;
  readonly #pool: pg.Pool;
  readonly #table: string;
  #cancelSweep: Cancel;

  private constructor(clock: Clock, pool: pg.Pool, table: string) {
    this.#clock = clock;
    this.#pool = pool;
    this.#table = table;
    this.#cancelSweep = clock.schedule(SWEEP_MS, () => void this.#sweep());
  }

  /** Makes the table where it is missing. Rejects where the database does not answer or refuses. */
  static async open(clock: Clock, url: string, prefix = "fovea"): Promise<PostgresStore> {
    const pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
      statement_timeout: ANSWER_MS,
      idleTimeoutMillis: 30_000,
      application_name: "fovea",
    });
    // An idle connection that breaks would otherwise end the process; the next call gets a new one.
    pool.on("error", () => {});
    const table = pg.escapeIdentifier(`${prefix}_entries`);
    try {
      await untilStarted(clock, pool);
      await pool.query(
        `CREATE TABLE IF NOT EXISTS ${table} (key text COLLATE "C" PRIMARY KEY, value text NOT NULL, until_ms double precision)`,
      );
      await pool.query(
        `CREATE INDEX IF NOT EXISTS ${pg.escapeIdentifier(`${prefix}_entries_until`)} ON ${table} (until_ms) WHERE until_ms IS NOT NULL`,
      );
    } catch (error) {
      // Two gateways that start at once may both make it: the second one finds it made.
      const isRace = (error as { code?: string }).code === "23505" || (error as { code?: string }).code === "42P07";
      if (!isRace) {
        await pool.end();
        throw error;
      }
    }
    return new PostgresStore(clock, pool, table);
  }

  async get(key: string): Promise<string | undefined> {
    const { rows } = await this.#query<{ value: string }>(
      `SELECT value FROM ${this.#table} WHERE key = $1 AND (until_ms IS NULL OR until_ms > $2)`,
      [key, this.#clock.unixMs()],
    );
    return rows[0]?.value;
  }

  async set(key: string, value: string, ttlMs?: number): Promise<void> {
    await this.setMany([[key, value]], ttlMs);
  }

  async setMany(entries: readonly (readonly [key: string, value: string])[], ttlMs?: number): Promise<void> {
    // One statement must not name a key twice: the last one holds.
    const last = [...new Map(entries)];
    const until = ttlMs === undefined ? null : this.#clock.unixMs() + ttlMs;
    for (let from = 0; from < last.length; from += ROWS_MAX) {
      const rows = last.slice(from, from + ROWS_MAX);
      await this.#query(
        `INSERT INTO ${this.#table} (key, value, until_ms)
         SELECT key, value, $3 FROM unnest($1::text[], $2::text[]) AS given (key, value)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, until_ms = excluded.until_ms`,
        [rows.map(([key]) => key), rows.map(([, value]) => value), until],
      );
    }
  }

  async delete(key: string): Promise<boolean> {
    const { rows } = await this.#query<{ was_live: boolean }>(
      `DELETE FROM ${this.#table} WHERE key = $1 RETURNING (until_ms IS NULL OR until_ms > $2) AS was_live`,
      [key, this.#clock.unixMs()],
    );
    return rows[0]?.was_live ?? false;
  }

  async keys(prefix: string, limit: number): Promise<readonly string[]> {
    const { rows } = await this.#query<{ key: string }>(
      `SELECT key FROM ${this.#table}
       WHERE key >= $1 AND starts_with(key, $1) AND (until_ms IS NULL OR until_ms > $2) ORDER BY key LIMIT $3`,
      [prefix, this.#clock.unixMs(), limit],
    );
    return rows.map((row) => row.key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelSweep();
    if (!this.#pool.ended) await this.#pool.end();
  }

  async #sweep(): Promise<void> {
    try {
      await this.#query(`DELETE FROM ${this.#table} WHERE until_ms <= $1`, [this.#clock.unixMs()]);
    } catch {
      // The next one frees the more.
    }
    if (!this.#pool.ended) this.#cancelSweep = this.#clock.schedule(SWEEP_MS, () => void this.#sweep());
  }

  #query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<pg.QueryResult<Row>> {
    return this.#pool.query<Row>(text, [...values]);
  }
}

/** A database that was started together with the gateway says so until it is ready. */
async function untilStarted(clock: Clock, pool: pg.Pool): Promise<void> {
  const untilMs = clock.monotonicMs() + STARTING_MS;
  for (;;) {
    try {
      await pool.query("SELECT 1");
      return;
    } catch (error) {
      const isStarting = (error as { code?: string }).code === CANNOT_CONNECT_NOW;
      if (!isStarting || clock.monotonicMs() >= untilMs) throw error;
      await new Promise<void>((resolve) => void clock.schedule(LOOK_AGAIN_MS, resolve));
    }
  }
}
