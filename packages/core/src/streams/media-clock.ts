// A stream's own clock against the session clock, from arrivals alone. A packet never arrives before it was sent, so the
// fastest packets draw a line under all arrivals: its slope is the drift between the clocks, its height the offset plus the
// shortest delay. The line is the edge of the lower convex hull that spans the middle of the window (Moon, Skelly and Towsley
// 1999). The shortest delay itself cannot be seen from one side; it is the same for streams that share a connection, so
// they line up with one another, and `ClockSync` knows it against the session.

const BUCKET_MS = 500;
const BUCKETS = 128;

/** No media clock that works is further off; a steeper line comes from too short a window. */
const DRIFT_MAX = 250e-6;

/** Below this span the slope says more about jitter than about the clock. */
const DRIFT_SPAN_MS = 8_000;

/** A source clock that leaves its line by more than this was set, or the source was restarted. */
const JUMP_MS = 2_000;

export class MediaClock {
  /** Fastest packet of each half second: time on the source clock, arrival minus that time. */
  readonly #times = new Float64Array(BUCKETS);
  readonly #delays = new Float64Array(BUCKETS);
  #count = 0;
  #bucket = Number.NaN;
  #originMs = 0;
  #height = 0;
  #slope = 0;
  #jitterMs = 0;
  #samples = 0;

  /** Arrival minus source time of the fastest packets at the newest time; source clock minus session clock is its negative. */
  get offsetMs(): number {
    return -(this.#height + this.#slope * (this.#newestMs - this.#originMs));
  }

  get driftPpm(): number {
    return -this.#slope * 1e6;
  }

  /** Mean lateness behind the fastest packets, smoothed over about 100 packets. */
  get jitterMs(): number {
    return this.#jitterMs;
  }

  get samples(): number {
    return this.#samples;
  }

  /** How far the fastest packets are still likely to be from the true shortest delay. */
  get errorMs(): number {
    return this.#samples === 0 ? Infinity : (4 * this.#jitterMs) / Math.sqrt(Math.min(this.#samples, 4_000)) + 0.5;
  }

  /** Returns how late the packet came, or undefined when the clock jumped and the history was dropped. */
  fold(timeMs: number, arrivalMs: number): number | undefined {
    const delay = arrivalMs - timeMs;
    const jumped = this.#samples > 0 && Math.abs(delay - this.#lineAt(timeMs)) > JUMP_MS + 20 * this.#jitterMs;
    if (jumped || this.#samples === 0) this.#restart(timeMs, delay);
    this.#samples += 1;
    this.#foldBucket(timeMs, delay);
    const lateMs = Math.max(0, delay - this.#lineAt(timeMs));
    this.#jitterMs += (lateMs - this.#jitterMs) / Math.min(this.#samples, 100);
    return jumped ? undefined : lateMs;
  }

  /** Session time of a source time, counted as if every packet had been as fast as the fastest. */
  toSessionMs(timeMs: number): number {
    return timeMs + this.#lineAt(timeMs);
  }

  get #newestMs(): number {
    return this.#times[(this.#count - 1 + BUCKETS) % BUCKETS] as number;
  }

  #lineAt(timeMs: number): number {
    return this.#height + this.#slope * (timeMs - this.#originMs);
  }

  #restart(timeMs: number, delay: number): void {
    this.#count = 0;
    this.#bucket = Number.NaN;
    this.#originMs = timeMs;
    this.#height = delay;
    this.#slope = 0;
    this.#jitterMs = 0;
    this.#samples = 0;
  }

  #foldBucket(timeMs: number, delay: number): void {
    const bucket = Math.floor(timeMs / BUCKET_MS);
    const slot = (this.#count - 1 + BUCKETS) % BUCKETS;
    if (bucket === this.#bucket || (this.#count > 0 && bucket < this.#bucket)) {
      // A packet of an earlier half second that comes late is slow, so the buckets behind need no second look.
      if (bucket === this.#bucket && delay < (this.#delays[slot] as number)) {
        this.#times[slot] = timeMs;
        this.#delays[slot] = delay;
        if (delay < this.#lineAt(timeMs)) this.#fit();
      }
      return;
    }
    this.#bucket = bucket;
    const next = this.#count % BUCKETS;
    this.#times[next] = timeMs;
    this.#delays[next] = delay;
    this.#count += 1;
    this.#fit();
  }

  /** Lower hull over the buckets, oldest first; then the edge under the middle of the window. */
  #fit(): void {
    const used = Math.min(this.#count, BUCKETS);
    const hull: number[] = [];
    let sum = 0;
    for (let i = this.#count - used; i < this.#count; i++) {
      const slot = i % BUCKETS;
      sum += this.#times[slot] as number;
      while (hull.length >= 2 && this.#isAbove(hull.at(-2) as number, hull.at(-1) as number, slot)) hull.pop();
      hull.push(slot);
    }
    const middleMs = sum / used;
    const spanMs = this.#newestMs - (this.#times[(this.#count - used) % BUCKETS] as number);
    let slope = 0;
    if (spanMs >= DRIFT_SPAN_MS) {
      for (let i = 1; i < hull.length; i++) {
        const [a, b] = [hull[i - 1] as number, hull[i] as number];
        slope = this.#slopeBetween(a, b);
        if ((this.#times[b] as number) >= middleMs) break;
      }
      slope = Math.min(DRIFT_MAX, Math.max(-DRIFT_MAX, slope));
    }
    let height = Infinity;
    for (const slot of hull) {
      height = Math.min(height, (this.#delays[slot] as number) - slope * ((this.#times[slot] as number) - middleMs));
    }
    this.#originMs = middleMs;
    this.#height = height;
    this.#slope = slope;
  }

  /** Whether the middle point lies on or above the line between its neighbours. */
  #isAbove(a: number, b: number, c: number): boolean {
    return this.#slopeBetween(a, b) >= this.#slopeBetween(a, c);
  }

  #slopeBetween(a: number, b: number): number {
    const width = (this.#times[b] as number) - (this.#times[a] as number);
    return width === 0 ? 0 : ((this.#delays[b] as number) - (this.#delays[a] as number)) / width;
  }
}
