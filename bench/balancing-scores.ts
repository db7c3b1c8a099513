// Balancing and hedging on recorded traffic and real endpoint latencies (algorithms.md section 7, goal G22): the policy is
// asked through the same operations as the bench adapter. Run: node --conditions=@fovea/source bench/balancing-scores.ts
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { SeededRandom } from "@fovea/core/testing";
import { balancingOps } from "./adapter/balancing.ts";

const DATA = join(process.env["FOVEA_DATA"] ?? "../shared/data", "traffic");
const SEEDS = Number(process.env["FOVEA_SEEDS"] ?? 3);
const NAMES = ["anyscale", "bedrock", "fireworks", "groq", "lepton", "perplexity", "replicate", "together"];
interface Sample {
  readonly ttft_s?: number;
  readonly inter_token_latency_s?: number;
}
const text = (name: string): string => gunzipSync(readFileSync(join(DATA, name))).toString();
const samplesOf = (name: string): Sample[] =>
  (JSON.parse(text(`llmperf_individual/${name}_70b.json.gz`)) as Sample[]).filter(
    (item) => item.ttft_s !== undefined && item.ttft_s !== null,
  );
const samples = new Map(NAMES.map((name) => [name, samplesOf(name)]));
const azure = text("AzureLLMInferenceTrace_conv.csv.gz")
  .trim()
  .split("\n")
  .slice(1, 12_001)
  .map((line) => {
    const [stamp = "", , output = "0"] = line.split(",");
    return {
      at: Date.parse(`${stamp.slice(0, 23).replace(" ", "T")}Z`) / 1_000,
      output: Math.min(300, Number(output)),
    };
  });

interface Scenario {
  readonly endpoints: readonly string[];
  readonly slots: number;
  readonly slow: number;
}
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  hetero: { endpoints: NAMES, slots: 10, slow: 3 },
  equal: { endpoints: Array.from({ length: 8 }, () => "fireworks"), slots: 6, slow: 4 },
};
interface Call {
  readonly id: number;
  readonly req: number;
  readonly i: number;
  readonly sentAt: number;
  readonly attempt: number;
  isCancelled: boolean;
  isRunning: boolean;
}
interface Request {
  readonly at: number;
  readonly output: number;
  firstAt: number | undefined;
  failures: number;
  readonly calls: Call[];
}

