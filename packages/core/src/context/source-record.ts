import type { InputSourceDescription, PoseSource } from "@fovea/protocol";
import { JOINT_COUNT } from "@fovea/protocol";
import type { PoseTrack } from "./pose-track.ts";
import type { GestureEvent } from "@fovea/protocol/gestures";
import type { Pose } from "../geometry/pose.ts";
import type { GestureState, Handedness, InputSourceState } from "../model/xr-context.ts";

/** Poses are null now and then in any WebXR session: a source keeps its last one this long. */
export const SOURCE_STALE_MS = 250;
/** A gesture that lasts is remembered; so is a short one for the words said around it. */
const GESTURE_MEMORY_MS = 2_000;
const GESTURES_MAX = 16;
/** The record's numbers, in bytes from its start: three times, then the poses and the joints. */
const RAY_MS = 0;
const GRIP_MS = 8;
const HAND_MS = 16;
const RAY = 24;
const GRIP = RAY + 28;
const JOINTS = GRIP + 28;
const RECORD_BYTES = JOINTS + JOINT_COUNT * 12;

/**
 * What is known of one input source: its description and the newest of each of its poses. The numbers lie in one run of
 * memory, since every packet writes them and, with many sessions, finds them cold.
 */
export class SourceRecord {
  readonly description: InputSourceDescription;
  pressed = 0;
  isSelecting = false;
  readonly id: number;
  readonly handedness: Handedness;
  /** Rays of eyes, and not of the head under that name: only with the vendor's profile. The session checks the feature. */
  readonly isEye: boolean;
  /** Where its rays of the last seconds are kept; set by the owner of the window. */
  rayTrack: PoseTrack | undefined;
  readonly #isHand: boolean;
  readonly #numbers = new DataView(new ArrayBuffer(RECORD_BYTES));
  readonly #gestures = new Map<string, GestureState & { readonly endedMs: number }>();
  /** Of the gestures, those of one hand that mean "that there". */
  #isPointing = false;
  #isPinching = false;

  constructor(description: InputSourceDescription) {
    this.description = description;
    this.id = description.id;
    this.handedness = description.handedness;
    this.isEye = description.targetRayMode === "gaze" && description.profiles.includes("eye-gaze");
    this.#isHand = description.hand;
    this.#forgetTimes();
  }

  /** When its target ray was last told, -Infinity before the first; and so on. */
  get rayMs(): number {
    return this.#numbers.getFloat64(RAY_MS, true);
  }

  get gripMs(): number {
    return this.#numbers.getFloat64(GRIP_MS, true);
  }

  get handMs(): number {
    return this.#numbers.getFloat64(HAND_MS, true);
  }

  /** The hand is gone: nothing of it is known any more. */
  loseHand(): void {
    this.#numbers.setFloat64(HAND_MS, -Infinity, true);
  }

  /** Copies out of the sample, which the next packet overwrites. */
  fold(source: PoseSource, atMs: number): void {
    const numbers = this.#numbers;
    this.pressed = source.pressed;
    if (source.hasTargetRay) {
      numbers.setFloat64(RAY_MS, atMs, true);
      write(numbers, RAY, source.targetRay, 7);
    }
    if (source.hasGrip) {
      numbers.setFloat64(GRIP_MS, atMs, true);
      write(numbers, GRIP, source.grip, 7);
    }
    if (!source.hasHand) return;
    numbers.setFloat64(HAND_MS, atMs, true);
    write(numbers, JOINTS, source.joints, JOINT_COUNT * 3);
  }

  /** Position and orientation, seven numbers. */
  readRay(into: Float32Array): void {
    read(this.#numbers, RAY, into, 7);
  }

  /** Positions of the 25 joints, 75 numbers. */
  readJoints(into: Float32Array): void {
    read(this.#numbers, JOINTS, into, JOINT_COUNT * 3);
  }

  /** A held controller always means it; a hand does while it points, pinches or selects. */
  get isDeliberate(): boolean {
    return !this.#isHand || this.isSelecting || (this.pressed & 1) === 1 || this.#isPointing || this.#isPinching;
  }

  get isPointing(): boolean {
    return this.#isPointing;
  }

  foldGesture(event: Pick<GestureEvent, "phase" | "confidence" | "sinceMs" | "tMs"> & { readonly name: string }): void {
    const { name, phase, confidence, sinceMs, tMs } = event;
    this.#gestures.delete(name);
    this.#gestures.set(name, { name, phase, confidence, sinceMs, endedMs: phase === "end" ? tMs : Infinity });
    this.#note(name, phase !== "end");
    if (this.#gestures.size <= GESTURES_MAX) return;
    for (const oldest of this.#gestures.keys()) {
      this.#gestures.delete(oldest);
      this.#note(oldest, false);
      return;
    }
  }

  /** Drops everything but the description: what a lowered consent demands. */
  forget(): void {
    write(this.#numbers, RAY, NOTHING, NOTHING.length);
    this.#forgetTimes();
    this.rayTrack = undefined;
    this.pressed = 0;
    this.isSelecting = false;
    this.#isPointing = false;
    this.#isPinching = false;
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
      ...(isFresh(this.rayMs) ? { targetRay: rayOfNumbers(this.#copy(RAY, 7)) } : {}),
      ...(isFresh(this.gripMs) ? { grip: poseOfNumbers(this.#copy(GRIP, 7)) } : {}),
      ...(isFresh(this.handMs) ? { handJoints: this.#copy(JOINTS, JOINT_COUNT * 3) } : {}),
      pressedButtons: this.pressed,
      gestures: this.#recentGestures(atMs),
      haptics,
    };
  }

  #note(gesture: string, isActive: boolean): void {
    if (gesture === "point") this.#isPointing = isActive;
    else if (gesture === "pinch") this.#isPinching = isActive;
  }

  #forgetTimes(): void {
    for (let at = RAY_MS; at <= HAND_MS; at += 8) this.#numbers.setFloat64(at, -Infinity, true);
  }

  #copy(at: number, count: number): Float32Array {
    const copied = new Float32Array(count);
    read(this.#numbers, at, copied, count);
    return copied;
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

const NOTHING = new Float32Array((RECORD_BYTES - RAY) / 4);

function write(numbers: DataView, at: number, source: Float32Array, count: number): void {
  for (let index = 0; index < count; index++) numbers.setFloat32(at + index * 4, source[index] as number, true);
}

function read(numbers: DataView, at: number, into: Float32Array, count: number): void {
  for (let index = 0; index < count; index++) into[index] = numbers.getFloat32(at + index * 4, true);
}
