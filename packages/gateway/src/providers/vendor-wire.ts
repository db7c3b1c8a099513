// What a vendor folder provides: pure functions between the canonical model and the vendor's wire. No clock, no key, no
// socket; those are `provider-caller.ts`.
import type {
  ChatRequest,
  EmbeddingRequest,
  EmbeddingResponse,
  LimitBucket,
  ModelInfo,
  ProviderFailure,
  StreamPart,
  Warning,
} from "@fovea/core";
import type { HttpHeaders, HttpRequest } from "./http-call.ts";
import type { WireFault } from "./wire-fault.ts";

/** A request without origin and credentials. `path` is relative to the base URL and starts with a slash. */
export interface EncodedCall {
  readonly method?: HttpRequest["method"];
  readonly path: string;
  /** Where the call goes instead of the base URL; the vendor folder answers for it being the vendor's own. */
  readonly origin?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly warnings: readonly Warning[];
}

/** What a decoder may know of the answer it decodes. */
export interface AnswerContext {
  readonly providerId: string;
  readonly request: ChatRequest;
  readonly requestId?: string;
  readonly warnings: readonly Warning[];
}

export interface ErrorHead {
  readonly providerId: string;
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly unixMs: number;
}

/**
 * Bytes to parts. `push` appends, and throws `WireFault` for what is not the vendor's wire at all; `end` appends the
 * terminal part unless there is one. After the terminal part nothing is appended.
 */
export interface ChatDecoder {
  readonly isDone: boolean;
  push(chunk: Uint8Array, parts: StreamPart[]): void;
  end(fault: WireFault | undefined, parts: StreamPart[]): void;
}

export interface ChatCodec {
  encode(request: ChatRequest, isStreamed: boolean): EncodedCall;
  decoder(context: AnswerContext): ChatDecoder;
  /** An unstreamed answer gives the parts its stream would have given. Throws `WireFault`. */
  decode(body: unknown, context: AnswerContext): StreamPart[];
}

export interface EmbedCodec {
  encode(request: EmbeddingRequest): EncodedCall;
  decode(body: unknown, request: EmbeddingRequest): EmbeddingResponse;
  /** Inputs a call may carry; longer lists are sent in several calls. */
  readonly inputsMax: number;
  /** Inputs may be arrays of token numbers. */
  readonly takesTokens?: boolean;
}

export interface ModelList {
  readonly path: string;
  decode(body: unknown): readonly ModelInfo[];
  /** Path of the next page, where there is one. */
  nextPath?(body: unknown): string | undefined;
}

export interface VendorWire {
  readonly chat?: ChatCodec;
  readonly embed?: EmbedCodec;
  readonly modelList?: ModelList;
  /** Cheapest call that proves reachability and key. */
  readonly probe: EncodedCall;
  readonly requestIdHeader: string;
  classify(head: ErrorHead, body: string): ProviderFailure;
  limits(headers: HttpHeaders, unixMs: number): readonly LimitBucket[];
}
