// Words, gaze, hands and gestures on one clock: what each pointing word meant, what is wanted, and the request in words that
// mean the same without a room. Pure geometry and rules; a model gets the result, and refines it.
import type { DeicticWord } from "../context/deixis-words.ts";
import { findDeicticWords } from "../context/deixis-words.ts";
import type { Ray } from "../geometry/ray.ts";
import { pointAt } from "../geometry/ray.ts";
import { boundsCenter, worldBounds } from "../geometry/bounds.ts";
import { forwardOf, transformPoint } from "../geometry/pose.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import { distance } from "../geometry/vec3.ts";
import { interpret } from "../language/question-grammar.ts";
import { labelFit, normalName } from "../language/nouns.ts";
import type { SceneEntity } from "../model/spatial.ts";
import type { LikelyIntent, MultiModalInput, MultiModalOutput } from "../model/xr-adapter-types.ts";
import type { AttentionSource, AttentionTarget, XRContext } from "../model/xr-context.ts";
import { hitEntity } from "../scene/entity-hit.ts";

type Words = MultiModalOutput["words"];
export type FusedReference = MultiModalOutput["references"][number];

/** People look or point first and speak later (algorithms reference, section 6). */
const LAG_MS = 400;
const LAG_DEVIATION_MS = 320;
const LOOK_BACK_MS = 1_500;
const AFTER_MS = 150;
/** A gesture this near to the word goes with it. */
const GESTURE_MS = 700;
const WORD_MS = 300;
const QUESTION_BELOW = 0.45;
/** A second one of this share of the best is too close to it. */
const CLOSE = 0.7;
const REACH_M = 8;

/** What touches or points means more than what looks around. */
const SOURCE_WEIGHT: Readonly<Record<AttentionSource, number>> = {
  touch: 3,
  pointing: 2,
  "transient-pointer": 2,
  "eye-gaze": 1.3,
  "head-gaze": 1,
};
const POINTING_GESTURES: ReadonlySet<string> = new Set(["point", "pinch", "grab"]);
const WRIST = 0;
const THUMB_TIP = 4;
const INDEX_TIP = 9;

/** Each pointing word with the thing, the place or the length that it meant. */
export function fuseReferences(transcript: string, words: Words, input: MultiModalInput): readonly FusedReference[] {
  const { context } = input;
  const spoken =
    words.length > 0
      ? words
      : transcript
          .split(/\s+/)
          .filter((word) => word !== "")
          .map((text) => ({ text }));
  const endMs = words.at(-1)?.endMs ?? context.atMs;
  const startMs = words[0]?.startMs ?? endMs - spoken.length * WORD_MS;
  const labels = new Set(context.scene.entities.map((entity) => entity.semanticLabel));
  return findDeicticWords(spoken, { startMs, endMs }, labels).map((word) => {
    if (word.kind === "size") return sizeReference(word, context);
    if (word.kind === "place") return placeReference(word, input);
    return thingReference(word, input);
  });
}

function thingReference(word: DeicticWord, input: MultiModalInput): FusedReference {
  const { context } = input;
  const scores = scoresAt(word, input);
  const ofClass = context.scene.entities.filter((entity) => isOfClass(entity, word.label));
  const base: Pick<FusedReference, "word" | "atMs" | "kind"> = { word: word.text, atMs: word.wordMs, kind: "thing" };
  const [only] = ofClass;
  if (word.label !== undefined && ofClass.length === 1 && only !== undefined)
    return { ...base, entityId: only.id, confidence: 0.95 };
  const fitting = [...scores].filter(([id]) => isOfClass(context.scene.byId.get(id), word.label));
  const total = fitting.reduce((sum, [, score]) => sum + score, 0);
  const ranked = fitting
    .map(([id, score]) => ({ entityId: id, confidence: score / total }))
    .sort((a, b) => b.confidence - a.confidence);
  const [best, second] = ranked;
  if (best === undefined || total === 0) return { ...base, confidence: 0, isAmbiguous: ofClass.length > 1 };
  const certainty = best.confidence * Math.min(1, total / 0.5);
  return {
    ...base,
    entityId: best.entityId,
    confidence: certainty,
    ...(best.confidence < QUESTION_BELOW || (second?.confidence ?? 0) > CLOSE * best.confidence
      ? { isAmbiguous: true }
      : {}),
    ...(ranked.length > 1 ? { alternatives: ranked.slice(1, 4) } : {}),
  };
}

