import type { Random } from "../src/ports/random.ts";

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state, the same sequence on every platform. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Integer in [0, below). */
  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T;
  }

  /** Mean 0, standard deviation 1 (Box-Muller). */
  gaussian(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** An independent sequence, so that one consumer more does not move the numbers of the others. */
  fork(label: number): SeededRandom {
    return new SeededRandom((this.integer(0x7fffffff) ^ Math.imul(label + 1, 0x9e3779b1)) >>> 0);
  }
}
