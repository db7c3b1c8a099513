// What one tenant, key or user has spent of one budget in the running period: here, and as told by the store elsewhere
// (other gateways, and this one before it was started anew).

export interface Spent {
  readonly requests: number;
  readonly tokens: number;
  readonly costMicroUsd: number;
}

export interface Account {
  /** `name/of/period/id`, each escaped. */
  readonly key: string;
  readonly periodMs: number;
  /** Wall time, milliseconds. */
  periodStartMs: number;
  /** Spent here, with what is reserved. */
  requests: number;
  tokens: number;
  costMicroUsd: number;
  /** The rest, by where it was spent. */
  elsewhere: Map<string, Spent> | undefined;
  running: number;
  isChanged: boolean;
}

export function newAccount(key: string, periodMs: number, periodStartMs: number): Account {
  const spent = { requests: 0, tokens: 0, costMicroUsd: 0 };
  return { key, periodMs, periodStartMs, ...spent, elsewhere: undefined, running: 0, isChanged: false };
}

export function beginPeriod(account: Account, periodStartMs: number): void {
  account.periodStartMs = periodStartMs;
  account.requests = 0;
  account.tokens = 0;
  account.costMicroUsd = 0;
  account.elsewhere = undefined;
}

/** All that was spent, wherever it was. */
export function spentOf(account: Account): Spent {
  const { requests, tokens, costMicroUsd, elsewhere } = account;
  if (elsewhere === undefined) return account;
  const sum = { requests, tokens, costMicroUsd };
  for (const other of elsewhere.values()) {
    sum.requests += other.requests;
    sum.tokens += other.tokens;
    sum.costMicroUsd += other.costMicroUsd;
  }
  return sum;
}
