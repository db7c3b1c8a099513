import type { ProviderFailure } from "../errors/provider-failure.ts";
import type { Cell } from "../model/routing-plan.ts";
import type { LatencyClass } from "../model/xr-request.ts";
import type { Random } from "../ports/random.ts";
import type { Candidate } from "../providers/catalogue.ts";
import { AdaptiveThrottle } from "./adaptive-throttle.ts";
import type { Admission, BreakerChange, BreakerPolicy } from "./cell-breaker.ts";
import { BREAKER_POLICY, CellBreaker } from "./cell-breaker.ts";
import { classOf, isRejection } from "./failure-classes.ts";
import { FirstContentTimes } from "./first-content-times.ts";

/** What is known of one cell's health. */
export interface CellHealth {
  readonly cell: Cell;
  readonly name: string;
  readonly breaker: CellBreaker;
  readonly throttle: AdaptiveThrottle;
  readonly firstContent: FirstContentTimes;
  /** Times of answers that were asked for in one piece. */
  readonly wholeTimes: FirstContentTimes;
  /** Most recent last, at most 50. */
  readonly failures: { readonly atMs: number; readonly failure: ProviderFailure }[];
  lastSuccessMs: number | undefined;
}

export interface CellSuccess {
  readonly startedMs: number;
  /** From the start to the first content. */
  readonly firstContentMs: number | undefined;
  readonly isSlow: boolean;
  readonly isWhole: boolean;
}

export interface HealthChange extends BreakerChange {
  readonly cell: Cell;
  readonly name: string;
}

const FAILURES_KEPT = 50;
/** Adaptive first-content deadline: 1.5 times the cell's p99, within these. */
const DEADLINE_MS: Readonly<Record<LatencyClass, readonly [min: number, max: number]>> = {
  interactive: [1_000, 4_000],
  conversational: [2_000, 10_000],
  background: [5_000, 60_000],
};

/** The breakers of all cells. Enforcement is here, in the process, at once; nothing is read over a network. */
export class CellHealthBook {
  readonly #random: Random;
  readonly #policy: BreakerPolicy;
  readonly #cells = new Map<string, CellHealth>();
  readonly #listeners = new Set<(change: HealthChange) => void>();

  constructor(random: Random, policy: BreakerPolicy = BREAKER_POLICY) {
    this.#random = random;
    this.#policy = policy;
  }

  /** Calls with every change of a breaker until the returned function is called. */
  onChange(listener: (change: HealthChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  of(candidate: Pick<Candidate, "name" | "cell">): CellHealth {
    const known = this.#cells.get(candidate.name);
    if (known !== undefined) return known;
    const { cell, name } = candidate;
    const tell = (change: BreakerChange): void => {
      for (const listener of this.#listeners) listener({ ...change, cell, name });
    };
    const breaker = new CellBreaker(this.#random, tell, this.#policy);
    const health: CellHealth = {
      cell,
      name,
      breaker,
      throttle: new AdaptiveThrottle(),
      firstContent: new FirstContentTimes(),
      wholeTimes: new FirstContentTimes(),
      failures: [],
      lastSuccessMs: undefined,
    };
    this.#cells.set(name, health);
    return health;
  }

  cellsOf(providerId: string): readonly CellHealth[] {
    return [...this.#cells.values()].filter((health) => health.cell.providerId === providerId);
  }

  get all(): readonly CellHealth[] {
    return [...this.#cells.values()];
  }

  forget(providerId: string): void {
    for (const [name, health] of this.#cells) if (health.cell.providerId === providerId) this.#cells.delete(name);
  }

  look(candidate: Candidate, nowMs: number): Admission {
    return this.#cells.get(candidate.name)?.breaker.look(nowMs) ?? "closed";
  }

  admit(candidate: Candidate, nowMs: number): Admission {
    return this.#cells.get(candidate.name)?.breaker.admit(nowMs) ?? "closed";
  }

  /** True where this request had better go elsewhere, because the cell rejects most of what it is sent. */
  holdsBack(candidate: Candidate, nowMs: number): boolean {
    const throttle = this.#cells.get(candidate.name)?.throttle;
    const share = throttle?.share(nowMs) ?? 0;
    if (share === 0 || this.#random.next() >= share) return false;
    throttle?.heldBack(nowMs);
    return true;
  }

  /** Undefined until the cell has shown enough; then the class's start value holds. */
  firstContentDeadlineMs(candidate: Candidate, latencyClass: LatencyClass): number | undefined {
    const p99Ms = this.#cells.get(candidate.name)?.firstContent.p99Ms;
    if (p99Ms === undefined) return undefined;
    const [min, max] = DEADLINE_MS[latencyClass];
    return Math.min(max, Math.max(min, p99Ms * 1.5));
  }

  succeeded(candidate: Candidate, nowMs: number, success: CellSuccess): void {
    const health = this.of(candidate);
    health.lastSuccessMs = nowMs;
    const times = success.isWhole ? health.wholeTimes : health.firstContent;
    if (success.firstContentMs !== undefined) times.add(success.firstContentMs);
    health.throttle.ended(nowMs, true);
    health.breaker.succeeded(success.startedMs, nowMs, success.isSlow);
  }

  failed(candidate: Candidate, startedMs: number, nowMs: number, failure: ProviderFailure): void {
    const health = this.of(candidate);
    const { breaker, key } = classOf(failure);
    health.throttle.ended(nowMs, !isRejection(failure));
    health.failures.push({ atMs: nowMs, failure });
    if (health.failures.length > FAILURES_KEPT) health.failures.shift();
    if (key === "isolate") this.#isolate(candidate, nowMs, failure);
    if (key === "rest") this.#rest(candidate, nowMs, failure);
    if (breaker === "none") health.breaker.cancelled(startedMs, nowMs);
    else health.breaker.failed(startedMs, nowMs, breaker);
  }

  answered(candidate: Candidate, startedMs: number): void {
    this.#cells.get(candidate.name)?.breaker.answered(startedMs);
  }

  cancelled(candidate: Candidate, startedMs: number, nowMs: number): void {
    this.#cells.get(candidate.name)?.breaker.cancelled(startedMs, nowMs);
  }

  /** The call was silent until its hedge answered. */
  overtaken(candidate: Candidate, startedMs: number, nowMs: number): void {
    this.#cells.get(candidate.name)?.breaker.overtaken(startedMs, nowMs);
  }

  /** A dead key takes all its cells with it; a missing model or right takes this cell alone, and is tried again later. */
  #isolate(candidate: Candidate, nowMs: number, failure: ProviderFailure): void {
    if (failure.code === "not_found" || failure.code === "permission" || failure.scope === "model") {
      return this.of(candidate).breaker.isolate("key_dead", nowMs, nowMs + 300_000);
    }
    this.of(candidate);
    for (const health of this.#sameKey(candidate)) health.breaker.isolate("key_dead", nowMs, nowMs + 300_000);
  }

  #rest(candidate: Candidate, nowMs: number, failure: ProviderFailure): void {
    const isKeyWide = failure.scope === "key" || failure.scope === "account" || failure.scope === "project";
    const resting = isKeyWide ? this.#sameKey(candidate) : [this.of(candidate)];
    for (const health of resting) health.breaker.throttle(nowMs, failure.retryAfterMs);
  }

  #sameKey({ cell }: Candidate): readonly CellHealth[] {
    return this.cellsOf(cell.providerId).filter((health) => health.cell.keyId === cell.keyId);
  }
}
