import type { GestureEvent } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";
import type { GestureMoment, PhaseRule } from "./gesture-phase.ts";
import { GesturePhase } from "./gesture-phase.ts";

/** What two-hand gestures need to know of a hand: where it is and whether it pinches or grabs. */
export interface HoldingHand {
  readonly palm: Float64Array;
  readonly isHolding: boolean;
}

const RULE: PhaseRule = { onLevel: 0.5, offLevel: 0.5, onMs: 30, offMs: 0, updateMs: 30 };

/** Both start with a dead zone, so that a turn does not scale and a stretch does not turn. */
const SCALE_MIN = 0.12;
const ROTATE_RAD_MIN = 0.17;

/** Nearer hands have no direction to speak of. */
const DISTANCE_M_MIN = 0.04;

export class TwoHandGestures {
  readonly #scale: GesturePhase;
  readonly #rotate: GesturePhase;
  readonly #scores = new Float64Array(2);
  readonly #ratio = new Float64Array(1);
  readonly #turnedRad = new Float64Array(1);
  #isHolding = false;
  #distanceM = Number.NaN;
  #yawRad = Number.NaN;

  constructor(moment: GestureMoment) {
    this.#scale = new GesturePhase("two-hand-scale", "both", RULE, moment);
    this.#rotate = new GesturePhase("two-hand-rotate", "both", RULE, moment);
  }

  fold(left: HoldingHand, right: HoldingHand): readonly GestureEvent[] {
    const isHeld = left.isHolding && right.isHolding;
    if (!isHeld && !this.#isHolding) return NO_GESTURES;
    const dx = (right.palm[0] as number) - (left.palm[0] as number);
    const dy = (right.palm[1] as number) - (left.palm[1] as number);
    const dz = (right.palm[2] as number) - (left.palm[2] as number);
    const distanceM = Math.sqrt(dx * dx + dy * dy + dz * dz);
    if (!isHeld) {
      this.#isHolding = false;
      this.#ratio[0] = distanceM / this.#distanceM;
      return collect(this.#scale.end(this.#ratio), this.#rotate.end(this.#turnedRad));
    }
    const yawRad = Math.atan2(-dz, dx);
    if (!this.#isHolding) {
      if (distanceM < DISTANCE_M_MIN) return NO_GESTURES;
      this.#isHolding = true;
      this.#distanceM = distanceM;
      this.#turnedRad[0] = 0;
    } else if (Math.sqrt(dx * dx + dz * dz) > DISTANCE_M_MIN) {
      let turnRad = yawRad - this.#yawRad;
      if (turnRad > Math.PI) turnRad -= 2 * Math.PI;
      if (turnRad < -Math.PI) turnRad += 2 * Math.PI;
      this.#turnedRad[0] = (this.#turnedRad[0] as number) + turnRad;
    }
    this.#yawRad = yawRad;
    const ratio = distanceM / this.#distanceM;
    this.#ratio[0] = ratio;
    const isScaling = this.#scale.isActive || Math.abs(Math.log(ratio)) > SCALE_MIN;
    const isRotating = this.#rotate.isActive || Math.abs(this.#turnedRad[0] as number) > ROTATE_RAD_MIN;
    this.#scores[0] = isScaling ? 1 : 0;
    this.#scores[1] = isRotating ? 1 : 0;
    return collect(this.#scale.fold(this.#scores, 0, this.#ratio), this.#rotate.fold(this.#scores, 1, this.#turnedRad));
  }
}

function collect(a: GestureEvent | undefined, b: GestureEvent | undefined): readonly GestureEvent[] {
  if (a === undefined) return b === undefined ? NO_GESTURES : [b];
  return b === undefined ? [a] : [a, b];
}
