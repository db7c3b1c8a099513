import type { InputSourceDescription, PoseSource } from "@fovea/protocol";
import type { GestureEvent } from "@fovea/protocol/gestures";
import type { Pose } from "../geometry/pose.ts";
import type { GestureState, InputSourceState } from "../model/xr-context.ts";

/** Poses are null now and then in any WebXR session: a source keeps its last one this long. */
export const SOURCE_STALE_MS = 250;
/** A gesture that lasts is remembered; so is a short one for the words said around it. */
const GESTURE_MEMORY_MS = 2_000;
const GESTURES_MAX = 16;
/** Gestures of one hand that mean "that there". */
const POINTING = new Set(["point", "pinch"]);

/** What is known of one input source: its description and the newest of each of its poses. */
export class SourceRecord {
  readonly description: InputSourceDescription;
  readonly targetRay = new Float32Array(7);
  readonly grip = new Float32Array(7);
  /** Pose of the wrist joint. */
  readonly wrist = new Float32Array(7);
  readonly joints = new Float32Array(75);
  rayMs = -Infinity;
  gripMs = -Infinity;
  handMs = -Infinity;
  pressed = 0;
  isSelecting = false;
  readonly #gestures = new Map<string, GestureState & { readonly endedMs: number }>();

  constructor(description: InputSourceDescription) {
    this.description = description;
  }

  /** Copies out of the sample, which the next packet overwrites. */
  fold(source: PoseSource, atMs: number): void {
    this.pressed = source.pressed;
    if (source.hasTargetRay) {
      copy(this.targetRay, source.targetRay);
      this.rayMs = atMs;
    }
    if (source.hasGrip) {
      copy(this.grip, source.grip);
      this.gripMs = atMs;
    }
    if (!source.hasHand) return;
    this.joints.set(source.joints);
    for (let axis = 0; axis < 3; axis++) this.wrist[axis] = source.joints[axis] as number;
    for (let axis = 0; axis < 4; axis++) this.wrist[axis + 3] = source.jointOrientations[axis] as number;
    this.handMs = atMs;
  }

  /** A held controller always means it; a hand does while it points, pinches or selects. */
  get isDeliberate(): boolean {
    if (!this.description.hand || this.isSelecting || (this.pressed & 1) === 1) return true;
    for (const gesture of this.#gestures.values()) {
      if (gesture.phase !== "end" && POINTING.has(gesture.name)) return true;
    }
    return false;
  }

  get isPointing(): boolean {
    const gesture = this.#gestures.get("point");
    return gesture !== undefined && gesture.phase !== "end";
  }

  foldGesture(event: Pick<GestureEvent, "phase" | "confidence" | "sinceMs" | "tMs"> & { readonly name: string }): void {
    const { name, phase, confidence, sinceMs, tMs } = event;
    this.#gestures.delete(name);
    this.#gestures.set(name, { name, phase, confidence, sinceMs, endedMs: phase === "end" ? tMs : Infinity });
    if (this.#gestures.size <= GESTURES_MAX) return;
    for (const oldest of this.#gestures.keys()) {
      this.#gestures.delete(oldest);
      return;
    }
  }

  /** Drops everything but the description: what a lowered consent demands. */
  forget(): void {
    this.rayMs = -Infinity;
    this.gripMs = -Infinity;
    this.handMs = -Infinity;
    this.joints.fill(0);
    this.pressed = 0;
    this.isSelecting = false;
    this.#gestures.clear();
  }

  freeze(atMs: number): InputSourceState {
    const { id, handedness, targetRayMode, profiles, haptics } = this.description;
    const isFresh = (seenMs: number): boolean => atMs - seenMs <= SOURCE_STALE_MS;
    return {
      id,
      handedness,
      targetRayMode,
      profiles,
      ...(isFresh(this.rayMs) ? { targetRay: rayOfNumbers(this.targetRay) } : {}),
      ...(isFresh(this.gripMs) ? { grip: poseOfNumbers(this.grip) } : {}),
      ...(isFresh(this.handMs) ? { handJoints: this.joints.slice() } : {}),
      pressedButtons: this.pressed,
      gestures: this.#recentGestures(atMs),
      haptics,
    };
  }

  #recentGestures(atMs: number): readonly GestureState[] {
    const recent: GestureState[] = [];
    for (const { name, phase, confidence, sinceMs, endedMs } of this.#gestures.values()) {
      if (atMs - endedMs <= GESTURE_MEMORY_MS) recent.push({ name, phase, confidence, sinceMs });
    }
    return recent;
  }
}

export function poseOfNumbers(numbers: Float32Array): Pose {
  const [x, y, z, qx, qy, qz, qw] = numbers as unknown as readonly [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { position: [x, y, z], orientation: [qx, qy, qz, qw] };
}

function rayOfNumbers(numbers: Float32Array): NonNullable<InputSourceState["targetRay"]> {
  const { position, orientation } = poseOfNumbers(numbers);
  const [x, y, z, w] = orientation;
  return { origin: position, direction: [-2 * (x * z + w * y), -2 * (y * z - w * x), -(1 - 2 * (x * x + y * y))] };
}

function copy(target: Float32Array, source: Float32Array): void {
  for (let index = 0; index < target.length; index++) target[index] = source[index] as number;
}
