/** WebXR `XRHandedness`. */
export type WireHandedness = "left" | "right" | "none";
export const HANDEDNESSES = ["left", "right", "none"] as const;

/** WebXR `XRTargetRayMode`. `gaze` is the direction of the head unless the profile and the granted feature say eyes. */
export const TARGET_RAY_MODES = ["gaze", "tracked-pointer", "screen", "transient-pointer"] as const;
export type WireTargetRayMode = (typeof TARGET_RAY_MODES)[number];

/** Describes one `XRInputSource`. Pose packets name it by `id` and rely on `buttons` and `axes` for their layout. */
export interface InputSourceDescription {
  /** 0 to 255, unique among the sources present; a freed id may be used again after `inputs.remove`. */
  readonly id: number;
  readonly handedness: WireHandedness;
  readonly targetRayMode: WireTargetRayMode;
  readonly profiles: readonly string[];
  readonly hand: boolean;
  readonly buttons: number;
  readonly axes: number;
  readonly haptics: {
    readonly pulse: boolean;
    readonly effects: readonly string[];
    readonly actuators: number;
  };
}

/** WebXR Hand Input joint names in index order; joint i of a hand is `JOINT_NAMES[i]`. */
export const JOINT_NAMES = [
  "wrist",
  "thumb-metacarpal",
  "thumb-phalanx-proximal",
  "thumb-phalanx-distal",
  "thumb-tip",
  "index-finger-metacarpal",
  "index-finger-phalanx-proximal",
  "index-finger-phalanx-intermediate",
  "index-finger-phalanx-distal",
  "index-finger-tip",
  "middle-finger-metacarpal",
  "middle-finger-phalanx-proximal",
  "middle-finger-phalanx-intermediate",
  "middle-finger-phalanx-distal",
  "middle-finger-tip",
  "ring-finger-metacarpal",
  "ring-finger-phalanx-proximal",
  "ring-finger-phalanx-intermediate",
  "ring-finger-phalanx-distal",
  "ring-finger-tip",
  "pinky-finger-metacarpal",
  "pinky-finger-phalanx-proximal",
  "pinky-finger-phalanx-intermediate",
  "pinky-finger-phalanx-distal",
  "pinky-finger-tip",
] as const;

export type JointName = (typeof JOINT_NAMES)[number];
export const JOINT_COUNT = 25;

/**
 * Button and axis counts by source id, without which a pose packet cannot be split into sources. Both peers keep one
 * and change it with `hello` and `inputs`, which travel on the same ordered socket as the packets.
 */
export class SourceTable {
  readonly #known = new Uint8Array(256);
  readonly #buttons = new Uint8Array(256);
  readonly #axes = new Uint8Array(256);

  set(source: { readonly id: number; readonly buttons: number; readonly axes: number }): void {
    this.#known[source.id] = 1;
    this.#buttons[source.id] = source.buttons;
    this.#axes[source.id] = source.axes;
  }

  delete(id: number): void {
    this.#known[id] = 0;
  }

  clear(): void {
    this.#known.fill(0);
  }

  has(id: number): boolean {
    return this.#known[id] === 1;
  }

  buttonsOf(id: number): number {
    return this.#buttons[id] ?? 0;
  }

  axesOf(id: number): number {
    return this.#axes[id] ?? 0;
  }
}
