import { randomBytes, randomFillSync } from "node:crypto";
import type { Ids } from "@fovea/core";

/** 96 bits: no collision within any process's life, and not guessable. */
const ID_BYTES = 12;
const POOL_BYTES = ID_BYTES * 256;

/** Identifiers from the platform's entropy, drawn in blocks because one system call for each id costs more than the id. */
export class SystemIds implements Ids {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  next(prefix: string): string {
    if (this.#used === POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += ID_BYTES;
    return `${prefix}_${this.#pool.toString("base64url", start, this.#used)}`;
  }

  secret(): string {
    return randomBytes(32).toString("base64url");
  }
}
