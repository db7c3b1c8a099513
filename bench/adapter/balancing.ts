import { HedgeBudget, LoadBalancer } from "@fovea/core";
import type { AdapterOps } from "./adapter-ops.ts";

const HEDGE_AFTER_MS = 1_000;
/** Hedges stay within three in a hundred requests. */
const HEDGE_SHARE = 0.025;

/**
 * `init` {endpoints, limits}; `pick` {t, req, attempt, exclude} -> {i, hedge_after}; `hedge?` {t, req, first} -> {i};
 * `first`, `done`, `error` {t, i, req, latency}. Times in seconds. A loser of a hedge ends with neither `done` nor `error`
 * of its own: it is released at the first token of the winner. `counts` {others: [..]} tells what other gateways have in
 * flight at each endpoint.
 */
export function balancingOps(): AdapterOps {
  let balancer = new LoadBalancer();
  let hedges = new HedgeBudget(HEDGE_SHARE, 0, 20);
  let names: string[] = [];
  /** Of each request: the endpoints it was sent to, and when, in ms. */
  let running = new Map<string, Map<number, number>>();
  const start = (request: string, index: number, nowMs: number): void => {
    const sent = running.get(request) ?? new Map<number, number>();
    running.set(request, sent.set(index, nowMs));
    balancer.started(names[index] ?? "", nowMs);
  };
  const end = (request: string, index: number, how: (name: string, sentMs: number) => void): void => {
    const sentMs = running.get(request)?.get(index);
    if (sentMs === undefined) return;
    running.get(request)?.delete(index);
    how(names[index] ?? "", sentMs);
  };
  const releaseOthers = (request: string, winner: number, nowMs: number): void => {
    for (const index of Array.from(running.get(request)?.keys() ?? []))
      if (index !== winner) end(request, index, (name, sentMs) => balancer.cancelled(name, nowMs, sentMs));
  };
  const bestOf = (indexes: readonly number[], nowMs: number): number =>
    leastOf(indexes, (index) => balancer.score(names[index] ?? "", nowMs));
  return {
    reset: () => undefined,
    init: (line) => {
      const endpoints = line["endpoints"];
      const count = Array.isArray(endpoints) ? endpoints.length : Number(endpoints);
      const limits = line["limits"];
      balancer = new LoadBalancer();
      hedges = new HedgeBudget(HEDGE_SHARE, 0, 20);
      running = new Map();
      names = Array.from({ length: count }, (_, index) => `endpoint ${index}`);
      names.forEach((name, index) => {
        const limit = Number(Array.isArray(limits) ? limits[index] : limits);
        if (limit > 0) balancer.setLimit(name, limit);
      });
      return undefined;
    },
    counts: (line) => {
      const others = line["others"];
      if (Array.isArray(others))
        others.forEach((calls, index) => balancer.setElsewhere(names[index] ?? "", Number(calls)));
      return undefined;
    },
    pick: (line) => {
      const nowMs = Number(line["t"]) * 1_000;
      const excluded = excludedOf(line["exclude"]);
      const open = names.map((_, index) => index).filter((index) => !excluded.has(index));
      const among = open.length > 0 ? open : names.map((_, index) => index);
      const best = bestOf(among, nowMs);
      hedges.deposit();
      start(String(line["req"]), best, nowMs);
      const call = { name: names[best] ?? "", sentMs: nowMs };
      return { i: best, hedge_after: among.length > 1 ? balancer.hedgeDelayMs(call, HEDGE_AFTER_MS) / 1_000 : null };
    },
    "hedge?": (line) => {
      const nowMs = Number(line["t"]) * 1_000;
      const [request, first] = [String(line["req"]), Number(line["first"])];
      const others = names.map((_, index) => index).filter((index) => index !== first);
      const sentMs = running.get(request)?.get(first);
      if (others.length === 0 || sentMs === undefined) return { i: null };
      const best = bestOf(others, nowMs);
      const call = { name: names[first] ?? "", sentMs };
      if (!balancer.mayHedge(call, names[best] ?? "", names) || !hedges.withdraw()) return { i: null };
      start(request, best, nowMs);
      return { i: best };
    },
    first: (line) => {
      const [request, index] = [String(line["req"]), Number(line["i"])];
      const nowMs = Number(line["t"]) * 1_000;
      const sentMs = running.get(request)?.get(index);
      if (sentMs !== undefined) balancer.firstContent(names[index] ?? "", nowMs, sentMs, Number(line["latency"]));
      releaseOthers(request, index, nowMs);
      return undefined;
    },
    done: (line) => {
      const [request, index] = [String(line["req"]), Number(line["i"])];
      const nowMs = Number(line["t"]) * 1_000;
      end(request, index, (name, sentMs) => balancer.succeeded(name, nowMs, sentMs));
      releaseOthers(request, index, nowMs);
      running.delete(request);
      return undefined;
    },
    error: (line) => {
      const nowMs = Number(line["t"]) * 1_000;
      end(String(line["req"]), Number(line["i"]), (name, sentMs) =>
        balancer.failed(name, nowMs, sentMs, { isThrottle: false }),
      );
      return undefined;
    },
  };
}

function excludedOf(value: unknown): ReadonlySet<number> {
  if (Array.isArray(value)) return new Set(value.map(Number));
  return typeof value === "number" ? new Set([value]) : new Set();
}

function leastOf(indexes: readonly number[], scoreOf: (index: number) => number): number {
  let best = indexes[0] ?? 0;
  let least = Infinity;
  for (const index of indexes) {
    const score = scoreOf(index);
    if (score < least) [best, least] = [index, score];
  }
  return best;
}
