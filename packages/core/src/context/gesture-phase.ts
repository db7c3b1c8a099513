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

/** One gesture of one hand: turns a score per sample into start, update and end. */
export class GesturePhase {
  readonly name: HandGestureName;
  readonly handedness: GestureSide;
  readonly #rule: PhaseRule;
  #isActive = false;
  #sinceMs = 0;
  #best = 0;
  #reportedMs = 0;
  /** Since when the score has been on the other side of its level; NaN while it is not. */
  #turningMs = Number.NaN;

  constructor(name: HandGestureName, handedness: GestureSide, rule: PhaseRule) {
    this.name = name;
    this.handedness = handedness;
    this.#rule = rule;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  get sinceMs(): number {
    return this.#sinceMs;
  }

  fold(score: number, tMs: number, value?: number): GestureEvent | undefined {
    const isTurning = this.#isActive ? score < this.#rule.offLevel : score >= this.#rule.onLevel;
    if (!isTurning) {
      this.#turningMs = Number.NaN;
      if (!this.#isActive) return undefined;
      this.#best = Math.max(this.#best, score);
      if (tMs - this.#reportedMs < this.#rule.updateMs) return undefined;
      this.#reportedMs = tMs;
      return this.#event("update", score, tMs, value);
    }
    if (Number.isNaN(this.#turningMs)) this.#turningMs = tMs;
    const heldMs = tMs - this.#turningMs;
    if (heldMs < (this.#isActive ? this.#rule.offMs : this.#rule.onMs)) return undefined;
    if (this.#isActive) return this.end(tMs, value);
    this.#isActive = true;
    // The gesture began when the score rose, not when it had been held long enough to be believed.
    this.#sinceMs = this.#turningMs;
    this.#turningMs = Number.NaN;
    this.#best = score;
    this.#reportedMs = tMs;
    return this.#event("start", score, tMs, value);
  }

  /** Ends the gesture at once, as when the hand is lost. */
  end(tMs: number, value?: number): GestureEvent | undefined {
    this.#turningMs = Number.NaN;
    if (!this.#isActive) return undefined;
    this.#isActive = false;
    return this.#event("end", this.#best, tMs, value);
  }

  #event(phase: GestureEvent["phase"], confidence: number, tMs: number, value?: number): GestureEvent {
    const event = { name: this.name, phase, confidence, tMs, sinceMs: this.#sinceMs, handedness: this.handedness };
    return value === undefined ? event : { ...event, value };
  }
}
