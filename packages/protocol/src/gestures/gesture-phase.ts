import type { GestureEvent, GestureSide, HandGestureName } from "./gesture-event.ts";

/** When a score becomes a gesture. Between the two levels nothing changes: a trembling hand does not flicker. */
export interface PhaseRule {
  readonly onLevel: number;
  readonly offLevel: number;
  /** The score must stay above `onLevel` this long. Signs (thumb, palm) take longer than manipulation (pinch, grab). */
  readonly onMs: number;
  readonly offMs: number;
  /** At most one update in this time. */
  readonly updateMs: number;
}

/**
 * The instant of the sample that is being folded, shared by all who look at that sample: a number passed from function to
 * function would be made anew on the heap each time.
 */
export interface GestureMoment {
  tMs: number;
  /** Where the viewer looks: cosine and sine of the heading about Y, 0 along -Z, positive to the left. */
  headingCos: number;
  headingSin: number;
}

/** Numbers a phase keeps in an array of its owner's, so that all that is known of a hand lies in one run of memory. */
export const PHASE_NUMBERS = 4;

const SINCE_MS = 0;
/** Since when the score has been on the other side of its level; NaN while it is not. */
const TURNING_MS = 1;
const BEST = 2;
const REPORTED_MS = 3;

/** One gesture of one hand: turns a score per sample into start, update and end. */
export class GesturePhase<Name extends string = HandGestureName> {
  readonly name: Name;
  readonly handedness: GestureSide;
  readonly #rule: PhaseRule;
  readonly #moment: GestureMoment;
  readonly #numbers: Float64Array;
  readonly #at: number;

  /** Its state is `PHASE_NUMBERS` numbers from `at` on. */
  // oxlint-disable-next-line max-params -- What it is, and where its numbers lie.
  constructor(
    name: Name,
    handedness: GestureSide,
    rule: PhaseRule,
    moment: GestureMoment,
    numbers: Float64Array,
    at: number,
  ) {
    this.name = name;
    this.handedness = handedness;
    this.#rule = rule;
    this.#moment = moment;
    this.#numbers = numbers;
    this.#at = at;
    numbers.fill(Number.NaN, at, at + PHASE_NUMBERS);
  }

  get isActive(): boolean {
    return isPhaseActive(this.#numbers, this.#at);
  }

  /** Takes the score at `slot`; `values` holds the event's value as its only number, for gestures that have one. */
  fold(scores: Float64Array, slot: number, values?: Float64Array): GestureEvent<Name> | undefined {
    const numbers = this.#numbers;
    const at = this.#at;
    const score = scores[slot] as number;
    const { tMs } = this.#moment;
    const { isActive } = this;
    const isTurning = isActive ? score < this.#rule.offLevel : score >= this.#rule.onLevel;
    if (!isTurning) {
      numbers[at + TURNING_MS] = Number.NaN;
      if (!isActive) return undefined;
      if (score > (numbers[at + BEST] as number)) numbers[at + BEST] = score;
      if (tMs - (numbers[at + REPORTED_MS] as number) < this.#rule.updateMs) return undefined;
      numbers[at + REPORTED_MS] = tMs;
      return this.#event("update", score, values);
    }
    if (Number.isNaN(numbers[at + TURNING_MS])) numbers[at + TURNING_MS] = tMs;
    const turningMs = numbers[at + TURNING_MS] as number;
    if (tMs - turningMs < (isActive ? this.#rule.offMs : this.#rule.onMs)) return undefined;
    if (isActive) return this.end(values);
    // The gesture began when the score rose, not when it had been held long enough to be believed.
    numbers[at + SINCE_MS] = turningMs;
    numbers[at + TURNING_MS] = Number.NaN;
    numbers[at + BEST] = score;
    numbers[at + REPORTED_MS] = tMs;
    return this.#event("start", score, values);
  }

  /** Ends the gesture at once, as when the hand is lost. */
  end(values?: Float64Array): GestureEvent<Name> | undefined {
    this.#numbers[this.#at + TURNING_MS] = Number.NaN;
    if (!this.isActive) return undefined;
    const event = this.#event("end", this.#numbers[this.#at + BEST] as number, values);
    this.#numbers[this.#at + SINCE_MS] = Number.NaN;
    return event;
  }

  #event(phase: GestureEvent["phase"], confidence: number, values?: Float64Array): GestureEvent<Name> {
    const { tMs } = this.#moment;
    const sinceMs = this.#numbers[this.#at + SINCE_MS] as number;
    const event = { name: this.name, phase, confidence, tMs, sinceMs, handedness: this.handedness };
    return values === undefined ? event : { ...event, value: values[0] as number };
  }
}

/** Of the phase whose numbers begin at `at`. */
export function isPhaseActive(numbers: Float64Array, at: number): boolean {
  return !Number.isNaN(numbers[at + SINCE_MS]);
}

/** Does what `fold` would do to a phase that is not active and whose score is below `onLevel`, without the phase itself. */
export function restPhase(numbers: Float64Array, at: number): void {
  numbers[at + TURNING_MS] = Number.NaN;
}
