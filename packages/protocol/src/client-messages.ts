import type { WireConsent } from "./consent.ts";
import type { InputSourceDescription, WireHandedness } from "./input-source.ts";
import type { PoseSample } from "./pose-sample.ts";
import type { OutputState, WirePreferences } from "./preferences.ts";
import type { SceneUpdateMessage } from "./scene-node.ts";

/** Plain data of the application: what JSON can hold, checked for depth and size, free of prototype keys. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

export const SESSION_MODES = ["immersive-ar", "immersive-vr", "inline"] as const;
export const BLEND_MODES = ["opaque", "alpha-blend", "additive"] as const;
export const INTERACTION_MODES = ["screen-space", "world-space"] as const;
export const VISIBILITIES = ["visible", "visible-blurred", "hidden"] as const;
export const PHASES = ["start", "update", "end"] as const;
export const GAZE_SOURCES = ["head", "transient-pointer", "eye"] as const;
export const INCLUDES = ["gaze", "pointing", "hands", "scene", "image", "depth", "audio", "history"] as const;
export const MODALITIES = ["text", "audio", "action", "haptic"] as const;
export const RECEIPT_VIAS = ["playEffect", "pulse", "visual", "audio", "application", "none"] as const;

/** WebXR session as far as the gateway needs to know it. */
export interface SessionDescription {
  readonly mode: (typeof SESSION_MODES)[number];
  readonly referenceSpace: "local-floor";
  readonly enabledFeatures: readonly string[];
  readonly environmentBlendMode?: (typeof BLEND_MODES)[number];
  readonly interactionMode?: (typeof INTERACTION_MODES)[number];
  /** Hz. */
  readonly frameRate?: number;
}

/** A turn that was open when the socket dropped, with the last part the client has seen of it (-1: none). */
export interface OpenTurn {
  readonly turnId: string;
  readonly seq: number;
}

/** First message of every connection. Anything else before it ends the connection. */
export interface HelloMessage {
  readonly type: "hello";
  readonly protocol: number;
  readonly client: { readonly sdk: string; readonly ua: string; readonly device: string };
  /** Absent until a WebXR session runs; then told by `session`. */
  readonly session?: SessionDescription;
  readonly inputSources: readonly InputSourceDescription[];
  readonly consent: WireConsent;
  readonly locale: string;
  readonly preferences?: WirePreferences;
  /** People who name the same room of the same tenant share one conversation: who is answered is decided among them. */
  readonly room?: { readonly id: string; readonly name: string };
  /** Short-lived session token; browsers cannot set headers on a WebSocket, and a URL would end up in logs. */
  readonly token?: string;
  readonly resumeToken?: string;
  /** Only with `resumeToken`. */
  readonly openTurns?: readonly OpenTurn[];
}

/** The WebXR session started, changed or (`session` absent) ended. */
export interface SessionMessage {
  readonly type: "session";
  readonly session?: SessionDescription;
}

/** Sent on every `inputsourceschange`. Removals are applied before additions. */
export interface InputsMessage {
  readonly type: "inputs";
  readonly add: readonly InputSourceDescription[];
  readonly remove: readonly number[];
}

/** The JSON twin of the pose packet, for debugging and for clients without binary; parsed into the same sample. */
export interface PoseMessage {
  readonly type: "pose";
  readonly sample: PoseSample;
}

export interface GestureMessage {
  readonly type: "gesture";
  readonly name: string;
  readonly phase: (typeof PHASES)[number];
  readonly handedness: WireHandedness;
  /** 0 to 1. */
  readonly confidence: number;
  readonly t: number;
}

/** WebXR select and squeeze. `update` does not occur; `end` without `start` does, after a reconnect. */
export interface PressFields {
  readonly inputSource: number;
  readonly phase: (typeof PHASES)[number];
  readonly t: number;
}

export interface SelectMessage extends PressFields {
  readonly type: "select";
}

export interface SqueezeMessage extends PressFields {
  readonly type: "squeeze";
}

export interface GazeTargetMessage {
  readonly type: "gaze.target";
  readonly id: string;
  /** Metres. */
  readonly distance: number;
  readonly dwellMs: number;
  readonly source: (typeof GAZE_SOURCES)[number];
  readonly t: number;
}

