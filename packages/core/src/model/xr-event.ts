import type { Vec3 } from "../geometry/vec3.ts";
import type { SpatialAction } from "./answer-part.ts";
import type { Handedness } from "./xr-context.ts";

/** Specification section 6. A table of strings, so that wire values and the names at the call site are the same thing. */
export const XREventType = {
  HAND_TRACKING: "hand-tracking",
  VOICE_COMMAND: "voice-command",
  SPATIAL_INTERACTION: "spatial-interaction",
  HAPTIC_FEEDBACK: "haptic-feedback",
} as const;
export type XREventType = (typeof XREventType)[keyof typeof XREventType];

interface EventBase {
  readonly eventId: string;
  readonly sessionId: string;
  /** Session clock: when it happened, which is before it arrived. */
  readonly atMs: number;
}

export interface HandTrackingEvent extends EventBase {
  readonly type: typeof XREventType.HAND_TRACKING;
  readonly gesture: string;
  readonly phase: "start" | "update" | "end";
  readonly handedness: Handedness | "both";
  readonly confidence: number;
}

export interface VoiceCommandEvent extends EventBase {
  readonly type: typeof XREventType.VOICE_COMMAND;
  readonly text: string;
  readonly isFinal: boolean;
  /** 0 to 1; 1 for typed text. */
  readonly confidence: number;
}

export interface SpatialInteractionEvent extends EventBase {
  readonly type: typeof XREventType.SPATIAL_INTERACTION;
  readonly interaction: "select" | "grab" | "place" | "enter-zone" | "leave-zone";
  readonly handedness: Handedness;
  /** What it happened to; for zones, the zone's anchor. */
  readonly entityId?: string;
  readonly position?: Vec3;
}

export interface HapticFeedbackEvent extends EventBase {
  readonly type: typeof XREventType.HAPTIC_FEEDBACK;
  readonly hapticId: string;
  readonly handedness: Handedness | "both";
  readonly delivered: boolean;
  readonly via: string;
}

export type KnownXREvent = HandTrackingEvent | VoiceCommandEvent | SpatialInteractionEvent | HapticFeedbackEvent;

/** What an application or a later version sends. Its `type` is none of `XREventType`. */
export interface ForeignXREvent extends EventBase {
  readonly type: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export type XREvent = KnownXREvent | ForeignXREvent;

/** What should follow from an event. Whoever owns the session carries it out; the processor decides only. */
export type EventEffect =
  | { readonly kind: "ask"; readonly text: string; readonly targets: readonly string[] }
  | { readonly kind: "reply"; readonly answer: "yes" | "no" }
  | { readonly kind: "cancel-turn" }
  | { readonly kind: "action"; readonly action: SpatialAction }
  | {
      readonly kind: "feedback";
      readonly name: string;
      readonly handedness: Handedness | "both";
      readonly modality: FeedbackModality;
    };

/** How something can be made noticeable, from the most private to the most certain. */
export type FeedbackModality = "haptic" | "sound" | "visual";

/** Specification: EventResult. */
export interface EventResult {
  readonly eventId: string;
  readonly outcome: "handled" | "ignored" | "refused";
  /** Name of the handler that decided. */
  readonly handledBy: string;
  readonly reason?: string;
  readonly effects: readonly EventEffect[];
}
