import type { DeixisSample } from "./deixis.ts";

/** Ten seconds of a 90 Hz source: an utterance, the recogniser's delay, and the second before the first word. */
const SAMPLES = 1_024;
const KEPT_MS = 11_000;

/** Where one source (head, a hand's ray, a transient pointer) pointed lately. Folding allocates nothing. */
export class PointingHistory {
  readonly #ring = new Float64Array(SAMPLES * 7);
  #count = 0;
  #lastMs = -Infinity;

  /** Origin and unit direction in the reference space. Samples that are not newer, or not finite, are dropped. */
  // oxlint-disable-next-line max-params -- Called for each sample of each source: an object would be allocated every time.
  fold(tMs: number, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): void {
    if (!(tMs > this.#lastMs) || !Number.isFinite(ox + oy + oz + dx + dy + dz)) return;
    this.#lastMs = tMs;
    const slot = (this.#count % SAMPLES) * 7;
    this.#ring[slot] = tMs;
    this.#ring[slot + 1] = ox;
    this.#ring[slot + 2] = oy;
    this.#ring[slot + 3] = oz;
    this.#ring[slot + 4] = dx;
    this.#ring[slot + 5] = dy;
    this.#ring[slot + 6] = dz;
    this.#count += 1;
  }

  /** The reference space moved or tracking jumped: what was seen before says nothing about directions now. */
  clear(): void {
    this.#count = 0;
  }

  /** Oldest first, both ends included, never older than eleven seconds before the newest. */
  between(fromMs: number, toMs: number): readonly DeixisSample[] {
    const samples: DeixisSample[] = [];
    const oldestMs = Math.max(fromMs, this.#lastMs - KEPT_MS);
    for (let i = Math.max(0, this.#count - SAMPLES); i < this.#count; i++) {
      const slot = (i % SAMPLES) * 7;
      const tMs = this.#ring[slot] as number;
      if (tMs < oldestMs || tMs > toMs) continue;
      samples.push({ tMs, origin: this.#three(slot + 1), direction: this.#three(slot + 4) });
    }
    return samples;
  }

  #three(slot: number): readonly [number, number, number] {
    return [this.#ring[slot] as number, this.#ring[slot + 1] as number, this.#ring[slot + 2] as number];
  }
}

/** How far apart the two hands (or thumb and finger) were: what "this big" means. */
export class SpanHistory {
  readonly #ring = new Float64Array(SAMPLES * 2);
  #count = 0;
  #lastMs = -Infinity;

  fold(tMs: number, spanM: number): void {
    if (!(tMs > this.#lastMs) || !(spanM >= 0)) return;
    this.#lastMs = tMs;
    const slot = (this.#count % SAMPLES) * 2;
    this.#ring[slot] = tMs;
    this.#ring[slot + 1] = spanM;
    this.#count += 1;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Median span from 300 ms before to 300 ms after the word: hands are held while the size is said. Undefined if unseen. */
  at(wordMs: number): number | undefined {
    const spans: number[] = [];
    for (let i = Math.max(0, this.#count - SAMPLES); i < this.#count; i++) {
      const slot = (i % SAMPLES) * 2;
      if (Math.abs((this.#ring[slot] as number) - wordMs) <= 300) spans.push(this.#ring[slot + 1] as number);
    }
    return spans.sort((a, b) => a - b)[spans.length >> 1];
  }
}