/** How much speaks for each thing around the word's time. */
function scoresAt(word: DeicticWord, { context, gestures }: MultiModalInput): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  const pointed = (gestures ?? []).some(
    ({ name, atMs }) => POINTING_GESTURES.has(name) && Math.abs(atMs - word.wordMs) <= GESTURE_MS,
  );
  const weigh = (target: AttentionTarget, share: number): void => {
    const isHand = target.source === "pointing" || target.source === "touch" || target.source === "transient-pointer";
    const weight = SOURCE_WEIGHT[target.source] * (pointed && isHand ? 2 : 1) * (target.isOccluded ? 0.3 : 1);
    scores.set(target.entityId, (scores.get(target.entityId) ?? 0) + share * weight * target.confidence);
  };
  for (const { fromMs, toMs, target } of context.attentionHistory) {
    const share = momentShare(fromMs, toMs, word.wordMs);
    if (share > 0) weigh(target, share);
  }
  // A word of this very moment may be ahead of the history.
  if (scores.size === 0) for (const target of context.attention) weigh(target, 0.6);
  return scores;
}

/** Share of the moments that the word may have meant which lie within the span. */
function momentShare(fromMs: number, toMs: number, wordMs: number): number {
  const from = Math.max(fromMs, wordMs - LOOK_BACK_MS);
  const to = Math.min(toMs, wordMs + AFTER_MS);
  if (to < from) return 0;
  const below = (atMs: number): number => 1 / (1 + Math.exp((-1.7 * (atMs - (wordMs - LAG_MS))) / LAG_DEVIATION_MS));
  return Math.max(0.01, below(to) - below(from));
}

function isOfClass(entity: SceneEntity | undefined, label: string | undefined): boolean {
  if (entity === undefined) return false;
  return label === undefined || labelFit(normalName(label), normalName(entity.semanticLabel)) >= 2;
}

/** "there": where the hand's ray meets the room; without one, what was looked at then, or where the head points now. */
function placeReference(word: DeicticWord, input: MultiModalInput): FusedReference {
  const { context } = input;
  const base = { word: word.text, atMs: word.wordMs, kind: "place" } as const;
  const hand = context.inputSources.find((source) => source.targetRay !== undefined && source.targetRayMode !== "gaze");
  const looked = hand === undefined ? [...scoresAt(word, input)].sort((a, b) => b[1] - a[1])[0]?.[0] : undefined;
  const known = looked === undefined ? undefined : context.scene.byId.get(looked);
  if (known !== undefined) return { ...base, entityId: known.id, position: topOf(known), confidence: 0.6 };
  const { pose, isTracked } = context.viewer;
  const ray: Ray | undefined =
    hand?.targetRay ?? (isTracked ? { origin: pose.position, direction: forwardOf(pose) } : undefined);
  if (ray === undefined) return { ...base, confidence: 0 };
  let best: { readonly distanceM: number; readonly id: string } | undefined;
  for (const entity of context.scene.entities) {
    const hit = hitEntity(ray, entity, best?.distanceM ?? REACH_M);
    if (hit !== undefined && hit.distanceM > 0) best = { distanceM: hit.distanceM, id: entity.id };
  }
  if (best === undefined) return { ...base, confidence: 0 };
  const confidence = hand === undefined ? 0.6 : 0.8;
  return { ...base, entityId: best.id, position: pointAt(ray, best.distanceM), confidence };
}

/** The middle of its upper side: things are put on things. */
function topOf({ pose, bounds }: SceneEntity): Vec3 {
  const { max } = worldBounds(pose, bounds);
  const [x, , z] = transformPoint(pose, boundsCenter(bounds));
  return [x, max[1], z];
}

