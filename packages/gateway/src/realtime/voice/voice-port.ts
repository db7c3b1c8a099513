// What a door sees of a voice conversation. A door translates its own wire to these calls and these events; who hears,
// when a turn is over, who answers and what was really heard is decided behind them. Rules: docs/spec/voice.md.
//
// Ids: an utterance is what the user said between two silences; a turn is one answer; an item is the spoken (or written)
// part of an answer in the conversation. Epochs rise with every interruption: whatever carries an older one is stale.
import type {
  AnswerEngine,
  AnswerPart,
  Clock,
  Cost,
  Ids,
  Log,
  Message,
  Meter,
  Principal,
  TimedText,
  ToolChoice,
  ToolDefinition,
  Usage,
  XRContext,
} from "@fovea/core";
import type { NoiseSuppressor } from "../../audio/noise-suppressor.ts";

export interface OpenVoiceOptions {
  readonly engine: AnswerEngine;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly meter: Meter;
  readonly principal: Principal;
  /** Cleans speech before the machine's own recogniser; one for the process. */
  readonly noise?: NoiseSuppressor;
  /** Read when a turn begins; `NO_CONTEXT` where the door knows no room. */
  readonly context: () => XRContext;
  readonly settings: Partial<VoiceSettings>;
  readonly output: VoiceOutputPort;
}

/** Who decides that the user has begun and ended to speak. */
export type TurnDetection =
  | {
      readonly kind: "server";
      /** Silence that ends a turn; the profile's own figures (200, 500, 2,500 ms by what was said) where absent. */
      readonly silenceMs?: number;
      /** Audio before the onset that belongs to the utterance; 300 where absent. */
      readonly prerollMs?: number;
      /** False: the end of an utterance is told and transcribed, and `createResponse` starts the answer. */
      readonly createsResponse: boolean;
      /** False: speech over an answer is transcribed, and the answer goes on. */
      readonly interruptsResponse: boolean;
    }
  /** Audio is kept until `commit`; nothing starts or ends by itself. */
  | { readonly kind: "manual" };

export interface VoiceSettings {
  /** `provider/model`, an alias or `auto`. */
  readonly model: string;
  readonly instructions?: string;
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice?: ToolChoice;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  /** False: the answer is text only. */
  readonly speaks: boolean;
  /** False: utterances get no transcript of their own and cannot be answered (a door that only transcribes has true). */
  readonly transcribes: boolean;
  /** A voice of the speaking provider, or one of OpenAI's names; empty for the provider's own. */
  readonly voice: string;
  /** BCP 47; found out from what is said where absent and a recogniser tells it. */
  readonly language?: string;
  /** 0.25 to 4. */
  readonly speed?: number;
  /** Models to try for listening and speaking, first preferred; found by capability where empty. */
  readonly recognizers: readonly string[];
  readonly speakers: readonly string[];
  /** Other models and another voice for a language, by BCP 47 code ("de", "pt-br"). */
  readonly byLanguage?: Readonly<
    Record<
      string,
      { readonly recognizers?: readonly string[]; readonly speakers?: readonly string[]; readonly voice?: string }
    >
  >;
  /** Words likely to be said: names of things in the room. */
  readonly vocabulary: readonly string[];
  /** Of the PCM given to `output.audio`. */
  readonly outputRateHz: number;
  readonly turnDetection: TurnDetection;
  /** How far audio may run ahead of its playing. Infinity: as fast as it is made, for wires that play themselves. */
  readonly leadMs: number;
  /** `estimated`: the wire reports no playback; what was heard is worked out from when it was sent. */
  readonly playback: "reported" | "estimated";
  /** Whether the gateway takes its own voice out of the microphone. */
  readonly cancelsEcho: boolean;
  /** `auto`: what the machine's own recogniser gets is cleaned, what leaves for a vendor is left as it was. */
  readonly suppressesNoise: "auto" | "always" | "never";
}

export interface CreateResponseOptions {
  /** For this answer only. */
  readonly instructions?: string;
  readonly tools?: readonly ToolDefinition[];
  readonly toolChoice?: ToolChoice;
  readonly speaks?: boolean;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  /** Messages instead of the conversation (an answer out of band). */
  readonly messages?: readonly Message[];
  /** False: the answer is not added to the conversation. */
  readonly isKept?: boolean;
}

/** An entry of the conversation as the models will see it. */
export interface ConversationItem {
  readonly id: string;
  readonly message: Message;
}

export interface VoiceHandle {
  /** Of now; rises with every interruption. */
  readonly epoch: number;
  readonly items: readonly ConversationItem[];
  /** Mono PCM16 of any length and of a rate from 8,000 to 48,000. Synchronous and bounded; `capturedAtMs` is monotonic. */
  pushAudio(pcm16: Int16Array, sampleRateHz: number, capturedAtMs?: number): void;
  /** Manual detection, or an early end: what was pushed since the last commit is one utterance. Undefined: nothing was. */
  commit(): { readonly utteranceId: string } | undefined;
  /** Forgets audio that is not committed. */
  clear(): void;
  /** Answers now. Returns the turn's id; undefined where a turn is already open. */
  createResponse(options?: CreateResponseOptions): string | undefined;
  /** Speaks a text as it stands (a greeting), as a turn of its own. */
  say(text: string): string;
  /** Ends the open answer as `cancelled`: epoch + 1, flush. */
  cancel(): void;
  /** What has left the speaker. Reports of an older epoch are ignored. */
  played(mark: { readonly epoch: number; readonly itemId: string; readonly audioMs: number }): void;
  /** Cuts an item where its user stopped hearing it; returns the text that stays. Undefined: no such item. */
  truncate(itemId: string, audioMs: number): string | undefined;
  /**
   * The application's result for `output.toolCall`. A call of an open turn goes on in it; one of a turn that has ended is
   * added to the conversation, and `createResponse` lets the model see it. False: nobody asked.
   */
  toolResult(callId: string, text: string, isError?: boolean): boolean;
  addItem(item: ConversationItem, afterId?: string): void;
  removeItem(itemId: string): boolean;
  update(settings: Partial<VoiceSettings>): void;
  /** Looks at the agent, holds a button: see `TurnInput`. */
  cue(cue: "gaze" | "hold", isActive: boolean): void;
  close(): void;
}

