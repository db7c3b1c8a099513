// What of a turn's context and media may leave for a provider outside this process. The user consents by kind of data;
// what was not agreed to is removed, not masked. A provider inside the process (embedded) gets the context as it is: it
// came here with that consent, and it goes nowhere.
import { IDENTITY_POSE } from "../geometry/pose.ts";
import type { ContentPart, Message } from "../model/chat.ts";
import type { Consent } from "../model/privacy.ts";
import type { SceneEntity, SceneSnapshot } from "../model/spatial.ts";
import type { AttentionTarget, InputSourceState, XRContext } from "../model/xr-context.ts";
import { EMPTY_SCENE, NO_CONTEXT } from "../model/xr-context.ts";

/** True for the context of a plain AI call, which says nothing of anybody. */
export function isContextFree(context: XRContext): boolean {
  return context.sessionId === "";
}

/** The context as a vendor's provider may know it. Identifiers of session and user never leave. */
export function contextForVendor(context: XRContext): XRContext {
  if (isContextFree(context)) return context;
  const { consent } = context;
  return {
    ...without(context, "person", "output", "numbHands"),
    sessionId: "",
    userId: "",
    viewer: consent.head ? context.viewer : NO_CONTEXT.viewer,
    attention: consent.head ? context.attention.filter((target) => isAgreed(target, consent)) : [],
    attentionHistory: consent.head ? context.attentionHistory.filter((span) => isAgreed(span.target, consent)) : [],
    inputSources: consent.hands === "none" ? [] : context.inputSources.map((source) => sourceFor(source, consent)),
    scene: sceneFor(context.scene, consent),
    audio: consent.audio ? context.audio : { speaking: false },
  };
}

/** Messages without the pictures and sounds that were not agreed to, each replaced by a word on what is missing. */
export function messagesForVendor(messages: readonly Message[], consent: Consent): readonly Message[] {
  if (consent.camera && consent.audio) return messages;
  return messages.map((message) => {
    if (!message.content.some((part) => isWithheld(part, consent))) return message;
    return { ...message, content: message.content.map((part) => (isWithheld(part, consent) ? WITHHELD : part)) };
  });
}

const WITHHELD: ContentPart = { type: "text", text: "[withheld: the user did not consent to sharing this]" };

function isWithheld(part: ContentPart, consent: Consent): boolean {
  if (part.type !== "media") return false;
  if (part.kind === "audio") return !consent.audio;
  return (part.kind === "image" || part.kind === "video") && !consent.camera;
}

function isAgreed(target: AttentionTarget, consent: Consent): boolean {
  return consent.eyes || target.source !== "eye-gaze";
}

/** Raw joints leave only with the highest level; below it the recognised gesture says what matters. */
function sourceFor(source: InputSourceState, consent: Consent): InputSourceState {
  if (consent.hands === "raw") return source;
  return without(source, "handJoints", "grip");
}

function sceneFor(scene: SceneSnapshot, consent: Consent): SceneSnapshot {
  if (consent.room === "none") return EMPTY_SCENE;
  if (consent.room === "full") return scene;
  const entities = scene.entities.map((entity) => (consent.room === "labels" ? labelOnly(entity) : coarse(entity)));
  const changes = scene.changes.map(({ atMs, change, entityId, label }) => ({ atMs, change, entityId, label }));
  return { ...scene, entities, byId: new Map(entities.map((entity) => [entity.id, entity])), changes };
}

function labelOnly(entity: SceneEntity): SceneEntity {
  return {
    ...without(entity, "polygon", "description"),
    pose: IDENTITY_POSE,
    bounds: { min: [0, 0, 0], max: [0, 0, 0] },
  };
}

/** `lod`: boxes, no outlines. */
function coarse(entity: SceneEntity): SceneEntity {
  return without(entity, "polygon");
}

function without<T extends object, K extends keyof T>(value: T, ...names: readonly K[]): Omit<T, K> {
  const copy: Partial<T> = { ...value };
  for (const name of names) delete copy[name];
  return copy as Omit<T, K>;
}
