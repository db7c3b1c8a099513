// Abilities beyond chat and embeddings. An adapter has those it lists in `supportedFeatures`; whoever needs one asks
// `hasCapability` and gets the narrowed type. Requests and results are canonical; wire shapes stay in the vendor folder.
import type { MediaData, Warning } from "../model/chat.ts";
import type { EmbeddingRequest, EmbeddingResponse } from "../model/embedding.ts";
import type { Cost, Usage } from "../model/measure.ts";
import type { CallOptions, IProviderAdapter } from "./provider-adapter.ts";

export interface AudioInput {
  readonly bytes: Uint8Array;
  readonly mime: string;
  readonly fileName?: string;
}

export interface TranscriptionRequest {
  readonly model: string;
  readonly audio: AudioInput;
  readonly language?: string;
  readonly prompt?: string;
  readonly temperature?: number;
  readonly wantWords?: boolean;
  readonly wantSegments?: boolean;
  readonly translateToEnglish?: boolean;
  /** Names of things that may be spoken of. A recogniser that works by a grammar hears these and the known commands only. */
  readonly vocabulary?: readonly string[];
}

export interface TimedText {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface TranscriptionResponse {
  readonly text: string;
  readonly language?: string;
  readonly durationMs?: number;
  readonly words?: readonly TimedText[];
  readonly segments?: readonly TimedText[];
  /** A grammar was matched to its end: nothing need follow. */
  readonly isComplete?: boolean;
  readonly usage?: Usage;
  readonly warnings: readonly Warning[];
}

export interface SpeechRequest {
  readonly model: string;
  readonly text: string;
  readonly voice: string;
  readonly format: "mp3" | "wav" | "opus" | "aac" | "flac" | "pcm";
  readonly speed?: number;
  readonly instructions?: string;
  readonly language?: string;
}

/** Bytes arrive as the vendor sends them; nothing is buffered whole. Iterating drives the download. */
export interface SpeechResponse {
  readonly mime: string;
  readonly sampleRateHz?: number;
  readonly stream: AsyncIterable<Uint8Array>;
  readonly warnings: readonly Warning[];
  /** Settles when the stream has ended; undefined where the vendor reports none. */
  readonly usage: Promise<Usage | undefined>;
}

export interface ImageRequest {
  readonly model: string;
  readonly prompt: string;
  readonly count?: number;
  readonly size?: string;
  readonly quality?: string;
  readonly background?: string;
  readonly format?: "png" | "jpeg" | "webp";
  readonly source?: readonly { readonly mime: string; readonly data: MediaData }[];
}

export interface ImageResponse {
  readonly images: readonly { readonly mime: string; readonly data: MediaData; readonly revisedPrompt?: string }[];
  readonly usage?: Usage;
  readonly warnings: readonly Warning[];
}

export interface RerankRequest {
  readonly model: string;
  readonly query: string;
  readonly documents: readonly string[];
  readonly topN?: number;
}

export interface RerankResponse {
  readonly results: readonly { readonly index: number; readonly score: number }[];
  readonly usage?: Usage;
  readonly warnings: readonly Warning[];
}

/** Normalised image coordinates, 0 to 1, origin top left. */
export interface DetectedObject {
  readonly label: string;
  readonly score: number;
  readonly box: { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number };
  /** Where a model segments: a grey picture of the size it saw, white where the object is. */
  readonly mask?: { readonly mime: string; readonly bytes: Uint8Array };
  /** What is written on it, where the model reads. */
  readonly text?: string;
}

export interface DetectionRequest {
  readonly model: string;
  readonly image: { readonly mime: string; readonly bytes: Uint8Array };
  /** Words to ground; without them, whatever the model finds. */
  readonly labels?: readonly string[];
}

export interface DetectionResponse {
  readonly objects: readonly DetectedObject[];
  readonly usage?: Usage;
}

/** Work that outlives a request: video, meshes, splats, any Replicate prediction. */
export interface JobRequest {
  readonly model: string;
  readonly kind: "image" | "video" | "mesh" | "splat" | "panorama" | "other";
  readonly input: Readonly<Record<string, unknown>>;
  readonly webhookUrl?: string;
}

export interface Job {
  readonly id: string;
  readonly state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  readonly fraction?: number;
  readonly logs?: string;
  readonly error?: string;
  readonly output: readonly {
    readonly url: string;
    readonly mime?: string;
    readonly role: string;
    /** Unix milliseconds after which the URL is gone. */
    readonly expiresAtUnixMs?: number;
  }[];
  /** What the maker says of the whole, such as `metricScaleFactor` and `groundPlaneOffset` of a world. */
  readonly facts?: Readonly<Record<string, number | string>>;
  /** The answer as the maker gave it, for models whose answer is not, or not only, files. */
  readonly result?: unknown;
  readonly usage?: Usage;
  /** Where the maker names the price itself. */
  readonly cost?: Cost;
}

/** One file of a job's output, read from its maker with whatever that takes. */
export interface JobFile {
  readonly mime?: string;
  readonly sizeBytes?: number;
  /** Iterating drives the download; leaving closes it. */
  readonly stream: AsyncIterable<Uint8Array>;
}

/** The unary operations: one request, one result. */
export interface OperationInput {
  readonly embed: EmbeddingRequest;
  readonly transcribe: TranscriptionRequest;
  readonly speak: SpeechRequest;
  readonly image: ImageRequest;
  readonly rerank: RerankRequest;
  readonly vision: DetectionRequest;
  /** Starts the job; what becomes of it is asked of the adapter that started it. */
  readonly job: JobRequest;
}

export interface OperationOutput {
  readonly embed: EmbeddingResponse;
  readonly transcribe: TranscriptionResponse;
  readonly speak: SpeechResponse;
  readonly image: ImageResponse;
  readonly rerank: RerankResponse;
  readonly vision: DetectionResponse;
  readonly job: Job;
}

export type UnaryOperation = keyof OperationInput;

export interface TranscribeCapability {
  transcribe(request: TranscriptionRequest, options?: CallOptions): Promise<TranscriptionResponse>;
}
export interface SpeakCapability {
  speak(request: SpeechRequest, options?: CallOptions): Promise<SpeechResponse>;
}
export interface ImageCapability {
  image(request: ImageRequest, options?: CallOptions): Promise<ImageResponse>;
}
export interface RerankCapability {
  rerank(request: RerankRequest, options?: CallOptions): Promise<RerankResponse>;
}
export interface VisionCapability {
  detect(request: DetectionRequest, options?: CallOptions): Promise<DetectionResponse>;
}
export interface JobCapability {
  startJob(request: JobRequest, options?: CallOptions): Promise<Job>;
  getJob(id: string, options?: CallOptions): Promise<Job>;
  cancelJob(id: string, options?: CallOptions): Promise<void>;
  /** `url` is one of the job's outputs. The key goes to the maker's own hosts alone. */
  readJobFile?(url: string, options?: CallOptions): Promise<JobFile>;
  /** With what the maker signs its callbacks, where it can be asked. */
  webhookSecret?(options?: CallOptions): Promise<string>;
}

export interface RealtimeRequest {
  readonly model: string;
  readonly kind: "conversation" | "transcription";
  readonly voice?: string;
  readonly instructions?: string;
  readonly language?: string;
}

/** How to open a vendor's realtime session. Holds the key: never logged, never sent to a client. */
export interface RealtimeOpening {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON messages to send once the socket is open, in order; each session takes them exactly once. */
  readonly firstMessages: readonly string[];
  readonly inputRateHz: number;
  readonly outputRateHz?: number;
  /** What is spoken on the socket afterwards; absent where it only recognises speech. */
  readonly dialect?: "openai-realtime" | "gemini-live";
}

export interface RealtimeCapability {
  /** Pure: opens nothing. */
  openRealtime(request: RealtimeRequest): RealtimeOpening;
}

interface Capabilities {
  readonly realtime: RealtimeCapability;
  readonly transcribe: TranscribeCapability;
  readonly speak: SpeakCapability;
  readonly image: ImageCapability;
  readonly rerank: RerankCapability;
  readonly vision: VisionCapability;
  readonly job: JobCapability;
}

const METHODS: { readonly [K in keyof Capabilities]: keyof Capabilities[K] } = {
  transcribe: "transcribe",
  speak: "speak",
  image: "image",
  rerank: "rerank",
  vision: "detect",
  job: "startJob",
  realtime: "openRealtime",
};

/** True where the adapter both claims the ability and has the method. */
export function hasCapability<K extends keyof Capabilities>(
  adapter: IProviderAdapter,
  name: K,
): adapter is IProviderAdapter & Capabilities[K] {
  const method = METHODS[name];
  return (
    adapter.supportedFeatures.includes(name) &&
    typeof (adapter as unknown as Record<PropertyKey, unknown>)[method] === "function"
  );
}
