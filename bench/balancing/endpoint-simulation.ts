// Endpoints with slots, queues, slow phases and outages, and gateways that choose among them, in virtual time. Source of
// the rules: algorithms.md section 7, "Simulation (exact)".
import { SeededRandom } from "@fovea/core/testing";
import type { AdapterOps } from "../adapter/adapter-ops.ts";
import { EventHeap } from "./event-heap.ts";

export interface Scenario {
  /** Recorded times of each endpoint, in seconds. */
  readonly endpoints: readonly (readonly { readonly ttftS: number; readonly perTokenS: number }[])[];
  readonly slots: number;
  readonly slow: number;
  readonly arrivals: (random: SeededRandom) => readonly { readonly at: number; readonly output: number }[];
}

export interface PlayOptions {
  readonly seed: number;
  readonly gateways: number;
  readonly ops: () => AdapterOps;
  readonly hasHedges: boolean;
  /** How often gateways tell one another what they have in flight. */
  readonly countsEveryS?: number;
  /** True: the latencies told count from sending, false: from the moment a slot was free. */
  readonly hasQueueInLatency?: boolean;
}

/** Seconds to first token, from arrival; shares of requests. */
export interface Played {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly endP99: number;
  readonly extra: number;
  readonly failed: number;
  readonly recovery: number;
}

interface Call {
  readonly req: number;
  readonly i: number;
  readonly sentAt: number;
  isCancelled: boolean;
  isRunning: boolean;
}

interface Request {
  readonly at: number;
  readonly output: number;
  readonly gateway: number;
  firstAt: number | undefined;
  endAt: number | undefined;
  failures: number;
  readonly calls: Call[];
}

const OUTAGES = [
  { i: 3, fromS: 600, toS: 660 },
  { i: 5, fromS: 1_500, toS: 1_530 },
];
const RETRY_S = 0.05;
const ATTEMPTS_MAX = 3;

