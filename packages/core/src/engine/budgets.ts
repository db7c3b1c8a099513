// What tenants, keys and users may spend: requests, tokens, money, and answers at the same time. Reserved before a call by
// the worst case, settled after it by what was used; so that ten calls at once cannot each see the last cent.
// Rules: docs/spec/engine.md EN60..EN69, EN80..EN84.
import { GatewayError } from "../errors/gateway-error.ts";
import type { Cost, Usage } from "../model/measure.ts";
import type { Principal } from "../model/privacy.ts";
import type { Clock } from "../ports/clock.ts";
import type { Meter } from "../ports/meter.ts";
import { NO_METER } from "../ports/meter.ts";
import type { Account, Spent } from "./budget-account.ts";
import { beginPeriod, newAccount, spentOf } from "./budget-account.ts";

export interface BudgetLimit {
  /** Shown to the caller whose request is refused. */
  readonly name: string;
  readonly of: "tenant" | "key" | "user";
  /** One tenant, key or user (`tenant/user`); each of them has the limit for itself where nothing is said. */
  readonly id?: string;
  /** Length of a period, which begins at a multiple of it since 1970 (UTC): 60 000 a minute, 86 400 000 a day. */
  readonly periodMs: number;
  readonly requests?: number;
  readonly tokens?: number;
  readonly costMicroUsd?: number;
  /** Answers that may be made at the same time; has no period. */
  readonly concurrency?: number;
  /** What a budget of money does with a model whose price nobody knows: let it through uncounted, or refuse it. */
  readonly unpriced?: "allow" | "refuse";
}

export interface BudgetEstimate {
  readonly tokens: number;
  /** At the dearest of the cells whose price is known. */
  readonly costMicroUsd: number | undefined;
  /** True where a cell could serve whose price nobody knows. */
  readonly hasUnpriced?: boolean;
}

/** What is left of one limit. */
export interface BudgetRemainder {
  readonly name: string;
  readonly requests?: number;
  readonly tokens?: number;
  readonly costMicroUsd?: number;
  readonly concurrency?: number;
  readonly resetsInMs: number;
  readonly limit: BudgetLimit;
}

/** One account as it is kept between processes. */
export interface AccountEntry extends Spent {
  readonly key: string;
  readonly periodMs: number;
  readonly periodStartMs: number;
}

const ACCOUNTS_KEPT = 100_000;
const CONCURRENCY_RETRY_MS = 1_000;

export class Budgets {
  readonly #clock: Clock;
  readonly #meter: Meter;
  readonly #accounts = new Map<string, Account>();
  #limits: readonly BudgetLimit[];

  constructor(clock: Clock, limits: readonly BudgetLimit[] = [], meter: Meter = NO_METER) {
    this.#clock = clock;
    this.#limits = limits;
    this.#meter = meter;
  }

  get limits(): readonly BudgetLimit[] {
    return this.#limits;
  }

  /** Applies to the next request; what has been spent stays spent. */
  replace(limits: readonly BudgetLimit[]): void {
    this.#limits = limits;
  }

