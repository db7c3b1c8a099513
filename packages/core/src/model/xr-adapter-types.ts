// What the XR-aware provider of the specification (section 2) takes and gives.
import type { AnswerPart, Placement, SpatialAction } from "./answer-part.ts";
import type { MediaData, ToolDefinition } from "./chat.ts";
import type { HapticResponse } from "./haptic.ts";
import type { Basis } from "./modality.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { SceneChange } from "./spatial.ts";
import type { AttentionTarget, XRContext } from "./xr-context.ts";

/** What the user may be about to want, with what speaks for it. */
export interface LikelyIntent {
  readonly intent: "inspect" | "select" | "move-object" | "navigate" | "ask";
  readonly entityId?: string;
  /** 0 to 1. */
  readonly confidence: number;
  readonly evidence: readonly string[];
  readonly basis: Basis;
}

/** Specification: XRContextResult. */
export interface XRContextResult {
  /** Compact and truthful, within the token budget of a turn. */
  readonly facts: string;
  readonly attended: readonly AttentionTarget[];
  readonly changes: readonly SceneChange[];
  readonly intents: readonly LikelyIntent[];
  /** What a model would have to be told or shown next, and is missing. */
  readonly missing: readonly ("image" | "room" | "pose" | "speech")[];
}

/** Specification: MultiModalInput. Times are of the session clock. */
export interface MultiModalInput {
  readonly context: XRContext;
  readonly text?: string;
  readonly audio?: { readonly bytes: Uint8Array; readonly mime: string; readonly startMs: number };
  readonly images?: readonly { readonly mime: string; readonly data: MediaData; readonly atMs: number }[];
  readonly gestures?: readonly { readonly name: string; readonly atMs: number }[];
}

/** Specification: MultiModalOutput. */
export interface MultiModalOutput {
  readonly transcript: string;
  readonly words: readonly { readonly text: string; readonly startMs: number; readonly endMs: number }[];
  /** "that", "there", "this one", each with what it was resolved to. */
  readonly references: readonly {
    readonly word: string;
    readonly atMs: number;
    /** A thing ("that lamp"), a place ("there"), or a length shown with the hands ("this big"). */
    readonly kind?: "thing" | "place" | "size";
    readonly entityId?: string;
    readonly confidence: number;
    /** Where "there" is. */
    readonly position?: Vec3;
    /** Metres of "this big". */
    readonly sizeM?: number;
    /** Too close to call: ask back with the alternatives. */
    readonly isAmbiguous?: boolean;
    readonly alternatives?: readonly { readonly entityId: string; readonly confidence: number }[];
  }[];
  /** What is wanted, and by which evidence. */
  readonly intent?: LikelyIntent;
  /** The words with what they meant beside them: complete without a room. */
  readonly request?: string;
  readonly targets: readonly string[];
  readonly answer: readonly AnswerPart[];
}

/** Specification: MultiModalResponse. What to say, show and let feel now, as one bundle. */
export interface MultiModalResponse {
  readonly speech: { readonly text: string; readonly at: Placement };
  readonly actions: readonly SpatialAction[];
  readonly haptics: readonly HapticResponse[];
  readonly basis: Basis;
}

/** Specification: XRSessionConfig. */
export interface XRSessionConfig {
  readonly userId: string;
  readonly tenantId?: string;
  readonly model?: string;
  readonly tools?: readonly ToolDefinition[];
  readonly locale?: string;
  /** Milliseconds to the first content of each turn. */
  readonly latencyTargetMs?: number;
}

/** Specification: XRSessionHandle. */
export interface XRSessionHandle {
  readonly id: string;
  readonly startedMs: number;
  /** Answers a question over the context at hand. */
  ask(text: string, context: XRContext, signal?: AbortSignal): AsyncIterable<AnswerPart>;
  stats(): { readonly turns: number; readonly errors: number; readonly firstContentMsMean: number | undefined };
}
