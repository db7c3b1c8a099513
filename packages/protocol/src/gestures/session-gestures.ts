// All gestures of one person: both hands, the head, and what the application taught. The gateway folds decoded packets into
// it and a page folds its own samples, so both tell the same gestures of the same movements.

import type { GestureEvent } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";
import type { HandCalibration } from "./hand-gestures.ts";
import { HandGestures } from "./hand-gestures.ts";
import { HeadGestures } from "./head-gestures.ts";

/** Recognises what an application taught; `TaughtGestures` made of its model file. */
export interface ExtraGestures {
  fold(joints: Float32Array, tMs: number, handedness: "left" | "right"): readonly GestureEvent<string>[];
  lost(handedness: "left" | "right", tMs: number): readonly GestureEvent<string>[];
}

export interface SessionGesturesOptions {
  /** Learned of this user's hands in an earlier session. */
  readonly calibration?: HandCalibration;
  /** Makes what recognises taught gestures: `() => new TaughtGestures(model)`. */
  readonly taught?: () => ExtraGestures;
}

export class SessionGestures {
  readonly #options: SessionGesturesOptions;
  #hands: HandGestures;
  #taught: ExtraGestures | undefined;
  #head = new HeadGestures();

  constructor(options: SessionGesturesOptions = {}) {
    this.#options = options;
    this.#hands = new HandGestures(options.calibration);
    this.#taught = options.taught?.();
  }

  /** The viewer's pose: x y z and unit quaternion x y z w in the reference space (Y up). Before the hands of the same instant. */
  foldViewer(pose: ArrayLike<number>, tMs: number): readonly GestureEvent<string>[] {
    this.#hands.foldViewer(pose);
    return this.#head.fold(pose, tMs);
  }

  /** 25 joints in WebXR order, x y z each, metres in the reference space; NaN for a missing joint. */
  foldHand(joints: Float32Array, tMs: number, handedness: "left" | "right"): readonly GestureEvent<string>[] {
    const events = this.#hands.fold(joints, tMs, handedness);
    return join(events, this.#taught?.fold(joints, tMs, handedness) ?? NO_GESTURES);
  }

  /** The hand is gone: ends what it was doing. */
  lost(handedness: "left" | "right", tMs: number): readonly GestureEvent<string>[] {
    return join(this.#hands.lost(handedness, tMs), this.#taught?.lost(handedness, tMs) ?? NO_GESTURES);
  }

  /** The user shares less: what was under way is dropped and not ended. */
  forgetHands(): void {
    this.#hands = new HandGestures(this.#options.calibration);
    this.#taught = this.#options.taught?.();
  }

  forgetHead(): void {
    this.#head = new HeadGestures();
  }

  /** To be stored and given to this user's next session. */
  calibration(handedness: "left" | "right"): HandCalibration {
    return this.#hands.calibration(handedness);
  }
}

function join(a: readonly GestureEvent<string>[], b: readonly GestureEvent<string>[]): readonly GestureEvent<string>[] {
  if (b.length === 0) return a;
  return a.length === 0 ? b : [...a, ...b];
}
