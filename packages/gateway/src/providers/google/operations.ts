import type {
  ChatRequest,
  ImageRequest,
  ImageResponse,
  TranscriptionRequest,
  TranscriptionResponse,
  Usage,
  Warning,
} from "@fovea/core";
import { fromBase64 } from "../base64.ts";
import { chatDetection } from "../chat-detection.ts";
import { arrayOf, parseJson, recordOf, stringOf } from "../json-body.ts";
import type { OperationWire, SpeakCodec, UnaryCodec } from "../operation-wire.ts";
import type { ChatCodec } from "../vendor-wire.ts";
import { GOOGLE_REALTIME } from "../realtime.ts";
import { voiceFor } from "../voices.ts";
import { WireFault } from "../wire-fault.ts";
import { modelPath } from "./models.ts";

/** Everything Gemini does beside chat, it does by generating content. */
export function googleOperations(codec: ChatCodec): OperationWire {
  return {
    vision: chatDetection(codec),
    transcribe: transcribeCodec(codec),
    image: imageCodec(codec),
    speak: SPEAK,
    realtime: GOOGLE_REALTIME,
  };
}

/** Speech models answer in 24 kHz PCM alone, in events. */
const SPEAK: SpeakCodec = {
  encode: (request) => {
    const chosen = voiceFor("google", request.voice);
    const warnings: Warning[] = [...chosen.warnings];
    if (request.format !== "pcm") warnings.push({ field: "format", message: "this provider speaks PCM alone" });
    if (request.speed !== undefined) warnings.push({ field: "speed", message: "is not sent to this provider" });
    const text = request.instructions === undefined ? request.text : `${request.instructions}: ${request.text}`;
    const language = request.language === undefined ? {} : { languageCode: request.language };
    const speechConfig = { ...language, voiceConfig: { prebuiltVoiceConfig: { voiceName: chosen.voice } } };
    const body = {
      contents: [{ role: "user", parts: [{ text }] }],
      generationConfig: { responseModalities: ["AUDIO"], speechConfig },
    };
    return { path: `${modelPath(request.model)}:streamGenerateContent?alt=sse`, body: JSON.stringify(body), warnings };
  },
  mime: () => "audio/pcm;rate=24000;channels=1",
  sampleRateHz: () => 24_000,
  event: (data) => {
    const response = recordOf(parseJson(data));
    if (response?.["error"] !== undefined) throw new WireFault("provider_stream_error", "the speech model failed");
    const candidate = recordOf(arrayOf(response?.["candidates"])[0]);
    const audio = arrayOf(recordOf(candidate?.["content"])?.["parts"]).map(
      (part) => stringOf(recordOf(recordOf(part)?.["inlineData"])?.["data"]) ?? "",
    );
    const isEnd = candidate?.["finishReason"] !== undefined;
    return { bytes: Buffer.concat(audio.map(fromBase64)), isEnd };
  },
};

interface Answer {
  readonly text: string;
  readonly usage?: Usage;
  readonly images: ImageResponse["images"];
}

/** The parts of a whole answer, or the failure it was. */
function answerOf(codec: ChatCodec, body: unknown, request: ChatRequest): Answer {
  const parts = codec.decode(body, { providerId: "", request, warnings: [] });
  const last = parts.at(-1);
  if (last?.type === "error") throw new WireFault(last.failure.code, last.failure.message);
  const usage = parts.find((part) => part.type === "usage");
  return {
    text: parts.map((part) => (part.type === "text-delta" ? part.text : "")).join(""),
    images: parts.flatMap((part) => (part.type === "media" ? [{ mime: part.mime, data: part.data }] : [])),
    ...(usage?.type === "usage" ? { usage: usage.usage } : {}),
  };
}

function transcribeCodec(codec: ChatCodec): UnaryCodec<TranscriptionRequest, TranscriptionResponse> {
  const chatRequest = (request: TranscriptionRequest): ChatRequest => {
    const task =
      request.translateToEnglish === true
        ? "Translate this speech into English."
        : "Transcribe this speech word for word.";
    const hints = [
      request.language === undefined ? "" : ` It is in ${request.language}.`,
      request.prompt === undefined ? "" : ` Context: ${request.prompt}`,
    ].join("");
    return {
      model: request.model,
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: `${task}${hints} Answer with the text alone.` },
            { type: "media", kind: "audio", mime: request.audio.mime, data: { bytes: request.audio.bytes } },
          ],
        },
      ],
      sampling: { temperature: request.temperature ?? 0 },
    };
  };
  return {
    answers: "json",
    encode: (request) => {
      const call = codec.encode(chatRequest(request), false);
      const wantsTimes = request.wantWords === true || request.wantSegments === true;
      return wantsTimes
        ? { ...call, warnings: [...call.warnings, { field: "wantWords", message: "this provider gives no times" }] }
        : call;
    },
    decode: (body, request, { warnings }) => {
      const { text, usage } = answerOf(codec, body, chatRequest(request));
      return { text: text.trim(), warnings, ...(usage === undefined ? {} : { usage }) };
    },
  };
}

function imageCodec(codec: ChatCodec): UnaryCodec<ImageRequest, ImageResponse> {
  const chatRequest = (request: ImageRequest): ChatRequest => ({
    model: request.model,
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: request.prompt },
          ...(request.source ?? []).map(({ mime, data }) => ({ type: "media", kind: "image", mime, data }) as const),
        ],
      },
    ],
    providerOptions: { google: { generationConfig: { responseModalities: ["TEXT", "IMAGE"] } } },
  });
  return {
    answers: "json",
    encode: (request) => {
      const call = codec.encode(chatRequest(request), false);
      const unsent = (["count", "size", "quality", "background", "format"] as const).filter(
        (name) => request[name] !== undefined,
      );
      return {
        ...call,
        warnings: [...call.warnings, ...unsent.map((field) => ({ field, message: "is not sent to this provider" }))],
      };
    },
    decode: (body, request, { warnings }) => {
      const { images, usage } = answerOf(codec, body, chatRequest(request));
      if (images.length === 0) throw new WireFault("protocol", "an answer without images");
      return { images, warnings, ...(usage === undefined ? {} : { usage }) };
    },
  };
}
