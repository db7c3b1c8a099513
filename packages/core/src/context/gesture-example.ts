import type { JointSequence } from "@fovea/protocol/gestures";

export interface GestureExample {
  readonly sequence: JointSequence;
  /** "gesture" or "gesture/variant"; all labels of one training have a variant or none has. */
  readonly label: string;
  /** Who performed it. Confidence is calibrated on people left out, where several are given. */
  readonly performer?: string;
}

/** A pose as a hand held it once: 75 numbers, x y z of the 25 WebXR joints in metres. */
export interface PoseExample {
  readonly label: string;
  readonly joints: ArrayLike<number>;
  readonly handedness: "left" | "right";
}
