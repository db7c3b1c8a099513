// A live conversation with a vendor over one socket, in the words of no vendor. A codec belongs to one connection, keeps
// what that wire needs to be remembered, and does no IO: text in, text out.
import type { Message, ToolChoice, ToolDefinition, Usage } from "@fovea/core";

export interface LiveSettings {
  readonly model: string;
  readonly instructions?: string;
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice?: ToolChoice;
  readonly voice?: string;
  readonly language?: string;
  readonly speed?: number;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  /** False: answers are text. */
  readonly speaks: boolean;
  readonly turns:
    | {
        readonly kind: "server";
        readonly silenceMs?: number;
        readonly prerollMs?: number;
        readonly createsResponse: boolean;
        readonly interruptsResponse: boolean;
      }
    | { readonly kind: "manual" };
}

/** What a fresh connection is told. */
export interface LiveStart {
  readonly settings: LiveSettings;
  /** The conversation so far, oldest first; empty where `handle` brings it back. */
  readonly history: readonly LiveEntry[];
  readonly handle?: string;
}

export interface LiveEntry {
  /** The gateway's own name of the entry. */
  readonly id: string;
  readonly message: Message;
}

export interface LiveAnswerOptions {
  readonly instructions?: string;
  readonly tools?: readonly ToolDefinition[];
  readonly toolChoice?: ToolChoice;
  readonly speaks?: boolean;
  readonly maxOutputTokens?: number;
  /** Messages in place of the conversation, and whether the answer joins it. */
  readonly messages?: readonly Message[];
  readonly isKept?: boolean;
}

/** `key` is the wire's own name of an utterance. Audio is PCM16 mono at the codec's output rate. */
export type LiveEvent =
  | { readonly type: "ready" }
  | { readonly type: "speech-started"; readonly key: string; readonly audioMs: number }
  | { readonly type: "speech-stopped"; readonly key: string; readonly audioMs: number }
  | { readonly type: "committed"; readonly key: string }
  | { readonly type: "heard"; readonly key: string; readonly text: string; readonly isFinal: boolean }
  | { readonly type: "unheard"; readonly key: string; readonly code: string; readonly message: string }
  | { readonly type: "answer-started" }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "audio"; readonly pcm: Uint8Array }
  | { readonly type: "tool-call"; readonly id: string; readonly name: string; readonly args: string }
  | { readonly type: "tools-cancelled"; readonly ids: readonly string[] }
  | {
      readonly type: "answer-ended";
      readonly status: "completed" | "cancelled" | "failed" | "incomplete";
      readonly reason?: string;
      readonly message?: string;
      readonly usage?: Usage;
    }
  /** The user spoke over the answer, and the vendor stopped it. */
  | { readonly type: "interrupted" }
  | { readonly type: "handle"; readonly handle: string | undefined }
  | { readonly type: "going-away"; readonly inMs: number }
  /** `isFatal`: the connection is of no more use. `isAnswer`: no answer will come to what was asked last. */
  | {
      readonly type: "failed";
      readonly code: string;
      readonly message: string;
      readonly isFatal: boolean;
      readonly isAnswer?: boolean;
    };

export interface LiveCodec {
  readonly inputRateHz: number;
  readonly outputRateHz: number;
  open(start: LiveStart): readonly string[];
  /** Undefined where this wire takes no new settings: the connection must be opened anew. */
  update(settings: LiveSettings): readonly string[] | undefined;
  audio(pcm: Uint8Array): readonly string[];
  commit(): readonly string[];
  clear(): readonly string[];
  add(entry: LiveEntry): readonly string[];
  remove(id: string): readonly string[];
  toolResult(result: {
    readonly id: string;
    readonly name: string;
    readonly text: string;
    readonly isError: boolean;
  }): readonly string[];
  answer(options: LiveAnswerOptions): readonly string[];
  /** Stops the open answer. */
  cancel(): readonly string[];
  /** The newest spoken answer was heard up to here. */
  truncate(audioMs: number): readonly string[];
  /** Throws `WireFault` for what is not this wire at all. Unknown messages are passed over. */
  decode(text: string): readonly LiveEvent[];
}
