// What vision models found, over time: sightings of one thing become one entity, which grows surer with every look,
// fades when nobody sees it again, and fades fast when somebody looks where it was and does not find it.
import { boundsSize, distanceToBox } from "../geometry/bounds.ts";
import type { Pose } from "../geometry/pose.ts";
import { slerp } from "../geometry/quat.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { distance, lerp, normalize, subtract } from "../geometry/vec3.ts";
import { labelFit, normalName } from "../language/nouns.ts";
import type { SceneEntity, SceneSnapshot } from "../model/spatial.ts";
import { hitEntity } from "../scene/entity-hit.ts";
import type { EntityDescription } from "../scene/entity-description.ts";
import type { ImageView } from "../model/sight.ts";
import { isInImage, pixelOf } from "./image-view.ts";
import type { Sighting } from "../model/sight.ts";

export interface TrackerLimits {
  /** Things known by sight at one time; the least sure go first. */
  readonly thingsMax: number;
  /** Confidence halves in this time while a thing is not looked at. */
  readonly halfLifeMs: number;
  /** Below this a thing is forgotten. */
  readonly confidenceMin: number;
}

export const TRACKER_LIMITS: TrackerLimits = { thingsMax: 200, halfLifeMs: 120_000, confidenceMin: 0.15 };

/** What a look changed, in the words of the scene graph. */
export interface SightChange {
  readonly put: readonly EntityDescription[];
  readonly remove: readonly string[];
  /** For each sighting, in order: the entity that it is; undefined where it has no place. */
  readonly ids: readonly (string | undefined)[];
}

interface Track {
  readonly id: string;
  readonly label: string;
  text: string | undefined;
  pose: Pose;
  bounds: SceneEntity["bounds"];
  confidence: number;
  errorM: number;
  looks: number;
  lastSeenMs: number;
  /** Confidence was last aged to this moment. */
  agedMs: number;
}

/** A thing is at least this near to where it was before, whatever its size. */
const GATE_M = 0.25;
/** Beyond this a thing has not jittered but moved. */
const MOVE_M = 0.5;
const SURE = 0.98;
/** What is left of the confidence after a look that should have shown the thing and did not. */
const MISSED = 0.55;
/** The middle half of the image: at the border a thing may be cut. */
const BORDER = 0.08;
const ON_THING_M = 0.12;
const PREFIX = "seen-";

export class SightTracker {
  readonly #limits: TrackerLimits;
  readonly #tracks = new Map<string, Track>();
  #count = 0;

  constructor(limits: TrackerLimits = TRACKER_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#tracks.size;
  }

  /** Forgets everything: consent was withdrawn, or the origin of the room moved. Returns the ids to remove. */
  clear(): readonly string[] {
    const ids = [...this.#tracks.keys()];
    this.#tracks.clear();
    return ids;
  }

  /**
   * `isComplete`: the model was asked for everything in the image, so that what is missing counts against things that
   * should be in it. `askedFor`: only these words were looked for.
   */
  fold(
    view: ImageView,
    sightings: readonly Sighting[],
    scene: SceneSnapshot,
    asked: { readonly isComplete?: boolean; readonly labels?: readonly string[] } = {},
  ): SightChange {
    const put = new Map<string, EntityDescription>();
    const met = new Set<string>();
    const ids = sightings.map((sighting) => {
      if (sighting.placedBy === "direction") return undefined;
      const known = knownThing(sighting, scene);
      if (known !== undefined) return known.id;
      const track = this.#match(sighting, met) ?? this.#open(sighting);
      met.add(track.id);
      this.#improve(track, sighting);
      put.set(track.id, describe(track));
      return track.id;
    });
    for (const track of this.#tracks.values()) {
      if (met.has(track.id)) continue;
      const isAskedFor =
        asked.isComplete === true || asked.labels?.some((label) => isSameName(label, track.label)) === true;
      if (isAskedFor && shouldBeSeen(track, view, scene)) {
        track.confidence *= MISSED;
        put.set(track.id, describe(track));
      }
    }
    const remove = [...this.age(view.atMs), ...this.#dropWeakest()];
    for (const id of remove) put.delete(id);
    return { put: [...put.values()], remove, ids };
  }

  /** Lets confidence fade to this moment. Returns the things that are forgotten by it. */
  age(nowMs: number): readonly string[] {
    const gone: string[] = [];
    for (const track of this.#tracks.values()) {
      const idleMs = nowMs - track.agedMs;
      if (idleMs > 0) {
        // What was seen many times is not forgotten as fast as a glimpse.
        const halfLifeMs = this.#limits.halfLifeMs * Math.min(5, 1 + track.looks / 4);
        track.confidence *= 0.5 ** (idleMs / halfLifeMs);
        track.agedMs = nowMs;
      }
      if (track.confidence < this.#limits.confidenceMin) gone.push(track.id);
    }
    for (const id of gone) this.#tracks.delete(id);
    return gone;
  }

  /** As it is believed now. */
  confidenceOf(id: string): number | undefined {
    return this.#tracks.get(id)?.confidence;
  }

  #match(sighting: Sighting, taken: ReadonlySet<string>): Track | undefined {
    let best: Track | undefined;
    let bestM = Infinity;
    const alike = [...this.#tracks.values()].filter(
      (track) => !taken.has(track.id) && isSameName(sighting.label, track.label),
    );
    for (const track of alike) {
      const apartM = distance(track.pose.position, sighting.pose.position);
      const size = Math.max(...boundsSize(track.bounds), ...boundsSize(sighting.bounds));
      const gateM = Math.max(GATE_M, size / 2) + 2 * (track.errorM + sighting.errorM);
      if (apartM > gateM || apartM >= bestM) continue;
      best = track;
      bestM = apartM;
    }
    return best;
  }

  #open(sighting: Sighting): Track {
    const id = `${PREFIX}${++this.#count}`;
    const track: Track = {
      id,
      label: sighting.label,
      text: sighting.text,
      pose: sighting.pose,
      bounds: sighting.bounds,
      confidence: 0,
      errorM: sighting.errorM,
      looks: 0,
      lastSeenMs: sighting.atMs,
      agedMs: sighting.atMs,
    };
    this.#tracks.set(id, track);
    return track;
  }

  /** A mean weighted by how well each look knew the place; what has moved is taken as it is. */
  #improve(track: Track, sighting: Sighting): void {
    const isFirst = track.looks === 0;
    const hasMoved = distance(track.pose.position, sighting.pose.position) > MOVE_M;
    const share = isFirst || hasMoved ? 1 : track.errorM ** 2 / (track.errorM ** 2 + sighting.errorM ** 2);
    track.pose = {
      position: lerp(track.pose.position, sighting.pose.position, share),
      orientation: slerp(track.pose.orientation, sighting.pose.orientation, share),
    };
    const { bounds } = track;
    track.bounds = {
      min: lerp(bounds.min, sighting.bounds.min, share),
      max: lerp(bounds.max, sighting.bounds.max, share),
    };
    // Errors of one room are alike (a lens, a drift): many looks do not make a place exact.
    track.errorM = share === 1 ? sighting.errorM : Math.max(0.01, Math.sqrt(1 - share) * track.errorM);
    track.confidence = Math.min(SURE, 1 - (1 - track.confidence) * (1 - sighting.confidence * 0.9));
    track.text = sighting.text ?? track.text;
    track.looks++;
    track.lastSeenMs = Math.max(track.lastSeenMs, sighting.atMs);
    track.agedMs = Math.max(track.agedMs, sighting.atMs);
  }

