/**
 * A ring of PCM16 samples between producers and consumers of different packet lengths (20 ms Opus packets against 32 ms
 * voice-activity windows). Capacity is a power of two; when it is full the oldest samples go, and `dropped` counts them.
 */
export class SampleRing {
  readonly #samples: Int16Array;
  readonly #mask: number;
  #written = 0;
  #read = 0;
  #dropped = 0;

  constructor(capacityMin: number) {
    let capacity = 1;
    while (capacity < capacityMin) capacity *= 2;
    this.#samples = new Int16Array(capacity);
    this.#mask = capacity - 1;
  }

  get length(): number {
    return this.#written - this.#read;
  }

  /** Samples lost to overflow since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Index of the next sample to be read, counted from the start of the stream: the stream's own clock. */
  get position(): number {
    return this.#read;
  }

  push(samples: Int16Array): void {
    for (let i = 0; i < samples.length; i++) this.#samples[this.#written++ & this.#mask] = samples[i] as number;
    const excess = this.length - this.#samples.length;
    if (excess <= 0) return;
    this.#read += excess;
    this.#dropped += excess;
  }

  /** Fills `into` and consumes; false, and nothing consumed, when fewer samples are there. */
  take(into: Int16Array): boolean {
    if (this.length < into.length) return false;
    for (let i = 0; i < into.length; i++) into[i] = this.#samples[(this.#read + i) & this.#mask] as number;
    this.#read += into.length;
    return true;
  }

  clear(): void {
    this.#read = this.#written;
  }
}
