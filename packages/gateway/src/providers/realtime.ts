// How each vendor's realtime session is opened; what is said in it afterwards belongs to `realtime/`.
import type { RealtimeRequest } from "@fovea/core";
import type { RealtimeCodec } from "./operation-wire.ts";

/** OpenAI, and the servers that speak its realtime dialect. */
export const OPENAI_REALTIME: RealtimeCodec = {
  path: ({ kind, model }) =>
    kind === "transcription" ? "/realtime?intent=transcription" : `/realtime?model=${encodeURIComponent(model)}`,
  firstMessages: (request) => [{ type: "session.update", session: sessionOf(request) }],
  inputRateHz: 24_000,
  outputRateHz: 24_000,
  dialect: "openai-realtime",
};

function sessionOf(request: RealtimeRequest): object {
  const format = { type: "audio/pcm", rate: 24_000 };
  if (request.kind === "transcription") {
    const transcription = {
      model: request.model,
      ...(request.language === undefined ? {} : { language: request.language }),
    };
    return { type: "transcription", audio: { input: { format, transcription } } };
  }
  return {
    type: "realtime",
    ...(request.instructions === undefined ? {} : { instructions: request.instructions }),
    audio: { input: { format }, output: { format, ...(request.voice === undefined ? {} : { voice: request.voice }) } },
  };
}

/** Gemini Live. One setup a session: a second one silences the model. */
export const GOOGLE_REALTIME: RealtimeCodec = {
  path: () => "//ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
  keyQuery: "key",
  firstMessages: (request) => [
    {
      setup: {
        model: `models/${request.model.replace(/^models\//, "")}`,
        ...(request.instructions === undefined
          ? {}
          : { systemInstruction: { parts: [{ text: request.instructions }] } }),
        generationConfig: {
          responseModalities: [request.kind === "transcription" ? "TEXT" : "AUDIO"],
          ...(request.voice === undefined
            ? {}
            : { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: request.voice } } } }),
        },
        ...(request.kind === "transcription" ? { inputAudioTranscription: {} } : {}),
        sessionResumption: {},
      },
    },
  ],
  inputRateHz: 16_000,
  outputRateHz: 24_000,
  dialect: "gemini-live",
};

/** Together recognises speech and does not converse. Its own turn taking is off: it would cut every five seconds. */
export const TOGETHER_REALTIME: RealtimeCodec = {
  path: ({ model }) => `/realtime?model=${encodeURIComponent(model)}&input_audio_format=pcm_s16le_16000`,
  firstMessages: () => [{ type: "transcription_session.updated", session: { turn_detection: null } }],
  inputRateHz: 16_000,
};