  /** Throws `budget_exhausted` (tokens, money) or `rate_limited` (requests, concurrency) with the time to wait. */
  reserve(principal: Principal, estimate: BudgetEstimate): Reservation {
    if (this.#limits.length === 0) return FREE;
    const held: Held[] = [];
    for (const limit of this.#limits) {
      const account = this.#accountOf(limit, principal);
      if (account === undefined) continue;
      this.#check(limit, account, estimate);
      held.push({ account, limit, periodStartMs: account.periodStartMs });
    }
    if (held.length === 0) return FREE;
    for (const { account } of held) {
      account.requests += 1;
      account.running += 1;
      account.tokens += estimate.tokens;
      account.costMicroUsd += estimate.costMicroUsd ?? 0;
      account.isChanged = true;
    }
    return new HeldReservation(held, estimate, this.#meter);
  }

  remaining(principal: Principal): readonly BudgetRemainder[] {
    if (this.#limits.length === 0) return NONE;
    return this.#limits.flatMap((limit) => {
      const account = this.#accountOf(limit, principal);
      return account === undefined ? [] : [remainderOf(limit, account, this.#resetsInMs(limit))];
    });
  }

  /** What has changed since this was asked last. */
  takeChanged(): readonly AccountEntry[] {
    const entries: AccountEntry[] = [];
    for (const account of this.#accounts.values()) {
      if (!account.isChanged) continue;
      account.isChanged = false;
      const { key, periodMs, periodStartMs, requests, tokens, costMicroUsd } = account;
      entries.push({ key, periodMs, periodStartMs, requests, tokens, costMicroUsd });
    }
    return entries;
  }

  /** Spent at another place in the same period; what was told of that place before is replaced. */
  foldElsewhere(place: string, entry: AccountEntry): void {
    const { key, periodMs, periodStartMs, requests, tokens, costMicroUsd } = entry;
    if (periodStartMs !== this.#periodStart(periodMs)) return;
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = newAccount(key, periodMs, periodStartMs);
      this.#keep(account);
    } else if (account.periodStartMs !== periodStartMs) beginPeriod(account, periodStartMs);
    account.elsewhere ??= new Map();
    account.elsewhere.set(place, { requests, tokens, costMicroUsd });
  }

  #check(limit: BudgetLimit, account: Account, estimate: BudgetEstimate): void {
    const { name, of } = limit;
    const retryAfterMs = this.#resetsInMs(limit);
    const until = `; it begins anew in ${durationText(retryAfterMs)}`;
    const refuse = (
      code: "rate_limited" | "budget_exhausted",
      unit: string,
      message: string,
      waitMs: number,
    ): never => {
      this.#meter.count("fovea.budget.refused", { budget: name, unit });
      throw new GatewayError(code, message, { limit: name, limitOf: of, unit, retryAfterMs: waitMs });
    };
    if (limit.concurrency !== undefined && account.running >= limit.concurrency) {
      const message = `the budget '${name}' of this ${of} allows ${limit.concurrency} answers at the same time`;
      refuse("rate_limited", "concurrency", message, CONCURRENCY_RETRY_MS);
    }
    const spent = spentOf(account);
    const usedUp = (what: string): string => `${what} of the budget '${name}' of this ${of}${until}`;
    if (limit.requests !== undefined && spent.requests >= limit.requests) {
      refuse("rate_limited", "requests", usedUp(`no requests are left`), retryAfterMs);
    }
    if (limit.tokens !== undefined && spent.tokens + estimate.tokens > limit.tokens) {
      const left = Math.max(0, limit.tokens - spent.tokens);
      const what =
        left === 0 ? "no tokens are left" : `this request may take ${estimate.tokens} tokens, ${left} are left`;
      refuse("budget_exhausted", "tokens", usedUp(what), retryAfterMs);
    }
    if (limit.costMicroUsd === undefined) return;
    if (estimate.hasUnpriced === true && limit.unpriced === "refuse") {
      const message = `the budget '${name}' of this ${of} pays only for models whose price is known`;
      refuse("budget_exhausted", "unpriced", message, retryAfterMs);
    }
    const money = spent.costMicroUsd + (estimate.costMicroUsd ?? 0);
    if (money > limit.costMicroUsd || spent.costMicroUsd >= limit.costMicroUsd) {
      const left = Math.max(0, limit.costMicroUsd - spent.costMicroUsd);
      const what =
        left === 0 ? "no money is left" : `this request may cost more than the ${dollars(left)} that are left`;
      refuse("budget_exhausted", "usd", usedUp(what), retryAfterMs);
    }
  }

  #resetsInMs(limit: BudgetLimit): number {
    return limit.periodMs - (this.#clock.unixMs() % limit.periodMs);
  }

  #periodStart(periodMs: number): number {
    const unixMs = this.#clock.unixMs();
    return unixMs - (unixMs % periodMs);
  }

  /** Undefined where the limit is somebody else's. */
  #accountOf(limit: BudgetLimit, principal: Principal): Account | undefined {
    const id = idOf(limit, principal);
    if (id === undefined || (limit.id !== undefined && limit.id !== id)) return undefined;
    const key = `${encodeURIComponent(limit.name)}/${limit.of}/${limit.periodMs}/${encodeURIComponent(id)}`;
    const periodStartMs = this.#periodStart(limit.periodMs);
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = newAccount(key, limit.periodMs, periodStartMs);
      this.#keep(account);
    } else if (account.periodStartMs !== periodStartMs) beginPeriod(account, periodStartMs);
    return account;
  }

  /** Users come and go without end. An account of an old period holds nothing; only where all are new, the oldest goes. */
  #keep(account: Account): void {
    if (this.#accounts.size >= ACCOUNTS_KEPT) {
      this.#forget((old) => old.periodStartMs !== this.#periodStart(old.periodMs));
      if (this.#accounts.size >= ACCOUNTS_KEPT) this.#forget(() => true);
    }
    this.#accounts.set(account.key, account);
  }

  #forget(may: (account: Account) => boolean): void {
    for (const [key, account] of this.#accounts) {
      if (account.running > 0 || !may(account)) continue;
      this.#accounts.delete(key);
      if (this.#accounts.size < ACCOUNTS_KEPT * 0.9) return;
    }
  }
}

