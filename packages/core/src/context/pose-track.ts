// The poses of one thing (the head, one target ray, one wrist) over the last seconds, in a ring of rows.
//
//   row    | t float64, session clock ms | p q seven float32 | since float32 |
//
// `since` is the time from the sample before, or CUT where tracking jumped before this sample, so that nothing is
// interpolated across. A sample is 40 bytes in one place: with hundreds of sessions nearly every push finds its memory
// cold, and what has to be fetched is what a push costs.
//
// Samples that come faster than the ring can keep for `windowMs` replace the newest one, so a fast device costs detail
// in the past and never the past itself. The newest sample is always exact.
const POSE_NUMBERS = 7;
const ROW_BYTES = 40;
const POSE_AT = 8;
const SINCE_AT = 36;
const CUT = -1;
/** Farther apart, two samples say nothing about the time between them. */
const GAP_MS_MAX = 250;
/** Velocity is taken over at least this span: shorter ones measure the tracker's noise. */
const VELOCITY_SPAN_MS = 45;

export class PoseTrack {
  readonly #rows: DataView;
  readonly #capacity: number;
  readonly #spacingMs: number;
  #head = -1;
  #count = 0;
  #isCutNext = true;

  constructor(windowMs: number, capacity: number) {
    this.#rows = new DataView(new ArrayBuffer(capacity * ROW_BYTES));
    this.#capacity = capacity;
    this.#spacingMs = windowMs / (capacity - 2);
  }

  get count(): number {
    return this.#count;
  }

  /** Time of the newest sample, -Infinity before the first. */
  get newestMs(): number {
    return this.#count === 0 ? -Infinity : this.#timeAt(this.#head);
  }

  get oldestMs(): number {
    return this.#count === 0 ? Infinity : this.#timeAt(this.#at(this.#count - 1));
  }

  /** What comes next does not continue what was: tracking jumped or the origin moved. */
  cut(): void {
    this.#isCutNext = true;
  }

  clear(): void {
    this.#count = 0;
    this.#isCutNext = true;
  }

