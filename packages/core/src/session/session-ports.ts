// What goes into a session and what comes out. The session does no IO and never awaits: the loop that owns the socket and
// the engine feeds it and carries out what it returns.
import type {
  AudioPacket,
  ClientMessage,
  DepthPacket,
  GrantedLimits,
  HelloMessage,
  AudioCodec,
  ImagePacket,
  MicStateMessage,
  PoseSample,
  ProtocolError,
  ServerMessage,
} from "@fovea/protocol";
import { LIMITS } from "@fovea/protocol";
import type { GestureModel } from "@fovea/protocol/gestures";
import type { ErrorCode } from "../errors/error-table.ts";
import type { AnswerPart } from "../model/answer-part.ts";
import type { Consent, Principal } from "../model/privacy.ts";
import type { XRRequest } from "../model/xr-request.ts";
import type { ImageView, SeenBox } from "../model/sight.ts";
import type { CameraImage } from "../vision/key-images.ts";
import type { ArrivedMesh } from "./room-meshes.ts";
import type { TimedText } from "../providers/capabilities.ts";

/** A failure the engine threw before the first part. */
export interface TurnFailure {
  readonly code: ErrorCode;
  /** Already fit to be shown. */
  readonly message: string;
  readonly retryAfterMs?: number;
  /** Name of the budget or limit that refused. */
  readonly limit?: string;
}

export type SessionInput =
  /** A socket with a checked `hello`: the first of a new session, or one that resumes it. */
  | { readonly type: "attach"; readonly hello: HelloMessage }
  | { readonly type: "message"; readonly message: ClientMessage }
  /** Read during the call and changed by it (consent is applied in place); the caller may reuse it afterwards. */
  | { readonly type: "pose"; readonly sample: PoseSample }
  | { readonly type: "image"; readonly packet: ImagePacket }
  | { readonly type: "depth"; readonly packet: DepthPacket }
  /** Decoded by the loop: the session knows no codec. */
  | { readonly type: "mesh"; readonly mesh: ArrivedMesh }
  /** What a model found in an image of this session. */
  | {
      readonly type: "seen";
      readonly view: ImageView;
      readonly boxes: readonly SeenBox[];
      /** The model was asked for everything in the image, or for these names. */
      readonly isComplete?: boolean;
      readonly labels?: readonly string[];
    }
  /** From a microphone. Read during the call. */
  | { readonly type: "audio"; readonly packet: AudioPacket }
  /** What the ear and the voice of the session have to tell. */
  | { readonly type: "voice"; readonly event: VoiceEvent }
  /** Media that nothing in the session consumes yet; counted and limited like everything else. */
  | { readonly type: "media"; readonly kind: "mesh" | "depth"; readonly sizeBytes: number }
  /** Something that could not be read: the decoder's error. */
  | { readonly type: "refused"; readonly error: ProtocolError }
  /** A message type or packet kind of a newer version. */
  | { readonly type: "unknown" }
  /** `cue`: the word of the spoken answer that the deed belongs to. */
  | {
      readonly type: "part";
      readonly turnId: string;
      readonly part: AnswerPart;
      readonly cue?: { readonly itemId: string; readonly atMs: number };
    }
  | { readonly type: "turn-failed"; readonly turnId: string; readonly failure: TurnFailure }
  /** The engine's stream ended; after an `end` part this says nothing new. */
  | { readonly type: "turn-over"; readonly turnId: string }
  /** Time has come to `wakeAtMs`. */
  | { readonly type: "tick" }
  /** Only for a session whose looks are `by-round`: look at the newest poses, if `isLookDue`. */
  | { readonly type: "look" }
  | { readonly type: "detach" }
  | { readonly type: "end"; readonly code: ErrorCode | "done"; readonly message: string };

/** A turn to be answered by the engine; its context is frozen. */
export interface ReadyTurn {
  readonly turnId: string;
  readonly request: XRRequest;
  /** The answer is to be heard. */
  readonly speaks: boolean;
}

/** Times are monotonic milliseconds; words of an answer count from the start of its sound. */
export type VoiceEvent =
  /** `noiseDb`: of the room, dBFS. */
  | { readonly name: "speech"; readonly isSpeaking: boolean; readonly noiseDb?: number }
  | { readonly name: "transcript"; readonly text: string; readonly isFinal: boolean; readonly language?: string }
  /** Somebody asked aloud. `turnId` holds unless the client named one beforehand. */
  | {
      readonly name: "asked";
      readonly turnId: string;
      readonly text: string;
      readonly words: readonly TimedText[];
      readonly fromMs: number;
      readonly untilMs: number;
    }
  /** Something was said that nobody understood. */
  | { readonly name: "not-understood" }
  | {
      readonly name: "sounding";
      readonly turnId: string;
      readonly itemId: string;
      readonly streamId: number;
      readonly codec: AudioCodec;
      /** Where it sounds; absent: in the head. */
      readonly at?: string;
      readonly gainDb?: number;
      readonly occlusion?: number;
    }
  | { readonly name: "words"; readonly turnId: string; readonly itemId: string; readonly words: readonly TimedText[] }
  /** The engine has said everything; the sound of it takes longer. */
  | { readonly name: "answered"; readonly turnId: string }
  | { readonly name: "interrupted"; readonly turnId?: string }
  /** What was heard of an answer that was cut off, as far as it is known by now. */
  | { readonly name: "heard"; readonly turnId: string; readonly text: string }
  | { readonly name: "duck"; readonly gainDb: number; readonly rampMs: number }
  | { readonly name: "unduck"; readonly rampMs: number }
  | { readonly name: "filler"; readonly turnId: string }
  /** Somebody else in the room was heard. */
  | { readonly name: "overheard"; readonly speaker: string; readonly text: string }
  /** What was asked and answered elsewhere in the room. */
  | { readonly name: "exchange"; readonly speaker: string; readonly question: string; readonly answer: string }
  /** To be said as it stands: the answer to somebody else in the room, or what was left unheard. */
  | { readonly name: "told"; readonly turnId: string; readonly text: string };

