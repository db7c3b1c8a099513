// Which provider will fail: from what its calls have been like lately against what they usually are, before its breaker
// has a reason to open. Two moving means of each quantity, a fast one (about ten calls) and a slow one (about two hundred).
import type { LimitSnapshot } from "../model/measure.ts";
import type { Cell } from "../model/routing-plan.ts";

export type WarningSign = "rising-latency" | "error-slope" | "limit-headroom" | "quota-burn" | "token-expiry";

export interface FailureWarning {
  readonly sign: WarningSign;
  readonly cell: Cell;
  readonly cellName: string;
  /** 0 to 1, from how far the sign is beyond its threshold. */
  readonly probability: number;
  /** When it is expected, milliseconds from now; undefined where the sign does not tell. */
  readonly withinMs?: number;
  readonly evidence: string;
}

const FAST = 0.1;
const SLOW = 0.005;
const SAMPLES_MIN = 20;
const LATENCY_RATIO_MIN = 1.8;
const ERROR_SHARE_MIN = 0.1;

/** Buckets that are full again within this are rate limits; the others are quotas, and empty for a long time. */
const QUOTA_RESET_MS = 600_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** From when on an end that is known in advance is worth a word. */
const EXPIRY_WARNED_MS = 7 * DAY_MS;

interface Trend {
  readonly cell: Cell;
  samples: number;
  fastMs: number;
  slowMs: number;
  fastErrors: number;
  slowErrors: number;
  limits: LimitSnapshot | undefined;
  previousLimits: LimitSnapshot | undefined;
}

export class FailureForecast {
  readonly #trends = new Map<string, Trend>();
  /** By provider and key: monotonic instant. */
  readonly #expiries = new Map<string, number>();

  record(name: string, cell: Cell, call: { readonly firstContentMs?: number; readonly isFailure: boolean }): void {
    const trend = this.#of(name, cell);
    trend.samples += 1;
    trend.fastErrors += FAST * (Number(call.isFailure) - trend.fastErrors);
    trend.slowErrors += Math.max(SLOW, 1 / trend.samples) * (Number(call.isFailure) - trend.slowErrors);
    const ms = call.firstContentMs;
    if (ms === undefined) return;
    trend.fastMs = trend.fastMs === 0 ? ms : trend.fastMs + FAST * (ms - trend.fastMs);
    trend.slowMs = trend.slowMs === 0 ? ms : trend.slowMs + Math.max(SLOW, 1 / trend.samples) * (ms - trend.slowMs);
  }

  limits(name: string, cell: Cell, snapshot: LimitSnapshot, nowMs: number): void {
    const trend = this.#of(name, cell);
    trend.previousLimits = trend.limits;
    trend.limits = { ...snapshot, atMs: nowMs };
  }

  /** A key that ends at a known time; undefined where it does not. */
  setExpiry(providerId: string, keyId: string, atMs: number | undefined): void {
    const name = `${providerId}#${keyId}`;
    if (atMs === undefined) this.#expiries.delete(name);
    else this.#expiries.set(name, atMs);
  }

