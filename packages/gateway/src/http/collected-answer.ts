import type { AnswerPart, AnswerTrace, Cost, FinishReason, MediaData, Usage, Warning } from "@fovea/core";
import { GatewayError } from "@fovea/core";

type Start = Extract<AnswerPart, { type: "start" }>;

export interface CollectedCall {
  readonly id: string;
  readonly name: string;
  readonly args: string;
  /** The vendor's signature over the call, to be sent back with it. */
  readonly opaque?: string;
}

export interface Citation {
  readonly url?: string;
  readonly title?: string;
  readonly start?: number;
  readonly end?: number;
}

/** A whole answer, for callers who did not ask for a stream. */
export interface CollectedAnswer {
  readonly start: Start;
  readonly text: string;
  readonly reasoning: string;
  /** The same reasoning in the pieces its vendor signed; `opaque` is "" where it did not. */
  readonly thoughts: readonly { readonly text: string; readonly opaque: string }[];
  readonly refusal: string;
  readonly toolCalls: readonly CollectedCall[];
  readonly citations: readonly Citation[];
  readonly audio: { readonly bytes: Uint8Array; readonly mime: string; readonly transcript: string } | undefined;
  readonly images: readonly { readonly mime: string; readonly data: MediaData }[];
  readonly usage: Usage | undefined;
  readonly cost: Cost | undefined;
  readonly warnings: readonly Warning[];
  readonly degraded: string | undefined;
  readonly finishReason: FinishReason;
  readonly trace: AnswerTrace;
}

/** Folds the parts of an answer. Throws `GatewayError` where the answer has failed: half an answer is not one. */
export async function collectAnswer(parts: AsyncIterable<AnswerPart>): Promise<CollectedAnswer> {
  const fold = new AnswerFold();
  for await (const part of parts) {
    const whole = fold.add(part);
    if (whole !== undefined) return whole;
  }
  throw new GatewayError("answer_broken", "The answer ended without its last part.");
}

class AnswerFold {
  #start: Start | undefined;
  #text = "";
  #reasoning = "";
  #thought = "";
  readonly #thoughts: { text: string; opaque: string }[] = [];
  #refusal = "";
  readonly #calls: CollectedCall[] = [];
  readonly #open = new Map<number, { id: string; name: string }>();
  readonly #citations: Citation[] = [];
  readonly #audio: Uint8Array[] = [];
  #audioMime = "";
  #transcript = "";
  readonly #images: { mime: string; data: MediaData }[] = [];
  #usage: Usage | undefined;
  #cost: Cost | undefined;
  #degraded: string | undefined;

  /** The whole answer when this was its last part. */
  add(part: AnswerPart): CollectedAnswer | undefined {
    switch (part.type) {
      case "start":
        this.#start = part;
        break;
      case "text-delta":
        this.#text += part.text;
        break;
      case "reasoning-delta":
        this.#think(part.text ?? "", part.opaque);
        break;
      case "refusal-delta":
        this.#refusal += part.text;
        break;
      case "tool-call":
        this.#calls.push({ id: part.id, name: part.name, args: part.args });
        break;
      case "tool-start":
        this.#open.set(part.index, { id: part.id, name: part.name });
        break;
      case "tool-end":
        this.#closeCall(part.index, part.args, part.opaque);
        break;
      case "error":
        throw errorOf(part);
      case "end":
        return this.#close(part);
      default:
        this.#addMedia(part);
    }
    return undefined;
  }

  #addMedia(part: AnswerPart): void {
    if (part.type === "citation") this.#citations.push(part);
    else if (part.type === "image") this.#images.push({ mime: part.mime, data: part.data });
    else if (part.type === "degraded") this.#degraded = `${part.from} -> ${part.to}: ${part.reason}`;
    else if (part.type === "replaced")
      throw new GatewayError("answer_broken", "A delivered part of the answer was revised.");
    else if (part.type === "usage") {
      this.#usage = part.usage;
      this.#cost = part.cost;
    } else if (part.type === "audio-delta") {
      this.#audio.push(part.bytes);
      this.#audioMime = part.mime;
      this.#transcript += part.transcript ?? "";
    }
  }

  #think(text: string, opaque: string | undefined): void {
    this.#reasoning += text;
    this.#thought += text;
    if (opaque === undefined) return;
    this.#thoughts.push({ text: this.#thought, opaque });
    this.#thought = "";
  }

  #closeCall(index: number, args: string, opaque: string | undefined): void {
    const started = this.#open.get(index);
    if (started !== undefined) this.#calls.push({ ...started, args, ...(opaque === undefined ? {} : { opaque }) });
    this.#open.delete(index);
  }

  #close(end: Extract<AnswerPart, { type: "end" }>): CollectedAnswer {
    if (end.outcome === "error" || end.outcome === "cancelled") {
      const code = end.outcome === "cancelled" ? "request_cancelled" : "answer_broken";
      throw new GatewayError(code, "The answer did not complete.");
    }
    const start = this.#start ?? startOf(end.trace);
    const audio = { bytes: Buffer.concat(this.#audio), mime: this.#audioMime, transcript: this.#transcript };
    return {
      start,
      text: this.#text,
      reasoning: this.#reasoning,
      thoughts: this.#thoughts,
      refusal: this.#refusal,
      toolCalls: this.#calls,
      citations: this.#citations,
      audio: this.#audio.length === 0 ? undefined : audio,
      images: this.#images,
      usage: this.#usage,
      cost: this.#cost,
      warnings: start.warnings,
      degraded: this.#degraded,
      finishReason: end.finishReason,
      trace: end.trace,
    };
  }
}

export function startOf(trace: AnswerTrace): Start {
  const { requestId, provider, model } = trace;
  return { type: "start", requestId, provider, model, warnings: [] };
}

/** The error that a caller without a stream gets for an `error` part. */
export function errorOf(part: Extract<AnswerPart, { type: "error" }>): GatewayError {
  return new GatewayError(part.code, part.message, {
    ...(part.param === undefined ? {} : { param: part.param }),
    ...(part.providerId === undefined ? {} : { providerId: part.providerId }),
    ...(part.retryAfterMs === undefined ? {} : { retryAfterMs: part.retryAfterMs }),
    ...(part.providerCode === undefined ? {} : { providerCode: part.providerCode }),
    ...(part.status === undefined ? {} : { providerStatus: part.status }),
  });
}
