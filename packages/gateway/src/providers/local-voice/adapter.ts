// Speech without key or network, as a provider like any other: model `espeak-ng` and `flite` speak, model
// `pocketsphinx` listens. Its general language model is rough; the gateway's voice sessions use a grammar instead.
import { GatewayError, ProviderError } from "@fovea/core";
import type {
  CallOptions,
  ChatResponse,
  Clock,
  EmbeddingResponse,
  IdentifiedAdapter,
  ModelInfo,
  ProviderHealth,
  SpeakCapability,
  SpeechRequest,
  SpeechResponse,
  SupportedFeatures,
  TranscribeCapability,
  TranscriptionRequest,
  TranscriptionResponse,
  Usage,
  Warning,
} from "@fovea/core";
import type { SpeechPrograms } from "../../audio/find-programs.ts";
import type { Recognition } from "../../audio/recognize-with-sphinx.ts";
import { recognizeWithSphinx } from "../../audio/recognize-with-sphinx.ts";
import { RoomGrammars } from "../../audio/room-grammar.ts";
import { ESPEAK_RATE_HZ, speakWithEspeak, speakWithFlite } from "../../audio/speak-with-programs.ts";
import { parseWav, pcm16, toMono, wavHeader } from "../../audio/wav.ts";
import { buildFailure } from "../failure.ts";

export const LOCAL_VOICE_ID = "local-voice";
/** Two minutes: what the general language model can finish within its own time limit on one core. */
const AUDIO_SECONDS_MAX = 120;
const FLITE_VOICES = ["slt", "rms", "awb", "kal16", "kal"];
/** OpenAI's voice names, which clients send by habit, mapped to flite's nearest speakers. */
const FAMILIAR_VOICES: Readonly<Record<string, string>> = {
  alloy: "slt",
  nova: "slt",
  shimmer: "slt",
  coral: "slt",
  echo: "rms",
  onyx: "rms",
  fable: "awb",
  ash: "rms",
};

export class LocalVoiceAdapter implements IdentifiedAdapter, SpeakCapability, TranscribeCapability {
  readonly id = LOCAL_VOICE_ID;
  readonly type = "embedded";
  readonly region = "local";
  readonly supportedFeatures: SupportedFeatures[];
  readonly #programs: SpeechPrograms;
  readonly #models: readonly ModelInfo[];
  readonly #clock: Clock;
  readonly #grammars: RoomGrammars | undefined;

  constructor(programs: SpeechPrograms, clock: Clock) {
    this.#programs = programs;
    this.#clock = clock;
    const model = programs.pocketsphinxModel;
    this.#grammars = model === undefined ? undefined : new RoomGrammars(model, programs.flite, clock);
    this.#models = modelsOf(programs);
    this.supportedFeatures = [...new Set(this.#models.flatMap((model) => model.features))];
  }

  /** Loads the dictionary and makes the grammar of a room before somebody speaks there. */
  warm(vocabulary: readonly string[]): void {
    this.#grammars?.of(vocabulary).catch(() => undefined);
  }

  models(): readonly ModelInfo[] {
    return this.#models;
  }

  async speak(request: SpeechRequest, options: CallOptions = {}): Promise<SpeechResponse> {
    if (request.format !== "wav" && request.format !== "pcm") {
      throw this.#refuse("response_format", `${request.format} is not made here; ask for "wav" or "pcm"`);
    }
    const spoken = request.model === "flite" ? await this.#flite(request, options) : this.#espeak(request, options);
    return { ...spoken, usage: Promise.resolve(usageOf(request.text)) };
  }

  async transcribe(request: TranscriptionRequest, options: CallOptions = {}): Promise<TranscriptionResponse> {
    const { pocketsphinx, pocketsphinxModel } = this.#programs;
    if (pocketsphinx === undefined || pocketsphinxModel === undefined)
      throw this.#refuse("model", "pocketsphinx is not installed");
    if (request.language !== undefined && !request.language.toLowerCase().startsWith("en")) {
      throw this.#refuse("language", `${request.language} is not understood; only English is`);
    }
    const audio = this.#parse(request);
    const seconds = audio.samples.length / audio.sampleRateHz;
    if (seconds > AUDIO_SECONDS_MAX)
      throw this.#refuse(
        "file",
        `the audio lasts ${Math.round(seconds)} s; at most ${AUDIO_SECONDS_MAX} s are understood at once`,
      );
    const signal = options.signal === undefined ? {} : { signal: options.signal };
    const { vocabulary } = request;
    const heard = await this.#failing(async () => {
      const grammar = vocabulary === undefined ? undefined : await this.#grammars?.of(vocabulary);
      const how = grammar === undefined ? signal : { ...signal, grammar };
      return recognizeWithSphinx({ program: pocketsphinx, model: pocketsphinxModel }, audio, this.#clock, how);
    });
    const base = {
      language: "en",
      durationMs: Math.round(seconds * 1_000),
      usage: { ...NO_TOKENS, seconds: { audioIn: seconds } },
    };
    if (vocabulary === undefined) return { ...base, text: heard.text, words: heard.words, warnings: [...LOW_QUALITY] };
    if (!isPlausible(heard)) return { ...base, text: "", words: [], warnings: [...NOT_A_COMMAND] };
    return { ...base, text: heard.text, words: heard.words, isComplete: heard.text !== "", warnings: [] };
  }

