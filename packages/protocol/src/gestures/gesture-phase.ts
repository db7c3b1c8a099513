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

/** One gesture of one hand: turns a score per sample into start, update and end. */
export class GesturePhase<Name extends string = HandGestureName> {
  readonly name: Name;
  readonly handedness: GestureSide;
  readonly #rule: PhaseRule;
  readonly #moment: GestureMoment;
  #isActive = false;
  #sinceMs = -Infinity;
  #best = Number.NaN;
  #reportedMs = -Infinity;
  /** Since when the score has been on the other side of its level; NaN while it is not. */
  #turningMs = Number.NaN;

  constructor(name: Name, handedness: GestureSide, rule: PhaseRule, moment: GestureMoment) {
    this.name = name;
    this.handedness = handedness;
    this.#rule = rule;
    this.#moment = moment;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  /** Takes the score at `slot`; `values` holds the event's value as its only number, for gestures that have one. */
  fold(scores: Float64Array, slot: number, values?: Float64Array): GestureEvent<Name> | undefined {
    const score = scores[slot] as number;
    const { tMs } = this.#moment;
    const isTurning = this.#isActive ? score < this.#rule.offLevel : score >= this.#rule.onLevel;
    if (!isTurning) {
      this.#turningMs = Number.NaN;
      if (!this.#isActive) return undefined;
      if (score > this.#best) this.#best = score;
      if (tMs - this.#reportedMs < this.#rule.updateMs) return undefined;
      this.#reportedMs = tMs;
      return this.#event("update", score, values);
    }
    if (Number.isNaN(this.#turningMs)) this.#turningMs = tMs;
    const heldMs = tMs - this.#turningMs;
    if (heldMs < (this.#isActive ? this.#rule.offMs : this.#rule.onMs)) return undefined;
    if (this.#isActive) return this.end(values);
    this.#isActive = true;
    // The gesture began when the score rose, not when it had been held long enough to be believed.
    this.#sinceMs = this.#turningMs;
    this.#turningMs = Number.NaN;
    this.#best = score;
    this.#reportedMs = tMs;
    return this.#event("start", score, values);
  }

  /** Ends the gesture at once, as when the hand is lost. */
  end(values?: Float64Array): GestureEvent<Name> | undefined {
    this.#turningMs = Number.NaN;
    if (!this.#isActive) return undefined;
    this.#isActive = false;
    return this.#event("end", this.#best, values);
  }

  #event(phase: GestureEvent["phase"], confidence: number, values?: Float64Array): GestureEvent<Name> {
    const { tMs } = this.#moment;
    const event = { name: this.name, phase, confidence, tMs, sinceMs: this.#sinceMs, handedness: this.handedness };
    return values === undefined ? event : { ...event, value: values[0] as number };
  }
}
