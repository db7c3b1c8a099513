// The last seconds of one voice, by time instead of by count: packets carry when they were captured, words and turns ask
// for what was said between two instants. Gaps (a muted microphone, lost packets) are silence, so that time stays true.

/** Packets that come within this of where the last one ended follow it: clocks and timers are not exact. */
const SLACK_MS = 40;

export class TimedAudio {
  readonly rateHz: number;
  readonly #samples: Int16Array;
  /** Samples written since the start; the newest lies before `#written % length`. */
  #written = 0;
  /** Time of sample 0. */
  #zeroMs = 0;
  #gapMs = 0;

  constructor(rateHz: number, keptMs: number) {
    this.rateHz = rateHz;
    this.#samples = new Int16Array(Math.ceil((keptMs * rateHz) / 1_000));
  }

  get isEmpty(): boolean {
    return this.#written === 0;
  }

  /** Where the next sample would stand. */
  get endMs(): number {
    return this.#zeroMs + (this.#written * 1_000) / this.rateHz;
  }

  /** Silence put in for what never came, in all. */
  get gapMs(): number {
    return this.#gapMs;
  }

  /** Appends; without `atMs`, or near the end, right behind the last sample. Returns where the samples stand. */
  push(samples: Int16Array, atMs?: number): number {
    if (atMs !== undefined) this.#moveTo(atMs);
    const fromMs = this.endMs;
    const size = this.#samples.length;
    for (let i = 0; i < samples.length; i++) this.#samples[(this.#written + i) % size] = samples[i] as number;
    this.#written += samples.length;
    return fromMs;
  }

  /** What is kept between two instants; silence where nothing is. */
  slice(fromMs: number, untilMs: number): Int16Array {
    const from = Math.round(((fromMs - this.#zeroMs) * this.rateHz) / 1_000);
    const count = Math.max(0, Math.round(((untilMs - fromMs) * this.rateHz) / 1_000));
    const out = new Int16Array(Math.min(count, this.#samples.length));
    const oldest = Math.max(0, this.#written - this.#samples.length);
    for (let i = 0; i < out.length; i++) {
      const at = from + i;
      if (at >= oldest && at < this.#written) out[i] = this.#samples[at % this.#samples.length] as number;
    }
    return out;
  }

  /** Forgets what stands after the instant: it will not be played. */
  cutAfter(atMs: number): void {
    const keep = Math.max(0, Math.round(((atMs - this.#zeroMs) * this.rateHz) / 1_000));
    this.#written = Math.min(this.#written, keep);
  }

  clear(): void {
    this.#written = 0;
  }

  #moveTo(atMs: number): void {
    if (this.#written === 0) {
      this.#zeroMs = atMs;
      return;
    }
    const aheadMs = atMs - this.endMs;
    if (aheadMs <= SLACK_MS) return;
    this.#gapMs += aheadMs;
    const silent = Math.round((aheadMs * this.rateHz) / 1_000);
    if (silent >= this.#samples.length) {
      this.#samples.fill(0);
      this.#written += silent;
      return;
    }
    for (let i = 0; i < silent; i++) this.#samples[(this.#written + i) % this.#samples.length] = 0;
    this.#written += silent;
  }
}