  /** `pose` is read during the call. Samples not newer than the newest are dropped: returns false. */
  push(atMs: number, pose: Float32Array): boolean {
    const rows = this.#rows;
    let at = this.#head * ROW_BYTES;
    let since = CUT;
    let isThinned = false;
    if (this.#count > 0) {
      const newestMs = rows.getFloat64(at, true);
      if (atMs <= newestMs) return false;
      if (!this.#isCutNext) {
        const before = rows.getFloat32(at + SINCE_AT, true);
        isThinned = this.#count >= 2 && before !== CUT && before < this.#spacingMs;
        since = atMs - newestMs + (isThinned ? before : 0);
      }
    }
    if (!isThinned) {
      this.#head = this.#head + 1 === this.#capacity ? 0 : this.#head + 1;
      if (this.#count < this.#capacity) this.#count++;
      this.#isCutNext = false;
      at = this.#head * ROW_BYTES;
    }
    rows.setFloat64(at, atMs, true);
    for (let index = 0; index < POSE_NUMBERS; index++) {
      rows.setFloat32(at + POSE_AT + index * 4, pose[index] as number, true);
    }
    rows.setFloat32(at + SINCE_AT, since, true);
    return true;
  }

  /**
   * Writes position and orientation at the instant into `into` (seven numbers): interpolated between neighbours, the
   * nearest end up to `staleMs` outside the samples. False where nothing is known, so `into` is untouched.
   */
  sampleAt(atMs: number, into: Float64Array, staleMs = GAP_MS_MAX): boolean {
    if (this.#count === 0) return false;
    const age = this.#ageBefore(atMs);
    if (age === this.#count) return this.#copyNear(this.#count - 1, atMs, into, staleMs);
    if (age === 0) return this.#copyNear(0, atMs, into, staleMs);
    const before = this.#at(age);
    const after = this.#at(age - 1);
    const from = this.#timeAt(before);
    const to = this.#timeAt(after);
    if (this.#isCut(after) || to - from > GAP_MS_MAX) {
      return this.#copyNear(atMs - from <= to - atMs ? age : age - 1, atMs, into, staleMs);
    }
    this.#readTwo(before, after);
    interpolate((atMs - from) / (to - from), into);
    return true;
  }

  /** Writes position and orientation of the newest sample, exactly; false before the first. */
  readNewest(into: Float32Array): boolean {
    if (this.#count === 0) return false;
    const at = this.#head * ROW_BYTES + POSE_AT;
    for (let index = 0; index < POSE_NUMBERS; index++) into[index] = this.#rows.getFloat32(at + index * 4, true);
    return true;
  }

  /** Metres a second and radians a second over the last samples, into two arrays of three; zero where unknown. */
  velocityInto(linear: Float64Array, angular: Float64Array): void {
    linear.fill(0);
    angular.fill(0);
    let age = 0;
    const newest = this.newestMs;
    while (age + 1 < this.#count) {
      if (this.#isCut(this.#at(age))) break;
      age++;
      const spanMs = newest - this.#timeAt(this.#at(age));
      if (spanMs > GAP_MS_MAX) {
        age--;
        break;
      }
      if (spanMs >= VELOCITY_SPAN_MS) break;
    }
    if (age === 0) return;
    const spanS = (newest - this.#timeAt(this.#at(age))) / 1_000;
    this.#readTwo(this.#at(age), this.#head);
    differentiate({ spanS, linear, angular });
  }

  #timeAt(slot: number): number {
    return this.#rows.getFloat64(slot * ROW_BYTES, true);
  }

  #isCut(slot: number): boolean {
    return this.#rows.getFloat32(slot * ROW_BYTES + SINCE_AT, true) === CUT;
  }

  /** Copies two poses to where the functions below find them. */
  #readTwo(a: number, b: number): void {
    for (let index = 0; index < POSE_NUMBERS; index++) {
      TWO[index] = this.#rows.getFloat32(a * ROW_BYTES + POSE_AT + index * 4, true);
      TWO[POSE_NUMBERS + index] = this.#rows.getFloat32(b * ROW_BYTES + POSE_AT + index * 4, true);
    }
  }

  /** Slot of the sample that is `age` samples older than the newest. */
  #at(age: number): number {
    const slot = this.#head - age;
    return slot < 0 ? slot + this.#capacity : slot;
  }

  /** Age of the youngest sample that is not younger than the instant; `count` when all are. Binary search. */
  #ageBefore(atMs: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timeAt(this.#at(middle)) <= atMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  // oxlint-disable-next-line max-params -- Called twice a look-up on the hot path, so no options object.
  #copyNear(age: number, atMs: number, into: Float64Array, staleMs: number): boolean {
    const slot = this.#at(age);
    if (Math.abs(this.#timeAt(slot) - atMs) > staleMs) return false;
    const at = slot * ROW_BYTES + POSE_AT;
    for (let index = 0; index < POSE_NUMBERS; index++) into[index] = this.#rows.getFloat32(at + index * 4, true);
    return true;
  }
}

/** Two poses, one after the other, for the function that is called next. */
const TWO = new Float32Array(2 * POSE_NUMBERS);

/** Lerp of the position, normalised lerp over the shorter arc of the orientation: at 250 ms at most, slerp gains nothing. */
function interpolate(share: number, into: Float64Array): void {
  for (let axis = 0; axis < 3; axis++) {
    const start = TWO[axis] as number;
    into[axis] = start + ((TWO[POSE_NUMBERS + axis] as number) - start) * share;
  }
  let cosine = 0;
  for (let axis = 3; axis < 7; axis++) cosine += (TWO[axis] as number) * (TWO[POSE_NUMBERS + axis] as number);
  const weight = cosine < 0 ? -share : share;
  let squared = 0;
  for (let axis = 3; axis < 7; axis++) {
    const value = (TWO[axis] as number) * (1 - share) + (TWO[POSE_NUMBERS + axis] as number) * weight;
    into[axis] = value;
    squared += value * value;
  }
  const scale = 1 / Math.sqrt(squared);
  for (let axis = 3; axis < 7; axis++) into[axis] = (into[axis] as number) * scale;
}

interface Derivative {
  readonly spanS: number;
  readonly linear: Float64Array;
  readonly angular: Float64Array;
}

/** Angular velocity is the rotation vector of to * from^-1 over the span, in the axes of the reference space. */
function differentiate({ spanS, linear, angular }: Derivative): void {
  for (let axis = 0; axis < 3; axis++) {
    linear[axis] = ((TWO[POSE_NUMBERS + axis] as number) - (TWO[axis] as number)) / spanS;
  }
  const ax = -(TWO[3] as number);
  const ay = -(TWO[4] as number);
  const az = -(TWO[5] as number);
  const aw = TWO[6] as number;
  const bx = TWO[10] as number;
  const by = TWO[11] as number;
  const bz = TWO[12] as number;
  const bw = TWO[13] as number;
  let x = bw * ax + bx * aw + by * az - bz * ay;
  let y = bw * ay - bx * az + by * aw + bz * ax;
  let z = bw * az + bx * ay - by * ax + bz * aw;
  let w = bw * aw - bx * ax - by * ay - bz * az;
  if (w < 0) {
    x = -x;
    y = -y;
    z = -z;
    w = -w;
  }
  const sine = Math.sqrt(x * x + y * y + z * z);
  const rate = sine < 1e-9 ? 2 / spanS : (2 * Math.atan2(sine, w)) / sine / spanS;
  angular[0] = x * rate;
  angular[1] = y * rate;
  angular[2] = z * rate;
}
