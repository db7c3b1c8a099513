import type { CallOptions } from "@fovea/core";
import { recordOf, stringOf } from "../json-body.ts";
import type { ProviderCaller } from "../provider-caller.ts";
import { waitFor } from "../wait-for.ts";
import { WireFault } from "../wire-fault.ts";
import type { PredictionPlaces } from "./places.ts";

const POLL_MS_MIN = 1_000;
const POLL_MS_MAX = 5_000;
const TOTAL_MS = 600_000;

export interface Waiting {
  readonly caller: ProviderCaller;
  readonly places: PredictionPlaces;
  readonly options: CallOptions;
  readonly cancel: (id: string) => void;
}

/** Polls a prediction until it has ended: closing a socket would not stop it, so leaving cancels it. */
export async function finishedPrediction(waiting: Waiting, first: unknown): Promise<unknown> {
  const { caller, places, options, cancel } = waiting;
  let body = first;
  const id = stringOf(recordOf(body)?.["id"]) ?? "";
  const endsAtMs = caller.clock.monotonicMs() + (options.timeouts?.totalMs ?? TOTAL_MS);
  for (let delayMs = POLL_MS_MIN; isRunning(body); delayMs = Math.min(POLL_MS_MAX, delayMs * 1.5)) {
    const hasLeft = !(await waitFor(caller.clock, delayMs, options.signal));
    const isLate = caller.clock.monotonicMs() >= endsAtMs;
    if (hasLeft || isLate) {
      cancel(id);
      throw caller.thrown(
        hasLeft
          ? new WireFault("aborted", "the caller cancelled")
          : new WireFault("timeout_total", "not finished in time"),
      );
    }
    ({ body } = await caller.json({ ...places.get(id), warnings: [] }, options));
  }
  return body;
}

export function isRunning(body: unknown): boolean {
  const status = recordOf(body)?.["status"];
  return status === "starting" || status === "processing" || status === "queued";
}
