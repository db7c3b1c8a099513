import type {
  SpeechRequest,
  TimedText,
  TranscriptionRequest,
  TranscriptionResponse,
  Usage,
  Warning,
} from "@fovea/core";
import { fromBase64 } from "../base64.ts";
import { arrayOf, countOf, numberOf, parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import { buildMultipart, type MultipartField } from "../multipart.ts";
import type { SpeakCodec, UnaryCodec } from "../operation-wire.ts";
import type { EncodedCall } from "../vendor-wire.ts";
import { voiceFor } from "../voices.ts";
import { WireFault } from "../wire-fault.ts";

const TEXT_CHARACTERS_MAX = 4_096;

const MIMES = {
  mp3: "audio/mpeg",
  wav: "audio/wav",
  opus: "audio/ogg;codecs=opus",
  aac: "audio/aac",
  flac: "audio/flac",
  pcm: "audio/pcm;rate=24000;channels=1",
} as const;

/** POST /audio/speech: the body of the answer is the audio, sent as it is made. */
export const OPENAI_SPEAK: SpeakCodec = {
  encode: encodeSpeech,
  mime: (request) => MIMES[request.format],
  sampleRateHz: (request) => (request.format === "pcm" ? 24_000 : undefined),
};

function encodeSpeech(request: SpeechRequest): EncodedCall {
  if (request.text.length > TEXT_CHARACTERS_MAX) {
    throw new WireFault("too_large", `the text has more than ${TEXT_CHARACTERS_MAX} characters`);
  }
  const chosen = voiceFor("openai", request.voice);
  const warnings: Warning[] = [...chosen.warnings];
  const isOld = request.model.startsWith("tts-1");
  const speed = request.speed === undefined ? undefined : Math.min(4, Math.max(0.25, request.speed));
  if (isOld && request.instructions !== undefined) {
    warnings.push({ field: "instructions", message: `${request.model} takes no instructions` });
  }
  if (request.language !== undefined) warnings.push({ field: "language", message: "follows from the text" });
  const body = {
    model: request.model,
    input: request.text,
    voice: chosen.voice,
    response_format: request.format,
    ...(speed === undefined ? {} : { speed }),
    ...(isOld || request.instructions === undefined ? {} : { instructions: request.instructions }),
  };
  return { path: "/audio/speech", body: JSON.stringify(body), headers: { accept: "audio/*" }, warnings };
}

/** Together answers raw audio in events when asked to stream, and in one piece in the other formats. */
export const TOGETHER_SPEAK: SpeakCodec = {
  encode: (request) => {
    const isRaw = request.format === "pcm";
    const body = {
      model: request.model,
      input: request.text,
      voice: request.voice,
      ...(isRaw
        ? { response_format: "raw", response_encoding: "pcm_s16le", sample_rate: 24_000, stream: true }
        : { response_format: request.format === "wav" ? "wav" : "mp3" }),
      ...(request.language === undefined ? {} : { language: request.language }),
    };
    const unsent = (["speed", "instructions"] as const).filter((name) => request[name] !== undefined);
    const warnings = unsent.map((field) => ({ field, message: "is not sent to this provider" }));
    return { path: "/audio/speech", body: JSON.stringify(body), headers: { accept: "*/*" }, warnings };
  },
  mime: (request) => (request.format === "pcm" || request.format === "wav" ? MIMES[request.format] : MIMES.mp3),
  sampleRateHz: (request) => (request.format === "pcm" ? 24_000 : undefined),
  event: (data) => {
    if (data === "[DONE]") return { isEnd: true };
    const event = recordOf(parseJson(data));
    const audio = stringOf(event?.["b64"]) ?? stringOf(event?.["delta"]) ?? stringOf(event?.["audio"]);
    return audio === undefined ? {} : { bytes: fromBase64(audio) };
  },
};

/** POST /audio/transcriptions, or translations into English. */
export const OPENAI_TRANSCRIBE: UnaryCodec<TranscriptionRequest, TranscriptionResponse> = {
  answers: "json",
  encode: encodeTranscription,
  decode: (body, _request, { warnings }) => decodeTranscription(body, warnings),
};

function encodeTranscription(request: TranscriptionRequest): EncodedCall {
  const { audio } = request;
  const warnings: Warning[] = [];
  const isDetailed = /whisper/.test(request.model);
  const wantsTimes = request.wantWords === true || request.wantSegments === true;
  const fields: MultipartField[] = [
    { name: "model", value: request.model },
    {
      name: "file",
      fileName: audio.fileName ?? `audio.${extensionOf(audio.mime)}`,
      mime: audio.mime,
      bytes: audio.bytes,
    },
    { name: "response_format", value: wantsTimes && isDetailed ? "verbose_json" : "json" },
  ];
  if (request.language !== undefined) fields.push({ name: "language", value: request.language });
  if (request.prompt !== undefined) fields.push({ name: "prompt", value: request.prompt });
  if (request.temperature !== undefined) fields.push({ name: "temperature", value: String(request.temperature) });
  if (wantsTimes && !isDetailed) warnings.push({ field: "wantWords", message: `${request.model} gives no times` });
  if (wantsTimes && isDetailed) {
    if (request.wantWords === true) fields.push({ name: "timestamp_granularities[]", value: "word" });
    if (request.wantSegments === true) fields.push({ name: "timestamp_granularities[]", value: "segment" });
  }
  const { contentType, bytes } = buildMultipart(fields);
  const path = request.translateToEnglish === true ? "/audio/translations" : "/audio/transcriptions";
  return { path, body: bytes, headers: { "content-type": contentType }, warnings };
}

/** The vendor knows the format by the name's extension. */
export function extensionOf(mime: string): string {
  const type = mime.split(";")[0]?.trim().toLowerCase() ?? "";
  return EXTENSIONS[type] ?? "wav";
}

const EXTENSIONS: Readonly<Record<string, string | undefined>> = {
  __proto__: null as never,
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
  "audio/mp4": "m4a",
  "audio/m4a": "m4a",
  "audio/ogg": "ogg",
  "audio/opus": "ogg",
  "audio/webm": "webm",
  "video/webm": "webm",
  "audio/flac": "flac",
  "video/mp4": "mp4",
};

export function decodeTranscription(body: unknown, warnings: readonly Warning[]): TranscriptionResponse {
  const answer = recordOf(body);
  const text = stringOf(answer?.["text"]);
  if (answer === undefined || text === undefined) throw new WireFault("protocol", "a transcription without text");
  const language = stringOf(answer["language"]);
  const seconds = numberOf(answer["duration"]);
  const words = timed(answer["words"], "word");
  const segments = timed(answer["segments"], "text");
  const usage = usageOf(recordOf(answer["usage"]), seconds);
  return {
    text,
    warnings,
    ...(language === undefined ? {} : { language }),
    ...(seconds === undefined ? {} : { durationMs: Math.round(seconds * 1_000) }),
    ...(words.length === 0 ? {} : { words }),
    ...(segments.length === 0 ? {} : { segments }),
    ...(usage === undefined ? {} : { usage }),
  };
}

function timed(rows: unknown, textName: string): TimedText[] {
  return arrayOf(rows).flatMap((row) => {
    const piece = recordOf(row);
    const text = stringOf(piece?.[textName]) ?? stringOf(piece?.["text"]);
    const start = numberOf(piece?.["start"]);
    const end = numberOf(piece?.["end"]);
    if (text === undefined || start === undefined || end === undefined) return [];
    return [{ text, startMs: Math.round(start * 1_000), endMs: Math.round(end * 1_000) }];
  });
}

/** Newer models are billed by tokens, older ones by the seconds they heard. */
function usageOf(usage: JsonRecord | undefined, heardSeconds: number | undefined): Usage | undefined {
  const seconds = countOf(usage?.["seconds"]) ?? heardSeconds;
  const details = recordOf(usage?.["input_token_details"]);
  const audio = countOf(details?.["audio_tokens"]);
  if (usage === undefined && seconds === undefined) return undefined;
  return {
    input: {
      total: countOf(usage?.["input_tokens"]) ?? 0,
      cacheRead: 0,
      cacheWrite: 0,
      ...(audio === undefined ? {} : { audio }),
    },
    output: { total: countOf(usage?.["output_tokens"]) ?? 0 },
    ...(seconds === undefined ? {} : { seconds: { audioIn: seconds } }),
    source: usage === undefined ? "estimated" : "provider",
  };
}
