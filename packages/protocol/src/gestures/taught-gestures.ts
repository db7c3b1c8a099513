// Gestures and poses that an application taught, on both hands of a session. Movements come out of a stream when they are
// over: their start and their end are told together, as those of a swipe. Poses start, go on and end like a pinch.

import { fromWebXRJoints, SEQUENCE_JOINTS } from "./gesture-channels.ts";
import type { GestureEvent } from "./gesture-event.ts";
import { NO_GESTURES } from "./gesture-event.ts";
import type { GestureModel } from "./gesture-model.ts";
import type { GestureMoment, PhaseRule } from "./gesture-phase.ts";
import { GesturePhase, PHASE_NUMBERS } from "./gesture-phase.ts";
import type { StreamGesture } from "./gesture-stream.ts";
import { GestureStream } from "./gesture-stream.ts";
import { PoseTemplates } from "./pose-templates.ts";

/** Poses are held, so that a look every so often is enough. */
const POSE_EVERY_MS = 50;

const POSE_RULE: PhaseRule = { onLevel: 0.75, offLevel: 0.55, onMs: 150, offMs: 100, updateMs: 200 };

export class TaughtGestures {
  readonly #left: TaughtHand;
  readonly #right: TaughtHand;

  constructor(model: GestureModel) {
    this.#left = new TaughtHand(model, "left");
    this.#right = new TaughtHand(model, "right");
  }

  /** As `HandGestures.fold`: 75 numbers, metres, Y up; a hand with missing joints (NaN) is not looked at. */
  fold(joints: Float32Array, tMs: number, handedness: "left" | "right"): readonly GestureEvent<string>[] {
    if (joints.length < 75) return NO_GESTURES;
    return (handedness === "left" ? this.#left : this.#right).fold(joints, tMs);
  }

  /** The hand is gone: what was under way is decided, what was held ends. */
  lost(handedness: "left" | "right", tMs: number): readonly GestureEvent<string>[] {
    return (handedness === "left" ? this.#left : this.#right).lost(tMs);
  }
}

class TaughtHand {
  readonly #side: "left" | "right";
  readonly #stream: GestureStream | undefined;
  readonly #poses: PoseTemplates | undefined;
  readonly #phases: readonly GesturePhase<string>[];
  readonly #moment: GestureMoment = { tMs: -Infinity, headingCos: 1, headingSin: 0 };
  readonly #sequence = new Float32Array(SEQUENCE_JOINTS * 3);
  readonly #scores: Float64Array;
  #posedMs = -Infinity;

  constructor(model: GestureModel, side: "left" | "right") {
    this.#side = side;
    this.#stream = model.spot === undefined ? undefined : new GestureStream(model);
    this.#poses = model.poses.length === 0 ? undefined : new PoseTemplates(model.poses);
    const names = [...new Set(model.poses.map(({ name }) => name))];
    const numbers = new Float64Array(names.length * PHASE_NUMBERS);
    this.#phases = names.map(
      (name, i) => new GesturePhase(name, side, POSE_RULE, this.#moment, numbers, i * PHASE_NUMBERS),
    );
    this.#scores = new Float64Array(names.length);
  }

  fold(joints: Float32Array, tMs: number): readonly GestureEvent<string>[] {
    // One missing joint makes the sum missing.
    let sum = 0;
    for (let i = 0; i < 75; i++) sum += joints[i] as number;
    if (!Number.isFinite(sum)) return NO_GESTURES;
    this.#moment.tMs = tMs;
    let events: readonly GestureEvent<string>[] = NO_GESTURES;
    if (this.#stream !== undefined) {
      fromWebXRJoints(joints, this.#sequence, 0);
      const found = this.#stream.fold(this.#sequence, tMs);
      if (found.length > 0) events = found.flatMap((gesture) => this.#told(gesture));
    }
    if (this.#poses === undefined || tMs - this.#posedMs < POSE_EVERY_MS) return events;
    this.#posedMs = tMs;
    const match = this.#poses.match(joints, this.#side);
    for (let i = 0; i < this.#phases.length; i++) {
      const phase = this.#phases[i] as GesturePhase<string>;
      this.#scores[i] = match?.name === phase.name ? match.confidence : 0;
      const event = phase.fold(this.#scores, i);
      if (event !== undefined) events = [...events, event];
    }
    return events;
  }

  lost(tMs: number): readonly GestureEvent<string>[] {
    this.#moment.tMs = tMs;
    const found = this.#stream?.end().flatMap((gesture) => this.#told(gesture)) ?? [];
    const held = this.#phases.flatMap((phase) => phase.end() ?? []);
    return found.length + held.length === 0 ? NO_GESTURES : [...found, ...held];
  }

  #told({ gesture, variant, confidence, startMs }: StreamGesture): readonly GestureEvent<string>[] {
    const { tMs } = this.#moment;
    const name = variant === undefined ? gesture : `${gesture}/${variant}`;
    const event = { name, confidence, tMs, sinceMs: startMs, handedness: this.#side };
    return [
      { ...event, phase: "start" },
      { ...event, phase: "end" },
    ];
  }
}
