import type { Cancel, Clock } from "@fovea/core";
import type { Stage } from "./exchange.ts";

const RETRY_MS = 500;
const ATTEMPTS_MAX = 3;

/** Posts that are due later. One that fails is sent twice more, as vendors do. */
export class Callbacks {
  readonly #clock: Clock;
  readonly #waiting = new Set<Cancel>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  post(delayMs: number, url: string, build: Parameters<Stage["post"]>[2], attempt = 1): void {
    const again = (): void => {
      if (attempt < ATTEMPTS_MAX) this.post(RETRY_MS, url, build, attempt + 1);
    };
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#waiting.delete(cancel);
      const { headers, body } = build(this.#clock.monotonicMs());
      fetch(url, { method: "POST", headers, body, redirect: "manual" }).then((response) => {
        void response.body?.cancel();
        if (response.status >= 500) again();
      }, again);
    });
    this.#waiting.add(cancel);
  }

  cancel(): void {
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
  }
}