export type SessionOutput =
  | { readonly type: "send"; readonly message: ServerMessage }
  | { readonly type: "turn-ready"; readonly turn: ReadyTurn }
  /** Abort the engine's work on the turn. Its parts may still come in and are dropped. */
  | { readonly type: "cancel-turn"; readonly turnId: string; readonly reason: string }
  | {
      readonly type: "tool-result";
      readonly turnId: string;
      readonly callId: string;
      readonly text: string;
      readonly isError: boolean;
    }
  /** An image that is worth a model's look though nobody asked. */
  | { readonly type: "look"; readonly image: CameraImage }
  /** Audio that the user agreed to; `atMs` is when its first sample was taken, monotonic. Read during the call. */
  | { readonly type: "hear"; readonly packet: AudioPacket; readonly atMs: number }
  /** A turn without an engine. */
  | { readonly type: "told"; readonly turnId: string; readonly text: string; readonly speaks: boolean }
  | { readonly type: "hold"; readonly isActive: boolean }
  | { readonly type: "played"; readonly itemId: string; readonly playedMs: number; readonly bufferedMs?: number }
  | { readonly type: "mic"; readonly state: MicStateMessage }
  /** Close the socket. The session stays and can be resumed unless `isOver`. */
  | { readonly type: "close"; readonly code: number; readonly reason: string; readonly isOver: boolean }
  | { readonly type: "event"; readonly event: SessionEvent };

/** For audit, metrics and the recorder. Identifiers and sizes only. */
export type SessionEvent =
  | { readonly name: "session-started" | "session-resumed" | "session-detached" }
  | { readonly name: "session-ended"; readonly code: string; readonly turns: number; readonly seconds: number }
  | { readonly name: "consent-changed"; readonly before: Consent; readonly after: Consent }
  | { readonly name: "gesture"; readonly gesture: string; readonly phase: "start" | "end" }
  | { readonly name: "turn-started"; readonly turnId: string }
  | {
      readonly name: "turn-ended";
      readonly turnId: string;
      readonly outcome: string;
      readonly firstMs: number | undefined;
      readonly totalMs: number;
    }
  | { readonly name: "receipt"; readonly part: string; readonly delivered: boolean; readonly via: string }
  | { readonly name: "refused"; readonly what: string; readonly reason: string }
  | { readonly name: "clock"; readonly rttMs: number; readonly offsetMs: number };

export interface SessionLimits extends GrantedLimits {
  readonly poseHz: number;
  /** Camera images a second that clients are asked for; 0 where nobody could look at them. */
  readonly imageHz: number;
  /** Looks of a model at images without a question; 0 for none. */
  readonly looksPerMinute: number;
  readonly trianglesMax: number;
  /** A session without a socket ends after this. */
  readonly resumeMs: number;
  /** A socket that answers no ping for this long is dead. */
  readonly silentMs: number;
  readonly turnMsMax: number;
  /** Parts kept for a resume, over all turns of the session. */
  readonly keptPartsMax: number;
  readonly keptCharactersMax: number;
  /** Refused messages within ten seconds before the connection ends. */
  readonly refusalsMax: number;
  readonly historyCharactersMax: number;
  /** `supersede`: a new question ends the one before. `parallel`: up to `openTurnsMax` at once. */
  readonly turnPolicy: "supersede" | "parallel";
}

export const SESSION_LIMITS: SessionLimits = {
  controlCharactersMax: LIMITS.controlCharactersMax,
  sceneEntitiesMax: LIMITS.sceneEntitiesMax,
  controlMessagesPerSecondMax: LIMITS.controlMessagesPerSecondMax,
  asksPerSecondMax: LIMITS.asksPerSecondMax,
  openTurnsMax: LIMITS.openTurnsMax,
  imagePayloadBytesMax: LIMITS.imagePayloadBytesMax,
  poseHz: 30,
  imageHz: 1,
  looksPerMinute: 0,
  trianglesMax: 400_000,
  resumeMs: 60_000,
  silentMs: 10_000,
  turnMsMax: 30_000,
  keptPartsMax: 2_000,
  keptCharactersMax: 1_000_000,
  refusalsMax: 50,
  historyCharactersMax: 8_000,
  turnPolicy: "supersede",
};

export interface SessionOptions {
  readonly sessionId: string;
  readonly resumeToken: string;
  readonly principal: Principal;
  /** Monotonic time of the session's beginning: zero of its clock. */
  readonly startedMs: number;
  readonly limits: SessionLimits;
  /** The most the operator lets anybody send. */
  readonly consentMax: Consent;
  /** Model of a question that names none. */
  readonly model: string;
  /** Gestures and poses that the application taught. */
  readonly gestures?: GestureModel;
  /** False: spoken questions are refused with the reason. */
  readonly listens?: boolean;
  /**
   * When attention and gestures are derived from poses. `at-once`, the default: while the packet is handled. `by-round`: the
   * owner gives the input `look` soon after `isLookDue`, so that it can look at many sessions in a row. Whatever else the
   * session is given makes it look first, so nothing is ever answered from an older look.
   */
  readonly looks?: "at-once" | "by-round";
}
