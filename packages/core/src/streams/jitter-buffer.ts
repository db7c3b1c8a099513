// Puts packets in order without waiting longer than needed. The wait is the lateness that all but the slowest few per cent
// of recent packets stay under, never above the latency target: jitter that cannot be bridged within the target is given up
// and counted as late. The wait grows at once when packets come later and shrinks slowly, so that one calm second does not
// break the next burst.

import type { DropReason, LatePolicy } from "./stream-types.ts";

export interface BufferedItem<T> {
  /** Time on the source's own clock. Order goes by it: the session's view of that clock is still being learned. */
  readonly sourceMs: number;
  /** Place on the timeline, session clock. */
  readonly timeMs: number;
  readonly value: T;
}

export interface JitterBufferOptions {
  readonly latencyTargetMs: number;
  readonly latePolicy: LatePolicy;
  readonly capacity: number;
}

/** The wait covers all but this share of the packets. */
const LATE_SHARE = 0.01;
const LATENESS_WINDOW = 256;

/** How fast the wait shrinks, per second. */
const SHRINK_PER_S = 0.15;

export class JitterBuffer<T> {
  /** Sorted by source time, oldest first. */
  readonly #items: BufferedItem<T>[] = [];
  readonly #options: JitterBufferOptions;
  readonly #lateness = new Float64Array(LATENESS_WINDOW);
  readonly #sorted = new Float64Array(LATENESS_WINDOW);
  #count = 0;
  #latencyTargetMs: number;
  #delayMs = 0;
  #measuredMs = -Infinity;
  #givenMs = -Infinity;

  constructor(options: JitterBufferOptions) {
    this.#options = options;
    this.#latencyTargetMs = options.latencyTargetMs;
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The newest source time that was given out; a sample before it is late. */
  get givenMs(): number {
    return this.#givenMs;
  }

  limitDelay(targetMs: number): void {
    this.#latencyTargetMs = Math.max(0, targetMs);
    this.#delayMs = Math.min(this.#delayMs, this.#latencyTargetMs);
  }

  /** Takes a packet that came `lateMs` behind the fastest. Says why it was not kept, or undefined. */
  push(item: BufferedItem<T>, lateMs: number, nowMs: number): DropReason | undefined {
    this.#measure(lateMs, nowMs);
    const { capacity, latePolicy } = this.#options;
    if (item.sourceMs <= this.#givenMs && latePolicy === "drop") return "late";
    let at = this.#items.length;
    while (at > 0 && (this.#items[at - 1] as BufferedItem<T>).sourceMs > item.sourceMs) at -= 1;
    if (this.#items[at - 1]?.sourceMs === item.sourceMs) return "duplicate";
    this.#items.splice(at, 0, item);
    if (this.#items.length <= capacity) return undefined;
    const oldest = this.#items.shift();
    return oldest === item ? "full" : undefined;
  }

  /** Everything whose wait is over, in order. */
  pop(nowMs: number): readonly BufferedItem<T>[] {
    let due = 0;
    while (due < this.#items.length && (this.#items[due] as BufferedItem<T>).timeMs + this.#delayMs <= nowMs) due += 1;
    if (due === 0) return [];
    const released = this.#items.splice(0, due);
    this.#givenMs = Math.max(this.#givenMs, (released.at(-1) as BufferedItem<T>).sourceMs);
    return released;
  }

  /** Everything, in order: the stream ends or does without order. */
  flush(): readonly BufferedItem<T>[] {
    const released = this.#items.splice(0, this.#items.length);
    this.#givenMs = Math.max(this.#givenMs, released.at(-1)?.sourceMs ?? -Infinity);
    return released;
  }

  /** The source's clock jumped: places given out before say nothing about those to come. */
  restart(): readonly BufferedItem<T>[] {
    const released = this.flush();
    this.#givenMs = -Infinity;
    this.#count = 0;
    return released;
  }

  #measure(lateMs: number, nowMs: number): void {
    this.#lateness[this.#count % LATENESS_WINDOW] = lateMs;
    this.#count += 1;
    const used = Math.min(this.#count, LATENESS_WINDOW);
    const isSlow = lateMs > this.#delayMs;
    // Sorting 256 numbers for every packet would cost more than the packet: only a surprise or every 16th packet does.
    if (!isSlow && this.#count % 16 !== 0) return;
    const sorted = this.#sorted.subarray(0, used);
    sorted.set(this.#lateness.subarray(0, used));
    sorted.sort();
    const wanted = sorted[Math.min(used - 1, Math.floor(used * (1 - LATE_SHARE)))] as number;
    const elapsedS = Math.min(1, Math.max(0, (nowMs - this.#measuredMs) / 1_000));
    this.#measuredMs = nowMs;
    const shrunk = Math.max(wanted, this.#delayMs * (1 - SHRINK_PER_S * (Number.isFinite(elapsedS) ? elapsedS : 0)));
    this.#delayMs = Math.min(this.#latencyTargetMs, Math.max(wanted, shrunk));
  }
}