  #dropWeakest(): readonly string[] {
    const over = this.#tracks.size - this.#limits.thingsMax;
    if (over <= 0) return [];
    const weakest = [...this.#tracks.values()].sort((a, b) => a.confidence - b.confidence).slice(0, over);
    for (const { id } of weakest) this.#tracks.delete(id);
    return weakest.map(({ id }) => id);
  }
}

/** The room's own thing of that name, where the sighting lies in or on it: then nothing new was found. */
function knownThing({ label, position }: Sighting, scene: SceneSnapshot): SceneEntity | undefined {
  let best: SceneEntity | undefined;
  let bestM = ON_THING_M;
  for (const entity of scene.entities) {
    if (entity.source === "vision" || entity.semanticLabel === "global mesh") continue;
    if (!isSameName(label, entity.semanticLabel) && !isSameName(label, entity.name ?? "")) continue;
    const apartM = distanceToBox(entity.pose, entity.bounds, position);
    if (apartM > bestM) continue;
    best = entity;
    bestM = apartM;
  }
  return best;
}

/** Inside the image, not at its border, and nothing the room knows of in between. */
function shouldBeSeen(track: Track, view: ImageView, scene: SceneSnapshot): boolean {
  const pixel = pixelOf(view, track.pose.position);
  if (pixel === undefined || !isInImage(view, pixel)) return false;
  const { widthPx, heightPx } = view;
  const isAtBorder =
    pixel.xPx < widthPx * BORDER ||
    pixel.xPx > widthPx * (1 - BORDER) ||
    pixel.yPx < heightPx * BORDER ||
    pixel.yPx > heightPx * (1 - BORDER);
  if (isAtBorder || pixel.depthM > 6) return false;
  const away = distance(view.pose.position, track.pose.position);
  const direction = normalize(subtract(track.pose.position, view.pose.position));
  const ray = { origin: view.pose.position, direction };
  const reachM = away - Math.max(...boundsSize(track.bounds)) / 2 - ON_THING_M;
  if (view.depth !== undefined) return (view.depth.distanceAlong(ray) ?? 0) > reachM;
  return !scene.entities.some((entity) => {
    if (entity.source === "vision" || (entity.semanticLabel === "global mesh" && entity.surface === undefined))
      return false;
    const hit = hitEntity(ray, entity, reachM);
    return hit !== undefined && hit.distanceM > 0;
  });
}

/** "coffee mug" and "mug", "sofa" and "couch". */
function isSameName(words: string, label: string): boolean {
  return label !== "" && labelFit(normalName(words), normalName(label)) >= 2;
}

function describe(track: Track): EntityDescription {
  return {
    id: track.id,
    kind: track.label === "person" ? "person" : "object",
    semanticLabel: track.label,
    ...(track.text === undefined ? {} : { description: `reads "${track.text}"` }),
    pose: track.pose,
    bounds: { min: rounded(track.bounds.min), max: rounded(track.bounds.max) },
    confidence: track.confidence,
    source: "vision",
    affordances: [],
  };
}

/** Whole centimetres: no look is exact enough for more, and a room that seems to change with every look is no use to caches. */
function rounded([x, y, z]: Vec3): Vec3 {
  return [Math.round(x * 100) / 100, Math.round(y * 100) / 100, Math.round(z * 100) / 100];
}