function play(
  scenario: Scenario,
  seed: number,
  hasHedges: boolean,
): { p50: number; p95: number; p99: number; extra: number; failed: number } {
  const random = new SeededRandom(seed);
  const ops = balancingOps();
  const count = scenario.endpoints.length;
  ops["init"]?.({ endpoints: scenario.endpoints, limits: Array.from({ length: count }, () => scenario.slots) });
  const perform = (name: string, line: Readonly<Record<string, unknown>>): unknown => ops[name]?.(line);
  const queues: Call[][] = Array.from({ length: count }, () => []);
  const busy = Array.from({ length: count }, () => 0);
  const slowUntil = Array.from({ length: count }, () => phases(random));
  const requests: Request[] = azure.map((item) => ({
    at: item.at - (azure[0]?.at ?? 0),
    output: item.output,
    firstAt: undefined,
    failures: 0,
    calls: [],
  }));
  const heap = new EventHeap();
  let calls = 0;
  let failed = 0;
  requests.forEach((request, req) => heap.push(request.at, () => send(req, 0, [])));
  const isDown = (i: number, t: number): boolean =>
    (i === 3 && t >= 600 && t < 660) || (i === 5 && t >= 1_500 && t < 1_530);
  function send(req: number, attempt: number, exclude: number[]): void {
    const t = heap.now;
    const { i, hedge_after: hedgeAfter } = perform("pick", { t, req, attempt, exclude }) as {
      i: number;
      hedge_after: number | null;
    };
    enqueue(req, i, attempt);
    if (hasHedges && hedgeAfter !== null && attempt === 0) {
      heap.push(t + hedgeAfter, () => {
        const request = requests[req] as Request;
        if (request.firstAt !== undefined || request.failures > 0) return;
        const other = (perform("hedge?", { t: heap.now, req, first: i }) as { i: number | null }).i;
        if (other !== null) enqueue(req, other, 0);
      });
    }
  }
  function enqueue(req: number, i: number, attempt: number): void {
    const t = heap.now;
    calls += 1;
    const call: Call = { id: calls, req, i, sentAt: t, attempt, isCancelled: false, isRunning: false };
    (requests[req] as Request).calls.push(call);
    if (isDown(i, t)) {
      ops["error"]?.({ t, i, req, latency: 0 });
      const request = requests[req] as Request;
      request.failures += 1;
      if (attempt < 2) heap.push(t + 0.05, () => send(req, attempt + 1, [i]));
      else failed += 1;
      return;
    }
    if ((busy[i] as number) < scenario.slots) serve(call);
    else (queues[i] as Call[]).push(call);
  }
  function serve(call: Call): void {
    const { i, req } = call;
    const t = heap.now;
    busy[i] = (busy[i] as number) + 1;
    call.isRunning = true;
    const list = samples.get(scenario.endpoints[i] as string) as Sample[];
    const sample = random.pick(list);
    const factor = isSlow(slowUntil[i] as number[], t) ? scenario.slow : 1;
    const ttft = (sample.ttft_s as number) * factor;
    const output = (requests[req] as Request).output * (sample.inter_token_latency_s ?? 0.03) * factor;
    heap.push(t + ttft, () => {
      if (call.isCancelled) return;
      const request = requests[req] as Request;
      if (request.firstAt === undefined) {
        request.firstAt = heap.now;
        ops["first"]?.({ t: heap.now, i, req, latency: ttft });
        for (const other of request.calls) if (other !== call) cancel(other);
      }
    });
    heap.push(t + ttft + output, () => {
      if (call.isCancelled) return;
      call.isRunning = false;
      ops["done"]?.({ t: heap.now, i, req, latency: ttft + output });
      free(i);
    });
  }
  function cancel(call: Call): void {
    if (call.isCancelled) return;
    call.isCancelled = true;
    if (call.isRunning) free(call.i);
    else queues[call.i] = (queues[call.i] as Call[]).filter((item) => item !== call);
  }
  function free(i: number): void {
    busy[i] = (busy[i] as number) - 1;
    const next = (queues[i] as Call[]).shift();
    if (next !== undefined) serve(next);
  }
  heap.run();
  const times = requests
    .flatMap((request) => (request.firstAt === undefined ? [] : [request.firstAt - request.at]))
    .sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), extra: calls / requests.length - 1, failed };
}

/** Instants at which slow phases begin and end: on 30 s, off 120 s in the mean. */
function phases(random: SeededRandom): number[] {
  const edges: number[] = [];
  for (let t = 0; t < 4_000;) {
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

class EventHeap {
  now = 0;
  readonly #events: { at: number; order: number; run: () => void }[] = [];
  #order = 0;
  push(at: number, run: () => void): void {
    const event = { at, order: this.#order++, run };
    const events = this.#events;
    let index = events.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = events[parent] as typeof event;
      if (above.at < at || (above.at === at && above.order < event.order)) break;
      events[index] = above;
      index = parent;
    }
    events[index] = event;
  }
  run(): void {
    const events = this.#events;
    while (events.length > 0) {
      const first = events[0] as (typeof events)[number];
      const last = events.pop() as typeof first;
      if (events.length > 0) {
        let index = 0;
        for (;;) {
          let child = index * 2 + 1;
          if (child >= events.length) break;
          const isBefore = (a: typeof first, b: typeof first): boolean =>
            a.at < b.at || (a.at === b.at && a.order < b.order);
          if (child + 1 < events.length && isBefore(events[child + 1] as typeof first, events[child] as typeof first))
            child += 1;
          if (!isBefore(events[child] as typeof first, last)) break;
          events[index] = events[child] as typeof first;
          index = child;
        }
        events[index] = last;
      }
      this.now = first.at;
      first.run();
    }
  }
}

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  for (const hasHedges of [false, true]) {
    const rows = Array.from({ length: SEEDS }, (_, seed) => play(scenario, seed, hasHedges));
    const mean = (key: keyof (typeof rows)[number]): number =>
      rows.reduce((sum, row) => sum + row[key], 0) / rows.length;
    console.log(
      `${name}${hasHedges ? " + hedge" : ""}: p50 ${mean("p50").toFixed(2)} p95 ${mean("p95").toFixed(2)} p99 ${mean("p99").toFixed(2)} s, extra ${(mean("extra") * 100).toFixed(1)} %, failed ${mean("failed")}`,
    );
  }
}