export type VoiceTurnStatus = "completed" | "cancelled" | "failed";

/** Calls come in order, synchronously, never after `close()`. A door must not throw from them. */
export interface VoiceOutputPort {
  /** `audioMs`: place in the stream of pushed audio, preroll included. */
  speechStarted(event: { readonly utteranceId: string; readonly audioMs: number }): void;
  speechStopped(event: { readonly utteranceId: string; readonly audioMs: number }): void;
  /** The utterance is complete and will be transcribed. Comes after `speechStopped`, and after `commit()`. */
  committed(event: { readonly utteranceId: string; readonly durationMs: number }): void;
  /** What is understood so far; replaced by the next one. */
  transcriptPart(event: { readonly utteranceId: string; readonly text: string }): void;
  transcriptDone(event: {
    readonly utteranceId: string;
    /** Empty where nothing was understood. */
    readonly text: string;
    /** Milliseconds from the start of the utterance's audio. */
    readonly words: readonly TimedText[];
    readonly language?: string;
    readonly durationMs: number;
  }): void;
  transcriptFailed(event: { readonly utteranceId: string; readonly code: string; readonly message: string }): void;
  answerStarted(event: {
    readonly turnId: string;
    readonly itemId: string;
    readonly epoch: number;
    readonly speaks: boolean;
    /** The utterance that is answered, where one is. */
    readonly utteranceId?: string;
  }): void;
  answerText(event: { readonly turnId: string; readonly itemId: string; readonly text: string }): void;
  /** Every other part of the answer (actions, haptics, images), as the engine gave it. */
  answerPart?(event: { readonly turnId: string; readonly part: AnswerPart }): void;
  /** Times are milliseconds of the item's audio. */
  wordMark(event: { readonly turnId: string; readonly itemId: string; readonly words: readonly TimedText[] }): void;
  /** `startMs`: place in the item's audio. The samples are the caller's to read during the call only. */
  audio(event: {
    readonly turnId: string;
    readonly itemId: string;
    readonly epoch: number;
    readonly pcm: Int16Array;
    readonly sampleRateHz: number;
    readonly startMs: number;
  }): void;
  /** All audio of the item was given. */
  audioDone(event: { readonly turnId: string; readonly itemId: string; readonly durationMs: number }): void;
  duck(event: { readonly epoch: number; readonly gainDb: number; readonly rampMs: number }): void;
  unduck(event: { readonly epoch: number; readonly rampMs: number }): void;
  /** Everything older than `epoch` is to be dropped, also what was sent. `heardText` is what stays of the item. */
  flush(event: {
    readonly epoch: number;
    readonly itemId?: string;
    readonly heardMs: number;
    readonly heardText: string;
  }): void;
  /** The answer is late: a gesture or a sound now. */
  filler(event: { readonly turnId: string; readonly epoch: number }): void;
  toolCall(event: {
    readonly turnId: string;
    readonly callId: string;
    readonly name: string;
    /** Complete JSON text. */
    readonly args: string;
  }): void;
  turnDone(event: {
    readonly turnId: string;
    readonly itemId: string;
    readonly status: VoiceTurnStatus;
    /** Why it was cancelled: speech of the user, the client, a newer question. */
    readonly reason: "finished" | "turn_detected" | "client_cancelled" | "superseded" | "failed";
    /** All text of the answer, heard or not. */
    readonly text: string;
    readonly usage?: Usage;
    readonly cost?: Cost;
    readonly finishReason?: string;
    /** Calls of this answer whose results came before it ended: they are in the conversation, and nobody has seen them. */
    readonly answeredCalls?: number;
  }): void;
  /** Somebody else answers from now on. Not noticeable where nobody has heard the one before. */
  degraded?(event: {
    readonly from: string;
    readonly to: string;
    readonly reason: string;
    readonly isNoticeable: boolean;
  }): void;
  /** A failure; with `turnId` of that turn, whose `turnDone` follows. */
  error(event: { readonly code: string; readonly message: string; readonly turnId?: string }): void;
}

/** Of a door that says nothing else. */
export const VOICE_SETTINGS: VoiceSettings = {
  model: "auto",
  tools: [],
  speaks: true,
  transcribes: true,
  voice: "",
  recognizers: [],
  speakers: [],
  vocabulary: [],
  outputRateHz: 24_000,
  turnDetection: { kind: "server", createsResponse: true, interruptsResponse: true },
  leadMs: 400,
  playback: "reported",
  cancelsEcho: true,
  suppressesNoise: "auto",
};