  async chat(): Promise<ChatResponse> {
    throw this.#refuse("model", "this provider speaks and listens; it does not chat");
  }

  // oxlint-disable-next-line require-yield -- The contract wants a stream; there is nothing to stream.
  async *chatStream(): AsyncGenerator<ChatResponse> {
    throw this.#refuse("model", "this provider speaks and listens; it does not chat");
  }

  async embeddings(): Promise<EmbeddingResponse> {
    throw this.#refuse("model", "this provider makes no embeddings");
  }

  async healthCheck(): Promise<ProviderHealth> {
    const state = this.models().length > 0 ? "healthy" : "unhealthy";
    return { state, errorRate: 0, sinceMs: this.#clock.monotonicMs(), checkedBy: "configuration" };
  }

  async getAvailableModels(): Promise<string[]> {
    return this.models().map((model) => model.id);
  }

  /** No vendor, no limit: the machine's cores are the limit, and admission guards those. */
  getRateLimits(): { requestsPerMinute: number; tokensPerMinute: number } {
    return { requestsPerMinute: Infinity, tokensPerMinute: Infinity };
  }

  async close(): Promise<void> {}

  async #flite(request: SpeechRequest, options: CallOptions): Promise<Omit<SpeechResponse, "usage">> {
    const program = this.#programs.flite;
    if (program === undefined) throw this.#refuse("model", "flite is not installed");
    const voice = FAMILIAR_VOICES[request.voice] ?? request.voice;
    if (!FLITE_VOICES.includes(voice))
      throw this.#refuse("voice", `flite has no voice "${request.voice}"; it has ${FLITE_VOICES.join(", ")}`);
    const utterance = { text: request.text, voice, speed: request.speed ?? 1 };
    const { samples, sampleRateHz } = await this.#failing(() =>
      speakWithFlite(program, utterance, this.#clock, options.signal),
    );
    return this.#answer(
      request,
      sampleRateHz,
      once(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)),
      samples.byteLength,
    );
  }

  #espeak(request: SpeechRequest, options: CallOptions): Omit<SpeechResponse, "usage"> {
    const program = this.#programs.espeak;
    if (program === undefined) throw this.#refuse("model", "espeak-ng is not installed");
    const voice =
      request.voice in FAMILIAR_VOICES || request.voice === "" ? (request.language ?? "en-us") : request.voice;
    if (!/^[a-z][\w+-]{1,40}$/i.test(voice))
      throw this.#refuse("voice", `"${request.voice}" is not the name of a voice`);
    const utterance = { text: request.text, voice, speed: request.speed ?? 1 };
    return this.#answer(
      request,
      ESPEAK_RATE_HZ,
      speakWithEspeak(program, utterance, this.#clock, options.signal),
      undefined,
    );
  }

  #answer(
    request: SpeechRequest,
    sampleRateHz: number,
    pcm: AsyncIterable<Uint8Array>,
    bytes: number | undefined,
  ): Omit<SpeechResponse, "usage"> {
    const warnings: Warning[] =
      request.instructions === undefined
        ? []
        : [{ field: "instructions", message: "these voices take no instructions" }];
    if (request.format === "pcm")
      return { mime: `audio/pcm;rate=${sampleRateHz}`, sampleRateHz, stream: pcm, warnings };
    // Players read an "endless" stream until it ends.
    const header = wavHeader(sampleRateHz, bytes ?? 0xffffffff - 36);
    return { mime: "audio/wav", sampleRateHz, stream: withHeader(header, pcm), warnings };
  }

  #parse(request: TranscriptionRequest): { samples: Int16Array; sampleRateHz: number } {
    const { bytes, mime } = request.audio;
    const raw = /^audio\/(?:pcm|l16)(?:;.*rate=(\d+))?/i.exec(mime);
    if (raw !== null) return { samples: pcm16(bytes), sampleRateHz: Number(raw[1] ?? 16_000) };
    try {
      const audio = parseWav(bytes);
      return { samples: toMono(audio), sampleRateHz: audio.sampleRateHz };
    } catch (error) {
      throw this.#refuse("file", GatewayError.is(error) ? error.message : "the audio is not usable");
    }
  }

  /** What the programs throw, in the words of a provider. Cancellation stays what it is. */
  async #failing<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (!GatewayError.is(error) || error.code === "request_cancelled") throw error;
      const isRequest = error.row.http < 500;
      const code = isRequest
        ? "invalid_request"
        : error.code === "deadline_exceeded"
          ? "timeout_total"
          : "server_error";
      const param = error.details.param;
      throw new ProviderError(buildFailure(code, this.id, error.message, param === undefined ? {} : { param }), {
        cause: error,
      });
    }
  }

  #refuse(param: string, message: string): ProviderError {
    return new ProviderError(buildFailure("invalid_request", this.id, message, { param, billed: "no" }));
  }
}

