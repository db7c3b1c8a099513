// Pose packet, kind 0x01: head, input sources and hands of one XR frame. Layout: docs/reference/wire.md.
// Both directions work on caller-owned memory and make one DataView a packet; nothing is allocated for a joint.

import { JOINT_COUNT } from "./input-source.ts";
import type { SourceTable } from "./input-source.ts";
import { LIMITS } from "./limits.ts";
import {
  PACKED_POSE_BYTES,
  PACKED_QUATERNION_BYTES,
  poseProblem,
  problemOf,
  quaternionProblem,
  readPose,
  readQuaternion,
  readVector,
  writePose,
  writeQuaternion,
} from "./packed-pose.ts";
import type { PoseSample, PoseSource } from "./pose-sample.ts";
import { PACKET_KIND } from "./packet-kind.ts";
import type { ProtocolError, ProtocolProblem } from "./protocol-error.ts";
import { protocolError } from "./protocol-error.ts";

const FLAG_EMULATED = 1;
const FLAG_VELOCITIES = 2;
const FLAG_JOINT_ORIENTATIONS = 4;
const FLAG_TRACKING_LOST = 8;
const FLAGS_KNOWN = 15;

const PRESENT_TARGET_RAY = 1;
const PRESENT_GRIP = 2;
const PRESENT_HAND = 4;
const PRESENT_KNOWN = 7;

const HEADER_BYTES = 30;
const VELOCITY_BYTES = 24;
const OFFSET_BYTES = (JOINT_COUNT - 1) * 3 * 2;
const ORIENTATION_BYTES = (JOINT_COUNT - 1) * PACKED_QUATERNION_BYTES;
/** 10 um a step keeps +-0.32767 m, farther than any finger reaches from the wrist. */
const OFFSET_UNIT_M = 0.00001;
const ANGULAR_SPEED_MAX = 1_000;

/** Room for the largest packet: eight sources, all with hands, orientations, 16 buttons and 8 axes. */
export const POSE_PACKET_BYTES_MAX =
  HEADER_BYTES +
  VELOCITY_BYTES +
  1 +
  LIMITS.poseSourcesMax * (2 + 3 * PACKED_POSE_BYTES + OFFSET_BYTES + ORIENTATION_BYTES + 4 + 2 + LIMITS.axesMax);

/**
 * Fills `into` from one packet. Returns the error of the first field that is wrong, and then `into` holds a mixture
 * that must not be read. Sources that `sources` does not know cannot be measured and are refused: `source_unknown`.
 */
export function decodePosePacket(bytes: Uint8Array, sources: SourceTable, into: PoseSample): ProtocolError | undefined {
  if (bytes.length < HEADER_BYTES + 1) return truncated("header", bytes.length, HEADER_BYTES + 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] !== PACKET_KIND.pose) return protocolError("kind_unknown", "kind", "expected 0x01, a pose packet");
  const flags = bytes[1] ?? 0;
  if ((flags & ~FLAGS_KNOWN) !== 0) return protocolError("not_allowed", "flags", "expected bits 4 to 7 to be zero");
  into.emulatedPosition = (flags & FLAG_EMULATED) !== 0;
  into.isTrackingLost = (flags & FLAG_TRACKING_LOST) !== 0;
  into.hasVelocities = (flags & FLAG_VELOCITIES) !== 0;
  into.hasJointOrientations = (flags & FLAG_JOINT_ORIENTATIONS) !== 0;
  into.t = view.getFloat64(2, true);
  if (!(into.t >= 0) || into.t === Infinity)
    return failed("t", Number.isFinite(into.t) ? "out_of_range" : "not_finite");
  into.seq = view.getUint16(10, true);
  const viewerProblem = readPose(view, 12, into.viewer);
  if (viewerProblem !== undefined) return failed("viewer", viewerProblem);
  let at = HEADER_BYTES;
  if (into.hasVelocities) {
    if (bytes.length < at + VELOCITY_BYTES + 1) return truncated("velocities", bytes.length, at + VELOCITY_BYTES + 1);
    const problem =
      readVector(view, at, into.linearVelocity, LIMITS.speedMaxMPerS) ??
      readVector(view, at + 12, into.angularVelocity, ANGULAR_SPEED_MAX);
    if (problem !== undefined) return failed("velocities", problem);
    at += VELOCITY_BYTES;
  }
  return decodeSources(view, at, sources, into);
}