  /** Calls of a cell, and of all cells, since the start. */
  callsOf(name: string): { readonly own: number; readonly all: number } {
    let all = 0;
    for (const trend of this.#trends.values()) all += trend.samples;
    return { own: this.#trends.get(name)?.samples ?? 0, all };
  }

  warnings(nowMs: number): readonly FailureWarning[] {
    const found: FailureWarning[] = [];
    for (const [cellName, trend] of this.#trends) {
      const about = { cell: trend.cell, cellName };
      const latency = latencySign(trend);
      const errors = errorSign(trend);
      const limit = limitSign(trend, nowMs);
      if (latency !== undefined) found.push({ ...about, ...latency });
      if (errors !== undefined) found.push({ ...about, ...errors });
      if (limit !== undefined) found.push({ ...about, ...limit });
      const expiry = expirySign(this.#expiries.get(`${trend.cell.providerId}#${trend.cell.keyId}`), nowMs);
      if (expiry !== undefined) found.push({ ...about, ...expiry });
    }
    return found.sort((a, b) => b.probability - a.probability);
  }

  /** What a measure is judged by: the fast means of a cell. */
  level(name: string): { readonly firstContentMs: number; readonly errorShare: number } | undefined {
    const trend = this.#trends.get(name);
    return trend === undefined ? undefined : { firstContentMs: trend.fastMs, errorShare: trend.fastErrors };
  }

  forget(providerId: string): void {
    for (const [name, trend] of this.#trends) if (trend.cell.providerId === providerId) this.#trends.delete(name);
  }

  #of(name: string, cell: Cell): Trend {
    let trend = this.#trends.get(name);
    if (trend === undefined) {
      trend = {
        cell,
        samples: 0,
        fastMs: 0,
        slowMs: 0,
        fastErrors: 0,
        slowErrors: 0,
        limits: undefined,
        previousLimits: undefined,
      };
      this.#trends.set(name, trend);
    }
    return trend;
  }
}

type Sign = Omit<FailureWarning, "cell" | "cellName">;

function latencySign(trend: Trend): Sign | undefined {
  if (trend.samples < SAMPLES_MIN || trend.slowMs === 0) return undefined;
  const ratio = trend.fastMs / trend.slowMs;
  if (ratio < LATENCY_RATIO_MIN) return undefined;
  const evidence = `first content ${Math.round(trend.fastMs)} ms lately, ${Math.round(trend.slowMs)} ms usually`;
  return { sign: "rising-latency", probability: Math.min(0.95, ratio / 4), evidence };
}

function errorSign(trend: Trend): Sign | undefined {
  if (trend.samples < SAMPLES_MIN) return undefined;
  const { fastErrors, slowErrors } = trend;
  if (fastErrors < ERROR_SHARE_MIN || fastErrors < 2 * slowErrors) return undefined;
  const evidence = `${percent(fastErrors)} errors lately, ${percent(slowErrors)} usually`;
  return { sign: "error-slope", probability: Math.min(0.95, fastErrors * 3), evidence };
}

/** The bucket that will be empty before it is filled again, at the speed at which it was emptied last. */
function limitSign(trend: Trend, nowMs: number): Sign | undefined {
  const { limits, previousLimits } = trend;
  for (const bucket of limits?.buckets ?? []) {
    const { limit, remaining, resetMs, name } = bucket;
    if (limit === undefined || remaining === undefined || limits === undefined || limit <= 0) continue;
    if (resetMs !== undefined && nowMs - limits.atMs > resetMs) continue;
    const before = previousLimits?.buckets.find((item) => item.name === name)?.remaining;
    const elapsedMs = limits.atMs - (previousLimits?.atMs ?? limits.atMs);
    const perMs = before !== undefined && elapsedMs > 0 ? Math.max(0, before - remaining) / elapsedMs : 0;
    const emptyMs = perMs > 0 ? remaining / perMs : Infinity;
    const isBurning = resetMs !== undefined && emptyMs < resetMs;
    if (remaining / limit >= 0.1 && !isBurning) continue;
    const evidence = `${remaining} of ${limit} left in ${name}${resetMs === undefined ? "" : `, full again in ${Math.round(resetMs / 1_000)} s`}`;
    const probability = Math.min(0.95, 1 - remaining / limit);
    const sign = (resetMs ?? 0) > QUOTA_RESET_MS ? "quota-burn" : "limit-headroom";
    return { sign, probability, evidence, ...(emptyMs === Infinity ? {} : { withinMs: emptyMs }) };
  }
  return undefined;
}

function expirySign(atMs: number | undefined, nowMs: number): Sign | undefined {
  if (atMs === undefined || atMs - nowMs > EXPIRY_WARNED_MS) return undefined;
  const withinMs = Math.max(0, atMs - nowMs);
  const probability = withinMs < HOUR_MS ? 0.95 : withinMs < DAY_MS ? 0.7 : 0.3;
  const evidence =
    withinMs === 0
      ? "its key has expired"
      : `its key expires in ${(withinMs / HOUR_MS).toFixed(withinMs < DAY_MS ? 1 : 0)} h`;
  return { sign: "token-expiry", probability, withinMs, evidence };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
