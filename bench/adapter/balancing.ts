import { HedgeBudget, LoadBalancer } from "@fovea/core";
import type { AdapterOps } from "./adapter-ops.ts";

const HEDGE_AFTER_S = 1;
const WORTH_S = 0.3;

/**
 * `init` {endpoints, limits}; `pick` {t, req, attempt, exclude} -> {i, hedge_after}; `hedge?` {t, req, first} -> {i};
 * `first`, `done`, `error` {t, i, req, latency}. Times in seconds. A loser of a hedge ends with neither `done` nor `error`
 * of its own: it is released when its request is done elsewhere.
 */
export function balancingOps(): AdapterOps {
  let balancer = new LoadBalancer();
  let hedges = new HedgeBudget(0.05, 0, 20);
  let names: string[] = [];
  let running = new Map<string, Set<number>>();
  const start = (request: string, index: number): void => {
    const cells = running.get(request);
    if (cells === undefined) running.set(request, new Set([index]));
    else cells.add(index);
    balancer.started(names[index] ?? "");
  };
  const end = (request: string, index: number, how: (name: string) => void): void => {
    if (running.get(request)?.delete(index) === true) how(names[index] ?? "");
  };
  const releaseOthers = (request: string, winner: number): void => {
    for (const index of running.get(request) ?? [])
      if (index !== winner) end(request, index, (name) => balancer.cancelled(name));
  };
  return {
    reset: () => undefined,
    init: (line) => {
      const endpoints = line["endpoints"];
      const count = Array.isArray(endpoints) ? endpoints.length : Number(endpoints);
      const limits = line["limits"];
      balancer = new LoadBalancer();
      hedges = new HedgeBudget(0.05, 0, 20);
      running = new Map();
      names = Array.from({ length: count }, (_, index) => `endpoint ${index}`);
      names.forEach((name, index) => {
        const limit = Number(Array.isArray(limits) ? limits[index] : limits);
        if (limit > 0) balancer.setLimit(name, limit);
      });
      return undefined;
    },
    pick: (line) => {
      const nowMs = Number(line["t"]) * 1_000;
      const excluded = excludedOf(line["exclude"]);
      const open = names.map((_, index) => index).filter((index) => !excluded.has(index));
      const among = open.length > 0 ? open : names.map((_, index) => index);
      const best = leastOf(among, (index) => balancer.score(names[index] ?? "", nowMs));
      hedges.deposit();
      start(String(line["req"]), best);
      return { i: best, hedge_after: among.length > 1 ? HEDGE_AFTER_S : null };
    },
    "hedge?": (line) => {
      const nowMs = Number(line["t"]) * 1_000;
      const first = Number(line["first"]);
      const others = names.map((_, index) => index).filter((index) => index !== first);
      if (others.length === 0) return { i: null };
      const best = leastOf(others, (index) => balancer.score(names[index] ?? "", nowMs));
      // A copy at an endpoint that would need as long again only takes its slot.
      if (balancer.score(names[best] ?? "", nowMs) > WORTH_S) return { i: null };
      if (!balancer.hasRoomForHedge(names[best] ?? "", names) || !hedges.withdraw()) return { i: null };
      start(String(line["req"]), best);
      return { i: best };
    },
    first: (line) => {
      const [request, index] = [String(line["req"]), Number(line["i"])];
      balancer.firstContent(names[index] ?? "", Number(line["latency"]) * 1_000, true);
      releaseOthers(request, index);
      return undefined;
    },
    done: (line) => {
      const [request, index] = [String(line["req"]), Number(line["i"])];
      end(request, index, (name) => balancer.succeeded(name, Number(line["latency"]) * 1_000));
      releaseOthers(request, index);
      running.delete(request);
      return undefined;
    },
    error: (line) => {
      const nowMs = Number(line["t"]) * 1_000;
      end(String(line["req"]), Number(line["i"]), (name) => balancer.failed(name, nowMs, { isThrottle: false }));
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
