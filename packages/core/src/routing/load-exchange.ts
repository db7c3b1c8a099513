// Several gateways before the same providers: each tells the others how many calls it has at every cell, four times a
// second, through the store they share. Nothing on the path of a request waits for it; without the store each of them
// balances what it knows itself, and what an other one said is forgotten after two seconds. Rules: docs/spec/routing.md LB14, LB15.
import type { Cancel, Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import type { LoadBalancer } from "./load-balancer.ts";

export interface LoadExchangeParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly balancer: LoadBalancer;
  /** This gateway among those that share the store. */
  readonly place: string;
}

const EVERY_MS = 250;
const FORGOTTEN_MS = 2_000;
/** Looking who else is there costs a scan; counts are read from those who are known. */
const LOOK_EVERY_MS = 5_000;
const GATEWAYS_MAX = 64;
const PREFIX = "load:";

export class LoadExchange {
  readonly #parts: LoadExchangeParts;
  #cancel: Cancel | undefined;
  #isClosed = false;
  #others: readonly string[] = [];
  #lookedMs = -Infinity;
  #heardMs = -Infinity;
  #told: ReadonlySet<string> = new Set();
  #hasFailed = false;

  constructor(parts: LoadExchangeParts) {
    this.#parts = parts;
    this.#arm();
  }

  /** Calls of the others stop counting at once; what this gateway said lasts until its time is over. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#apply(new Map());
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#parts.clock.schedule(EVERY_MS, () => {
      void this.#exchange().finally(() => this.#arm());
    });
  }

  async #exchange(): Promise<void> {
    const { store, clock, log, balancer, place } = this.#parts;
    try {
      await store.set(PREFIX + place, JSON.stringify(Object.fromEntries(balancer.ownCalls())), FORGOTTEN_MS);
      if (clock.monotonicMs() - this.#lookedMs >= LOOK_EVERY_MS) {
        const keys = await store.keys(PREFIX, GATEWAYS_MAX);
        this.#others = keys.filter((key) => key !== PREFIX + place);
        this.#lookedMs = clock.monotonicMs();
      }
      const told = await Promise.all(this.#others.map((key) => store.get(key)));
      this.#heardMs = clock.monotonicMs();
      this.#hasFailed = false;
      if (!this.#isClosed) this.#apply(sumOf(told));
    } catch {
      // The store is somebody else's: balancing goes on without it, and its failure is told once.
      if (!this.#hasFailed) log.write("warn", "load of other gateways is unknown", { store: "failed" });
      this.#hasFailed = true;
      if (clock.monotonicMs() - this.#heardMs > FORGOTTEN_MS) this.#apply(new Map());
    }
  }

  #apply(counts: ReadonlyMap<string, number>): void {
    const { balancer } = this.#parts;
    for (const name of this.#told) if (!counts.has(name)) balancer.setElsewhere(name, 0);
    for (const [name, calls] of counts) balancer.setElsewhere(name, calls);
    this.#told = new Set(counts.keys());
  }
}

function sumOf(told: readonly (string | undefined)[]): ReadonlyMap<string, number> {
  const sum = new Map<string, number>();
  for (const text of told) {
    if (text === undefined) continue;
    for (const [name, calls] of Object.entries(JSON.parse(text) as Record<string, unknown>)) {
      if (typeof calls === "number" && calls > 0) sum.set(name, (sum.get(name) ?? 0) + calls);
    }
  }
  return sum;
}
