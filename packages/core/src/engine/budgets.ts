// What tenants, keys and users may spend: requests, tokens, money, and answers at the same time. Reserved before a call by
// the worst case, settled after it by what was used; so that ten calls at once cannot each see the last cent.
import { GatewayError } from "../errors/gateway-error.ts";
import type { Cost, Usage } from "../model/measure.ts";
import type { Principal } from "../model/privacy.ts";
import type { Clock } from "../ports/clock.ts";

export interface BudgetLimit {
  /** Shown to the caller whose request is refused. */
  readonly name: string;
  readonly of: "tenant" | "key" | "user";
  /** One tenant, key or user; each of them has the limit for itself where nothing is said. */
  readonly id?: string;
  /** Length of a period, which begins at a multiple of it since 1970 (UTC): 60 000 a minute, 86 400 000 a day. */
  readonly periodMs: number;
  readonly requests?: number;
  readonly tokens?: number;
  readonly costMicroUsd?: number;
  /** Answers that may be made at the same time; has no period. */
  readonly concurrency?: number;
}

export interface BudgetEstimate {
  readonly tokens: number;
  readonly costMicroUsd: number | undefined;
}

/** What is left of one limit. */
export interface BudgetRemainder {
  readonly name: string;
  readonly requests?: number;
  readonly tokens?: number;
  readonly costMicroUsd?: number;
  readonly resetsInMs: number;
}

interface Account {
  periodStartMs: number;
  requests: number;
  tokens: number;
  costMicroUsd: number;
  running: number;
}

const ACCOUNTS_KEPT = 100_000;

export class Budgets {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, Account>();
  #limits: readonly BudgetLimit[];

  constructor(clock: Clock, limits: readonly BudgetLimit[] = []) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Applies to the next request; what has been spent stays spent. */
  replace(limits: readonly BudgetLimit[]): void {
    this.#limits = limits;
  }

  /** Throws `budget_exhausted` (tokens, money) or `rate_limited` (requests, concurrency) with the time to wait. */
  reserve(principal: Principal, estimate: BudgetEstimate): Reservation {
    if (this.#limits.length === 0) return FREE;
    const held: { readonly account: Account; readonly limit: BudgetLimit }[] = [];
    for (const limit of this.#limits) {
      const account = this.#accountOf(limit, principal);
      if (account === undefined) continue;
      this.#check(limit, account, estimate);
      held.push({ account, limit });
    }
    for (const { account } of held) {
      account.requests += 1;
      account.running += 1;
      account.tokens += estimate.tokens;
      account.costMicroUsd += estimate.costMicroUsd ?? 0;
    }
    return new HeldReservation(
      held.map(({ account }) => account),
      estimate,
    );
  }

  remaining(principal: Principal): readonly BudgetRemainder[] {
    return this.#limits.flatMap((limit) => {
      const account = this.#accountOf(limit, principal);
      return account === undefined ? [] : [remainderOf(limit, account, this.#resetsInMs(limit))];
    });
  }

  #check(limit: BudgetLimit, account: Account, estimate: BudgetEstimate): void {
    const { name } = limit;
    const retryAfterMs = this.#resetsInMs(limit);
    if (limit.concurrency !== undefined && account.running >= limit.concurrency) {
      const message = `'${name}' allows ${limit.concurrency} answers at the same time`;
      throw new GatewayError("rate_limited", message, { limit: name, retryAfterMs: 1_000 });
    }
    if (limit.requests !== undefined && account.requests >= limit.requests) {
      throw new GatewayError("rate_limited", `the requests of '${name}' are used up`, { limit: name, retryAfterMs });
    }
    if (limit.tokens !== undefined && account.tokens + estimate.tokens > limit.tokens) {
      throw new GatewayError("budget_exhausted", `the tokens of '${name}' are used up`, { limit: name, retryAfterMs });
    }
    const money = account.costMicroUsd + (estimate.costMicroUsd ?? 0);
    if (
      limit.costMicroUsd !== undefined &&
      (money > limit.costMicroUsd || account.costMicroUsd >= limit.costMicroUsd)
    ) {
      throw new GatewayError("budget_exhausted", `the money of '${name}' is spent`, { limit: name, retryAfterMs });
    }
  }

