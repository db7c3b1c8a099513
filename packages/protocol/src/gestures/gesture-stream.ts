// Gestures in an endless stream of joints: where does one begin and end, and is it one at all?
//
// Windows of several lengths that end now are classified every few samples. A model trained with the extra gesture "none"
// (pauses, transitions, pieces of gestures) says by how much a window is more a gesture than nothing. The window with the
// best lead becomes a candidate; it is reported when no overlapping window has beaten it for a while, and then blocks its
// own time, so that one gesture is one event.

import { SEQUENCE_JOINTS } from "./gesture-channels.ts";
import type { GestureClassifier } from "./gesture-classifier.ts";

/** The label of windows without a gesture. */
export const NO_GESTURE = "none";

export interface StreamGesture {
  readonly gesture: string;
  readonly confidence: number;
  /** Sample numbers from 0: first and last sample of the gesture, and the newest sample that was used to decide. */
  readonly start: number;
  readonly end: number;
  readonly decided: number;
}

export interface StreamOptions {
  readonly fps?: number;
  /** Smallest lead over "none" that counts as a gesture. */
  readonly leadMin?: number;
}

const VALUES = SEQUENCE_JOINTS * 3;
const WINDOWS = [18, 26, 36, 48, 62, 80, 104] as const;
const KEPT = 128;

/** Samples between two looks. */
const EVERY = 3;

/**
 * "None" stands for most of what a hand does, so it scores high for everything a little unusual: a gesture may score lower by
 * this much. Chosen on three people apart from those that the figures of bench/gesture-stream-scores are given for.
 */
const LEAD_MIN = -0.5;

/**
 * A candidate that nothing overlapping has beaten for so many samples is reported: 0.8 s, because the beginning of a long
 * gesture often looks like a short one.
 */
const PATIENCE = 24;

export class GestureStream {
  readonly #classifier: GestureClassifier;
  readonly #fps: number;
  readonly #leadMin: number;
  readonly #ring = new Float32Array(KEPT * VALUES);
  readonly #window = new Float32Array(KEPT * VALUES);
  readonly #none: number;
  #count = 0;
  #candidate: (StreamGesture & { readonly lead: number }) | undefined;
  #blockedTo = -1;

  constructor(classifier: GestureClassifier, options: StreamOptions = {}) {
    this.#classifier = classifier;
    this.#fps = options.fps ?? 30;
    this.#leadMin = options.leadMin ?? LEAD_MIN;
    this.#none = classifier.model.gestures.indexOf(NO_GESTURE);
  }

  /** Folds one sample of 66 numbers (22 joints, metres), evenly spaced in time. */
  fold(joints: ArrayLike<number>): readonly StreamGesture[] {
    const slot = (this.#count % KEPT) * VALUES;
    for (let i = 0; i < VALUES; i++) this.#ring[slot + i] = joints[i] as number;
    this.#count += 1;
    if (this.#count % EVERY === 0) this.#look();
    const candidate = this.#candidate;
    if (candidate === undefined || this.#count - 1 - candidate.end < PATIENCE) return [];
    return this.#report(candidate);
  }

  /** The stream is over: reports what waited. */
  end(): readonly StreamGesture[] {
    return this.#candidate === undefined ? [] : this.#report(this.#candidate);
  }

  #report(candidate: StreamGesture & { readonly lead: number }): readonly StreamGesture[] {
    this.#candidate = undefined;
    this.#blockedTo = candidate.end;
    const { lead: _, ...gesture } = candidate;
    return [{ ...gesture, decided: this.#count - 1 }];
  }

  #look(): void {
    for (const length of WINDOWS) {
      const start = this.#count - length;
      if (start < 0 || start < this.#blockedTo - length * 0.2) continue;
      for (let i = 0; i < length; i++) {
        const from = ((start + i) % KEPT) * VALUES;
        this.#window.set(this.#ring.subarray(from, from + VALUES), i * VALUES);
      }
      const joints = this.#window.subarray(0, length * VALUES);
      const answer = this.#classifier.classify({ joints, fps: this.#fps });
      if (answer === undefined) continue;
      const best = this.#bestOf(answer.scores);
      const lead = (answer.scores[best] as number) - (this.#none < 0 ? 0 : (answer.scores[this.#none] as number));
      const isBetter = this.#candidate === undefined || lead > this.#candidate.lead;
      if (lead < this.#leadMin || !isBetter) continue;
      const end = this.#count - 1;
      const gesture = this.#classifier.model.gestures[best] as string;
      const confidence = 1 / (1 + Math.exp(-(lead - this.#leadMin) / this.#classifier.model.temperature));
      this.#candidate = { gesture, confidence, start, end, decided: end, lead };
    }
  }

  #bestOf(scores: Float64Array): number {
    let best = this.#none === 0 ? 1 : 0;
    for (let i = 0; i < scores.length; i++)
      if (i !== this.#none && (scores[i] as number) > (scores[best] as number)) best = i;
    return best;
  }
}
