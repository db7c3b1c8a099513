// What passes between the socket side of the emulator and a vendor's wire. A vendor is a pure function from a call to a
// reply; everything that goes wrong on the way (pacing, cuts, splits) is done to the reply, never inside a vendor.
import type { SeededRandom } from "@fovea/core/testing";
import type { Answer } from "./scenario.ts";

export const PROVIDER_NAMES = [
  "openai",
  "anthropic",
  "google",
  "huggingface",
  "cohere",
  "replicate",
  "together",
  "custom",
  "worldlabs",
] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** One request as it arrived. `json` is undefined where the body is not JSON; `parts` are those of a multipart form. */
export interface Call {
  /** 1 for the first request this emulator received. */
  readonly order: number;
  readonly method: string;
  /** Double slashes collapsed, query removed. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  readonly json: unknown;
  readonly parts: readonly FormPart[];
  /** The credential as the vendor reads it, or "" without one. */
  readonly key: string;
  /** Origin the caller used, for URLs inside answers. */
  readonly origin: string;
}

export interface FormPart {
  readonly name: string;
  readonly fileName?: string;
  readonly contentType?: string;
  readonly bytes: Uint8Array;
}

/** Where a frame stands in an answer. Endings count `content`; `terminal` is what a reader must have seen. */
export type FrameKind = "lifecycle" | "content" | "usage" | "terminal" | "marker";

export interface Frame {
  readonly kind: FrameKind;
  readonly data: string;
  readonly event?: string;
  readonly id?: string;
}

export type StreamFormat = "sse" | "sse-crlf" | "ndjson" | "json-array";

export interface WholeReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** The server holds the answer back this long: a caller who waits for a job. */
  readonly delayMs?: number;
}

export interface StreamReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly format: StreamFormat;
  readonly contentType: string;
  readonly frames: readonly Frame[];
}

/** Bytes in pieces: audio, images. Each piece counts as one content frame. */
export interface BytesReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly pieces: readonly Uint8Array[];
}

export type Reply = WholeReply | StreamReply | BytesReply;

/** How a vendor says a failure. `kind` is one of its own variants, as `rate_limited` or `insufficient_quota`. */
export interface FailureAsk {
  readonly status: number;
  readonly kind?: string;
  readonly message?: string;
  readonly retryAfterS?: number;
  readonly param?: string;
}

/** The state of one key's window, for the vendor's own header names. */
export interface LimitState {
  readonly requestsLimit: number;
  readonly requestsRemaining: number;
  readonly requestsResetMs: number;
  readonly tokensLimit: number;
  readonly tokensRemaining: number;
  readonly tokensResetMs: number;
  readonly unixMs: number;
}

/** What a vendor may use to make its reply: same call, same order, same seed give the same bytes. */
export interface Stage {
  readonly answer: Answer;
  readonly random: SeededRandom;
  /** Unix time of the answer: fixed by the scenario unless it asks for real time. */
  readonly unixMs: number;
  /** Monotonic, for job lifecycles. */
  readonly nowMs: number;
  readonly memory: Map<string, unknown>;
  /** Names for the model list; without them the vendor has its own. */
  readonly models: readonly string[];
  /** What callbacks are signed with. */
  readonly secret: string | undefined;
  nextId(prefix: string): string;
  /** Posts a callback when its time has come; `build` is given the monotonic time of that moment. */
  post(delayMs: number, url: string, build: (nowMs: number) => Callback): void;
}

export interface Callback {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Vendor {
  readonly name: ProviderName;
  /** What a client of this vendor is configured with, below the origin. */
  readonly basePath: string;
  keyOf(headers: Readonly<Record<string, string>>, query: URLSearchParams): string;
  /** The model a call names, for scenario rules and limits; "" where there is none. */
  modelOf(call: Call): string;
  handle(call: Call, stage: Stage): Reply;
  /** What is served without a key, as files at signed addresses. Undefined for everything else. */
  open?(call: Call, stage: Stage): Reply | undefined;
  failure(ask: FailureAsk, stage: Stage): WholeReply;
  /** What the vendor sends inside a stream that has begun and then fails. */
  streamFailure(ask: FailureAsk, format: StreamFormat, call: Call): readonly Frame[];
  limitHeaders(state: LimitState): Readonly<Record<string, string>>;
  /** On every answer, as the request id. */
  commonHeaders(stage: Stage): Readonly<Record<string, string>>;
}

/** Thrown by `handle` for a call that the real API would refuse. */
export class Refusal extends Error {
  readonly ask: FailureAsk;

  constructor(ask: FailureAsk) {
    super(ask.message ?? ask.kind ?? `status ${ask.status}`);
    this.name = "Refusal";
    this.ask = ask;
  }
}

export function jsonReply(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): WholeReply {
  return { status, headers, contentType: "application/json", body: JSON.stringify(body) };
}
