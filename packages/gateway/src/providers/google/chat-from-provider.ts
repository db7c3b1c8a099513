import type { FinishReason, StreamPart } from "@fovea/core";
import { AnswerBuilder } from "../answer-builder.ts";
import { fromBase64 } from "../base64.ts";
import { errorOf } from "../error-body.ts";
import type { EventAnswer } from "../event-decoder.ts";
import { buildFailure } from "../failure.ts";
import { arrayOf, countOf, parseJson, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { AnswerContext } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import { streamFailure } from "./failures.ts";
import { setPartialArgument } from "./partial-arguments.ts";
import { usageOf } from "./usage.ts";

/** One response, or the array that a stream without `alt=sse` is. */
export function decodeContent(body: unknown, context: AnswerContext, onContinuation?: OnContinuation): StreamPart[] {
  const parts: StreamPart[] = [];
  const answer = new GoogleAnswer(context, onContinuation);
  answer.builder.into(parts);
  for (const item of Array.isArray(body) ? body : [body]) {
    const response = recordOf(item);
    if (response === undefined) throw new WireFault("protocol", "an answer that is not an object");
    answer.response(response);
  }
  answer.close();
  if (!answer.builder.isDone) throw new WireFault("truncated", "an answer without a finish reason");
  return parts;
}

/** Told when the answer ends as `CONTINUATION`: with this token another call gives the rest of it. */
export type OnContinuation = (token: string) => void;

/** Each event is a whole response with a piece of the candidate. No event says "end": the finish reason does. */
export class GoogleAnswer implements EventAnswer {
  readonly builder: AnswerBuilder;
  readonly missing = "a finish reason";
  readonly #context: AnswerContext;
  #finish: string | undefined;
  #calls = 0;
  /** A call whose arguments arrive by path. */
  #growing: { readonly key: number; readonly args: Record<string, unknown> } | undefined;
  readonly #cited = new Set<string>();

  readonly #onContinuation: OnContinuation | undefined;

  constructor(context: AnswerContext, onContinuation?: OnContinuation) {
    this.builder = new AnswerBuilder(context);
    this.#context = context;
    this.#onContinuation = onContinuation;
  }

  event(data: string): void {
    if (data === "[DONE]") return;
    const response = recordOf(parseJson(data));
    if (response === undefined) throw new WireFault("protocol", "an event that is not an object");
    this.response(response);
    // With the usage beside it the finish reason is the last word; without, more may come.
    if (response["usageMetadata"] !== undefined) this.close();
  }

  response(response: JsonRecord): void {
    const { builder } = this;
    if (response["error"] !== undefined) {
      builder.fail(streamFailure(errorOf(response), this.#context));
      return;
    }
    builder.start(stringOf(response["responseId"]), stringOf(response["modelVersion"]));
    const usage = recordOf(response["usageMetadata"]);
    if (usage !== undefined) builder.usage(usageOf(usage));
    const candidate = recordOf(arrayOf(response["candidates"])[0]);
    for (const part of arrayOf(recordOf(candidate?.["content"])?.["parts"])) this.#part(recordOf(part) ?? {});
    if (candidate !== undefined) this.#citations(candidate);
    const blocked = stringOf(recordOf(response["promptFeedback"])?.["blockReason"]);
    this.#finish = stringOf(candidate?.["finishReason"]) ?? blocked ?? this.#finish;
    const token = stringOf(candidate?.["continuationToken"]);
    if (token !== undefined && this.#finish === CONTINUATION) this.#onContinuation?.(token);
  }

  /** Appends the terminal part once the finish reason is known. */
  close(): void {
    const raw = this.#finish;
    if (raw === undefined) return;
    if (ERRORS.has(raw)) {
      const { providerId, requestId } = this.#context;
      const ids = requestId === undefined ? {} : { requestId };
      this.builder.fail(
        buildFailure("provider_stream_error", providerId, `the model answered ${raw}`, { providerCode: raw, ...ids }),
      );
      return;
    }
    const reason =
      raw === "STOP" && this.builder.hasCalls
        ? "tool_calls"
        : (FINISH[raw] ?? (FILTERS.has(raw) ? "content_filter" : "other"));
    this.builder.finish(reason, raw);
  }

  #part(part: JsonRecord): void {
    const { builder } = this;
    const signature = stringOf(part["thoughtSignature"]);
    const call = recordOf(part["functionCall"]);
    const text = stringOf(part["text"]);
    const inline = recordOf(part["inlineData"]);
    if (call !== undefined) this.#call(call, signature);
    else if (text !== undefined && part["thought"] === true) builder.reasoning(text, signature);
    else if (text !== undefined) {
      builder.text(text);
      if (signature !== undefined) builder.reasoning(undefined, signature);
    } else if (inline !== undefined) this.#media(inline);
    else if (recordOf(part["fileData"]) !== undefined) this.#file(recordOf(part["fileData"]) ?? {});
    else if (recordOf(part["executableCode"]) !== undefined) {
      builder.part({
        type: "progress",
        note: "executableCode",
        logs: stringOf(recordOf(part["executableCode"])?.["code"]) ?? "",
      });
    } else if (recordOf(part["codeExecutionResult"]) !== undefined) {
      builder.part({
        type: "progress",
        note: "codeExecutionResult",
        logs: stringOf(recordOf(part["codeExecutionResult"])?.["output"]) ?? "",
      });
    }
  }

  #call(call: JsonRecord, signature: string | undefined): void {
    const { builder } = this;
    const pieces = call["partialArgs"];
    const willContinue = call["willContinue"] === true;
    if (this.#growing === undefined) {
      const key = this.#calls++;
      builder.callStart(key, stringOf(call["id"]), stringOf(call["name"]) ?? "", signature);
      if (!Array.isArray(pieces) && !willContinue) {
        builder.callArgs(key, JSON.stringify(recordOf(call["args"]) ?? {}));
        builder.callEnd(key);
        return;
      }
      this.#growing = { key, args: { ...recordOf(call["args"]) } };
    }
    const { key, args } = this.#growing;
    for (const piece of arrayOf(pieces)) setPartialArgument(args, recordOf(piece) ?? {});
    if (willContinue) return;
    this.#growing = undefined;
    builder.callArgs(key, JSON.stringify(args));
    builder.callEnd(key);
  }

  #media(inline: JsonRecord): void {
    const mime = stringOf(inline["mimeType"]) ?? "application/octet-stream";
    const bytes = fromBase64(stringOf(inline["data"]) ?? "");
    if (mime.startsWith("audio/")) this.builder.part({ type: "audio-delta", bytes, mime });
    else this.builder.part({ type: "media", mime, data: { bytes }, role: roleOf(mime) });
  }

  #file(file: JsonRecord): void {
    const mime = stringOf(file["mimeType"]) ?? "application/octet-stream";
    this.builder.part({ type: "media", mime, data: { url: stringOf(file["fileUri"]) ?? "" }, role: roleOf(mime) });
  }

  /** Grounding repeats and grows with every event: each source is told once. */
  #citations(candidate: JsonRecord): void {
    const chunks = arrayOf(recordOf(candidate["groundingMetadata"])?.["groundingChunks"]);
    const sources = arrayOf(
      recordOf(candidate["citationMetadata"])?.["citations"] ??
        recordOf(candidate["citationMetadata"])?.["citationSources"],
    );
    for (const item of [...chunks.map((chunk) => recordOf(chunk)?.["web"]), ...sources]) {
      const source = recordOf(item);
      const url = stringOf(source?.["uri"]);
      if (source === undefined || url === undefined || this.#cited.has(url)) continue;
      this.#cited.add(url);
      const title = stringOf(source["title"]);
      const start = countOf(source["startIndex"]);
      const end = countOf(source["endIndex"]);
      this.builder.part({
        type: "citation",
        url,
        ...(title === undefined ? {} : { title }),
        ...(start === undefined ? {} : { start }),
        ...(end === undefined ? {} : { end }),
      });
    }
  }
}

function roleOf(mime: string): "image" | "video" | "file" {
  return mime.startsWith("image/") ? "image" : mime.startsWith("video/") ? "video" : "file";
}

const FINISH: Readonly<Record<string, FinishReason | undefined>> = {
  __proto__: null as never,
  STOP: "stop",
  MAX_TOKENS: "length",
  CONTINUATION: "paused",
};

export const CONTINUATION = "CONTINUATION";

/** Reasons of candidates and of `promptFeedback.blockReason`. */
const FILTERS: ReadonlySet<string> = new Set([
  "SAFETY",
  "RECITATION",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "IMAGE_SAFETY",
  "IMAGE_PROHIBITED_CONTENT",
  "IMAGE_RECITATION",
  "MODEL_ARMOR",
  "JAILBREAK",
  "BLOCK_REASON_UNSPECIFIED",
]);

const ERRORS: ReadonlySet<string> = new Set([
  "MALFORMED_FUNCTION_CALL",
  "UNEXPECTED_TOOL_CALL",
  "TOO_MANY_TOOL_CALLS",
  "MALFORMED_RESPONSE",
]);
