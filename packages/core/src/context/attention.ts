// What the user attends to, by every means a session has: direction of the head, pointing rays, system pointers and
// fingertips. Each means has its own focus (see focus.ts); which entity a ray means is decided by target-picker.ts.
// Head direction is called head gaze and is never passed off as eye tracking.
import type { AttentionSource, AttentionSpan, AttentionTarget, Handedness } from "../model/xr-context.ts";
import type { SceneGraph } from "../scene/scene-graph.ts";
import type { FocusRule, Meeting } from "./focus.ts";
import { Focus, FOCUS_NUMBERS } from "./focus.ts";
import type { PickRule } from "./target-picker.ts";
import { PAST_SPREAD_RAYS, SNAP_NUMBERS, SNAP_SEARCHED_MS, SNAP_SLOT, TargetPicker } from "./target-picker.ts";

type RaySource = Exclude<AttentionSource, "touch">;

const degrees = (value: number): number => (value * Math.PI) / 180;

/** Error of each means in use (xr reference section 7; heads follow the eyes only roughly) and how quick it may change. */
const RULES: Readonly<Record<RaySource, PickRule & FocusRule>> = {
  "head-gaze": { sigmaRad: degrees(4), snapRad: degrees(2.5), distanceMaxM: 30, commitMs: 120, releaseMs: 200 },
  "eye-gaze": { sigmaRad: degrees(1.5), snapRad: degrees(1.5), distanceMaxM: 30, commitMs: 70, releaseMs: 120 },
  pointing: { sigmaRad: degrees(2), snapRad: degrees(1.5), distanceMaxM: 30, commitMs: 90, releaseMs: 160 },
  "transient-pointer": { sigmaRad: degrees(1), snapRad: degrees(1.5), distanceMaxM: 30, commitMs: 0, releaseMs: 0 },
};
const TOUCH: FocusRule = { commitMs: 50, releaseMs: 100 };
/** From the fingertip to the entity's own surface; the index measures to one widened by 1 cm. */
const TOUCH_M = 0.03;
const WIDENED_M = 0.01;
/** A target 30 times a second is enough; faster samples only move the ray. */
const INTERVAL_MS = 25;
/** What a hand at rest happens to point at is asked for less often. */
const IDLE_INTERVAL_MS = 95;
/** About a thing that has left the room nothing can be found out any more. */
const GONE_CONFIDENCE = 0.5;
/** An open hand's ray points somewhere at all times, a pointing finger means it. */
const UNINTENDED_SHARE = 0.5;

/** A told target holds this long without being told again. */
const TOLD_MS = 2_000;
/** The device knows its own rays; what it cannot know is whether the user meant it. */
const TOLD_CONFIDENCE = 0.9;

interface Told {
  readonly entityId: string;
  readonly source: "transient-pointer" | "eye-gaze";
  readonly distanceM: number;
  readonly dwellMs: number;
  readonly atMs: number;
}

interface Beam {
  readonly key: number;
  readonly source: RaySource;
  readonly focus: Focus;
  /** See `RAY` and what follows it. */
  readonly numbers: Float64Array;
  isDeliberate: boolean;
  /** Where the focus was in the index last; a hint, since slots are given anew. */
  slot: number;
}

interface Fingertip {
  readonly key: number;
  readonly focus: Focus;
}

/** What a beam keeps in its array: the ray, when it was folded last, what the picker remembers, and then its focus. */
const RAY = 0;
const FOLDED_MS = 6;
const SNAP = 7;
const FOCUS = SNAP + SNAP_NUMBERS;
const BEAM_NUMBERS = FOCUS + FOCUS_NUMBERS;

/** What is being folded: one set for all sessions, since folding is synchronous. */
const MET: Meeting = { entityId: "", distanceM: 0, angleRad: 0, x: 0, y: 0, z: 0 };
const TIP_BOX = new Float64Array(6);
const TOUCHED = { slot: -1, gapM: Infinity };

export class Attention {
  readonly #scene: SceneGraph;
  readonly #picker: TargetPicker;
  readonly #beams: Beam[] = [];
  readonly #tips: Fingertip[] = [];
  readonly #told = new Map<string, Told>();
  /** Foci of sources that are gone, while their spans may still be asked for. */
  readonly #ended: Focus[] = [];
  #tip: Float64Array = TIP_BOX;
  readonly #touch = (slot: number): void => this.#considerTouch(slot);

  constructor(scene: SceneGraph) {
    this.#scene = scene;
    this.#picker = new TargetPicker(scene.index);
  }

