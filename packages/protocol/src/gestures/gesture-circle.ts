import type { GestureEvent, GestureSide } from "./gesture-event.ts";
import type { GestureMoment, PhaseRule } from "./gesture-phase.ts";
import { GesturePhase } from "./gesture-phase.ts";

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

/** No heading has this value. */
const UNKNOWN_RAD = 9;

/** Follows the index tip in the viewer's upright plane and adds up how far its heading turned. */
export class CircleTracker {
  readonly #moment: GestureMoment;
  readonly #phase: GesturePhase;
  readonly #state = new Float64Array(10);
  readonly #turns = new Float64Array(1);

  constructor(side: GestureSide, moment: GestureMoment) {
    this.#moment = moment;
    this.#phase = new GesturePhase("circle", side, RULE, moment);
    this.#state[MOVED_MS] = -Infinity;
  }

  fold(joints: Float32Array, isHolding: boolean): GestureEvent | undefined {
    const state = this.#state;
    const { tMs, headingCos, headingSin } = this.#moment;
    const x = (joints[27] as number) * headingCos - (joints[29] as number) * headingSin;
    const y = joints[28] as number;
    if (isHolding || tMs - (state[MOVED_MS] as number) > PAUSE_MS) {
      const event = this.end();
      this.#restart(joints);
      return event;
    }
    const dx = x - (state[X] as number);
    const dy = y - (state[Y] as number);
    const stepM = Math.sqrt(dx * dx + dy * dy);
    // Also where a joint is missing.
    if (!(stepM >= SPACING_M)) return undefined;
    const headingRad = Math.atan2(dy, dx);
    const beforeRad = state[HEADING_RAD] as number;
    let turnRad = beforeRad === UNKNOWN_RAD ? 0 : headingRad - beforeRad;
    if (turnRad > Math.PI) turnRad -= 2 * Math.PI;
    if (turnRad < -Math.PI) turnRad += 2 * Math.PI;
    state[X] = x;
    state[Y] = y;
    state[HEADING_RAD] = headingRad;
    state[MOVED_MS] = tMs;
    state[PATH_M] = (state[PATH_M] as number) + stepM;
    const turnedRad = (state[TURNED_RAD] as number) + turnRad;
    const wanderedRad = (state[WANDERED_RAD] as number) + Math.abs(turnRad);
    state[TURNED_RAD] = turnedRad;
    state[WANDERED_RAD] = wanderedRad;
    // A corner, or turning to and fro, is not a circle.
    if (Math.abs(turnRad) > 1.9 || (wanderedRad > 2.5 && Math.abs(turnedRad) < 0.6 * wanderedRad)) {
      const event = this.end();
      this.#restart(joints);
      state[HEADING_RAD] = headingRad;
      return event;
    }
    this.#foldScore();
    this.#foldTurns();
    return this.#phase.fold(state, SCORE, this.#turns);
  }

  end(): GestureEvent | undefined {
    this.#foldTurns();
    return this.#phase.end(this.#turns);
  }

  #foldScore(): void {
    const state = this.#state;
    const turnedRad = Math.abs(state[TURNED_RAD] as number);
    const radiusM = (state[PATH_M] as number) / turnedRad;
    const dx = (state[X] as number) - (state[START_X] as number);
    const dy = (state[Y] as number) - (state[START_Y] as number);
    const isOpen = Math.sqrt(dx * dx + dy * dy) > 1.5 * radiusM;
    const isCircle = turnedRad >= 1.9 * Math.PI && radiusM >= RADIUS_M_MIN && radiusM <= RADIUS_M_MAX && !isOpen;
    state[SCORE] = isCircle ? Math.min(1, turnedRad / (state[WANDERED_RAD] as number) + 0.1) : 0;
    // Once a circle runs it goes on until the finger stops or turns back.
    if (this.#phase.isActive) state[SCORE] = 1;
  }

  /** Counter-clockwise in x right, y up is negative. */
  #foldTurns(): void {
    this.#turns[0] = -(this.#state[TURNED_RAD] as number) / (2 * Math.PI);
  }

  #restart(joints: Float32Array): void {
    const state = this.#state;
    const { tMs, headingCos, headingSin } = this.#moment;
    state.fill(0);
    const x = (joints[27] as number) * headingCos - (joints[29] as number) * headingSin;
    state[X] = x;
    state[START_X] = x;
    state[Y] = joints[28] as number;
    state[START_Y] = joints[28] as number;
    state[HEADING_RAD] = UNKNOWN_RAD;
    state[MOVED_MS] = tMs;
  }
}
