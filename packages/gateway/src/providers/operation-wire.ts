// Codecs of the abilities beyond chat. Pure, like those of `vendor-wire.ts`.
import type {
  DetectionRequest,
  DetectionResponse,
  ImageRequest,
  ImageResponse,
  Job,
  JobRequest,
  RealtimeRequest,
  RerankRequest,
  RerankResponse,
  SpeechRequest,
  TranscriptionRequest,
  TranscriptionResponse,
  Warning,
} from "@fovea/core";
import type { HttpHeaders } from "./http-call.ts";
import type { EncodedCall } from "./vendor-wire.ts";

/** `body` is the parsed JSON, or the bytes where the vendor answers with a file. */
export interface UnaryCodec<Request, Response> {
  readonly answers: "json" | "bytes";
  encode(request: Request): EncodedCall;
  decode(body: unknown, request: Request, details: AnswerDetails): Response;
}

export interface AnswerDetails {
  readonly headers: HttpHeaders;
  readonly warnings: readonly Warning[];
}

export interface SpeakCodec {
  encode(request: SpeechRequest): EncodedCall;
  /** `answered` is the content type of the vendor's answer. */
  mime(request: SpeechRequest, answered?: string): string;
  sampleRateHz(request: SpeechRequest): number | undefined;
  /** The vendor chooses the container whatever was asked for. */
  readonly hasOwnFormat?: boolean;
  /** Audio inside events, base64; absent where the body is the audio. True ends the stream. */
  event?(data: string): { readonly bytes?: Uint8Array; readonly isEnd?: boolean };
}

export interface JobCodec {
  start(request: JobRequest): EncodedCall;
  get(id: string): EncodedCall;
  cancel(id: string): EncodedCall | undefined;
  decode(body: unknown): Job;
  /** Hosts of the vendor, beside the configured one, that files come from and the key may go to. */
  readonly fileHosts?: RegExp;
}

/** `path` may carry a query. `keyQuery` for vendors that read the key nowhere else on a socket. */
export interface RealtimeCodec {
  path(request: RealtimeRequest): string;
  readonly keyQuery?: string;
  firstMessages(request: RealtimeRequest): readonly unknown[];
  readonly inputRateHz: number;
  readonly outputRateHz?: number;
  /** Absent where the socket only recognises speech. */
  readonly dialect?: "openai-realtime" | "gemini-live";
}

export interface OperationWire {
  readonly realtime?: RealtimeCodec;
  readonly transcribe?: UnaryCodec<TranscriptionRequest, TranscriptionResponse>;
  readonly speak?: SpeakCodec;
  readonly image?: UnaryCodec<ImageRequest, ImageResponse>;
  readonly rerank?: UnaryCodec<RerankRequest, RerankResponse>;
  readonly vision?: UnaryCodec<DetectionRequest, DetectionResponse>;
  readonly job?: JobCodec;
}
