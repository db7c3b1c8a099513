import { CircleTracker } from "./gesture-circle.ts";
import type { GestureEvent, GestureSide } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";
import { FEATURE, ramp } from "./gesture-features.ts";
import type { GestureMoment } from "./gesture-phase.ts";

const SAMPLES = 32;

/** A stroke is faster than this at its peak and slower than `REST_MPS` before and after: reaching and carrying are slower. */
const STROKE_MPS = 1.1;

/** Hands sink and drop to rest faster than they wander: only a strike counts as a swipe down. */
const STROKE_DOWN_MPS = 2;

const REST_MPS = 0.4;
const STROKE_MS_MIN = 80;
const STROKE_MS_MAX = 700;

/** In hand sizes: about 19 cm for a hand of 9.5 cm. */
const STROKE_SIZES_MIN = 2;

/** After a stroke the hand goes back; the way back is not a gesture. */
const RETURN_MS = 800;

/** Velocity is measured over at least this time, so that 3 mm of joint noise stay below 0.1 m/s. */
const VELOCITY_MS = 45;

/** Movements of one hand: swipe, push, circle. Positions are of the middle knuckle and of the index tip. */
export class GestureMotion {
  readonly #side: GestureSide;
  readonly #moment: GestureMoment;
  readonly #circle: CircleTracker;
  /** Ring of t, x, y, z. */
  readonly #ring = new Float64Array(SAMPLES * 4);
  #count = 0;
  readonly #from = new Float64Array(4);
  #isStroke = false;
  #wasHolding = false;
  #peakMps = Number.NaN;
  #pathM = Number.NaN;
  #quietUntilMs = -Infinity;
  #lastMs = -Infinity;

  constructor(side: GestureSide, moment: GestureMoment) {
    this.#side = side;
    this.#moment = moment;
    this.#circle = new CircleTracker(side, moment);
  }

