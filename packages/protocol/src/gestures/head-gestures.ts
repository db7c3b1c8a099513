import type { GestureEvent, HandGestureName } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";

/** A swing smaller than this is trembling or breathing. */
const SWING_RAD = 0.07;
const SWING_RAD_MAX = 0.9;

/** From one turning point to the next. Slower is looking around. */
const SWING_MS_MAX = 450;

/** Down, up, down: two swings alone are a glance at something and back. */
const SWINGS_MIN = 3;

/** How much the other axis may move: a nod goes up and down, not round. */
const OTHER_SHARE_MAX = 0.6;

const LAST_MS = 0;
const YAW_RAD = 1;
const PITCH = 2;

/**
 * The instant and the angle that are being folded: one for all heads, since folding is synchronous, and in an array,
 * since a number that is passed to a function would be made anew on the heap each time.
 */
const NOW = new Float64Array(2);
const NOW_MS = 0;
const NOW_RAD = 1;

/** Of one axis; see `Swings`. */
const EXTREME = 0;
const EXTREME_MS = 1;
const TURN = 2;
const TURN_MS = 3;
const DIRECTION = 4;
const SWINGS = 5;
const SINCE_MS = 6;
const SMALLEST = 7;
const IS_ACTIVE = 8;
const CONFIDENCE = 9;
/** Slowly forgotten range, by which the other axis judges whether the movement is its own. */
const LOW = 10;
const HIGH = 11;
const RANGE_MS = 12;
const SWING_NUMBERS = 13;

/** Nod (yes) and shake (no) from the viewer's orientation. */
export class HeadGestures {
  /** All that is known of the head lies in one run of memory: with many users it is fetching that costs. */
  readonly #numbers = new Float64Array(PITCH + 2 * SWING_NUMBERS).fill(Number.NaN);
  readonly #pitch = new Swings("nod", this.#numbers, PITCH);
  readonly #yaw = new Swings("shake", this.#numbers, PITCH + SWING_NUMBERS);

  constructor() {
    this.#numbers[LAST_MS] = -Infinity;
  }

  /** The viewer's pose, x y z and unit quaternion x y z w, in the reference space. A sample not newer than the last is ignored. */
  fold(pose: ArrayLike<number>, tMs: number): readonly GestureEvent[] {
    const numbers = this.#numbers;
    const qx = pose[3] as number;
    const qy = pose[4] as number;
    const qz = pose[5] as number;
    const qw = pose[6] as number;
    const lastMs = numbers[LAST_MS] as number;
    if (!(tMs > lastMs) || !Number.isFinite(qx + qy + qz + qw)) return NO_GESTURES;
    // The direction of -Z turned by the quaternion.
    const fx = -2 * (qx * qz + qw * qy);
    const fy = -2 * (qy * qz - qw * qx);
    const fz = -(1 - 2 * (qx * qx + qy * qy));
    let yawRad = Math.atan2(-fx, -fz);
    const beforeRad = numbers[YAW_RAD] as number;
    // Unwrapped, so that a shake at the back of the room does not jump from pi to -pi.
    if (!Number.isNaN(beforeRad)) yawRad += 2 * Math.PI * Math.round((beforeRad - yawRad) / (2 * Math.PI));
    NOW[NOW_MS] = tMs;
    const isFound = tMs - lastMs > 200;
    numbers[LAST_MS] = tMs;
    numbers[YAW_RAD] = yawRad;
    if (isFound) {
      NOW[NOW_RAD] = yawRad;
      this.#yaw.restart();
    }
    NOW[NOW_RAD] = Math.asin(Math.min(1, Math.max(-1, fy)));
    if (isFound) this.#pitch.restart();
    const nod = this.#pitch.fold(this.#yaw);
    NOW[NOW_RAD] = yawRad;
    const shake = this.#yaw.fold(this.#pitch);
    if (nod === undefined) return shake === undefined ? NO_GESTURES : [shake];
    return shake === undefined ? [nod] : [nod, shake];
  }
}

/** Turning points of one angle: a swing is confirmed when the angle has come back from an extreme by `SWING_RAD`. */
class Swings {
  readonly #name: HandGestureName;
  readonly #numbers: Float64Array;
  readonly #at: number;

  /** Its state is `SWING_NUMBERS` numbers from `at` on. */
  constructor(name: HandGestureName, numbers: Float64Array, at: number) {
    this.#name = name;
    this.#numbers = numbers;
    this.#at = at;
    numbers[at + TURN_MS] = -Infinity;
    numbers[at + DIRECTION] = 0;
    numbers[at + SWINGS] = 0;
    numbers[at + SMALLEST] = Infinity;
    numbers[at + IS_ACTIVE] = 0;
    numbers[at + RANGE_MS] = -Infinity;
  }