const NO_TOKENS: Usage = { input: { total: 0, cacheRead: 0, cacheWrite: 0 }, output: { total: 0 }, source: "provider" };
const LOW_QUALITY: readonly Warning[] = [
  { field: "model", message: "pocketsphinx with its general language model: expect one word in four to be wrong" },
];

const NOT_A_COMMAND: readonly Warning[] = [
  { field: "file", message: "what was said is none of the commands and questions about this room" },
];
/** Nobody speaks a word in less, or draws every word of a sentence out for longer. Milliseconds. */
const WORD_MS_MIN = 90;
const WORD_MS_MAX = 900;

/** A grammar makes some command of any speech; one whose words are far too short or long was not what was said. */
function isPlausible({ words }: Recognition): boolean {
  const [first] = words;
  const last = words.at(-1);
  if (first === undefined || last === undefined) return true;
  const perWordMs = (last.endMs - first.startMs) / words.length;
  return perWordMs >= WORD_MS_MIN && perWordMs <= WORD_MS_MAX;
}

function usageOf(text: string): Usage {
  return { ...NO_TOKENS, units: { characters: text.length } };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* withHeader(header: Uint8Array, pcm: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield header;
  yield* pcm;
}

function modelsOf({ espeak, flite, pocketsphinx }: SpeechPrograms): readonly ModelInfo[] {
  const models: ModelInfo[] = [];
  if (flite !== undefined) models.push({ id: "flite", features: ["speak"], input: ["text"], output: ["audio"] });
  if (espeak !== undefined) models.push({ id: "espeak-ng", features: ["speak"], input: ["text"], output: ["audio"] });
  if (pocketsphinx !== undefined)
    models.push({ id: "pocketsphinx", features: ["transcribe"], input: ["audio"], output: ["text"] });
  return models;
}
