import type { TranscriptionRequest, TranscriptionResponse, Warning } from "@fovea/core";
import { buildMultipart } from "../multipart.ts";
import { decodeTranscription, extensionOf } from "../openai/audio.ts";
import type { OperationWire, UnaryCodec } from "../operation-wire.ts";
import { rerankCodec } from "../rerank.ts";

/** The language is required, and the answer is text alone. */
const TRANSCRIBE: UnaryCodec<TranscriptionRequest, TranscriptionResponse> = {
  answers: "json",
  encode: (request) => {
    const { audio } = request;
    const unsent = (["prompt", "wantWords", "wantSegments", "translateToEnglish"] as const).filter(
      (name) => request[name] !== undefined,
    );
    const warnings: Warning[] = unsent.map((field) => ({ field, message: "is not sent to this provider" }));
    if (request.language === undefined)
      warnings.push({ field: "language", message: "is required by this provider: en is sent" });
    const { contentType, bytes } = buildMultipart([
      { name: "model", value: request.model },
      { name: "language", value: request.language ?? "en" },
      ...(request.temperature === undefined ? [] : [{ name: "temperature", value: String(request.temperature) }]),
      {
        name: "file",
        fileName: audio.fileName ?? `audio.${extensionOf(audio.mime)}`,
        mime: audio.mime,
        bytes: audio.bytes,
      },
    ]);
    return { path: "/v2/audio/transcriptions", body: bytes, headers: { "content-type": contentType }, warnings };
  },
  decode: (body, _request, { warnings }) => decodeTranscription(body, warnings),
};

export const COHERE_OPERATIONS: OperationWire = { rerank: rerankCodec("/v2/rerank"), transcribe: TRANSCRIBE };