function decodeSources(
  view: DataView,
  countAt: number,
  sources: SourceTable,
  into: PoseSample,
): ProtocolError | undefined {
  const count = view.getUint8(countAt);
  if (count > LIMITS.poseSourcesMax)
    return protocolError(
      "too_large",
      "sources",
      `expected at most ${LIMITS.poseSourcesMax} input sources, got ${count}`,
    );
  into.sourceCount = count;
  let at = countAt + 1;
  for (let index = 0; index < count; index++) {
    const source = into.sources[index] as PoseSource;
    if (view.byteLength < at + 2) return truncated(`sources[${index}]`, view.byteLength, at + 2);
    source.id = view.getUint8(at);
    const present = view.getUint8(at + 1);
    if ((present & ~PRESENT_KNOWN) !== 0)
      return protocolError("not_allowed", `sources[${index}].present`, "expected bits 3 to 7 to be zero");
    if (!sources.has(source.id))
      return protocolError("source_unknown", `sources[${index}].id`, `no input source ${source.id} was described`);
    for (let earlier = 0; earlier < index; earlier++) {
      if (into.sources[earlier]?.id === source.id)
        return protocolError("duplicate_id", `sources[${index}].id`, `input source ${source.id} appears twice`);
    }
    source.hasTargetRay = (present & PRESENT_TARGET_RAY) !== 0;
    source.hasGrip = (present & PRESENT_GRIP) !== 0;
    source.hasHand = (present & PRESENT_HAND) !== 0;
    source.buttonCount = sources.buttonsOf(source.id);
    source.axisCount = sources.axesOf(source.id);
    const size = sourceBytes(source, into.hasJointOrientations);
    if (view.byteLength < at + size) return truncated(`sources[${index}]`, view.byteLength, at + size);
    const error = decodeSource(view, at + 2, source, into.hasJointOrientations, index);
    if (error !== undefined) return error;
    at += size;
  }
  if (at === view.byteLength) return undefined;
  return protocolError("trailing_bytes", "packet", `expected ${at} bytes, got ${view.byteLength}`);
}

function decodeSource(
  view: DataView,
  from: number,
  source: PoseSource,
  withOrientations: boolean,
  index: number,
): ProtocolError | undefined {
  let at = from;
  if (source.hasTargetRay) {
    const problem = readPose(view, at, source.targetRay);
    if (problem !== undefined) return failed(`sources[${index}].targetRay`, problem);
    at += PACKED_POSE_BYTES;
  }
  if (source.hasGrip) {
    const problem = readPose(view, at, source.grip);
    if (problem !== undefined) return failed(`sources[${index}].grip`, problem);
    at += PACKED_POSE_BYTES;
  }
  if (source.hasHand) {
    const problem = decodeHand(view, at, source, withOrientations);
    if (problem !== undefined) return failed(`sources[${index}].hand`, problem);
    at += PACKED_POSE_BYTES + OFFSET_BYTES + (withOrientations ? ORIENTATION_BYTES : 0);
  }
  source.pressed = view.getUint16(at, true);
  source.touched = view.getUint16(at + 2, true);
  at += 4;
  source.values[0] = source.buttonCount > 0 ? view.getUint8(at++) / 255 : 0;
  source.values[1] = source.buttonCount > 1 ? view.getUint8(at++) / 255 : 0;
  for (let axis = 0; axis < source.axisCount; axis++) {
    // -128 is not written by any encoder; it is read as -1.
    source.axes[axis] = Math.max(-1, view.getInt8(at++) / 127);
  }
  return undefined;
}