  get rangeRad(): number {
    return (this.#numbers[this.#at + HIGH] as number) - (this.#numbers[this.#at + LOW] as number);
  }

  restart(): void {
    const numbers = this.#numbers;
    const at = this.#at;
    const angleRad = NOW[NOW_RAD] as number;
    numbers[at + EXTREME] = angleRad;
    numbers[at + EXTREME_MS] = NOW[NOW_MS] as number;
    numbers[at + TURN] = angleRad;
    numbers[at + TURN_MS] = -Infinity;
    numbers[at + DIRECTION] = 0;
    numbers[at + SWINGS] = 0;
    numbers[at + LOW] = angleRad;
    numbers[at + HIGH] = angleRad;
  }

  fold(other: Swings): GestureEvent | undefined {
    const numbers = this.#numbers;
    const at = this.#at;
    const angleRad = NOW[NOW_RAD] as number;
    const tMs = NOW[NOW_MS] as number;
    this.#foldRange();
    const backRad = angleRad - (numbers[at + EXTREME] as number);
    if (numbers[at + DIRECTION] === 0 || backRad * (numbers[at + DIRECTION] as number) > 0) {
      if (numbers[at + DIRECTION] === 0) numbers[at + DIRECTION] = Math.sign(backRad);
      numbers[at + EXTREME] = angleRad;
      numbers[at + EXTREME_MS] = tMs;
    } else if (Math.abs(backRad) > SWING_RAD / 2) {
      this.#turnBack();
      if (numbers[at + IS_ACTIVE] === 0 && (numbers[at + SWINGS] as number) >= SWINGS_MIN && this.#isOwn(other)) {
        numbers[at + IS_ACTIVE] = 1;
        return this.#event("start");
      }
    }
    if (tMs - (numbers[at + EXTREME_MS] as number) <= SWING_MS_MAX) return undefined;
    numbers[at + SWINGS] = 0;
    numbers[at + SMALLEST] = Infinity;
    if (numbers[at + IS_ACTIVE] === 0) return undefined;
    numbers[at + IS_ACTIVE] = 0;
    return this.#event("end");
  }

  /** Whether the movement is along this axis and hardly along the other. */
  #isOwn(other: Swings): boolean {
    const ownRad = this.rangeRad;
    const otherRad = other.rangeRad;
    if (otherRad >= OTHER_SHARE_MAX * ownRad) return false;
    const own = 1 - otherRad / Math.max(1e-6, ownRad);
    const smallest = this.#numbers[this.#at + SMALLEST] as number;
    this.#numbers[this.#at + CONFIDENCE] = Math.min(1, 0.4 + 0.3 * own + 2 * Math.min(0.15, smallest));
    return true;
  }

  #turnBack(): void {
    const numbers = this.#numbers;
    const at = this.#at;
    const extreme = numbers[at + EXTREME] as number;
    const extremeMs = numbers[at + EXTREME_MS] as number;
    const turnMs = numbers[at + TURN_MS] as number;
    const sizeRad = Math.abs(extreme - (numbers[at + TURN] as number));
    if (sizeRad >= SWING_RAD && sizeRad <= SWING_RAD_MAX && extremeMs - turnMs <= SWING_MS_MAX) {
      if (numbers[at + SWINGS] === 0) numbers[at + SINCE_MS] = turnMs;
      numbers[at + SWINGS] = (numbers[at + SWINGS] as number) + 1;
      if (sizeRad < (numbers[at + SMALLEST] as number)) numbers[at + SMALLEST] = sizeRad;
    } else {
      numbers[at + SWINGS] = 0;
      numbers[at + SMALLEST] = Infinity;
    }
    numbers[at + TURN] = extreme;
    numbers[at + TURN_MS] = extremeMs;
    numbers[at + DIRECTION] = -(numbers[at + DIRECTION] as number);
    numbers[at + EXTREME] = NOW[NOW_RAD] as number;
    numbers[at + EXTREME_MS] = NOW[NOW_MS] as number;
  }

  #foldRange(): void {
    const numbers = this.#numbers;
    const at = this.#at;
    const angleRad = NOW[NOW_RAD] as number;
    const tMs = NOW[NOW_MS] as number;
    const keep = Math.exp(-Math.max(0, tMs - (numbers[at + RANGE_MS] as number)) / 700);
    numbers[at + RANGE_MS] = tMs;
    numbers[at + LOW] = Math.min(angleRad, angleRad + ((numbers[at + LOW] as number) - angleRad) * keep);
    numbers[at + HIGH] = Math.max(angleRad, angleRad + ((numbers[at + HIGH] as number) - angleRad) * keep);
  }

  #event(phase: GestureEvent["phase"]): GestureEvent {
    return {
      name: this.#name,
      phase,
      confidence: this.#numbers[this.#at + CONFIDENCE] as number,
      tMs: NOW[NOW_MS] as number,
      sinceMs: this.#numbers[this.#at + SINCE_MS] as number,
      handedness: "none",
    };
  }
}