/* oxlint-disable max-lines-per-function -- One event loop with its state: parted, every part would take all of it. */
export function play(scenario: Scenario, options: PlayOptions): Played {
  const random = new SeededRandom(options.seed);
  const { gateways, hasHedges, countsEveryS = 0.25, hasQueueInLatency = false } = options;
  const count = scenario.endpoints.length;
  const policies = Array.from({ length: gateways }, () => options.ops());
  for (const ops of policies)
    ops["init"]?.({ endpoints: count, limits: Array.from({ length: count }, () => scenario.slots) });
  const queues: Call[][] = Array.from({ length: count }, () => []);
  const busy = new Int32Array(count);
  const inFlight = policies.map(() => new Int32Array(count));
  const slow = Array.from({ length: count }, () => phases(random));
  const requests: Request[] = scenario.arrivals(random).map(({ at, output }) => ({
    at,
    output,
    gateway: gateways === 1 ? 0 : random.integer(gateways),
    firstAt: undefined,
    endAt: undefined,
    failures: 0,
    calls: [],
  }));
  const heap = new EventHeap();
  const sends: { readonly at: number; readonly i: number }[] = [];
  let calls = 0;
  let hedges = 0;
  let failed = 0;
  let waiting = requests.length;
  requests.forEach((request, req) => heap.push(request.at, () => send(req, 0, [])));
  if (gateways > 1 && countsEveryS < Infinity) heap.push(0, exchange);
  heap.run();
  return summary();

  function opsOf(req: number): AdapterOps {
    return policies[(requests[req] as Request).gateway] as AdapterOps;
  }

  function exchange(): void {
    policies.forEach((ops, own) => {
      const others = Array.from({ length: count }, (_, i) =>
        inFlight.reduce((sum, counts, gateway) => sum + (gateway === own ? 0 : (counts[i] as number)), 0),
      );
      ops["counts"]?.({ t: heap.now, others });
    });
    if (waiting > 0) heap.push(heap.now + countsEveryS, exchange);
  }

  function send(req: number, attempt: number, exclude: readonly number[]): void {
    const t = heap.now;
    const picked = opsOf(req)["pick"]?.({ t, req, attempt, exclude }) as { i: number; hedge_after: number | null };
    sends.push({ at: t, i: picked.i });
    enqueue(req, picked.i, attempt);
    if (!hasHedges || picked.hedge_after === null) return;
    heap.push(t + picked.hedge_after, () => {
      const request = requests[req] as Request;
      if (request.firstAt !== undefined || request.failures > attempt) return;
      const other = opsOf(req)["hedge?"]?.({ t: heap.now, req, first: picked.i }) as { i: number | null };
      if (other.i === null) return;
      hedges += 1;
      enqueue(req, other.i, attempt);
    });
  }

  function enqueue(req: number, i: number, attempt: number): void {
    const t = heap.now;
    const request = requests[req] as Request;
    calls += 1;
    const call: Call = { req, i, sentAt: t, isCancelled: false, isRunning: false };
    if (OUTAGES.some((outage) => outage.i === i && t >= outage.fromS && t < outage.toS)) {
      opsOf(req)["error"]?.({ t, i, req, latency: 0 });
      if (request.calls.some((other) => !other.isCancelled)) return;
      request.failures += 1;
      if (attempt + 1 < ATTEMPTS_MAX) heap.push(t + RETRY_S, () => send(req, attempt + 1, [i]));
      else {
        failed += 1;
        waiting -= 1;
      }
      return;
    }
    request.calls.push(call);
    change(request, i, 1);
    if ((busy[i] as number) < scenario.slots) serve(call);
    else (queues[i] as Call[]).push(call);
  }

  function change(request: Request, i: number, by: number): void {
    const counts = inFlight[request.gateway] as Int32Array;
    counts[i] = (counts[i] as number) + by;
  }

  function serve(call: Call): void {
    const { i, req } = call;
    const t = heap.now;
    busy[i] = (busy[i] as number) + 1;
    call.isRunning = true;
    const sample = random.pick(scenario.endpoints[i] as Scenario["endpoints"][number]);
    const factor = isSlow(slow[i] as readonly number[], t) ? scenario.slow : 1;
    const ttft = sample.ttftS * factor;
    const request = requests[req] as Request;
    const length = ttft + request.output * sample.perTokenS * factor;
    const queuedS = hasQueueInLatency ? t - call.sentAt : 0;
    heap.push(t + ttft, () => {
      if (call.isCancelled || request.firstAt !== undefined) return;
      request.firstAt = heap.now;
      opsOf(req)["first"]?.({ t: heap.now, i, req, latency: ttft + queuedS });
      for (const other of request.calls) if (other !== call) cancel(other);
    });
    heap.push(t + length, () => {
      if (call.isCancelled) return;
      request.endAt = heap.now;
      waiting -= 1;
      change(request, i, -1);
      call.isCancelled = true;
      opsOf(req)["done"]?.({ t: heap.now, i, req, latency: length + queuedS });
      free(i);
    });
  }

  function cancel(call: Call): void {
    if (call.isCancelled) return;
    call.isCancelled = true;
    change(requests[call.req] as Request, call.i, -1);
    if (call.isRunning) free(call.i);
    else queues[call.i] = (queues[call.i] as Call[]).filter((item) => item !== call);
  }

  function free(i: number): void {
    busy[i] = (busy[i] as number) - 1;
    const next = (queues[i] as Call[]).shift();
    if (next !== undefined) serve(next);
  }

  function summary(): Played {
    const firsts = sorted(requests.map(({ at, firstAt }) => (firstAt === undefined ? NaN : firstAt - at)));
    const ends = sorted(requests.map(({ at, endAt }) => (endAt === undefined ? NaN : endAt - at)));
    const share = (i: number, fromS: number, toS: number): number => {
      const within = sends.filter(({ at }) => at >= fromS && at < toS);
      return within.filter((item) => item.i === i).length / Math.max(1, within.length);
    };
    const recoveries = OUTAGES.map(
      ({ i, fromS, toS }) => share(i, toS + 60, toS + 120) / share(i, fromS - 120, fromS),
    ).filter(Number.isFinite);
    return {
      p50: at(firsts, 0.5),
      p95: at(firsts, 0.95),
      p99: at(firsts, 0.99),
      endP99: at(ends, 0.99),
      extra: hedges / requests.length,
      failed,
      recovery: recoveries.reduce((sum, value) => sum + value, 0) / Math.max(1, recoveries.length),
    };
  }
}

function sorted(values: readonly number[]): readonly number[] {
  return values.filter(Number.isFinite).sort((a, b) => a - b);
}

function at(values: readonly number[], share: number): number {
  return values[Math.floor(values.length * share)] ?? NaN;
}

/** Instants at which slow phases begin and end: 120 s fast and 30 s slow in the mean. */
function phases(random: SeededRandom): readonly number[] {
  const edges: number[] = [];
  for (let t = 0; t < 6_000;) {
    t += -120 * Math.log(1 - random.next());
    edges.push(t);
    t += -30 * Math.log(1 - random.next());
    edges.push(t);
  }
  return edges;
}

function isSlow(edges: readonly number[], t: number): boolean {
  let index = 0;
  while (index < edges.length && (edges[index] as number) <= t) index += 1;
  return index % 2 === 1;
}
