import type { TimedText, TranscriptionRequest, TranscriptionResponse, Warning } from "@fovea/core";
import type { Form } from "../form-body.ts";
import { invalid } from "../request-fields.ts";
import { eventText } from "../server-sent-events.ts";
import { definedOf } from "../wire-values.ts";

const FORMATS = ["json", "text", "srt", "verbose_json", "vtt", "diarized_json"] as const;
type Format = (typeof FORMATS)[number];

export interface TranscriptionDraft {
  readonly input: TranscriptionRequest;
  readonly format: Format;
  readonly isStream: boolean;
  readonly warnings: readonly Warning[];
}

const READ = new Set([
  "file",
  "language",
  "model",
  "prompt",
  "response_format",
  "stream",
  "temperature",
  "timestamp_granularities",
]);

export function parseTranscription(form: Form): TranscriptionDraft {
  const file = form.files.find((candidate) => candidate.field === "file");
  if (file === undefined) throw invalid("file", "is required");
  if (file.bytes.length === 0) throw invalid("file", "is empty");
  const model = one(form, "model");
  if (model === undefined || model === "") throw invalid("model", "is required and must not be empty");
  const format = readFormat(one(form, "response_format") ?? "json");
  const grains = form.fields.get("timestamp_granularities") ?? [];
  const needsSegments = format === "srt" || format === "vtt" || format === "verbose_json";
  const input: TranscriptionRequest = {
    model,
    audio: { bytes: file.bytes, mime: file.mime, fileName: file.name },
    ...definedOf({ language: one(form, "language"), prompt: one(form, "prompt") }),
    ...definedOf({ temperature: readTemperature(one(form, "temperature")) }),
    ...(grains.includes("word") ? { wantWords: true } : {}),
    ...(needsSegments || grains.includes("segment") ? { wantSegments: true } : {}),
  };
  const unknown = [...form.fields.keys()].filter((name) => !READ.has(name));
  const warnings = unknown.map((field) => ({ field, message: "unknown parameter; ignored" }));
  return { input, format, isStream: one(form, "stream") === "true", warnings };
}

function one(form: Form, name: string): string | undefined {
  return form.fields.get(name)?.at(-1);
}

function readFormat(value: string): Format {
  const format = FORMATS.find((name) => name === value);
  if (format === undefined) throw invalid("response_format", `must be one of ${FORMATS.join(", ")}`);
  if (format === "diarized_json") throw invalid("response_format", "diarized_json is not supported; use verbose_json");
  return format;
}

function readTemperature(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === "" || !(number >= 0 && number <= 1))
    throw invalid("temperature", "must be a number from 0 to 1");
  return number;
}

export function transcriptionAnswer(
  result: TranscriptionResponse,
  draft: TranscriptionDraft,
): { readonly type: string; readonly body: string } {
  const { format, isStream } = draft;
  if (isStream) return { type: "text/event-stream; charset=utf-8", body: events(result) };
  if (format === "text") return { type: "text/plain; charset=utf-8", body: `${result.text}\n` };
  if (format === "srt") return { type: "text/plain; charset=utf-8", body: subtitles(result, ",") };
  if (format === "vtt") return { type: "text/vtt; charset=utf-8", body: `WEBVTT\n\n${subtitles(result, ".")}` };
  const body = format === "verbose_json" ? verbose(result) : { text: result.text, ...usageOf(result) };
  return { type: "application/json; charset=utf-8", body: JSON.stringify(body) };
}

function verbose(result: TranscriptionResponse): object {
  const { words, segments } = result;
  return {
    task: "transcribe",
    language: result.language ?? "",
    duration: (result.durationMs ?? 0) / 1000,
    text: result.text,
    ...(words === undefined
      ? {}
      : { words: words.map((word) => ({ word: word.text, start: word.startMs / 1000, end: word.endMs / 1000 })) }),
    ...(segments === undefined
      ? {}
      : {
          segments: segments.map((segment, id) => ({
            id,
            start: segment.startMs / 1000,
            end: segment.endMs / 1000,
            text: segment.text,
          })),
        }),
    ...usageOf(result),
  };
}

function usageOf(result: TranscriptionResponse): object {
  const { usage } = result;
  if (usage === undefined) return {};
  const seconds = usage.seconds?.audioIn;
  if (seconds !== undefined && usage.input.total === 0) return { usage: { type: "duration", seconds } };
  const { input, output } = usage;
  return {
    usage: {
      type: "tokens",
      input_tokens: input.total,
      output_tokens: output.total,
      total_tokens: input.total + output.total,
    },
  };
}

/** The engine gives the text at once, so the stream has one piece. */
function events(result: TranscriptionResponse): string {
  const delta = { type: "transcript.text.delta", delta: result.text };
  const done = { type: "transcript.text.done", text: result.text, ...usageOf(result) };
  return eventText(JSON.stringify(delta)) + eventText(JSON.stringify(done));
}

function subtitles(result: TranscriptionResponse, mark: string): string {
  const whole: TimedText = { text: result.text, startMs: 0, endMs: result.durationMs ?? 0 };
  const lines = result.segments === undefined || result.segments.length === 0 ? [whole] : result.segments;
  return lines
    .map(({ text, startMs, endMs }, index) => {
      const number = mark === "," ? `${index + 1}\n` : "";
      return `${number}${clockText(startMs, mark)} --> ${clockText(endMs, mark)}\n${text.trim()}\n`;
    })
    .join("\n");
}

function clockText(ms: number, mark: string): string {
  const whole = Math.floor(ms / 1000);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return `${parts.map((part) => String(part).padStart(2, "0")).join(":")}${mark}${String(Math.round(ms) % 1000).padStart(3, "0")}`;
}
