import type { GestureEvent, GestureSide } from "./gesture-event.ts";
import type { PhaseRule } from "./gesture-phase.ts";
import { GesturePhase } from "./gesture-phase.ts";

const RULE: PhaseRule = { onLevel: 0.5, offLevel: 0.2, onMs: 0, offMs: 0, updateMs: 50 };

/** Points are taken every 1.2 cm of way, so that joint noise turns the heading by little and a resting hand adds none. */
const SPACING_M = 0.012;

/** A hand slower than one spacing in this time has stopped. */
const PAUSE_MS = 300;

const RADIUS_M_MIN = 0.02;
const RADIUS_M_MAX = 0.3;

/** Follows the index tip in the viewer's upright plane and adds up how far its heading turned. */
export class CircleTracker {
  readonly #phase: GesturePhase;
  #x = Number.NaN;
  #y = 0;
  #headingRad = Number.NaN;
  #turnedRad = 0;
  #wanderedRad = 0;
  #pathM = 0;
  #movedMs = -Infinity;
  #startX = 0;
  #startY = 0;

  constructor(side: GestureSide) {
    this.#phase = new GesturePhase("circle", side, RULE);
  }

  fold(joints: Float32Array, tMs: number, viewerYawRad: number, isHolding: boolean): GestureEvent | undefined {
    const x = (joints[27] as number) * Math.cos(viewerYawRad) - (joints[29] as number) * Math.sin(viewerYawRad);
    const y = joints[28] as number;
    if (isHolding || tMs - this.#movedMs > PAUSE_MS || Number.isNaN(this.#x)) {
      const event = this.end(tMs);
      this.#restart(x, y, tMs);
      return event;
    }
    const dx = x - this.#x;
    const dy = y - this.#y;
    const stepM = Math.sqrt(dx * dx + dy * dy);
    if (stepM < SPACING_M) return undefined;
    const headingRad = Math.atan2(dy, dx);
    let turnRad = Number.isNaN(this.#headingRad) ? 0 : headingRad - this.#headingRad;
    if (turnRad > Math.PI) turnRad -= 2 * Math.PI;
    if (turnRad < -Math.PI) turnRad += 2 * Math.PI;
    this.#x = x;
    this.#y = y;
    this.#headingRad = headingRad;
    this.#movedMs = tMs;
    this.#pathM += stepM;
    this.#turnedRad += turnRad;
    this.#wanderedRad += Math.abs(turnRad);
    // A corner, or turning to and fro, is not a circle.
    if (Math.abs(turnRad) > 1.9 || (this.#wanderedRad > 2.5 && Math.abs(this.#turnedRad) < 0.6 * this.#wanderedRad)) {
      const event = this.end(tMs);
      this.#restart(x, y, tMs);
      this.#headingRad = headingRad;
      return event;
    }
    return this.#phase.fold(this.#score(), tMs, this.#turns());
  }

  end(tMs: number): GestureEvent | undefined {
    return this.#phase.end(tMs, this.#turns());
  }

  #score(): number {
    const turnedRad = Math.abs(this.#turnedRad);
    // Once a circle runs it goes on until the finger stops or turns back.
    if (this.#phase.isActive) return 1;
    if (turnedRad < 1.9 * Math.PI) return 0;
    const radiusM = this.#pathM / turnedRad;
    if (radiusM < RADIUS_M_MIN || radiusM > RADIUS_M_MAX) return 0;
    const gapM = Math.sqrt((this.#x - this.#startX) ** 2 + (this.#y - this.#startY) ** 2);
    return gapM > 1.5 * radiusM ? 0 : Math.min(1, turnedRad / this.#wanderedRad + 0.1);
  }

  /** Counter-clockwise in x right, y up is negative. */
  #turns(): number {
    return -this.#turnedRad / (2 * Math.PI);
  }

  #restart(x: number, y: number, tMs: number): void {
    this.#x = x;
    this.#y = y;
    this.#startX = x;
    this.#startY = y;
    this.#headingRad = Number.NaN;
    this.#turnedRad = 0;
    this.#wanderedRad = 0;
    this.#pathM = 0;
    this.#movedMs = tMs;
  }
}
