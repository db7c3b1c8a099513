import type { PriceBook } from "./price-book.ts";
import type { AttemptObserver } from "./attempt.ts";
import type { HistoricalData } from "./routing-fit.ts";

const KEPT = 5_000;

type Call = HistoricalData["calls"][number];

/** The last five thousand chats by provider, as `optimizeRouting` learns from them. Nothing of their content. */
export class CallHistory {
  readonly #calls: Call[] = [];
  readonly #prices: PriceBook | undefined;
  #next = 0;

  constructor(prices: PriceBook | undefined) {
    this.#prices = prices;
  }

  /** Oldest first. */
  get calls(): readonly Call[] {
    return [...this.#calls.slice(this.#next), ...this.#calls.slice(0, this.#next)];
  }

  get observer(): AttemptObserver {
    return {
      started: () => undefined,
      firstContent: () => undefined,
      ended: ({ cell, entry }, { outcome, operation, startedMs, endedMs, firstContentMs, usage, isWhole }) => {
        // Who left, and who lost a race, says nothing of the provider; the machine itself competes with nobody.
        if (outcome === "cancelled" || operation !== "chat" || entry.adapter.type === "embedded") return;
        const waitedMs = (isWhole ? endedMs : (firstContentMs ?? endedMs)) - startedMs;
        const cost =
          usage === undefined ? undefined : this.#prices?.costOf(cell.providerId, cell.model, usage).microUsd;
        this.#calls[this.#next] = {
          atMs: endedMs,
          providerId: cell.providerId,
          firstContentMs: waitedMs,
          isFailure: outcome === "failed",
          ...(cost === undefined ? {} : { costMicroUsd: cost }),
        };
        this.#next = (this.#next + 1) % KEPT;
      },
    };
  }
}
