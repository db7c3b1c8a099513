// The poses of one thing (the head, one target ray, one wrist) over the last seconds, in a ring of typed arrays.
//
//   times  [ t0 | t1 | t2 | … ]          one float64 a sample, session clock ms
//   poses  [ p q | p q | p q | … ]       seven float32 a sample
//   cuts   [ 0 | 1 | 0 | … ]             1: tracking jumped before this sample, nothing is interpolated across
//
// Samples that come faster than the ring can keep for `windowMs` replace the newest one, so a fast device costs detail
// in the past and never the past itself. The newest sample is always exact.
const POSE_NUMBERS = 7;
/** Farther apart, two samples say nothing about the time between them. */
const GAP_MS_MAX = 250;
/** Velocity is taken over at least this span: shorter ones measure the tracker's noise. */
const VELOCITY_SPAN_MS = 45;

export class PoseTrack {
  readonly #times: Float64Array;
  readonly #poses: Float32Array;
  readonly #cuts: Uint8Array;
  readonly #spacingMs: number;
  #head = -1;
  #count = 0;
  #isCutNext = true;

  constructor(windowMs: number, capacity: number) {
    this.#times = new Float64Array(capacity);
    this.#poses = new Float32Array(capacity * POSE_NUMBERS);
    this.#cuts = new Uint8Array(capacity);
    this.#spacingMs = windowMs / (capacity - 2);
  }

  get count(): number {
    return this.#count;
  }

  /** Time of the newest sample, -Infinity before the first. */
  get newestMs(): number {
    return this.#count === 0 ? -Infinity : (this.#times[this.#head] as number);
  }

  get oldestMs(): number {
    return this.#count === 0 ? Infinity : (this.#times[this.#at(this.#count - 1)] as number);
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
    if (atMs <= this.newestMs) return false;
    const isThinned =
      !this.#isCutNext &&
      this.#count >= 2 &&
      this.#cuts[this.#head] === 0 &&
      this.newestMs - (this.#times[this.#at(1)] as number) < this.#spacingMs;
    if (!isThinned) {
      this.#head = (this.#head + 1) % this.#times.length;
      if (this.#count < this.#times.length) this.#count++;
      this.#cuts[this.#head] = this.#isCutNext ? 1 : 0;
      this.#isCutNext = false;
    }
    this.#times[this.#head] = atMs;
    const base = this.#head * POSE_NUMBERS;
    for (let index = 0; index < POSE_NUMBERS; index++) this.#poses[base + index] = pose[index] as number;
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
    const from = this.#times[before] as number;
    const to = this.#times[after] as number;
    if (this.#cuts[after] === 1 || to - from > GAP_MS_MAX) {
      return this.#copyNear(atMs - from <= to - atMs ? age : age - 1, atMs, into, staleMs);
    }
    interpolate(this.#poses, before, after, (atMs - from) / (to - from), into);
    return true;
  }

  /** Metres a second and radians a second over the last samples, into two arrays of three; zero where unknown. */
  velocityInto(linear: Float64Array, angular: Float64Array): void {
    linear.fill(0);
    angular.fill(0);
    let age = 0;
    const newest = this.newestMs;
    while (age + 1 < this.#count) {
      if (this.#cuts[this.#at(age)] === 1) break;
      age++;
      const spanMs = newest - (this.#times[this.#at(age)] as number);
      if (spanMs > GAP_MS_MAX) {
        age--;
        break;
      }
      if (spanMs >= VELOCITY_SPAN_MS) break;
    }
    if (age === 0) return;
    const spanS = (newest - (this.#times[this.#at(age)] as number)) / 1_000;
    differentiate(this.#poses, this.#at(age), this.#head, { spanS, linear, angular });
  }

  /** Slot of the sample that is `age` samples older than the newest. */
  #at(age: number): number {
    const slot = this.#head - age;
    return slot < 0 ? slot + this.#times.length : slot;
  }

  /** Age of the youngest sample that is not younger than the instant; `count` when all are. Binary search. */
  #ageBefore(atMs: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[this.#at(middle)] as number) <= atMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  // oxlint-disable-next-line max-params -- Called twice a look-up on the hot path, so no options object.
  #copyNear(age: number, atMs: number, into: Float64Array, staleMs: number): boolean {
    const slot = this.#at(age);
    if (Math.abs((this.#times[slot] as number) - atMs) > staleMs) return false;
    for (let index = 0; index < POSE_NUMBERS; index++) into[index] = this.#poses[slot * POSE_NUMBERS + index] as number;
    return true;
  }
}

/** Lerp of the position, normalised lerp over the shorter arc of the orientation: at 250 ms at most, slerp gains nothing. */
// oxlint-disable-next-line max-params -- Hot path: two slots of one array, a share and where to write.
function interpolate(poses: Float32Array, a: number, b: number, share: number, into: Float64Array): void {
  const from = a * POSE_NUMBERS;
  const to = b * POSE_NUMBERS;
  for (let axis = 0; axis < 3; axis++) {
    const start = poses[from + axis] as number;
    into[axis] = start + ((poses[to + axis] as number) - start) * share;
  }
  let cosine = 0;
  for (let axis = 3; axis < 7; axis++) cosine += (poses[from + axis] as number) * (poses[to + axis] as number);
  const weight = cosine < 0 ? -share : share;
  let squared = 0;
  for (let axis = 3; axis < 7; axis++) {
    const value = (poses[from + axis] as number) * (1 - share) + (poses[to + axis] as number) * weight;
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
function differentiate(poses: Float32Array, a: number, b: number, { spanS, linear, angular }: Derivative): void {
  const from = a * POSE_NUMBERS;
  const to = b * POSE_NUMBERS;
  for (let axis = 0; axis < 3; axis++) {
    linear[axis] = ((poses[to + axis] as number) - (poses[from + axis] as number)) / spanS;
  }
  const ax = -(poses[from + 3] as number);
  const ay = -(poses[from + 4] as number);
  const az = -(poses[from + 5] as number);
  const aw = poses[from + 6] as number;
  const bx = poses[to + 3] as number;
  const by = poses[to + 4] as number;
  const bz = poses[to + 5] as number;
  const bw = poses[to + 6] as number;
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
