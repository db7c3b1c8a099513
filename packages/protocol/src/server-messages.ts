import type { JsonObject, JsonValue } from "./client-messages.ts";
import type { WireConsent } from "./consent.ts";
import type { GrantedLimits } from "./limits.ts";
import type { WirePose, WireVec3 } from "./scene-node.ts";

export const HIGHLIGHT_STYLES = ["outline", "glow", "arrow"] as const;
export const HAPTIC_HANDS = ["left", "right", "both"] as const;
/** Ways to make a touch noticed, by the sense that notices. */
export const HAPTIC_WAYS = ["touch", "sound", "sight"] as const;
export const TURN_STATES = ["listening", "thinking", "speaking", "interrupted", "idle"] as const;
export const OUTCOMES = ["complete", "resumed", "degraded", "cancelled", "error"] as const;

export interface WelcomeMessage {
  readonly type: "welcome";
  readonly protocol: number;
  readonly sessionId: string;
  /** Pose packets a second that the gateway wants. */
  readonly poseHz: number;
  /** Camera images a second that the gateway wants; absent where nobody there could look at them. */
  readonly imageHz?: number;
  /** Consent as granted: never above what `hello` asked for. */
  readonly levels: WireConsent;
  readonly resumeToken: string;
  readonly limits: GrantedLimits;
  /** Whether the session of `hello.resumeToken` goes on. If not, the client tells everything again. */
  readonly resumed: boolean;
  /** Turns of `hello.openTurns` that continue; the others are lost. */
  readonly turns: readonly string[];
  /** Last numbered message handled; 0 for a new session. */
  readonly ack?: number;
  /** Parts of an older epoch are stale. */
  readonly epoch: number;
}

/** Asks for `pong`. `ack` as in `welcome`. */
export interface PingMessage {
  readonly type: "ping";
  readonly id: number;
  readonly ack?: number;
}

/** What the gateway knows of the client's clock: milliseconds to add to session time, round trip, drift. */
export interface ClockMessage {
  readonly type: "clock";
  readonly offset: number;
  readonly rtt: number;
  readonly skewPpm: number;
}

/** What every piece of an answer carries. `seq` counts from 0 within the turn. */
export interface PartHeader {
  readonly turnId: string;
  readonly seq: number;
  readonly epoch: number;
  readonly provider: string;
  readonly cached: boolean;
}

/** First part of every answer. */
export interface StartPart extends PartHeader {
  readonly type: "start";
  readonly model: string;
  /** Why this provider was chosen, for people. */
  readonly reason?: string;
  /** Whether the words should be shown, as the surroundings and the user's senses call for. */
  readonly captions?: boolean;
}

export interface TextDeltaPart extends PartHeader {
  readonly type: "text.delta";
  readonly text: string;
}

/** Opens a stream of binary `0x12` packets and says where it sounds; absent `at` means in the head. */
export interface AudioPart extends PartHeader {
  readonly type: "audio";
  readonly streamId: number;
  readonly codec: "pcm16-16k" | "pcm16-24k" | "opus";
  readonly itemId?: string;
  readonly at?: string | WireVec3;
  readonly gainDb: number;
  /** 0 to 1: how much of the way to the listener is behind things. Absent: none. */
  readonly occlusion?: number;
}

/** Times of spoken words within an item, for captions and visemes. */
export interface WordsPart extends PartHeader {
  readonly type: "words";
  readonly itemId: string;
  readonly words: readonly { readonly text: string; readonly startMs: number; readonly endMs: number }[];
}

/** A place to mark: an entity, or a point with a radius in metres. */
export type WireAction =
  | {
      readonly kind: "highlight";
      readonly target?: string;
      readonly position?: WireVec3;
      readonly radiusM?: number;
      readonly style: (typeof HIGHLIGHT_STYLES)[number];
      readonly ttlMs: number;
    }
  | { readonly kind: "label"; readonly target: string; readonly text: string }
  | { readonly kind: "point"; readonly target: string }
  | { readonly kind: "place"; readonly asset: string; readonly pose: WirePose }
  | { readonly kind: "move"; readonly target: string; readonly pose: WirePose }
  | { readonly kind: "navigate"; readonly target?: string; readonly path: readonly WireVec3[] }
  | { readonly kind: "ui"; readonly name: string; readonly data: JsonObject };

