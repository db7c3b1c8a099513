import { GatewayError } from "../errors/gateway-error.ts";
import type { LatencyClass } from "../model/xr-request.ts";

/** Share of the whole up to which a class is let in: what can wait is sent away first, live turns last. */
const SHARE: Readonly<Record<LatencyClass, number>> = { background: 0.7, conversational: 0.9, interactive: 1 };
const RETRY_AFTER_MS = 1_000;

/** Bounds the answers in the making. Overflow is answered at once with `overloaded`, never queued into its deadline. */
export class Admission {
  readonly #max: number;
  readonly #onShed: (latencyClass: LatencyClass) => void;
  #running = 0;

  constructor(inFlightMax: number, onShed: (latencyClass: LatencyClass) => void = () => undefined) {
    this.#max = inFlightMax;
    this.#onShed = onShed;
  }

  get running(): number {
    return this.#running;
  }

  /** The returned function must be called once, when the answer has ended. Throws `overloaded` with a hint. */
  enter(latencyClass: LatencyClass): () => void {
    if (this.#running >= this.#max * SHARE[latencyClass]) {
      this.#onShed(latencyClass);
      const message = `${this.#running} answers are being made; ${latencyClass} requests have to wait`;
      throw new GatewayError("overloaded", message, { retryAfterMs: RETRY_AFTER_MS });
    }
    this.#running += 1;
    let isOpen = true;
    return () => {
      if (isOpen) this.#running -= 1;
      isOpen = false;
    };
  }
}
