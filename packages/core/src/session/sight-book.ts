// What a session knows through its camera: images of the last moments with the eye each was taken from, depth, and the
// things that models found in them.
import type { DepthPacket, ImagePacket, SeenNode } from "@fovea/protocol";
import { length } from "../geometry/vec3.ts";
import type { SceneEntity, SceneSnapshot } from "../model/spatial.ts";
import type { EntityDescription } from "../scene/entity-description.ts";
import { DepthMap } from "../vision/depth-map.ts";
import type { ImageView, SeenBox, Sighting } from "../model/sight.ts";
import type { CameraImage, KeyImageLimits } from "../vision/key-images.ts";
import { KeyImages } from "../vision/key-images.ts";
import { sightingOf } from "../vision/sighting.ts";
import { SightTracker } from "../vision/sight-tracker.ts";
import type { SightChange } from "../vision/sight-tracker.ts";
import { viewFromPacket } from "../vision/view-from-packet.ts";

/** Depth images kept: the newest ones, for images that arrive after theirs. */
const DEPTHS_MAX = 4;
/** Seen things fade in steps of this. */
const AGE_MS = 5_000;

/** How fast the head was at the exposure; the camera is on the head. */
export interface CameraMotion {
  readonly linear: readonly [number, number, number];
  readonly angular: readonly [number, number, number];
}

export class SightBook {
  readonly images: KeyImages;
  readonly #tracker = new SightTracker();
  #depths: DepthMap[] = [];
  #agedMs = 0;

  constructor(limits: KeyImageLimits) {
    this.images = new KeyImages(limits);
  }

  get things(): number {
    return this.#tracker.size;
  }

  /** The bytes lie in the socket's buffer, which is used again: they are copied. `atMs` is the exposure. */
  foldImage(packet: ImagePacket, atMs: number, motion: CameraMotion): CameraImage {
    const depth =
      packet.depthRef === 0 ? undefined : this.#depths.findLast((candidate) => candidate.depthId === packet.depthRef);
    const image: CameraImage = {
      view: viewFromPacket(packet, atMs, depth),
      bytes: packet.payload.slice(),
      mime: "image/jpeg",
      isPlaced: packet.isPoseUnknown !== true,
      turnRadPerS: length(motion.angular),
      moveMPerS: length(motion.linear),
    };
    this.images.offer(image);
    return image;
  }

  foldDepth(packet: DepthPacket): void {
    this.#depths = [...this.#depths.slice(1 - DEPTHS_MAX), new DepthMap(packet)];
  }

  /** Boxes that a model found in one image, as changes of the scene. */
  foldBoxes(
    view: ImageView,
    boxes: readonly SeenBox[],
    scene: SceneSnapshot,
    asked: Parameters<SightTracker["fold"]>[3],
  ): SightChange {
    const sightings = boxes.flatMap((box) => sightingOf(box, view, scene) ?? []);
    return this.#tracker.fold(view, sightings, scene, asked);
  }

  foldSighting(view: ImageView, sighting: Sighting, scene: SceneSnapshot): SightChange {
    return this.#tracker.fold(view, [sighting], scene);
  }

  /** Ids of things that have faded away; asked often, answered now and then. */
  age(atMs: number): readonly string[] {
    if (atMs - this.#agedMs < AGE_MS) return [];
    this.#agedMs = atMs;
    return this.#tracker.age(atMs);
  }

  /** The camera is withdrawn: pictures and depth go. */
  forgetImages(): void {
    this.images.clear();
    this.#depths = [];
  }

  /** The room is withdrawn, or its origin moved: what was seen lies nowhere any more. Returns the ids. */
  forgetThings(): readonly string[] {
    return this.#tracker.clear();
  }
}

/** A thing as the client is told of it. */
export function seenNodeOf(entity: EntityDescription | SceneEntity, text?: string): SeenNode {
  const { id, semanticLabel, pose, bounds, confidence } = entity;
  return { id, semanticLabel, pose, bounds, confidence, ...(text === undefined ? {} : { text }) };
}
