import type { GestureEvent } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";
import type { PhaseRule } from "./gesture-phase.ts";
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
  readonly #scale = new GesturePhase("two-hand-scale", "both", RULE);
  readonly #rotate = new GesturePhase("two-hand-rotate", "both", RULE);
  #isHolding = false;
  #distanceM = 0;
  #yawRad = 0;
  #turnedRad = 0;

  fold(left: HoldingHand, right: HoldingHand, tMs: number): readonly GestureEvent[] {
    const dx = (right.palm[0] as number) - (left.palm[0] as number);
    const dy = (right.palm[1] as number) - (left.palm[1] as number);
    const dz = (right.palm[2] as number) - (left.palm[2] as number);
    const distanceM = Math.sqrt(dx * dx + dy * dy + dz * dz);
    const yawRad = Math.atan2(-dz, dx);
    if (!left.isHolding || !right.isHolding) {
      if (!this.#isHolding) return NO_GESTURES;
      this.#isHolding = false;
      return collect(this.#scale.end(tMs, distanceM / this.#distanceM), this.#rotate.end(tMs, this.#turnedRad));
    }
    if (!this.#isHolding) {
      if (distanceM < DISTANCE_M_MIN) return NO_GESTURES;
      this.#isHolding = true;
      this.#distanceM = distanceM;
      this.#turnedRad = 0;
    } else if (Math.sqrt(dx * dx + dz * dz) > DISTANCE_M_MIN) {
      let turnRad = yawRad - this.#yawRad;
      if (turnRad > Math.PI) turnRad -= 2 * Math.PI;
      if (turnRad < -Math.PI) turnRad += 2 * Math.PI;
      this.#turnedRad += turnRad;
    }
    this.#yawRad = yawRad;
    const ratio = distanceM / this.#distanceM;
    const isScaling = this.#scale.isActive || Math.abs(Math.log(ratio)) > SCALE_MIN;
    const isRotating = this.#rotate.isActive || Math.abs(this.#turnedRad) > ROTATE_RAD_MIN;
    return collect(
      this.#scale.fold(isScaling ? 1 : 0, tMs, ratio),
      this.#rotate.fold(isRotating ? 1 : 0, tMs, this.#turnedRad),
    );
  }
}

function collect(a: GestureEvent | undefined, b: GestureEvent | undefined): readonly GestureEvent[] {
  if (a === undefined) return b === undefined ? NO_GESTURES : [b];
  return b === undefined ? [a] : [a, b];
}