  fold(joints: Float32Array, features: Float64Array, isHolding: boolean): readonly GestureEvent[] {
    const { tMs } = this.#moment;
    // A gap is not a movement: the hand may have been anywhere meanwhile.
    if (tMs - this.#lastMs > 200) this.#restart();
    this.#lastMs = tMs;
    const x = joints[33] as number;
    const y = joints[34] as number;
    const z = joints[35] as number;
    const slot = (this.#count % SAMPLES) * 4;
    this.#ring[slot] = tMs;
    this.#ring[slot + 1] = x;
    this.#ring[slot + 2] = y;
    this.#ring[slot + 3] = z;
    this.#count += 1;
    const stroke = this.#foldStroke(features, isHolding);
    const turning = this.#circle.fold(joints, isHolding);
    if (stroke === undefined) return turning === undefined ? NO_GESTURES : [turning];
    return turning === undefined
      ? [stroke, { ...stroke, phase: "end" }]
      : [stroke, { ...stroke, phase: "end" }, turning];
  }

  end(): readonly GestureEvent[] {
    this.#restart();
    const event = this.#circle.end();
    return event === undefined ? NO_GESTURES : [event];
  }

  #restart(): void {
    this.#count = 0;
    this.#isStroke = false;
    this.#peakMps = 0;
    this.#pathM = 0;
  }

  #foldStroke(features: Float64Array, isHolding: boolean): GestureEvent | undefined {
    const { tMs } = this.#moment;
    const now = ((this.#count - 1) % SAMPLES) * 4;
    const before = this.#slotBefore(VELOCITY_MS);
    if (before < 0) return undefined;
    const mps = (this.#distance(now, before) / (tMs - (this.#ring[before] as number))) * 1_000;
    this.#wasHolding ||= isHolding;
    if (mps < REST_MPS) {
      const event = this.#isStroke && !this.#wasHolding ? this.#strokeEvent(now, features) : undefined;
      this.#isStroke = false;
      this.#wasHolding = isHolding;
      this.#peakMps = 0;
      this.#pathM = 0;
      for (let i = 0; i < 4; i++) this.#from[i] = this.#ring[before + i] as number;
      return event;
    }
    const previous = ((this.#count - 2 + SAMPLES) % SAMPLES) * 4;
    this.#pathM += this.#distance(now, previous);
    if (mps > this.#peakMps) this.#peakMps = mps;
    if (mps >= STROKE_MPS) this.#isStroke = true;
    return undefined;
  }

  /** The whole stroke as seen by the viewer, if it was one straight movement along one of the viewer's axes. */
  #strokeEvent(now: number, features: Float64Array): GestureEvent | undefined {
    const { tMs, headingCos, headingSin } = this.#moment;
    const durationMs = tMs - (this.#from[0] as number);
    if (tMs < this.#quietUntilMs || durationMs < STROKE_MS_MIN || durationMs > STROKE_MS_MAX + VELOCITY_MS)
      return undefined;
    const dx = (this.#ring[now + 1] as number) - (this.#from[1] as number);
    const up = (this.#ring[now + 2] as number) - (this.#from[2] as number);
    const dz = (this.#ring[now + 3] as number) - (this.#from[3] as number);
    const lengthM = Math.sqrt(dx * dx + up * up + dz * dz);
    const sizes = lengthM / (features[FEATURE.sizeM] as number);
    if (sizes < STROKE_SIZES_MIN || lengthM < this.#pathM * 0.8) return undefined;
    const right = dx * headingCos - dz * headingSin;
    const forward = -dx * headingSin - dz * headingCos;
    const main = Math.max(Math.abs(right), Math.abs(up), Math.abs(forward));
    const confidence = Math.min(
      ramp(main / lengthM, 0.7, 0.9),
      0.5 + ramp(sizes, STROKE_SIZES_MIN, 3) / 2,
      0.6 + ramp(this.#peakMps, STROKE_MPS, 1.8) * 0.4,
    );
    if (confidence < 0.4 || Math.min(open(features, 1), open(features, 2)) < 0.8) return undefined;
    const isForward = Math.abs(forward) === main;
    // A push goes where the palm looks; a reach forward goes where the fingers look.
    if (isForward && (forward < 0 || this.#palmAlong(features, dx, up, dz) < 0.6 * lengthM)) return undefined;
    const isUpDown = !isForward && Math.abs(up) === main;
    if (isUpDown && up < 0 && this.#peakMps < STROKE_DOWN_MPS) return undefined;
    this.#quietUntilMs = tMs + RETURN_MS;
    return {
      name: isForward ? "push" : "swipe",
      phase: "start",
      confidence,
      tMs,
      sinceMs: this.#from[0] as number,
      handedness: this.#side,
      direction: isForward ? "forward" : isUpDown ? (up > 0 ? "up" : "down") : right > 0 ? "right" : "left",
      value: lengthM,
    };
  }

  #palmAlong(features: Float64Array, dx: number, dy: number, dz: number): number {
    const normal = FEATURE.normal;
    return (
      (features[normal] as number) * dx + (features[normal + 1] as number) * dy + (features[normal + 2] as number) * dz
    );
  }

  /** The newest sample that is at least so old, or -1. */
  #slotBefore(ageMs: number): number {
    const tMs = this.#moment.tMs - ageMs;
    const oldest = Math.max(0, this.#count - SAMPLES);
    for (let i = this.#count - 2; i >= oldest; i--) {
      const slot = (i % SAMPLES) * 4;
      if ((this.#ring[slot] as number) <= tMs) return slot;
    }
    return -1;
  }

  #distance(a: number, b: number): number {
    const dx = (this.#ring[a + 1] as number) - (this.#ring[b + 1] as number);
    const dy = (this.#ring[a + 2] as number) - (this.#ring[b + 2] as number);
    const dz = (this.#ring[a + 3] as number) - (this.#ring[b + 3] as number);
    return Math.sqrt(dx * dx + dy * dy + dz * dz);
  }
}

function open(features: Float64Array, finger: number): number {
  return features[FEATURE.straight + finger] as number;
}
