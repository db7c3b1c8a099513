// Gestures in an endless stream of joints: where does one begin and end, and is it one at all?
//
// First where, then what. A small network judges each sample, a third of a second late, whether something is being performed
// there; samples that belong together are a span. When a span is over, the sequence classifier names it or says "none",
// which it has learned from spans that were none. So the classifier works once for each span and not for every window that
// might be one, and a gesture is one event over its own time.

import { SEQUENCE_JOINTS } from "./gesture-channels.ts";
import type { GestureAnswer } from "./gesture-classifier.ts";
import { GestureClassifier } from "./gesture-classifier.ts";
import type { GestureModel } from "./gesture-model.ts";
import { SpanFinder } from "./span-finder.ts";

/** The label of spans without a gesture. */
export const NO_GESTURE = "none";

/** Streams are looked at so often; samples that come at other times are interpolated. */
export const STREAM_FPS = 30;

const STEP_MS = 1_000 / STREAM_FPS;
const VALUES = SEQUENCE_JOINTS * 3;

/** 8.5 s. Longer spans are not gestures: somebody works or talks with the hands. */
const KEPT = 256;

/** A sample that comes this near to its time is taken as it is. */
const ON_TIME_MS = 4;

/** After a longer gap the hand may have been anywhere: what was under way is decided without the rest. */
const GAP_MS = 300;

export interface StreamGesture {
  readonly gesture: string;
  readonly variant?: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** First and last sample of the gesture, and the newest sample that was used to decide, in the stream's own time. */
  readonly startMs: number;
  readonly endMs: number;
  readonly decidedMs: number;
}

export interface StreamOptions {
  /** Smallest lead of a gesture over the next one, 0 to 2; the model's own if absent. Higher: fewer false alarms, more misses. */
  readonly leadMin?: number;
}

/**
 * A span is more often a gesture than not, so "none" must lead by this much to be believed: it stands for most of what a hand
 * does and scores high for everything a little unusual.
 */
const NONE_LEAD_MIN = -0.2;

const NOTHING: readonly StreamGesture[] = [];

export class GestureStream {
  readonly #classifier: GestureClassifier;
  readonly #leadMin: number;
  readonly #gestures: readonly string[];
  readonly #none: number;
  readonly #spans: SpanFinder;
  readonly #ring = new Float32Array(KEPT * VALUES);
  readonly #timesMs = new Float64Array(KEPT);
  readonly #last = new Float32Array(VALUES);
  readonly #between = new Float32Array(VALUES);
  #lastMs = -Infinity;
  #count = 0;

  /** Throws when the model was trained without streams. */
  constructor(model: GestureModel, options: StreamOptions = {}) {
    if (model.spot === undefined) throw new TypeError("the gesture model was not trained for streams");
    this.#classifier = new GestureClassifier(model);
    this.#leadMin = options.leadMin ?? model.leadMin;
    this.#gestures = model.gestures;
    this.#none = model.gestures.indexOf(NO_GESTURE);
    this.#spans = new SpanFinder(model.spot);
  }

  /**
   * Folds one sample of 66 numbers (22 joints, metres), at any rate from 20 a second up. Samples not newer than the last are
   * ignored. Makes nothing on the heap but when a span is over.
   */
  fold(joints: ArrayLike<number>, tMs: number): readonly StreamGesture[] {
    if (!(tMs > this.#lastMs)) return NOTHING;
    let found = NOTHING;
    if (tMs - this.#lastMs > GAP_MS) {
      found = this.end();
      found = join(found, this.#foldStep(joints, tMs));
    } else {
      // The newest step taken lies within one step before the last sample.
      let nextMs = this.#newestMs + STEP_MS;
      for (; nextMs < tMs - ON_TIME_MS; nextMs += STEP_MS) {
        const share = (nextMs - this.#lastMs) / (tMs - this.#lastMs);
        for (let i = 0; i < VALUES; i++) {
          const from = this.#last[i] as number;
          this.#between[i] = from + ((joints[i] as number) - from) * share;
        }
        found = join(found, this.#foldStep(this.#between, nextMs));
      }
      if (nextMs <= tMs + ON_TIME_MS) found = join(found, this.#foldStep(joints, tMs));
    }
    for (let i = 0; i < VALUES; i++) this.#last[i] = joints[i] as number;
    this.#lastMs = tMs;
    return found;
  }

  /** The hand is gone or the stream is over: decides what is under way. */
  end(): readonly StreamGesture[] {
    if (this.#count === 0) return NOTHING;
    const isSpan = this.#spans.finish(this.#last);
    const found = isSpan ? this.#decide() : NOTHING;
    this.#spans.restart();
    this.#count = 0;
    this.#lastMs = -Infinity;
    return found;
  }

  get #newestMs(): number {
    return this.#timesMs[(this.#count - 1) % KEPT] as number;
  }

  #foldStep(joints: ArrayLike<number>, tMs: number): readonly StreamGesture[] {
    const slot = this.#count % KEPT;
    for (let i = 0; i < VALUES; i++) this.#ring[slot * VALUES + i] = joints[i] as number;
    this.#timesMs[slot] = tMs;
    this.#count += 1;
    return this.#spans.fold(joints, 0) ? this.#decide() : NOTHING;
  }

  #decide(): readonly StreamGesture[] {
    const start = this.#spans.start;
    const end = Math.min(this.#spans.end, this.#count - 1);
    if (start <= this.#count - KEPT) return NOTHING;
    const joints = new Float32Array((end - start + 1) * VALUES);
    for (let sample = start; sample <= end; sample++) {
      const from = (sample % KEPT) * VALUES;
      joints.set(this.#ring.subarray(from, from + VALUES), (sample - start) * VALUES);
    }
    const answer = this.#classifier.classify({ joints, fps: STREAM_FPS });
    if (answer === undefined) return NOTHING;
    const { best, lead, leadOverNone } = compare(answer, this.#none);
    if (leadOverNone < NONE_LEAD_MIN || lead < this.#leadMin) return NOTHING;
    return [
      {
        gesture: this.#gestures[best] as string,
        ...(answer.variant === undefined ? {} : { variant: answer.variant }),
        confidence: answer.confidence,
        startMs: this.#timesMs[start % KEPT] as number,
        endMs: this.#timesMs[end % KEPT] as number,
        decidedMs: this.#newestMs,
      },
    ];
  }
}

/** The best gesture, and by how much it leads the next gesture and "none". */
function compare(answer: GestureAnswer, none: number): { best: number; lead: number; leadOverNone: number } {
  const { scores } = answer;
  let best = none === 0 ? 1 : 0;
  let next = -Infinity;
  for (let i = best + 1; i < scores.length; i++) {
    if (i === none) continue;
    const score = scores[i] as number;
    if (score > (scores[best] as number)) {
      next = scores[best] as number;
      best = i;
    } else if (score > next) next = score;
  }
  const score = scores[best] as number;
  return { best, lead: score - next, leadOverNone: none < 0 ? Infinity : score - (scores[none] as number) };
}

function join(a: readonly StreamGesture[], b: readonly StreamGesture[]): readonly StreamGesture[] {
  if (b.length === 0) return a;
  return a.length === 0 ? b : [...a, ...b];
}