function decodeHand(
  view: DataView,
  at: number,
  source: PoseSource,
  withOrientations: boolean,
): ProtocolProblem | undefined {
  const { joints, jointOrientations } = source;
  const wristProblem =
    readVector(view, at, joints, LIMITS.positionMaxM) ?? readQuaternion(view, at + 12, jointOrientations, 0);
  if (wristProblem !== undefined) return wristProblem;
  const wristX = joints[0] ?? 0;
  const wristY = joints[1] ?? 0;
  const wristZ = joints[2] ?? 0;
  const qx = jointOrientations[0] ?? 0;
  const qy = jointOrientations[1] ?? 0;
  const qz = jointOrientations[2] ?? 0;
  const qw = jointOrientations[3] ?? 1;
  let offsetAt = at + PACKED_POSE_BYTES;
  for (let joint = 1; joint < JOINT_COUNT; joint++, offsetAt += 6) {
    const x = view.getInt16(offsetAt, true) * OFFSET_UNIT_M;
    const y = view.getInt16(offsetAt + 2, true) * OFFSET_UNIT_M;
    const z = view.getInt16(offsetAt + 4, true) * OFFSET_UNIT_M;
    const tx = 2 * (qy * z - qz * y);
    const ty = 2 * (qz * x - qx * z);
    const tz = 2 * (qx * y - qy * x);
    joints[joint * 3] = wristX + x + qw * tx + qy * tz - qz * ty;
    joints[joint * 3 + 1] = wristY + y + qw * ty + qz * tx - qx * tz;
    joints[joint * 3 + 2] = wristZ + z + qw * tz + qx * ty - qy * tx;
  }
  if (!withOrientations) return undefined;
  for (let joint = 1; joint < JOINT_COUNT; joint++, offsetAt += PACKED_QUATERNION_BYTES) {
    const problem = readQuaternion(view, offsetAt, jointOrientations, joint * 4);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * Writes the sample into `into` and returns the number of bytes used. Returns the error instead where the sample cannot
 * be written: a number that is not finite, a quaternion that is not of unit length, a source that was not described.
 * Joints farther than 0.32767 m from the wrist are clamped.
 */
export function encodePosePacket(sample: PoseSample, sources: SourceTable, into: Uint8Array): number | ProtocolError {
  const error = sampleError(sample, sources);
  if (error !== undefined) return error;
  const needed = posePacketBytes(sample);
  if (into.length < needed) return protocolError("too_large", "packet", `expected room for ${needed} bytes`);
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  into[0] = PACKET_KIND.pose;
  into[1] =
    (sample.emulatedPosition ? FLAG_EMULATED : 0) |
    (sample.hasVelocities ? FLAG_VELOCITIES : 0) |
    (sample.hasJointOrientations ? FLAG_JOINT_ORIENTATIONS : 0) |
    (sample.isTrackingLost ? FLAG_TRACKING_LOST : 0);
  view.setFloat64(2, sample.t, true);
  view.setUint16(10, sample.seq & 0xffff, true);
  writePose(view, 12, sample.viewer);
  let at = HEADER_BYTES;
  if (sample.hasVelocities) {
    for (let i = 0; i < 3; i++) {
      view.setFloat32(at + i * 4, sample.linearVelocity[i] ?? 0, true);
      view.setFloat32(at + 12 + i * 4, sample.angularVelocity[i] ?? 0, true);
    }
    at += VELOCITY_BYTES;
  }
  view.setUint8(at++, sample.sourceCount);
  for (let index = 0; index < sample.sourceCount; index++) {
    at = encodeSource(view, at, sample.sources[index] as PoseSource, sample.hasJointOrientations, sources);
  }
  return at;
}

function encodeSource(
  view: DataView,
  from: number,
  source: PoseSource,
  withOrientations: boolean,
  sources: SourceTable,
): number {
  view.setUint8(from, source.id);
  view.setUint8(
    from + 1,
    (source.hasTargetRay ? PRESENT_TARGET_RAY : 0) |
      (source.hasGrip ? PRESENT_GRIP : 0) |
      (source.hasHand ? PRESENT_HAND : 0),
  );
  let at = from + 2;
  if (source.hasTargetRay) {
    writePose(view, at, source.targetRay);
    at += PACKED_POSE_BYTES;
  }
  if (source.hasGrip) {
    writePose(view, at, source.grip);
    at += PACKED_POSE_BYTES;
  }
  if (source.hasHand) at = encodeHand(view, at, source, withOrientations);
  view.setUint16(at, source.pressed, true);
  view.setUint16(at + 2, source.touched, true);
  at += 4;
  const buttons = sources.buttonsOf(source.id);
  if (buttons > 0) view.setUint8(at++, unitToByte(source.values[0] ?? 0));
  if (buttons > 1) view.setUint8(at++, unitToByte(source.values[1] ?? 0));
  const axes = sources.axesOf(source.id);
  for (let axis = 0; axis < axes; axis++) {
    const value = Math.round((source.axes[axis] ?? 0) * 127);
    view.setInt8(at++, value < -127 ? -127 : value > 127 ? 127 : value);
  }
  return at;
}

function encodeHand(view: DataView, from: number, source: PoseSource, withOrientations: boolean): number {
  const { joints, jointOrientations } = source;
  for (let i = 0; i < 3; i++) view.setFloat32(from + i * 4, joints[i] ?? 0, true);
  writeQuaternion(view, from + 12, jointOrientations, 0);
  const wristX = joints[0] ?? 0;
  const wristY = joints[1] ?? 0;
  const wristZ = joints[2] ?? 0;
  // The inverse rotation takes a joint into the wrist's axes: conjugate, hence the minus signs.
  const qx = -(jointOrientations[0] ?? 0);
  const qy = -(jointOrientations[1] ?? 0);
  const qz = -(jointOrientations[2] ?? 0);
  const qw = jointOrientations[3] ?? 1;
  let at = from + PACKED_POSE_BYTES;
  for (let joint = 1; joint < JOINT_COUNT; joint++, at += 6) {
    const x = (joints[joint * 3] ?? 0) - wristX;
    const y = (joints[joint * 3 + 1] ?? 0) - wristY;
    const z = (joints[joint * 3 + 2] ?? 0) - wristZ;
    const tx = 2 * (qy * z - qz * y);
    const ty = 2 * (qz * x - qx * z);
    const tz = 2 * (qx * y - qy * x);
    view.setInt16(at, toOffset(x + qw * tx + qy * tz - qz * ty), true);
    view.setInt16(at + 2, toOffset(y + qw * ty + qz * tx - qx * tz), true);
    view.setInt16(at + 4, toOffset(z + qw * tz + qx * ty - qy * tx), true);
  }
  if (!withOrientations) return at;
  for (let joint = 1; joint < JOINT_COUNT; joint++, at += PACKED_QUATERNION_BYTES) {
    writeQuaternion(view, at, jointOrientations, joint * 4);
  }
  return at;
}

/** Size of the packet that `encodePosePacket` makes of the sample; source counts are the sample's own. */
export function posePacketBytes(sample: PoseSample): number {
  let bytes = HEADER_BYTES + (sample.hasVelocities ? VELOCITY_BYTES : 0) + 1;
  for (let index = 0; index < sample.sourceCount; index++)
    bytes += sourceBytes(sample.sources[index] as PoseSource, sample.hasJointOrientations);
  return bytes;
}

function sourceBytes(source: PoseSource, withOrientations: boolean): number {
  return (
    2 +
    (source.hasTargetRay ? PACKED_POSE_BYTES : 0) +
    (source.hasGrip ? PACKED_POSE_BYTES : 0) +
    (source.hasHand ? PACKED_POSE_BYTES + OFFSET_BYTES + (withOrientations ? ORIENTATION_BYTES : 0) : 0) +
    4 +
    (source.buttonCount < 2 ? source.buttonCount : 2) +
    source.axisCount
  );
}

function sampleError(sample: PoseSample, sources: SourceTable): ProtocolError | undefined {
  if (!Number.isFinite(sample.t)) return failed("t", "not_finite");
  if (sample.t < 0) return failed("t", "out_of_range");
  const viewer = poseProblem(sample.viewer);
  if (viewer !== undefined) return failed("viewer", viewer);
  if (sample.hasVelocities) {
    for (let i = 0; i < 3; i++) {
      const problem =
        problemOf(sample.linearVelocity[i] ?? 0, LIMITS.speedMaxMPerS) ??
        problemOf(sample.angularVelocity[i] ?? 0, ANGULAR_SPEED_MAX);
      if (problem !== undefined) return failed("velocities", problem);
    }
  }
  if (sample.sourceCount > sample.sources.length) return failed("sources", "too_large");
  for (let index = 0; index < sample.sourceCount; index++) {
    const source = sample.sources[index] as PoseSource;
    if (!sources.has(source.id)) return failed(`sources[${index}].id`, "source_unknown");
    source.buttonCount = sources.buttonsOf(source.id);
    source.axisCount = sources.axesOf(source.id);
    const problem =
      (source.hasTargetRay ? poseProblem(source.targetRay) : undefined) ??
      (source.hasGrip ? poseProblem(source.grip) : undefined) ??
      (source.hasHand ? handProblem(source, sample.hasJointOrientations) : undefined);
    if (problem !== undefined) return failed(`sources[${index}]`, problem);
  }
  return undefined;
}

function handProblem(source: PoseSource, withOrientations: boolean): ProtocolProblem | undefined {
  for (const value of source.joints) {
    const problem = problemOf(value, LIMITS.positionMaxM);
    if (problem !== undefined) return problem;
  }
  const last = withOrientations ? JOINT_COUNT : 1;
  for (let joint = 0; joint < last; joint++) {
    const problem = quaternionProblem(source.jointOrientations, joint * 4);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function unitToByte(value: number): number {
  const scaled = Math.round(value * 255);
  return scaled > 0 ? (scaled > 255 ? 255 : scaled) : 0;
}

function toOffset(metres: number): number {
  const steps = Math.round(metres / OFFSET_UNIT_M);
  return steps < -32_767 ? -32_767 : steps > 32_767 ? 32_767 : steps;
}

function truncated(field: string, got: number, needed: number): ProtocolError {
  return protocolError("truncated", field, `expected at least ${needed} bytes, got ${got}`);
}

const EXPECTED: Readonly<Partial<Record<ProtocolProblem, string>>> = {
  not_finite: "expected finite numbers",
  not_normalized: "expected a quaternion of unit length",
  out_of_range: "expected a value within the limits of the wire",
  source_unknown: "expected an input source that was described before",
  too_large: `expected at most ${LIMITS.poseSourcesMax} input sources`,
};

function failed(field: string, problem: ProtocolProblem): ProtocolError {
  return protocolError(problem, field, EXPECTED[problem] ?? problem);
}
