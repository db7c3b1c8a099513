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
  #yawRad = 0;

  /** Unit quaternion x y z w of the viewer in the reference space. Samples older than the newest are ignored. */
  fold(qx: number, qy: number, qz: number, qw: number, tMs: number): readonly GestureEvent[] {
    if (tMs <= this.#lastMs || !Number.isFinite(qx + qy + qz + qw)) return NO_GESTURES;
    // The direction of -Z turned by the quaternion.
    const fx = -2 * (qx * qz + qw * qy);
    const fy = -2 * (qy * qz - qw * qx);
    const fz = -(1 - 2 * (qx * qx + qy * qy));
    const pitchRad = Math.asin(Math.min(1, Math.max(-1, fy)));
    let yawRad = Math.atan2(-fx, -fz);
    // Unwrapped, so that a shake at the back of the room does not jump from pi to -pi.
    yawRad += 2 * Math.PI * Math.round((this.#yawRad - yawRad) / (2 * Math.PI));
    if (tMs - this.#lastMs > 200) {
      this.#pitch.restart(pitchRad);
      this.#yaw.restart(yawRad);
    }
    this.#lastMs = tMs;
    this.#yawRad = yawRad;
    const nod = this.#pitch.fold(pitchRad, tMs, this.#yaw);
    const shake = this.#yaw.fold(yawRad, tMs, this.#pitch);
    if (nod === undefined) return shake === undefined ? NO_GESTURES : [shake];
    return shake === undefined ? [nod] : [nod, shake];
  }
}

/** Turning points of one angle: a swing is confirmed when the angle has come back from an extreme by `SWING_RAD`. */
class Swings {
  readonly #name: HandGestureName;
  #extreme = 0;
  #extremeMs = 0;
  #turn = 0;
  #turnMs = -Infinity;
  #direction = 0;
  #swings = 0;
  #sinceMs = 0;
  #smallest = Infinity;
  #isActive = false;
  #confidence = 0;
  /** Slowly forgotten range, by which the other axis judges whether the movement is its own. */
  #low = 0;
  #high = 0;
  #rangeMs = 0;

  constructor(name: HandGestureName) {
    this.#name = name;
  }

  get rangeRad(): number {
    return this.#high - this.#low;
  }

  restart(angleRad: number): void {
    this.#extreme = angleRad;
    this.#turn = angleRad;
    this.#turnMs = -Infinity;
    this.#direction = 0;
    this.#swings = 0;
    this.#low = angleRad;
    this.#high = angleRad;
  }

  fold(angleRad: number, tMs: number, other: Swings): GestureEvent | undefined {
    this.#foldRange(angleRad, tMs);
    if (this.#direction === 0 || (angleRad - this.#extreme) * this.#direction > 0) {
      if (this.#direction === 0) this.#direction = Math.sign(angleRad - this.#extreme);
      this.#extreme = angleRad;
      this.#extremeMs = tMs;
    } else if (Math.abs(angleRad - this.#extreme) > SWING_RAD / 2) {
      this.#turnBack(angleRad, tMs);
      if (!this.#isActive && this.#swings >= SWINGS_MIN && other.rangeRad < OTHER_SHARE_MAX * this.rangeRad) {
        this.#isActive = true;
        const own = 1 - other.rangeRad / Math.max(1e-6, this.rangeRad);
        this.#confidence = Math.min(1, 0.4 + 0.3 * own + 2 * Math.min(0.15, this.#smallest));
        return this.#event("start", tMs);
      }
    }
    if (tMs - this.#extremeMs <= SWING_MS_MAX) return undefined;
    this.#swings = 0;
    this.#smallest = Infinity;
    if (!this.#isActive) return undefined;
    this.#isActive = false;
    return this.#event("end", tMs);
  }

  #turnBack(angleRad: number, tMs: number): void {
    const sizeRad = Math.abs(this.#extreme - this.#turn);
    const isSwing = sizeRad >= SWING_RAD && sizeRad <= SWING_RAD_MAX && this.#extremeMs - this.#turnMs <= SWING_MS_MAX;
    if (isSwing) {
      if (this.#swings === 0) this.#sinceMs = this.#turnMs;
      this.#swings += 1;
      this.#smallest = Math.min(this.#smallest, sizeRad);
    } else {
      this.#swings = 0;
      this.#smallest = Infinity;
    }
    this.#turn = this.#extreme;
    this.#turnMs = this.#extremeMs;
    this.#direction = -this.#direction;
    this.#extreme = angleRad;
    this.#extremeMs = tMs;
  }

  #foldRange(angleRad: number, tMs: number): void {
    const keep = Math.exp(-Math.max(0, tMs - this.#rangeMs) / 700);
    this.#rangeMs = tMs;
    this.#low = Math.min(angleRad, angleRad + (this.#low - angleRad) * keep);
    this.#high = Math.max(angleRad, angleRad + (this.#high - angleRad) * keep);
  }

  #event(phase: GestureEvent["phase"], tMs: number): GestureEvent {
    return {
      name: this.#name,
      phase,
      confidence: this.#confidence,
      tMs,
      sinceMs: this.#sinceMs,
      handedness: "none",
    };
  }
}
