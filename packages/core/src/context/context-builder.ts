// One session's view of the world, kept up to date by folding what arrives and frozen into an XRContext when a turn
// starts. Folding a pose packet is synchronous and makes nothing for a joint: arrays are copied into arrays.
import type { InputSourceDescription, PoseSample, PoseSource } from "@fovea/protocol";
import type { GestureEvent, GestureModel } from "@fovea/protocol/gestures";
import { NO_GESTURES, SessionGestures, TaughtGestures } from "@fovea/protocol/gestures";
import { IDENTITY_POSE } from "../geometry/pose.ts";
import type { Consent } from "../model/privacy.ts";
import { NO_CONSENT } from "../model/privacy.ts";
import type { AttentionSource, Handedness, XRContext } from "../model/xr-context.ts";
import { SceneGraph } from "../scene/scene-graph.ts";
import type { RayKind } from "./attention.ts";
import { Attention, HEAD_KEY } from "./attention.ts";
import { SampleWindow, WINDOW_LIMITS } from "./sample-window.ts";
import { poseOfNumbers, SOURCE_STALE_MS, SourceRecord } from "./source-record.ts";

const INDEX_KNUCKLE = 6;
const INDEX_TIP = 9;
const SOURCES_MAX = 16;
/**
 * What is derived from poses (attention, gestures, the history of hands and rays) is looked at no more often than this;
 * the newest pose itself is always kept. Dwell, gestures and words that point are decided over 50 ms and more, so 72 or
 * 90 looks a second would buy heat and nothing else.
 */
const LOOK_EVERY_MS = 30;

/** What a builder keeps in its array: times of the newest packet and of the last look, and velocities that were told. */
const POSE_MS = 0;
const LOOKED_MS = 1;
const TOLD_LINEAR = 2;
const TOLD_ANGULAR = 5;

/** Poses and joints being looked at: one set for all sessions, since looking is synchronous. */
const VIEWER = new Float32Array(7);
const RAY = new Float32Array(7);
const JOINTS = new Float32Array(75);
const TIP = new Float64Array(3);

/** What changes seldom and is told rather than measured. */
export type SessionFacts = Pick<
  XRContext,
  | "sessionId"
  | "userId"
  | "roomId"
  | "referenceSpace"
  | "device"
  | "locale"
  | "audio"
  | "environment"
  | "network"
  | "quality"
  | "person"
  | "output"
  | "numbHands"
>;

export class ContextBuilder {
  readonly scene: SceneGraph;
  readonly window = new SampleWindow();
  readonly attention: Attention;
  facts: SessionFacts;
  consent: Consent = NO_CONSENT;
  readonly #gestures: SessionGestures;
  readonly #sources = new Map<number, SourceRecord>();
  /** The same, for packets to run through. */
  readonly #records: SourceRecord[] = [];
  /** See `POSE_MS` and what follows it. */
  readonly #numbers = Float64Array.of(-Infinity, -Infinity, 0, 0, 0, 0, 0, 0);
  #hasToldVelocity = false;
  #isEmulated = false;

  /** `gestures` holds what the application taught, beside the gestures that are always recognised. */
  constructor(facts: SessionFacts, scene: SceneGraph = new SceneGraph(), gestures?: GestureModel) {
    this.facts = facts;
    this.#gestures = new SessionGestures(gestures === undefined ? {} : { taught: () => new TaughtGestures(gestures) });
    this.scene = scene;
    this.attention = new Attention(scene);
  }

  get sources(): ReadonlyMap<number, SourceRecord> {
    return this.#sources;
  }

