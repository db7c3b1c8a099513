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

/** Nod (yes) and shake (no) from the viewer's orientation. */
export class HeadGestures {
  readonly #pitch = new Swings("nod");
  readonly #yaw = new Swings("shake");
  #lastMs = -Infinity;
  #yawRad = Number.NaN;

  /** The viewer's pose, x y z and unit quaternion x y z w, in the reference space. A sample not newer than the last is ignored. */
  fold(pose: ArrayLike<number>, tMs: number): readonly GestureEvent[] {
    const qx = pose[3] as number;
    const qy = pose[4] as number;
    const qz = pose[5] as number;
    const qw = pose[6] as number;
    if (!(tMs > this.#lastMs) || !Number.isFinite(qx + qy + qz + qw)) return NO_GESTURES;
    // The direction of -Z turned by the quaternion.
    const fx = -2 * (qx * qz + qw * qy);
    const fy = -2 * (qy * qz - qw * qx);
    const fz = -(1 - 2 * (qx * qx + qy * qy));
    const pitchRad = Math.asin(Math.min(1, Math.max(-1, fy)));
    let yawRad = Math.atan2(-fx, -fz);
    // Unwrapped, so that a shake at the back of the room does not jump from pi to -pi.
    if (!Number.isNaN(this.#yawRad)) yawRad += 2 * Math.PI * Math.round((this.#yawRad - yawRad) / (2 * Math.PI));
    this.#pitch.angleRad = pitchRad;
    this.#yaw.angleRad = yawRad;
    this.#pitch.tMs = tMs;
    this.#yaw.tMs = tMs;
    if (tMs - this.#lastMs > 200) {
      this.#pitch.restart();
      this.#yaw.restart();
    }
    this.#lastMs = tMs;
    this.#yawRad = yawRad;
    const nod = this.#pitch.fold(this.#yaw);
    const shake = this.#yaw.fold(this.#pitch);
    if (nod === undefined) return shake === undefined ? NO_GESTURES : [shake];
    return shake === undefined ? [nod] : [nod, shake];
  }
}

/** Turning points of one angle: a swing is confirmed when the angle has come back from an extreme by `SWING_RAD`. */
class Swings {
  /** The sample to be folded next. Numbers that were passed to functions would be made anew on the heap each time. */
  angleRad = Number.NaN;
  tMs = -Infinity;
  readonly #name: HandGestureName;
  #extreme = Number.NaN;
  #extremeMs = Number.NaN;
  #turn = Number.NaN;
  #turnMs = -Infinity;
  #direction = 0;
  #swings = 0;
  #sinceMs = Number.NaN;
  #smallest = Infinity;
  #isActive = false;
  #confidence = Number.NaN;
  /** Slowly forgotten range, by which the other axis judges whether the movement is its own. */
  #low = Number.NaN;
  #high = Number.NaN;
  #rangeMs = -Infinity;

  constructor(name: HandGestureName) {
    this.#name = name;
  }

  restart(): void {
    this.#extreme = this.angleRad;
    this.#extremeMs = this.tMs;
    this.#turn = this.angleRad;
    this.#turnMs = -Infinity;
    this.#direction = 0;
    this.#swings = 0;
    this.#low = this.angleRad;
    this.#high = this.angleRad;
  }

  fold(other: Swings): GestureEvent | undefined {
    const { angleRad, tMs } = this;
    this.#foldRange();
    if (this.#direction === 0 || (angleRad - this.#extreme) * this.#direction > 0) {
      if (this.#direction === 0) this.#direction = Math.sign(angleRad - this.#extreme);
      this.#extreme = angleRad;
      this.#extremeMs = tMs;
    } else if (Math.abs(angleRad - this.#extreme) > SWING_RAD / 2) {
      this.#turnBack();
      if (!this.#isActive && this.#swings >= SWINGS_MIN && this.#isOwn(other)) {
        this.#isActive = true;
        return this.#event("start");
      }
    }
    if (tMs - this.#extremeMs <= SWING_MS_MAX) return undefined;
    this.#swings = 0;
    this.#smallest = Infinity;
    if (!this.#isActive) return undefined;
    this.#isActive = false;
    return this.#event("end");
  }

  /** Whether the movement is along this axis and hardly along the other. */
  #isOwn(other: Swings): boolean {
    const ownRad = this.#high - this.#low;
    const otherRad = other.#high - other.#low;
    if (otherRad >= OTHER_SHARE_MAX * ownRad) return false;
    const own = 1 - otherRad / Math.max(1e-6, ownRad);
    this.#confidence = Math.min(1, 0.4 + 0.3 * own + 2 * Math.min(0.15, this.#smallest));
    return true;
  }

  #turnBack(): void {
    const sizeRad = Math.abs(this.#extreme - this.#turn);
    const isSwing = sizeRad >= SWING_RAD && sizeRad <= SWING_RAD_MAX && this.#extremeMs - this.#turnMs <= SWING_MS_MAX;
    if (isSwing) {
      if (this.#swings === 0) this.#sinceMs = this.#turnMs;
      this.#swings += 1;
      if (sizeRad < this.#smallest) this.#smallest = sizeRad;
    } else {
      this.#swings = 0;
      this.#smallest = Infinity;
    }
    this.#turn = this.#extreme;
    this.#turnMs = this.#extremeMs;
    this.#direction = -this.#direction;
    this.#extreme = this.angleRad;
    this.#extremeMs = this.tMs;
  }

  #foldRange(): void {
    const { angleRad, tMs } = this;
    const keep = Math.exp(-Math.max(0, tMs - this.#rangeMs) / 700);
    this.#rangeMs = tMs;
    this.#low = Math.min(angleRad, angleRad + (this.#low - angleRad) * keep);
    this.#high = Math.max(angleRad, angleRad + (this.#high - angleRad) * keep);
  }

  #event(phase: GestureEvent["phase"]): GestureEvent {
    return {
      name: this.#name,
      phase,
      confidence: this.#confidence,
      tMs: this.tMs,
      sinceMs: this.#sinceMs,
      handedness: "none",
    };
  }
}