/** "this big": between the two hands, or between thumb and finger of one. */
function sizeReference(word: DeicticWord, context: XRContext): FusedReference {
  const base = { word: word.text, atMs: word.wordMs, kind: "size" } as const;
  const hands = context.inputSources.flatMap((source) => {
    const palm = jointOf(source.handJoints, WRIST) ?? source.grip?.position;
    return palm === undefined ? [] : [{ source, tip: jointOf(source.handJoints, INDEX_TIP) ?? palm }];
  });
  const [first, second] = hands;
  if (first === undefined) return { ...base, confidence: 0 };
  if (second !== undefined) return { ...base, sizeM: distance(first.tip, second.tip), confidence: 0.8 };
  const thumb = jointOf(first.source.handJoints, THUMB_TIP);
  if (thumb === undefined) return { ...base, confidence: 0 };
  return { ...base, sizeM: distance(thumb, first.tip), confidence: 0.7 };
}

function jointOf(joints: Float32Array | undefined, joint: number): Vec3 | undefined {
  if (joints === undefined || joints.length < (joint + 1) * 3) return undefined;
  const at = joint * 3;
  return [joints[at] as number, joints[at + 1] as number, joints[at + 2] as number];
}

/** What the words want, from the grammar; without words, from the hands. */
export function intentOf(
  transcript: string,
  input: MultiModalInput,
  references: readonly FusedReference[],
): LikelyIntent {
  const entityId = references.find((reference) => reference.entityId !== undefined)?.entityId;
  const about = entityId === undefined ? {} : { entityId };
  const named = (intent: LikelyIntent["intent"], confidence: number, evidence: string): LikelyIntent => ({
    intent,
    confidence,
    evidence: [evidence],
    basis: "rule",
    ...about,
  });
  if (transcript.trim() !== "") {
    const read = interpret(transcript, { has: () => false, wordsMax: 0 });
    if (read.intent === "command") {
      const { verb } = read.command;
      if (verb === "move" || verb === "place") return named("move-object", 0.9, `the command "${verb}"`);
      if (verb === "navigate") return named("navigate", 0.9, `the command "${verb}"`);
      return named("select", 0.8, `the command "${verb}"`);
    }
    if (read.intent === "query" && read.query.kind === "path") return named("navigate", 0.8, "asks for a way");
    return named("ask", read.intent === "outside" ? 0.7 : 0.9, "a question or statement");
  }
  const last = input.gestures?.at(-1);
  if (last?.name === "grab") return named("move-object", 0.7, "a grab without words");
  if (last?.name === "pinch") return named("select", 0.7, "a pinch without words");
  return named("inspect", (input.images?.length ?? 0) > 0 ? 0.6 : 0.3, "neither words nor gestures");
}

/** The words with what they meant beside them: what a model needs that sees no room. */
export function normalisedRequest(
  transcript: string,
  references: readonly FusedReference[],
  { context, gestures }: MultiModalInput,
): string {
  const notes = references.flatMap((reference) => {
    const { word, entityId, position, sizeM } = reference;
    if (sizeM !== undefined) return [`"${word}" = ${sizeM.toFixed(2)} m between the hands`];
    const label = entityId === undefined ? undefined : context.scene.byId.get(entityId)?.semanticLabel;
    if (entityId === undefined) return [];
    const place = position === undefined ? "" : ` at ${position.map((value) => value.toFixed(2)).join(", ")}`;
    const doubt = reference.isAmbiguous === true ? ", uncertain" : "";
    return [`"${word}" = ${entityId} (${label ?? "unknown"}${place}${doubt})`];
  });
  const made = (gestures ?? []).map(({ name }) => name);
  if (made.length > 0) notes.push(`gestures: ${[...new Set(made)].join(", ")}`);
  return notes.length === 0 ? transcript : `${transcript}${transcript === "" ? "" : " "}[${notes.join("; ")}]`;
}
