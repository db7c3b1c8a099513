// What of an incoming sample or room the user agreed to. The page leaves the rest out already; this is the trusted place
// where it is left out again, before anything is stored.
import type { InputSourceDescription, PoseSample, PoseSource, WireConsent } from "@fovea/protocol";
import { HAND_LEVELS, ROOM_LEVELS } from "@fovea/protocol";
import type { Consent } from "../model/privacy.ts";
import type { EntityDescription } from "../scene/scene-graph.ts";
import { mapToStaticHand } from "./static-hand.ts";

/** The lower of two levels in every modality. */
export function lowerConsent(a: WireConsent | Consent, b: WireConsent | Consent): Consent {
  return {
    head: a.head && b.head,
    hands: HAND_LEVELS[Math.min(HAND_LEVELS.indexOf(a.hands), HAND_LEVELS.indexOf(b.hands))] ?? "none",
    room: ROOM_LEVELS[Math.min(ROOM_LEVELS.indexOf(a.room), ROOM_LEVELS.indexOf(b.room))] ?? "none",
    camera: a.camera && b.camera,
    audio: a.audio && b.audio,
    eyes: a.eyes && b.eyes,
  };
}

export function isSameConsent(a: Consent, b: Consent): boolean {
  return (Object.keys(a) as (keyof Consent)[]).every((name) => a[name] === b[name]);
}

/**
 * Removes from the sample, in place, what is above the level. `none`: everything a hand holds or is. `gesture`: joints and
 * rays of hands; controllers keep the ray, which is the interaction itself. `rounded`: joints become a static hand's.
 */
export function maskPose(
  sample: PoseSample,
  consent: Consent,
  describe: (id: number) => InputSourceDescription | undefined,
): void {
  if (consent.hands === "raw") return;
  for (let position = 0; position < sample.sourceCount; position++) {
    const source = sample.sources[position];
    if (source === undefined) continue;
    const description = describe(source.id);
    if (description === undefined || isOfHands(description)) maskSource(source, consent, description?.hand === true);
  }
}

/** Taps and system pointers come from no tracked hand. */
function isOfHands(description: InputSourceDescription): boolean {
  return description.targetRayMode === "tracked-pointer";
}

function maskSource(source: PoseSource, consent: Consent, isHand: boolean): void {
  if (consent.hands === "rounded") {
    if (source.hasHand) mapToStaticHand(source.joints);
    return;
  }
  source.hasGrip = false;
  source.hasHand = false;
  if (consent.hands === "none" || isHand) source.hasTargetRay = false;
  if (consent.hands !== "none") return;
  source.pressed = 0;
  source.touched = 0;
}

/** Undefined where nothing of the room may be known. At `labels` a thing keeps its label and box, and no outline. */
export function maskEntity(entity: EntityDescription, consent: Consent): EntityDescription | undefined {
  if (consent.room === "none") return undefined;
  if (consent.room !== "labels" || entity.polygon === undefined) return entity;
  const boxed: Partial<Pick<EntityDescription, "polygon">> & Omit<EntityDescription, "polygon"> = { ...entity };
  delete (boxed as { polygon?: unknown }).polygon;
  return boxed;
}