export interface Reservation {
  /** Once, however the answer ended. Without usage the estimate stays, unless nothing had begun. */
  settle(usage: Usage | undefined, cost: Cost | undefined, hasBegun: boolean): void;
}

interface Held {
  readonly account: Account;
  readonly limit: BudgetLimit;
  readonly periodStartMs: number;
}

const NONE: readonly BudgetRemainder[] = [];
const FREE: Reservation = { settle: () => undefined };

class HeldReservation implements Reservation {
  readonly #held: readonly Held[];
  readonly #estimate: BudgetEstimate;
  readonly #meter: Meter;
  #isSettled = false;

  constructor(held: readonly Held[], estimate: BudgetEstimate, meter: Meter) {
    this.#held = held;
    this.#estimate = estimate;
    this.#meter = meter;
  }

  settle(usage: Usage | undefined, cost: Cost | undefined, hasBegun: boolean): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { tokens, costMicroUsd } = this.#estimate;
    const unused = usage === undefined && !hasBegun;
    const usedTokens = usage === undefined ? (unused ? 0 : tokens) : usage.input.total + usage.output.total;
    const usedMicroUsd = cost?.microUsd ?? (unused ? 0 : (costMicroUsd ?? 0));
    for (const { account, limit, periodStartMs } of this.#held) {
      account.running = Math.max(0, account.running - 1);
      // A period that began meanwhile knows nothing of this reservation: only what was used is booked there.
      const isSame = account.periodStartMs === periodStartMs;
      account.tokens += usedTokens - (isSame ? tokens : 0);
      account.costMicroUsd += usedMicroUsd - (isSame ? (costMicroUsd ?? 0) : 0);
      account.isChanged = true;
      const labels = { budget: limit.name };
      this.#meter.count("fovea.budget.requests", labels);
      if (usedTokens > 0) this.#meter.count("fovea.budget.tokens", labels, usedTokens);
      if (usedMicroUsd > 0) this.#meter.count("fovea.budget.cost", labels, usedMicroUsd / 1e6);
    }
  }
}

function idOf(limit: BudgetLimit, principal: Principal): string | undefined {
  if (limit.of === "tenant") return principal.tenantId;
  // Users are their tenant's: the same name elsewhere is somebody else.
  return limit.of === "user" ? `${principal.tenantId}/${principal.userId}` : principal.keyId;
}

function remainderOf(limit: BudgetLimit, account: Account, resetsInMs: number): BudgetRemainder {
  const left = (max: number, used: number): number => Math.max(0, max - used);
  const spent = spentOf(account);
  return {
    name: limit.name,
    resetsInMs,
    limit,
    ...(limit.requests === undefined ? {} : { requests: left(limit.requests, spent.requests) }),
    ...(limit.tokens === undefined ? {} : { tokens: left(limit.tokens, spent.tokens) }),
    ...(limit.costMicroUsd === undefined ? {} : { costMicroUsd: left(limit.costMicroUsd, spent.costMicroUsd) }),
    ...(limit.concurrency === undefined ? {} : { concurrency: left(limit.concurrency, account.running) }),
  };
}

function dollars(microUsd: number): string {
  return `${(microUsd / 1e6).toFixed(microUsd < 10_000 ? 6 : 2)} US dollars`;
}

/** `45 s`, `12 min`, `5 h`, `3 days`: enough to decide whether to wait. */
function durationText(ms: number): string {
  if (ms < 90_000) return `${Math.ceil(ms / 1_000)} s`;
  if (ms < 5_400_000) return `${Math.ceil(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.ceil(ms / 3_600_000)} h` : `${Math.ceil(ms / 86_400_000)} days`;
}
