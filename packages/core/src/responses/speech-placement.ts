// Where a sentence sounds: from the thing it is about, from the agent, or in the head. Rules: docs/spec/responses.md
// SP1..SP5.
import type { Placement } from "../model/answer-part.ts";
import type { SceneEntity } from "../model/spatial.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { distance } from "../geometry/vec3.ts";
import type { XRContext } from "../model/xr-context.ts";

export interface SpeechPlacement {
  readonly at: Placement;
  /** Added to the speech. A panner weakens sound by 6 dB for each doubling of distance: half of that is given back. */
  readonly gainDb: number;
  /** 0 nothing between, 1 wholly behind something. */
  readonly occlusion: number;
}

export interface PlacementParts {
  /** Entities that deeds of this sentence point at, in order. */
  readonly targets: readonly string[];
  /** Where the agent stands, if the application gave it a body. */
  readonly agent?: { readonly entityId: string };
  /** Share of the thing that the eye sees, 0 to 1. */
  readonly seenShare: (eye: Vec3, entity: SceneEntity) => number;
}

/** Beyond, speech would be too soft to follow in a loud room, and its direction says enough. */
const GAIN_DB_MAX = 9;
const REFERENCE_M = 1;
/** A thing this near has its sound at the ear, whatever stands in between: a wall at one's hand is not "behind" anything. */
const NEAR_M = 0.5;

const IN_HEAD: SpeechPlacement = { at: "head", gainDb: 0, occlusion: 0 };

/** A sentence about exactly one thing sounds from there; about several or none, from the agent, or in the head. */
export function placeSpeech(context: XRContext, parts: PlacementParts): SpeechPlacement {
  if (!context.viewer.isTracked || context.person?.hearing === "low") return IN_HEAD;
  const targets = [...new Set(parts.targets)];
  const id = targets.length === 1 ? targets[0] : parts.agent?.entityId;
  const entity = id === undefined ? undefined : context.scene.byId.get(id);
  if (entity === undefined) return IN_HEAD;
  const eye = context.viewer.pose.position;
  const awayM = distance(eye, entity.pose.position);
  const gainDb = Math.min(GAIN_DB_MAX, Math.max(0, 10 * Math.log10(awayM / REFERENCE_M)));
  const occlusion = awayM <= NEAR_M ? 0 : 1 - parts.seenShare(eye, entity);
  return { at: { entityId: entity.id }, gainDb: round(gainDb), occlusion: round(occlusion) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
