import type { GestureEvent } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";
import type { GestureMoment, PhaseRule } from "./gesture-phase.ts";
import { GesturePhase, PHASE_NUMBERS } from "./gesture-phase.ts";

const RULE: PhaseRule = { onLevel: 0.5, offLevel: 0.5, onMs: 30, offMs: 0, updateMs: 30 };

/** Both start with a dead zone, so that a turn does not scale and a stretch does not turn. */
const SCALE_MIN = 0.12;
const ROTATE_RAD_MIN = 0.17;

/** Nearer hands have no direction to speak of. */
const DISTANCE_M_MIN = 0.04;

const IS_HOLDING = 0;
const DISTANCE_M = 1;
const YAW_RAD = 2;
const TURNED_RAD = 3;
const STATE_NUMBERS = 4;

/** What it keeps in its owner's array. */
export const TWO_HAND_NUMBERS = STATE_NUMBERS + 2 * PHASE_NUMBERS;

/** Scores and values of the event being made: one for all, since they are read at once. */
const SCORES = new Float64Array(2);
const RATIO = new Float64Array(1);
const TURNED = new Float64Array(1);

export class TwoHandGestures {
  readonly #scale: GesturePhase;
  readonly #rotate: GesturePhase;
  readonly #numbers: Float64Array;
  readonly #at: number;

  /** Its state is `TWO_HAND_NUMBERS` numbers from `at` on. */
  constructor(moment: GestureMoment, numbers: Float64Array, at: number) {
    this.#numbers = numbers;
    this.#at = at;
    numbers.fill(0, at, at + STATE_NUMBERS);
    this.#scale = new GesturePhase("two-hand-scale", "both", RULE, moment, numbers, at + STATE_NUMBERS);
    this.#rotate = new GesturePhase(
      "two-hand-rotate",
      "both",
      RULE,
      moment,
      numbers,
      at + STATE_NUMBERS + PHASE_NUMBERS,
    );
  }

  /** `isHeld`: both hands pinch or grab. The palms are three numbers each in the same array. */
  fold(isHeld: boolean, leftPalm: number, rightPalm: number): readonly GestureEvent[] {
    const numbers = this.#numbers;
    const at = this.#at;
    const wasHeld = numbers[at + IS_HOLDING] === 1;
    if (!isHeld && !wasHeld) return NO_GESTURES;
    const dx = (numbers[rightPalm] as number) - (numbers[leftPalm] as number);
    const dy = (numbers[rightPalm + 1] as number) - (numbers[leftPalm + 1] as number);
    const dz = (numbers[rightPalm + 2] as number) - (numbers[leftPalm + 2] as number);
    const distanceM = Math.sqrt(dx * dx + dy * dy + dz * dz);
    if (!isHeld) {
      numbers[at + IS_HOLDING] = 0;
      RATIO[0] = distanceM / (numbers[at + DISTANCE_M] as number);
      TURNED[0] = numbers[at + TURNED_RAD] as number;
      return collect(this.#scale.end(RATIO), this.#rotate.end(TURNED));
    }
    const yawRad = Math.atan2(-dz, dx);
    if (!wasHeld) {
      if (distanceM < DISTANCE_M_MIN) return NO_GESTURES;
      numbers[at + IS_HOLDING] = 1;
      numbers[at + DISTANCE_M] = distanceM;
      numbers[at + TURNED_RAD] = 0;
    } else if (Math.sqrt(dx * dx + dz * dz) > DISTANCE_M_MIN) {
      let turnRad = yawRad - (numbers[at + YAW_RAD] as number);
      if (turnRad > Math.PI) turnRad -= 2 * Math.PI;
      if (turnRad < -Math.PI) turnRad += 2 * Math.PI;
      numbers[at + TURNED_RAD] = (numbers[at + TURNED_RAD] as number) + turnRad;
    }
    numbers[at + YAW_RAD] = yawRad;
    const ratio = distanceM / (numbers[at + DISTANCE_M] as number);
    RATIO[0] = ratio;
    TURNED[0] = numbers[at + TURNED_RAD] as number;
    const isScaling = this.#scale.isActive || Math.abs(Math.log(ratio)) > SCALE_MIN;
    const isRotating = this.#rotate.isActive || Math.abs(TURNED[0]) > ROTATE_RAD_MIN;
    SCORES[0] = isScaling ? 1 : 0;
    SCORES[1] = isRotating ? 1 : 0;
    return collect(this.#scale.fold(SCORES, 0, RATIO), this.#rotate.fold(SCORES, 1, TURNED));
  }
}

function collect(a: GestureEvent | undefined, b: GestureEvent | undefined): readonly GestureEvent[] {
  if (a === undefined) return b === undefined ? NO_GESTURES : [b];
  return b === undefined ? [a] : [a, b];
}
