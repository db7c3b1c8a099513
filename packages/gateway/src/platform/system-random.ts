import type { Random } from "@fovea/core";

/** For jitter and choice among equals. Nothing secret is made from it: secrets come from `SystemIds`. */
export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }
}
