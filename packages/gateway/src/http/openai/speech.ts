import type { SpeechRequest, SpeechResponse, Warning } from "@fovea/core";
import { GatewayError } from "@fovea/core";
import type { FastifyReply } from "fastify";
import { failureOf } from "../error-response.ts";
import { Fields, invalid } from "../request-fields.ts";
import { drained, eventText } from "../server-sent-events.ts";
import { definedOf } from "../wire-values.ts";
import { openAiError } from "./failures.ts";

const CHARACTERS_MAX = 100_000;
const FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"] as const;

export interface SpeechDraft {
  readonly input: SpeechRequest;
  readonly isEvents: boolean;
  readonly warnings: readonly Warning[];
}

export function parseSpeech(body: unknown): SpeechDraft {
  const fields = new Fields(body);
  const warnings: Warning[] = [];
  const text = fields.requiredString("input");
  if (text.length > CHARACTERS_MAX) throw invalid("input", `takes at most ${CHARACTERS_MAX} characters`);
  const voice = fields.raw("voice");
  const input: SpeechRequest = {
    model: fields.requiredString("model"),
    text,
    voice: typeof voice === "object" ? new Fields(voice, "voice").requiredString("id") : fields.requiredString("voice"),
    format: fields.oneOf("response_format", FORMATS) ?? "mp3",
    ...definedOf({ speed: fields.number("speed", 0.25, 4) }),
    ...definedOf({ instructions: fields.string("instructions"), language: fields.string("language") }),
  };
  const isEvents = fields.oneOf("stream_format", ["audio", "sse"]) === "sse";
  fields.unknown(warnings);
  return { input, isEvents, warnings };
}

/**
 * Sends sound as it comes. The first piece is awaited before the status is sent, so that a refusal is an error and not an
 * empty clip. Sound has no in-band errors: a clip that breaks breaks the connection, and no client takes it for whole.
 */
export async function sendSpeech(
  result: SpeechResponse,
  draft: SpeechDraft,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const pieces = result.stream[Symbol.asyncIterator]();
  const first = await firstPiece(pieces);
  const headers = reply.getHeaders() as Record<string, string>;
  reply.hijack();
  reply.raw.writeHead(200, {
    ...headers,
    "content-type": draft.isEvents ? "text/event-stream; charset=utf-8" : result.mime,
    ...(result.sampleRateHz === undefined ? {} : { "x-fovea-sample-rate": String(result.sampleRateHz) }),
  });
  const word = draft.isEvents ? audioEvent : (bytes: Uint8Array) => bytes;
  try {
    for (let piece: Uint8Array | undefined = first; piece !== undefined; piece = await nextPiece(pieces)) {
      if (reply.raw.destroyed) break;
      if (!reply.raw.write(word(piece))) await drained(reply.raw);
    }
    if (draft.isEvents && !reply.raw.destroyed) reply.raw.write(await doneEvent(result));
    reply.raw.end();
  } catch (error) {
    if (draft.isEvents) reply.raw.end(eventText(JSON.stringify(openAiError(failureOf(error))), "error"));
    else setImmediate(() => breakOff(reply));
  } finally {
    if (reply.raw.destroyed) await pieces.return?.();
  }
  return reply;
}

/** What has been written arrives; then the connection breaks. */
function breakOff(reply: FastifyReply): void {
  const { socket } = reply.raw;
  if (socket === null || socket.destroyed) return;
  socket.write("", () => reply.raw.destroy());
}

type Pieces = AsyncIterator<Uint8Array>;

async function firstPiece(pieces: Pieces): Promise<Uint8Array> {
  const first = await nextPiece(pieces);
  if (first === undefined) throw new GatewayError("answer_broken", "The speech ended before its first sound.");
  return first;
}

async function nextPiece(pieces: Pieces): Promise<Uint8Array | undefined> {
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return undefined;
    if (next.value.length > 0) return next.value;
  }
}

function audioEvent(bytes: Uint8Array): string {
  const audio = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return eventText(JSON.stringify({ type: "speech.audio.delta", audio }));
}

async function doneEvent(result: SpeechResponse): Promise<string> {
  const usage = await result.usage;
  const input = usage?.input.total ?? 0;
  const output = usage?.output.total ?? 0;
  const counted = { input_tokens: input, output_tokens: output, total_tokens: input + output };
  return eventText(JSON.stringify({ type: "speech.audio.done", usage: counted }));
}
