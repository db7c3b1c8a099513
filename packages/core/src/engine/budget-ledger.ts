// Keeps what was spent in a store, so that a restart forgets nothing and gateways that share a store share their budgets.
// Each place (a process) writes its own sums under its own name and reads those of the others: sums only grow within a
// period, so nothing needs a lock, and what is read late is added late, never twice. Enforcement stays in the process;
// between two looks at the store, gateways can together overspend by what they spend in that time.
import type { Cancel, Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import type { AccountEntry, Budgets } from "./budgets.ts";

export interface BudgetLedgerParts {
  readonly budgets: Budgets;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this process among those that share the store; new with every start. */
  readonly place: string;
  /** Whether others write to the store while this process runs. */
  readonly isShared: boolean;
}

const PREFIX = "budget:";
const WRITE_EVERY_MS = 1_000;
const ENTRIES_MAX = 100_000;
const PLACES_MAX = 1_000;
/** Entries outlive their period by this, for gateways whose clocks are late. */
const GRACE_MS = 60_000;

export class BudgetLedger implements AsyncDisposable {
  readonly #parts: BudgetLedgerParts;
  readonly #known = new Map<string, AccountEntry>();
  #cancel: Cancel | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isFailing = false;
  #isClosed = false;

  private constructor(parts: BudgetLedgerParts) {
    this.#parts = parts;
  }

  /** Reads what was spent before; from then on writes every second what has changed. Throws where the store cannot be read. */
  static async open(parts: BudgetLedgerParts): Promise<BudgetLedger> {
    const ledger = new BudgetLedger(parts);
    await ledger.#fold(await parts.store.keys(PREFIX, ENTRIES_MAX));
    ledger.#arm();
    return ledger;
  }

  /** Settles when all that was spent until now is in the store. */
  async write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeChanged());
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.write();
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#parts.clock.schedule(WRITE_EVERY_MS, () => void this.write().then(() => this.#arm()));
  }

  async #writeChanged(): Promise<void> {
    const { budgets, store, clock, place, log } = this.#parts;
    for (const entry of budgets.takeChanged()) this.#known.set(entry.key, entry);
    try {
      const nowMs = clock.unixMs();
      for (const [key, entry] of this.#known) {
        const ttlMs = entry.periodStartMs + entry.periodMs + GRACE_MS - nowMs;
        const { requests, tokens, costMicroUsd } = entry;
        const value = JSON.stringify([requests, tokens, Math.round(costMicroUsd * 1_000) / 1_000]);
        if (ttlMs > 0) await store.set(`${PREFIX}${key}/${entry.periodStartMs}/${place}`, value, ttlMs);
        if (this.#parts.isShared)
          await this.#fold(await store.keys(`${PREFIX}${key}/${entry.periodStartMs}/`, PLACES_MAX));
        // Spent again meanwhile: it comes up again by itself.
        if (this.#known.get(key) === entry) this.#known.delete(key);
      }
      this.#isFailing = false;
    } catch (error) {
      // What could not be written stays to be written; the limits hold in this process all the same.
      if (!this.#isFailing) log.write("error", "budgets cannot be written to the store", { error: kindOf(error) });
      this.#isFailing = true;
    }
  }

  async #fold(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const entry = parseKey(key);
      if (entry === undefined || entry.place === this.#parts.place) continue;
      const spent = parseSpent(await this.#parts.store.get(key));
      if (spent !== undefined) this.#parts.budgets.foldElsewhere(entry.place, { ...entry, ...spent });
    }
  }
}

/** `budget:name/of/period/id/start/place`, each part escaped. */
function parseKey(
  key: string,
):
  | { readonly key: string; readonly periodMs: number; readonly periodStartMs: number; readonly place: string }
  | undefined {
  const parts = key.slice(PREFIX.length).split("/");
  const [name, of, period, id, start, place] = parts;
  if (parts.length !== 6 || place === undefined) return undefined;
  const periodMs = Number(period);
  const periodStartMs = Number(start);
  if (!Number.isFinite(periodMs) || !Number.isFinite(periodStartMs)) return undefined;
  return { key: `${name}/${of}/${period}/${id}`, periodMs, periodStartMs, place };
}

function parseSpent(
  value: string | undefined,
): { readonly requests: number; readonly tokens: number; readonly costMicroUsd: number } | undefined {
  if (value === undefined) return undefined;
  try {
    const [requests, tokens, costMicroUsd] = JSON.parse(value) as readonly unknown[];
    if (typeof requests !== "number" || typeof tokens !== "number" || typeof costMicroUsd !== "number")
      return undefined;
    return { requests, tokens, costMicroUsd };
  } catch {
    return undefined;
  }
}

function kindOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
