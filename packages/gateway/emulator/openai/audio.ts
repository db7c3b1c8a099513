import { countTokens, pieces } from "../answer-script.ts";
import type { Call, Reply, Stage } from "../exchange.ts";
import { jsonReply } from "../exchange.ts";
import { objectOf, textOf } from "../json.ts";
import { inPieces, soundOf } from "../media.ts";
import { fieldOf } from "../request-reading.ts";
import { invalid } from "./prompt.ts";

const FORMATS = new Set(["mp3", "opus", "aac", "flac", "wav", "pcm"]);

/** About the length in which the text would be spoken, unless the scenario says. */
function durationMs(text: string, stage: Stage): number {
  return stage.answer.audioMs ?? Math.max(100, countTokens(text) * 250);
}

export function speechReply(call: Call, stage: Stage): Reply {
  const body = objectOf(call.json);
  const input = textOf(body["input"]);
  if (input === "") throw invalid("Missing required parameter: 'input'.", "input");
  if (input.length > 4096) throw invalid("string too long", "input");
  if (body["voice"] === undefined) throw invalid("Missing required parameter: 'voice'.", "voice");
  const format = body["response_format"] === undefined ? "mp3" : textOf(body["response_format"]);
  if (!FORMATS.has(format)) throw invalid(`Invalid value: '${format}'.`, "response_format");
  const { mime, bytes } = soundOf(format, durationMs(input, stage));
  if (body["stream_format"] !== "sse") return { status: 200, contentType: mime, pieces: inPieces(bytes) };
  const deltas = inPieces(bytes).map((piece) => ({
    kind: "content" as const,
    data: JSON.stringify({ type: "speech.audio.delta", audio: Buffer.from(piece).toString("base64") }),
  }));
  const output = Math.ceil(bytes.length / 960);
  const usage = { input_tokens: countTokens(input), output_tokens: output, total_tokens: countTokens(input) + output };
  const done = { kind: "terminal" as const, data: JSON.stringify({ type: "speech.audio.done", usage }) };
  return { status: 200, format: "sse", contentType: "text/event-stream", frames: [...deltas, done] };
}

export function transcriptionReply(call: Call, stage: Stage): Reply {
  const file = call.parts.find((part) => part.name === "file");
  if (file === undefined) throw invalid("Missing required parameter: 'file'.", "file");
  if (file.fileName === undefined && file.contentType === undefined) throw invalid("Unrecognized file format.", "file");
  if ((fieldOf(call.parts, "model") ?? "") === "") throw invalid("you must provide a model parameter", "model");
  const text = stage.answer.text ?? "You said something.";
  const seconds = Math.max(1, Math.ceil(file.bytes.length / 48_000));
  const usage = { type: "duration", seconds };
  if (fieldOf(call.parts, "stream") === "true") return transcriptStream(text, usage);
  switch (fieldOf(call.parts, "response_format") ?? "json") {
    case "text":
      return { status: 200, contentType: "text/plain; charset=utf-8", body: `${text}\n` };
    case "srt":
      return { status: 200, contentType: "text/plain", body: `1\n00:00:00,000 --> 00:00:0${seconds},000\n${text}\n` };
    case "verbose_json":
      return jsonReply(verbose(text, seconds));
    default:
      return jsonReply({ text, usage });
  }
}

function verbose(text: string, seconds: number): object {
  const words = pieces(text).map((word) => word.trim());
  const step = seconds / Math.max(1, words.length);
  return {
    task: "transcribe",
    language: "english",
    duration: seconds,
    text,
    words: words.map((word, index) => ({ word, start: index * step, end: (index + 1) * step })),
    segments: [{ id: 0, seek: 0, start: 0, end: seconds, text, tokens: [], temperature: 0, avg_logprob: -0.2 }],
    usage: { type: "duration", seconds },
  };
}

function transcriptStream(text: string, usage: object): Reply {
  const deltas = pieces(text).map((delta) => ({
    kind: "content" as const,
    data: JSON.stringify({ type: "transcript.text.delta", delta }),
  }));
  const done = { kind: "terminal" as const, data: JSON.stringify({ type: "transcript.text.done", text, usage }) };
  return { status: 200, format: "sse", contentType: "text/event-stream", frames: [...deltas, done] };
}
