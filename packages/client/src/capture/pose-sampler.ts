// From one XR frame to one pose sample. Runs inside the animation callback: no promise, nothing allocated for a joint.

import type { PoseSample, PoseSource, SourceTable, WireConsent } from "@fovea/protocol";
import { createPoseSample, JOINT_COUNT, LIMITS } from "@fovea/protocol";
import { roundHand } from "./hand-model.ts";
import type { InputSources } from "./input-sources.ts";
import { quaternionOf } from "./matrix.ts";

export class PoseSampler {
  readonly #sample = createPoseSample();
  readonly #matrices = new Float32Array(16 * JOINT_COUNT);
  readonly #handSpaces = new WeakMap<XRHand, XRJointSpace[]>();
  readonly #joints = new Float32Array(JOINT_COUNT * 3);
  #seq = 0;
  #hasPose = false;

  /**
   * The sample of this frame, valid until the next call. Undefined while there is nothing to send: no consent for the
   * head, or no pose since the session began.
   */
  sample(
    timeMs: number,
    frame: XRFrame,
    space: XRReferenceSpace,
    inputs: InputSources,
    consent: WireConsent,
  ): PoseSample | undefined {
    if (!consent.head) return undefined;
    const sample = this.#sample;
    const viewer = frame.getViewerPose(space);
    // A lost viewer keeps its last pose and says so; before the first pose there is nothing to say.
    if (viewer === undefined || viewer === null) {
      if (!this.#hasPose) return undefined;
      sample.isTrackingLost = true;
      sample.hasVelocities = false;
    } else {
      this.#hasPose = true;
      sample.isTrackingLost = false;
      sample.emulatedPosition = viewer.emulatedPosition;
      writeTransform(viewer.transform, sample.viewer);
      writeVelocities(viewer, sample);
    }
    sample.t = timeMs;
    sample.seq = this.#seq;
    this.#seq = (this.#seq + 1) & 0xffff;
    sample.sourceCount = 0;
    for (const [source, id] of inputs.sources()) {
      if (sample.sourceCount >= LIMITS.poseSourcesMax) break;
      if (!isAllowed(source, consent)) continue;
      const into = sample.sources[sample.sourceCount] as PoseSource;
      into.id = id;
      this.#fillSource(frame, space, source, into, consent);
      fillGamepad(source.gamepad, into, inputs.table);
      sample.sourceCount++;
    }
    return sample;
  }

  /** 25 joint positions of a hand as tracked, valid until the next call; undefined while any joint is missing. */
  jointsOf(frame: XRFrame, space: XRReferenceSpace, hand: XRHand): Float32Array | undefined {
    return this.#fillJoints(frame, space, hand, this.#joints) ? this.#joints : undefined;
  }

  /** The reference space moved or another session began: what was known of the viewer is worth nothing. */
  forget(): void {
    this.#hasPose = false;
  }

  #fillSource(
    frame: XRFrame,
    space: XRReferenceSpace,
    source: XRInputSource,
    into: PoseSource,
    consent: WireConsent,
  ): void {
    const ray = frame.getPose(source.targetRaySpace, space);
    into.hasTargetRay = ray !== undefined && ray !== null;
    if (ray) writeTransform(ray.transform, into.targetRay);
    const grip = source.gripSpace ? frame.getPose(source.gripSpace, space) : undefined;
    into.hasGrip = grip !== undefined && grip !== null;
    if (grip) writeTransform(grip.transform, into.grip);
    into.hasHand = source.hand ? this.#fillHand(frame, space, source.hand, into) : false;
    if (into.hasHand && consent.hands === "rounded") roundHand(into.joints, into.jointOrientations, source.handedness);
  }

  #fillHand(frame: XRFrame, space: XRReferenceSpace, hand: XRHand, into: PoseSource): boolean {
    if (!this.#fillJoints(frame, space, hand, into.joints)) return false;
    // Gestures need positions only; of the orientations the wrist's alone travels.
    quaternionOf(this.#matrices, 0, into.jointOrientations, 0);
    return true;
  }

  #fillJoints(frame: XRFrame, space: XRReferenceSpace, hand: XRHand, into: Float32Array): boolean {
    let spaces = this.#handSpaces.get(hand);
    if (spaces === undefined) {
      spaces = [...hand.values()];
      this.#handSpaces.set(hand, spaces);
    }
    const { fillPoses } = frame as XRFrame & { fillPoses?: FillPoses };
    if (spaces.length !== JOINT_COUNT || typeof fillPoses !== "function") return false;
    if (!fillPoses.call(frame, spaces, space, this.#matrices)) return false;
    for (let joint = 0; joint < JOINT_COUNT; joint++) {
      into[joint * 3] = this.#matrices[joint * 16 + 12] ?? 0;
      into[joint * 3 + 1] = this.#matrices[joint * 16 + 13] ?? 0;
      into[joint * 3 + 2] = this.#matrices[joint * 16 + 14] ?? 0;
    }
    return true;
  }
}

type FillPoses = (spaces: Iterable<XRSpace>, base: XRSpace, into: Float32Array) => boolean;

/** Hands below `rounded` do not leave the page as poses, not even as the ray that the wrist casts. */
function isAllowed(source: XRInputSource, consent: WireConsent): boolean {
  if (source.profiles.includes("eye-gaze")) return consent.eyes;
  return !source.hand || consent.hands === "rounded" || consent.hands === "raw";
}

function writeTransform(transform: XRRigidTransform, into: Float32Array): void {
  const { position, orientation } = transform;
  into[0] = position.x;
  into[1] = position.y;
  into[2] = position.z;
  into[3] = orientation.x;
  into[4] = orientation.y;
  into[5] = orientation.z;
  into[6] = orientation.w;
}

function writeVelocities(pose: XRPose, sample: PoseSample): void {
  const { linearVelocity, angularVelocity } = pose;
  sample.hasVelocities = Boolean(linearVelocity) && Boolean(angularVelocity);
  if (!linearVelocity || !angularVelocity) return;
  sample.linearVelocity[0] = linearVelocity.x;
  sample.linearVelocity[1] = linearVelocity.y;
  sample.linearVelocity[2] = linearVelocity.z;
  sample.angularVelocity[0] = angularVelocity.x;
  sample.angularVelocity[1] = angularVelocity.y;
  sample.angularVelocity[2] = angularVelocity.z;
}

function fillGamepad(gamepad: Gamepad | undefined, into: PoseSource, table: SourceTable): void {
  into.pressed = 0;
  into.touched = 0;
  const buttons = table.buttonsOf(into.id);
  for (let button = 0; button < buttons; button++) {
    const state = gamepad?.buttons[button];
    if (state?.pressed === true) into.pressed |= 1 << button;
    if (state?.touched === true) into.touched |= 1 << button;
    if (button < 2) into.values[button] = state?.value ?? 0;
  }
  const axes = table.axesOf(into.id);
  for (let axis = 0; axis < axes; axis++) into.axes[axis] = gamepad?.axes[axis] ?? 0;
}
