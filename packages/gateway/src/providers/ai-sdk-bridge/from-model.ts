import type { FinishReason, ProviderErrorCode, StreamPart, Usage } from "@fovea/core";
import { AnswerBuilder } from "../answer-builder.ts";
import { fromBase64 } from "../base64.ts";
import { buildFailure, codeOfStatus, retryAfterMs } from "../failure.ts";
import { countOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";
import type { AnswerContext } from "../vendor-wire.ts";
import { WireFault } from "../wire-fault.ts";
import type { ModelPart } from "./language-model.ts";

/** Stream parts of a LanguageModelV4 as canonical ones. Complete at `finish`. */
export class ModelAnswer {
  readonly builder: AnswerBuilder;
  readonly #context: AnswerContext;
  /** Calls whose input came in pieces: the whole call that follows repeats it. */
  readonly #streamed = new Set<string>();

  constructor(context: AnswerContext) {
    this.builder = new AnswerBuilder(context);
    this.#context = context;
  }

  told(part: ModelPart, parts: StreamPart[]): void {
    const { builder } = this;
    builder.into(parts);
    if (builder.isDone) return;
    const id = stringOf(part["id"]) ?? stringOf(part["toolCallId"]) ?? "";
    const delta = stringOf(part["delta"]) ?? "";
    switch (part["type"]) {
      case "response-metadata":
        return builder.start(stringOf(part["id"]), stringOf(part["modelId"]));
      case "text-delta":
        return builder.text(delta);
      case "reasoning-delta":
        return builder.reasoning(delta);
      case "tool-input-start":
        this.#streamed.add(id);
        return part["providerExecuted"] === true
          ? undefined
          : builder.callStart(id, id, stringOf(part["toolName"]) ?? "");
      case "tool-input-delta":
        return builder.callArgs(id, delta);
      case "tool-input-end":
        return builder.callEnd(id);
      case "tool-call":
        return this.#call(part, id);
      case "file":
        return this.#file(part);
      case "source":
        return this.#source(part);
      case "finish":
        return this.#finish(part);
      case "error":
        return this.failed(part["error"]);
      default:
        return;
    }
  }

  #call(part: ModelPart, id: string): void {
    if (this.#streamed.has(id) || part["providerExecuted"] === true) return;
    this.builder.callStart(id, id, stringOf(part["toolName"]) ?? "");
    this.builder.callArgs(id, stringOf(part["input"]) ?? "");
    this.builder.callEnd(id);
  }

  #file(part: ModelPart): void {
    const mime = stringOf(part["mediaType"]) ?? "application/octet-stream";
    const tagged = recordOf(part["data"]);
    const data: unknown =
      tagged === undefined || part["data"] instanceof Uint8Array ? part["data"] : (tagged["data"] ?? tagged["url"]);
    const role = mime.startsWith("image/") ? "image" : mime.startsWith("video/") ? "video" : "file";
    const url = data instanceof URL ? data.href : typeof data === "string" && /^https?:/.test(data) ? data : undefined;
    const bytes =
      data instanceof Uint8Array ? data : typeof data === "string" && url === undefined ? fromBase64(data) : undefined;
    if (bytes !== undefined && mime.startsWith("audio/")) this.builder.part({ type: "audio-delta", bytes, mime });
    else if (bytes !== undefined) this.builder.part({ type: "media", mime, role, data: { bytes } });
    else if (url !== undefined) this.builder.part({ type: "media", mime, role, data: { url } });
  }

  #source(part: ModelPart): void {
    const url = stringOf(part["url"]);
    const title = stringOf(part["title"]);
    this.builder.part({
      type: "citation",
      ...(url === undefined ? {} : { url }),
      ...(title === undefined ? {} : { title }),
    });
  }

  #finish(part: ModelPart): void {
    const usage = usageOf(recordOf(part["usage"]));
    if (usage !== undefined) this.builder.usage(usage);
    const reason = recordOf(part["finishReason"]);
    const unified = stringOf(reason?.["unified"]) ?? "other";
    const raw = stringOf(reason?.["raw"]) ?? unified;
    if (unified === "error") this.failed(new Error(`the model ended with ${raw}`));
    // The AI SDK says so when a stream ends without its terminal event.
    else if (raw === "interrupted") this.builder.fault(new WireFault("truncated", "the stream was interrupted"));
    else this.builder.finish(FINISH[unified] ?? "other", raw);
  }

  failed(error: unknown): void {
    this.builder.fail(failureOf(error, this.#context.providerId, "provider_stream_error"));
  }
}

const FINISH: Readonly<Record<string, FinishReason | undefined>> = {
  __proto__: null as never,
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
};

/** The SDK's APICallError carries a status and headers; everything else has the code of where it happened. */
export function failureOf(
  error: unknown,
  providerId: string,
  otherwise: ProviderErrorCode,
): ReturnType<typeof buildFailure> {
  const record = (typeof error === "object" && error !== null ? error : {}) as JsonRecord;
  const status = countOf(record["statusCode"]);
  const message = stringOf(record["message"]) ?? "the model failed";
  if (status === undefined || status < 400) return buildFailure(otherwise, providerId, message);
  const headers = (recordOf(record["responseHeaders"]) ?? {}) as Readonly<Record<string, string | undefined>>;
  const wait = retryAfterMs(status, headers, Number.NaN);
  return buildFailure(codeOfStatus(status), providerId, message, {
    status,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

function usageOf(usage: JsonRecord | undefined): Usage | undefined {
  const input = recordOf(usage?.["inputTokens"]);
  const output = recordOf(usage?.["outputTokens"]);
  const total = countOf(input?.["total"]);
  if (total === undefined) return undefined;
  const reasoning = countOf(output?.["reasoning"]);
  return {
    input: { total, cacheRead: countOf(input?.["cacheRead"]) ?? 0, cacheWrite: countOf(input?.["cacheWrite"]) ?? 0 },
    output: { total: countOf(output?.["total"]) ?? 0, ...(reasoning === undefined ? {} : { reasoning }) },
    source: "provider",
  };
}
