import { SeededRandom } from "@fovea/core/testing";
import type { AdapterOps } from "../adapter/adapter-ops.ts";

/** The baseline of the goals: of two endpoints drawn at random the one with the least EWMA of times × (in flight + 1). */
export function p2cEwmaOps(): AdapterOps {
  const random = new SeededRandom(99);
  let ttftS: number[] = [];
  let inFlight: number[] = [];
  return {
    init: (line) => {
      ttftS = Array.from({ length: Number(line["endpoints"]) }, () => 0.5);
      inFlight = ttftS.map(() => 0);
      return undefined;
    },
    pick: (line) => {
      const excluded = line["exclude"] as readonly number[];
      const open = ttftS.map((_, i) => i).filter((i) => !excluded.includes(i));
      const first = random.integer(open.length);
      const second = (first + 1 + random.integer(open.length - 1)) % open.length;
      const costOf = (i: number): number => (ttftS[i] as number) * ((inFlight[i] as number) + 1);
      const [a, b] = [open[first] as number, open[second] as number];
      const best = costOf(a) <= costOf(b) ? a : b;
      inFlight[best] = (inFlight[best] as number) + 1;
      return { i: best, hedge_after: null };
    },
    first: (line) => {
      const i = Number(line["i"]);
      ttftS[i] = 0.8 * (ttftS[i] as number) + 0.2 * Number(line["latency"]);
      return undefined;
    },
    done: (line) => {
      inFlight[Number(line["i"])] = (inFlight[Number(line["i"])] as number) - 1;
      return undefined;
    },
    error: (line) => {
      inFlight[Number(line["i"])] = (inFlight[Number(line["i"])] as number) - 1;
      return undefined;
    },
  };
}
