import { JOINT_COUNT } from "./input-source.ts";
import { LIMITS } from "./limits.ts";

/** Poses are seven numbers: position x, y, z in metres, then a unit quaternion x, y, z, w. */
export const POSE_NUMBERS = 7;

/** State of one input source at one instant. Arrays belong to the sample and are overwritten by the next decode. */
export interface PoseSource {
  id: number;
  hasTargetRay: boolean;
  hasGrip: boolean;
  hasHand: boolean;
  readonly targetRay: Float32Array;
  readonly grip: Float32Array;
  /** 25 x 3: joint positions in WebXR order, metres, in the reference space. Joint 0 is the wrist. */
  readonly joints: Float32Array;
  /** 25 x 4: joint orientations in the reference space. The wrist's is always there with a hand. */
  readonly jointOrientations: Float32Array;
  /** Bit i is button i. */
  pressed: number;
  touched: number;
  buttonCount: number;
  /** Analog values of buttons 0 (trigger) and 1 (squeeze), 0 to 1. */
  readonly values: Float32Array;
  axisCount: number;
  /** -1 to 1; valid up to `axisCount`. */
  readonly axes: Float32Array;
}

/**
 * What one pose packet says, in arrays that the caller owns and reuses. All poses are in the session's reference space
 * (`local-floor`): right-handed, Y up, -Z forward. Valid until the next decode into the same sample.
 */
export interface PoseSample {
  /** Client clock (`DOMHighResTimeStamp`), milliseconds. */
  t: number;
  /** Wraps at 65,536. */
  seq: number;
  emulatedPosition: boolean;
  /** The viewer pose is the last known one. */
  isTrackingLost: boolean;
  hasVelocities: boolean;
  /** Whether the joint orientations beyond the wrist's are there, for all hands of the sample. */
  hasJointOrientations: boolean;
  readonly viewer: Float32Array;
  /** Metres a second. */
  readonly linearVelocity: Float32Array;
  /** Radians a second. */
  readonly angularVelocity: Float32Array;
  sourceCount: number;
  /** Always `LIMITS.poseSourcesMax` long; valid up to `sourceCount`. */
  readonly sources: readonly PoseSource[];
}

export function createPoseSample(): PoseSample {
  const sample: PoseSample = {
    t: 0,
    seq: 0,
    emulatedPosition: false,
    isTrackingLost: false,
    hasVelocities: false,
    hasJointOrientations: false,
    viewer: identityPose(),
    linearVelocity: new Float32Array(3),
    angularVelocity: new Float32Array(3),
    sourceCount: 0,
    sources: Array.from({ length: LIMITS.poseSourcesMax }, createPoseSource),
  };
  return sample;
}

function createPoseSource(): PoseSource {
  return {
    id: 0,
    hasTargetRay: false,
    hasGrip: false,
    hasHand: false,
    targetRay: identityPose(),
    grip: identityPose(),
    joints: new Float32Array(JOINT_COUNT * 3),
    jointOrientations: new Float32Array(JOINT_COUNT * 4),
    pressed: 0,
    touched: 0,
    buttonCount: 0,
    values: new Float32Array(2),
    axisCount: 0,
    axes: new Float32Array(LIMITS.axesMax),
  };
}

function identityPose(): Float32Array {
  const pose = new Float32Array(POSE_NUMBERS);
  pose[6] = 1;
  return pose;
}