  /** A source of a known id replaces it: ids are used again after `remove`. At most 16 are kept. */
  addSource(description: InputSourceDescription, atMs: number): void {
    this.removeSource(description.id, atMs);
    if (this.#sources.size >= SOURCES_MAX) return;
    const record = new SourceRecord(description);
    this.#sources.set(description.id, record);
    this.#records.push(record);
  }

  removeSource(id: number, atMs: number): readonly GestureEvent<string>[] {
    const record = this.#sources.get(id);
    if (record === undefined) return NO_GESTURES;
    this.#sources.delete(id);
    this.#records.splice(this.#records.indexOf(record), 1);
    this.window.forget(id);
    this.attention.endSource(id);
    return this.#endHand(record, atMs);
  }

  /**
   * Folds one packet. The sample is read during the call and not kept. `isViewerKnown` false: no consent for the head.
   * Returns what hands and head did; the list is shared and empty nearly always.
   */
  foldPose(sample: PoseSample, atMs: number, isViewerKnown: boolean): readonly GestureEvent<string>[] {
    return this.recordPose(sample, atMs, isViewerKnown) ? this.look() : NO_GESTURES;
  }

  /**
   * The first half of `foldPose`: the newest poses are known afterwards. Returns whether it is time to `look`, which may be
   * put off for a moment: whoever has many sessions looks at them in a row, since what a look costs is mostly fetching.
   */
  recordPose(sample: PoseSample, atMs: number, isViewerKnown: boolean): boolean {
    const numbers = this.#numbers;
    if (atMs <= (numbers[POSE_MS] as number)) return false;
    numbers[POSE_MS] = atMs;
    this.window.noteTracking(sample.emulatedPosition, sample.isTrackingLost);
    if (isViewerKnown && !sample.isTrackingLost) this.#recordViewer(sample, atMs);
    for (let position = 0; position < sample.sourceCount; position++) {
      const source = sample.sources[position] as PoseSource;
      this.#recordOf(source.id)?.fold(source, atMs);
    }
    return atMs >= (numbers[LOOKED_MS] as number) + LOOK_EVERY_MS;
  }

  /** Derives attention, gestures and the history of hands and rays from the newest packet, if that has not been done. */
  look(): readonly GestureEvent<string>[] {
    const atMs = this.#numbers[POSE_MS] as number;
    if (atMs < (this.#numbers[LOOKED_MS] as number) + LOOK_EVERY_MS) return NO_GESTURES;
    this.#numbers[LOOKED_MS] = atMs;
    let events = this.window.viewer.newestMs === atMs ? this.#lookAtHead(atMs) : NO_GESTURES;
    for (let index = 0; index < this.#records.length; index++) {
      events = join(events, this.#lookAtSource(this.#records[index] as SourceRecord, atMs));
    }
    return events;
  }

  /** After `scene.apply`. */
  reconcileScene(atMs: number): void {
    this.attention.reconcile(atMs);
  }

  /** The origin moved (`reset` of the reference space): poses of before mean nothing now. */
  resetSpace(): void {
    this.window.clear();
    this.window.cut();
    this.attention.clear("all");
  }

  /** Drops what the new consent no longer covers; the caller tells the level before and after. */
  applyConsent(consent: Consent): void {
    const before = this.consent;
    this.consent = consent;
    if (before.head && !consent.head) {
      this.window.viewer.clear();
      this.attention.clear("head");
      this.#gestures.forgetHead();
      this.#hasToldVelocity = false;
    }
    if (HANDS.indexOf(consent.hands) < HANDS.indexOf(before.hands)) {
      this.window.forgetSources();
      this.attention.clear("sources");
      this.#gestures.forgetHands();
      for (const record of this.#sources.values()) record.forget();
    }
    if (ROOM.indexOf(consent.room) < ROOM.indexOf(before.room)) {
      this.scene.purge();
      this.attention.clear("all");
    }
    if (before.eyes && !consent.eyes) {
      for (const record of this.#sources.values()) if (record.isEye) this.attention.endSource(record.description.id);
    }
  }

  /** How fast the head is moving, metres and radians a second. */
  motion(): Pick<XRContext["viewer"], "linearVelocity" | "angularVelocity"> {
    const linear = new Float64Array(3);
    const angular = new Float64Array(3);
    if (this.#hasToldVelocity) {
      linear.set(this.#numbers.subarray(TOLD_LINEAR, TOLD_LINEAR + 3));
      angular.set(this.#numbers.subarray(TOLD_ANGULAR, TOLD_ANGULAR + 3));
    } else {
      this.window.viewer.velocityInto(linear, angular);
    }
    return {
      linearVelocity: [linear[0] as number, linear[1] as number, linear[2] as number],
      angularVelocity: [angular[0] as number, angular[1] as number, angular[2] as number],
    };
  }

  /** Everything known at the instant. Nothing in the result changes afterwards. */
  freeze(atMs: number): XRContext {
    const poseMs = this.#numbers[POSE_MS] as number;
    for (const record of this.#records) {
      if (!(record.isPointing && record.handMs === poseMs)) this.#endStaleRay(record, poseMs);
    }
    const { viewer } = this.window;
    const isKnown = viewer.readNewest(VIEWER);
    const poseAgeMs = isKnown ? Math.max(0, atMs - viewer.newestMs) : 0;
    return {
      ...this.facts,
      atMs,
      viewer: {
        isTracked: isKnown && poseAgeMs <= WINDOW_LIMITS.windowMs,
        pose: isKnown ? poseOfNumbers(VIEWER) : IDENTITY_POSE,
        ...this.motion(),
        emulatedPosition: this.#isEmulated,
        poseAgeMs,
      },
      inputSources: [...this.#sources.values()].map((record) => record.freeze(atMs)),
      attention: this.attention.targets(atMs),
      attentionHistory: this.attention.history(atMs - WINDOW_LIMITS.windowMs),
      scene: this.scene.snapshot(),
      consent: this.consent,
    };
  }

  #recordOf(id: number): SourceRecord | undefined {
    for (let index = 0; index < this.#records.length; index++) {
      if ((this.#records[index] as SourceRecord).id === id) return this.#records[index];
    }
    return undefined;
  }

  #recordViewer(sample: PoseSample, atMs: number): void {
    this.window.viewer.push(atMs, sample.viewer);
    this.#isEmulated = sample.emulatedPosition;
    this.#hasToldVelocity = sample.hasVelocities;
    if (!sample.hasVelocities) return;
    for (let axis = 0; axis < 3; axis++) {
      this.#numbers[TOLD_LINEAR + axis] = sample.linearVelocity[axis] as number;
      this.#numbers[TOLD_ANGULAR + axis] = sample.angularVelocity[axis] as number;
    }
  }

  #lookAtHead(atMs: number): readonly GestureEvent<string>[] {
    this.window.viewer.readNewest(VIEWER);
    this.attention.foldRay(HEAD_KEY, VIEWER, atMs, HEAD);
    return this.#gestures.foldViewer(VIEWER, atMs);
  }

  #lookAtSource(record: SourceRecord, atMs: number): readonly GestureEvent<string>[] {
    const { id, rayMs, handMs } = record;
    let events: readonly GestureEvent<string>[] = NO_GESTURES;
    if (handMs === atMs) events = this.#lookAtHand(record, atMs);
    else if (handMs > -Infinity && atMs - handMs > SOURCE_STALE_MS) events = this.#endHand(record, atMs);
    const isByFinger = handMs === atMs && record.isPointing;
    if (rayMs !== atMs && !isByFinger) {
      this.#endStaleRay(record, atMs);
      return events;
    }
    const kind = kindOf(record);
    if (kind === undefined || (kind === EYE && !this.consent.eyes)) return events;
    if (isByFinger) fingerPose(JOINTS, RAY);
    else record.readRay(RAY);
    record.rayTrack ??= this.window.ray(id);
    record.rayTrack?.push(atMs, RAY);
    this.attention.foldRay(id, RAY, atMs, record.isDeliberate ? kind.deliberate : kind.idle);
    return events;
  }

  #endStaleRay({ id, rayMs }: SourceRecord, atMs: number): void {
    if (rayMs > -Infinity && atMs - rayMs > SOURCE_STALE_MS) this.attention.endRay(id);
  }

  #lookAtHand(record: SourceRecord, atMs: number): readonly GestureEvent<string>[] {
    const { id, handedness } = record;
    record.readJoints(JOINTS);
    for (let axis = 0; axis < 3; axis++) TIP[axis] = JOINTS[INDEX_TIP * 3 + axis] as number;
    this.attention.foldTip(id, handedness, TIP, atMs);
    if (handedness === "none") return NO_GESTURES;
    const events = this.#gestures.foldHand(JOINTS, atMs, handedness);
    for (let index = 0; index < events.length; index++) this.foldGesture(events[index] as GestureEvent<string>);
    return events;
  }

  /** Also for gestures the client recognised itself, where hands stay on the device. */
  foldGesture(
    event: Pick<GestureEvent, "phase" | "confidence" | "sinceMs" | "tMs" | "handedness"> & { readonly name: string },
  ): void {
    for (const record of this.#sources.values()) {
      const isIts = event.handedness === "both" || record.description.handedness === event.handedness;
      if (isIts) record.foldGesture(event);
    }
  }

  #endHand(record: SourceRecord, atMs: number): readonly GestureEvent<string>[] {
    const { handedness } = record.description;
    const wasSeen = record.handMs > -Infinity;
    record.loseHand();
    this.attention.endTip(record.id);
    if (!wasSeen || handedness === "none") return NO_GESTURES;
    const events = this.#gestures.lost(handedness, atMs);
    for (const event of events) record.foldGesture(event);
    return events;
  }
}

const HANDS = ["none", "gesture", "rounded", "raw"] as const;
const ROOM = ["none", "labels", "lod", "full"] as const;

interface KindPair {
  readonly deliberate: RayKind;
  readonly idle: RayKind;
}

/** Undefined where the ray says nothing of its own. */
function kindOf(record: SourceRecord): KindPair | undefined {
  if (record.isEye) return EYE;
  return KINDS[record.description.targetRayMode]?.[record.handedness];
}

const HEAD: RayKind = { source: "head-gaze", isDeliberate: true };
const EYE: KindPair = pair("eye-gaze", "none");

/** Made once, so that a packet makes none. A `gaze` ray that is not from eyes is the head again and is left out. */
const KINDS: Readonly<Record<string, Readonly<Record<Handedness, KindPair>> | undefined>> = {
  "tracked-pointer": byHand("pointing"),
  screen: byHand("pointing"),
  "transient-pointer": byHand("transient-pointer"),
};

function byHand(source: Exclude<AttentionSource, "touch">): Readonly<Record<Handedness, KindPair>> {
  return { left: pair(source, "left"), right: pair(source, "right"), none: pair(source, "none") };
}

function pair(source: Exclude<AttentionSource, "touch">, handedness: Handedness): KindPair {
  const whose = handedness === "none" ? {} : { handedness };
  return { deliberate: { source, ...whose, isDeliberate: true }, idle: { source, ...whose, isDeliberate: false } };
}

function join(a: readonly GestureEvent<string>[], b: readonly GestureEvent<string>[]): readonly GestureEvent<string>[] {
  if (b.length === 0) return a;
  return a.length === 0 ? b : [...a, ...b];
}

/** A pose at the fingertip whose -Z runs from the first knuckle of the index finger to its tip. */
function fingerPose(joints: Float32Array, into: Float32Array): void {
  const tip = INDEX_TIP * 3;
  const knuckle = INDEX_KNUCKLE * 3;
  const dx = (joints[tip] as number) - (joints[knuckle] as number);
  const dy = (joints[tip + 1] as number) - (joints[knuckle + 1] as number);
  const dz = (joints[tip + 2] as number) - (joints[knuckle + 2] as number);
  const size = Math.sqrt(dx * dx + dy * dy + dz * dz) || 1;
  // The shortest rotation from -Z to d is (cross, 1 + dot); opposite directions turn about Y.
  const w = 1 - dz / size;
  const isBehind = w < 1e-6;
  const qx = isBehind ? 0 : dy / size;
  const qy = isBehind ? 1 : -dx / size;
  const qw = isBehind ? 0 : w;
  const scale = 1 / Math.sqrt(qx * qx + qy * qy + qw * qw);
  for (let axis = 0; axis < 3; axis++) into[axis] = joints[tip + axis] as number;
  into[3] = qx * scale;
  into[4] = qy * scale;
  into[5] = 0;
  into[6] = qw * scale;
}