  #resetsInMs(limit: BudgetLimit): number {
    return limit.periodMs - (this.#clock.unixMs() % limit.periodMs);
  }

  /** Undefined where the limit is somebody else's. */
  #accountOf(limit: BudgetLimit, principal: Principal): Account | undefined {
    const id = idOf(limit, principal);
    if (id === undefined || (limit.id !== undefined && limit.id !== id)) return undefined;
    const key = `${limit.name} ${limit.of} ${id}`;
    const unixMs = this.#clock.unixMs();
    const periodStartMs = unixMs - (unixMs % limit.periodMs);
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = { periodStartMs, requests: 0, tokens: 0, costMicroUsd: 0, running: 0 };
      this.#forgetIdle();
      this.#accounts.set(key, account);
    } else if (account.periodStartMs !== periodStartMs) {
      Object.assign(account, { periodStartMs, requests: 0, tokens: 0, costMicroUsd: 0 });
    }
    return account;
  }

  /** Users come and go without end; an account of an old period holds nothing. */
  #forgetIdle(): void {
    if (this.#accounts.size < ACCOUNTS_KEPT) return;
    for (const [key, account] of this.#accounts) {
      if (account.running > 0) continue;
      this.#accounts.delete(key);
      if (this.#accounts.size < ACCOUNTS_KEPT * 0.9) return;
    }
  }
}

export interface Reservation {
  /** Once, however the answer ended. Without usage the estimate stays, unless nothing had begun. */
  settle(usage: Usage | undefined, cost: Cost | undefined, hasBegun: boolean): void;
}

const FREE: Reservation = { settle: () => undefined };

class HeldReservation implements Reservation {
  readonly #accounts: readonly Account[];
  readonly #periods: readonly number[];
  readonly #estimate: BudgetEstimate;
  #isSettled = false;

  constructor(accounts: readonly Account[], estimate: BudgetEstimate) {
    this.#accounts = accounts;
    this.#periods = accounts.map((account) => account.periodStartMs);
    this.#estimate = estimate;
  }

  settle(usage: Usage | undefined, cost: Cost | undefined, hasBegun: boolean): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { tokens, costMicroUsd } = this.#estimate;
    const unused = usage === undefined && !hasBegun;
    const usedTokens = usage === undefined ? (unused ? 0 : tokens) : usage.input.total + usage.output.total;
    const usedMicroUsd = cost?.microUsd ?? (unused ? 0 : (costMicroUsd ?? 0));
    this.#accounts.forEach((account, index) => {
      account.running = Math.max(0, account.running - 1);
      // A period that began meanwhile knows nothing of this reservation: only what was used is booked there.
      const isSame = account.periodStartMs === this.#periods[index];
      account.tokens += usedTokens - (isSame ? tokens : 0);
      account.costMicroUsd += usedMicroUsd - (isSame ? (costMicroUsd ?? 0) : 0);
    });
  }
}

function idOf(limit: BudgetLimit, principal: Principal): string | undefined {
  if (limit.of === "tenant") return principal.tenantId;
  // Users are their tenant's: the same name elsewhere is somebody else.
  return limit.of === "user" ? `${principal.tenantId}/${principal.userId}` : principal.keyId;
}

function remainderOf(limit: BudgetLimit, account: Account, resetsInMs: number): BudgetRemainder {
  const left = (max: number, used: number): number => Math.max(0, max - used);
  return {
    name: limit.name,
    resetsInMs,
    ...(limit.requests === undefined ? {} : { requests: left(limit.requests, account.requests) }),
    ...(limit.tokens === undefined ? {} : { tokens: left(limit.tokens, account.tokens) }),
    ...(limit.costMicroUsd === undefined ? {} : { costMicroUsd: left(limit.costMicroUsd, account.costMicroUsd) }),
  };
}
