import type { Pose } from "../geometry/pose.ts";
import type { Ray } from "../geometry/ray.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { IDENTITY_POSE } from "../geometry/pose.ts";
import type { Consent } from "./privacy.ts";
import { NO_CONSENT } from "./privacy.ts";
import type { SceneSnapshot } from "./spatial.ts";

export type Handedness = "left" | "right" | "none";
export type TargetRayMode = "gaze" | "tracked-pointer" | "screen" | "transient-pointer";

export type GestureName =
  | "pinch"
  | "grab"
  | "point"
  | "open-palm"
  | "fist"
  | "thumbs-up"
  | "thumbs-down"
  | "victory"
  | "swipe"
  | "circle"
  | "push"
  | "two-hand-scale"
  | "two-hand-rotate"
  | "nod"
  | "shake";

export interface GestureState {
  /** A built-in name or one taught by the application. */
  readonly name: string;
  readonly phase: "start" | "update" | "end";
  readonly confidence: number;
  readonly sinceMs: number;
}

export interface InputSourceState {
  readonly id: number;
  readonly handedness: Handedness;
  readonly targetRayMode: TargetRayMode;
  readonly profiles: readonly string[];
  readonly targetRay?: Ray;
  readonly grip?: Pose;
  /** 25 joints in WebXR order, x y z each, metres in the reference space. */
  readonly handJoints?: Float32Array;
  readonly pressedButtons: number;
  readonly gestures: readonly GestureState[];
  readonly haptics: { readonly pulse: boolean; readonly effects: readonly string[]; readonly actuators: number };
}

/** What the user attends to. `head-gaze` is the direction of the head; Fovea never calls it eye tracking. */
export type AttentionSource = "head-gaze" | "eye-gaze" | "pointing" | "touch" | "transient-pointer";

export interface AttentionTarget {
  readonly entityId: string;
  readonly source: AttentionSource;
  readonly handedness?: Handedness;
  /** Between the ray and the entity's nearest surface point as seen from the ray's origin; 0 on a hit. */
  readonly angleRad: number;
  readonly distanceM: number;
  readonly dwellMs: number;
  readonly isOccluded: boolean;
  /** 0 to 1. */
  readonly confidence: number;
  readonly hitPoint?: Vec3;
  /** The word that was bound to it named a thing ("that") or a place ("there"). */
  readonly saidAs?: "thing" | "place";
}

/** Where attention was over the last seconds, for words that point ("that") and were said a moment ago. */
export interface AttentionSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly target: AttentionTarget;
}

/** Senses and wishes of the person, as told by the client. Absent: nothing is known, and nothing is taken away. */
export interface PersonSettings {
  readonly sight?: "full" | "low" | "none";
  readonly hearing?: "full" | "low" | "none";
  readonly touch?: boolean;
  readonly captions?: boolean;
}

/** Everything Fovea knows of a session at one instant. Frozen when a turn starts; nothing in it changes afterwards. */
export interface XRContext {
  readonly sessionId: string;
  readonly userId: string;
  readonly roomId?: string;
  /** Session clock, milliseconds. */
  readonly atMs: number;
  readonly referenceSpace: string;
  readonly device: {
    readonly name: string;
    readonly mode: "immersive-ar" | "immersive-vr" | "inline" | "none";
    readonly capabilities: readonly string[];
    readonly refreshHz?: number;
    /** Radians, horizontal and vertical. */
    readonly fov?: readonly [horizontal: number, vertical: number];
  };
  readonly viewer: {
    /** False before the first pose and after tracking was lost for longer than the window. */
    readonly isTracked: boolean;
    readonly pose: Pose;
    readonly linearVelocity: Vec3;
    readonly angularVelocity: Vec3;
    readonly emulatedPosition: boolean;
    readonly poseAgeMs: number;
  };
  readonly inputSources: readonly InputSourceState[];
  readonly attention: readonly AttentionTarget[];
  readonly attentionHistory: readonly AttentionSpan[];
  readonly scene: SceneSnapshot;
  readonly audio: {
    readonly speaking: boolean;
    readonly directionRad?: number;
    readonly language?: string;
    /** Noise of the surroundings, decibels of the microphone's full scale. */
    readonly noiseDb?: number;
  };
  readonly person?: PersonSettings;
  /** What the device can put out now. */
  readonly output?: { readonly muted: boolean; readonly headphones?: boolean };
  /** Hands on which touches have been lost again and again, by their receipts. */
  readonly numbHands?: readonly Handedness[];
  readonly environment: { readonly lightLux?: number; readonly visibility: "visible" | "visible-blurred" | "hidden" };
  readonly network: { readonly rttMs?: number; readonly jitterMs?: number; readonly bandwidthKbps?: number };
  readonly quality: { readonly fps?: number; readonly droppedFrames: number; readonly batteryLevel?: number };
  readonly consent: Consent;
  readonly locale: string;
}

export const EMPTY_SCENE: SceneSnapshot = { version: 0, entities: [], byId: new Map(), changes: [] };

/** The context of a plain AI call, which comes from no room and no person in one. */
export const NO_CONTEXT: XRContext = {
  sessionId: "",
  userId: "",
  atMs: 0,
  referenceSpace: "local-floor",
  device: { name: "none", mode: "none", capabilities: [] },
  viewer: {
    isTracked: false,
    pose: IDENTITY_POSE,
    linearVelocity: [0, 0, 0],
    angularVelocity: [0, 0, 0],
    emulatedPosition: false,
    poseAgeMs: 0,
  },
  inputSources: [],
  attention: [],
  attentionHistory: [],
  scene: EMPTY_SCENE,
  audio: { speaking: false },
  environment: { visibility: "visible" },
  network: {},
  quality: { droppedFrames: 0 },
  consent: NO_CONSENT,
  locale: "en",
};