/** An event of the application, for the recording. */
export interface MarkerMessage {
  readonly type: "marker";
  readonly name: string;
  readonly t: number;
  readonly data?: JsonValue;
}

export interface VisibilityMessage {
  readonly type: "visibility";
  readonly state: (typeof VISIBILITIES)[number];
  readonly t: number;
}

/** Opens a turn. Either `text` or `audioStreamId`. */
export interface AskMessage {
  readonly type: "ask";
  readonly turnId: string;
  readonly text?: string;
  readonly audioStreamId?: number;
  readonly include: readonly (typeof INCLUDES)[number][];
  readonly modalities: readonly (typeof MODALITIES)[number][];
  /** How long the user is willing to wait for the first part. */
  readonly latencyMs?: number;
  /** Client time at which the question was finished; words that point are bound to it where no word times exist. */
  readonly t?: number;
  /** `provider/model`, a plain name, an alias or `auto`. */
  readonly model?: string;
  readonly locale?: string;
}

export interface CancelMessage {
  readonly type: "cancel";
  readonly turnId: string;
}

/** Functions of the application that a model may call. `parameters` is JSON Schema. */
export interface ToolsMessage {
  readonly type: "tools";
  readonly add: readonly ToolDescription[];
  readonly remove: readonly string[];
}

export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

/** Exactly one of `result` and `error`. */
export interface ToolResultMessage {
  readonly type: "tool.result";
  readonly turnId: string;
  readonly callId: string;
  readonly result?: JsonValue;
  readonly error?: string;
}

/** What the user has really heard of an item. */
export interface PlaybackMessage {
  readonly type: "playback";
  readonly itemId: string;
  readonly playedMs: number;
  readonly bufferedMs?: number;
  readonly outputLatencyMs?: number;
}

/** Sent for every action and haptic: whether it reached the user, and how. */
export interface ReceiptMessage {
  readonly type: "receipt";
  readonly turnId: string;
  readonly seq: number;
  readonly delivered: boolean;
  readonly via: (typeof RECEIPT_VIAS)[number];
  readonly t: number;
}

export interface ConsentMessage {
  readonly type: "consent";
  readonly consent: WireConsent;
}

/** Answer to `ping`: receive and send time on the client's clock. */
export interface PongMessage {
  readonly type: "pong";
  readonly id: number;
  readonly t1: number;
  readonly t2: number;
}

export interface MicStateMessage {
  readonly type: "mic.state";
  readonly muted: boolean;
  readonly streamId?: number;
  readonly echoCancellation?: boolean;
  readonly noiseSuppression?: boolean;
  readonly autoGainControl?: boolean;
  readonly headphones?: boolean;
}

/** How answers shall reach the user from now on. What is absent stays as it was. */
export interface PreferencesMessage {
  readonly type: "preferences";
  readonly preferences?: WirePreferences;
  readonly output?: OutputState;
}

export interface PushToTalkMessage {
  readonly type: "push-to-talk";
  readonly phase: "start" | "end";
  readonly t: number;
}

/** Measured by the client, every few seconds at most. */
export interface ClientStatsMessage {
  readonly type: "stats";
  readonly fps?: number;
  readonly droppedSamples?: number;
  /** 0 to 1. */
  readonly batteryLevel?: number;
  readonly t: number;
}

export type ClientMessageBody =
  | HelloMessage
  | SessionMessage
  | InputsMessage
  | PoseMessage
  | SceneUpdateMessage
  | GestureMessage
  | SelectMessage
  | SqueezeMessage
  | GazeTargetMessage
  | MarkerMessage
  | VisibilityMessage
  | AskMessage
  | CancelMessage
  | ToolsMessage
  | ToolResultMessage
  | PlaybackMessage
  | ReceiptMessage
  | ConsentMessage
  | PongMessage
  | MicStateMessage
  | PreferencesMessage
  | PushToTalkMessage
  | ClientStatsMessage;

/**
 * What a client sends as text. `n` counts the messages of a session that must not be lost, from 1; the gateway names the
 * last one it handled in `welcome.ack` and `ping.ack`, drops a number it has seen, and a resumed client sends the rest.
 */
export type ClientMessage = ClientMessageBody & { readonly n?: number };
export type ClientMessageType = ClientMessage["type"];
