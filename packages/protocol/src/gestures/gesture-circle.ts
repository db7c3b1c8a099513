import type { GestureEvent, GestureSide } from "./gesture-event.ts";
import type { GestureMoment, PhaseRule } from "./gesture-phase.ts";
import { GesturePhase, PHASE_NUMBERS } from "./gesture-phase.ts";

const RULE: PhaseRule = { onLevel: 0.5, offLevel: 0.2, onMs: 0, offMs: 0, updateMs: 50 };

/** Points are taken every 1.2 cm of way, so that joint noise turns the heading by little and a resting hand adds none. */
const SPACING_M = 0.012;

/** A hand slower than one spacing in this time has stopped. */
const PAUSE_MS = 300;

const RADIUS_M_MIN = 0.02;
const RADIUS_M_MAX = 0.3;

const X = 0;
const Y = 1;
const START_X = 2;
const START_Y = 3;
const HEADING_RAD = 4;
const TURNED_RAD = 5;
/** How much the heading turned in either direction. */
const WANDERED_RAD = 6;
const PATH_M = 7;
const MOVED_MS = 8;
const SCORE = 9;
const STATE_NUMBERS = 10;

/** What a tracker keeps in its owner's array. */
export const CIRCLE_NUMBERS = STATE_NUMBERS + PHASE_NUMBERS;

/** No heading has this value. */
const UNKNOWN_RAD = 9;

/** Follows the index tip in the viewer's upright plane and adds up how far its heading turned. */
export class CircleTracker {
  readonly #moment: GestureMoment;
  readonly #phase: GesturePhase;
  readonly #numbers: Float64Array;
  readonly #at: number;

  /** Its state is `CIRCLE_NUMBERS` numbers from `at` on. */
  constructor(side: GestureSide, moment: GestureMoment, numbers: Float64Array, at: number) {
    this.#moment = moment;
    this.#numbers = numbers;
    this.#at = at;
    this.#phase = new GesturePhase("circle", side, RULE, moment, numbers, at + STATE_NUMBERS);
    numbers.fill(0, at, at + STATE_NUMBERS);
    numbers[at + MOVED_MS] = -Infinity;
  }

  fold(joints: Float32Array, isHolding: boolean): GestureEvent | undefined {
    const state = this.#numbers;
    const at = this.#at;
    const { tMs, headingCos, headingSin } = this.#moment;
    if (isHolding || tMs - (state[at + MOVED_MS] as number) > PAUSE_MS) {
      const event = this.end();
      this.#restart(joints);
      return event;
    }
    const x = (joints[27] as number) * headingCos - (joints[29] as number) * headingSin;
    const y = joints[28] as number;
    const dx = x - (state[at + X] as number);
    const dy = y - (state[at + Y] as number);
    const stepM = Math.sqrt(dx * dx + dy * dy);
    // Also where a joint is missing.
    if (!(stepM >= SPACING_M)) return undefined;
    const headingRad = Math.atan2(dy, dx);
    const beforeRad = state[at + HEADING_RAD] as number;
    let turnRad = beforeRad === UNKNOWN_RAD ? 0 : headingRad - beforeRad;
    if (turnRad > Math.PI) turnRad -= 2 * Math.PI;
    if (turnRad < -Math.PI) turnRad += 2 * Math.PI;
    state[at + X] = x;
    state[at + Y] = y;
    state[at + HEADING_RAD] = headingRad;
    state[at + MOVED_MS] = tMs;
    state[at + PATH_M] = (state[at + PATH_M] as number) + stepM;
    const turnedRad = (state[at + TURNED_RAD] as number) + turnRad;
    const wanderedRad = (state[at + WANDERED_RAD] as number) + Math.abs(turnRad);
    state[at + TURNED_RAD] = turnedRad;
    state[at + WANDERED_RAD] = wanderedRad;
    // A corner, or turning to and fro, is not a circle.
    if (Math.abs(turnRad) > 1.9 || (wanderedRad > 2.5 && Math.abs(turnedRad) < 0.6 * wanderedRad)) {
      const event = this.end();
      this.#restart(joints);
      state[at + HEADING_RAD] = headingRad;
      return event;
    }
    this.#foldScore();
    this.#foldTurns();
    return this.#phase.fold(state, at + SCORE, TURNS);
  }

  end(): GestureEvent | undefined {
    this.#foldTurns();
    return this.#phase.end(TURNS);
  }

  #foldScore(): void {
    const state = this.#numbers;
    const at = this.#at;
    const turnedRad = Math.abs(state[at + TURNED_RAD] as number);
    const radiusM = (state[at + PATH_M] as number) / turnedRad;
    const dx = (state[at + X] as number) - (state[at + START_X] as number);
    const dy = (state[at + Y] as number) - (state[at + START_Y] as number);
    const isOpen = Math.sqrt(dx * dx + dy * dy) > 1.5 * radiusM;
    const isCircle = turnedRad >= 1.9 * Math.PI && radiusM >= RADIUS_M_MIN && radiusM <= RADIUS_M_MAX && !isOpen;
    state[at + SCORE] = isCircle ? Math.min(1, turnedRad / (state[at + WANDERED_RAD] as number) + 0.1) : 0;
    // Once a circle runs it goes on until the finger stops or turns back.
    if (this.#phase.isActive) state[at + SCORE] = 1;
  }

  /** Counter-clockwise in x right, y up is negative. */
  #foldTurns(): void {
    TURNS[0] = -(this.#numbers[this.#at + TURNED_RAD] as number) / (2 * Math.PI);
  }

  #restart(joints: Float32Array): void {
    const state = this.#numbers;
    const at = this.#at;
    const { tMs, headingCos, headingSin } = this.#moment;
    const x = (joints[27] as number) * headingCos - (joints[29] as number) * headingSin;
    const y = joints[28] as number;
    state[at + X] = x;
    state[at + START_X] = x;
    state[at + Y] = y;
    state[at + START_Y] = y;
    state[at + HEADING_RAD] = UNKNOWN_RAD;
    state[at + TURNED_RAD] = 0;
    state[at + WANDERED_RAD] = 0;
    state[at + PATH_M] = 0;
    state[at + MOVED_MS] = tMs;
    state[at + SCORE] = 0;
  }
}

/** The value of the event being made: one for all trackers, since it is read at once. */
const TURNS = new Float64Array(1);