/** A moment in an item of speech, to do something as a word sounds. Without the item's sound: at once. */
export interface Cue {
  readonly itemId: string;
  readonly atMs: number;
}

/** Something to do in the room. Answered by a receipt. */
export interface ActionPart extends PartHeader {
  readonly type: "action";
  readonly action: WireAction;
  readonly cue?: Cue;
}

/** One pulse of an actuator: value 0 to 1, duration and start in milliseconds. */
export interface WirePulse {
  readonly value: number;
  readonly duration: number;
  readonly at: number;
}

/** A touch to let the user feel. Answered by a receipt, also where nothing could be played. */
export interface HapticPart extends PartHeader {
  readonly type: "haptic";
  /** Name of a clip, or a whole `.haptic` version 1 document. */
  readonly clip: string | JsonObject;
  readonly name?: string;
  readonly handedness: (typeof HAPTIC_HANDS)[number];
  readonly gain: number;
  readonly fallbackPulses: readonly WirePulse[];
  readonly cue?: Cue;
  /** What to try, in order; the first that works is the one. Absent: touch, sound, sight. */
  readonly ways?: readonly (typeof HAPTIC_WAYS)[number][];
}

export interface ToolCallPart extends PartHeader {
  readonly type: "tool.call";
  readonly callId: string;
  readonly name: string;
  readonly args: JsonObject;
}

/** What the gateway understood the user to say. */
export interface TranscriptMessage {
  readonly type: "transcript";
  readonly turnId?: string;
  readonly text: string;
  readonly isFinal: boolean;
  readonly speaker?: string;
}

/** A file to show, in levels from coarse to fine. */
export interface AssetPart extends PartHeader {
  readonly type: "asset";
  readonly id: string;
  readonly mime: string;
  readonly levels: readonly { readonly url: string; readonly errorM: number; readonly sizeBytes: number }[];
}

/** Text from unit (sentence) `fromUnit` on is withdrawn; `text` stands in its place. */
export interface ReplacedPart extends PartHeader {
  readonly type: "replaced";
  readonly fromUnit: number;
  readonly text: string;
}

/** Another provider goes on with the answer from unit `fromUnit`. */
export interface ResumedPart extends PartHeader {
  readonly type: "resumed";
  readonly fromUnit: number;
  readonly model: string;
}

