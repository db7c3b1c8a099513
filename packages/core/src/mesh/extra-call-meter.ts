import type { Meter } from "../ports/meter.ts";
import type { AttemptObserver } from "./attempt.ts";

/** Calls that were sent because the first was late, and those of them that answered. */
export function extraCallMeter(meter: Meter): AttemptObserver {
  return {
    started: () => undefined,
    firstContent: () => undefined,
    ended(_candidate, { isHedge, outcome }) {
      if (!isHedge) return;
      meter.count("xr.hedge.sent", {});
      if (outcome === "ok") meter.count("xr.hedge.won", {});
    },
  };
}
