import { ClockSync } from "@fovea/core";
import type { AdapterOps } from "./adapter-ops.ts";

/** `exchange` {t0, t1, t2, t3} -> {offset, error}: client clock minus session clock at the exchange, milliseconds. */
export function clockOps(): AdapterOps {
  let sync = new ClockSync();
  return {
    reset: () => {
      sync = new ClockSync();
      return undefined;
    },
    exchange: (line) => {
      const [t0, t1, t2, t3] = [line["t0"], line["t1"], line["t2"], line["t3"]].map(Number);
      sync.fold({ t0: t0!, t1: t1!, t2: t2!, t3: t3! });
      return { offset: sync.estimate === undefined ? 0 : sync.offsetAt(t3!), error: sync.estimate?.errorMs ?? 0 };
    },
  };
}
