// What the user attends to, by every means a session has: direction of the head, pointing rays, system pointers and
// fingertips. Each means has its own focus (see focus.ts); which entity a ray means is decided by target-picker.ts.
// Head direction is called head gaze and is never passed off as eye tracking.
import type { AttentionSource, AttentionSpan, AttentionTarget, Handedness } from "../model/xr-context.ts";
import type { SceneGraph } from "../scene/scene-graph.ts";
import type { FocusRule, Meeting } from "./focus.ts";
import { Focus } from "./focus.ts";
import type { PickRule, SnapMemory } from "./target-picker.ts";
import { PAST_SPREAD_RAYS, TargetPicker } from "./target-picker.ts";

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
  readonly focus: Focus;
  readonly ray: Float64Array;
  readonly source: RaySource;
  readonly sourceId: number;
  readonly snap: SnapMemory;
  foldedMs: number;
  isDeliberate: boolean;
}

interface Fingertip {
  readonly focus: Focus;
  readonly sourceId: number;
}

export class Attention {
  readonly #scene: SceneGraph;
  readonly #picker: TargetPicker;
  readonly #beams = new Map<number, Beam>();
  readonly #tips = new Map<number, Fingertip>();
  readonly #told = new Map<string, Told>();
  /** Foci of sources that are gone, while their spans may still be asked for. */
  readonly #ended: Focus[] = [];
  readonly #met: Meeting = { entityId: "", distanceM: 0, angleRad: 0, x: 0, y: 0, z: 0 };
  readonly #tip = new Float64Array(3);
  readonly #tipBox = new Float64Array(6);
  #tipSlot = -1;
  #tipGapM = Infinity;
  readonly #touch = (slot: number): void => this.#considerTouch(slot);

  constructor(scene: SceneGraph) {
    this.#scene = scene;
    this.#picker = new TargetPicker(scene.index);
  }

  /** `pose` is position and orientation of the ray's space, whose -Z is the ray. Keys: -1 is the head, else a source id. */
  foldRay(key: number, pose: Float32Array, atMs: number, how: RayKind): void {
    let beam = this.#beams.get(key);
    if (beam === undefined || beam.source !== how.source) {
      this.endSource(key);
      beam = openBeam(key, how);
      this.#beams.set(key, beam);
    }
    aim(beam.ray, pose);
    beam.isDeliberate = how.isDeliberate;
    if (atMs - beam.foldedMs < (how.isDeliberate ? INTERVAL_MS : IDLE_INTERVAL_MS)) return;
    beam.foldedMs = atMs;
    this.#foldBeam(beam, atMs);
  }