/** The answer is worth less than asked for: what was wanted, what it became, why. */
export interface DegradedMessage {
  readonly type: "degraded";
  readonly turnId?: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** Everything of an older epoch is to be dropped, also what was decoded already. */
export interface FlushMessage {
  readonly type: "flush";
  readonly epoch: number;
}

export interface DuckFields {
  readonly epoch: number;
  readonly gainDb: number;
  readonly rampMs: number;
}

/** The user may be about to speak: speak softer, do not stop. */
export interface DuckMessage extends DuckFields {
  readonly type: "duck";
}

export interface UnduckMessage extends DuckFields {
  readonly type: "unduck";
}

/** The answer is late: a gesture or a sound that says "I am thinking", now; cut off by the first part or a flush. */
export interface FillerMessage {
  readonly type: "filler";
  readonly turnId: string;
  readonly epoch: number;
}

export interface TurnStateMessage {
  readonly type: "turn.state";
  readonly turnId?: string;
  readonly state: (typeof TURN_STATES)[number];
}

/** Other rates than those of `welcome`, as network and device allow. */
export interface RatesMessage {
  readonly type: "rates";
  readonly poseHz: number;
  readonly imageHz?: number;
  /** Longer side of an image at most, pixels; absent where the client may choose. */
  readonly imageWidth?: number;
  /** Why: loss, queue, round-trip, thermal, battery, or calm when more is possible again. */
  readonly reason?: string;
}

/** A thing that the gateway found in the camera's images, in the session's reference space. */
export interface SeenNode {
  readonly id: string;
  readonly semanticLabel: string;
  readonly pose: WirePose;
  /** In the thing's own axes. */
  readonly bounds: { readonly min: WireVec3; readonly max: WireVec3 };
  /** 0 to 1. */
  readonly confidence: number;
  /** What is written on it. */
  readonly text?: string;
}

/**
 * What vision added to the room or forgot: actions of answers may name these ids. `add` of a known id replaces it; `full`
 * says that nothing else is known any more.
 */
export interface SceneSeenMessage {
  readonly type: "scene.seen";
  readonly full?: boolean;
  readonly add: readonly SeenNode[];
  readonly remove: readonly string[];
}

/** The gateway lost or doubts its scene and wants a full one. */
export interface SceneRequestMessage {
  readonly type: "scene.request";
  readonly reason: string;
}

export const BUDGET_OWNERS = ["tenant", "key", "user"] as const;

/** What is left of one budget until it begins anew. Units that the budget does not limit are absent. */
export interface WireBudget {
  readonly name: string;
  readonly of: (typeof BUDGET_OWNERS)[number];
  readonly resetMs: number;
  readonly requests?: number;
  readonly tokens?: number;
  /** Millionths of a US dollar. */
  readonly microUsd?: number;
}

/** What the caller's budgets have left: after `welcome`, and after each turn. Absent where no budget holds. */
export interface LimitsMessage {
  readonly type: "limits";
  readonly budgets: readonly WireBudget[];
}

/** Consent as the gateway applies it after a change. */
export interface LevelsMessage {
  readonly type: "levels";
  readonly levels: WireConsent;
}

/**
 * A failure. With `turnId` it belongs to that turn, which `done` then ends; without, to a message of the client, whose
 * field is named. After a fatal one the connection closes with the code of the table.
 */
export interface ErrorMessage {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
  readonly fatal: boolean;
  readonly turnId?: string;
  readonly field?: string;
  readonly retryAfterMs?: number;
  /** Name of the budget or limit that refused. */
  readonly limit?: string;
}

/** Last part of every answer, after an error too. */
export interface DonePart extends PartHeader {
  readonly type: "done";
  readonly outcome: (typeof OUTCOMES)[number];
  readonly model: string;
  readonly reason: string;
  /** Milliseconds since the question was complete. `first` is absent where nothing was said. */
  readonly latency: { readonly first?: number; readonly total: number };
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
  readonly tokens: { readonly input: number; readonly output: number };
  /** `microUsd` absent: no price is known, which is not the same as free. */
  readonly cost: { readonly microUsd?: number; readonly source: string };
  readonly finishReason?: string;
}

/** A piece of an answer: it has a place in its turn and ends up in the iterator of `ask`. */
export type ServerPart =
  | StartPart
  | TextDeltaPart
  | AudioPart
  | WordsPart
  | ActionPart
  | HapticPart
  | ToolCallPart
  | AssetPart
  | ReplacedPart
  | ResumedPart
  | DonePart;

export type ServerMessage =
  | WelcomeMessage
  | PingMessage
  | ClockMessage
  | ServerPart
  | TranscriptMessage
  | DegradedMessage
  | FlushMessage
  | DuckMessage
  | UnduckMessage
  | FillerMessage
  | TurnStateMessage
  | RatesMessage
  | SceneRequestMessage
  | SceneSeenMessage
  | LevelsMessage
  | LimitsMessage
  | ErrorMessage;

export type ServerMessageType = ServerMessage["type"];
/** Named here so that a receipt and a tool result can be built without importing the client's file. */
export type { JsonObject, JsonValue };
