import type { Ids } from "../src/ports/ids.ts";

/** `turn_1`, `turn_2`, …: the same run gives the same names. Secrets are not secret here. */
export class CountingIds implements Ids {
  #next = 0;

  next(prefix: string): string {
    return `${prefix}_${++this.#next}`;
  }

  secret(): string {
    return `secret-${String(++this.#next).padStart(22, "0")}`;
  }
}
