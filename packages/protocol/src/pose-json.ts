// The JSON twin of the pose packet: exact WebXR names, for people who debug and for clients without binary.
// It is parsed into the same PoseSample, so nothing behind the wire knows which of the two arrived.

import type { PoseMessage } from "./client-messages.ts";
import type { FieldReader, Fields } from "./field-reader.ts";
import { JOINT_COUNT, JOINT_NAMES } from "./input-source.ts";
import { LIMITS } from "./limits.ts";
import type { PoseSample, PoseSource } from "./pose-sample.ts";
import { createPoseSample } from "./pose-sample.ts";
import { readTime } from "./wire-fields.ts";

/** DOMPointReadOnly without its constant member. */
export interface PointJson {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export interface QuaternionJson extends PointJson {
  readonly w: number;
}

export interface TransformJson {
  readonly transform: { readonly position: PointJson; readonly orientation: QuaternionJson };
}

/** Shape of `{ type: "pose" }` as it travels. Joints are in the reference space; joints without a pose are not allowed. */
export interface PoseJson {
  readonly type: "pose";
  readonly t: number;
  readonly seq: number;
  readonly viewer: TransformJson & {
    readonly emulatedPosition: boolean;
    readonly trackingLost?: boolean;
    readonly linearVelocity?: PointJson;
    readonly angularVelocity?: PointJson;
  };
  readonly inputSources: readonly InputSourceJson[];
}

export interface InputSourceJson {
  readonly id: number;
  readonly targetRay?: TransformJson;
  readonly grip?: TransformJson;
  readonly hand?: { readonly [joint: string]: TransformJson };
  readonly gamepad?: {
    readonly buttons: readonly { readonly pressed: boolean; readonly touched: boolean; readonly value: number }[];
    readonly axes: readonly number[];
  };
}

export function readPoseMessage(reader: FieldReader, fields: Fields): PoseMessage {
  const sample = createPoseSample();
  sample.t = readTime(reader, fields, "t");
  sample.seq = reader.integer(fields, "seq", 0, 0xffff);
  reader.object(fields, "viewer", (viewer) => readViewer(reader, viewer, sample));
  const seen = new Set<number>();
  let count = 0;
  reader.objects(fields, "inputSources", LIMITS.poseSourcesMax, (item) => {
    const source = sample.sources[count++] as PoseSource;
    readSource(reader, item, source);
    reader.distinct(seen, source.id, "id");
  });
  sample.sourceCount = count;
  sample.hasJointOrientations = sample.sources.slice(0, count).some((source) => source.hasHand);
  return { type: "pose", sample };
}

function readViewer(reader: FieldReader, viewer: Fields, sample: PoseSample): void {
  readTransform(reader, viewer, sample.viewer);
  sample.emulatedPosition = reader.boolean(viewer, "emulatedPosition");
  sample.isTrackingLost = reader.optional(viewer, "trackingLost", (from, key) => reader.boolean(from, key)) ?? false;
  sample.hasVelocities = Object.hasOwn(viewer, "linearVelocity") && Object.hasOwn(viewer, "angularVelocity");
  if (!sample.hasVelocities) return;
  readPoint(reader, viewer, "linearVelocity", sample.linearVelocity, 0);
  readPoint(reader, viewer, "angularVelocity", sample.angularVelocity, 0);
}

function readSource(reader: FieldReader, item: Fields, source: PoseSource): void {
  source.id = reader.integer(item, "id", 0, 255);
  source.hasTargetRay = Object.hasOwn(item, "targetRay");
  source.hasGrip = Object.hasOwn(item, "grip");
  source.hasHand = Object.hasOwn(item, "hand");
  if (source.hasTargetRay) reader.object(item, "targetRay", (ray) => readTransform(reader, ray, source.targetRay));
  if (source.hasGrip) reader.object(item, "grip", (grip) => readTransform(reader, grip, source.grip));
  if (source.hasHand) reader.object(item, "hand", (hand) => readHand(reader, hand, source));
  if (Object.hasOwn(item, "gamepad")) reader.object(item, "gamepad", (gamepad) => readGamepad(reader, gamepad, source));
}

const scratchPose = new Float32Array(7);

function readHand(reader: FieldReader, hand: Fields, source: PoseSource): void {
  for (let joint = 0; joint < JOINT_COUNT && reader.error === undefined; joint++) {
    reader.object(hand, JOINT_NAMES[joint] as string, (transform) => readTransform(reader, transform, scratchPose));
    for (let i = 0; i < 3; i++) source.joints[joint * 3 + i] = scratchPose[i] ?? 0;
    for (let i = 0; i < 4; i++) source.jointOrientations[joint * 4 + i] = scratchPose[3 + i] ?? 0;
  }
}

function readGamepad(reader: FieldReader, gamepad: Fields, source: PoseSource): void {
  let button = 0;
  reader.objects(gamepad, "buttons", LIMITS.buttonsMax, (fields) => {
    if (reader.boolean(fields, "pressed")) source.pressed |= 1 << button;
    if (reader.boolean(fields, "touched")) source.touched |= 1 << button;
    const value = reader.number(fields, "value", 0, 1);
    if (button < 2) source.values[button] = value;
    button++;
  });
  source.buttonCount = button;
  const axes = reader.list(gamepad, "axes", LIMITS.axesMax, (from, key) => reader.number(from, key, -1, 1));
  source.axes.set(axes);
  source.axisCount = axes.length;
}

function readTransform(reader: FieldReader, from: Fields, into: Float32Array): void {
  reader.object(from, "transform", (transform) => {
    readPoint(reader, transform, "position", into, 0);
    reader.object(transform, "orientation", (point) => {
      const numbers = (["x", "y", "z", "w"] as const).map((axis) => reader.number(point, axis, -2, 2));
      const length = Math.hypot(...numbers);
      if (Math.abs(length - 1) > LIMITS.quaternionTolerance)
        reader.fail("not_normalized", undefined, `expected a quaternion of length 1, got length ${length.toFixed(3)}`);
      else for (let i = 0; i < 4; i++) into[3 + i] = (numbers[i] ?? 0) / length;
    });
  });
}

function readPoint(reader: FieldReader, from: Fields, key: string, into: Float32Array, at: number): void {
  reader.object(from, key, (point) => {
    into[at] = reader.number(point, "x", -LIMITS.positionMaxM, LIMITS.positionMaxM);
    into[at + 1] = reader.number(point, "y", -LIMITS.positionMaxM, LIMITS.positionMaxM);
    into[at + 2] = reader.number(point, "z", -LIMITS.positionMaxM, LIMITS.positionMaxM);
  });
}

/** The sample with WebXR's names. Joint orientations that the sample lacks are said to be the wrist's. */
export function toPoseJson(sample: PoseSample): PoseJson {
  return {
    type: "pose",
    t: sample.t,
    seq: sample.seq,
    viewer: {
      ...toTransform(sample.viewer, 0, sample.viewer, 3),
      emulatedPosition: sample.emulatedPosition,
      ...(sample.isTrackingLost ? { trackingLost: true } : {}),
      ...(sample.hasVelocities
        ? { linearVelocity: toPoint(sample.linearVelocity, 0), angularVelocity: toPoint(sample.angularVelocity, 0) }
        : {}),
    },
    inputSources: sample.sources
      .slice(0, sample.sourceCount)
      .map((source) => toSourceJson(source, sample.hasJointOrientations)),
  };
}

function toSourceJson(source: PoseSource, withOrientations: boolean): InputSourceJson {
  const joint = (index: number): [string, TransformJson] => [
    JOINT_NAMES[index] as string,
    toTransform(source.joints, index * 3, source.jointOrientations, withOrientations ? index * 4 : 0),
  ];
  return {
    id: source.id,
    ...(source.hasTargetRay ? { targetRay: toTransform(source.targetRay, 0, source.targetRay, 3) } : {}),
    ...(source.hasGrip ? { grip: toTransform(source.grip, 0, source.grip, 3) } : {}),
    ...(source.hasHand ? { hand: Object.fromEntries(JOINT_NAMES.map((_, index) => joint(index))) } : {}),
    gamepad: {
      buttons: Array.from({ length: source.buttonCount }, (_, button) => ({
        pressed: (source.pressed & (1 << button)) !== 0,
        touched: (source.touched & (1 << button)) !== 0,
        value: button < 2 ? (source.values[button] ?? 0) : (source.pressed >> button) & 1,
      })),
      axes: Array.from(source.axes.subarray(0, source.axisCount)),
    },
  };
}

function toTransform(
  positions: Float32Array,
  positionAt: number,
  orientations: Float32Array,
  orientationAt: number,
): TransformJson {
  return {
    transform: {
      position: toPoint(positions, positionAt),
      orientation: { ...toPoint(orientations, orientationAt), w: orientations[orientationAt + 3] ?? 1 },
    },
  };
}

function toPoint(numbers: Float32Array, at: number): PointJson {
  return { x: numbers[at] ?? 0, y: numbers[at + 1] ?? 0, z: numbers[at + 2] ?? 0 };
}
