import type { Cost, Usage } from "../model/measure.ts";

/** Prices by provider and model. `undefined` micro-dollars means that no price is known, which is said and never shown as zero. */
export interface PriceBook {
  costOf(providerId: string, model: string, usage: Usage): Cost;
  /** Micro-dollars for a thousand input and a thousand output tokens, for routing before a call; undefined where unknown. */
  ratesOf(providerId: string, model: string): { readonly input: number; readonly output: number } | undefined;
}

export const NO_PRICES: PriceBook = {
  costOf: () => ({ microUsd: undefined, source: "unpriced" }),
  ratesOf: () => undefined,
};

const NO_USAGE: Usage = {
  input: { total: 0, cacheRead: 0, cacheWrite: 0 },
  output: { total: 0 },
  source: "provider",
};

/** What a request cost over all its attempts: losers of a hedge and broken attempts are in it. */
export class UsageSum {
  #usage: Usage | undefined;
  #microUsd: number | undefined = 0;
  #source: Cost["source"] | undefined;

  add(usage: Usage, cost: Cost): void {
    this.#usage = this.#usage === undefined ? usage : sumOf(this.#usage, usage);
    // One part without a known price makes the sum unknown: a partial sum would be shown as if it were the price.
    this.#microUsd =
      this.#microUsd === undefined || cost.microUsd === undefined ? undefined : this.#microUsd + cost.microUsd;
    this.#source = this.#source === undefined || cost.source !== "free" ? cost.source : this.#source;
  }

  get isEmpty(): boolean {
    return this.#usage === undefined;
  }

  get usage(): Usage {
    return this.#usage ?? NO_USAGE;
  }

  get cost(): Cost {
    if (this.#source === undefined) return { microUsd: undefined, source: "unpriced" };
    if (this.#microUsd === undefined) return { microUsd: undefined, source: "unpriced" };
    return { microUsd: this.#microUsd, source: this.#source };
  }
}

function sumOf(a: Usage, b: Usage): Usage {
  const input = {
    total: a.input.total + b.input.total,
    cacheRead: a.input.cacheRead + b.input.cacheRead,
    cacheWrite: a.input.cacheWrite + b.input.cacheWrite,
    ...optionalSums(a.input, b.input, ["audio", "image", "video", "toolUse"]),
  };
  const output = {
    total: a.output.total + b.output.total,
    ...optionalSums(a.output, b.output, ["reasoning", "audio", "image"]),
  };
  const seconds = optionalSums(a.seconds ?? {}, b.seconds ?? {}, ["audioIn", "audioOut", "compute"]);
  const units = optionalSums(a.units ?? {}, b.units ?? {}, ["characters", "searches", "requests", "credits", "images"]);
  const source = a.source === "provider" && b.source === "provider" ? "provider" : "estimated";
  return {
    input,
    output,
    source,
    ...(Object.keys(seconds).length === 0 ? {} : { seconds }),
    ...(Object.keys(units).length === 0 ? {} : { units }),
  };
}

function optionalSums<K extends string>(
  a: Readonly<Partial<Record<K, number>>>,
  b: Readonly<Partial<Record<K, number>>>,
  names: readonly K[],
): Partial<Record<K, number>> {
  const sums: Partial<Record<K, number>> = {};
  for (const name of names) {
    if (a[name] !== undefined || b[name] !== undefined) sums[name] = (a[name] ?? 0) + (b[name] ?? 0);
  }
  return sums;
}