  /** `pose` is position and orientation of the ray's space, whose -Z is the ray. Keys: -1 is the head, else a source id. */
  foldRay(key: number, pose: Float32Array, atMs: number, how: RayKind): void {
    let beam = withKey(this.#beams, key);
    if (beam === undefined || beam.source !== how.source) {
      this.endRay(key);
      beam = openBeam(key, how);
      this.#beams.push(beam);
    }
    const { numbers } = beam;
    aim(numbers, pose);
    beam.isDeliberate = how.isDeliberate;
    if (atMs - (numbers[FOLDED_MS] as number) < (how.isDeliberate ? INTERVAL_MS : IDLE_INTERVAL_MS)) return;
    numbers[FOLDED_MS] = atMs;
    this.#foldBeam(beam, atMs);
  }

  /** Where an index fingertip is, three numbers, metres in the reference space. */
  foldTip(sourceId: number, handedness: Handedness, tip: Float64Array, atMs: number): void {
    let finger = withKey(this.#tips, sourceId);
    if (finger === undefined) {
      const focus = new Focus("touch", handedness, TOUCH, new Float64Array(FOCUS_NUMBERS), 0);
      finger = { key: sourceId, focus };
      this.#tips.push(finger);
    }
    for (let axis = 0; axis < 3; axis++) {
      const value = tip[axis] as number;
      TIP_BOX[axis] = value - TOUCH_M;
      TIP_BOX[axis + 3] = value + TOUCH_M;
    }
    this.#tip = tip;
    TOUCHED.slot = -1;
    TOUCHED.gapM = Infinity;
    this.#scene.index.searchBox(TIP_BOX, this.#touch);
    const entityId = this.#scene.index.idAt(TOUCHED.slot);
    if (entityId === undefined) {
      finger.focus.fold(undefined, atMs);
      return;
    }
    const gapM = Math.max(0, TOUCHED.gapM - WIDENED_M);
    MET.entityId = entityId;
    MET.distanceM = gapM;
    MET.angleRad = 0;
    MET.x = tip[0] as number;
    MET.y = tip[1] as number;
    MET.z = tip[2] as number;
    finger.focus.fold(MET, atMs);
    finger.focus.noteConfidence(touchConfidence(gapM));
  }

  /** What the client's own system says is attended to: a system pointer or eyes, whose rays never leave the device. */
  foldTold(source: "transient-pointer" | "eye-gaze", told: Omit<Told, "source" | "atMs">, atMs: number): void {
    this.#told.set(source, { ...told, source, atMs });
  }

  /** A source is gone: attention ends where it was last. */
  endSource(key: number): void {
    this.endRay(key);
    this.endTip(key);
  }

  /** The ray of a source is not there (null pose, controller put down). */
  endRay(key: number): void {
    this.#end(this.#beams, key);
  }

  /** The hand of a source is not there. */
  endTip(key: number): void {
    this.#end(this.#tips, key);
  }

  #end(list: { readonly key: number; readonly focus: Focus }[], key: number): void {
    const known = withKey(list, key);
    if (known === undefined) return;
    known.focus.end();
    this.#ended.push(known.focus);
    if (this.#ended.length > 8) this.#ended.shift();
    list.splice(list.indexOf(known), 1);
  }

  /** After a change of the scene: nobody attends to what is gone, and a ray that met nothing may meet something now. */
  reconcile(atMs: number): void {
    for (const { focus } of this.#tips) this.#dropGone(focus);
    for (const beam of this.#beams) {
      this.#dropGone(beam.focus);
      beam.numbers[SNAP + SNAP_SEARCHED_MS] = -Infinity;
      if (beam.focus.entityId === undefined) this.#foldBeam(beam, Math.max(atMs, beam.numbers[FOLDED_MS] as number));
    }
  }

  #dropGone(focus: Focus): void {
    const { entityId } = focus;
    if (entityId !== undefined && this.#scene.get(entityId) === undefined) focus.drop(entityId);
  }

  /** Forgets targets and their history, of everything or of all but the head. */
  clear(which: "all" | "sources" | "head"): void {
    if (which === "all") this.#ended.length = 0;
    for (let index = this.#beams.length - 1; index >= 0; index--) {
      const isHead = this.#beams[index]?.key === HEAD_KEY;
      if (which === "all" || isHead === (which === "head")) this.#beams.splice(index, 1);
    }
    if (which === "head") return;
    this.#told.clear();
    this.#tips.length = 0;
    this.#ended.length = 0;
  }

  /** Most deliberate first: touch, system pointer, deliberate pointing, eyes, head, whatever else has a ray. */
  targets(atMs: number): readonly AttentionTarget[] {
    const found: { readonly rank: number; readonly target: AttentionTarget }[] = [];
    for (const { focus } of this.#tips) {
      const target = focus.target(atMs, touchConfidence(0), false);
      if (target !== undefined) {
        found.push({ rank: 0, target: { ...target, confidence: touchConfidence(target.distanceM) } });
      }
    }
    for (const beam of this.#beams) {
      const slot = this.#slotOf(beam);
      if (slot < 0) continue;
      const isOccluded = this.#picker.isOccluded(beam.numbers, slot);
      const target = beam.focus.target(atMs, this.#confidence(beam, slot), isOccluded);
      if (target !== undefined) found.push({ rank: rankOf(beam), target });
    }
    for (const told of this.#told.values()) {
      if (atMs - told.atMs > TOLD_MS || this.#scene.get(told.entityId) === undefined) continue;
      const { entityId, source, distanceM, dwellMs } = told;
      const target = {
        entityId,
        source,
        angleRad: 0,
        distanceM,
        dwellMs,
        isOccluded: false,
        confidence: TOLD_CONFIDENCE,
      };
      found.push({ rank: source === "eye-gaze" ? 3 : 1, target });
    }
    return found.sort((a, b) => a.rank - b.rank).map((entry) => entry.target);
  }

  /** Everything attended to since the instant, by beginning. */
  history(sinceMs: number): readonly AttentionSpan[] {
    const open = [...this.#beams, ...this.#tips].map((entry) => entry.focus);
    return [...this.#ended, ...open]
      .flatMap((focus) => focus.spans(sinceMs, (ray, entityId) => this.#evidence(focus.source, ray, entityId)))
      .sort((a, b) => a.fromMs - b.fromMs);
  }

  #evidence(source: AttentionSource, ray: Float64Array, entityId: string): number {
    const slot = this.#scene.index.slotOf(entityId);
    if (source === "touch" || slot === undefined) return GONE_CONFIDENCE;
    return this.#picker.confidence(ray, RULES[source], slot, PAST_SPREAD_RAYS);
  }

  #foldBeam(beam: Beam, atMs: number): void {
    const { focus, numbers } = beam;
    const rule = RULES[beam.source];
    const slot = this.#picker.pick(numbers, rule, this.#slotOf(beam), SNAP, atMs);
    const entityId = this.#scene.index.idAt(slot);
    if (entityId === undefined) {
      focus.fold(undefined, atMs);
      return;
    }
    beam.slot = slot;
    const { distanceM, angleRad } = this.#picker.result;
    MET.entityId = entityId;
    MET.distanceM = distanceM;
    MET.angleRad = angleRad;
    MET.x = (numbers[RAY] as number) + (numbers[RAY + 3] as number) * distanceM;
    MET.y = (numbers[RAY + 1] as number) + (numbers[RAY + 4] as number) * distanceM;
    MET.z = (numbers[RAY + 2] as number) + (numbers[RAY + 5] as number) * distanceM;
    focus.fold(MET, atMs, numbers);
  }

  #confidence(beam: Beam, slot: number): number {
    const share = this.#picker.confidence(beam.numbers, RULES[beam.source], slot);
    return beam.isDeliberate ? share : share * UNINTENDED_SHARE;
  }

  /** Slot of what the beam's focus is on, or -1. */
  #slotOf(beam: Beam): number {
    const { entityId } = beam.focus;
    if (entityId === undefined) return -1;
    const { index } = this.#scene;
    return index.idAt(beam.slot) === entityId ? beam.slot : (index.slotOf(entityId) ?? -1);
  }

  /** Of everything within reach the smallest is touched: the button, not the table it stands on. */
  #considerTouch(slot: number): void {
    const { shapes } = this.#scene.index;
    const gapM = shapes.distanceTo(slot, this.#tip);
    if (gapM > TOUCH_M - WIDENED_M) return;
    if (TOUCHED.slot >= 0 && shapes.faceM2(slot) >= shapes.faceM2(TOUCHED.slot)) return;
    TOUCHED.slot = slot;
    TOUCHED.gapM = gapM;
  }
}

/** Key of the head among the rays; input sources have ids from 0. */
export const HEAD_KEY = -1;

export interface RayKind {
  readonly source: RaySource;
  readonly handedness?: Handedness;
  /** Whether the user means to point: a held controller, a pointing or pinching hand, a system pointer. */
  readonly isDeliberate: boolean;
}

function openBeam(key: number, { source, handedness, isDeliberate }: RayKind): Beam {
  const numbers = new Float64Array(BEAM_NUMBERS);
  numbers[FOLDED_MS] = -Infinity;
  numbers[SNAP + SNAP_SLOT] = -1;
  numbers[SNAP + SNAP_SEARCHED_MS] = -Infinity;
  return {
    key,
    source,
    focus: new Focus(source, handedness, RULES[source], numbers, FOCUS),
    numbers,
    isDeliberate,
    slot: -1,
  };
}

function withKey<Entry extends { readonly key: number }>(list: readonly Entry[], key: number): Entry | undefined {
  for (let index = 0; index < list.length; index++) {
    if (list[index]?.key === key) return list[index];
  }
  return undefined;
}

/** Full contact is certain, three centimetres are a coin toss. */
function touchConfidence(gapM: number): number {
  return 1 - 0.5 * Math.min(1, gapM / TOUCH_M);
}

function rankOf(beam: Beam): number {
  if (beam.source === "transient-pointer") return 1;
  if (beam.source === "pointing") return beam.isDeliberate ? 2 : 5;
  return beam.source === "eye-gaze" ? 3 : 4;
}

/** Origin and the direction of -Z. */
function aim(ray: Float64Array, pose: Float32Array): void {
  const x = pose[3] as number;
  const y = pose[4] as number;
  const z = pose[5] as number;
  const w = pose[6] as number;
  ray[0] = pose[0] as number;
  ray[1] = pose[1] as number;
  ray[2] = pose[2] as number;
  ray[3] = -2 * (x * z + w * y);
  ray[4] = -2 * (y * z - w * x);
  ray[5] = -(1 - 2 * (x * x + y * y));
}