  /** Where an index fingertip is, metres in the reference space. */
  foldTip(sourceId: number, handedness: Handedness, tip: readonly [number, number, number], atMs: number): void {
    let finger = this.#tips.get(sourceId);
    if (finger === undefined) {
      finger = { focus: new Focus("touch", handedness, TOUCH), sourceId };
      this.#tips.set(sourceId, finger);
    }
    for (let axis = 0; axis < 3; axis++) {
      const value = tip[axis] as number;
      this.#tip[axis] = value;
      this.#tipBox[axis] = value - TOUCH_M;
      this.#tipBox[axis + 3] = value + TOUCH_M;
    }
    this.#tipSlot = -1;
    this.#tipGapM = Infinity;
    this.#scene.index.searchBox(this.#tipBox, this.#touch);
    const entityId = this.#scene.index.entityAt(this.#tipSlot)?.id;
    if (entityId === undefined) {
      finger.focus.fold(undefined, atMs);
      return;
    }
    const gapM = Math.max(0, this.#tipGapM - WIDENED_M);
    const met = this.#met;
    met.entityId = entityId;
    met.distanceM = gapM;
    met.angleRad = 0;
    met.x = tip[0];
    met.y = tip[1];
    met.z = tip[2];
    finger.focus.fold(met, atMs);
    finger.focus.noteConfidence(touchConfidence(gapM));
  }

  /** What the client's own system says is attended to: a system pointer or eyes, whose rays never leave the device. */
  foldTold(source: "transient-pointer" | "eye-gaze", told: Omit<Told, "source" | "atMs">, atMs: number): void {
    this.#told.set(source, { ...told, source, atMs });
  }

  /** The ray of a source is not there (hand lost, null pose): attention ends where it was last. */
  endSource(key: number): void {
    for (const table of [this.#beams, this.#tips]) {
      const known = table.get(key);
      if (known === undefined) continue;
      known.focus.end();
      this.#ended.push(known.focus);
      if (this.#ended.length > 8) this.#ended.shift();
      table.delete(key);
    }
  }

  /** After a change of the scene: nobody attends to what is gone, and a ray that met nothing may meet something now. */
  reconcile(atMs: number): void {
    for (const { focus } of this.#tips.values()) this.#dropGone(focus);
    for (const beam of this.#beams.values()) {
      this.#dropGone(beam.focus);
      beam.snap.searchedMs = -Infinity;
      if (beam.focus.entityId === undefined) this.#foldBeam(beam, Math.max(atMs, beam.foldedMs));
    }
  }

  #dropGone(focus: Focus): void {
    const { entityId } = focus;
    if (entityId !== undefined && this.#scene.get(entityId) === undefined) focus.drop(entityId);
  }

  /** Forgets targets and their history, of everything or of all but the head. */
  clear(which: "all" | "sources" | "head"): void {
    if (which === "all") this.#ended.length = 0;
    for (const key of this.#beams.keys()) {
      if (which === "all" || (key === HEAD_KEY) === (which === "head")) this.#beams.delete(key);
    }
    if (which === "head") return;
    this.#told.clear();
    this.#tips.clear();
    this.#ended.length = 0;
  }

  /** Most deliberate first: touch, system pointer, deliberate pointing, eyes, head, whatever else has a ray. */
  targets(atMs: number): readonly AttentionTarget[] {
    const found: { readonly rank: number; readonly target: AttentionTarget }[] = [];
    for (const { focus } of this.#tips.values()) {
      const target = focus.target(atMs, touchConfidence(0), false);
      if (target !== undefined) {
        found.push({ rank: 0, target: { ...target, confidence: touchConfidence(target.distanceM) } });
      }
    }
    for (const beam of this.#beams.values()) {
      const slot = this.#slotOf(beam.focus.entityId);
      if (slot < 0) continue;
      const isOccluded = this.#picker.isOccluded(beam.ray, slot);
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
    const foci = [...this.#ended, ...this.#map(this.#beams), ...this.#map(this.#tips)];
    return foci
      .flatMap((focus) => focus.spans(sinceMs, (ray, entityId) => this.#evidence(focus.source, ray, entityId)))
      .sort((a, b) => a.fromMs - b.fromMs);
  }

  #evidence(source: AttentionSource, ray: Float64Array, entityId: string): number {
    const slot = this.#slotOf(entityId);
    if (source === "touch" || slot < 0) return GONE_CONFIDENCE;
    return this.#picker.confidence(ray, RULES[source], slot, PAST_SPREAD_RAYS);
  }

  #map(table: ReadonlyMap<number, { readonly focus: Focus }>): readonly Focus[] {
    return [...table.values()].map((entry) => entry.focus);
  }

  #foldBeam(beam: Beam, atMs: number): void {
    const { focus, ray } = beam;
    const rule = RULES[beam.source];
    const slot = this.#picker.pick(ray, rule, this.#slotOf(focus.entityId), beam.snap, atMs);
    const entityId = this.#scene.index.entityAt(slot)?.id;
    if (entityId === undefined) {
      focus.fold(undefined, atMs);
      return;
    }
    const { result } = this.#picker;
    const met = this.#met;
    met.entityId = entityId;
    met.distanceM = result.distanceM;
    met.angleRad = result.angleRad;
    met.x = (ray[0] as number) + (ray[3] as number) * result.distanceM;
    met.y = (ray[1] as number) + (ray[4] as number) * result.distanceM;
    met.z = (ray[2] as number) + (ray[5] as number) * result.distanceM;
    focus.fold(met, atMs, ray);
  }

  #confidence(beam: Beam, slot: number): number {
    const share = this.#picker.confidence(beam.ray, RULES[beam.source], slot);
    return beam.isDeliberate ? share : share * UNINTENDED_SHARE;
  }

  #slotOf(entityId: string | undefined): number {
    return entityId === undefined ? -1 : (this.#scene.index.slotOf(entityId) ?? -1);
  }

  /** Of everything within reach the smallest is touched: the button, not the table it stands on. */
  #considerTouch(slot: number): void {
    const { shapes } = this.#scene.index;
    const gapM = shapes.distanceTo(slot, this.#tip);
    if (gapM > TOUCH_M - WIDENED_M) return;
    if (this.#tipSlot >= 0 && shapes.faceM2(slot) >= shapes.faceM2(this.#tipSlot)) return;
    this.#tipSlot = slot;
    this.#tipGapM = gapM;
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
  return {
    focus: new Focus(source, handedness, RULES[source]),
    ray: new Float64Array(6),
    source,
    sourceId: key,
    snap: { slot: -1, searchedMs: -Infinity },
    foldedMs: -Infinity,
    isDeliberate,
  };
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
