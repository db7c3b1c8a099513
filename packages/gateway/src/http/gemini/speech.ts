// Gemini's clients ask for speech by generating content with the modality AUDIO alone. A model that speaks is asked to,
// whoever made it; the sound goes out as inline data, in pieces where the client streams.
import { GatewayError, type ChatRequest, type SpeechResponse } from "@fovea/core";
import type { FastifyReply } from "fastify";
import { failureOf } from "../error-response.ts";
import { drained, eventText } from "../server-sent-events.ts";
import { geminiError } from "./failures.ts";

/** A quarter of an hour of 24 kHz sound. */
const WHOLE_BYTES_MAX = 48 * 1024 * 1024;

export interface SpeechFacts {
  readonly responseId: string;
  readonly model: string;
  readonly framing: "whole" | "events" | "array";
}

/** What is to be said, where the request is for speech and nothing else. */
export function spokenText(chat: Omit<ChatRequest, "model">): string | undefined {
  const isSpeech = chat.modalities?.length === 1 && chat.modalities[0] === "audio";
  if (!isSpeech || chat.tools !== undefined) return undefined;
  const said = chat.messages.flatMap((message) => (message.role === "user" ? message.content : []));
  const text = said.map((part) => (part.type === "text" ? part.text : "")).join("\n");
  return text.trim() === "" || said.some((part) => part.type !== "text") ? undefined : text;
}

export async function sendGeminiSpeech(
  result: SpeechResponse,
  facts: SpeechFacts,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const mime = result.mime.startsWith("audio/pcm")
    ? `audio/L16;codec=pcm;rate=${result.sampleRateHz ?? 24_000}`
    : result.mime;
  const pieces = result.stream[Symbol.asyncIterator]();
  const first = await nextPiece(pieces);
  if (first === undefined) throw new GatewayError("answer_broken", "The speech ended before its first sound.");
  if (facts.framing === "whole") {
    const bytes = await gathered(first, pieces);
    return reply.send(frame(facts, [inlineData(mime, bytes)], "STOP"));
  }
  return streamSpeech({ first, pieces, mime, facts, reply });
}

interface Streaming {
  readonly first: Uint8Array;
  readonly pieces: AsyncIterator<Uint8Array>;
  readonly mime: string;
  readonly facts: SpeechFacts;
  readonly reply: FastifyReply;
}

/** A clip that breaks is an error frame, and has no frame with a finish reason. */
async function streamSpeech({ first, pieces, mime, facts, reply }: Streaming): Promise<FastifyReply> {
  const isEvents = facts.framing === "events";
  const headers = reply.getHeaders() as Record<string, string>;
  reply.hijack();
  const { raw } = reply;
  const contentType = isEvents ? "text/event-stream; charset=utf-8" : "application/json; charset=UTF-8";
  raw.writeHead(200, { ...headers, "content-type": contentType });
  let separator = "[";
  const write = async (value: object): Promise<void> => {
    const json = JSON.stringify(value);
    const text = isEvents ? eventText(json) : separator + json;
    separator = ",\r\n";
    if (!raw.write(text)) await drained(raw);
  };
  const whole = new SampleAligner(mime.startsWith("audio/L16"));
  try {
    for (let piece: Uint8Array | undefined = first; piece !== undefined; piece = await nextPiece(pieces)) {
      if (raw.destroyed) break;
      const bytes = whole.take(piece);
      if (bytes.byteLength > 0) await write(frame(facts, [inlineData(mime, bytes)], undefined));
    }
    if (!raw.destroyed) await write(frame(facts, [], "STOP"));
  } catch (error) {
    if (!raw.destroyed) await write(geminiError(failureOf(error)));
  } finally {
    if (raw.destroyed) await pieces.return?.();
  }
  raw.end(isEvents ? "" : "]");
  return reply;
}

/** Each piece is decoded on its own by the client: none may end inside a sample. */
class SampleAligner {
  readonly #isAligned: boolean;
  #rest = new Uint8Array();

  constructor(isSamples: boolean) {
    this.#isAligned = !isSamples;
  }

  take(piece: Uint8Array): Uint8Array {
    if (this.#isAligned) return piece;
    const all = this.#rest.byteLength === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const even = all.byteLength - (all.byteLength % 2);
    this.#rest = Uint8Array.from(all.subarray(even));
    return all.subarray(0, even);
  }
}

async function gathered(first: Uint8Array, pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const all = [first];
  let size = first.byteLength;
  for (let piece = await nextPiece(pieces); piece !== undefined; piece = await nextPiece(pieces)) {
    size += piece.byteLength;
    if (size > WHOLE_BYTES_MAX) {
      await pieces.return?.();
      throw new GatewayError("answer_broken", "The speech is too long for one answer: stream it.");
    }
    all.push(piece);
  }
  return Buffer.concat(all);
}

async function nextPiece(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return undefined;
    if (next.value.byteLength > 0) return next.value;
  }
}

function inlineData(mimeType: string, bytes: Uint8Array): object {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return { inlineData: { mimeType, data } };
}

function frame(facts: SpeechFacts, parts: readonly object[], finishReason: "STOP" | undefined): object {
  const content = { role: "model", parts: parts.length === 0 ? [{ text: "" }] : parts };
  const candidate = { content, ...(finishReason === undefined ? {} : { finishReason }), index: 0 };
  return { candidates: [candidate], modelVersion: facts.model, responseId: facts.responseId };
}
