import type { ErrorCode } from "../errors/error-table.ts";
import type { Pose } from "../geometry/pose.ts";
import type { Vec3 } from "../geometry/vec3.ts";
import type { FinishReason, MediaData, StreamPart, Warning } from "./chat.ts";
import type { HapticClip, HapticPulse } from "./haptic.ts";
import type { Cost, Usage } from "./measure.ts";
import type { ProviderType } from "./provider-info.ts";
import type { Sighting } from "./sight.ts";

/** Where a sound or a label belongs: at an entity (and it follows), at a point, or in the head. */
export type Placement = { readonly entityId: string } | { readonly position: Vec3 } | "head";

export type SpatialAction =
  | {
      readonly kind: "highlight";
      readonly target?: string;
      readonly position?: Vec3;
      readonly radiusM?: number;
      readonly style: "outline" | "glow" | "arrow";
      readonly ttlMs: number;
    }
  | { readonly kind: "label"; readonly target: string; readonly text: string }
  | { readonly kind: "point"; readonly target: string }
  | { readonly kind: "place"; readonly asset: string; readonly pose: Pose }
  | { readonly kind: "move"; readonly target: string; readonly pose: Pose }
  | { readonly kind: "navigate"; readonly target?: string; readonly path: readonly Vec3[] }
  | { readonly kind: "ui"; readonly name: string; readonly data: Readonly<Record<string, unknown>> };

/** How one answer came about: shown by the dashboard, by the demo's panel and in `x-fovea-decision`. */
export interface AnswerTrace {
  readonly requestId: string;
  readonly provider: string;
  readonly model: string;
  readonly reason: string;
  readonly isCached: boolean;
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
}

/**
 * What an answer is made of, in order. `start` is first, `end` is last and always comes, after an `error` too.
 * Tool and reasoning parts pass through unchanged for callers who brought their own tools.
 */
export type AnswerPart =
  | {
      readonly type: "start";
      readonly requestId: string;
      readonly provider: string;
      readonly model: string;
      readonly warnings: readonly Warning[];
      /** Why this provider and model, in one line, for `x-fovea-decision` on answers that stream. */
      readonly decision?: string;
      /** Whether the words should be shown beside their sound; only for turns in a room. */
      readonly captions?: boolean;
      /** Whose opaque values (signatures) the parts carry: they go back to a provider of this type only. */
      readonly providerType?: ProviderType;
    }
  | { readonly type: "text-delta"; readonly text: string }
  | { readonly type: "transcript-delta"; readonly text: string; readonly isFinal: boolean }
  | {
      readonly type: "speech-delta";
      readonly bytes: Uint8Array;
      readonly mime: string;
      readonly at: Placement;
      readonly words?: readonly { readonly text: string; readonly atMs: number }[];
    }
  | { readonly type: "action"; readonly id: string; readonly action: SpatialAction }
  | { readonly type: "tool-call"; readonly id: string; readonly name: string; readonly args: string }
  | {
      readonly type: "haptic";
      readonly id: string;
      readonly name: string;
      readonly clip: HapticClip;
      readonly pulses: readonly HapticPulse[];
      readonly handedness: "left" | "right" | "both";
      readonly gain: number;
      /** How to make it noticed, in the order to be tried; all that there are where absent. */
      readonly ways?: readonly ("touch" | "sound" | "sight")[];
    }
  | { readonly type: "image"; readonly mime: string; readonly data: MediaData }
  /** A thing that the model marked in the image of the turn, placed in the room. */
  | { readonly type: "sighting"; readonly id: string; readonly sighting: Sighting }
  | {
      readonly type: "asset";
      readonly id: string;
      readonly mime: string;
      readonly levels: readonly { readonly url: string; readonly errorM: number; readonly sizeBytes: number }[];
    }
  | Extract<
      StreamPart,
      {
        type:
          | "reasoning-delta"
          | "refusal-delta"
          | "tool-start"
          | "tool-delta"
          | "tool-end"
          | "citation"
          | "audio-delta";
      }
    >
  | { readonly type: "usage"; readonly usage: Usage; readonly cost: Cost }
  | { readonly type: "replaced"; readonly fromUnit: number; readonly text: string }
  | { readonly type: "resumed"; readonly fromUnit: number; readonly provider: string; readonly model: string }
  | { readonly type: "degraded"; readonly from: string; readonly to: string; readonly reason: string }
  | {
      readonly type: "error";
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryable: boolean;
      readonly retryAfterMs?: number;
      readonly param?: string;
      readonly providerId?: string;
      /** The vendor's own HTTP status and code, for doors that must repeat them. */
      readonly status?: number;
      readonly providerCode?: string;
    }
  | {
      readonly type: "end";
      readonly outcome: "complete" | "resumed" | "degraded" | "cancelled" | "error";
      readonly finishReason: FinishReason;
      readonly trace: AnswerTrace;
    };
