import {
  GatewayError,
  type CallOptions,
  type DetectionRequest,
  type DetectionResponse,
  type ImageCapability,
  type ImageRequest,
  type ImageResponse,
  type Job,
  type JobCapability,
  type JobFile,
  type JobRequest,
  type RealtimeCapability,
  type RealtimeOpening,
  type RealtimeRequest,
  type RerankCapability,
  type RerankRequest,
  type RerankResponse,
  type SpeakCapability,
  type SpeechRequest,
  type SpeechResponse,
  type TranscribeCapability,
  type TranscriptionRequest,
  type TranscriptionResponse,
  type Usage,
  type VisionCapability,
} from "@fovea/core";
import { readFile } from "./file-download.ts";
import type { OperationWire, UnaryCodec } from "./operation-wire.ts";
import type { AdapterDeps } from "./provider-caller.ts";
import { SpeechStream } from "./speech-stream.ts";
import { WireAdapter, type WireAdapterOptions } from "./wire-adapter.ts";

const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** An adapter with abilities beyond chat: those whose codec its wire has, and which it lists as features. */
export class OperationAdapter
  extends WireAdapter
  implements
    TranscribeCapability,
    SpeakCapability,
    ImageCapability,
    RerankCapability,
    VisionCapability,
    JobCapability,
    RealtimeCapability
{
  readonly #wire: OperationWire;

  constructor(options: WireAdapterOptions, wire: OperationWire, deps: AdapterDeps) {
    super(options, deps);
    this.#wire = wire;
  }

  transcribe(request: TranscriptionRequest, options: CallOptions = {}): Promise<TranscriptionResponse> {
    return this.#unary(this.#wire.transcribe ?? this.lacks("transcription"), request, options);
  }

  image(request: ImageRequest, options: CallOptions = {}): Promise<ImageResponse> {
    return this.#unary(this.#wire.image ?? this.lacks("image generation"), request, options);
  }

  rerank(request: RerankRequest, options: CallOptions = {}): Promise<RerankResponse> {
    return this.#unary(this.#wire.rerank ?? this.lacks("reranking"), request, options);
  }

  detect(request: DetectionRequest, options: CallOptions = {}): Promise<DetectionResponse> {
    return this.#unary(this.#wire.vision ?? this.lacks("object detection"), request, options);
  }

  async speak(request: SpeechRequest, options: CallOptions = {}): Promise<SpeechResponse> {
    const codec = this.#wire.speak ?? this.lacks("speech");
    const call = this.decoded(() => codec.encode(request));
    const answer = await this.caller.open(call, options);
    this.caller.readLimits(answer.headers);
    const { promise, resolve } = Promise.withResolvers<Usage | undefined>();
    const answered = answer.headers["content-type"]?.split(";")[0]?.trim();
    const mime = codec.mime(request, answered);
    const sampleRateHz = codec.sampleRateHz(request);
    const stream = new SpeechStream(this.caller, answer, {
      codec,
      isPcm: request.format === "pcm" && codec.hasOwnFormat !== true,
      onEnd: () => resolve(usageOfSpeech(request)),
    });
    return {
      mime,
      stream,
      warnings: call.warnings,
      usage: promise,
      ...(sampleRateHz === undefined ? {} : { sampleRateHz }),
    };
  }

  async startJob(request: JobRequest, options: CallOptions = {}): Promise<Job> {
    const codec = this.#wire.job ?? this.lacks("jobs");
    const { webhookUrl } = this.config;
    const whole = webhookUrl === undefined ? request : { webhookUrl, ...request };
    const { body } = await this.caller.json(
      this.decoded(() => codec.start(whole)),
      options,
    );
    return this.decoded(() => codec.decode(body));
  }

  async getJob(id: string, options: CallOptions = {}): Promise<Job> {
    const codec = this.#wire.job ?? this.lacks("jobs");
    const { body } = await this.caller.json(codec.get(id), options);
    return this.decoded(() => codec.decode(body));
  }

  async cancelJob(id: string, options: CallOptions = {}): Promise<void> {
    const call = (this.#wire.job ?? this.lacks("jobs")).cancel(id);
    if (call === undefined) this.lacks("cancelling of jobs");
    const answer = await this.caller.open(call, { ...options, isWhole: true });
    answer.letEnd();
  }

  async readJobFile(url: string, options: CallOptions = {}): Promise<JobFile> {
    const codec = this.#wire.job ?? this.lacks("jobs");
    return readFile(this.caller, url, codec.fileHosts, options);
  }

  openRealtime(request: RealtimeRequest): RealtimeOpening {
    const codec = this.#wire.realtime ?? this.lacks("realtime sessions");
    const { url, headers } = this.caller.socketTo(codec.path(request));
    const key = this.config.apiKey;
    if (codec.keyQuery !== undefined && key !== undefined) url.searchParams.set(codec.keyQuery, key);
    return {
      url: url.href,
      headers,
      firstMessages: codec.firstMessages(request).map((message) => JSON.stringify(message)),
      inputRateHz: codec.inputRateHz,
      ...(codec.outputRateHz === undefined ? {} : { outputRateHz: codec.outputRateHz }),
      ...(codec.dialect === undefined ? {} : { dialect: codec.dialect }),
    };
  }

  async #unary<Request, Response>(
    codec: UnaryCodec<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    const call = this.decoded(() => codec.encode(request));
    if (codec.answers === "json") {
      const { body, headers } = await this.caller.json(call, options);
      return this.decoded(() => codec.decode(body, request, { headers, warnings: call.warnings }));
    }
    const { bytes, headers } = await this.caller.bytes(call, FILE_BYTES_MAX, options);
    return this.decoded(() => codec.decode(bytes, request, { headers, warnings: call.warnings }));
  }

  protected decoded<T>(decode: () => T): T {
    try {
      return decode();
    } catch (error) {
      throw this.caller.thrown(error);
    }
  }

  protected lacks(what: string): never {
    throw new GatewayError("request_unsupported", `provider ${this.id} (${this.type}) has no ${what}`, {
      providerId: this.id,
    });
  }
}

/** Vendors that report nothing charge by the characters they were given. */
function usageOfSpeech(request: SpeechRequest): Usage {
  return {
    input: { total: 0, cacheRead: 0, cacheWrite: 0 },
    output: { total: 0 },
    units: { characters: request.text.length, requests: 1 },
    source: "estimated",
  };
}
