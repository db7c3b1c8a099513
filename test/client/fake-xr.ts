// WebXR as far as the SDK touches it: a session whose frames run when the test says so, with poses the test sets.
import { JOINT_COUNT } from "@fovea/protocol";

export interface FakePose {
  position: [number, number, number];
  orientation: [number, number, number, number];
}

export const AT_EYE_HEIGHT: FakePose = { position: [0, 1.6, 0], orientation: [0, 0, 0, 1] };

function transformOf({ position: [x, y, z], orientation: [qx, qy, qz, qw] }: FakePose): object {
  return { position: { x, y, z, w: 1 }, orientation: { x: qx, y: qy, z: qz, w: qw } };
}

/** Spaces are looked up by identity; a space without a pose is one the runtime has lost. */
export type Poses = Map<object, FakePose>;

export interface FakeSource {
  handedness: "left" | "right";
  targetRayMode: string;
  profiles: string[];
  targetRaySpace: object;
  gripSpace?: object;
  hand?: Map<string, object>;
  gamepad?: {
    buttons: { pressed: boolean; touched: boolean; value: number }[];
    axes: number[];
    [key: string]: unknown;
  };
  /** 25 x 3, set by the test. */
  joints?: Float32Array;
}

export function controller(handedness: "left" | "right", actuator?: object): FakeSource {
  return {
    handedness,
    targetRayMode: "tracked-pointer",
    profiles: ["generic-trigger"],
    targetRaySpace: {},
    gripSpace: {},
    gamepad: {
      buttons: Array.from({ length: 3 }, (_, i) => ({ pressed: i === 0, touched: true, value: i === 0 ? 1 : 0.5 })),
      axes: [0, 0, -1, 0.5],
      ...(actuator === undefined ? {} : { hapticActuators: [actuator] }),
    },
  };
}

export function hand(handedness: "left" | "right", joints: Float32Array): FakeSource {
  return {
    handedness,
    targetRayMode: "tracked-pointer",
    profiles: ["generic-hand"],
    targetRaySpace: {},
    gripSpace: {},
    hand: new Map(Array.from({ length: JOINT_COUNT }, (_, i) => [`joint-${i}`, {}])),
    joints,
  };
}

export class FakeSession extends EventTarget {
  visibilityState = "visible";
  inputSources: FakeSource[] = [];
  enabledFeatures = ["hand-tracking"];
  environmentBlendMode = "alpha-blend";
  #callbacks: ((timeMs: number, frame: unknown) => void)[] = [];

  requestAnimationFrame(callback: (timeMs: number, frame: unknown) => void): number {
    return this.#callbacks.push(callback);
  }

  runFrame(timeMs: number, frame: unknown): void {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback(timeMs, frame);
  }
}

export interface FakeWorld {
  viewer?: FakePose | undefined;
  poses: Poses;
  planes?: object[];
  meshes?: object[];
  sources: FakeSource[];
}

export function frameOf(world: FakeWorld): object {
  const spaces = new Map<object, [FakeSource, number]>();
  for (const source of world.sources)
    [...(source.hand?.values() ?? [])].forEach((space, joint) => spaces.set(space, [source, joint]));
  return {
    getViewerPose: () =>
      world.viewer === undefined
        ? null
        : {
            transform: transformOf(world.viewer),
            emulatedPosition: false,
            linearVelocity: null,
            angularVelocity: null,
          },
    getPose: (space: object) => {
      const pose = world.poses.get(space);
      return pose === undefined ? null : { transform: transformOf(pose) };
    },
    fillPoses: (list: Iterable<object>, _base: object, into: Float32Array): boolean => {
      let at = 0;
      for (const space of list) {
        const found = spaces.get(space);
        if (found?.[0].joints === undefined) return false;
        into.fill(0, at, at + 16);
        into[at] = into[at + 5] = into[at + 10] = into[at + 15] = 1;
        for (let i = 0; i < 3; i++) into[at + 12 + i] = found[0].joints[found[1] * 3 + i] ?? 0;
        at += 16;
      }
      return true;
    },
    detectedPlanes: new Set(world.planes ?? []),
    detectedMeshes: new Set(world.meshes ?? []),
  };
}

/** An open right hand of the given size (1 = adult), fingers along -z, at chest height. */
export function openHand(size: number, spread = 0): Float32Array {
  const joints = new Float32Array(JOINT_COUNT * 3);
  const put = (joint: number, x: number, z: number): void => {
    joints.set([0.2 + x * size, 1.2, -0.3 + z * size], joint * 3);
  };
  put(0, 0, 0);
  [-0.03, -0.045, -0.06, -0.07].forEach((x, i) => put(1 + i, x, -0.03 - 0.03 * i));
  [-0.02, -0.005, 0.01, 0.022].forEach((x, finger) => {
    [-0.035, -0.095, -0.135, -0.16, -0.18].forEach((z, i) => put(5 + finger * 5 + i, x + x * i * spread, z));
  });
  return joints;
}
